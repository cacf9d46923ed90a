"""The way to the chain: calls written down, signed, sent and mined exactly once."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from ledger.domain.records import Address, Event


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
        function: Name of the contract function; the empty string sends only value, `deploy NAME` creates one of the
            ledger's contracts.
        arguments: Its arguments, as JSON values: integers, booleans, strings and `0x` hexadecimal; where the function
            takes a call of the ledger as bytes, an object with `function` and `arguments`. For `issue`,
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
        scope: Who asked for it, as idempotency keys are kept; None if nobody did by a request.
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
    scope: str | None = None


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

    def is_taken(self, function: str, *, about: str) -> bool:
        """Tell whether a call of a function that names something was accepted and has not failed."""

    def has_key(self, signer: Address) -> bool:
        """Tell whether the service holds the key of *signer*."""

    def new_key(self) -> Address:
        """Make a new key, keep it encrypted, and return its address."""

    def sign_words(self, signer: Address, typed_data: dict[str, Any]) -> bytes:
        """
        Sign typed data (EIP-712) with a key that the service holds.

        Raises:
            NotFound: The service holds no key for *signer*.
        """


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
    """An operation that waits for its transaction; *alone* if it was in one with others that was reverted."""

    operation_id: str
    call: Call
    alone: bool = False


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

    def is_taken(self, function: str, *, about: str) -> bool:
        """Tell whether a call of a function that names something was accepted and has not failed."""

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
        """
        Record that a transaction was mined, and what each operation did.

        With *error* it was reverted: the operation that was alone in it has failed, several are queued again, each to be
        sent alone.
        """

    def fail(self, operation_id: str, error: dict[str, Any]) -> None:
        """Record that the ledger refused an operation before it was signed."""

    def last_mined(self) -> MinedTransaction | None: ...

    def mined(self) -> list[MinedTransaction]:
        """Return the mined transactions, in the order of the chain."""


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
