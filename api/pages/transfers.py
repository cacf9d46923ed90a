"""
What the pages say of transfers and discrepancies, as values.

Plain functions over the ledger's own values; nothing here asks the service.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from api.pages import commands
from api.pages.agreements import limits_in_words
from api.pages.parties import Parties
from api.pages.presenters import (
    TRANSFER_WORDS,
    Answer,
    Command,
    Moment,
    TransferLine,
    categories_in_words,
    counted,
    moment,
    purposes_in_words,
    transfer_line,
)
from api.schemas.transfers import discrepancy_out
from ledger.domain.records import ZERO32, Agreement, Limits, Member, Position, TransferItem
from ledger.domain.vocabulary import (
    MISSING_TRANSFER_LABELS,
    Label,
    Role,
    TransferFact,
    TransferStatus,
)
from ledger.domain.wording import copy_told
from ledger.encoding.hexadecimal import to_hex
from ledger.ports import TransferRecord
from ledger.service.transfers import MAX_ITEMS, Discrepancy, DiscrepancyKind, NoteInWords
from ledger.transfers import ANSWER_SECONDS, REPORT_SECONDS, RUNNING, is_reporting

_DAY: Final = 86_400
#: After how many days without an answer a transfer is a discrepancy, and how often the recipient of data from abroad reports.
ANSWER_DAYS: Final = ANSWER_SECONDS // _DAY
REPORT_DAYS: Final = REPORT_SECONDS // _DAY

_SIGNS: Final = {"permit": "✓", "deny": "✕", "review": "…"}
_KINDS: Final = {
    DiscrepancyKind.UNANSWERED: Answer("Not answered", "…", "review"),
    DiscrepancyKind.DISPUTED: Answer("Disputed", "✕", "deny"),
    DiscrepancyKind.REPORT_OVERDUE: Answer("Report overdue", "✕", "deny"),
    DiscrepancyKind.WRONG_ROOT: Answer("Wrong root", "✕", "deny"),
}
#: What each kind means, and what ends it.
_MEANINGS: Final = {
    DiscrepancyKind.UNANSWERED: (
        f"More than {ANSWER_DAYS} days ago one side said that it shipped; the other has said nothing. It ends when the "
        "recipient states what it received."
    ),
    DiscrepancyKind.DISPUTED: (
        "Both sides have stated what was sent, and it is not the same. It stays on record, also after the recipient has "
        "destroyed or returned what came."
    ),
    DiscrepancyKind.REPORT_OVERDUE: (
        f"Who receives data from abroad reports on it every {REPORT_DAYS} days. It ends with the report; until then any "
        "member may take the recipient off the list of those that may receive data from abroad."
    ),
    DiscrepancyKind.WRONG_ROOT: (
        "The ledger works out the Merkle root of what was loaded; the root that was shipped is another. It stays on record."
    ),
}
_NOTES: Final = {
    "TransferHalted": ("{who} halted it", "review"),
    "TransferResumed": ("{who} let it go on", "plain"),
    "TransferTerminated": ("{who} terminated it", "deny"),
    "TransferReported": ("{who} reported on it; the next report is due {days} days later", "permit"),
    "TransferClosed": ("{who} states that it destroyed or returned what it received", "permit"),
}


@dataclass(frozen=True, slots=True)
class DiscrepancyLine:
    """
    A discrepancy in words.

    Attributes:
        meaning: What its kind means, and what ends it.
        turn: Who has to explain it.
        commands: What they, or anybody, can do.
    """

    state: Answer
    transfer_id: str
    link: str
    sentence: str
    records: str
    since: Moment
    turn: str
    meaning: str
    commands: tuple[Command, ...]


@dataclass(frozen=True, slots=True)
class TransferEvent:
    """One thing that happened to a transfer; `when` is None of what goes on."""

    when: Moment | None
    sentence: str
    style: str
    quote: str | None = None
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TransferPage:
    """
    A transfer in full, and what its reader can do next.

    Attributes:
        next: What it waits for, in words; empty if for nothing.
        facts: What was declared, each aspect in words.
        hashes: What the two sides committed to.
        limits: Those of its agreement.
        parent: By which the sender received it; `children`: by which the recipient passed it on.
    """

    title: str
    transfer_id: str
    state: Answer
    sender: str
    recipient: str
    next: str
    events: tuple[TransferEvent, ...]
    facts: tuple[tuple[str, str], ...]
    hashes: tuple[tuple[str, str], ...]
    many: bool
    agreement_id: int
    limits: tuple[tuple[str, str], ...]
    parent: TransferLine | None
    children: tuple[TransferLine, ...]
    discrepancies: tuple[DiscrepancyLine, ...]
    report: ReportLine | None
    commands: tuple[Command, ...]


@dataclass(frozen=True, slots=True)
class ReportLine:
    """A report that a recipient owes on data from abroad."""

    transfer_id: str
    link: str
    state: Answer
    due: Moment
    sentence: str
    commands: tuple[Command, ...]


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy of a patient's data that went to an institution, in both languages, and how to check it."""

    words: Label
    style: str
    seq: int
    transfer_id: str
    commands: tuple[Command, ...] = field(default=())


# Discrepancies


def discrepancy_line(found: Discrepancy, known: Parties) -> DiscrepancyLine:
    """Tell a discrepancy."""
    transfer = found.record.transfer
    sender, recipient = known.name(transfer.sender), known.name(transfer.recipient)
    told = discrepancy_out(found, sender=sender, recipient=recipient)
    return DiscrepancyLine(
        state=_KINDS[found.kind],
        transfer_id=told.transfer_id,
        link=f"/transfers/{told.transfer_id}",
        sentence=f"{told.text[:1].upper()}{told.text[1:]}.",
        records=counted(told.records, "record", "records"),
        since=moment(found.since),
        turn=known.name(found.member_id),
        meaning=_MEANINGS[found.kind],
        commands=tuple(_discrepancy_commands(found, known)),
    )


def _discrepancy_commands(found: Discrepancy, known: Parties) -> Iterator[Command]:
    name = to_hex(found.record.transfer.transfer_id)
    who = known.name(found.member_id)
    if found.kind is DiscrepancyKind.UNANSWERED:
        yield _act(
            known, name, "receive", f"For {who}, to state what it collected", "receipt", "--content ROOT"
        )
    if found.kind is DiscrepancyKind.REPORT_OVERDUE:
        yield _act(known, name, "report", f"For {who}, to report", "reports", "--text WORDS")
        yield _act(
            known,
            name,
            "end-access",
            "For any member, to take it off the list for borders",
            "border-access/end",
        )


# Transfers


def transfer_page(
    record: TransferRecord,
    known: Parties,
    *,
    reader: Member,
    description: str | None = None,
    notes: list[NoteInWords] | None = None,
    agreement: Agreement | None = None,
    stands: bool = True,
    on_the_list: bool = False,
    parent: TransferRecord | None = None,
    children: list[TransferRecord] | None = None,
    discrepancies: list[Discrepancy] | None = None,
) -> TransferPage:
    """
    Tell a transfer in full.

    Args:
        record: The transfer.
        known: What it is told with.
        reader: Who reads.
        description: What was said of it, if this service keeps it.
        notes: What members did about it, with what they said.
        agreement: What it was declared under; None of one record.
        stands: Whether what it rests on is in force.
        on_the_list: Whether its recipient may receive data from abroad now.
        parent: The transfer by which the sender received it.
        children: Those by which the recipient passed it on.
        discrepancies: How its two sides do not tell alike.
    """
    transfer, declared = record.transfer, record.transfer.consignment
    status, style = TRANSFER_WORDS[transfer.status]
    limits = agreement.limits if agreement else None
    return TransferPage(
        title=f"Transfer of {counted(declared.count if declared else 1, 'record', 'records')}",
        transfer_id=to_hex(transfer.transfer_id),
        state=Answer(status, _SIGNS[style], style),
        sender=known.name(transfer.sender),
        recipient=known.name(transfer.recipient),
        next=_next(record, known, stands=stands),
        events=tuple(_events(record, known, notes or [])),
        facts=tuple(_facts(record, known, description)),
        hashes=tuple(_hashes(record)),
        many=declared is not None,
        agreement_id=declared.agreement_id if declared else 0,
        limits=limits_in_words(limits) if limits else (),
        parent=_other(parent, known) if parent else None,
        children=tuple(_other(child, known) for child in children or []),
        discrepancies=tuple(discrepancy_line(found, known) for found in discrepancies or []),
        report=report_line(record, known) if is_reporting(transfer) else None,
        commands=tuple(
            _transfer_commands(record, known, reader, limits=limits, stands=stands, on_the_list=on_the_list)
        ),
    )


def report_line(record: TransferRecord, known: Parties, *, reader: Member | None = None) -> ReportLine:
    """Tell of the next report on data from abroad; with the command to give it, if the reader owes it."""
    transfer = record.transfer
    late = transfer.report_due <= known.at
    name, recipient = to_hex(transfer.transfer_id), known.name(transfer.recipient)
    count = counted(transfer.consignment.count if transfer.consignment else 1, "record", "records")
    owes = reader is not None and reader.member_id == transfer.recipient
    return ReportLine(
        transfer_id=name,
        link=f"/transfers/{name}",
        state=Answer("Report overdue", "✕", "deny") if late else Answer("Report due", "…", "review"),
        due=moment(transfer.report_due),
        sentence=f"{recipient} {'had to report' if late else 'reports'} on {count} from {known.name(transfer.sender)}",
        commands=(_act(known, name, "report", "To report", "reports", "--text WORDS"),) if owes else (),
    )


def copy_line(
    record: TransferRecord, item: TransferItem | None, known: Parties, check: tuple[Command, ...]
) -> Copy:
    """
    Tell a patient of a copy of the data.

    Args:
        record: The transfer.
        item: Where the record stands among many; None if it went alone.
        known: What it is told with.
        check: How to check it.
    """
    transfer = record.transfer
    seq = transfer.seq if item is None else item.seq
    return Copy(
        words=copy_told(
            known.name(transfer.recipient),
            status=transfer.status,
            seq=seq,
            shipped=record.shipped.time if record.shipped else 0,
            answered=record.received.time if record.received else 0,
            others=max(transfer.loaded - 1, 0) if item is not None else 0,
        ),
        style=TRANSFER_WORDS[transfer.status][1],
        seq=seq,
        transfer_id=to_hex(transfer.transfer_id),
        commands=check,
    )


def places_in_words(countries: tuple[int, ...], home: int) -> str:
    """Tell countries by their numbers, and which of them is the sender's own."""
    where = {True: "the sender's own country", False: "abroad"}
    return ", ".join(f"{country:03} ({where[country == home]})" for country in countries) or "none"


def _other(record: TransferRecord, known: Parties) -> TransferLine:
    return transfer_line(record, members=known.names, viewer=None)


def _events(record: TransferRecord, known: Parties, notes: list[NoteInWords]) -> Iterator[TransferEvent]:
    found = [*_milestones(record, known), *(_noted(said, known) for said in notes)]
    # A stable order for what stands in one block.
    for _, event in sorted(found, key=lambda pair: (pair[0].block_number, pair[0].log_index)):
        yield event
    transfer, declared = record.transfer, record.transfer.consignment
    if declared and record.shipped is None and transfer.status is TransferStatus.CLEARED:
        yield TransferEvent(
            None, f"{transfer.loaded} of {counted(declared.count, 'record', 'records')} loaded.", "review"
        )


def _milestones(record: TransferRecord, known: Parties) -> Iterator[tuple[Position, TransferEvent]]:
    transfer, declared = record.transfer, record.transfer.consignment
    sender, recipient = known.name(transfer.sender), known.name(transfer.recipient)
    if declared and record.declared:
        count = counted(declared.count, "record", "records")
        refused = bool(transfer.missing)
        sentence = f"{sender} declared it: {count}, under agreement {declared.agreement_id}"
        yield (
            record.declared,
            TransferEvent(
                moment(record.declared.time),
                f"{sentence}. {'It breaks a rule and was refused' if refused else 'It breaks no rule'}.",
                "deny" if refused else "permit",
                reasons=tuple(
                    MISSING_TRANSFER_LABELS[fact] for fact in TransferFact if fact in transfer.missing
                ),
            ),
        )
    if record.shipped:
        what = (
            f"{sender} shipped what it had loaded: {counted(transfer.loaded, 'record', 'records')}, each under a permit of its own"
            if declared
            else f"{sender} shipped it under the permit of decision {transfer.seq}"
        )
        yield record.shipped, TransferEvent(moment(record.shipped.time), f"{what}.", "permit")
    if record.received:
        matched = transfer.received_content == transfer.content
        what = "received what was sent" if matched else "received something else than was sent"
        yield (
            record.received,
            TransferEvent(
                moment(record.received.time),
                f"{recipient} stated that it {what}: the two commitments are {'equal' if matched else 'not equal'}.",
                "permit" if matched else "deny",
            ),
        )


def _noted(said: NoteInWords, known: Parties) -> tuple[Position, TransferEvent]:
    note, who = said.note, known.name(said.note.member_id)
    if note.event == "TransferInspected":
        what = "let it go on" if note.released else "refused it: it is over"
        sentence, style = f"{who} inspected it and {what}", "permit" if note.released else "deny"
    else:
        sentence, style = _NOTES.get(note.event, (f"{{who}}: {note.event}", "plain"))
        sentence = sentence.format(who=who, days=REPORT_DAYS)
    return note.position, TransferEvent(moment(note.position.time), f"{sentence}.", style, quote=said.words)


def _facts(record: TransferRecord, known: Parties, description: str | None) -> Iterator[tuple[str, str]]:
    transfer, declared = record.transfer, record.transfer.consignment
    if declared is None:
        yield "Record", to_hex(transfer.passport_id)
        yield "Permit", f"decision {transfer.seq} of that record"
        return
    sender = known.members.get(transfer.sender)
    home = sender.jurisdiction if sender else 0
    yield "What it is", description or "not kept here: the ledger holds a commitment to it"
    left = declared.count - transfer.loaded
    yield (
        "Records",
        f"{declared.count} declared, {transfer.loaded} loaded" + (f", {left} not loaded" if left else ""),
    )
    yield "To serve", purposes_in_words(declared.purposes)
    yield "Kinds of data", categories_in_words(declared.categories)
    yield "Countries on the way (ISO 3166)", places_in_words(declared.route, home)
    yield "Countries of storage (ISO 3166)", places_in_words(declared.places, home)
    yield (
        "Border",
        "it crosses one: a clearance and an inspection are needed, and reports"
        if transfer.crosses
        else "it crosses none",
    )
    if declared.project_id:
        yield "Project of the recipient", str(declared.project_id)


def _hashes(record: TransferRecord) -> Iterator[tuple[str, str]]:
    transfer = record.transfer
    if transfer.content != ZERO32:
        yield (
            "Root that was shipped" if transfer.consignment else "What was shipped",
            to_hex(transfer.content),
        )
    if transfer.received_content:
        yield (
            "Root that was received" if transfer.consignment else "What was received",
            to_hex(transfer.received_content),
        )


def _next(record: TransferRecord, known: Parties, *, stands: bool) -> str:
    transfer, declared = record.transfer, record.transfer.consignment
    sender, recipient = known.name(transfer.sender), known.name(transfer.recipient)
    status = transfer.status
    if declared and not stands and (status in RUNNING or status is TransferStatus.HALTED):
        return (
            "What it rests on has lapsed: the agreement, the clearance, the parent or a membership. It can only be "
            "terminated, by any member."
        )
    if status is TransferStatus.DECLARED:
        return "It waits for a regulator of the sender's country, who is no side of it, to inspect it."
    if status is TransferStatus.CLEARED and declared:
        left = declared.count - transfer.loaded
        return (
            f"{sender} loads {counted(left, 'more record', 'more records')}."
            if left
            else f"{sender} ships it."
        )
    if status is TransferStatus.SHIPPED:
        return (
            f"{recipient} collects it within an hour of the permits, and then states what it received. If it has not after {ANSWER_DAYS} days, everybody is told under "
            "Discrepancies."
        )
    if status is TransferStatus.HALTED:
        return f"{known.name(transfer.halted_by)}, who halted it, or a regulator of the sender's country lets it go on."
    return ""


def _transfer_commands(
    record: TransferRecord,
    known: Parties,
    reader: Member,
    *,
    limits: Limits | None,
    stands: bool,
    on_the_list: bool,
) -> Iterator[Command]:
    """Return what a reader can do about a transfer, the first thing first."""
    transfer, name = record.transfer, to_hex(record.transfer.transfer_id)
    sends, gets = reader.member_id == transfer.sender, reader.member_id == transfer.recipient
    if transfer.consignment is not None:
        yield from _commands_of_many(record, known, reader, stands=stands)
    if gets and transfer.status is TransferStatus.SHIPPED and stands:
        route = "contents" if transfer.consignment else "content"
        yield Command(
            "First, to collect it, within an hour of the permits: the command writes the file and tells its root",
            commands.transfer(known.origin, "collect", name, "--out FILE"),
            f"GET /v1/transfers/{name}/{route}",
        )
        what = "Then, to state what was received, by that root: after this nothing can be collected any more"
        yield _act(known, name, "receive", what, "receipt", "--content ROOT")
    if record.shipped is None or transfer.status is TransferStatus.CLOSED:
        return
    if gets and transfer.report_due:
        yield _act(known, name, "report", "To report on it", "reports", "--text WORDS")
    if not gets and transfer.report_due and transfer.report_due <= known.at and on_the_list:
        yield _act(
            known,
            name,
            "end-access",
            "Its report is overdue. To take its recipient off the list for borders",
            "border-access/end",
        )
    if gets and limits and limits.onward and transfer.status is TransferStatus.RECEIVED:
        text = commands.declare(known.origin, "NUMBER", f"--parent {name}")
        yield Command("To pass records of it on", text, "POST /v1/transfers/declarations")
    if gets and transfer.status is not TransferStatus.SHIPPED:
        yield _act(
            known,
            name,
            "close",
            "Once what was received is destroyed or returned",
            "closure",
            "--evidence WORDS",
        )
    if sends and transfer.status is TransferStatus.DISPUTED:
        text = commands.transfer(known.origin, "show", name)
        yield Command("To compare what both sides have stated", text, f"GET /v1/transfers/{name}")


def _commands_of_many(
    record: TransferRecord, known: Parties, reader: Member, *, stands: bool
) -> Iterator[Command]:
    transfer, declared = record.transfer, record.transfer.consignment
    name, status = to_hex(transfer.transfer_id), transfer.status
    sender = known.members.get(transfer.sender)
    side = reader.member_id in (transfer.sender, transfer.recipient)
    sends = reader.member_id == transfer.sender
    regulates = (
        Role.REGULATOR in reader.roles
        and sender is not None
        and sender.jurisdiction == reader.jurisdiction
        and not side
    )
    if status is TransferStatus.DECLARED and regulates:
        if stands:
            yield _act(known, name, "inspect", "To let it go on", "inspection", "--release --report WORDS")
        yield _act(known, name, "inspect", "To refuse it", "inspection", "--refuse --report WORDS")
    if status is TransferStatus.CLEARED and sends and stands and declared:
        if transfer.loaded < declared.count:
            what = f"To load records, up to {MAX_ITEMS} at once: a file with a passport and a decision in each line"
            yield _act(known, name, "load", what, "loads", "--items FILE")
        else:
            yield _act(known, name, "ship-all", "To ship it", "shipment")
    if status is TransferStatus.HALTED and stands and (regulates or transfer.halted_by == reader.member_id):
        yield _act(known, name, "resume", "To let it go on", "resumption")
    halted_by_sender = status is TransferStatus.HALTED and transfer.halted_by == transfer.sender
    if (status in RUNNING and (sends or regulates)) or (halted_by_sender and regulates):
        yield _act(known, name, "halt", "To stop it for the time being", "halt", "--reasons WORDS")
    if (status in RUNNING or status is TransferStatus.HALTED) and (side or regulates or not stands):
        yield _act(known, name, "terminate", "To stop it for good", "termination", "--reasons WORDS")


def _act(known: Parties, name: str, verb: str, label: str, route: str, options: str = "") -> Command:
    return Command(
        label, commands.transfer(known.origin, verb, name, options), f"POST /v1/transfers/{name}/{route}"
    )
