"""Provenance: where data came from and where it went."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from api import access
from api.auth import DOCUMENTED, EitherDep
from api.dependencies import After, Fresh, Limit, ServiceDep, link_next
from api.routes.documented import READ
from api.routes.ids import Id, passport_id
from api.schemas.provenance import HistoryOut, history_out

router = APIRouter(prefix="/v1/provenance", tags=["provenance"], dependencies=[Fresh, *DOCUMENTED])


@router.get("/{passport}", responses=READ)
def get_history(
    passport: Id,
    request: Request,
    response: Response,
    caller: EitherDep,
    service: ServiceDep,
    limit: Limit = 100,
    after: After = None,
) -> HistoryOut:
    """
    Return a passport, who holds copies of its data, and everything the ledger recorded about it, oldest first.

    For its custodian, its holder, and auditors. What is sealed is left out for the holder, until it opens; that it was,
    the access log tells.
    """
    record = access.history_for(service, caller, passport_id(passport))
    history = service.provenance.of(record.passport.passport_id, after=after, limit=limit)
    link_next(request, response, history.next_cursor)
    return history_out(access.told_history(service, caller, history))
