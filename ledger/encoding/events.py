"""
The ledger's logs, decoded by its ABI.

Shared by the indexer and the auditor's replay: the ABI is what both must agree on. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError
from eth_utils.crypto import keccak

from ledger.domain.records import Event, Position
from ledger.errors import VerificationError

Abi = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class _EventType:
    name: str
    indexed: tuple[tuple[str, str], ...]
    plain: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class RawLog:
    """One log as a node gives it: topics and data as bytes."""

    topics: tuple[bytes, ...]
    data: bytes
    position: Position


class EventDecoder:
    """Decodes the logs of one contract."""

    def __init__(self, abi: Abi) -> None:
        """Prepare the decoder for the events of an ABI."""
        self._types = {event_topic(entry): _event_type(entry) for entry in abi if entry["type"] == "event"}

    def decode(self, log: RawLog) -> Event | None:
        """
        Decode a log.

        Returns:
            The event; its arguments by name, integers as int, `bytes32` as bytes, addresses in lower case, tuples as
            tuples. None for an event that the ABI does not know.

        Raises:
            VerificationError: The log names a known event but its bytes are not that event's.
        """
        event_type = self._types.get(log.topics[0]) if log.topics else None
        if event_type is None:
            return None
        try:
            arguments = {
                name: decode([kind], topic)[0]
                for (name, kind), topic in zip(event_type.indexed, log.topics[1:], strict=True)
            }
            values = decode([kind for _, kind in event_type.plain], log.data)
        except (DecodingError, ValueError, OverflowError) as error:
            raise VerificationError(f"a log of {event_type.name} cannot be decoded: {error}") from None
        arguments.update({name: value for (name, _), value in zip(event_type.plain, values, strict=True)})
        return Event(event_type.name, arguments, log.position)


def event_topic(entry: dict[str, Any]) -> bytes:
    """Return the first topic of an event: keccak256 of its signature."""
    kinds = ",".join(canonical_type(item) for item in entry["inputs"])
    return keccak(text=f"{entry['name']}({kinds})")


def selector(entry: dict[str, Any]) -> bytes:
    """Return the first four bytes that name a function or an error."""
    kinds = ",".join(canonical_type(item) for item in entry["inputs"])
    return keccak(text=f"{entry['name']}({kinds})")[:4]


def canonical_type(item: dict[str, Any]) -> str:
    """Return the canonical type of an ABI item, with tuples written out."""
    kind: str = item["type"]
    if not kind.startswith("tuple"):
        return kind
    inner = ",".join(canonical_type(part) for part in item["components"])
    return f"({inner}){kind.removeprefix('tuple')}"


def _event_type(entry: dict[str, Any]) -> _EventType:
    inputs = [(item["name"], canonical_type(item), item["indexed"]) for item in entry["inputs"]]
    return _EventType(
        name=entry["name"],
        indexed=tuple((name, kind) for name, kind, indexed in inputs if indexed),
        plain=tuple((name, kind) for name, kind, indexed in inputs if not indexed),
    )
