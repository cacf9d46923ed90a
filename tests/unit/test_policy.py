"""The law, decided by the twin: permitted if and only if nothing required is missing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ledger.audit.law import ESTABLISHED
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
    CONSENT_FLOOR,
    FLOOR,
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
from ledger.policy import class_of, decide, facts_of, grant_is_live, member_is_active, outcome_of, uses_quota
from tests.unit.chronicle import DAY, START, default_law

AT = START + DAY
LAW = default_law()
ASKED = Category.DIAGNOSIS | Category.LABORATORY

REQUEST = Request(
    passport_id=PassportId(b"\x01" * 32),
    grant_id=GrantId(b"\x02" * 32),
    commitment=Commitment(b"\x03" * 32),
    purpose=Purpose.AI_TRAINING,
    basis=Basis.CONSENT,
    operation=Operation.READ,
    categories=ASKED,
    project_id=1,
)
MEMBER = Member(
    member_id=3,
    name="Lab",
    signer=Address("0x" + "03" * 20),
    roles=Role.PROCESSOR,
    purposes=1 << Purpose.AI_TRAINING,
    jurisdiction=156,
    valid_to=START + 10 * DAY,
    status=MemberStatus.ACTIVE,
    signing_key=b"\x04" * 32,
    sealing_key=b"\x05" * 32,
)
# Every fact that this version can establish holds, so the laboratory keeps the data itself.
PASSPORT = Passport(
    passport_id=REQUEST.passport_id,
    custodian=3,
    purposes=0xFFFF,
    status=PassportStatus.OPEN,
    custody=Custody.SELF,
    holder=Address("0x" + "06" * 20),
    content=Commitment(b"\x07" * 32),
    size=5,
)
GRANT = GrantState(
    recipient=3,
    purposes=1 << Purpose.AI_TRAINING,
    categories=ASKED,
    use_from=START,
    use_to=START + 10 * DAY,
    max_uses=2,
    uses=1,
    flags=GrantFlag.SEPARATE,
    status=GrantStatus.ACTIVE,
    ended_at=0,
)
# What the contract keeps of a grant that was withdrawn before it was given.
WITHDRAWN_BEFORE_GIVEN = GrantState(
    recipient=0,
    purposes=0,
    categories=Category(0),
    use_from=0,
    use_to=0,
    max_uses=0,
    uses=0,
    flags=GrantFlag(0),
    status=GrantStatus.WITHDRAWN,
    ended_at=START,
)
PROJECT = Project(
    project_id=1,
    member_id=3,
    purposes=1 << Purpose.AI_TRAINING,
    categories=ASKED,
    techniques=Technique.FEDERATED_LEARNING,
    highest_class=DataClass.SENSITIVE,
    valid_from=START,
    valid_to=START + 10 * DAY,
    agreement=Commitment(b"\x08" * 32),
)
WORLD = {"table": LAW, "member": MEMBER, "passport": PASSPORT, "grant": GRANT, "project": PROJECT, "at": AT}

#: For each fact, changes of the world that take exactly this fact away.
LOSSES: dict[Fact, list[dict[str, object]]] = {
    Fact.MEMBER_ACTIVE: [
        {"member": replace(MEMBER, status=MemberStatus.SUSPENDED)},
        {"member": replace(MEMBER, valid_to=AT)},
    ],
    Fact.MEMBER_SCOPE: [{"member": replace(MEMBER, purposes=0xFFFF & ~(1 << Purpose.AI_TRAINING))}],
    Fact.PASSPORT_OPEN: [
        {"passport": replace(PASSPORT, status=PassportStatus.SEALED)},
        {"passport": replace(PASSPORT, status=PassportStatus.DESTROYED)},
    ],
    Fact.PURPOSE_ALLOWED: [
        {"passport": replace(PASSPORT, purposes=0xFFFF & ~(1 << Purpose.AI_TRAINING))},
        {"table": replace(LAW, banned_purposes=1 << Purpose.AI_TRAINING)},
    ],
    Fact.CATEGORIES_NECESSARY: [{"table": replace(LAW, necessary=0)}],
    Fact.PROJECT_FILED: [
        {"project": replace(PROJECT, valid_from=AT + 1)},
        {"project": replace(PROJECT, valid_to=AT)},
        {"project": replace(PROJECT, purposes=1)},
        {"project": replace(PROJECT, categories=Category.DIAGNOSIS)},
        {"project": replace(PROJECT, highest_class=DataClass.NON_SENSITIVE)},
    ],
    Fact.PROJECT_TECHNIQUE: [{"project": replace(PROJECT, techniques=Technique(0))}],
    Fact.PROJECT_AGREEMENT: [{"project": replace(PROJECT, agreement=Commitment(bytes(32)))}],
    Fact.PROJECT_FILED | Fact.PROJECT_TECHNIQUE | Fact.PROJECT_AGREEMENT: [
        {"project": None},
        {"project": replace(PROJECT, withdrawn=True)},
        {"project": replace(PROJECT, member_id=4)},
    ],
    Fact.GRANT_LIVE: [
        {"grant": replace(GRANT, status=GrantStatus.WITHDRAWN)},
        {"grant": replace(GRANT, status=GrantStatus.SUPERSEDED)},
        {"grant": replace(GRANT, use_from=AT + 1)},
        {"grant": replace(GRANT, use_to=AT)},
    ],
    Fact.GRANT_RECIPIENT: [{"grant": replace(GRANT, recipient=4)}],
    Fact.GRANT_PURPOSE: [{"grant": replace(GRANT, purposes=1)}],
    Fact.GRANT_CATEGORIES: [{"grant": replace(GRANT, categories=Category.DIAGNOSIS)}],
    Fact.GRANT_SEPARATE: [
        {"grant": replace(GRANT, flags=GrantFlag.NO_RELINK)},
        {"passport": replace(PASSPORT, custody=Custody.ASSISTED)},
    ],
    Fact.GRANT_QUOTA: [{"grant": replace(GRANT, uses=2)}],
    CONSENT_FLOOR | Fact.GRANT_SEPARATE: [{"grant": None}, {"grant": WITHDRAWN_BEFORE_GIVEN}],
    Fact.REQUESTER_IS_CUSTODIAN: [{"passport": replace(PASSPORT, custodian=2)}],
    Fact.LAWFUL: [{"table": replace(LAW, required=(0,) * 48)}],
}


def requiring(required: Fact) -> PolicyTable:
    """Return a law under which the request requires these facts."""
    words = [0] * 48
    words[(DataClass.SENSITIVE - 1) * 16 + Purpose.AI_TRAINING] = int(required) << (32 * Basis.CONSENT)
    return replace(LAW, required=tuple(words))


def losses() -> list[tuple[Fact, dict[str, object]]]:
    """Return every loss with what it takes away."""
    return [(lost, change) for lost, changes in LOSSES.items() for change in changes]


def test_in_a_good_world_everything_holds_that_can():
    """Exactly the facts that this version can establish."""
    assert facts_of(REQUEST, **WORLD) == ESTABLISHED


def test_every_fact_that_can_hold_can_be_lost():
    """The list of losses leaves no established fact out."""
    lost = Fact(0)
    for facts in LOSSES:
        lost |= facts
    assert lost == ESTABLISHED


@pytest.mark.parametrize(("lost", "change"), losses())
def test_a_loss_takes_exactly_its_facts(lost, change):
    """Nothing else changes."""
    assert facts_of(REQUEST, **{**WORLD, **change}) == ESTABLISHED & ~lost


@pytest.mark.parametrize("fact", list(Fact))
def test_a_required_fact_decides(fact):
    """A law that requires one fact permits if it holds, and names exactly it if it does not."""
    table = requiring(fact)
    verdict = decide(REQUEST, **{**WORLD, "table": table})
    if fact in ESTABLISHED:
        assert (verdict.outcome, verdict.missing) == (Outcome.PERMIT, Fact(0))
    else:
        expected = Outcome.REVIEW if fact is Fact.HUMAN_REVIEWED else Outcome.DENY
        assert (verdict.outcome, verdict.missing) == (expected, fact)


@pytest.mark.parametrize(("lost", "change"), [item for item in losses() if "table" not in item[1]])
def test_a_lost_fact_denies_exactly_where_it_is_required(lost, change):
    """With the fact required it is missing; with everything else required it is not."""
    required = decide(REQUEST, **{**WORLD, **change, "table": requiring(ESTABLISHED)})
    assert (required.outcome, required.missing) == (Outcome.DENY, lost)
    spared = decide(REQUEST, **{**WORLD, **change, "table": requiring(ESTABLISHED & ~lost)})
    assert (spared.outcome, spared.missing) == (Outcome.PERMIT, Fact(0))


def test_without_an_entry_nothing_is_permitted():
    """The empty set means never, not always."""
    verdict = decide(REQUEST, **{**WORLD, "table": requiring(Fact(0))})
    assert (verdict.outcome, verdict.missing) == (Outcome.DENY, Fact.LAWFUL)
    assert Fact.LAWFUL not in verdict.facts


def test_a_verdict_repeats_the_request():
    """And carries the passport's size as its number."""
    verdict = decide(REQUEST, **WORLD)
    assert (verdict.seq, verdict.policy_version, verdict.project_id) == (5, 1, 1)
    assert (verdict.purpose, verdict.basis, verdict.operation) == (
        Purpose.AI_TRAINING,
        Basis.CONSENT,
        Operation.READ,
    )
    assert (verdict.categories, verdict.data_class) == (ASKED, DataClass.SENSITIVE)


@pytest.mark.parametrize("category", list(Category))
def test_one_category_has_the_class_of_its_mask(category):
    """Core before sensitive before the rest; together the most sensitive wins."""
    core = category & LAW.core_categories
    sensitive = category & LAW.sensitive_categories
    expected = (
        DataClass.CORE_PRIVACY if core else DataClass.SENSITIVE if sensitive else DataClass.NON_SENSITIVE
    )
    assert class_of(LAW, category) == expected
    assert class_of(LAW, category | Category.HIV_STI) == DataClass.CORE_PRIVACY
    assert class_of(LAW, category | Category.DIAGNOSIS) == min(expected, DataClass.SENSITIVE)


def test_only_a_humans_look_missing_means_review():
    """With anything else missing it is a denial."""
    assert outcome_of(Fact(0)) is Outcome.PERMIT
    assert outcome_of(Fact.HUMAN_REVIEWED) is Outcome.REVIEW
    assert outcome_of(Fact.HUMAN_REVIEWED | Fact.ENCRYPTED) is Outcome.DENY


def test_times_begin_inclusive_and_end_exclusive():
    """Membership, grant: the last second is not in it."""
    assert grant_is_live(GRANT, GRANT.use_from)
    assert not grant_is_live(GRANT, GRANT.use_from - 1)
    assert grant_is_live(GRANT, GRANT.use_to - 1)
    assert not grant_is_live(GRANT, GRANT.use_to)
    assert member_is_active(MEMBER, MEMBER.valid_to - 1)
    assert not member_is_active(MEMBER, MEMBER.valid_to)


@pytest.mark.parametrize("custody", list(Custody))
def test_class_1_asks_for_the_patients_own_key(custody):
    """A hospital that keeps the key cannot give separate consent in the patient's stead; ordinary consent it can."""
    member = replace(MEMBER, purposes=1 << Purpose.PRIMARY_CARE)
    grant = replace(GRANT, purposes=1 << Purpose.PRIMARY_CARE, categories=Category.PSYCHIATRY | ASKED)
    world = {**WORLD, "member": member, "grant": grant, "passport": replace(PASSPORT, custody=custody)}
    care = replace(REQUEST, purpose=Purpose.PRIMARY_CARE)
    assert decide(care, **world).outcome is Outcome.PERMIT
    verdict = decide(replace(care, categories=Category.PSYCHIATRY), **world)
    assert verdict.missing == (Fact(0) if custody is Custody.SELF else Fact.GRANT_SEPARATE)


def test_only_a_permit_under_a_limited_consent_takes_a_use():
    """Not a denial, not another basis, not an unlimited grant."""
    table = requiring(FLOOR | CONSENT_FLOOR)
    permit = decide(REQUEST, **{**WORLD, "table": table})
    denial = decide(REQUEST, **{**WORLD, "table": requiring(Fact.ENCRYPTED)})
    assert uses_quota(REQUEST, permit, GRANT)
    assert not uses_quota(REQUEST, denial, GRANT)
    assert not uses_quota(REQUEST, permit, replace(GRANT, max_uses=0))
    assert not uses_quota(REQUEST, permit, None)
    assert not uses_quota(replace(REQUEST, basis=Basis.CUSTODIAN_CARE), permit, GRANT)


def test_no_entry_of_the_default_law_is_below_the_floor():
    """What the contract enforces for every law holds for the first one."""
    for data_class in DataClass:
        for purpose in Purpose:
            for basis in Basis:
                required = LAW.required_for(data_class, purpose, basis)
                floor = FLOOR | (CONSENT_FLOOR if basis is Basis.CONSENT else Fact(0))
                assert not required or required & floor == floor


@pytest.mark.parametrize(
    "purpose", [Purpose.INSURANCE_RATING, Purpose.EMPLOYMENT, Purpose.MARKETING, Purpose.RESALE]
)
def test_the_default_law_bans(purpose):
    """Banned, and without any entry at all."""
    assert LAW.banned_purposes >> purpose & 1
    assert not any(
        LAW.required_for(data_class, purpose, basis) for data_class in DataClass for basis in Basis
    )
