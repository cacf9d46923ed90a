"""Every bad input that the main job must withstand, through the front door: a clear answer, no 500, nothing lost."""

from __future__ import annotations

import copy
import json
import secrets
import time
from dataclasses import replace
from typing import Any

import pytest

from ledger.chain.devnet import Devnet
from ledger.chain.rpc import Node
from ledger.client import sign_grant
from ledger.client.holders import grant_of
from ledger.domain.vocabulary import Role
from ledger.encoding.typed_data import LedgerDomain, grant_typed_data, sign
from ledger.errors import NodeUnreachable
from ledger.service.consents import RELAY_SECONDS
from tests.api.conftest import assert_problem, registration

_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


@pytest.fixture
def post(send: Any) -> Any:
    """Return a function that posts a JSON body under a fresh idempotency key."""

    def posted(actor: Any, path: str, body: Any) -> Any:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return send(actor, "POST", path, content, headers={"Idempotency-Key": secrets.token_hex(8)})

    return posted


@pytest.fixture
def prepared(client: Any, cast: Any, preparation: dict[str, Any]) -> dict[str, Any]:
    """Return a grant written down for the patient who keeps the own key."""
    return dict(client(cast.hospital).prepare_grant(preparation))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("purpose", "WORLD_PEACE"),
        ("basis", "BECAUSE"),
        ("operation", "STEAL"),
        ("categories", ["HOROSCOPE"]),
        ("level", "SECRET"),
    ],
)
def test_an_unknown_code_is_named_with_those_that_exist(post, cast, request_body, field, value):
    """Unknown purpose, basis, operation or category: 422, and the answer lists what there is."""
    problem = assert_problem(post(cast.lab, "/v1/decisions", {**request_body, field: value}), 422)
    assert "known codes are" in problem["detail"]
    assert problem["errors"][0]["pointer"] == f"/{field}"


def test_an_unknown_passport_is_not_found(post, cast, request_body):
    """A passport that does not exist: 404 with its id, and nothing is written."""
    missing = "0x" + "42" * 32
    problem = assert_problem(post(cast.lab, "/v1/decisions", {**request_body, "passportId": missing}), 404)
    assert missing in problem["detail"]


def test_a_grant_signed_by_a_stranger_is_rejected(post, client, cast, prepared):
    """Somebody else's signature over the right words: 401, naming whose it should be."""
    signature = sign_grant(client().ledger(), grant_of(prepared["grant"]), secrets.token_bytes(32))
    problem = assert_problem(
        post(cast.hospital, "/v1/grants", {"grant": prepared["grant"], "signature": signature}),
        401,
        "signature-rejected",
    )
    assert cast.holder in problem["detail"]


def test_a_grant_for_another_chain_or_ledger_is_rejected(post, client, cast, prepared):
    """The holder's own signature, but for another chain, or another ledger: 401."""
    ledger, grant = client().ledger(), grant_of(prepared["grant"])
    for domain in (
        LedgerDomain(ledger["chainId"] + 1, ledger["ledger"]),
        LedgerDomain(ledger["chainId"], "0x" + "11" * 20),
    ):
        signature = "0x" + sign(grant_typed_data(domain, grant), private_key=cast.holder_key).hex()
        body = {"grant": prepared["grant"], "signature": signature}
        assert_problem(post(cast.hospital, "/v1/grants", body), 401, "signature-rejected")


def test_a_grant_past_its_deadline_is_rejected(post, client, cast, prepared):
    """A good signature that came too late: 401 with its own code."""
    late = replace(grant_of(prepared["grant"]), deadline=int(time.time()) - 10)
    signature = sign_grant(client().ledger(), late, cast.holder_key)
    body = {"grant": {**prepared["grant"], "deadline": late.deadline}, "signature": signature}
    assert_problem(post(cast.hospital, "/v1/grants", body), 401, "signature-expired")


def test_a_grant_with_too_little_time_left_is_rejected(post, client, cast, prepared):
    """A good signature that ends before the ledger can surely take it: 401, and how much time it needs."""
    short = replace(grant_of(prepared["grant"]), deadline=int(time.time()) + RELAY_SECONDS - 10)
    signature = sign_grant(client().ledger(), short, cast.holder_key)
    body = {"grant": {**prepared["grant"], "deadline": short.deadline}, "signature": signature}
    problem = assert_problem(post(cast.hospital, "/v1/grants", body), 401, "signature-expired")
    assert f"{RELAY_SECONDS} seconds" in problem["detail"]


def test_a_replayed_grant_is_a_conflict(post, client, cast, prepared):
    """A signature is good for one grant: sent again under another key it is 409."""
    signature = sign_grant(client().ledger(), grant_of(prepared["grant"]), cast.holder_key)
    body = {"grant": prepared["grant"], "signature": signature}
    assert post(cast.hospital, "/v1/grants", body).status_code == 201
    assert_problem(post(cast.lab, "/v1/grants", body), 409, "conflict")


def test_a_flipped_signature_is_rejected(post, client, cast, prepared):
    """The other s of the same signature is no second signature."""
    raw = bytes.fromhex(sign_grant(client().ledger(), grant_of(prepared["grant"]), cast.holder_key)[2:])
    s = _ORDER - int.from_bytes(raw[32:64], "big")
    flipped = raw[:32] + s.to_bytes(32, "big") + bytes([27 + 28 - raw[64]])
    body = {"grant": prepared["grant"], "signature": "0x" + flipped.hex()}
    problem = assert_problem(post(cast.hospital, "/v1/grants", body), 401, "signature-rejected")
    assert "flipped" in problem["detail"]


def test_altered_words_of_a_grant_are_rejected(post, client, cast, prepared):
    """One more purpose than was signed: 401."""
    signature = sign_grant(client().ledger(), grant_of(prepared["grant"]), cast.holder_key)
    body = {
        "grant": {**prepared["grant"], "purposes": prepared["grant"]["purposes"] | 16},
        "signature": signature,
    }
    assert_problem(post(cast.hospital, "/v1/grants", body), 401, "signature-rejected")


def test_a_suspended_member_is_refused_on_record(post, client, cast, world, request_body):
    """A suspended member that keeps asking writes its own evidence: 201, refused, with the reason."""
    rogue = world.admit("Suspended company", Role.PROCESSOR)
    client(cast.committee).suspend(rogue.member.member_id, "under investigation")
    answer = post(rogue, "/v1/decisions", request_body)
    assert answer.status_code == 201
    assert answer.json()["outcome"] == "DENY"
    assert "MEMBER_ACTIVE" in answer.json()["missing"]
    assert any("suspended" in reason for reason in answer.json()["reasons"])


@pytest.mark.parametrize(
    "body", [b"", b"{", b'{"bundle": ', b"\xff\xfe", b"[" * 100_000], ids=lambda b: repr(b[:8])
)
def test_malformed_json_is_a_problem(post, cast, body):
    """Truncated, wrongly encoded or hostile JSON: 4xx that says so, and the service lives on."""
    response = post(cast.hospital, "/v1/passports", body)
    assert 400 <= response.status_code < 500
    assert_problem(response)


def test_a_bundle_without_a_patient_is_refused(post, cast):
    """No Patient: 422, naming what is missing."""
    body = registration(5)
    entries = [e for e in body["bundle"]["entry"] if e["resource"]["resourceType"] != "Patient"]
    body["bundle"] = {**body["bundle"], "entry": entries}
    problem = assert_problem(post(cast.hospital, "/v1/passports", body), 422, "malformed-record")
    assert "exactly one Patient" in problem["detail"]


def test_an_unknown_resource_type_is_kept_as_other(post, cast):
    """A resource nobody has heard of is counted under OTHER, never dropped."""
    body = registration(6)
    plain = post(cast.hospital, "/v1/passports", body).json()["entries"]
    more = copy.deepcopy(registration(6))
    more["bundle"]["entry"].append({"resource": {"resourceType": "Tricorder", "reading": 42}})
    extended = post(cast.hospital, "/v1/passports", more).json()["entries"]
    assert extended["OTHER"] == plain.get("OTHER", 0) + 1
    assert sum(extended.values()) == sum(plain.values()) + 1


def test_a_patient_registered_twice_is_a_conflict(post, cast):
    """The second registration names the passport of the first."""
    body = registration(7)
    first = post(cast.hospital, "/v1/passports", body)
    problem = assert_problem(post(cast.hospital, "/v1/passports", body), 409, "conflict")
    assert first.json()["passport"]["passportId"] in problem["detail"]


def test_a_node_that_is_down_keeps_what_was_accepted(
    post, send, client, cast, world, monkeypatch, request_body
):
    """While the node is away a write is 202 with an operation to poll, nothing is released, and later it is mined."""
    original = Node.request

    def away(_self: Node, *_arguments: Any) -> Any:
        raise NodeUnreachable("the node is away")

    with monkeypatch.context() as patch:
        patch.setattr(Node, "request", away)
        response = send(
            cast.lab,
            "POST",
            "/v1/decisions",
            json.dumps(request_body).encode(),
            headers={"Idempotency-Key": secrets.token_hex(8), "Prefer": "wait=1"},
        )
        assert response.status_code == 202
        assert_problem(send(cast.lab, "GET", f"/v1/records/{cast.assisted}?decision={cast.permit}"), 503)
    assert Node.request is original
    operation = response.headers["Location"].rsplit("/", 1)[1]
    deadline = time.monotonic() + 20
    while client(cast.lab).operation(operation)["status"] != "mined":
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_no_such_devnet_is_a_clear_error(tmp_path):
    """A devnet's port that another chain uses is refused with what to do."""
    first = Devnet(tmp_path / "one")
    first.start()
    try:
        second = Devnet(tmp_path / "two")
        second.spec = replace(second.spec, port=first.spec.port)
        with pytest.raises(Exception, match=r"devnet|port") as refused:
            second.start()
        assert refused.value.advice
    finally:
        first.stop()
