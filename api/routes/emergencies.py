"""Emergencies: the glass broken for one record, or one declared for everybody; reviews, ends and the public ratio."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response

from api import access
from api.auth import DOCUMENTED, EitherDep, MemberDep
from api.dependencies import Fresh, ServiceDep
from api.routes.documented import PUBLIC, READ, WRITE
from api.routes.ids import NumberPath, PassportQuery, passport_id
from api.schemas.base import seconds_of, unhex
from api.schemas.committee import ReasonIn
from api.schemas.emergencies import (
    DeclarationIn,
    EmergencyIn,
    EmergencyList,
    EmergencyOut,
    EmergencyReviewIn,
    RatioOut,
    emergency_out,
    ratio_out,
)
from api.schemas.words import EmergencyKindIn
from api.writes import Identity, WriteDep, event_named
from ledger.domain.records import Event, Member, PassportId
from ledger.ports import Operation
from ledger.service import Service

router = APIRouter(prefix="/v1/emergencies", tags=["emergencies"], dependencies=[Fresh, *DOCUMENTED])
declarations = APIRouter(prefix="/v1/declarations", tags=["emergencies"], dependencies=[Fresh, *DOCUMENTED])

Kind = Annotated[EmergencyKindIn | None, Query(description="Only INDIVIDUAL or only PUBLIC ones.")]
MemberQuery = Annotated[
    int | None,
    Query(
        alias="member", ge=1, le=2**32 - 1, description="Only those that this member opened.", examples=[2]
    ),
]
Overdue = Annotated[bool, Query(description="Only those whose review was due and is missing.")]


@router.post("", status_code=201, response_model=EmergencyOut, responses=WRITE)
def open_emergency(body: EmergencyIn, actor: MemberDep, service: ServiceDep, write: WriteDep) -> Response:
    """
    Break the glass for one record: for the hours and the kinds of data of the law, to be reviewed by somebody else.

    For members with the role EMERGENCY. The patient is told at once, or that it is sealed, by whom and until when.
    """

    def break_glass(identity: Identity) -> Operation:
        return service.emergencies.open(
            actor,
            PassportId(unhex(body.passport_id)),
            body.reason,
            body.statement,
            sealed_until=seconds_of(body.sealed_until) if body.sealed_until else 0,
            sealing=body.sealing,
            idempotency=identity,
        )

    return write.answer(
        write.once(break_glass), lambda events: _recorded(service, actor, events, "EmergencyOpened")
    )


@router.get("", responses=READ)
def list_emergencies(
    caller: EitherDep,
    service: ServiceDep,
    passport: PassportQuery = None,
    kind: Kind = None,
    member: MemberQuery = None,
    *,
    overdue: Overdue = False,
) -> EmergencyList:
    """
    List the emergencies that the caller may see, oldest first.

    For members and holders: public ones for all; one for a single record for who opened it, its custodian and holder,
    reviewers and auditors.
    """
    wanted = passport_id(passport) if passport else None
    entries = [
        access.told_emergency(service, caller, record)
        for record in service.emergencies.all(member_id=member, passport_id=wanted)
        if (kind is None or record.emergency.kind is kind) and access.sees_emergency(service, caller, record)
    ]
    # A holder learns nothing by filtering what is sealed.
    return EmergencyList(
        items=[
            emergency_out(entry) for entry in entries if not overdue or (entry.overdue and not entry.veiled)
        ]
    )


@router.get("/ratio", responses=PUBLIC)
def get_ratio(service: ServiceDep) -> RatioOut:
    """
    Return the share of emergencies in all decisions, in total and for each member.

    For everybody.
    """
    return ratio_out(*service.emergencies.ratio(access.now_of(service)))


@router.get("/{emergency_id}", responses=READ)
def get_emergency(emergency_id: NumberPath, caller: EitherDep, service: ServiceDep) -> EmergencyOut:
    """
    Return an emergency in words.

    For members and holders, as in the list.
    """
    return emergency_out(access.emergency_for(service, caller, emergency_id))


@router.post("/{emergency_id}/reviews", status_code=201, response_model=EmergencyOut, responses=WRITE)
def review_emergency(
    emergency_id: NumberPath,
    body: EmergencyReviewIn,
    actor: MemberDep,
    service: ServiceDep,
    write: WriteDep,
) -> Response:
    """
    Review an emergency for one record. Late or unjustified, the member that opened it loses its right.

    For ethics bodies and regulators that neither opened it nor keep the data.
    """
    operation = write.once(
        lambda identity: service.emergencies.review(
            actor, emergency_id, justified=body.justified, opinion=body.opinion, idempotency=identity
        )
    )
    return write.answer(operation, lambda _: _told(service, actor, emergency_id))


@router.post("/{emergency_id}/end", status_code=201, response_model=EmergencyOut, responses=WRITE)
def end_emergency(
    emergency_id: NumberPath, body: ReasonIn, actor: MemberDep, service: ServiceDep, write: WriteDep
) -> Response:
    """
    Propose to end a public emergency before its time.

    For members with a seat on the committee.
    """
    operation = write.once(
        lambda identity: service.emergencies.end(actor, emergency_id, body.reason, idempotency=identity)
    )
    return write.answer(operation, lambda _: _told(service, actor, emergency_id))


@declarations.post("", status_code=201, response_model=EmergencyOut, responses=WRITE)
def declare_emergency(
    body: DeclarationIn, actor: MemberDep, service: ServiceDep, write: WriteDep
) -> Response:
    """
    Propose to declare a public emergency. Data obtained under it is locked to it.

    For members with a seat on the committee.
    """
    operation = write.once(
        lambda identity: service.emergencies.declare(
            actor, body.to_declaration(), body.reason, idempotency=identity
        )
    )
    return write.answer(operation, lambda events: _recorded(service, actor, events, "EmergencyDeclared"))


def _recorded(service: Service, actor: Member, events: tuple[Event, ...], name: str) -> EmergencyOut:
    return _told(service, actor, event_named(events, name).arguments["emergencyId"])


def _told(service: Service, actor: Member, emergency_id: int) -> EmergencyOut:
    return emergency_out(access.told_emergency(service, actor, service.emergencies.get(emergency_id)))
