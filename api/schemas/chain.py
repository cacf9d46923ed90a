"""The chain: the ledger on it, positions and events."""

from __future__ import annotations

from typing import Any, Final

from pydantic import Field

from api.schemas.base import ADDRESS_EXAMPLE, ID2_EXAMPLE, ID_EXAMPLE, Model, utc
from ledger.domain.records import Event, Position
from ledger.encoding.hexadecimal import to_hex

_MAX_SAFE_INTEGER: Final = 2**53 - 1


class PositionOut(Model):
    """Where on the chain something stands, and when it was recorded."""

    block: int = Field(examples=[42])
    block_hash: str = Field(examples=[ID_EXAMPLE])
    transaction: str = Field(examples=[ID2_EXAMPLE])
    log_index: int = Field(examples=[0])
    time: str = Field(examples=["2026-12-01T08:00:00Z"])


class LedgerOut(Model):
    """Which ledger this service stands on, and how far it has read."""

    chain_id: int = Field(examples=[31337])
    ledger: str = Field(examples=[ADDRESS_EXAMPLE])
    deployed_block: int = Field(examples=[1])
    policy_version: int | None = Field(examples=[1])
    indexed_block: int = Field(examples=[42])
    chain_head: int = Field(examples=[42])
    rpc_url: str = Field(examples=["http://127.0.0.1:8545"])


class EventOut(Model):
    """One log of the ledger, decoded."""

    name: str = Field(examples=["PassportIssued"])
    arguments: dict[str, Any]
    position: PositionOut


def position_out(position: Position) -> PositionOut:
    """Write a position."""
    return PositionOut(
        block=position.block_number,
        block_hash=to_hex(position.block_hash),
        transaction=to_hex(position.transaction_hash),
        log_index=position.log_index,
        time=utc(position.time),
    )


def event_out(event: Event) -> EventOut:
    """Write an event."""
    arguments = {name: _json_value(value) for name, value in event.arguments.items()}
    return EventOut(name=event.name, arguments=arguments, position=position_out(event.position))


def _json_value(value: Any) -> Any:
    """Write an ABI value as JSON: bytes as hexadecimal, integers beyond 2^53 as decimal strings."""
    if isinstance(value, bytes):
        return to_hex(value)
    if isinstance(value, bool) or not isinstance(value, int):
        return [_json_value(item) for item in value] if isinstance(value, list | tuple) else value
    return value if abs(value) <= _MAX_SAFE_INTEGER else str(value)
