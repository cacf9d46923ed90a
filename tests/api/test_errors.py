"""
Every error has one shape: application/problem+json with type, title, status, detail, and what to do about it.

Bad input never makes a fault, and a fault never tells of the inside.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from api.app import create_app
from api.middleware import COOKIE, LastResort
from api.problems import KINDS, of_error, of_stored
from api.settings import ApiSettings
from api.writes import Write, event_named
from ledger import errors
from ledger.chain.contract import LedgerContract
from ledger.chain.rpc import Node
from ledger.errors import LedgerError
from ledger.ports import Call
from ledger.service import Service
from tests.api.conftest import ORIGIN, assert_problem

ID = "0x" + "ab" * 32
JUNK = [
    b"",
    b"{",
    b"[]",
    b"null",
    b'"text"',
    b"{}",
    b'{"unknown": 1}',
    b'{"bundle": {}, "purposes": ["PRIMARY_CARE"]}',
    b"\xff\xfe",
    b'{"a": "\\ud800"}',
    b"[" * 5000,
    b'{"passportId": "0x", "purposes": [1e999]}',
    b"1" * 5000,
]


def leaves() -> list[type[LedgerError]]:
    return [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, LedgerError)]


@pytest.mark.parametrize("kind", leaves(), ids=lambda kind: kind.__name__)
def test_each_error_of_the_ledger_is_a_problem(kind):
    problem = of_error(kind("something"))
    assert problem.code == kind.code
    assert 400 <= problem.status < 600
    assert problem.fix == kind.fix
    assert KINDS[kind.code].retryable is kind.retryable


def test_a_failed_operation_is_a_problem_too():
    problem = of_stored({"code": "conflict", "message": "too late", "fix": "read first"})
    assert (problem.status, problem.detail, problem.fix) == (409, "too late", "read first")
    assert of_stored({"code": "not-known-here", "message": "x"}).status == 502
    assert of_stored({}).status == 502


def routes(app) -> list[tuple[str, str]]:
    return [
        (method.upper(), re.sub(r"\{(member_id|project_id|act_id|seq|version)\}", "999999", path))
        for path, methods in app.openapi()["paths"].items()
        for method in methods
    ]


def filled(path: str) -> str:
    return re.sub(r"\{operation\}", "0" * 32, re.sub(r"\{\w+\}", ID, path))


def test_each_route_refuses_strangers_with_a_problem(app, http, cast):
    public = {
        "/v1/discrepancies",
        "/v1/emergencies/ratio",
        "/v1/ledger",
        "/v1/policy",
        "/v1/templates",
        "/livez",
        "/readyz",
        "/v1/sessions/challenges",
    }
    for method, path in routes(app):
        response = http.request(method, filled(path))
        if path in public and method == "GET":
            assert response.status_code == 200, path
        else:
            assert_problem(response)


def test_each_route_answers_junk_with_a_problem(app, send, cast):
    for method, path in routes(app):
        if method == "GET":
            continue
        for body in JUNK:
            response = send(cast.committee, method, filled(path), body, headers={"Idempotency-Key": "junk"})
            if response.status_code == 201 and path == "/v1/sessions":
                continue
            problem = assert_problem(response)
            assert problem["status"] < 500, (method, path, body[:40], problem)


@pytest.mark.parametrize(
    "junk", ["x", "0x", "0x" + "g" * 64, "%00", "..%2f..%2f", "%F0%9F%98%80", "-1", "9" * 40]
)
def test_each_route_answers_junk_ids_with_a_problem(app, send, cast, junk):
    for method, path in routes(app):
        if "{" not in path and "999999" not in path:
            continue
        target = re.sub(r"\{\w+\}|999999", junk, path)
        response = send(cast.committee, method, target, b"{}", headers={"Idempotency-Key": "junk"})
        problem = assert_problem(response)
        assert problem["status"] < 500, (method, target)


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=501", "limit=x", "after=" + "x" * 201, "after=nonsense", "after=0-0-0-0", "after=%00"],
)
def test_junk_in_lists_is_a_problem(send, cast, query):
    for path in ("/v1/passports", f"/v1/passports/{cast.own}/decisions", "/v1/decisions", "/v1/grants"):
        response = send(cast.hospital, "GET", f"{path}?{query}")
        assert_problem(response, 422)


def test_validation_points_at_the_field(send, cast):
    body = json.dumps(
        {"passportId": ID, "purpose": "FUN", "basis": "CONSENT", "operation": "READ", "categories": []}
    )
    problem = assert_problem(
        send(cast.lab, "POST", "/v1/decisions", body.encode(), headers={"Idempotency-Key": "k"}),
        422,
        "unknown-code",
    )
    assert [error["pointer"] for error in problem["errors"]] == ["/purpose"]
    assert "AI_TRAINING" in problem["errors"][0]["detail"]
    several = json.dumps({"requests": [json.loads(body), {"x/y~z": 1}]})
    problem = assert_problem(
        send(cast.lab, "POST", "/v1/decisions", several.encode(), headers={"Idempotency-Key": "k"}),
        422,
        "invalid-input",
    )
    pointers = [error["pointer"] for error in problem["errors"]]
    assert "/requests/0/purpose" in pointers
    assert "/requests/1/x~1y~0z" in pointers


def test_what_the_ledger_finds_wrong_points_at_the_field_too(send, cast, preparation):
    body = json.dumps({**preparation, "useTo": "2020-01-01T00:00:00Z"}).encode()
    problem = assert_problem(send(cast.lab, "POST", "/v1/grants/preparations", body), 422, "invalid-input")
    assert problem["errors"] == [{"pointer": "/useTo", "detail": problem["detail"]}]


@pytest.mark.parametrize(
    ("field", "value", "pointer"),
    [
        ("purposes", [5], "/purposes/0"),
        ("purposes", [], "/purposes"),
        ("purposes", ["PRIMARY_CARE"] * 17, "/purposes"),
        ("categories", "DIAGNOSIS", "/categories"),
        ("categories", [1], "/categories"),
        ("categories", ["SECRETS"], "/categories"),
        ("flags", ["SEPARATE", "X"], "/flags"),
        ("recipient", 0, "/recipient"),
        ("maxUses", 2**24, "/maxUses"),
        ("supersedes", "0x12", "/supersedes"),
        ("passportId", None, "/passportId"),
    ],
)
def test_each_field_has_its_bounds(send, cast, preparation, field, value, pointer):
    body = json.dumps({**preparation, field: value}).encode()
    problem = assert_problem(send(cast.lab, "POST", "/v1/grants/preparations", body), 422)
    assert [error["pointer"] for error in problem["errors"]] == [pointer]


@pytest.mark.parametrize(
    "time", [1_900_000_000, "2030-01-01", "2030-01-01T00:00:00", "1960-01-01T00:00:00Z", "soon"]
)
def test_times_are_text_with_a_zone(send, cast, preparation, time):
    body = json.dumps({**preparation, "useTo": time}).encode()
    assert_problem(send(cast.lab, "POST", "/v1/grants/preparations", body), 422, "invalid-input")


def test_unknown_addresses_and_methods_are_problems(http):
    assert_problem(http.get("/v1/nothing"), 404, "no-such-route")
    response = http.put("/v1/ledger")
    assert_problem(response, 405, "method-not-allowed")
    assert response.headers["allow"] == "GET"


def test_a_fault_tells_nothing_but_where_to_find_it(app):
    class Broken:
        def __getattr__(self, name):
            raise RuntimeError("secret inside")

    broken = create_app(Broken(), sessions=app.state.sessions, settings=ApiSettings(origin=ORIGIN))
    response = TestClient(broken, base_url=ORIGIN).get("/v1/policy")
    problem = assert_problem(response, 500, "internal")
    assert "secret inside" not in response.text
    assert len(problem["traceId"]) == 32
    assert response.headers["x-content-type-options"] == "nosniff"


def test_a_fault_after_the_answer_began_cannot_be_mended(app):
    async def late(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise RuntimeError("too late")

    client = TestClient(LastResort(late), base_url=ORIGIN)
    with pytest.raises(RuntimeError, match="too late"):
        client.get("/")


def test_everything_broken_is_still_told(app):
    class Broken:
        def __getattr__(self, name):
            raise OSError("disk")

    broken = create_app(Broken(), sessions=app.state.sessions, settings=ApiSettings(origin=ORIGIN))
    problem = assert_problem(TestClient(broken, base_url=ORIGIN).get("/readyz"), 503, "not-ready")
    assert (problem["checks"]["database"], problem["checks"]["node"]) == ("OSError", "OSError")


def test_a_service_without_its_node_still_shows_what_it_knows(world, app, cast, holder_code):
    chain = LedgerContract(Node("http://127.0.0.1:9"), world.runtime.deployment, guard=lambda: None)
    service = Service.over(
        chain=chain, index=world.service.index, writer=world.service.writer, vault=world.service.vault
    )
    alone = create_app(service, sessions=app.state.sessions, settings=ApiSettings(origin=ORIGIN))
    client = TestClient(alone, base_url=ORIGIN, headers={"Authorization": f"Bearer {holder_code}"})
    problem = assert_problem(client.get("/readyz"), 503, "not-ready")
    assert problem["checks"]["node"]
    assert problem["checks"]["database"] is None
    assert client.get(f"/patient/passports/{cast.own}").status_code == 200
    assert client.get("/v1/grants").status_code == 200


def test_a_failed_write_is_answered_with_its_problem(world, cast):
    call = Call("withdrawProject", (4_000_000_000,))
    operation = world.service.writer.submit(cast.lab.member.signer, call)
    write = Write(
        service=world.service, identity=("a", "b", "c"), timeout=20, instance="/v1/projects/4/withdrawal"
    )
    problem = assert_problem(write.answer(operation, lambda _: None))
    assert 400 <= problem["status"] < 500
    assert problem["instance"] == "/v1/projects/4/withdrawal"


def test_an_answer_without_its_event_is_a_fault_of_the_set_up():
    with pytest.raises(errors.ConfigurationError, match="no ProjectFiled"):
        event_named((), "ProjectFiled")


@contextmanager
def without(world, table: str) -> Iterator[None]:
    """Take a table of the database away."""
    database = world.runtime._databases[0]
    with database.write() as connection:
        connection.execute(text(f"ALTER TABLE {table} RENAME TO {table}_away"))
    try:
        yield
    finally:
        with database.write() as connection:
            connection.execute(text(f"ALTER TABLE {table}_away RENAME TO {table}"))


def test_a_database_that_does_not_answer_is_told_as_such(world, send, cast, http, holder_code):
    """As 503, which says to try again: not as a signature that does not hold, and to people on a page."""
    http.cookies.set(COOKIE, holder_code)
    with without(world, "members"):
        signed = send(cast.lab, "GET", "/v1/decisions")
    with without(world, "sessions"):
        looked = http.get("/patient", headers={"Accept": "text/html"})
    assert_problem(signed, 503, "store-unavailable")
    assert looked.status_code == 503
    assert "text/html" in looked.headers["content-type"]
    assert http.get("/patient", headers={"Accept": "text/html"}).status_code == 200
    assert send(cast.lab, "GET", "/v1/decisions").status_code == 200


def test_not_ready_says_why(world, app):
    wrong = create_app(
        world.service,
        sessions=app.state.sessions,
        settings=ApiSettings(origin=ORIGIN, max_index_lag=-1),
        checks=lambda: {"keystore": "locked"},
    )
    problem = assert_problem(TestClient(wrong, base_url=ORIGIN).get("/readyz"), 503, "not-ready")
    assert problem["checks"]["keystore"] == "locked"
    assert "blocks behind" in problem["checks"]["index"]
    assert problem["checks"]["database"] is None
