"""Pages of a list leave nothing out and tell nothing twice, though it grows and shrinks between them."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.paging import page_of
from ledger.domain.records import Position
from ledger.errors import InvalidInput

PLACES = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 3)), max_size=30).map(sorted)


def at(place: tuple[int, int]) -> Position:
    return Position(place[0], b"\x01" * 32, b"\x02" * 32, place[1], 0)


@given(PLACES, st.integers(1, 7))
def test_all_pages_together_are_the_list(places, limit):
    """Items of one place are on one page."""
    told, cursor, pages = [], None, []
    while True:
        page, cursor = page_of(places, at, after=cursor, limit=limit)
        pages.append(page)
        told += page
        if cursor is None:
            break
    assert told == places
    assert all(len(page) >= limit for page in pages[:-1])
    assert not any(set(one) & set(other) for one, other in pairwise(pages))


@given(PLACES, st.integers(1, 7), st.data())
def test_what_leaves_between_two_pages_takes_nothing_along(places, limit, data):
    page, cursor = page_of(places, at, after=None, limit=limit)
    if cursor is None:
        return
    gone = data.draw(st.sampled_from(places))
    rest = [place for place in places if place != gone]
    following, _ = page_of(rest, at, after=cursor, limit=len(places))
    assert list(following) == [place for place in places[len(page) :] if place != gone]


@pytest.mark.parametrize(
    "cursor", ["", "1", "1-", "-1", "a-b", "1-2-3", "\u0661-\u0662", "1-2\n", "9" * 19 + "-1"]
)
def test_what_is_no_cursor_is_refused(cursor):
    with pytest.raises(InvalidInput, match="after must be a cursor"):
        page_of([(1, 2)], at, after=cursor, limit=1)
    with pytest.raises(InvalidInput, match="after must be a cursor"):
        page_of([], at, after=cursor, limit=1)
