"""Passports: registered, listed, and who asked for their data."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from api import access
from api.auth import DOCUMENTED, EitherDep, Holder, MemberDep
from api.dependencies import After, Fresh, Limit, ServiceDep, link_next
from api.routes.documented import READ, WRITE
from api.routes.ids import Id, passport_id
from api.schemas.decisions import DecisionList, decision_out
from api.schemas.passports import PassportList, PassportOut, RegistrationIn, RegistrationOut, passport_out
from api.writes import WriteDep, event_named
from ledger.domain.records import PassportId
from ledger.domain.vocabulary import Level
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
            actor, body.bundle, purposes=body.purposes, holder=body.holder, idempotency=identity
        )[1]
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

    For members those they keep, for holders their own.
    """
    if isinstance(caller, Holder):
        records, cursor = service.index.passports(holder=caller.address, after=after, limit=limit)
    else:
        records, cursor = service.index.passports(custodian=caller.member_id, after=after, limit=limit)
    link_next(request, response, cursor)
    return PassportList(items=[passport_out(record) for record in records], next=cursor)


@router.get("/{passport}", responses=READ)
def get_passport(passport: Id, caller: EitherDep, service: ServiceDep) -> PassportOut:
    """
    Return a passport.

    For every member and its holder.
    """
    return passport_out(access.passport_for(service, caller, passport_id(passport)))


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
    List who asked for a passport's data, newest first: permits and refusals.

    For its custodian, its holder, and auditors.
    """
    record = access.history_for(service, caller, passport_id(passport))
    entries, cursor = service.access.of_passport(record.passport.passport_id, after=after, limit=limit)
    link_next(request, response, cursor)
    return DecisionList(items=[decision_out(entry) for entry in entries], next=cursor)


def _registration(service: Service, passport: PassportId) -> RegistrationOut:
    sealed = service.vault.level(passport, Level.IDENTIFIED)
    entries = {str(item.category.name): item.entries for item in sealed.categories} if sealed else {}
    return RegistrationOut(passport=passport_out(require_passport(service.index, passport)), entries=entries)
