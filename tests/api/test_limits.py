"""Bodies have a bound, whatever Content-Length says, and a time; so have connections."""

from __future__ import annotations

import asyncio
import json
import secrets
import socket
import threading
import time
from typing import Any

import httpx2
import pytest
import uvicorn

from api.app import create_app
from api.middleware import BodyLimit
from api.settings import ApiSettings
from api.writes import Waits
from cli.service import server_options
from ledger.chain.devnet import free_port
from ledger.client import sign_headers
from ledger.errors import SignatureRejected
from tests.api.conftest import ORIGIN, assert_problem, registration
from tests.support.serving import listening
from tests.support.world import Actor

LIMIT = 100
KIB = 1024
#: What everybody may send.
COMMON = 256 * KIB


async def echo(scope, receive, send):
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})


def anybody(_request, _body):
    return True


def call(
    chunks: list[bytes],
    *,
    declared: str | None = None,
    path: str = "/",
    disconnect: bool = False,
    trusted=anybody,
    pause: float = 0.0,
    seconds: float = 30.0,
):
    """Send a body in chunks to an app behind the limit; returns status and body, or None if nothing was sent."""
    messages = [{"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks]
    if disconnect:
        messages.append({"type": "http.disconnect"})
    else:
        messages.append({"type": "http.request", "body": b"", "more_body": False})
    headers = [(b"content-length", declared.encode())] if declared is not None else []
    sent = []

    async def receive():
        await asyncio.sleep(pause)
        return messages.pop(0)

    async def send(message):
        sent.append(message)

    larger = {("POST", "/large"): 10 * LIMIT}
    app = BodyLimit(echo, max_bytes=LIMIT, larger=larger, trusted=trusted, seconds=seconds)
    scope = {"type": "http", "method": "POST", "path": path, "headers": headers}
    asyncio.run(app(scope, receive, send))
    if not sent:
        return None
    return sent[0]["status"], sent[1]["body"]


@pytest.mark.parametrize("declared", [None, "100", "0", "nonsense", "-5"])
def test_what_fits_is_handed_on_whole(declared):
    assert call([b"a" * 50, b"b" * 50], declared=declared) == (200, b"a" * 50 + b"b" * 50)


@pytest.mark.parametrize("declared", [None, "1", "100", "nonsense"])
def test_the_bytes_are_counted(declared):
    status, body = call([b"a" * 50, b"b" * 51], declared=declared)
    assert status == 413
    assert json.loads(body)["code"] == "too-large"


def test_what_is_declared_too_large_is_not_read():
    assert call([], declared="101")[0] == 413
    assert call([], declared="9" * 18)[0] == 413


def test_some_routes_take_more():
    assert call([b"a" * 500], path="/large")[0] == 200
    assert call([b"a" * 1001], path="/large")[0] == 413


def test_half_a_body_is_no_body():
    assert call([b"a"], disconnect=True) is None


def test_only_those_who_are_trusted_send_more():
    """Who is not has the bound of everybody, and what is declared to be larger is not read at all."""
    assert call([b"a" * 100], path="/large", trusted=lambda *_: False)[0] == 200
    assert call([b"a" * 101], path="/large", trusted=lambda *_: False)[0] == 413
    status, body = call([], declared="101", path="/large", trusted=lambda *_: False)
    assert (status, json.loads(body)["fix"]) == (413, "An active custodian may send 1000 bytes here, signed.")


def test_a_large_body_that_was_not_signed_is_not_handed_on():
    """Trust by the head is not trust in the body: it is asked again with the bytes, before anybody parses them."""

    def only_the_head(_request, body):
        if body is not None:
            raise SignatureRejected("another digest")
        return True

    status, body = call([b"a" * 101], path="/large", trusted=only_the_head)
    assert (status, json.loads(body)["code"]) == (401, "signature-rejected")


def test_a_body_may_not_take_for_ever():
    """A body that trickles in is given up; one that takes its time within the bound is taken."""
    assert call([b"a"] * 3, pause=0.05, seconds=30)[0] == 200
    status, body = call([b"a"] * 3, pause=0.3, seconds=0.5)
    assert (status, json.loads(body)["code"]) == (408, "too-slow")


def test_the_service_has_its_limits(http):
    """Nobody known: a large body is refused before it is read, at every route."""
    for path in ("/v1/decisions", "/v1/passports"):
        response = http.post(path, content=b" " * (COMMON + 1))
        assert_problem(response, 413, "too-large")
        assert response.headers["connection"] == "close"


def test_a_custodian_registers_what_is_large(send, cast):
    """A bundle over the bound of everybody is taken from an active custodian, and from no other member."""
    document = registration(5)
    document["bundle"]["entry"].append(
        {"resource": {"resourceType": "Basic", "text": {"status": "generated", "div": "x" * COMMON}}}
    )
    body = json.dumps(document).encode()
    key = {"Idempotency-Key": secrets.token_hex(8)}
    assert send(cast.hospital, "POST", "/v1/passports", body, headers=key).status_code == 201
    assert_problem(send(cast.lab, "POST", "/v1/passports", body, headers=key), 413, "too-large")


def test_a_custodians_name_alone_opens_nothing(send, cast):
    """The key's id is public: with a signature that does not hold it is 401 before the body is read."""
    headers = {"Idempotency-Key": secrets.token_hex(8), "Signature": "pyhms=:" + "A" * 86 + "==:"}
    answer = send(cast.hospital, "POST", "/v1/passports", b"[" * (COMMON + 1), headers=headers)
    assert_problem(answer, 401, "signature-rejected")


def test_another_body_than_the_one_signed_is_not_parsed(http, cast):
    """A good signature over the digest of other bytes: 401; parsed, it would have been 400."""
    signed, sent = b"{" * (COMMON + 1), b"[" * (COMMON + 1)
    headers = sign_headers(cast.hospital.keys, "POST", ORIGIN + "/v1/passports", signed)
    headers |= {"Content-Type": "application/json", "Idempotency-Key": secrets.token_hex(8)}
    assert_problem(http.post("/v1/passports", content=sent, headers=headers), 401, "signature-rejected")


def test_connections_have_a_bound(app, world):
    """Over the bound who comes is told to come back, and is served once another has left."""
    settings = world.settings.model_copy(update={"port": free_port(), "max_connections": 2})
    address = ("127.0.0.1", settings.port)
    with listening(uvicorn.Config(app, **server_options(settings))):
        idle = [socket.create_connection(address) for _ in range(2)]
        assert eventually(settings.url(), 503)
        idle[0].close()
        assert eventually(settings.url(), 200)
        idle[1].close()


def test_who_waits_for_too_much_is_answered_at_once(world, app, cast):
    """
    Two requests of a hospital wait for a chain that takes nothing: the third is pointed to the operation, at once.

    Those that wait are answered when the chain goes on.
    """
    settings = world.settings.model_copy(update={"port": free_port()})
    served = create_app(
        world.service,
        sessions=world.runtime.sessions,
        settings=ApiSettings(origin=settings.url(), max_waits=2),
    )
    body, key = json.dumps(registration(6)).encode(), secrets.token_hex(8)
    answers: list[httpx2.Response] = []

    def post(actor: Actor) -> httpx2.Response:
        url = f"{settings.url()}/v1/passports"
        headers = {**sign_headers(actor.keys, "POST", url, body), "Content-Type": "application/json"}
        headers |= {"Idempotency-Key": key, "Prefer": "wait=60"}
        return httpx2.post(url, content=body, headers=headers, timeout=90)

    threads = [threading.Thread(target=lambda: answers.append(post(cast.hospital))) for _ in range(2)]
    world.runtime.writer.stop()
    try:
        with listening(uvicorn.Config(served, **server_options(settings))):
            for number, thread in enumerate(threads, start=1):
                thread.start()
                until(lambda number=number: served.state.waits.of(scope(cast.hospital)) == number)
            assert post(cast.hospital).status_code == 202
            assert [thread.is_alive() for thread in threads] == [True, True]
            world.runtime.writer.start()
            for thread in threads:
                thread.join()
    finally:
        world.runtime.writer.start()
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()


def test_waits_are_bounded_by_caller_and_together():
    """A place is given back whatever happens, and nobody's requests take all places."""
    waits = Waits(each=2, together=3)
    with waits.place("a") as first, waits.place("a") as second, waits.place("a") as third:
        assert (first, second, third, waits.of("a")) == (True, True, False, 2)
        with waits.place("b") as other, waits.place("c") as over:
            assert (other, over) == (True, False)
    with pytest.raises(SignatureRejected), waits.place("a"):
        raise SignatureRejected("something")
    assert (waits.of("a"), waits.of("b")) == (0, 0)


def scope(actor: Actor) -> str:
    return f"member:{actor.member.member_id}"


def until(holds) -> None:
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def eventually(url: str, status: int) -> Any:
    """Tell whether the service answers with a status before long: it counts connections a moment after they are made."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if httpx2.get(f"{url}/livez").status_code == status:
            return True
        time.sleep(0.05)
    return False
