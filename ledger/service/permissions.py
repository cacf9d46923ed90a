"""Whether something was permitted at a time, from the index's events."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from ledger.audit.point_in_time import Answer, Question, was_permitted
from ledger.domain.records import Event
from ledger.errors import InvalidInput
from ledger.ports import Chain, Index

_PAGE: Final = 500


@dataclass(frozen=True, slots=True)
class Permissions:
    """The past, asked about."""

    chain: Chain
    index: Index

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
        return was_permitted(self._events(), question, at)

    def _events(self) -> Iterator[Event]:
        cursor: str | None = None
        while True:
            page, cursor = self.index.events(after=cursor, limit=_PAGE)
            yield from page
            if cursor is None:
                return
