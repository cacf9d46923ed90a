"""The first tables of the ledger database."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "blocks",
        sa.Column("block_number", sa.BigInteger(), nullable=False),
        sa.Column("block_hash", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("block_number"),
    )
    op.create_table(
        "challenges",
        sa.Column("challenge", sa.LargeBinary(length=32), nullable=False),
        sa.Column("holder", sa.String(length=1100), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("challenge"),
    )
    op.create_table(
        "cursor",
        sa.Column("only", sa.Integer(), nullable=False),
        sa.Column("block_number", sa.BigInteger(), nullable=False),
        sa.Column("block_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("head", sa.LargeBinary(length=32), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("only"),
    )
    op.create_table(
        "decisions",
        sa.Column(
            "serial", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("passport_id", sa.LargeBinary(length=32), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("grant_id", sa.LargeBinary(length=32), nullable=False),
        sa.Column("member_id", sa.BigInteger(), nullable=False),
        sa.Column("terms", sa.LargeBinary(length=32), nullable=False),
        sa.Column("verdict", sa.LargeBinary(length=32), nullable=False),
        sa.Column("commitment", sa.LargeBinary(length=32), nullable=False),
        sa.Column("block_number", sa.BigInteger(), nullable=False),
        sa.Column("block_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("transaction_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("log_index", sa.Integer(), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("serial"),
        sa.UniqueConstraint("passport_id", "seq"),
    )
    op.create_index("decisions_by_member", "decisions", ["member_id", "serial"], unique=False)
    op.create_table(
        "deployment",
        sa.Column("only", sa.Integer(), nullable=False),
        sa.Column("chain_id", sa.BigInteger(), nullable=False),
        sa.Column("genesis_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("ledger", sa.String(length=42), nullable=False),
        sa.Column("block_number", sa.BigInteger(), nullable=False),
        sa.Column("code_hash", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("only"),
    )
    op.create_table(
        "events",
        sa.Column(
            "serial", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("passport_id", sa.LargeBinary(length=32), nullable=True),
        sa.Column("arguments", sa.Text(), nullable=False),
        sa.Column("block_number", sa.BigInteger(), nullable=False),
        sa.Column("block_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("transaction_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("log_index", sa.Integer(), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("serial"),
        sa.UniqueConstraint("block_hash", "log_index"),
    )
    op.create_index("events_by_block", "events", ["block_number"], unique=False)
    op.create_index("events_by_passport", "events", ["passport_id", "serial"], unique=False)
    op.create_table(
        "grants",
        sa.Column("passport_id", sa.LargeBinary(length=32), nullable=False),
        sa.Column("grant_id", sa.LargeBinary(length=32), nullable=False),
        sa.Column("recipient", sa.BigInteger(), nullable=False),
        sa.Column("recipient_kinds", sa.Integer(), nullable=False),
        sa.Column("purposes", sa.Integer(), nullable=False),
        sa.Column("categories", sa.Integer(), nullable=False),
        sa.Column("use_from", sa.BigInteger(), nullable=False),
        sa.Column("use_to", sa.BigInteger(), nullable=False),
        sa.Column("data_from", sa.Integer(), nullable=False),
        sa.Column("data_to", sa.Integer(), nullable=False),
        sa.Column("max_uses", sa.Integer(), nullable=False),
        sa.Column("uses", sa.Integer(), nullable=False),
        sa.Column("control", sa.Integer(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("flags", sa.Integer(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("assurance", sa.Integer(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=False),
        sa.Column("template", sa.BigInteger(), nullable=False),
        sa.Column("requested_by", sa.BigInteger(), nullable=False),
        sa.Column("evidence", sa.LargeBinary(length=32), nullable=True),
        sa.Column("terms", sa.LargeBinary(length=32), nullable=False),
        sa.Column("supersedes", sa.LargeBinary(length=32), nullable=False),
        sa.Column("successor", sa.LargeBinary(length=32), nullable=True),
        sa.Column("block_number", sa.BigInteger(), nullable=False),
        sa.Column("block_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("transaction_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("log_index", sa.Integer(), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("passport_id", "grant_id"),
    )
    op.create_index("grants_by_id", "grants", ["grant_id"], unique=False)
    op.create_index("grants_by_recipient", "grants", ["recipient"], unique=False)
    op.create_table(
        "leases",
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("holder", sa.String(length=128), nullable=False),
        sa.Column("expires_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "members",
        sa.Column("member_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("signer", sa.String(length=42), nullable=False),
        sa.Column("roles", sa.Integer(), nullable=False),
        sa.Column("purposes", sa.Integer(), nullable=False),
        sa.Column("jurisdiction", sa.Integer(), nullable=False),
        sa.Column("valid_to", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("signing_key", sa.LargeBinary(length=32), nullable=False),
        sa.Column("sealing_key", sa.LargeBinary(length=32), nullable=False),
        sa.Column("kind", sa.Integer(), nullable=False),
        sa.Column("control", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("member_id"),
        sa.UniqueConstraint("signing_key"),
    )
    op.create_table(
        "nonces",
        sa.Column("scope", sa.String(length=96), nullable=False),
        sa.Column("nonce", sa.String(length=128), nullable=False),
        sa.Column("expires_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("scope", "nonce"),
    )
    op.create_table(
        "passports",
        sa.Column("passport_id", sa.LargeBinary(length=32), nullable=False),
        sa.Column("custodian", sa.BigInteger(), nullable=False),
        sa.Column("purposes", sa.Integer(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("custody", sa.Integer(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(length=32), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("lock", sa.BigInteger(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("block_number", sa.BigInteger(), nullable=False),
        sa.Column("block_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("transaction_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("log_index", sa.Integer(), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("passport_id"),
    )
    op.create_index("passports_by_custodian", "passports", ["custodian"], unique=False)
    op.create_index("passports_by_holder", "passports", ["holder"], unique=False)
    op.create_table(
        "policies",
        sa.Column("version", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("law", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("version"),
    )
    op.create_table(
        "projects",
        sa.Column("project_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("member_id", sa.BigInteger(), nullable=False),
        sa.Column("purposes", sa.Integer(), nullable=False),
        sa.Column("categories", sa.Integer(), nullable=False),
        sa.Column("techniques", sa.Integer(), nullable=False),
        sa.Column("highest_class", sa.Integer(), nullable=False),
        sa.Column("valid_from", sa.BigInteger(), nullable=False),
        sa.Column("valid_to", sa.BigInteger(), nullable=False),
        sa.Column("agreement", sa.Boolean(), nullable=False),
        sa.Column("withdrawn", sa.Boolean(), nullable=False),
        sa.Column("ethics", sa.BigInteger(), nullable=False),
        sa.Column("compliance", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("project_id"),
    )
    op.create_table(
        "registers",
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("key", sa.String(length=480), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "key"),
    )
    op.create_table(
        "releases",
        sa.Column("passport_id", sa.LargeBinary(length=32), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("block_number", sa.BigInteger(), nullable=False),
        sa.Column("block_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("transaction_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("log_index", sa.Integer(), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("passport_id", "seq"),
    )
    op.create_table(
        "sessions",
        sa.Column("code_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("subject", sa.String(length=1100), nullable=False),
        sa.Column("expires_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("code_hash"),
    )
    op.create_table(
        "signers",
        sa.Column("address", sa.String(length=42), nullable=False),
        sa.Column("first_nonce", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("address"),
    )
    op.create_table(
        "transactions",
        sa.Column(
            "serial", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("transaction_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("signer", sa.String(length=42), nullable=False),
        sa.Column("nonce", sa.BigInteger(), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("signed_at", sa.Float(), nullable=False),
        sa.Column("block_number", sa.BigInteger(), nullable=True),
        sa.Column("block_hash", sa.LargeBinary(length=32), nullable=True),
        sa.Column("transaction_index", sa.Integer(), nullable=True),
        sa.Column("time", sa.BigInteger(), nullable=True),
        sa.Column("gas_used", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("serial"),
        sa.UniqueConstraint("signer", "nonce"),
        sa.UniqueConstraint("transaction_hash"),
    )
    op.create_index("transactions_by_status", "transactions", ["signer", "status", "nonce"], unique=False)
    op.create_table(
        "transfers",
        sa.Column("transfer_id", sa.LargeBinary(length=32), nullable=False),
        sa.Column("passport_id", sa.LargeBinary(length=32), nullable=False),
        sa.Column("sender", sa.BigInteger(), nullable=False),
        sa.Column("recipient", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(length=32), nullable=False),
        sa.Column("received_content", sa.LargeBinary(length=32), nullable=True),
        sa.Column("received", sa.Text(), nullable=True),
        sa.Column("block_number", sa.BigInteger(), nullable=False),
        sa.Column("block_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("transaction_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("log_index", sa.Integer(), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("transfer_id"),
    )
    op.create_index("transfers_by_passport", "transfers", ["passport_id"], unique=False)
    op.create_table(
        "operations",
        sa.Column(
            "serial", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("operation_id", sa.String(length=32), nullable=False),
        sa.Column("signer", sa.String(length=42), nullable=False),
        sa.Column("function", sa.String(length=64), nullable=False),
        sa.Column("arguments", sa.Text(), nullable=False),
        sa.Column("receiver", sa.String(length=42), nullable=True),
        sa.Column("value", sa.String(length=80), nullable=False),
        sa.Column("scope", sa.String(length=128), nullable=True),
        sa.Column("key", sa.String(length=128), nullable=True),
        sa.Column("fingerprint", sa.String(length=128), nullable=True),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("transaction_hash", sa.LargeBinary(length=32), nullable=True),
        sa.Column("item", sa.Integer(), nullable=True),
        sa.Column("events", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(
            ["transaction_hash"],
            ["transactions.transaction_hash"],
        ),
        sa.PrimaryKeyConstraint("serial"),
        sa.UniqueConstraint("operation_id"),
        sa.UniqueConstraint("scope", "key"),
    )
    op.create_index("operations_by_status", "operations", ["signer", "status", "serial"], unique=False)
    op.create_index("operations_by_transaction", "operations", ["transaction_hash", "item"], unique=False)
    # ### end Alembic commands ###


def downgrade() -> None:
    """Refused: the journal must not be lost."""
    raise NotImplementedError("restore a backup instead")
