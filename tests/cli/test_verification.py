"""A patient's check finds every lie of a service: altered, left out, doubled, invented lines."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from datetime import date
from typing import Any

import pytest

from cli.verification import LedgerReader, check_passport
from ledger.domain.days import day_of
from ledger.domain.records import BlockHeader, Event, Position, Terms, Verdict
from ledger.domain.vocabulary import Basis, Category, DataClass, Fact, Level, Operation, Outcome, Purpose
from ledger.encoding.words import pack_terms, pack_verdict
from ledger.errors import VerificationError

PASSPORT = "0x" + "aa" * 32
SENTENCE = (
    "North, on behalf of East, asked to read diagnoses, vital signs of 2020-01-01 to 2021-12-31 under a pseudonym"
    " for training an AI model, on the basis of consent"
)


def _position(block: int) -> Position:
    return Position(block, bytes([block]) * 32, bytes([block + 100]) * 32, 0, 1_700_000_000 + block)


def _decided(seq: int, *, missing: Fact) -> Event:
    terms = Terms(
        purpose=Purpose.AI_TRAINING,
        basis=Basis.CONSENT,
        operation=Operation.READ,
        categories=Category.DIAGNOSIS | Category.VITALS,
        level=Level.PSEUDONYMISED,
        project_id=1,
        controller_id=5,
        first_day=day_of(date(2020, 1, 1)),
        last_day=day_of(date(2021, 12, 31)),
    )
    verdict = Verdict(
        seq=seq,
        policy_version=1,
        data_class=DataClass.SENSITIVE,
        outcome=Outcome.DENY if missing else Outcome.PERMIT,
        facts=Fact.MEMBER_ACTIVE,
        missing=missing,
    )
    arguments = {
        "passportId": bytes.fromhex("aa" * 32),
        "grantId": b"\1" * 32,
        "memberId": 4,
        "terms": pack_terms(terms),
        "verdict": pack_verdict(verdict),
        "commitment": bytes(32),
    }
    return Event("DecisionRecorded", arguments, _position(10 + seq))


class Reader(LedgerReader):
    """A node with two decisions, one of them released."""

    def __init__(self) -> None:
        super().__init__("http://127.0.0.1:1", "0x" + "12" * 20)
        self.node = self  # type: ignore[assignment]
        self.size = 2
        self.has_code = True
        released = {
            "passportId": bytes.fromhex("aa" * 32),
            "seq": 0,
            "custodian": 2,
            "commitment": b"\2" * 32,
        }
        self.found = {
            "DecisionRecorded": [_decided(0, missing=Fact(0)), _decided(1, missing=Fact.GRANT_LIVE)],
            "ReleaseRecorded": [Event("ReleaseRecorded", released, _position(20))],
            "MemberAdmitted": [
                Event("MemberAdmitted", {"memberId": 4, "name": "North"}, _position(1)),
                Event("MemberAdmitted", {"memberId": 5, "name": "East"}, _position(2)),
            ],
        }

    def events(self, name: str, *topics: bytes, to_block: int) -> Iterator[Event]:
        return iter(self.found[name])

    def size_of(self, passport_id: bytes, *, block: int) -> int:
        return self.size

    def head(self) -> BlockHeader:
        return BlockHeader(30, bytes(32), bytes(32), 1_700_000_030)

    def chain_id(self) -> int:
        return 31337

    def code(self, _: str) -> bytes:
        return b"code" if self.has_code else b""


def _shown(seq: int) -> dict[str, Any]:
    def position(block: int) -> dict[str, Any]:
        return {
            "block": block,
            "blockHash": "0x" + f"{block:02x}" * 32,
            "transaction": "0x" + f"{block + 100:02x}" * 32,
            "logIndex": 0,
            "time": f"2023-11-14T22:13:{20 + block:02}Z",
        }

    return {
        "passportId": PASSPORT,
        "seq": seq,
        "member": {"memberId": 4, "name": "North"},
        "purpose": "AI_TRAINING",
        "basis": "CONSENT",
        "operation": "READ",
        "categories": ["DIAGNOSIS", "VITALS"],
        "dataClass": "SENSITIVE",
        "level": "PSEUDONYMISED",
        "dataFrom": "2020-01-01",
        "dataTo": "2021-12-31",
        "projectId": 1,
        "emergencyId": None,
        "controllerId": 5,
        "grantId": "0x" + "01" * 32,
        "outcome": "DENY" if seq else "PERMIT",
        "facts": ["MEMBER_ACTIVE"],
        "missing": ["GRANT_LIVE"] if seq else [],
        "policyVersion": 1,
        "sentence": SENTENCE,
        "answer": "refused" if seq else "permitted",
        "reasons": ["there was no consent in force"] if seq else [],
        "commitment": None,
        "released": None if seq else position(20),
        "position": position(10 + seq),
    }


@pytest.fixture
def shown() -> list[dict[str, Any]]:
    return [_shown(1), _shown(0)]


def test_a_true_log_is_true(shown: list[dict[str, Any]]) -> None:
    result = check_passport(Reader(), PASSPORT, shown)

    assert result.is_true
    assert [0, 1] == [line.seq for line in result.lines]
    assert result.as_json()["isTrue"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("passportId", "0x" + "bb" * 32),
        ("member", {"memberId": 4, "name": "South"}),
        ("purpose", "PRIMARY_CARE"),
        ("basis", "LEGAL_DUTY"),
        ("operation", "TRANSFER"),
        ("categories", ["DIAGNOSIS"]),
        ("dataClass", "NON_SENSITIVE"),
        ("level", "IDENTIFIED"),
        ("dataFrom", None),
        ("dataTo", "2022-01-01"),
        ("projectId", None),
        ("emergencyId", 1),
        ("controllerId", None),
        ("datasetId", 1),
        ("grantId", None),
        ("outcome", "PERMIT"),
        ("facts", []),
        ("missing", []),
        ("policyVersion", 2),
        ("sentence", SENTENCE.replace("North", "South")),
        ("sentence", SENTENCE.replace("diagnoses, ", "")),
        ("sentence", SENTENCE.replace(" under a pseudonym", "")),
        ("sentence", SENTENCE.replace("East", "West")),
        ("sentence", SENTENCE.replace("2021", "2020")),
        ("answer", "permitted"),
        ("reasons", []),
        ("commitment", "0x" + "05" * 32),
        ("released", {"block": 1}),
        ("position", {"block": 1}),
    ],
)
def test_any_altered_field_is_found(shown: list[dict[str, Any]], field: str, value: Any) -> None:
    shown[0][field] = value

    result = check_passport(Reader(), PASSPORT, shown)

    assert not result.is_true
    assert () == result.lines[0].differences
    assert 1 <= len(result.lines[1].differences)


def test_a_hidden_line_is_found(shown: list[dict[str, Any]]) -> None:
    result = check_passport(Reader(), PASSPORT, shown[:1])

    assert ("decision 0 is on the chain, but the service does not show it",) == result.problems
    assert not result.is_true


def test_a_hidden_release_is_found(shown: list[dict[str, Any]]) -> None:
    shown[1]["released"] = None

    assert not check_passport(Reader(), PASSPORT, shown).is_true


def test_a_doubled_line_is_found(shown: list[dict[str, Any]]) -> None:
    result = check_passport(Reader(), PASSPORT, [*shown, deepcopy(shown[0])])

    assert ("decision 1 is shown more than once",) == result.problems


def test_an_invented_line_is_found(shown: list[dict[str, Any]]) -> None:
    result = check_passport(Reader(), PASSPORT, [*shown, _shown(2)])

    assert ("the chain has no such decision",) == result.lines[2].differences


def test_logs_that_a_node_keeps_back_are_found(shown: list[dict[str, Any]]) -> None:
    reader = Reader()
    reader.size = 3

    problems = check_passport(reader, PASSPORT, shown).problems

    assert "the contract counts 3 decisions, but the node's logs hold 2" == problems[0]


def test_a_chain_without_the_ledger_is_found(shown: list[dict[str, Any]]) -> None:
    reader = Reader()
    reader.has_code = False

    with pytest.raises(VerificationError, match="no contract"):
        check_passport(reader, PASSPORT, shown)
