"""Datasets: declared, filled by consent, excused, sealed, and followed."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from api import access
from api.auth import DOCUMENTED, MEMBERS, MemberDep
from api.dependencies import After, Fresh, Limit, ServiceDep, link_next
from api.routes.decisions import decisions_in
from api.routes.documented import READ, WRITE
from api.routes.ids import NumberPath
from api.schemas.committee import ReasonIn
from api.schemas.datasets import (
    DatasetIn,
    DatasetList,
    DatasetOut,
    ExcuseIn,
    InclusionList,
    InclusionsIn,
    dataset_out,
    inclusion_out,
)
from api.schemas.decisions import DecisionsOut
from api.writes import WriteDep, event_named
from ledger.ports import DatasetRecord
from ledger.service import Service

router = APIRouter(prefix="/v1/datasets", tags=["datasets"], dependencies=[Fresh, *DOCUMENTED])

OwnerQuery = Annotated[
    int | None,
    Query(alias="owner", ge=1, le=2**32 - 1, description="Only those of this member.", examples=[2]),
]


@router.post("", status_code=201, response_model=DatasetOut, responses=WRITE)
def declare_dataset(body: DatasetIn, actor: MemberDep, service: ServiceDep, write: WriteDep) -> Response:
    """
    Declare a dataset of the caller's, before anything is in it: what it is for cannot be widened later.

    For members.
    """
    operation = write.once(
        lambda identity: service.datasets.declare(actor, body.to_plan(), idempotency=identity)
    )
    return write.answer(
        operation,
        lambda events: dataset_of(service, event_named(events, "DatasetDeclared").arguments["datasetId"]),
    )


@router.get("", responses=READ, dependencies=[MEMBERS])
def list_datasets(
    request: Request,
    response: Response,
    service: ServiceDep,
    owner: OwnerQuery = None,
    limit: Limit = 100,
    after: After = None,
) -> DatasetList:
    """
    List datasets, oldest first.

    For members.
    """
    records, cursor = service.index.datasets(owner=owner, after=after, limit=limit)
    link_next(request, response, cursor)
    return DatasetList(items=told_datasets(service, records), next=cursor)


@router.get("/{dataset_id}", responses=READ, dependencies=[MEMBERS])
def get_dataset(dataset_id: NumberPath, service: ServiceDep) -> DatasetOut:
    """
    Return a dataset.

    For members.
    """
    return dataset_of(service, dataset_id)


@router.post("/{dataset_id}/inclusions", status_code=201, response_model=DecisionsOut, responses=WRITE)
def include_into_dataset(
    dataset_id: NumberPath, body: InclusionsIn, actor: MemberDep, service: ServiceDep, write: WriteDep
) -> Response:
    """
    Ask to include up to 100 people: each is decided by the law, and each refusal is on record like a permit.

    For members; only the dataset's owner, or who acts for it, is permitted.
    """
    operation = write.once(
        lambda identity: service.datasets.include(
            actor,
            dataset_id,
            [target.to_target() for target in body.targets],
            body.to_compilation(),
            idempotency=identity,
        )
    )
    return write.answer(operation, lambda events: DecisionsOut(decisions=decisions_in(service, events)))


@router.get("/{dataset_id}/inclusions", responses=READ)
def list_inclusions(
    dataset_id: NumberPath,
    request: Request,
    response: Response,
    actor: MemberDep,
    service: ServiceDep,
    limit: Limit = 100,
    after: After = None,
) -> InclusionList:
    """
    List who was included, under which consents, and whether they have withdrawn since; oldest first.

    For the dataset's owner, and auditors.
    """
    access.inclusions_for(service, actor, dataset_id)
    records, cursor = service.datasets.inclusions(dataset_id, after=after, limit=limit)
    link_next(request, response, cursor)
    return InclusionList(items=[inclusion_out(record) for record in records], next=cursor)


@router.post("/{dataset_id}/excuse", status_code=201, response_model=DatasetOut, responses=WRITE)
def excuse_withdrawals(
    dataset_id: NumberPath, body: ExcuseIn, actor: MemberDep, service: ServiceDep, write: WriteDep
) -> Response:
    """
    Excuse the withdrawals so far: what was made of the dataset is current again.

    For ethics bodies that do not own it.
    """
    operation = write.once(
        lambda identity: service.datasets.excuse(
            actor, dataset_id, body.withdrawals, body.opinion, idempotency=identity
        )
    )
    return write.answer(operation, lambda _: dataset_of(service, dataset_id))


@router.post("/{dataset_id}/seal", status_code=201, response_model=DatasetOut, responses=WRITE)
def seal_dataset(
    dataset_id: NumberPath, body: ReasonIn, actor: MemberDep, service: ServiceDep, write: WriteDep
) -> Response:
    """
    Seal a dataset: nothing is done with it but its destruction.

    For its owner, and regulators.
    """
    operation = write.once(
        lambda identity: service.datasets.seal(actor, dataset_id, body.reason, idempotency=identity)
    )
    return write.answer(operation, lambda _: dataset_of(service, dataset_id))


@router.post("/{dataset_id}/unseal", status_code=201, response_model=DatasetOut, responses=WRITE)
def unseal_dataset(
    dataset_id: NumberPath, actor: MemberDep, service: ServiceDep, write: WriteDep
) -> Response:
    """
    Open a sealed dataset again, as far as it had come.

    For regulators that do not own it.
    """
    operation = write.once(lambda identity: service.datasets.unseal(actor, dataset_id, idempotency=identity))
    return write.answer(operation, lambda _: dataset_of(service, dataset_id))


def dataset_of(service: Service, dataset_id: int) -> DatasetOut:
    """Write the dataset of a number as it stands now."""
    (told,) = told_datasets(service, [service.datasets.get(dataset_id)])
    return told


def told_datasets(service: Service, records: list[DatasetRecord]) -> list[DatasetOut]:
    """Write datasets with the names of their owners, and what they are if this service keeps it."""
    names = service.members.names()
    return [
        dataset_out(
            record,
            names.get(record.dataset.owner, f"member {record.dataset.owner}"),
            service.datasets.description(record),
        )
        for record in records
    ]
