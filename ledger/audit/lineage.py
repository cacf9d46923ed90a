"""
What led to a version, what was made of it, and who is to blame, by the steps on the chain; no index has a part in it.

What a step makes is new, so there are no circles; each step and each version is taken once, however many ways lead to it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from ledger.audit.inclusions import Inclusion
from ledger.audit.state import LedgerState, StepEntry
from ledger.domain.lineage import Version, VersionId
from ledger.domain.records import Position
from ledger.domain.vocabulary import STEP_KIND_LABELS, Check, StepKind
from ledger.domain.wording import broken_rules
from ledger.encoding.hexadecimal import to_hex
from ledger.errors import NotFound


@dataclass(frozen=True, slots=True)
class Walk:
    """What a walk came by: steps in the order of the chain, versions in the order of the steps that made them."""

    steps: tuple[int, ...]
    versions: tuple[VersionId, ...]


@dataclass(frozen=True, slots=True)
class Blame:
    """
    What in an ancestry went wrong first: a step, or a version from outside.

    Attributes:
        member_id: Who is responsible: who recorded the step, or vouches for what is from outside.
        step: The step; None of a version from outside.
        failed: The version that failed its check; None if the step broke a rule.
        position: Where the step, or the member's word for the version, stands on the chain.
        reason: Why, a clause in plain words.
    """

    member_id: int
    step: StepEntry | None
    failed: Version | None
    position: Position
    reason: str


class LineageGraph:
    """The edges of lineage both ways; made once, asked often."""

    def __init__(self, state: LedgerState) -> None:
        """Read the edges off the folded state."""
        self._state = state
        self._using: defaultdict[VersionId, list[int]] = defaultdict(list)
        self._refused: defaultdict[VersionId, list[int]] = defaultdict(list)
        self._collecting: defaultdict[int, list[int]] = defaultdict(list)
        for number, entry in state.steps.items():
            record = entry.record
            for name in dict.fromkeys(record.step.inputs):
                self._using[name].append(number)
            if record.missing:
                for name in dict.fromkeys(record.step.outputs):
                    self._refused[name].append(number)
            elif record.step.kind is StepKind.COLLECT:
                self._collecting[record.step.dataset_id].append(number)

    def using(self, version_id: VersionId) -> list[int]:
        """Return the steps that used a version, those that broke a rule among them."""
        return list(self._using.get(version_id, ()))

    def refused(self, version_id: VersionId) -> list[int]:
        """Return the steps that broke a rule and name a commitment as what they would have made."""
        return list(self._refused.get(version_id, ()))

    def collected(self, dataset_id: int) -> list[VersionId]:
        """Return what was collected of a dataset, in the order of the chain."""
        return [name for number in self._collecting.get(dataset_id, ()) for name in self._made(number)]

    def holding(self, inclusion: Inclusion) -> list[VersionId]:
        """Return what was collected with somebody in it: after the inclusion, and before the withdrawal that ended it."""
        found: list[VersionId] = []
        for number in self._collecting.get(inclusion.dataset_id, ()):
            if inclusion.is_in(self._state.steps[number].position):
                found += self._made(number)
        return found

    def back(self, starts: Iterable[VersionId]) -> Walk:
        """Return all that led to some versions, and they themselves."""
        state, steps = self._state, set[int]()
        versions = set[VersionId]()
        open_ends = list(starts)
        while open_ends:
            name = open_ends.pop()
            version = state.versions.get(name)
            if version is None or name in versions:
                continue
            versions.add(name)
            if not version.is_external and version.step_id not in steps:
                steps.add(version.step_id)
                open_ends += state.steps[version.step_id].record.step.inputs
        return self._walk(steps, versions)

    def forward(self, starts: Iterable[VersionId]) -> Walk:
        """Return all that some versions went into: the steps that used them or what was made of them, and what those made."""
        steps, versions = set[int](), set[VersionId]()
        open_ends = list(starts)
        while open_ends:
            name = open_ends.pop()
            if name in versions or name not in self._state.versions:
                continue
            versions.add(name)
            for number in self._using.get(name, ()):
                if number not in steps:
                    steps.add(number)
                    open_ends += self._made(number)
        return self._walk(steps, versions)

    def blame(self, version_id: VersionId) -> Blame | None:
        """
        Return the first step in the ancestry of a commitment whose check failed or that broke a rule.

        A commitment that only a refused step names is blamed on that step, and on what it used.

        Raises:
            NotFound: No step names this commitment.
        """
        refused = [] if version_id in self._state.versions else self.refused(version_id)
        if not refused and version_id not in self._state.versions:
            raise NotFound(
                f"no step on this chain names {to_hex(version_id)}",
                fix="Name a version: the commitment to the content of what a step made.",
            )
        used = [name for number in refused for name in self._state.steps[number].record.step.inputs]
        walk = self.back(used if refused else [version_id])
        found = [_broken(self._state, number) for number in refused]
        found += [
            _failed(self._state, self._state.versions[name])
            for name in walk.versions
            if self._state.versions[name].check is Check.FAILED
        ]
        return min(found, key=lambda blame: blame.position.order, default=None)

    def _made(self, number: int) -> tuple[VersionId, ...]:
        record = self._state.steps[number].record
        return () if record.missing else record.step.outputs

    def _walk(self, steps: set[int], versions: set[VersionId]) -> Walk:
        made_in_order = sorted(versions, key=lambda name: (self._state.versions[name].step_id, name))
        return Walk(tuple(sorted(steps)), tuple(made_in_order))


def _broken(state: LedgerState, number: int) -> Blame:
    entry = state.steps[number]
    kind = STEP_KIND_LABELS[entry.record.step.kind].en
    reason = f"step {number} ({kind}) broke a rule: {'; '.join(broken_rules(entry.record.missing))}"
    return Blame(entry.record.member_id, entry, None, entry.position, reason)


def _failed(state: LedgerState, version: Version) -> Blame:
    if version.is_external:
        position = state.externals[version.version_id].position
        reason = f"what it vouches for failed the check of {state.member_name(version.verifier)}"
        return Blame(version.owner, None, version, position, reason)
    entry = state.steps[version.step_id]
    kind = STEP_KIND_LABELS[entry.record.step.kind].en
    verifier = state.member_name(version.verifier)
    reason = f"what step {version.step_id} ({kind}) made failed the check of {verifier}"
    return Blame(entry.record.member_id, entry, version, entry.position, reason)
