"""Sign-ins: a holder by answering a challenge with the holder key, a member by a signed request."""

from __future__ import annotations

import time

from fastapi import APIRouter, Request

from api.auth import DOCUMENTED, verify_signature
from api.dependencies import BodyDep, Fresh, ServiceDep, SessionsDep, SettingsDep
from api.routes.documented import PREPARE
from api.schemas.base import utc
from api.schemas.sessions import ChallengeIn, ChallengeOut, SessionOut, SignInIn
from api.sessions import HOLDER, MEMBER, Sessions
from api.settings import ApiSettings
from ledger.domain.records import HolderKey
from ledger.encoding.hexadecimal import bytes32, from_hex, to_hex
from ledger.encoding.typed_data import sign_in_typed_data
from ledger.errors import NotAuthenticated, SignatureExpired, SignatureRejected
from ledger.service import Service

router = APIRouter(prefix="/v1/sessions", tags=["sessions"], dependencies=[Fresh])


@router.post("/challenges", responses=PREPARE)
def issue_challenge(
    body: ChallengeIn, request: Request, service: ServiceDep, sessions: SessionsDep, settings: SettingsDep
) -> ChallengeOut:
    """
    Return what a holder signs to sign in here. Good once, and for a few minutes.

    For everybody.
    """
    holder = body.holder.lower()
    origin = settings.origin_for(request.headers.get("host", ""))
    challenge, expires_at = sessions.issue_challenge(holder, ttl_seconds=settings.challenge_seconds)
    typed_data = sign_in_typed_data(
        service.chain.domain(), holder=holder, origin=origin, challenge=challenge, expires_at=expires_at
    )
    return ChallengeOut(typed_data=typed_data, challenge=to_hex(challenge), expires_at=utc(expires_at))


@router.post("", status_code=201, responses=PREPARE, dependencies=DOCUMENTED)
def sign_in(
    raw: BodyDep,
    request: Request,
    service: ServiceDep,
    sessions: SessionsDep,
    settings: SettingsDep,
    body: SignInIn | None = None,
) -> SessionOut:
    """
    Sign in: a holder with the answer to a challenge; a member with a signed request and no body.

    For everybody with a key of the ledger. The code is good for reading, and for a holder's own consents.
    """
    origin = settings.origin_for(request.headers.get("host", ""))
    if body is not None:
        holder = answered_by(body, service=service, sessions=sessions, origin=origin)
        return _session(sessions, HOLDER, holder, settings)
    if "signature-input" not in request.headers:
        raise NotAuthenticated(
            "send the answer to a challenge, or sign the request",
            fix="Use `passport holder sign-in` or `passport member sign-in`.",
        )
    member = verify_signature(request, raw, service=service, sessions=sessions, origin=origin)
    return _session(sessions, MEMBER, to_hex(member.signing_key), settings)


def answered_by(body: SignInIn, *, service: Service, sessions: Sessions, origin: str) -> HolderKey:
    """
    Return the holder that answered a challenge.

    Raises:
        SignatureRejected: The challenge is not known (any more), or somebody else signed.
        SignatureExpired: The challenge has ended.
    """
    challenge = bytes32(body.challenge, field="challenge")
    issued = sessions.consume_challenge(challenge)
    if issued is None:
        raise SignatureRejected(
            "this challenge was never issued here, or was answered before",
            fix="Ask for a new one: POST /v1/sessions/challenges.",
        )
    holder, expires_at = issued
    if expires_at <= time.time():
        raise SignatureExpired("the challenge has ended", fix="Ask for a new one and answer it at once.")
    typed_data = sign_in_typed_data(
        service.chain.domain(), holder=holder, origin=origin, challenge=challenge, expires_at=expires_at
    )
    if holder != body.holder.lower():
        raise _not_answered(origin)
    try:
        service.signatures.check(holder, typed_data, from_hex(body.signature))
    except SignatureRejected as error:
        raise _not_answered(origin) from error
    return holder


def _not_answered(origin: str) -> SignatureRejected:
    return SignatureRejected(
        "the challenge was not answered with this holder's key",
        fix=f"Sign with the holder key, for {origin} and this ledger.",
    )


def _session(sessions: Sessions, kind: str, subject: str, settings: ApiSettings) -> SessionOut:
    code, expires_at = sessions.create(kind, subject, ttl_seconds=settings.session_seconds)
    return SessionOut(code=code, expires_at=utc(expires_at))
