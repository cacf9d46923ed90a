"""
What the page of borders says, as values.

Plain functions over the ledger's own values; nothing here asks the service.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from api.pages import commands
from api.pages.parties import Parties
from api.pages.presenters import Answer, Command, Moment, moment
from ledger.domain.records import Clearance, Exports, Member, Thresholds
from ledger.domain.vocabulary import PATH_LABELS, Role
from ledger.ports import ClearanceRecord

_IN_FORCE: Final = Answer("In force", "✓", "permit")
_WITHDRAWN: Final = Answer("Withdrawn", "✕", "deny")
_REPLACED: Final = Answer("Replaced by a later one", "✕", "deny")
_NOT_YET: Final = Answer("Not yet in force", "…", "review")
_ENDED: Final = Answer("Ended", "✕", "deny")
_NO_CONTRACT: Final = Answer("Its contract is not in force", "✕", "deny")
_USED_UP: Final = Answer("Used up: no further person may cross", "✕", "deny")
_NOT_LISTED: Final = Answer("Not on the list", "–", "plain")
_REACHED: Final = Answer("Reached: only an assessment clears more persons", "✕", "deny")
_BELOW: Final = Answer("Below both", "✓", "permit")


@dataclass(frozen=True, slots=True)
class AccessLine:
    """Until when a member may receive data from abroad."""

    number: int
    name: str
    country: str
    state: Answer
    until: Moment | None
    commands: tuple[Command, ...]


@dataclass(frozen=True, slots=True)
class ClearanceLine:
    """A clearance in a list; `agreement` is 0 unless it rests on a standard contract."""

    number: int
    anchor: str
    exporter: str
    importer: str
    project_id: int
    issuer: str
    path: str
    start: Moment
    end: Moment
    persons: str
    agreement: int
    state: Answer
    commands: tuple[Command, ...]


@dataclass(frozen=True, slots=True)
class ExportLine:
    """How many persons' data an exporter has sent abroad in a year, beside the thresholds."""

    exporter: str
    year: int
    persons: str
    sensitive_persons: str
    state: Answer


def access_line(member: Member, until: int, known: Parties, *, reader: Member) -> AccessLine:
    """Tell until when (seconds since the Unix epoch, 0 for never) a member may receive data from abroad."""
    over = _ENDED if until else _NOT_LISTED
    return AccessLine(
        number=member.member_id,
        name=member.name,
        country=f"{member.jurisdiction:03}",
        state=_IN_FORCE if known.at < until else over,
        until=moment(until) if until else None,
        commands=tuple(_access_commands(member, known, reader, listed=known.at < until)),
    )


def clearance_line(
    record: ClearanceRecord, known: Parties, *, importer: int, in_force: bool, reader: Member
) -> ClearanceLine:
    """
    Tell a clearance.

    Args:
        record: The clearance.
        known: What it is told with.
        importer: The member whose project it is for.
        in_force: Whether it counts now, its contract with it.
        reader: Who reads.
    """
    clearance = record.clearance
    return ClearanceLine(
        number=clearance.clearance_id,
        anchor=f"clearance-{clearance.clearance_id}",
        exporter=known.name(clearance.exporter),
        importer=known.name(importer),
        project_id=clearance.project_id,
        issuer=known.name(clearance.issuer),
        path=PATH_LABELS[clearance.path].en,
        start=moment(clearance.valid_from),
        end=moment(clearance.valid_to),
        persons=_of(clearance.persons, clearance.max_persons),
        agreement=clearance.agreement,
        state=_state(record, known.at, in_force=in_force),
        commands=tuple(_clearance_commands(clearance, known, reader)),
    )


def export_line(
    exporter: int, year: int, exports: Exports, thresholds: Thresholds, known: Parties
) -> ExportLine:
    """Tell how many persons' data an exporter has sent abroad in a calendar year (UTC+8)."""
    reached = (
        exports.persons >= thresholds.persons or exports.sensitive_persons >= thresholds.sensitive_persons
    )
    return ExportLine(
        exporter=known.name(exporter),
        year=year,
        persons=_of(exports.persons, thresholds.persons),
        sensitive_persons=_of(exports.sensitive_persons, thresholds.sensitive_persons),
        state=_REACHED if reached else _BELOW,
    )


def border_commands(known: Parties, reader: Member) -> tuple[Command, ...]:
    """Return what a reader can do about borders as a whole."""
    origin = known.origin
    found = [
        Command(
            "To read the counters of an exporter",
            commands.border(origin, "exports", "NUMBER"),
            "GET /v1/members/{id}/exports",
        ),
        Command("To read the thresholds", commands.border(origin, "thresholds"), "GET /v1/thresholds"),
    ]
    if reader.roles & (Role.REGULATOR | Role.VERIFIER):
        options = "--exporter NUMBER --path NAME --until WHEN --persons NUMBER --filing WORDS"
        text = commands.border(origin, "clear", "NUMBER", options)
        found.append(Command("To clear an exporter's data for a project", text, "POST /v1/clearances"))
    if Role.COMMITTEE in reader.roles:
        options = "--persons NUMBER --sensitive NUMBER --reason WORDS"
        text = commands.border(origin, "thresholds", options=options)
        found.append(Command("To propose other thresholds", text, "PUT /v1/thresholds"))
    return tuple(found)


def _state(record: ClearanceRecord, at: int, *, in_force: bool) -> Answer:
    clearance = record.clearance
    if record.withdrawn_at:
        return _WITHDRAWN
    if not record.is_latest:
        return _REPLACED
    if at < clearance.valid_from:
        return _NOT_YET
    if at >= clearance.valid_to:
        return _ENDED
    if not in_force:
        return _NO_CONTRACT
    return _USED_UP if clearance.persons >= clearance.max_persons else _IN_FORCE


def _access_commands(member: Member, known: Parties, reader: Member, *, listed: bool) -> Iterator[Command]:
    if Role.REGULATOR not in reader.roles or member.member_id == reader.member_id:
        return
    route = f"PUT /v1/members/{member.member_id}/border-access"
    text = commands.border(known.origin, "access", member.member_id, "--until 1y")
    yield Command(f"To put {member.name} on the list for a year", text, route)
    if listed:
        text = commands.border(known.origin, "access", member.member_id, "--remove")
        yield Command(f"To take {member.name} off the list", text, route)


def _clearance_commands(clearance: Clearance, known: Parties, reader: Member) -> Iterator[Command]:
    exporter = known.members.get(clearance.exporter)
    near = exporter is not None and reader.jurisdiction == exporter.jurisdiction
    may = reader.member_id == clearance.issuer or (Role.REGULATOR in reader.roles and near)
    if may and known.at < clearance.valid_to:
        number = clearance.clearance_id
        text = commands.border(known.origin, "withdraw", number, "--reason WORDS")
        yield Command(f"To take clearance {number} back", text, f"POST /v1/clearances/{number}/withdrawal")


def _of(number: int, most: int) -> str:
    return f"{number:,} of {most:,}"
