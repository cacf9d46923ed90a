"""Signatures of members: what holds, and each way in which one does not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from http_message_signatures import HTTPMessageSigner, HTTPSignatureKeyResolver
from http_message_signatures.algorithms import ED25519

from api.routes.sessions import answered_by
from api.schemas.sessions import SignInIn
from ledger.client import MemberKeys, sign_headers, sign_in
from ledger.encoding.hexadecimal import to_hex
from ledger.encoding.typed_data import sign
from ledger.errors import SignatureExpired
from tests.api.conftest import ORIGIN, assert_problem

PATH = "/v1/members"


class Message:
    def __init__(self, method: str, url: str) -> None:
        self.method, self.url, self.headers = method, url, {}


class Key(HTTPSignatureKeyResolver):
    def __init__(self, keys: MemberKeys) -> None:
        self.keys = keys

    def resolve_private_key(self, key_id):
        return Ed25519PrivateKey.from_private_bytes(self.keys.signing_seed)


def signed(keys: MemberKeys, method: str = "GET", path: str = PATH, **changes) -> dict[str, str]:
    """Sign as the client does, unless *changes* say otherwise."""
    created = changes.pop("created", datetime.now(UTC))
    words = {
        "key_id": keys.signing_public
        if isinstance(keys.signing_public, str)
        else to_hex(keys.signing_public),
        "created": created,
        "expires": created + timedelta(seconds=300),
        "nonce": "a-nonce-" + datetime.now(UTC).isoformat(),
        "label": "sig1",
        "covered_component_ids": ("@method", "@target-uri"),
        **changes,
    }
    message = Message(method, ORIGIN + path)
    HTTPMessageSigner(signature_algorithm=ED25519, key_resolver=Key(keys)).sign(message, **words)
    return message.headers


def test_a_signed_request_is_answered(http, cast):
    response = http.get(PATH, headers=signed(cast.lab.keys))
    assert response.status_code == 200
    assert response.json()["items"][0]["memberId"] == 1


def test_the_query_is_part_of_what_is_signed(http, cast):
    path = "/v1/passports?limit=1"
    assert http.get(path, headers=signed(cast.hospital.keys, path=path)).status_code == 200
    assert_problem(
        http.get("/v1/passports?limit=2", headers=signed(cast.hospital.keys, path=path)),
        401,
        "signature-rejected",
    )


def test_an_unsigned_request_is_not_answered(http, cast):
    response = http.get(PATH)
    assert_problem(response, 401, "not-authenticated")
    assert response.headers["www-authenticate"].startswith("Signature")


def test_a_replayed_request_is_rejected(http, cast):
    headers = signed(cast.lab.keys)
    assert http.get(PATH, headers=headers).status_code == 200
    assert_problem(http.get(PATH, headers=headers), 401, "signature-replayed")


def test_a_nonce_is_good_once_per_key(http, cast):
    assert http.get(PATH, headers=signed(cast.lab.keys, nonce="the-same-nonce")).status_code == 200
    assert http.get(PATH, headers=signed(cast.hospital.keys, nonce="the-same-nonce")).status_code == 200
    assert_problem(
        http.get(PATH, headers=signed(cast.lab.keys, nonce="the-same-nonce")), 401, "signature-replayed"
    )


def test_an_unknown_key_is_nobody(http, cast):
    assert_problem(http.get(PATH, headers=signed(MemberKeys.new("Stranger"))), 401, "not-authenticated")


def test_another_members_key_id_does_not_help(http, cast):
    lab = cast.lab.keys.signing_public
    key_id = lab if isinstance(lab, str) else to_hex(lab)
    assert_problem(
        http.get(PATH, headers=signed(MemberKeys.new("Stranger"), key_id=key_id)), 401, "signature-rejected"
    )


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"created": timedelta(seconds=-400)}, "signature-expired"),
        ({"created": timedelta(seconds=400)}, "signature-expired"),
        ({"created": datetime(2020, 1, 1, tzinfo=UTC)}, "signature-expired"),
        ({"expires": timedelta(seconds=3600)}, "signature-rejected"),
        ({"expires": datetime(2020, 1, 1, tzinfo=UTC)}, "signature-rejected"),
        ({"expires": None}, "signature-rejected"),
        ({"nonce": None}, "signature-rejected"),
        ({"nonce": "short"}, "signature-rejected"),
        ({"key_id": "not-a-key"}, "signature-rejected"),
        ({"covered_component_ids": ("@method",)}, "signature-rejected"),
        ({"covered_component_ids": ("@target-uri",)}, "signature-rejected"),
        ({"covered_component_ids": ()}, "signature-rejected"),
    ],
)
def test_what_a_signature_must_say(http, cast, changes, code):
    """Times that are spans are from when the test runs, which may be long after it was collected."""
    now = datetime.now(UTC)
    said = {name: now + value if isinstance(value, timedelta) else value for name, value in changes.items()}
    assert_problem(http.get(PATH, headers=signed(cast.lab.keys, **said)), 401, code)


def test_a_signature_for_another_method_path_or_host_is_rejected(http, cast):
    assert_problem(http.get(PATH, headers=signed(cast.lab.keys, "POST")), 401, "signature-rejected")
    assert_problem(
        http.get(PATH, headers=signed(cast.lab.keys, path="/v1/projects")), 401, "signature-rejected"
    )
    elsewhere = sign_headers(cast.lab.keys, "GET", "https://elsewhere.example" + PATH)
    assert_problem(http.get(PATH, headers=elsewhere), 401, "signature-rejected")
    assert_problem(http.get(PATH, headers={**elsewhere, "Host": "elsewhere.example"}), 421, "unknown-host")


def test_the_service_goes_by_all_its_names(http, cast):
    headers = sign_headers(cast.lab.keys, "GET", "http://localhost" + PATH)
    assert http.get(PATH, headers={**headers, "Host": "localhost"}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Signature": "sig1=:AAAA:"},
        {"Signature-Input": 'sig1=("@method")'},
        {"Signature": "nonsense", "Signature-Input": "nonsense"},
        {"Signature": "sig1=:AAAA:", "Signature-Input": 'sig1=("@method" "@target-uri");created=1;keyid="x"'},
        {"Signature": "sig1=1", "Signature-Input": "sig1=1"},
        {"Signature": "a=:AAAA:, b=:AAAA:", "Signature-Input": 'a=("@method"), b=("@method")'},
        {"Signature": "a=:AAAA:", "Signature-Input": 'a=();created="x";expires=1'},
    ],
)
def test_nonsense_is_rejected_not_a_fault(http, cast, headers):
    assert_problem(http.get(PATH, headers=headers), 401, "signature-rejected")


def test_the_body_is_part_of_what_is_signed(http, cast):
    body = b'{"passportId":"0x"}'
    path = "/v1/decisions"
    headers = {"Content-Type": "application/json", "Idempotency-Key": "altered"}
    good = sign_headers(cast.lab.keys, "POST", ORIGIN + path, body)
    altered = http.post(path, content=body + b" ", headers={**headers, **good})
    assert_problem(altered, 401, "signature-rejected")
    uncovered = signed(cast.lab.keys, "POST", path)
    assert_problem(http.post(path, content=body, headers={**headers, **uncovered}), 401, "signature-rejected")
    stripped = {name: value for name, value in good.items() if name.lower() != "content-digest"}
    assert_problem(http.post(path, content=body, headers={**headers, **stripped}), 401, "signature-rejected")


def test_a_sign_in_code_reads_but_does_not_write_for_a_member(http, cast, member_code):
    bearer = {"Authorization": f"Bearer {member_code(cast.lab)}"}
    assert http.get("/v1/decisions", headers=bearer).status_code == 200
    write = http.post("/v1/decisions", json={}, headers={**bearer, "Idempotency-Key": "k"})
    assert_problem(write, 401, "not-authenticated")
    release = http.get(f"/v1/records/{cast.assisted}?decision={cast.permit}", headers=bearer)
    assert_problem(release, 401, "not-authenticated")


@pytest.mark.parametrize("value", ["Bearer nonsense", "Bearer ", "Basic YTpi", "x", ""])
def test_a_code_that_is_not_in_force_is_nobody(http, cast, value):
    assert_problem(http.get("/v1/decisions", headers={"Authorization": value}), 401, "not-authenticated")


def test_a_challenge_is_answered_once_by_its_holder(http, client, cast):
    challenge = client().challenge(cast.holder)
    signature = to_hex(sign(challenge["typedData"], private_key=cast.holder_key))
    body = {"holder": cast.holder, "challenge": challenge["challenge"], "signature": signature}
    wrong = {**body, "signature": to_hex(sign(challenge["typedData"], private_key=b"\5" * 32))}
    assert_problem(http.post("/v1/sessions", json=wrong), 401, "signature-rejected")
    # A wrong answer uses the challenge up.
    assert_problem(http.post("/v1/sessions", json=body), 401, "signature-rejected")
    assert sign_in(client(), cast.holder_key)["expiresAt"].endswith("Z")


def test_a_challenge_is_for_its_holder_alone(http, client, cast):
    challenge = client().challenge("0x" + "ab" * 20)
    signature = to_hex(sign(challenge["typedData"], private_key=cast.holder_key))
    body = {"holder": cast.holder, "challenge": challenge["challenge"], "signature": signature}
    assert_problem(http.post("/v1/sessions", json=body), 401, "signature-rejected")


def test_a_challenge_is_answered_in_time(client, cast, app):
    # The store forgets ended challenges by itself; this one ended while it was asked for.
    class Late:
        def consume_challenge(self, _challenge):
            return cast.holder, 0

    challenge = client().challenge(cast.holder)
    signature = to_hex(sign(challenge["typedData"], private_key=cast.holder_key))
    body = SignInIn(holder=cast.holder, challenge=challenge["challenge"], signature=signature)
    with pytest.raises(SignatureExpired):
        answered_by(body, service=app.state.service, sessions=Late(), origin=ORIGIN)


def test_a_sign_in_without_anything_says_how(http, cast):
    problem = assert_problem(http.post("/v1/sessions"), 401, "not-authenticated")
    assert "passport member sign-in" in problem["fix"]
