"""
Questions about lineage: where data went, what a version was made of, what a withdrawal reaches, and who is to blame.

Walks along the edges of the index, level by level. What a step makes is new, so there are no circles; a bad index makes
none either, because each version and each step is taken once. Every walk is bounded and says whether it is complete.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from ledger.domain.lineage import VersionId
from ledger.domain.records import GrantId, PassportId, Position
from ledger.domain.vocabulary import Check, StepKind, VersionKind
from ledger.encoding.hexadecimal import to_hex
from ledger.errors import NotFound
from ledger.ports import (
    AnswerRecord,
    DatasetRecord,
    InclusionRecord,
    Index,
    Obligation,
    StepEntry,
    VersionRecord,
)
from ledger.service.authority import require_dataset, require_passport, require_version

#: How many hops a walk takes, and how many steps it finds, at most.
MAX_DEPTH: Final = 64
MAX_STEPS: Final = 500


@dataclass(frozen=True, slots=True)
class Walk:
    """
    What a walk found.

    Attributes:
        datasets: Those that it began or ended at, by number.
        inclusions: Who was in the data that the walk found, oldest first; as many as one page holds.
        steps: Steps that stand, in the order of the chain.
        versions: What they made and used, in the order of the steps that made them.
        complete: Whether there is no more: neither depth nor number cut it short.
    """

    datasets: tuple[DatasetRecord, ...]
    inclusions: tuple[InclusionRecord, ...]
    steps: tuple[StepEntry, ...]
    versions: tuple[VersionRecord, ...]
    complete: bool


@dataclass(frozen=True, slots=True)
class Blame:
    """
    The first step of an ancestry that went wrong, or the first version from outside that did.

    Attributes:
        step: The step; its member is responsible. None if a version from outside failed: then who vouches for it is.
        failed: The version that failed its check; None if the step broke a rule.
    """

    step: StepEntry | None
    failed: VersionRecord | None

    @property
    def member_id(self) -> int:
        """Return who is responsible."""
        if self.step is not None:
            return self.step.record.member_id
        return self.failed.version.owner if self.failed is not None else 0

    @property
    def place(self) -> tuple[int, int]:
        """Return where on the chain it went wrong."""
        position = self.step.position if self.step else self.failed and self.failed.registered
        return _place(position) if position else (0, 0)


@dataclass(frozen=True, slots=True)
class Round:
    """
    One link of a chain of models, each trained on from the one before.

    Attributes:
        number: Counted from 1, the first model that the ledger saw trained.
        model: What it made.
        step: The training; who took part and contributed what is in it.
        base: The model that it began from; None if it began from none.
    """

    number: int
    model: VersionRecord
    step: StepEntry
    base: VersionRecord | None


class CustodyAct(StrEnum):
    """What somebody did with a version."""

    VOUCHED = "VOUCHED"
    MADE = "MADE"
    CHECKED = "CHECKED"
    SHARED = "SHARED"
    USED = "USED"
    ANSWERED = "ANSWERED"


@dataclass(frozen=True, slots=True)
class CustodyEntry:
    """
    One link of a custody chain.

    Attributes:
        member_id: Who did it.
        step: Of MADE and USED: the step.
        recipient: Of SHARED: with whom; else 0.
        check: Of CHECKED: what was found.
        answer: Of ANSWERED: what was answered.
    """

    act: CustodyAct
    member_id: int
    version_id: VersionId
    position: Position
    step: StepEntry | None = None
    recipient: int = 0
    check: Check = Check.PENDING
    answer: AnswerRecord | None = None


@dataclass(frozen=True, slots=True)
class Impact:
    """
    What a grant's data is in, and what its withdrawal asks, or would ask.

    Attributes:
        inclusions: Decided under the grant, or resting on it since it replaced another; oldest first.
        datasets: Those that somebody was included into under it.
        versions: Data and results that a withdrawal reaches, a page of them: of the datasets, collected before it.
        models: Models that it reaches.
        obligations: Answers that their owners owe now, by model.
        answers: What they answered, oldest first.
        next_cursor: Of the next page of versions.
        complete: Whether these are all inclusions and models.
    """

    inclusions: tuple[InclusionRecord, ...]
    datasets: tuple[DatasetRecord, ...]
    versions: tuple[VersionRecord, ...]
    models: tuple[VersionRecord, ...]
    obligations: dict[VersionId, Obligation]
    answers: tuple[AnswerRecord, ...]
    next_cursor: str | None
    complete: bool


@dataclass(frozen=True, slots=True)
class Walks:
    """Walks over the index."""

    index: Index

    def forward_of_version(
        self, version_id: VersionId, *, depth: int = MAX_DEPTH, limit: int = MAX_STEPS
    ) -> Walk:
        """
        Return where a version went: the steps that used it, what they made, and so on.

        Raises:
            NotFound: There is no such version.
        """
        start = require_version(self.index, version_id)
        return self._forward([start], (), (), depth=depth, limit=limit, complete=True)

    def forward_of_dataset(self, dataset_id: int, *, depth: int = MAX_DEPTH, limit: int = MAX_STEPS) -> Walk:
        """
        Return where a dataset went, from what was collected of it on.

        Raises:
            NotFound: There is no such dataset.
        """
        record = require_dataset(self.index, dataset_id)
        collected, more = self.index.steps(dataset_id=dataset_id, limit=limit)
        return self._forward(
            self._made_by(collected), collected, [record], depth=depth, limit=limit, complete=more is None
        )

    def forward_of_passport(
        self,
        passport_id: PassportId,
        *,
        depth: int = MAX_DEPTH,
        limit: int = MAX_STEPS,
        told: Callable[[InclusionRecord], bool] = lambda _: True,
    ) -> Walk:
        """
        Return where somebody's data went: the datasets it was included into, and what was made with it in them.

        Args:
            passport_id: The data.
            depth: Most hops.
            limit: Most steps.
            told: Which inclusions the reader may be told of.

        Raises:
            NotFound: There is no such passport.
        """
        require_passport(self.index, passport_id)
        found, more = self.index.inclusions(passport_id=passport_id, limit=limit)
        included = [inclusion for inclusion in found if told(inclusion)]
        steps: dict[int, StepEntry] = {}
        starts: dict[VersionId, VersionRecord] = {}
        complete = more is None
        for inclusion in included:
            collected, following = self.index.steps(dataset_id=inclusion.dataset_id, limit=limit)
            complete = complete and following is None
            later = [entry for entry in collected if _place(entry.position) > _place(inclusion.position)]
            for record in self._made_by(later):
                if _holds(record, inclusion):
                    starts[record.version.version_id] = record
            steps |= {
                entry.record.step_id: entry
                for entry in later
                if set(entry.record.step.outputs) & starts.keys()
            }
        datasets = self._datasets(inclusion.dataset_id for inclusion in included)
        return self._forward(
            starts.values(),
            steps.values(),
            datasets,
            depth=depth,
            limit=limit,
            complete=complete,
            inclusions=included,
        )

    def back(
        self,
        version_id: VersionId,
        *,
        depth: int = MAX_DEPTH,
        limit: int = MAX_STEPS,
        people: bool = True,
    ) -> Walk:
        """
        Return what a version was made of: the steps that led to it, their versions, datasets, and who was in them.

        Args:
            version_id: The version.
            depth: Most hops.
            limit: Most steps.
            people: Whether to name who was in them; without that the walk is complete however many they are.

        Raises:
            NotFound: There is no such version.
        """
        require_version(self.index, version_id)
        steps, versions, complete = self._back([version_id], depth=depth, limit=limit)
        collected = {
            entry.record.step.dataset_id: entry
            for entry in steps
            if entry.record.step.kind is StepKind.COLLECT
        }
        inclusions: list[InclusionRecord] = []
        for dataset_id, entry in collected.items() if people else ():
            found, more = self.index.inclusions(dataset_id=dataset_id, before=entry.position, limit=limit)
            inclusions += found
            complete = complete and more is None
        datasets = self._datasets(collected)
        inclusions.sort(key=lambda inclusion: _place(inclusion.position))
        return Walk(tuple(datasets), tuple(inclusions), tuple(steps), tuple(versions), complete)

    def blame(
        self, version_id: VersionId, *, depth: int = MAX_DEPTH, limit: int = MAX_STEPS
    ) -> tuple[Blame | None, bool]:
        """
        Return the first step in the ancestry of a commitment whose check failed or that broke a rule.

        A commitment that only a refused step names is blamed on that step, and on what it used.

        Returns:
            The step, or None if nothing went wrong; and whether the whole ancestry was searched.

        Raises:
            NotFound: No step names this commitment.
        """
        refused = self._refused(version_id)
        starts = [used for entry in refused for used in entry.record.step.inputs] if refused else [version_id]
        steps, versions, complete = self._back(starts, depth=depth, limit=limit)
        made = {entry.record.step_id: entry for entry in steps}
        found = [Blame(entry, None) for entry in refused]
        found += [
            Blame(made.get(record.version.step_id), record)
            for record in versions
            if record.version.check is Check.FAILED
            and (record.version.is_external or record.version.step_id in made)
        ]
        return min(found, key=lambda blame: blame.place, default=None), complete

    def rounds(self, version_id: VersionId, *, limit: int = MAX_STEPS) -> tuple[list[Round], bool]:
        """
        Return the chain of models that one was trained on from: the rounds of federated training, the first one first.

        Args:
            version_id: The model.
            limit: Most rounds.

        Returns:
            The rounds, and whether they are all.

        Raises:
            NotFound: There is no such model.
        """
        record = require_version(self.index, version_id)
        if record.version.kind is not VersionKind.MODEL:
            raise NotFound(f"version {to_hex(version_id)} is no model")
        found: list[tuple[VersionRecord, StepEntry, VersionRecord | None]] = []
        model: VersionRecord | None = record
        while model is not None and not model.version.is_external and len(found) < limit:
            entry = self.index.step(model.version.step_id)
            if entry is None:
                break
            base = self.index.version(entry.record.step.inputs[0])
            base = base if base is not None and base.version.kind is VersionKind.MODEL else None
            found.append((model, entry, base))
            model = base
        rounds = [Round(number, *one) for number, one in enumerate(reversed(found), 1)]
        return rounds, model is None or model.version.is_external

    def trace(
        self, version_id: VersionId, *, depth: int = MAX_DEPTH, limit: int = MAX_STEPS
    ) -> tuple[list[CustodyEntry], bool]:
        """
        Return the custody chain of a version: who made it and what it is made of, who checked, got and used it.

        Returns:
            The links in the order of the chain, and whether they are all.

        Raises:
            NotFound: There is no such version.
        """
        require_version(self.index, version_id)
        steps, versions, complete = self._back([version_id], depth=depth, limit=limit)
        made = {entry.record.step_id: entry for entry in steps}
        uses = self.index.steps_using([version_id], limit=limit + 1)
        names = [record.version.version_id for record in versions]
        links = [
            *_makings(versions, made),
            *_vouchings(versions),
            *(_checking(record, record.checked) for record in versions if record.checked),
            *(
                CustodyEntry(
                    CustodyAct.SHARED,
                    share.owner,
                    share.version_id,
                    share.position,
                    recipient=share.recipient,
                )
                for share in self.index.shares(names)
            ),
            *(
                CustodyEntry(CustodyAct.USED, entry.record.member_id, version_id, entry.position, step=entry)
                for entry in uses[:limit]
            ),
            *(
                CustodyEntry(
                    CustodyAct.ANSWERED, answer.owner, answer.version_id, answer.position, answer=answer
                )
                for answer in self.index.answers(names)
            ),
        ]
        return sorted(links, key=lambda link: _place(link.position)), complete and len(uses) <= limit

    def impact(self, grant_id: GrantId, *, after: str | None = None, limit: int = 100) -> Impact:
        """
        Return what the withdrawal of a grant reaches, or would reach.

        As the ledger counts: all that is from a dataset that somebody was included into under the grant, if it was
        collected before the withdrawal.
        """
        inclusions, more = self.index.inclusions(grant_id=grant_id, limit=MAX_STEPS)
        reached = _reached(inclusions)
        versions, following = self.index.versions_from(reached, models=False, after=after, limit=limit)
        models, more_models = self.index.versions_from(reached, models=True, limit=MAX_STEPS)
        names = [record.version.version_id for record in models]
        owed = {name: self.index.obligation(name) for name in names}
        return Impact(
            inclusions=tuple(inclusions),
            datasets=tuple(self._datasets(reached)),
            versions=tuple(versions),
            models=tuple(models),
            obligations={name: obligation for name, obligation in owed.items() if obligation is not None},
            answers=tuple(self.index.answers(names)),
            next_cursor=following,
            complete=more is None and more_models is None,
        )

    def _forward(
        self,
        starts: Iterable[VersionRecord],
        collected: Iterable[StepEntry],
        datasets: Iterable[DatasetRecord],
        *,
        depth: int,
        limit: int,
        complete: bool,
        inclusions: Iterable[InclusionRecord] = (),
    ) -> Walk:
        versions = {record.version.version_id: record for record in starts}
        steps = {entry.record.step_id: entry for entry in collected if entry.stands}
        frontier = list(versions)
        for _ in range(depth):
            used = self.index.steps_using(frontier, limit=limit + 1) if frontier else []
            new = [entry for entry in used if entry.record.step_id not in steps]
            room = max(limit - len(steps), 0)
            complete = complete and len(new) <= room and len(used) <= limit
            steps |= {entry.record.step_id: entry for entry in new[:room]}
            made = [
                record for record in self._made_by(new[:room]) if record.version.version_id not in versions
            ]
            versions |= {record.version.version_id: record for record in made}
            frontier = [record.version.version_id for record in made]
        if frontier and self.index.steps_using(frontier, limit=1):
            complete = False
        return Walk(
            tuple(datasets), tuple(inclusions), _by_number(steps), _by_step(versions.values()), complete
        )

    def _back(
        self, starts: Iterable[VersionId], *, depth: int, limit: int
    ) -> tuple[list[StepEntry], list[VersionRecord], bool]:
        """Return the steps that led to some versions, those versions and all on the way, and whether that is all."""
        versions: dict[VersionId, VersionRecord] = {}
        steps: dict[int, StepEntry] = {}
        frontier = list(dict.fromkeys(starts))
        complete = True
        for _ in range(depth):
            if not frontier:
                break
            found = {record.version.version_id: record for record in self.index.versions(frontier)}
            versions |= found
            numbers = sorted({record.version.step_id for record in found.values()} - steps.keys() - {0})
            room = max(limit - len(steps), 0)
            complete = complete and len(numbers) <= room
            made = self.index.steps_by_id(numbers[:room])
            steps |= {entry.record.step_id: entry for entry in made}
            used = dict.fromkeys(name for entry in made for name in entry.record.step.inputs)
            frontier = [name for name in used if name not in versions]
        return list(_by_number(steps)), list(_by_step(versions.values())), complete and not frontier

    def _made_by(self, entries: Iterable[StepEntry]) -> list[VersionRecord]:
        return self.index.versions(
            [name for entry in entries if entry.stands for name in entry.record.step.outputs]
        )

    def _refused(self, version_id: VersionId) -> list[StepEntry]:
        """Return the refused steps that name a commitment which nothing made; none if it is a version."""
        if self.index.version(version_id) is not None:
            return []
        refused = self.index.steps_naming([version_id])
        if not refused:
            raise NotFound(f"no step names {to_hex(version_id)}", fix="GET /v1/steps lists the steps.")
        return refused

    def _datasets(self, numbers: Iterable[int]) -> list[DatasetRecord]:
        found = (self.index.dataset(number) for number in sorted(set(numbers)))
        return [record for record in found if record is not None]


def _reached(inclusions: Iterable[InclusionRecord]) -> dict[int, int | None]:
    """Return the datasets that a withdrawal reaches, with its number there; None while the consent stands."""
    reached: dict[int, int | None] = {}
    for inclusion in inclusions:
        former = reached.get(inclusion.dataset_id, inclusion.withdrawal)
        stands = former is None or not inclusion.withdrawal
        reached[inclusion.dataset_id] = None if stands else max(former or 0, inclusion.withdrawal)
    return reached


def _holds(record: VersionRecord, inclusion: InclusionRecord) -> bool:
    """Tell whether what was collected of a dataset holds somebody who was included before: not after the withdrawal."""
    return not inclusion.withdrawal or any(
        origin.dataset_id == inclusion.dataset_id and origin.withdrawals < inclusion.withdrawal
        for origin in record.version.origins
    )


def _makings(versions: Iterable[VersionRecord], made: dict[int, StepEntry]) -> list[CustodyEntry]:
    return [
        CustodyEntry(
            CustodyAct.MADE,
            record.version.owner,
            record.version.version_id,
            made[record.version.step_id].position,
            step=made[record.version.step_id],
        )
        for record in versions
        if record.version.step_id in made
    ]


def _vouchings(versions: Iterable[VersionRecord]) -> list[CustodyEntry]:
    return [
        CustodyEntry(CustodyAct.VOUCHED, record.version.owner, record.version.version_id, record.registered)
        for record in versions
        if record.registered is not None
    ]


def _checking(record: VersionRecord, position: Position) -> CustodyEntry:
    version = record.version
    return CustodyEntry(
        CustodyAct.CHECKED, version.verifier, version.version_id, position, check=version.check
    )


def _by_number(steps: dict[int, StepEntry]) -> tuple[StepEntry, ...]:
    return tuple(entry for _, entry in sorted(steps.items()))


def _by_step(versions: Iterable[VersionRecord]) -> tuple[VersionRecord, ...]:
    return tuple(sorted(versions, key=lambda record: (record.version.step_id, record.version.version_id)))


def _place(position: Position) -> tuple[int, int]:
    return position.block_number, position.log_index
