"""Keys that are made for an assisted patient later stand beside the first one, which stays where it is."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "holder_keys",
        sa.Column("passport_id", sa.LargeBinary(length=32), nullable=False),
        sa.Column("holder", sa.String(length=42), nullable=False),
        sa.Column("sealed_key", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["passport_id"], ["records.passport_id"]),
        sa.PrimaryKeyConstraint("passport_id", "holder"),
    )


def downgrade() -> None:
    """Refused: what is sealed must not be lost."""
    raise NotImplementedError("restore a backup instead")
