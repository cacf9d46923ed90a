"""
What the use cases need from the outside: the chain, the index, the vault and the journal.

`ledger.chain`, `ledger.store` and `ledger.vault` implement these; `ledger.bootstrap` puts them together.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from ledger.domain.records import (
    Address,
    BlockHeader,
    Commitment,
    Event,
    GrantId,
    GrantState,
    Member,
    Passport,
    PassportId,
    PolicyTable,
    Position,
    Project,
    Salt,
    Transfer,
    TransferId,
    Verdict,
)
from ledger.domain.vocabulary import Category
from ledger.encoding.typed_data import LedgerDomain


class OperationStatus(StrEnum):
    """How far a write has come. `QUEUED` and later survive any crash."""

    QUEUED = "queued"
    SIGNED = "signed"
    MINED = "mined"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Call:
    """
    One call of the ledger contract.

    Attributes:
        function: Name of the contract function; the empty string sends only value, `deploy` creates the contract.
        arguments: Its arguments, as JSON values: integers, booleans, strings and `0x` hexadecimal. For `issue`,
            `grant` and `decide` the arguments are lists with one item per passport, grant or request: calls of these
            functions that wait at the same time go out in one transaction.
        to: Receiver of a transfer of value; None for the ledger.
        value: Wei.
    """

    function: str
    arguments: tuple[Any, ...] = ()
    to: Address | None = None
    value: int = 0


@dataclass(frozen=True, slots=True)
class Operation:
    """
    A write as the journal holds it.

    Attributes:
        operation_id: 32 hexadecimal digits.
        status: How far it has come.
        events: Once mined: what the ledger recorded for this operation, in order.
        error: Once failed: `{"code", "message", "fix"}`.
        transaction_hash: Once signed.
    """

    operation_id: str
    function: str
    signer: Address
    status: OperationStatus
    created_at: float
    transaction_hash: bytes | None = None
    events: tuple[Event, ...] = ()
    error: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class GrantRecord:
    """A grant as the index knows it: its state, its words, and where it was given."""

    grant_id: GrantId
    passport_id: PassportId
    state: GrantState
    terms: Commitment
    supersedes: GrantId
    successor: GrantId | None
    position: Position


@dataclass(frozen=True, slots=True)
class DecisionRecord:
    """A decision as the index knows it."""

    passport_id: PassportId
    grant_id: GrantId
    member_id: int
    verdict: Verdict
    commitment: Commitment
    position: Position


@dataclass(frozen=True, slots=True)
class PassportRecord:
    """A passport as the index knows it."""

    passport: Passport
    position: Position


@dataclass(frozen=True, slots=True)
class TransferRecord:
    """A transfer as the index knows it."""

    transfer: Transfer
    shipped: Position
    received: Position | None


@dataclass(frozen=True, slots=True)
class IndexState:
    """How far the index has come, and whether it agrees with the contract."""

    block_number: int
    block_hash: bytes
    chain_head: int
    consistent: bool
    error: str | None = None


class Chain(Protocol):
    """The ledger contract on its chain. Reads answer at the head, never from the index."""

    def domain(self) -> LedgerDomain:
        """Return which ledger on which chain this is."""

    def now(self) -> int:
        """Return the time a transaction would see: the later of the head block's time and the clock, in seconds."""

    def head(self) -> BlockHeader:
        """Return the newest block."""

    def member(self, member_id: int) -> Member | None:
        """Return a member as the contract holds it (its name is empty: names are in the events alone)."""

    def passport(self, passport_id: PassportId) -> Passport | None:
        """Return a passport as the contract holds it."""

    def grant(self, passport_id: PassportId, grant_id: GrantId) -> GrantState | None:
        """Return a grant as the contract holds it."""

    def decision(self, passport_id: PassportId, seq: int) -> DecisionRecord | None:
        """Return a decision from the node's own log."""

    def transfer_permit(self, passport_id: PassportId, seq: int) -> int:
        """Return the member that an unused permit to transfer names; 0 if there is none that still stands."""

    def allowance(self, payer: Address) -> int:
        """Return what *payer* gives a new signer for its transactions, in wei: a thousandth of what it has."""


class Writer(Protocol):
    """The journal and its submitters: what is accepted here reaches the chain exactly once."""

    def submit(
        self, signer: Address, call: Call, *, idempotency: tuple[str, str, str] | None = None
    ) -> Operation:
        """
        Write a call down, to be signed by *signer* and sent.

        Args:
            signer: An account whose key the service holds.
            call: What to call.
            idempotency: Scope, key and fingerprint of the request. The same three give the same operation.

        Raises:
            Conflict: The key was used for another request.
            NotFound: The service holds no key for *signer*.
        """

    def wait(self, operation_id: str, *, timeout: float) -> Operation:
        """Return the operation once it is mined or failed, or as it is after *timeout* seconds."""

    def operation(self, operation_id: str) -> Operation | None:
        """Return an operation."""

    def find(self, scope: str, key: str) -> tuple[Operation, str] | None:
        """Return the operation that a scope's idempotency key stands for, and its fingerprint."""

    def has_key(self, signer: Address) -> bool:
        """Tell whether the service holds the key of *signer*."""

    def new_key(self) -> Address:
        """Make a new key, keep it encrypted, and return its address."""


class Index(Protocol):
    """The projection of the chain that pages and lists are read from. Never trusted for a decision."""

    def state(self) -> IndexState: ...

    def wait_for(self, block_number: int, *, timeout: float) -> bool:
        """Wait until the index has reached a block; False after *timeout* seconds."""

    def members(self) -> list[Member]: ...

    def member(self, member_id: int) -> Member | None: ...

    def member_by_signing_key(self, signing_key: bytes) -> Member | None: ...

    def passport(self, passport_id: PassportId) -> PassportRecord | None: ...

    def passports(
        self,
        *,
        custodian: int | None = None,
        holder: Address | None = None,
        after: str | None = None,
        limit: int = 100,
    ) -> tuple[list[PassportRecord], str | None]:
        """Return passports, oldest first, and the cursor of the next page."""

    def grant(self, grant_id: GrantId) -> GrantRecord | None: ...

    def grants(
        self,
        *,
        passport_id: PassportId | None = None,
        recipient: int | None = None,
        after: str | None = None,
        limit: int = 100,
    ) -> tuple[list[GrantRecord], str | None]:
        """Return grants, oldest first, and the cursor of the next page."""

    def project(self, project_id: int) -> Project | None: ...

    def projects(self, *, member_id: int | None = None) -> list[Project]: ...

    def decision(self, passport_id: PassportId, seq: int) -> DecisionRecord | None: ...

    def decisions(
        self,
        *,
        passport_id: PassportId | None = None,
        member_id: int | None = None,
        custodian: int | None = None,
        newest_first: bool = True,
        after: str | None = None,
        limit: int = 100,
    ) -> tuple[list[DecisionRecord], str | None]:
        """Return decisions in the order of the chain or its reverse, and the cursor of the next page."""

    def releases(self, passport_id: PassportId) -> dict[int, Position]:
        """Return where each released decision of a passport was recorded as released, by seq."""

    def transfer(self, transfer_id: TransferId) -> TransferRecord | None: ...

    def transfers(
        self, *, member_id: int | None = None, passport_id: PassportId | None = None, limit: int = 100
    ) -> list[TransferRecord]:
        """Return transfers, newest first."""

    def policy(self, version: int | None = None) -> PolicyTable | None:
        """Return a version of the law, or the one in force."""

    def events(
        self, *, passport_id: PassportId | None = None, after: str | None = None, limit: int = 100
    ) -> tuple[list[Event], str | None]:
        """Return events in the order of the chain, and the cursor of the next page."""


@dataclass(frozen=True, slots=True)
class SealedCategory:
    """
    One category of one record as the vault holds it.

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
class SealedRecord:
    """A record in the vault: its categories, and the manifest whose commitment the passport carries."""

    passport_id: PassportId
    custodian: int
    categories: tuple[SealedCategory, ...]
    manifest: dict[str, str]
    manifest_salt: Salt
    content: Commitment


@dataclass(frozen=True, slots=True)
class RecordSummary:
    """What may be shown of a record to its custodian."""

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
        content: dict[Category, list[dict[str, Any]]],
        holder_seed: bytes | None,
    ) -> SealedRecord:
        """Seal a record, one data key per category. `local_reference` is the custodian's own name for the patient."""

    def record(self, passport_id: PassportId) -> SealedRecord | None: ...

    def find(self, custodian: int, local_reference: str) -> PassportId | None:
        """Return the passport that a custodian's own patient reference stands for."""

    def summaries(self, custodian: int) -> list[RecordSummary]: ...

    def seal_key_to(self, passport_id: PassportId, category: Category, sealing_key: bytes) -> bytes:
        """Re-seal the data key of a category to an X25519 key (sealed box)."""

    def holder_key(self, passport_id: PassportId) -> bytes | None:
        """Return the private key of an assisted patient's holder; None if the patient keeps it."""

    def remember(self, commitment: Commitment, *, domain: str, salt: Salt, record: Any) -> None:
        """Keep what a commitment on chain stands for."""

    def recall(self, commitment: Commitment) -> Any | None:
        """Return the record behind a commitment, if this vault holds it."""

    def erase(self, passport_id: PassportId) -> int:
        """Destroy the keys and salts of a record; returns how many were destroyed."""


class TransactionStatus(StrEnum):
    """How far a signed transaction has come."""

    SIGNED = "signed"
    MINED = "mined"
    REVERTED = "reverted"


@dataclass(frozen=True, slots=True)
class SignedTransaction:
    """A signed transaction as the journal keeps it. The same bytes can be sent any number of times."""

    transaction_hash: bytes
    signer: Address
    nonce: int
    raw: bytes


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a node says of a mined transaction. `time` is the block's, seconds since the Unix epoch."""

    transaction_hash: bytes
    block_number: int
    block_hash: bytes
    transaction_index: int
    time: int
    succeeded: bool
    gas_used: int
    contract: Address | None
    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class MinedTransaction:
    """A transaction the journal knows to be mined, with the time of its block."""

    transaction: SignedTransaction
    block_number: int
    block_hash: bytes
    transaction_index: int
    time: int


@dataclass(frozen=True, slots=True)
class QueuedCall:
    """An operation that waits for its transaction."""

    operation_id: str
    call: Call


@dataclass(frozen=True, slots=True)
class Deployment:
    """Which chain and contract the journal belongs to. `code_hash` is keccak256 of the code on chain."""

    chain_id: int
    genesis_hash: bytes
    ledger: Address
    block_number: int
    code_hash: bytes


class Journal(Protocol):
    """What was accepted, signed and mined. With the vault, the only thing off chain that must not be lost."""

    def deployment(self) -> Deployment | None: ...

    def record_deployment(self, deployment: Deployment) -> None: ...

    def add(self, signer: Address, call: Call, idempotency: tuple[str, str, str] | None) -> Operation:
        """Write an operation down; the same idempotency triple gives the same operation."""

    def operation(self, operation_id: str) -> Operation | None: ...

    def find(self, scope: str, key: str) -> tuple[Operation, str] | None: ...

    def signers_with_work(self) -> list[Address]:
        """Return the signers that have queued operations or unconfirmed transactions."""

    def queued(self, signer: Address, *, limit: int) -> list[QueuedCall]:
        """Return queued operations, oldest first."""

    def next_nonce(self, signer: Address) -> int | None:
        """Return the nonce after the highest signed one, or the first nonce; None for a signer never seen."""

    def begin_signer(self, signer: Address, first_nonce: int) -> None:
        """Remember the nonce at which the service began to use a key."""

    def record_signed(self, transaction: SignedTransaction, operation_ids: list[str]) -> None:
        """Keep a signed transaction and tie operations to it, at once or not at all."""

    def unconfirmed(self, signer: Address) -> list[SignedTransaction]:
        """Return transactions not known to be mined, lowest nonce first."""

    def operations_of(self, transaction_hash: bytes) -> list[QueuedCall]:
        """Return the operations of a transaction in the order of its items."""

    def confirm(
        self, receipt: Receipt, events: dict[str, tuple[Event, ...]], error: dict[str, Any] | None
    ) -> None:
        """Record that a transaction was mined, and what each operation did; *error* if it reverted."""

    def fail(self, operation_id: str, error: dict[str, Any]) -> None:
        """Record that the ledger refused an operation before it was signed."""

    def last_mined(self) -> MinedTransaction | None: ...

    def all_signed(self) -> list[tuple[SignedTransaction, MinedTransaction | None]]:
        """Return every signed transaction: the mined ones in the order of the chain, then the others as signed."""


class Lease(Protocol):
    """The right to write, held by one process at a time."""

    def acquire(self) -> None:
        """
        Take the lease and keep renewing it.

        Raises:
            ConfigurationError: Another process holds it.
        """

    def release(self) -> None: ...

    def held(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class VaultRecordRow:
    """A record as the vault's database holds it; what is secret is sealed with the vault's key."""

    passport_id: PassportId
    custodian: int
    reference_lookup: bytes
    sealed_reference: bytes
    manifest: dict[str, str]
    sealed_manifest_salt: bytes
    content: Commitment
    sealed_holder_key: bytes | None


@dataclass(frozen=True, slots=True)
class VaultCategoryRow:
    """One category as the vault's database holds it."""

    category: Category
    ciphertext: bytes
    commitment: Commitment
    sealed_salt: bytes
    sealed_key: bytes
    entries: int


class VaultRows(Protocol):
    """The vault's database."""

    def put(self, record: VaultRecordRow, categories: list[VaultCategoryRow]) -> None:
        """Keep a record and its categories, at once or not at all."""

    def record(self, passport_id: PassportId) -> tuple[VaultRecordRow, list[VaultCategoryRow]] | None: ...

    def find(self, custodian: int, reference_lookup: bytes) -> PassportId | None: ...

    def kept_by(self, custodian: int) -> list[VaultRecordRow]: ...

    def put_statement(self, commitment: Commitment, domain: str, sealed: bytes) -> None: ...

    def statement(self, commitment: Commitment) -> bytes | None: ...

    def erase(self, passport_id: PassportId) -> int:
        """Delete a record with its keys and salts; returns how many keys."""
