"""Grants: consents prepared, signed, relayed, amended, confirmed, refused and withdrawn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Body, Query, Request
from fastapi.responses import Response
from pydantic import Discriminator, Tag

from api import access
from api.auth import DOCUMENTED, EitherDep, Holder
from api.dependencies import After, Fresh, Limit, ServiceDep, link_next
from api.routes.documented import PREPARE, READ, READ_CHAIN, WRITE
from api.routes.ids import Id, PassportQuery, grant_id, passport_id
from api.schemas.grants import (
    AmendmentIn,
    AssistedGrantIn,
    GrantList,
    GrantOut,
    GrantStatusName,
    PaperGrantIn,
    PreparationIn,
    PreparedGrantOut,
    SignedGrantIn,
    TypedDataOut,
    VoiceIn,
    grant_out,
    prepared_out,
)
from api.writes import Identity, WriteDep, event_named
from ledger.domain.records import NO_GRANT, GrantId, Member, PassportId
from ledger.encoding.hexadecimal import from_hex
from ledger.errors import InvalidInput, NotPermitted
from ledger.ports import GrantRecord, Operation
from ledger.service import Service
from ledger.service.consents import PreparedGrant

router = APIRouter(prefix="/v1/grants", tags=["grants"], dependencies=[Fresh, *DOCUMENTED])


def _which(body: Any) -> str:
    def says(name: str) -> bool:
        return (body.get(name) if isinstance(body, dict) else getattr(body, name, None)) is not None

    if says("paper"):
        return "filed"
    return "assisted" if says("assisted") and not says("grant") else "signed"


GrantIn = Annotated[
    Annotated[SignedGrantIn, Tag("signed")]
    | Annotated[AssistedGrantIn, Tag("assisted")]
    | Annotated[PaperGrantIn, Tag("filed")],
    Discriminator(_which),
    Body(),
]
StatusQuery = Annotated[
    GrantStatusName | None, Query(alias="status", description="Only those of this status now.")
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
    Bring a consent to the ledger: signed by the holder, a delegate, or the custodian that keeps the key; or from paper.

    For members; a holder can bring an own signed consent, which the custodian's account then relays. Paper is for the
    custodian.
    """

    def file(identity: Identity) -> Operation:
        consents = service.consents
        if isinstance(body, PaperGrantIn):
            evidence = body.paper.to_evidence()
            return consents.file(_member(caller), _prepare(service, body), evidence, idempotency=identity)
        if isinstance(body, AssistedGrantIn):
            return consents.assist(_member(caller), _prepare(service, body), idempotency=identity)
        grant = body.grant.to_grant()
        if body.signature is None:
            return consents.sign_for(_member(caller), grant, idempotency=identity)
        relayer = access.relayer_for(service, caller, grant.passport_id)
        signature = from_hex(body.signature)
        return consents.relay(relayer, grant, signature, signer=body.speaker, idempotency=identity)

    return write.answer(
        write.once(file),
        lambda events: grant_of(service, GrantId(event_named(events, "ConsentGranted").arguments["grantId"])),
    )


@router.get("", responses=READ)
def list_grants(
    request: Request,
    response: Response,
    caller: EitherDep,
    service: ServiceDep,
    passport: PassportQuery = None,
    status: StatusQuery = None,
    limit: Limit = 100,
    after: After = None,
) -> GrantList:
    """
    List consents, oldest first: of a passport; without one those for the calling member, or a holder's own.

    For members and holders: of a passport its holder, its custodian and auditors see all, other members those
    given to them or to their kind of members, and those they asked for. With a status a page may hold fewer than its
    limit and still have a next one.
    """
    wanted = passport_id(passport) if passport else _own_passport(service, caller)
    recipient = _only_recipient(service, caller, wanted)
    by_kind = recipient is None or access.is_active(recipient)
    records, cursor = service.index.grants(
        passport_id=wanted, recipient=recipient, by_kind=by_kind, after=after, limit=limit
    )
    link_next(request, response, cursor)
    now = access.now_of(service)
    items = [
        told(service, record, now)
        for record in records
        if status is None or service.consents.status(record, now) == status
    ]
    return GrantList(items=items, next=cursor)


@router.get("/{grant}", responses=READ)
def get_grant(grant: Id, caller: EitherDep, service: ServiceDep) -> GrantOut:
    """
    Return a consent.

    For the holder, the custodian, the recipient, and auditors.
    """
    record = access.grant_for(service, caller, service.consents.get(grant_id(grant)))
    return told(service, record, access.now_of(service))


@router.post("/{grant}/amendment", responses=PREPARE)
def amend_grant(grant: Id, body: AmendmentIn, caller: EitherDep, service: ServiceDep) -> PreparedGrantOut:
    """
    Write a grant down with some of its words changed, for the holder to read and sign. Nothing is granted yet.

    Of a grant in force this is a new one that replaces it; of what was asked for it is the grant itself: without
    changes exactly as it was asked for.

    For the holder, the custodian, the recipient, and auditors. Needs no Idempotency-Key.
    """
    record = access.grant_for(service, caller, service.consents.get(grant_id(grant)))
    return prepared_out(service.consents.amend(record.grant_id, body.changes()))


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
    grant: Id, body: VoiceIn, caller: EitherDep, service: ServiceDep, write: WriteDep
) -> Response:
    """
    Withdraw a consent: from the next transaction on it permits nothing.

    For members and the holder with the holder's signature; without one for the custodian that keeps the holder key.
    """
    return _say(service.consents.revoke, grant, body, caller, service, write)


@router.get("/{grant}/refusal", responses=READ_CHAIN)
def prepare_refusal(grant: Id, caller: EitherDep, service: ServiceDep) -> TypedDataOut:
    """
    Return what the holder signs to refuse what was asked for.

    For the holder, the custodian, who asked, and auditors.
    """
    record = access.grant_for(service, caller, service.consents.get(grant_id(grant)))
    return TypedDataOut(typed_data=service.consents.refusal(record.grant_id))


@router.post("/{grant}/refusal", status_code=201, response_model=GrantOut, responses=WRITE)
def refuse_grant(
    grant: Id, body: VoiceIn, caller: EitherDep, service: ServiceDep, write: WriteDep
) -> Response:
    """
    Refuse what was asked for: a grant with this id can never be given.

    For members and the holder with the holder's signature; without one for the custodian that keeps the holder key.
    """
    return _say(service.consents.refuse, grant, body, caller, service, write)


@router.get("/{grant}/confirmation", responses=READ_CHAIN)
def prepare_confirmation(grant: Id, caller: EitherDep, service: ServiceDep) -> TypedDataOut:
    """
    Return what the holder signs to stand by a consent.

    For the holder, the custodian, the recipient, and auditors.
    """
    record = access.grant_for(service, caller, service.consents.get(grant_id(grant)))
    return TypedDataOut(typed_data=service.consents.confirmation(record.grant_id))


@router.post("/{grant}/confirmation", status_code=201, response_model=GrantOut, responses=WRITE)
def confirm_grant(
    grant: Id, body: VoiceIn, caller: EitherDep, service: ServiceDep, write: WriteDep
) -> Response:
    """
    Stand by a consent: one from paper is then signed, one that is frozen after a change of control is in force again.

    For members and the holder with the holder's signature; without one for the custodian that keeps the holder key.
    """
    return _say(service.consents.confirm, grant, body, caller, service, write)


@router.get("/{grant}/repudiation", responses=READ_CHAIN)
def prepare_repudiation(grant: Id, caller: EitherDep, service: ServiceDep) -> TypedDataOut:
    """
    Return what the holder signs to declare a consent never given.

    For the holder, the custodian, the recipient, and auditors.
    """
    record = access.grant_for(service, caller, service.consents.get(grant_id(grant)))
    return TypedDataOut(typed_data=service.consents.repudiation(record.grant_id))


@router.post("/{grant}/repudiation", status_code=201, response_model=GrantOut, responses=WRITE)
def repudiate_grant(
    grant: Id, body: VoiceIn, caller: EitherDep, service: ServiceDep, write: WriteDep
) -> Response:
    """
    Declare that a consent which the custodian filed from paper, or signed, was never given.

    For members and the holder with the holder's signature; without one for the custodian that keeps the holder key.
    """
    return _say(service.consents.repudiate, grant, body, caller, service, write)


def told(service: Service, record: GrantRecord, at: int) -> GrantOut:
    """Write a grant as it stands at a time, with what was asked for if it waits for an answer."""
    consents = service.consents
    return grant_out(
        record,
        text=consents.text(record),
        status=consents.status(record, at),
        language=consents.language(record),
        words=consents.words(record) if consents.knows(record) else None,
    )


def grant_of(service: Service, wanted: GrantId) -> GrantOut:
    """Write the grant of an id as it stands now."""
    return told(service, service.consents.get(wanted), access.now_of(service))


def _say(
    use_case: Callable[..., Operation],
    grant: str,
    body: VoiceIn,
    caller: access.Subject,
    service: Service,
    write: WriteDep,
) -> Response:
    """Relay what the holder says about a grant."""

    def say(identity: Identity) -> Operation:
        record = service.consents.get(grant_id(grant))
        relayer = access.relayer_for(service, caller, record.passport_id)
        if body.signature is None:
            return use_case(_member(caller), record.grant_id, None, idempotency=identity)
        signature = from_hex(body.signature)
        return use_case(relayer, record.grant_id, signature, signer=body.speaker, idempotency=identity)

    return write.answer(write.once(say), lambda _: grant_of(service, grant_id(grant)))


def _prepare(service: Service, body: PreparationIn) -> PreparedGrant:
    words = body.to_words()
    return service.consents.prepare(
        passport_id(body.passport_id),
        recipient=words.recipient,
        recipient_kinds=list(words.recipient_kinds),
        purposes=list(words.purposes),
        categories=words.categories,
        use_from=words.use_from,
        use_to=words.use_to,
        data_from=words.data_from,
        data_to=words.data_to,
        max_uses=words.max_uses,
        level=words.level,
        flags=words.flags,
        template=words.template,
        language=words.language,
        supersedes=grant_id(body.supersedes) if body.supersedes else NO_GRANT,
        grant_id=grant_id(body.grant_id) if body.grant_id else None,
    )


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
    # Not those that it speaks for besides: anybody may name anybody as a delegate.
    records, _ = service.index.passports(holder=caller.address, limit=2)
    if len(records) != 1:
        raise InvalidInput("say of which passport: ?passport=0x…", field="passport")
    return records[0].passport.passport_id
