"""The index of datasets and lineage: where data came from and where it went, edge by edge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from ledger.domain.lineage import Dataset, StepRecord, Version, VersionId
from ledger.domain.records import Commitment, GrantId, PassportId, Position
from ledger.domain.vocabulary import Answer


@dataclass(frozen=True, slots=True)
class DatasetRecord:
    """A dataset as the index knows it: its state, the commitment to its description, and where it was declared."""

    dataset: Dataset
    description: Commitment
    position: Position


@dataclass(frozen=True, slots=True)
class InclusionRecord:
    """
    A decision that included somebody into a dataset.

    Attributes:
        grant_id: The consent that it was decided under; zero if it rests on none.
        rests_on: That consent, or the one that replaced it and permits no less.
        withdrawal: Which of the dataset's withdrawals ended it, counted from 1; 0 while it stands.
        withdrawn_at: When that was, seconds since the Unix epoch; 0 while it stands.
    """

    dataset_id: int
    passport_id: PassportId
    seq: int
    grant_id: GrantId
    member_id: int
    position: Position
    rests_on: GrantId
    withdrawal: int = 0
    withdrawn_at: int = 0


@dataclass(frozen=True, slots=True)
class StepEntry:
    """A step as the index knows it."""

    record: StepRecord
    position: Position

    @property
    def stands(self) -> bool:
        """Tell whether it broke no rule."""
        return not self.record.missing


@dataclass(frozen=True, slots=True)
class VersionRecord:
    """
    A version as the index knows it.

    Attributes:
        report: Commitment to the verifier's report; None before.
        checked: Where the check was recorded; None before.
        statement: Of a version from outside, commitment to its owner's statement about it; else None.
        registered: Where that was made.
    """

    version: Version
    report: Commitment | None
    checked: Position | None
    statement: Commitment | None = None
    registered: Position | None = None


@dataclass(frozen=True, slots=True)
class ShareRecord:
    """
    A version that its owner lets another member use.

    Attributes:
        agreement_id: Agreement that it is used under.
        project_id: Project of the recipient's that was named for the border; 0 if none.
        keep_until: Until when the recipient may keep it, seconds since the Unix epoch, exclusive.
    """

    version_id: VersionId
    owner: int
    recipient: int
    agreement_id: int
    project_id: int
    keep_until: int
    position: Position


@dataclass(frozen=True, slots=True)
class AnswerRecord:
    """What the owner of a model answered to the withdrawals that had reached it."""

    version_id: VersionId
    owner: int
    answer: Answer
    successor: VersionId
    evidence: Commitment
    position: Position


@dataclass(frozen=True, slots=True)
class Obligation:
    """
    An answer that the owner of a model owes.

    Attributes:
        due: Until when, seconds since the Unix epoch, inclusive.
        withdrawals: How many withdrawals wait for it.
    """

    version_id: VersionId
    owner: int
    due: int
    withdrawals: int


class LineageIndex(Protocol):
    """The projection of datasets, steps and versions. Lists of names give what is known of them, in any order."""

    def dataset(self, dataset_id: int) -> DatasetRecord | None: ...

    def datasets(
        self, *, owner: int | None = None, after: str | None = None, limit: int = 100
    ) -> tuple[list[DatasetRecord], str | None]:
        """Return datasets in the order of declaration, and the cursor of the next page."""

    def inclusions(
        self,
        *,
        dataset_id: int | None = None,
        grant_id: GrantId | None = None,
        passport_id: PassportId | None = None,
        before: Position | None = None,
        after: str | None = None,
        limit: int = 100,
    ) -> tuple[list[InclusionRecord], str | None]:
        """
        Return inclusions, oldest first, and the cursor of the next page.

        Those of a *grant* were decided under it or rest on it; *before* is a place on the chain.
        """

    def step(self, step_id: int) -> StepEntry | None: ...

    def steps(
        self,
        *,
        member_id: int | None = None,
        dataset_id: int | None = None,
        after: str | None = None,
        limit: int = 100,
    ) -> tuple[list[StepEntry], str | None]:
        """Return steps in the order of the chain, and the cursor of the next page; of a *dataset* those that name it."""

    def steps_by_id(self, step_ids: Sequence[int]) -> list[StepEntry]: ...

    def steps_using(self, version_ids: Sequence[VersionId], *, limit: int) -> list[StepEntry]:
        """Return the first steps that stand and used one of some versions, by number."""

    def steps_naming(self, version_ids: Sequence[VersionId]) -> list[StepEntry]:
        """Return the steps that name one of some commitments as what they make, whether they stand or not, by number."""

    def version(self, version_id: VersionId) -> VersionRecord | None: ...

    def versions(self, version_ids: Sequence[VersionId]) -> list[VersionRecord]: ...

    def versions_from(
        self, reached: dict[int, int | None], *, models: bool, after: str | None = None, limit: int = 100
    ) -> tuple[list[VersionRecord], str | None]:
        """
        Return versions by the datasets that they are from, in the order of the steps that made them, page by page.

        Args:
            reached: Datasets; with each the number of a withdrawal that must have come after the data was collected,
                or None for any.
            models: Models alone, or all but models.
            after: Where the last page ended.
            limit: Most versions of a page.
        """

    def models(
        self, *, owner: int | None = None, after: str | None = None, limit: int = 100
    ) -> tuple[list[VersionRecord], str | None]:
        """Return models in the order of the steps that made them, and the cursor of the next page."""

    def shares(self, version_ids: Sequence[VersionId]) -> list[ShareRecord]: ...

    def answers(self, version_ids: Sequence[VersionId]) -> list[AnswerRecord]:
        """Return what was answered for some models, oldest first."""

    def obligation(self, version_id: VersionId) -> Obligation | None:
        """Return what the owner of a model owes; None if nothing waits for an answer."""

    def obligations(
        self,
        *,
        owner: int | None = None,
        due_before: int | None = None,
        after: str | None = None,
        limit: int = 100,
    ) -> tuple[list[Obligation], str | None]:
        """Return what owners of models owe, the one due first first, and the cursor of the next page."""
