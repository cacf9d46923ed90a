"""The client: signed requests, key files, retries, and problems read as errors."""

from __future__ import annotations

import stat
from typing import Any

import httpx2
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from http_message_signatures import HTTPMessageVerifier, HTTPSignatureKeyResolver, InvalidSignature
from http_message_signatures.algorithms import ED25519

from ledger.client import (
    MemberKeys,
    PassportClient,
    sign_headers,
)
from ledger.errors import (
    ConfigurationError,
    Conflict,
    InvalidInput,
    LedgerError,
    NodeUnreachable,
    NotAuthenticated,
    NotPermitted,
    TransactionPending,
    UnknownCode,
)
from tests.cli.conftest import problem

URL = "http://127.0.0.1:8000"


class _Resolver(HTTPSignatureKeyResolver):
    def resolve_public_key(self, key_id: str) -> Any:
        return Ed25519PublicKey.from_public_bytes(bytes.fromhex(key_id[2:]))

    def resolve_private_key(self, key_id: str) -> Any:
        raise NotImplementedError


class _Message:
    def __init__(self, method: str, url: str, headers: dict[str, str]) -> None:
        self.method, self.url, self.headers = method, url, headers


def _verify(method: str, url: str, headers: dict[str, str], body: bytes | None = None) -> Any:
    verifier = HTTPMessageVerifier(signature_algorithm=ED25519, key_resolver=_Resolver())
    message = _Message(method, url, headers)
    required = {"@method", "@target-uri"} | ({"content-digest"} if body else set())
    results = verifier.verify(
        message, expect_label="sig1", expect_tag=None, require_components=tuple(required)
    )
    if body:
        verifier.verify_body(message, results, body)
    return results[0]


@pytest.fixture
def _lax(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(HTTPMessageVerifier, "allow_label_only_selection", True)


@pytest.mark.usefixtures("_lax")
@pytest.mark.filterwarnings("ignore::http_message_signatures.signatures.SignatureVerifyWarning")
class TestSignature:
    def test_a_signed_request_verifies_with_the_public_key_it_names(self, keys: MemberKeys) -> None:
        body = b'{"requests":[]}'
        headers = sign_headers(keys, "POST", f"{URL}/v1/decisions", body)

        result = _verify("POST", f"{URL}/v1/decisions", headers, body)

        assert keys.signing_public == result.parameters["keyid"]
        assert result.parameters["created"] + 300 == result.parameters["expires"]
        assert {'"@method"', '"@target-uri"', '"content-digest"'} == set(result.covered_components) - {
            '"@signature-params"'
        }

    def test_a_request_without_body_has_no_digest(self, keys: MemberKeys) -> None:
        headers = sign_headers(keys, "GET", f"{URL}/v1/members?limit=500")

        assert "Content-Digest" not in headers
        _verify("GET", f"{URL}/v1/members?limit=500", headers)

    @pytest.mark.parametrize(
        ("method", "url", "body"),
        [
            ("PUT", f"{URL}/v1/decisions", b"{}"),
            ("POST", f"{URL}/v1/decisions?x=1", b"{}"),
            ("POST", f"{URL}/v1/decisions", b"{ }"),
        ],
    )
    def test_an_altered_request_does_not_verify(
        self, keys: MemberKeys, method: str, url: str, body: bytes
    ) -> None:
        headers = sign_headers(keys, "POST", f"{URL}/v1/decisions", b"{}")

        with pytest.raises(InvalidSignature):
            _verify(method, url, headers, body)

    def test_no_two_signatures_have_the_same_nonce(self, keys: MemberKeys) -> None:
        first, second = (sign_headers(keys, "GET", f"{URL}/v1/members") for _ in range(2))

        assert first["Signature-Input"] != second["Signature-Input"]

    def test_what_the_client_sends_verifies_as_it_arrives(self, keys: MemberKeys, scripted: Any) -> None:
        seen: list[httpx2.Request] = []
        http = scripted(httpx2.Response(200, json={"items": [], "next": None}), seen=seen)

        PassportClient(URL, keys, http=http).grants("0x" + "12" * 32)

        (request,) = seen
        headers = dict(request.headers)
        _verify("GET", str(request.url), headers)


class TestKeyFile:
    def test_saved_keys_are_loaded_again(self, keys: MemberKeys, tmp_path: Any) -> None:
        path = tmp_path / "keys" / "hospital.json"
        keys.save(path)

        assert keys == MemberKeys.load(path)
        assert 0o600 == stat.S_IMODE(path.stat().st_mode)

    def test_keys_are_not_in_their_repr(self, keys: MemberKeys) -> None:
        assert keys.signing_seed.hex() not in repr(keys)
        assert "seed" not in repr(keys)

    def test_a_key_file_is_not_overwritten_by_mistake(self, keys: MemberKeys, tmp_path: Any) -> None:
        keys.save(tmp_path / "k.json")

        with pytest.raises(InvalidInput, match="never overwritten"):
            keys.save(tmp_path / "k.json")
        keys.as_member(7).save(tmp_path / "k.json", overwrite=True)
        assert 7 == MemberKeys.load(tmp_path / "k.json").member_id

    def test_a_key_file_that_others_can_read_is_refused(self, keys: MemberKeys, tmp_path: Any) -> None:
        path = tmp_path / "k.json"
        keys.save(path)
        path.chmod(0o640)

        with pytest.raises(ConfigurationError, match="others can read") as caught:
            MemberKeys.load(path)
        assert f"Run: chmod 600 {path}" == caught.value.advice

    @pytest.mark.parametrize(
        "text", ["", "[]", "{}", '{"name": "x", "signingKey": "0x12", "sealingKey": "0x12"}']
    )
    def test_another_file_is_no_key_file(self, tmp_path: Any, text: str) -> None:
        path = tmp_path / "k.json"
        path.write_text(text)
        path.chmod(0o600)

        with pytest.raises(ConfigurationError, match="not a member's key file"):
            MemberKeys.load(path)

    def test_a_missing_key_file_says_how_to_make_one(self, tmp_path: Any) -> None:
        with pytest.raises(ConfigurationError) as caught:
            MemberKeys.load(tmp_path / "none.json")
        assert "passport member new-keys" in caught.value.advice


class TestTransport:
    def test_nobody_there_is_told_with_what_to_do(self, scripted: Any) -> None:
        client = PassportClient(URL, http=scripted(httpx2.ConnectError("refused")))

        with pytest.raises(NodeUnreachable, match=f"no service at {URL}") as caught:
            client.ledger()
        assert "passport up" in caught.value.advice
        assert "service-unreachable" == caught.value.kind

    def test_a_write_keeps_its_key_and_gets_a_new_signature_at_every_attempt(
        self, keys: MemberKeys, scripted: Any
    ) -> None:
        seen: list[httpx2.Request] = []
        http = scripted(
            httpx2.ConnectError("refused"),
            problem(503, "node-unreachable"),
            httpx2.Response(202, json={}, headers={"Location": "/v1/operations/1"}),
            httpx2.Response(201, json={"projectId": 1}),
            seen=seen,
        )

        assert {"projectId": 1} == PassportClient(URL, keys, patience=10, http=http).withdraw_project(1)
        assert 1 == len({request.headers["Idempotency-Key"] for request in seen})
        assert 4 == len({request.headers["Signature"] for request in seen})

    def test_what_the_service_has_taken_is_waited_for_without_patience(
        self, scripted: Any, keys: MemberKeys
    ) -> None:
        http = scripted(httpx2.Response(202, json={}), httpx2.Response(201, json={"status": "withdrawn"}))

        assert {"status": "withdrawn"} == PassportClient(URL, keys, http=http).revoke("0x00")

    def test_patience_ends(self, scripted: Any) -> None:
        client = PassportClient(URL, patience=0.2, http=scripted(problem(503, "not-ready")))

        with pytest.raises(LedgerError) as caught:
            client.ledger()
        assert "not-ready" == caught.value.kind

    @pytest.mark.parametrize(
        ("status", "code", "expected"),
        [
            (422, "unknown-code", UnknownCode),
            (401, "not-authenticated", NotAuthenticated),
            (403, "not-permitted", NotPermitted),
            (409, "conflict", Conflict),
            (422, "idempotency-key-reused", InvalidInput),
            (504, "transaction-pending", TransactionPending),
            (500, "internal", LedgerError),
        ],
    )
    def test_a_problem_is_the_error_it_stands_for(
        self,
        scripted: Any,
        status: int,
        code: str,
        expected: type[LedgerError],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr("ledger.client.transport._PENDING_SECONDS", 0.0)
        client = PassportClient(URL, http=scripted(problem(status, code)))

        with pytest.raises(LedgerError) as caught:
            client.ledger()
        assert expected is type(caught.value)
        assert (code, "it is so", "do this") == (caught.value.kind, caught.value.message, caught.value.advice)

    def test_an_answer_that_is_no_problem_object_is_still_an_error(self, scripted: Any) -> None:
        client = PassportClient(URL, http=scripted(httpx2.Response(500, text="<html>")))

        with pytest.raises(LedgerError, match="status 500"):
            client.ledger()

    def test_an_answer_that_is_not_json_is_an_error(self, scripted: Any) -> None:
        client = PassportClient(URL, http=scripted(httpx2.Response(200, text="<html>")))

        with pytest.raises(LedgerError, match="not JSON"):
            client.ledger()

    def test_a_session_code_is_a_bearer_token(self, scripted: Any) -> None:
        seen: list[httpx2.Request] = []
        PassportClient(URL, "abc", http=scripted(httpx2.Response(200, json={}), seen=seen)).ledger()

        assert "Bearer abc" == seen[0].headers["Authorization"]
        assert "Signature" not in seen[0].headers

    def test_lists_come_whole(self, scripted: Any) -> None:
        http = scripted(
            httpx2.Response(200, json={"items": [{"n": 1}], "next": "c"}),
            httpx2.Response(200, json={"items": [{"n": 2}], "next": None}),
        )

        assert [{"n": 1}, {"n": 2}] == PassportClient(URL, "code", http=http).passports()

    def test_a_url_that_is_none_is_bad_input(self, scripted: Any) -> None:
        with pytest.raises(InvalidInput):
            PassportClient("ftp://x", http=httpx2.Client()).ledger()
