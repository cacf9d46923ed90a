"""
Was this permitted at a time, under which grant and which version of the law?

Pure: the events up to the time are folded, and the law of that time is applied to what they add up to. An event counts
from the second of its block on: what was withdrawn in that second is withdrawn.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ledger.audit.folds import apply
from ledger.audit.state import LedgerState
from ledger.domain.records import (
    NO_GRANT,
    ZERO32,
    Commitment,
    Event,
    GrantId,
    PassportId,
    Position,
    Request,
    Terms,
    Verdict,
)
from ledger.domain.vocabulary import Basis, Outcome
from ledger.errors import NotFound
from ledger.policy import decide

#: How good an answer is, to find the grant that answers best.
_RANK = {Outcome.PERMIT: 2, Outcome.REVIEW: 1, Outcome.DENY: 0}


@dataclass(frozen=True, slots=True)
class Question:
    """
    What is asked about the past.

    Attributes:
        passport_id: The data.
        member_id: Who would have asked for it.
        terms: What it would have asked.
        grant_id: The grant it would have named; None for the best one the passport had.
    """

    passport_id: PassportId
    member_id: int
    terms: Terms
    grant_id: GrantId | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """
    What the law would have said at a time.

    Attributes:
        at: The time, seconds since the Unix epoch.
        verdict: Outcome, version of the law, facts that held, facts missing.
        grant_id: The grant under which; `NO_GRANT` if under none.
        last: The last event that was known then; None if the ledger had none.
    """

    at: int
    verdict: Verdict
    grant_id: GrantId
    last: Position | None


def was_permitted(events: Iterable[Event], question: Question, at: int) -> Answer:
    """
    Answer a question about the past.

    Args:
        events: All events of the ledger from its first on, in the order of the chain; reading stops after *at*.
        question: What is asked.
        at: Seconds since the Unix epoch; events of this very second count.

    Raises:
        NotFound: There was no law, passport or member of that name then.
        VerificationError: An event speaks of something no earlier event brought about.
    """
    return answered(*state_at(events, at), question, at)


def answered(state: LedgerState, last: Position | None, question: Question, at: int) -> Answer:
    """
    Answer a question about a time from the state then.

    Args:
        state: All events up to *at*, folded.
        last: Where the last of them stands.
        question: What is asked.
        at: Seconds since the Unix epoch.

    Raises:
        NotFound: There was no law, passport or member of that name then.
    """
    if not state.policy_version:
        raise NotFound("there was no law yet", fix="Ask about a later time.")
    if question.passport_id not in state.passports:
        raise NotFound("there was no such passport at that time", fix="Ask about a later time.")
    if question.member_id not in state.members:
        raise NotFound(
            f"there was no member {question.member_id} at that time", fix="Ask about a later time."
        )
    answers = [(_decided(state, question, grant_id, at), grant_id) for grant_id in _grants(state, question)]
    # The best answer; among equals the grant given last.
    verdict, grant_id = max(
        reversed(answers), key=lambda item: (_RANK[item[0].outcome], -item[0].missing.bit_count())
    )
    return Answer(at, verdict, grant_id, last)


def state_at(events: Iterable[Event], at: int) -> tuple[LedgerState, Position | None]:
    """
    Fold the events up to a time, those of that second included.

    Returns:
        The state, and where the last of these events stands.

    Raises:
        VerificationError: An event speaks of something no earlier event brought about.
    """
    state, last = LedgerState(), None
    for event in events:
        if event.position.time > at:
            break
        apply(state, event)
        last = event.position
    return state, last


def _grants(state: LedgerState, question: Question) -> list[GrantId]:
    """Return the grants to try, oldest first; without consent as the basis there is none to name."""
    if question.grant_id is not None:
        return [question.grant_id]
    if question.terms.basis is not Basis.CONSENT:
        return [NO_GRANT]
    named = [grant for passport, grant in state.grants if passport == question.passport_id]
    return [NO_GRANT, *named]


def _decided(state: LedgerState, question: Question, grant_id: GrantId, at: int) -> Verdict:
    request = Request(question.passport_id, grant_id, Commitment(ZERO32), question.terms)
    return decide(request, state.situation(request, question.member_id, at))
