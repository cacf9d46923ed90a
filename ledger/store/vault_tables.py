"""The tables of the vault's database. Every secret in it is sealed with the vault's key before it gets here."""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    true,
)

metadata: Final = MetaData()

records = Table(
    "records",
    metadata,
    Column("passport_id", LargeBinary(32), primary_key=True),
    Column("custodian", BigInteger, nullable=False),
    Column("reference_lookup", LargeBinary(32), nullable=False),
    Column("sealed_reference", LargeBinary, nullable=False),
    Column("levels", Text, nullable=False),
    Column("sealed_salt", LargeBinary, nullable=False),
    Column("content", LargeBinary(32), nullable=False),
    Column("sealed_holder_key", LargeBinary),
    UniqueConstraint("custodian", "reference_lookup"),
)

#: Keys that were made for an assisted patient in the place of the first one: the ledger knows which is the holder's.
holder_keys = Table(
    "holder_keys",
    metadata,
    Column("passport_id", LargeBinary(32), ForeignKey("records.passport_id"), primary_key=True),
    Column("holder", String(42), primary_key=True),
    Column("sealed_key", LargeBinary, nullable=False),
)

levels = Table(
    "levels",
    metadata,
    Column("passport_id", LargeBinary(32), ForeignKey("records.passport_id"), primary_key=True),
    Column("level", Integer, primary_key=True),
    Column("manifest", Text, nullable=False),
    Column("sealed_salt", LargeBinary, nullable=False),
)

categories = Table(
    "categories",
    metadata,
    Column("passport_id", LargeBinary(32), primary_key=True),
    Column("level", Integer, primary_key=True),
    Column("category", Integer, primary_key=True),
    Column("ciphertext", LargeBinary, nullable=False),
    Column("commitment", LargeBinary(32), nullable=False),
    Column("sealed_salt", LargeBinary, nullable=False),
    Column("sealed_key", LargeBinary, nullable=False),
    Column("entries", Integer, nullable=False),
    ForeignKeyConstraint(["passport_id", "level"], ["levels.passport_id", "levels.level"]),
)

#: `attributed` is false of what was kept before the vault wrote down for whom.
statements = Table(
    "statements",
    metadata,
    Column("commitment", LargeBinary(32), primary_key=True),
    Column("domain", String(32), nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("attributed", Boolean, nullable=False, server_default=true()),
)

#: The members that gave a statement to this service, and by that may have committed to it.
statement_owners = Table(
    "statement_owners",
    metadata,
    Column("commitment", LargeBinary(32), ForeignKey("statements.commitment"), primary_key=True),
    Column("member_id", BigInteger, primary_key=True, autoincrement=False),
)
