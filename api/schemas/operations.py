"""Operations: writes and how far they have come."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from api.schemas.base import ID2_EXAMPLE, Model, utc
from api.schemas.chain import EventOut, event_out
from ledger.encoding.hexadecimal import to_hex
from ledger.ports import Operation as WriteOperation


class OperationError(Model):
    """Why an operation failed."""

    code: str = Field(examples=["conflict"])
    message: str
    fix: str | None = None


class OperationOut(Model):
    """A write and how far it has come."""

    operation_id: str = Field(examples=["5f8d0c2b7a914e63b1d4f0a2c6e89357"])
    function: str = Field(examples=["issue"])
    status: Literal["queued", "signed", "mined", "failed"]
    created_at: str = Field(examples=["2026-12-01T08:00:00Z"])
    transaction: str | None = Field(examples=[ID2_EXAMPLE])
    events: list[EventOut]
    error: OperationError | None = None


def operation_out(operation: WriteOperation) -> OperationOut:
    """Write an operation."""
    error = operation.error
    return OperationOut(
        operation_id=operation.operation_id,
        function=operation.function,
        status=operation.status.value,
        created_at=utc(operation.created_at),
        transaction=to_hex(operation.transaction_hash) if operation.transaction_hash else None,
        events=[event_out(event) for event in operation.events],
        error=OperationError(
            code=str(error.get("code", "")), message=str(error.get("message", "")), fix=error.get("fix")
        )
        if error
        else None,
    )
