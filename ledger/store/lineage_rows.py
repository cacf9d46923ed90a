"""Rows of datasets and lineage as records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from sqlalchemy import Row

from ledger.domain.lineage import Dataset, JointPart, Origin, Step, StepRecord, Version, VersionId
from ledger.domain.records import Commitment, Position
from ledger.domain.vocabulary import (
    Category,
    Check,
    DatasetStatus,
    ModelStatus,
    Part,
    StepFact,
    StepKind,
    VersionKind,
)
from ledger.ports import DatasetRecord, StepEntry, VersionRecord
from ledger.store.values import loads, position_of

_ID_BYTES: Final = 32


def dataset_of(row: Row[Any], times: Mapping[int, int]) -> Dataset:
    """Read a dataset; *times* of its withdrawals, by number."""
    return Dataset(
        dataset_id=row.dataset_id,
        owner=row.owner,
        purposes=row.purposes,
        categories=Category(row.categories),
        status=DatasetStatus(row.status),
        retain_until=row.retain_until,
        no_relink=row.no_relink,
        no_onward=row.no_onward,
        usable_until=row.usable_until,
        included=row.included,
        withdrawals=tuple(time for _, time in sorted(times.items())),
        excused=row.excused,
        budget=int.from_bytes(row.budget, "big"),
        spent=int.from_bytes(row.spent, "big"),
    )


def dataset_record(row: Row[Any], times: Mapping[int, int]) -> DatasetRecord:
    """Read a dataset with where it was declared; *times* of its withdrawals, by number."""
    return DatasetRecord(dataset_of(row, times), Commitment(row.description), position_of(row))


def origin_of(row: Row[Any]) -> Origin:
    """Read an origin."""
    return Origin(row.dataset_id, row.withdrawals, row.answered, row.split_id, Part(row.parts))


def version_of(row: Row[Any], found: Mapping[int, Origin]) -> Version:
    """Read a version; *found* are its origins by place."""
    return Version(
        version_id=VersionId(row.version_id),
        step_id=row.step_id,
        owner=row.owner,
        kind=VersionKind(row.kind),
        purposes=row.purposes,
        origins=tuple(origin for _, origin in sorted(found.items())),
        check=Check(row.check),
        verifier=row.verifier,
        status=ModelStatus(row.status),
        evaluated=row.evaluated,
        deployed=row.deployed,
        only_to=row.only_to,
    )


def version_record(row: Row[Any], found: Mapping[int, Origin]) -> VersionRecord:
    """Read a version with its check; *found* are its origins by place."""
    return VersionRecord(
        version_of(row, found),
        report=Commitment(row.report) if row.report else None,
        checked=Position(**loads(row.checked)) if row.checked else None,
        statement=Commitment(row.statement) if row.statement else None,
        registered=Position(**loads(row.registered)) if row.registered else None,
    )


def part_of(row: Row[Any]) -> JointPart:
    """Read a part in a joint step."""
    return JointPart(row.member_id, Commitment(row.contribution))


def step_entry(row: Row[Any], parts: Iterable[JointPart] = ()) -> StepEntry:
    """Read a step; *parts* of those who took part."""
    step = Step(
        kind=StepKind(row.kind),
        parameters=Commitment(row.parameters),
        inputs=_ids(row.inputs),
        outputs=_ids(row.outputs),
        dataset_id=row.dataset_id,
        project_id=row.project_id,
        purposes=row.purposes,
        epsilon=int.from_bytes(row.epsilon, "big"),
        tool=row.tool,
    )
    told = tuple(sorted(parts, key=lambda part: part.member_id))
    record = StepRecord(row.step_id, row.member_id, step, StepFact(row.missing), told)
    return StepEntry(record, position_of(row))


def _ids(joined: bytes) -> tuple[VersionId, ...]:
    return tuple(VersionId(joined[start : start + _ID_BYTES]) for start in range(0, len(joined), _ID_BYTES))
