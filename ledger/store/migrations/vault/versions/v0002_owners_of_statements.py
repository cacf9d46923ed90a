"""Whose each statement is. Of those that are kept already it is not known yet: nothing of them changes."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table, and mark what was kept before."""
    op.add_column(
        "statements", sa.Column("attributed", sa.Boolean(), nullable=False, server_default=sa.true())
    )
    op.execute(sa.text("UPDATE statements SET attributed = false"))
    op.create_table(
        "statement_owners",
        sa.Column("commitment", sa.LargeBinary(length=32), nullable=False),
        sa.Column("member_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(["commitment"], ["statements.commitment"]),
        sa.PrimaryKeyConstraint("commitment", "member_id"),
    )


def downgrade() -> None:
    """Refused: what is sealed must not be lost."""
    raise NotImplementedError("restore a backup instead")
