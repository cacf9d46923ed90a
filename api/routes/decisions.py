"""Decisions: requests for access and their answers. A refusal is an answer, not an error."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body, Request
from fastapi.responses import Response
from pydantic import Discriminator, Tag

from api import access
from api.auth import DOCUMENTED, EitherDep, MemberDep
from api.dependencies import After, Fresh, Limit, ServiceDep, link_next
from api.routes.documented import READ, WRITE
from api.routes.ids import Id, SeqPath, passport_id
from api.schemas.base import utc
from api.schemas.decisions import (
    AccessRequestIn,
    AccessRequestsIn,
    DecisionList,
    DecisionOut,
    DecisionsOut,
    ReviewIn,
    SealedDecisionOut,
    WaitingList,
    WaitingOut,
    decision_out,
    told_decision,
)
from api.schemas.emergencies import emergency_out
from api.writes import WriteDep
from ledger.domain.records import Event, PassportId
from ledger.encoding.words import unpack_verdict
from ledger.service import Service

router = APIRouter(prefix="/v1/decisions", tags=["decisions"], dependencies=[Fresh, *DOCUMENTED])
reviews = APIRouter(prefix="/v1/reviews", tags=["decisions"], dependencies=[Fresh, *DOCUMENTED])


def _which(body: Any) -> str:
    several = "requests" in body if isinstance(body, dict) else isinstance(body, AccessRequestsIn)
    return "several" if several else "one"


RequestsIn = Annotated[
    Annotated[AccessRequestIn, Tag("one")] | Annotated[AccessRequestsIn, Tag("several")],
    Discriminator(_which),
    Body(),
]


@router.post("", status_code=201, response_model=DecisionOut | DecisionsOut, responses=WRITE)
def request_access(body: RequestsIn, actor: MemberDep, service: ServiceDep, write: WriteDep) -> Response:
    """
    Ask for access: one request, or up to 100 that are answered in their order in one transaction.

    For members. Refusals are recorded and answered like permits; a suspended member's requests too.
    """
    asked = body.requests if isinstance(body, AccessRequestsIn) else [body]
    operation = write.once(
        lambda identity: service.decisions.request(
            actor, [request.to_request() for request in asked], idempotency=identity
        )
    )
    if isinstance(body, AccessRequestsIn):
        return write.answer(operation, lambda events: DecisionsOut(decisions=decisions_in(service, events)))
    return write.answer(operation, lambda events: decisions_in(service, events)[0])


@router.get("", responses=READ)
def list_own_decisions(
    request: Request,
    response: Response,
    actor: MemberDep,
    service: ServiceDep,
    limit: Limit = 100,
    after: After = None,
) -> DecisionList:
    """
    List the answers to the calling member's own requests, newest first.

    For members.
    """
    entries, cursor = service.access.of_member(actor.member_id, after=after, limit=limit)
    link_next(request, response, cursor)
    return DecisionList(items=[decision_out(entry) for entry in entries], next=cursor)


@router.get("/{passport}/{seq}", responses=READ)
def get_decision(
    passport: Id, seq: SeqPath, caller: EitherDep, service: ServiceDep
) -> DecisionOut | SealedDecisionOut:
    """
    Return a decision with its reasons in words.

    For its requester, the passport's custodian and holder, auditors, and who may review it. What is sealed is told to
    the holder as sealed.
    """
    record = access.decision_for(service, caller, passport_id(passport), seq)
    (entry,) = service.access.told([record], to_holder_at=access.holder_reads_at(service, caller))
    return told_decision(entry)


@router.post("/{passport}/{seq}/reviews", status_code=201, response_model=DecisionOut, responses=WRITE)
def review_request(
    passport: Id, seq: SeqPath, body: ReviewIn, actor: MemberDep, service: ServiceDep, write: WriteDep
) -> Response:
    """
    Answer a request that only a human's look was missing for.

    For ethics bodies, and for regulators what an authority compels; for nobody who had a part in the request.
    """
    wanted = passport_id(passport)
    operation = write.once(
        lambda identity: service.decisions.review(
            actor, wanted, seq, approved=body.approved, opinion=body.opinion, idempotency=identity
        )
    )
    return write.answer(operation, lambda _: _decision(service, wanted, seq))


@router.post("/{passport}/{seq}/repetition", status_code=201, response_model=DecisionOut, responses=WRITE)
def repeat_request(
    passport: Id, seq: SeqPath, actor: MemberDep, service: ServiceDep, write: WriteDep
) -> Response:
    """
    Ask again, word for word: after an approval the same request is answered with it. A new decision with a new number.

    For the member that asked.
    """
    wanted = passport_id(passport)
    operation = write.once(
        lambda identity: service.decisions.repeat(actor, wanted, seq, idempotency=identity)
    )
    return write.answer(operation, lambda events: decisions_in(service, events)[0])


@reviews.get("", responses=READ)
def list_waiting(actor: MemberDep, service: ServiceDep) -> WaitingList:
    """
    List what waits for a human and that the calling member may answer: emergencies, then requests.

    For ethics bodies and regulators; for others the list is empty.
    """
    now = access.now_of(service)
    urgent = [
        service.emergencies.entry(record, at=now) for record in service.emergencies.awaiting(actor, now)
    ]
    asked = service.decisions.awaiting(actor, now)
    return WaitingList(
        items=[
            *(
                WaitingOut(
                    kind="EMERGENCY",
                    due=utc(entry.record.emergency.review_due),
                    overdue=entry.overdue,
                    statement=entry.statement,
                    emergency=emergency_out(entry),
                )
                for entry in urgent
            ),
            *(
                WaitingOut(
                    kind="REQUEST",
                    due=None,
                    overdue=False,
                    decision=decision_out(service.access.entry(record)),
                    statement=service.decisions.statement(record),
                )
                for record in asked
            ),
        ]
    )


def decisions_in(service: Service, events: tuple[Event, ...]) -> list[DecisionOut]:
    """Write the decisions that an operation recorded, in their order."""
    recorded = [event.arguments for event in events if event.name == "DecisionRecorded"]
    names = [(PassportId(item["passportId"]), unpack_verdict(item["verdict"]).seq) for item in recorded]
    return [decision_out(entry) for entry in service.access.named(names)]


def _decision(service: Service, passport: PassportId, seq: int) -> DecisionOut:
    return decision_out(service.access.named([(passport, seq)])[0])
