"""
One HTTP call: signed anew each time it is sent, tried again while that can help, and its problem read as an error.

A write keeps its idempotency key over all attempts, so that it happens once however often it is sent.
"""

from __future__ import annotations

import inspect
import json
import time
from dataclasses import dataclass, field
from typing import Any, Final

import httpx2

from ledger import errors
from ledger.client.keys import MemberKeys
from ledger.client.signing import sign_headers
from ledger.errors import InvalidInput, LedgerError, NodeUnreachable, TransactionPending

_ACCEPTED: Final = 202
#: Where an act of the committee waits: nothing that the chain would still do by itself.
_ACTS: Final = "/v1/acts/"
#: What a page comes as, where one was asked for.
_PAGE: Final = "text/markdown"
_TRY_AGAIN: Final = (502, 503, 504)
_FIRST_ERROR: Final = 400
_FIRST_DELAY_SECONDS: Final = 0.1
_LONGEST_DELAY_SECONDS: Final = 2.0
#: How long a write that the service has taken is waited for, at least.
_PENDING_SECONDS: Final = 60.0
#: The service waits up to 20 s for the chain before it answers.
_TIMEOUT: Final = httpx2.Timeout(60.0, connect=5.0)

_ERROR_OF_CODE: Final[dict[str, type[LedgerError]]] = {
    kind.code: kind
    for _, kind in inspect.getmembers(errors, inspect.isclass)
    if issubclass(kind, LedgerError)
}
_ERROR_OF_STATUS: Final[dict[int, type[LedgerError]]] = {
    400: errors.InvalidInput,
    401: errors.NotAuthenticated,
    403: errors.NotPermitted,
    404: errors.NotFound,
    409: errors.Conflict,
    413: errors.TooLarge,
    422: errors.InvalidInput,
    502: errors.ChainError,
    503: errors.NodeUnreachable,
    504: errors.TransactionPending,
}


@dataclass(slots=True)
class Transport:
    """
    The way to one service.

    Attributes:
        base_url: Where the service is, without a path.
        credentials: A member's keys, the code of a session, or None for what everybody may read.
        patience: For how many seconds to try again while the service or its node does not answer.
        http: The connection pool; tests give their own.
    """

    base_url: str
    credentials: MemberKeys | str | None = field(repr=False)
    patience: float
    http: httpx2.Client = field(default_factory=lambda: httpx2.Client(timeout=_TIMEOUT, trust_env=False))

    def call(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        query: dict[str, Any] | None = None,
        idempotency_key: str | None = None,
        accept: str = "application/json",
    ) -> Any:
        """
        Send a request until it is answered for good.

        Returns:
            The answer as a JSON value; as text if *accept* asks for a page. For a change that the committee must approve
            first: the operation that proposed it, with `actId` and `advice`.

        Raises:
            LedgerError: The service's problem as the error it stands for, with its fix.
            NodeUnreachable: No service answered within the patience.
            TransactionPending: The service took the write, but the chain has not yet; sending it again is safe.
        """
        content = (
            None if body is None else json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()
        )
        started = time.monotonic()
        delay = _FIRST_DELAY_SECONDS
        while True:
            try:
                answer = self._send(method, path, content, query, idempotency_key, accept)
            except LedgerError as error:
                if not error.details.get("try_again") or time.monotonic() - started + delay > self._limit(
                    error
                ):
                    raise
            else:
                return answer
            time.sleep(delay)
            delay = min(2 * delay, _LONGEST_DELAY_SECONDS)

    def _limit(self, error: LedgerError) -> float:
        """Return for how many seconds to go on: what is taken already is waited for even without patience."""
        return (
            max(self.patience, _PENDING_SECONDS) if isinstance(error, TransactionPending) else self.patience
        )

    def _send(
        self,
        method: str,
        path: str,
        content: bytes | None,
        query: dict[str, Any] | None,
        key: str | None,
        accept: str,
    ) -> Any:
        try:
            request = self.http.build_request(
                method,
                self.base_url + path,
                content=content,
                params={name: value for name, value in (query or {}).items() if value is not None} or None,
                headers=self._headers(content, key, accept),
            )
            if isinstance(self.credentials, MemberKeys):
                request.headers.update(sign_headers(self.credentials, method, str(request.url), content))
            response = self.http.send(request)
        except (httpx2.InvalidURL, httpx2.UnsupportedProtocol) as error:
            raise InvalidInput(
                f"{self.base_url!r} is not the URL of a service: {error}", field="url"
            ) from None
        except httpx2.TransportError as error:
            raise NodeUnreachable(
                f"there is no service at {self.base_url} ({type(error).__name__})",
                fix="Start it with `passport up`, or name another one with --url or PASSPORT_URL.",
                code="service-unreachable",
                try_again=True,
            ) from None
        return _answer_of(response)

    def _headers(self, content: bytes | None, key: str | None, accept: str) -> dict[str, str]:
        headers = {"Accept": f"{accept}, application/problem+json"}
        if content is not None:
            headers["Content-Type"] = "application/json"
        if key is not None:
            headers["Idempotency-Key"] = key
        if isinstance(self.credentials, str):
            headers["Authorization"] = f"Bearer {self.credentials}"
        return headers


def _answer_of(response: httpx2.Response) -> Any:
    location = response.headers.get("Location", "")
    if response.status_code == _ACCEPTED and not location.startswith(_ACTS):
        raise TransactionPending(
            "the service took the request; the chain has not yet",
            operation=location or None,
            try_again=True,
        )
    if response.status_code >= _FIRST_ERROR:
        raise error_of(response.status_code, _json_of(response))
    if response.headers.get("Content-Type", "").startswith(_PAGE):
        return response.text
    answer = _json_of(response)
    if answer is None and response.content:
        raise LedgerError("the answer is not JSON", fix="Check that the URL is that of the service.")
    return answer


def error_of(status: int, problem: Any) -> LedgerError:
    """
    Read a problem (RFC 9457) as the error it stands for.

    Args:
        status: HTTP status code.
        problem: The problem object, or anything else that came in its place.
    """
    told = problem if isinstance(problem, dict) else {}
    code = str(
        told.get("code") or str(told.get("type", "")).rstrip("/").rsplit("/", 1)[-1].rsplit(":", 1)[-1]
    )
    kind = _ERROR_OF_CODE.get(code) or _ERROR_OF_STATUS.get(status, LedgerError)
    message = str(told.get("detail") or told.get("title") or f"the service answered with status {status}")
    fix = told.get("fix")
    known = {"code", "type", "title", "status", "detail", "fix", "message", "try_again"}
    details = {str(name): value for name, value in told.items() if name not in known}
    return kind(
        message,
        fix=str(fix) if fix else None,
        code=code if code and code != "blank" else None,
        try_again=status in _TRY_AGAIN,
        **details,
    )


def _json_of(response: httpx2.Response) -> Any:
    try:
        return response.json()
    except ValueError:
        return None
