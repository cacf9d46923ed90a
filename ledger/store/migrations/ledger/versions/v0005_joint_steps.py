"""Who took part in joint steps, what is from outside, and under what versions are shared. Made of events alone."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table and the columns; a ledger from before shared under no agreement that it knew of."""
    op.create_table(
        "step_parts",
        sa.Column("step_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("member_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("contribution", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("step_id", "member_id"),
    )
    with op.batch_alter_table("versions") as batch:
        batch.add_column(sa.Column("only_to", sa.BigInteger(), nullable=False, server_default="0"))
        batch.add_column(sa.Column("statement", sa.LargeBinary(length=32), nullable=True))
        batch.add_column(sa.Column("registered", sa.Text(), nullable=True))
    with op.batch_alter_table("versions") as batch:
        batch.alter_column("only_to", server_default=None)
    names = ("agreement_id", "project_id", "keep_until")
    with op.batch_alter_table("shares") as batch:
        batch.drop_column("agreement")
        for name in names:
            batch.add_column(sa.Column(name, sa.BigInteger(), nullable=False, server_default="0"))
    with op.batch_alter_table("shares") as batch:
        for name in names:
            batch.alter_column(name, server_default=None)


def downgrade() -> None:
    """Refused: the journal must not be lost."""
    raise NotImplementedError("restore a backup instead")
