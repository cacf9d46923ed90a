"""The law holds its promises in every world."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from ledger.domain.records import (
    Address,
    Commitment,
    GrantId,
    GrantState,
    Member,
    Passport,
    PassportId,
    PolicyTable,
    Project,
    Request,
)
from ledger.domain.vocabulary import (
    ALL_CATEGORIES,
    Basis,
    Category,
    Custody,
    DataClass,
    Fact,
    GrantFlag,
    GrantStatus,
    MemberStatus,
    Operation,
    Outcome,
    PassportStatus,
    Purpose,
    Role,
    Technique,
)
from ledger.policy import class_of, decide

TIMES = st.integers(0, 40)
MEMBERS = st.integers(1, 3)
SETS = st.integers(0, 0xFFFF)
CATEGORIES = SETS.map(Category)
WORDS = st.integers(0, 2**256 - 1)
PASSPORT = PassportId(b"\x01" * 32)

REQUESTS = st.builds(
    Request,
    passport_id=st.just(PASSPORT),
    grant_id=st.just(GrantId(b"\x02" * 32)),
    commitment=st.just(Commitment(b"\x03" * 32)),
    purpose=st.sampled_from(Purpose),
    basis=st.sampled_from(Basis),
    operation=st.sampled_from(Operation),
    categories=st.integers(1, 0xFFFF).map(Category),
    project_id=st.integers(0, 2),
)
WORLDS = st.fixed_dictionaries(
    {
        "table": st.builds(
            PolicyTable,
            version=st.just(1),
            required=st.lists(WORDS, min_size=48, max_size=48).map(tuple),
            necessary=WORDS,
            core_categories=CATEGORIES,
            sensitive_categories=CATEGORIES,
            banned_purposes=SETS,
            max_grant_seconds=st.just(1),
        ),
        "member": st.builds(
            Member,
            member_id=MEMBERS,
            name=st.just(""),
            signer=st.just(Address("")),
            roles=st.just(Role.PROCESSOR),
            purposes=SETS,
            jurisdiction=st.just(0),
            valid_to=TIMES,
            status=st.sampled_from(MemberStatus),
            signing_key=st.just(b""),
            sealing_key=st.just(b""),
        ),
        "passport": st.builds(
            Passport,
            passport_id=st.just(PASSPORT),
            custodian=MEMBERS,
            purposes=SETS,
            status=st.sampled_from(PassportStatus),
            custody=st.sampled_from(Custody),
            holder=st.just(Address("")),
            content=st.just(Commitment(b"")),
            size=st.integers(0, 9),
        ),
        "grant": st.none()
        | st.builds(
            GrantState,
            recipient=MEMBERS,
            purposes=SETS,
            categories=CATEGORIES,
            use_from=TIMES,
            use_to=TIMES,
            max_uses=st.integers(0, 3),
            uses=st.integers(0, 3),
            flags=st.integers(0, 15).map(GrantFlag),
            status=st.sampled_from(GrantStatus),
            ended_at=TIMES,
        ),
        "project": st.none()
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
            agreement=st.sampled_from([bytes(32), b"\x01" * 32]).map(Commitment),
            withdrawn=st.booleans(),
        ),
        "at": TIMES,
    }
)


@given(REQUESTS, WORLDS)
def test_permitted_if_and_only_if_nothing_required_is_missing(request, world):
    """And what is missing is what is required and does not hold."""
    verdict = decide(request, **world)
    table = world["table"]
    required = table.required_for(verdict.data_class, request.purpose, request.basis) | Fact.LAWFUL
    assert verdict.missing == required & ~verdict.facts
    assert (verdict.outcome is Outcome.PERMIT) == (not verdict.missing)
    assert (verdict.outcome is Outcome.REVIEW) == (verdict.missing == Fact.HUMAN_REVIEWED)


@given(REQUESTS, WORLDS)
def test_an_ended_consent_never_permits_again(request, world):
    """Whatever the law, if it asks for a consent in force."""
    if world["grant"] is None:
        return
    for status in (GrantStatus.WITHDRAWN, GrantStatus.SUPERSEDED):
        verdict = decide(request, **{**world, "grant": replace(world["grant"], status=status)})
        assert Fact.GRANT_LIVE not in verdict.facts


@given(REQUESTS, WORLDS)
def test_a_consent_is_separate_only_by_the_patients_own_key(request, world):
    """Whoever else keeps the key."""
    assisted = {**world, "passport": replace(world["passport"], custody=Custody.ASSISTED)}
    assert Fact.GRANT_SEPARATE not in decide(request, **assisted).facts


@given(REQUESTS, WORLDS)
def test_a_consent_withdrawn_before_it_was_given_is_none(request, world):
    """Whatever else the contract keeps of it."""
    if world["grant"] is None:
        return
    mark = replace(world["grant"], recipient=0)
    without = decide(request, **{**world, "grant": None})
    assert decide(request, **{**world, "grant": mark}) == without


@given(REQUESTS, WORLDS)
def test_a_banned_purpose_is_never_allowed(request, world):
    """The ban goes before what the passport may serve."""
    banned = {**world, "table": replace(world["table"], banned_purposes=1 << request.purpose)}
    assert Fact.PURPOSE_ALLOWED not in decide(request, **banned).facts


@given(REQUESTS, WORLDS, CATEGORIES)
def test_asking_for_more_never_helps(request, world, more):
    """No fact about categories appears, and the class never becomes less sensitive."""
    table = world["table"]
    wider = replace(request, categories=request.categories | more)
    before, after = decide(request, **world), decide(wider, **world)
    about_categories = Fact.CATEGORIES_NECESSARY | Fact.GRANT_CATEGORIES
    assert not after.facts & about_categories & ~before.facts
    assert class_of(table, wider.categories) <= class_of(table, request.categories)


@given(REQUESTS, WORLDS)
def test_another_members_grant_and_project_are_nothing(request, world):
    """Facts about recipient and project speak of the requester alone."""
    stranger = replace(world["member"], member_id=4)
    facts = decide(request, **{**world, "member": stranger}).facts
    projects = Fact.PROJECT_FILED | Fact.PROJECT_TECHNIQUE | Fact.PROJECT_AGREEMENT
    assert not facts & (Fact.GRANT_RECIPIENT | Fact.REQUESTER_IS_CUSTODIAN | projects)


@given(WORLDS)
def test_every_set_of_categories_has_one_class(world):
    """The most sensitive of its parts."""
    table = world["table"]
    classes = [class_of(table, category) for category in Category]
    assert class_of(table, ALL_CATEGORIES) == min(classes)
