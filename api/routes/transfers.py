"""Transfers: copies of one record or of many that move between members, recorded by both sides."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from api import access
from api.auth import DOCUMENTED, EitherDep, MemberDep, SignedMemberDep
from api.dependencies import After, Fresh, Limit, ServiceDep, link_next
from api.paging import page_of
from api.routes.documented import PUBLIC, READ, READ_CHAIN, WRITE
from api.routes.ids import Id, passport_id, transfer_id
from api.schemas.releases import ReleaseOut, release_out
from api.schemas.transfers import (
    ConsignmentIn,
    ContentList,
    DiscrepancyList,
    EvidenceIn,
    InspectionIn,
    ItemList,
    LoadIn,
    PassportTransfers,
    ReasonsIn,
    ReceiptIn,
    ReportIn,
    ShipmentIn,
    TransferList,
    TransferOut,
    content_out,
    discrepancy_out,
    item_out,
    proof_out,
    transfer_out,
)
from api.writes import Identity, WriteDep, event_named
from ledger.domain.records import Commitment, TransferId
from ledger.encoding.hexadecimal import bytes32
from ledger.ports import Operation, TransferRecord
from ledger.service import Service
from ledger.service.transfers import MAX_ITEMS

router = APIRouter(prefix="/v1/transfers", tags=["transfers"], dependencies=[Fresh, *DOCUMENTED])
of_passports = APIRouter(prefix="/v1/passports", tags=["transfers"], dependencies=[Fresh, *DOCUMENTED])
discrepancies = APIRouter(prefix="/v1/discrepancies", tags=["transfers"], dependencies=[Fresh])

AfterPlace = Annotated[
    int, Query(ge=-1, le=2**32 - 1, description="Number of the last leaf of the page before.", examples=[99])
]
Waiting = Annotated[
    bool, Query(description="Only those that wait for an inspection by the caller, a regulator.")
]
FewAtOnce = Annotated[int, Query(ge=1, le=MAX_ITEMS, description="How many at most.", examples=[20])]


@router.post("", status_code=201, response_model=TransferOut, responses=WRITE)
def ship(body: ShipmentIn, actor: MemberDep, service: ServiceDep, write: WriteDep) -> Response:
    """
    Ship a record under a permit to transfer; a permit is good for one transfer.

    A copy is sent whole: if the permit names days and the record holds something of others, the answer is 409.

    For the custodian.
    """
    operation = write.once(
        lambda identity: service.transfers.ship(
            actor, passport_id(body.passport_id), body.decision, idempotency=identity
        )[1]
    )
    return write.answer(
        operation,
        lambda events: _told(
            service, TransferId(event_named(events, "TransferShipped").arguments["transferId"])
        ),
    )


@router.post("/declarations", status_code=201, response_model=TransferOut, responses=WRITE)
def declare_transfer(body: ConsignmentIn, actor: MemberDep, service: ServiceDep, write: WriteDep) -> Response:
    """
    Declare a transfer of many records under an agreement. What breaks a rule is on record too, as REFUSED.

    For the provider of the agreement.
    """
    operation = write.once(
        lambda identity: service.transfers.declare(actor, body.to_plan(), idempotency=identity)[1]
    )
    return write.answer(
        operation,
        lambda events: _told(
            service, TransferId(event_named(events, "TransferDeclared").arguments["transferId"])
        ),
    )


@router.get("", responses=READ)
def list_transfers(
    request: Request,
    response: Response,
    actor: MemberDep,
    service: ServiceDep,
    limit: Limit = 100,
    after: After = None,
    *,
    waiting: Waiting = False,
) -> TransferList:
    """
    List what the calling member sent and received, newest first; or what waits for its inspection, oldest first.

    For members.
    """
    found: Sequence[TransferRecord]
    if waiting:
        found, cursor = page_of(
            service.transfers.awaiting(actor, access.now_of(service)),
            lambda record: record.begun,
            after=after,
            limit=limit,
        )
    else:
        found, cursor = service.transfers.of(actor, after=after, limit=limit)
    link_next(request, response, cursor)
    return TransferList(items=[_out(service, record) for record in found], next=cursor)


@router.get("/{transfer}", responses=READ)
def get_transfer(transfer: Id, actor: MemberDep, service: ServiceDep) -> TransferOut:
    """
    Return a transfer.

    For its sender, its recipient, regulators and auditors.
    """
    return _out(service, access.transfer_for(actor, service.transfers.get(transfer_id(transfer))))


@router.get("/{transfer}/content", responses=READ_CHAIN)
def collect(transfer: Id, actor: SignedMemberDep, service: ServiceDep) -> ReleaseOut:
    """
    Return what was shipped of one record, its keys sealed to the recipient.

    For the recipient; the request itself must be signed.
    """
    return release_out(service.transfers.collect(actor, transfer_id(transfer)))


@router.get("/{transfer}/contents", responses=READ_CHAIN)
def collect_many(
    transfer: Id, actor: SignedMemberDep, service: ServiceDep, after: AfterPlace = -1, limit: FewAtOnce = 20
) -> ContentList:
    """
    Return what was shipped of many records, in the order of the tree. Each decision is checked again.

    For the recipient; the request itself must be signed.
    """
    found = service.transfers.collect_many(actor, transfer_id(transfer), after=after, limit=limit)
    following = str(found[-1][0].place) if len(found) == limit else None
    return ContentList(items=[content_out(item, release) for item, release in found], next=following)


@router.get("/{transfer}/items", responses=READ)
def list_items(
    transfer: Id, actor: MemberDep, service: ServiceDep, after: AfterPlace = -1, limit: Limit = 100
) -> ItemList:
    """
    List the records of a transfer of many, in the order of its tree.

    For its sender, its recipient, regulators and auditors.
    """
    record = access.transfer_for(actor, service.transfers.get(transfer_id(transfer)))
    items = service.index.transfer_items(record.transfer.transfer_id, after=after, limit=limit)
    following = str(items[-1].place) if len(items) == limit else None
    return ItemList(items=[item_out(item) for item in items], next=following)


@router.post("/{transfer}/inspection", status_code=201, response_model=TransferOut, responses=WRITE)
def inspect_transfer(
    transfer: Id, body: InspectionIn, actor: MemberDep, service: ServiceDep, write: WriteDep
) -> Response:
    """
    Release a transfer that crosses a border after an inspection, or refuse it.

    For regulators of the sender's country that are no side of it.
    """
    return _changed(
        service,
        write,
        transfer,
        lambda name, identity: service.transfers.inspect(
            actor, name, released=body.released, report=body.report, idempotency=identity
        ),
    )


@router.post("/{transfer}/loads", status_code=201, response_model=TransferOut, responses=WRITE)
def load_transfer(
    transfer: Id, body: LoadIn, actor: MemberDep, service: ServiceDep, write: WriteDep
) -> Response:
    """
    Load up to 100 records, each under a permit of the recipient's, which is used up.

    A copy is sent whole: if a permit names days and its record holds something of others, the answer is 409.

    For its sender.
    """
    return _changed(
        service,
        write,
        transfer,
        lambda name, identity: service.transfers.load(actor, name, body.to_permits(), idempotency=identity),
    )


@router.post("/{transfer}/shipment", status_code=201, response_model=TransferOut, responses=WRITE)
def ship_many(transfer: Id, actor: MemberDep, service: ServiceDep, write: WriteDep) -> Response:
    """
    Ship what was loaded, all that was declared: its Merkle root is on the ledger from then on.

    For its sender.
    """
    return _changed(
        service,
        write,
        transfer,
        lambda name, identity: service.transfers.ship_all(actor, name, idempotency=identity),
    )


@router.post("/{transfer}/receipt", status_code=201, response_model=TransferOut, responses=WRITE)
def receive(
    transfer: Id, body: ReceiptIn, actor: MemberDep, service: ServiceDep, write: WriteDep
) -> Response:
    """
    State what was received. A difference is recorded as a dispute, not refused.

    For the recipient.
    """
    content = Commitment(bytes32(body.content, field="content"))
    return _changed(
        service,
        write,
        transfer,
        lambda name, identity: service.transfers.receive(actor, name, content, idempotency=identity),
    )


@router.post("/{transfer}/halt", status_code=201, response_model=TransferOut, responses=WRITE)
def halt_transfer(
    transfer: Id, body: ReasonsIn, actor: MemberDep, service: ServiceDep, write: WriteDep
) -> Response:
    """
    Stop a transfer of many records for the time being.

    For its sender, and regulators of the sender's country.
    """
    return _changed(
        service,
        write,
        transfer,
        lambda name, identity: service.transfers.halt(actor, name, body.reasons, idempotency=identity),
    )


@router.post("/{transfer}/resumption", status_code=201, response_model=TransferOut, responses=WRITE)
def resume_transfer(transfer: Id, actor: MemberDep, service: ServiceDep, write: WriteDep) -> Response:
    """
    Let a halted transfer go on.

    For whoever halted it, and regulators of the sender's country.
    """
    return _changed(
        service,
        write,
        transfer,
        lambda name, identity: service.transfers.resume(actor, name, idempotency=identity),
    )


@router.post("/{transfer}/termination", status_code=201, response_model=TransferOut, responses=WRITE)
def terminate_transfer(
    transfer: Id, body: ReasonsIn, actor: MemberDep, service: ServiceDep, write: WriteDep
) -> Response:
    """
    Stop a transfer of many records for good, before it is received.

    For its sides, regulators of the sender's country, and any member once what it rests on has lapsed.
    """
    return _changed(
        service,
        write,
        transfer,
        lambda name, identity: service.transfers.terminate(actor, name, body.reasons, idempotency=identity),
    )


@router.post("/{transfer}/reports", status_code=201, response_model=TransferOut, responses=WRITE)
def report_on_transfer(
    transfer: Id, body: ReportIn, actor: MemberDep, service: ServiceDep, write: WriteDep
) -> Response:
    """
    Report on data from abroad; the next report is due 90 days later.

    For the recipient.
    """
    return _changed(
        service,
        write,
        transfer,
        lambda name, identity: service.transfers.report(actor, name, body.report, idempotency=identity),
    )


@router.post("/{transfer}/border-access/end", status_code=201, response_model=TransferOut, responses=WRITE)
def end_border_access(transfer: Id, actor: MemberDep, service: ServiceDep, write: WriteDep) -> Response:
    """
    Take a recipient whose report is overdue off the list of those that may receive data from abroad.

    For members.
    """
    return _changed(
        service,
        write,
        transfer,
        lambda name, identity: service.transfers.end_border_access(actor, name, idempotency=identity),
    )


@router.post("/{transfer}/closure", status_code=201, response_model=TransferOut, responses=WRITE)
def close_transfer(
    transfer: Id, body: EvidenceIn, actor: MemberDep, service: ServiceDep, write: WriteDep
) -> Response:
    """
    State that the caller destroyed or returned what it received.

    For the recipient.
    """
    return _changed(
        service,
        write,
        transfer,
        lambda name, identity: service.transfers.close(actor, name, body.evidence, idempotency=identity),
    )


@of_passports.get("/{passport}/transfers", responses=READ)
def list_transfers_of_passport(passport: Id, caller: EitherDep, service: ServiceDep) -> PassportTransfers:
    """
    List where copies of a passport's data were sent; of those sent among many with the proof for this one.

    For the holder, the custodian, and auditors; the holder is not told of what is sealed while it is.
    """
    wanted = passport_id(passport)
    access.history_for(service, caller, wanted)
    records = service.index.transfers(passport_id=wanted, limit=None)
    return PassportTransfers(
        items=[
            transfer_out(record)
            for record in records
            if record.transfer.consignment is None
            and access.may_tell_decision(service, caller, wanted, record.transfer.seq)
        ],
        among_many=[
            proof_out(proof)
            for proof in service.transfers.proofs_of(wanted)
            if access.may_tell_decision(service, caller, wanted, proof.item.seq)
        ],
    )


@discrepancies.get("", responses=PUBLIC)
def list_discrepancies(
    request: Request, response: Response, service: ServiceDep, limit: Limit = 100, after: After = None
) -> DiscrepancyList:
    """
    List the transfers that do not fit, oldest first.

    Not answered within a week; disputed; shipped with a root that is not that of what was loaded; a report overdue.

    For everybody. It names institutions, and no record.
    """
    found, cursor = page_of(
        service.transfers.discrepancies(access.now_of(service)),
        lambda item: item.record.begun,
        after=after,
        limit=limit,
    )
    link_next(request, response, cursor)
    called = {member.member_id: member.name for member in service.members.all()}
    return DiscrepancyList(
        items=[
            discrepancy_out(
                item,
                sender=called[item.record.transfer.sender],
                recipient=called[item.record.transfer.recipient],
            )
            for item in found
        ],
        next=cursor,
    )


def _changed(
    service: Service, write: WriteDep, transfer: str, change: Callable[[TransferId, Identity], Operation]
) -> Response:
    """Do something to a transfer, and tell it as it is afterwards."""
    name = transfer_id(transfer)
    return write.answer(write.once(lambda identity: change(name, identity)), lambda _: _told(service, name))


def _told(service: Service, name: TransferId) -> TransferOut:
    return _out(service, service.transfers.get(name))


def _out(service: Service, record: TransferRecord) -> TransferOut:
    return transfer_out(
        record,
        description=service.transfers.description_of(record),
        notes=service.transfers.notes_of(record),
    )
