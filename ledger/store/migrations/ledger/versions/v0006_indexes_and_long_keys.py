"""Find the last mined transaction and what has expired by an index; names of holders with the longest keys fit."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_SUBJECT = sa.String(length=1100)


def upgrade() -> None:
    """Add the indexes and widen the columns."""
    op.create_index("transactions_by_block", "transactions", ["block_number", "transaction_index"])
    op.create_index("nonces_by_end", "nonces", ["expires_at"])
    op.create_index("challenges_by_end", "challenges", ["expires_at"])
    with op.batch_alter_table("operations") as batch:
        batch.alter_column(
            "scope", type_=_SUBJECT, existing_type=sa.String(length=128), existing_nullable=True
        )
    with op.batch_alter_table("nonces") as batch:
        batch.alter_column(
            "scope", type_=_SUBJECT, existing_type=sa.String(length=96), existing_nullable=False
        )
    with op.batch_alter_table("registers") as batch:
        batch.alter_column(
            "key", type_=sa.String(length=1200), existing_type=sa.String(length=480), existing_nullable=False
        )


def downgrade() -> None:
    """Refused: the journal must not be lost."""
    raise NotImplementedError("restore a backup instead")
