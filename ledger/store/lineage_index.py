"""The index of datasets and lineage in SQL. Implements `ledger.ports.LineageIndex`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from sqlalchemy import Row, Select, and_, case, false, func, or_, select, tuple_

from ledger.domain.lineage import (
    ANSWER_SECONDS,
    JointPart,
    Origin,
    VersionId,
)
from ledger.domain.records import Commitment, GrantId, PassportId, Position
from ledger.domain.vocabulary import (
    Answer,
    ModelStatus,
    VersionKind,
)
from ledger.encoding.hexadecimal import to_hex
from ledger.ports import (
    AnswerRecord,
    DatasetRecord,
    InclusionRecord,
    Obligation,
    ShareRecord,
    StepEntry,
    VersionRecord,
)
from ledger.ports.cursors import cursor_at, number_of, numbered_of, place_of
from ledger.store.database import Database
from ledger.store.lineage_rows import dataset_record, origin_of, part_of, step_entry, version_record
from ledger.store.tables import (
    answers,
    datasets,
    inclusions,
    origins,
    shares,
    step_inputs,
    step_outputs,
    step_parts,
    steps,
    versions,
    withdrawals,
)
from ledger.store.values import position_of

#: How many names go into one query.
_NAMES: Final = 500


class SqlLineage:
    """Datasets, steps and versions, read in SQL."""

    _database: Database

    def dataset(self, dataset_id: int) -> DatasetRecord | None:
        """Return a dataset."""
        found = self._datasets(select(datasets).where(datasets.c.dataset_id == dataset_id))
        return found[0] if found else None

    def datasets(
        self, *, owner: int | None = None, after: str | None = None, limit: int = 100
    ) -> tuple[list[DatasetRecord], str | None]:
        """Return datasets in the order of declaration, and the cursor of the next page."""
        query = select(datasets).order_by(datasets.c.dataset_id).limit(limit + 1)
        if owner is not None:
            query = query.where(datasets.c.owner == owner)
        if after is not None:
            query = query.where(datasets.c.dataset_id > number_of(after))
        found = self._datasets(query)
        following = str(found[limit - 1].dataset.dataset_id) if len(found) > limit else None
        return found[:limit], following

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
        """Return inclusions, oldest first, and the cursor of the next page; see `ledger.ports.LineageIndex`."""
        place = inclusions.c.block_number, inclusions.c.log_index
        withdrawn = and_(
            withdrawals.c.dataset_id == inclusions.c.dataset_id,
            withdrawals.c.number == inclusions.c.withdrawal,
        )
        query = select(inclusions, func.coalesce(withdrawals.c.time, 0).label("withdrawn_at"))
        query = query.outerjoin(withdrawals, withdrawn).order_by(*place).limit(limit + 1)
        if dataset_id is not None:
            query = query.where(inclusions.c.dataset_id == dataset_id)
        if passport_id is not None:
            query = query.where(inclusions.c.passport_id == passport_id)
        if grant_id is not None:
            query = query.where(or_(inclusions.c.grant_id == grant_id, inclusions.c.rests_on == grant_id))
        if before is not None:
            query = query.where(tuple_(*place) < (before.block_number, before.log_index))
        if after is not None:
            query = query.where(tuple_(*place) > place_of(after))
        rows = self._rows(query)
        last = rows[limit - 1] if len(rows) > limit else None
        following = cursor_at(last.block_number, last.log_index) if last is not None else None
        return [_inclusion(row) for row in rows[:limit]], following

    def step(self, step_id: int) -> StepEntry | None:
        """Return a step."""
        found = self.steps_by_id([step_id])
        return found[0] if found else None

    def steps(
        self,
        *,
        member_id: int | None = None,
        dataset_id: int | None = None,
        after: str | None = None,
        limit: int = 100,
    ) -> tuple[list[StepEntry], str | None]:
        """Return steps in the order of the chain, and the cursor of the next page; see `ledger.ports.LineageIndex`."""
        query = select(steps).order_by(steps.c.step_id).limit(limit + 1)
        if member_id is not None:
            query = query.where(steps.c.member_id == member_id)
        if dataset_id is not None:
            query = query.where(steps.c.dataset_id == dataset_id)
        if after is not None:
            query = query.where(steps.c.step_id > number_of(after))
        rows = self._rows(query)
        following = str(rows[limit - 1].step_id) if len(rows) > limit else None
        return self._entries(rows[:limit]), following

    def steps_by_id(self, step_ids: Sequence[int]) -> list[StepEntry]:
        """Return steps by their numbers."""
        return self._entries(self._named(select(steps), steps.c.step_id, step_ids))

    def steps_using(self, version_ids: Sequence[VersionId], *, limit: int) -> list[StepEntry]:
        """Return the first steps that stand and used one of some versions, by number."""
        found: set[int] = set()
        for names in _batches(version_ids):
            query = select(step_inputs.c.step_id).where(
                step_inputs.c.version_id.in_(names), step_inputs.c.stands
            )
            query = query.distinct().order_by(step_inputs.c.step_id).limit(limit)
            found.update(row.step_id for row in self._rows(query))
        return sorted(self.steps_by_id(sorted(found)[:limit]), key=_by_number)

    def steps_naming(self, version_ids: Sequence[VersionId]) -> list[StepEntry]:
        """Return the steps that name one of some commitments as what they make, by number."""
        rows = self._named(select(step_outputs.c.step_id), step_outputs.c.version_id, version_ids)
        return sorted(self.steps_by_id([row.step_id for row in rows]), key=_by_number)

    def version(self, version_id: VersionId) -> VersionRecord | None:
        """Return a version."""
        found = self.versions([version_id])
        return found[0] if found else None

    def versions(self, version_ids: Sequence[VersionId]) -> list[VersionRecord]:
        """Return versions by their names."""
        return self._versions(self._named(select(versions), versions.c.version_id, version_ids))

    def versions_from(
        self, reached: dict[int, int | None], *, models: bool, after: str | None = None, limit: int = 100
    ) -> tuple[list[VersionRecord], str | None]:
        """Return versions by the datasets that they are from, page by page; see `ledger.ports.LineageIndex`."""
        conditions = [
            and_(
                origins.c.dataset_id == dataset_id,
                *([] if withdrawal is None else [origins.c.withdrawals < withdrawal]),
            )
            for dataset_id, withdrawal in reached.items()
        ]
        kind = versions.c.kind == VersionKind.MODEL
        query = select(versions).where(
            versions.c.version_id.in_(select(origins.c.version_id).where(or_(false(), *conditions))),
            kind if models else ~kind,
        )
        return self._page_of_versions(query, after, limit)

    def models(
        self, *, owner: int | None = None, after: str | None = None, limit: int = 100
    ) -> tuple[list[VersionRecord], str | None]:
        """Return models in the order of the steps that made them, and the cursor of the next page."""
        query = select(versions).where(versions.c.kind == VersionKind.MODEL)
        if owner is not None:
            query = query.where(versions.c.owner == owner)
        return self._page_of_versions(query, after, limit)

    def shares(self, version_ids: Sequence[VersionId]) -> list[ShareRecord]:
        """Return with whom some versions were shared."""
        return [
            ShareRecord(
                version_id=VersionId(row.version_id),
                owner=row.owner,
                recipient=row.recipient,
                agreement_id=row.agreement_id,
                project_id=row.project_id,
                keep_until=row.keep_until,
                position=position_of(row),
            )
            for row in self._named(select(shares), shares.c.version_id, version_ids)
        ]

    def answers(self, version_ids: Sequence[VersionId]) -> list[AnswerRecord]:
        """Return what was answered for some models, oldest first."""
        rows = self._named(select(answers), answers.c.version_id, version_ids)
        return [
            AnswerRecord(
                version_id=VersionId(row.version_id),
                owner=row.owner,
                answer=Answer(row.answer),
                successor=VersionId(row.successor),
                evidence=Commitment(row.evidence),
                position=position_of(row),
            )
            for row in sorted(rows, key=lambda row: (row.block_number, row.log_index))
        ]

    def obligation(self, version_id: VersionId) -> Obligation | None:
        """Return what the owner of a model owes; None if nothing waits for an answer."""
        rows = self._rows(_owed().where(versions.c.version_id == version_id))
        return _obligation(rows[0]) if rows else None

    def obligations(
        self,
        *,
        owner: int | None = None,
        due_before: int | None = None,
        after: str | None = None,
        limit: int = 100,
    ) -> tuple[list[Obligation], str | None]:
        """Return what owners of models owe, the one due first first, and the cursor of the next page."""
        query = _owed()
        if owner is not None:
            query = query.where(versions.c.owner == owner)
        owed = query.subquery()
        found = select(owed)
        if due_before is not None:
            found = found.where(owed.c.since < due_before - ANSWER_SECONDS)
        if after is not None:
            found = found.where(tuple_(owed.c.since, owed.c.version_id) > numbered_of(after))
        rows = self._rows(found.order_by(owed.c.since, owed.c.version_id).limit(limit + 1))
        last = rows[limit - 1] if len(rows) > limit else None
        following = f"{last.since}-{to_hex(last.version_id)}" if last is not None else None
        return [_obligation(row) for row in rows[:limit]], following

    def _datasets(self, query: Select[Any]) -> list[DatasetRecord]:
        rows = self._rows(query)
        told = [row.dataset_id for row in rows if row.withdrawals]
        times: dict[int, dict[int, int]] = {}
        for row in self._named(select(withdrawals), withdrawals.c.dataset_id, told):
            times.setdefault(row.dataset_id, {})[row.number] = row.time
        return [dataset_record(row, times.get(row.dataset_id, {})) for row in rows]

    def _page_of_versions(
        self, query: Select[Any], after: str | None, limit: int
    ) -> tuple[list[VersionRecord], str | None]:
        """Return a page of what a query selects of the versions, in the order of the steps that made them."""
        order = versions.c.step_id, versions.c.version_id
        if after is not None:
            query = query.where(tuple_(*order) > numbered_of(after))
        rows = self._rows(query.order_by(*order).limit(limit + 1))
        last = rows[limit - 1] if len(rows) > limit else None
        following = f"{last.step_id}-{to_hex(last.version_id)}" if last is not None else None
        return self._versions(rows[:limit]), following

    def _entries(self, rows: Iterable[Row[Any]]) -> list[StepEntry]:
        rows = list(rows)
        found: dict[int, list[JointPart]] = {}
        for row in self._named(select(step_parts), step_parts.c.step_id, [row.step_id for row in rows]):
            found.setdefault(row.step_id, []).append(part_of(row))
        return [step_entry(row, found.get(row.step_id, ())) for row in rows]

    def _versions(self, rows: Iterable[Row[Any]]) -> list[VersionRecord]:
        rows = list(rows)
        found: dict[bytes, dict[int, Origin]] = {}
        for row in self._named(select(origins), origins.c.version_id, [row.version_id for row in rows]):
            found.setdefault(row.version_id, {})[row.place] = origin_of(row)
        return [version_record(row, found.get(row.version_id, {})) for row in rows]

    def _named(self, query: Select[Any], column: Any, names: Sequence[Any]) -> list[Row[Any]]:
        """Return the rows whose column holds one of some names, however many names there are."""
        return [row for some in _batches(names) for row in self._rows(query.where(column.in_(some)))]

    def _rows(self, query: Select[Any]) -> list[Row[Any]]:
        with self._database.read() as connection:
            return list(connection.execute(query).all())


def _owed() -> Select[Any]:
    """Select the models that owe an answer: since when at the longest, and to how many withdrawals."""
    excused = datasets.c.excused
    known = case(
        (origins.c.withdrawals > origins.c.answered, origins.c.withdrawals), else_=origins.c.answered
    )
    answered = case((excused > known, excused), else_=known)
    # Splits of one dataset are several origins: each consent that ended is counted once.
    waiting = func.count(withdrawals.c.grant_id.distinct())
    return (
        select(
            versions.c.version_id,
            versions.c.owner,
            func.min(withdrawals.c.time).label("since"),
            waiting.label("waiting"),
        )
        .join(origins, origins.c.version_id == versions.c.version_id)
        .join(datasets, datasets.c.dataset_id == origins.c.dataset_id)
        .join(
            withdrawals,
            and_(withdrawals.c.dataset_id == origins.c.dataset_id, withdrawals.c.number > answered),
        )
        .where(versions.c.kind == VersionKind.MODEL, versions.c.status != ModelStatus.RETIRED)
        .group_by(versions.c.version_id, versions.c.owner)
    )


def _inclusion(row: Row[Any]) -> InclusionRecord:
    return InclusionRecord(
        dataset_id=row.dataset_id,
        passport_id=PassportId(row.passport_id),
        seq=row.seq,
        grant_id=GrantId(row.grant_id),
        member_id=row.member_id,
        position=position_of(row),
        rests_on=GrantId(row.rests_on),
        withdrawal=row.withdrawal,
        withdrawn_at=row.withdrawn_at,
    )


def _obligation(row: Row[Any]) -> Obligation:
    return Obligation(VersionId(row.version_id), row.owner, row.since + ANSWER_SECONDS, row.waiting)


def _batches(names: Sequence[Any]) -> Iterator[list[Any]]:
    """Yield names, each once, as many at a time as go into one query."""
    once = list(dict.fromkeys(names))
    return (once[start : start + _NAMES] for start in range(0, len(once), _NAMES))


def _by_number(entry: StepEntry) -> int:
    return entry.record.step_id
