"""Transfers of many records, and what was loaded into them. A ledger from before has no such events: nothing to fold again."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns, and make the table."""
    for column in (
        sa.Column("consignment", sa.Text(), nullable=True),
        sa.Column("description", sa.LargeBinary(length=32), nullable=True),
        sa.Column("missing", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("crosses", sa.Boolean(), nullable=False, server_default="0"),
        sa.Column("loaded", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("shipped", sa.Text(), nullable=True),
        sa.Column("root_matches", sa.Boolean(), nullable=False, server_default="1"),
        sa.Column("report_due", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("halted_by", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("halted_from", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("notes", sa.Text(), nullable=False, server_default="[]"),
    ):
        op.add_column("transfers", column)
    op.create_table(
        "transfer_items",
        sa.Column("transfer_id", sa.LargeBinary(length=32), nullable=False),
        sa.Column("place", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("passport_id", sa.LargeBinary(length=32), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("content", sa.LargeBinary(length=32), nullable=False),
        sa.Column("block_number", sa.BigInteger(), nullable=False),
        sa.Column("block_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("transaction_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("log_index", sa.Integer(), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("transfer_id", "place"),
    )
    op.create_index("transfer_items_by_passport", "transfer_items", ["passport_id"], unique=False)


def downgrade() -> None:
    """Refused: the journal must not be lost."""
    raise NotImplementedError("restore a backup instead")
