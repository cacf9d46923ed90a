"""
What the pages say of agreements, as values.

Plain functions over the ledger's own values; nothing here asks the service.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from api.pages import commands
from api.pages.parties import Parties
from api.pages.presenters import (
    Answer,
    Command,
    Moment,
    categories_in_words,
    counted,
    moment,
    purposes_in_words,
)
from ledger.domain.records import Limits, Member
from ledger.domain.vocabulary import AgreementStatus
from ledger.encoding.hexadecimal import to_hex
from ledger.ports import AgreementRecord

_DAY: Final = 86_400
_STATUSES: Final = {
    AgreementStatus.PROPOSED: Answer("Proposed: not signed yet", "…", "review"),
    AgreementStatus.ENDED: Answer("Ended", "✕", "deny"),
}
_IN_FORCE: Final = Answer("In force", "✓", "permit")
_NOT_IN_FORCE: Final = Answer("Signed, not in force", "✕", "deny")
_LAPSED: Final = Answer("Not signed in time", "✕", "deny")


@dataclass(frozen=True, slots=True)
class AgreementLine:
    """An agreement in a list, and what its reader can do about it if it waits for that."""

    number: int
    link: str
    provider: str
    recipient: str
    purposes: str
    until: Moment
    state: Answer
    waits: bool
    commands: tuple[Command, ...]


@dataclass(frozen=True, slots=True)
class AgreementPage:
    """
    An agreement in full.

    Attributes:
        limits: What it allows, each aspect in words.
        proposed: When its provider signed by proposing; `signed`: when its recipient did.
        ended: When it was ended; `ended_by`: by whom.
        commitment: To its text.
        text: For its sides, if this service keeps it.
        seen: Whether the reader is one of its sides.
    """

    line: AgreementLine
    limits: tuple[tuple[str, str], ...]
    proposed: Moment
    signed: Moment | None
    ended: Moment | None
    ended_by: str
    commitment: str
    text: str | None
    seen: bool
    commands: tuple[Command, ...]


def limits_in_words(limits: Limits) -> tuple[tuple[str, str], ...]:
    """Tell what an agreement allows, aspect by aspect."""
    days = limits.retention_seconds / _DAY
    kept = f"{days:,.0f} days" if days >= 1 else f"{limits.retention_seconds:,} seconds"
    within = (
        f"within {counted(limits.response_hours, 'hour', 'hours')}"
        if limits.response_hours
        else "no time agreed"
    )
    return (
        ("May serve", purposes_in_words(limits.purposes)),
        ("Kinds of data", categories_in_words(limits.categories)),
        ("Runs until", moment(limits.valid_to).text),
        ("The recipient may keep what it received for", kept),
        ("The recipient reports an incident", within),
        ("Passing it on", "allowed, within these limits" if limits.onward else "not allowed"),
        ("Merging it with other data", "allowed" if limits.linkage else "not allowed"),
    )


def agreement_line(
    record: AgreementRecord, known: Parties, *, in_force: bool, reader: Member | None = None
) -> AgreementLine:
    """Tell an agreement in a list; with the command to sign it, if it waits for the reader."""
    agreement, at = record.agreement, known.at
    limits, lapsed = agreement.limits, at >= agreement.limits.valid_to
    waits = (
        reader is not None
        and agreement.status is AgreementStatus.PROPOSED
        and not lapsed
        and agreement.recipient == reader.member_id
    )
    if in_force:
        state = _IN_FORCE
    elif agreement.status is AgreementStatus.PROPOSED and lapsed:
        state = _LAPSED
    else:
        state = _STATUSES.get(agreement.status, _NOT_IN_FORCE)
    return AgreementLine(
        number=agreement.agreement_id,
        link=f"/agreements/{agreement.agreement_id}",
        provider=known.name(agreement.provider),
        recipient=known.name(agreement.recipient),
        purposes=purposes_in_words(limits.purposes),
        until=moment(limits.valid_to),
        state=state,
        waits=waits,
        commands=(_sign(record, known),) if waits else (),
    )


def agreement_page(
    record: AgreementRecord, known: Parties, *, in_force: bool, text: str | None, reader: Member
) -> AgreementPage:
    """
    Tell an agreement in full.

    Args:
        record: The agreement.
        known: What it is told with.
        in_force: Whether it is in force now.
        text: Its text, for its sides.
        reader: Who reads.
    """
    agreement = record.agreement
    line = agreement_line(record, known, in_force=in_force, reader=reader)
    return AgreementPage(
        line=line,
        limits=limits_in_words(agreement.limits),
        proposed=moment(record.position.time),
        signed=moment(record.signed_at) if record.signed_at else None,
        ended=moment(record.ended_at) if record.ended_at else None,
        ended_by=known.name(record.ended_by) if record.ended_by else "",
        commitment=to_hex(record.text),
        text=text,
        seen=reader.member_id in (agreement.provider, agreement.recipient),
        commands=tuple(_agreement_commands(record, known, line, reader, in_force=in_force)),
    )


def _agreement_commands(
    record: AgreementRecord, known: Parties, line: AgreementLine, reader: Member, *, in_force: bool
) -> Iterator[Command]:
    agreement = record.agreement
    number = agreement.agreement_id
    yield from line.commands
    if in_force and reader.member_id == agreement.provider:
        text = commands.declare(known.origin, number)
        yield Command("To declare a transfer under it", text, "POST /v1/transfers/declarations")
    sides = (agreement.provider, agreement.recipient)
    if reader.member_id in sides and agreement.status is not AgreementStatus.ENDED:
        label = "To decline it" if line.waits else "To end it: nothing more is given under it"
        text = commands.agreement(known.origin, "end", number, "--reason WORDS")
        yield Command(label, text, f"POST /v1/agreements/{number}/end")


def _sign(record: AgreementRecord, known: Parties) -> Command:
    number, text = record.agreement.agreement_id, to_hex(record.text)
    return Command(
        "To sign it, once its text is read",
        commands.agreement(known.origin, "sign", number, f"--commitment {text}"),
        f"POST /v1/agreements/{number}/signature",
    )
