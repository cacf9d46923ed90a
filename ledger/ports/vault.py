"""The vault: sealed records off chain, and the rows they are kept in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from ledger.domain.records import Commitment, PassportId, Salt
from ledger.domain.vocabulary import Category, Level


@dataclass(frozen=True, slots=True)
class SealedCategory:
    """
    One category of one record at one level as the vault holds it.

    Attributes:
        ciphertext: secretbox of the canonical JSON `{"category", "entries"}`.
        commitment: Commitment to that JSON under the domain `category`.
        salt: Its salt.
        entries: Number of resources inside.
    """

    category: Category
    ciphertext: bytes
    commitment: Commitment
    salt: Salt
    entries: int


@dataclass(frozen=True, slots=True)
class Excerpt:
    """
    Some resources of a category at a level, sealed anew: under a key, a salt and a commitment of their own.

    Attributes:
        ciphertext: secretbox of the canonical JSON `{"category", "entries"}`.
        sealed_key: Its key, sealed to the recipient.
        commitment: Commitment to that JSON under the domain `excerpt`.
        salt: Its salt, derived from the category's: the same for the same decision, and gone with the record's.
        entries: Number of resources inside.
    """

    category: Category
    ciphertext: bytes
    sealed_key: bytes
    commitment: Commitment
    salt: Salt
    entries: int


@dataclass(frozen=True, slots=True)
class SealedLevel:
    """A record at one level: its categories, lowest first, and the manifest that commits to them, with its salt."""

    level: Level
    categories: tuple[SealedCategory, ...]
    manifest: dict[str, str]
    salt: Salt


@dataclass(frozen=True, slots=True)
class SealedRecord:
    """
    A record in the vault.

    Attributes:
        levels: For each level the commitment to its manifest, as hexadecimal.
        salt: The salt of `content`.
        content: The commitment to `levels`, which the passport carries.
    """

    passport_id: PassportId
    custodian: int
    levels: dict[str, str]
    salt: Salt
    content: Commitment


@dataclass(frozen=True, slots=True)
class RecordSummary:
    """What may be shown of a record to its custodian; the entries are those of the record as it was registered."""

    passport_id: PassportId
    custodian: int
    local_reference: str
    entries: dict[Category, int]


class Vault(Protocol):
    """Sealed data, salts and keys off chain. Trusted to keep secrets and to lose them when told."""

    def seal(
        self,
        passport_id: PassportId,
        *,
        custodian: int,
        local_reference: str,
        content: Mapping[Level, dict[Category, list[dict[str, Any]]]],
        holder_seed: bytes | None,
    ) -> SealedRecord:
        """
        Seal a record at each of its levels, one data key, salt and commitment per level and category.

        `local_reference` is the custodian's own name for the patient.
        """

    def record(self, passport_id: PassportId) -> SealedRecord | None: ...

    def level(self, passport_id: PassportId, level: Level) -> SealedLevel | None: ...

    def find(self, custodian: int, local_reference: str) -> PassportId | None:
        """Return the passport that a custodian's own patient reference stands for."""

    def summaries(self, custodian: int) -> list[RecordSummary]: ...

    def seal_key_to(
        self, passport_id: PassportId, level: Level, category: Category, sealing_key: bytes
    ) -> bytes:
        """Re-seal the data key of a category at a level to an X25519 key (sealed box)."""

    def resources(self, passport_id: PassportId, level: Level, category: Category) -> list[dict[str, Any]]:
        """
        Open a category at a level: its resources, in the order of the record; empty if the record lacks it.

        For the service's own eyes: what leaves is sealed to a recipient.
        """

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
        Seal some resources of a category at a level to an X25519 key.

        Args:
            passport_id: The record.
            level: The level.
            category: The category.
            places: Which ones, by their place in the category from 0, in rising order.
            seq: The decision that they are handed over under.
            sealing_key: The recipient's.

        Raises:
            NotFound: The vault does not hold the category.
            InvalidInput: The recipient's key is none.
        """

    def holder_key(self, passport_id: PassportId) -> bytes | None:
        """Return the private key of an assisted patient's holder; None if the patient keeps it."""

    def keep_holder_key(self, passport_id: PassportId, key: bytes) -> None:
        """
        Keep a new key for an assisted patient's holder, in the place of the one before.

        Raises:
            NotFound: This vault does not keep the record.
        """

    def remember(self, commitment: Commitment, *, domain: str, salt: Salt, record: Any) -> None:
        """Keep what a commitment on chain stands for; once, however often it is called."""

    def recall(self, commitment: Commitment) -> Any | None:
        """Return the record behind a commitment, if this vault holds it."""

    def erase(self, passport_id: PassportId) -> int:
        """Destroy the keys and salts of a record at every level; returns how many keys were destroyed."""


@dataclass(frozen=True, slots=True)
class VaultRecordRow:
    """A record as the vault's database holds it; what is secret is sealed with the vault's key."""

    passport_id: PassportId
    custodian: int
    reference_lookup: bytes
    sealed_reference: bytes
    levels: dict[str, str]
    sealed_salt: bytes
    content: Commitment
    sealed_holder_key: bytes | None


@dataclass(frozen=True, slots=True)
class VaultCategoryRow:
    """One category at one level as the vault's database holds it."""

    category: Category
    ciphertext: bytes
    commitment: Commitment
    sealed_salt: bytes
    sealed_key: bytes
    entries: int


@dataclass(frozen=True, slots=True)
class VaultLevelRow:
    """One level with its categories, lowest first, as the vault's database holds it."""

    level: Level
    manifest: dict[str, str]
    sealed_salt: bytes
    categories: list[VaultCategoryRow]


class VaultRows(Protocol):
    """The vault's database."""

    def put(self, record: VaultRecordRow, levels: list[VaultLevelRow]) -> None:
        """Keep a record and its levels, at once or not at all."""

    def record(self, passport_id: PassportId) -> VaultRecordRow | None: ...

    def level(self, passport_id: PassportId, level: Level) -> VaultLevelRow | None: ...

    def category(
        self, passport_id: PassportId, level: Level, category: Category
    ) -> VaultCategoryRow | None: ...

    def find(self, custodian: int, reference_lookup: bytes) -> PassportId | None: ...

    def set_holder_key(self, passport_id: PassportId, sealed: bytes) -> bool:
        """Replace the sealed key of a record's holder; False if there is no such record."""

    def kept_by(self, custodian: int) -> list[VaultRecordRow]: ...

    def put_statement(self, commitment: Commitment, domain: str, sealed: bytes) -> None: ...

    def statement(self, commitment: Commitment) -> bytes | None: ...

    def erase(self, passport_id: PassportId) -> int:
        """Delete a record with its keys and salts; returns how many keys."""
