"""
Who is asking: members by HTTP message signatures (RFC 9421), holders and people at pages by a sign-in code.

The caller is worked out anew for every request; nothing about what it may do is cached.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from fastapi import Depends, Request
from fastapi.security import APIKeyCookie, APIKeyHeader, HTTPBearer
from http_message_signatures import HTTPMessageVerifier, HTTPSignatureKeyResolver, InvalidSignature
from http_message_signatures.algorithms import ED25519
from http_message_signatures.exceptions import HTTPMessageSignaturesException
from starlette.datastructures import Headers

from api.dependencies import BodyDep, ServiceDep, SessionsDep, SettingsDep
from api.middleware import COOKIE
from api.sessions import HOLDER, MEMBER, Sessions
from ledger.domain.records import HolderKey, Member
from ledger.domain.vocabulary import MemberStatus
from ledger.encoding.hexadecimal import bytes32
from ledger.errors import (
    InvalidInput,
    NotAuthenticated,
    NotPermitted,
    SignatureExpired,
    SignatureRejected,
    SignatureReplayed,
    StoreUnavailable,
)
from ledger.service import Service

#: Longest time between the signature and its end, and its arrival, in seconds.
MAX_AGE_SECONDS: Final = 300
#: How far a member's clock may be off, in seconds.
CLOCK_SKEW_SECONDS: Final = 30
REQUIRED_COMPONENTS: Final = ("@method", "@target-uri")
_NONCE: Final = re.compile(r"\A[\x21-\x7e]{8,128}\Z")
_SAFE_METHODS: Final = frozenset({"GET", "HEAD"})

# These three put the ways to sign in into the OpenAPI file; the work is done by `caller_of`.
_SIGNATURE = APIKeyHeader(
    name="Signature-Input",
    scheme_name="memberSignature",
    description="HTTP message signature (RFC 9421) with Ed25519 over @method, @target-uri and, with a body, "
    "content-digest; parameters created, expires (at most 300 s later), nonce, keyid (the public key as 0x hex).",
    auto_error=False,
)
_BEARER = HTTPBearer(
    scheme_name="session", description="A sign-in code from POST /v1/sessions.", auto_error=False
)
_COOKIE = APIKeyCookie(
    name=COOKIE,
    scheme_name="sessionCookie",
    description="The same code, as the pages send it.",
    auto_error=False,
)


@dataclass(frozen=True, slots=True)
class Holder:
    """Somebody who has shown a holder key: an account's address, or a verifier and a key after it."""

    address: HolderKey


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is asking: a member or a holder, and whether this very request is signed."""

    subject: Member | Holder
    signed: bool

    @property
    def scope(self) -> str:
        """Return the name under which this caller's idempotency keys are kept."""
        if isinstance(self.subject, Member):
            return f"{MEMBER}:{self.subject.member_id}"
        return f"{HOLDER}:{self.subject.address}"


@dataclass(frozen=True, slots=True)
class _Message:
    """A request as the verifier wants to see it."""

    method: str
    url: str
    headers: Headers


class _UnknownKeyError(InvalidSignature):
    """The key is well formed, but no member's."""


class _ExpiredError(InvalidSignature):
    """Too old, past its end, or from the future."""


class _MemberKeys(HTTPSignatureKeyResolver):
    """Finds the key of a signature among the members' and remembers whose it is."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.member: Member | None = None
        self.trouble: StoreUnavailable | None = None

    def member_found(self) -> Member:
        """Return the member whose key was found; only after a verification that held."""
        assert self.member is not None  # noqa: S101 - the verifier asks for the key before it can agree
        return self.member

    def resolve_public_key(self, key_id: str) -> Ed25519PublicKey:
        try:
            key = bytes32(key_id, field="keyid")
        except InvalidInput as error:
            raise InvalidSignature(error.message) from None
        try:
            member = self.service.index.member_by_signing_key(key)
        except StoreUnavailable as error:
            self.trouble = error  # The verifier takes every error for a signature that does not hold.
            raise
        if member is None or member.status is MemberStatus.NONE:
            raise _UnknownKeyError("no member uses this key")
        self.member = member
        return Ed25519PublicKey.from_public_bytes(key)


class _Verifier(HTTPMessageVerifier):
    max_clock_skew = timedelta(seconds=CLOCK_SKEW_SECONDS)

    def validate_created_and_expires(self, sig_input: Any, max_age: timedelta | None = None) -> None:
        params = sig_input.params
        if "created" not in params or "expires" not in params:
            raise InvalidSignature("the signature must say when it was created and when it expires")
        if not 0 <= params["expires"] - params["created"] <= MAX_AGE_SECONDS:
            raise InvalidSignature(f"the signature may be good for {MAX_AGE_SECONDS} seconds at most")
        try:
            super().validate_created_and_expires(sig_input, max_age=max_age)  # type: ignore[no-untyped-call]
        except InvalidSignature as error:
            raise _ExpiredError(str(error)) from error


def verify_signature(
    request: Request, body: bytes, *, service: Service, sessions: Sessions, origin: str
) -> Member:
    """
    Find the member that signed a request.

    Args:
        request: The request.
        body: Its body; a signature over a request with a body must cover its digest.
        service: Knows the members' keys.
        sessions: Remembers the nonces.
        origin: Where the request was sent to, as the member signed it.

    Raises:
        NotAuthenticated: No member uses the key.
        SignatureRejected: The signature does not fit, or does not cover what it must.
        SignatureExpired: Too old, or from the future.
        SignatureReplayed: Its nonce came before.
        StoreUnavailable: The members' keys cannot be read now.
    """
    keys = _MemberKeys(service)
    verifier = _Verifier(signature_algorithm=ED25519, key_resolver=keys)
    message = _Message(request.method, origin + _target(request), request.headers)
    try:
        (result,) = verifier.verify(
            message,
            max_age=timedelta(seconds=MAX_AGE_SECONDS),
            require_components=REQUIRED_COMPONENTS,
            body=body,
        )
    except _UnknownKeyError as error:
        raise NotAuthenticated(str(error)) from None
    except _ExpiredError as error:
        raise SignatureExpired(str(error), fix="Sign again, and check the clock.") from None
    except HTTPMessageSignaturesException as error:
        if keys.trouble is not None:
            raise keys.trouble from None
        raise SignatureRejected(
            f"the request's signature does not hold: {_reason(error)}",
            fix=f"Sign @method, @target-uri (it begins with {origin}) and, with a body, content-digest.",
        ) from None
    _claim(sessions, str(result.parameters["keyid"]), result.nonce, int(result.parameters["expires"]))
    return keys.member_found()


def caller_of(
    request: Request, body: BodyDep, service: ServiceDep, sessions: SessionsDep, settings: SettingsDep
) -> Caller:
    """
    Work out who is asking.

    Raises:
        NotAuthenticated: Neither a signature nor a sign-in code that is in force.
        SignatureRejected: There is a signature, and it does not hold.
    """
    if "signature" in request.headers or "signature-input" in request.headers:
        origin = settings.origin_for(request.headers.get("host", ""))
        member = verify_signature(request, body, service=service, sessions=sessions, origin=origin)
        return Caller(member, signed=True)
    code = sign_in_code(request)
    subject = subject_of(code, service=service, sessions=sessions) if code else None
    if subject is None:
        raise NotAuthenticated(
            "the request is neither signed nor does it carry a sign-in code that is in force"
        )
    return Caller(subject, signed=False)


def sign_in_code(request: Request) -> str | None:
    """Return the sign-in code a request carries, as a bearer token or as the cookie of the pages."""
    scheme, _, code = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and code:
        return code.strip()
    return request.cookies.get(COOKIE)


def subject_of(code: str, *, service: Service, sessions: Sessions) -> Member | Holder | None:
    """Return whom a sign-in code stands for; None if it is not in force."""
    found = sessions.lookup(code)
    if found is None:
        return None
    kind, subject = found
    if kind == HOLDER:
        return Holder(subject)
    return service.index.member(int(subject)) if kind == MEMBER else None


def member_of(request: Request, caller: CallerDep) -> Member:
    """
    Return the member that is asking.

    Raises:
        NotPermitted: A holder is asking.
        NotAuthenticated: The request changes something and is not itself signed.
    """
    if not isinstance(caller.subject, Member):
        raise NotPermitted(
            "this is for members of the ledger", fix="Ask the institution that keeps your data."
        )
    if request.method not in _SAFE_METHODS and not caller.signed:
        raise NotAuthenticated("a sign-in code is good for reading; a member signs each change")
    return caller.subject


def signed_member_of(caller: CallerDep) -> Member:
    """
    Return the member that signed this very request: for reads that hand something over.

    Raises:
        NotPermitted: A holder is asking.
        NotAuthenticated: The request is not itself signed.
    """
    if not isinstance(caller.subject, Member):
        raise NotPermitted(
            "this is for members of the ledger", fix="Ask the institution that keeps your data."
        )
    if not caller.signed:
        raise NotAuthenticated("a member signs each request for data")
    return caller.subject


def either_of(request: Request, caller: CallerDep) -> Member | Holder:
    """
    Return the member or the holder that is asking.

    Raises:
        NotAuthenticated: A member changes something with a request that is not signed.
    """
    if isinstance(caller.subject, Holder):
        return caller.subject
    return member_of(request, caller)


CallerDep = Annotated[Caller, Depends(caller_of)]
MemberDep = Annotated[Member, Depends(member_of)]
SignedMemberDep = Annotated[Member, Depends(signed_member_of)]
EitherDep = Annotated[Member | Holder, Depends(either_of)]

#: For routes that need to know that somebody known is asking, but not who.
KNOWN: Final = Depends(either_of)
MEMBERS: Final = Depends(member_of)

#: For routers: tells the OpenAPI file how to sign in.
DOCUMENTED: Final = [Depends(_SIGNATURE), Depends(_BEARER), Depends(_COOKIE)]


def _target(request: Request) -> str:
    path = request.scope.get("raw_path") or request.url.path.encode()
    query = request.scope["query_string"]
    return (path + (b"?" + query if query else b"")).decode("latin-1")


def _claim(sessions: Sessions, key_id: str, nonce: str | None, expires: int) -> None:
    if nonce is None or not _NONCE.match(nonce):
        raise SignatureRejected("the signature needs a nonce of 8 to 128 visible characters")
    # A little longer than the signature can be accepted, so that there is no gap at the end.
    until = expires + 2 * CLOCK_SKEW_SECONDS
    if not sessions.claim_nonce(f"signature:{key_id.lower()}", nonce, float(until)):
        raise SignatureReplayed("this signed request came before")


def _reason(error: Exception) -> str:
    """Return the verifier's own words; a failed check of the cryptography has none."""
    return str(error) or "it was not made over this request with this key"
