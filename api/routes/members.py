"""Members: the whitelist."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import Response

from api import access
from api.auth import DOCUMENTED, KNOWN, MemberDep
from api.dependencies import Fresh, ServiceDep
from api.routes.documented import READ, WRITE
from api.routes.ids import NumberPath
from api.schemas.base import seconds_of, unhex
from api.schemas.committee import ReasonIn
from api.schemas.members import (
    AdmissionIn,
    CapsIn,
    EmergencyRightOut,
    EntrustmentIn,
    KeysIn,
    LicenceIn,
    MemberDetailOut,
    MemberList,
    MemberOut,
    SuspensionIn,
    member_detail_out,
    member_out,
    right_out,
)
from api.writes import Identity, WriteDep, event_named
from ledger.domain.records import Address
from ledger.ports import Operation

router = APIRouter(prefix="/v1/members", tags=["members"], dependencies=[Fresh, *DOCUMENTED])


@router.get("", responses=READ, dependencies=[KNOWN])
def list_members(service: ServiceDep) -> MemberList:
    """
    List the members in the order of admission.

    For members and holders.
    """
    return MemberList(items=[member_out(member) for member in service.members.all()])


@router.get("/{member_id}", responses=READ, dependencies=[KNOWN])
def get_member(member_id: NumberPath, service: ServiceDep) -> MemberDetailOut:
    """
    Return a member, its daily caps with what counts against them today, and who acts for whom.

    For members and holders.
    """
    return member_detail_out(service.members.detail(member_id, at=access.now_of(service)))


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

    For regulators and the alliance, if the member has no seat. Whoever has a seat proposes it to the committee.
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


@router.post("/{member_id}/expulsion", status_code=201, response_model=MemberOut, responses=WRITE)
def expel_member(
    member_id: NumberPath, body: ReasonIn, actor: MemberDep, service: ServiceDep, write: WriteDep
) -> Response:
    """
    Propose to expel a member, for good: what was granted to it never permits again.

    For members with a seat on the committee.
    """
    operation = write.once(
        lambda identity: service.members.expel(actor, member_id, body.reason, idempotency=identity)
    )
    return write.answer(operation, lambda _: member_out(service.members.get(member_id)))


@router.put("/{member_id}/licence", response_model=MemberOut, responses=WRITE)
def license_member(
    member_id: NumberPath, body: LicenceIn, actor: MemberDep, service: ServiceDep, write: WriteDep
) -> Response:
    """
    Propose another licence scope and end of a membership.

    For members with a seat on the committee.
    """

    def license_(identity: Identity) -> Operation:
        return service.members.license(
            actor,
            member_id,
            purposes=body.purposes,
            valid_to=seconds_of(body.valid_to),
            reason=body.reason,
            idempotency=identity,
        )

    return write.answer(
        write.once(license_), lambda _: member_out(service.members.get(member_id)), created=False
    )


@router.post("/{member_id}/control-changes", status_code=201, response_model=MemberOut, responses=WRITE)
def change_control(
    member_id: NumberPath, body: ReasonIn, actor: MemberDep, service: ServiceDep, write: WriteDep
) -> Response:
    """
    Record that control of a member changed hands: consents that name it are frozen until each patient confirms.

    For the alliance, and for members with a seat on the committee.
    """
    operation = write.once(
        lambda identity: service.members.change_control(actor, member_id, body.reason, idempotency=identity)
    )
    return write.answer(operation, lambda _: member_out(service.members.get(member_id)))


@router.put("/{member_id}/caps", response_model=MemberDetailOut, responses=WRITE)
def set_caps(
    member_id: NumberPath, body: CapsIn, actor: MemberDep, service: ServiceDep, write: WriteDep
) -> Response:
    """
    Propose how many permits a member may get in a day, by purpose.

    For members with a seat on the committee.
    """
    operation = write.once(
        lambda identity: service.members.set_caps(
            actor, member_id, body.by_purpose(), body.reason, idempotency=identity
        )
    )
    return write.answer(
        operation,
        lambda _: member_detail_out(service.members.detail(member_id, at=access.now_of(service))),
        created=False,
    )


@router.put("/{member_id}/keys", response_model=MemberOut, responses=WRITE)
def rotate_keys(
    member_id: NumberPath, body: KeysIn, actor: MemberDep, service: ServiceDep, write: WriteDep
) -> Response:
    """
    Propose to replace a member's keys; the old ones are dead at once.

    For members with a seat on the committee.
    """

    def rotate(identity: Identity) -> Operation:
        return service.members.rotate_keys(
            actor,
            member_id,
            signing_key=unhex(body.signing_key),
            sealing_key=unhex(body.sealing_key),
            signer=Address(body.signer.lower()) if body.signer else None,
            reason=body.reason,
            idempotency=identity,
        )

    return write.answer(
        write.once(rotate), lambda _: member_out(service.members.get(member_id)), created=False
    )


@router.put("/{member_id}/entrustment", response_model=MemberDetailOut, responses=WRITE)
def entrust_member(
    member_id: NumberPath, body: EntrustmentIn, actor: MemberDep, service: ServiceDep, write: WriteDep
) -> Response:
    """
    Entrust a member with acting for the caller; both are recorded with each request.

    For members: the caller is the controller.
    """

    def entrust(identity: Identity) -> Operation:
        return service.members.entrust(
            actor,
            member_id,
            purposes=body.purposes,
            valid_to=seconds_of(body.valid_to),
            agreement=body.agreement,
            idempotency=identity,
        )

    return write.answer(
        write.once(entrust),
        lambda _: member_detail_out(service.members.detail(member_id, at=access.now_of(service))),
        created=False,
    )


@router.delete("/{member_id}/entrustment", response_model=MemberDetailOut, responses=WRITE)
def end_entrustment(
    member_id: NumberPath, actor: MemberDep, service: ServiceDep, write: WriteDep
) -> Response:
    """
    End what the caller entrusted a member with.

    For members: the caller is the controller.
    """
    operation = write.once(
        lambda identity: service.members.end_entrustment(actor, member_id, idempotency=identity)
    )
    return write.answer(
        operation,
        lambda _: member_detail_out(service.members.detail(member_id, at=access.now_of(service))),
        created=False,
    )


@router.get("/{member_id}/emergency-right", responses=READ, dependencies=[KNOWN])
def get_emergency_right(member_id: NumberPath, service: ServiceDep) -> EmergencyRightOut:
    """
    Return whether a member may open emergencies, what it owes, and how many are left.

    For members and holders.
    """
    return right_out(service.emergencies.right(member_id, at=access.now_of(service)))


@router.post(
    "/{member_id}/emergency-right", status_code=201, response_model=EmergencyRightOut, responses=WRITE
)
def restore_emergency_right(
    member_id: NumberPath, body: ReasonIn, actor: MemberDep, service: ServiceDep, write: WriteDep
) -> Response:
    """
    Propose to give a member its right to emergencies back.

    For members with a seat on the committee.
    """
    operation = write.once(
        lambda identity: service.emergencies.restore(actor, member_id, body.reason, idempotency=identity)
    )
    return write.answer(
        operation, lambda _: right_out(service.emergencies.right(member_id, at=access.now_of(service)))
    )
