"""
Bringing the state forward: one function per event, pure.

The numbers in comments are those of docs/spec.md, "Verifying".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from ledger.audit.state import (
    DAY_SECONDS,
    NOBODYS,
    ActEntry,
    AgreementEntry,
    AnswerEntry,
    CheckEntry,
    ClearanceEntry,
    DecisionEntry,
    DeclarationEntry,
    EmergencyEntry,
    ExternalEntry,
    GrantEntry,
    LedgerState,
    LoadEntry,
    RecoveryEntry,
    ReleaseEntry,
    ReviewEntry,
    RightState,
    ShareEntry,
    StepEntry,
    TransferEntry,
    Withdrawal,
    hash_of,
    known,
)
from ledger.domain.lineage import NO_END, Dataset, JointPart, StepRecord, Version, VersionId
from ledger.domain.records import (
    NO_GRANT,
    ZERO32,
    Address,
    Agreement,
    Attestation,
    Caps,
    Commitment,
    Emergency,
    Entrustment,
    Event,
    Exports,
    GrantId,
    GrantState,
    Member,
    Passport,
    PassportId,
    Person,
    Position,
    Project,
    Request,
    Template,
    Terms,
    Thresholds,
    Transfer,
    TransferId,
    TransferItem,
    TransferNote,
    Verdict,
)
from ledger.domain.vocabulary import (
    ActKind,
    AgreementStatus,
    Answer,
    Approval,
    Assurance,
    AttestationKind,
    Category,
    Check,
    Custody,
    DataClass,
    DatasetStatus,
    EmergencyFinding,
    EmergencyKind,
    GrantFlag,
    GrantStatus,
    Level,
    MemberKind,
    MemberStatus,
    ModelStatus,
    Operation,
    Outcome,
    PassportStatus,
    Role,
    SeatKind,
    StepFact,
    Technique,
    TransferFact,
    TransferStatus,
    VersionKind,
)
from ledger.encoding.hexadecimal import to_hex
from ledger.encoding.structs import clearance, consignment, grant_state, limits, plan, policy_table, step
from ledger.encoding.words import fold_decision
from ledger.errors import VerificationError
from ledger.lineage import advanced, answered, changes_of, covers
from ledger.policy import (
    PERMIT_SECONDS,
    grant_is_live,
    is_entrusted,
    is_sensitive,
    may_cross,
    member_is_active,
    person_of,
    rests_on_emergency,
    takes_cap,
    takes_crossing,
    takes_record,
    takes_use,
    year_of,
)
from ledger.transfers import REPORT_SECONDS, first_report_due, halted_from, status_received
from ledger.transfers import missing_of as missing_of_transfer

_NO_TERMS: Final = Commitment(ZERO32)


def apply(state: LedgerState, event: Event) -> None:
    """
    Take one event, in the order of the chain. Events that the ledger's ABI does not have change nothing here.

    Raises:
        VerificationError: The event speaks of something no earlier event brought about, or of a code that does not
            exist: no ledger emitted it.
    """
    fold = _FOLDS.get(event.name)
    if fold is None:
        return
    try:
        fold(state, event.arguments, event.position)
    except ValueError as error:
        raise VerificationError(f"an event {event.name} says what no ledger says: {error}") from None


# Members


def _admitted(state: LedgerState, given: dict[str, Any], _: Position) -> None:
    state.members[given["memberId"]] = Member(
        member_id=given["memberId"],
        name=given["name"],
        signer=Address(given["signer"]),
        roles=Role(given["roles"]),
        purposes=given["purposes"],
        jurisdiction=given["jurisdiction"],
        valid_to=given["validTo"],
        status=MemberStatus.ACTIVE,
        signing_key=given["signingKey"],
        sealing_key=given["sealingKey"],
        kind=MemberKind(given["kind"]),
    )


def _suspended(state: LedgerState, given: dict[str, Any], _: Position) -> None:
    _change_member(state, given["memberId"], status=MemberStatus.SUSPENDED)


def _reinstated(state: LedgerState, given: dict[str, Any], _: Position) -> None:
    _change_member(state, given["memberId"], status=MemberStatus.ACTIVE)


def _expelled(state: LedgerState, given: dict[str, Any], _: Position) -> None:
    _change_member(state, given["memberId"], status=MemberStatus.EXPELLED)


def _keys_rotated(state: LedgerState, given: dict[str, Any], _: Position) -> None:
    _change_member(
        state,
        given["memberId"],
        signer=Address(given["signer"]),
        signing_key=given["signingKey"],
        sealing_key=given["sealingKey"],
    )


def _licensed(state: LedgerState, given: dict[str, Any], _: Position) -> None:
    _change_member(state, given["memberId"], purposes=given["purposes"], valid_to=given["validTo"])


def _control_changed(state: LedgerState, given: dict[str, Any], _: Position) -> None:
    _change_member(state, given["memberId"], control=given["control"])


def _change_member(state: LedgerState, member_id: int, **changes: Any) -> None:
    state.members[member_id] = replace(known(state.members, member_id, "member"), **changes)


def _caps_set(state: LedgerState, given: dict[str, Any], _: Position) -> None:
    known(state.members, given["memberId"], "member")
    state.caps[given["memberId"]] = given["caps"]


def _entrusted(state: LedgerState, given: dict[str, Any], _: Position) -> None:
    order = Entrustment(given["purposes"], given["validTo"])
    state.entrustments[given["controller"], given["processor"]] = order


# The law and the committee


def _policy_set(state: LedgerState, given: dict[str, Any], _: Position) -> None:
    state.policy_version = given["version"]
    state.policies[given["version"]] = policy_table(given["version"], given["table"])


def _template_issued(state: LedgerState, given: dict[str, Any], _: Position) -> None:
    purposes, categories, kinds, max_seconds, withdrawn, notice = given["content"]
    number = given["template"]
    state.templates[number] = Template(
        number, purposes, Category(categories), kinds, max_seconds, notice, withdrawn
    )


def _template_withdrawn(state: LedgerState, given: dict[str, Any], _: Position) -> None:
    former = known(state.templates, given["template"], "template")
    state.templates[given["template"]] = replace(former, withdrawn=True)


def _seat_set(state: LedgerState, given: dict[str, Any], _: Position) -> None:
    kind = SeatKind(given["kind"])
    if kind is SeatKind.NONE:
        state.seats.pop(given["memberId"], None)
    else:
        state.seats[given["memberId"]] = kind


def _rule_set(state: LedgerState, given: dict[str, Any], _: Position) -> None:
    quorum, seats, delay_seconds = given["rule"]
    state.rules[ActKind(given["kind"])] = quorum, seats, delay_seconds


def _act_proposed(state: LedgerState, given: dict[str, Any], position: Position) -> None:
    state.acts[given["actId"]] = ActEntry(
        ActKind(given["kind"]), given["call"], position, (given["memberId"],)
    )


def _act_approved(state: LedgerState, given: dict[str, Any], _: Position) -> None:
    act = known(state.acts, given["actId"], "act")
    state.acts[given["actId"]] = replace(act, approvers=(*act.approvers, given["memberId"]))


def _act_executed(state: LedgerState, given: dict[str, Any], position: Position) -> None:
    act = known(state.acts, given["actId"], "act")
    state.acts[given["actId"]] = replace(act, executed=position)


# Passports


def _issued(state: LedgerState, given: dict[str, Any], position: Position) -> None:
    passport_id = PassportId(given["passportId"])
    state.passports[passport_id] = Passport(
        passport_id=passport_id,
        custodian=given["custodian"],
        purposes=given["purposes"],
        status=PassportStatus.OPEN,
        custody=Custody(given["custody"]),
        holder=to_hex(given["holder"]),
        content=Commitment(given["content"]),
        level=Level(given["level"]),
        lock=given["lock"],
    )
    state.issued[passport_id] = position


def _content_committed(state: LedgerState, given: dict[str, Any], _: Position) -> None:
    _change_passport(state, given, content=Commitment(given["content"]))


def _narrowed(state: LedgerState, given: dict[str, Any], _: Position) -> None:
    _change_passport(state, given, purposes=given["purposes"])


def _sealed(state: LedgerState, given: dict[str, Any], _: Position) -> None:
    _change_passport(state, given, status=PassportStatus.SEALED)


def _unsealed(state: LedgerState, given: dict[str, Any], _: Position) -> None:
    _change_passport(state, given, status=PassportStatus.OPEN)


def _destroyed(state: LedgerState, given: dict[str, Any], _: Position) -> None:
    _change_passport(state, given, status=PassportStatus.DESTROYED)


def _holder_rotated(state: LedgerState, given: dict[str, Any], _: Position) -> None:
    _change_passport(
        state, given, holder=to_hex(given["holder"]), custody=Custody(given["custody"]), epoch=given["epoch"]
    )
    passport_id = PassportId(given["passportId"])
    state.guardians.pop(passport_id, None)
    state.recoveries.pop(passport_id, None)
    for key in [key for key in state.delegates if key[0] == passport_id]:
        del state.delegates[key]


def _guardians_named(state: LedgerState, given: dict[str, Any], _: Position) -> None:
    state.guardians[PassportId(given["passportId"])] = given["guardians"]


def _recovery_started(state: LedgerState, given: dict[str, Any], _: Position) -> None:
    state.recoveries[PassportId(given["passportId"])] = RecoveryEntry(
        to_hex(given["holder"]), given["custody"], given["readyAt"], given["byCustodian"]
    )


def _recovery_cancelled(state: LedgerState, given: dict[str, Any], _: Position) -> None:
    state.recoveries.pop(PassportId(given["passportId"]), None)


def _delegate_named(state: LedgerState, given: dict[str, Any], _: Position) -> None:
    key = PassportId(given["passportId"]), to_hex(given["delegate"])
    if given["validTo"]:
        state.delegates[key] = given["validTo"]
    else:
        state.delegates.pop(key, None)


def _change_passport(state: LedgerState, given: dict[str, Any], **changes: Any) -> None:
    passport_id = PassportId(given["passportId"])
    state.passports[passport_id] = replace(known(state.passports, passport_id, "passport"), **changes)


# Consents


def _consent_requested(state: LedgerState, given: dict[str, Any], position: Position) -> None:
    passport_id, grant_id = _grant_key(state, given)
    asked = GrantState(
        recipient=0,
        purposes=0,
        categories=Category(0),
        use_from=0,
        use_to=0,
        max_uses=0,
        uses=0,
        flags=GrantFlag(0),
        status=GrantStatus.REQUESTED,
        assurance=Assurance.NONE,
    )
    state.grants[passport_id, grant_id] = GrantEntry(
        grant_id=grant_id,
        passport_id=passport_id,
        state=asked,
        terms=Commitment(given["terms"]),
        supersedes=NO_GRANT,
        position=position,
        requested_by=given["memberId"],
    )


def _granted(state: LedgerState, given: dict[str, Any], position: Position) -> None:
    passport_id, grant_id = _grant_key(state, given)
    asked = state.grants.get((passport_id, grant_id))
    entry = GrantEntry(
        grant_id=grant_id,
        passport_id=passport_id,
        state=grant_state(given["state"]),
        terms=Commitment(given["terms"]),
        supersedes=GrantId(given["supersedes"]),
        position=position,
        template=given["template"],
        requested_by=asked.requested_by if asked else 0,
    )
    state.grants[passport_id, grant_id] = entry
    _take_place(state, entry)


def _take_place(state: LedgerState, entry: GrantEntry) -> None:
    """A grant that covers the one it replaces takes its place in the datasets; another one is a withdrawal from them."""
    former = state.grants.get((entry.passport_id, entry.supersedes))
    included = state.inclusions.get(entry.supersedes)
    if former is None or included is None:
        return
    if covers(entry.state, former.state, entry.position.time):
        state.inclusions[entry.grant_id] = included
    else:
        _withdraw_from_datasets(state, entry.supersedes, entry.position)


def _withdraw_from_datasets(state: LedgerState, grant_id: GrantId, position: Position) -> None:
    """What was made of the datasets that somebody was included into under a grant is stale from now on."""
    for number in state.inclusions.get(grant_id, ()):
        dataset = state.datasets[number]
        withdrawals = (*dataset.withdrawals, position.time)
        state.datasets[number] = replace(dataset, withdrawals=withdrawals)
        state.withdrawals.append(Withdrawal(number, grant_id, len(withdrawals), position))


def _consent_filed(state: LedgerState, given: dict[str, Any], _: Position) -> None:
    key = _grant_key(state, given)
    state.grants[key] = replace(known(state.grants, key, "grant"), evidence=Commitment(given["evidence"]))


def _confirmed(state: LedgerState, given: dict[str, Any], _: Position) -> None:
    key = _grant_key(state, given)
    entry = known(state.grants, key, "grant")
    confirmed = replace(entry.state, control=given["control"], assurance=Assurance(given["assurance"]))
    state.grants[key] = replace(entry, state=confirmed)


def _refused(state: LedgerState, given: dict[str, Any], position: Position) -> None:
    _end_grant(state, given, position, GrantStatus.REFUSED)


def _repudiated(state: LedgerState, given: dict[str, Any], position: Position) -> None:
    _end_grant(state, given, position, GrantStatus.REPUDIATED)
    _withdraw_from_datasets(state, GrantId(given["grantId"]), position)


def _withdrawn(state: LedgerState, given: dict[str, Any], position: Position) -> None:
    if _grant_key(state, given) not in state.grants:
        # Withdrawn before it was given: it never will be, and counts as no grant.
        return
    _end_grant(state, given, position, GrantStatus.WITHDRAWN)
    _withdraw_from_datasets(state, GrantId(given["grantId"]), position)


def _superseded(state: LedgerState, given: dict[str, Any], position: Position) -> None:
    _end_grant(state, given, position, GrantStatus.SUPERSEDED, GrantId(given["successor"]))


def _end_grant(
    state: LedgerState,
    given: dict[str, Any],
    position: Position,
    status: GrantStatus,
    successor: GrantId | None = None,
) -> None:
    key = _grant_key(state, given)
    entry = known(state.grants, key, "grant")
    ended = replace(entry.state, status=status)
    state.grants[key] = replace(entry, state=ended, successor=successor, ended=position)


def _grant_key(state: LedgerState, given: dict[str, Any]) -> tuple[PassportId, GrantId]:
    passport_id = PassportId(given["passportId"])
    known(state.passports, passport_id, "passport")
    return passport_id, GrantId(given["grantId"])


# Projects, attestations, emergencies


def _project_filed(state: LedgerState, given: dict[str, Any], _: Position) -> None:
    purposes, categories, techniques, highest_class, valid_from, valid_to, agreement = given["filing"]
    state.projects[given["projectId"]] = Project(
        project_id=given["projectId"],
        member_id=given["memberId"],
        purposes=purposes,
        categories=Category(categories),
        techniques=Technique(techniques),
        highest_class=DataClass(highest_class),
        valid_from=valid_from,
        valid_to=valid_to,
        agreement=any(agreement),
    )


def _project_withdrawn(state: LedgerState, given: dict[str, Any], _: Position) -> None:
    project = known(state.projects, given["projectId"], "project")
    state.projects[given["projectId"]] = replace(project, withdrawn=True)


def _project_reviewed(state: LedgerState, given: dict[str, Any], _: Position) -> None:
    project = known(state.projects, given["projectId"], "project")
    body = given["memberId"] if given["approved"] else 0
    ethics = Approval(given["approval"]) is Approval.ETHICS
    changed = replace(project, ethics=body) if ethics else replace(project, compliance=body)
    state.projects[given["projectId"]] = changed


def _attested(state: LedgerState, given: dict[str, Any], _: Position) -> None:
    statement = Attestation(given["issuer"], given["validTo"])
    state.attestations.setdefault(given["subject"], {})[AttestationKind(given["kind"])] = statement


def _emergency_opened(state: LedgerState, given: dict[str, Any], position: Position) -> None:
    number, member_id = given["emergencyId"], given["memberId"]
    emergency = Emergency(
        emergency_id=number,
        kind=EmergencyKind.INDIVIDUAL,
        categories=Category(given["categories"]),
        valid_from=position.time,
        until=given["until"],
        member_id=member_id,
        review_due=given["reviewDue"],
        passport_id=PassportId(given["passportId"]),
    )
    state.emergencies[number] = EmergencyEntry(
        emergency,
        position,
        reason=given["reason"],
        sealed_until=given["sealedUntil"],
        statement=Commitment(given["statement"]),
    )
    right = state.rights.get(member_id, RightState())
    state.rights[member_id] = replace(right, opened=(*right.opened, number))


def _emergency_declared(state: LedgerState, given: dict[str, Any], position: Position) -> None:
    purposes, categories, valid_from, until, max_records, jurisdiction = given["declaration"]
    number = given["emergencyId"]
    emergency = Emergency(
        emergency_id=number,
        kind=EmergencyKind.PUBLIC,
        categories=Category(categories),
        valid_from=valid_from,
        until=until,
        purposes=purposes,
        max_records=max_records,
        jurisdiction=jurisdiction,
    )
    state.emergencies[number] = EmergencyEntry(emergency, position, statement=Commitment(given["document"]))


def _emergency_ended(state: LedgerState, given: dict[str, Any], _: Position) -> None:
    entry = known(state.emergencies, given["emergencyId"], "emergency")
    ended = replace(entry.emergency, until=given["until"])
    state.emergencies[given["emergencyId"]] = replace(entry, emergency=ended)


def _emergency_reviewed(state: LedgerState, given: dict[str, Any], position: Position) -> None:
    entry = known(state.emergencies, given["emergencyId"], "emergency")
    emergency = replace(entry.emergency, finding=EmergencyFinding(given["finding"]))
    reviewed = replace(
        entry,
        emergency=emergency,
        reviewer=given["reviewer"],
        opinion=Commitment(given["opinion"]),
        reviewed_at=position.time,
    )
    state.emergencies[given["emergencyId"]] = reviewed
    if given["rightLost"]:
        member_id = entry.emergency.member_id
        state.rights[member_id] = replace(state.rights.get(member_id, RightState()), lost=True)


def _right_restored(state: LedgerState, given: dict[str, Any], _: Position) -> None:
    right = state.rights.get(given["memberId"], RightState())
    state.rights[given["memberId"]] = replace(right, lost=False, settled=len(right.opened))


# Decisions


def _decided(state: LedgerState, given: dict[str, Any], position: Position) -> None:
    entry = decision_entry(given, position)
    entry = replace(entry, control=_control_behind(state, entry))
    passport = known(state.passports, entry.passport_id, "passport")
    if entry.is_permit:
        _take_permit(state, entry, passport)
    elif entry.outcome == Outcome.REVIEW:
        state.reviews[entry.passport_id, entry.seq] = ReviewEntry()
    state.passports[entry.passport_id] = replace(passport, size=entry.seq + 1)
    state.counts[entry.passport_id] = state.counts.get(entry.passport_id, 0) + 1
    state.decisions.setdefault(entry.passport_id, {})[entry.seq] = entry
    # 7. The head is the fold of every decision.
    state.head = fold_decision(
        state.head,
        passport_id=entry.passport_id,
        grant_id=entry.grant_id,
        member_id=entry.member_id,
        terms_word=entry.asked,
        verdict_word=entry.word,
        commitment=entry.commitment,
    )


def _control_behind(state: LedgerState, entry: DecisionEntry) -> int:
    """Return `control` of the member in whose right a request was made; `NOBODYS` if the controller had not entrusted."""
    principal = _principal_behind(state, entry)
    return NOBODYS if principal is None else principal.control


def _principal_behind(state: LedgerState, entry: DecisionEntry) -> Member | None:
    """Return the member in whose right a request was made; None if the controller had not entrusted."""
    controller = entry.asked >> 112 & 0xFFFFFFFF
    principal = known(state.members, controller or entry.member_id, "member")
    if not controller:
        return principal
    order = state.entrustments.get((controller, entry.member_id))
    return principal if is_entrusted(order, entry.asked & 0xFF, entry.position.time) else None


def decision_entry(given: dict[str, Any], position: Position) -> DecisionEntry:
    """Read the arguments of a `DecisionRecorded` event."""
    return DecisionEntry(
        passport_id=PassportId(given["passportId"]),
        seq=given["verdict"] & 0xFFFFFFFFFF,
        grant_id=GrantId(given["grantId"]),
        member_id=given["memberId"],
        asked=given["terms"],
        word=given["verdict"],
        commitment=Commitment(given["commitment"]),
        position=position,
    )


def _take_permit(state: LedgerState, entry: DecisionEntry, passport: Passport) -> None:
    """What a permit uses up, and what it leaves to be used."""
    if entry.permits(Operation.TRANSFER):
        state.transfer_permits[entry.passport_id, entry.seq] = entry
    elif not entry.permits(Operation.INCLUDE):
        state.unreleased[entry.passport_id, entry.seq] = entry
    try:
        terms, verdict = entry.terms, entry.verdict
    except VerificationError:
        return  # A word that cannot be read uses nothing up; the replay names it.
    key = entry.passport_id, entry.grant_id
    grant = state.grants.get(key)
    if grant is not None and takes_use(terms, verdict, grant.state):
        state.grants[key] = replace(grant, state=replace(grant.state, uses=grant.state.uses + 1))
    day = entry.position.time // DAY_SECONDS
    used = state.cap_uses.get((entry.member_id, day), 0)
    if takes_cap(terms, verdict, Caps(state.caps.get(entry.member_id, 0), day, used)):
        state.cap_uses[entry.member_id, day] = used + (1 << (16 * terms.purpose))
    _cross(state, entry, passport, terms=terms, verdict=verdict)
    if terms.operation is Operation.INCLUDE:
        _include(state, entry, terms.dataset_id)
    urgent = state.emergencies.get(terms.emergency_id)
    emergency = urgent.emergency if urgent else None
    if urgent and takes_record(terms, verdict, table=state.law, passport=passport, emergency=emergency):
        counted = replace(urgent.emergency, used=urgent.emergency.used + 1)
        state.emergencies[terms.emergency_id] = replace(urgent, emergency=counted)


def _cross(
    state: LedgerState, entry: DecisionEntry, passport: Passport, *, terms: Terms, verdict: Verdict
) -> None:
    """Count the person if the permit takes the data across a border."""
    parties = known(state.members, entry.member_id, "member"), _principal_behind(state, entry)
    here = {party.jurisdiction for party in parties if party is not None}
    there = known(state.members, passport.custodian, "member").jurisdiction
    if takes_crossing(terms, verdict, table=state.law, jurisdictions=here, custodians=there):
        sensitive = is_sensitive(state.law, terms.categories)
        count_crossing(
            state,
            (terms.project_id, passport.custodian, person_of(passport)),
            entry.position.time,
            sensitive=sensitive,
        )


def count_crossing(
    state: LedgerState, crossing: tuple[int, int, Person], at: int, *, sensitive: bool
) -> None:
    """
    Count a person whose data crosses a border: once under the clearance, and once in the exporter's year.

    Args:
        state: Changed.
        crossing: The project, the exporter, and the person.
        at: Seconds since the Unix epoch.
        sensitive: Whether there is data of class 1 or 2 in it.
    """
    project_id, exporter, person = crossing
    number = state.clearance_for.get((project_id, exporter))
    if number is not None and (number, person) not in state.crossed:
        state.crossed.add((number, person))
        entry = state.clearances[number]
        used = replace(entry.clearance, persons=entry.clearance.persons + 1)
        state.clearances[number] = replace(entry, clearance=used)
    key = exporter, year_of(at)
    counted = state.counted.get((*key, person))
    exports = state.exports.get(key, Exports())
    state.exports[key] = Exports(
        exports.persons + (counted is None),
        exports.sensitive_persons + (sensitive and not counted),
    )
    state.counted[(*key, person)] = sensitive or bool(counted)


def _include(state: LedgerState, entry: DecisionEntry, number: int) -> None:
    """
    Put the data into a dataset; on the basis of consent the grant remembers it, and the dataset the grant's limits.

    On another basis nobody allowed that it is passed on, and the emergency that the permit rests on limits its use.
    """
    dataset = known(state.datasets, number, "dataset")
    dataset = replace(dataset, included=dataset.included + 1)
    grant = state.grants.get((entry.passport_id, entry.grant_id))
    if entry.rests_on_consent and grant is not None:
        dataset = replace(
            dataset,
            usable_until=min(dataset.usable_until, grant.state.use_to),
            no_relink=dataset.no_relink or GrantFlag.NO_RELINK in grant.state.flags,
            no_onward=dataset.no_onward or GrantFlag.ONWARD not in grant.state.flags,
        )
        former = state.inclusions.get(entry.grant_id, ())
        if number not in former:
            state.inclusions[entry.grant_id] = (*former, number)
    elif not entry.rests_on_consent:
        urgent = state.emergencies.get(entry.terms.emergency_id)
        rests = urgent is not None and _rests_on_emergency(state, entry)
        end = urgent.emergency.until if urgent is not None and rests else NO_END
        dataset = replace(dataset, usable_until=min(dataset.usable_until, end), no_onward=True)
    state.datasets[number] = dataset


def _request_reviewed(state: LedgerState, given: dict[str, Any], position: Position) -> None:
    passport_id, seq = PassportId(given["passportId"]), given["seq"]
    decision = known(state.decisions.get(passport_id, {}), seq, "decision")
    state.reviews[passport_id, seq] = ReviewEntry(
        given["reviewer"], given["approvedUntil"], Commitment(given["opinion"]), position.time
    )
    request = Request(passport_id, decision.grant_id, decision.commitment, decision.terms)
    state.approvals[hash_of(request, decision.member_id)] = given["approvedUntil"]


def _released(state: LedgerState, given: dict[str, Any], position: Position) -> None:
    passport_id, seq = PassportId(given["passportId"]), given["seq"]
    known(state.passports, passport_id, "passport")
    # 9. A release needs a permit recorded before it.
    decision = state.decisions.get(passport_id, {}).get(seq)
    state.unreleased.pop((passport_id, seq), None)
    state.releases[passport_id, seq] = ReleaseEntry(
        passport_id, seq, given["custodian"], position, unfounded=decision is None or not decision.is_permit
    )


# Transfers


def _shipped(state: LedgerState, given: dict[str, Any], position: Position) -> None:
    passport_id, seq = PassportId(given["passportId"]), given["seq"]
    sides = (known(state.members, given[side], "member") for side in ("sender", "recipient"))
    abroad = len({side.jurisdiction for side in sides}) > 1
    transfer = Transfer(
        transfer_id=TransferId(given["transferId"]),
        passport_id=passport_id,
        sender=given["sender"],
        recipient=given["recipient"],
        seq=seq,
        status=TransferStatus.SHIPPED,
        content=Commitment(given["content"]),
        crosses=abroad,
        report_due=first_report_due(position.time, crosses=abroad),
    )
    # 9. A shipping needs a permit to transfer that names the recipient and still stands, and uses it up.
    permit = state.transfer_permits.pop((passport_id, seq), None)
    founded = (
        permit is not None
        and permit.member_id == transfer.recipient
        and _stands(state, permit, position.time)
    )
    state.transfers[transfer.transfer_id] = TransferEntry(transfer, position, None, unfounded=not founded)


def _stands(state: LedgerState, permit: DecisionEntry, at: int) -> bool:
    """Tell whether a permit to transfer can be used: it is not too old, nor has what it rested on ended."""
    in_time = at <= permit.position.time + PERMIT_SECONDS
    return in_time and _parties_stand(state, permit, at) and _grounds_stand(state, permit, at)


def _parties_stand(state: LedgerState, permit: DecisionEntry, at: int) -> bool:
    terms = permit.terms
    recipient = known(state.members, permit.member_id, "member")
    principal = known(state.members, terms.controller_id or permit.member_id, "member")
    order = state.entrustments.get((terms.controller_id, permit.member_id))
    entrusted = not terms.controller_id or is_entrusted(order, terms.purpose, at)
    active = member_is_active(recipient, at) and member_is_active(principal, at)
    return active and entrusted and principal.control == permit.control


def _grounds_stand(state: LedgerState, permit: DecisionEntry, at: int) -> bool:
    urgent = state.emergencies.get(permit.terms.emergency_id)
    if urgent is not None and _rests_on_emergency(state, permit) and at >= urgent.emergency.until:
        return False
    if not permit.rests_on_consent:
        return True
    grant = state.grants.get((permit.passport_id, permit.grant_id))
    return grant is not None and grant_is_live(grant.state, at)


def _rests_on_emergency(state: LedgerState, permit: DecisionEntry) -> bool:
    verdict, terms = permit.verdict, permit.terms
    table = known(state.policies, verdict.policy_version, "version of the law")
    required = table.required_for(verdict.data_class, terms.purpose, terms.basis)
    return rests_on_emergency(required, known(state.passports, permit.passport_id, "passport").lock)


def _received(state: LedgerState, given: dict[str, Any], position: Position) -> None:
    transfer_id, content = TransferId(given["transferId"]), Commitment(given["content"])
    entry = known(state.transfers, transfer_id, "transfer")
    # Whether both sides agree is worked out here, not taken from the event.
    status = status_received(entry.transfer.status, matched=content == entry.transfer.content)
    transfer = replace(entry.transfer, status=status, received_content=content)
    state.transfers[transfer_id] = replace(entry, transfer=transfer, received=position)


def declaration_entry(given: dict[str, Any], position: Position) -> DeclarationEntry:
    """Read the arguments of a `TransferDeclared` event."""
    missing, crosses = TransferFact(given["missing"]), given["crosses"]
    if missing:
        status = TransferStatus.REFUSED
    else:
        status = TransferStatus.DECLARED if crosses else TransferStatus.CLEARED
    transfer = Transfer(
        transfer_id=TransferId(given["transferId"]),
        passport_id=PassportId(ZERO32),
        sender=given["sender"],
        recipient=given["recipient"],
        seq=0,
        status=status,
        content=_NO_TERMS,
        consignment=consignment(given["consignment"]),
        missing=missing,
        crosses=crosses,
    )
    return DeclarationEntry(transfer, Commitment(given["description"]), position)


def _transfer_declared(state: LedgerState, given: dict[str, Any], position: Position) -> None:
    entry = declaration_entry(given, position)
    transfer = entry.transfer
    state.transfers[transfer.transfer_id] = TransferEntry(
        transfer, None, None, unfounded=False, declared=position, description=entry.description
    )


def _transfer_inspected(state: LedgerState, given: dict[str, Any], position: Position) -> None:
    released = given["released"]
    status = TransferStatus.CLEARED if released else TransferStatus.TERMINATED
    note = TransferNote(
        "TransferInspected", given["regulator"], position, Commitment(given["report"]), released
    )
    _note(state, given, note, status=status)


def _transfer_loaded(state: LedgerState, given: dict[str, Any], position: Position) -> None:
    transfer_id = TransferId(given["transferId"])
    entry = known(state.transfers, transfer_id, "transfer")
    transfer = entry.transfer
    item = TransferItem(
        PassportId(given["passportId"]), given["seq"], Commitment(given["content"]), given["index"]
    )
    # 9. A load needs what a shipping needs, within what was declared, of a cleared transfer that still stands.
    permit = state.transfer_permits.pop((item.passport_id, item.seq), None)
    loads = state.loads.setdefault(transfer_id, [])
    founded = (
        permit is not None
        and permit.member_id == transfer.recipient
        and _stands(state, permit, position.time)
        and transfer.status is TransferStatus.CLEARED
        and item.place == len(loads)
        and _is_declared(state, transfer, permit, item)
        and _may_go_on(state, transfer, position.time)
    )
    crossed = _cross_loaded(state, transfer, item, position.time)
    loads.append(LoadEntry(item, position, unfounded=not (founded and crossed)))
    _change_transfer(state, entry, loaded=len(loads))


def _cross_loaded(state: LedgerState, transfer: Transfer, item: TransferItem, at: int) -> bool:
    """Count the person if the transfer takes the record across a border, and tell whether it might cross."""
    declared = transfer.consignment
    if declared is None or not transfer.crosses:
        return True
    decision = state.decisions.get(item.passport_id, {}).get(item.seq)
    if decision is None or not decision.permits(Operation.TRANSFER):
        return False
    project_id, person = declared.project_id, person_of(known(state.passports, item.passport_id, "passport"))
    sensitive = is_sensitive(state.law, decision.terms.categories)
    crossing = state.crossing(project_id, transfer.sender, transfer.recipient, at, person)
    count_crossing(state, (project_id, transfer.sender, person), at, sensitive=sensitive)
    return may_cross(crossing, at, sensitive=sensitive)


def _is_declared(state: LedgerState, transfer: Transfer, permit: DecisionEntry, item: TransferItem) -> bool:
    """Tell whether a record is the sender's to send, and its permit within what was declared."""
    declared, terms = transfer.consignment, permit.terms
    if declared is None or not declared.purposes >> terms.purpose & 1:
        return False
    if int(terms.categories) & ~int(declared.categories):
        return False
    if declared.parent is None:
        passport = known(state.passports, item.passport_id, "passport")
        return passport.custodian == transfer.sender
    return any(load.item.passport_id == item.passport_id for load in state.loads.get(declared.parent, ()))


def _may_go_on(state: LedgerState, transfer: Transfer, at: int) -> bool:
    """Tell whether a transfer would break no rule if it were declared now."""
    if transfer.consignment is None:
        return False
    situation = state.transfer_situation(transfer.consignment, transfer.sender, at)
    return not missing_of_transfer(transfer.consignment, situation)


def _transfer_dispatched(state: LedgerState, given: dict[str, Any], position: Position) -> None:
    entry = known(state.transfers, TransferId(given["transferId"]), "transfer")
    transfer = entry.transfer
    whole = transfer.consignment is not None and transfer.loaded == transfer.consignment.count
    founded = (
        whole and transfer.status is TransferStatus.CLEARED and _may_go_on(state, transfer, position.time)
    )
    due = first_report_due(position.time, crosses=transfer.crosses)
    content = Commitment(given["root"])
    shipped = replace(transfer, status=TransferStatus.SHIPPED, content=content, report_due=due)
    state.transfers[transfer.transfer_id] = replace(
        entry, transfer=shipped, shipped=position, unfounded=not founded
    )


def _transfer_halted(state: LedgerState, given: dict[str, Any], position: Position) -> None:
    entry = known(state.transfers, TransferId(given["transferId"]), "transfer")
    member_id = given["memberId"]
    note = TransferNote("TransferHalted", member_id, position, Commitment(given["reasons"]))
    former = halted_from(entry.transfer)
    _note(state, given, note, status=TransferStatus.HALTED, halted_by=member_id, halted_from=former)


def _transfer_resumed(state: LedgerState, given: dict[str, Any], position: Position) -> None:
    entry = known(state.transfers, TransferId(given["transferId"]), "transfer")
    note = TransferNote("TransferResumed", given["memberId"], position)
    former = entry.transfer.halted_from
    _note(state, given, note, status=former, halted_by=0, halted_from=TransferStatus.NONE)


def _transfer_terminated(state: LedgerState, given: dict[str, Any], position: Position) -> None:
    note = TransferNote("TransferTerminated", given["memberId"], position, Commitment(given["reasons"]))
    _note(state, given, note, status=TransferStatus.TERMINATED)


def _transfer_reported(state: LedgerState, given: dict[str, Any], position: Position) -> None:
    note = TransferNote("TransferReported", given["memberId"], position, Commitment(given["report"]))
    # Derived, not taken from the event.
    _note(state, given, note, report_due=position.time + REPORT_SECONDS)


def _transfer_closed(state: LedgerState, given: dict[str, Any], position: Position) -> None:
    note = TransferNote("TransferClosed", given["memberId"], position, Commitment(given["evidence"]))
    _note(state, given, note, status=TransferStatus.CLOSED)


def _note(state: LedgerState, given: dict[str, Any], note: TransferNote, **changes: Any) -> None:
    """Change a transfer, and keep who did it."""
    entry = known(state.transfers, TransferId(given["transferId"]), "transfer")
    _change_transfer(state, replace(entry, notes=(*entry.notes, note)), **changes)


def _change_transfer(state: LedgerState, entry: TransferEntry, **changes: Any) -> None:
    changed = replace(entry, transfer=replace(entry.transfer, **changes))
    state.transfers[entry.transfer.transfer_id] = changed


# Agreements and borders


def _agreement_proposed(state: LedgerState, given: dict[str, Any], position: Position) -> None:
    number = given["agreementId"]
    agreement = Agreement(number, given["provider"], limits(given["limits"]), AgreementStatus.PROPOSED)
    state.agreements[number] = AgreementEntry(agreement, Commitment(given["text"]), position)


def _agreement_signed(state: LedgerState, given: dict[str, Any], position: Position) -> None:
    entry = known(state.agreements, given["agreementId"], "agreement")
    signed = replace(entry.agreement, status=AgreementStatus.SIGNED)
    state.agreements[given["agreementId"]] = replace(entry, agreement=signed, signed_at=position.time)


def _agreement_ended(state: LedgerState, given: dict[str, Any], position: Position) -> None:
    entry = known(state.agreements, given["agreementId"], "agreement")
    state.agreements[given["agreementId"]] = replace(
        entry,
        agreement=replace(entry.agreement, status=AgreementStatus.ENDED),
        ended_at=position.time,
        ended_by=given["memberId"],
        reasons=Commitment(given["reasons"]),
    )


def _border_access_set(state: LedgerState, given: dict[str, Any], _: Position) -> None:
    known(state.members, given["memberId"], "member")
    state.border_access[given["memberId"]] = given["validTo"]


def _clearance_issued(state: LedgerState, given: dict[str, Any], position: Position) -> None:
    number, cleared = given["clearanceId"], clearance(given["clearanceId"], given["clearance"])
    state.clearances[number] = ClearanceEntry(cleared, Commitment(given["filing"]), position)
    state.clearance_for[cleared.project_id, cleared.exporter] = number


def _clearance_withdrawn(state: LedgerState, given: dict[str, Any], position: Position) -> None:
    entry = known(state.clearances, given["clearanceId"], "clearance")
    state.clearances[given["clearanceId"]] = replace(
        entry,
        clearance=replace(entry.clearance, valid_to=position.time),
        withdrawn_at=position.time,
        withdrawn_by=given["memberId"],
        reasons=Commitment(given["reasons"]),
    )


def _thresholds_set(state: LedgerState, given: dict[str, Any], _: Position) -> None:
    state.thresholds = Thresholds(*given["thresholds"])


# Datasets and lineage


def _dataset_declared(state: LedgerState, given: dict[str, Any], position: Position) -> None:
    number, declared = given["datasetId"], plan(given["plan"])
    state.datasets[number] = Dataset(
        dataset_id=number,
        owner=given["owner"],
        purposes=declared.purposes,
        categories=declared.categories,
        status=DatasetStatus.DECLARED,
        retain_until=declared.retain_until,
        budget=declared.budget,
    )
    state.declared[number] = position


def _dataset_withdrawn(state: LedgerState, given: dict[str, Any], position: Position) -> None:
    # 9. Announced, not believed: the withdrawals of a dataset follow from the ends of consents.
    number = given["datasetId"]
    known(state.datasets, number, "dataset")
    announced = Withdrawal(number, GrantId(given["grantId"]), given["withdrawals"], position)
    state.announced.append(announced)


def _dataset_excused(state: LedgerState, given: dict[str, Any], _: Position) -> None:
    _change_dataset(state, given["datasetId"], excused=given["withdrawals"])


def _dataset_sealed(state: LedgerState, given: dict[str, Any], _: Position) -> None:
    number = given["datasetId"]
    state.sealed_from[number] = known(state.datasets, number, "dataset").status
    _change_dataset(state, number, status=DatasetStatus.SEALED)


def _dataset_unsealed(state: LedgerState, given: dict[str, Any], _: Position) -> None:
    number = given["datasetId"]
    _change_dataset(state, number, status=known(state.sealed_from, number, "seal of a dataset"))


def _change_dataset(state: LedgerState, number: int, **changes: Any) -> None:
    state.datasets[number] = replace(known(state.datasets, number, "dataset"), **changes)


def _part_signed(state: LedgerState, given: dict[str, Any], _: Position) -> None:
    known(state.members, given["memberId"], "member")
    part = JointPart(given["memberId"], Commitment(given["contribution"]))
    state.parts[given["stepId"]] = (*state.parts.get(given["stepId"], ()), part)


def _step_recorded(state: LedgerState, given: dict[str, Any], position: Position) -> None:
    entry = step_entry(state, given, position)
    record = entry.record
    state.parts.pop(record.step_id, None)
    state.steps[record.step_id] = entry
    if record.missing:
        return
    for name in record.step.inputs:
        known(state.versions, name, "version")
    changes = changes_of(record, state.step_situation(record.step, record.team, position.time))
    state.datasets.update((dataset.dataset_id, dataset) for dataset in changes.datasets)
    state.versions.update((version.version_id, version) for version in changes.versions)


def step_entry(state: LedgerState, given: dict[str, Any], position: Position) -> StepEntry:
    """
    Read the arguments of a `StepRecorded` event; the parts of a joint step were signed just before it.

    Raises:
        VerificationError: There is no such kind of step.
    """
    try:
        words = step(given["step"])
    except ValueError as error:
        raise VerificationError(f"a step is of a kind that does not exist: {error}") from None
    number = given["stepId"]
    parts = state.parts.get(number, ())
    record = StepRecord(number, given["memberId"], words, StepFact(given["missing"]), parts)
    return StepEntry(record, position)


def _external_registered(state: LedgerState, given: dict[str, Any], position: Position) -> None:
    version_id = VersionId(given["versionId"])
    state.versions[version_id] = Version(
        version_id=version_id,
        step_id=0,
        owner=given["owner"],
        kind=VersionKind(given["kind"]),
        purposes=given["purposes"],
        origins=(),
    )
    state.externals[version_id] = ExternalEntry(Commitment(given["statement"]), position)


def _version_verified(state: LedgerState, given: dict[str, Any], position: Position) -> None:
    version = _known_version(state, given)
    check = Check(given["check"])
    state.versions[version.version_id] = replace(version, check=check, verifier=given["verifier"])
    state.checks[version.version_id] = CheckEntry(Commitment(given["report"]), position)
    if check is Check.PASSED:
        _advance(state, version, DatasetStatus.VERIFIED)


def _version_shared(state: LedgerState, given: dict[str, Any], position: Position) -> None:
    version = _known_version(state, given)
    known(state.agreements, given["agreementId"], "agreement")
    share = ShareEntry(given["agreementId"], given["projectId"], given["keepUntil"], position)
    state.shares[version.version_id, given["recipient"]] = share
    _advance(state, version, DatasetStatus.SHARED)


def _dataset_exported(state: LedgerState, given: dict[str, Any], position: Position) -> None:
    number, exporter, dataset_id = given["clearanceId"], given["exporter"], given["datasetId"]
    entry = known(state.clearances, number, "clearance")
    used = replace(entry.clearance, persons=entry.clearance.persons + given["crossed"])
    state.clearances[number] = replace(entry, clearance=used)
    key = exporter, year_of(position.time)
    exports, persons = state.exports.get(key, Exports()), given["persons"]
    state.exports[key] = Exports(
        exports.persons + persons, exports.sensitive_persons + persons * given["sensitive"]
    )
    exported, crossed = (*key, dataset_id), (number, dataset_id)
    state.dataset_exports[exported] = state.dataset_exports.get(exported, 0) + persons
    state.dataset_crossings[crossed] = state.dataset_crossings.get(crossed, 0) + given["crossed"]


def _advance(state: LedgerState, version: Version, status: DatasetStatus) -> None:
    """Take the datasets behind data as far as a status; models and results take them nowhere."""
    if version.kind is not VersionKind.DATA:
        return
    for origin in version.origins:
        state.datasets[origin.dataset_id] = advanced(state.datasets[origin.dataset_id], status)


def _withdrawal_answered(state: LedgerState, given: dict[str, Any], position: Position) -> None:
    version = _known_version(state, given)
    answer, successor = Answer(given["answer"]), VersionId(given["successor"])
    state.versions[version.version_id] = answered(version, answer, state.datasets)
    entry = AnswerEntry(
        answer,
        successor if successor != ZERO32 else None,
        Commitment(given["evidence"]),
        position,
    )
    state.answers[version.version_id] = (*state.answers.get(version.version_id, ()), entry)


def _model_suspended(state: LedgerState, given: dict[str, Any], position: Position) -> None:
    version = _known_version(state, given)
    state.versions[version.version_id] = replace(version, status=ModelStatus.SUSPENDED)
    state.suspensions[version.version_id] = position


def _known_version(state: LedgerState, given: dict[str, Any]) -> Version:
    return known(state.versions, VersionId(given["versionId"]), "version")


_FOLDS: Final[dict[str, Callable[[LedgerState, dict[str, Any], Position], None]]] = {
    "MemberAdmitted": _admitted,
    "MemberSuspended": _suspended,
    "MemberReinstated": _reinstated,
    "MemberExpelled": _expelled,
    "MemberKeysRotated": _keys_rotated,
    "MemberLicensed": _licensed,
    "MemberControlChanged": _control_changed,
    "MemberCapsSet": _caps_set,
    "MemberEntrusted": _entrusted,
    "PolicySet": _policy_set,
    "TemplateIssued": _template_issued,
    "TemplateWithdrawn": _template_withdrawn,
    "SeatSet": _seat_set,
    "RuleSet": _rule_set,
    "ActProposed": _act_proposed,
    "ActApproved": _act_approved,
    "ActExecuted": _act_executed,
    "PassportIssued": _issued,
    "PassportContentCommitted": _content_committed,
    "PassportNarrowed": _narrowed,
    "PassportSealed": _sealed,
    "PassportUnsealed": _unsealed,
    "PassportDestroyed": _destroyed,
    "HolderRotated": _holder_rotated,
    "GuardiansNamed": _guardians_named,
    "RecoveryStarted": _recovery_started,
    "RecoveryCancelled": _recovery_cancelled,
    "DelegateNamed": _delegate_named,
    "ConsentRequested": _consent_requested,
    "ConsentGranted": _granted,
    "ConsentFiled": _consent_filed,
    "ConsentConfirmed": _confirmed,
    "ConsentRefused": _refused,
    "ConsentRepudiated": _repudiated,
    "ConsentWithdrawn": _withdrawn,
    "ConsentSuperseded": _superseded,
    "ProjectFiled": _project_filed,
    "ProjectWithdrawn": _project_withdrawn,
    "ProjectReviewed": _project_reviewed,
    "Attested": _attested,
    "EmergencyOpened": _emergency_opened,
    "EmergencyDeclared": _emergency_declared,
    "EmergencyEnded": _emergency_ended,
    "EmergencyReviewed": _emergency_reviewed,
    "EmergencyRightRestored": _right_restored,
    "DecisionRecorded": _decided,
    "RequestReviewed": _request_reviewed,
    "ReleaseRecorded": _released,
    "TransferShipped": _shipped,
    "TransferReceived": _received,
    "TransferDeclared": _transfer_declared,
    "TransferInspected": _transfer_inspected,
    "TransferLoaded": _transfer_loaded,
    "TransferDispatched": _transfer_dispatched,
    "TransferHalted": _transfer_halted,
    "TransferResumed": _transfer_resumed,
    "TransferTerminated": _transfer_terminated,
    "TransferReported": _transfer_reported,
    "TransferClosed": _transfer_closed,
    "AgreementProposed": _agreement_proposed,
    "AgreementSigned": _agreement_signed,
    "AgreementEnded": _agreement_ended,
    "BorderAccessSet": _border_access_set,
    "ClearanceIssued": _clearance_issued,
    "ClearanceWithdrawn": _clearance_withdrawn,
    "ThresholdsSet": _thresholds_set,
    "DatasetDeclared": _dataset_declared,
    "DatasetWithdrawn": _dataset_withdrawn,
    "DatasetExcused": _dataset_excused,
    "DatasetSealed": _dataset_sealed,
    "DatasetUnsealed": _dataset_unsealed,
    "StepRecorded": _step_recorded,
    "VersionVerified": _version_verified,
    "PartSigned": _part_signed,
    "ExternalRegistered": _external_registered,
    "VersionShared": _version_shared,
    "DatasetExported": _dataset_exported,
    "WithdrawalAnswered": _withdrawal_answered,
    "ModelSuspended": _model_suspended,
}

#: The events that the fold takes. A test compares them with the ABI.
FOLDED_EVENTS: Final = frozenset(_FOLDS)
