"""The rules for steps: for each a change of the world that breaks it alone, and what a step that stands makes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from ledger import lineage
from ledger.domain.lineage import (
    ANSWER_SECONDS,
    MAX_LINKS,
    MAX_ORIGINS,
    NO_END,
    NOBODY,
    Dataset,
    JointPart,
    Origin,
    Step,
    StepRecord,
    Version,
    VersionId,
)
from ledger.domain.records import (
    Agreement,
    Attestation,
    Clearance,
    Commitment,
    GrantState,
    Limits,
    Member,
    Project,
)
from ledger.domain.vocabulary import (
    AgreementStatus,
    Answer,
    Assurance,
    AttestationKind,
    Category,
    Check,
    DataClass,
    DatasetStatus,
    GrantFlag,
    GrantStatus,
    Level,
    MemberStatus,
    ModelStatus,
    Part,
    Path,
    Purpose,
    Role,
    StepFact,
    StepKind,
    Technique,
    VersionKind,
)
from ledger.lineage import (
    PURPOSE_OF,
    REQUIRED,
    Changes,
    StepSituation,
    advanced,
    answered,
    changes_of,
    covers,
    due_of,
    facts_of,
    is_stale,
    joined,
    missing_of,
    obligation_of,
)
from ledger.policy import MAX_DATASETS, Crossing
from tests.support.data import ROOT

AT = 1_800_000_000
DAY = 86_400
EVERYTHING = StepFact(sum(StepFact))
MODEL_USES = 1 << Purpose.AI_TRAINING | 1 << Purpose.AI_VALIDATION | 1 << Purpose.AI_INFERENCE
MODEL, TRAINED, TESTED = VersionId(b"\x01" * 32), VersionId(b"\x02" * 32), VersionId(b"\x03" * 32)
TOOL = b"\x04" * 32
STATED = Attestation(issuer=9, valid_to=AT + 1)
MEMBER = Member(
    member_id=3,
    name="Lab",
    signer="0x" + "03" * 20,
    roles=Role.PROCESSOR,
    purposes=MODEL_USES,
    jurisdiction=156,
    valid_to=AT + 1,
    status=MemberStatus.ACTIVE,
    signing_key=b"",
    sealing_key=b"",
)
PROJECT = Project(
    project_id=1,
    member_id=3,
    purposes=MODEL_USES,
    categories=Category(0xFFFF),
    techniques=Technique(0),
    highest_class=DataClass.CORE_PRIVACY,
    valid_from=AT,
    valid_to=AT + 1,
    agreement=False,
    ethics=8,
)
LEARNED = Dataset(
    dataset_id=1,
    owner=3,
    purposes=MODEL_USES,
    categories=Category.DIAGNOSIS | Category.GENOMICS,
    status=DatasetStatus.COLLECTED,
    retain_until=AT + 1,
    usable_until=AT + 1,
    included=4,
    withdrawals=(AT - 9 * DAY,),
    budget=100,
    spent=90,
)
DATASETS = {1: LEARNED, 2: replace(LEARNED, dataset_id=2, categories=Category.DIAGNOSIS)}
VERSIONS = {
    MODEL: Version(
        MODEL, 5, 3, VersionKind.MODEL, MODEL_USES, (Origin(1, 1),), evaluated=True, deployed=True
    ),
    TRAINED: Version(
        TRAINED, 3, 3, VersionKind.DATA, MODEL_USES, (Origin(1, 1, 0, 2, Part.TRAINING),), Check.PASSED
    ),
    TESTED: Version(TESTED, 4, 7, VersionKind.DATA, MODEL_USES, (Origin(2, 1),), Check.PASSED),
}
# Steps count nobody: what is used up for decisions holds for them.
CROSSING = Crossing(
    access_until=AT + 1,
    clearance=Clearance(
        clearance_id=1,
        project_id=1,
        exporter=7,
        issuer=9,
        path=Path.CERTIFICATION,
        valid_from=AT,
        valid_to=AT + 1,
        max_persons=1,
        persons=1,
    ),
)
OTHER = replace(MEMBER, member_id=7, jurisdiction=840)
AGREEMENT = Agreement(
    agreement_id=1,
    provider=7,
    limits=Limits(3, MODEL_USES, Category(0xFFFF), AT + 1, DAY, onward=True, linkage=True),
    status=AgreementStatus.SIGNED,
)
# Every fact holds at once of a step that uses a model and data, spends privacy and makes three.
STEP = Step(
    kind=StepKind.INFER,
    parameters=Commitment(b"\x05" * 32),
    inputs=(MODEL, TRAINED, TESTED),
    outputs=tuple(VersionId(bytes([number]) * 32) for number in (6, 7, 8)),
    project_id=1,
    epsilon=10,
    tool=TOOL,
)
WORLD = StepSituation(
    at=AT,
    member=MEMBER,
    core_categories=Category.GENOMICS,
    versions=VERSIONS,
    shares={(TESTED, 3): AGREEMENT},
    datasets=DATASETS,
    jurisdictions={1: 156, 2: 840},
    project=PROJECT,
    crossings={(2, 3): CROSSING},
    on_project={AttestationKind.LICENCE: STATED},
    on_tool={AttestationKind.TOOL: STATED},
    on_versions={name: {AttestationKind.ENCRYPTION: STATED} for name in VERSIONS},
)
NO_LICENCE: dict[AttestationKind, Attestation] = {}
OVER = replace(STATED, valid_to=AT)
#: Evaluated on nothing but parts of the split that the model learned from.
SPLIT = {
    **VERSIONS,
    MODEL: replace(VERSIONS[MODEL], origins=(Origin(1, 1, 0, 2, Part.TRAINING),)),
    TESTED: replace(VERSIONS[TESTED], origins=(Origin(1, 1, 0, 2, Part.TEST),)),
}


def dataset(number: int, **changes: Any) -> dict[int, Dataset]:
    """Return the datasets with one of them changed."""
    return {**DATASETS, number: replace(DATASETS[number], **changes)}


def version(name: VersionId, **changes: Any) -> dict[VersionId, Version]:
    """Return the versions with one of them changed."""
    return {**VERSIONS, name: replace(VERSIONS[name], **changes)}


def agreed(**limits: Any) -> dict[tuple[VersionId, int], Agreement]:
    """Return what the tested data is shared under, with other limits."""
    return {(TESTED, 3): replace(AGREEMENT, limits=replace(AGREEMENT.limits, **limits))}


@dataclass(frozen=True)
class Loss:
    """What changes in the step and in the world, and which facts are gone then."""

    lost: StepFact
    world: dict[str, Any] = field(default_factory=dict)
    step: dict[str, Any] = field(default_factory=dict)


MISSING_MODEL = {name: found for name, found in VERSIONS.items() if name != MODEL}
AVAILABLE, READY = StepFact.INPUTS_AVAILABLE, StepFact.MODEL_READY
#: For each fact, changes that take exactly this fact away; then those that take several.
LOSSES = [
    Loss(StepFact.MEMBER_ACTIVE, {"member": replace(MEMBER, status=MemberStatus.SUSPENDED)}),
    Loss(StepFact.MEMBER_ACTIVE, {"member": replace(MEMBER, valid_to=AT)}),
    Loss(StepFact.PROJECT_APPROVED | StepFact.BORDER_CLEARED, {"project": None}),
    Loss(StepFact.PROJECT_APPROVED, {"project": replace(PROJECT, withdrawn=True)}),
    Loss(StepFact.PROJECT_APPROVED, {"project": replace(PROJECT, ethics=0)}),
    Loss(StepFact.PROJECT_APPROVED | StepFact.BORDER_CLEARED, {"project": replace(PROJECT, member_id=4)}),
    Loss(StepFact.PROJECT_APPROVED, {"project": replace(PROJECT, valid_from=AT + 1)}),
    Loss(StepFact.PROJECT_APPROVED, {"project": replace(PROJECT, valid_to=AT)}),
    Loss(StepFact.PROJECT_APPROVED, {"project": replace(PROJECT, purposes=1 << Purpose.AI_TRAINING)}),
    Loss(StepFact.INPUTS_KNOWN, step={"inputs": (MODEL, MODEL)}),
    Loss(StepFact.INPUTS_KNOWN, step={"inputs": (TRAINED, TRAINED)}),
    Loss(StepFact.INPUTS_KNOWN, {"versions": version(TESTED, kind=VersionKind.RESULT)}),
    Loss(AVAILABLE, {"shares": {}}),
    Loss(AVAILABLE, {"shares": {(TESTED, 4): AGREEMENT}}),
    Loss(AVAILABLE, {"versions": version(TRAINED, owner=4)}),
    *(
        Loss(AVAILABLE, {"datasets": dataset(number, **changes)})
        for number in DATASETS
        for changes in (
            {"status": DatasetStatus.SEALED},
            {"status": DatasetStatus.DESTROYED},
            {"retain_until": AT},
            {"usable_until": AT},
        )
    ),
    Loss(AVAILABLE | READY, {"versions": version(MODEL, status=ModelStatus.SUSPENDED)}),
    Loss(AVAILABLE | READY, {"versions": version(MODEL, status=ModelStatus.RETIRED)}),
    Loss(AVAILABLE, {"datasets": dataset(1, owner=4)}, {"dataset_id": 1}),
    Loss(AVAILABLE, {"datasets": {**DATASETS, 3: replace(LEARNED, retain_until=AT)}}, {"dataset_id": 3}),
    Loss(StepFact.INPUTS_CURRENT, {"versions": version(TRAINED, origins=(Origin(1, 0),))}),
    Loss(StepFact.INPUTS_CURRENT, {"datasets": dataset(2, withdrawals=(AT - 2, AT - 1), excused=1)}),
    Loss(StepFact.INPUTS_SOUND, {"versions": version(MODEL, check=Check.FAILED)}),
    Loss(
        StepFact.INPUTS_SOUND | StepFact.INPUTS_VERIFIED, {"versions": version(TRAINED, check=Check.FAILED)}
    ),
    Loss(StepFact.INPUTS_VERIFIED, {"versions": version(TESTED, check=Check.PENDING)}),
    Loss(StepFact.TOOL_CERTIFIED, {"on_tool": {}}),
    Loss(StepFact.TOOL_CERTIFIED, {"on_tool": {AttestationKind.TOOL: OVER}}),
    Loss(StepFact.PURPOSE_ALLOWED, {"member": replace(MEMBER, purposes=1 << Purpose.AI_TRAINING)}),
    Loss(StepFact.PURPOSE_ALLOWED, {"versions": version(TESTED, purposes=1 << Purpose.AI_TRAINING)}),
    Loss(StepFact.PURPOSE_ALLOWED, step={"purposes": 1 << Purpose.RESEARCH}),
    Loss(StepFact.PURPOSE_ALLOWED, {"banned_purposes": 1 << Purpose.AI_INFERENCE}),
    Loss(StepFact.PURPOSE_ALLOWED, {"shares": agreed(purposes=1 << Purpose.AI_TRAINING)}),
    Loss(StepFact.PURPOSE_ALLOWED, {"others": (replace(OTHER, purposes=1 << Purpose.AI_TRAINING),)}),
    Loss(StepFact.MEMBER_ACTIVE, {"others": (OTHER, replace(OTHER, valid_to=AT))}),
    Loss(StepFact.RELINK_ALLOWED, {"shares": agreed(linkage=False)}),
    Loss(StepFact.INPUTS_SOUND, {"versions": version(MODEL, step_id=0)}),
    Loss(StepFact.INPUTS_SOUND, {"versions": version(MODEL, step_id=0, check=Check.FAILED)}),
    Loss(StepFact.THREE_PARTS, step={"outputs": STEP.outputs[:2]}),
    Loss(StepFact.TEST_UNSEEN, {"versions": SPLIT}, {"kind": StepKind.EVALUATE, "inputs": (MODEL, TRAINED)}),
    Loss(
        StepFact.TEST_UNSEEN,
        {"versions": {**SPLIT, MODEL: VERSIONS[MODEL]}},
        {"kind": StepKind.EVALUATE, "inputs": (MODEL, TESTED)},
    ),
    Loss(
        StepFact.TEST_UNSEEN,
        {"versions": {**SPLIT, MODEL: replace(SPLIT[MODEL], origins=(Origin(1, 1, 0, 9, Part.TRAINING),))}},
        {"kind": StepKind.EVALUATE, "inputs": (MODEL, TESTED)},
    ),
    Loss(
        StepFact.TEST_UNSEEN,
        {"versions": SPLIT},
        {"kind": StepKind.TRAIN, "inputs": (MODEL, TESTED)},
    ),
    Loss(StepFact.RELINK_ALLOWED, {"datasets": dataset(2, no_relink=True)}),
    Loss(StepFact.BUDGET_LEFT, {"datasets": dataset(2, spent=91)}),
    Loss(StepFact.BUDGET_LEFT, step={"epsilon": 11}),
    Loss(StepFact.BUDGET_LEFT | StepFact.PROTECTED, step={"epsilon": 0}),
    Loss(StepFact.PROTECTED, {"on_versions": {**WORLD.on_versions, TESTED: {}}}),
    Loss(
        StepFact.PROTECTED, {"on_versions": {**WORLD.on_versions, MODEL: {AttestationKind.ENCRYPTION: OVER}}}
    ),
    Loss(
        StepFact.PROTECTED,
        {"datasets": dataset(1, budget=0), "versions": VERSIONS},
        {"epsilon": 0, "kind": StepKind.EVALUATE, "inputs": (MODEL, TESTED)},
    ),
    Loss(StepFact.BORDER_CLEARED, {"crossings": {}}),
    Loss(StepFact.BORDER_CLEARED, {"crossings": {(1, 3): CROSSING, (2, 4): CROSSING}}),
    Loss(StepFact.BORDER_CLEARED, {"crossings": {(2, 3): replace(CROSSING, access_until=AT)}}),
    Loss(READY, {"on_project": NO_LICENCE}),
    Loss(READY, {"versions": version(MODEL, evaluated=False)}),
    Loss(READY, {"versions": version(MODEL, deployed=False)}),
    Loss(StepFact.INPUTS_KNOWN | AVAILABLE | StepFact.PURPOSE_ALLOWED, {"versions": MISSING_MODEL}),
]


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.lost.name)
def test_each_rule_can_be_broken_alone(loss):
    """Nothing else changes with it."""
    assert facts_of(replace(STEP, **loss.step), replace(WORLD, **loss.world)) == EVERYTHING & ~loss.lost


def test_everything_holds_of_a_step_that_breaks_no_rule():
    """And every rule is broken by one of the changes above."""
    assert facts_of(STEP, WORLD) == EVERYTHING
    lost = StepFact(0)
    for loss in LOSSES:
        lost |= loss.lost
    assert lost == EVERYTHING


@pytest.mark.parametrize("kind", list(StepKind))
def test_only_required_rules_are_missing(kind):
    """What is missing in a world in which nothing holds are the rules that the kind is under."""
    world = StepSituation(
        at=AT, member=replace(MEMBER, valid_to=0), core_categories=Category(0), datasets=DATASETS
    )
    step = replace(STEP, kind=kind, dataset_id=2, purposes=1, outputs=())
    assert missing_of(step, world) == REQUIRED[kind] & ~facts_of(step, world)
    assert StepFact.MEMBER_ACTIVE in missing_of(step, world)


@pytest.mark.parametrize(
    ("changes", "fact"),
    [
        ({"datasets": dataset(1, withdrawals=(AT - 2, AT - 1), excused=2)}, StepFact.INPUTS_CURRENT),
        ({"datasets": dataset(2, budget=0)}, StepFact.BUDGET_LEFT),
        (
            {"jurisdictions": {1: 156, 2: 156}, "crossings": {}},
            StepFact.BORDER_CLEARED,
        ),
        ({"core_categories": Category.IMAGING, "on_versions": {}}, StepFact.PROTECTED),
        ({"datasets": dataset(1, withdrawals=(AT - 9 * DAY, AT - ANSWER_SECONDS))}, READY),
        ({"versions": SPLIT}, StepFact.TEST_UNSEEN),
    ],
)
def test_what_breaks_no_rule(changes, fact):
    """Excused, without a budget, at home, no core privacy, due this very second, another part of the same split."""
    step = (
        replace(STEP, kind=StepKind.EVALUATE, inputs=(MODEL, TESTED))
        if fact is StepFact.TEST_UNSEEN
        else STEP
    )
    assert fact in facts_of(step, replace(WORLD, **changes))


def test_an_overdue_answer_stops_a_model():
    """From the second after it was due; until then it serves."""
    late = dataset(1, withdrawals=(AT - 99 * DAY, AT - ANSWER_SECONDS - 1))
    assert READY not in facts_of(STEP, replace(WORLD, datasets=late))


def test_one_dataset_is_merged_with_itself():
    """Who forbade that data is merged with other data did not forbid that parts of it come together."""
    parts = {**VERSIONS, TESTED: replace(VERSIONS[TESTED], origins=(Origin(1, 1, 0, 9, Part.TRAINING),))}
    world = replace(WORLD, versions=parts, datasets=dataset(1, no_relink=True))
    assert StepFact.RELINK_ALLOWED in facts_of(STEP, world)
    assert len(lineage.origins_behind(STEP, world)) == 3


@pytest.mark.parametrize("kind", list(StepKind))
def test_a_step_needs_the_purpose_of_its_kind(kind):
    """And only such a step."""
    world = replace(WORLD, member=replace(MEMBER, purposes=0), versions={}, datasets=DATASETS)
    allowed = StepFact.PURPOSE_ALLOWED in facts_of(replace(STEP, kind=kind, inputs=(), purposes=0), world)
    assert allowed == (kind not in PURPOSE_OF)


# Joint steps


ROUND = replace(STEP, kind=StepKind.TRAIN, outputs=STEP.outputs[:1], purposes=1 << Purpose.AI_TRAINING)
#: The tested data's owner, which is abroad, takes part; nothing is shared or cleared.
TEAM = replace(WORLD, others=(OTHER,), shares={}, crossings={})


def test_training_reaches_what_those_who_take_part_have():
    """Their data stays where it is; without them it is neither available nor near."""
    gone = StepFact.INPUTS_AVAILABLE | StepFact.BORDER_CLEARED
    assert not missing_of(ROUND, TEAM)
    assert missing_of(ROUND, replace(TEAM, others=())) == gone
    assert missing_of(ROUND, replace(TEAM, others=(replace(OTHER, member_id=8),))) == gone


def test_only_training_reaches_what_is_not_the_recorders():
    """Any other step would take data from who has it."""
    for kind in (StepKind.CLEAN, StepKind.MERGE, StepKind.INFER, StepKind.RELEASE):
        assert AVAILABLE not in facts_of(replace(STEP, kind=kind), TEAM)


def test_a_model_comes_to_all_who_take_part():
    """What it learned from data of theirs is near, wherever they are; of others it needs a clearance."""
    model = replace(VERSIONS[MODEL], origins=(Origin(2, 1),))
    abroad = dataset(2, owner=7)
    world = replace(TEAM, versions={**VERSIONS, MODEL: model}, datasets=abroad)
    step = replace(ROUND, inputs=(MODEL, TRAINED))
    assert StepFact.BORDER_CLEARED in facts_of(step, world)
    assert StepFact.BORDER_CLEARED not in facts_of(step, replace(world, others=()))
    cleared = replace(world, others=(), crossings={(2, 3): CROSSING})
    assert StepFact.BORDER_CLEARED in facts_of(step, cleared)


def test_who_was_shared_data_takes_part_with_it():
    """Under the limits of the agreement."""
    third = replace(OTHER, member_id=8)
    world = replace(TEAM, others=(third,), shares={(TESTED, 8): AGREEMENT})
    assert not missing_of(ROUND, world)
    narrow = replace(AGREEMENT, limits=replace(AGREEMENT.limits, purposes=1 << Purpose.AI_VALIDATION))
    assert missing_of(ROUND, replace(world, shares={(TESTED, 8): narrow})) == StepFact.PURPOSE_ALLOWED


def test_the_owner_of_data_takes_part_under_no_agreement():
    """Whoever else was shared it."""
    narrow = replace(AGREEMENT, limits=replace(AGREEMENT.limits, purposes=0))
    world = replace(TEAM, shares={(TESTED, 3): narrow, (TESTED, 7): narrow})
    assert not missing_of(ROUND, world)


def test_who_took_part_stands_with_the_step():
    """The recorder first."""
    parts = (JointPart(7, Commitment(b"\x01" * 32)), JointPart(9, Commitment(b"\x02" * 32)))
    assert StepRecord(12, 3, ROUND, StepFact(0), parts).team == (3, 7, 9)


# What agreements and origins ask of what is made


@pytest.mark.parametrize(
    ("kind", "changes", "expected"),
    [
        (StepKind.CLEAN, {}, 0),
        (StepKind.CLEAN, {"shares": agreed(onward=False)}, 7),
        (StepKind.INFER, {"shares": agreed(onward=False)}, 7),
        (StepKind.TRAIN, {"shares": agreed(onward=False)}, 0),
        (StepKind.CLEAN, {"versions": version(TRAINED, only_to=5)}, 5),
        (StepKind.CLEAN, {"versions": version(TRAINED, only_to=3)}, 0),
        (StepKind.CLEAN, {"versions": version(TRAINED, only_to=NOBODY)}, NOBODY),
        (StepKind.CLEAN, {"versions": version(TRAINED, only_to=5), "shares": agreed(onward=False)}, NOBODY),
        (StepKind.CLEAN, {"versions": version(TRAINED, only_to=7), "shares": agreed(onward=False)}, 7),
        (StepKind.TRAIN, {"versions": version(TRAINED, only_to=5)}, 0),
        (StepKind.TRAIN, {"versions": version(MODEL, only_to=5)}, 5),
    ],
)
def test_what_is_made_is_bound_as_what_it_is_made_of(kind, changes, expected):
    """And to who gave it without letting it be passed on; a model that learns from data is free."""
    step = replace(STEP, kind=kind, outputs=STEP.outputs[:1])
    [made] = [
        one
        for one in changes_of(StepRecord(12, 3, step, StepFact(0)), replace(WORLD, **changes)).versions
        if one.step_id == 12
    ]
    assert made.only_to == expected


def test_what_is_made_serves_no_more_than_the_agreement():
    """Nor more than its inputs."""
    step = replace(STEP, kind=StepKind.MERGE, inputs=(TRAINED, TESTED), outputs=STEP.outputs[:1])
    world = replace(WORLD, shares=agreed(purposes=1 << Purpose.AI_TRAINING))
    [made] = changes_of(StepRecord(12, 3, step, StepFact(0)), world).versions
    assert made.purposes == 1 << Purpose.AI_TRAINING


def test_what_is_from_outside_is_somebodys_data():
    """It is of no dataset, and merged with one it is relinked."""
    outside = version(TESTED, step_id=0, origins=())
    world = replace(WORLD, versions=outside, datasets=dataset(1, no_relink=True))
    step = replace(STEP, inputs=(TRAINED, TESTED))
    assert StepFact.RELINK_ALLOWED not in facts_of(step, world)
    assert StepFact.RELINK_ALLOWED in facts_of(step, replace(world, datasets=DATASETS))
    assert StepFact.RELINK_ALLOWED in facts_of(replace(step, inputs=(TRAINED,)), world)
    assert StepFact.INPUTS_SOUND in facts_of(step, world)


# What a step that stands changes


def stands(kind: StepKind, **changes: Any) -> Changes:
    """Return what a step that stands changes."""
    step = replace(STEP, **{"kind": kind, "outputs": STEP.outputs[:1], **changes})
    return changes_of(StepRecord(12, 3, step, StepFact(0)), WORLD)


def test_a_step_that_broke_a_rule_changes_nothing():
    """Whatever it says that it made."""
    assert changes_of(StepRecord(12, 3, STEP, StepFact.MEMBER_ACTIVE), WORLD) == Changes()


def test_collecting_makes_data_that_knows_the_withdrawals():
    """Of the dataset's purposes."""
    found = stands(StepKind.COLLECT, inputs=(), dataset_id=1, epsilon=0)
    [made] = found.versions
    assert (made.kind, made.purposes, made.origins) == (VersionKind.DATA, MODEL_USES, (Origin(1, 1),))
    assert (made.step_id, made.owner, made.check) == (12, 3, Check.PENDING)
    assert found.datasets == (LEARNED,)


def test_training_makes_a_model_for_what_it_says():
    """From both datasets, which are in use and have spent their privacy once."""
    found = stands(StepKind.TRAIN, purposes=1 << Purpose.AI_TRAINING, inputs=(TRAINED, TRAINED, TESTED))
    [made] = found.versions
    assert (made.kind, made.purposes) == (VersionKind.MODEL, 1 << Purpose.AI_TRAINING)
    assert made.origins == (Origin(1, 1, 0, 2, Part.TRAINING), Origin(2, 1))
    assert {(one.status, one.spent) for one in found.datasets} == {(DatasetStatus.IN_USE, 100)}


def test_no_budget_is_kept_no_privacy_is_counted():
    """A budget of zero is none."""
    world = replace(WORLD, datasets=dataset(1, budget=0, spent=0))
    step = replace(STEP, kind=StepKind.CLEAN, inputs=(TRAINED,), outputs=STEP.outputs[:1])
    [changed] = changes_of(StepRecord(12, 3, step, StepFact(0)), world).datasets
    assert (changed.spent, changed.status) == (0, DatasetStatus.PROCESSED)


def test_a_split_names_its_parts_and_leaves_test_data_alone():
    """Training, validation, test; what was test data before stays the test data that it was."""
    mixed = (Origin(1, 1), Origin(2, 0, 0, 4, Part.TEST))
    world = replace(WORLD, versions=version(TRAINED, origins=mixed))
    step = replace(STEP, kind=StepKind.SPLIT, inputs=(TRAINED,))
    made = changes_of(StepRecord(12, 3, step, StepFact(0)), world).versions
    assert [one.origins[0].parts for one in made] == list(Part)
    assert {one.origins[0].split_id for one in made} == {12}
    assert {one.origins[1] for one in made} == {mixed[1]}


@pytest.mark.parametrize(
    ("kind", "changed"),
    [(StepKind.EVALUATE, {"evaluated": True}), (StepKind.DEPLOY, {"evaluated": False, "deployed": True})],
)
def test_a_model_is_evaluated_and_deployed(kind, changed):
    """And nothing is made."""
    world = replace(WORLD, versions=version(MODEL, evaluated=False, deployed=False))
    step = replace(STEP, kind=kind, inputs=(MODEL,), outputs=())
    [model] = changes_of(StepRecord(12, 3, step, StepFact(0)), world).versions
    assert model == replace(world.versions[MODEL], **changed)


@pytest.mark.parametrize("kind", [StepKind.INFER, StepKind.RELEASE])
def test_results_are_made_of_what_they_are_from(kind):
    """They may serve what all inputs may."""
    [made] = stands(kind).versions
    assert (made.kind, made.purposes) == (VersionKind.RESULT, MODEL_USES)
    assert made.origins == (Origin(1, 1), Origin(1, 1, 0, 2, Part.TRAINING), Origin(2, 1))


def test_destruction_is_the_end():
    """Of a sealed dataset too; a dataset only moves on."""
    [gone] = stands(StepKind.DESTROY, inputs=(), outputs=(), dataset_id=1).datasets
    assert gone == replace(LEARNED, status=DatasetStatus.DESTROYED)
    assert advanced(gone, DatasetStatus.SHARED) == gone
    assert advanced(LEARNED, DatasetStatus.SHARED).status is DatasetStatus.SHARED


def test_a_sealed_dataset_is_destroyed_by_its_owner():
    """Once, and by nobody else."""
    step = replace(STEP, kind=StepKind.DESTROY, inputs=(), outputs=(), dataset_id=1)
    for changes, missing in (
        ({"status": DatasetStatus.SEALED, "retain_until": 0}, StepFact(0)),
        ({"status": DatasetStatus.DESTROYED}, AVAILABLE),
        ({"owner": 4}, AVAILABLE),
    ):
        assert missing_of(step, replace(WORLD, datasets=dataset(1, **changes))) == missing


def test_origins_are_joined_by_dataset_and_split():
    """With the fewest withdrawals and all parts; an answer is a model's own."""
    assert joined(
        [
            Origin(1, 3, 3),
            Origin(1, 2),
            Origin(1, 1, 0, 5, Part.TRAINING),
            Origin(2),
            Origin(1, 4, 0, 5, Part.TEST),
        ]
    ) == (Origin(1, 2), Origin(1, 1, 0, 5, Part.TRAINING | Part.TEST), Origin(2))


# What a withdrawal asks of a model


@pytest.mark.parametrize(
    ("origin", "changes", "due"),
    [
        (Origin(1, 3), {}, None),
        (Origin(1, 2), {}, 30),
        (Origin(1, 1), {}, 20),
        (Origin(1, 0), {}, 10),
        (Origin(1, 0), {"excused": 1}, 20),
        (Origin(1, 0, 2), {}, 30),
        (Origin(1, 1, 3), {}, None),
        (Origin(1, 0), {"excused": 3}, None),
    ],
)
def test_an_answer_is_due_a_month_after_the_first_unanswered_withdrawal(origin, changes, due):
    """The first that came after the data was collected, and was neither excused nor justified."""
    known = {1: replace(LEARNED, withdrawals=(10, 20, 30), **changes)}
    expected = None if due is None else due + ANSWER_SECONDS
    assert due_of(replace(VERSIONS[MODEL], origins=(origin,)), known) == expected


def test_the_earliest_of_all_origins_counts():
    """Each dataset has its own withdrawals."""
    known = {1: replace(LEARNED, withdrawals=(20,)), 2: replace(LEARNED, withdrawals=(30, 10))}
    model = replace(VERSIONS[MODEL], origins=(Origin(1), Origin(2, 1)))
    assert due_of(model, known) == 10 + ANSWER_SECONDS


def test_only_a_model_that_serves_owes_an_answer():
    """Neither data nor one that was retired; a suspended one still does."""
    known = {1: replace(LEARNED, withdrawals=(20,))}
    model = replace(VERSIONS[MODEL], origins=(Origin(1),))
    suspended, retired = (
        replace(model, status=status) for status in (ModelStatus.SUSPENDED, ModelStatus.RETIRED)
    )
    assert obligation_of(model, known) == obligation_of(suspended, known) == 20 + ANSWER_SECONDS
    assert (
        obligation_of(retired, known) is obligation_of(replace(model, kind=VersionKind.DATA), known) is None
    )


@pytest.mark.parametrize("answer", [answer for answer in Answer if answer is not Answer.NONE])
def test_an_answer_retires_a_model_or_justifies_it(answer):
    """Justified, it serves on, and is stale all the same."""
    model = replace(VERSIONS[MODEL], origins=(Origin(1, 0),), status=ModelStatus.SUSPENDED)
    found = answered(model, answer, DATASETS)
    if answer is Answer.JUSTIFIED:
        assert found == replace(model, status=ModelStatus.ACTIVE, origins=(Origin(1, 0, 1),))
        assert is_stale(found.origins[0], DATASETS[1])
    else:
        assert found == replace(model, status=ModelStatus.RETIRED)


# What the end of a consent asks of datasets

FORMER = GrantState(
    recipient=3,
    purposes=0b11,
    categories=Category.DIAGNOSIS | Category.VITALS,
    use_from=AT - DAY,
    use_to=AT + DAY,
    data_from=5,
    data_to=9,
    max_uses=0,
    uses=0,
    level=Level.PSEUDONYMISED,
    flags=GrantFlag.ONWARD | GrantFlag.NO_RELINK,
    status=GrantStatus.ACTIVE,
    assurance=Assurance.SELF,
)
TO_KINDS = {"recipient": 0, "recipient_kinds": 0b110}


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"purposes": 0b111, "categories": Category(0xFFFF), "use_to": AT + DAY + 1, "use_from": AT},
        {"data_from": 4, "data_to": 10},
        {"data_from": 0, "data_to": 0},
        {"level": Level.IDENTIFIED},
        {"flags": GrantFlag.ONWARD},
        {"flags": FORMER.flags | GrantFlag.SEPARATE},
    ],
)
def test_a_grant_that_gives_as_much_covers_another(changes):
    """Or more."""
    assert covers(replace(FORMER, **changes), FORMER, AT)


@pytest.mark.parametrize(
    "changes",
    [
        {"recipient": 4},
        TO_KINDS,
        {"purposes": 0b01},
        {"categories": Category.DIAGNOSIS},
        {"use_from": AT + 1},
        {"use_to": AT + DAY - 1},
        {"data_from": 6},
        {"data_to": 8},
        {"level": Level.DEIDENTIFIED},
        {"flags": GrantFlag.NO_RELINK},
        {"flags": FORMER.flags | GrantFlag.NO_REIDENTIFY},
    ],
)
def test_a_grant_that_gives_less_covers_nothing(changes):
    """Somebody else, less, a gap, or a further condition."""
    assert not covers(replace(FORMER, **changes), FORMER, AT)


def test_separate_consent_is_covered_by_separate_consent_alone():
    """Signed by the subject or a delegate, not under the custodian's hand."""
    separate = replace(FORMER, flags=FORMER.flags | GrantFlag.SEPARATE)
    found = [
        assurance for assurance in Assurance if covers(replace(separate, assurance=assurance), separate, AT)
    ]
    assert found == [Assurance.DELEGATED, Assurance.SELF]
    assert covers(replace(FORMER, assurance=Assurance.ASSISTED), FORMER, AT)


def test_kinds_of_recipients_and_unlimited_days_are_covered_by_as_many():
    """No last day is all days."""
    former = replace(FORMER, **TO_KINDS, data_to=0)
    assert covers(replace(former, recipient_kinds=0b1110), former, AT)
    assert not covers(replace(former, recipient_kinds=0b010), former, AT)
    assert not covers(replace(former, data_to=0xFFFF), former, AT)


def test_numbers_are_those_of_the_contracts():
    """How long an answer may take, and what is bounded."""
    text = "".join(path.read_text() for path in sorted((ROOT / "contracts" / "modules").glob("*.sol")))
    for name, value in (
        ("_ANSWER_SECONDS", f"{ANSWER_SECONDS // DAY} days"),
        ("_MAX_LINKS", MAX_LINKS),
        ("_MAX_ORIGINS", MAX_ORIGINS),
        ("_MAX_DATASETS", MAX_DATASETS),
    ):
        assert f"{name} = {value};" in text
    assert NO_END == 2**32 - 1
