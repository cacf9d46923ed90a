"""The journal: what was accepted, signed and mined. Implements `ledger.ports.Journal`."""

from __future__ import annotations

import json
import secrets
import time
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from ledger.domain.records import Address, Event
from ledger.errors import Conflict
from ledger.ports import (
    Call,
    Deployment,
    MinedTransaction,
    Operation,
    OperationStatus,
    QueuedCall,
    Receipt,
    SignedTransaction,
    TransactionStatus,
)
from ledger.store.database import Database
from ledger.store.tables import deployment, operations, signers, transactions
from ledger.store.values import dumps, events_from_text, events_to_text, loads


class SqlJournal:
    """The journal in SQL."""

    def __init__(self, database: Database) -> None:
        """Keep the journal in a migrated database."""
        self._database = database

    def deployment(self) -> Deployment | None:
        """Return which chain and contract the journal belongs to."""
        with self._database.read() as connection:
            row = connection.execute(select(deployment)).one_or_none()
        if row is None:
            return None
        return Deployment(
            row.chain_id, row.genesis_hash, Address(row.ledger), row.block_number, row.code_hash
        )

    def record_deployment(self, found: Deployment) -> None:
        """Bind the journal to a chain and contract; once."""
        with self._database.write() as connection:
            connection.execute(
                insert(deployment).values(
                    only=1,
                    chain_id=found.chain_id,
                    genesis_hash=found.genesis_hash,
                    ledger=found.ledger,
                    block_number=found.block_number,
                    code_hash=found.code_hash,
                )
            )

    def add(self, signer: Address, call: Call, idempotency: tuple[str, str, str] | None) -> Operation:
        """
        Write an operation down.

        Raises:
            Conflict: The idempotency key stands for another request.
        """
        scope, key, fingerprint = idempotency or (None, None, None)
        operation_id = secrets.token_hex(16)
        values = {
            "operation_id": operation_id,
            "signer": signer,
            "function": call.function,
            "arguments": dumps(call.arguments),
            "receiver": call.to,
            "value": str(call.value),
            "scope": scope,
            "key": key,
            "fingerprint": fingerprint,
            "status": OperationStatus.QUEUED,
            "created_at": time.time(),
        }
        try:
            with self._database.write() as connection:
                connection.execute(insert(operations).values(values))
        except IntegrityError:
            return self._same(scope, key, fingerprint)
        found = self.operation(operation_id)
        assert found is not None  # noqa: S101 - just written
        return found

    def operation(self, operation_id: str) -> Operation | None:
        """Return an operation."""
        with self._database.read() as connection:
            row = connection.execute(
                select(operations).where(operations.c.operation_id == operation_id)
            ).one_or_none()
        return _operation(row) if row else None

    def find(self, scope: str, key: str) -> tuple[Operation, str] | None:
        """Return the operation of an idempotency key, and its fingerprint."""
        with self._database.read() as connection:
            row = connection.execute(
                select(operations).where(operations.c.scope == scope, operations.c.key == key)
            ).one_or_none()
        return (_operation(row), row.fingerprint) if row else None

    def is_taken(self, function: str, *, about: str) -> bool:
        """Tell whether a call of a function that names something was accepted and has not failed."""
        query = select(operations.c.serial).where(
            operations.c.status != OperationStatus.FAILED,
            operations.c.function == function,
            operations.c.arguments.contains(about, autoescape=True),
        )
        with self._database.read() as connection:
            return connection.execute(query.limit(1)).one_or_none() is not None

    def signers_with_work(self) -> list[Address]:
        """Return the signers that have queued operations or unconfirmed transactions."""
        queued = select(operations.c.signer).where(operations.c.status == OperationStatus.QUEUED)
        signed = select(transactions.c.signer).where(transactions.c.status == TransactionStatus.SIGNED)
        with self._database.read() as connection:
            return [Address(row.signer) for row in connection.execute(queued.union(signed))]

    def queued(self, signer: Address, *, limit: int) -> list[QueuedCall]:
        """Return queued operations, oldest first."""
        query = (
            select(operations)
            .where(operations.c.signer == signer, operations.c.status == OperationStatus.QUEUED)
            .order_by(operations.c.serial)
            .limit(limit)
        )
        with self._database.read() as connection:
            return [_queued(row) for row in connection.execute(query)]

    def next_nonce(self, signer: Address) -> int | None:
        """Return the nonce after the highest signed one, or the first; None for a signer never seen."""
        highest = (
            select(transactions.c.nonce)
            .where(transactions.c.signer == signer)
            .order_by(transactions.c.nonce.desc())
            .limit(1)
        )
        first = select(signers.c.first_nonce).where(signers.c.address == signer)
        with self._database.read() as connection:
            last: int | None = connection.execute(highest).scalar_one_or_none()
            return last + 1 if last is not None else connection.execute(first).scalar_one_or_none()

    def begin_signer(self, signer: Address, first_nonce: int) -> None:
        """Remember the nonce at which the service began to use a key."""
        with self._database.write() as connection:
            connection.execute(insert(signers).values(address=signer, first_nonce=first_nonce))

    def record_signed(self, transaction: SignedTransaction, operation_ids: list[str]) -> None:
        """Keep a signed transaction and tie operations to it, at once or not at all."""
        with self._database.write() as connection:
            connection.execute(
                insert(transactions).values(
                    transaction_hash=transaction.transaction_hash,
                    signer=transaction.signer,
                    nonce=transaction.nonce,
                    raw=transaction.raw,
                    status=TransactionStatus.SIGNED,
                    signed_at=time.time(),
                )
            )
            for item, operation_id in enumerate(operation_ids):
                changed = connection.execute(
                    update(operations)
                    .where(
                        operations.c.operation_id == operation_id,
                        operations.c.status == OperationStatus.QUEUED,
                    )
                    .values(
                        status=OperationStatus.SIGNED,
                        transaction_hash=transaction.transaction_hash,
                        item=item,
                    )
                ).rowcount
                if changed != 1:
                    raise Conflict(
                        "an operation was signed by another process", fix="Run one service per database."
                    )

    def unconfirmed(self, signer: Address) -> list[SignedTransaction]:
        """Return transactions not known to be mined, lowest nonce first."""
        query = (
            select(transactions)
            .where(transactions.c.signer == signer, transactions.c.status == TransactionStatus.SIGNED)
            .order_by(transactions.c.nonce)
        )
        with self._database.read() as connection:
            return [_signed(row) for row in connection.execute(query)]

    def operations_of(self, transaction_hash: bytes) -> list[QueuedCall]:
        """Return the operations of a transaction in the order of its items."""
        query = (
            select(operations)
            .where(operations.c.transaction_hash == transaction_hash)
            .order_by(operations.c.item)
        )
        with self._database.read() as connection:
            return [_queued(row) for row in connection.execute(query)]

    def confirm(
        self, receipt: Receipt, events: dict[str, tuple[Event, ...]], error: dict[str, Any] | None
    ) -> None:
        """
        Record that a transaction was mined, and what each of its operations did.

        If it was reverted, an operation that was alone in it has failed. Of several any may have been the bad one: they go
        back to the queue and keep the transaction's hash, by which `queued` knows that each is to be sent alone.
        """
        mined = TransactionStatus.MINED if receipt.succeeded else TransactionStatus.REVERTED
        with self._database.write() as connection:
            connection.execute(
                update(transactions)
                .where(transactions.c.transaction_hash == receipt.transaction_hash)
                .values(
                    status=mined,
                    block_number=receipt.block_number,
                    block_hash=receipt.block_hash,
                    transaction_index=receipt.transaction_index,
                    time=receipt.time,
                    gas_used=receipt.gas_used,
                )
            )
            for operation_id, answered in events.items():
                connection.execute(
                    update(operations)
                    .where(operations.c.operation_id == operation_id)
                    .values(status=OperationStatus.MINED, events=events_to_text(answered), error=None)
                )
            if error is not None:
                _take_back(connection, receipt.transaction_hash, error)

    def fail(self, operation_id: str, error: dict[str, Any]) -> None:
        """Record that the ledger refused an operation before it was signed."""
        with self._database.write() as connection:
            connection.execute(
                update(operations)
                .where(operations.c.operation_id == operation_id)
                .values(status=OperationStatus.FAILED, error=json.dumps(error))
            )

    def last_mined(self) -> MinedTransaction | None:
        """Return the transaction that stands last on the chain."""
        query = (
            select(transactions)
            .where(transactions.c.block_number.is_not(None))
            .order_by(transactions.c.block_number.desc(), transactions.c.transaction_index.desc())
            .limit(1)
        )
        with self._database.read() as connection:
            row = connection.execute(query).one_or_none()
        return _mined(row) if row else None

    def mined(self) -> list[MinedTransaction]:
        """Return the mined transactions, in the order of the chain."""
        query = (
            select(transactions)
            .where(transactions.c.block_number.is_not(None))
            .order_by(transactions.c.block_number, transactions.c.transaction_index)
        )
        with self._database.read() as connection:
            return [_mined(row) for row in connection.execute(query)]

    def _same(self, scope: str | None, key: str | None, fingerprint: str | None) -> Operation:
        known = self.find(scope, key) if scope is not None and key is not None else None
        if known is None or known[1] != fingerprint:
            raise Conflict(
                "this idempotency key stands for another request",
                code="idempotency-key-reused",
                fix="Use a new key for a new request.",
            )
        return known[0]


def _take_back(connection: Connection, transaction_hash: bytes, error: dict[str, Any]) -> None:
    """Fail the operation of a reverted transaction, or queue its operations again; what was settled since stays."""
    carried = (
        operations.c.transaction_hash == transaction_hash,
        operations.c.status.in_((OperationStatus.SIGNED, OperationStatus.MINED)),
    )
    number = connection.execute(select(func.count()).select_from(operations).where(*carried)).scalar_one()
    outcome = (
        {"status": OperationStatus.QUEUED, "events": None}
        if number > 1
        else {"status": OperationStatus.FAILED, "error": json.dumps(error)}
    )
    connection.execute(update(operations).where(*carried).values(outcome))


def _queued(row: Row[Any]) -> QueuedCall:
    call = Call(row.function, tuple(loads(row.arguments)), to=row.receiver, value=int(row.value))
    alone = row.status == OperationStatus.QUEUED and row.transaction_hash is not None
    return QueuedCall(row.operation_id, call, alone=alone)


def _signed(row: Row[Any]) -> SignedTransaction:
    return SignedTransaction(row.transaction_hash, Address(row.signer), row.nonce, row.raw)


def _mined(row: Row[Any]) -> MinedTransaction:
    return MinedTransaction(_signed(row), row.block_number, row.block_hash, row.transaction_index, row.time)


def _operation(row: Row[Any]) -> Operation:
    return Operation(
        operation_id=row.operation_id,
        function=row.function,
        signer=Address(row.signer),
        status=OperationStatus(row.status),
        created_at=row.created_at,
        transaction_hash=row.transaction_hash,
        events=events_from_text(row.events),
        error=json.loads(row.error) if row.error else None,
        scope=row.scope,
    )
