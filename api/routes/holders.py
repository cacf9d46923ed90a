"""Holders: keys replaced, delegates and guardians named, a lost key recovered."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body
from fastapi.responses import Response

from api import access
from api.auth import DOCUMENTED, EitherDep, Holder
from api.dependencies import Fresh, ServiceDep
from api.routes.documented import PREPARE, READ, WRITE
from api.routes.ids import Id, passport_id
from api.schemas.base import seconds_of
from api.schemas.grants import TypedDataOut
from api.schemas.holders import (
    DelegationAct,
    DelegationIn,
    GuardiansAct,
    GuardiansIn,
    HolderActIn,
    HolderOut,
    HolderSignatureIn,
    ObjectionIn,
    RecoveryAct,
    RecoveryIn,
    RotationAct,
    RotationIn,
    holder_out,
)
from api.writes import Identity, WriteDep
from ledger.domain.records import Member, PassportId
from ledger.domain.vocabulary import Custody
from ledger.encoding.hexadecimal import from_hex
from ledger.errors import NotPermitted
from ledger.ports import Operation
from ledger.service import Service
from ledger.service.authority import require_passport

router = APIRouter(prefix="/v1/passports/{passport}", tags=["holders"], dependencies=[Fresh, *DOCUMENTED])


@router.get("/holder", responses=READ)
def get_holder(passport: Id, caller: EitherDep, service: ServiceDep) -> HolderOut:
    """
    Return who speaks for a passport's subject: the key, delegates, and a recovery under way.

    For the holder, its delegates, the custodian, and auditors.
    """
    record = access.history_for(service, caller, passport_id(passport))
    return _holder(service, record.passport.passport_id)


@router.post("/holder/preparations", responses=PREPARE)
def prepare_holder_act(
    passport: Id, body: Annotated[HolderActIn, Body()], caller: EitherDep, service: ServiceDep
) -> TypedDataOut:
    """
    Return what the holder signs for a rotation, a delegation, guardians or an objection; or a guardian for a recovery.

    For members and the holder. Needs no Idempotency-Key: nothing is written to the ledger.
    """
    wanted = access.passport_for(service, caller, passport_id(passport)).passport.passport_id
    return TypedDataOut(typed_data=_typed_data(service, wanted, body))


@router.post("/holder", status_code=201, response_model=HolderOut, responses=WRITE)
def rotate_holder(
    passport: Id, body: RotationIn, caller: EitherDep, service: ServiceDep, write: WriteDep
) -> Response:
    """
    Replace the holder's key by another one of the patient's own. The old one is dead at once.

    For members and the holder with the present key's signature; without one for the custodian that keeps it: the
    patient takes over.
    """
    wanted = passport_id(passport)

    def rotate(identity: Identity) -> Operation:
        relayer = _relayer(service, caller, wanted, body)
        return service.holders.rotate(
            relayer, wanted, body.holder, Custody.SELF, _signature(body), idempotency=identity
        )

    return write.answer(write.once(rotate), lambda _: _holder(service, wanted))


@router.post("/delegates", status_code=201, response_model=HolderOut, responses=WRITE)
def name_delegate(
    passport: Id, body: DelegationIn, caller: EitherDep, service: ServiceDep, write: WriteDep
) -> Response:
    """
    Let somebody speak for the holder until a time, or no longer.

    For members and the holder with the holder's signature; without one for the custodian that keeps the holder key.
    """
    wanted = passport_id(passport)
    end = seconds_of(body.valid_to) if body.valid_to else 0

    def name(identity: Identity) -> Operation:
        relayer = _relayer(service, caller, wanted, body)
        return service.holders.name_delegate(
            relayer, wanted, body.delegate, end, _signature(body), idempotency=identity
        )

    return write.answer(write.once(name), lambda _: _holder(service, wanted))


@router.post("/guardians", status_code=201, response_model=HolderOut, responses=WRITE)
def name_guardians(
    passport: Id, body: GuardiansIn, caller: EitherDep, service: ServiceDep, write: WriteDep
) -> Response:
    """
    Name those who can replace a lost key together, or nobody.

    For members and the holder with the holder's signature; without one for the custodian that keeps the holder key.
    """
    wanted = passport_id(passport)

    def name(identity: Identity) -> Operation:
        relayer = _relayer(service, caller, wanted, body)
        return service.holders.name_guardians(
            relayer, wanted, body.threshold, body.keys, _signature(body), idempotency=identity
        )

    return write.answer(write.once(name), lambda _: _holder(service, wanted))


@router.post("/recovery", status_code=201, response_model=HolderOut, responses=WRITE)
def recover_holder(
    passport: Id, body: RecoveryIn, caller: EitherDep, service: ServiceDep, write: WriteDep
) -> Response:
    """
    Begin to replace a lost key: as guardians, or at the custodian's counter. The holder is told, and can object.

    For members with the guardians' signatures; without them for the custodian, if the holder named no guardians.
    """
    wanted = passport_id(passport)

    def recover(identity: Identity) -> Operation:
        actor = _member(caller)
        if body.keys is None or body.holder is None:
            return service.holders.recover_at_counter(actor, wanted, body.holder, idempotency=identity)
        return service.holders.recover(
            actor,
            wanted,
            body.holder,
            threshold=body.threshold or 0,
            keys=body.keys,
            signatures=[from_hex(signature) for signature in body.signatures or ()],
            idempotency=identity,
        )

    return write.answer(write.once(recover), lambda _: _holder(service, wanted))


@router.post("/recovery/objection", status_code=201, response_model=HolderOut, responses=WRITE)
def object_to_recovery(
    passport: Id, body: ObjectionIn, caller: EitherDep, service: ServiceDep, write: WriteDep
) -> Response:
    """
    Object to a recovery: the key is not lost, and stays.

    For members and the holder with the holder's signature; without one for the custodian that keeps the holder key.
    """
    wanted = passport_id(passport)

    def say_no(identity: Identity) -> Operation:
        relayer = _relayer(service, caller, wanted, body)
        return service.holders.object(relayer, wanted, _signature(body), idempotency=identity)

    return write.answer(write.once(say_no), lambda _: _holder(service, wanted))


@router.post("/recovery/completion", status_code=201, response_model=HolderOut, responses=WRITE)
def complete_recovery(passport: Id, caller: EitherDep, service: ServiceDep, write: WriteDep) -> Response:
    """
    Complete a recovery that nobody objected to in time.

    For members, and for whoever has the key to be.
    """
    wanted = passport_id(passport)

    def complete(identity: Identity) -> Operation:
        relayer = _completer(service, caller, wanted)
        return service.holders.complete(relayer, wanted, idempotency=identity)

    return write.answer(write.once(complete), lambda _: _holder(service, wanted))


def _typed_data(service: Service, passport: PassportId, act: HolderActIn) -> dict[str, Any]:
    holders = service.holders
    if isinstance(act, RotationAct):
        return holders.rotation(passport, act.holder.lower(), Custody.SELF)
    if isinstance(act, DelegationAct):
        end = seconds_of(act.valid_to) if act.valid_to else 0
        return holders.delegation(passport, act.delegate.lower(), end)
    if isinstance(act, GuardiansAct):
        return holders.guardianship(passport, act.threshold, act.keys)
    if isinstance(act, RecoveryAct):
        return holders.recovery(passport, act.holder.lower())
    return holders.objection(passport)


def _relayer(
    service: Service, caller: access.Subject, passport: PassportId, body: HolderSignatureIn
) -> Member:
    """Return whose account brings the holder's word; without a signature only the custodian's own."""
    relayer = access.relayer_for(service, caller, passport)
    return _member(caller) if body.signature is None else relayer


def _signature(body: HolderSignatureIn) -> bytes | None:
    return None if body.signature is None else from_hex(body.signature)


def _completer(service: Service, caller: access.Subject, passport: PassportId) -> Member:
    """Return whose account completes a recovery: for the key to be its custodian's, which it is not a holder of yet."""
    recovery = service.index.recovery(passport)
    if isinstance(caller, Holder) and recovery is not None and recovery.holder == caller.address:
        return service.members.get(require_passport(service.index, passport).passport.custodian)
    return access.relayer_for(service, caller, passport)


def _member(caller: access.Subject) -> Member:
    if isinstance(caller, Member):
        return caller
    raise NotPermitted("this needs the holder's signature, or a member", fix="Send the holder's signature.")


def _holder(service: Service, passport: PassportId) -> HolderOut:
    return holder_out(service.holders.get(passport))
