"""Pages of lists that are made anew for each question: a cursor is where an item came to the ledger."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from ledger.domain.records import Position
from ledger.errors import InvalidInput

_CURSOR: Final = re.compile(r"\A([0-9]{1,18})-([0-9]{1,9})\Z")

Item = TypeVar("Item")


def page_of(
    items: Sequence[Item], position: Callable[[Item], Position], *, after: str | None, limit: int
) -> tuple[Sequence[Item], str | None]:
    """
    Return a page of items that are sorted by where they came to the ledger, oldest first, and the next page's cursor.

    Args:
        items: All of them.
        position: Where one came to the ledger. Items of one place are never parted: a page may be longer by these.
        after: The cursor of the page before.
        limit: Most items on the page.

    Raises:
        InvalidInput: *after* is no cursor.
    """
    places = [position(item).order for item in items]
    last = _read(after) if after is not None else None
    start = sum(place <= last for place in places) if last is not None else 0
    end = start + limit
    while start < end < len(items) and places[end] == places[end - 1]:
        end += 1
    following = "{}-{}".format(*places[end - 1]) if end < len(items) else None
    return items[start:end], following


def _read(cursor: str) -> tuple[int, int]:
    found = _CURSOR.match(cursor)
    if found is None:
        raise InvalidInput("after must be a cursor that an earlier page gave", field="after")
    return int(found[1]), int(found[2])
