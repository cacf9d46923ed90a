"""The vectors: Python says what docs/spec.md says; tests/contracts/Vectors.t.sol reads the same file."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any

import pytest
from eth_abi.abi import encode
from eth_utils.crypto import keccak

from ledger.domain.lineage import Step, VersionId
from ledger.domain.records import Commitment, Grant, GrantId, PassportId, Salt, Terms, Verdict
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
    StepKind,
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
    confirmation_typed_data,
    delegation_typed_data,
    digest,
    grant_typed_data,
    guardians_typed_data,
    objection_typed_data,
    part_typed_data,
    recover,
    recovery_typed_data,
    refusal_typed_data,
    repudiation_typed_data,
    revocation_typed_data,
    rotation_typed_data,
    sign,
    sign_in_typed_data,
)
from ledger.encoding.words import (
    fold_decision,
    pack_terms,
    pack_verdict,
    request_hash,
    unpack_terms,
    unpack_verdict,
)
from ledger.errors import MalformedRecord, SignatureRejected, TooLarge, VerificationError
from ledger.wallet import holder_address, holder_key
from tests.support.data import ROOT
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


def grant(kind: str = "grant") -> Grant:
    """Return a grant of the vectors."""
    given = vectors()[kind]["message"]
    return Grant(
        grant_id=GrantId(raw(given["grantId"])),
        passport_id=PassportId(raw(given["passportId"])),
        recipient=given["recipient"],
        recipient_kinds=given["recipientKinds"],
        purposes=given["purposes"],
        categories=Category(given["categories"]),
        use_from=given["useFrom"],
        use_to=given["useTo"],
        data_from=given["dataFrom"],
        data_to=given["dataTo"],
        max_uses=given["maxUses"],
        level=Level(given["level"]),
        flags=GrantFlag(given["flags"]),
        template=given["template"],
        terms=Commitment(raw(given["terms"])),
        supersedes=GrantId(raw(given["supersedes"])),
        deadline=given["deadline"],
    )


#: How each kind of message is written, besides grants: the function, and its arguments by their names in the message.
WRITERS: dict[str, tuple[Any, dict[str, str]]] = {
    "revocation": (revocation_typed_data, {"passport_id": "passportId", "grant_id": "grantId"}),
    "refusal": (refusal_typed_data, {"passport_id": "passportId", "grant_id": "grantId"}),
    "confirmation": (
        confirmation_typed_data,
        {"passport_id": "passportId", "grant_id": "grantId", "control": "control"},
    ),
    "repudiation": (repudiation_typed_data, {"passport_id": "passportId", "grant_id": "grantId"}),
    "rotation": (
        rotation_typed_data,
        {"passport_id": "passportId", "holder": "holder", "custody": "custody", "epoch": "epoch"},
    ),
    "guardians": (
        guardians_typed_data,
        {"passport_id": "passportId", "guardians": "guardians", "epoch": "epoch", "nonce": "nonce"},
    ),
    "recovery": (
        recovery_typed_data,
        {"passport_id": "passportId", "holder": "holder", "epoch": "epoch", "nonce": "nonce"},
    ),
    "objection": (
        objection_typed_data,
        {"passport_id": "passportId", "ready_at": "readyAt", "epoch": "epoch"},
    ),
    "delegation": (
        delegation_typed_data,
        {
            "passport_id": "passportId",
            "delegate": "delegate",
            "valid_to": "validTo",
            "epoch": "epoch",
            "nonce": "nonce",
        },
    ),
    "signIn": (
        sign_in_typed_data,
        {"holder": "holder", "origin": "origin", "challenge": "challenge", "expires_at": "expiresAt"},
    ),
}
KINDS = ["grant", "grantToKinds", "part", *WRITERS]
#: Types that others refer to; nobody signs one alone.
REFERRED = {"Step"}


def part(message: dict[str, Any]) -> dict[str, Any]:
    """Return the typed data of a part in a step."""
    told = message["step"]
    step = Step(
        kind=StepKind(told["kind"]),
        parameters=Commitment(raw(told["parameters"])),
        inputs=tuple(VersionId(raw(name)) for name in told["inputs"]),
        outputs=tuple(VersionId(raw(name)) for name in told["outputs"]),
        dataset_id=told["datasetId"],
        project_id=told["projectId"],
        purposes=told["purposes"],
        epsilon=told["epsilon"],
        tool=raw(told["tool"]),
    )
    return part_typed_data(
        domain(),
        step,
        recorder=message["recorder"],
        member_id=message["memberId"],
        contribution=raw(message["contribution"]),
    )


def signed(kind: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a signed thing: its vector and its typed data, written from the vector's message."""
    vector = vectors()[kind]
    if kind == "part":
        return vector, part(vector["message"])
    if kind not in WRITERS:
        return vector, grant_typed_data(domain(), grant(kind))
    write, names = WRITERS[kind]
    given = {ours: vector["message"][theirs] for ours, theirs in names.items()}
    arguments = {
        name: raw(value) if isinstance(value, str) and name != "origin" else value
        for name, value in given.items()
    }
    if kind == "signIn":
        arguments["holder"] = given["holder"]
    return vector, write(domain(), **arguments)


SIGNED = pytest.mark.parametrize("kind", KINDS)


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
    vector, typed_data = signed(kind)
    assert vector["message"] == typed_data["message"]
    assert raw(vector["digest"]) == digest(typed_data)
    assert raw(vector["signature"]) == sign(typed_data, private_key=raw(vector["testKey"]))
    assert vector["signer"] == recover(typed_data, raw(vector["signature"]))


@SIGNED
def test_a_flipped_signature_is_refused(kind):
    """The twin recovers to the same signer and is refused all the same."""
    vector, typed_data = signed(kind)
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


def type_string(name: str, fields: list[dict[str, str]]) -> str:
    """Return a type as EIP-712 writes it."""
    return f"{name}({','.join(field['type'] + ' ' + field['name'] for field in fields)})"


@SIGNED
def test_types_are_those_of_the_contract(kind):
    """Letter for letter the type strings of PassportHash.sol; but for the sign-in, which no contract reads."""
    _, typed_data = signed(kind)
    name = typed_data["primaryType"]
    types = typed_data["types"]
    whole = "".join(type_string(one, types[one]) for one in [name, *sorted(types.keys() & REFERRED)])
    source = (ROOT / "contracts" / "libraries" / "PassportHash.sol").read_text()
    strings = {text.partition("(")[0]: text for text in re.findall(r'"(\w+\([^"]*\))"', source)}
    assert (name not in strings) == (kind == "signIn")
    assert strings.get(name, whole) == whole


def test_every_type_of_the_contract_has_a_vector():
    """Commitments have vectors of another form."""
    source = (ROOT / "contracts" / "libraries" / "PassportHash.sol").read_text()
    names = set(re.findall(r'"(\w+)\([^"]*\)"', source))
    assert names - REFERRED - {"Commitment"} == {signed(kind)[1]["primaryType"] for kind in KINDS} - {
        "SignIn"
    }


def test_guardians():
    """What is signed commits to the threshold and to all keys, in their order."""
    vector = vectors()["guardians"]
    keys = [raw(key) for key in vector["keys"]]
    commitment = keccak(encode(["uint8", "bytes[]"], [vector["threshold"], keys]))
    assert raw(vector["message"]["guardians"]) == commitment
    assert vectors()["recovery"]["signer"] in vector["keys"]


def test_terms():
    """The packed word of a request, both ways."""
    for vector in vectors()["terms"]:
        terms = Terms(
            purpose=Purpose(vector["purpose"]),
            basis=Basis(vector["basis"]),
            operation=Operation(vector["operation"]),
            categories=Category(vector["categories"]),
            level=Level(vector["level"]),
            project_id=vector["projectId"],
            emergency_id=vector["emergency"],
            controller_id=vector["controller"],
            first_day=vector["firstDay"],
            last_day=vector["lastDay"],
            dataset_id=vector["dataset"],
        )
        assert int(vector["word"], 16) == pack_terms(terms)
        assert terms == unpack_terms(int(vector["word"], 16))


def test_verdicts():
    """The packed word of an answer, both ways."""
    for vector in vectors()["verdicts"]:
        verdict = Verdict(
            seq=vector["seq"],
            policy_version=vector["policyVersion"],
            data_class=DataClass(vector["dataClass"]),
            outcome=Outcome(vector["outcome"]),
            facts=Fact(vector["facts"]),
            missing=Fact(vector["missing"]),
        )
        assert int(vector["word"], 16) == pack_verdict(verdict)
        assert verdict == unpack_verdict(int(vector["word"], 16))


@pytest.mark.parametrize("word", [1 << 152 | 1 << 80 | 1 << 72, 0, 4 << 80 | 1 << 72, 1 << 80 | 4 << 72])
def test_a_word_that_is_no_verdict_is_refused(word):
    """Undefined bits, an outcome of 0, an unknown outcome, an unknown class."""
    with pytest.raises(VerificationError):
        unpack_verdict(word)


@pytest.mark.parametrize("word", [1 << 208, 16, 8 << 8, 3 << 16, 4 << 24])
def test_a_word_that_is_no_terms_is_refused(word):
    """Undefined bits, an unknown purpose, basis, operation, level."""
    with pytest.raises(VerificationError):
        unpack_terms(word)


def test_heads():
    """The fold of decisions, one after the other; and what names each request, word for word."""
    head = bytes(32)
    for vector in vectors()["fold"]:
        request: dict[str, Any] = {
            "passport_id": raw(vector["passportId"]),
            "grant_id": raw(vector["grantId"]),
            "member_id": vector["memberId"],
            "terms_word": int(vector["terms"], 16),
            "commitment": raw(vector["commitment"]),
        }
        words = (
            vector["passportId"],
            vector["grantId"],
            vector["commitment"],
            vector["terms"],
            to_hex(vector["memberId"].to_bytes(32)),
        )
        assert raw(vector["requestHash"]) == keccak(b"".join(raw(word) for word in words))
        assert raw(vector["requestHash"]) == request_hash(**request)
        head = fold_decision(head, **request, verdict_word=int(vector["verdict"], 16))
        assert raw(vector["head"]) == head


def test_holders():
    """One seed, an unrelated holder towards each custodian."""
    seed = raw(vectors()["holders"]["seed"])
    for vector in vectors()["holders"]["custodians"]:
        assert vector["holder"] == holder_address(holder_key(seed, custodian=vector["custodian"]))
