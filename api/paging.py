"""Pages of lists that are made anew for each question: a cursor is where an item came to the ledger."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from ledger.domain.records import Position
from ledger.ports.cursors import cursor_at, place_of

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
    last = place_of(after) if after is not None else None
    start = sum(place <= last for place in places) if last is not None else 0
    end = start + limit
    while start < end < len(items) and places[end] == places[end - 1]:
        end += 1
    following = cursor_at(*places[end - 1]) if end < len(items) else None
    return items[start:end], following
