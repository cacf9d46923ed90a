"""
A lineage as the rows of a table, from which the page's script draws the graph.

Plain functions; nothing here asks the service. The script reads the rows and their links and nothing else, so that the
graph cannot show what the table does not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from api.pages.presenters import Answer, Moment, counted, moment
from ledger.domain.lineage import Dataset, JointPart, Version, VersionId
from ledger.domain.vocabulary import (
    DATASET_STATUS_LABELS,
    STEP_KIND_LABELS,
    Check,
    DatasetStatus,
    ModelStatus,
    Part,
    VersionKind,
)
from ledger.encoding.hexadecimal import to_hex
from ledger.lineage import is_stale, obligation_of
from ledger.ports import StepEntry, VersionRecord
from ledger.service.walks import Walk

#: Digits of a version's name that tell it from the others on a page.
_SHORT: Final = 8
_KINDS: Final = {VersionKind.DATA: "Data", VersionKind.MODEL: "Model", VersionKind.RESULT: "Result"}
_PARTS: Final = {
    Part.TRAINING: "Training data",
    Part.VALIDATION: "Validation data",
    Part.TEST: "Test data",
}
_CHECKS: Final = {
    Check.PENDING: Answer("Not checked", "?", "plain"),
    Check.PASSED: Answer("Check passed", "✓", "permit"),
    Check.FAILED: Answer("Check failed", "✕", "deny"),
}
_MODELS: Final = {
    ModelStatus.ACTIVE: Answer("In service", "✓", "permit"),
    ModelStatus.SUSPENDED: Answer("Suspended", "‖", "deny"),
    ModelStatus.RETIRED: Answer("Retired", "✕", "plain"),
}
_CURRENT: Final = Answer("Current", "✓", "permit")
_STALE: Final = Answer("Stale: a consent in it ended", "!", "review")
_QUARANTINE: Final = Answer("In quarantine: from outside, not passed by a verifier", "!", "review")
#: Styles from the gravest on: a node looks as the gravest of its states.
_GRAVITY: Final = ("deny", "review", "permit", "plain")


@dataclass(frozen=True, slots=True)
class Known:
    """
    What a lineage is told with.

    Attributes:
        members: Names by number.
        datasets: Those that versions are from, by number.
        titles: What datasets are called, by number, as far as this service keeps it.
        at: The time, seconds since the Unix epoch.
    """

    members: Mapping[int, str]
    datasets: Mapping[int, Dataset]
    titles: Mapping[int, str]
    at: int

    def member(self, member_id: int) -> str:
        """Return what a member is called."""
        return self.members.get(member_id, f"member {member_id}")

    def team(self, recorder: int, parts: Iterable[JointPart]) -> str:
        """Return who did a step: who recorded it, and who took part and signed."""
        others = [self.member(part.member_id) for part in parts]
        return self.member(recorder) + (f", with {', '.join(others)}" if others else "")


@dataclass(frozen=True, slots=True)
class Tie:
    """Where an edge leads: the row of another node."""

    anchor: str
    title: str


@dataclass(frozen=True, slots=True)
class Node:
    """
    A dataset, a version, or a step between them.

    Attributes:
        kind: `dataset`, `step`, `data`, `model` or `result`.
        name: The commitment that names a version; else empty.
        link: Its page; of a step, which has none, its row.
        sources: What it comes from; targets: what comes from it.
        subject: Whether the page is about it.
    """

    anchor: str
    kind: str
    title: str
    name: str
    link: str
    about: str
    when: Moment | None
    states: tuple[Answer, ...]
    sources: tuple[Tie, ...] = ()
    targets: tuple[Tie, ...] = ()
    subject: bool = False

    @property
    def style(self) -> str:
        """Return the style of its gravest state."""
        return min((state.style for state in self.states), key=_GRAVITY.index, default="plain")

    @property
    def label(self) -> str:
        """Return what the graph writes into it: a line for the title, and one for each state."""
        return "\n".join([self.title, *(f"{state.sign} {state.text}" for state in self.states)])


@dataclass(frozen=True, slots=True)
class Graph:
    """
    A lineage: each node after all that it comes from.

    Attributes:
        complete: Whether there is no more of it.
    """

    nodes: tuple[Node, ...]
    complete: bool

    @property
    def edges(self) -> frozenset[tuple[str, str]]:
        """Return the edges, each from what was there to what came of it, by anchors."""
        return frozenset((tie.anchor, node.anchor) for node in self.nodes for tie in node.sources)


def graph_of(
    walks: Iterable[Walk], others: Iterable[VersionRecord], known: Known, *, subject: VersionId | int
) -> Graph:
    """
    Put walks together.

    Args:
        walks: What was found, in any direction.
        others: Versions that steps of these walks used and no walk followed.
        known: What it is told with; has the datasets that the steps collect.
        subject: The version or the number of the dataset that the page is about.
    """
    walks = list(walks)
    steps = {entry.record.step_id: entry for walk in walks for entry in walk.steps}
    versions = {record.version.version_id: record.version for walk in walks for record in walk.versions}
    versions |= {record.version.version_id: record.version for record in others}
    numbers = {dataset.dataset.dataset_id for walk in walks for dataset in walk.datasets}
    numbers |= {entry.record.step.dataset_id for entry in steps.values()} - {0}
    placed = [
        ((0, number, 0, b""), _dataset_node(known, number)) for number in numbers & known.datasets.keys()
    ]
    placed += [((1, number, 0, b""), _step_node(entry, known)) for number, entry in steps.items()]
    placed += [
        ((1, version.step_id, 1, name), version_node(version, known)) for name, version in versions.items()
    ]
    nodes = {node.anchor: node for _, node in sorted(placed, key=lambda item: item[0])}
    sources: dict[str, list[Tie]] = {}
    targets: dict[str, list[Tie]] = {}
    for source, target in _edges(steps.values(), versions):
        if source in nodes:
            sources.setdefault(target, []).append(Tie(source, nodes[source].title))
            targets.setdefault(source, []).append(Tie(target, nodes[target].title))
    about = dataset_anchor(subject) if isinstance(subject, int) else version_anchor(subject)
    told = (
        replace(
            node,
            sources=tuple(sources.get(anchor, ())),
            targets=tuple(targets.get(anchor, ())),
            subject=anchor == about,
        )
        for anchor, node in nodes.items()
    )
    return Graph(tuple(told), all(walk.complete for walk in walks))


def used_elsewhere(walks: Iterable[Walk]) -> list[VersionId]:
    """Return the versions that steps of walks used and no walk followed, in the order of their use."""
    walks = list(walks)
    followed = {record.version.version_id for walk in walks for record in walk.versions}
    used = (name for walk in walks for entry in walk.steps for name in entry.record.step.inputs)
    return [name for name in dict.fromkeys(used) if name not in followed]


def version_node(version: Version, known: Known) -> Node:
    """Tell a version without its edges."""
    name = to_hex(version.version_id)
    return Node(
        anchor=version_anchor(version.version_id),
        kind=version.kind.name.lower(),
        title=version_title(version),
        name=name,
        link=version_link(version.version_id),
        about=f"of {known.member(version.owner)}",
        when=None,
        states=version_states(version, known),
    )


def version_title(version: Version) -> str:
    """Return what a version is called on a page: its kind or the part of a split that it is, and its first digits."""
    parts = {origin.parts for origin in version.origins}
    kind = _KINDS[version.kind]
    if version.kind is VersionKind.DATA and len(parts) == 1:
        kind = _PARTS.get(parts.pop(), kind)
    return f"{kind} {version.version_id.hex()[:_SHORT]}"


def version_states(version: Version, known: Known) -> tuple[Answer, ...]:
    """Tell how a version stands: in quarantine, in service or checked, current or stale, and what is owed."""
    stale = any(is_stale(origin, known.datasets[origin.dataset_id]) for origin in version.origins)
    reached = _STALE if stale else _CURRENT
    waits = [_QUARANTINE] if version.is_quarantined else []
    if version.kind is not VersionKind.MODEL:
        return (*waits, _CHECKS[version.check], reached)
    states = [*waits, _MODELS[version.status]]
    states += [Answer("Deployed", "✓", "permit")] if version.deployed else []
    states += [_CHECKS[version.check]] if version.check is not Check.PENDING else []
    states.append(reached)
    due = obligation_of(version, known.datasets)
    if due is not None:
        states.append(due_state(due, known.at))
    return tuple(states)


def due_state(due: int, at: int) -> Answer:
    """Tell that an answer is owed, and whether its time is over."""
    day = moment(due).text[:10]
    if at > due:
        return Answer(f"Answer overdue since {day}", "✕", "deny")
    return Answer(f"Answer due by {day}", "!", "review")


def dataset_states(dataset: Dataset, at: int) -> tuple[Answer, ...]:
    """Tell how a dataset stands: how far it has come, what was withdrawn, and whether it should be gone."""
    said = DATASET_STATUS_LABELS[dataset.status].en.capitalize()
    closed = dataset.status >= DatasetStatus.SEALED
    states = [Answer(said, "‖" if closed else "✓", "review" if closed else "permit")]
    waiting = len(dataset.withdrawals) - dataset.excused
    if waiting:
        states.append(Answer(counted(waiting, "withdrawal", "withdrawals"), "!", "review"))
    if retention_is_over(dataset, at):
        states.append(Answer(f"To be destroyed since {moment(dataset.retain_until).text[:10]}", "✕", "deny"))
    return tuple(states)


def retention_is_over(dataset: Dataset, at: int) -> bool:
    """Tell whether a dataset should have been destroyed and is not."""
    return dataset.status is not DatasetStatus.DESTROYED and at >= dataset.retain_until


def dataset_anchor(number: int) -> str:
    """Return the row of a dataset."""
    return f"dataset-{number}"


def version_anchor(name: VersionId) -> str:
    """Return the row of a version."""
    return f"version-{name.hex()}"


def version_link(name: VersionId) -> str:
    """Return the page of a version."""
    return f"/versions/{to_hex(name)}"


def dataset_link(number: int) -> str:
    """Return the page of a dataset."""
    return f"/datasets/{number}"


def _dataset_node(known: Known, number: int) -> Node:
    dataset = known.datasets[number]
    title = known.titles.get(number)
    return Node(
        anchor=dataset_anchor(number),
        kind="dataset",
        title=f"Dataset {number}",
        name="",
        link=dataset_link(number),
        about=f"of {known.member(dataset.owner)}" + (f": {title}" if title else ""),
        when=None,
        states=dataset_states(dataset, known.at),
    )


def _step_node(entry: StepEntry, known: Known) -> Node:
    record = entry.record
    anchor = f"step-{record.step_id}"
    return Node(
        anchor=anchor,
        kind="step",
        title=f"Step {record.step_id}: {STEP_KIND_LABELS[record.step.kind].en}",
        name="",
        link=f"#{anchor}",
        about=f"by {known.team(record.member_id, record.parts)}",
        when=moment(entry.position.time),
        states=(),
    )


def _edges(steps: Iterable[StepEntry], versions: Mapping[VersionId, Version]) -> Iterable[tuple[str, str]]:
    for entry in steps:
        record, anchor = entry.record, f"step-{entry.record.step_id}"
        if record.step.dataset_id:
            yield dataset_anchor(record.step.dataset_id), anchor
        yield from ((version_anchor(name), anchor) for name in record.step.inputs if name in versions)
        yield from ((anchor, version_anchor(name)) for name in record.step.outputs if name in versions)
