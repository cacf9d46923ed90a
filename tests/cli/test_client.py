"""The client: signed requests, retries, problems read as errors, releases opened and checked."""

from __future__ import annotations

import base64
import json
import stat
from copy import deepcopy
from typing import Any

import httpx2
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from eth_account import Account
from http_message_signatures import HTTPMessageVerifier, HTTPSignatureKeyResolver, InvalidSignature
from http_message_signatures.algorithms import ED25519

from ledger.client import (
    MemberKeys,
    PassportClient,
    check_grant,
    content_received,
    open_release,
    sign_grant,
    sign_headers,
    sign_in,
    sign_revocation,
)
from ledger.client.holders import grant_of, seconds
from ledger.domain.records import Address
from ledger.encoding.hexadecimal import bytes32, to_hex
from ledger.encoding.typed_data import (
    LedgerDomain,
    grant_typed_data,
    recover,
    revocation_typed_data,
    sign_in_typed_data,
)
from ledger.errors import (
    ConfigurationError,
    Conflict,
    InvalidInput,
    LedgerError,
    NodeUnreachable,
    NotAuthenticated,
    NotPermitted,
    SignatureRejected,
    TransactionPending,
    UnknownCode,
    VerificationError,
)
from tests.cli.conftest import problem, seal_release

URL = "http://127.0.0.1:8000"
LEDGER = {"chainId": 31337, "ledger": "0x" + "ab" * 20}
DOMAIN = LedgerDomain(31337, Address("0x" + "ab" * 20))


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


class TestRelease:
    def test_a_release_is_opened_and_equals_what_was_sealed(
        self, release: dict[str, Any], keys: MemberKeys, resources: Any
    ) -> None:
        opened = open_release(release, keys, content=bytes32(release["content"]))

        assert {category.name: entries for category, entries in resources.items()} == opened
        assert bytes32(release["content"]) == content_received(release, keys)

    def test_somebody_else_cannot_open_it(self, release: dict[str, Any]) -> None:
        with pytest.raises(VerificationError, match="cannot be decrypted"):
            open_release(release, MemberKeys.new("somebody else"))

    def test_other_content_than_the_passports_is_found(
        self, release: dict[str, Any], keys: MemberKeys
    ) -> None:
        with pytest.raises(VerificationError, match="manifest"):
            open_release(release, keys, content=bytes(32))

    def test_exchanged_plain_text_is_found_and_reported_as_another_content(
        self, release: dict[str, Any], keys: MemberKeys, resources: Any
    ) -> None:
        forged = deepcopy(resources)
        for entries in forged.values():
            entries[0]["id"] = "another"
        other = seal_release(forged, recipient=keys)
        mixed = deepcopy(release)
        for item, replacement in zip(mixed["categories"], other["categories"], strict=True):
            item["ciphertext"], item["sealedKey"] = replacement["ciphertext"], replacement["sealedKey"]

        with pytest.raises(VerificationError, match="not those that were committed to"):
            open_release(mixed, keys)
        assert bytes32(release["content"]) != content_received(mixed, keys)

    def test_a_commitment_that_fits_the_text_but_not_the_manifest_is_found(
        self, release: dict[str, Any], keys: MemberKeys, resources: Any
    ) -> None:
        other = seal_release(resources, recipient=keys)
        mixed = {**release, "categories": other["categories"]}

        with pytest.raises(VerificationError, match="not those that were committed to"):
            open_release(mixed, keys)

    @pytest.mark.parametrize("field", ["ciphertext", "sealedKey"])
    def test_flipped_bits_are_found(self, release: dict[str, Any], keys: MemberKeys, field: str) -> None:
        item = release["categories"][0]
        flipped = bytearray(base64.b64decode(item[field]))
        flipped[-1] ^= 1
        item[field] = base64.b64encode(flipped).decode()

        with pytest.raises(VerificationError):
            open_release(release, keys)

    def test_a_wrong_number_of_entries_is_found(self, release: dict[str, Any], keys: MemberKeys) -> None:
        release["categories"][0]["entries"] += 1

        with pytest.raises(VerificationError, match="promises"):
            open_release(release, keys)

    @pytest.mark.parametrize("broken", [{}, {"categories": [{}]}, {"categories": [{"category": "NONE"}]}])
    def test_a_malformed_release_is_a_verification_error(
        self, keys: MemberKeys, broken: dict[str, Any]
    ) -> None:
        with pytest.raises(VerificationError, match="cannot be read"):
            open_release(broken, keys)


class TestHolder:
    KEY = bytes.fromhex("11" * 32)
    HOLDER = str(Account.from_key(bytes.fromhex("11" * 32)).address).lower()
    WANTED: dict[str, Any] = {  # noqa: RUF012 - never changed
        "passportId": "0x" + "aa" * 32,
        "recipient": 4,
        "purposes": ["AI_TRAINING"],
        "categories": ["DIAGNOSIS", "VITALS"],
        "useTo": "2027-01-01T00:00:00Z",
        "maxUses": 3,
        "flags": ["NO_RELINK"],
    }

    @pytest.fixture
    def prepared(self) -> dict[str, Any]:
        grant = {
            "grantId": "0x" + "bb" * 32,
            "passportId": self.WANTED["passportId"],
            "recipient": 4,
            "purposes": 1 << 7,
            "categories": 0b10001,
            "useFrom": 1_700_000_000,
            "useTo": seconds("2027-01-01T00:00:00Z"),
            "maxUses": 3,
            "flags": 2,
            "terms": "0x" + "cc" * 32,
            "supersedes": "0x" + "00" * 32,
            "deadline": 1_800_000_000,
        }
        return {"grant": grant, "text": "…", "holder": self.HOLDER, "typedData": {}}

    def test_a_grant_that_says_what_was_decided_is_signed(self, prepared: dict[str, Any]) -> None:
        grant = check_grant(prepared, self.WANTED)
        signature = sign_grant(LEDGER, grant, self.KEY)

        assert self.HOLDER == recover(grant_typed_data(DOMAIN, grant), bytes.fromhex(signature[2:]))

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("passportId", "0x" + "ab" * 32),
            ("recipient", 5),
            ("purposes", 0xFFFF),
            ("categories", 0xFFFF),
            ("useTo", 2_000_000_000),
            ("maxUses", 0),
            ("flags", 0),
            ("supersedes", "0x" + "01" * 32),
        ],
    )
    def test_a_grant_that_says_something_else_is_not_signed(
        self, prepared: dict[str, Any], field: str, value: Any
    ) -> None:
        prepared["grant"][field] = value

        with pytest.raises(SignatureRejected, match=field):
            check_grant(prepared, self.WANTED)

    def test_another_start_than_decided_is_not_signed(self, prepared: dict[str, Any]) -> None:
        with pytest.raises(SignatureRejected, match="useFrom"):
            check_grant(prepared, {**self.WANTED, "useFrom": "2026-01-01T00:00:00Z"})

    def test_half_a_grant_is_bad_input(self) -> None:
        with pytest.raises(InvalidInput, match="not a grant ready for signing"):
            grant_of({"grantId": "0x" + "bb" * 32})

    def test_a_withdrawal_is_signed_by_the_holder(self) -> None:
        passport, grant = "0x" + "aa" * 32, "0x" + "bb" * 32
        signature = sign_revocation(LEDGER, passport_id=passport, grant_id=grant, private_key=self.KEY)
        typed_data = revocation_typed_data(DOMAIN, passport_id=bytes32(passport), grant_id=bytes32(grant))

        assert self.HOLDER == recover(typed_data, bytes.fromhex(signature[2:]))

    def _service(self, typed_data: dict[str, Any]) -> httpx2.Client:
        def handle(request: httpx2.Request) -> httpx2.Response:
            if request.url.path == "/v1/ledger":
                return httpx2.Response(200, json=LEDGER)
            if request.url.path == "/v1/sessions/challenges":
                return httpx2.Response(
                    200,
                    json={
                        "typedData": typed_data,
                        "challenge": to_hex(b"c" * 32),
                        "expiresAt": "2027-01-01T00:00:00Z",
                    },
                )
            signature = bytes.fromhex(json.loads(request.content)["signature"][2:])
            return httpx2.Response(201, json={"code": "in", "by": recover(typed_data, signature)})

        return httpx2.Client(transport=httpx2.MockTransport(handle))

    def test_a_challenge_of_this_service_is_answered(self) -> None:
        typed_data = sign_in_typed_data(
            DOMAIN, holder=self.HOLDER, origin=URL, challenge=b"c" * 32, expires_at=9
        )

        session = sign_in(PassportClient(URL, http=self._service(typed_data)), self.KEY)

        assert {"code": "in", "by": self.HOLDER} == session

    @pytest.mark.parametrize(
        "typed_data",
        [
            sign_in_typed_data(
                DOMAIN, holder=HOLDER, origin="https://evil.example", challenge=b"c" * 32, expires_at=9
            ),
            sign_in_typed_data(DOMAIN, holder=HOLDER, origin=URL, challenge=b"d" * 32, expires_at=9),
            sign_in_typed_data(
                DOMAIN, holder="0x" + "01" * 20, origin=URL, challenge=b"c" * 32, expires_at=9
            ),
            sign_in_typed_data(
                LedgerDomain(1, DOMAIN.ledger), holder=HOLDER, origin=URL, challenge=b"c" * 32, expires_at=9
            ),
            revocation_typed_data(DOMAIN, passport_id=bytes(32), grant_id=bytes(32)),
        ],
        ids=["another origin", "another challenge", "another holder", "another chain", "no sign-in at all"],
    )
    def test_anything_else_is_not_signed(self, typed_data: dict[str, Any]) -> None:
        with pytest.raises(SignatureRejected):
            sign_in(PassportClient(URL, http=self._service(typed_data)), self.KEY)

    @pytest.mark.parametrize("text", ["soon", "2027-01-01T00:00:00", ""])
    def test_a_time_without_a_zone_is_bad_input(self, text: str) -> None:
        with pytest.raises(InvalidInput):
            seconds(text)
