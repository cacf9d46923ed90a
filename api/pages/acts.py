"""
What the pages say of the committee's acts, as values.

Plain functions over the ledger's own values; nothing here asks the service.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from api.pages.presenters import (
    Answer,
    Command,
    Moment,
    categories_in_words,
    counted,
    moment,
    purposes_in_words,
)
from ledger.audit.law import DIRECTIONS, Change
from ledger.domain.vocabulary import (
    MEMBER_KIND_LABELS,
    PURPOSE_LABELS,
    ActKind,
    Category,
    MemberKind,
    Purpose,
    Role,
    SeatKind,
    kinds_of,
    names,
)
from ledger.policy import cap_of
from ledger.ports import ActRecord
from ledger.service.committee import ActStatus, Standing

#: A function of the ledger and its arguments by name, as `Chain.reading_of` tells them.
Reading = tuple[str, dict[str, Any]]

#: What the ledger does, by the function that an act calls.
FUNCTIONS: Final = {
    "setSeat": "Seat an institution, or take its seat",
    "setRule": "Set what acts of a kind need",
    "setPolicy": "Put a new version of the law into force",
    "setThresholds": "Set from how many exported persons on only an assessment clears",
    "issueTemplate": "Issue a template of consents",
    "withdrawTemplate": "Withdraw a template of consents",
    "declareEmergency": "Declare a public emergency",
    "endEmergency": "End a public emergency",
    "restoreEmergencyRight": "Give the right to emergencies back",
    "seal": "Seal a passport",
    "unseal": "Unseal a passport",
    "admit": "Admit an institution",
    "suspend": "Suspend an institution",
    "reinstate": "Lift the suspension of an institution",
    "expel": "Expel an institution",
    "rotateKeys": "Replace the keys of an institution",
    "license": "License an institution anew",
    "changeControl": "Record that an institution has changed hands",
    "setCaps": "Set the daily caps of an institution",
}
_STATUSES: Final = {
    ActStatus.WAITING: Answer("Waits for approvals", "…", "review"),
    ActStatus.APPROVED: Answer("Approved, not yet done", "…", "review"),
    ActStatus.DONE: Answer("Done", "✓", "permit"),
    ActStatus.LAPSED: Answer("Lapsed", "✕", "deny"),
}
_ACT_KINDS: Final = {int(kind): kind.name for kind in ActKind}
_SEAT_KINDS: Final = {int(kind): kind.name for kind in SeatKind}
_MEMBER_KINDS: Final = {int(kind): kind.name for kind in MemberKind}


@dataclass(frozen=True, slots=True)
class ActLine:
    """An act in a list."""

    number: int
    link: str
    what: str
    status: Answer
    proposer: str
    proposed: Moment


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument of an act: its name as the contract has it, and its value in words."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class ChangeGroup:
    """Changes of the law that are alike, as sentences."""

    heading: str
    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LawComparison:
    """What a proposed law would change of the one in force."""

    version: int
    groups: tuple[ChangeGroup, ...]


@dataclass(frozen=True, slots=True)
class ActPage:
    """An act in full, and what its reader can do about it."""

    line: ActLine
    advice: str
    arguments: tuple[Argument, ...]
    law: LawComparison | None
    approvers: tuple[str, ...]
    lacking: str
    ready: Moment | None
    lapses: Moment | None
    done: Moment | None
    commands: tuple[Command, ...]


def act_line(record: ActRecord, standing: Standing, reading: Reading, members: Mapping[int, str]) -> ActLine:
    """Tell an act in a line; *members* are the names of members by number."""
    return ActLine(
        number=record.act_id,
        link=f"/acts/{record.act_id}",
        what=_what(reading, members),
        status=_STATUSES[standing.status],
        proposer=_member(record.approvers[0], members),  # who proposes approves first
        proposed=moment(record.proposed.time),
    )


def act_page(
    record: ActRecord,
    standing: Standing,
    reading: Reading,
    members: Mapping[int, str],
    *,
    law: LawComparison | None,
    commands: tuple[Command, ...],
) -> ActPage:
    """
    Tell an act in full.

    Args:
        record: The act.
        standing: How far it has come.
        reading: What it does.
        members: The names of members by number.
        law: What it would change of the law, told by `law_comparison`, in place of the table that it sets.
        commands: What the reader can do about it.
    """
    pending = standing.status in (ActStatus.WAITING, ActStatus.APPROVED)
    return ActPage(
        line=act_line(record, standing, reading, members),
        advice=standing.advice,
        arguments=() if law else tuple(_arguments(reading, members)),
        law=law,
        approvers=tuple(_member(number, members) for number in record.approvers),
        lacking=_lacking(standing) if pending else "",
        ready=moment(standing.ready_at) if standing.ready_at else None,
        lapses=None if record.executed_at else moment(standing.lapses_at),
        done=moment(record.executed_at) if record.executed_at else None,
        commands=commands,
    )


def law_comparison(changes: list[Change], version: int) -> LawComparison:
    """Tell what a law would change of a version of it, the stricter first."""
    alike = (
        (heading.en, [change for change in changes if change.stricter is stricter])
        for heading, stricter in DIRECTIONS
    )
    groups = (ChangeGroup(heading, tuple(map(_sentence, found))) for heading, found in alike if found)
    return LawComparison(version, tuple(groups))


def _sentence(change: Change) -> str:
    return f"{change.text.en} ({', '.join(change.requirements)})"


def _what(reading: Reading, members: Mapping[int, str]) -> str:
    function, arguments = reading
    what = FUNCTIONS.get(function, function)
    if "memberId" in arguments:
        return f"{what}: {_member(arguments['memberId'], members)}"
    return f"{what}: {arguments['admission']['name']}" if "admission" in arguments else what


def _lacking(standing: Standing) -> str:
    if not standing.lacking:
        return "nothing"
    kinds = [kind.name for kind in standing.lacking_seats]
    among = f", among them {', '.join(kinds)}" if kinds else ""
    return f"{counted(standing.lacking, 'more seat', 'more seats')}{among}"


def _arguments(reading: Reading, members: Mapping[int, str]) -> Iterator[Argument]:
    """Tell arguments one by one; those of a struct by the names of its fields."""
    function, arguments = reading
    for name, value in arguments.items():
        if isinstance(value, dict):
            yield from _arguments((function, value), members)
        else:
            yield Argument(name, _value(function, name, value, members))


def _value(function: str, name: str, value: Any, members: Mapping[int, str]) -> str:
    if name == "memberId":
        return f"{value}, {_member(value, members)}"
    words = _WORDS.get(f"{function}.{name}") or _WORDS.get(name) or str
    return words(value)


def _caps(caps: int) -> str:
    capped = {purpose: cap for purpose in Purpose if (cap := cap_of(caps, purpose))}
    return _joined(f"{PURPOSE_LABELS[purpose].en} {cap}" for purpose, cap in capped.items())


def _member(number: int, members: Mapping[int, str]) -> str:
    return members.get(number, f"member {number}")


def _joined(words: Iterator[str] | list[str]) -> str:
    return ", ".join(words) or "none"


#: How an argument is said, by its name; by function and name where a name means several things.
_WORDS: Final[dict[str, Callable[[int], str]]] = {
    "admit.kind": lambda kind: _MEMBER_KINDS.get(kind, str(kind)),
    "setRule.kind": lambda kind: _ACT_KINDS.get(kind, str(kind)),
    "setSeat.kind": lambda kind: _SEAT_KINDS.get(kind, str(kind)),
    "caps": _caps,
    "categories": lambda kinds: categories_in_words(Category(kinds)),
    "from": lambda time: moment(time).text,
    "purposes": purposes_in_words,
    "recipientKinds": lambda kinds: _joined(MEMBER_KIND_LABELS[kind].en for kind in kinds_of(kinds)),
    "roles": lambda roles: _joined(names(Role(roles))),
    "seats": lambda seats: _joined(name for kind, name in _SEAT_KINDS.items() if seats >> kind & 1),
    "until": lambda time: moment(time).text,
    "validTo": lambda time: moment(time).text,
    "withdrawn": lambda withdrawn: "yes" if withdrawn else "no",
}
