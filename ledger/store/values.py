"""Values as the database keeps them: JSON with bytes, positions, events; and decisions as their events say them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Self

from sqlalchemy import Row

from ledger.domain.records import Event, Position, Terms, Verdict
from ledger.encoding.words import unpack_terms, unpack_verdict


@dataclass(frozen=True, slots=True)
class Decided:
    """The event of a decision, and what its words say."""

    event: Event
    terms: Terms
    verdict: Verdict

    @classmethod
    def of(cls, event: Event) -> Self:
        """Read the event of a decision."""
        return cls(event, unpack_terms(event.arguments["terms"]), unpack_verdict(event.arguments["verdict"]))


def dumps(value: Any) -> str:
    """Write a value as JSON; bytes become `{"$bytes": hexadecimal}`, tuples become lists."""
    return json.dumps(value, default=_encode, separators=(",", ":"))


def loads(text: str) -> Any:
    """Read what `dumps` wrote."""
    return json.loads(text, object_hook=_decode)


def position_columns(position: Position) -> dict[str, Any]:
    """Return a position as columns."""
    return {
        "block_number": position.block_number,
        "block_hash": position.block_hash,
        "transaction_hash": position.transaction_hash,
        "log_index": position.log_index,
        "time": position.time,
    }


def position_of(row: Row[Any]) -> Position:
    """Read the position of a row."""
    return Position(row.block_number, row.block_hash, row.transaction_hash, row.log_index, row.time)


def events_to_text(events: tuple[Event, ...]) -> str:
    """Write events as JSON."""
    return dumps([{"name": e.name, "arguments": e.arguments, **position_columns(e.position)} for e in events])


def events_from_text(text: str | None) -> tuple[Event, ...]:
    """Read what `events_to_text` wrote."""
    return tuple(_event(entry) for entry in loads(text)) if text else ()


def _event(entry: dict[str, Any]) -> Event:
    name, arguments = entry.pop("name"), entry.pop("arguments")
    return Event(name, arguments, Position(**entry))


def _encode(value: Any) -> Any:
    if isinstance(value, bytes):
        return {"$bytes": value.hex()}
    raise TypeError(f"{type(value).__name__} has no place in the database")


def _decode(value: dict[str, Any]) -> Any:
    return bytes.fromhex(value["$bytes"]) if value.keys() == {"$bytes"} else value
