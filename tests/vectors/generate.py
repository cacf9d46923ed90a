"""
Write the test vectors: `python -m tests.vectors.generate`.

Every input is fixed, so the file is the same each time. It was generated once; a difference after a change in the
code means that the encoding changed, which a new version of docs/spec.md must say. The keys are for tests alone.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from eth_abi.abi import encode
from eth_utils.crypto import keccak

from ledger.domain.days import MAX_DAY, day_of
from ledger.domain.lineage import Step, VersionId
from ledger.domain.records import (
    NO_GRANT,
    ZERO32,
    Address,
    Commitment,
    Grant,
    GrantId,
    PassportId,
    Salt,
    Terms,
    Verdict,
)
from ledger.domain.vocabulary import (
    CONSENT_FLOOR,
    FLOOR,
    OTHERS_FLOOR,
    RECORD_LEVELS,
    Basis,
    Category,
    Custody,
    DataClass,
    Fact,
    GrantFlag,
    Level,
    MemberKind,
    Operation,
    Outcome,
    Purpose,
    StepKind,
    kind_set,
    purpose_set,
)
from ledger.encoding.commitments import canonical, category_record, commit
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
    recovery_typed_data,
    refusal_typed_data,
    repudiation_typed_data,
    revocation_typed_data,
    rotation_typed_data,
    sign,
    sign_in_typed_data,
)
from ledger.encoding.words import fold_decision, pack_terms, pack_verdict, request_hash
from ledger.wallet import holder_address, holder_key

FILE = Path(__file__).parent / "passport-v1.json"
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
START = 1_800_000_000

DOMAIN = LedgerDomain(chain_id=20_261, ledger=Address("0x" + "5a" * 20))
PASSPORT = PassportId(keccak(text="vector passport"))
GRANT = GrantId(keccak(text="vector grant"))
SEED = bytes(range(64))
CUSTODIAN = 2
#: How often the holder's key was replaced before.
EPOCH = 3
#: How many signatures that are good once the passport has taken before.
NONCE = 4
#: A key of another kind: the address of an ERC-7913 verifier, and a key after it.
PASSKEY = bytes.fromhex("7a" * 20) + keccak(text="vector passkey x") + keccak(text="vector passkey y")
GUARDIAN_KEYS = [holder_key(SEED, custodian=number) for number in (11, 12, 13)]
GUARDIANS = [bytes.fromhex(holder_address(key)[2:]) for key in GUARDIAN_KEYS]
THRESHOLD = 2


def build() -> dict[str, Any]:
    """Return the vectors."""
    key = holder_key(SEED, custodian=CUSTODIAN)
    category = _category()
    record = _manifest(category["commitment"])
    terms = _commitment(
        "terms", {"language": "en", "text": "The lab may train an AI model on my diagnoses."}, b"\x03"
    )
    grant = _grant(Commitment(bytes.fromhex(terms["commitment"][2:])))
    return {
        "version": "passport-v1",
        "domain": DOMAIN.as_json(),
        "canonical": _canonical(),
        "commitments": [
            category,
            terms,
            _commitment("statement", {"reason": "", "system": "PACS 2"}, b"\x04"),
        ],
        "manifest": record,
        "content": _content(record["commitment"]),
        "grant": _signed(grant_typed_data(DOMAIN, grant), key),
        "grantToKinds": _signed(grant_typed_data(DOMAIN, _grant_to_kinds(grant)), key),
        **_about_grants(key),
        **_about_keys(key),
        "signIn": _sign_in(key),
        "part": _part(key),
        "terms": [_terms(terms) for terms in (*_TERMS, _INCLUSION)],
        "verdicts": [_verdict(verdict) for verdict in _VERDICTS],
        "fold": _fold(),
        "holders": {
            "seed": to_hex(SEED),
            "custodians": [
                {"custodian": number, "holder": holder_address(holder_key(SEED, custodian=number))}
                for number in (1, CUSTODIAN, 3, 2**31 - 1)
            ],
        },
    }


def _canonical() -> list[dict[str, str]]:
    records: list[Any] = [
        {"b": 1, "a": [True, None, "x"], "€": "é\n"},
        {"value": 7.0, "small": 1e-7, "large": 9007199254740991},
        {"姓名": "测试", "\U0001f600": 1, "ﬁ": 2},
        [],
    ]
    return [{"json": json.dumps(record), "canonical": to_hex(canonical(record))} for record in records]


def _commitment(domain: str, record: Any, salt_byte: bytes) -> dict[str, Any]:
    salt, text = Salt(salt_byte * 32), canonical(record)
    return {
        "domain": domain,
        "salt": to_hex(salt),
        "record": record,
        "canonical": to_hex(text),
        "commitment": to_hex(commit(domain, text, salt=salt)),
    }


def _category() -> dict[str, Any]:
    condition = {"resourceType": "Condition", "code": {"text": "Hypertension"}}
    return _commitment("category", category_record(Category.DIAGNOSIS, [condition]), b"\x01")


def _manifest(diagnosis: str) -> dict[str, Any]:
    """Return a manifest with one category; random bytes of the fifteen others are fixed here."""
    entries = {str(item.name): to_hex(keccak(text=f"absent {item.name}")) for item in Category}
    return _commitment("manifest", {**entries, "DIAGNOSIS": diagnosis}, b"\x02")


def _content(identified: str) -> dict[str, Any]:
    """Return the levels of the record; the manifests of the two others are fixed here."""
    manifests = {str(level.name): to_hex(keccak(text=f"manifest {level.name}")) for level in RECORD_LEVELS}
    return _commitment("content", {**manifests, "IDENTIFIED": identified}, b"\x05")


def _grant(terms: Commitment) -> Grant:
    return Grant(
        grant_id=GRANT,
        passport_id=PASSPORT,
        recipient=3,
        recipient_kinds=0,
        purposes=1 << Purpose.AI_TRAINING,
        categories=Category.DIAGNOSIS | Category.LABORATORY,
        use_from=START,
        use_to=START + 365 * 24 * 3600,
        data_from=day_of(date(2015, 1, 1)),
        data_to=day_of(date(2026, 12, 31)),
        max_uses=10,
        level=Level.PSEUDONYMISED,
        flags=GrantFlag.SEPARATE | GrantFlag.NO_REIDENTIFY,
        template=1,
        terms=terms,
        supersedes=NO_GRANT,
        deadline=START + 3600,
    )


def _grant_to_kinds(grant: Grant) -> Grant:
    """Return an amendment of the grant: to kinds of members, without days, and with the largest numbers there are."""
    return replace(
        grant,
        grant_id=GrantId(keccak(text="vector amendment")),
        recipient=0,
        recipient_kinds=kind_set([MemberKind.HOSPITAL, MemberKind.RESEARCH]),
        purposes=purpose_set([Purpose.RESEARCH, Purpose.DISEASE_RESEARCH]),
        categories=Category(0xFFFF),
        use_to=2**32 - 1,
        data_from=0,
        data_to=MAX_DAY,
        max_uses=2**16 - 1,
        level=Level.AGGREGATE,
        flags=GrantFlag.NO_RELINK | GrantFlag.ONWARD,
        template=2**32 - 1,
        supersedes=GRANT,
        deadline=2**32 - 1,
    )


def _about_grants(key: bytes) -> dict[str, Any]:
    """Return what a holder signs about a grant once it was asked for or given."""
    named: dict[str, Any] = {"passport_id": PASSPORT, "grant_id": GRANT}
    return {
        "revocation": _signed(revocation_typed_data(DOMAIN, **named), key),
        "refusal": _signed(refusal_typed_data(DOMAIN, **named), key),
        "confirmation": _signed(confirmation_typed_data(DOMAIN, **named, control=1), key),
        "repudiation": _signed(repudiation_typed_data(DOMAIN, **named), key),
    }


def _about_keys(key: bytes) -> dict[str, Any]:
    """Return what a holder, or a guardian, signs about who speaks for the subject."""
    named: dict[str, Any] = {"passport_id": PASSPORT, "epoch": EPOCH}
    guardians = keccak(encode(["uint8", "bytes[]"], [THRESHOLD, GUARDIANS]))
    rotation = rotation_typed_data(DOMAIN, **named, holder=PASSKEY, custody=Custody.SELF)
    naming = guardians_typed_data(DOMAIN, **named, guardians=guardians, nonce=NONCE)
    recovery = recovery_typed_data(DOMAIN, **named, holder=PASSKEY, nonce=NONCE)
    objection = objection_typed_data(DOMAIN, **named, ready_at=START + 7 * 24 * 3600)
    delegation = delegation_typed_data(
        DOMAIN, **named, delegate=GUARDIANS[0], valid_to=START + 30 * 24 * 3600, nonce=NONCE
    )
    keys = [to_hex(guardian) for guardian in GUARDIANS]
    return {
        "rotation": _signed(rotation, key),
        "guardians": {"threshold": THRESHOLD, "keys": keys, **_signed(naming, key)},
        "recovery": _signed(recovery, GUARDIAN_KEYS[0]),
        "objection": _signed(objection, key),
        "delegation": _signed(delegation, key),
    }


def _part(key: bytes) -> dict[str, Any]:
    """Return what a member signs that takes part in a step."""
    step = Step(
        kind=StepKind.TRAIN,
        parameters=Commitment(keccak(text="vector parameters")),
        inputs=(VersionId(keccak(text="vector model")), VersionId(keccak(text="vector data"))),
        outputs=(VersionId(keccak(text="vector next model")),),
        project_id=7,
        purposes=purpose_set([Purpose.AI_TRAINING, Purpose.AI_INFERENCE]),
        epsilon=500_000,
        tool=keccak(text="vector tool"),
    )
    return _signed(
        part_typed_data(
            DOMAIN, step, recorder=2, member_id=3, contribution=keccak(text="vector contribution")
        ),
        key,
    )


def _signed(typed_data: dict[str, Any], key: bytes) -> dict[str, Any]:
    signature = sign(typed_data, private_key=key)
    return {
        "message": typed_data["message"],
        "digest": to_hex(digest(typed_data)),
        "testKey": to_hex(key),
        "signer": holder_address(key),
        "signature": to_hex(signature),
        "flipped": to_hex(flipped(signature)),
    }


def flipped(signature: bytes) -> bytes:
    """Return the twin of a signature: the same key, the same words, another s and v."""
    s = ORDER - int.from_bytes(signature[32:64], "big")
    return signature[:32] + s.to_bytes(32, "big") + bytes([55 - signature[64]])


def _sign_in(key: bytes) -> dict[str, Any]:
    typed_data = sign_in_typed_data(
        DOMAIN,
        holder=holder_address(key),
        origin="https://passport.example",
        challenge=keccak(text="vector challenge"),
        expires_at=START + 300,
    )
    return _signed(typed_data, key)


_TERMS = [
    Terms(
        Purpose.AI_TRAINING,
        Basis.CONSENT,
        Operation.READ,
        Category.DIAGNOSIS | Category.LABORATORY,
        level=Level.PSEUDONYMISED,
        project_id=1,
        first_day=day_of(date(2020, 1, 1)),
        last_day=day_of(date(2025, 12, 31)),
    ),
    Terms(Purpose.MARKETING, Basis.NO_BASIS, Operation.TRANSFER, Category.GENOMICS),
    Terms(
        Purpose.RESALE,
        Basis.SUBJECT_REQUEST,
        Operation.TRANSFER,
        Category(0xFFFF),
        level=Level.AGGREGATE,
        project_id=2**32 - 1,
        emergency_id=2**32 - 2,
        controller_id=2**32 - 3,
        first_day=MAX_DAY - 1,
        last_day=MAX_DAY,
    ),
]
#: A request to include data into a dataset: terms alone, nobody answers it here.
_INCLUSION = Terms(
    Purpose.AI_TRAINING,
    Basis.CONSENT,
    Operation.INCLUDE,
    Category.DIAGNOSIS | Category.LABORATORY,
    level=Level.PSEUDONYMISED,
    project_id=1,
    dataset_id=2**32 - 4,
)
#: What holds for the first request of the vectors, and is what the law requires of it.
_HELD = (
    FLOOR
    | OTHERS_FLOOR
    | CONSENT_FLOOR
    | Fact.MEMBER_SCOPE
    | Fact.CATEGORIES_NECESSARY
    | Fact.GRANT_SEPARATE
    | Fact.PROJECT_FILED
    | Fact.PROJECT_ETHICS
    | Fact.PROJECT_COMPLIANCE
    | Fact.PROJECT_TECHNIQUE
    | Fact.PROJECT_AGREEMENT
    | Fact.BORDER_CLEARED
    | Fact.DATASET_FITS
    | Fact.BUDGET_LEFT
    | Fact.LAWFUL
)


def _terms(terms: Terms) -> dict[str, Any]:
    return {
        "purpose": int(terms.purpose),
        "basis": int(terms.basis),
        "operation": int(terms.operation),
        "level": int(terms.level),
        "categories": int(terms.categories),
        "projectId": terms.project_id,
        "emergency": terms.emergency_id,
        "controller": terms.controller_id,
        "firstDay": terms.first_day,
        "lastDay": terms.last_day,
        "dataset": terms.dataset_id,
        "word": _word(pack_terms(terms)),
    }


_VERDICTS = [
    Verdict(
        seq=0,
        policy_version=1,
        data_class=DataClass.SENSITIVE,
        outcome=Outcome.PERMIT,
        facts=_HELD,
        missing=Fact(0),
    ),
    Verdict(
        seq=1,
        policy_version=1,
        data_class=DataClass.CORE_PRIVACY,
        outcome=Outcome.DENY,
        facts=Fact.MEMBER_ACTIVE | Fact.PASSPORT_OPEN,
        missing=Fact.LAWFUL,
    ),
    Verdict(
        seq=2**40 - 1,
        policy_version=2**32 - 1,
        data_class=DataClass.NON_SENSITIVE,
        outcome=Outcome.REVIEW,
        facts=Fact.LAWFUL,
        missing=Fact.HUMAN_REVIEWED,
    ),
]


def _verdict(verdict: Verdict) -> dict[str, Any]:
    return {
        "seq": verdict.seq,
        "policyVersion": verdict.policy_version,
        "dataClass": int(verdict.data_class),
        "outcome": int(verdict.outcome),
        "facts": int(verdict.facts),
        "missing": int(verdict.missing),
        "word": _word(pack_verdict(verdict)),
    }


def _fold() -> list[dict[str, Any]]:
    head, folds = ZERO32, []
    grants, members = (GRANT, NO_GRANT, GRANT), (3, 1, 2**32 - 1)
    for index, (terms, verdict) in enumerate(zip(_TERMS, _VERDICTS, strict=True)):
        request: dict[str, Any] = {
            "passport_id": PASSPORT,
            "grant_id": grants[index],
            "member_id": members[index],
            "terms_word": pack_terms(terms),
            "commitment": keccak(text=f"vector statement {index}"),
        }
        head = fold_decision(head, **request, verdict_word=pack_verdict(verdict))
        folds.append(
            {
                "passportId": to_hex(PASSPORT),
                "grantId": to_hex(request["grant_id"]),
                "memberId": request["member_id"],
                "terms": _word(request["terms_word"]),
                "verdict": _word(pack_verdict(verdict)),
                "commitment": to_hex(request["commitment"]),
                "requestHash": to_hex(request_hash(**request)),
                "head": to_hex(head),
            }
        )
    return folds


def _word(value: int) -> str:
    return f"0x{value:064x}"


if __name__ == "__main__":
    FILE.write_text(json.dumps(build(), indent=2, ensure_ascii=False) + "\n")
