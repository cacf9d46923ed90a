"""
Lineage, decided a second time: the twin of `contracts/modules/Lineage.sol` and of what a consent's end does to datasets.

Pure and readable; shares nothing with the contracts but the published numbering. The auditor decides every step on
record again with this module. Time is always an argument.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from ledger.domain.lineage import (
    ANSWER_SECONDS,
    NOBODY,
    Dataset,
    Origin,
    Step,
    StepRecord,
    Version,
    VersionId,
)
from ledger.domain.records import Agreement, Attestation, GrantState, Member, Project
from ledger.domain.vocabulary import (
    Answer,
    Assurance,
    AttestationKind,
    Category,
    Check,
    DatasetStatus,
    GrantFlag,
    ModelStatus,
    Part,
    Purpose,
    StepFact,
    StepKind,
    VersionKind,
)
from ledger.policy import Crossing, attested_by, is_cleared, member_is_active

_EVERY_PURPOSE: Final = 0xFFFF
_NO_STATEMENTS: Final[Mapping[AttestationKind, Attestation]] = {}
#: Flags of a grant that allow something; the others forbid.
_ALLOWING: Final = GrantFlag.SEPARATE | GrantFlag.ONWARD

_WORK: Final = (
    StepFact.MEMBER_ACTIVE
    | StepFact.INPUTS_KNOWN
    | StepFact.INPUTS_AVAILABLE
    | StepFact.INPUTS_SOUND
    | StepFact.BUDGET_LEFT
)
_ON_DATA: Final = (
    _WORK
    | StepFact.INPUTS_CURRENT
    | StepFact.TOOL_CERTIFIED
    | StepFact.BORDER_CLEARED
    | StepFact.PURPOSE_ALLOWED
)
_SECONDARY: Final = _ON_DATA | StepFact.PROJECT_APPROVED | StepFact.INPUTS_VERIFIED | StepFact.PROTECTED
_ON_DATASET: Final = StepFact.MEMBER_ACTIVE | StepFact.INPUTS_AVAILABLE
_SERVING: Final = _WORK | StepFact.PROJECT_APPROVED | StepFact.PURPOSE_ALLOWED | StepFact.MODEL_READY
#: Which rules each kind of step is under.
REQUIRED: Final[dict[StepKind, StepFact]] = {
    StepKind.COLLECT: _ON_DATASET,
    StepKind.CLEAN: _ON_DATA,
    StepKind.LABEL: _ON_DATA,
    StepKind.SPLIT: _ON_DATA | StepFact.THREE_PARTS,
    StepKind.MERGE: _ON_DATA | StepFact.RELINK_ALLOWED,
    StepKind.DEIDENTIFY: _ON_DATA,
    StepKind.TRAIN: _SECONDARY | StepFact.TEST_UNSEEN,
    StepKind.EVALUATE: _WORK
    | StepFact.TOOL_CERTIFIED
    | StepFact.BORDER_CLEARED
    | StepFact.PROJECT_APPROVED
    | StepFact.PURPOSE_ALLOWED
    | StepFact.TEST_UNSEEN,
    StepKind.DEPLOY: _SERVING,
    StepKind.INFER: _SERVING,
    StepKind.RELEASE: _SECONDARY,
    StepKind.DESTROY: _ON_DATASET,
}
#: The purpose that a kind of step has, if it has one of its own.
PURPOSE_OF: Final[dict[StepKind, Purpose]] = {
    StepKind.TRAIN: Purpose.AI_TRAINING,
    StepKind.EVALUATE: Purpose.AI_VALIDATION,
    StepKind.DEPLOY: Purpose.AI_INFERENCE,
    StepKind.INFER: Purpose.AI_INFERENCE,
}
#: Kinds of steps that take a model first, and data after it.
_USES_MODEL: Final = (StepKind.EVALUATE, StepKind.DEPLOY, StepKind.INFER)
#: Kinds of steps that must spend privacy where a budget is kept.
_SPENDS: Final = (StepKind.SPLIT, StepKind.INFER, StepKind.RELEASE)
_MADE: Final = {
    StepKind.TRAIN: VersionKind.MODEL,
    StepKind.INFER: VersionKind.RESULT,
    StepKind.RELEASE: VersionKind.RESULT,
}


@dataclass(frozen=True, slots=True)
class StepSituation:
    """
    What the ledger knows that bears on one step.

    Attributes:
        at: Time of the block, seconds since the Unix epoch.
        member: Who records the step.
        others: Who takes part besides, in the order of their parts.
        core_categories: What the law in force calls core privacy.
        banned_purposes: What no law in force can justify: bit n for purpose n.
        versions: The inputs that are on record.
        shares: The agreements in force under which inputs were shared with those who take part, and may still be kept; by
            version and member.
        datasets: The dataset that the step names, and those of the inputs' origins.
        jurisdictions: Where the owners of these datasets are, by dataset; ISO 3166-1 numeric.
        crossings: What bears on the data of these owners crossing a border to those who take part, by dataset and
            member.
        project: The project the step names, if it exists.
        on_project: Statements about that project.
        on_tool: Statements about the tool.
        on_versions: Statements about the inputs.
    """

    at: int
    member: Member
    core_categories: Category
    others: tuple[Member, ...] = ()
    banned_purposes: int = 0
    versions: Mapping[VersionId, Version] = field(default_factory=dict)
    shares: Mapping[tuple[VersionId, int], Agreement] = field(default_factory=dict)
    datasets: Mapping[int, Dataset] = field(default_factory=dict)
    jurisdictions: Mapping[int, int] = field(default_factory=dict)
    crossings: Mapping[tuple[int, int], Crossing] = field(default_factory=dict)
    project: Project | None = None
    on_project: Mapping[AttestationKind, Attestation] = field(default_factory=lambda: _NO_STATEMENTS)
    on_tool: Mapping[AttestationKind, Attestation] = field(default_factory=lambda: _NO_STATEMENTS)
    on_versions: Mapping[VersionId, Mapping[AttestationKind, Attestation]] = field(default_factory=dict)

    @property
    def team(self) -> tuple[Member, ...]:
        """Return who takes part, the recorder first."""
        return (self.member, *self.others)

    def states(self, statements: Mapping[AttestationKind, Attestation], kind: AttestationKind) -> bool:
        """Tell whether a statement of a kind is in force."""
        return attested_by(statements, kind, self.at) != 0


@dataclass(frozen=True, slots=True)
class Changes:
    """What a step that stands leaves behind: the datasets and versions that it changes, as they are afterwards."""

    datasets: tuple[Dataset, ...] = ()
    versions: tuple[Version, ...] = ()


# Whether a step stands


def missing_of(step: Step, situation: StepSituation) -> StepFact:
    """Return the rules that a step breaks; it stands if there are none."""
    return REQUIRED[step.kind] & ~facts_of(step, situation)


def facts_of(step: Step, situation: StepSituation) -> StepFact:
    """Work out which facts hold for a step."""
    found = StepFact(0)
    for fact, holds in _FACTS.items():
        if holds(step, situation):
            found |= fact
    return found


def joined(origins: Iterable[Origin]) -> tuple[Origin, ...]:
    """
    Join origins: each dataset and split once, with the fewest withdrawals and all parts.

    Returns:
        In the order in which each comes up first. Nothing in them is answered: an answer is a model's own.
    """
    found: dict[tuple[int, int], Origin] = {}
    for origin in origins:
        key = origin.dataset_id, origin.split_id
        known = found.get(key, origin)
        found[key] = replace(
            known,
            withdrawals=min(known.withdrawals, origin.withdrawals),
            parts=known.parts | origin.parts,
            answered=0,
        )
    return tuple(found.values())


def origins_behind(step: Step, situation: StepSituation) -> tuple[Origin, ...]:
    """Return what the inputs of a step are from."""
    return joined(origin for version in _inputs(step, situation) for origin in version.origins)


def purposes_behind(step: Step, situation: StepSituation) -> int:
    """Return what all inputs of a step may serve, under the agreements that they are used under; everything if none."""
    purposes = _EVERY_PURPOSE
    for name in step.inputs:
        version = situation.versions.get(name)
        purposes &= version.purposes if version else 0
        held = _holding(step, name, situation)
        if held is not None and held.agreement is not None:
            purposes &= held.agreement.limits.purposes
    return purposes


@dataclass(frozen=True, slots=True)
class _Holding:
    """Who of those who take part has an input: its owner, or somebody under an agreement."""

    member: Member
    agreement: Agreement | None = None


def _holding(step: Step, name: VersionId, situation: StepSituation) -> _Holding | None:
    """
    Find who has an input: its owner before anybody that it was shared with.

    Only training reaches what is not the recorder's: any other step would take the data from who has it.
    """
    version = situation.versions.get(name)
    if version is None:
        return None
    reach = situation.team if step.kind is StepKind.TRAIN else (situation.member,)
    for member in reach:
        if member.member_id == version.owner:
            return _Holding(member)
    for member in reach:
        agreement = situation.shares.get((name, member.member_id))
        if agreement is not None:
            return _Holding(member, agreement)
    return None


def bound_by(step: Step, situation: StepSituation) -> int:
    """
    Return the only member that what a step makes may be shared with; 0 if any, `NOBODY` if none.

    What is made of a bound version is bound as it is, and to who gave a version under an agreement that forbids to pass it
    on. Only a model that learns from data is free: it does not pass the data on.
    """
    found: set[int] = set()
    for version in _inputs(step, situation):
        if step.kind is StepKind.TRAIN and version.kind is VersionKind.DATA:
            continue
        found.add(version.only_to)
        held = _holding(step, version.version_id, situation)
        if held is not None and held.agreement is not None and not held.agreement.limits.onward:
            found.add(version.owner)
    found -= {0, situation.member.member_id}
    if len(found) > 1:
        return NOBODY
    return next(iter(found), 0)


def _inputs(step: Step, situation: StepSituation) -> list[Version]:
    return [situation.versions[name] for name in step.inputs if name in situation.versions]


def _datasets_behind(step: Step, situation: StepSituation) -> list[Dataset]:
    """Return each dataset that the inputs of a step are from, once."""
    numbers = dict.fromkeys(origin.dataset_id for origin in origins_behind(step, situation))
    return [situation.datasets[number] for number in numbers]


def _project_is_approved(step: Step, situation: StepSituation) -> bool:
    project = situation.project
    if project is None or project.withdrawn or not project.ethics:
        return False
    wanted = PURPOSE_OF.get(step.kind)
    covers = wanted is None or bool(project.purposes >> wanted & 1)
    in_time = project.valid_from <= situation.at < project.valid_to
    return project.member_id == situation.member.member_id and in_time and covers


def _inputs_are_known(step: Step, situation: StepSituation) -> bool:
    return all(
        name in situation.versions and _takes(step.kind, place, situation.versions[name].kind)
        for place, name in enumerate(step.inputs)
    )


def _takes(kind: StepKind, place: int, version: VersionKind) -> bool:
    """Tell whether a step takes a version of this kind in this place."""
    if kind in _USES_MODEL:
        return version is (VersionKind.DATA if place else VersionKind.MODEL)
    if kind is StepKind.TRAIN and place == 0:
        return version in (VersionKind.DATA, VersionKind.MODEL)
    return kind is StepKind.RELEASE or version is VersionKind.DATA


def _inputs_are_available(step: Step, situation: StepSituation) -> bool:
    """Who takes part may use every input, no model among them is out of service, and every dataset is open."""
    if step.dataset_id and not _own_dataset_is_open(step, situation):
        return False
    may = all(_holding(step, name, situation) is not None for name in step.inputs)
    serve = all(version.status is ModelStatus.ACTIVE for version in _inputs(step, situation))
    datasets = _datasets_behind(step, situation)
    return may and serve and all(is_usable(dataset, situation.at) for dataset in datasets)


def _own_dataset_is_open(step: Step, situation: StepSituation) -> bool:
    dataset = situation.datasets[step.dataset_id]
    if step.kind is StepKind.DESTROY:
        ready = dataset.status is not DatasetStatus.DESTROYED
    else:
        ready = is_usable(dataset, situation.at)
    return ready and dataset.owner == situation.member.member_id


def is_usable(dataset: Dataset, at: int) -> bool:
    """Tell whether a dataset is neither sealed nor destroyed, and within its retention and the consents in it."""
    return dataset.status < DatasetStatus.SEALED and at < min(dataset.retain_until, dataset.usable_until)


def is_stale(origin: Origin, dataset: Dataset) -> bool:
    """Tell whether somebody withdrew after the data was collected, and nobody excused it."""
    return max(origin.withdrawals, dataset.excused) < len(dataset.withdrawals)


def _inputs_are_current(step: Step, situation: StepSituation) -> bool:
    origins = origins_behind(step, situation)
    return not any(is_stale(origin, situation.datasets[origin.dataset_id]) for origin in origins)


def _inputs_are_sound(step: Step, situation: StepSituation) -> bool:
    inputs = _inputs(step, situation)
    return not any(version.check is Check.FAILED or version.is_quarantined for version in inputs)


def _inputs_are_verified(step: Step, situation: StepSituation) -> bool:
    data = [version for version in _inputs(step, situation) if version.kind is VersionKind.DATA]
    return all(version.check is Check.PASSED for version in data)


def _purpose_is_allowed(step: Step, situation: StepSituation) -> bool:
    purposes = purposes_behind(step, situation) & ~situation.banned_purposes
    wanted = PURPOSE_OF.get(step.kind)
    licensed = all(wanted is None or member.purposes >> wanted & 1 for member in situation.team)
    serves = wanted is None or bool(licensed and purposes >> wanted & 1)
    return purposes != 0 and serves and not step.purposes & ~purposes


def _test_is_unseen(step: Step, situation: StepSituation) -> bool:
    inputs = _inputs(step, situation)
    if step.kind is StepKind.TRAIN:
        return not any(Part.TEST in origin.parts for version in inputs for origin in version.origins)
    if step.kind is StepKind.EVALUATE:
        learned, tested = _origins_of(step.inputs[:1], situation), _origins_of(step.inputs[1:], situation)
        return all(_are_apart(one, other) for one in learned for other in tested)
    return True


def _origins_of(names: Iterable[VersionId], situation: StepSituation) -> list[Origin]:
    return [
        origin for name in names if name in situation.versions for origin in situation.versions[name].origins
    ]


def _are_apart(learned: Origin, tested: Origin) -> bool:
    """Tell whether two origins have nobody's data in common: other datasets, or other parts of one split."""
    if learned.dataset_id != tested.dataset_id:
        return True
    return 0 != learned.split_id == tested.split_id and not learned.parts & tested.parts


def _relink_is_allowed(step: Step, situation: StepSituation) -> bool:
    """Nobody forbade it, or nothing is merged; what is of no dataset is from somebody else than all other data."""
    datasets, inputs = _datasets_behind(step, situation), _inputs(step, situation)
    known = sum(name in situation.versions for name in step.inputs)
    strangers = len(step.inputs) - known + sum(not version.origins for version in inputs)
    if len(datasets) + strangers < 2:  # noqa: PLR2004 - one is not merged
        return True
    holdings = [_holding(step, name, situation) for name in step.inputs]
    linked = all(held is None or held.agreement is None or held.agreement.limits.linkage for held in holdings)
    return linked and not any(dataset.no_relink for dataset in datasets)


def _budget_is_left(step: Step, situation: StepSituation) -> bool:
    kept = [dataset for dataset in _datasets_behind(step, situation) if dataset.budget]
    spends = bool(step.epsilon) or step.kind not in _SPENDS
    return all(spends and dataset.spent + step.epsilon <= dataset.budget for dataset in kept)


def _is_protected(step: Step, situation: StepSituation) -> bool:
    datasets = _datasets_behind(step, situation)
    if not any(dataset.categories & situation.core_categories for dataset in datasets):
        return True
    encrypted = all(
        situation.states(situation.on_versions.get(name, _NO_STATEMENTS), AttestationKind.ENCRYPTION)
        for name in step.inputs
    )
    return encrypted and step.epsilon != 0


def _border_is_cleared(step: Step, situation: StepSituation) -> bool:
    """
    Tell whether who has an input is where the owners of its data are, or may receive it for a project of the recorder's.

    A model comes to all who take part.
    """
    team = {member.member_id for member in situation.team}
    for version in _inputs(step, situation):
        held = _holding(step, version.version_id, situation)
        holder = held.member if held is not None else situation.member
        for origin in version.origins:
            owner = situation.datasets[origin.dataset_id].owner
            present = version.kind is VersionKind.MODEL and owner in team
            if not present and not _is_near(origin.dataset_id, holder, situation):
                return False
    return True


def _is_near(dataset_id: int, holder: Member, situation: StepSituation) -> bool:
    crossing = situation.crossings.get((dataset_id, holder.member_id), Crossing())
    project, home = situation.project, situation.jurisdictions[dataset_id] == holder.jurisdiction
    own = project is not None and project.member_id == situation.member.member_id
    return home or (own and is_cleared(crossing, situation.at))


def _model_is_ready(step: Step, situation: StepSituation) -> bool:
    models = [version for version in _inputs(step, situation) if version.kind is VersionKind.MODEL]
    licensed = situation.states(situation.on_project, AttestationKind.LICENCE)
    return all(licensed and _may_serve(model, step.kind, situation) for model in models)


def _may_serve(model: Version, kind: StepKind, situation: StepSituation) -> bool:
    due = due_of(model, situation.datasets)
    punctual = due is None or situation.at <= due
    deployed = model.deployed or kind is not StepKind.INFER
    return model.status is ModelStatus.ACTIVE and punctual and model.evaluated and deployed


_FACTS: Final[dict[StepFact, Callable[[Step, StepSituation], bool]]] = {
    StepFact.MEMBER_ACTIVE: lambda _, known: all(member_is_active(one, known.at) for one in known.team),
    StepFact.PROJECT_APPROVED: _project_is_approved,
    StepFact.INPUTS_KNOWN: _inputs_are_known,
    StepFact.INPUTS_AVAILABLE: _inputs_are_available,
    StepFact.INPUTS_CURRENT: _inputs_are_current,
    StepFact.INPUTS_SOUND: _inputs_are_sound,
    StepFact.INPUTS_VERIFIED: _inputs_are_verified,
    StepFact.TOOL_CERTIFIED: lambda _, known: known.states(known.on_tool, AttestationKind.TOOL),
    StepFact.PURPOSE_ALLOWED: _purpose_is_allowed,
    StepFact.THREE_PARTS: lambda step, _: len(step.outputs) == len(Part),
    StepFact.TEST_UNSEEN: _test_is_unseen,
    StepFact.RELINK_ALLOWED: _relink_is_allowed,
    StepFact.BUDGET_LEFT: _budget_is_left,
    StepFact.PROTECTED: _is_protected,
    StepFact.BORDER_CLEARED: _border_is_cleared,
    StepFact.MODEL_READY: _model_is_ready,
}


# What a step that stands changes


def changes_of(record: StepRecord, situation: StepSituation) -> Changes:
    """Return what a step on record changed: nothing if it broke a rule."""
    if record.missing:
        return Changes()
    step = record.step
    return Changes(
        datasets=tuple(_datasets_after(step, situation)),
        versions=(*_made_by(record, situation), *_models_after(step, situation)),
    )


def _made_by(record: StepRecord, situation: StepSituation) -> Iterator[Version]:
    step = record.step
    origins, purposes = origins_behind(step, situation), purposes_behind(step, situation)
    if step.kind is StepKind.COLLECT:
        dataset = situation.datasets[step.dataset_id]
        origins, purposes = (Origin(dataset.dataset_id, len(dataset.withdrawals)),), dataset.purposes
    for place, name in enumerate(step.outputs):
        yield Version(
            version_id=name,
            step_id=record.step_id,
            owner=record.member_id,
            kind=_MADE.get(step.kind, VersionKind.DATA),
            purposes=step.purposes if step.kind is StepKind.TRAIN else purposes,
            origins=tuple(_part_of(record, origin, place) for origin in origins),
            only_to=bound_by(step, situation),
        )


def _part_of(record: StepRecord, origin: Origin, place: int) -> Origin:
    """Return an origin of the output in a place: a split makes parts, but test data stays the test data that it was."""
    if record.step.kind is not StepKind.SPLIT or Part.TEST in origin.parts:
        return origin
    return replace(origin, split_id=record.step_id, parts=Part(1 << place))


def _models_after(step: Step, situation: StepSituation) -> Iterator[Version]:
    for name in step.inputs[:1]:
        if step.kind is StepKind.EVALUATE:
            yield replace(situation.versions[name], evaluated=True)
        if step.kind is StepKind.DEPLOY:
            yield replace(situation.versions[name], deployed=True)


def _datasets_after(step: Step, situation: StepSituation) -> Iterator[Dataset]:
    if step.kind is StepKind.DESTROY:
        yield replace(situation.datasets[step.dataset_id], status=DatasetStatus.DESTROYED)
    if step.kind is StepKind.COLLECT:
        yield advanced(situation.datasets[step.dataset_id], DatasetStatus.COLLECTED)
    reached = DatasetStatus.PROCESSED if step.kind < StepKind.TRAIN else DatasetStatus.IN_USE
    for dataset in _datasets_behind(step, situation):
        spent = step.epsilon if dataset.budget else 0
        yield replace(advanced(dataset, reached), spent=dataset.spent + spent)


def advanced(dataset: Dataset, status: DatasetStatus) -> Dataset:
    """Return a dataset that has come as far as *status* at least: it only moves on."""
    return replace(dataset, status=max(dataset.status, status))


# What a withdrawal asks of a model


def due_of(version: Version, datasets: Mapping[int, Dataset]) -> int | None:
    """
    Return until when the first withdrawal that reached a version must be answered.

    Args:
        version: The version.
        datasets: Those of its origins.

    Returns:
        Seconds since the Unix epoch; None if no withdrawal reached it, or all are excused or justified.
    """
    found = []
    for origin in version.origins:
        dataset = datasets[origin.dataset_id]
        known = max(dataset.excused, origin.withdrawals, origin.answered)
        found += [at + ANSWER_SECONDS for at in dataset.withdrawals[known : known + 1]]
    return min(found, default=None)


def obligation_of(version: Version, datasets: Mapping[int, Dataset]) -> int | None:
    """Return until when the owner of a version must answer; None if it is no model, was retired, or owes nothing."""
    if version.kind is not VersionKind.MODEL or version.status is ModelStatus.RETIRED:
        return None
    return due_of(version, datasets)


def answered(model: Version, answer: Answer, datasets: Mapping[int, Dataset]) -> Version:
    """Return a model after its owner's answer: one that is justified serves on, any other has retired."""
    if answer is not Answer.JUSTIFIED:
        return replace(model, status=ModelStatus.RETIRED)
    origins = tuple(
        replace(origin, answered=len(datasets[origin.dataset_id].withdrawals)) for origin in model.origins
    )
    return replace(model, status=ModelStatus.ACTIVE, origins=origins)


# What the end of a consent asks of datasets


def covers(given: GrantState, former: GrantState, at: int) -> bool:
    """
    Tell whether a grant permits all that the one it replaces did, to whom it did, without a gap.

    What was included under the former then stays in its datasets; otherwise its end is a withdrawal.

    Args:
        given: The grant.
        former: The one it replaces.
        at: When it does, seconds since the Unix epoch.
    """
    to_whom = given.recipient == former.recipient and not former.recipient_kinds & ~given.recipient_kinds
    to_what = not former.purposes & ~given.purposes and former.categories in given.categories
    while_ = given.use_from <= at and former.use_to <= given.use_to
    ends_no_earlier = given.data_to == 0 or 0 < former.data_to <= given.data_to
    of_when = given.data_from <= former.data_from and ends_no_earlier
    allowing = former.flags & _ALLOWING in given.flags
    forbidding = given.flags & ~_ALLOWING in former.flags
    separate = GrantFlag.SEPARATE not in former.flags or given.assurance >= Assurance.DELEGATED
    as_far = allowing and forbidding and separate and given.level <= former.level
    return to_whom and to_what and while_ and of_when and as_far
