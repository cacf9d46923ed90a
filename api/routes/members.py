"""Members: the whitelist."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import Response

from api.auth import DOCUMENTED, KNOWN, MemberDep
from api.dependencies import Fresh, ServiceDep
from api.routes.documented import READ, WRITE
from api.routes.ids import NumberPath
from api.schemas.members import AdmissionIn, MemberList, MemberOut, SuspensionIn, member_out
from api.writes import WriteDep, event_named

router = APIRouter(prefix="/v1/members", tags=["members"], dependencies=[Fresh, *DOCUMENTED])


@router.get("", responses=READ, dependencies=[KNOWN])
def list_members(service: ServiceDep) -> MemberList:
    """
    List the members in the order of admission.

    For members and holders.
    """
    return MemberList(items=[member_out(member) for member in service.members.all()])


@router.get("/{member_id}", responses=READ, dependencies=[KNOWN])
def get_member(member_id: NumberPath, service: ServiceDep) -> MemberOut:
    """
    Return a member.

    For members and holders.
    """
    return member_out(service.members.get(member_id))


@router.post("", status_code=201, response_model=MemberOut, responses=WRITE)
def admit_member(body: AdmissionIn, actor: MemberDep, service: ServiceDep, write: WriteDep) -> Response:
    """
    Admit an institution.

    For the committee.
    """
    operation = write.once(
        lambda identity: service.members.admit(actor, body.to_admission(), idempotency=identity)
    )
    return write.answer(
        operation,
        lambda events: member_out(
            service.members.get(event_named(events, "MemberAdmitted").arguments["memberId"])
        ),
    )


@router.post("/{member_id}/suspension", status_code=201, response_model=MemberOut, responses=WRITE)
def suspend_member(
    member_id: NumberPath, body: SuspensionIn, actor: MemberDep, service: ServiceDep, write: WriteDep
) -> Response:
    """
    Suspend a member: its new requests are denied and recorded.

    For the committee.
    """
    operation = write.once(
        lambda identity: service.members.suspend(actor, member_id, body.reason, idempotency=identity)
    )
    return write.answer(operation, lambda _: member_out(service.members.get(member_id)))


@router.delete("/{member_id}/suspension", response_model=MemberOut, responses=WRITE)
def reinstate_member(
    member_id: NumberPath, actor: MemberDep, service: ServiceDep, write: WriteDep
) -> Response:
    """
    Let a suspended member act again.

    For the committee.
    """
    operation = write.once(lambda identity: service.members.reinstate(actor, member_id, idempotency=identity))
    return write.answer(operation, lambda _: member_out(service.members.get(member_id)), created=False)
