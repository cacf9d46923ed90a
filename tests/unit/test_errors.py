"""The errors: one tree, drawn in the module's docstring, with words for every leaf."""

from __future__ import annotations

import inspect
import re

import pytest

from ledger import errors
from ledger.errors import InvalidInput, LedgerError

CLASSES = [
    kind for _, kind in inspect.getmembers(errors, inspect.isclass) if kind.__module__ == errors.__name__
]


def drawn_tree() -> dict[str, str | None]:
    """Return each class of the drawing and its parent."""
    parents: dict[str, str | None] = {}
    path: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        match = re.match(r"    ([│ ├└─]*)([A-Z]\w+)", line)
        if match:
            depth = len(match[1]) // 4
            path[depth:] = [match[2]]
            parents[match[2]] = path[depth - 1] if depth else None
    return parents


def test_the_drawing_is_the_tree():
    """Every class is drawn under its parent, and nothing else is."""
    expected = {
        kind.__name__: kind.__base__.__name__ if kind is not LedgerError else None for kind in CLASSES
    }
    assert expected == drawn_tree()


@pytest.mark.parametrize("kind", CLASSES)
def test_every_error_says_what_to_do(kind):
    """A stable code of its own and a sentence of advice."""
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", kind.code)
    assert kind.fix.endswith(".")


def test_codes_are_unique():
    """No two kinds share a code."""
    codes = [kind.code for kind in CLASSES]
    assert len(codes) == len(set(codes))


def test_an_error_carries_its_own_words():
    """Message, advice, code and details can be given where the error is raised."""
    error = InvalidInput("bad", fix="Do better.", code="too-bad", field="name")
    assert (
        error.message,
        error.advice,
        error.kind,
        error.details,
    ) == ("bad", "Do better.", "too-bad", {"field": "name"})
    assert error.retryable is False


def test_an_error_falls_back_on_its_kind():
    """Without words of its own it has its kind's."""
    error = InvalidInput("bad")
    assert (InvalidInput.fix, InvalidInput.code) == (error.advice, error.kind)
