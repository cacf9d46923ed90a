"""The law, decided by the twin: permitted if and only if nothing required is missing."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import combinations, product
from typing import Any

import pytest

from ledger.domain.lineage import Dataset
from ledger.domain.records import (
    Address,
    Attestation,
    Caps,
    Clearance,
    Commitment,
    Emergency,
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
    Verdict,
)
from ledger.domain.vocabulary import (
    ASKED_ON_DEMAND,
    CONSENT_FLOOR,
    EMERGENCY_FLOOR,
    FLOOR,
    OTHERS_FLOOR,
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
from ledger.policy import (
    MAX_DATASETS,
    Crossing,
    Situation,
    cap_of,
    class_of,
    decide,
    emergency_covers,
    facts_of,
    grant_is_live,
    member_is_active,
    outcome_of,
    rests_on_emergency,
    reviews_are_current,
    takes_cap,
    takes_record,
    takes_use,
)
from tests.unit.chronicle import DAY, START, default_law

AT = START + DAY
LAW = default_law()
CATEGORIES = {
    DataClass.CORE_PRIVACY: LAW.core_categories,
    DataClass.SENSITIVE: LAW.sensitive_categories,
    DataClass.NON_SENSITIVE: ~(LAW.core_categories | LAW.sensitive_categories),
}
ASKED = Category.DIAGNOSIS | Category.LABORATORY
TRAINING = 1 << Purpose.AI_TRAINING
EVERYTHING = Fact(sum(Fact))
#: What holds of every record, whatever happens.
ALWAYS = Fact.DATASET_FITS | Fact.BUDGET_LEFT
OF_PROJECT = (
    Fact.PROJECT_FILED
    | Fact.PROJECT_ETHICS
    | Fact.PROJECT_COMPLIANCE
    | Fact.PROJECT_TECHNIQUE
    | Fact.PROJECT_AGREEMENT
)
OF_GRANT = CONSENT_FLOOR | Fact.GRANT_SEPARATE
OF_PRINCIPAL = OF_PROJECT | Fact.GRANT_RECIPIENT | Fact.REQUESTER_IS_CUSTODIAN


def requiring(required: Fact) -> PolicyTable:
    """Return a law under which the request requires these facts."""
    words = [0] * 48
    words[(DataClass.SENSITIVE - 1) * 16 + Purpose.AI_TRAINING] = int(required) << (32 * Basis.CONSENT)
    return replace(LAW, required=tuple(words))


REQUEST = Request(
    passport_id=PassportId(b"\x01" * 32),
    grant_id=GrantId(b"\x02" * 32),
    commitment=Commitment(b"\x03" * 32),
    terms=Terms(
        purpose=Purpose.AI_TRAINING,
        basis=Basis.CONSENT,
        operation=Operation.READ,
        categories=ASKED,
        level=Level.DEIDENTIFIED,
        project_id=1,
        emergency_id=1,
        first_day=100,
        last_day=200,
    ),
)
MEMBER = Member(
    member_id=3,
    name="Lab",
    signer=Address("0x" + "03" * 20),
    roles=Role.PROCESSOR,
    purposes=TRAINING,
    jurisdiction=276,
    valid_to=START + 10 * DAY,
    status=MemberStatus.ACTIVE,
    signing_key=b"\x04" * 32,
    sealing_key=b"\x05" * 32,
    kind=MemberKind.RESEARCH,
    control=2,
)
# Every fact holds at once, so the laboratory keeps the data itself, across a border.
PASSPORT = Passport(
    passport_id=REQUEST.passport_id,
    custodian=3,
    purposes=0xFFFF,
    status=PassportStatus.OPEN,
    custody=Custody.SELF,
    holder="0x" + "06" * 20,
    content=Commitment(b"\x07" * 32),
    size=5,
)
GRANT = GrantState(
    recipient=3,
    purposes=TRAINING,
    categories=ASKED,
    use_from=START,
    use_to=START + 10 * DAY,
    data_from=100,
    data_to=200,
    max_uses=2,
    uses=1,
    control=2,
    level=Level.PSEUDONYMISED,
    flags=GrantFlag.SEPARATE,
    status=GrantStatus.ACTIVE,
    assurance=Assurance.SELF,
)
# What the contract keeps of a grant that was asked for, refused, or withdrawn before it was given.
NEVER_GIVEN = GrantState(
    recipient=0,
    purposes=0,
    categories=Category(0),
    use_from=0,
    use_to=0,
    max_uses=0,
    uses=0,
    flags=GrantFlag(0),
    status=GrantStatus.WITHDRAWN,
    assurance=Assurance.NONE,
)
PROJECT = Project(
    project_id=1,
    member_id=3,
    purposes=TRAINING,
    categories=ASKED,
    techniques=Technique.FEDERATED_LEARNING,
    highest_class=DataClass.SENSITIVE,
    valid_from=START,
    valid_to=START + 10 * DAY,
    agreement=True,
    ethics=8,
    compliance=9,
)
DECLARED = Emergency(
    emergency_id=1,
    kind=EmergencyKind.PUBLIC,
    categories=ASKED,
    valid_from=START,
    until=START + 10 * DAY,
    purposes=TRAINING,
    max_records=2,
    used=1,
    jurisdiction=156,
)
STATED = Attestation(issuer=7, valid_to=START + 10 * DAY)
ON_PASSPORT = dict.fromkeys(
    (AttestationKind.ENCRYPTION, AttestationKind.DEIDENTIFICATION, AttestationKind.SOURCE), STATED
)
ON_PROJECT = {AttestationKind.LICENCE: STATED}
CLEARANCE = Clearance(
    clearance_id=1,
    project_id=1,
    exporter=3,
    issuer=7,
    path=Path.CERTIFICATION,
    valid_from=START,
    valid_to=AT + 1,
    max_persons=2,
    persons=1,
)
CROSSING = Crossing(access_until=AT + 1, clearance=CLEARANCE, thresholds=Thresholds(1, 1))
WORLD = Situation(
    at=AT,
    table=requiring(EVERYTHING),
    requester=MEMBER,
    passport=PASSPORT,
    jurisdiction=156,
    grant=GRANT,
    project=PROJECT,
    caps=Caps(caps=2 << (16 * Purpose.AI_TRAINING), day=AT // DAY, used=1 << (16 * Purpose.AI_TRAINING)),
    emergency=DECLARED,
    right=EmergencyRight(lost=False, oldest_due=AT),
    on_passport=ON_PASSPORT,
    on_project=ON_PROJECT,
    approved_until=AT + 1,
    crossing=CROSSING,
)


@dataclass(frozen=True)
class Loss:
    """What changes in the request and in the world, and which facts are gone then."""

    lost: Fact
    world: dict[str, Any] = field(default_factory=dict)
    terms: dict[str, Any] = field(default_factory=dict)

    def request(self) -> Request:
        """Return the request."""
        return asking(**self.terms)

    def situation(self, **more: Any) -> Situation:
        """Return the world."""
        return replace(WORLD, **{**self.world, **more})


def asking(**changes: Any) -> Request:
    """Return the request with other terms."""
    return replace(REQUEST, terms=replace(REQUEST.terms, **changes))


def without(statements: dict[AttestationKind, Attestation], kind: AttestationKind) -> dict[str, Any]:
    """Return statements with one of them missing."""
    return {name: statement for name, statement in statements.items() if name is not kind}


def stated(statements: dict[AttestationKind, Attestation], kind: AttestationKind, **changes: Any) -> Any:
    """Return statements with one of them changed."""
    return {**statements, kind: replace(STATED, **changes)}


#: For each fact, changes that take exactly this fact away; then those that take several.
LOSSES = [
    Loss(Fact.MEMBER_ACTIVE, {"requester": replace(MEMBER, status=MemberStatus.SUSPENDED)}),
    Loss(Fact.MEMBER_ACTIVE, {"requester": replace(MEMBER, status=MemberStatus.EXPELLED)}),
    Loss(Fact.MEMBER_ACTIVE, {"requester": replace(MEMBER, valid_to=AT)}),
    Loss(Fact.MEMBER_SCOPE, {"requester": replace(MEMBER, purposes=0xFFFF & ~TRAINING)}),
    Loss(Fact.PASSPORT_OPEN, {"passport": replace(PASSPORT, status=PassportStatus.SEALED)}),
    Loss(Fact.PASSPORT_OPEN, {"passport": replace(PASSPORT, status=PassportStatus.DESTROYED)}),
    Loss(Fact.PURPOSE_ALLOWED, {"passport": replace(PASSPORT, purposes=0xFFFF & ~TRAINING)}),
    Loss(Fact.PURPOSE_ALLOWED, {"table": replace(WORLD.table, banned_purposes=TRAINING)}),
    Loss(Fact.CATEGORIES_NECESSARY, {"table": replace(WORLD.table, necessary=0)}),
    Loss(Fact.WITHIN_CAP, {"caps": replace(WORLD.caps, caps=1 << (16 * Purpose.AI_TRAINING))}),
    Loss(Fact.PROJECT_FILED, {"project": replace(PROJECT, valid_from=AT + 1)}),
    Loss(Fact.PROJECT_FILED, {"project": replace(PROJECT, valid_to=AT)}),
    Loss(Fact.PROJECT_FILED, {"project": replace(PROJECT, purposes=1)}),
    Loss(Fact.PROJECT_FILED, {"project": replace(PROJECT, categories=Category.DIAGNOSIS)}),
    Loss(Fact.PROJECT_FILED, {"project": replace(PROJECT, highest_class=DataClass.NON_SENSITIVE)}),
    Loss(Fact.PROJECT_ETHICS, {"project": replace(PROJECT, ethics=0)}),
    Loss(Fact.PROJECT_COMPLIANCE, {"project": replace(PROJECT, compliance=0)}),
    Loss(Fact.PROJECT_TECHNIQUE, {"project": replace(PROJECT, techniques=Technique(0))}),
    Loss(Fact.PROJECT_AGREEMENT, {"project": replace(PROJECT, agreement=False)}),
    Loss(OF_PROJECT, {"project": None}),
    Loss(OF_PROJECT, {"project": replace(PROJECT, withdrawn=True)}),
    Loss(OF_PROJECT, {"project": replace(PROJECT, member_id=4)}),
    *(
        Loss(Fact.GRANT_LIVE, {"grant": replace(GRANT, status=status)})
        for status in GrantStatus
        if status is not GrantStatus.ACTIVE
    ),
    Loss(Fact.GRANT_LIVE, {"grant": replace(GRANT, use_from=AT + 1)}),
    Loss(Fact.GRANT_LIVE, {"grant": replace(GRANT, use_to=AT)}),
    Loss(Fact.GRANT_RECIPIENT, {"grant": replace(GRANT, recipient=4)}),
    Loss(Fact.GRANT_RECIPIENT, {"grant": replace(GRANT, control=1)}),
    Loss(
        Fact.GRANT_RECIPIENT,
        {"grant": replace(GRANT, recipient=0, recipient_kinds=0xFFFF & ~(1 << MemberKind.RESEARCH))},
    ),
    Loss(Fact.GRANT_PURPOSE, {"grant": replace(GRANT, purposes=1)}),
    Loss(Fact.GRANT_CATEGORIES, {"grant": replace(GRANT, categories=Category.DIAGNOSIS)}),
    Loss(Fact.GRANT_SEPARATE, {"grant": replace(GRANT, flags=GrantFlag.NO_RELINK)}),
    Loss(Fact.GRANT_SEPARATE, {"grant": replace(GRANT, assurance=Assurance.ASSISTED)}),
    Loss(Fact.GRANT_SEPARATE, {"grant": replace(GRANT, assurance=Assurance.PAPER)}),
    Loss(Fact.GRANT_QUOTA, {"grant": replace(GRANT, uses=2)}),
    Loss(Fact.GRANT_PERIOD, {"grant": replace(GRANT, data_from=101)}),
    Loss(Fact.GRANT_PERIOD, {"grant": replace(GRANT, data_to=199)}),
    Loss(Fact.GRANT_PERIOD, terms={"first_day": 0}),
    Loss(Fact.GRANT_PERIOD, terms={"last_day": 0}),
    Loss(OF_GRANT, {"grant": None}),
    Loss(OF_GRANT, {"grant": NEVER_GIVEN}),
    Loss(Fact.EMERGENCY_IN_FORCE, {"emergency": None}),
    Loss(Fact.EMERGENCY_IN_FORCE, {"emergency": replace(DECLARED, valid_from=AT + 1)}),
    Loss(Fact.EMERGENCY_IN_FORCE, {"emergency": replace(DECLARED, until=AT)}),
    Loss(Fact.EMERGENCY_IN_FORCE, {"emergency": replace(DECLARED, purposes=1)}),
    Loss(Fact.EMERGENCY_IN_FORCE, {"emergency": replace(DECLARED, categories=Category.DIAGNOSIS)}),
    Loss(Fact.EMERGENCY_IN_FORCE, {"emergency": replace(DECLARED, used=2)}),
    Loss(Fact.EMERGENCY_IN_FORCE, {"emergency": replace(DECLARED, jurisdiction=276)}),
    Loss(
        Fact.EMERGENCY_IN_FORCE,
        {
            "emergency": replace(
                DECLARED, kind=EmergencyKind.INDIVIDUAL, member_id=3, passport_id=REQUEST.passport_id
            )
        },
    ),
    Loss(Fact.ENCRYPTED, {"on_passport": without(ON_PASSPORT, AttestationKind.ENCRYPTION)}),
    Loss(Fact.ENCRYPTED, {"on_passport": stated(ON_PASSPORT, AttestationKind.ENCRYPTION, valid_to=AT)}),
    Loss(Fact.DEIDENTIFIED, {"on_passport": without(ON_PASSPORT, AttestationKind.DEIDENTIFICATION)}),
    Loss(
        Fact.DEIDENTIFIED, {"on_passport": stated(ON_PASSPORT, AttestationKind.DEIDENTIFICATION, valid_to=AT)}
    ),
    Loss(Fact.DEIDENTIFIED, {"on_passport": stated(ON_PASSPORT, AttestationKind.DEIDENTIFICATION, issuer=3)}),
    Loss(Fact.DEIDENTIFIED, terms={"level": Level.PSEUDONYMISED}),
    Loss(Fact.SOURCE_DECLARED, {"on_passport": without(ON_PASSPORT, AttestationKind.SOURCE)}),
    Loss(Fact.SOURCE_DECLARED, {"on_passport": stated(ON_PASSPORT, AttestationKind.SOURCE, valid_to=AT)}),
    Loss(Fact.MODEL_LICENSED, {"on_project": without(ON_PROJECT, AttestationKind.LICENCE)}),
    Loss(Fact.MODEL_LICENSED, {"on_project": stated(ON_PROJECT, AttestationKind.LICENCE, valid_to=AT)}),
    Loss(Fact.BORDER_CLEARED, {"crossing": replace(CROSSING, clearance=None)}),
    Loss(Fact.BORDER_CLEARED, {"crossing": replace(CROSSING, access_until=AT)}),
    Loss(Fact.BORDER_CLEARED, {"crossing": replace(CROSSING, exports=Exports(1, 0))}),
    Loss(Fact.BORDER_CLEARED, {"crossing": replace(CROSSING, exports=Exports(0, 1))}),
    Loss(Fact.REQUESTER_IS_CUSTODIAN, {"passport": replace(PASSPORT, custodian=2)}),
    Loss(Fact.REVIEWS_CURRENT, {"right": EmergencyRight(lost=True)}),
    Loss(Fact.REVIEWS_CURRENT, {"right": EmergencyRight(lost=False, oldest_due=AT - 1)}),
    Loss(Fact.HUMAN_REVIEWED, {"approved_until": AT}),
    Loss(Fact.HUMAN_REVIEWED, {"approved_until": 0}),
    Loss(Fact.LEVEL_SUFFICIENT | Fact.DEIDENTIFIED, terms={"level": Level.IDENTIFIED}),
    Loss(Fact.LEVEL_SUFFICIENT, {"grant": replace(GRANT, level=Level.AGGREGATE)}),
    Loss(Fact.LEVEL_SUFFICIENT, {"table": replace(WORLD.table, levels=2**96 - 1)}),
    Loss(Fact.UNLOCKED, {"passport": replace(PASSPORT, lock=2)}),
    Loss(
        Fact.UNLOCKED | Fact.EMERGENCY_IN_FORCE,
        {"passport": replace(PASSPORT, lock=1), "emergency": replace(DECLARED, until=AT)},
    ),
    # A controller that has not entrusted the requester: the request is made in nobody's right.
    Loss(OF_PRINCIPAL, {"controller": replace(MEMBER, member_id=4)}, {"controller_id": 4}),
]


def by_loss(losses: list[Loss]) -> pytest.MarkDecorator:
    """Try a test with each loss, named for what is lost."""
    return pytest.mark.parametrize(
        "loss",
        losses,
        ids=["-".join(str(fact.name) for fact in Fact if fact in loss.lost) for loss in losses],
    )


def test_in_a_good_world_everything_holds():
    """Each of the thirty-two facts can be established."""
    assert facts_of(REQUEST, WORLD) == EVERYTHING


def test_every_fact_can_be_lost():
    """The list of losses leaves none out but those of every record, and whether there is an entry at all."""
    lost = Fact(0)
    for loss in LOSSES:
        lost |= loss.lost
    assert lost == EVERYTHING & ~(ALWAYS | Fact.LAWFUL)


@by_loss(LOSSES)
def test_a_loss_takes_exactly_its_facts(loss):
    """Nothing else changes."""
    assert facts_of(loss.request(), loss.situation()) == EVERYTHING & ~loss.lost


@by_loss([loss for loss in LOSSES if "table" not in loss.world])
def test_a_lost_fact_denies_exactly_where_it_is_required(loss):
    """With the facts required they are missing; with everything else required they are not."""
    required = decide(loss.request(), loss.situation())
    only_a_human = loss.lost == Fact.HUMAN_REVIEWED
    assert required.missing == loss.lost
    assert required.outcome is (Outcome.REVIEW if only_a_human else Outcome.DENY)
    spared = decide(loss.request(), loss.situation(table=requiring(EVERYTHING & ~loss.lost)))
    assert (spared.outcome, spared.missing) == (Outcome.PERMIT, Fact(0))


@pytest.mark.parametrize("fact", list(Fact))
def test_a_required_fact_decides(fact):
    """A law that requires one fact permits if it holds."""
    verdict = decide(REQUEST, replace(WORLD, table=requiring(fact)))
    assert (verdict.outcome, verdict.missing) == (Outcome.PERMIT, Fact(0))
    assert fact in verdict.facts


@pytest.mark.parametrize("fact", [fact for fact in Fact if fact in ASKED_ON_DEMAND])
def test_some_facts_are_asked_only_on_demand(fact):
    """What the law does not require is not among the facts, whether it holds or not."""
    facts = facts_of(REQUEST, replace(WORLD, table=requiring(FLOOR)))
    assert fact not in facts
    assert fact in facts_of(REQUEST, replace(WORLD, table=requiring(FLOOR | fact)))


def test_without_an_entry_nothing_is_permitted():
    """The empty set means never, not always; and nothing is asked on demand."""
    verdict = decide(REQUEST, replace(WORLD, table=requiring(Fact(0))))
    assert (verdict.outcome, verdict.missing) == (Outcome.DENY, Fact.LAWFUL)
    assert verdict.facts == EVERYTHING & ~(ASKED_ON_DEMAND | Fact.LAWFUL)


def test_a_verdict_is_numbered_by_the_passport():
    """Its number is the passport's size; its class that of what was asked for."""
    verdict = decide(REQUEST, WORLD)
    assert (verdict.seq, verdict.policy_version, verdict.data_class) == (5, 1, DataClass.SENSITIVE)


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


class TestTimes:
    """Periods begin inclusive and end exclusive; a due date is the last moment."""

    def test_of_a_grant_and_a_membership(self):
        """The last second is not in it."""
        assert grant_is_live(GRANT, GRANT.use_from)
        assert not grant_is_live(GRANT, GRANT.use_from - 1)
        assert grant_is_live(GRANT, GRANT.use_to - 1)
        assert not grant_is_live(GRANT, GRANT.use_to)
        assert member_is_active(MEMBER, MEMBER.valid_to - 1)
        assert not member_is_active(MEMBER, MEMBER.valid_to)

    @pytest.mark.parametrize(
        ("at", "holds"),
        [
            (DECLARED.valid_from - 1, False),
            (DECLARED.valid_from, True),
            (DECLARED.until - 1, True),
            (DECLARED.until, False),
        ],
    )
    def test_of_an_emergency(self, at, holds):
        """It ends by itself."""
        assert emergency_covers(REQUEST, replace(WORLD, at=at)) is holds

    @pytest.mark.parametrize(("at", "holds"), [(AT - 1, True), (AT, True), (AT + 1, False)])
    def test_of_a_review(self, at, holds):
        """The due second is in time."""
        assert reviews_are_current(EmergencyRight(lost=False, oldest_due=AT), at) is holds

    @pytest.mark.parametrize(("at", "holds"), [(AT, True), (AT + 1, False)])
    def test_of_an_approval(self, at, holds):
        """Its end is out."""
        facts = facts_of(REQUEST, replace(WORLD, at=at))
        assert (Fact.HUMAN_REVIEWED in facts) is holds

    @pytest.mark.parametrize(("valid_to", "holds"), [(AT, False), (AT + 1, True)])
    def test_of_a_statement(self, valid_to, holds):
        """Its end is out."""
        statements = stated(ON_PASSPORT, AttestationKind.SOURCE, valid_to=valid_to)
        facts = facts_of(REQUEST, replace(WORLD, on_passport=statements))
        assert (Fact.SOURCE_DECLARED in facts) is holds


class TestDays:
    """The days that are asked for must lie within those that the grant names."""

    @pytest.mark.parametrize(
        ("asked", "named", "holds"),
        [
            ((0, 0), (0, 0), True),
            ((5, 9), (0, 0), True),
            ((5, 9), (5, 9), True),
            ((4, 9), (5, 9), False),
            ((5, 10), (5, 9), False),
            ((0, 9), (5, 9), False),
            ((5, 0), (5, 9), False),
            ((5, 0), (5, 0), True),
            ((0, 0), (5, 0), False),
            ((0, 9), (0, 9), True),
            ((0, 0), (0, 9), False),
            ((65_535, 65_535), (1, 65_535), True),
        ],
    )
    def test_all_days_are_more_than_any_limit(self, asked, named, holds):
        """No day asked for means all of them; no day named means no limit."""
        first_day, last_day = asked
        data_from, data_to = named
        world = replace(WORLD, grant=replace(GRANT, data_from=data_from, data_to=data_to))
        facts = facts_of(asking(first_day=first_day, last_day=last_day), world)
        assert (Fact.GRANT_PERIOD in facts) is holds


class TestLevels:
    """Data is handed over as far de-identified as law and consent demand, or further."""

    @pytest.mark.parametrize("asked", list(Level))
    @pytest.mark.parametrize("consented", list(Level))
    @pytest.mark.parametrize("stored", list(Level))
    def test_the_highest_of_the_demands_against_the_highest_of_what_is_there(self, asked, consented, stored):
        """The law demands a pseudonym."""
        grant, passport = replace(GRANT, level=consented), replace(PASSPORT, level=stored)
        facts = facts_of(asking(level=asked), replace(WORLD, grant=grant, passport=passport))
        least = max(consented, Level.PSEUDONYMISED)
        assert (Fact.LEVEL_SUFFICIENT in facts) == (max(asked, stored) >= least)

    def test_a_grant_that_is_named_and_not_relied_on_demands_nothing(self):
        """Another basis, another demand."""
        world = replace(WORLD, grant=replace(GRANT, level=Level.AGGREGATE))
        facts = facts_of(asking(basis=Basis.CUSTODIAN_CARE), world)
        assert Fact.LEVEL_SUFFICIENT in facts


class TestRecipients:
    """A grant names one member as it is controlled now, or kinds of members."""

    @pytest.mark.parametrize("kind", list(MemberKind))
    def test_kinds(self, kind):
        """Whoever is of a kind that is named; control of it does not matter."""
        grant = replace(GRANT, recipient=0, recipient_kinds=1 << MemberKind.RESEARCH, control=0)
        facts = facts_of(REQUEST, replace(WORLD, grant=grant, requester=replace(MEMBER, kind=kind)))
        assert (Fact.GRANT_RECIPIENT in facts) == (kind is MemberKind.RESEARCH)

    def test_a_purchase_does_not_bring_the_consents_with_it(self):
        """R020: control changed hands, and the consent is frozen until the holder confirms."""
        sold = replace(MEMBER, control=3)
        facts = facts_of(REQUEST, replace(WORLD, requester=sold))
        assert Fact.GRANT_RECIPIENT not in facts
        confirmed = replace(GRANT, control=3)
        assert Fact.GRANT_RECIPIENT in facts_of(REQUEST, replace(WORLD, requester=sold, grant=confirmed))


class TestProcessors:
    """Who is entrusted acts in its controller's right; both must be fit."""

    CONTROLLER = replace(MEMBER, member_id=4, name="Controller", control=5)
    PROCESSOR = replace(MEMBER, member_id=6, name="Processor", control=9)
    ORDER = Entrustment(purposes=TRAINING, valid_to=AT + 1)

    def facts(self, **changes: Any) -> Fact:
        """Return what holds when the processor asks for the controller, who has everything."""
        world = {
            "requester": self.PROCESSOR,
            "controller": self.CONTROLLER,
            "entrustment": self.ORDER,
            "passport": replace(PASSPORT, custodian=4),
            "grant": replace(GRANT, recipient=4, control=5),
            "project": replace(PROJECT, member_id=4),
            **changes,
        }
        return facts_of(asking(controller_id=4), replace(WORLD, **world))

    def test_everything_that_is_the_controllers_counts(self):
        """Grant, project, custody; the processor's own control does not matter."""
        assert self.facts() == EVERYTHING

    @pytest.mark.parametrize("party", ["requester", "controller"])
    @pytest.mark.parametrize(
        ("change", "lost"),
        [
            ({"status": MemberStatus.SUSPENDED}, Fact.MEMBER_ACTIVE),
            ({"valid_to": AT}, Fact.MEMBER_ACTIVE),
            ({"purposes": 1}, Fact.MEMBER_SCOPE),
        ],
    )
    def test_both_must_be_fit(self, party, change, lost):
        """Active, and licensed for the purpose."""
        member = self.PROCESSOR if party == "requester" else self.CONTROLLER
        assert self.facts(**{party: replace(member, **change)}) == EVERYTHING & ~lost

    @pytest.mark.parametrize(
        "order", [None, Entrustment(TRAINING, AT), Entrustment(1, AT + 1), Entrustment(0, AT + 1)]
    )
    def test_without_an_order_it_is_nobodys_right(self, order):
        """None, over, for another purpose, ended."""
        assert self.facts(entrustment=order) == EVERYTHING & ~OF_PRINCIPAL

    def test_who_checked_the_deidentification_is_neither_of_them(self):
        """Nor the controller."""
        statements = stated(ON_PASSPORT, AttestationKind.DEIDENTIFICATION, issuer=4)
        assert self.facts(on_passport=statements) == EVERYTHING & ~Fact.DEIDENTIFIED

    def test_the_right_to_emergencies_is_the_requesters(self):
        """An individual emergency of the controller's is not the processor's."""
        urgent = replace(
            DECLARED, kind=EmergencyKind.INDIVIDUAL, member_id=4, passport_id=PASSPORT.passport_id
        )
        request = asking(controller_id=4, basis=Basis.INDIVIDUAL_EMERGENCY)
        world = replace(WORLD, requester=self.PROCESSOR, controller=self.CONTROLLER, emergency=urgent)
        assert not emergency_covers(request, world)
        assert emergency_covers(request, replace(world, emergency=replace(urgent, member_id=6)))


class TestEmergencies:
    """An individual one serves one member and one passport on its own basis; a public one everything else."""

    URGENT = replace(
        DECLARED,
        kind=EmergencyKind.INDIVIDUAL,
        member_id=3,
        passport_id=PASSPORT.passport_id,
        purposes=0,
        max_records=0,
        used=0,
        jurisdiction=0,
    )

    def covers(self, basis: Basis, emergency: Emergency) -> bool:
        """Tell whether an emergency covers the request on a basis."""
        return emergency_covers(asking(basis=basis), replace(WORLD, emergency=emergency))

    @pytest.mark.parametrize("basis", list(Basis))
    def test_each_kind_has_its_bases(self, basis):
        """One for the individual, all others for the public one."""
        individual = basis is Basis.INDIVIDUAL_EMERGENCY
        assert self.covers(basis, self.URGENT) is individual
        assert self.covers(basis, DECLARED) is not individual

    @pytest.mark.parametrize(
        "change", [{"member_id": 4}, {"passport_id": PassportId(b"\x09" * 32)}, {"until": AT}]
    )
    def test_an_individual_one_is_for_one_member_and_one_passport(self, change):
        """Nobody else's, nothing else's, not for longer."""
        assert not self.covers(Basis.INDIVIDUAL_EMERGENCY, replace(self.URGENT, **change))

    def test_a_public_one_without_a_place_is_everywhere(self):
        """0 is no jurisdiction."""
        assert self.covers(Basis.CONSENT, replace(DECLARED, jurisdiction=0))

    def test_locked_data_serves_its_emergency(self):
        """While it lasts, under its number, within what it covers."""
        locked = replace(WORLD, passport=replace(PASSPORT, lock=1))
        assert facts_of(REQUEST, locked) == EVERYTHING
        assert facts_of(asking(emergency_id=2), locked) == EVERYTHING & ~Fact.UNLOCKED


@pytest.mark.parametrize("jurisdiction", [156, 276])
def test_within_one_jurisdiction_there_is_no_border(jurisdiction):
    """Elsewhere the custodian's data must have been cleared for the project."""
    home = replace(WORLD, requester=replace(MEMBER, jurisdiction=jurisdiction), crossing=Crossing())
    assert (Fact.BORDER_CLEARED in facts_of(REQUEST, home)) == (jurisdiction == WORLD.jurisdiction)


@pytest.mark.parametrize("assurance", list(Assurance))
def test_class_1_asks_for_the_patients_own_word(assurance):
    """Or that of who speaks for the patient; never a custodian's. Ordinary consent a custodian may sign."""
    member = replace(MEMBER, purposes=1 << Purpose.PRIMARY_CARE)
    grant = replace(
        GRANT,
        purposes=1 << Purpose.PRIMARY_CARE,
        categories=Category.PSYCHIATRY | ASKED,
        assurance=assurance,
    )
    world = replace(WORLD, table=LAW, requester=member, grant=grant)
    verdict = decide(asking(purpose=Purpose.PRIMARY_CARE, categories=Category.PSYCHIATRY), world)
    if assurance is Assurance.NONE:
        assert verdict.missing == CONSENT_FLOOR | Fact.GRANT_SEPARATE
        return
    own = assurance in (Assurance.DELEGATED, Assurance.SELF)
    assert verdict.missing == (Fact(0) if own else Fact.GRANT_SEPARATE)
    assert decide(asking(purpose=Purpose.PRIMARY_CARE), world).outcome is Outcome.PERMIT


class TestWhatAPermitUsesUp:
    """A use of the grant, one of the day's permits, one of the emergency's records."""

    PERMIT = decide(REQUEST, WORLD)
    DENIAL = decide(REQUEST, replace(WORLD, passport=replace(PASSPORT, status=PassportStatus.SEALED)))

    def test_a_use(self):
        """Not for a denial, not on another basis, not of an unlimited grant."""
        terms = REQUEST.terms
        assert takes_use(terms, self.PERMIT, GRANT)
        assert not takes_use(terms, self.DENIAL, GRANT)
        assert not takes_use(terms, self.PERMIT, replace(GRANT, max_uses=0))
        assert not takes_use(terms, self.PERMIT, None)
        assert not takes_use(replace(terms, basis=Basis.CUSTODIAN_CARE), self.PERMIT, GRANT)

    def test_a_permit_of_the_day(self):
        """Only for purposes with a cap."""
        terms, caps = REQUEST.terms, WORLD.caps
        assert takes_cap(terms, self.PERMIT, caps)
        assert not takes_cap(terms, self.DENIAL, caps)
        assert not takes_cap(replace(terms, purpose=Purpose.RESEARCH), self.PERMIT, caps)
        assert not takes_cap(terms, self.PERMIT, Caps())
        full = replace(caps, used=0xFFFF << (16 * Purpose.AI_TRAINING))
        assert not takes_cap(terms, self.PERMIT, full), "a full count stays full and spills into no other"

    @pytest.mark.parametrize("purpose", list(Purpose))
    def test_caps_are_sixteen_bits_a_purpose(self, purpose):
        """Each at its place."""
        assert cap_of(0xFFFF << (16 * purpose), purpose) == 0xFFFF
        assert cap_of(~(0xFFFF << (16 * purpose)) & (2**256 - 1), purpose) == 0

    @pytest.mark.parametrize(
        ("required", "lock", "rests"),
        [
            (FLOOR, 0, False),
            (FLOOR, 1, False),
            (FLOOR | Fact.UNLOCKED, 0, False),
            (FLOOR | Fact.UNLOCKED, 1, True),
            (FLOOR | Fact.EMERGENCY_IN_FORCE, 0, True),
        ],
    )
    def test_a_permit_rests_on_an_emergency_that_it_needs(self, required, lock, rests):
        """Named in vain, it is not used up: the subject's own request needs no unlocking."""
        assert rests_on_emergency(required, lock) is rests

    def test_a_record_of_a_public_emergency(self):
        """Where the law requires one or the data is locked to it; an individual one counts nothing."""

        def takes(verdict=self.PERMIT, table=WORLD.table, passport=PASSPORT, emergency=DECLARED):
            return takes_record(REQUEST.terms, verdict, table=table, passport=passport, emergency=emergency)

        assert takes()
        assert not takes(verdict=self.DENIAL)
        assert not takes(emergency=None)
        assert not takes(emergency=TestEmergencies.URGENT)
        assert not takes(table=requiring(FLOOR))


def floor_of(basis: Basis) -> Fact:
    """Return what every entry on a basis requires, as `Policy._checkFloor` says."""
    floor = FLOOR if basis is Basis.SUBJECT_REQUEST else FLOOR | OTHERS_FLOOR
    more = {
        Basis.CONSENT: CONSENT_FLOOR,
        Basis.CUSTODIAN_CARE: Fact.REQUESTER_IS_CUSTODIAN,
        Basis.INDIVIDUAL_EMERGENCY: EMERGENCY_FLOOR,
        Basis.PUBLIC_EMERGENCY: Fact.EMERGENCY_IN_FORCE,
        Basis.COMPELLED: Fact.HUMAN_REVIEWED,
    }
    return floor | more.get(basis, Fact(0))


class TestDefaultLaw:
    """What a new ledger starts with says what the papers say."""

    def test_no_entry_is_below_the_floor(self):
        """What the contract enforces for every law holds for the first one; and without a basis nothing is lawful."""
        for data_class in DataClass:
            for purpose in Purpose:
                assert LAW.required_for(data_class, purpose, Basis.NO_BASIS) == Fact(0)
                for basis in Basis:
                    required = LAW.required_for(data_class, purpose, basis)
                    assert not required or required & floor_of(basis) == floor_of(basis)

    @pytest.mark.parametrize(
        ("data_class", "purpose", "basis", "more"),
        [
            # R098: separate consent and an emergency and encryption.
            (
                DataClass.CORE_PRIVACY,
                Purpose.AI_TRAINING,
                Basis.CONSENT,
                OF_PROJECT
                | Fact.BORDER_CLEARED
                | Fact.GRANT_SEPARATE
                | Fact.EMERGENCY_IN_FORCE
                | Fact.ENCRYPTED,
            ),
            # R099, R111, R050, R003: consent, a filed project that two bodies approved, an agreement, a technique.
            (DataClass.SENSITIVE, Purpose.AI_TRAINING, Basis.CONSENT, OF_PROJECT | Fact.BORDER_CLEARED),
            (
                DataClass.SENSITIVE,
                Purpose.DISEASE_RESEARCH,
                Basis.CONSENT,
                OF_PROJECT | Fact.BORDER_CLEARED | Fact.HUMAN_REVIEWED,
            ),
            # R059: a licensed model.
            (
                DataClass.NON_SENSITIVE,
                Purpose.AI_INFERENCE,
                Basis.CONSENT,
                Fact.PROJECT_FILED | Fact.PROJECT_ETHICS | Fact.BORDER_CLEARED | Fact.MODEL_LICENSED,
            ),
            # R100: no consent, but source and verified de-identification.
            (
                DataClass.NON_SENSITIVE,
                Purpose.PUBLIC_HEALTH,
                Basis.LEGAL_DUTY,
                Fact.SOURCE_DECLARED | Fact.DEIDENTIFIED,
            ),
            # R083: a declared emergency opens class 2 to a filed project.
            (DataClass.SENSITIVE, Purpose.PUBLIC_HEALTH, Basis.PUBLIC_EMERGENCY, Fact.PROJECT_FILED),
            # R032: nobody's doctor needs a consent.
            (DataClass.CORE_PRIVACY, Purpose.PRIMARY_CARE, Basis.CUSTODIAN_CARE, Fact(0)),
            (DataClass.SENSITIVE, Purpose.EMERGENCY_CARE, Basis.INDIVIDUAL_EMERGENCY, Fact(0)),
            # R002: an operation, reviewed first.
            (DataClass.SENSITIVE, Purpose.OPERATIONS, Basis.COMPELLED, Fact(0)),
        ],
    )
    def test_an_entry_requires_this_besides_the_common_conditions(self, data_class, purpose, basis, more):
        """Besides what every entry on its basis requires, the licence, and need."""
        always = floor_of(basis) | Fact.MEMBER_SCOPE | Fact.CATEGORIES_NECESSARY | Fact.LAWFUL
        assert LAW.required_for(data_class, purpose, basis) | Fact.LAWFUL == always | more

    @pytest.mark.parametrize("data_class", list(DataClass))
    def test_the_subjects_own_request_needs_no_licence_and_no_cap(self, data_class):
        """R137: the custodian must serve it, also when the data is locked to an emergency."""
        own = LAW.required_for(data_class, Purpose.PATIENT_REQUEST, Basis.SUBJECT_REQUEST)
        assert own == FLOOR | Fact.CATEGORIES_NECESSARY | Fact.REQUESTER_IS_CUSTODIAN

    @pytest.mark.parametrize("basis", list(Basis))
    def test_class_1_is_never_compelled_nor_opened_by_an_emergency(self, basis):
        """Its only ways are the patient's own care, the patient's own request, and the patient's separate consent."""
        lawful = {
            Basis.CONSENT,
            Basis.CUSTODIAN_CARE,
            Basis.SUBJECT_REQUEST,
        }
        found = any(LAW.required_for(DataClass.CORE_PRIVACY, purpose, basis) for purpose in Purpose)
        assert found == (basis in lawful)

    @pytest.mark.parametrize(
        ("data_class", "purpose", "level"),
        [
            (DataClass.CORE_PRIVACY, Purpose.PRIMARY_CARE, Level.IDENTIFIED),
            (DataClass.SENSITIVE, Purpose.AI_TRAINING, Level.PSEUDONYMISED),
            (DataClass.CORE_PRIVACY, Purpose.RESEARCH, Level.PSEUDONYMISED),
            (DataClass.SENSITIVE, Purpose.PUBLIC_HEALTH, Level.PSEUDONYMISED),
            (DataClass.NON_SENSITIVE, Purpose.PUBLIC_HEALTH, Level.PSEUDONYMISED),
            (DataClass.NON_SENSITIVE, Purpose.PATIENT_REQUEST, Level.IDENTIFIED),
        ],
    )
    def test_the_least_level_follows_from_class_and_purpose(self, data_class, purpose, level):
        """R023, R095."""
        assert LAW.level_for(data_class, purpose) is level

    @pytest.mark.parametrize(("purpose", "basis"), list(product(Purpose, Basis)))
    def test_asking_for_less_is_never_harder(self, purpose, basis):
        """A less sensitive class that the purpose may touch is lawful where a more sensitive one is, for no more."""
        for stricter, looser in combinations(DataClass, 2):
            if not LAW.necessary_for(purpose) & CATEGORIES[looser]:
                continue
            required = LAW.required_for(stricter, purpose, basis)
            if required:
                assert LAW.required_for(looser, purpose, basis)
                assert LAW.required_for(looser, purpose, basis) & ~required == 0
                assert LAW.level_for(looser, purpose) <= LAW.level_for(stricter, purpose)

    @pytest.mark.parametrize(("data_class", "purpose", "basis"), list(product(DataClass, Purpose, Basis)))
    def test_every_entry_can_permit(self, data_class, purpose, basis):
        """No entry promises what its purpose's necessary categories, or those of emergencies, rule out."""
        if not LAW.required_for(data_class, purpose, basis):
            return
        wanted = LAW.necessary_for(purpose) & CATEGORIES[data_class]
        if basis is Basis.INDIVIDUAL_EMERGENCY:
            wanted &= LAW.emergencies.categories
        assert wanted

    @pytest.mark.parametrize(
        "purpose", [Purpose.INSURANCE_RATING, Purpose.EMPLOYMENT, Purpose.MARKETING, Purpose.RESALE]
    )
    def test_it_bans(self, purpose):
        """Banned, and without any entry at all (R051)."""
        assert LAW.banned_purposes >> purpose & 1
        assert not any(
            LAW.required_for(data_class, purpose, basis) for data_class in DataClass for basis in Basis
        )


DATASET = Dataset(
    dataset_id=1,
    owner=3,
    purposes=TRAINING,
    categories=ASKED,
    status=DatasetStatus.DECLARED,
    retain_until=AT,
)
INCLUDING = {"operation": Operation.INCLUDE, "dataset_id": 1}
BOTH = TRAINING | 1 << Purpose.RESEARCH


class TestInclusion:
    """Into a dataset: required of it whatever the law says, and of nothing else."""

    def found(
        self, *, table: PolicyTable = WORLD.table, basis: Basis = Basis.CONSENT, **world: Any
    ) -> Verdict:
        """Return the answer to an inclusion in a world."""
        situation = replace(WORLD, **{"table": table, "dataset": DATASET, **world})
        return decide(asking(**INCLUDING, basis=basis), situation)

    @pytest.mark.parametrize(
        "world",
        [
            {},
            {"dataset": replace(DATASET, categories=Category(0xFFFF))},
            {"dataset": replace(DATASET, purposes=BOTH), "grant": replace(GRANT, purposes=BOTH)},
            {"included_into": tuple(range(2, MAX_DATASETS + 1))},
            {"included_into": tuple(range(1, MAX_DATASETS + 1))},
            {"dataset": replace(DATASET, status=DatasetStatus.IN_USE)},
        ],
    )
    def test_what_fits_is_permitted(self, world):
        """Also under the last place of the grant, and into a dataset that the grant remembers already."""
        assert self.found(**world).outcome is Outcome.PERMIT

    @pytest.mark.parametrize(
        "world",
        [
            {"dataset": None},
            {"dataset": replace(DATASET, owner=4)},
            {"dataset": replace(DATASET, status=DatasetStatus.SEALED)},
            {"dataset": replace(DATASET, status=DatasetStatus.DESTROYED)},
            {"dataset": replace(DATASET, categories=Category.DIAGNOSIS)},
            {"dataset": replace(DATASET, purposes=1 << Purpose.RESEARCH)},
            {"dataset": replace(DATASET, purposes=BOTH)},
            {"included_into": tuple(range(2, MAX_DATASETS + 2))},
        ],
    )
    @pytest.mark.parametrize("required", [EVERYTHING, Fact.MEMBER_ACTIVE])
    def test_what_does_not_fit_is_refused(self, world, required):
        """For this reason alone, and whether the law asks for it or not."""
        verdict = self.found(table=requiring(required), **world)
        assert (verdict.outcome, verdict.missing) == (Outcome.DENY, Fact.DATASET_FITS)

    def test_what_was_not_consented_to_serves_what_was_asked_for_alone(self):
        """Without consent as the basis the grant's purposes, and the room under it, do not count."""
        words = {"basis": Basis.LEGAL_DUTY, "grant": replace(GRANT, purposes=BOTH)}
        full = {"included_into": tuple(range(2, MAX_DATASETS + 2))}
        assert Fact.DATASET_FITS in self.found(**words, **full).facts
        assert Fact.DATASET_FITS not in self.found(**words, dataset=replace(DATASET, purposes=BOTH)).facts

    def test_it_is_the_principals_dataset(self):
        """Of the controller that has entrusted the requester, not of the requester."""
        controller = replace(MEMBER, member_id=9)
        order = Entrustment(TRAINING, AT + 1)
        request = asking(**INCLUDING, controller_id=9)
        world = replace(WORLD, controller=controller, entrustment=order)
        mine, theirs = replace(world, dataset=DATASET), replace(world, dataset=replace(DATASET, owner=9))
        assert Fact.DATASET_FITS not in decide(request, mine).facts
        assert Fact.DATASET_FITS in decide(request, theirs).facts
        assert Fact.DATASET_FITS not in decide(request, replace(theirs, entrustment=None)).facts

    @pytest.mark.parametrize("operation", [Operation.READ, Operation.TRANSFER])
    def test_of_other_operations_it_always_holds(self, operation):
        """There is no dataset that it could not fit."""
        assert Fact.DATASET_FITS in decide(asking(operation=operation), replace(WORLD, dataset=None)).facts
