"""
The vault: records sealed off chain, with their salts and keys.

Each category of each record has, at each level, a data key of its own. Data keys, salts, references and assisted patients' holder
keys are sealed with the vault's key, which is never in the database: whoever has only the database has nothing.
Losing a data key on purpose is erasure.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

import nacl.exceptions
import nacl.secret
import nacl.utils
from nacl.public import PublicKey, SealedBox

from ledger.domain.records import Commitment, HolderKey, PassportId, Salt
from ledger.domain.vocabulary import Category, Level
from ledger.encoding.commitments import (
    canonical,
    category_record,
    commit,
    content_of,
    derived_salt,
    levels,
    manifest,
    manifest_of,
    new_salt,
)
from ledger.errors import ConfigurationError, Conflict, InvalidInput, NotFound
from ledger.ports import (
    NO_OWNER,
    Excerpt,
    RecordSummary,
    SealedCategory,
    SealedLevel,
    SealedRecord,
    VaultCategoryRow,
    VaultLevelRow,
    VaultRecordRow,
    VaultRows,
)
from ledger.wallet import holder_address

KEY_BYTES: Final = nacl.secret.SecretBox.KEY_SIZE
#: Whole numbers beyond have no canonical form of their own. Source: RFC 8785, section 3.2.2.3.
_MAX_WHOLE: Final = 2**53 - 1


class SealedVault:
    """The vault over its database rows. Implements `ledger.ports.Vault`."""

    def __init__(self, rows: VaultRows, *, key: bytes) -> None:
        """
        Open the vault.

        Args:
            rows: Its database.
            key: 32 bytes that seal everything secret in it.

        Raises:
            ConfigurationError: The key does not have 32 bytes.
        """
        if len(key) != KEY_BYTES:
            raise ConfigurationError(
                f"the vault's key must have {KEY_BYTES} bytes", fix="Check the vault key file."
            )
        self._rows = rows
        self._box = nacl.secret.SecretBox(key)
        self._lookup_key = hashlib.blake2b(key, digest_size=32, person=b"passport-lookup").digest()

    def seal(
        self,
        passport_id: PassportId,
        *,
        custodian: int,
        local_reference: str,
        content: Mapping[Level, dict[Category, list[dict[str, Any]]]],
        holder_seed: bytes | None,
    ) -> SealedRecord:
        """Seal a record, one data key per level and category; see `ledger.ports.Vault`."""
        sealed = [self._seal_level(level, categories) for level, categories in sorted(content.items())]
        top, salt = levels({row.level: commitment for row, commitment in sealed}), new_salt()
        record = VaultRecordRow(
            passport_id=passport_id,
            custodian=custodian,
            reference_lookup=self._lookup(custodian, local_reference),
            sealed_reference=self._seal(local_reference.encode()),
            levels=top,
            sealed_salt=self._seal(salt),
            content=content_of(top, salt=salt),
            sealed_holder_key=self._seal(holder_seed) if holder_seed else None,
        )
        self._rows.put(record, [row for row, _ in sealed])
        return self._record(record)

    def record(self, passport_id: PassportId) -> SealedRecord | None:
        """Return a sealed record."""
        row = self._rows.record(passport_id)
        return self._record(row) if row else None

    def level(self, passport_id: PassportId, level: Level) -> SealedLevel | None:
        """Return a sealed record at one of its levels."""
        row = self._rows.level(passport_id, level)
        if row is None:
            return None
        parts = tuple(self._category(part) for part in row.categories)
        return SealedLevel(level, parts, row.manifest, Salt(self._open(row.sealed_salt)))

    def find(self, custodian: int, local_reference: str) -> PassportId | None:
        """Return the passport that a custodian's own patient reference stands for."""
        return self._rows.find(custodian, self._lookup(custodian, local_reference))

    def summaries(self, custodian: int) -> list[RecordSummary]:
        """Return what a custodian keeps, with its own references."""
        return [self._summary(row) for row in self._rows.kept_by(custodian)]

    def seal_key_to(
        self, passport_id: PassportId, level: Level, category: Category, sealing_key: bytes
    ) -> bytes:
        """
        Re-seal the data key of a category at a level to an X25519 key.

        Raises:
            NotFound: The vault does not hold it.
            InvalidInput: The recipient's key is none.
        """
        row = self._held(passport_id, level, category)
        return _sealed_to(sealing_key, self._open(row.sealed_key))

    def resources(self, passport_id: PassportId, level: Level, category: Category) -> list[dict[str, Any]]:
        """Open a category at a level; see `ledger.ports.Vault`."""
        row = self._rows.category(passport_id, level, category)
        return self._resources(row) if row else []

    def seal_excerpt(
        self,
        passport_id: PassportId,
        level: Level,
        category: Category,
        *,
        places: Sequence[int],
        seq: int,
        sealing_key: bytes,
    ) -> Excerpt:
        """
        Seal some resources of a category at a level to an X25519 key; see `ledger.ports.Vault`.

        Raises:
            NotFound: The vault does not hold the category.
            InvalidInput: The recipient's key is none.
        """
        row = self._held(passport_id, level, category)
        all_of_it = self._resources(row)
        record = canonical(category_record(category, [all_of_it[place] for place in places]))
        salt, data_key = (
            derived_salt(self._open(row.sealed_salt), f"excerpt {seq}"),
            nacl.utils.random(KEY_BYTES),
        )
        return Excerpt(
            category=category,
            ciphertext=bytes(nacl.secret.SecretBox(data_key).encrypt(record)),
            sealed_key=_sealed_to(sealing_key, data_key),
            commitment=commit("excerpt", record, salt=salt),
            salt=salt,
            entries=len(places),
        )

    def holder_key(self, passport_id: PassportId, holder: HolderKey) -> bytes | None:
        """Return the private key of a holder; see `ledger.ports.Vault`."""
        row = self._rows.record(passport_id)
        first = self._open(row.sealed_holder_key) if row and row.sealed_holder_key else None
        if first is not None and holder_address(first) == holder:
            return first
        added = self._rows.holder_key(passport_id, holder)
        return self._open(added) if added else None

    def keep_holder_key(self, passport_id: PassportId, key: bytes) -> None:
        """
        Keep one more key for an assisted patient; see `ledger.ports.Vault`.

        Raises:
            NotFound: This vault does not keep the record.
        """
        if not self._rows.add_holder_key(passport_id, holder_address(key), self._seal(key)):
            raise NotFound("the vault does not hold this record")

    def remember(self, commitment: Commitment, *, domain: str, salt: Salt, record: Any, owner: int) -> None:
        """
        Keep what a commitment on chain stands for, as an owner's; see `ledger.ports.Vault`.

        Raises:
            Conflict: Something else is kept under this commitment.
        """
        document = json.dumps({"salt": salt.hex(), "record": record}).encode()
        row = self._rows.statement(commitment)
        if row is not None and (row.domain, json.loads(self._open(row.sealed))) != (
            domain,
            json.loads(document),
        ):
            raise Conflict(
                "the vault keeps something else under this commitment",
                fix="Commit to it with a fresh salt.",
            )
        self._rows.put_statement(commitment, domain, self._seal(document), owner)

    def recall(self, commitment: Commitment, *, domain: str, owner: int) -> Any | None:
        """Return the record behind a commitment that an owner gave to this vault; see `ledger.ports.Vault`."""
        row = self._rows.statement(commitment)
        if row is None or row.domain != domain:
            return None
        if owner not in row.owners and (row.attributed or owner != NO_OWNER):
            return None
        return json.loads(self._open(row.sealed))["record"]

    def is_unattributed(self, commitment: Commitment) -> bool:
        """Tell whether a record is kept from before the vault wrote down owners, and nobody's yet."""
        row = self._rows.statement(commitment)
        return row is not None and not row.attributed

    def attribute(self, commitment: Commitment, owner: int) -> None:
        """Write down whose a record is that was kept before the vault wrote down owners."""
        self._rows.attribute_statement(commitment, owner)

    def erase(self, passport_id: PassportId) -> int:
        """Destroy the keys and salts of a record at every level; returns how many keys were destroyed."""
        return self._rows.erase(passport_id)

    def _seal_level(
        self, level: Level, categories: dict[Category, list[dict[str, Any]]]
    ) -> tuple[VaultLevelRow, Commitment]:
        """Seal a record at one level; returns its row and the commitment to its manifest."""
        parts = [
            self._seal_category(category, resources) for category, resources in sorted(categories.items())
        ]
        entries, salt = manifest({part.category: part.commitment for part in parts}), new_salt()
        return VaultLevelRow(level, entries, self._seal(salt), parts), manifest_of(entries, salt=salt)

    def _seal_category(self, category: Category, resources: list[dict[str, Any]]) -> VaultCategoryRow:
        record = canonical(category_record(category, resources))
        salt, data_key = new_salt(), nacl.utils.random(KEY_BYTES)
        return VaultCategoryRow(
            category=category,
            ciphertext=bytes(nacl.secret.SecretBox(data_key).encrypt(record)),
            commitment=commit("category", record, salt=salt),
            sealed_salt=self._seal(salt),
            sealed_key=self._seal(data_key),
            entries=len(resources),
        )

    def _held(self, passport_id: PassportId, level: Level, category: Category) -> VaultCategoryRow:
        row = self._rows.category(passport_id, level, category)
        if row is None:
            raise NotFound("the vault does not hold this category of this record at this level")
        return row

    def _resources(self, row: VaultCategoryRow) -> list[dict[str, Any]]:
        try:
            plain = nacl.secret.SecretBox(self._open(row.sealed_key)).decrypt(row.ciphertext)
        except nacl.exceptions.CryptoError as error:
            raise ConfigurationError(
                "a record in the vault does not open with its own key: the vault was altered",
                fix="Restore the vault.",
            ) from error
        return [dict(resource) for resource in json.loads(plain, parse_int=_number)["entries"]]

    def _record(self, row: VaultRecordRow) -> SealedRecord:
        return SealedRecord(
            passport_id=row.passport_id,
            custodian=row.custodian,
            levels=row.levels,
            salt=Salt(self._open(row.sealed_salt)),
            content=row.content,
        )

    def _category(self, row: VaultCategoryRow) -> SealedCategory:
        return SealedCategory(
            row.category, row.ciphertext, row.commitment, Salt(self._open(row.sealed_salt)), row.entries
        )

    def _summary(self, row: VaultRecordRow) -> RecordSummary:
        found = self._rows.level(row.passport_id, Level.IDENTIFIED)
        parts = found.categories if found else []
        return RecordSummary(
            passport_id=row.passport_id,
            custodian=row.custodian,
            local_reference=self._open(row.sealed_reference).decode(),
            entries={part.category: part.entries for part in parts},
        )

    def _lookup(self, custodian: int, local_reference: str) -> bytes:
        return hmac.digest(self._lookup_key, f"{custodian}|{local_reference}".encode(), "sha256")

    def _seal(self, secret: bytes) -> bytes:
        return bytes(self._box.encrypt(secret))

    def _open(self, sealed: bytes) -> bytes:
        try:
            return bytes(self._box.decrypt(sealed))
        except nacl.exceptions.CryptoError as error:
            raise ConfigurationError(
                "the vault's key does not open this vault, or the vault was altered",
                fix="Name the right vault key file (PASSPORT_VAULT_KEY_FILE) or restore the vault.",
            ) from error


def _sealed_to(sealing_key: bytes, data_key: bytes) -> bytes:
    try:
        return bytes(SealedBox(PublicKey(sealing_key)).encrypt(data_key))
    except (nacl.exceptions.CryptoError, ValueError, TypeError) as error:
        raise InvalidInput("the recipient's sealing key is not an X25519 key", field="sealingKey") from error


def _number(digits: str) -> int | float:
    """Read a whole number; one that RFC 8785 wrote without a fraction, but takes for a double, stays a double."""
    whole = int(digits)
    return whole if abs(whole) <= _MAX_WHOLE else float(whole)
