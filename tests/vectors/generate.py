"""
Write the test vectors: `python -m tests.vectors.generate`.

Every input is fixed, so the file is the same each time. It was generated once; a difference after a change in the
code means that the encoding changed, which a new version of docs/spec.md must say. The keys are for tests alone.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from eth_utils.crypto import keccak

from ledger.domain.records import (
    NO_GRANT,
    ZERO32,
    Address,
    Commitment,
    Grant,
    GrantId,
    PassportId,
    Request,
    Salt,
    Verdict,
)
from ledger.domain.vocabulary import (
    RECORD_LEVELS,
    Basis,
    Category,
    DataClass,
    Fact,
    GrantFlag,
    Operation,
    Outcome,
    Purpose,
)
from ledger.encoding.commitments import canonical, category_record, commit
from ledger.encoding.hexadecimal import to_hex
from ledger.encoding.typed_data import (
    LedgerDomain,
    digest,
    grant_message,
    grant_typed_data,
    revocation_typed_data,
    sign,
    sign_in_typed_data,
)
from ledger.encoding.words import fold_decision, pack_terms, pack_verdict
from ledger.wallet import holder_address, holder_key

FILE = Path(__file__).parent / "passport-v1.json"
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
START = 1_800_000_000

DOMAIN = LedgerDomain(chain_id=20_261, ledger=Address("0x" + "5a" * 20))
PASSPORT = PassportId(keccak(text="vector passport"))
GRANT = GrantId(keccak(text="vector grant"))
SEED = bytes(range(64))
CUSTODIAN = 2


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
        "grant": {"message": grant_message(grant), **_signed(grant_typed_data(DOMAIN, grant), key)},
        "revocation": {
            "message": {"passportId": to_hex(PASSPORT), "grantId": to_hex(GRANT)},
            **_signed(revocation_typed_data(DOMAIN, passport_id=PASSPORT, grant_id=GRANT), key),
        },
        "signIn": _sign_in(key),
        "terms": _terms(),
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
        purposes=1 << Purpose.AI_TRAINING,
        categories=Category.DIAGNOSIS | Category.LABORATORY,
        use_from=START,
        use_to=START + 365 * 24 * 3600,
        max_uses=10,
        flags=GrantFlag.SEPARATE | GrantFlag.NO_REIDENTIFY,
        terms=terms,
        supersedes=NO_GRANT,
        deadline=START + 3600,
    )


def _signed(typed_data: dict[str, Any], key: bytes) -> dict[str, str]:
    signature = sign(typed_data, private_key=key)
    return {
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
    message: dict[str, Any] = {
        "holder": holder_address(key),
        "origin": "https://passport.example",
        "challenge": to_hex(keccak(text="vector challenge")),
        "expiresAt": START + 300,
    }
    typed_data = sign_in_typed_data(
        DOMAIN,
        holder=message["holder"],
        origin=message["origin"],
        challenge=bytes.fromhex(message["challenge"][2:]),
        expires_at=message["expiresAt"],
    )
    return {"message": message, **_signed(typed_data, key)}


def _terms() -> list[dict[str, Any]]:
    asked = [
        (Purpose.PRIMARY_CARE, Basis.NO_BASIS, Operation.READ, Category.DIAGNOSIS, 0),
        (Purpose.AI_TRAINING, Basis.CONSENT, Operation.READ, Category.DIAGNOSIS | Category.LABORATORY, 1),
        (Purpose.RESALE, Basis.COMPELLED, Operation.TRANSFER, Category(0xFFFF), 2**32 - 1),
    ]
    return [
        {
            "purpose": int(purpose),
            "basis": int(basis),
            "operation": int(operation),
            "categories": int(categories),
            "projectId": project_id,
            "word": _word(
                pack_terms(
                    Request(
                        PASSPORT, GRANT, Commitment(ZERO32), purpose, basis, operation, categories, project_id
                    )
                )
            ),
        }
        for purpose, basis, operation, categories, project_id in asked
    ]


_VERDICTS = [
    Verdict(
        seq=0,
        policy_version=1,
        project_id=1,
        categories=Category.DIAGNOSIS | Category.LABORATORY,
        purpose=Purpose.AI_TRAINING,
        basis=Basis.CONSENT,
        operation=Operation.READ,
        data_class=DataClass.SENSITIVE,
        outcome=Outcome.PERMIT,
        facts=Fact(0x8000_7EBF),
        missing=Fact(0),
    ),
    Verdict(
        seq=1,
        policy_version=1,
        project_id=0,
        categories=Category.GENOMICS,
        purpose=Purpose.MARKETING,
        basis=Basis.NO_BASIS,
        operation=Operation.TRANSFER,
        data_class=DataClass.CORE_PRIVACY,
        outcome=Outcome.DENY,
        facts=Fact.MEMBER_ACTIVE | Fact.PASSPORT_OPEN,
        missing=Fact.LAWFUL,
    ),
    Verdict(
        seq=2**40 - 1,
        policy_version=2**32 - 1,
        project_id=2**32 - 1,
        categories=Category(0xFFFF),
        purpose=Purpose.RESALE,
        basis=Basis.COMPELLED,
        operation=Operation.TRANSFER,
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
        "projectId": verdict.project_id,
        "categories": int(verdict.categories),
        "purpose": int(verdict.purpose),
        "basis": int(verdict.basis),
        "operation": int(verdict.operation),
        "dataClass": int(verdict.data_class),
        "outcome": int(verdict.outcome),
        "facts": int(verdict.facts),
        "missing": int(verdict.missing),
        "word": _word(pack_verdict(verdict)),
    }


def _fold() -> list[dict[str, Any]]:
    head, folds = ZERO32, []
    for index, verdict in enumerate(_VERDICTS):
        commitment = keccak(text=f"vector statement {index}")
        grant_id, member_id, word = (
            (GRANT, ZERO32, GRANT)[index],
            (3, 1, 2**32 - 1)[index],
            pack_verdict(verdict),
        )
        head = fold_decision(
            head,
            passport_id=PASSPORT,
            grant_id=grant_id,
            member_id=member_id,
            verdict_word=word,
            commitment=commitment,
        )
        folds.append(
            {
                "passportId": to_hex(PASSPORT),
                "grantId": to_hex(grant_id),
                "memberId": member_id,
                "verdict": _word(word),
                "commitment": to_hex(commitment),
                "head": to_hex(head),
            }
        )
    return folds


def _word(value: int) -> str:
    return f"0x{value:064x}"


if __name__ == "__main__":
    FILE.write_text(json.dumps(build(), indent=2, ensure_ascii=False) + "\n")
