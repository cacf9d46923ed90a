"""Keys of patients through REST: replaced, lost and recovered, and spoken for. On a devnet whose clock is moved."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from eth_account import Account
from fastapi.testclient import TestClient

from api.app import create_app
from api.middleware import COOKIE
from api.settings import ApiSettings
from ledger.chain.devnet import Devnet
from ledger.chain.rpc import Node
from ledger.client import (
    PassportClient,
    sign_delegation,
    sign_grant,
    sign_guardians,
    sign_in,
    sign_objection,
    sign_recovery,
    sign_revocation,
    sign_rotation,
    signer_beside,
)
from ledger.client.holders import grant_of
from ledger.domain.vocabulary import Role
from ledger.encoding.hexadecimal import to_hex
from ledger.encoding.typed_data import LedgerDomain, revocation_typed_data, rotation_typed_data, sign
from ledger.errors import Conflict, InvalidInput, NotFound, NotPermitted, SignatureRejected
from ledger.wallet import holder_address
from tests.api.conftest import ORIGIN, assert_page
from tests.support.clock import advance
from tests.support.solidity import Deployer, compiled
from tests.support.world import Actor, World

#: How long a recovery waits by the law of a new ledger, in seconds.
WEEK = 7 * 86_400
#: A wallet of code that stands by whatever it is told to, until it is told otherwise.
WALLET = """
// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;
contract FickleWallet {
    bool public minded = true;
    function change() external { minded = !minded; }
    function isValidSignature(bytes32, bytes calldata) external view returns (bytes4) {
        return minded ? bytes4(0x1626ba7e) : bytes4(0xffffffff);
    }
}
"""
CHANGE = bytes.fromhex("2ee79ded")  # change()


class Clinic:
    """A hospital, a laboratory, and the patients who keep their keys there."""

    def __init__(self, world: World, node: Node) -> None:
        self.world, self.node = world, node
        settings = ApiSettings(origin=ORIGIN, rpc_url=world.settings.rpc)
        app = create_app(
            world.service, sessions=world.runtime.sessions, settings=settings, checks=world.runtime.checks
        )
        self.http = TestClient(app, base_url=ORIGIN, follow_redirects=False)
        self.hospital = world.admit("Riverside Hospital", Role.CUSTODIAN | Role.PROCESSOR)
        self.lab = world.admit("Northern AI Laboratory", Role.PROCESSOR)

    def client(self, who: Actor | str | None = None) -> PassportClient:
        return PassportClient(ORIGIN, who.keys if isinstance(who, Actor) else who, http=self.http)

    def patient(self, key: bytes) -> PassportClient:
        """Sign a patient in."""
        return self.client(sign_in(self.client(), key)["code"])

    def passport(self, holder: str | None) -> str:
        return to_hex(self.world.register(self.hospital, 1, holder=holder))

    def wanted(self, passport: str) -> dict[str, Any]:
        return {
            "passportId": passport,
            "recipient": self.lab.member.member_id,
            "purposes": ["AI_TRAINING"],
            "categories": ["DIAGNOSIS"],
            "useTo": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.node.head().time + 30 * 86_400)),
        }

    def give(self, passport: str, key: bytes, **changes: Any) -> dict[str, Any]:
        """Let a key sign a consent, relayed by the laboratory."""
        lab = self.client(self.lab)
        prepared = lab.prepare_grant({**self.wanted(passport), **changes})
        signature = sign_grant(lab.ledger(), grant_of(prepared["grant"]), key)
        return lab.relay_grant(prepared["grant"], signature, signer=signer_beside(prepared["holder"], key))


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clinic]:
    """Return a consortium on a devnet of its own: these tests move the clock."""
    devnet = Devnet(tmp_path_factory.mktemp("devnet-holders"))
    devnet.start()
    world = World(tmp_path_factory.mktemp("holders"), devnet.spec.url)
    yield Clinic(world, Node(devnet.spec.url))
    world.stop()
    devnet.stop()


@pytest.fixture
def key() -> bytes:
    return secrets.token_bytes(32)


@pytest.fixture
def passport(clinic, key) -> str:
    return clinic.passport(holder_address(key))


@pytest.fixture
def once(clinic, passport, said) -> Callable[..., dict[str, Any]]:
    """Return the same for a signature that is good once: it names the passport's nonce too."""

    def words(**more: Any) -> dict[str, Any]:
        return said(nonce=clinic.client(clinic.hospital).holder(passport)["nonce"], **more)

    return words


@pytest.fixture
def said(clinic, passport) -> Callable[..., dict[str, Any]]:
    """Return what every signature of a holder names."""

    def words(**more: Any) -> dict[str, Any]:
        return {
            "passport_id": passport,
            "epoch": clinic.client(clinic.hospital).holder(passport)["epoch"],
            **more,
        }

    return words


def new_key() -> tuple[bytes, str]:
    key = secrets.token_bytes(32)
    return key, str(holder_address(key))


class TestRotation:
    """The old key is dead at once, and so is whatever it had signed about itself."""

    def test_the_new_key_speaks_at_once_and_the_old_one_no_more(self, clinic, passport, key, said):
        patient, (next_key, holder) = clinic.patient(key), new_key()
        ledger = patient.ledger()
        given = clinic.give(passport, key)
        signature = sign_rotation(ledger, **said(holder=holder, private_key=key))
        rotated = patient.rotate_holder(passport, holder, signature)
        assert (rotated["holder"], rotated["custody"], rotated["epoch"]) == (holder, "SELF", 1)
        assert [item["passportId"] for item in clinic.patient(next_key).passports()] == [passport]
        assert patient.passports() == []
        assert clinic.patient(key).passports() == []
        with pytest.raises(NotFound):
            patient.passport(passport)
        with pytest.raises(SignatureRejected, match="may not speak for the holder"):
            clinic.give(passport, key)
        words = {"passport_id": passport, "grant_id": given["grantId"]}
        with pytest.raises(SignatureRejected):
            clinic.client(clinic.lab).revoke(
                given["grantId"], sign_revocation(ledger, **words, private_key=key)
            )
        assert clinic.give(passport, next_key)["assurance"] == "SELF"
        # What was given before stays given, and the new key withdraws it.
        ended = clinic.patient(next_key).revoke(
            given["grantId"], sign_revocation(ledger, **words, private_key=next_key)
        )
        assert ended["status"] == "withdrawn"

    def test_a_rotation_is_good_once(self, clinic, passport, key, said):
        """Back at the old key, the first rotation's signature rotates nothing: its epoch is over."""
        lab, (next_key, holder) = clinic.client(clinic.lab), new_key()
        first = sign_rotation(lab.ledger(), **said(holder=holder, private_key=key))
        lab.rotate_holder(passport, holder, first)
        own = str(holder_address(key))
        back = sign_rotation(lab.ledger(), **said(holder=own, private_key=next_key))
        lab.rotate_holder(passport, own, back)
        with pytest.raises(SignatureRejected):
            lab.rotate_holder(passport, holder, first)

    def test_a_rotation_for_another_chain_or_ledger_is_refused(self, clinic, passport, key):
        lab, (_, holder) = clinic.client(clinic.lab), new_key()
        own = clinic.world.service.chain.domain()
        for domain in (
            LedgerDomain(own.chain_id + 1, own.ledger),
            LedgerDomain(own.chain_id, "0x" + "11" * 20),  # type: ignore[arg-type]
        ):
            typed_data = rotation_typed_data(
                domain,
                passport_id=bytes.fromhex(passport[2:]),
                holder=bytes.fromhex(holder[2:]),
                custody=0,
                epoch=0,
            )
            with pytest.raises(SignatureRejected):
                lab.rotate_holder(passport, holder, to_hex(sign(typed_data, private_key=key)))

    def test_what_is_signed_can_be_asked_for(self, clinic, passport, key):
        _, holder = new_key()
        hospital = clinic.client(clinic.hospital)
        prepared = hospital.prepare_holder_act(passport, {"act": "rotation", "holder": holder})["typedData"]
        assert prepared["message"] == {
            "passportId": passport,
            "holder": holder,
            "custody": prepared["message"]["custody"],
            "epoch": 0,
        }
        signature = to_hex(sign(prepared, private_key=key))
        assert hospital.rotate_holder(passport, holder, signature)["holder"] == holder

    def test_a_patient_takes_over_from_the_hospital(self, clinic):
        """The custodian's assisted key names the patient's wallet; after that it signs nothing any more."""
        hospital, (own, holder) = clinic.client(clinic.hospital), new_key()
        passport = clinic.passport(None)
        with pytest.raises(NotPermitted):
            clinic.client(clinic.lab).rotate_holder(passport, holder)
        assert hospital.rotate_holder(passport, holder)["custody"] == "SELF"
        with pytest.raises(NotPermitted, match="the patient keeps"):
            hospital.assist_grant(clinic.wanted(passport))
        with pytest.raises(NotPermitted):
            hospital.rotate_holder(passport, new_key()[1])
        assert clinic.give(passport, own)["assurance"] == "SELF"

    @pytest.mark.parametrize("holder", ["0x", "0x1234", "0x" + "11" * 19, "0x" + "11" * 513, "0x1", "zz"])
    def test_what_is_no_key_is_refused(self, clinic, passport, holder):
        with pytest.raises(InvalidInput):
            clinic.client(clinic.hospital).rotate_holder(passport, holder, "0x" + "11" * 65)

    def test_the_key_there_is_is_no_new_key(self, clinic, passport, key, said):
        own = str(holder_address(key))
        signature = sign_rotation(clinic.client().ledger(), **said(holder=own, private_key=key))
        with pytest.raises(InvalidInput, match="the key there is"):
            clinic.client(clinic.lab).rotate_holder(passport, own, signature)


class TestDelegates:
    """Somebody speaks for the holder, for a time, and never beyond it."""

    def name(self, clinic, once, key: bytes, delegate: str, seconds: int) -> dict[str, Any]:
        patient = clinic.patient(key)
        end = clinic.node.head().time + seconds if seconds else 0
        words = once(delegate=delegate, valid_to=end, private_key=key)
        signature = sign_delegation(patient.ledger(), **words)
        moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(end)) if end else None
        return patient.name_delegate(words["passport_id"], delegate, moment, signature)

    def test_a_delegate_reads_gives_and_withdraws(self, clinic, passport, key, said, once):
        daughter, address = new_key()
        with pytest.raises(SignatureRejected, match="may not speak"):
            clinic.give(passport, daughter)
        named = self.name(clinic, once, key, address, 86_400)
        assert [item["delegate"] for item in named["delegates"]] == [address]
        reader = clinic.patient(daughter)
        assert reader.passport(passport)["passportId"] == passport
        assert [item["passportId"] for item in reader.passports()] == [passport]
        given = clinic.give(passport, daughter)
        assert given["assurance"] == "DELEGATED"
        assert given in reader.grants(passport)
        words = {"passport_id": passport, "grant_id": given["grantId"], "private_key": daughter}
        ended = reader.revoke(given["grantId"], sign_revocation(reader.ledger(), **words), signer=address)
        assert ended["status"] == "withdrawn"

    def test_a_delegate_finds_the_record_on_its_page(self, clinic, passport, key, once):
        daughter, address = new_key()
        self.name(clinic, once, key, address, 86_400)
        clinic.http.cookies.set(COOKIE, str(sign_in(clinic.client(), daughter)["code"]))
        page = assert_page(clinic.http.get("/patient"))
        told = " ".join("".join(page.itertext()).split())
        assert f"/patient/passports/{passport}" in {link.get("href") for link in page.findall(".//a")}
        assert "It is somebody else's. You speak for the patient until" in told
        record = assert_page(clinic.http.get(f"/patient/passports/{passport}"))
        assert "You speak for the patient until" in "".join(record.itertext())
        clinic.http.cookies.clear()

    def test_a_delegate_names_nobody_and_rotates_nothing(self, clinic, passport, key, said, once):
        daughter, address = new_key()
        self.name(clinic, once, key, address, 86_400)
        _, holder = new_key()
        lab = clinic.client(clinic.lab)
        with pytest.raises(SignatureRejected):
            lab.rotate_holder(
                passport, holder, sign_rotation(lab.ledger(), **said(holder=holder, private_key=daughter))
            )

    def test_a_delegation_ends_at_its_time(self, clinic, passport, key, said, once):
        daughter, address = new_key()
        self.name(clinic, once, key, address, 600)
        assert clinic.give(passport, daughter)["assurance"] == "DELEGATED"
        advance(clinic.node, 601)
        with pytest.raises(SignatureRejected, match="not any more"):
            clinic.give(passport, daughter)
        with pytest.raises(NotFound):
            clinic.patient(daughter).passport(passport)
        assert list(clinic.patient(daughter).passports()) == []

    def test_the_holder_ends_it_at_once(self, clinic, passport, key, said, once):
        daughter, address = new_key()
        self.name(clinic, once, key, address, 86_400)
        assert self.name(clinic, once, key, address, 0)["delegates"] == []
        with pytest.raises(SignatureRejected):
            clinic.give(passport, daughter)

    def test_it_ends_with_the_key_that_named_it(self, clinic, passport, key, said, once):
        daughter, address = new_key()
        self.name(clinic, once, key, address, 86_400)
        lab, (_, holder) = clinic.client(clinic.lab), new_key()
        lab.rotate_holder(
            passport, holder, sign_rotation(lab.ledger(), **said(holder=holder, private_key=key))
        )
        with pytest.raises(SignatureRejected):
            clinic.give(passport, daughter)

    def test_what_made_a_delegate_does_not_make_it_one_again(self, clinic, passport, key, once):
        """Ended, the same signature names nobody: its nonce is spent."""
        _, address = new_key()
        patient, end = clinic.patient(key), clinic.node.head().time + 86_400
        moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(end))
        words = once(delegate=address, valid_to=end, private_key=key)
        signature = sign_delegation(patient.ledger(), **words)
        patient.name_delegate(passport, address, moment, signature)
        self.name(clinic, once, key, address, 0)
        with pytest.raises(SignatureRejected):
            patient.name_delegate(passport, address, moment, signature)

    def test_an_end_in_the_past_is_refused(self, clinic, passport, key):
        _, address = new_key()
        with pytest.raises(InvalidInput, match="in the future"):
            clinic.patient(key).name_delegate(passport, address, "2020-01-01T00:00:00Z", "0x" + "11" * 65)


class TestRecovery:
    """A lost key is replaced by guardians or at the counter; the holder is told, and can say no."""

    @pytest.fixture
    def guardians(self) -> list[bytes]:
        return [secrets.token_bytes(32) for _ in range(3)]

    def keys_of(self, guardians: list[bytes]) -> list[str]:
        return [str(holder_address(guardian)) for guardian in guardians]

    def named(self, clinic, once, key: bytes, guardians: list[bytes]) -> None:
        patient = clinic.patient(key)
        words = once(threshold=2, keys=self.keys_of(guardians), private_key=key)
        signature = sign_guardians(patient.ledger(), **words)
        found = patient.name_guardians(words["passport_id"], 2, words["keys"], signature)
        assert found["guardians"] is not None

    def signed(
        self, clinic, once, holder: str, guardians: list[bytes], signing: list[bytes]
    ) -> dict[str, Any]:
        ledger = clinic.client().ledger()
        return {
            "holder": holder,
            "threshold": 2,
            "keys": self.keys_of(guardians),
            "signatures": [
                sign_recovery(ledger, **once(holder=holder, private_key=guardian))
                if guardian in signing
                else "0x"
                for guardian in guardians
            ],
        }

    def test_two_of_three_guardians_replace_a_lost_key(self, clinic, passport, key, said, once, guardians):
        self.named(clinic, once, key, guardians)
        lab, (next_key, holder) = clinic.client(clinic.lab), new_key()
        with pytest.raises(SignatureRejected, match="2 of 3 guardians"):
            lab.recover_holder(passport, self.signed(clinic, once, holder, guardians, guardians[:1]))
        begun = lab.recover_holder(passport, self.signed(clinic, once, holder, guardians, guardians[1:]))
        assert (begun["recovery"]["holder"], begun["recovery"]["byCustodian"]) == (holder, False)
        # The notice: in the answer of the passport, on the list and on the page.
        patient = clinic.patient(key)
        assert patient.passport(passport)["recovery"] == begun["recovery"]
        bearer = {"Authorization": f"Bearer {sign_in(clinic.client(), key)['code']}"}
        page = clinic.http.get(f"/patient/passports/{passport}", headers=bearer)
        assert_page(page)
        assert "Somebody is replacing your key" in page.text
        assert "your guardians" in page.text
        cards = clinic.http.get("/patient", headers=bearer)
        assert_page(cards)
        assert "Somebody is replacing your key" in cards.text
        with pytest.raises(Conflict, match="can object until"):
            lab.complete_recovery(passport)
        advance(clinic.node, WEEK)
        done = clinic.patient(next_key).complete_recovery(passport)
        assert (done["holder"], done["epoch"], done["guardians"], done["recovery"]) == (holder, 1, None, None)
        with pytest.raises(SignatureRejected):
            clinic.give(passport, key)
        assert clinic.give(passport, next_key)["assurance"] == "SELF"
        # The old guardians are nobody's any more, whatever they sign.
        with pytest.raises(SignatureRejected, match="not the guardians"):
            lab.recover_holder(passport, self.signed(clinic, once, new_key()[1], guardians, guardians))

    def test_the_holder_objects(self, clinic, passport, key, said, once, guardians):
        self.named(clinic, once, key, guardians)
        lab, (_, holder) = clinic.client(clinic.lab), new_key()
        recovery = self.signed(clinic, once, holder, guardians, guardians)
        lab.recover_holder(passport, recovery)
        patient = clinic.patient(key)
        ready_at = clinic.world.service.index.recovery(bytes.fromhex(passport[2:])).ready_at
        words = said(ready_at=ready_at, private_key=key)
        stranger = sign_objection(patient.ledger(), **{**words, "private_key": guardians[0]})
        with pytest.raises(SignatureRejected):
            patient.object_to_recovery(passport, stranger)
        kept = patient.object_to_recovery(passport, sign_objection(patient.ledger(), **words))
        assert (kept["recovery"], kept["holder"]) == (None, holder_address(key))
        # What the guardians signed started one recovery, and starts no other.
        with pytest.raises(SignatureRejected):
            lab.recover_holder(passport, recovery)
        advance(clinic.node, WEEK)
        with pytest.raises(NotFound, match="no recovery"):
            lab.complete_recovery(passport)
        with pytest.raises(NotFound, match="no recovery"):
            patient.object_to_recovery(passport, sign_objection(patient.ledger(), **words))

    def test_guardians_that_were_replaced_recover_nothing(self, clinic, passport, key, said, once, guardians):
        self.named(clinic, once, key, guardians)
        self.named(clinic, once, key, [secrets.token_bytes(32), *guardians[1:]])
        recovery = self.signed(clinic, once, new_key()[1], guardians, guardians)
        with pytest.raises(SignatureRejected, match="not the guardians"):
            clinic.client(clinic.lab).recover_holder(passport, recovery)

    def test_a_guardian_counts_once_and_signs_for_itself(self, clinic, passport, key, said, once, guardians):
        self.named(clinic, once, key, guardians)
        recovery = self.signed(clinic, once, new_key()[1], guardians, guardians[:2])
        first = recovery["signatures"][0]
        with pytest.raises(SignatureRejected):
            clinic.client(clinic.lab).recover_holder(
                passport, {**recovery, "signatures": [first, first, "0x"]}
            )
        with pytest.raises(InvalidInput, match="each named once"):
            clinic.patient(key).name_guardians(
                passport, 2, self.keys_of([guardians[0], guardians[0]]), "0x" + "11" * 65
            )
        for threshold in (0, 4):
            with pytest.raises(InvalidInput, match="threshold"):
                clinic.patient(key).name_guardians(
                    passport, threshold, self.keys_of(guardians), "0x" + "11" * 65
                )

    def test_the_counter_replaces_a_key_of_who_named_no_guardians(self, clinic, passport, key, said, once):
        hospital, (next_key, holder) = clinic.client(clinic.hospital), new_key()
        with pytest.raises(NotPermitted):
            clinic.client(clinic.lab).recover_holder(passport, {"holder": holder})
        with pytest.raises(NotPermitted):
            clinic.patient(key).recover_holder(passport, {"holder": holder})
        assert hospital.recover_holder(passport, {"holder": holder})["recovery"]["byCustodian"] is True
        advance(clinic.node, WEEK)
        assert clinic.client(clinic.lab).complete_recovery(passport)["holder"] == holder
        assert clinic.give(passport, next_key)["assurance"] == "SELF"

    def test_the_counter_may_keep_a_new_key_for_the_patient(self, clinic, passport, key):
        """Until the recovery is complete the hospital signs nothing; then it assists."""
        hospital = clinic.client(clinic.hospital)
        begun = hospital.recover_holder(passport, {})
        assert begun["recovery"]["custody"] == "ASSISTED"
        with pytest.raises(NotPermitted, match="the patient keeps"):
            hospital.assist_grant(clinic.wanted(passport))
        again = hospital.recover_holder(passport, {})["recovery"]["holder"]
        assert again != begun["recovery"]["holder"]
        advance(clinic.node, WEEK)
        completed = hospital.complete_recovery(passport)
        assert (completed["custody"], completed["holder"]) == ("ASSISTED", again)
        assert hospital.assist_grant(clinic.wanted(passport))["assurance"] == "ASSISTED"
        with pytest.raises(Conflict, match="keeps this key already"):
            hospital.recover_holder(passport, {})

    def test_the_counter_leaves_it_to_the_guardians(self, clinic, passport, key, said, once, guardians):
        self.named(clinic, once, key, guardians)
        with pytest.raises(Conflict, match="guardians"):
            clinic.client(clinic.hospital).recover_holder(passport, {"holder": new_key()[1]})


class TestContractWallets:
    """A holder may be code: it is asked anew each time, by the service and by the ledger."""

    def test_a_wallet_that_changes_its_mind_is_believed_each_time(self, clinic):
        deployer = Deployer(clinic.node)
        wallet = deployer.deploy(compiled("FickleWallet", WALLET))
        passport, lab = clinic.passport(wallet), clinic.client(clinic.lab)
        prepared = lab.prepare_grant(clinic.wanted(passport))
        given = lab.relay_grant(prepared["grant"], "0x00")
        assert (given["status"], given["assurance"]) == ("active", "SELF")
        assert deployer.call(wallet, CHANGE)
        again = lab.prepare_grant(clinic.wanted(passport))
        with pytest.raises(SignatureRejected):
            lab.relay_grant(again["grant"], "0x00")
        with pytest.raises(SignatureRejected):
            lab.revoke(given["grantId"], "0x00")
        assert deployer.call(wallet, CHANGE)
        assert lab.revoke(given["grantId"], "0x00")["status"] == "withdrawn"

    def test_what_somebody_elses_key_signed_is_not_the_wallets(self, clinic):
        """An account without code stands by nothing but its own signature, however long what is sent is."""
        passport, lab = clinic.passport(str(Account.create().address)), clinic.client(clinic.lab)
        prepared = lab.prepare_grant(clinic.wanted(passport))
        for signature in ("0x00", "0x" + "11" * 65, "0x" + "22" * 4096):
            with pytest.raises(SignatureRejected):
                lab.relay_grant(prepared["grant"], signature)
        with pytest.raises(InvalidInput):
            lab.relay_grant(prepared["grant"], "0x" + "22" * 4097)

    def test_a_withdrawal_for_another_chain_is_refused(self, clinic, passport, key):
        given = clinic.give(passport, key)
        own = clinic.world.service.chain.domain()
        typed_data = revocation_typed_data(
            LedgerDomain(own.chain_id + 1, own.ledger),
            passport_id=bytes.fromhex(passport[2:]),
            grant_id=bytes.fromhex(given["grantId"][2:]),
        )
        with pytest.raises(SignatureRejected):
            clinic.client(clinic.lab).revoke(given["grantId"], to_hex(sign(typed_data, private_key=key)))
