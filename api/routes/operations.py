"""Operations: writes and how far they have come."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path

from api.auth import DOCUMENTED, EitherDep, Holder
from api.dependencies import Fresh, ServiceDep
from api.routes.documented import READ
from api.schemas.operations import OperationOut
from api.writes import tell
from ledger.domain.records import Member
from ledger.errors import NotFound
from ledger.ports import Operation
from ledger.service import Service

router = APIRouter(prefix="/v1/operations", tags=["operations"], dependencies=[Fresh, *DOCUMENTED])

OperationPath = Annotated[
    str,
    Path(
        pattern=r"^[0-9a-f]{32}$", examples=["5f8d0c2b7a914e63b1d4f0a2c6e89357"], description="From Location."
    ),
]


@router.get("/{operation}", responses=READ)
def get_operation(operation: OperationPath, caller: EitherDep, service: ServiceDep) -> OperationOut:
    """
    Return a write and how far it has come.

    For the member whose account signs it; for a holder, what the own custodian relays.
    """
    found = service.writer.operation(operation)
    if found is None or not _concerns(service, caller, found):
        raise NotFound(f"there is no operation {operation}", fix="Ask with the caller that started it.")
    return tell(service, found)


def _concerns(service: Service, caller: Member | Holder, operation: Operation) -> bool:
    if isinstance(caller, Member):
        return operation.signer.lower() == caller.signer.lower()
    passports, _ = service.index.passports(holder=caller.address)
    custodians = [service.index.member(record.passport.custodian) for record in passports]
    relays_for_holder = operation.function in ("grant", "revoke")
    return relays_for_holder and any(
        member is not None and member.signer.lower() == operation.signer.lower() for member in custodians
    )
