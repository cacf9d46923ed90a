"""Lineage told as a whole: what a version was made of, and what was done with it, for those who write it elsewhere."""

from __future__ import annotations

from dataclasses import dataclass

from ledger.domain.lineage import VersionId
from ledger.domain.vocabulary import StepKind
from ledger.errors import TooLarge
from ledger.interop.lineage.document import LineageDocument, ToldStep, ledger_urn
from ledger.ports import Chain, Index, StepEntry
from ledger.service.walks import MAX_STEPS, Walks


@dataclass(frozen=True, slots=True)
class LineageDocuments:
    """Documents of lineages."""

    chain: Chain
    index: Index
    walks: Walks

    def of(self, version_id: VersionId) -> LineageDocument:
        """
        Return the lineage of a version: all that led to it, and the steps that it was used in itself.

        Raises:
            NotFound: There is no such version.
            TooLarge: More led to it than one document tells; it is never told in part.
        """
        walk = self.walks.back(version_id)
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
        )


def _told(entry: StepEntry) -> ToldStep:
    return ToldStep(entry.record, entry.position.time)
