"""
A passkey as a patient's key, end to end: OpenZeppelin's verifiers on the devnet, the precompile of P-256 below them.

The verifier checks type, challenge, presence and verification of the user, and a low s; origin and relying party the
service checks before it relays.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.settings import ApiSettings
from ledger.chain.devnet import Devnet
from ledger.chain.rpc import Node
from ledger.client import PassportClient, open_release
from ledger.client.holders import grant_of
from ledger.domain.vocabulary import Purpose, Role
from ledger.encoding.hexadecimal import to_hex
from ledger.encoding.typed_data import digest, grant_message, grant_typed_data
from ledger.encoding.webauthn import read_assertion
from ledger.errors import Conflict, InvalidInput, NotFound, SignatureRejected
from ledger.ports import Call
from ledger.service.consents import proof
from tests.support.data import bundle
from tests.support.passkeys import Passkey
from tests.support.solidity import Deployer, compiled
from tests.support.world import Actor, World

ORIGIN = "http://testserver"
#: Where patients' browsers are, and the relying party that their passkeys are made for.
PAGE = "https://consent.example.org"
RP_ID = "example.org"


@dataclass(frozen=True)
class Practice:
    """A hospital, a laboratory, and verifiers of passkeys on the chain."""

    world: World
    http: TestClient
    node: Node
    hospital: Actor
    lab: Actor
    project: int
    webauthn: str
    p256: str

    def client(self, who: Actor | str | None = None) -> PassportClient:
        return PassportClient(ORIGIN, who.keys if isinstance(who, Actor) else who, http=self.http)

    def register(self, holder: str) -> str:
        return to_hex(self.world.register(self.hospital, 1, holder=holder))

    def prepared(self, passport: str) -> dict[str, Any]:
        until = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 30 * 86_400))
        wanted = {
            "passportId": passport,
            "recipient": self.lab.member.member_id,
            "purposes": ["AI_TRAINING"],
            "categories": ["DIAGNOSIS"],
            "useTo": until,
        }
        return self.client(self.lab).prepare_grant(wanted)


@pytest.fixture(scope="module")
def practice(devnet: Devnet, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Practice]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PASSPORT_PASSKEY_ORIGINS", f'["{PAGE}"]')
        patch.setenv("PASSPORT_PASSKEY_RP_IDS", f'["{RP_ID}"]')
        world = World(tmp_path_factory.mktemp("passkeys"), devnet.spec.url)
    app = create_app(
        world.service,
        sessions=world.runtime.sessions,
        settings=ApiSettings(origin=ORIGIN, rpc_url=world.settings.rpc),
        checks=world.runtime.checks,
    )
    node = Node(devnet.spec.url)
    deployer = Deployer(node)
    verifiers = "utils/cryptography/verifiers/ERC7913"
    lab = world.admit("Northern AI Laboratory", Role.PROCESSOR)
    yield Practice(
        world=world,
        http=TestClient(app, base_url=ORIGIN, follow_redirects=False),
        node=node,
        hospital=world.admit("Riverside Hospital", Role.CUSTODIAN | Role.PROCESSOR),
        lab=lab,
        project=world.project(lab),
        webauthn=deployer.deploy(compiled(f"{verifiers}WebAuthnVerifier")),
        p256=deployer.deploy(compiled(f"{verifiers}P256Verifier")),
    )
    world.stop()


@pytest.fixture
def key() -> Passkey:
    return Passkey(RP_ID)


@pytest.fixture
def passport(practice: Practice, key: Passkey) -> str:
    return practice.register(key.holder(practice.webauthn))


def challenge_of(prepared: dict[str, Any]) -> bytes:
    """Return what a page lets the passkey sign: the digest of the typed data."""
    return digest(prepared["typedData"])


def test_a_passkey_gives_consent_and_withdraws_it(practice: Practice, key: Passkey, passport: str) -> None:
    """Registered, signed in, consent given, permit, data released; withdrawn with another assertion, refused."""
    holder = key.holder(practice.webauthn)
    assert practice.client(practice.hospital).passport(passport)["holder"] == holder
    challenge = practice.client().challenge(holder)
    assert challenge["typedData"]["types"]["SignIn"][0] == {"name": "holder", "type": "bytes"}
    answered = to_hex(key.assertion(challenge_of(challenge), PAGE))
    patient = practice.client(
        practice.client().open_session(holder, challenge["challenge"], answered)["code"]
    )
    assert [item["passportId"] for item in patient.passports()] == [passport]

    prepared = practice.prepared(passport)
    signature = to_hex(key.assertion(challenge_of(prepared), PAGE))
    given = patient.relay_grant(prepared["grant"], signature)
    assert (given["status"], given["assurance"]) == ("active", "SELF")

    asked = {
        "passportId": passport,
        "purpose": "AI_TRAINING",
        "basis": "CONSENT",
        "operation": "READ",
        "categories": ["DIAGNOSIS"],
        "level": "PSEUDONYMISED",
        "grantId": given["grantId"],
        "projectId": practice.project,
    }
    lab = practice.client(practice.lab)
    (permit,) = lab.decide([asked])
    assert permit["outcome"] == "PERMIT"
    assert set(open_release(lab.release(passport, permit["seq"]), practice.lab.keys)) == {"DIAGNOSIS"}

    withdrawal = patient.revocation(given["grantId"])
    ended = patient.revoke(given["grantId"], to_hex(key.assertion(challenge_of(withdrawal), PAGE)))
    assert ended["status"] == "withdrawn"
    (denied,) = lab.decide([asked])
    assert denied["outcome"] == "DENY"


def test_a_flipped_s_is_refused_by_the_verifier(practice: Practice, key: Passkey, passport: str) -> None:
    """P-256 knows both; the verifier takes the lower one alone (EIP-7951 does not demand it, OpenZeppelin does)."""
    prepared = practice.prepared(passport)
    signature = key.assertion(challenge_of(prepared), PAGE, flipped=True)
    with pytest.raises(SignatureRejected, match="not a signature of the holder's key"):
        practice.client(practice.lab).relay_grant(prepared["grant"], to_hex(signature))
    assert_refused_on_chain(practice, prepared, signature)


def test_another_challenge_is_refused_by_the_verifier(
    practice: Practice, key: Passkey, passport: str
) -> None:
    """What was signed for other words, or for nothing, is no consent to these."""
    prepared, other = practice.prepared(passport), practice.prepared(passport)
    for challenge in (challenge_of(other), secrets.token_bytes(32)):
        signature = key.assertion(challenge, PAGE)
        with pytest.raises(SignatureRejected, match="not a signature of the holder's key"):
            practice.client(practice.lab).relay_grant(prepared["grant"], to_hex(signature))
        assert_refused_on_chain(practice, prepared, signature)


@pytest.mark.parametrize("flags", [0x00, 0x01, 0x04])
def test_without_a_verified_and_present_user_it_is_refused(
    practice: Practice, key: Passkey, passport: str, flags: int
) -> None:
    """The verifier enforces both flags; the service says it in words before."""
    prepared = practice.prepared(passport)
    signature = key.assertion(challenge_of(prepared), PAGE, flags=flags)
    with pytest.raises(SignatureRejected, match="did not make sure who used it"):
        practice.client(practice.lab).relay_grant(prepared["grant"], to_hex(signature))
    assert_refused_on_chain(practice, prepared, signature)


def test_a_registration_is_no_assertion(practice: Practice, key: Passkey, passport: str) -> None:
    prepared = practice.prepared(passport)
    signature = key.assertion(challenge_of(prepared), PAGE, kind="webauthn.put")
    with pytest.raises(SignatureRejected):
        practice.client(practice.lab).relay_grant(prepared["grant"], to_hex(signature))
    assert_refused_on_chain(practice, prepared, signature)


@pytest.mark.parametrize(
    ("origin", "rp_id"),
    [
        ("https://consent.example.com", None),
        ("http://consent.example.org", None),
        ("https://consent.example.org.evil.test", None),
        (PAGE, "evil.test"),
    ],
)
def test_the_service_refuses_another_origin_or_relying_party(
    practice: Practice, key: Passkey, passport: str, origin: str, rp_id: str | None
) -> None:
    """The chain cannot see them, and would take the signature: the relaying service must look."""
    prepared = practice.prepared(passport)
    signature = key.assertion(challenge_of(prepared), origin, rp_id=rp_id)
    with pytest.raises(SignatureRejected, match="and not at this service"):
        practice.client(practice.lab).relay_grant(prepared["grant"], to_hex(signature))
    # What the check is for: brought by somebody else, the ledger takes it.
    done = practice.world.done(submitted(practice, prepared, signature))
    assert done.events[0].name == "ConsentGranted"


@pytest.mark.parametrize("length", [1, 63, 66, 191, 192, 1024])
def test_what_is_no_assertion_is_refused(
    practice: Practice, key: Passkey, passport: str, length: int
) -> None:
    prepared = practice.prepared(passport)
    for filler in (b"\x00", b"\xff", b"\x20"):
        with pytest.raises(SignatureRejected):
            practice.client(practice.lab).relay_grant(prepared["grant"], to_hex(filler * length))


def test_somebody_elses_passkey_is_refused(practice: Practice, passport: str) -> None:
    prepared = practice.prepared(passport)
    signature = Passkey(RP_ID).assertion(challenge_of(prepared), PAGE)
    with pytest.raises(SignatureRejected):
        practice.client(practice.lab).relay_grant(prepared["grant"], to_hex(signature))
    holder = Passkey(RP_ID).holder(practice.webauthn)
    challenge = practice.client().challenge(holder)
    stranger = to_hex(Passkey(RP_ID).assertion(challenge_of(challenge), PAGE))
    with pytest.raises(SignatureRejected, match="not answered with this holder's key"):
        practice.client().open_session(holder, challenge["challenge"], stranger)


def test_a_signature_is_good_for_one_grant(practice: Practice, key: Passkey, passport: str) -> None:
    """The same assertion again, and with bytes after it: the grant exists, whatever the signature looks like."""
    prepared = practice.prepared(passport)
    signature = key.assertion(challenge_of(prepared), PAGE)
    lab = practice.client(practice.lab)
    lab.relay_grant(prepared["grant"], to_hex(signature))
    for again in (signature, signature + bytes(32)):
        with pytest.raises(Conflict, match="exists already"):
            lab.relay_grant(prepared["grant"], to_hex(again))


def test_a_bare_p256_key_signs_as_well(practice: Practice, key: Passkey) -> None:
    """A key in a smart card, without a browser: r and s over the digest, high s refused."""
    passport = practice.register(key.holder(practice.p256))
    prepared = practice.prepared(passport)
    signature = key.bare(challenge_of(prepared))
    flipped = signature[:32] + (
        0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
        - int.from_bytes(signature[32:], "big")
    ).to_bytes(32, "big")
    lab = practice.client(practice.lab)
    with pytest.raises(SignatureRejected):
        lab.relay_grant(prepared["grant"], to_hex(flipped))
    assert lab.relay_grant(prepared["grant"], to_hex(signature))["assurance"] == "SELF"


def test_a_verifier_that_is_not_there_verifies_nothing(practice: Practice, key: Passkey) -> None:
    """The ledger takes no such key; the service's own check does not trust the silence of an empty address either."""
    nobody, message = "0x" + "77" * 20, secrets.token_bytes(32)
    world, wanted = practice.world, key.holder(nobody)
    document = bundle(1, reference=f"patient-{secrets.token_hex(4)}")
    operation = world.service.records.register(
        practice.hospital.member, document, purposes=[Purpose.AI_TRAINING], holder=wanted
    )
    error = world.failed(operation)
    assert (error["code"], "a verifier that has code" in error["message"]) == ("invalid-input", True)
    chain = world.service.chain
    assert chain.stands_by(key.holder(practice.p256), message, key.bare(message))
    assert not chain.stands_by(wanted, message, key.bare(message))


def test_keys_and_signatures_have_bounds(practice: Practice, passport: str) -> None:
    prepared = practice.prepared(passport)
    with pytest.raises(InvalidInput):
        practice.client(practice.lab).relay_grant(prepared["grant"], "0x" + "11" * 4097)
    with pytest.raises(InvalidInput):
        practice.client().challenge("0x" + "11" * 513)
    with pytest.raises(NotFound):
        practice.client(practice.lab).passport(to_hex(secrets.token_bytes(32)))


def test_the_devnet_has_the_precompile(practice: Practice, key: Passkey) -> None:
    """P256VERIFY (EIP-7951) answers 1 for a signature and nothing for another one: the verifiers need no fallback."""
    message = secrets.token_bytes(32)
    point = bytes.fromhex(key.holder(practice.p256)[42:])
    precompile = "0x" + "100".rjust(40, "0")
    assert practice.node.call(precompile, message + key.bare(message) + point) == (1).to_bytes(32, "big")
    assert practice.node.call(precompile, secrets.token_bytes(32) + key.bare(message) + point) == b""


def test_the_assertion_is_read_as_the_verifier_reads_it(key: Passkey) -> None:
    """Origin and flags come from the very bytes that are verified."""
    assertion = read_assertion(key.assertion(b"\x01" * 32, PAGE))
    assert (assertion.origin, assertion.user_present, assertion.user_verified) == (PAGE, True, True)


def submitted(practice: Practice, prepared: dict[str, Any], signature: bytes) -> Any:
    """Bring a grant past the service's own checks, as another relayer would."""
    grant = grant_of(prepared["grant"])
    assert digest(grant_typed_data(practice.world.service.chain.domain(), grant)) == challenge_of(prepared)
    call = Call("grant", ([list(grant_message(grant).values())], [proof(signature)]))
    return practice.world.service.writer.submit(practice.lab.member.signer, call)


def assert_refused_on_chain(practice: Practice, prepared: dict[str, Any], signature: bytes) -> None:
    """Check that the ledger itself refuses, whoever relays."""
    error = practice.world.failed(submitted(practice, prepared, signature))
    assert error["code"] == "signature-rejected"
