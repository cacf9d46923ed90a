"""
Emergencies: one member breaks the glass for one passport, or the committee declares one for everybody.

Each is minimal, ends by itself, is on record, and is told to people in words. The patient is told at once; while an
emergency is sealed, only that there was an access, by whom, why it is sealed and until when. It opens by itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from ledger.domain.records import Member, PassportId
from ledger.domain.vocabulary import (
    CATEGORY_LABELS,
    EMERGENCY_REASON_LABELS,
    PURPOSE_LABELS,
    Basis,
    Category,
    EmergencyFinding,
    EmergencyKind,
    EmergencyReason,
    PassportStatus,
    Purpose,
    Role,
    names,
    purpose_set,
    purposes_of,
)
from ledger.domain.wording import time_in_words
from ledger.encoding.hexadecimal import to_hex
from ledger.errors import Conflict, InvalidInput, NotFound, NotPermitted
from ledger.policy import member_is_active, reviews_are_current
from ledger.ports import (
    NO_OWNER,
    Call,
    Chain,
    DecisionRecord,
    EmergencyRecord,
    Index,
    Operation,
    Vault,
    Writer,
)
from ledger.service.authority import require_active, require_member, require_passport, require_role, signer_of
from ledger.service.committee import Committee
from ledger.service.statements import keep, recall, require_words, words_of

#: How long the emergencies of a member count against its quota, in seconds; the ledger's number.
QUOTA_SECONDS: Final = 30 * 86_400
#: Who reviews an emergency.
REVIEWERS: Final = Role.ETHICS | Role.REGULATOR
_EMERGENCY_BASES: Final = frozenset({Basis.INDIVIDUAL_EMERGENCY, Basis.PUBLIC_EMERGENCY})
_MAX_TIME: Final = 2**32 - 1
_ELSEWHERE: Final = "for reasons that another service keeps"


@dataclass(frozen=True, slots=True)
class Declaration:
    """
    What the committee declares.

    Attributes:
        purposes: What the emergency serves; at least one.
        categories: What it may touch; at least one.
        valid_from: Seconds since the Unix epoch, inclusive.
        until: Exclusive.
        max_records: How many permits it is good for.
        jurisdiction: That of the custodians it applies to, ISO 3166-1 numeric; 0 for everywhere.
        document: The declaration in words; stays in the vault, the chain holds a commitment.
    """

    purposes: list[Purpose]
    categories: Category
    valid_from: int
    until: int
    max_records: int
    jurisdiction: int
    document: str


@dataclass(frozen=True, slots=True)
class Seal:
    """What keeps a subject from being told more, until when (exclusive), and why in words."""

    emergency_id: int
    until: int
    because: str


@dataclass(frozen=True, slots=True)
class EmergencyEntry:
    """
    An emergency as somebody is told it.

    Attributes:
        member: Who opened it; the empty string for a public one.
        sentence: All of it in plain words, or what may be told while it is sealed.
        statement: The reasons or the declaration in words, if this service keeps them.
        opinion: The reviewer's opinion in words, if there is one and this service keeps it.
        in_force: Whether it is in force.
        overdue: Whether its review was due and is missing.
        sealed: What its subject is told of the seal; None once it has opened.
        veiled: Whether the reader is the subject, and the seal holds: nothing but the sentence may be told.
    """

    record: EmergencyRecord
    member: str
    reviewer: str
    sentence: str
    statement: str | None
    opinion: str | None
    in_force: bool
    overdue: bool
    sealed: Seal | None
    veiled: bool


@dataclass(frozen=True, slots=True)
class RightStatus:
    """
    A member's right to emergencies.

    Attributes:
        holds: Whether it may open one and use one now.
        lost: Whether it is lost until the committee restores it.
        oldest_due: When its oldest unreviewed emergency is due for review; None if none is.
        quota: How many it may open in 30 days.
        left: How many of these are left.
    """

    member_id: int
    holds: bool
    lost: bool
    oldest_due: int | None
    quota: int
    left: int


@dataclass(frozen=True, slots=True)
class Share:
    """
    How much of what happens is an exception: for one member, or for all.

    Attributes:
        decisions: All decisions; `urgent`: those asked for on the ground of an emergency.
        opened: Individual emergencies opened; of these `justified`, `unjustified`, and `overdue` for review.
    """

    member_id: int
    name: str
    decisions: int
    urgent: int
    opened: int
    justified: int
    unjustified: int
    overdue: int

    @property
    def ratio(self) -> float:
        """Return the share of emergencies in all decisions, 0 to 1; 0 without decisions."""
        return self.urgent / self.decisions if self.decisions else 0.0


@dataclass(frozen=True, slots=True)
class Emergencies:
    """Exceptions, their reviews, and how often they happen."""

    chain: Chain
    index: Index
    writer: Writer
    vault: Vault
    committee: Committee

    def open(
        self,
        actor: Member,
        passport_id: PassportId,
        reason: EmergencyReason,
        words: str,
        *,
        sealed_until: int = 0,
        sealing: str = "",
        idempotency: tuple[str, str, str] | None = None,
    ) -> Operation:
        """
        Break the glass for one passport: for the time and the categories of the law, to be reviewed.

        Args:
            actor: A member with the role EMERGENCY that has not lost its right.
            passport_id: The data.
            reason: Why, as a code that the chain holds.
            words: Why, in words; stays in the vault, the chain holds a commitment.
            sealed_until: Until when the patient is told only that there was an access; 0 to tell everything at once.
            sealing: Why it is sealed, in words that the patient reads meanwhile; needed if it is sealed.
            idempotency: Scope, key and fingerprint of the request.

        Raises:
            NotPermitted: *actor* lacks the role, lost its right, owes an overdue review, or spent its quota.
            NotFound: There is no such passport.
            Conflict: The data is sealed or destroyed.
            InvalidInput: Words are missing, or it would be sealed for longer than its review may take.
        """
        require_role(actor, Role.EMERGENCY)
        now = self.chain.now()
        require_active(actor, now)
        passport = require_passport(self.index, passport_id).passport
        if passport.status is not PassportStatus.OPEN:
            raise Conflict(f"passport {to_hex(passport_id)} is sealed or destroyed")
        require_words(words, "statement")
        self._check_seal(sealed_until, sealing, now=now)
        self._require_right(actor)
        record = {
            "passport": to_hex(passport_id),
            "reason": reason.name,
            "statement": words,
            "sealing": sealing,
        }
        statement = keep(self.vault, "emergency", record, owner=actor.member_id)
        call = Call("openEmergency", (to_hex(passport_id), int(reason), sealed_until, to_hex(statement)))
        return self.writer.submit(signer_of(self.writer, actor), call, idempotency=idempotency)

    def review(
        self,
        actor: Member,
        emergency_id: int,
        *,
        justified: bool,
        opinion: str,
        idempotency: tuple[str, str, str] | None = None,
    ) -> Operation:
        """
        Review an individual emergency. Late or unjustified, the member that opened it loses its right.

        Args:
            actor: An ethics body or a regulator that neither opened it nor keeps the data.
            emergency_id: The emergency.
            justified: Whether it was.
            opinion: The opinion in words; stays in the vault.
            idempotency: Scope, key and fingerprint of the request.

        Raises:
            NotFound: There is no such emergency.
            NotPermitted: *actor* is neither body, or had a part in it.
            Conflict: It was reviewed before, or is a public one, which nobody reviews.
        """
        record = self.get(emergency_id)
        _require_reviewer(actor)
        if record.emergency.kind is not EmergencyKind.INDIVIDUAL:
            raise Conflict(
                f"emergency {emergency_id} was declared by the committee",
                fix="Only single ones are reviewed.",
            )
        if record.emergency.finding is not EmergencyFinding.PENDING:
            raise Conflict(f"emergency {emergency_id} was reviewed before")
        if not self._is_independent(actor, record):
            raise NotPermitted(
                f"{actor.name} opened emergency {emergency_id} or keeps the data",
                fix="Let another ethics body or regulator review it.",
            )
        require_words(opinion, "opinion")
        commitment = keep(
            self.vault, "opinion", {"emergency": emergency_id, "opinion": opinion}, owner=actor.member_id
        )
        call = Call("reviewEmergency", (emergency_id, justified, to_hex(commitment)))
        return self.writer.submit(signer_of(self.writer, actor), call, idempotency=idempotency)

    def declare(
        self,
        actor: Member,
        declaration: Declaration,
        reason: str,
        *,
        idempotency: tuple[str, str, str] | None = None,
    ) -> Operation:
        """
        Propose to the committee to declare a public emergency.

        Raises:
            NotPermitted: *actor* has no seat.
            InvalidInput: The declaration is empty, over, or longer than the law allows; says what.
        """
        self._check_declaration(declaration)
        # The ledger itself declares it, and it is for everybody to read: who proposed it does not matter.
        document = keep(self.vault, "declaration", {"statement": declaration.document}, owner=NO_OWNER)
        fields = [
            purpose_set(declaration.purposes),
            int(declaration.categories),
            declaration.valid_from,
            declaration.until,
            declaration.max_records,
            declaration.jurisdiction,
        ]
        call = Call("declareEmergency", (fields, to_hex(document)))
        return self.committee.propose(actor, call, reason, idempotency=idempotency)

    def end(
        self,
        actor: Member,
        emergency_id: int,
        reason: str,
        *,
        idempotency: tuple[str, str, str] | None = None,
    ) -> Operation:
        """
        Propose to the committee to end a public emergency before its time.

        Raises:
            NotPermitted: *actor* has no seat.
            NotFound: There is no such emergency.
            Conflict: It is over, or is an individual one, which ends by itself.
        """
        emergency = self.get(emergency_id).emergency
        if emergency.kind is not EmergencyKind.PUBLIC:
            raise Conflict(f"emergency {emergency_id} is for one record and ends by itself")
        if self.chain.now() >= emergency.until:
            raise Conflict(f"emergency {emergency_id} is over")
        return self.committee.propose(
            actor, Call("endEmergency", (emergency_id,)), reason, idempotency=idempotency
        )

    def restore(
        self,
        actor: Member,
        member_id: int,
        reason: str,
        *,
        idempotency: tuple[str, str, str] | None = None,
    ) -> Operation:
        """
        Propose to the committee to give a member its right back: what it left unreviewed is settled.

        Raises:
            NotPermitted: *actor* has no seat.
            NotFound: There is no such member.
            Conflict: The member has its right and owes no overdue review.
        """
        right = self.right(member_id)
        if not right.lost and not _is_overdue(right.oldest_due, self.chain.now()):
            raise Conflict(f"member {member_id} has not lost its right to emergencies")
        return self.committee.propose(
            actor, Call("restoreEmergencyRight", (member_id,)), reason, idempotency=idempotency
        )

    def get(self, emergency_id: int) -> EmergencyRecord:
        """
        Return an emergency.

        Raises:
            NotFound: There is no such emergency.
        """
        record = self.index.emergency(emergency_id)
        if record is None:
            raise NotFound(
                f"there is no emergency {emergency_id}", fix="GET /v1/emergencies lists the emergencies."
            )
        return record

    def all(
        self, *, member_id: int | None = None, passport_id: PassportId | None = None
    ) -> list[EmergencyRecord]:
        """Return emergencies, oldest first."""
        return self.index.emergencies(member_id=member_id, passport_id=passport_id)

    def awaiting(self, actor: Member, at: int) -> list[EmergencyRecord]:
        """Return the emergencies that wait for a review that a member may give at a time, the one due first first."""
        if not actor.roles & REVIEWERS or not member_is_active(actor, at):
            return []
        found = [
            record
            for record in self.index.emergencies()
            if _waits(record) and self._is_independent(actor, record)
        ]
        return sorted(found, key=lambda record: record.emergency.review_due)

    def overdue(self, at: int) -> list[EmergencyRecord]:
        """Return the emergencies whose review was due before a time and is missing, the longest overdue first."""
        found = [record for record in self.index.emergencies() if _owes(record, at)]
        return sorted(found, key=lambda record: record.emergency.review_due)

    def right(self, member_id: int, *, at: int | None = None) -> RightStatus:
        """
        Return a member's right to emergencies.

        Args:
            member_id: The member.
            at: When, seconds since the Unix epoch; None for now.

        Raises:
            NotFound: There is no such member.
        """
        member = require_member(self.index, member_id)
        now = self.chain.now() if at is None else at
        right, law = self.index.emergency_right(member_id), self.index.policy()
        quota = law.emergencies.monthly_quota if law else 0
        times = [record.emergency.valid_from for record in self.index.emergencies(member_id=member_id)]
        left = max(quota - _in_window(times, now), 0)
        may_act = Role.EMERGENCY in member.roles and member_is_active(member, now)
        return RightStatus(
            member_id=member_id,
            holds=may_act and reviews_are_current(right, now),
            lost=right.lost,
            oldest_due=right.oldest_due,
            quota=quota,
            left=left,
        )

    def ratio(self, at: int) -> tuple[Share, list[Share]]:
        """Return the share of emergencies in all decisions at a time: in total, and for each member that decided."""
        decisions: Counter[int] = Counter()
        urgent: Counter[int] = Counter()
        for count in self.index.decision_counts():
            decisions[count.member_id] += count.decisions
            if count.basis in _EMERGENCY_BASES:
                urgent[count.member_id] += count.decisions
        records = [item for item in self.index.emergencies() if item.emergency.member_id]
        numbers = sorted({*decisions, *(item.emergency.member_id for item in records)})
        shares = [
            _share(
                [item for item in records if item.emergency.member_id == number],
                member_id=number,
                name=self._name(number),
                decisions=decisions[number],
                urgent=urgent[number],
                at=at,
            )
            for number in numbers
        ]
        total = _share(
            records, member_id=0, name="all", decisions=decisions.total(), urgent=urgent.total(), at=at
        )
        return total, shares

    def entry(self, record: EmergencyRecord, *, at: int, to_holder: bool = False) -> EmergencyEntry:
        """
        Tell an emergency.

        Args:
            record: The emergency.
            at: Now, seconds since the Unix epoch.
            to_holder: Whether the reader is its subject: then a seal that holds is kept.
        """
        emergency = record.emergency
        kept = self._kept(record)
        judged = words_of(
            self.vault,
            self.index,
            record.opinion,
            "opinion",
            domain="opinion",
            owner=record.reviewer,
            named={"emergency": emergency.emergency_id},
        )
        seal = _seal(record, kept, at)
        veiled = to_holder and seal is not None
        member = self._name(emergency.member_id) if emergency.member_id else ""
        reviewer = self._name(record.reviewer) if record.reviewer else ""
        if veiled and seal is not None:
            sentence = veiled_sentence(member, seal)
        elif emergency.kind is EmergencyKind.PUBLIC:
            sentence = _public_sentence(record)
        else:
            whose = "your record" if to_holder else "one record"
            sentence = _individual_sentence(record, member, reviewer, whose, kept.get("statement"), at)
        return EmergencyEntry(
            record=record,
            member=member,
            reviewer=reviewer,
            sentence=sentence,
            statement=kept.get("statement"),
            opinion=judged,
            in_force=emergency.valid_from <= at < emergency.until,
            overdue=_owes(record, at),
            sealed=seal,
            veiled=veiled,
        )

    def seal_of(self, record: DecisionRecord, at: int) -> Seal | None:
        """
        Return what keeps a decision from its subject at a time; None if nothing does.

        A decision is sealed if its own member asked for it under an emergency of one person, of that passport, while
        it was in force: nobody hides behind somebody else's emergency, nor behind one that is over.
        """
        terms = record.terms
        if terms.basis is not Basis.INDIVIDUAL_EMERGENCY or not terms.emergency_id:
            return None
        urgent = self.index.emergency(terms.emergency_id)
        if urgent is None or at >= urgent.sealed_until:
            return None
        emergency = urgent.emergency
        own = (emergency.member_id, emergency.passport_id) == (record.member_id, record.passport_id)
        if not own or not emergency.valid_from <= record.position.time < emergency.until:
            return None
        return _seal(urgent, self._kept(urgent), at)

    def _kept(self, record: EmergencyRecord) -> dict[str, Any]:
        """Return what was said when an emergency was opened or declared; nothing if this service does not know it."""
        emergency = record.emergency
        if emergency.kind is EmergencyKind.PUBLIC:
            domain, owner, named = "declaration", NO_OWNER, {}
        else:
            domain, owner = "emergency", emergency.member_id
            named = {"passport": to_hex(emergency.passport_id)}
        kept = recall(self.vault, self.index, record.statement, domain=domain, owner=owner, named=named)
        return kept or {}

    def _require_right(self, actor: Member) -> None:
        right = self.right(actor.member_id)
        if right.lost:
            raise NotPermitted(
                f"{actor.name} lost its right to emergencies", fix="Ask the committee to restore it."
            )
        if not right.holds:
            raise NotPermitted(
                f"{actor.name} owes a review that was due at {time_in_words(right.oldest_due or 0)}",
                fix="Let an ethics body or a regulator review the open emergencies; the committee settles late ones.",
            )
        if not right.left:
            raise NotPermitted(
                f"{actor.name} opened all {right.quota} emergencies of its 30 days",
                fix="Ask for consent, or let another member with the role EMERGENCY open it.",
            )

    def _check_seal(self, sealed_until: int, sealing: str, *, now: int) -> None:
        if not sealed_until:
            if sealing.strip():
                raise InvalidInput("a reason for sealing needs an end of the seal", field="sealedUntil")
            return
        require_words(sealing, "sealing")
        law = self.index.policy()
        latest = now + (law.emergencies.review_seconds if law else 0)
        if not now < sealed_until <= latest:
            raise InvalidInput(
                f"sealedUntil must lie ahead, at {time_in_words(latest)} at the latest: then the review is due",
                field="sealedUntil",
            )

    def _check_declaration(self, declaration: Declaration) -> None:
        law = self.index.policy()
        longest = law.emergencies.max_declaration_seconds if law else 0
        if not declaration.purposes:
            raise InvalidInput("purposes must name at least one purpose", field="purposes")
        if not declaration.categories:
            raise InvalidInput("categories must name at least one category", field="categories")
        require_words(declaration.document, "document")
        if not 0 < declaration.max_records <= _MAX_TIME:
            raise InvalidInput("maxRecords must be at least 1", field="maxRecords")
        if declaration.valid_from >= declaration.until:
            raise InvalidInput("until must be after from", field="until")
        if declaration.until <= self.chain.now():
            raise InvalidInput("until must lie in the future", field="until")
        if declaration.until - declaration.valid_from > longest:
            raise InvalidInput(f"the law allows {longest // 86_400} days at most", field="until")

    def _is_independent(self, actor: Member, record: EmergencyRecord) -> bool:
        passport = self.index.passport(record.emergency.passport_id)
        custodian = passport.passport.custodian if passport else 0
        return actor.member_id not in {record.emergency.member_id, custodian}

    def _name(self, member_id: int) -> str:
        member = self.index.member(member_id)
        return member.name if member else f"member {member_id}"


def veiled_sentence(member: str, seal: Seal) -> str:
    """Return all that a subject is told of a sealed access: that it was, by whom, why it is sealed, until when."""
    return (
        f"{member} had access to your record in an emergency. More is sealed until {time_in_words(seal.until)}, "
        f"because {seal.because}; then it opens by itself"
    )


def _seal(record: EmergencyRecord, kept: dict[str, Any], at: int) -> Seal | None:
    if at >= record.sealed_until:
        return None
    return Seal(
        record.emergency.emergency_id, record.sealed_until, str(kept.get("sealing") or "") or _ELSEWHERE
    )


def _individual_sentence(
    record: EmergencyRecord, member: str, reviewer: str, whose: str, words: str | None, at: int
) -> str:
    emergency = record.emergency
    because = _reason_in_words(record.reason)
    said = f" (“{words}”)" if words else ""
    return (
        f"{member} opened an emergency for {whose} because {because}{said}, from "
        f"{time_in_words(emergency.valid_from)} until {time_in_words(emergency.until)}, for "
        f"{_kinds(emergency.categories)}; {_review_in_words(record, reviewer, at)}"
    )


def _review_in_words(record: EmergencyRecord, reviewer: str, at: int) -> str:
    emergency = record.emergency
    due = time_in_words(emergency.review_due)
    if emergency.finding is EmergencyFinding.PENDING:
        return f"review was due {due} and is missing" if _owes(record, at) else f"review due {due}"
    late = ", late" if record.reviewed_at > emergency.review_due else ""
    found = "justified" if emergency.finding is EmergencyFinding.JUSTIFIED else "not justified"
    when = time_in_words(record.reviewed_at)
    return f"review due {due}; the review by {reviewer} on {when}{late} found it {found}"


def _public_sentence(record: EmergencyRecord) -> str:
    emergency = record.emergency
    served = ", ".join(PURPOSE_LABELS[purpose].en for purpose in purposes_of(emergency.purposes))
    where = f"in country {emergency.jurisdiction:03}" if emergency.jurisdiction else "everywhere"
    return (
        f"The committee declared an emergency for {served} {where}, from {time_in_words(emergency.valid_from)} "
        f"until {time_in_words(emergency.until)}, for {_kinds(emergency.categories)}; good for "
        f"{emergency.max_records} permits, of which {emergency.used} were used"
    )


def _reason_in_words(reason: int) -> str:
    try:
        return EMERGENCY_REASON_LABELS[EmergencyReason(reason)].en
    except ValueError:
        return f"of reason {reason}, which this version does not know"


def _kinds(categories: Category) -> str:
    return ", ".join(CATEGORY_LABELS[Category[name]].en for name in names(categories))


def _waits(record: EmergencyRecord) -> bool:
    emergency = record.emergency
    return emergency.kind is EmergencyKind.INDIVIDUAL and emergency.finding is EmergencyFinding.PENDING


def _owes(record: EmergencyRecord, at: int) -> bool:
    return _waits(record) and at > record.emergency.review_due


def _is_overdue(due: int | None, at: int) -> bool:
    return due is not None and at > due


def _in_window(opened: Iterable[int], now: int) -> int:
    """Count as the ledger counts: 30 days run from the first emergency after the last 30 days were over."""
    start = count = 0
    for time in opened:
        if time >= start + QUOTA_SECONDS:
            start, count = time, 0
        count += 1
    return 0 if now >= start + QUOTA_SECONDS else count


def _share(
    records: list[EmergencyRecord], *, member_id: int, name: str, decisions: int, urgent: int, at: int
) -> Share:
    found = Counter(record.emergency.finding for record in records)
    return Share(
        member_id=member_id,
        name=name,
        decisions=decisions,
        urgent=urgent,
        opened=len(records),
        justified=found[EmergencyFinding.JUSTIFIED],
        unjustified=found[EmergencyFinding.UNJUSTIFIED],
        overdue=sum(_owes(record, at) for record in records),
    )


def _require_reviewer(actor: Member) -> None:
    if not actor.roles & REVIEWERS:
        raise NotPermitted(f"{actor.name} holds neither the role ETHICS nor REGULATOR")
