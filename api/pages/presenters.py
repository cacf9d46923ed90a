"""
What the pages say, as values: every formatted date, chosen word and link is made here, none in a template.

Plain functions over the ledger's own values; nothing here asks the service.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from api.pages import commands
from api.pages.evidence import Evidence, evidence_of
from ledger.domain.records import Member, Passport, Project
from ledger.domain.vocabulary import (
    ASSURANCE_LABELS,
    CATEGORY_LABELS,
    CLASS_LABELS,
    FACT_LABELS,
    PURPOSE_LABELS,
    Assurance,
    Category,
    Custody,
    DataClass,
    EmergencyFinding,
    Fact,
    GrantStatus,
    Operation,
    Outcome,
    PassportStatus,
    TransferStatus,
    names,
    purposes_of,
)
from ledger.domain.wording import STATUS_LABELS
from ledger.encoding.hexadecimal import to_hex
from ledger.ports import (
    DecisionRecord,
    GrantRecord,
    PassportRecord,
    RecordSummary,
    RecoveryRecord,
    TransferRecord,
)
from ledger.service.access import AccessEntry
from ledger.service.emergencies import EmergencyEntry, Share

_LAST_SECOND: Final = 253_402_300_799

#: What an answer is called, its sign, and its style: never told by colour alone.
_ANSWERS: Final[dict[Outcome, tuple[str, str, str]]] = {
    Outcome.PERMIT: ("Permitted", "✓", "permit"),
    Outcome.DENY: ("Refused", "✕", "deny"),
    Outcome.REVIEW: ("Waits for a human review", "…", "review"),
}
_PASSPORT_WORDS: Final = {
    PassportStatus.OPEN: "open",
    PassportStatus.SEALED: "sealed: nobody may use it",
    PassportStatus.DESTROYED: "destroyed",
}
TRANSFER_WORDS: Final[dict[TransferStatus, tuple[str, str]]] = {
    TransferStatus.SHIPPED: ("On its way: the recipient has not confirmed it", "review"),
    TransferStatus.RECEIVED: ("Received: it matches what was sent", "permit"),
    TransferStatus.DISPUTED: (
        "Disputed: what arrived is not what was sent, or it was stopped on its way",
        "deny",
    ),
    TransferStatus.DECLARED: ("Declared: waits for an inspection at the border", "review"),
    TransferStatus.CLEARED: ("Cleared: may be loaded and shipped", "review"),
    TransferStatus.REFUSED: ("Refused: what was declared breaks a rule", "deny"),
    TransferStatus.HALTED: ("Halted for the time being", "review"),
    TransferStatus.TERMINATED: ("Terminated", "deny"),
    TransferStatus.CLOSED: ("Closed: the recipient destroyed or returned it", "permit"),
}
_ARRIVALS: Final = {
    TransferStatus.SHIPPED: "Its arrival is not confirmed yet.",
    TransferStatus.RECEIVED: "It arrived as it was sent.",
    TransferStatus.DISPUTED: "What arrived is not what was sent, or it was stopped on its way.",
    TransferStatus.HALTED: "It was halted on its way.",
    TransferStatus.TERMINATED: "It was terminated on its way.",
    TransferStatus.CLOSED: "The recipient states that it destroyed or returned it.",
}


@dataclass(frozen=True, slots=True)
class Moment:
    """A point in time: for machines, and for people with its zone."""

    machine: str
    text: str


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer in a word, with a sign."""

    text: str
    sign: str
    style: str


#: What a patient is told instead of the answer while it is sealed.
_SEALED: Final = Answer("Sealed", "…", "review")


@dataclass(frozen=True, slots=True)
class Place:
    """Where on the chain something stands."""

    block: int
    transaction: str
    log_index: int
    when: Moment


@dataclass(frozen=True, slots=True)
class Command:
    """A command that does something, and what for; with the route that does the same, where a page names it."""

    label: str
    text: str
    route: str = ""


@dataclass(frozen=True, slots=True)
class Consent:
    """A consent as its giver reads it."""

    anchor: str
    grant_id: str
    text: str
    status: str
    in_force: bool
    waits: bool
    frozen: bool
    ended: Moment | None
    uses: str
    assurance: str
    asked_by: str | None
    commands: tuple[Command, ...]


@dataclass(frozen=True, slots=True)
class AccessLine:
    """One line of "who used my data"."""

    seq: int
    anchor: str
    passport_id: str
    sentence: str
    answer: Answer
    outcome: int
    reasons: tuple[str, ...]
    when: Moment | None
    consent: Consent | None
    handed_over: str
    place: Place | None
    evidence: Evidence | None
    review: str = ""


@dataclass(frozen=True, slots=True)
class EmergencyLine:
    """An emergency in words, and how it stands."""

    number: int
    anchor: str
    sentence: str
    status: str
    style: str
    statement: str | None
    opinion: str | None


@dataclass(frozen=True, slots=True)
class Recovery:
    """The notice that somebody replaces the holder's key."""

    holder: str
    who: str
    ready: Moment
    command: str


@dataclass(frozen=True, slots=True)
class Speaker:
    """Somebody who may speak for the holder."""

    key: str
    until: Moment


@dataclass(frozen=True, slots=True)
class PassportCard:
    """A passport in a list."""

    passport_id: str
    link: str
    custodian: str
    status: str
    since: Moment
    requests: str
    assisted: bool
    purposes: str
    recovery: Recovery | None = None
    spoken_until: Moment | None = None
    reference: str | None = None
    contents: str | None = None


@dataclass(frozen=True, slots=True)
class TransferLine:
    """A transfer as one side sees it."""

    transfer_id: str
    link: str
    passport_id: str
    direction: str
    other: str
    records: str
    status: str
    style: str
    shipped: Moment | None
    received: Moment | None


@dataclass(frozen=True, slots=True)
class ProjectLine:
    """A project in a list."""

    number: int
    purposes: str
    categories: str
    highest_class: str
    period: str
    status: str


@dataclass(frozen=True, slots=True)
class Count:
    """How often something happened."""

    label: str
    number: int


@dataclass(frozen=True, slots=True)
class ShareLine:
    """How much of what a member does is an exception."""

    name: str
    decisions: int
    urgent: str
    opened: int
    overdue: int


@dataclass(frozen=True, slots=True)
class Survey:
    """What an auditor sees at a glance."""

    looked_at: int
    all_seen: bool
    answers: tuple[Count, ...]
    missing: tuple[Count, ...]
    without_hand_over: tuple[AccessLine, ...]
    open_transfers: tuple[TransferLine, ...]
    overdue: tuple[EmergencyLine, ...] = ()
    shares: tuple[ShareLine, ...] = ()


def moment(seconds: float) -> Moment:
    """Tell a time, seconds since the Unix epoch, in UTC; what lies after the year 9999 as its end."""
    time = datetime.fromtimestamp(min(int(seconds), _LAST_SECOND), UTC)
    return Moment(time.strftime("%Y-%m-%dT%H:%M:%SZ"), time.strftime("%Y-%m-%d %H:%M:%S UTC"))


def answer_of(outcome: Outcome) -> Answer:
    """Return an outcome in a word, with a sign."""
    return Answer(*_ANSWERS[outcome])


def counted(number: int, one: str, many: str) -> str:
    """Return a number with its noun: `no requests`, `1 request`, `12 requests`."""
    return f"1 {one}" if number == 1 else f"{number or 'no'} {many}"


def consent_of(
    record: GrantRecord,
    *,
    text: str,
    status: str,
    passport: Passport,
    origin: str,
    asked_by: str | None = None,
) -> Consent:
    """
    Tell a consent.

    Args:
        record: The grant.
        text: Its sentence.
        status: Its status now, in one word.
        passport: The passport it is for.
        origin: Where this service is reached.
        asked_by: What the member that asked for it is called.
    """
    state = record.state
    grant_id = to_hex(record.grant_id)
    given = state.assurance is not Assurance.NONE
    own_key = passport.custody is Custody.SELF
    return Consent(
        anchor=f"consent-{grant_id[2:]}",
        grant_id=grant_id,
        text=text,
        status=STATUS_LABELS[status].en,
        in_force=status in ("active", "pending"),
        waits=status == "requested",
        frozen=status == "frozen",
        ended=moment(record.ended_at) if record.ended_at else None,
        uses=_uses(record) if given else "",
        assurance=ASSURANCE_LABELS[state.assurance].en if given else "",
        asked_by=asked_by,
        commands=_commands(record, status, passport, origin) if own_key else (),
    )


def recovery_of(record: RecoveryRecord, passport: Passport, origin: str, custodian: str) -> Recovery:
    """Tell the holder that somebody replaces its key."""
    return Recovery(
        holder=record.holder,
        who=f"{custodian}, at its counter" if record.by_custodian else "your guardians",
        ready=moment(record.ready_at),
        command=commands.object_to_recovery(
            origin, to_hex(passport.passport_id), custodian=passport.custodian
        ),
    )


def line_of(
    entry: AccessEntry, *, consent: Consent | None = None, shipment: TransferRecord | None = None
) -> AccessLine:
    """
    Tell one decision.

    Args:
        entry: The decision.
        consent: The consent it named, told by `consent_of`.
        shipment: The transfer that it led to.
    """
    record, verdict = entry.record, entry.record.verdict
    passport_id = to_hex(record.passport_id)
    if entry.seal is not None:
        return AccessLine(
            seq=verdict.seq,
            anchor=f"decision-{verdict.seq}",
            passport_id=passport_id,
            sentence=f"{entry.sentence}.",
            answer=_SEALED,
            outcome=0,
            reasons=(),
            when=None,
            consent=None,
            handed_over="",
            place=None,
            evidence=None,
        )
    return AccessLine(
        seq=verdict.seq,
        anchor=f"decision-{verdict.seq}",
        passport_id=passport_id,
        sentence=f"{entry.sentence}.",
        answer=answer_of(verdict.outcome),
        outcome=int(verdict.outcome),
        reasons=entry.reasons,
        when=moment(record.position.time),
        consent=consent,
        handed_over=_handed_over(entry, shipment),
        place=place_of(record),
        evidence=evidence_of(record),
        review=f"{entry.review}." if entry.review else "",
    )


def emergency_line(entry: EmergencyEntry) -> EmergencyLine:
    """Tell an emergency; to its subject, while it is sealed, no more than the sentence."""
    number = entry.record.emergency.emergency_id
    status, style = _emergency_status(entry)
    return EmergencyLine(
        number=number,
        anchor=f"emergency-{number}",
        sentence=f"{entry.sentence}.",
        status=status,
        style=style,
        statement=None if entry.veiled else entry.statement,
        opinion=None if entry.veiled else entry.opinion,
    )


def _emergency_status(entry: EmergencyEntry) -> tuple[str, str]:
    if entry.veiled:
        return _SEALED.text, _SEALED.style
    if entry.overdue:
        return "Review overdue", "deny"
    if entry.in_force:
        return "In force", "review"
    finding = entry.record.emergency.finding
    if finding is EmergencyFinding.UNJUSTIFIED:
        return "Over, not justified", "deny"
    return ("Over, justified", "permit") if finding is EmergencyFinding.JUSTIFIED else ("Over", "plain")


def place_of(record: DecisionRecord) -> Place:
    """Tell where a decision stands on the chain."""
    position = record.position
    return Place(
        position.block_number, to_hex(position.transaction_hash), position.log_index, moment(position.time)
    )


def passport_card(
    record: PassportRecord,
    *,
    custodian: str,
    link: str,
    kept: RecordSummary | None = None,
    recovery: Recovery | None = None,
    spoken_until: Moment | None = None,
) -> PassportCard:
    """
    Tell a passport.

    Args:
        record: The passport and what is known of it.
        custodian: The name of who keeps the data.
        link: Where its page is, for who may open one.
        kept: What its custodian alone may see.
        recovery: What its holder must know.
        spoken_until: Until when the reader speaks for the holder, if it is not the holder.
    """
    passport = record.passport
    return PassportCard(
        passport_id=to_hex(passport.passport_id),
        link=link,
        custodian=custodian,
        status=_PASSPORT_WORDS.get(passport.status, passport.status.name.lower()),
        since=moment(record.position.time),
        requests=counted(passport.size, "request", "requests"),
        assisted=passport.custody is Custody.ASSISTED,
        purposes=purposes_in_words(passport.purposes),
        reference=kept.local_reference if kept else None,
        contents=_contents(kept) if kept else None,
        recovery=recovery,
        spoken_until=spoken_until,
    )


def transfer_line(record: TransferRecord, *, members: dict[int, str], viewer: int | None) -> TransferLine:
    """Tell a transfer as *viewer* sees it; None for somebody who has no part in it."""
    transfer = record.transfer
    sender = members.get(transfer.sender, f"member {transfer.sender}")
    recipient = members.get(transfer.recipient, f"member {transfer.recipient}")
    direction, other = {
        transfer.sender: ("Sent to", recipient),
        transfer.recipient: ("Received from", sender),
    }.get(viewer or 0, ("Sent", f"{sender} to {recipient}"))
    status, style = TRANSFER_WORDS[transfer.status]
    return TransferLine(
        transfer_id=to_hex(transfer.transfer_id),
        link=f"/transfers/{to_hex(transfer.transfer_id)}",
        passport_id=to_hex(transfer.passport_id),
        direction=direction,
        other=other,
        records=counted(transfer.consignment.count if transfer.consignment else 1, "record", "records"),
        status=status,
        style=style,
        shipped=moment(record.shipped.time) if record.shipped else None,
        received=moment(record.received.time) if record.received else None,
    )


def project_line(project: Project, *, at: int) -> ProjectLine:
    """Tell a project as it stands at a time."""
    if project.withdrawn:
        status = "withdrawn"
    elif at < project.valid_from:
        status = "not yet in force"
    else:
        status = "in force" if at < project.valid_to else "ended"
    return ProjectLine(
        number=project.project_id,
        purposes=purposes_in_words(project.purposes),
        categories=categories_in_words(project.categories),
        highest_class=CLASS_LABELS[DataClass(project.highest_class)].en,
        period=f"{moment(project.valid_from).text} to {moment(project.valid_to).text}",
        status=status,
    )


def answer_counts(outcomes: Counter[Outcome]) -> tuple[Count, ...]:
    """Tell how often each answer was given."""
    return tuple(Count(answer_of(outcome).text, outcomes[outcome]) for outcome in Outcome)


def missing_counts(missing: Iterable[Fact]) -> tuple[Count, ...]:
    """Tell how often each fact was missing, the most frequent first."""
    counter = Counter(Fact[name] for facts in missing for name in names(facts))
    return tuple(Count(FACT_LABELS[fact].en, number) for fact, number in counter.most_common())


def share_line(share: Share) -> ShareLine:
    """Tell the share of emergencies in the decisions of a member, or of all."""
    return ShareLine(
        name="All together" if not share.member_id else share.name,
        decisions=share.decisions,
        urgent=f"{share.urgent} ({share.ratio:.2%})",
        opened=share.opened,
        overdue=share.overdue,
    )


def member_names(members: Iterable[Member]) -> dict[int, str]:
    """Return the names of members by number."""
    return {member.member_id: member.name for member in members}


def purposes_in_words(value: int) -> str:
    """Tell a set of purposes."""
    return ", ".join(PURPOSE_LABELS[purpose].en for purpose in purposes_of(value)) or "none"


def categories_in_words(value: Category) -> str:
    """Tell a set of kinds of data."""
    return ", ".join(CATEGORY_LABELS[Category[name]].en for name in names(value)) or "none"


def _uses(record: GrantRecord) -> str:
    state = record.state
    if not state.max_uses:
        return "any number of uses in its period"
    return f"{state.uses} of {state.max_uses} uses"


def _commands(record: GrantRecord, status: str, passport: Passport, origin: str) -> tuple[Command, ...]:
    """Return what the patient can do about a consent, the first thing first."""

    def on(verb: str, label: str) -> Command:
        return Command(
            label, commands.grant(origin, verb, to_hex(record.grant_id), custodian=passport.custodian)
        )

    if status == "requested":
        return on("accept", "To give it"), on("refuse", "To refuse")
    if record.state.status is not GrantStatus.ACTIVE or status == "expired":
        return ()
    doubtful = record.state.assurance in (Assurance.PAPER, Assurance.ASSISTED)
    found = [on("confirm", "To confirm it")] if status == "frozen" or doubtful else []
    found.append(on("revoke", "To withdraw it"))
    if doubtful:
        found.append(on("repudiate", "If you never gave it"))
    return tuple(found)


def _handed_over(entry: AccessEntry, shipment: TransferRecord | None) -> str:
    if shipment is not None and shipment.shipped is not None:
        return (
            f"A copy was sent on {moment(shipment.shipped.time).text}. {_ARRIVALS[shipment.transfer.status]}"
        )
    if entry.released is not None:
        return f"The data was handed over on {moment(entry.released.time).text}."
    if entry.record.verdict.outcome is Outcome.PERMIT:
        if entry.record.terms.operation is Operation.INCLUDE:
            return f"It was put into dataset {entry.record.terms.dataset_id}."
        return "No hand-over of the data has been recorded."
    return "No data was handed over."


def _contents(kept: RecordSummary) -> str:
    return ", ".join(f"{CATEGORY_LABELS[category].en} {count}" for category, count in kept.entries.items())
