"""
Bringing what was accepted to the chain, exactly once.

One worker per signer. Operations queue in the journal; while a transaction is in flight the next batch collects
(group commit), so a request alone goes out at once and a crowd shares a transaction. If that is reverted, because one of
them passed the estimate and no longer held in the block, each is sent again alone: only the bad one fails. Nonce, signed
bytes, hash and operations are written in one database transaction before anything is sent; the same bytes may then be
sent any number of times. After a start, a silence or a lost chain, the journal is compared with the chain and sent again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, Final

import structlog

from ledger.chain.contract import BATCHED, DEPLOY, calldata, item_count, merged
from ledger.chain.keystore import Keystore
from ledger.chain.receipts import record_receipt
from ledger.chain.rpc import Node, RpcError, UsedNonce
from ledger.domain.records import Address
from ledger.errors import (
    ChainError,
    ConfigurationError,
    LedgerError,
    NodeUnreachable,
    NotFound,
    StoreUnavailable,
    TooLarge,
)
from ledger.ports import Call, Journal, Operation, OperationStatus, QueuedCall, Receipt, SignedTransaction

#: Most items of a batched function in one transaction.
MAX_ITEMS: Final = 100
#: Cap of one transaction, EIP-7825, and of its size.
TRANSACTION_GAS_CAP: Final = 2**24
MAX_TRANSACTION_BYTES: Final = 128 * 1024
#: Room above the estimate, in percent: what a batch costs depends a little on what came just before it.
_GAS_ROOM_PERCENT: Final = 25
_MAX_QUEUED: Final = 400
_RESEND_SECONDS: Final = 5.0
_IDLE_SECONDS: Final = 1.0
_MAX_BACKOFF_SECONDS: Final = 2.0

log = structlog.get_logger(__name__)


class Submitter:
    """The worker of one signer. The only user of that signer's nonces."""

    def __init__(
        self,
        signer: Address,
        *,
        node: Node,
        journal: Journal,
        keystore: Keystore,
        ledger: Callable[[], Address | None],
        guard: Callable[[], None],
        mined: Callable[[Receipt], None],
    ) -> None:
        """
        Prepare the worker.

        Args:
            signer: The account.
            node: Where to send.
            journal: What to send.
            keystore: Holds the signer's key.
            ledger: Returns the ledger's address; None before it is deployed.
            guard: Called before each batch; raises while the chain is not the journal's.
            mined: Called after each transaction was mined and written down.
        """
        self._signer = signer
        self._node = node
        self._journal = journal
        self._keystore = keystore
        self._ledger = ledger
        self._guard = guard
        self._mined = mined
        self.trouble: str | None = None
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"submitter-{signer[:10]}", daemon=True)

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def stop(self) -> None:
        """Stop after the step in hand."""
        self._stop.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(timeout=10)

    def wake(self) -> None:
        """Say that there is something to do."""
        self._wake.set()

    def _run(self) -> None:
        backoff = 0.1
        while not self._stop.is_set():
            self._wake.clear()
            try:
                busy = self.step()
                backoff, self.trouble = 0.1, None
            except (ChainError, StoreUnavailable, ConfigurationError) as error:
                self.trouble = error.message
                log.warning("submitter waits", signer=self._signer, code=error.kind, reason=error.message)
                self._stop.wait(backoff)
                backoff = min(backoff * 2, _MAX_BACKOFF_SECONDS)
                continue
            except Exception:
                log.exception("submitter failed; it goes on", signer=self._signer)
                self._stop.wait(_MAX_BACKOFF_SECONDS)
                continue
            if not busy:
                self._wake.wait(_IDLE_SECONDS)

    def step(self) -> bool:
        """
        Do the next thing: confirm what is in flight, else send the next batch.

        Returns:
            True if there was something to do.
        """
        self._guard()
        in_flight = self._journal.unconfirmed(self._signer)
        if in_flight:
            for transaction in in_flight:
                self._see_through(transaction)
            return True
        queued = self._journal.queued(self._signer, limit=_MAX_QUEUED)
        if not queued:
            return False
        self._sign_and_send(next_batch(queued))
        return True

    def _sign_and_send(self, batch: list[QueuedCall]) -> None:
        prepared = self._prepare(batch)
        if prepared is None:
            return
        fields, kept = prepared
        nonce = self._next_nonce()
        raw, transaction_hash = self._keystore.sign(self._signer, {**fields, "nonce": nonce})
        transaction = SignedTransaction(transaction_hash, self._signer, nonce, raw)
        self._journal.record_signed(transaction, [queued.operation_id for queued in kept])
        self._see_through(transaction)

    def _prepare(self, batch: list[QueuedCall]) -> tuple[dict[str, Any], list[QueuedCall]] | None:
        """Check a batch against the chain as it is. One bad operation must not fail its neighbours."""
        call = merged([queued.call for queued in batch])
        try:
            fields = self._fields(call)
        except (NodeUnreachable, RpcError):
            raise
        except LedgerError as error:
            if len(batch) > 1:
                return self._prepare(batch[:1])
            self._journal.fail(batch[0].operation_id, problem_of(error))
            return None
        if fields["gas"] > TRANSACTION_GAS_CAP or len(fields["data"]) > MAX_TRANSACTION_BYTES:
            if len(batch) > 1:
                return self._prepare(batch[: len(batch) // 2])
            too_large = TooLarge("this call needs more gas than one transaction may have")
            self._journal.fail(batch[0].operation_id, problem_of(too_large))
            return None
        return fields, batch

    def _fields(self, call: Call) -> dict[str, Any]:
        data = calldata(call)
        to = call.to or (None if call.function.startswith(DEPLOY) else self._ledger())
        max_fee, tip = self._node.fees()
        estimate: dict[str, Any] = {"from": self._signer, "data": "0x" + data.hex(), "value": hex(call.value)}
        if to:
            estimate["to"] = to
        gas = self._node.estimate_gas(estimate) * (100 + _GAS_ROOM_PERCENT) // 100
        fields: dict[str, Any] = {
            "type": 2,
            "chainId": self._node.chain_id(),
            "data": data,
            "value": call.value,
            "gas": gas,
            "maxFeePerGas": max_fee,
            "maxPriorityFeePerGas": tip,
        }
        if to:
            # eth-account wants the checksummed form.
            fields["to"] = bytes.fromhex(to[2:])
        return fields

    def _next_nonce(self) -> int:
        """Give out the next nonce. The journal is the only source; the chain must agree with it."""
        known = self._journal.next_nonce(self._signer)
        on_chain = self._node.nonce(self._signer)
        if known is None:
            self._journal.begin_signer(self._signer, on_chain)
            return on_chain
        if on_chain > known:
            raise ConfigurationError(
                f"account {self._signer} has sent transactions that this journal does not know",
                fix="Never use a signer's key elsewhere; the member needs a new signer (docs/operations.md).",
            )
        return known

    def _see_through(self, transaction: SignedTransaction) -> None:
        """Send until mined. Waiting is bounded; what is not mined in time is seen through at the next step."""
        self._send(transaction)
        deadline, pause = time.monotonic() + _RESEND_SECONDS, 0.002
        while not self._stop.is_set():
            receipt = self._node.receipt(transaction.transaction_hash)
            if receipt is not None:
                self._confirm(transaction, receipt)
                return
            if time.monotonic() > deadline:
                return
            self._stop.wait(pause)
            pause = min(pause * 1.5, 0.25)

    def _send(self, transaction: SignedTransaction) -> None:
        try:
            self._node.send_raw(transaction.raw)
        except UsedNonce:
            # Either this very transaction was mined and the receipt tells, or the nonce went to another one.
            if self._node.receipt(transaction.transaction_hash) is None and self._is_foreign(transaction):
                raise ConfigurationError(
                    f"nonce {transaction.nonce} of {self._signer} was used by a transaction not in the journal",
                    fix="Never use a signer's key elsewhere; the member needs a new signer (docs/operations.md).",
                ) from None

    def _is_foreign(self, transaction: SignedTransaction) -> bool:
        time.sleep(1)  # a node may know the nonce a moment before it serves the receipt
        return self._node.receipt(transaction.transaction_hash) is None

    def _confirm(self, transaction: SignedTransaction, raw: dict[str, Any]) -> None:
        self._mined(record_receipt(self._node, self._journal, transaction, raw))


def next_batch(queued: list[QueuedCall]) -> list[QueuedCall]:
    """Return the operations at the front of the queue that share a transaction: at least one, in their order."""
    first = queued[0]
    if first.alone or first.call.function not in BATCHED:
        return [first]
    batch, items = [first], item_count(first.call)
    for candidate in queued[1:]:
        if candidate.alone or candidate.call.function != first.call.function:
            break
        items += item_count(candidate.call)
        if items > MAX_ITEMS:
            break
        batch.append(candidate)
    return batch


def problem_of(error: LedgerError) -> dict[str, Any]:
    """Return an error as the journal keeps it."""
    return {"code": error.kind, "message": error.message, "fix": error.advice}


class JournalWriter:
    """Accepts writes and keeps a worker per signer. Implements `ledger.ports.Writer`."""

    def __init__(
        self,
        *,
        node: Node,
        journal: Journal,
        keystore: Keystore,
        ledger: Callable[[], Address | None],
        guard: Callable[[], None],
        mined: Callable[[Receipt], None],
    ) -> None:
        """Prepare; `start` begins to work. Arguments as for `Submitter`."""
        self._journal = journal
        self._keystore = keystore
        self._mined_callback = mined
        self._parts = {
            "node": node,
            "journal": journal,
            "keystore": keystore,
            "ledger": ledger,
            "guard": guard,
        }
        self._workers: dict[Address, Submitter] = {}
        self._lock = threading.Lock()
        self._progress = threading.Condition()
        self._running = False

    def start(self) -> None:
        """Take up what the journal has left to do."""
        self._running = True
        for signer in self._journal.signers_with_work():
            self._worker(signer)

    def stop(self) -> None:
        """Stop all workers."""
        with self._lock:
            self._running = False
            workers = list(self._workers.values())
            self._workers.clear()
        for worker in workers:
            worker.stop()

    def submit(
        self, signer: Address, call: Call, *, idempotency: tuple[str, str, str] | None = None
    ) -> Operation:
        """Write a call down; see `ledger.ports.Writer`."""
        if not self._keystore.has(signer):
            raise NotFound(f"the service holds no key for {signer}")
        calldata(call)  # what cannot be encoded is refused before it is written down
        operation = self._journal.add(signer, call, idempotency)
        if self._running:
            self._worker(signer).wake()
        return operation

    def wait(self, operation_id: str, *, timeout: float) -> Operation:
        """Wait for an operation; see `ledger.ports.Writer`."""
        deadline = time.monotonic() + timeout
        with self._progress:
            while True:
                operation = self._journal.operation(operation_id)
                if operation is None:
                    raise NotFound(f"there is no operation {operation_id}")
                left = deadline - time.monotonic()
                if operation.status in (OperationStatus.MINED, OperationStatus.FAILED) or left <= 0:
                    return operation
                self._progress.wait(min(left, 0.25))

    def operation(self, operation_id: str) -> Operation | None:
        """Return an operation."""
        return self._journal.operation(operation_id)

    def find(self, scope: str, key: str) -> tuple[Operation, str] | None:
        """Return the operation of an idempotency key, and its fingerprint."""
        return self._journal.find(scope, key)

    def is_taken(self, function: str, *, about: str) -> bool:
        """Tell whether a call of a function that names something was accepted and has not failed."""
        return self._journal.is_taken(function, about=about)

    def has_key(self, signer: Address) -> bool:
        """Tell whether the service holds the key of *signer*."""
        return self._keystore.has(signer)

    def new_key(self) -> Address:
        """Make a new key, keep it encrypted, and return its address."""
        return self._keystore.new()

    def sign_words(self, signer: Address, typed_data: dict[str, Any]) -> bytes:
        """Sign typed data with a key that the service holds."""
        if not self._keystore.has(signer):
            raise NotFound(f"the service holds no key for {signer}")
        return self._keystore.sign_words(signer, typed_data)

    def trouble(self) -> str | None:
        """Return why a signer cannot work; None if all can."""
        with self._lock:
            return next((worker.trouble for worker in self._workers.values() if worker.trouble), None)

    def _worker(self, signer: Address) -> Submitter:
        with self._lock:
            if signer not in self._workers:
                worker = Submitter(signer, mined=self._mined, **self._parts)  # type: ignore[arg-type]
                self._workers[signer] = worker
                worker.start()
            return self._workers[signer]

    def _mined(self, receipt: Receipt) -> None:
        self._mined_callback(receipt)
        with self._progress:
            self._progress.notify_all()
