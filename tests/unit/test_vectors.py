"""The vectors: Python says what docs/spec.md says; tests/contracts/Vectors.t.sol reads the same file."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest
from eth_utils.crypto import keccak

from ledger.domain.records import Commitment, Grant, GrantId, PassportId, Request, Salt, Verdict
from ledger.domain.vocabulary import (
    RECORD_LEVELS,
    Basis,
    Category,
    DataClass,
    Fact,
    GrantFlag,
    Level,
    Operation,
    Outcome,
    Purpose,
)
from ledger.encoding.commitments import (
    canonical,
    commit,
    commit_record,
    content_of,
    levels,
    manifest,
    manifest_of,
    new_id,
    new_salt,
)
from ledger.encoding.hexadecimal import to_hex
from ledger.encoding.typed_data import (
    LedgerDomain,
    digest,
    grant_typed_data,
    recover,
    revocation_typed_data,
    sign,
    sign_in_typed_data,
)
from ledger.encoding.words import fold_decision, pack_terms, pack_verdict, unpack_verdict
from ledger.errors import MalformedRecord, SignatureRejected, TooLarge, VerificationError
from ledger.wallet import holder_address, holder_key
from tests.vectors import generate


@cache
def vectors() -> dict[str, Any]:
    """Return the file."""
    document: dict[str, Any] = json.loads(generate.FILE.read_text())
    return document


def raw(text: str) -> bytes:
    """Read hexadecimal."""
    return bytes.fromhex(text.removeprefix("0x"))


def domain() -> LedgerDomain:
    """Return the domain of the vectors."""
    given = vectors()["domain"]
    return LedgerDomain(given["chainId"], given["verifyingContract"])


def grant() -> Grant:
    """Return the grant of the vectors."""
    given = vectors()["grant"]["message"]
    return Grant(
        grant_id=GrantId(raw(given["grantId"])),
        passport_id=PassportId(raw(given["passportId"])),
        recipient=given["recipient"],
        purposes=given["purposes"],
        categories=Category(given["categories"]),
        use_from=given["useFrom"],
        use_to=given["useTo"],
        max_uses=given["maxUses"],
        flags=GrantFlag(given["flags"]),
        terms=Commitment(raw(given["terms"])),
        supersedes=GrantId(raw(given["supersedes"])),
        deadline=given["deadline"],
    )


def signed_things() -> dict[str, tuple[dict[str, Any], dict[str, Any]]]:
    """Return for each kind of signed thing its vector and its typed data."""
    revocation, sign_in = vectors()["revocation"], vectors()["signIn"]
    return {
        "grant": (vectors()["grant"], grant_typed_data(domain(), grant())),
        "revocation": (
            revocation,
            revocation_typed_data(
                domain(),
                passport_id=raw(revocation["message"]["passportId"]),
                grant_id=raw(revocation["message"]["grantId"]),
            ),
        ),
        "signIn": (
            sign_in,
            sign_in_typed_data(
                domain(),
                holder=sign_in["message"]["holder"],
                origin=sign_in["message"]["origin"],
                challenge=raw(sign_in["message"]["challenge"]),
                expires_at=sign_in["message"]["expiresAt"],
            ),
        ),
    }


SIGNED = pytest.mark.parametrize("kind", ["grant", "revocation", "signIn"])


def test_the_file_is_what_the_generator_writes():
    """Nothing has changed since version 1 was fixed."""
    assert vectors() == json.loads(json.dumps(generate.build()))


def test_canonical_json():
    """RFC 8785: sorted by UTF-16, shortest numbers, no spaces."""
    for vector in vectors()["canonical"]:
        assert raw(vector["canonical"]) == canonical(json.loads(vector["json"]))


@pytest.mark.parametrize("record", [2**53, float("nan"), "\ud800", {"a": {1, 2}}, b"bytes"])
def test_what_has_no_canonical_form_is_refused(record):
    """Large integers, no numbers, half characters, sets and bytes."""
    with pytest.raises(MalformedRecord, match="RFC 8785"):
        canonical(record)


def test_commitments():
    """Computed here a second time, word by word, from the words of the specification."""
    typehash = keccak(text="Commitment(uint8 suite,string domain,bytes32 salt,bytes record)")
    for vector in vectors()["commitments"]:
        record = canonical(vector["record"])
        assert raw(vector["canonical"]) == record
        words = [
            typehash,
            (1).to_bytes(32),
            keccak(text=vector["domain"]),
            raw(vector["salt"]),
            keccak(record),
        ]
        expected = raw(vector["commitment"])
        assert expected == keccak(b"".join(words))
        assert expected == commit(vector["domain"], record, salt=Salt(raw(vector["salt"])))
        assert expected == commit_record(vector["domain"], vector["record"], salt=Salt(raw(vector["salt"])))


def test_manifest():
    """Sixteen entries, under a salt of its own."""
    vector = vectors()["manifest"]
    assert [category.name for category in Category] == list(vector["record"])
    assert vectors()["commitments"][0]["commitment"] == vector["record"]["DIAGNOSIS"]
    assert raw(vector["canonical"]) == canonical(vector["record"])
    assert raw(vector["commitment"]) == manifest_of(vector["record"], salt=Salt(raw(vector["salt"])))


def test_content():
    """One manifest for each level of a record; their commitment is the content of the passport."""
    vector = vectors()["content"]
    manifests = {Level[name]: Commitment(raw(value)) for name, value in vector["record"].items()}
    assert list(RECORD_LEVELS) == list(manifests)
    assert vectors()["manifest"]["commitment"] == vector["record"]["IDENTIFIED"]
    assert vector["record"] == levels(manifests)
    assert raw(vector["canonical"]) == canonical(vector["record"])
    assert raw(vector["commitment"]) == content_of(vector["record"], salt=Salt(raw(vector["salt"])))


def test_a_manifest_hides_what_is_missing():
    """Categories that the record lacks get random bytes, each time others."""
    present = {Category.IMAGING: Commitment(b"\x05" * 32)}
    first, second = manifest(present), manifest(present)
    assert first["IMAGING"] == to_hex(b"\x05" * 32) == second["IMAGING"]
    assert len(set(first.values()) | set(second.values())) == 31
    assert {66} == {len(entry) for entry in first.values()}


def test_a_record_has_a_bound(monkeypatch):
    """One byte more is refused."""
    monkeypatch.setattr("ledger.encoding.commitments.MAX_RECORD_BYTES", 4)
    commit("content", b"1234", salt=new_salt())
    with pytest.raises(TooLarge, match="at most 4 bytes"):
        commit("content", b"12345", salt=new_salt())


def test_ids_and_salts_are_random():
    """32 bytes, each time others."""
    assert new_id() != new_id()
    assert new_salt() != new_salt()
    assert {32} == {len(new_id()), len(new_salt())}


@SIGNED
def test_typed_data(kind):
    """The digest, the signature and the signer are those of the vector."""
    vector, typed_data = signed_things()[kind]
    assert vector["message"] == typed_data["message"]
    assert raw(vector["digest"]) == digest(typed_data)
    assert raw(vector["signature"]) == sign(typed_data, private_key=raw(vector["testKey"]))
    assert vector["signer"] == recover(typed_data, raw(vector["signature"]))


@SIGNED
def test_a_flipped_signature_is_refused(kind):
    """The twin recovers to the same signer and is refused all the same."""
    vector, typed_data = signed_things()[kind]
    with pytest.raises(SignatureRejected, match="flipped twin"):
        recover(typed_data, raw(vector["flipped"]))


@pytest.mark.parametrize("signature", [b"", b"\x01" * 64, b"\x01" * 66, bytes(65), b"\x01" * 64 + b"\x02"])
def test_what_is_no_signature_is_refused(signature):
    """Wrong lengths, zeros, an unknown v."""
    with pytest.raises(SignatureRejected):
        recover(grant_typed_data(domain(), grant()), signature)


@pytest.mark.parametrize(
    "other",
    [LedgerDomain(1, generate.DOMAIN.ledger), LedgerDomain(generate.DOMAIN.chain_id, "0x" + "11" * 20)],
)
def test_a_signature_is_good_for_one_ledger(other):
    """On another chain or another contract it is somebody else's."""
    vector = vectors()["grant"]
    assert vector["signer"] != recover(grant_typed_data(other, grant()), raw(vector["signature"]))


def test_terms():
    """The packed word of a request."""
    for vector in vectors()["terms"]:
        request = Request(
            passport_id=PassportId(bytes(32)),
            grant_id=GrantId(bytes(32)),
            commitment=Commitment(bytes(32)),
            purpose=Purpose(vector["purpose"]),
            basis=Basis(vector["basis"]),
            operation=Operation(vector["operation"]),
            categories=Category(vector["categories"]),
            project_id=vector["projectId"],
        )
        assert int(vector["word"], 16) == pack_terms(request)


def test_verdicts():
    """The packed word of an answer, both ways."""
    for vector in vectors()["verdicts"]:
        verdict = Verdict(
            seq=vector["seq"],
            policy_version=vector["policyVersion"],
            project_id=vector["projectId"],
            categories=Category(vector["categories"]),
            purpose=Purpose(vector["purpose"]),
            basis=Basis(vector["basis"]),
            operation=Operation(vector["operation"]),
            data_class=DataClass(vector["dataClass"]),
            outcome=Outcome(vector["outcome"]),
            facts=Fact(vector["facts"]),
            missing=Fact(vector["missing"]),
        )
        assert int(vector["word"], 16) == pack_verdict(verdict)
        assert verdict == unpack_verdict(int(vector["word"], 16))


@pytest.mark.parametrize("word", [1 << 224, 0, 16 << 120 | 1 << 144 | 1 << 152, 4 << 144 | 1 << 152])
def test_a_word_that_is_no_verdict_is_refused(word):
    """Undefined bits, an outcome of 0, an unknown purpose, an unknown class."""
    with pytest.raises(VerificationError):
        unpack_verdict(word)


def test_heads():
    """The fold of decisions, one after the other."""
    head = bytes(32)
    for vector in vectors()["fold"]:
        head = fold_decision(
            head,
            passport_id=raw(vector["passportId"]),
            grant_id=raw(vector["grantId"]),
            member_id=vector["memberId"],
            verdict_word=int(vector["verdict"], 16),
            commitment=raw(vector["commitment"]),
        )
        assert raw(vector["head"]) == head


def test_holders():
    """One seed, an unrelated holder towards each custodian."""
    seed = raw(vectors()["holders"]["seed"])
    for vector in vectors()["holders"]["custodians"]:
        assert vector["holder"] == holder_address(holder_key(seed, custodian=vector["custodian"]))
