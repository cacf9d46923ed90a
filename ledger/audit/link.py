"""What a link of a custody chain is, and how events are read as links."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from ledger.audit.state import DecisionEntry, LedgerState
from ledger.domain.lineage import VersionId
from ledger.domain.records import Commitment, Event, GrantId, PassportId, Position, TransferId
from ledger.domain.vocabulary import BASIS_LABELS
from ledger.encoding.inclusions import InclusionList

#: What an event is about: a kind of thing, and which one.
Name = tuple[str, Any]


class LinkAct(StrEnum):
    """What a link is about."""

    KEPT = "KEPT"
    CONSENT = "CONSENT"
    EMERGENCY = "EMERGENCY"
    ASKED = "ASKED"
    REVIEWED = "REVIEWED"
    HANDED_OVER = "HANDED_OVER"
    SHIPPED = "SHIPPED"
    RECEIVED = "RECEIVED"
    DATASET = "DATASET"
    WITHDRAWN = "WITHDRAWN"
    STEP = "STEP"
    CHECKED = "CHECKED"
    SHARED = "SHARED"
    ANSWERED = "ANSWERED"
    STATED = "STATED"
    MEMBER = "MEMBER"
    PROJECT = "PROJECT"
    TRANSFER = "TRANSFER"
    AGREEMENT = "AGREEMENT"
    BORDER = "BORDER"
    USED = "USED"


@dataclass(frozen=True, slots=True)
class Link:
    """
    One link of a custody chain.

    Attributes:
        sentence: What happened, in plain words. Never the name of a person.
        time: When, seconds since the Unix epoch.
        position: Where it stands on the chain; None for a use that an access log alone shows.
        member_id: Who did it; None if the ledger does not say.
        recipient: Who got the data or the right, or 0.
        passport_id: Whose data; with `seq`, the decision that it was, or was done under.
        grant_id: The consent that it was, or was done under.
        basis: The ground that was named, in words.
        policy_version: The version of the law that decided it, or 0.
        agreement: Commitment to the agreement that it was done under.
        permitted: Whether it was; None where no permission is asked for, or a human has yet to give it.
        missing: Names of the facts or rules that were missing; `reasons` the same in words.
        inclusions: Of a step that collected a dataset: the decisions behind it.
    """

    act: LinkAct
    sentence: str
    time: int
    position: Position | None = None
    member_id: int | None = None
    recipient: int = 0
    passport_id: PassportId | None = None
    seq: int | None = None
    grant_id: GrantId | None = None
    basis: str | None = None
    policy_version: int = 0
    project_id: int = 0
    agreement: Commitment | None = None
    dataset_id: int = 0
    step_id: int = 0
    versions: tuple[VersionId, ...] = ()
    transfer_id: TransferId | None = None
    permitted: bool | None = None
    missing: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    inclusions: InclusionList | None = None

    @property
    def order(self) -> tuple[int, int, int, int]:
        """Return what orders links: a use that no block has comes after what the chain has of the same second."""
        if self.position is None:
            return self.time, 1, 0, 0
        return self.time, 0, *self.position.order


@dataclass(frozen=True, slots=True)
class Reading:
    """
    How one kind of event is read.

    Attributes:
        names: What an event is about, the narrowest first.
        tell: The link that it is. The state is that of the whole chain, not of the moment.
    """

    names: Callable[[dict[str, Any]], Iterable[Name]]
    tell: Callable[[LedgerState, Event], Link]


def of_passport(
    event: Event, act: LinkAct, sentence: str, member_id: int | None = None, **words: Any
) -> Link:
    """Return a link that is about the record that an event names."""
    passport_id = PassportId(event.arguments["passportId"])
    return link(event, act, sentence, member_id, passport_id=passport_id, **words)


def link(event: Event, act: LinkAct, sentence: str, member_id: int | None = None, **words: Any) -> Link:
    """Return the link that an event is."""
    position = event.position
    return Link(act, sentence, position.time, position=position, member_id=member_id, **words)


def under(
    entry: DecisionEntry | None,
    event: Event,
    act: LinkAct,
    sentence: str,
    member_id: int | None,
    **words: Any,
) -> Link:
    """Return a link that is a decision, or that was done under one, if that is on record."""
    if entry is None:
        return of_passport(event, act, sentence, member_id, seq=event.arguments["seq"], **words)
    terms = entry.terms
    grant_id = entry.grant_id if any(entry.grant_id) else None
    return of_passport(
        event,
        act,
        sentence,
        member_id,
        seq=entry.seq,
        grant_id=grant_id,
        basis=BASIS_LABELS[terms.basis].en,
        policy_version=entry.verdict.policy_version,
        project_id=terms.project_id,
        **words,
    )


def decision_of(state: LedgerState, given: dict[str, Any]) -> DecisionEntry | None:
    """Return the decision that an event names, if it is on record."""
    return state.decisions.get(PassportId(given["passportId"]), {}).get(given["seq"])


def request_names(given: dict[str, Any]) -> Iterable[Name]:
    """Return what an event about a decision is about."""
    return ("decision", (given["passportId"], given["seq"])), ("passport", given["passportId"])
