"""The vault's rows in SQL. Implements `ledger.ports.VaultRows`; sees only sealed secrets."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from ledger.domain.records import Commitment, PassportId
from ledger.domain.vocabulary import Category
from ledger.errors import Conflict
from ledger.ports import VaultCategoryRow, VaultRecordRow
from ledger.store.database import Database
from ledger.store.vault_tables import categories, records, statements


class SqlVaultRows:
    """The vault's database."""

    def __init__(self, database: Database) -> None:
        """Keep the rows in a migrated database."""
        self._database = database

    def put(self, record: VaultRecordRow, parts: list[VaultCategoryRow]) -> None:
        """
        Keep a record and its categories, at once or not at all.

        Raises:
            Conflict: The custodian keeps this patient's record already.
        """
        try:
            self._put(record, parts)
        except IntegrityError:
            raise Conflict(
                "this patient is being registered at the same time", fix="Try again in a moment."
            ) from None

    def _put(self, record: VaultRecordRow, parts: list[VaultCategoryRow]) -> None:
        with self._database.write() as connection:
            connection.execute(
                insert(records).values(
                    passport_id=record.passport_id,
                    custodian=record.custodian,
                    reference_lookup=record.reference_lookup,
                    sealed_reference=record.sealed_reference,
                    manifest=json.dumps(record.manifest),
                    sealed_manifest_salt=record.sealed_manifest_salt,
                    content=record.content,
                    sealed_holder_key=record.sealed_holder_key,
                )
            )
            for part in parts:
                connection.execute(
                    insert(categories).values(
                        passport_id=record.passport_id,
                        category=int(part.category),
                        ciphertext=part.ciphertext,
                        commitment=part.commitment,
                        sealed_salt=part.sealed_salt,
                        sealed_key=part.sealed_key,
                        entries=part.entries,
                    )
                )

    def record(self, passport_id: PassportId) -> tuple[VaultRecordRow, list[VaultCategoryRow]] | None:
        """Return a record and its categories, lowest category first."""
        parts = (
            select(categories).where(categories.c.passport_id == passport_id).order_by(categories.c.category)
        )
        with self._database.read() as connection:
            row = connection.execute(
                select(records).where(records.c.passport_id == passport_id)
            ).one_or_none()
            if row is None:
                return None
            return _record(row), [_category(part) for part in connection.execute(parts)]

    def find(self, custodian: int, reference_lookup: bytes) -> PassportId | None:
        """Return the passport behind a custodian's keyed reference."""
        query = select(records.c.passport_id).where(
            records.c.custodian == custodian, records.c.reference_lookup == reference_lookup
        )
        with self._database.read() as connection:
            found: bytes | None = connection.execute(query).scalar_one_or_none()
        return PassportId(found) if found is not None else None

    def set_holder_key(self, passport_id: PassportId, sealed: bytes) -> bool:
        """Replace the sealed key of a record's holder; False if there is no such record."""
        change = update(records).where(records.c.passport_id == passport_id).values(sealed_holder_key=sealed)
        with self._database.write() as connection:
            return bool(connection.execute(change).rowcount)

    def kept_by(self, custodian: int) -> list[VaultRecordRow]:
        """Return the records of a custodian."""
        query = select(records).where(records.c.custodian == custodian).order_by(records.c.passport_id)
        with self._database.read() as connection:
            return [_record(row) for row in connection.execute(query)]

    def put_statement(self, commitment: Commitment, domain: str, sealed: bytes) -> None:
        """Keep a sealed statement."""
        with self._database.write() as connection:
            connection.execute(insert(statements).values(commitment=commitment, domain=domain, sealed=sealed))

    def statement(self, commitment: Commitment) -> bytes | None:
        """Return a sealed statement."""
        query = select(statements.c.sealed).where(statements.c.commitment == commitment)
        with self._database.read() as connection:
            sealed: bytes | None = connection.execute(query).scalar_one_or_none()
        return sealed

    def erase(self, passport_id: PassportId) -> int:
        """Delete a record with its keys and salts; returns how many keys."""
        with self._database.write() as connection:
            gone = connection.execute(
                delete(categories).where(categories.c.passport_id == passport_id)
            ).rowcount
            connection.execute(delete(records).where(records.c.passport_id == passport_id))
        return int(gone)


def _record(row: Row[Any]) -> VaultRecordRow:
    return VaultRecordRow(
        passport_id=PassportId(row.passport_id),
        custodian=row.custodian,
        reference_lookup=row.reference_lookup,
        sealed_reference=row.sealed_reference,
        manifest=json.loads(row.manifest),
        sealed_manifest_salt=row.sealed_manifest_salt,
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
