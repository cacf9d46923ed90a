"""Operations: writes and how far they have come."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path

from api.auth import DOCUMENTED, Caller, CallerDep
from api.dependencies import Fresh, ServiceDep
from api.routes.documented import READ
from api.schemas.operations import OperationOut
from api.writes import tell
from ledger.domain.records import Member
from ledger.errors import NotFound
from ledger.ports import Operation

router = APIRouter(prefix="/v1/operations", tags=["operations"], dependencies=[Fresh, *DOCUMENTED])

OperationPath = Annotated[
    str,
    Path(
        pattern=r"^[0-9a-f]{32}$", examples=["5f8d0c2b7a914e63b1d4f0a2c6e89357"], description="From Location."
    ),
]


@router.get("/{operation}", responses=READ)
def get_operation(operation: OperationPath, caller: CallerDep, service: ServiceDep) -> OperationOut:
    """
    Return a write and how far it has come.

    For whoever asked for it, and the member whose account signs it.
    """
    found = service.writer.operation(operation)
    if found is None or not (found.scope == caller.scope or _is_signer(caller, found)):
        raise NotFound(f"there is no operation {operation}", fix="Ask with the caller that started it.")
    return tell(service, found)


def _is_signer(caller: Caller, operation: Operation) -> bool:
    member = caller.subject
    return isinstance(member, Member) and operation.signer.lower() == member.signer.lower()
