"""The committee: seats, rules, and acts that several seats decide."""

from __future__ import annotations

from dataclasses import replace

from fastapi import APIRouter
from fastapi.responses import Response

from api import access
from api.auth import DOCUMENTED, KNOWN, MemberDep
from api.dependencies import Fresh, ServiceDep
from api.routes.documented import READ, WRITE
from api.routes.ids import NumberPath
from api.schemas.committee import ActList, ActOut, CommitteeOut, RuleIn, SeatIn, act_out, committee_out
from api.schemas.policy import PolicyIn, PolicyOut, policy_out
from api.writes import WriteDep, event_named
from ledger.service import Service

router = APIRouter(prefix="/v1", tags=["committee"], dependencies=[Fresh, *DOCUMENTED])


@router.get("/committee", responses=READ, dependencies=[KNOWN])
def get_committee(service: ServiceDep) -> CommitteeOut:
    """
    Return who sits on the committee, and what its acts need.

    For members and holders.
    """
    return _committee(service)


@router.post("/committee/seats", status_code=201, response_model=CommitteeOut, responses=WRITE)
def set_seat(body: SeatIn, actor: MemberDep, service: ServiceDep, write: WriteDep) -> Response:
    """
    Propose to seat a member, or to take its seat.

    For members with a seat.
    """
    operation = write.once(
        lambda identity: service.committee.set_seat(
            actor, body.member_id, body.kind, body.reason, idempotency=identity
        )
    )
    return write.answer(operation, lambda _: _committee(service))


@router.post("/committee/rules", status_code=201, response_model=CommitteeOut, responses=WRITE)
def set_rule(body: RuleIn, actor: MemberDep, service: ServiceDep, write: WriteDep) -> Response:
    """
    Propose what acts of a kind need from now on.

    For members with a seat.
    """
    operation = write.once(
        lambda identity: service.committee.set_rule(actor, body.to_rule(), body.reason, idempotency=identity)
    )
    return write.answer(operation, lambda _: _committee(service))


@router.post("/policy", status_code=201, response_model=PolicyOut, responses=WRITE)
def set_policy(body: PolicyIn, actor: MemberDep, service: ServiceDep, write: WriteDep) -> Response:
    """
    Propose a new version of the law, the whole of it, in the form in which `GET /v1/policy` returns one.

    For members with a seat.
    """
    law = service.index.policy()
    table = body.to_table(law.version + 1 if law else 1)
    operation = write.once(
        lambda identity: service.committee.set_policy(actor, table, body.reason, idempotency=identity)
    )
    return write.answer(
        operation,
        lambda events: policy_out(
            replace(table, version=event_named(events, "PolicySet").arguments["version"]), None
        ),
    )


@router.get("/acts", responses=READ, dependencies=[KNOWN])
def list_acts(service: ServiceDep) -> ActList:
    """
    List the acts of the committee, oldest first.

    For members and holders.
    """
    return ActList(items=[_act(service, record.act_id) for record in service.committee.all()])


@router.get("/acts/{act_id}", responses=READ, dependencies=[KNOWN])
def get_act(act_id: NumberPath, service: ServiceDep) -> ActOut:
    """
    Return an act.

    For members and holders.
    """
    return _act(service, act_id)


@router.post("/acts/{act_id}/approvals", status_code=201, response_model=ActOut, responses=WRITE)
def approve_act(act_id: NumberPath, actor: MemberDep, service: ServiceDep, write: WriteDep) -> Response:
    """
    Approve an act; it is done at once if its rule needs nothing more.

    For members with a seat.
    """
    operation = write.once(lambda identity: service.committee.approve(actor, act_id, idempotency=identity))
    return write.answer(operation, lambda _: _act(service, act_id), acts=True)


@router.post("/acts/{act_id}/execution", status_code=201, response_model=ActOut, responses=WRITE)
def execute_act(act_id: NumberPath, actor: MemberDep, service: ServiceDep, write: WriteDep) -> Response:
    """
    Do an act that has the approvals, the seats and the time that its rule needs.

    If a rule was lowered after the last approval, and asks for a delay, the delay begins with this request.

    For members.
    """
    operation = write.once(lambda identity: service.committee.execute(actor, act_id, idempotency=identity))
    return write.answer(operation, lambda _: _act(service, act_id), acts=True)


def _committee(service: Service) -> CommitteeOut:
    names = service.members.names()
    return committee_out(service.committee.seats(), service.committee.rules(), names)


def _act(service: Service, act_id: int) -> ActOut:
    record = service.committee.get(act_id)
    return act_out(
        record,
        service.committee.standing(record, access.now_of(service)),
        service.chain.reading_of(record.call),
        service.committee.law_changes(record),
    )
