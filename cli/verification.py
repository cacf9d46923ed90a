"""
A patient's check: what the service shows about a passport against what the node says, line by line.

Reads the ledger's own logs and state at a node of the reader's choice; the service's database has no part in it.

Source: docs/spec.md, "Decision"; docs/design.md, "Goals": complete, not only intact.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from ledger.chain import artifacts
from ledger.chain.rpc import Node
from ledger.domain.days import date_of
from ledger.domain.records import Event, Position
from ledger.domain.vocabulary import (
    BASIS_LABELS,
    CATEGORY_LABELS,
    LEVEL_LABELS,
    OPERATION_LABELS,
    PURPOSE_LABELS,
    Category,
    Level,
    names,
)
from ledger.domain.wording import OUTCOME_WORDS, days_in_words
from ledger.encoding import merkle
from ledger.encoding.events import Abi, EventDecoder, event_topic, selector
from ledger.encoding.hexadecimal import address, bytes32, to_hex
from ledger.encoding.words import unpack_terms, unpack_verdict
from ledger.errors import VerificationError

Json = dict[str, Any]

#: Between two looks for something that is on its way to the chain.
_POLL_SECONDS: Final = 0.5


@dataclass(frozen=True, slots=True)
class CheckedLine:
    """One line of the log as shown, and in which words it differs from the chain; none if it is true."""

    seq: int
    sentence: str
    answer: str
    differences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PassportCheck:
    """
    The result for one passport.

    Attributes:
        size: Number of decisions that the contract's state counts.
        lines: The lines shown, each compared.
        problems: What is wrong with the log as a whole, such as a line that was left out.
    """

    passport: str
    chain_id: int
    ledger: str
    block: int
    size: int
    lines: tuple[CheckedLine, ...]
    problems: tuple[str, ...]

    @property
    def is_true(self) -> bool:
        """Tell whether every line is as the chain has it and none is missing."""
        return not self.problems and not any(line.differences for line in self.lines)

    def as_json(self) -> Json:
        """Return the result as a JSON value."""
        return {
            "passportId": self.passport,
            "chainId": self.chain_id,
            "ledger": self.ledger,
            "block": self.block,
            "size": self.size,
            "isTrue": self.is_true,
            "problems": list(self.problems),
            "lines": [
                {
                    "seq": line.seq,
                    "sentence": line.sentence,
                    "answer": line.answer,
                    "differences": list(line.differences),
                }
                for line in self.lines
            ],
        }


class LedgerReader:
    """Reads one ledger at one node."""

    def __init__(self, rpc_url: str, ledger: str, *, from_block: int = 0) -> None:
        """
        Name node and contract.

        Raises:
            InvalidInput: *ledger* is no address.
        """
        self.ledger = address(ledger, field="ledger")
        self.node = Node(rpc_url)
        self._abi: Abi = artifacts.load().abi
        self._decoder = EventDecoder(self._abi)
        self._from_block = from_block

    def events(self, name: str, *topics: bytes | None, to_block: int) -> Iterator[Event]:
        """Yield the events of a kind with these indexed values (None: any), in the order of the chain, with times."""
        entry = self._entry("event", name)
        values = (None if topic is None else to_hex(topic) for topic in topics)
        wanted: list[str | None] = [to_hex(event_topic(entry)), *values]
        logs = self.node.logs(self.ledger, self._from_block, to_block, wanted)
        for log in self.node.with_times(logs):
            if event := self._decoder.decode(log):
                yield event

    def size_of(self, passport_id: bytes, *, block: int) -> int:
        """Return how many decisions the contract counts for a passport, at the end of a block."""
        data = selector(self._entry("function", "sizeOf")) + passport_id
        return int.from_bytes(self.node.call(self.ledger, data, block), "big")

    def receipt_of(self, passport_id: bytes, seq: int, *, timeout: float = 0) -> bytes | None:
        """Return the commitment in the receipt of a release; None if after *timeout* seconds there is none."""
        deadline = time.monotonic() + timeout
        while True:
            found = self.events(
                "ReleaseRecorded", passport_id, seq.to_bytes(32, "big"), to_block=self.node.head().number
            )
            for event in found:
                return bytes(event.arguments["commitment"])
            if time.monotonic() >= deadline:
                return None
            time.sleep(_POLL_SECONDS)

    def transfer_of(self, transfer_id: bytes, *, block: int) -> tuple[bytes, int]:
        """Return the content of a transfer as the contract holds it, and how many records are loaded, at the end of a block."""
        entry = self._entry("function", "transferOf")
        fields = [part["name"] for part in entry["outputs"][0]["components"]]
        answer = self.node.call(self.ledger, selector(entry) + transfer_id, block)
        words = {name: answer[32 * place : 32 * place + 32] for place, name in enumerate(fields)}
        return words["content"], int.from_bytes(words["loaded"], "big")

    def check_contract(self) -> None:
        """
        Check that there is a contract at all.

        Raises:
            VerificationError: There is no code at the address on this chain.
        """
        if not self.node.code(self.ledger):
            raise VerificationError(
                f"there is no contract at {self.ledger} on the chain of this node",
                fix="Check the ledger's address and that the node belongs to the right chain.",
            )

    def _entry(self, kind: str, name: str) -> dict[str, Any]:
        return next(entry for entry in self._abi if entry["type"] == kind and entry["name"] == name)


def check_passport(reader: LedgerReader, passport_id: str, shown: Iterable[Json]) -> PassportCheck:
    """
    Compare a passport's access log as the service shows it with the chain.

    Args:
        reader: The ledger at the node to believe.
        passport_id: The passport, as hexadecimal.
        shown: The lines as `PassportClient.access_log` gives them, in any order.

    Raises:
        VerificationError: There is no contract at the address, or its logs cannot be read.
        NodeUnreachable: The node does not answer.
    """
    reader.check_contract()
    passport = bytes32(passport_id, field="passport")
    head = reader.node.head().number
    recorded = {
        unpack_verdict(event.arguments["verdict"]).seq: event
        for event in reader.events("DecisionRecorded", passport, to_block=head)
    }
    released = {
        event.arguments["seq"]: event for event in reader.events("ReleaseRecorded", passport, to_block=head)
    }
    member_names = {
        event.arguments["memberId"]: event.arguments["name"]
        for event in reader.events("MemberAdmitted", to_block=head)
    }
    size = reader.size_of(passport, block=head)
    lines = sorted(shown, key=lambda line: int(line["seq"]))
    sealed = any("sealedUntil" in line for line in lines)
    opened = list(reader.events("EmergencyOpened", None, passport, to_block=head)) if sealed else []
    return PassportCheck(
        passport=passport_id.lower(),
        chain_id=reader.node.chain_id(),
        ledger=reader.ledger,
        block=head,
        size=size,
        lines=tuple(
            _check_sealed_line(line, recorded, opened, member_names)
            if "sealedUntil" in line
            else _check_line(line, passport_id, recorded, released, member_names)
            for line in lines
        ),
        problems=tuple(_completeness(size, set(recorded), [int(line["seq"]) for line in lines])),
    )


def _completeness(size: int, recorded: set[int], shown: list[int]) -> Iterator[str]:
    if recorded != set(range(size)):
        yield f"the contract counts {size} decisions, but the node's logs hold {len(recorded)}"
    for seq in sorted(set(range(size)) - set(shown)):
        yield f"decision {seq} is on the chain, but the service does not show it"
    for seq in sorted({seq for seq in shown if shown.count(seq) > 1}):
        yield f"decision {seq} is shown more than once"


def _check_line(
    line: Json,
    passport_id: str,
    recorded: dict[int, Event],
    released: dict[int, Event],
    member_names: dict[int, str],
) -> CheckedLine:
    seq = int(line["seq"])
    event = recorded.get(seq)
    if event is None:
        differences: tuple[str, ...] = ("the chain has no such decision",)
    else:
        name = member_names.get(event.arguments["memberId"], "")
        expected = _expected(passport_id.lower(), event, name, released.get(seq))
        differences = (*_differences(line, expected), *_missing_words(line, event, member_names))
    return CheckedLine(seq, str(line.get("sentence", "")), str(line.get("answer", "")), differences)


def _check_sealed_line(
    line: Json, recorded: dict[int, Event], opened: list[Event], member_names: dict[int, str]
) -> CheckedLine:
    """What is sealed is counted and not told; but the seal itself must be on the chain, and the member's own."""
    seq = int(line["seq"])
    event = recorded.get(seq)
    differences: tuple[str, ...] = ("the chain has no such decision",)
    if event is not None:
        member_id = event.arguments["memberId"]
        member = {"memberId": member_id, "name": member_names.get(member_id, "")}
        terms = unpack_terms(event.arguments["terms"])
        seals = [
            urgent.arguments
            for urgent in opened
            if urgent.arguments["emergencyId"] == terms.emergency_id
            and urgent.arguments["memberId"] == member_id
            and urgent.position.time <= event.position.time < urgent.arguments["until"]
        ]
        differences = tuple(_sealed_differences(line, member, seals))
    return CheckedLine(seq, str(line.get("sentence", "")), str(line.get("answer", "")), differences)


def _sealed_differences(line: Json, member: Json, seals: list[dict[str, Any]]) -> Iterator[str]:
    if line.get("member") != member:
        yield f"member is {member!r} on the chain, shown is {line.get('member')!r}"
    if member["name"] not in str(line.get("sentence", "")):
        yield f"the sentence does not say {member['name']!r}"
    if line["sealedUntil"] not in [_time(int(seal["sealedUntil"])) for seal in seals]:
        yield "no emergency of this member on the chain seals it until then"


def _expected(passport_id: str, event: Event, member_name: str, released: Event | None) -> Json:
    """Return the fields of a line as they must be."""
    given = event.arguments
    terms, verdict = unpack_terms(given["terms"]), unpack_verdict(given["verdict"])
    return {
        "passportId": passport_id,
        "member": {"memberId": given["memberId"], "name": member_name},
        "purpose": terms.purpose.name,
        "basis": terms.basis.name,
        "operation": terms.operation.name,
        "categories": names(terms.categories),
        "dataClass": verdict.data_class.name,
        "level": terms.level.name,
        "dataFrom": _day(terms.first_day),
        "dataTo": _day(terms.last_day),
        "projectId": terms.project_id or None,
        "emergencyId": terms.emergency_id or None,
        "controllerId": terms.controller_id or None,
        "datasetId": terms.dataset_id or None,
        "grantId": _hex_or_none(given["grantId"]),
        "outcome": verdict.outcome.name,
        "facts": names(verdict.facts),
        "missing": names(verdict.missing),
        "policyVersion": verdict.policy_version,
        "answer": OUTCOME_WORDS[verdict.outcome],
        "commitment": _hex_or_none(given["commitment"]),
        "position": _position(event.position),
        "released": _position(released.position) if released else None,
    }


def _differences(line: Json, expected: Json) -> Iterator[str]:
    for name, value in expected.items():
        if line.get(name) != value:
            yield f"{name} is {value!r} on the chain, shown is {line.get(name)!r}"


def _missing_words(line: Json, event: Event, member_names: dict[int, str]) -> Iterator[str]:
    """The sentence is what people read: it must speak of the same things."""
    terms, verdict = unpack_terms(event.arguments["terms"]), unpack_verdict(event.arguments["verdict"])
    words = [
        member_names.get(event.arguments["memberId"], ""),
        OPERATION_LABELS[terms.operation].en,
        PURPOSE_LABELS[terms.purpose].en,
        BASIS_LABELS[terms.basis].en,
        *(CATEGORY_LABELS[Category[name]].en for name in names(terms.categories)),
    ]
    if days := days_in_words(terms.first_day, terms.last_day):
        words.append(days.strip())
    if terms.level is not Level.IDENTIFIED:
        words.append(LEVEL_LABELS[terms.level].en)
    if terms.controller_id:
        words.append(f"on behalf of {member_names.get(terms.controller_id, '')}")
    if terms.dataset_id:
        words.append(f"(number {terms.dataset_id})")
    sentence = str(line.get("sentence", ""))
    for word in words:
        if word not in sentence:
            yield f"the sentence does not say {word!r}"
    if bool(line.get("reasons")) != bool(verdict.missing):
        yield "reasons are given for a permit, or none for a refusal"


def _day(number: int) -> str | None:
    day = date_of(number)
    return day.isoformat() if day else None


def _hex_or_none(value: bytes) -> str | None:
    return to_hex(value) if any(value) else None


def _position(position: Position) -> Json:
    return {
        "block": position.block_number,
        "blockHash": to_hex(position.block_hash),
        "transaction": to_hex(position.transaction_hash),
        "logIndex": position.log_index,
        "time": _time(position.time),
    }


def _time(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def check_proof(reader: LedgerReader, proof: Json) -> list[str]:
    """
    Check where a record stands in a transfer of many against the root on the chain.

    Args:
        reader: The ledger at a node.
        proof: As `GET /v1/passports/{id}/transfers` gives it among `amongMany`.

    Returns:
        What is wrong; nothing if the record was sent as the proof says.

    Raises:
        VerificationError: There is no contract at the address, or the proof lacks something.
    """
    reader.check_contract()
    try:
        item = proof["item"]
        passport, content = bytes32(item["passportId"]), bytes32(item["content"])
        seq, place = int(item["decision"]), int(item["place"])
        path = [bytes32(beside) for beside in proof["path"]]
        transfer, told = bytes32(proof["transferId"]), proof["root"]
    except (KeyError, TypeError, ValueError) as error:
        raise VerificationError(f"the proof is not complete: {error}") from None
    root, size = reader.transfer_of(transfer, block=reader.node.head().number)
    if not any(root):
        return ["the ledger has no root of that transfer: it is not shipped, or there is none"]
    problems = []
    if told != to_hex(root):
        problems.append(f"the proof says the root is {told}, the ledger says {to_hex(root)}")
    if not merkle.verify(merkle.leaf(passport, seq, content), index=place, size=size, path=path, root=root):
        problems.append("the record is not in the transfer as the proof says")
    return problems
