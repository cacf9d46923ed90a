"""Datasets, steps and versions on a real chain: what is recorded, what the index says, and what walks find."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from ledger.chain.contract import LedgerContract
from ledger.chain.indexer import Indexer
from ledger.domain.lineage import ANSWER_SECONDS, Origin, VersionId
from ledger.domain.records import PassportId
from ledger.domain.vocabulary import (
    Answer,
    AttestationKind,
    Category,
    Check,
    DatasetStatus,
    GrantFlag,
    ModelStatus,
    Outcome,
    Part,
    Purpose,
    StepFact,
    StepKind,
    VersionKind,
)
from ledger.encoding.hexadecimal import to_hex
from ledger.errors import Conflict, InvalidInput, NotFound, NotPermitted
from ledger.ports import Call
from ledger.service.datasets import Target
from ledger.service.walks import CustodyAct
from ledger.settings import Settings
from ledger.store.database import Database
from ledger.store.index import SqlIndex
from ledger.store.tables import (
    PROJECTION,
    answers,
    datasets,
    inclusions,
    shares,
    steps,
    versions,
    withdrawals,
)
from tests.support.lineage import AI, DAY, TOOL, YEAR, Laboratory, Pipeline, fresh
from tests.support.world import STUDY, World


@pytest.fixture(scope="module")
def world(timed_world: World) -> World:
    return timed_world


@pytest.fixture(scope="module")
def lab(world: World) -> Laboratory:
    return Laboratory(world)


@pytest.fixture
def people(lab: Laboratory) -> list[Target]:
    """Return patients who consented, and are in no dataset yet."""
    return [lab.consent(index) for index in range(2)]


@pytest.fixture(scope="module")
def line(lab: Laboratory) -> Pipeline:
    """Return a model that was made as it should, which nothing reaches."""
    return lab.pipeline(lab.consent(0), lab.consent(1))


@pytest.fixture(scope="module")
def ended(world: World, lab: Laboratory) -> Pipeline:
    """Return a model whose data was shared, that a withdrawal reached, and that was answered for; a consent was replaced."""
    target, replaced = lab.consent(2), lab.consent(3)
    made = lab.pipeline(replaced, target)
    lab.share(made.training, lab.company)
    lab.withdraw(target)
    until = world.now() + YEAR + DAY
    wider = {"purposes": [*AI, Purpose.RESEARCH], "use_to": until, "supersedes": replaced.grant_id}
    world.grant(lab.hospital, replaced.passport_id, lab.lab, **wider)
    world.done(world.service.lineage.answer(lab.lab.member, made.model, Answer.RETIRED, evidence="Gone"))
    return made


def test_a_dataset_moves_on_with_what_is_done(world: World, lab: Laboratory, people: list[Target]) -> None:
    service = world.service
    dataset = lab.declare(budget=1_000_000)

    def status() -> DatasetStatus:
        return service.datasets.get(dataset).dataset.status

    assert status() is DatasetStatus.DECLARED
    assert lab.include(dataset, *people) == [Outcome.PERMIT, Outcome.PERMIT]
    collected = lab.collect(dataset)
    assert status() is DatasetStatus.COLLECTED
    clean = lab.made(StepKind.CLEAN, collected)
    assert status() is DatasetStatus.PROCESSED
    lab.check(clean)
    assert status() is DatasetStatus.VERIFIED
    lab.share(clean, lab.company)
    assert status() is DatasetStatus.SHARED
    lab.train(clean, epsilon=250_000)
    record = service.datasets.get(dataset)
    assert (record.dataset.status, record.dataset.spent) == (DatasetStatus.IN_USE, 250_000)
    assert record.dataset.included == 2
    assert service.datasets.description(record).title == "Early warning cohort"  # type: ignore[union-attr]
    _equals_the_contract(world, dataset)


def test_who_does_not_consent_is_refused_and_the_others_are_included(
    world: World, lab: Laboratory, people: list[Target]
) -> None:
    """Each answer is an entry: of one who consents, of one who does not, of one whose consent covers less."""
    dataset = lab.declare()
    nobody = Target(world.register(lab.hospital, 3))
    less = lab.consent(4, purposes=[Purpose.AI_TRAINING])

    found = lab.include(dataset, people[0], nobody, less)

    assert found == [Outcome.PERMIT, Outcome.DENY, Outcome.DENY]
    (inclusion,), following = world.service.datasets.inclusions(dataset)
    assert (inclusion.passport_id, inclusion.grant_id, inclusion.rests_on) == (
        people[0].passport_id,
        people[0].grant_id,
        people[0].grant_id,
    )
    assert following is None
    refused = world.service.index.decision(nobody.passport_id, 0)
    assert refused is not None
    assert refused.terms.dataset_id == dataset


def test_a_dataset_takes_over_the_limits_of_the_consents_in_it(world: World, lab: Laboratory) -> None:
    dataset, until = lab.declare(), world.now() + 30 * DAY
    lab.include(dataset, lab.consent(5, use_to=until, flags=GrantFlag.NO_RELINK))

    found = world.service.datasets.get(dataset).dataset

    assert (found.usable_until, found.no_relink) == (until, True)
    _equals_the_contract(world, dataset)


def test_a_step_against_the_rules_is_recorded_and_makes_nothing(
    world: World, lab: Laboratory, line: Pipeline
) -> None:
    entry = lab.step(StepKind.TRAIN, line.collected, purposes=tuple(AI))

    assert entry.record.missing == StepFact.INPUTS_VERIFIED
    assert world.service.index.version(entry.record.step.outputs[0]) is None
    assert world.service.index.steps_naming(entry.record.step.outputs) == [entry]
    assert entry not in world.service.index.steps_using([line.collected], limit=100)


def test_versions_are_as_the_contract_has_them(world: World, line: Pipeline) -> None:
    for name in (line.collected, line.training, line.validation, line.test, line.model):
        _version_equals_the_contract(world, name)
    model = world.service.lineage.get(line.model).version
    assert (model.kind, model.evaluated, model.deployed) == (VersionKind.MODEL, True, False)
    split = world.service.lineage.get(line.test).version
    assert split.origins == (Origin(line.dataset, 0, 0, split.step_id, Part.TEST),)
    assert split.check is Check.PASSED


def test_forward_finds_all_that_was_made_and_back_all_that_it_was_made_of(
    world: World, line: Pipeline
) -> None:
    walks = world.service.walks
    forward, back = walks.forward_of_version(line.collected), walks.back(line.model)

    assert {record.version.version_id for record in forward.versions} == {
        line.collected,
        line.training,
        line.validation,
        line.test,
        line.model,
    }
    kinds = [entry.record.step.kind for entry in forward.steps]
    assert kinds == [StepKind.SPLIT, StepKind.TRAIN, StepKind.EVALUATE]
    assert {record.version.version_id for record in back.versions} == {
        line.collected,
        line.training,
        line.model,
    }
    assert [record.dataset.dataset_id for record in back.datasets] == [line.dataset]
    assert [inclusion.grant_id for inclusion in back.inclusions] == [
        target.grant_id for target in line.targets
    ]
    assert forward.complete
    assert back.complete


def test_walks_are_bounded_and_say_so(world: World, line: Pipeline) -> None:
    walks = world.service.walks

    near = walks.forward_of_version(line.collected, depth=1)
    assert [entry.record.step.kind for entry in near.steps] == [StepKind.SPLIT]
    assert not near.complete
    few = walks.forward_of_version(line.collected, limit=1)
    assert (len(few.steps), few.complete) == (1, False)
    short = walks.back(line.model, depth=1)
    assert ([record.version.version_id for record in short.versions], short.complete) == ([line.model], False)
    assert not walks.back(line.model, limit=2).complete
    assert walks.back(line.model, depth=3).complete


def test_a_dataset_and_a_passport_are_followed(world: World, lab: Laboratory, line: Pipeline) -> None:
    """Somebody is in what was collected after the inclusion and before the withdrawal, and in nothing else."""
    walks, target = world.service.walks, lab.consent(6)
    dataset = lab.declare()
    lab.include(dataset, lab.consent(7))
    before = lab.collect(dataset)
    lab.include(dataset, target)
    with_it = lab.collect(dataset)
    lab.withdraw(target)
    after = lab.collect(dataset)

    of_passport = walks.forward_of_passport(target.passport_id)
    of_dataset = walks.forward_of_dataset(dataset)

    assert [record.version.version_id for record in of_passport.versions] == [with_it]
    assert [record.dataset.dataset_id for record in of_passport.datasets] == [dataset]
    assert [record.version.version_id for record in of_dataset.versions] == [before, with_it, after]
    assert walks.forward_of_passport(target.passport_id, told=lambda _: False).versions == ()


def test_a_withdrawal_reaches_the_model_and_is_answered(
    world: World, lab: Laboratory, people: list[Target]
) -> None:
    service, target = world.service, lab.consent(8)
    line = lab.pipeline(*people, target)
    before = service.walks.impact(target.grant_id)
    assert [record.dataset.dataset_id for record in before.datasets] == [line.dataset]
    assert [record.version.version_id for record in before.models] == [line.model]
    assert {record.version.version_id for record in before.versions} == {
        line.collected,
        line.training,
        line.validation,
        line.test,
    }
    assert before.obligations == {}

    lab.withdraw(target)

    after = service.walks.impact(target.grant_id)
    (inclusion,) = after.inclusions
    owed = after.obligations[line.model]
    assert inclusion.withdrawn_at == world.now()
    assert (owed.owner, owed.withdrawals) == (lab.lab.member.member_id, 1)
    assert owed.due == inclusion.withdrawn_at + ANSWER_SECONDS == _due(world, line.model)
    assert owed in service.index.obligations(owner=owed.owner)[0]
    assert owed not in service.index.obligations(owner=lab.company.member.member_id)[0]
    stale = lab.step(StepKind.TRAIN, line.training, purposes=tuple(AI))
    assert stale.record.missing == StepFact.INPUTS_CURRENT
    fresh_data = lab.check(lab.collect(line.dataset))
    successor = lab.train(fresh_data)
    world.done(
        service.lineage.answer(
            lab.lab.member, line.model, Answer.RETRAINED, evidence="Run 9", successor=successor
        )
    )
    assert service.lineage.get(line.model).version.status is ModelStatus.RETIRED
    assert service.index.obligation(line.model) is None
    assert service.walks.impact(target.grant_id).obligations == {}
    assert [item.answer for item in service.walks.impact(target.grant_id).answers] == [Answer.RETRAINED]
    assert line.model not in {item.version_id for item in service.index.obligations()[0]}
    assert successor not in {
        record.version.version_id for record in service.walks.impact(target.grant_id).models
    }
    _equals_the_contract(world, line.dataset)


def test_what_is_overdue_is_suspended_and_a_justification_brings_it_back(
    world: World, lab: Laboratory, people: list[Target]
) -> None:
    service, target = world.service, lab.consent(9)
    line = lab.pipeline(*people, target)
    lab.withdraw(target)
    owed = service.index.obligation(line.model)
    assert owed is not None
    with pytest.raises(Conflict, match="is overdue"):
        service.lineage.suspend(lab.company.member, line.model)
    assert owed not in service.index.obligations(due_before=owed.due)[0]

    world.until(owed.due + 1)

    assert owed in service.index.obligations(due_before=world.now())[0]
    world.done(service.lineage.suspend(lab.company.member, line.model))
    assert service.lineage.get(line.model).version.status is ModelStatus.SUSPENDED
    with pytest.raises(Conflict, match="suspended already"):
        service.lineage.suspend(lab.company.member, line.model)
    world.done(
        service.lineage.answer(
            lab.lab.member, line.model, Answer.JUSTIFIED, evidence="No trace of one in ten"
        )
    )
    assert service.lineage.get(line.model).version.status is ModelStatus.ACTIVE
    assert service.index.obligation(line.model) is None
    _version_equals_the_contract(world, line.model)


def test_an_ethics_body_excuses_what_was_withdrawn(
    world: World, lab: Laboratory, people: list[Target]
) -> None:
    service, target = world.service, lab.consent(10)
    line = lab.pipeline(*people, target)
    lab.withdraw(target)

    with pytest.raises(NotPermitted):
        service.datasets.excuse(lab.company.member, line.dataset, 1, "No")
    world.done(service.datasets.excuse(lab.ethics.member, line.dataset, 1, "One of thousands"))

    assert service.index.obligation(line.model) is None
    assert _due(world, line.model) == 0
    with pytest.raises(Conflict, match="waits to be excused"):
        service.datasets.excuse(lab.ethics.member, line.dataset, 1, "Again")
    _equals_the_contract(world, line.dataset)


def test_a_consent_that_was_replaced_by_one_that_permits_no_less_stays_in(
    world: World, lab: Laboratory
) -> None:
    """What the new one permits keeps the inclusion; its withdrawal ends it."""
    service, target = world.service, lab.consent(11)
    dataset = lab.declare()
    lab.include(dataset, target)
    wider = world.grant(
        lab.hospital,
        target.passport_id,
        lab.lab,
        purposes=[*AI, Purpose.RESEARCH],
        use_to=world.now() + YEAR + DAY,
        flags=GrantFlag.ONWARD,
        supersedes=target.grant_id,
    )

    (inclusion,), _ = service.datasets.inclusions(dataset)
    assert (inclusion.grant_id, inclusion.rests_on, inclusion.withdrawn_at) == (target.grant_id, wider, 0)
    assert service.walks.impact(wider).inclusions == (inclusion,)
    world.revoke(lab.hospital, wider)
    (inclusion,), _ = service.datasets.inclusions(dataset)
    assert (inclusion.withdrawal, inclusion.withdrawn_at) == (1, world.now())
    _equals_the_contract(world, dataset)


def test_a_sealed_dataset_takes_nothing_and_only_a_regulator_opens_it(
    world: World, lab: Laboratory, people: list[Target]
) -> None:
    service, dataset = world.service, lab.declare()
    lab.include(dataset, people[0])
    with pytest.raises(NotPermitted, match="does not own"):
        service.datasets.seal(lab.company.member, dataset, "Mine")
    world.done(service.datasets.seal(lab.lab.member, dataset, "An incident"))

    assert lab.include(dataset, people[1]) == [Outcome.DENY]
    assert lab.step(StepKind.COLLECT, dataset_id=dataset).record.missing == StepFact.INPUTS_AVAILABLE
    with pytest.raises(Conflict, match="is sealed"):
        service.datasets.seal(lab.regulator.member, dataset, "Twice")
    with pytest.raises(NotPermitted):
        service.datasets.unseal(lab.lab.member, dataset)
    world.done(service.datasets.unseal(lab.regulator.member, dataset))
    assert service.datasets.get(dataset).dataset.status is DatasetStatus.DECLARED
    with pytest.raises(Conflict, match="is not sealed"):
        service.datasets.unseal(lab.regulator.member, dataset)
    lab.step(StepKind.DESTROY, makes=0, dataset_id=dataset)
    with pytest.raises(Conflict, match="is destroyed"):
        service.datasets.seal(lab.lab.member, dataset, "Late")
    _equals_the_contract(world, dataset)


def test_blame_names_the_first_step_that_went_wrong(
    world: World, lab: Laboratory, people: list[Target]
) -> None:
    service, dataset = world.service, lab.declare()
    lab.include(dataset, *people)
    collected = lab.collect(dataset)
    labelled = lab.made(StepKind.LABEL, collected)
    clean = lab.made(StepKind.CLEAN, labelled)
    assert service.walks.blame(clean) == (None, True)

    lab.check(labelled, passed=False)

    blame, complete = service.walks.blame(clean)
    assert blame is not None
    assert blame.failed is not None
    assert (blame.failed.version.version_id, blame.step.record.step.kind, complete) == (
        labelled,
        StepKind.LABEL,
        True,
    )
    refused = lab.step(StepKind.CLEAN, clean, tool=bytes(31) + b"\x01")
    blame, _ = service.walks.blame(refused.record.step.outputs[0])
    assert blame is not None
    assert blame.step.record.step.outputs == (labelled,), "what it used had gone wrong before"
    alone = lab.step(StepKind.CLEAN, collected, tool=bytes(31) + b"\x01")
    blame, _ = service.walks.blame(alone.record.step.outputs[0])
    assert blame is not None
    assert (blame.step, blame.failed) == (alone, None)
    with pytest.raises(NotFound, match="no step names"):
        service.walks.blame(fresh())


def test_trace_tells_who_made_checked_got_and_used_it(
    world: World, lab: Laboratory, people: list[Target]
) -> None:
    line = lab.pipeline(*people)
    lab.share(line.training, lab.company)
    project = lab.file(lab.company)
    other = lab.step(StepKind.TRAIN, line.training, actor=lab.company, project_id=project, purposes=tuple(AI))
    assert other.stands, other.record.missing

    links, complete = world.service.walks.trace(line.training)

    me, them, office = (actor.member.member_id for actor in (lab.lab, lab.company, lab.verifier))
    assert [(link.act, link.member_id, link.recipient) for link in links] == [
        (CustodyAct.MADE, me, 0),
        (CustodyAct.MADE, me, 0),
        (CustodyAct.CHECKED, office, 0),
        (CustodyAct.USED, me, 0),
        (CustodyAct.SHARED, me, them),
        (CustodyAct.USED, them, 0),
    ]
    assert complete


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"kind": StepKind.COLLECT}, "datasetId"),
        ({"kind": StepKind.COLLECT, "dataset_id": 1, "epsilon": 1}, "epsilon"),
        ({"kind": StepKind.CLEAN, "dataset_id": 1}, "inputs"),
        ({"kind": StepKind.CLEAN, "inputs": (fresh(),), "dataset_id": 1}, "datasetId"),
        ({"kind": StepKind.MERGE, "inputs": (fresh(),)}, "inputs"),
        ({"kind": StepKind.TRAIN, "inputs": tuple(fresh() for _ in range(17))}, "inputs"),
        ({"kind": StepKind.TRAIN, "inputs": (fresh(),)}, "purposes"),
        ({"kind": StepKind.CLEAN, "inputs": (fresh(),), "purposes": (Purpose.RESEARCH,)}, "purposes"),
        ({"kind": StepKind.CLEAN, "inputs": (fresh(),), "makes": 2}, "outputs"),
        ({"kind": StepKind.CLEAN, "inputs": (fresh(),), "makes": 0}, "outputs"),
        ({"kind": StepKind.DEPLOY, "inputs": (fresh(),)}, "outputs"),
        ({"kind": StepKind.CLEAN, "inputs": (fresh(),), "outputs": (VersionId(bytes(32)),)}, "outputs"),
        ({"kind": StepKind.SPLIT, "inputs": (fresh(),), "outputs": (VersionId(TOOL),) * 3}, "outputs"),
    ],
)
def test_a_step_without_its_form_is_told_what_is_wrong(
    lab: Laboratory, changes: dict[str, Any], field: str
) -> None:
    kind = changes.pop("kind")
    with pytest.raises(InvalidInput) as refused:
        lab.step(kind, **changes)
    assert refused.value.details["field"] == field


def test_bad_names_are_told(world: World, lab: Laboratory, line: Pipeline) -> None:
    service, me = world.service, lab.lab.member
    with pytest.raises(NotFound, match="no dataset"):
        lab.step(StepKind.COLLECT, dataset_id=4711)
    with pytest.raises(NotFound, match="no project"):
        lab.step(StepKind.CLEAN, line.collected, project_id=4711)
    with pytest.raises(Conflict, match="a version or a passport already"):
        lab.step(StepKind.CLEAN, line.collected, outputs=(line.training,))
    for ask in (
        service.walks.forward_of_version,
        service.walks.back,
        service.walks.trace,
        service.lineage.get,
    ):
        with pytest.raises(NotFound):
            ask(fresh())
    with pytest.raises(NotFound):
        service.walks.forward_of_dataset(4711)
    with pytest.raises(NotFound):
        service.datasets.get(4711)
    with pytest.raises(NotFound):
        service.lineage.step(10**6)
    with pytest.raises(NotFound, match="is no model"):
        service.lineage.suspend(me, line.training)
    with pytest.raises(Conflict, match="no withdrawal waits"):
        service.lineage.answer(me, line.model, Answer.RETIRED, evidence="Why")
    with pytest.raises(InvalidInput, match="once"):
        lab.include(line.dataset, *[line.targets[0]] * 2)
    with pytest.raises(NotFound, match="no passport"):
        lab.include(line.dataset, Target(PassportId(line.model)))
    with pytest.raises(InvalidInput, match="at least one request"):
        lab.include(line.dataset)


def test_only_the_independent_check_and_only_owners_share(
    world: World, lab: Laboratory, line: Pipeline
) -> None:
    service = world.service
    with pytest.raises(NotPermitted):
        service.lineage.verify(lab.lab.member, line.collected, passed=True, report="Mine")
    with pytest.raises(Conflict, match="checked before"):
        service.lineage.verify(lab.verifier.member, line.training, passed=True, report="Twice")
    with pytest.raises(InvalidInput):
        service.lineage.verify(lab.verifier.member, line.collected, passed=True, report=" ")
    with pytest.raises(NotPermitted, match="does not own"):
        service.lineage.share(lab.company.member, line.training, lab.lab.member.member_id, 1)
    with pytest.raises(Conflict, match="nobody has checked"):
        service.lineage.share(lab.lab.member, line.collected, lab.company.member.member_id, 1)
    with pytest.raises(Conflict, match="does not use it"):
        service.lineage.share(lab.lab.member, line.training, lab.verifier.member.member_id, 1)
    with pytest.raises(InvalidInput, match="another member"):
        service.lineage.share(lab.lab.member, line.training, lab.lab.member.member_id, 1)
    with pytest.raises(NotFound, match="no member"):
        service.lineage.share(lab.lab.member, line.training, 4711, 1)


def test_a_tool_is_certified_by_the_alliance_and_a_version_attested_by_a_verifier(
    world: World, lab: Laboratory
) -> None:
    dataset = lab.declare()
    lab.include(dataset, lab.consent(3))
    collected = lab.collect(dataset)
    service, until = world.service.attestations, world.now() + DAY
    kind, tool = AttestationKind.TOOL, bytes(fresh())
    with pytest.raises(NotPermitted, match="role ALLIANCE"):
        service.attest(lab.lab.member, kind, tool=tool, valid_to=until, statement="x")
    for about in ({}, {"tool": bytes(32)}, {"tool": tool, "project_id": 1}, {"project_id": 1}):
        with pytest.raises(InvalidInput):
            service.attest(lab.alliance.member, kind, **about, valid_to=until, statement="x")  # type: ignore[arg-type]
    assert lab.step(StepKind.CLEAN, collected, tool=tool).record.missing == StepFact.TOOL_CERTIFIED
    lab.certify(tool)
    assert lab.step(StepKind.CLEAN, collected, tool=tool).stands
    assert service.of_tool(tool)[kind].issuer == lab.alliance.member.member_id

    encrypted = AttestationKind.ENCRYPTION
    with pytest.raises(NotPermitted, match="role VERIFIER"):
        service.attest(lab.lab.member, encrypted, version_id=collected, valid_to=until, statement="x")
    world.done(
        service.attest(
            lab.verifier.member, encrypted, version_id=collected, valid_to=until, statement="Report 3"
        )
    )
    assert service.of_version(collected)[encrypted].valid_to == until
    with pytest.raises(NotFound):
        service.of_version(fresh())


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"purposes": []}, "purposes"),
        ({"purposes": [Purpose.RESALE]}, "purposes"),
        ({"categories": Category(0)}, "categories"),
        ({"retain_until": 1}, "retainUntil"),
    ],
)
def test_a_plan_that_is_none_is_told_what_is_wrong(
    lab: Laboratory, changes: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        lab.declare(**changes)
    assert refused.value.details["field"] == field


def test_amounts_of_64_bits_do_not_stop_the_index(world: World, lab: Laboratory) -> None:
    """Somebody who writes past the service may name the largest budget that the ledger takes."""
    call = Call(
        "declareDataset",
        ([1 << Purpose.AI_TRAINING, int(STUDY), world.now() + DAY, 2**64 - 1], to_hex(fresh())),
    )
    operation = world.done(world.service.writer.submit(lab.lab.member.signer, call))
    dataset = operation.events[0].arguments["datasetId"]

    assert world.service.datasets.get(dataset).dataset.budget == 2**64 - 1


def test_models_are_listed_by_their_owner(world: World, lab: Laboratory, people: list[Target]) -> None:
    """Models alone, in the order in which they were trained."""
    model = lab.pipeline(*people).model
    index, owner = world.service.index, lab.lab.member.member_id
    own, _ = index.models(owner=owner, limit=500)
    everybody, _ = index.models(limit=500)

    assert own[-1].version.version_id == model
    assert {(record.version.kind, record.version.owner) for record in own} == {(VersionKind.MODEL, owner)}
    assert [record.version.step_id for record in everybody] == sorted(
        record.version.step_id for record in everybody
    )
    assert index.models(owner=lab.verifier.member.member_id) == ([], None)


def test_pages_of_datasets_steps_and_obligations_follow_each_other(world: World, lab: Laboratory) -> None:
    index = world.service.index
    for read in (index.datasets, index.steps, index.obligations, index.inclusions, index.models):
        everything, end = read(limit=500)
        assert end is None
        found: list[object] = []
        after = None
        while True:
            page, after = read(limit=2, after=after)
            found += page
            if after is None:
                break
        assert found == everything
        for bad in ("x", "1-", "0x", "-1"):
            with pytest.raises(InvalidInput):
                read(after=bad)


def test_a_suspended_model_is_answered_for_even_once_excused(
    world: World, lab: Laboratory, people: list[Target]
) -> None:
    service, target = world.service, lab.consent(13)
    line = lab.pipeline(*people, target)
    lab.withdraw(target)
    owed = service.index.obligation(line.model)
    assert owed is not None
    world.until(owed.due + 1)
    world.done(service.lineage.suspend(lab.regulator.member, line.model))
    world.done(service.datasets.excuse(lab.ethics.member, line.dataset, 1, "One of thousands"))
    assert service.index.obligation(line.model) is None

    world.done(service.lineage.answer(lab.lab.member, line.model, Answer.JUSTIFIED, evidence="Excused"))

    assert service.lineage.get(line.model).version.status is ModelStatus.ACTIVE


def test_a_successor_is_a_model_that_no_withdrawal_has_reached(
    world: World, lab: Laboratory, people: list[Target]
) -> None:
    """Neither data, nor another's, nor one that was justified."""
    service, target, me = world.service, lab.consent(14), lab.lab.member
    line = lab.pipeline(*people, target)
    justified = lab.train(line.training)
    lab.withdraw(target)
    world.done(service.lineage.answer(me, justified, Answer.JUSTIFIED, evidence="No trace"))

    for successor in (line.training, justified, line.model, fresh()):
        with pytest.raises(InvalidInput, match="no active model"):
            service.lineage.answer(me, line.model, Answer.UNLEARNED, evidence="x", successor=successor)
    for answer, successor in ((Answer.RETRAINED, None), (Answer.RETIRED, justified)):
        with pytest.raises(InvalidInput, match="any other answer has none"):
            service.lineage.answer(me, line.model, answer, evidence="x", successor=successor)
    with pytest.raises(InvalidInput, match="what was done"):
        service.lineage.answer(me, line.model, Answer.NONE, evidence="x")
    with pytest.raises(InvalidInput, match="in words"):
        service.lineage.answer(me, line.model, Answer.RETIRED, evidence=" ")
    with pytest.raises(NotPermitted, match="does not own"):
        service.lineage.answer(lab.company.member, line.model, Answer.RETIRED, evidence="x")


def test_sealed_data_is_not_shared(world: World, lab: Laboratory, people: list[Target]) -> None:
    line = lab.pipeline(*people)
    world.done(world.service.datasets.seal(lab.regulator.member, line.dataset, "An incident"))

    with pytest.raises(Conflict, match="is sealed"):
        lab.share(line.training, lab.company)


def test_the_auditor_decides_every_step_alike_and_does_not_accuse_the_index(
    world: World, ended: Pipeline
) -> None:
    world.service.index.wait_for(world.runtime.node.head().number, timeout=10)

    assert world.altered() == []


@pytest.mark.parametrize(
    ("table", "change"),
    [
        ("datasets", "included = included + 1"),
        ("datasets", "spent = x'0000000000000001'"),
        ("steps", "member_id = member_id + 1"),
        ("steps", "missing = 1"),
        ("step_inputs", "stands = 1 - stands"),
        ("step_outputs", "step_id = step_id + 1000"),
        ("versions", "owner = owner + 1"),
        ("versions", "deployed = 1 - deployed"),
        ("origins", "withdrawals = withdrawals + 1"),
        ("withdrawals", "grant_id = zeroblob(32)"),
        ("withdrawals", "time = time + 1"),
        ("inclusions", "dataset_id = dataset_id + 1"),
        ("inclusions", "rests_on = zeroblob(32)"),
        ("inclusions", "withdrawal = 7"),
        ("shares", "recipient = recipient + 1000"),
        ("shares", "agreement_id = agreement_id + 1000"),
        ("answers", "answer = answer + 1"),
        ("answers", "evidence = zeroblob(32)"),
    ],
)
def test_a_row_of_lineage_that_was_altered_is_found(
    world: World, ended: Pipeline, tmp_path: Path, table: str, change: str
) -> None:
    deployment = world.runtime.deployment
    assert deployment is not None
    world.service.index.wait_for(world.runtime.node.head().number, timeout=10)
    copy = tmp_path / "index.db"
    original = world.settings.database_url().removeprefix("sqlite:///")
    with closing(sqlite3.connect(original)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
        target.execute(f"UPDATE {table} SET {change} WHERE rowid = (SELECT min(rowid) FROM {table})")  # noqa: S608
        target.commit()

    found = [finding.detail for finding in world.altered(f"sqlite:///{copy}")]
    assert found
    assert all(f" of {table} " in detail for detail in found)


def test_an_index_made_again_and_one_rolled_back_are_equal(
    world: World, lab: Laboratory, tmp_path: Any
) -> None:
    """Every row of datasets and lineage comes from the events alone."""
    target = lab.consent(12)
    made = lab.pipeline(target)
    lab.share(made.training, lab.company)
    half = world.runtime.node.head().number
    lab.withdraw(target)
    world.done(world.service.lineage.answer(lab.lab.member, made.model, Answer.RETIRED, evidence="Gone"))
    world.service.index.wait_for(world.runtime.node.head().number, timeout=10)
    before = _rows(world.runtime._databases[0])

    for table in (datasets, withdrawals, inclusions, steps, versions, shares, answers):
        assert before[table.name], f"nothing of {table.name} happened"
    database = Database(Settings(data=tmp_path).database_url(), migrations="ledger")
    database.migrate()
    rebuilt = SqlIndex(database)

    _sync(world, rebuilt)
    assert _rows(database) == before
    rebuilt.roll_back(half)
    assert len(_rows(database)["answers"]) < len(before["answers"])
    _sync(world, rebuilt)
    assert _rows(database) == before
    database.close()


def _rows(database: Database) -> dict[str, list[tuple[object, ...]]]:
    found = {}
    with database.read() as connection:
        for table in PROJECTION:
            columns = [column for column in table.columns if column.name != "serial"]
            found[table.name] = sorted((tuple(row) for row in connection.execute(select(*columns))), key=repr)
    return found


def _sync(world: World, index: SqlIndex) -> None:
    deployment, node = world.runtime.deployment, world.runtime.node
    assert deployment is not None
    nothing: Callable[[], None] = lambda: None  # noqa: E731 - a guard that has nothing to guard
    Indexer(node, LedgerContract(node, deployment, guard=nothing), deployment, index, guard=nothing).sync()


def _view(world: World, function: str, *arguments: object) -> Any:
    return world.service.chain._view(function, *arguments)[0]  # type: ignore[attr-defined]


def _due(world: World, model: VersionId) -> int:
    return int(_view(world, "obligationOf", model))


def _equals_the_contract(world: World, dataset_id: int) -> None:
    found = world.service.datasets.get(dataset_id).dataset
    assert _view(world, "datasetOf", dataset_id) == (
        found.owner,
        found.purposes,
        int(found.categories),
        int(found.status),
        found.no_relink,
        found.no_onward,
        found.retain_until,
        found.usable_until,
        found.included,
        found.excused,
        found.budget,
        found.spent,
    )
    assert tuple(_view(world, "withdrawalsOf", dataset_id)) == found.withdrawals


def _version_equals_the_contract(world: World, name: VersionId) -> None:
    found = world.service.lineage.get(name).version
    assert _view(world, "versionOf", name) == (
        found.step_id,
        found.owner,
        int(found.kind),
        found.purposes,
        int(found.check),
        found.verifier,
        int(found.status),
        found.evaluated,
        found.deployed,
        found.only_to,
    )
    assert _view(world, "originsOf", name) == tuple(
        (origin.dataset_id, origin.withdrawals, origin.answered, origin.split_id, int(origin.parts))
        for origin in found.origins
    )
