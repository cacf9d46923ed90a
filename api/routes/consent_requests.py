"""Consent asked for by the member that would be its recipient."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import Response

from api.auth import DOCUMENTED, MemberDep
from api.dependencies import Fresh, ServiceDep
from api.routes.documented import WRITE
from api.routes.grants import grant_of
from api.routes.ids import passport_id
from api.schemas.grants import GrantOut, RequestIn
from api.writes import WriteDep, event_named
from ledger.domain.records import GrantId

router = APIRouter(prefix="/v1/consent-requests", tags=["grants"], dependencies=[Fresh, *DOCUMENTED])


@router.post("", status_code=201, response_model=GrantOut, responses=WRITE)
def ask_for_consent(body: RequestIn, actor: MemberDep, service: ServiceDep, write: WriteDep) -> Response:
    """
    Ask a holder for consent. Nothing is granted: the holder gives it, narrows it first, or refuses.

    For members; the recipient is the member that asks. The terms proposed stay with the service, the ledger holds a
    commitment.
    """
    operation = write.once(
        lambda identity: service.consents.ask(
            actor, passport_id(body.passport_id), body.to_words(), idempotency=identity
        )
    )
    return write.answer(
        operation,
        lambda events: grant_of(
            service, GrantId(event_named(events, "ConsentRequested").arguments["grantId"])
        ),
    )
