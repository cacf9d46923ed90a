"""Whether something was permitted at a time, from the index's events."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Final

from ledger.audit.folds import apply
from ledger.audit.point_in_time import Answer, Question, answered
from ledger.audit.state import LedgerState
from ledger.domain.records import Position
from ledger.errors import InvalidInput
from ledger.ports import Chain, Index

_PAGE: Final = 500


@dataclass(slots=True)
class _Folded:
    """What the events up to some time add up to, and where the last of them stands."""

    state: LedgerState = field(default_factory=LedgerState)
    last: Position | None = None

    def take(self, index: Index, at: int) -> bool:
        """Fold the events that follow, up to a time; False if the chain has taken another branch since."""
        while True:
            page = index.events_since(self.last, limit=_PAGE)
            if page is None:
                return False
            for event in page:
                if event.position.time > at:
                    return True
                apply(self.state, event)
                self.last = event.position
            if len(page) < _PAGE:
                return True


class _Newest:
    """The newest state that was asked about: a question about now takes up what is new, not the whole past."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._folded: _Folded | None = None

    def answer(self, index: Index, question: Question, at: int) -> Answer:
        """Answer from it; a question about an earlier time folds all events up to then, and leaves it."""
        with self._lock:
            last = self._folded.last if self._folded else None
            if last is None or at >= last.time:
                # What fails half-way is not kept.
                folded, self._folded = self._folded or _Folded(), None
                while not folded.take(index, at):
                    folded = _Folded()
                self._folded = folded
                return answered(folded.state, folded.last, question, at)
        past = _Folded()
        while not past.take(index, at):
            past = _Folded()
        return answered(past.state, past.last, question, at)


@dataclass(frozen=True, slots=True)
class Permissions:
    """The past, asked about."""

    chain: Chain
    index: Index
    newest: _Newest = field(default_factory=_Newest, repr=False, compare=False)

    def at(self, question: Question, at: int) -> Answer:
        """
        Tell whether something was permitted at a time, under which grant and which version of the law.

        Args:
            question: What is asked.
            at: Seconds since the Unix epoch; events of this very second count.

        Raises:
            NotFound: There was no such passport or member then.
            InvalidInput: The time has not come: nobody knows what will be withdrawn until then.
        """
        if at > self.chain.now():
            raise InvalidInput(
                "the time has not come yet", field="at", fix="Ask about the past or about now."
            )
        if not question.terms.categories:
            raise InvalidInput("categories must name at least one category", field="categories")
        return self.newest.answer(self.index, question, at)
