"""Passports: registered, listed, and who asked for their data."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from api import access
from api.auth import DOCUMENTED, EitherDep, MemberDep
from api.dependencies import After, Fresh, Limit, ServiceDep, link_next
from api.routes.documented import READ, WRITE
from api.routes.grants import told
from api.routes.ids import Id, NumberPath, passport_id
from api.schemas.committee import ReasonIn
from api.schemas.decisions import DecisionList, told_decision
from api.schemas.emergencies import emergency_out
from api.schemas.grants import StandingOut
from api.schemas.passports import (
    DestructionIn,
    NarrowingIn,
    PassportList,
    PassportOut,
    RegistrationIn,
    RegistrationOut,
    passport_out,
)
from api.writes import WriteDep, event_named
from ledger.domain.records import Member, PassportId
from ledger.domain.vocabulary import Level
from ledger.domain.wording import STATUS_LABELS
from ledger.ports import PassportRecord
from ledger.service import Service
from ledger.service.authority import require_passport

router = APIRouter(prefix="/v1/passports", tags=["passports"], dependencies=[Fresh, *DOCUMENTED])


@router.post("", status_code=201, response_model=RegistrationOut, responses=WRITE)
def register_record(body: RegistrationIn, actor: MemberDep, service: ServiceDep, write: WriteDep) -> Response:
    """
    Register one patient's record: split by category, sealed here at each level, and given a passport on the ledger.

    For custodians. At most 32 MiB.
    """
    operation = write.once(
        lambda identity: service.records.register(
            actor,
            body.bundle,
            purposes=body.purposes,
            holder=body.holder,
            lock=body.lock,
            idempotency=identity,
        )
    )
    return write.answer(
        operation,
        lambda events: _registration(
            service, PassportId(event_named(events, "PassportIssued").arguments["passportId"])
        ),
    )


@router.get("", responses=READ)
def list_passports(
    request: Request,
    response: Response,
    caller: EitherDep,
    service: ServiceDep,
    limit: Limit = 100,
    after: After = None,
) -> PassportList:
    """
    List passports, oldest first.

    For members those they keep, for holders their own and those of whoever lets them speak.
    """
    records, cursor = access.passports_for(service, caller, after=after, limit=limit)
    link_next(request, response, cursor)
    return PassportList(items=[_passport(service, record) for record in records], next=cursor)


@router.get("/{passport}", responses=READ)
def get_passport(passport: Id, caller: EitherDep, service: ServiceDep) -> PassportOut:
    """
    Return a passport.

    For every member and its holder.
    """
    return _passport(service, access.passport_for(service, caller, passport_id(passport)))


@router.get("/{passport}/members/{member}/standing", responses=READ)
def get_standing(passport: Id, member: NumberPath, caller: EitherDep, service: ServiceDep) -> StandingOut:
    """
    Return where a member stands with a passport's holder: never asked, asked, refused, or with which consent.

    For the holder, the custodian, auditors, and that member.
    """
    wanted = passport_id(passport)
    if isinstance(caller, Member) and caller.member_id == member:
        access.passport_for(service, caller, wanted)
    else:
        access.history_for(service, caller, wanted)
    now = access.now_of(service)
    status, records = service.consents.standing(wanted, service.members.get(member), now)
    return StandingOut(
        passport_id=passport,
        member_id=member,
        status=status,
        status_text=STATUS_LABELS[status].en,
        grants=[told(service, record, now) for record in records],
    )


@router.get("/{passport}/decisions", responses=READ)
def list_access(
    passport: Id,
    request: Request,
    response: Response,
    caller: EitherDep,
    service: ServiceDep,
    limit: Limit = 100,
    after: After = None,
) -> DecisionList:
    """
    List who asked for a passport's data, newest first: permits and refusals; and the emergencies opened for it.

    For its custodian, its holder, and auditors. What is sealed is told to the holder as sealed.
    """
    record = access.history_for(service, caller, passport_id(passport))
    wanted = record.passport.passport_id
    entries, cursor = service.access.of_passport(
        wanted, after=after, limit=limit, to_holder_at=access.holder_reads_at(service, caller)
    )
    link_next(request, response, cursor)
    urgent = service.emergencies.all(passport_id=wanted) if after is None else []
    return DecisionList(
        items=[told_decision(entry) for entry in entries],
        emergencies=[emergency_out(access.told_emergency(service, caller, item)) for item in urgent],
        next=cursor,
    )


@router.post("/{passport}/seal", status_code=201, response_model=PassportOut, responses=WRITE)
def seal_passport(
    passport: Id, body: ReasonIn, actor: MemberDep, service: ServiceDep, write: WriteDep
) -> Response:
    """
    Seal data after an incident: no use and no destruction until the committee unseals it.

    For its custodian and regulators; members with a seat on the committee propose it.
    """
    wanted = passport_id(passport)
    operation = write.once(
        lambda identity: service.records.seal(actor, wanted, body.reason, idempotency=identity)
    )
    return write.answer(operation, lambda _: passport_out(require_passport(service.index, wanted)))


@router.post("/{passport}/unseal", status_code=201, response_model=PassportOut, responses=WRITE)
def unseal_passport(
    passport: Id, body: ReasonIn, actor: MemberDep, service: ServiceDep, write: WriteDep
) -> Response:
    """
    Propose to open sealed data again.

    For members with a seat on the committee.
    """
    wanted = passport_id(passport)
    operation = write.once(
        lambda identity: service.records.unseal(actor, wanted, body.reason, idempotency=identity)
    )
    return write.answer(operation, lambda _: passport_out(require_passport(service.index, wanted)))


@router.post("/{passport}/narrowing", status_code=201, response_model=PassportOut, responses=WRITE)
def narrow_passport(
    passport: Id, body: NarrowingIn, actor: MemberDep, service: ServiceDep, write: WriteDep
) -> Response:
    """
    Narrow what data may ever be used for. There is no way back.

    For its custodian.
    """
    wanted = passport_id(passport)
    operation = write.once(
        lambda identity: service.records.narrow(actor, wanted, body.purposes, idempotency=identity)
    )
    return write.answer(operation, lambda _: passport_out(require_passport(service.index, wanted)))


@router.post("/{passport}/destruction", status_code=201, response_model=PassportOut, responses=WRITE)
def destroy_passport(
    passport: Id, body: DestructionIn, actor: MemberDep, service: ServiceDep, write: WriteDep
) -> Response:
    """
    State on the ledger that data is destroyed, then destroy its keys here. Final.

    For its custodian; not while the data is sealed.
    """
    wanted = passport_id(passport)
    operation = write.once(
        lambda identity: service.records.destroy(actor, wanted, body.statement, idempotency=identity)
    )

    def erased(_: object) -> PassportOut:
        service.records.erase_destroyed(wanted)
        return passport_out(require_passport(service.index, wanted))

    return write.answer(operation, erased)


def _registration(service: Service, passport: PassportId) -> RegistrationOut:
    sealed = service.vault.level(passport, Level.IDENTIFIED)
    entries = {str(item.category.name): item.entries for item in sealed.categories} if sealed else {}
    record = require_passport(service.index, passport)
    return RegistrationOut(passport=_passport(service, record), entries=entries)


def _passport(service: Service, record: PassportRecord) -> PassportOut:
    return passport_out(record, service.index.recovery(record.passport.passport_id))
