"""The law holds its promises in every world."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from ledger.domain.lineage import Dataset
from ledger.domain.records import (
    Address,
    Attestation,
    Caps,
    Clearance,
    Commitment,
    Emergency,
    EmergencyLimits,
    EmergencyRight,
    Entrustment,
    Exports,
    GrantId,
    GrantState,
    Member,
    Passport,
    PassportId,
    PolicyTable,
    Project,
    Request,
    Terms,
    Thresholds,
)
from ledger.domain.vocabulary import (
    ALL_CATEGORIES,
    ASKED_ON_DEMAND,
    CONSENT_FLOOR,
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
    MemberKind,
    MemberStatus,
    Operation,
    Outcome,
    PassportStatus,
    Path,
    Purpose,
    Role,
    Technique,
)
from ledger.policy import Crossing, Situation, always_required, class_of, decide, principal_of

TIMES = st.integers(0, 40)
MEMBERS = st.integers(1, 3)
NUMBERS = st.integers(0, 2)
DAYS = st.integers(0, 5)
SETS = st.integers(0, 0xFFFF)
CATEGORIES = SETS.map(Category)
WORDS = st.integers(0, 2**256 - 1)
LEVELS = st.sampled_from(Level)
PASSPORT = PassportId(b"\x01" * 32)

REQUESTS = st.builds(
    Request,
    passport_id=st.just(PASSPORT),
    grant_id=st.just(GrantId(b"\x02" * 32)),
    commitment=st.just(Commitment(b"\x03" * 32)),
    terms=st.builds(
        Terms,
        purpose=st.sampled_from(Purpose),
        basis=st.sampled_from(Basis),
        operation=st.sampled_from(Operation),
        categories=st.integers(1, 0xFFFF).map(Category),
        level=LEVELS,
        project_id=NUMBERS,
        emergency_id=NUMBERS,
        controller_id=st.sampled_from([0, 0, 2]),
        first_day=DAYS,
        last_day=DAYS,
    ),
)
PARTIES = st.builds(
    Member,
    member_id=MEMBERS,
    name=st.just(""),
    signer=st.just(Address("")),
    roles=st.just(Role.PROCESSOR),
    purposes=SETS,
    jurisdiction=NUMBERS,
    valid_to=TIMES,
    status=st.sampled_from(MemberStatus),
    signing_key=st.just(b""),
    sealing_key=st.just(b""),
    kind=st.sampled_from(MemberKind),
    control=NUMBERS,
)
GRANTS = st.builds(
    GrantState,
    recipient=st.integers(0, 3),
    recipient_kinds=st.integers(0, 63),
    purposes=SETS,
    categories=CATEGORIES,
    use_from=TIMES,
    use_to=TIMES,
    data_from=DAYS,
    data_to=DAYS,
    max_uses=st.integers(0, 3),
    uses=st.integers(0, 3),
    control=NUMBERS,
    level=LEVELS,
    flags=st.integers(0, 15).map(GrantFlag),
    status=st.sampled_from(GrantStatus),
    assurance=st.sampled_from(Assurance),
)
STATEMENTS = st.dictionaries(
    st.sampled_from(AttestationKind), st.builds(Attestation, issuer=MEMBERS, valid_to=TIMES)
)
WORLDS = st.builds(
    Situation,
    at=TIMES,
    table=st.builds(
        PolicyTable,
        version=st.just(1),
        required=st.lists(WORDS, min_size=48, max_size=48).map(tuple),
        necessary=WORDS,
        levels=st.integers(0, 2**96 - 1),
        core_categories=CATEGORIES,
        sensitive_categories=CATEGORIES,
        banned_purposes=SETS,
        max_grant_seconds=st.just(1),
        emergencies=st.just(EmergencyLimits(1, Category(0), 1, 1, 1, 1)),
    ),
    requester=PARTIES,
    passport=st.builds(
        Passport,
        passport_id=st.just(PASSPORT),
        custodian=MEMBERS,
        purposes=SETS,
        status=st.sampled_from(PassportStatus),
        custody=st.sampled_from(Custody),
        holder=st.just(""),
        content=st.just(Commitment(b"")),
        size=st.integers(0, 9),
        level=LEVELS,
        lock=NUMBERS,
    ),
    jurisdiction=NUMBERS,
    grant=st.none() | GRANTS,
    project=st.none()
    | st.builds(
        Project,
        project_id=st.just(1),
        member_id=MEMBERS,
        purposes=SETS,
        categories=CATEGORIES,
        techniques=st.integers(0, 255).map(Technique),
        highest_class=st.sampled_from(DataClass),
        valid_from=TIMES,
        valid_to=TIMES,
        agreement=st.booleans(),
        withdrawn=st.booleans(),
        ethics=NUMBERS,
        compliance=NUMBERS,
    ),
    controller=PARTIES.map(lambda member: replace(member, member_id=2)),
    entrustment=st.none() | st.builds(Entrustment, purposes=SETS, valid_to=TIMES),
    caps=st.builds(Caps, caps=WORDS, day=st.just(0), used=WORDS),
    emergency=st.none()
    | st.builds(
        Emergency,
        emergency_id=st.just(1),
        kind=st.sampled_from([EmergencyKind.INDIVIDUAL, EmergencyKind.PUBLIC]),
        categories=CATEGORIES,
        valid_from=TIMES,
        until=TIMES,
        member_id=NUMBERS,
        purposes=SETS,
        max_records=NUMBERS,
        used=NUMBERS,
        jurisdiction=NUMBERS,
        passport_id=st.sampled_from([PASSPORT, PassportId(bytes(32))]),
    ),
    right=st.builds(EmergencyRight, lost=st.booleans(), oldest_due=st.none() | TIMES),
    on_passport=STATEMENTS,
    on_project=STATEMENTS,
    approved_until=TIMES,
    crossing=st.builds(
        Crossing,
        access_until=TIMES,
        clearance=st.none()
        | st.builds(
            Clearance,
            clearance_id=st.just(1),
            project_id=NUMBERS,
            exporter=MEMBERS,
            issuer=MEMBERS,
            path=st.sampled_from(Path),
            valid_from=TIMES,
            valid_to=TIMES,
            max_persons=NUMBERS,
            persons=NUMBERS,
        ),
        contract_in_force=st.booleans(),
        crossed=st.booleans(),
        exports=st.builds(Exports, persons=NUMBERS, sensitive_persons=NUMBERS),
        counted=st.booleans(),
        counted_sensitive=st.booleans(),
        thresholds=st.builds(Thresholds, persons=NUMBERS, sensitive_persons=NUMBERS),
    ),
    dataset=st.none()
    | st.builds(
        Dataset,
        dataset_id=st.just(1),
        owner=MEMBERS,
        purposes=SETS,
        categories=CATEGORIES,
        status=st.sampled_from(DatasetStatus),
        retain_until=TIMES,
    ),
    included_into=st.lists(st.integers(1, 9), max_size=7, unique=True).map(tuple),
)


def required_of(request: Request, world: Situation) -> Fact:
    """Return what the law requires of a request, besides that it has an entry."""
    data_class = class_of(world.table, request.terms.categories)
    return world.table.required_for(data_class, request.terms.purpose, request.terms.basis)


@given(REQUESTS, WORLDS)
def test_permitted_if_and_only_if_nothing_required_is_missing(request, world):
    """And what is missing is what is required and does not hold."""
    verdict = decide(request, world)
    assert verdict.missing == (required_of(request, world) | always_required(request.terms)) & ~verdict.facts
    assert (verdict.outcome is Outcome.PERMIT) == (not verdict.missing)
    assert (verdict.outcome is Outcome.REVIEW) == (verdict.missing == Fact.HUMAN_REVIEWED)


@given(REQUESTS, WORLDS)
def test_nothing_is_asked_that_the_law_does_not_require(request, world):
    """A fact of another register is among those that hold only where an entry requires it."""
    assert not decide(request, world).facts & ASKED_ON_DEMAND & ~required_of(request, world)


@given(REQUESTS, WORLDS)
def test_what_was_not_asked_for_is_in_no_dataset(request, world):
    """A permitted inclusion is into the principal's own dataset, which is for nothing more than was asked or consented."""
    inclusion = replace(request, terms=replace(request.terms, operation=Operation.INCLUDE))
    if Fact.DATASET_FITS not in decide(inclusion, world).facts:
        return
    terms, principal = request.terms, principal_of(request.terms, world)
    assert principal is not None
    assert world.dataset is not None
    assert world.dataset.owner == principal.member_id
    assert terms.categories in world.dataset.categories
    consented = world.grant.purposes if world.grant else 0
    allowed = consented if terms.basis is Basis.CONSENT else 1 << terms.purpose
    assert not world.dataset.purposes & ~allowed


@given(REQUESTS, WORLDS, st.integers(0, 2**32 - 1).map(Fact))
def test_a_law_that_requires_more_never_permits_more(request, world, more):
    """Whatever is added to an entry that there is."""
    before = decide(request, world)
    if not required_of(request, world):
        return
    data_class = class_of(world.table, request.terms.categories)
    words = list(world.table.required)
    words[(data_class - 1) * 16 + request.terms.purpose] |= int(more) << (32 * request.terms.basis)
    after = decide(request, replace(world, table=replace(world.table, required=tuple(words))))
    assert before.missing in after.missing
    assert not (after.outcome is Outcome.PERMIT and before.outcome is not Outcome.PERMIT)


@given(
    REQUESTS, WORLDS, st.sampled_from([status for status in GrantStatus if status is not GrantStatus.ACTIVE])
)
def test_an_ended_consent_never_permits_again(request, world, status):
    """Whatever the law, if it asks for a consent in force."""
    if world.grant is None:
        return
    ended = replace(world, grant=replace(world.grant, status=status))
    assert Fact.GRANT_LIVE not in decide(request, ended).facts


@given(REQUESTS, WORLDS, st.sampled_from([Assurance.NONE, Assurance.PAPER, Assurance.ASSISTED]))
def test_a_consent_is_separate_only_by_the_patients_side(request, world, assurance):
    """Whoever else signs or files."""
    if world.grant is None:
        return
    weak = replace(world, grant=replace(world.grant, assurance=assurance))
    assert Fact.GRANT_SEPARATE not in decide(request, weak).facts


@given(REQUESTS, WORLDS)
def test_a_consent_that_nobody_gave_is_none(request, world):
    """Asked for, refused, or withdrawn before it was given: whatever else the contract keeps of it but the level."""
    if world.grant is None:
        return
    mark = replace(world.grant, assurance=Assurance.NONE, level=Level.IDENTIFIED)
    assert decide(request, replace(world, grant=mark)) == decide(request, replace(world, grant=None))


@given(REQUESTS, WORLDS)
def test_a_banned_purpose_is_never_allowed(request, world):
    """The ban goes before what the passport may serve."""
    banned = replace(world, table=replace(world.table, banned_purposes=1 << request.terms.purpose))
    assert Fact.PURPOSE_ALLOWED not in decide(request, banned).facts


@given(REQUESTS, WORLDS, CATEGORIES)
def test_asking_for_more_never_helps(request, world, more):
    """No fact about categories appears, and the class never becomes less sensitive."""
    wider = replace(request, terms=replace(request.terms, categories=request.terms.categories | more))
    before, after = decide(request, world), decide(wider, world)
    about_categories = Fact.CATEGORIES_NECESSARY | Fact.GRANT_CATEGORIES
    assert not after.facts & about_categories & ~before.facts
    assert class_of(world.table, wider.terms.categories) <= class_of(world.table, request.terms.categories)


@given(REQUESTS, WORLDS, LEVELS)
def test_hiding_more_never_hurts(request, world, level):
    """Data at a higher level satisfies what it satisfied at a lower one, and nothing else changes."""
    higher = replace(request, terms=replace(request.terms, level=max(request.terms.level, level)))
    before, after = decide(request, world), decide(higher, world)
    assert after.facts & ~Fact.LEVEL_SUFFICIENT == before.facts & ~Fact.LEVEL_SUFFICIENT
    assert before.facts & Fact.LEVEL_SUFFICIENT in after.facts


@given(REQUESTS, WORLDS)
def test_another_members_grant_and_project_are_nothing(request, world):
    """Facts about recipient and project speak of the principal alone."""
    stranger = replace(world, requester=replace(world.requester, member_id=4, kind=MemberKind.OTHER))
    alone = replace(request, terms=replace(request.terms, controller_id=0))
    if world.grant is not None and not world.grant.recipient:
        return
    facts = decide(alone, stranger).facts
    assert not facts & (Fact.GRANT_RECIPIENT | Fact.REQUESTER_IS_CUSTODIAN | Fact.PROJECT_FILED)
    assert not facts & (Fact.PROJECT_ETHICS | Fact.PROJECT_COMPLIANCE | Fact.PROJECT_AGREEMENT)


@given(REQUESTS, WORLDS)
def test_nobodys_right_is_no_right(request, world):
    """A controller that has not entrusted the requester lends it nothing."""
    named = replace(request, terms=replace(request.terms, controller_id=2))
    unordered = replace(world, entrustment=None)
    assert principal_of(named.terms, unordered) is None
    rights = CONSENT_FLOOR & Fact.GRANT_RECIPIENT | Fact.REQUESTER_IS_CUSTODIAN | Fact.PROJECT_FILED
    assert not decide(named, unordered).facts & rights


@given(REQUESTS, WORLDS)
def test_locked_data_leaves_its_emergency_for_no_other(request, world):
    """R080: under another number it stays locked, whatever is in force."""
    locked = replace(world, passport=replace(world.passport, lock=request.terms.emergency_id + 1))
    assert Fact.UNLOCKED not in decide(request, locked).facts


@given(REQUESTS, WORLDS, TIMES)
def test_what_is_over_stays_over(request, world, later):
    """Time alone brings back no membership, consent, emergency, statement or approval that has ended."""
    grant = world.grant and replace(world.grant, use_from=0)
    project = world.project and replace(world.project, valid_from=0)
    emergency = world.emergency and replace(world.emergency, valid_from=0)
    started = replace(world, grant=grant, project=project, emergency=emergency)
    before, after = (decide(request, replace(started, at=at)).facts for at in (world.at, world.at + later))
    assert not after & ~before


@given(WORLDS)
def test_every_set_of_categories_has_one_class(world):
    """The most sensitive of its parts."""
    classes = [class_of(world.table, category) for category in Category]
    assert class_of(world.table, ALL_CATEGORIES) == min(classes)


@given(REQUESTS, WORLDS)
def test_nothing_crosses_without_the_list_a_clearance_and_room(request, world):
    """Whatever else holds, and whatever the clearance's path."""
    facts = decide(request, world).facts
    if Fact.BORDER_CLEARED not in facts or world.requester.jurisdiction == world.jurisdiction:
        return
    crossing, clearance = world.crossing, world.crossing.clearance
    assert clearance is not None
    assert world.at < crossing.access_until
    assert clearance.valid_from <= world.at < clearance.valid_to
    assert crossing.crossed or clearance.persons < clearance.max_persons
    if clearance.path is not Path.ASSESSMENT:
        assert crossing.counted or crossing.exports.persons < crossing.thresholds.persons
