"""The same request twice is one change; waiting is as long as the caller likes."""

from __future__ import annotations

import json
import secrets
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from api.writes import fingerprint_of, wait_preferred
from ledger.client import sign_guardians, sign_in
from ledger.encoding.hexadecimal import to_hex
from ledger.wallet import holder_address
from tests.api.conftest import assert_problem

PATH = "/v1/decisions"


@pytest.fixture
def body(cast):
    request = {
        "passportId": cast.assisted,
        "purpose": "RESEARCH",
        "basis": "CONSENT",
        "operation": "READ",
        "categories": ["VITALS"],
    }
    return json.dumps(request).encode()


def key() -> dict[str, str]:
    return {"Idempotency-Key": secrets.token_hex(8)}


def test_the_same_request_has_the_same_answer(send, cast, body, world):
    headers = key()
    first = send(cast.lab, "POST", PATH, body, headers=headers)
    again = send(cast.lab, "POST", PATH, body, headers=headers)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert first.headers["location"] == again.headers["location"]


def test_the_same_request_twice_at_once_is_one_change(send, cast, http, world):
    """One waits for the other: no second chain key is made for a member, and no second allowance is paid."""
    sent = {
        "name": "Admitted Once",
        "roles": ["PROCESSOR"],
        "purposes": ["RESEARCH"],
        "jurisdiction": 156,
        "validTo": "2099-01-01T00:00:00Z",
        "signingKey": "0x" + secrets.token_hex(32),
        "sealingKey": "0x" + secrets.token_hex(32),
    }
    headers, body = key(), json.dumps(sent).encode()
    folder = world.settings.data / "keystore"
    before = len(list(folder.iterdir()))
    with ThreadPoolExecutor(2) as pool:
        answers = list(
            pool.map(
                lambda _: send(cast.committee, "POST", "/v1/members", body, headers=dict(headers)), range(2)
            )
        )
    assert [answer.status_code for answer in answers] == [201, 201], [answer.text for answer in answers]
    assert answers[0].json() == answers[1].json()
    assert len(list(folder.iterdir())) == before + 1


def test_another_request_under_the_same_key_is_refused(send, cast, body):
    headers = key()
    assert send(cast.lab, "POST", PATH, body, headers=headers).status_code == 201
    other = body.replace(b"VITALS", b"NOTES")
    assert_problem(send(cast.lab, "POST", PATH, other, headers=headers), 422, "idempotency-key-reused")


def test_a_key_is_the_callers_own(send, cast, body):
    headers = key()
    mine = send(cast.lab, "POST", PATH, body, headers=headers)
    theirs = send(cast.outsider, "POST", PATH, body, headers=headers)
    assert (mine.status_code, theirs.status_code) == (201, 201)
    assert mine.json()["seq"] != theirs.json()["seq"]


def test_a_holder_follows_what_it_asked_for(http, client, cast, world):
    """Every change, not consents alone; nobody else's, though the same member's account signs them."""
    private_key = secrets.token_bytes(32)
    passport = to_hex(world.register(cast.hospital, 5, holder=holder_address(private_key)))
    code = str(sign_in(client(), private_key)["code"])
    words = {"threshold": 1, "keys": [holder_address(b"\x0d" * 32)]}
    signature = sign_guardians(
        client().ledger(), passport_id=passport, epoch=0, nonce=0, private_key=private_key, **words
    )
    bearer = {"Authorization": f"Bearer {code}"}
    response = http.post(
        f"/v1/passports/{passport}/guardians",
        json={**words, "signature": signature},
        headers={**bearer, **key(), "Prefer": "respond-async"},
    )
    assert response.status_code == 202
    location = response.headers["location"]
    deadline = time.monotonic() + 20
    while http.get(location, headers=bearer).json()["status"] != "mined":
        assert time.monotonic() < deadline
        time.sleep(0.1)
    other = str(sign_in(client(), cast.holder_key)["code"])
    assert_problem(http.get(location, headers={"Authorization": f"Bearer {other}"}), 404, "not-found")


@pytest.mark.parametrize("value", [None, "", "a b", "x" * 129, "tab\there"])
def test_a_write_needs_a_key(send, cast, body, value):
    headers = {} if value is None else {"Idempotency-Key": value}
    assert_problem(send(cast.lab, "POST", PATH, body, headers=headers), 400, "idempotency-key-missing")


def test_a_failed_check_keeps_the_key_free(send, cast, body):
    headers = key()
    unknown = body.replace(cast.assisted.encode(), b"0x" + b"0" * 64)
    assert_problem(send(cast.lab, "POST", PATH, unknown, headers=headers), 404, "not-found")
    assert send(cast.lab, "POST", PATH, body, headers=headers).status_code == 201


def test_a_caller_need_not_wait(send, cast, body):
    headers = key()
    response = send(cast.lab, "POST", PATH, body, headers={**headers, "Prefer": "respond-async"})
    assert response.status_code == 202
    operation = response.json()
    assert response.headers["location"] == f"/v1/operations/{operation['operationId']}"
    assert int(response.headers["retry-after"]) > 0
    deadline = time.monotonic() + 20
    while True:
        asked = send(cast.lab, "GET", response.headers["location"]).json()
        if asked["status"] == "mined":
            break
        assert time.monotonic() < deadline
        time.sleep(0.1)
    (event,) = asked["events"]
    assert event["name"] == "DecisionRecorded"
    assert isinstance(event["arguments"]["verdict"], str)
    # The same request, now waited for, has the answer.
    assert send(cast.lab, "POST", PATH, body, headers=headers).status_code == 201


def test_an_operation_is_its_members_alone(send, http, cast, body, holder_code):
    response = send(cast.lab, "POST", PATH, body, headers={**key(), "Prefer": "wait=0"})
    location = response.headers["location"]
    assert_problem(send(cast.outsider, "GET", location), 404, "not-found")
    bearer = {"Authorization": f"Bearer {holder_code}"}
    assert_problem(http.get(location, headers=bearer), 404, "not-found")
    assert_problem(send(cast.lab, "GET", "/v1/operations/" + "0" * 32), 404, "not-found")


@pytest.mark.parametrize(
    ("prefer", "seconds"),
    [
        (None, 20.0),
        ("", 20.0),
        ("wait=5", 5.0),
        ("WAIT = 7", 7.0),
        ('wait="9"', 9.0),
        ("wait=600", 60.0),
        ("respond-async", 0.0),
        ("respond-async, wait=10", 0.0),
        ("handling=lenient, wait=3", 3.0),
        ("wait=-1", 20.0),
        ("wait=soon", 20.0),
    ],
)
def test_how_long_a_caller_waits(prefer, seconds):
    assert wait_preferred(prefer, default=20.0, longest=60.0) == seconds


def test_fingerprints_tell_method_target_and_body_apart():
    prints = {
        fingerprint_of("POST", "/a", b"x"),
        fingerprint_of("DELETE", "/a", b"x"),
        fingerprint_of("POST", "/b", b"x"),
        fingerprint_of("POST", "/a", b"y"),
        fingerprint_of("POST", "/a", b""),
    }
    assert len(prints) == 5
