"""The vault's rows in SQL. Implements `ledger.ports.VaultRows`; sees only sealed secrets."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Connection, Row, Select, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from ledger.domain.records import Commitment, HolderKey, PassportId
from ledger.domain.vocabulary import Category, Level
from ledger.errors import Conflict
from ledger.ports import VaultCategoryRow, VaultLevelRow, VaultRecordRow, VaultStatementRow
from ledger.store.database import Database
from ledger.store.vault_tables import categories, holder_keys, levels, records, statement_owners, statements


class SqlVaultRows:
    """The vault's database."""

    def __init__(self, database: Database) -> None:
        """Keep the rows in a migrated database."""
        self._database = database

    def put(self, record: VaultRecordRow, parts: list[VaultLevelRow]) -> None:
        """
        Keep a record and its levels, at once or not at all.

        Raises:
            Conflict: The custodian keeps this patient's record already.
        """
        try:
            self._put(record, parts)
        except IntegrityError:
            raise Conflict(
                "this patient is being registered at the same time", fix="Try again in a moment."
            ) from None

    def _put(self, record: VaultRecordRow, parts: list[VaultLevelRow]) -> None:
        with self._database.write() as connection:
            connection.execute(
                insert(records).values(
                    passport_id=record.passport_id,
                    custodian=record.custodian,
                    reference_lookup=record.reference_lookup,
                    sealed_reference=record.sealed_reference,
                    levels=json.dumps(record.levels),
                    sealed_salt=record.sealed_salt,
                    content=record.content,
                    sealed_holder_key=record.sealed_holder_key,
                )
            )
            for part in parts:
                _put_level(connection, record.passport_id, part)

    def record(self, passport_id: PassportId) -> VaultRecordRow | None:
        """Return a record."""
        query = select(records).where(records.c.passport_id == passport_id)
        with self._database.read() as connection:
            row = connection.execute(query).one_or_none()
        return _record(row) if row is not None else None

    def level(self, passport_id: PassportId, level: Level) -> VaultLevelRow | None:
        """Return a record at one level, with its categories, lowest first."""
        parts = (
            select(categories)
            .where(categories.c.passport_id == passport_id, categories.c.level == int(level))
            .order_by(categories.c.category)
        )
        query = select(levels).where(levels.c.passport_id == passport_id, levels.c.level == int(level))
        with self._database.read() as connection:
            row = connection.execute(query).one_or_none()
            if row is None:
                return None
            found = [_category(part) for part in connection.execute(parts)]
        return VaultLevelRow(level, json.loads(row.manifest), row.sealed_salt, found)

    def category(self, passport_id: PassportId, level: Level, category: Category) -> VaultCategoryRow | None:
        """Return one category of a record at one level."""
        query = select(categories).where(
            categories.c.passport_id == passport_id,
            categories.c.level == int(level),
            categories.c.category == int(category),
        )
        with self._database.read() as connection:
            row = connection.execute(query).one_or_none()
        return _category(row) if row is not None else None

    def find(self, custodian: int, reference_lookup: bytes) -> PassportId | None:
        """Return the passport behind a custodian's keyed reference."""
        query = select(records.c.passport_id).where(
            records.c.custodian == custodian, records.c.reference_lookup == reference_lookup
        )
        with self._database.read() as connection:
            found: bytes | None = connection.execute(query).scalar_one_or_none()
        return PassportId(found) if found is not None else None

    def add_holder_key(self, passport_id: PassportId, holder: HolderKey, sealed: bytes) -> bool:
        """Keep one more sealed key of a record's holder; False if there is no such record."""
        known = select(records.c.passport_id).where(records.c.passport_id == passport_id)
        with self._database.write() as connection:
            if connection.execute(known).one_or_none() is None:
                return False
            connection.execute(
                insert(holder_keys).values(passport_id=passport_id, holder=holder, sealed_key=sealed)
            )
        return True

    def holder_key(self, passport_id: PassportId, holder: HolderKey) -> bytes | None:
        """Return a sealed key that was added."""
        query = select(holder_keys.c.sealed_key).where(
            holder_keys.c.passport_id == passport_id, holder_keys.c.holder == holder
        )
        with self._database.read() as connection:
            sealed: bytes | None = connection.execute(query).scalar_one_or_none()
        return sealed

    def kept_by(self, custodian: int) -> list[VaultRecordRow]:
        """Return the records of a custodian."""
        query = select(records).where(records.c.custodian == custodian).order_by(records.c.passport_id)
        with self._database.read() as connection:
            return [_record(row) for row in connection.execute(query)]

    def put_statement(self, commitment: Commitment, domain: str, sealed: bytes, owner: int) -> None:
        """Keep a sealed statement as a member's; what is kept already becomes that member's too."""
        with self._database.write() as connection:
            if connection.execute(_statement(commitment)).one_or_none() is None:
                connection.execute(
                    insert(statements).values(commitment=commitment, domain=domain, sealed=sealed)
                )
            _own(connection, commitment, owner)

    def statement(self, commitment: Commitment) -> VaultStatementRow | None:
        """Return a sealed statement."""
        query = select(statement_owners.c.member_id).where(statement_owners.c.commitment == commitment)
        with self._database.read() as connection:
            row = connection.execute(_statement(commitment)).one_or_none()
            if row is None:
                return None
            owners = frozenset(connection.execute(query).scalars())
        return VaultStatementRow(row.domain, row.sealed, owners, row.attributed)

    def attribute_statement(self, commitment: Commitment, owner: int) -> None:
        """Write down whose a statement is that was kept before owners were."""
        with self._database.write() as connection:
            connection.execute(
                update(statements).where(statements.c.commitment == commitment).values(attributed=True)
            )
            _own(connection, commitment, owner)

    def erase(self, passport_id: PassportId) -> int:
        """Delete a record with its keys and salts; returns how many keys."""
        with self._database.write() as connection:
            gone = connection.execute(
                delete(categories).where(categories.c.passport_id == passport_id)
            ).rowcount
            connection.execute(delete(levels).where(levels.c.passport_id == passport_id))
            connection.execute(delete(holder_keys).where(holder_keys.c.passport_id == passport_id))
            connection.execute(delete(records).where(records.c.passport_id == passport_id))
        return int(gone)


def _statement(commitment: Commitment) -> Select[Any]:
    return select(statements).where(statements.c.commitment == commitment)


def _own(connection: Connection, commitment: Commitment, owner: int) -> None:
    pair = {"commitment": commitment, "member_id": owner}
    if connection.execute(select(statement_owners).filter_by(**pair)).one_or_none() is None:
        connection.execute(insert(statement_owners).values(pair))


def _put_level(connection: Connection, passport_id: PassportId, row: VaultLevelRow) -> None:
    place = {"passport_id": passport_id, "level": int(row.level)}
    connection.execute(
        insert(levels).values(**place, manifest=json.dumps(row.manifest), sealed_salt=row.sealed_salt)
    )
    for part in row.categories:
        connection.execute(
            insert(categories).values(
                **place,
                category=int(part.category),
                ciphertext=part.ciphertext,
                commitment=part.commitment,
                sealed_salt=part.sealed_salt,
                sealed_key=part.sealed_key,
                entries=part.entries,
            )
        )


def _record(row: Row[Any]) -> VaultRecordRow:
    return VaultRecordRow(
        passport_id=PassportId(row.passport_id),
        custodian=row.custodian,
        reference_lookup=row.reference_lookup,
        sealed_reference=row.sealed_reference,
        levels=json.loads(row.levels),
        sealed_salt=row.sealed_salt,
        content=Commitment(row.content),
        sealed_holder_key=row.sealed_holder_key,
    )


def _category(row: Row[Any]) -> VaultCategoryRow:
    return VaultCategoryRow(
        category=Category(row.category),
        ciphertext=row.ciphertext,
        commitment=Commitment(row.commitment),
        sealed_salt=row.sealed_salt,
        sealed_key=row.sealed_key,
        entries=row.entries,
    )
