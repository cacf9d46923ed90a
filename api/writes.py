"""
Writes: once per idempotency key, waited for, and answered with what the ledger recorded.

A route says what to do and how the result looks; that the same request twice is one change, is decided here.
"""

from __future__ import annotations

import hashlib
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import Depends, Header, Request
from fastapi.responses import JSONResponse, Response

from api import access
from api.auth import CallerDep
from api.dependencies import BodyDep, ServiceDep, SettingsDep, freshness
from api.problems import of_stored, respond
from api.schemas.base import Model
from api.schemas.operations import OperationOut, operation_out
from ledger.domain.records import Event
from ledger.errors import ConfigurationError, InvalidInput
from ledger.ports import Operation, OperationStatus
from ledger.service import Service
from ledger.service.turns import Turns

#: Scope, key and fingerprint of a request, as the use cases take them.
Identity = tuple[str, str, str]

_KEY: Final = re.compile(r"\A[\x21-\x7e]{1,128}\Z")
_WAIT: Final = re.compile(r"\A\s*wait\s*=\s*\"?(\d{1,6})\"?\s*\Z", re.IGNORECASE)
_RETRY_SECONDS: Final = 2
#: One request under an idempotency key at a time.
_REQUESTS: Final = Turns(256)


class Waits:
    """
    Requests that wait for the chain, counted by who made them: each holds a thread, which reads need too.

    Safe to share between threads.
    """

    def __init__(self, *, each: int, together: int) -> None:
        """Bound how many requests of *each* caller wait at the same time, and how many of all *together*."""
        self._each = each
        self._together = together
        self._lock = threading.Lock()
        self._waiting: Counter[str] = Counter()

    def of(self, scope: str) -> int:
        """Return how many requests of a caller wait."""
        with self._lock:
            return self._waiting[scope]

    @contextmanager
    def place(self, scope: str) -> Iterator[bool]:
        """Take a place for one more request of a caller; tells whether there was one."""
        with self._lock:
            free = self._waiting[scope] < self._each and self._waiting.total() < self._together
            self._waiting[scope] += free
        try:
            yield free
        finally:
            with self._lock:
                self._waiting[scope] -= free
                if not self._waiting[scope]:
                    del self._waiting[scope]


@dataclass(frozen=True, slots=True)
class Write:
    """One request to change something."""

    service: Service
    identity: Identity
    timeout: float
    instance: str
    waits: Waits

    def once(self, use_case: Callable[[Identity], Operation]) -> Operation:
        """
        Run a use case, or find the operation that the same request started before.

        Raises:
            InvalidInput: The key was used for another request.
        """
        scope, key, fingerprint = self.identity
        # A use case makes keys and keeps words before it comes to the journal: of two at once one waits.
        with _REQUESTS.of(scope, key):
            earlier = self.service.writer.find(scope, key)
            if earlier is None:
                return use_case(self.identity)
        operation, first = earlier
        if first != fingerprint:
            raise InvalidInput(
                "this Idempotency-Key was used for another request",
                fix="Send a new Idempotency-Key; the same key repeats the same request only.",
                code="idempotency-key-reused",
            )
        return operation

    def answer(
        self,
        operation: Operation,
        resource: Callable[[tuple[Event, ...]], Model],
        *,
        created: bool = True,
        acts: bool = False,
    ) -> Response:
        """
        Wait for an operation and answer.

        Args:
            operation: What was started.
            resource: Makes the answer out of what the ledger recorded; called when the index has it too.
            created: Whether the request makes something new.
            acts: Whether the resource is an act of the committee, which need not be done to be answered with.

        Returns:
            The resource; a pointer to the operation if it is still on its way, or to the act if the committee has not
            approved it yet; the operation's problem if it failed. Who has too many requests that wait gets the pointer
            at once.
        """
        with self.waits.place(self.identity[0]) as free:
            deadline = time.monotonic() + (self.timeout if free else 0.0)
            operation = self.service.writer.wait(operation.operation_id, timeout=deadline - time.monotonic())
            indexed = operation.status is OperationStatus.MINED and self._indexed(operation, deadline)
        if operation.status is OperationStatus.FAILED:
            return respond(of_stored(operation.error or {}).model_copy(update={"instance": self.instance}))
        if not indexed:
            return self._accepted(operation)
        if not acts and (act := pending_act(operation.events)) is not None:
            return self._respond(tell(self.service, operation), 202, {"Location": f"/v1/acts/{act}"})
        status = 201 if created else 200
        return self._respond(resource(operation.events), status, {"Location": self._location(operation)})

    def _indexed(self, operation: Operation, deadline: float) -> bool:
        """Wait until the index has what was recorded, so that the caller reads its own write."""
        block = max((event.position.block_number for event in operation.events), default=0)
        return self.service.index.wait_for(block, timeout=max(deadline - time.monotonic(), 0.0))

    def _accepted(self, operation: Operation) -> Response:
        headers = {"Location": self._location(operation), "Retry-After": str(_RETRY_SECONDS)}
        return self._respond(tell(self.service, operation), 202, headers)

    def _respond(self, body: Model, status: int, headers: Mapping[str, str]) -> Response:
        content = body.model_dump(mode="json", by_alias=True)
        return JSONResponse(content, status_code=status, headers={**headers, **freshness(self.service)})

    @staticmethod
    def _location(operation: Operation) -> str:
        return f"/v1/operations/{operation.operation_id}"


def tell(service: Service, operation: Operation) -> OperationOut:
    """Write an operation for its caller: with an act that it left waiting, and what to do about it."""
    act = pending_act(operation.events)
    if act is None:
        return operation_out(operation)
    standing = service.committee.standing(service.committee.get(act), access.now_of(service))
    return operation_out(operation, act_id=act, advice=standing.advice)


def pending_act(events: tuple[Event, ...]) -> int | None:
    """Return the number of an act that was proposed or approved in these events, and not done."""
    acts = {event.arguments["actId"] for event in events if event.name in {"ActProposed", "ActApproved"}}
    acts -= {event.arguments["actId"] for event in events if event.name == "ActExecuted"}
    return min(acts, default=None)


def event_named(events: tuple[Event, ...], name: str) -> Event:
    """
    Return the first event of a name.

    Raises:
        ConfigurationError: There is none: the ledger at this address is not the one this version knows.
    """
    for event in events:
        if event.name == name:
            return event
    raise ConfigurationError(
        f"the ledger recorded no {name} for this operation",
        fix="Run `passport doctor`: it compares the code.",
    )


def fingerprint_of(method: str, target: str, body: bytes) -> str:
    """Return what tells two requests apart: SHA-256 over method, path with query, and body."""
    return hashlib.sha256(b"\n".join((method.encode(), target.encode(), body))).hexdigest()


def wait_preferred(prefer: str | None, *, default: float, longest: float) -> float:
    """
    Read how long a caller wants to wait (RFC 7240); what cannot be understood is passed over, as the RFC says.

    Returns:
        Seconds: 0 for `respond-async`, N up to *longest* for `wait=N`, else *default*.
    """
    for preference in (prefer or "").split(","):
        if preference.strip().lower() == "respond-async":
            return 0.0
        if match := _WAIT.match(preference):
            return min(float(match[1]), longest)
    return default


def write_of(
    request: Request,
    caller: CallerDep,
    body: BodyDep,
    service: ServiceDep,
    settings: SettingsDep,
    idempotency_key: Annotated[
        str | None,
        Header(
            description="Required. 1 to 128 visible characters, new for each change.",
            examples=["3f1c9a52-4c0e-4b0a-9d7c-2f6f9f0f7c11"],
        ),
    ] = None,
    prefer: Annotated[
        str | None,
        Header(
            description="`wait=N` seconds, or `respond-async`. Beyond 32 requests of yours that wait, 202 comes at once.",
            examples=["wait=20"],
        ),
    ] = None,
) -> Write:
    """
    Prepare a write.

    Raises:
        InvalidInput: The Idempotency-Key is missing or malformed.
    """
    if idempotency_key is None or not _KEY.match(idempotency_key):
        raise InvalidInput(
            "a change needs the header Idempotency-Key with 1 to 128 visible characters",
            fix="Send an Idempotency-Key of your own choice, new for each change.",
            code="idempotency-key-missing",
        )
    target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return Write(
        service=service,
        identity=(caller.scope, idempotency_key, fingerprint_of(request.method, target, body)),
        timeout=wait_preferred(prefer, default=settings.wait_seconds, longest=settings.max_wait_seconds),
        instance=request.url.path,
        waits=request.app.state.waits,
    )


WriteDep = Annotated[Write, Depends(write_of)]
