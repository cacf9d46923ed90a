"""Agreements between two members: proposed by who gives, signed by who receives."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response

from api import access
from api.auth import DOCUMENTED, MemberDep
from api.dependencies import Fresh, ServiceDep
from api.routes.documented import READ, WRITE
from api.routes.ids import NumberPath
from api.schemas.agreements import AgreementIn, AgreementList, AgreementOut, SigningIn, agreement_out
from api.schemas.base import unhex
from api.schemas.committee import ReasonIn
from api.writes import WriteDep, event_named
from ledger.domain.records import Commitment, Member
from ledger.ports import AgreementRecord
from ledger.service import Service

MemberQuery = Annotated[
    int | None,
    Query(alias="member", ge=1, le=2**32 - 1, description="Only those of a member, on either side."),
]

router = APIRouter(prefix="/v1/agreements", tags=["agreements"], dependencies=[Fresh, *DOCUMENTED])


@router.post("", status_code=201, response_model=AgreementOut, responses=WRITE)
def propose_agreement(body: AgreementIn, actor: MemberDep, service: ServiceDep, write: WriteDep) -> Response:
    """
    Propose an agreement under which the caller will give data, and so sign it. The chain holds a commitment to its text.

    For members.
    """
    operation = write.once(
        lambda identity: service.agreements.propose(actor, body.to_limits(), body.text, idempotency=identity)
    )
    return write.answer(
        operation,
        lambda events: _told(
            service, actor, event_named(events, "AgreementProposed").arguments["agreementId"]
        ),
    )


@router.get("", responses=READ)
def list_agreements(actor: MemberDep, service: ServiceDep, member_id: MemberQuery = None) -> AgreementList:
    """
    List agreements, oldest first.

    For members; the texts are for their sides.
    """
    found = service.agreements.all(member_id=member_id)
    return AgreementList(items=[_out(service, actor, record) for record in found])


@router.get("/{agreement_id}", responses=READ)
def get_agreement(agreement_id: NumberPath, actor: MemberDep, service: ServiceDep) -> AgreementOut:
    """
    Return an agreement.

    For members; the text is for its sides.
    """
    return _told(service, actor, agreement_id)


@router.post("/{agreement_id}/signature", status_code=201, response_model=AgreementOut, responses=WRITE)
def sign_agreement(
    agreement_id: NumberPath, body: SigningIn, actor: MemberDep, service: ServiceDep, write: WriteDep
) -> Response:
    """
    Sign what was proposed to the caller: the agreement is in force from then on.

    For the recipient.
    """
    text = Commitment(unhex(body.text))
    operation = write.once(
        lambda identity: service.agreements.sign(actor, agreement_id, text, idempotency=identity)
    )
    return write.answer(operation, lambda _: _told(service, actor, agreement_id))


@router.post("/{agreement_id}/end", status_code=201, response_model=AgreementOut, responses=WRITE)
def end_agreement(
    agreement_id: NumberPath, body: ReasonIn, actor: MemberDep, service: ServiceDep, write: WriteDep
) -> Response:
    """
    End an agreement, or decline what was proposed: nothing more is given under it.

    For its two sides.
    """
    operation = write.once(
        lambda identity: service.agreements.end(actor, agreement_id, body.reason, idempotency=identity)
    )
    return write.answer(operation, lambda _: _told(service, actor, agreement_id))


def _told(service: Service, reader: Member, agreement_id: int) -> AgreementOut:
    return _out(service, reader, service.agreements.get(agreement_id))


def _out(service: Service, reader: Member, record: AgreementRecord) -> AgreementOut:
    return agreement_out(
        record,
        text=service.agreements.text_for(reader, record),
        in_force=service.agreements.is_in_force(record, access.now_of(service)),
    )
