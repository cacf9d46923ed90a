"""The vault: sealed records off chain, and the rows they are kept in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from ledger.domain.records import Commitment, HolderKey, PassportId, Salt
from ledger.domain.vocabulary import Category, Level

#: The owner of what is public, or told only after it was compared with the ledger word for word.
NO_OWNER: Final = 0


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

    def holder_key(self, passport_id: PassportId, holder: HolderKey) -> bytes | None:
        """Return the private key of a holder, by its address; None if it is not kept here: the patient keeps it."""

    def keep_holder_key(self, passport_id: PassportId, key: bytes) -> None:
        """
        Keep one more key for an assisted patient: the ledger decides which of them is the holder's.

        Raises:
            NotFound: This vault does not keep the record.
        """

    def remember(self, commitment: Commitment, *, domain: str, salt: Salt, record: Any, owner: int) -> None:
        """
        Keep what a commitment on chain stands for. The very same may be kept again, for another owner too.

        Args:
            commitment: The commitment.
            domain: What kind of record it is.
            salt: With which it was committed to.
            record: The record as JSON.
            owner: Number of the member that gives it to this service to commit to; `NO_OWNER` if what it says is public,
                or its readers compare it with the ledger word for word.

        Raises:
            Conflict: Something else is kept under this commitment.
        """

    def recall(self, commitment: Commitment, *, domain: str, owner: int) -> Any | None:
        """
        Return the record behind a commitment that an owner gave to this vault.

        Anybody can copy a commitment from the chain into a call of the own: what it stands for is told only where the
        ledger says that its owner committed to it, and only as the kind of record that it is.

        Args:
            commitment: The commitment.
            domain: What kind of record is wanted.
            owner: Number of the member that committed to it, as the ledger records it; `NO_OWNER` as in `remember`.

        Returns:
            The record; None if this vault does not hold it, holds it for others, or as another kind of record.
        """

    def is_unattributed(self, commitment: Commitment) -> bool:
        """Tell whether a record is kept from before the vault wrote down owners, and nobody's yet."""

    def attribute(self, commitment: Commitment, owner: int) -> None:
        """Write down whose a record is that was kept before the vault wrote down owners."""

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


@dataclass(frozen=True, slots=True)
class VaultStatementRow:
    """
    A statement as the vault's database holds it.

    Attributes:
        owners: Members that gave it to this service; `NO_OWNER` among them if it is public or compared.
        attributed: Whether these are known; False of what was kept before they were written down.
    """

    domain: str
    sealed: bytes
    owners: frozenset[int]
    attributed: bool


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

    def add_holder_key(self, passport_id: PassportId, holder: HolderKey, sealed: bytes) -> bool:
        """Keep one more sealed key of a record's holder; False if there is no such record."""

    def holder_key(self, passport_id: PassportId, holder: HolderKey) -> bytes | None:
        """Return a sealed key that was added."""

    def kept_by(self, custodian: int) -> list[VaultRecordRow]: ...

    def put_statement(self, commitment: Commitment, domain: str, sealed: bytes, owner: int) -> None:
        """Keep a sealed statement as a member's; what is kept already stays, and becomes that member's too."""

    def statement(self, commitment: Commitment) -> VaultStatementRow | None: ...

    def attribute_statement(self, commitment: Commitment, owner: int) -> None:
        """Write down whose a statement is that was kept before owners were."""

    def erase(self, passport_id: PassportId) -> int:
        """Delete a record with its keys and salts; returns how many keys."""
