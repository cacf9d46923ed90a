"""
The tables of the ledger's database.

Three concepts live here: the journal (must not be lost), the index (a projection of the chain, disposable) and
sessions (short-lived). Hashes and ids are stored as bytes, sets and codes as integers, words over 63 bits as bytes.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

metadata: Final = MetaData()

_HASH: Final = LargeBinary(32)
#: An unsigned integer of 64 bits, the most significant byte first.
_WORD64: Final = LargeBinary(8)
_SERIAL: Final = BigInteger().with_variant(Integer, "sqlite")
#: A holder's key may have 512 bytes.
_SUBJECT: Final = String(1100)


def _position() -> list[Column[Any]]:
    return [
        Column("block_number", BigInteger, nullable=False),
        Column("block_hash", _HASH, nullable=False),
        Column("transaction_hash", _HASH, nullable=False),
        Column("log_index", Integer, nullable=False),
        Column("time", BigInteger, nullable=False),
    ]


# --- journal -----------------------------------------------------------------

deployment = Table(
    "deployment",
    metadata,
    Column("only", Integer, primary_key=True),
    Column("chain_id", BigInteger, nullable=False),
    Column("genesis_hash", _HASH, nullable=False),
    Column("ledger", String(42), nullable=False),
    Column("block_number", BigInteger, nullable=False),
    Column("code_hash", _HASH, nullable=False),
)

leases = Table(
    "leases",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("holder", String(128), nullable=False),
    Column("expires_at", Float, nullable=False),
)

signers = Table(
    "signers",
    metadata,
    Column("address", String(42), primary_key=True),
    Column("first_nonce", BigInteger, nullable=False),
)

transactions = Table(
    "transactions",
    metadata,
    Column("serial", _SERIAL, primary_key=True, autoincrement=True),
    Column("transaction_hash", _HASH, nullable=False, unique=True),
    Column("signer", String(42), nullable=False),
    Column("nonce", BigInteger, nullable=False),
    Column("raw", LargeBinary, nullable=False),
    Column("status", String(16), nullable=False),
    Column("signed_at", Float, nullable=False),
    Column("block_number", BigInteger),
    Column("block_hash", _HASH),
    Column("transaction_index", Integer),
    Column("time", BigInteger),
    Column("gas_used", BigInteger),
    UniqueConstraint("signer", "nonce"),
    Index("transactions_by_status", "signer", "status", "nonce"),
    Index("transactions_by_block", "block_number", "transaction_index"),
)

operations = Table(
    "operations",
    metadata,
    Column("serial", _SERIAL, primary_key=True, autoincrement=True),
    Column("operation_id", String(32), nullable=False, unique=True),
    Column("signer", String(42), nullable=False),
    Column("function", String(64), nullable=False),
    Column("arguments", Text, nullable=False),
    Column("receiver", String(42)),
    Column("value", String(80), nullable=False),
    Column("scope", _SUBJECT),
    Column("key", String(128)),
    Column("fingerprint", String(128)),
    Column("status", String(16), nullable=False),
    Column("transaction_hash", _HASH, ForeignKey("transactions.transaction_hash")),
    Column("item", Integer),
    Column("events", Text),
    Column("error", Text),
    Column("created_at", Float, nullable=False),
    UniqueConstraint("scope", "key"),
    Index("operations_by_status", "signer", "status", "serial"),
    Index("operations_by_transaction", "transaction_hash", "item"),
)

# --- index -------------------------------------------------------------------

cursor = Table(
    "cursor",
    metadata,
    Column("only", Integer, primary_key=True),
    Column("block_number", BigInteger, nullable=False),
    Column("block_hash", _HASH, nullable=False),
    Column("head", _HASH, nullable=False),
    Column("error", Text),
)

blocks = Table(
    "blocks",
    metadata,
    Column("block_number", BigInteger, primary_key=True),
    Column("block_hash", _HASH, nullable=False),
)

events = Table(
    "events",
    metadata,
    Column("serial", _SERIAL, primary_key=True, autoincrement=True),
    Column("name", String(40), nullable=False),
    Column("passport_id", _HASH),
    Column("arguments", Text, nullable=False),
    *_position(),
    UniqueConstraint("block_hash", "log_index"),
    Index("events_by_passport", "passport_id", "serial"),
    Index("events_by_block", "block_number"),
)

members = Table(
    "members",
    metadata,
    Column("member_id", BigInteger, primary_key=True, autoincrement=False),
    Column("name", String(64), nullable=False),
    Column("signer", String(42), nullable=False),
    Column("roles", Integer, nullable=False),
    Column("purposes", Integer, nullable=False),
    Column("jurisdiction", Integer, nullable=False),
    Column("valid_to", BigInteger, nullable=False),
    Column("status", Integer, nullable=False),
    Column("signing_key", _HASH, nullable=False, unique=True),
    Column("sealing_key", _HASH, nullable=False),
    Column("kind", Integer, nullable=False),
    Column("control", Integer, nullable=False),
)

passports = Table(
    "passports",
    metadata,
    Column("passport_id", _HASH, primary_key=True),
    Column("custodian", BigInteger, nullable=False),
    Column("purposes", Integer, nullable=False),
    Column("status", Integer, nullable=False),
    Column("custody", Integer, nullable=False),
    Column("holder", Text, nullable=False),
    Column("content", _HASH, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("level", Integer, nullable=False),
    Column("lock", BigInteger, nullable=False),
    Column("epoch", Integer, nullable=False),
    *_position(),
    Index("passports_by_custodian", "custodian"),
    Index("passports_by_holder", "holder"),
)

grants = Table(
    "grants",
    metadata,
    Column("passport_id", _HASH, primary_key=True),
    Column("grant_id", _HASH, primary_key=True),
    Column("recipient", BigInteger, nullable=False),
    Column("recipient_kinds", Integer, nullable=False),
    Column("purposes", Integer, nullable=False),
    Column("categories", Integer, nullable=False),
    Column("use_from", BigInteger, nullable=False),
    Column("use_to", BigInteger, nullable=False),
    Column("data_from", Integer, nullable=False),
    Column("data_to", Integer, nullable=False),
    Column("max_uses", Integer, nullable=False),
    Column("uses", Integer, nullable=False),
    Column("control", Integer, nullable=False),
    Column("level", Integer, nullable=False),
    Column("flags", Integer, nullable=False),
    Column("status", Integer, nullable=False),
    Column("assurance", Integer, nullable=False),
    Column("ended_at", BigInteger, nullable=False),
    Column("template", BigInteger, nullable=False),
    Column("requested_by", BigInteger, nullable=False),
    Column("evidence", _HASH),
    Column("terms", _HASH, nullable=False),
    Column("supersedes", _HASH, nullable=False),
    Column("successor", _HASH),
    *_position(),
    Index("grants_by_id", "grant_id"),
    Index("grants_by_recipient", "recipient"),
)

projects = Table(
    "projects",
    metadata,
    Column("project_id", BigInteger, primary_key=True, autoincrement=False),
    Column("member_id", BigInteger, nullable=False),
    Column("purposes", Integer, nullable=False),
    Column("categories", Integer, nullable=False),
    Column("techniques", Integer, nullable=False),
    Column("highest_class", Integer, nullable=False),
    Column("valid_from", BigInteger, nullable=False),
    Column("valid_to", BigInteger, nullable=False),
    Column("agreement", Boolean, nullable=False),
    Column("withdrawn", Boolean, nullable=False),
    Column("ethics", BigInteger, nullable=False),
    Column("compliance", BigInteger, nullable=False),
)

decisions = Table(
    "decisions",
    metadata,
    Column("serial", _SERIAL, primary_key=True, autoincrement=True),
    Column("passport_id", _HASH, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("grant_id", _HASH, nullable=False),
    Column("member_id", BigInteger, nullable=False),
    Column("terms", _HASH, nullable=False),
    Column("verdict", _HASH, nullable=False),
    Column("commitment", _HASH, nullable=False),
    *_position(),
    UniqueConstraint("passport_id", "seq"),
    Index("decisions_by_member", "member_id", "serial"),
)

releases = Table(
    "releases",
    metadata,
    Column("passport_id", _HASH, primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    *_position(),
)

transfers = Table(
    "transfers",
    metadata,
    Column("transfer_id", _HASH, primary_key=True),
    Column("passport_id", _HASH, nullable=False),
    Column("sender", BigInteger, nullable=False),
    Column("recipient", BigInteger, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("status", Integer, nullable=False),
    Column("content", _HASH, nullable=False),
    Column("received_content", _HASH),
    Column("received", Text),
    Column("consignment", Text),
    Column("description", _HASH),
    Column("missing", Integer, nullable=False, server_default="0"),
    Column("crosses", Boolean, nullable=False, server_default="0"),
    Column("loaded", BigInteger, nullable=False, server_default="0"),
    Column("shipped", Text),
    Column("root_matches", Boolean, nullable=False, server_default="1"),
    Column("report_due", BigInteger, nullable=False, server_default="0"),
    Column("halted_by", BigInteger, nullable=False, server_default="0"),
    Column("halted_from", Integer, nullable=False, server_default="0"),
    Column("notes", Text, nullable=False, server_default="[]"),
    *_position(),
    Index("transfers_by_passport", "passport_id"),
)

#: The records loaded into a transfer of many, by the number of their leaf.
transfer_items = Table(
    "transfer_items",
    metadata,
    Column("transfer_id", _HASH, primary_key=True),
    Column("place", BigInteger, primary_key=True, autoincrement=False),
    Column("passport_id", _HASH, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("content", _HASH, nullable=False),
    *_position(),
    Index("transfer_items_by_passport", "passport_id"),
)

datasets = Table(
    "datasets",
    metadata,
    Column("dataset_id", BigInteger, primary_key=True, autoincrement=False),
    Column("owner", BigInteger, nullable=False),
    Column("purposes", Integer, nullable=False),
    Column("categories", Integer, nullable=False),
    Column("status", Integer, nullable=False),
    Column("sealed_from", Integer, nullable=False),
    Column("no_relink", Boolean, nullable=False),
    Column("no_onward", Boolean, nullable=False),
    Column("retain_until", BigInteger, nullable=False),
    Column("usable_until", BigInteger, nullable=False),
    Column("included", BigInteger, nullable=False),
    Column("withdrawals", BigInteger, nullable=False),
    Column("excused", BigInteger, nullable=False),
    Column("budget", _WORD64, nullable=False),
    Column("spent", _WORD64, nullable=False),
    Column("description", _HASH, nullable=False),
    *_position(),
    Index("datasets_by_owner", "owner", "dataset_id"),
)

#: Consents that ended that somebody had been included under; `number` counts those of a dataset from 1.
withdrawals = Table(
    "withdrawals",
    metadata,
    Column("dataset_id", BigInteger, primary_key=True, autoincrement=False),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("grant_id", _HASH, nullable=False),
    *_position(),
)

#: Decisions that included somebody: the grant that each rests on now, and the number of the withdrawal that ended it.
inclusions = Table(
    "inclusions",
    metadata,
    Column("passport_id", _HASH, primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("dataset_id", BigInteger, nullable=False),
    Column("grant_id", _HASH, nullable=False),
    Column("member_id", BigInteger, nullable=False),
    Column("rests_on", _HASH, nullable=False),
    Column("withdrawal", BigInteger, nullable=False),
    *_position(),
    Index("inclusions_by_dataset", "dataset_id", "block_number", "log_index"),
    Index("inclusions_by_grant", "grant_id"),
    Index("inclusions_by_what_they_rest_on", "rests_on"),
)

#: Steps as they were recorded, with the versions that they name one after the other.
steps = Table(
    "steps",
    metadata,
    Column("step_id", BigInteger, primary_key=True, autoincrement=False),
    Column("member_id", BigInteger, nullable=False),
    Column("kind", Integer, nullable=False),
    Column("dataset_id", BigInteger, nullable=False),
    Column("project_id", BigInteger, nullable=False),
    Column("purposes", Integer, nullable=False),
    Column("epsilon", _WORD64, nullable=False),
    Column("inputs", LargeBinary, nullable=False),
    Column("outputs", LargeBinary, nullable=False),
    Column("tool", _HASH, nullable=False),
    Column("parameters", _HASH, nullable=False),
    Column("missing", BigInteger, nullable=False),
    *_position(),
    Index("steps_by_member", "member_id", "step_id"),
    Index("steps_by_dataset", "dataset_id", "step_id"),
)

#: The edges of lineage: which versions a step used, and which it names as made. What does not stand makes nothing.
step_inputs = Table(
    "step_inputs",
    metadata,
    Column("version_id", _HASH, primary_key=True),
    Column("step_id", BigInteger, primary_key=True, autoincrement=False),
    Column("stands", Boolean, nullable=False),
)
step_outputs = Table(
    "step_outputs",
    metadata,
    Column("version_id", _HASH, primary_key=True),
    Column("step_id", BigInteger, primary_key=True, autoincrement=False),
    Column("stands", Boolean, nullable=False),
)

versions = Table(
    "versions",
    metadata,
    Column("version_id", _HASH, primary_key=True),
    Column("step_id", BigInteger, nullable=False),
    Column("owner", BigInteger, nullable=False),
    Column("kind", Integer, nullable=False),
    Column("purposes", Integer, nullable=False),
    Column("check", Integer, nullable=False),
    Column("verifier", BigInteger, nullable=False),
    Column("report", _HASH),
    Column("checked", Text),
    Column("status", Integer, nullable=False),
    Column("evaluated", Boolean, nullable=False),
    Column("deployed", Boolean, nullable=False),
    Column("only_to", BigInteger, nullable=False),
    Column("statement", _HASH),
    Column("registered", Text),
    Index("versions_by_step", "step_id"),
    Index("versions_by_owner", "owner", "step_id"),
)

origins = Table(
    "origins",
    metadata,
    Column("version_id", _HASH, primary_key=True),
    Column("place", Integer, primary_key=True, autoincrement=False),
    Column("dataset_id", BigInteger, nullable=False),
    Column("withdrawals", BigInteger, nullable=False),
    Column("answered", BigInteger, nullable=False),
    Column("split_id", BigInteger, nullable=False),
    Column("parts", Integer, nullable=False),
    Index("origins_by_dataset", "dataset_id"),
)

#: With whom versions were shared, as agreed last.
shares = Table(
    "shares",
    metadata,
    Column("version_id", _HASH, primary_key=True),
    Column("recipient", BigInteger, primary_key=True, autoincrement=False),
    Column("owner", BigInteger, nullable=False),
    Column("agreement_id", BigInteger, nullable=False),
    Column("project_id", BigInteger, nullable=False),
    Column("keep_until", BigInteger, nullable=False),
    *_position(),
)

#: Who took part in joint steps, and the commitment to what each contributed.
step_parts = Table(
    "step_parts",
    metadata,
    Column("step_id", BigInteger, primary_key=True, autoincrement=False),
    Column("member_id", BigInteger, primary_key=True, autoincrement=False),
    Column("contribution", _HASH, nullable=False),
)

#: What the owners of models answered to withdrawals; `number` counts those of a model from 1.
answers = Table(
    "answers",
    metadata,
    Column("version_id", _HASH, primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("owner", BigInteger, nullable=False),
    Column("answer", Integer, nullable=False),
    Column("successor", _HASH, nullable=False),
    Column("evidence", _HASH, nullable=False),
    *_position(),
)

#: Who crossed a border under a clearance; a person is the hash of the holder's key.
crossings = Table(
    "crossings",
    metadata,
    Column("clearance_id", BigInteger, primary_key=True, autoincrement=False),
    Column("person", _HASH, primary_key=True),
)

#: Whose data an exporter has exported in a calendar year, in UTC+8; `sensitive`: data of class 1 or 2 too.
exports = Table(
    "exports",
    metadata,
    Column("exporter", BigInteger, primary_key=True, autoincrement=False),
    Column("year", Integer, primary_key=True, autoincrement=False),
    Column("person", _HASH, primary_key=True),
    Column("sensitive", Boolean, nullable=False),
)

policies = Table(
    "policies",
    metadata,
    Column("version", BigInteger, primary_key=True, autoincrement=False),
    Column("law", Text, nullable=False),
)

#: What there is little of and what is looked up by its key alone: templates, emergencies, seats, acts and the like,
#: each a JSON object.
registers = Table(
    "registers",
    metadata,
    Column("kind", String(16), primary_key=True),
    Column("key", String(1200), primary_key=True),
    Column("body", Text, nullable=False),
)

#: What is rebuilt from the events alone.
PROJECTION: Final = (
    members,
    passports,
    grants,
    projects,
    decisions,
    releases,
    transfers,
    transfer_items,
    datasets,
    withdrawals,
    inclusions,
    steps,
    step_inputs,
    step_outputs,
    versions,
    origins,
    shares,
    step_parts,
    answers,
    crossings,
    exports,
    policies,
    registers,
)

# --- sessions ----------------------------------------------------------------

sessions = Table(
    "sessions",
    metadata,
    Column("code_hash", _HASH, primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("subject", _SUBJECT, nullable=False),
    Column("expires_at", Float, nullable=False),
)

nonces = Table(
    "nonces",
    metadata,
    Column("scope", _SUBJECT, primary_key=True),
    Column("nonce", String(128), primary_key=True),
    Column("expires_at", Float, nullable=False),
    Index("nonces_by_end", "expires_at"),
)

challenges = Table(
    "challenges",
    metadata,
    Column("challenge", _HASH, primary_key=True),
    Column("holder", _SUBJECT, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Index("challenges_by_end", "expires_at"),
)
