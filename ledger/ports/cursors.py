"""Cursors: where a page of a list ended, as the next page is asked for."""

from __future__ import annotations

import re
from typing import Final

from ledger.errors import InvalidInput

_NUMBER: Final = re.compile(r"[0-9]{1,18}")
_PLACE: Final = re.compile(r"([0-9]{1,18})-([0-9]{1,18})")
_NUMBERED: Final = re.compile(r"([0-9]{1,18})-0x([0-9a-f]{64})")


def number_of(cursor: str) -> int:
    """
    Read a cursor that is a number.

    Raises:
        InvalidInput: It is none.
    """
    return int(_matched(_NUMBER, cursor)[0])


def place_of(cursor: str) -> tuple[int, int]:
    """
    Read a cursor that is a place on the chain: a block, and a log's number in it; see `Position.order`.

    Raises:
        InvalidInput: It is none.
    """
    found = _matched(_PLACE, cursor)
    return int(found[1]), int(found[2])


def numbered_of(cursor: str) -> tuple[int, bytes]:
    """
    Read a cursor that is a number and, among what has the same one, a name of 32 bytes.

    Raises:
        InvalidInput: It is none.
    """
    found = _matched(_NUMBERED, cursor)
    return int(found[1]), bytes.fromhex(found[2])


def cursor_at(block_number: int, log_index: int) -> str:
    """Write a place on the chain as a cursor."""
    return f"{block_number}-{log_index}"


def _matched(pattern: re.Pattern[str], cursor: str) -> re.Match[str]:
    found = pattern.fullmatch(cursor)
    if found is None:
        raise InvalidInput("after must be a cursor that an earlier page gave", field="after")
    return found
