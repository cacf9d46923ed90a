"""What happens to every request: headers, limits, the same-site rule, and the last resort for errors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import anyio
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import Problem, of_error, problem_of, respond, unexpected
from ledger.errors import LedgerError, TooLarge

COOKIE: Final = "passport_session"
_SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})

#: Tells by a request's head, and by its body once it was read, whether it may be larger than everybody's.
Trusted = Callable[[Request, bytes | None], bool]

#: Everything comes from this service; nothing runs inside a page but its own script files.
CONTENT_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; form-action 'self'; "
    "connect-src {connect}; base-uri 'none'; frame-ancestors 'none'"
)


def content_policy(*, connect: str = "'self'") -> str:
    """Return the Content-Security-Policy; *connect* lists where scripts may connect to."""
    return CONTENT_POLICY.format(connect=connect)


class SecurityHeaders:
    """Sets the headers that every response carries, unless a route has set its own."""

    def __init__(self, app: ASGIApp, *, secure: bool) -> None:
        """Wrap an app; *secure* if it is reached over TLS."""
        self.app = app
        self.headers = {
            "Content-Security-Policy": content_policy(),
            "Cache-Control": "no-store",
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "DENY",
        }
        if secure:
            self.headers["Strict-Transport-Security"] = "max-age=31536000"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self.headers.items():
                    headers.setdefault(name, value)
            await send(message)

        await self.app(scope, receive, send_with_headers)


class LastResort:
    """Answers errors that nobody foresaw with a problem that tells nothing of the inside."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap an app."""
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        started = False

        async def note_start(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, receive, note_start)
        except Exception as error:
            if scope["type"] != "http" or started:
                raise
            await respond(unexpected(error, instance=scope["path"]))(scope, receive, send)


class SameSite:
    """
    Refuses changes that another site makes a browser ask for.

    A change is checked if it is a form of a page, or if the session cookie speaks for it; requests that are signed or
    carry a bearer code cannot be forged by another site. Fetch metadata and Origin say where a request comes from; scripts
    cannot set them.
    """

    def __init__(self, app: ASGIApp, *, origins: tuple[str, ...]) -> None:
        """Wrap an app that is reached under *origins*."""
        self.app = app
        self.origins = origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] == "http" and self._is_forgeable(scope) and not self._is_own(scope):
            detail = "the request does not come from this service's own page"
            problem = problem_of("cross-site", detail, instance=scope["path"])
            await respond(problem)(scope, receive, send)
            return
        await self.app(scope, receive, send)

    @staticmethod
    def _is_forgeable(scope: Scope) -> bool:
        if scope["method"] in _SAFE_METHODS:
            return False
        headers = Headers(scope=scope)
        if not scope["path"].startswith("/v1/"):
            return True
        own_credentials = "signature" in headers or headers.get("authorization", "").lower().startswith(
            "bearer "
        )
        return f"{COOKIE}=" in headers.get("cookie", "") and not own_credentials

    def _is_own(self, scope: Scope) -> bool:
        headers = Headers(scope=scope)
        site = headers.get("sec-fetch-site")
        if site is not None:
            return site in ("same-origin", "none")
        return headers.get("origin") in self.origins


class BodyLimit:
    """
    Refuses bodies over a bound, whatever Content-Length says, and those that come too slowly.

    The body is read here in full and handed on in one piece; every route reads it in full anyway. What is larger than
    everybody may send is taken from whom *trusted* names by the head of the request, before any of the body is read, and
    handed on only if it is the very body that was signed: until then nothing parses it.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        max_bytes: int,
        larger: Mapping[tuple[str, str], int],
        trusted: Trusted,
        seconds: float,
    ) -> None:
        """
        Wrap an app.

        Args:
            app: The app.
            max_bytes: Bound for everybody.
            larger: Bounds for those trusted, by method and path.
            trusted: Tells who is, with the body once it is there; an error of the ledger if a signature does not hold.
            seconds: How long a body may take.
        """
        self.app = app
        self.max_bytes = max_bytes
        self.larger = larger
        self.trusted = trusted
        self.seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        try:
            body = await self._admitted(scope, receive)
        except ClientDisconnect:
            return
        except TimeoutError:
            detail = f"the body did not arrive within {self.seconds:g} seconds"
            await _refuse(problem_of("too-slow", detail, instance=scope["path"]), scope, receive, send)
            return
        except LedgerError as error:
            await _refuse(of_error(error, instance=scope["path"]), scope, receive, send)
            return
        await self.app(scope, _replay(body, receive), send)

    async def _admitted(self, scope: Scope, receive: Receive) -> bytes:
        """Return the body of a request, if it is not larger than this caller may send."""
        limit, request = self.larger.get((scope["method"], scope["path"]), self.max_bytes), Request(scope)
        if limit > self.max_bytes and not await run_in_threadpool(self.trusted, request, None):
            limit = self.max_bytes
        body = None
        if _declared(scope) <= limit:
            with anyio.fail_after(self.seconds):
                body = await _read(receive, limit)
        if body is None:
            raise TooLarge(f"the body has more than {limit} bytes", fix=self._fix(scope, limit))
        if len(body) > self.max_bytes:
            await run_in_threadpool(self.trusted, request, body)
        return body

    def _fix(self, scope: Scope, limit: int) -> str | None:
        most = self.larger.get((scope["method"], scope["path"]), limit)
        return f"An active custodian may send {most} bytes here, signed." if most > limit else None


async def _refuse(problem: Problem, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer before the body was read, and read no more of it."""
    await respond(problem, headers={"Connection": "close"})(scope, receive, send)


def _declared(scope: Scope) -> int:
    length = Headers(scope=scope).get("content-length", "")
    return int(length) if length.isdecimal() and len(length) < 20 else 0  # noqa: PLR2004 - 2^64 has 20 digits


async def _read(receive: Receive, limit: int) -> bytes | None:
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            # Half a body is no body: nothing may be done with it.
            raise ClientDisconnect
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > limit:
            return None
        chunks.append(chunk)
        if not message.get("more_body", False):
            break
    return b"".join(chunks)


def _replay(body: bytes, receive: Receive) -> Receive:
    pending = [body]

    async def next_message() -> Message:
        if pending:
            return {"type": "http.request", "body": pending.pop(), "more_body": False}
        return await receive()

    return next_message
