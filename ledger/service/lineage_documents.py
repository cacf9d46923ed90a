"""Lineage told as a whole: what a version was made of, and what was done with it, for those who write it elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from ledger.domain.lineage import Dataset, VersionId
from ledger.domain.records import Position
from ledger.domain.vocabulary import StepKind
from ledger.encoding.inclusions import InclusionList, inclusion_list
from ledger.errors import TooLarge
from ledger.interop.lineage.document import LineageDocument, ToldStep, ledger_urn
from ledger.ports import Chain, InclusionRecord, Index, StepEntry
from ledger.service.walks import MAX_STEPS, Walk, Walks

#: Inclusions asked of the index at once.
INCLUSION_PAGE: Final = 500


@dataclass(frozen=True, slots=True)
class LineageDocuments:
    """Documents of lineages."""

    chain: Chain
    index: Index
    walks: Walks

    def of(
        self, version_id: VersionId, *, named: Callable[[Dataset], bool] = lambda _: True
    ) -> LineageDocument:
        """
        Return the lineage of a version: all that led to it, and the steps that it was used in itself.

        Args:
            version_id: The version.
            named: Of which datasets the reader may be told by which decisions people are in them; of others it is told
                how many, and their digest.

        Raises:
            NotFound: There is no such version.
            TooLarge: More led to it than one document tells; it is never told in part.
        """
        walk = self.walks.back(version_id, people=False)
        uses = self.index.steps_using([version_id], limit=MAX_STEPS + 1)
        complete, ends = walk.complete and len(uses) <= MAX_STEPS, []
        for record in walk.datasets:
            found, more = self.index.steps(dataset_id=record.dataset.dataset_id, limit=MAX_STEPS)
            ends += [entry for entry in found if entry.record.step.kind is StepKind.DESTROY]
            complete = complete and more is None
        entries = {entry.record.step_id: entry for entry in (*walk.steps, *uses, *ends)}
        if not complete:
            raise TooLarge(
                f"more than {MAX_STEPS} steps led to this version, used it, or name a dataset of it",
                fix="Follow it hop by hop: GET /v1/versions/{version}/back?depth=4.",
            )
        return LineageDocument(
            ledger=ledger_urn(self.chain.domain()),
            subject=version_id,
            versions=tuple(record.version for record in walk.versions),
            steps=tuple(_told(entries[number]) for number in sorted(entries)),
            datasets=tuple(record.dataset for record in walk.datasets),
            members={member.member_id: member.name for member in self.index.members()},
            inclusions=dict(self._inclusions(walk, named)),
        )

    def _inclusions(
        self, walk: Walk, named: Callable[[Dataset], bool]
    ) -> Iterator[tuple[int, InclusionList]]:
        """Yield the decisions behind each step of a walk that collected a dataset."""
        datasets = {record.dataset.dataset_id: record.dataset for record in walk.datasets}
        versions = {record.version.version_id: record.version for record in walk.versions}
        for entry in walk.steps:
            record, step = entry.record, entry.record.step
            if step.kind is StepKind.COLLECT:
                known = [versions[name] for name in step.outputs if name in versions]
                withdrawals = max(
                    (origin.withdrawals for made in known for origin in made.origins), default=0
                )
                found = inclusion_list(
                    (inclusion.passport_id, inclusion.seq, inclusion.grant_id)
                    for inclusion in self._included(step.dataset_id, entry.position)
                    if not 0 < inclusion.withdrawal <= withdrawals
                )
                yield record.step_id, found if named(datasets[step.dataset_id]) else found.counted()

    def _included(self, dataset_id: int, before: Position) -> Iterator[InclusionRecord]:
        """Yield who was included into a dataset before a place on the chain, in order, page by page."""
        after: str | None = None
        while True:
            found, after = self.index.inclusions(
                dataset_id=dataset_id, before=before, after=after, limit=INCLUSION_PAGE
            )
            yield from found
            if after is None:
                return


def _told(entry: StepEntry) -> ToldStep:
    return ToldStep(entry.record, entry.position.time)
