"""Operations: writes and how far they have come."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from api.schemas.base import ID2_EXAMPLE, Model, utc
from api.schemas.chain import EventOut, event_out
from ledger.encoding.hexadecimal import to_hex
from ledger.ports import Operation as WriteOperation
from ledger.ports import OperationStatus


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
    act_id: int | None = Field(
        default=None, description="The act of the committee that it proposed or approved, and did not do."
    )
    advice: str | None = Field(
        default=None,
        description="What to do next; null if it is mined and nothing waits, or if `error` says what to do.",
        examples=["It is written down and happens once. Ask GET /v1/operations/5f8d… how far it has come."],
    )


def operation_out(
    operation: WriteOperation, *, act_id: int | None = None, advice: str | None = None
) -> OperationOut:
    """Write an operation, with the act that waits after it, and what to do about that."""
    if operation.status in (OperationStatus.QUEUED, OperationStatus.SIGNED):
        advice = (
            "It is written down and happens once. Ask how far it has come: "
            f"GET /v1/operations/{operation.operation_id}, or send the same request with the same Idempotency-Key again."
        )
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
        act_id=act_id,
        advice=advice,
    )
