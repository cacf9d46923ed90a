"""Borders: clearances, who may receive data from abroad, exports and thresholds."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response

from api import access
from api.auth import DOCUMENTED, KNOWN, MEMBERS, MemberDep
from api.dependencies import Fresh, ServiceDep
from api.routes.documented import READ, WRITE
from api.routes.ids import NumberPath
from api.schemas.base import seconds_of
from api.schemas.borders import (
    BorderAccessIn,
    BorderAccessOut,
    ClearanceIn,
    ClearanceList,
    ClearanceOut,
    ExportsOut,
    ThresholdsIn,
    ThresholdsOut,
    access_out,
    clearance_out,
    exports_out,
    thresholds_out,
)
from api.schemas.committee import ReasonIn
from api.writes import WriteDep, event_named
from ledger.domain.records import Thresholds
from ledger.ports import ClearanceRecord
from ledger.service import Service

ProjectQuery = Annotated[
    int | None, Query(alias="project", ge=1, le=2**32 - 1, description="Only those for a project.")
]
ExporterQuery = Annotated[
    int | None, Query(alias="exporter", ge=1, le=2**32 - 1, description="Only those of an exporter.")
]
YearQuery = Annotated[
    int | None,
    Query(
        ge=1970, le=2106, description="A calendar year in UTC+8; this one if it is left out.", examples=[2027]
    ),
]

router = APIRouter(prefix="/v1", tags=["borders"], dependencies=[Fresh, *DOCUMENTED])


@router.post("/clearances", status_code=201, response_model=ClearanceOut, responses=WRITE)
def clear(body: ClearanceIn, actor: MemberDep, service: ServiceDep, write: WriteDep) -> Response:
    """
    Clear an exporter's data for a project abroad. It takes the place of the clearance before it.

    For regulators of the exporter's jurisdiction; for verifiers of it by the path CERTIFICATION.
    """
    operation = write.once(
        lambda identity: service.borders.clear(actor, body.to_clearance(), body.filing, idempotency=identity)
    )
    return write.answer(
        operation,
        lambda events: _told(service, event_named(events, "ClearanceIssued").arguments["clearanceId"]),
    )


@router.get("/clearances", responses=READ, dependencies=[MEMBERS])
def list_clearances(
    service: ServiceDep, project_id: ProjectQuery = None, exporter: ExporterQuery = None
) -> ClearanceList:
    """
    List clearances, oldest first.

    For members.
    """
    found = service.borders.all(project_id=project_id, exporter=exporter)
    return ClearanceList(items=[_out(service, record) for record in found])


@router.get("/clearances/{clearance_id}", responses=READ, dependencies=[MEMBERS])
def get_clearance(clearance_id: NumberPath, service: ServiceDep) -> ClearanceOut:
    """
    Return a clearance, and how many persons have crossed under it.

    For members.
    """
    return _told(service, clearance_id)


@router.post(
    "/clearances/{clearance_id}/withdrawal", status_code=201, response_model=ClearanceOut, responses=WRITE
)
def withdraw_clearance(
    clearance_id: NumberPath, body: ReasonIn, actor: MemberDep, service: ServiceDep, write: WriteDep
) -> Response:
    """
    Take a clearance back.

    For its issuer, and for regulators of the exporter's jurisdiction.
    """
    operation = write.once(
        lambda identity: service.borders.withdraw(actor, clearance_id, body.reason, idempotency=identity)
    )
    return write.answer(operation, lambda _: _told(service, clearance_id))


@router.put("/members/{member_id}/border-access", response_model=BorderAccessOut, responses=WRITE)
def set_border_access(
    member_id: NumberPath, body: BorderAccessIn, actor: MemberDep, service: ServiceDep, write: WriteDep
) -> Response:
    """
    Put a member on the list of those that may receive data from abroad, or take it off.

    For regulators, not for themselves.
    """
    valid_to = seconds_of(body.valid_to) if body.valid_to else 0
    operation = write.once(
        lambda identity: service.borders.set_access(actor, member_id, valid_to, idempotency=identity)
    )
    return write.answer(operation, lambda _: _access(service, member_id), created=False)


@router.get("/members/{member_id}/border-access", responses=READ, dependencies=[MEMBERS])
def get_border_access(member_id: NumberPath, service: ServiceDep) -> BorderAccessOut:
    """
    Return until when a member may receive data from abroad.

    For members.
    """
    return _access(service, member_id)


@router.get("/members/{member_id}/exports", responses=READ, dependencies=[MEMBERS])
def get_exports(member_id: NumberPath, service: ServiceDep, year: YearQuery = None) -> ExportsOut:
    """
    Return how many persons' data a member has exported in a calendar year, as the contract counts them.

    For members.
    """
    counted, exports = service.borders.exports(member_id, year)
    return exports_out(member_id, counted, exports, service.borders.thresholds())


@router.get("/thresholds", responses=READ, dependencies=[KNOWN])
def get_thresholds(service: ServiceDep) -> ThresholdsOut:
    """
    Return from how many persons in a calendar year on nothing but an assessment clears.

    For members and holders.
    """
    return thresholds_out(service.borders.thresholds())


@router.put("/thresholds", response_model=ThresholdsOut, responses=WRITE)
def set_thresholds(body: ThresholdsIn, actor: MemberDep, service: ServiceDep, write: WriteDep) -> Response:
    """
    Propose new thresholds.

    For members with a seat on the committee.
    """
    thresholds = Thresholds(body.persons, body.sensitive_persons)
    operation = write.once(
        lambda identity: service.borders.set_thresholds(actor, thresholds, body.reason, idempotency=identity)
    )
    return write.answer(operation, lambda _: thresholds_out(service.borders.thresholds()), created=False)


def _told(service: Service, clearance_id: int) -> ClearanceOut:
    return _out(service, service.borders.get(clearance_id))


def _out(service: Service, record: ClearanceRecord) -> ClearanceOut:
    return clearance_out(record, in_force=service.borders.is_in_force(record, access.now_of(service)))


def _access(service: Service, member_id: int) -> BorderAccessOut:
    return access_out(member_id, service.borders.access(member_id), at=access.now_of(service))
