"""
Errors as RFC 9457 problems. The only place that knows which error has which HTTP status.

A problem never carries a record, a key, a salt, a stack trace or the caller's own words back.
"""

from __future__ import annotations

import json
import re
import secrets
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import structlog
from fastapi import FastAPI, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from ledger.errors import (
    ChainError,
    ConfigurationError,
    Conflict,
    InvalidInput,
    LedgerError,
    MalformedRecord,
    NodeUnreachable,
    NotAuthenticated,
    NotFound,
    NotPermitted,
    SignatureExpired,
    SignatureRejected,
    SignatureReplayed,
    StoreUnavailable,
    TooLarge,
    TransactionPending,
    UnknownCode,
    UnknownRevert,
    VerificationError,
)

MEDIA_TYPE: Final = "application/problem+json"
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of problem: its stable code, its HTTP status, what it is called, and what to do about it."""

    code: str
    status: int
    title: str
    fix: str
    retryable: bool = False


def _of(error: type[LedgerError], status: int, title: str) -> Kind:
    return Kind(error.code, status, title, error.fix, error.retryable)


#: Every kind of problem this service answers with.
KINDS: Final[dict[str, Kind]] = {
    kind.code: kind
    for kind in (
        _of(LedgerError, 500, "Something went wrong"),
        _of(InvalidInput, 422, "The request is not right"),
        _of(UnknownCode, 422, "There is no such code"),
        _of(MalformedRecord, 422, "The record cannot be read"),
        _of(TooLarge, 413, "That is too much at once"),
        _of(SignatureRejected, 401, "The signature does not fit"),
        _of(SignatureExpired, 401, "The signature is too old"),
        _of(SignatureReplayed, 401, "The signature was used before"),
        _of(NotAuthenticated, 401, "Nobody we know asked for this"),
        _of(NotPermitted, 403, "Not allowed"),
        _of(NotFound, 404, "Not found"),
        _of(Conflict, 409, "The state does not allow this"),
        _of(VerificationError, 500, "What was found is not what the ledger says"),
        _of(ChainError, 502, "The chain did not do it"),
        _of(NodeUnreachable, 503, "The node does not answer"),
        _of(TransactionPending, 504, "Not mined yet"),
        _of(UnknownRevert, 502, "The contract refused for an unknown reason"),
        _of(StoreUnavailable, 503, "The database does not take it"),
        _of(ConfigurationError, 500, "The service is not set up"),
        Kind(
            "idempotency-key-missing",
            400,
            "The Idempotency-Key is missing",
            "Send the header Idempotency-Key with 1 to 128 visible characters of your own choice, new for each change.",
        ),
        Kind(
            "idempotency-key-reused",
            422,
            "The Idempotency-Key was used for another request",
            "Send a new Idempotency-Key; the same key repeats the same request only.",
        ),
        Kind(
            "malformed-body",
            400,
            "The body cannot be read",
            "Send JSON in UTF-8 with Content-Type application/json.",
        ),
        Kind(
            "unknown-host", 421, "Wrong host name", "Use the host name under which the service is published."
        ),
        Kind(
            "cross-site",
            403,
            "The request came from another site",
            "Send the form from the service's own page.",
        ),
        Kind(
            "no-such-route", 404, "There is nothing at this address", "GET /openapi.json lists every address."
        ),
        Kind("method-not-allowed", 405, "Not this way", "Use one of the methods in the Allow header."),
        Kind(
            "not-ready",
            503,
            "Not ready",
            "Wait until the named checks pass, or correct what they name.",
            retryable=True,
        ),
        Kind("internal", 500, "Something went wrong", "Report the trace id to the operator of this service."),
    )
}

_CODE_OF_STATUS: Final = {
    400: "malformed-body",
    404: "no-such-route",
    405: "method-not-allowed",
    413: "too-large",
}
#: Tags of the unions in request bodies: part of the place of a validation error, not of the JSON.
UNION_TAGS: Final = frozenset({"one", "several", "signed", "assisted", "filed"})
_UNKNOWN_CODE_TYPE: Final = "unknown_code"


class FieldError(BaseModel):
    """One thing that is wrong with a request."""

    pointer: str | None = Field(default=None, description="JSON pointer into the body.")
    parameter: str | None = Field(default=None, description="Parameter in the path, query or headers.")
    detail: str


class Problem(BaseModel):
    """What every error looks like (RFC 9457)."""

    type: str = Field(description="Address of a page that explains this kind of problem.")
    title: str
    status: int
    detail: str = Field(description="What is wrong this time.")
    code: str = Field(description="Stable name of the kind of problem; the last part of `type`.")
    fix: str = Field(description="What you can do about it.")
    retryable: bool = Field(description="True if the very same request may succeed later.")
    instance: str | None = Field(default=None, description="Path of the request.")
    errors: list[FieldError] | None = None
    checks: dict[str, str | None] | None = None
    traceId: str | None = None  # noqa: N815 - the name in the JSON


def problem_type(code: str) -> str:
    """Return the type URI of a kind of problem: a page of this service."""
    return f"/problems/{code}"


def kind_of(code: str) -> Kind:
    """Return a kind by its code; one that this version does not know is an error of the chain."""
    return KINDS.get(code, KINDS[ChainError.code])


def respond(problem: Problem, *, headers: Mapping[str, str] | None = None) -> Response:
    """Return a problem as a response."""
    # ASCII, so that no text whatever can fail to be encoded.
    body = json.dumps(problem.model_dump(exclude_none=True)).encode()
    extra = dict(headers or {})
    if problem.status == KINDS[NotAuthenticated.code].status:
        extra["WWW-Authenticate"] = 'Signature, Bearer realm="passport"'
    if problem.retryable:
        extra["Retry-After"] = "5"
    return Response(body, status_code=problem.status, media_type=MEDIA_TYPE, headers=extra)


def problem_of(
    code: str,
    detail: str,
    *,
    fix: str | None = None,
    instance: str | None = None,
    errors: list[FieldError] | None = None,
    checks: dict[str, str | None] | None = None,
    trace_id: str | None = None,
) -> Problem:
    """Put a problem together."""
    kind = kind_of(code)
    return Problem(
        type=problem_type(kind.code),
        title=kind.title,
        status=kind.status,
        detail=detail,
        code=kind.code,
        fix=fix or kind.fix,
        retryable=kind.retryable,
        instance=instance,
        errors=errors,
        checks=checks,
        traceId=trace_id,
    )


def of_error(error: LedgerError, *, instance: str | None = None) -> Problem:
    """Tell an error of the ledger as a problem."""
    field = error.details.get("field")
    errors = [FieldError(pointer=f"/{field}", detail=error.message)] if isinstance(field, str) else None
    return problem_of(error.kind, error.message, fix=error.advice, instance=instance, errors=errors)


def of_stored(error: Mapping[str, Any]) -> Problem:
    """Tell the error of a failed operation, as the journal keeps it, as a problem."""
    return problem_of(str(error.get("code", "")), str(error.get("message", "")), fix=error.get("fix"))


def of_validation(errors: Sequence[Mapping[str, Any]], *, instance: str | None = None) -> Problem:
    """Tell what validation found wrong as a problem."""
    if any(error["type"] == "json_invalid" for error in errors):
        return problem_of("malformed-body", "the body is not JSON", instance=instance)
    found = [_field_error(error) for error in errors]
    unknown = all(error["type"] == _UNKNOWN_CODE_TYPE for error in errors)
    where = found[0].pointer or found[0].parameter or "the request"
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    code = UnknownCode.code if unknown else InvalidInput.code
    return problem_of(code, f"{where}: {found[0].detail}{more}", instance=instance, errors=found)


def unexpected(error: Exception, *, instance: str) -> Problem:
    """Log an error that nobody foresaw, and return a problem that tells nothing but where to find it."""
    trace_id = secrets.token_hex(16)
    # The bare trace: a renderer that adds the values of variables would write patients' data into the log.
    trace = "".join(traceback.format_exception(error))
    _log.error("unexpected error", path=instance, trace_id=trace_id, traceback=trace)
    return problem_of("internal", "the service made a mistake", instance=instance, trace_id=trace_id)


def responses(*errors: type[LedgerError] | str) -> dict[int | str, dict[str, Any]]:
    """Return the `responses=` of a route: the problems it can answer with, by status."""
    codes = [error if isinstance(error, str) else error.code for error in errors]
    kinds = [KINDS[code] for code in dict.fromkeys((*codes, InvalidInput.code))]
    documented: dict[int | str, dict[str, Any]] = {}
    for kind in kinds:
        entry = documented.setdefault(kind.status, {"model": Problem, "description": "", "content": {}})
        examples = entry["content"].setdefault(MEDIA_TYPE, {"examples": {}})["examples"]
        entry["description"] += ("; " if entry["description"] else "") + kind.title
        example = problem_of(kind.code, kind.title)
        examples[kind.code] = {"summary": kind.title, "value": example.model_dump(exclude_none=True)}
    return documented


def install(app: FastAPI) -> None:
    """Answer every error of the app with a problem."""
    # Starlette wants handlers of any Exception; it calls each with its own kind alone.
    app.add_exception_handler(LedgerError, _ledger_error)  # type: ignore[arg-type]
    app.add_exception_handler(RequestValidationError, _validation_error)  # type: ignore[arg-type]
    app.add_exception_handler(HTTPException, _http_error)  # type: ignore[arg-type]


async def _ledger_error(request: Request, error: LedgerError) -> Response:
    path = request.url.path
    problem = of_error(error, instance=path)
    if problem.status in (KINDS[NotAuthenticated.code].status, KINDS[NotPermitted.code].status):
        _log.warning("refused", method=request.method, path=path, code=problem.code)
    return await _page_or_problem(request, problem)


async def _validation_error(request: Request, error: RequestValidationError) -> Response:
    return await _page_or_problem(request, of_validation(error.errors(), instance=request.url.path))


async def _http_error(request: Request, error: HTTPException) -> Response:
    code = _CODE_OF_STATUS.get(error.status_code, "malformed-body")
    problem = problem_of(code, KINDS[code].title, instance=request.url.path)
    return await _page_or_problem(request, problem, headers=error.headers)


async def _page_or_problem(
    request: Request, problem: Problem, *, headers: Mapping[str, str] | None = None
) -> Response:
    """People get a page, programs get the problem; under /v1 everybody is a program."""
    render = getattr(request.app.state, "problem_page", None)
    if (
        render is None
        or request.url.path.startswith("/v1/")
        or "text/html" not in request.headers.get("accept", "")
    ):
        return respond(problem, headers=headers)
    # The page tells who looks at it, which the database knows.
    page: Response = await run_in_threadpool(render, request, problem)
    page.headers.update(headers or {})
    return page


def _field_error(error: Mapping[str, Any]) -> FieldError:
    place, *rest = error["loc"]
    detail = re.sub(r"\AValue error, ", "", str(error["msg"]))
    if place != "body":
        return FieldError(parameter=str(rest[0]) if rest else str(place), detail=detail)
    parts = [str(part).replace("~", "~0").replace("/", "~1") for part in rest if part not in UNION_TAGS]
    return FieldError(pointer="".join(f"/{part}" for part in parts), detail=detail)
