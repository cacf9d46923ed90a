"""Who crossed borders, and whether a dataset may be passed on. A ledger from before has no such events to fold again."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables and the column; whatever is in datasets from before was not consented to be passed on."""
    with op.batch_alter_table("datasets") as batch:
        batch.add_column(sa.Column("no_onward", sa.Boolean(), nullable=False, server_default=sa.true()))
    with op.batch_alter_table("datasets") as batch:
        batch.alter_column("no_onward", server_default=None)
    op.create_table(
        "crossings",
        sa.Column("clearance_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("person", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("clearance_id", "person"),
    )
    op.create_table(
        "exports",
        sa.Column("exporter", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("year", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("person", sa.LargeBinary(length=32), nullable=False),
        sa.Column("sensitive", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("exporter", "year", "person"),
    )


def downgrade() -> None:
    """Refused: the journal must not be lost."""
    raise NotImplementedError("restore a backup instead")
