"""Grants: consents prepared, signed, relayed and withdrawn."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body, Request
from fastapi.responses import Response
from pydantic import Discriminator, Tag

from api import access
from api.auth import DOCUMENTED, EitherDep, Holder
from api.dependencies import After, Fresh, Limit, ServiceDep, link_next
from api.routes.documented import PREPARE, READ, READ_CHAIN, WRITE
from api.routes.ids import Id, PassportQuery, grant_id, passport_id
from api.schemas.base import seconds_of
from api.schemas.grants import (
    AssistedGrantIn,
    GrantList,
    GrantOut,
    PreparationIn,
    PreparedGrantOut,
    RevocationIn,
    SignedGrantIn,
    TypedDataOut,
    grant_out,
    prepared_out,
)
from api.writes import Identity, WriteDep, event_named
from ledger.domain.days import day_of
from ledger.domain.records import NO_GRANT, GrantId, Member, PassportId
from ledger.encoding.hexadecimal import from_hex
from ledger.errors import InvalidInput, NotPermitted
from ledger.ports import Operation
from ledger.service import Service
from ledger.service.consents import PreparedGrant

router = APIRouter(prefix="/v1/grants", tags=["grants"], dependencies=[Fresh, *DOCUMENTED])


def _which(body: Any) -> str:
    assisted = body.get("assisted") if isinstance(body, dict) else getattr(body, "assisted", None)
    return "signed" if assisted is None else "assisted"


GrantIn = Annotated[
    Annotated[SignedGrantIn, Tag("signed")] | Annotated[AssistedGrantIn, Tag("assisted")],
    Discriminator(_which),
    Body(),
]


@router.post("/preparations", responses=PREPARE)
def prepare_grant(body: PreparationIn, caller: EitherDep, service: ServiceDep) -> PreparedGrantOut:
    """
    Write a consent down for the holder to read and sign. Nothing is granted yet.

    For members and the holder. Needs no Idempotency-Key: nothing is written to the ledger.
    """
    access.passport_for(service, caller, passport_id(body.passport_id))
    return prepared_out(_prepare(service, body))


@router.post("", status_code=201, response_model=GrantOut, responses=WRITE)
def file_grant(body: GrantIn, caller: EitherDep, service: ServiceDep, write: WriteDep) -> Response:
    """
    Bring a consent to the ledger: signed by the holder, or by the custodian that keeps the holder key.

    For members; a holder can bring an own signed consent, which the custodian's account then relays.
    """

    def file(identity: Identity) -> Operation:
        if isinstance(body, AssistedGrantIn):
            return service.consents.assist(_member(caller), _prepare(service, body), idempotency=identity)
        grant = body.grant.to_grant()
        relayer = access.relayer_for(service, caller, grant.passport_id)
        return service.consents.relay(relayer, grant, from_hex(body.signature), idempotency=identity)

    return write.answer(
        write.once(file),
        lambda events: _grant(service, GrantId(event_named(events, "ConsentGranted").arguments["grantId"])),
    )


@router.get("", responses=READ)
def list_grants(
    request: Request,
    response: Response,
    caller: EitherDep,
    service: ServiceDep,
    passport: PassportQuery = None,
    limit: Limit = 100,
    after: After = None,
) -> GrantList:
    """
    List consents, oldest first: of a passport; without one those for the calling member, or a holder's own.

    For members and holders: of a passport its holder, its custodian and auditors see all, other members those
    given to them or to their kind of members, and those they asked for.
    """
    wanted = passport_id(passport) if passport else _own_passport(service, caller)
    recipient = _only_recipient(service, caller, wanted)
    records, cursor = service.index.grants(passport_id=wanted, recipient=recipient, after=after, limit=limit)
    link_next(request, response, cursor)
    now = access.now_of(service)
    items = [grant_out(record, text=service.consents.text(record), at=now) for record in records]
    return GrantList(items=items, next=cursor)


@router.get("/{grant}", responses=READ)
def get_grant(grant: Id, caller: EitherDep, service: ServiceDep) -> GrantOut:
    """
    Return a consent.

    For the holder, the custodian, the recipient, and auditors.
    """
    record = access.grant_for(service, caller, service.consents.get(grant_id(grant)))
    return _grant(service, record.grant_id)


@router.get("/{grant}/revocation", responses=READ_CHAIN)
def prepare_revocation(grant: Id, caller: EitherDep, service: ServiceDep) -> TypedDataOut:
    """
    Return what the holder signs to withdraw a consent. It has no deadline.

    For the holder, the custodian, the recipient, and auditors.
    """
    record = access.grant_for(service, caller, service.consents.get(grant_id(grant)))
    return TypedDataOut(typed_data=service.consents.revocation(record.grant_id))


@router.post("/{grant}/revocation", status_code=201, response_model=GrantOut, responses=WRITE)
def revoke_grant(
    grant: Id, body: RevocationIn, caller: EitherDep, service: ServiceDep, write: WriteDep
) -> Response:
    """
    Withdraw a consent: from the next transaction on it permits nothing.

    For members and the holder with the holder's signature; without one for the custodian that keeps the holder key.
    """
    if (body.signature is None) == (body.assisted is None):
        raise InvalidInput("send either the holder's 'signature', or 'assisted': true", field="signature")

    def revoke(identity: Identity) -> Operation:
        record = service.consents.get(grant_id(grant))
        relayer = access.relayer_for(service, caller, record.passport_id)
        if body.signature is None:
            return service.consents.revoke(_member(caller), record.grant_id, None, idempotency=identity)
        return service.consents.revoke(
            relayer, record.grant_id, from_hex(body.signature), idempotency=identity
        )

    return write.answer(write.once(revoke), lambda _: _grant(service, grant_id(grant)))


def _prepare(service: Service, body: PreparationIn) -> PreparedGrant:
    return service.consents.prepare(
        passport_id(body.passport_id),
        recipient=body.recipient or 0,
        recipient_kinds=body.recipient_kinds,
        purposes=body.purposes,
        categories=body.categories,
        use_from=seconds_of(body.use_from) if body.use_from else None,
        use_to=seconds_of(body.use_to),
        data_from=day_of(body.data_from),
        data_to=day_of(body.data_to),
        max_uses=body.max_uses,
        level=body.level,
        template=body.template,
        flags=body.flags,
        supersedes=grant_id(body.supersedes) if body.supersedes else NO_GRANT,
    )


def _grant(service: Service, wanted: GrantId) -> GrantOut:
    record = service.consents.get(wanted)
    return grant_out(record, text=service.consents.text(record), at=access.now_of(service))


def _member(caller: access.Subject) -> Member:
    if isinstance(caller, Member):
        return caller
    raise NotPermitted(
        "only the custodian that keeps the holder key can sign for the patient",
        fix="Send the holder's signature.",
    )


def _only_recipient(service: Service, caller: access.Subject, wanted: PassportId | None) -> Member | None:
    """Return the member to whose grants a list is limited; None for all grants of the passport."""
    record = access.passport_for(service, caller, wanted) if wanted is not None else None
    if isinstance(caller, Holder):
        return None
    sees_all = record is not None and (
        access.is_auditor(caller) or record.passport.custodian == caller.member_id
    )
    return None if sees_all else caller


def _own_passport(service: Service, caller: access.Subject) -> PassportId | None:
    """Return a holder's passport: a holder key is for one patient at one custodian, so there is one; None for members."""
    if isinstance(caller, Member):
        return None
    records, _ = service.index.passports(holder=caller.address, limit=2)
    if len(records) != 1:
        raise InvalidInput("say of which passport: ?passport=0x…", field="passport")
    return records[0].passport.passport_id
