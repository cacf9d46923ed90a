"""
What is wrong, whose it is, and where the evidence stands.

Each rule is a function over the folded state; none reads anything. docs/spec.md, "Verifying", steps 7 to 11.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Protocol

from ledger.audit.replay import Replay
from ledger.audit.state import (
    DecisionEntry,
    EmergencyEntry,
    GrantEntry,
    LedgerState,
    TransferEntry,
    Withdrawal,
)
from ledger.domain.lineage import ANSWER_SECONDS as WITHDRAWAL_SECONDS
from ledger.domain.lineage import Version
from ledger.domain.records import PassportId, Position
from ledger.domain.vocabulary import (
    MISSING_LABELS,
    PURPOSE_LABELS,
    STEP_KIND_LABELS,
    DatasetStatus,
    EmergencyFinding,
    EmergencyKind,
    Fact,
    GrantStatus,
    Purpose,
    names,
)
from ledger.encoding import merkle
from ledger.encoding.hexadecimal import bytes32, to_hex
from ledger.errors import InvalidInput
from ledger.lineage import obligation_of
from ledger.policy import PERMIT_SECONDS, year_of
from ledger.transfers import ANSWER_SECONDS, is_reporting


class Rule(StrEnum):
    """What a finding says."""

    DECISION_MISMATCH = "decision-mismatch"
    STEP_MISMATCH = "step-mismatch"
    HEAD_MISMATCH = "head-mismatch"
    SIZE_MISMATCH = "size-mismatch"
    RELEASE_WITHOUT_PERMIT = "release-without-permit"
    PERMIT_WITHOUT_RELEASE = "permit-without-release"
    TRANSFER_DISPUTED = "transfer-disputed"
    TRANSFER_UNANSWERED = "transfer-unanswered"
    TRANSFER_MISMATCH = "transfer-mismatch"
    TRANSFER_ROOT = "transfer-root"
    REPORT_OVERDUE = "report-overdue"
    EMERGENCY_UNJUSTIFIED = "emergency-unjustified"
    EMERGENCY_UNREVIEWED = "emergency-unreviewed"
    WITHDRAWAL_MISMATCH = "withdrawal-mismatch"
    WITHDRAWAL_UNANSWERED = "withdrawal-unanswered"
    RETENTION_OVERDUE = "retention-overdue"
    CLEARANCE_USED_UP = "clearance-used-up"
    THRESHOLD_REACHED = "threshold-reached"
    USE_WITHOUT_PERMIT = "use-without-permit"
    UNKNOWN_MEMBER = "unknown-member"
    INDEX_ALTERED = "index-altered"

    @property
    def is_informational(self) -> bool:
        """Tell whether the rule points at a gap that needs no wrong-doing."""
        return self in {
            Rule.PERMIT_WITHOUT_RELEASE,
            Rule.CLEARANCE_USED_UP,
            Rule.THRESHOLD_REACHED,
        }


@dataclass(frozen=True, slots=True)
class Finding:
    """
    One thing that is wrong.

    Attributes:
        rule: Which rule was broken.
        detail: One sentence in plain words. Never the name of a person.
        member_id: The institution it concerns; None if none or unknown.
        member_name: What it is called; for a member nobody knows, what the access log calls it.
        passport: The passport, `0x` and 64 digits, or what an access log gives instead.
        seq: The decision within the passport.
        evidence: Where on the chain to look, in the order of the chain.
    """

    rule: Rule
    detail: str
    member_id: int | None = None
    member_name: str | None = None
    passport: str | None = None
    seq: int | None = None
    evidence: tuple[Position, ...] = ()


@dataclass(frozen=True, slots=True)
class Limits:
    """
    How long things may take, in seconds.

    Attributes:
        release_seconds: From a permit to read to its completion receipt: as long as a permit is good.
        transfer_seconds: From shipping to the recipient's answer.
        clock_skew_seconds: How far the clock of whoever wrote an access log may be off.
    """

    release_seconds: int = PERMIT_SECONDS
    transfer_seconds: int = ANSWER_SECONDS
    clock_skew_seconds: int = 0


class Use(Protocol):
    """One use of data as somebody's own access log tells it; `ledger.interop.fhir.AccessLogEntry` is one."""

    @property
    def member(self) -> str:
        """Name of the institution as the log writes it."""

    @property
    def member_id(self) -> int | None:
        """Number of the institution on the ledger, if the log gives it; goes before the name."""

    @property
    def passport(self) -> str:
        """The passport, `0x` and 64 digits."""

    @property
    def decision(self) -> int | None:
        """The decision relied on, if the log names one."""

    @property
    def recorded(self) -> datetime:
        """When, with a time zone."""

    @property
    def purpose(self) -> str | None:
        """The purpose of use, if the log names one: a HL7 v3-ActReason code or a purpose of the ledger."""


def decision_findings(replay: Replay) -> Iterator[Finding]:
    """5. and 6. Decisions that the law would have answered otherwise."""
    for mismatch in replay.mismatches:
        entry = mismatch.entry
        parts = "; ".join(
            f"{name} is {recorded}, by the law it is {expected}"
            for name, recorded, expected in mismatch.differences
        )
        yield _about(
            replay.state, Rule.DECISION_MISMATCH, entry, f"The recorded answer is not the law's: {parts}."
        )


def step_findings(replay: Replay) -> Iterator[Finding]:
    """5. Steps that broke other rules than were recorded."""
    for mismatch in replay.step_mismatches:
        record = mismatch.entry.record
        parts = (
            ("recorded as broken, but kept", record.missing & ~mismatch.expected),
            ("broken, but not recorded", mismatch.expected & ~record.missing),
        )
        found = "; ".join(f"{what}: {', '.join(names(facts))}" for what, facts in parts if facts)
        kind = STEP_KIND_LABELS[record.step.kind].en
        yield _of_member(
            replay.state,
            Rule.STEP_MISMATCH,
            record.member_id,
            f"Step {record.step_id} ({kind}) is not as its rules have it: {found}.",
            mismatch.entry.position,
        )


def head_findings(state: LedgerState, head: bytes) -> Iterator[Finding]:
    """7. The contract's running head is not the fold of the decisions found."""
    if head != state.head:
        heads = f"The contract's head is {to_hex(head)}, the decisions found fold to {to_hex(state.head)}"
        yield Finding(Rule.HEAD_MISMATCH, f"{heads}: this node leaves out or alters decisions.")


def size_findings(state: LedgerState, sizes: Iterable[tuple[PassportId, int]]) -> Iterator[Finding]:
    """8. A passport has another number of decisions than were found."""
    for passport_id, size in sizes:
        found = state.counts.get(passport_id, 0)
        if size != found:
            custodian = state.passports[passport_id].custodian
            yield Finding(
                Rule.SIZE_MISMATCH,
                f"The contract counts {size} decisions for this passport, {found} were found.",
                member_id=custodian,
                member_name=state.member_name(custodian),
                passport=to_hex(passport_id),
                evidence=(state.issued[passport_id],),
            )


def release_findings(state: LedgerState, *, at: int, limits: Limits) -> Iterator[Finding]:
    """
    9. Releases without a permit, and permits to read whose release is not on record.

    Args:
        state: What the events add up to.
        at: Time of the last block, seconds since the Unix epoch.
        limits: How long a release may take.
    """
    for release in state.releases.values():
        if not release.unfounded:
            continue
        decision = state.decisions.get(release.passport_id, {}).get(release.seq)
        yield Finding(
            Rule.RELEASE_WITHOUT_PERMIT,
            f"{state.member_name(release.custodian)} handed over keys under decision {release.seq}, "
            f"{_why_no_permit(decision)}.",
            member_id=release.custodian,
            member_name=state.member_name(release.custodian),
            passport=to_hex(release.passport_id),
            seq=release.seq,
            evidence=_evidence(decision, release.position),
        )
    for entry in state.unreleased.values():
        age = at - entry.position.time
        if age > limits.release_seconds:
            yield _about(
                state,
                Rule.PERMIT_WITHOUT_RELEASE,
                entry,
                f"{state.member_name(entry.member_id)} was permitted to read {age} seconds ago and no release is on "
                "record: the permit was not used, or its receipt is missing.",
            )


def declaration_findings(replay: Replay) -> Iterator[Finding]:
    """5. Declared transfers that broke other rules than were recorded, or are between others than their agreement."""
    for mismatch in replay.transfer_mismatches:
        transfer = mismatch.entry.transfer
        parts = [
            f"{what}: {', '.join(names(facts))}"
            for what, facts in (
                ("recorded as broken, but kept", transfer.missing & ~mismatch.expected),
                ("broken, but not recorded", mismatch.expected & ~transfer.missing),
            )
            if facts
        ]
        if transfer.crosses is not mismatch.crosses:
            parts.append(f"it {'crosses a border' if mismatch.crosses else 'crosses no border'}")
        found = "; ".join(parts) or "it is not between the sides of its agreement"
        detail = f"Transfer {to_hex(transfer.transfer_id)} is not as its rules have it: {found}."
        yield _of_member(
            replay.state, Rule.TRANSFER_MISMATCH, transfer.sender, detail, mismatch.entry.position
        )


def transfer_findings(state: LedgerState, *, at: int, limits: Limits) -> Iterator[Finding]:
    """9. Transfers shipped without a permit, told differently by the two sides, never answered, or not reported on."""
    for entry in state.transfers.values():
        transfer = entry.transfer
        sender, recipient = state.member_name(transfer.sender), state.member_name(transfer.recipient)
        shipping = f"{sender} shipped transfer {to_hex(transfer.transfer_id)} to {recipient}"
        if transfer.consignment is not None:
            yield from _findings_of_many(state, entry)
        elif entry.unfounded:
            detail = (
                f"{shipping} under decision {transfer.seq}, no unused permit to transfer for that recipient that "
                "still stood."
            )
            yield _about_transfer(state, Rule.RELEASE_WITHOUT_PERMIT, entry, transfer.sender, detail)
        if transfer.received_content not in {None, transfer.content}:
            contents = (
                f"{to_hex(transfer.content)} was sent, {to_hex(transfer.received_content or b'')} arrived"
            )
            yield _about_transfer(
                state, Rule.TRANSFER_DISPUTED, entry, transfer.sender, f"{shipping}: {contents}."
            )
        age = at - entry.shipped.time if entry.shipped else 0
        if entry.received is None and age > limits.transfer_seconds:
            detail = f"{shipping} {age} seconds ago and {recipient} has not stated what it received."
            yield _about_transfer(state, Rule.TRANSFER_UNANSWERED, entry, transfer.recipient, detail)
        if is_reporting(transfer) and at >= transfer.report_due:
            detail = (
                f"{recipient} had to report on transfer {to_hex(transfer.transfer_id)} from abroad by "
                f"{_moment(transfer.report_due)}; no report is on record."
            )
            yield _about_transfer(state, Rule.REPORT_OVERDUE, entry, transfer.recipient, detail)


def _findings_of_many(state: LedgerState, entry: TransferEntry) -> Iterator[Finding]:
    transfer = entry.transfer
    sender, recipient = state.member_name(transfer.sender), state.member_name(transfer.recipient)
    name = to_hex(transfer.transfer_id)
    loads = state.loads.get(transfer.transfer_id, [])
    for load in loads:
        if load.unfounded:
            item = load.item
            yield Finding(
                Rule.RELEASE_WITHOUT_PERMIT,
                f"{sender} loaded a record into transfer {name} under decision {item.seq}, no unused permit for "
                f"{recipient} that still stood and was within what was declared, or when it could not be loaded.",
                member_id=transfer.sender,
                member_name=sender,
                passport=to_hex(item.passport_id),
                seq=item.seq,
                evidence=_evidence(state.decisions.get(item.passport_id, {}).get(item.seq), load.position),
            )
    if entry.unfounded:
        detail = f"{sender} shipped transfer {name} when it could not be shipped: not cleared, not whole, or lapsed."
        yield _about_transfer(state, Rule.RELEASE_WITHOUT_PERMIT, entry, transfer.sender, detail)
    if entry.shipped is not None:
        leaves = [merkle.leaf_of(load.item) for load in loads]
        root = merkle.root(leaves) if leaves else None
        if root != transfer.content:
            detail = (
                f"The root of transfer {name} is {to_hex(transfer.content)}, not that of the records loaded."
            )
            yield _about_transfer(state, Rule.TRANSFER_ROOT, entry, transfer.sender, detail)


def emergency_findings(state: LedgerState, *, at: int) -> Iterator[Finding]:
    """9. Emergencies that a reviewer found unjustified, and those whose review is overdue or came too late."""
    for entry in state.emergencies.values():
        emergency = entry.emergency
        if emergency.kind is not EmergencyKind.INDIVIDUAL:
            continue
        opener = state.member_name(emergency.member_id)
        opened = f"{opener} opened emergency {emergency.emergency_id} on {_moment(entry.position.time)}"
        if emergency.finding is EmergencyFinding.UNJUSTIFIED:
            reviewer = state.member_name(entry.reviewer)
            detail = f"{opened}; {reviewer} found it unjustified on {_moment(entry.reviewed_at)}."
            yield _about_emergency(state, Rule.EMERGENCY_UNJUSTIFIED, entry, detail)
        due = f"its review was due by {_moment(emergency.review_due)}"
        if emergency.finding is EmergencyFinding.PENDING and at > emergency.review_due:
            yield _about_emergency(
                state, Rule.EMERGENCY_UNREVIEWED, entry, f"{opened}; {due} and is missing."
            )
        elif entry.reviewed_at > emergency.review_due:
            detail = f"{opened}; {due} and came on {_moment(entry.reviewed_at)}."
            yield _about_emergency(state, Rule.EMERGENCY_UNREVIEWED, entry, detail)


def withdrawal_findings(state: LedgerState, *, at: int) -> Iterator[Finding]:
    """
    9. Withdrawals that datasets were not told of, or told of without reason, and those that wait too long for an answer.

    Args:
        state: What the events add up to.
        at: Time of the last block, seconds since the Unix epoch.
    """
    derived = {_named(withdrawal): withdrawal for withdrawal in state.withdrawals}
    announced = {_named(withdrawal): withdrawal for withdrawal in state.announced}
    for found, others, problem in (
        (derived, announced, "was not told that consent {} ended, under which somebody is in it"),
        (announced, derived, "was told that consent {} ended, which the ends of consents do not bear out"),
    ):
        for name, withdrawal in found.items():
            if name not in others:
                owner = state.datasets[withdrawal.dataset_id].owner
                detail = f"Dataset {withdrawal.dataset_id} {problem.format(to_hex(withdrawal.grant_id))}."
                yield _of_member(state, Rule.WITHDRAWAL_MISMATCH, owner, detail, withdrawal.position)
    for version in state.versions.values():
        due = obligation_of(version, state.datasets)
        if due is not None and at > due:
            yield _unanswered(state, version, due)


def _named(withdrawal: Withdrawal) -> tuple[int, bytes, int, int]:
    """Return what two records of one withdrawal have in common."""
    return withdrawal.dataset_id, withdrawal.grant_id, withdrawal.number, withdrawal.position.time


def _unanswered(state: LedgerState, version: Version, due: int) -> Finding:
    datasets = {origin.dataset_id for origin in version.origins}
    reached = [
        withdrawal.position
        for withdrawal in state.withdrawals
        if withdrawal.dataset_id in datasets and withdrawal.position.time + WITHDRAWAL_SECONDS == due
    ]
    detail = (
        f"{state.member_name(version.owner)} has not answered the withdrawal that reached its model "
        f"{to_hex(version.version_id)}; it was due by {_moment(due)}."
    )
    made = state.steps[version.step_id].position
    return _of_member(state, Rule.WITHDRAWAL_UNANSWERED, version.owner, detail, made, *reached)


def retention_findings(state: LedgerState, *, at: int) -> Iterator[Finding]:
    """9. Datasets that are past their retention and were not destroyed."""
    for dataset in state.datasets.values():
        if dataset.status is DatasetStatus.DESTROYED or at < dataset.retain_until:
            continue
        detail = (
            f"{state.member_name(dataset.owner)} had to destroy dataset {dataset.dataset_id} by "
            f"{_moment(dataset.retain_until)}; its destruction is not on record."
        )
        position = state.declared[dataset.dataset_id]
        yield _of_member(state, Rule.RETENTION_OVERDUE, dataset.owner, detail, position)


def border_findings(state: LedgerState, *, at: int) -> Iterator[Finding]:
    """
    9. Clearances in force that are good for nobody more, and exporters that have reached a threshold this year.

    Args:
        state: What the events add up to.
        at: Time of the last block, seconds since the Unix epoch.
    """
    for number, entry in state.clearances.items():
        clearance = entry.clearance
        latest = state.clearance_for[clearance.project_id, clearance.exporter] == number
        if latest and at < clearance.valid_to and clearance.persons >= clearance.max_persons:
            detail = (
                f"Clearance {number} of {state.member_name(clearance.exporter)} for project {clearance.project_id} is "
                f"used up: {clearance.persons} persons have crossed under it, of {clearance.max_persons}."
            )
            yield _of_member(state, Rule.CLEARANCE_USED_UP, clearance.exporter, detail, entry.position)
    limits, this_year = state.thresholds, year_of(at)
    for (exporter, year), exports in state.exports.items():
        reached = [
            f"{count} persons{of_whom} (the threshold is {limit})"
            for count, limit, of_whom in (
                (exports.persons, limits.persons, ""),
                (exports.sensitive_persons, limits.sensitive_persons, " with data of class 1 or 2"),
            )
            if count >= limit
        ]
        if year == this_year and reached:
            told = f"{state.member_name(exporter)} has exported the data of {' and '.join(reached)} in {year}"
            yield _of_member(
                state, Rule.THRESHOLD_REACHED, exporter, f"{told}: only an assessment clears more."
            )


def use_findings(state: LedgerState, uses: Iterable[Use], *, limits: Limits) -> Iterator[Finding]:
    """
    10. Uses that an access log shows and no permit covers.

    A use is covered by a permit of the same member for the same passport, recorded before the use, whose consent had
    not ended by then, and for the purpose that the log gives, if it gives one that the ledger knows. A log that names
    the decision is held to that decision.
    """
    for use in uses:
        member_id, problem = _member_of(state, use)
        if member_id is None:
            yield Finding(
                Rule.UNKNOWN_MEMBER,
                f"At {_moment(use.recorded)} the access log shows a use by somebody {problem}.",
                member_id=use.member_id,
                member_name=use.member or None,
                passport=use.passport,
                seq=use.decision,
            )
            continue
        finding = _check_use(state, use, member_id, limits)
        if finding is not None:
            yield finding


def _member_of(state: LedgerState, use: Use) -> tuple[int | None, str]:
    if use.member_id is not None:
        return (use.member_id, "") if use.member_id in state.members else (None, "whose number no member has")
    named = [
        member.member_id for member in state.members.values() if use.member and member.name == use.member
    ]
    if len(named) > 1:
        return None, "whose name several members have, without a number"
    return (named[0], "") if named else (None, "who is not a member of the ledger")


def _check_use(state: LedgerState, use: Use, member_id: int, limits: Limits) -> Finding | None:
    """Return what is wrong with a use by a known member; None if a permit covers it."""
    name = state.member_name(member_id)
    opening = f"{name} used the data at {_moment(use.recorded)}"
    try:
        passport_id = PassportId(bytes32(use.passport))
    except InvalidInput:
        passport_id = None
    if passport_id is None or passport_id not in state.passports:
        return Finding(
            Rule.USE_WITHOUT_PERMIT,
            f"{opening}; no such passport is on the ledger.",
            member_id=member_id,
            member_name=name,
            passport=use.passport,
            seq=use.decision,
        )
    decisions = state.decisions.get(passport_id, {})
    if use.decision is not None:
        named = decisions.get(use.decision)
        candidates = [named] if named else []
        nothing = f"the log relies on decision {use.decision}, which does not exist"
    else:
        candidates = [entry for entry in decisions.values() if entry.member_id == member_id]
        nothing = "it never asked"
    objections = [(entry, _objection(state, use, entry, member_id, limits)) for entry in candidates]
    if any(objection is None for _, objection in objections):
        return None
    # The latest permit says most about what went wrong; without one, the latest denial.
    entry, reason = max(objections, key=lambda item: (item[0].is_permit, item[0].seq), default=(None, None))
    grant = _grant_behind(state, entry) if entry else None
    ended = [grant.ended] if grant and grant.ended and entry and entry.is_permit else []
    return Finding(
        Rule.USE_WITHOUT_PERMIT,
        f"{opening} without a permit: {reason or nothing}.",
        member_id=member_id,
        member_name=name,
        passport=to_hex(passport_id),
        seq=entry.seq if entry else use.decision,
        evidence=_evidence(entry, *ended),
    )


def _objection(
    state: LedgerState, use: Use, entry: DecisionEntry, member_id: int, limits: Limits
) -> str | None:
    """Return why a decision does not cover a use; None if it does."""
    if entry.member_id != member_id:
        return f"decision {entry.seq} answers {state.member_name(entry.member_id)}"
    if not entry.is_permit:
        return f"its request was not permitted ({_reasons(entry)})"
    return _objection_to_time(state, use, entry, limits.clock_skew_seconds) or _objection_to_purpose(
        use, entry
    )


def _objection_to_time(state: LedgerState, use: Use, entry: DecisionEntry, skew: int) -> str | None:
    at = use.recorded.timestamp()
    if at + skew < entry.position.time:
        return f"its permit came later, at {_moment(entry.position.time)}"
    grant = _grant_behind(state, entry)
    if grant is None:
        return None
    # A block's time is a whole second: within the same second nobody can tell which came first.
    if grant.ended and int(at) - skew > grant.ended.time:
        how = "replaced" if grant.state.status is GrantStatus.SUPERSEDED else grant.state.status.name.lower()
        return f"the consent behind its permit was {how} at {_moment(grant.ended.time)}"
    if at - skew >= grant.state.use_to:
        return f"the consent behind its permit ended at {_moment(grant.state.use_to)}"
    return None


def _objection_to_purpose(use: Use, entry: DecisionEntry) -> str | None:
    permitted, used_for = entry.terms.purpose, _purposes_called(use.purpose)
    if used_for and permitted not in used_for:
        return f"its permit is for {PURPOSE_LABELS[permitted].en}, the log says {use.purpose}"
    return None


def _grant_behind(state: LedgerState, entry: DecisionEntry) -> GrantEntry | None:
    return state.grants.get((entry.passport_id, entry.grant_id)) if entry.rests_on_consent else None


def _purposes_called(code: str | None) -> set[Purpose]:
    if not code:
        return set()
    return {purpose for purpose, label in PURPOSE_LABELS.items() if code in (label.act_reason, purpose.name)}


def _reasons(entry: DecisionEntry) -> str:
    missing = Fact(entry.missing)
    reasons = [MISSING_LABELS[fact] for fact in Fact if fact in missing]
    return ", ".join(reasons) or "reasons that its verdict does not give"


def _why_no_permit(decision: DecisionEntry | None) -> str:
    return "which is not on record" if decision is None else f"which is not a permit ({_reasons(decision)})"


def _about(state: LedgerState, rule: Rule, entry: DecisionEntry, detail: str) -> Finding:
    return Finding(
        rule,
        detail,
        member_id=entry.member_id,
        member_name=state.member_name(entry.member_id),
        passport=to_hex(entry.passport_id),
        seq=entry.seq,
        evidence=(entry.position,),
    )


def _about_transfer(
    state: LedgerState, rule: Rule, entry: TransferEntry, member_id: int, detail: str
) -> Finding:
    transfer = entry.transfer
    places = [place for place in (entry.declared, entry.shipped, entry.received) if place is not None]
    if transfer.consignment is not None:
        return _of_member(state, rule, member_id, detail, *places)
    decision = state.decisions.get(transfer.passport_id, {}).get(transfer.seq)
    return Finding(
        rule,
        detail,
        member_id=member_id,
        member_name=state.member_name(member_id),
        passport=to_hex(transfer.passport_id),
        seq=transfer.seq,
        evidence=_evidence(decision, *places),
    )


def _about_emergency(state: LedgerState, rule: Rule, entry: EmergencyEntry, detail: str) -> Finding:
    emergency = entry.emergency
    return Finding(
        rule,
        detail,
        member_id=emergency.member_id,
        member_name=state.member_name(emergency.member_id),
        passport=to_hex(emergency.passport_id),
        evidence=(entry.position,),
    )


def _of_member(state: LedgerState, rule: Rule, member_id: int, detail: str, *evidence: Position) -> Finding:
    return Finding(
        rule, detail, member_id=member_id, member_name=state.member_name(member_id), evidence=evidence
    )


def _evidence(decision: DecisionEntry | None, *positions: Position) -> tuple[Position, ...]:
    return ((decision.position,) if decision else ()) + positions


def _moment(when: datetime | int) -> str:
    moment = datetime.fromtimestamp(when, UTC) if isinstance(when, int) else when.astimezone(UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
