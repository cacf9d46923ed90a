"""
The ledger's logs, decoded by its ABI.

Shared by the indexer and the auditor's replay: the ABI is what both must agree on. Pure.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from eth_abi.exceptions import DecodingError
from eth_utils.crypto import keccak

from ledger.domain.records import Event, Position
from ledger.encoding.abi import UNREADABLE, decode
from ledger.errors import VerificationError

Abi = list[dict[str, Any]]

_WORD: Final = 32
_ADDRESS_PADDING: Final = bytes(12)

_DYNAMIC: Final = ("bytes", "string")

#: Reads one value from bytes at an offset; raises `_Odd` if eth-abi has to look at it.
_Read = Callable[[bytes, int], Any]


class _Odd(Exception):
    """A word that no contract writes: eth-abi says whether it can be read."""


@dataclass(frozen=True, slots=True)
class _EventType:
    name: str
    indexed: tuple[tuple[str, str], ...]
    plain: tuple[tuple[str, str], ...]
    topics: tuple[_Read, ...] | None
    words: tuple[tuple[str, int, _Read], ...]
    size: int
    fixed: bool


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
            tuples, strings with U+FFFD for what is no UTF-8. None for an event that the ABI does not know.

        Raises:
            VerificationError: The log names a known event but its bytes are not that event's.
        """
        event_type = self._types.get(log.topics[0]) if log.topics else None
        if event_type is None:
            return None
        try:
            arguments = _fast(event_type, log)
        except _Odd:
            arguments = _by_abi(event_type, log)
        return Event(event_type.name, arguments, log.position)


def _fast(event_type: _EventType, log: RawLog) -> dict[str, Any]:
    """Read the words of an event whose values have a fixed place, or are bytes that such a word points to."""
    topics, data = log.topics, log.data
    if event_type.topics is None or len(topics) != len(event_type.topics) + 1:
        raise _Odd
    if len(data) < event_type.size or (event_type.fixed and len(data) != event_type.size):
        raise _Odd
    arguments = {}
    for (name, _), topic, read in zip(event_type.indexed, topics[1:], event_type.topics, strict=True):
        if len(topic) != _WORD:
            raise _Odd
        arguments[name] = read(topic, 0)
    for name, offset, read in event_type.words:
        arguments[name] = read(data, offset)
    return arguments


def _by_abi(event_type: _EventType, log: RawLog) -> dict[str, Any]:
    try:
        arguments = {
            name: decode([kind], topic)[0]
            for (name, kind), topic in zip(event_type.indexed, log.topics[1:], strict=True)
        }
        values = decode([kind for _, kind in event_type.plain], log.data)
    except (DecodingError, ValueError, OverflowError) as error:
        raise VerificationError(f"a log of {event_type.name} cannot be decoded: {error}") from None
    arguments.update({name: value for (name, _), value in zip(event_type.plain, values, strict=True)})
    return arguments


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
    inputs = [(item, item["name"], canonical_type(item)) for item in entry["inputs"]]
    topics: list[_Read] = []
    words: list[tuple[str, int, _Read]] = []
    offset, readable = 0, True
    for item, name, _ in inputs:
        reader = _reader(item)
        if reader is None and item["type"] in _DYNAMIC and not item["indexed"]:
            reader = _WORD, _read_text if item["type"] == "string" else _read_bytes
        if reader is None:
            readable = False
        elif item["indexed"]:
            topics.append(reader[1])
        else:
            words.append((name, offset, reader[1]))
            offset += reader[0]
    return _EventType(
        name=entry["name"],
        indexed=tuple((name, kind) for item, name, kind in inputs if item["indexed"]),
        plain=tuple((name, kind) for item, name, kind in inputs if not item["indexed"]),
        topics=tuple(topics) if readable else None,
        words=tuple(
            (name, place, partial(read, head=offset) if read in (_read_bytes, _read_text) else read)
            for name, place, read in words
        ),
        size=offset,
        fixed=not any(item["type"] in _DYNAMIC for item, *_ in inputs),
    )


def _reader(item: dict[str, Any]) -> tuple[int, _Read] | None:
    """Return how many bytes a type takes and what reads it; None if it has dynamic parts."""
    kind: str = item["type"]
    if kind.endswith("]"):
        inner, _, count = kind[:-1].rpartition("[")
        part = _reader({**item, "type": inner})
        return _tuple_reader([part] * int(count)) if part is not None and count else None
    if kind == "tuple":
        return _tuple_reader([_reader(part) for part in item["components"]])
    if kind.startswith("uint"):
        return _WORD, _uint_reader(int(kind.removeprefix("uint")))
    return {
        "bytes32": (_WORD, _read_word),
        "address": (_WORD, _read_address),
        "bool": (_WORD, _read_bool),
    }.get(kind)


def _tuple_reader(parts: list[tuple[int, _Read] | None]) -> tuple[int, _Read] | None:
    places, offset = [], 0
    for part in parts:
        if part is None:
            return None
        size, read = part
        places.append((offset, read))
        offset += size
    return offset, lambda data, start: tuple(read(data, start + place) for place, read in places)


def _uint_reader(bits: int) -> _Read:
    def read(data: bytes, start: int) -> int:
        value = int.from_bytes(data[start : start + _WORD], "big")
        if value >> bits:
            raise _Odd
        return value

    return read


def _read_word(data: bytes, start: int) -> bytes:
    return data[start : start + _WORD]


def _read_address(data: bytes, start: int) -> str:
    if data[start : start + 12] != _ADDRESS_PADDING:
        raise _Odd
    return "0x" + data[start + 12 : start + _WORD].hex()


def _read_bool(data: bytes, start: int) -> bool:
    value = int.from_bytes(data[start : start + _WORD], "big")
    if value > 1:
        raise _Odd
    return value == 1


def _read_bytes(data: bytes, start: int, *, head: int = 0) -> bytes:
    """Read what a word points to; it lies after the head."""
    place = int.from_bytes(data[start : start + _WORD], "big")
    begins = place + _WORD
    if place < head or begins > len(data):
        raise _Odd
    size = int.from_bytes(data[place:begins], "big")
    ends = begins + -(-size // _WORD) * _WORD
    if ends > len(data) or any(data[begins + size : ends]):
        raise _Odd
    return data[begins : begins + size]


def _read_text(data: bytes, start: int, *, head: int = 0) -> str:
    return _read_bytes(data, start, head=head).decode(errors=UNREADABLE)
