"""Who used my data: the access log of a passport, in plain words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from ledger.domain.records import NO_GRANT, GrantId, PassportId, Position
from ledger.domain.vocabulary import (
    MISSING_LABELS,
    Basis,
    Fact,
    GrantStatus,
    Outcome,
)
from ledger.domain.wording import OUTCOME_WORDS, asked_in_words, told_of
from ledger.encoding.hexadecimal import to_hex
from ledger.errors import NotFound
from ledger.ports import DecisionRecord, GrantRecord, Index, ReviewRecord
from ledger.service.emergencies import Emergencies, Seal, veiled_sentence


@dataclass(frozen=True, slots=True)
class AccessEntry:
    """
    One line of an access log.

    Attributes:
        sentence: Who asked to do what with which data, for what, when; in plain words.
        answer: `permitted`, `refused` or `waits for a human review`.
        reasons: Why it was refused, each a clause in plain words; empty for a permit.
        released: Where the hand-over of the keys was recorded, if it was.
        review: What a human answered, in plain words; the empty string if nobody was asked or has answered.
        seal: What keeps the subject from being told more; then nothing but sentence and answer may be told.
    """

    record: DecisionRecord
    member: str
    sentence: str
    answer: str
    reasons: tuple[str, ...]
    consent: GrantRecord | None
    released: Position | None
    review: str = ""
    seal: Seal | None = None


_ENDINGS = {
    GrantStatus.WITHDRAWN: "was withdrawn",
    GrantStatus.SUPERSEDED: "had been replaced by a newer one",
    GrantStatus.REFUSED: "was refused",
    GrantStatus.REPUDIATED: "was declared never given",
}
#: The answer that the subject of a sealed decision is told.
SEALED_ANSWER = "sealed"


@dataclass(frozen=True, slots=True)
class _Known:
    """What telling decisions takes besides themselves: names of members, grants, and where data was handed over."""

    names: Mapping[int, str]
    grants: Mapping[tuple[PassportId, GrantId], GrantRecord]
    released: Mapping[tuple[PassportId, int], Position]


@dataclass(frozen=True, slots=True)
class AccessLog:
    """Decisions told to people."""

    index: Index
    emergencies: Emergencies

    def of_passport(
        self,
        passport_id: PassportId,
        *,
        after: str | None = None,
        limit: int = 100,
        to_holder_at: int | None = None,
    ) -> tuple[list[AccessEntry], str | None]:
        """
        Return who asked for a passport's data, newest first, and the cursor of the next page.

        Args:
            passport_id: The data.
            after: Where the last page ended.
            limit: Most entries of a page.
            to_holder_at: When the subject reads it, seconds since the Unix epoch; None for other readers. What is
                sealed then is told to the subject as sealed.
        """
        records, cursor = self.index.decisions(passport_id=passport_id, after=after, limit=limit)
        return self.told(records, to_holder_at=to_holder_at), cursor

    def of_member(
        self, member_id: int, *, after: str | None = None, limit: int = 100
    ) -> tuple[list[AccessEntry], str | None]:
        """Return what a member asked for, newest first, and the cursor of the next page."""
        records, cursor = self.index.decisions(member_id=member_id, after=after, limit=limit)
        return self.told(records), cursor

    def named(self, names: Sequence[tuple[PassportId, int]]) -> list[AccessEntry]:
        """
        Return decisions by passport and number, in this order, without what became of them.

        Raises:
            NotFound: There is no such decision.
        """
        found = self.index.decisions_named(names)
        for passport_id, seq in names:
            if (passport_id, seq) not in found:
                raise NotFound(f"passport {to_hex(passport_id)} has no decision {seq}")
        return self._tell([found[name] for name in names])

    def entry(self, record: DecisionRecord) -> AccessEntry:
        """Tell one decision, without what became of it."""
        return self._tell([record])[0]

    def told(
        self, records: Sequence[DecisionRecord], *, to_holder_at: int | None = None
    ) -> list[AccessEntry]:
        """Tell decisions, and whether data was handed over; to their subject at a time, if `to_holder_at` gives one."""
        names = [(record.passport_id, record.verdict.seq) for record in records]
        return self._tell(records, self.index.releases_named(names), to_holder_at)

    def _tell(
        self,
        records: Sequence[DecisionRecord],
        released: Mapping[tuple[PassportId, int], Position] | None = None,
        to_holder_at: int | None = None,
    ) -> list[AccessEntry]:
        """Tell decisions; what several of them name is looked up once."""
        members = {number for record in records for number in (record.member_id, record.terms.controller_id)}
        known = _Known(
            names={number: self._name(number) for number in members if number},
            grants=self.index.grants_named(
                {(record.passport_id, record.grant_id) for record in records if record.grant_id != NO_GRANT}
            ),
            released=released or {},
        )
        return [self._entry(record, known, to_holder_at) for record in records]

    def _entry(self, record: DecisionRecord, known: _Known, to_holder_at: int | None) -> AccessEntry:
        verdict, terms = record.verdict, record.terms
        name = known.names[record.member_id]
        seal = self.emergencies.seal_of(record, to_holder_at) if to_holder_at is not None else None
        if seal is not None:
            return AccessEntry(
                record, name, veiled_sentence(name, seal), SEALED_ANSWER, (), None, None, seal=seal
            )
        consent = known.grants.get((record.passport_id, record.grant_id))
        controller = known.names[terms.controller_id] if terms.controller_id else None
        sentence = asked_in_words(terms, name, controller=controller)
        told = told_of(verdict.missing, terms, consent=consent is not None)
        reasons = tuple(self._reason(fact, record, consent) for fact in told)
        review = self.index.review(record.passport_id, verdict.seq) if _was_asked_of(record) else None
        return AccessEntry(
            record,
            name,
            sentence,
            OUTCOME_WORDS[verdict.outcome],
            reasons,
            consent,
            known.released.get((record.passport_id, verdict.seq)),
            review=self._told_review(review),
        )

    def _name(self, member_id: int) -> str:
        member = self.index.member(member_id)
        return member.name if member else f"member {member_id}"

    def _told_review(self, review: ReviewRecord | None) -> str:
        if review is None or not review.reviewer:
            return ""
        answered = f"{self._name(review.reviewer)} reviewed it on {_time(review.reviewed_at)} and"
        if not review.approved_until:
            return f"{answered} did not approve it"
        return f"{answered} approved it: asked again word for word, it holds until {_time(review.approved_until)}"

    @staticmethod
    def _reason(fact: Fact, record: DecisionRecord, consent: GrantRecord | None) -> str:
        if fact is Fact.GRANT_LIVE and record.terms.basis is Basis.CONSENT:
            return _why_not_live(record, consent)
        if fact is Fact.GRANT_RECIPIENT and _changed_hands(record, consent):
            return "the institution had changed hands since the consent was given, and it was not confirmed"
        return MISSING_LABELS[fact]


def _was_asked_of(record: DecisionRecord) -> bool:
    """Tell whether a human was asked."""
    return record.verdict.outcome is Outcome.REVIEW


def _changed_hands(record: DecisionRecord, consent: GrantRecord | None) -> bool:
    """Tell whether a consent names the member in whose right was asked: then only control of it can differ."""
    principal = record.terms.controller_id or record.member_id
    return consent is not None and consent.state.recipient == principal


def _why_not_live(record: DecisionRecord, consent: GrantRecord | None) -> str:
    at = record.position.time
    if consent is None:
        return (
            "there was no consent for it"
            if record.grant_id == NO_GRANT
            else "the consent it named does not exist"
        )
    state = consent.state
    if at < consent.position.time:
        return "the consent it named did not exist yet"
    if consent.ended_at and consent.ended_at <= at:
        return f"the consent {_ENDINGS.get(state.status, 'ended')} on {_time(consent.ended_at)}"
    if state.status is GrantStatus.REQUESTED:
        return "the consent it named was asked for, and not given"
    if at >= state.use_to:
        return f"the consent had expired on {_time(state.use_to)}"
    return f"the consent begins only on {_time(state.use_from)}"


def _time(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
