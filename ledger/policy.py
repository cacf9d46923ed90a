"""
The law, decided a second time: the twin of `contracts/modules/Decisions.sol`.

Pure and readable; shares nothing with the contracts but the published numbering. The auditor's replay is this
module. Time is always an argument.

The *principal* of a request is the member in whose right it is made: the requester, or the controller that has
entrusted the requester with the purpose, or nobody if the controller named has not.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Final

from ledger.domain.lineage import Dataset
from ledger.domain.records import (
    Agreement,
    Attestation,
    Caps,
    Clearance,
    Emergency,
    EmergencyRight,
    Entrustment,
    Exports,
    GrantState,
    Member,
    Passport,
    Person,
    PolicyTable,
    Project,
    Request,
    Terms,
    Thresholds,
    Verdict,
)
from ledger.domain.vocabulary import (
    AgreementStatus,
    Assurance,
    AttestationKind,
    Basis,
    Category,
    Custody,
    DataClass,
    DatasetStatus,
    EmergencyKind,
    Fact,
    GrantFlag,
    GrantStatus,
    Level,
    MemberStatus,
    Operation,
    Outcome,
    PassportStatus,
    Path,
    Purpose,
)

#: How long after its decision a permit can be used, in seconds.
PERMIT_SECONDS: Final = 3600

_FULL_COUNT: Final = 0xFFFF

_NOTHING: Final = Fact(0)
#: Into how many datasets somebody may be included under one grant.
MAX_DATASETS: Final = 7
_NO_ATTESTATIONS: Final[Mapping[AttestationKind, Attestation]] = {}
#: The law that the thresholds of exports are from counts years from midnight in Beijing.
_BEIJING: Final = timezone(timedelta(hours=8))


@dataclass(frozen=True, slots=True)
class Crossing:
    """
    What the ledger knows that bears on data crossing a border from one member to another.

    Attributes:
        access_until: Until when all importers may receive data from abroad, exclusive; 0 if one never could.
        clearance: The one that counts for the project and the exporter, in force or not.
        contract_in_force: Whether the agreement that the clearance rests on is in force.
        crossed: Whether the person has crossed under this clearance before.
        exports: What the exporter has exported in the calendar year of the request.
        counted: Whether the person is among them; `counted_sensitive`: with data of class 1 or 2.
        thresholds: The thresholds in force.
    """

    access_until: int = 0
    clearance: Clearance | None = None
    contract_in_force: bool = False
    crossed: bool = False
    exports: Exports = field(default_factory=Exports)
    counted: bool = False
    counted_sensitive: bool = False
    thresholds: Thresholds = field(default_factory=Thresholds)


@dataclass(frozen=True, slots=True)
class Situation:
    """
    What the ledger knows that bears on one request.

    Attributes:
        at: Time of the block, seconds since the Unix epoch.
        table: The law in force.
        requester: Who asks.
        passport: The data asked for.
        jurisdiction: That of the passport's custodian, ISO 3166-1 numeric.
        grant: The grant the request names, if that passport has it.
        project: The project the request names, if it exists.
        controller: The controller the request names, if it names one.
        entrustment: What that controller entrusted the requester with.
        caps: The requester's daily caps, and what counts against them on the day of `at`.
        emergency: The emergency the request names, if it exists.
        right: The requester's right to emergencies.
        on_passport: Statements about the passport.
        on_project: Statements about the project the request names.
        approved_until: Until when a human's approval of this very request holds, exclusive; 0 without one.
        dataset: The dataset that the data is to be included into, if that is what is asked.
        included_into: Numbers of the datasets that the grant was included into before.
        crossing: What bears on the data crossing a border, if custodian, requester and principal are not in one
            jurisdiction.
    """

    at: int
    table: PolicyTable
    requester: Member
    passport: Passport
    jurisdiction: int
    grant: GrantState | None = None
    project: Project | None = None
    controller: Member | None = None
    entrustment: Entrustment | None = None
    caps: Caps = field(default_factory=Caps)
    emergency: Emergency | None = None
    right: EmergencyRight = field(default_factory=EmergencyRight)
    on_passport: Mapping[AttestationKind, Attestation] = field(default_factory=lambda: _NO_ATTESTATIONS)
    on_project: Mapping[AttestationKind, Attestation] = field(default_factory=lambda: _NO_ATTESTATIONS)
    approved_until: int = 0
    dataset: Dataset | None = None
    included_into: tuple[int, ...] = ()
    crossing: Crossing = field(default_factory=Crossing)


def decide(request: Request, situation: Situation) -> Verdict:
    """
    Answer a request: permitted if and only if nothing required is missing.

    The number of the decision is the passport's size.
    """
    table, terms = situation.table, request.terms
    data_class = class_of(table, terms.categories)
    facts = facts_of(request, situation)
    missing = (table.required_for(data_class, terms.purpose, terms.basis) | always_required(terms)) & ~facts
    return Verdict(
        seq=situation.passport.size,
        policy_version=table.version,
        data_class=data_class,
        outcome=outcome_of(missing),
        facts=facts,
        missing=missing,
    )


def facts_of(request: Request, situation: Situation) -> Fact:
    """
    Work out which facts hold for a request.

    Returns:
        The set of facts that hold, with `LAWFUL` if the law has an entry at all. A fact of `ASKED_ON_DEMAND` is in it
        only if the entry requires it.
    """
    terms, table = request.terms, situation.table
    data_class = class_of(table, terms.categories)
    required = table.required_for(data_class, terms.purpose, terms.basis)
    principal = principal_of(terms, situation)
    facts = (
        _member_facts(terms, situation)
        | _limit_facts(terms, situation)
        | _passport_facts(request, situation, principal)
        | _project_facts(terms, situation, principal, data_class)
        | _grant_facts(terms, situation, principal)
        | _level_facts(terms, situation, data_class)
        | _dataset_facts(terms, situation, principal)
    )
    if required:
        facts |= Fact.LAWFUL
    for fact, holds in _ON_DEMAND.items():
        if fact in required and holds(request, situation):
            facts |= fact
    return facts


def always_required(terms: Terms) -> Fact:
    """Return what is required whatever the law says: an entry, and for an inclusion a dataset that fits."""
    return Fact.LAWFUL | (Fact.DATASET_FITS if terms.operation is Operation.INCLUDE else _NOTHING)


def class_of(table: PolicyTable, categories: Category) -> DataClass:
    """Return the data class of a set of categories: that of the most sensitive one."""
    if categories & table.core_categories:
        return DataClass.CORE_PRIVACY
    if categories & table.sensitive_categories:
        return DataClass.SENSITIVE
    return DataClass.NON_SENSITIVE


def member_is_active(member: Member, at: int) -> bool:
    """Tell whether a membership is in force at *at* (seconds since the Unix epoch)."""
    return member.status is MemberStatus.ACTIVE and at < member.valid_to


def grant_is_live(grant: GrantState, at: int) -> bool:
    """Tell whether a grant has not ended and is within its use period at *at* (start inclusive, end exclusive)."""
    return grant.status is GrantStatus.ACTIVE and grant.use_from <= at < grant.use_to


def grant_names(grant: GrantState, member: Member) -> bool:
    """Tell whether a grant names a member that is controlled as it was when the holder signed, or its kind."""
    if grant.recipient:
        return grant.recipient == member.member_id and grant.control == member.control
    return bool(grant.recipient_kinds >> member.kind & 1)


def reviews_are_current(right: EmergencyRight, at: int) -> bool:
    """Tell whether a member has its right to emergencies and owes no overdue review at *at*."""
    return not right.lost and (right.oldest_due is None or at <= right.oldest_due)


def is_entrusted(order: Entrustment | None, purpose: int, at: int) -> bool:
    """Tell whether a controller's order to a processor covers a purpose and has not ended at *at*."""
    return order is not None and bool(order.purposes >> purpose & 1) and at < order.valid_to


def principal_of(terms: Terms, situation: Situation) -> Member | None:
    """Return the member in whose right a request is made; None if nobody's."""
    if not terms.controller_id:
        return situation.requester
    entrusted = is_entrusted(situation.entrustment, terms.purpose, situation.at)
    return situation.controller if entrusted else None


def emergency_covers(request: Request, situation: Situation) -> bool:
    """Tell whether the emergency that a request names is in force and covers it."""
    emergency, terms, at = situation.emergency, request.terms, situation.at
    if emergency is None or not emergency.valid_from <= at < emergency.until:
        return False
    if terms.categories not in emergency.categories:
        return False
    individual = terms.basis is Basis.INDIVIDUAL_EMERGENCY
    if emergency.kind is EmergencyKind.INDIVIDUAL:
        mine = emergency.member_id == situation.requester.member_id
        return individual and mine and emergency.passport_id == request.passport_id
    here = emergency.jurisdiction in (0, situation.jurisdiction)
    serves = bool(emergency.purposes >> terms.purpose & 1)
    return not individual and serves and here and emergency.used < emergency.max_records


def outcome_of(missing: Fact) -> Outcome:
    """Return the outcome for a set of missing facts: REVIEW if only a human's look is missing."""
    if not missing:
        return Outcome.PERMIT
    return Outcome.REVIEW if missing == Fact.HUMAN_REVIEWED else Outcome.DENY


def takes_use(terms: Terms, verdict: Verdict, grant: GrantState | None) -> bool:
    """Tell whether a decision takes one of the grant's uses."""
    permitted = verdict.outcome is Outcome.PERMIT and terms.basis is Basis.CONSENT
    return permitted and grant is not None and grant.max_uses != 0


def takes_record(
    terms: Terms, verdict: Verdict, *, table: PolicyTable, passport: Passport, emergency: Emergency | None
) -> bool:
    """Tell whether a decision takes one of the records that a public emergency is good for."""
    if (
        verdict.outcome is not Outcome.PERMIT
        or emergency is None
        or emergency.kind is not EmergencyKind.PUBLIC
    ):
        return False
    required = table.required_for(verdict.data_class, terms.purpose, terms.basis)
    return rests_on_emergency(required, passport.lock)


def rests_on_emergency(required: Fact, lock: int) -> bool:
    """Tell whether a permit rests on the emergency that it names: the law asks for one, or for what unlocks the data."""
    return Fact.EMERGENCY_IN_FORCE in required or (Fact.UNLOCKED in required and lock != 0)


def year_of(time: int) -> int:
    """Return the calendar year, in UTC+8, that exports at a time (seconds since the Unix epoch) are counted in."""
    return datetime.fromtimestamp(time, _BEIJING).year


def agreement_is_in_force(agreement: Agreement, provider: Member, recipient: Member, at: int) -> bool:
    """Tell whether both sides signed an agreement, nobody ended it, and both are active members at *at*."""
    signed = agreement.status is AgreementStatus.SIGNED and at < agreement.limits.valid_to
    return signed and member_is_active(provider, at) and member_is_active(recipient, at)


def is_cleared(crossing: Crossing, at: int) -> bool:
    """Tell whether the importer may receive data from abroad, and the clearance is in force at *at*."""
    clearance = crossing.clearance
    if clearance is None or not clearance.valid_from <= at < clearance.valid_to:
        return False
    if clearance.path is Path.NONE or at >= crossing.access_until:
        return False
    return clearance.path is not Path.CONTRACT or crossing.contract_in_force


def may_cross(crossing: Crossing, at: int, *, sensitive: bool) -> bool:
    """
    Tell whether one person's data may cross: cleared, with room for one more person, and below the thresholds.

    Args:
        crossing: What bears on it.
        at: Seconds since the Unix epoch.
        sensitive: Whether there is data of class 1 or 2 in it.
    """
    clearance = crossing.clearance
    if clearance is None or not is_cleared(crossing, at):
        return False
    if clearance.persons >= clearance.max_persons and not crossing.crossed:
        return False
    if clearance.path is Path.ASSESSMENT:
        return True
    exports, limits = crossing.exports, crossing.thresholds
    room = crossing.counted or exports.persons < limits.persons
    return room and (
        not sensitive or crossing.counted_sensitive or exports.sensitive_persons < limits.sensitive_persons
    )


def is_sensitive(table: PolicyTable, categories: Category) -> bool:
    """Tell whether exporting these categories counts as exporting sensitive data: class 1 or 2."""
    return class_of(table, categories) is not DataClass.NON_SENSITIVE


def person_of(passport: Passport) -> Person:
    """Return the person that counts as crossing a border: the holder, unless the custodian keeps the holder's key."""
    return passport.holder if passport.custody is Custody.SELF else passport.passport_id


def importers_of(terms: Terms, situation: Situation) -> tuple[int, ...]:
    """Return who would receive the data from abroad: the requester, and the principal, that are not where it is kept."""
    parties = situation.requester, principal_of(terms, situation)
    abroad = [
        one.member_id for one in parties if one is not None and one.jurisdiction != situation.jurisdiction
    ]
    return tuple(dict.fromkeys(abroad))


def takes_crossing(
    terms: Terms, verdict: Verdict, *, table: PolicyTable, jurisdictions: Collection[int], custodians: int
) -> bool:
    """
    Tell whether a decision counts a person as crossing: a permit, abroad, for which the law asks for a clearance.

    Args:
        terms: What was asked.
        verdict: The answer.
        table: The law that it was answered by.
        jurisdictions: Those of the requester and, if there is one, the principal.
        custodians: That of the passport's custodian.
    """
    required = table.required_for(verdict.data_class, terms.purpose, terms.basis)
    abroad = any(one != custodians for one in jurisdictions)
    return verdict.outcome is Outcome.PERMIT and abroad and Fact.BORDER_CLEARED in required


def cap_of(caps: int, purpose: Purpose) -> int:
    """Return one purpose's 16 bits of a word of caps or of uses."""
    return caps >> (16 * purpose) & 0xFFFF


def takes_cap(terms: Terms, verdict: Verdict, caps: Caps) -> bool:
    """Tell whether a decision counts against the requester's daily cap; a count of 16 bits that is full stays full."""
    counted = cap_of(caps.caps, terms.purpose) != 0 and cap_of(caps.used, terms.purpose) != _FULL_COUNT
    return verdict.outcome is Outcome.PERMIT and counted


def _member_facts(terms: Terms, situation: Situation) -> Fact:
    parties = [situation.requester]
    if terms.controller_id and situation.controller is not None:
        parties.append(situation.controller)
    facts = _NOTHING
    if all(member_is_active(party, situation.at) for party in parties):
        facts |= Fact.MEMBER_ACTIVE
    if all(party.purposes >> terms.purpose & 1 for party in parties):
        facts |= Fact.MEMBER_SCOPE
    return facts


def _limit_facts(terms: Terms, situation: Situation) -> Fact:
    facts = _NOTHING
    if terms.categories in situation.table.necessary_for(terms.purpose):
        facts |= Fact.CATEGORIES_NECESSARY
    cap = cap_of(situation.caps.caps, terms.purpose)
    if cap == 0 or cap_of(situation.caps.used, terms.purpose) < cap:
        facts |= Fact.WITHIN_CAP
    return facts


def _passport_facts(request: Request, situation: Situation, principal: Member | None) -> Fact:
    passport, terms = situation.passport, request.terms
    facts = Fact.BUDGET_LEFT  # a record has none to spend
    if passport.status is PassportStatus.OPEN:
        facts |= Fact.PASSPORT_OPEN
    if passport.purposes & ~situation.table.banned_purposes & 1 << terms.purpose:
        facts |= Fact.PURPOSE_ALLOWED
    if principal is not None and passport.custodian == principal.member_id:
        facts |= Fact.REQUESTER_IS_CUSTODIAN
    under_its_lock = passport.lock == terms.emergency_id and emergency_covers(request, situation)
    if passport.lock == 0 or under_its_lock:
        facts |= Fact.UNLOCKED
    return facts


def _project_facts(
    terms: Terms, situation: Situation, principal: Member | None, data_class: DataClass
) -> Fact:
    facts, project = _NOTHING, situation.project
    if project is None or principal is None or project.withdrawn:
        return facts
    if project.member_id != principal.member_id:
        return facts
    in_time = project.valid_from <= situation.at < project.valid_to
    covers = project.purposes >> terms.purpose & 1 and terms.categories in project.categories
    if in_time and covers and data_class >= project.highest_class:
        facts |= Fact.PROJECT_FILED
    if project.techniques:
        facts |= Fact.PROJECT_TECHNIQUE
    if project.agreement:
        facts |= Fact.PROJECT_AGREEMENT
    if project.ethics:
        facts |= Fact.PROJECT_ETHICS
    if project.compliance:
        facts |= Fact.PROJECT_COMPLIANCE
    return facts


def _grant_facts(terms: Terms, situation: Situation, principal: Member | None) -> Fact:
    facts, grant = _NOTHING, situation.grant
    # No assurance: there is no grant, only one that was asked for, refused, or withdrawn before it was given.
    if grant is None or grant.assurance is Assurance.NONE:
        return facts
    if grant_is_live(grant, situation.at):
        facts |= Fact.GRANT_LIVE
    if principal is not None and grant_names(grant, principal):
        facts |= Fact.GRANT_RECIPIENT
    if grant.purposes >> terms.purpose & 1:
        facts |= Fact.GRANT_PURPOSE
    if terms.categories in grant.categories:
        facts |= Fact.GRANT_CATEGORIES
    if GrantFlag.SEPARATE in grant.flags and grant.assurance >= Assurance.DELEGATED:
        facts |= Fact.GRANT_SEPARATE
    if grant.max_uses == 0 or grant.uses < grant.max_uses:
        facts |= Fact.GRANT_QUOTA
    # No day asked for means all days: more than any limit.
    from_inside = grant.data_from == 0 or terms.first_day >= grant.data_from
    to_inside = grant.data_to == 0 or 0 < terms.last_day <= grant.data_to
    if from_inside and to_inside:
        facts |= Fact.GRANT_PERIOD
    return facts


def _level_facts(terms: Terms, situation: Situation, data_class: DataClass) -> Fact:
    least: Level = situation.table.level_for(data_class, terms.purpose)
    if terms.basis is Basis.CONSENT and situation.grant is not None:
        least = max(least, situation.grant.level)
    handed_over_at = max(terms.level, situation.passport.level)
    return Fact.LEVEL_SUFFICIENT if handed_over_at >= least else _NOTHING


def _border_is_cleared(request: Request, situation: Situation) -> bool:
    sensitive = is_sensitive(situation.table, request.terms.categories)
    return not importers_of(request.terms, situation) or may_cross(
        situation.crossing, situation.at, sensitive=sensitive
    )


def _dataset_facts(terms: Terms, situation: Situation, principal: Member | None) -> Fact:
    if terms.operation is not Operation.INCLUDE:
        return Fact.DATASET_FITS
    dataset, grant = situation.dataset, situation.grant
    if dataset is None or principal is None or dataset.owner != principal.member_id:
        return _NOTHING
    wants_no_more = terms.categories in dataset.categories and bool(dataset.purposes >> terms.purpose & 1)
    if dataset.status >= DatasetStatus.SEALED or not wants_no_more:
        return _NOTHING
    # What was consented to it may serve in all that it is for; what was not, only in what was asked for.
    served = 1 << terms.purpose
    if terms.basis is Basis.CONSENT:
        served = grant.purposes if grant is not None else 0
        known = dataset.dataset_id in situation.included_into
        if not known and len(situation.included_into) >= MAX_DATASETS:
            return _NOTHING
    return _NOTHING if dataset.purposes & ~served else Fact.DATASET_FITS


def _deidentification_is_verified(request: Request, situation: Situation) -> bool:
    verifier = attested_by(situation.on_passport, AttestationKind.DEIDENTIFICATION, situation.at)
    independent = verifier not in (0, situation.requester.member_id, request.terms.controller_id)
    return independent and max(request.terms.level, situation.passport.level) >= Level.DEIDENTIFIED


def attested_by(statements: Mapping[AttestationKind, Attestation], kind: AttestationKind, at: int) -> int:
    """Return who states something in a statement that is in force; 0 if nobody."""
    statement = statements.get(kind)
    return statement.issuer if statement is not None and at < statement.valid_to else 0


#: How each fact is established that is established only where the law requires it.
_ON_DEMAND: Final[dict[Fact, Callable[[Request, Situation], bool]]] = {
    Fact.EMERGENCY_IN_FORCE: emergency_covers,
    Fact.REVIEWS_CURRENT: lambda _, known: reviews_are_current(known.right, known.at),
    Fact.HUMAN_REVIEWED: lambda _, known: known.at < known.approved_until,
    Fact.BORDER_CLEARED: _border_is_cleared,
    Fact.ENCRYPTED: lambda _, known: (
        attested_by(known.on_passport, AttestationKind.ENCRYPTION, known.at) != 0
    ),
    Fact.DEIDENTIFIED: _deidentification_is_verified,
    Fact.SOURCE_DECLARED: lambda _, known: (
        attested_by(known.on_passport, AttestationKind.SOURCE, known.at) != 0
    ),
    Fact.MODEL_LICENSED: lambda _, known: (
        attested_by(known.on_project, AttestationKind.LICENCE, known.at) != 0
    ),
}
