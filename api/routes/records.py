"""Records: what custodians keep, and what they release after a permit."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from api.auth import DOCUMENTED, MemberDep, SignedMemberDep
from api.dependencies import Fresh, ServiceDep
from api.routes.documented import READ, READ_CHAIN
from api.routes.ids import Id, passport_id
from api.schemas.records import RecordList, record_out
from api.schemas.releases import ReleaseOut, release_out

router = APIRouter(prefix="/v1/records", tags=["records"], dependencies=[Fresh, *DOCUMENTED])


@router.get("", responses=READ)
def list_records(actor: MemberDep, service: ServiceDep) -> RecordList:
    """
    List what the calling member keeps, with its own names for the patients.

    For custodians.
    """
    return RecordList(items=[record_out(summary) for summary in service.records.kept_by(actor)])


@router.get("/{passport}", responses=READ_CHAIN)
def release_record(
    passport: Id,
    decision: Annotated[
        int, Query(ge=0, le=2**40 - 1, description="The decision that permits it.", examples=[0])
    ],
    actor: SignedMemberDep,
    service: ServiceDep,
) -> ReleaseOut:
    """
    Hand the permitted categories over, their keys sealed to the recipient. The hand-over is recorded on the ledger.

    If the decision names days, only what is wholly from these days is handed over: an excerpt of each category, sealed anew,
    with `excerpted` to say so. What reaches beyond the days, or has no date, stays behind; if nothing is left the answer is
    409. A day is the one written in the record, in the zone written with it.

    For the member that the decision permits to read; the request itself must be signed.
    """
    return release_out(service.releases.release(actor, passport_id(passport), decision))
