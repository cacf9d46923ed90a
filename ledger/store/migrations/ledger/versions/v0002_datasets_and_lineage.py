"""Datasets, steps, versions, and what reaches them. A ledger from before has no such events: nothing to fold again."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "datasets",
        sa.Column("dataset_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("owner", sa.BigInteger(), nullable=False),
        sa.Column("purposes", sa.Integer(), nullable=False),
        sa.Column("categories", sa.Integer(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("sealed_from", sa.Integer(), nullable=False),
        sa.Column("no_relink", sa.Boolean(), nullable=False),
        sa.Column("retain_until", sa.BigInteger(), nullable=False),
        sa.Column("usable_until", sa.BigInteger(), nullable=False),
        sa.Column("included", sa.BigInteger(), nullable=False),
        sa.Column("withdrawals", sa.BigInteger(), nullable=False),
        sa.Column("excused", sa.BigInteger(), nullable=False),
        sa.Column("budget", sa.LargeBinary(length=8), nullable=False),
        sa.Column("spent", sa.LargeBinary(length=8), nullable=False),
        sa.Column("description", sa.LargeBinary(length=32), nullable=False),
        sa.Column("block_number", sa.BigInteger(), nullable=False),
        sa.Column("block_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("transaction_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("log_index", sa.Integer(), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("dataset_id"),
    )
    op.create_index("datasets_by_owner", "datasets", ["owner", "dataset_id"], unique=False)
    op.create_table(
        "withdrawals",
        sa.Column("dataset_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("grant_id", sa.LargeBinary(length=32), nullable=False),
        sa.Column("block_number", sa.BigInteger(), nullable=False),
        sa.Column("block_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("transaction_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("log_index", sa.Integer(), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("dataset_id", "number"),
    )
    op.create_table(
        "inclusions",
        sa.Column("passport_id", sa.LargeBinary(length=32), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("dataset_id", sa.BigInteger(), nullable=False),
        sa.Column("grant_id", sa.LargeBinary(length=32), nullable=False),
        sa.Column("member_id", sa.BigInteger(), nullable=False),
        sa.Column("rests_on", sa.LargeBinary(length=32), nullable=False),
        sa.Column("withdrawal", sa.BigInteger(), nullable=False),
        sa.Column("block_number", sa.BigInteger(), nullable=False),
        sa.Column("block_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("transaction_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("log_index", sa.Integer(), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("passport_id", "seq"),
    )
    op.create_index(
        "inclusions_by_dataset", "inclusions", ["dataset_id", "block_number", "log_index"], unique=False
    )
    op.create_index("inclusions_by_grant", "inclusions", ["grant_id"], unique=False)
    op.create_index("inclusions_by_what_they_rest_on", "inclusions", ["rests_on"], unique=False)
    op.create_table(
        "steps",
        sa.Column("step_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("member_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Integer(), nullable=False),
        sa.Column("dataset_id", sa.BigInteger(), nullable=False),
        sa.Column("project_id", sa.BigInteger(), nullable=False),
        sa.Column("purposes", sa.Integer(), nullable=False),
        sa.Column("epsilon", sa.LargeBinary(length=8), nullable=False),
        sa.Column("inputs", sa.LargeBinary(), nullable=False),
        sa.Column("outputs", sa.LargeBinary(), nullable=False),
        sa.Column("tool", sa.LargeBinary(length=32), nullable=False),
        sa.Column("parameters", sa.LargeBinary(length=32), nullable=False),
        sa.Column("missing", sa.BigInteger(), nullable=False),
        sa.Column("block_number", sa.BigInteger(), nullable=False),
        sa.Column("block_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("transaction_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("log_index", sa.Integer(), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("step_id"),
    )
    op.create_index("steps_by_dataset", "steps", ["dataset_id", "step_id"], unique=False)
    op.create_index("steps_by_member", "steps", ["member_id", "step_id"], unique=False)
    op.create_table(
        "step_inputs",
        sa.Column("version_id", sa.LargeBinary(length=32), nullable=False),
        sa.Column("step_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("stands", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("version_id", "step_id"),
    )
    op.create_table(
        "step_outputs",
        sa.Column("version_id", sa.LargeBinary(length=32), nullable=False),
        sa.Column("step_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("stands", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("version_id", "step_id"),
    )
    op.create_table(
        "versions",
        sa.Column("version_id", sa.LargeBinary(length=32), nullable=False),
        sa.Column("step_id", sa.BigInteger(), nullable=False),
        sa.Column("owner", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Integer(), nullable=False),
        sa.Column("purposes", sa.Integer(), nullable=False),
        sa.Column("check", sa.Integer(), nullable=False),
        sa.Column("verifier", sa.BigInteger(), nullable=False),
        sa.Column("report", sa.LargeBinary(length=32), nullable=True),
        sa.Column("checked", sa.Text(), nullable=True),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("evaluated", sa.Boolean(), nullable=False),
        sa.Column("deployed", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("version_id"),
    )
    op.create_index("versions_by_owner", "versions", ["owner", "step_id"], unique=False)
    op.create_index("versions_by_step", "versions", ["step_id"], unique=False)
    op.create_table(
        "origins",
        sa.Column("version_id", sa.LargeBinary(length=32), nullable=False),
        sa.Column("place", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("dataset_id", sa.BigInteger(), nullable=False),
        sa.Column("withdrawals", sa.BigInteger(), nullable=False),
        sa.Column("answered", sa.BigInteger(), nullable=False),
        sa.Column("split_id", sa.BigInteger(), nullable=False),
        sa.Column("parts", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("version_id", "place"),
    )
    op.create_index("origins_by_dataset", "origins", ["dataset_id"], unique=False)
    op.create_table(
        "shares",
        sa.Column("version_id", sa.LargeBinary(length=32), nullable=False),
        sa.Column("recipient", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("owner", sa.BigInteger(), nullable=False),
        sa.Column("agreement", sa.LargeBinary(length=32), nullable=False),
        sa.Column("block_number", sa.BigInteger(), nullable=False),
        sa.Column("block_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("transaction_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("log_index", sa.Integer(), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("version_id", "recipient"),
    )
    op.create_table(
        "answers",
        sa.Column("version_id", sa.LargeBinary(length=32), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("owner", sa.BigInteger(), nullable=False),
        sa.Column("answer", sa.Integer(), nullable=False),
        sa.Column("successor", sa.LargeBinary(length=32), nullable=False),
        sa.Column("evidence", sa.LargeBinary(length=32), nullable=False),
        sa.Column("block_number", sa.BigInteger(), nullable=False),
        sa.Column("block_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("transaction_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("log_index", sa.Integer(), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("version_id", "number"),
    )


def downgrade() -> None:
    """Refused: the journal must not be lost."""
    raise NotImplementedError("restore a backup instead")
