"""Transfers: copies that move between members, recorded by both sides."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import Response

from api import access
from api.auth import DOCUMENTED, MemberDep, SignedMemberDep
from api.dependencies import Fresh, Limit, ServiceDep
from api.routes.documented import READ, READ_CHAIN, WRITE
from api.routes.ids import Id, passport_id, transfer_id
from api.schemas.releases import ReleaseOut, release_out
from api.schemas.transfers import ReceiptIn, ShipmentIn, TransferList, TransferOut, transfer_out
from api.writes import WriteDep, event_named
from ledger.domain.records import Commitment, TransferId
from ledger.encoding.hexadecimal import bytes32

router = APIRouter(prefix="/v1/transfers", tags=["transfers"], dependencies=[Fresh, *DOCUMENTED])


@router.post("", status_code=201, response_model=TransferOut, responses=WRITE)
def ship(body: ShipmentIn, actor: MemberDep, service: ServiceDep, write: WriteDep) -> Response:
    """
    Ship a record under a permit to transfer; a permit is good for one transfer.

    For the custodian.
    """
    operation = write.once(
        lambda identity: service.transfers.ship(
            actor, passport_id(body.passport_id), body.decision, idempotency=identity
        )[1]
    )
    return write.answer(
        operation,
        lambda events: transfer_out(
            service.transfers.get(TransferId(event_named(events, "TransferShipped").arguments["transferId"]))
        ),
    )


@router.get("", responses=READ)
def list_transfers(actor: MemberDep, service: ServiceDep, limit: Limit = 100) -> TransferList:
    """
    List what the calling member sent and received, newest first.

    For members.
    """
    return TransferList(items=[transfer_out(record) for record in service.transfers.of(actor, limit=limit)])


@router.get("/{transfer}", responses=READ)
def get_transfer(transfer: Id, actor: MemberDep, service: ServiceDep) -> TransferOut:
    """
    Return a transfer.

    For its sender, its recipient, and auditors.
    """
    return transfer_out(access.transfer_for(actor, service.transfers.get(transfer_id(transfer))))


@router.get("/{transfer}/content", responses=READ_CHAIN)
def collect(transfer: Id, actor: SignedMemberDep, service: ServiceDep) -> ReleaseOut:
    """
    Return what was shipped, its keys sealed to the recipient.

    For the recipient; the request itself must be signed.
    """
    return release_out(service.transfers.collect(actor, transfer_id(transfer)))


@router.post("/{transfer}/receipt", status_code=201, response_model=TransferOut, responses=WRITE)
def receive(
    transfer: Id, body: ReceiptIn, actor: MemberDep, service: ServiceDep, write: WriteDep
) -> Response:
    """
    State what was received. A difference is recorded as a dispute, not refused.

    For the recipient.
    """
    content = Commitment(bytes32(body.content, field="content"))
    operation = write.once(
        lambda identity: service.transfers.receive(
            actor, transfer_id(transfer), content, idempotency=identity
        )
    )
    return write.answer(operation, lambda _: transfer_out(service.transfers.get(transfer_id(transfer))))
