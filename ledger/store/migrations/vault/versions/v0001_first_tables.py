"""The first tables of the vault database."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "records",
        sa.Column("passport_id", sa.LargeBinary(length=32), nullable=False),
        sa.Column("custodian", sa.BigInteger(), nullable=False),
        sa.Column("reference_lookup", sa.LargeBinary(length=32), nullable=False),
        sa.Column("sealed_reference", sa.LargeBinary(), nullable=False),
        sa.Column("levels", sa.Text(), nullable=False),
        sa.Column("sealed_salt", sa.LargeBinary(), nullable=False),
        sa.Column("content", sa.LargeBinary(length=32), nullable=False),
        sa.Column("sealed_holder_key", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("passport_id"),
        sa.UniqueConstraint("custodian", "reference_lookup"),
    )
    op.create_table(
        "statements",
        sa.Column("commitment", sa.LargeBinary(length=32), nullable=False),
        sa.Column("domain", sa.String(length=32), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("commitment"),
    )
    op.create_table(
        "levels",
        sa.Column("passport_id", sa.LargeBinary(length=32), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("manifest", sa.Text(), nullable=False),
        sa.Column("sealed_salt", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["passport_id"],
            ["records.passport_id"],
        ),
        sa.PrimaryKeyConstraint("passport_id", "level"),
    )
    op.create_table(
        "categories",
        sa.Column("passport_id", sa.LargeBinary(length=32), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("category", sa.Integer(), nullable=False),
        sa.Column("ciphertext", sa.LargeBinary(), nullable=False),
        sa.Column("commitment", sa.LargeBinary(length=32), nullable=False),
        sa.Column("sealed_salt", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_key", sa.LargeBinary(), nullable=False),
        sa.Column("entries", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["passport_id", "level"],
            ["levels.passport_id", "levels.level"],
        ),
        sa.PrimaryKeyConstraint("passport_id", "level", "category"),
    )


def downgrade() -> None:
    """Refused: the journal must not be lost."""
    raise NotImplementedError("restore a backup instead")
