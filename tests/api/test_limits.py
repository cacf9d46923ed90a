"""Bodies have a bound, whatever Content-Length says."""

from __future__ import annotations

import asyncio
import json

import pytest

from api.middleware import BodyLimit

LIMIT = 100


async def echo(scope, receive, send):
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})


def call(chunks: list[bytes], *, declared: str | None = None, path: str = "/", disconnect: bool = False):
    """Send a body in chunks to an app behind the limit; returns status and body, or None if nothing was sent."""
    messages = [{"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks]
    if disconnect:
        messages.append({"type": "http.disconnect"})
    else:
        messages.append({"type": "http.request", "body": b"", "more_body": False})
    headers = [(b"content-length", declared.encode())] if declared is not None else []
    sent = []

    async def receive():
        return messages.pop(0)

    async def send(message):
        sent.append(message)

    app = BodyLimit(echo, max_bytes=LIMIT, larger={("POST", "/large"): 10 * LIMIT})
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


def test_the_service_has_its_limits(http):
    response = http.post("/v1/decisions", content=b" " * (256 * 1024 + 1))
    assert (response.status_code, response.json()["code"]) == (413, "too-large")
    assert response.headers["connection"] == "close"
    assert http.post("/v1/passports", content=b" " * (256 * 1024 + 1)).status_code == 401
