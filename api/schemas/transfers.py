"""Transfers: copies shipped and received."""

from __future__ import annotations

from pydantic import ConfigDict, Field

from api.schemas.base import ID2_EXAMPLE, ID_EXAMPLE, Model
from api.schemas.chain import PositionOut, position_out
from api.schemas.words import Hex32, Seq
from ledger.encoding.hexadecimal import to_hex
from ledger.ports import TransferRecord


class ShipmentIn(Model):
    """A record to be shipped under a permit to transfer."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"passportId": ID_EXAMPLE, "decision": 1}]})

    passport_id: Hex32
    decision: Seq


class ReceiptIn(Model):
    """What the recipient computed over what it decrypted."""

    content: Hex32


class TransferOut(Model):
    """A copy on its way from one member to another, as both recorded it."""

    transfer_id: str = Field(examples=[ID2_EXAMPLE])
    passport_id: str = Field(examples=[ID_EXAMPLE])
    sender: int = Field(examples=[2])
    recipient: int = Field(examples=[3])
    decision: int = Field(examples=[1])
    status: str = Field(examples=["RECEIVED"])
    content: str = Field(examples=[ID_EXAMPLE])
    received_content: str | None = Field(examples=[ID_EXAMPLE])
    shipped: PositionOut
    received: PositionOut | None


class TransferList(Model):
    """Transfers, newest first."""

    items: list[TransferOut]
    next: str | None = None


def transfer_out(record: TransferRecord) -> TransferOut:
    """Write a transfer."""
    transfer = record.transfer
    return TransferOut(
        transfer_id=to_hex(transfer.transfer_id),
        passport_id=to_hex(transfer.passport_id),
        sender=transfer.sender,
        recipient=transfer.recipient,
        decision=transfer.seq,
        status=transfer.status.name,
        content=to_hex(transfer.content),
        received_content=to_hex(transfer.received_content) if transfer.received_content else None,
        shipped=position_out(record.shipped),
        received=position_out(record.received) if record.received else None,
    )
