"""
A ledger made up in memory: its events, as a contract would have emitted them, and a node that serves them.

Decisions are answered by hand-written facts where a test is about the law, and by the twin where it is about what
surrounds it. Nothing here is under test.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from eth_abi.abi import decode, encode
from eth_utils.crypto import keccak

from ledger.audit.replay import decide_again
from ledger.audit.state import LedgerState, decision_entry
from ledger.chain import artifacts
from ledger.domain.records import (
    NO_GRANT,
    Address,
    BlockHeader,
    Event,
    GrantId,
    PassportId,
    PolicyTable,
    Position,
    TransferId,
    Verdict,
)
from ledger.domain.vocabulary import (
    Basis,
    Category,
    Custody,
    DataClass,
    Fact,
    GrantFlag,
    Operation,
    Outcome,
    Purpose,
    Role,
    Technique,
)
from ledger.encoding.events import RawLog, canonical_type, event_topic, selector
from ledger.encoding.words import pack_verdict
from ledger.errors import TooLarge

START = 1_800_000_000
DAY = 24 * 3600
STUDY = Category.DIAGNOSIS | Category.LABORATORY
ALL_PURPOSES = 0xFFFF
LEDGER = Address("0x" + "5a" * 20)
CHAIN_ID = 20_261


def default_law() -> PolicyTable:
    """Return the law that a new ledger starts with; tests/contracts/Vectors.t.sol checks the file."""
    path = Path(__file__).resolve().parent.parent / "vectors" / "default-policy.json"
    given = json.loads(path.read_text())
    return PolicyTable(
        version=given["version"],
        required=tuple(int(word, 16) for word in given["required"]),
        necessary=int(given["necessary"], 16),
        core_categories=Category(given["coreCategories"]),
        sensitive_categories=Category(given["sensitiveCategories"]),
        banned_purposes=given["bannedPurposes"],
        max_grant_seconds=given["maxGrantSeconds"],
    )


@dataclass
class Chronicle:
    """Events in the order of the chain. Each takes a block of its own, ten seconds after the one before."""

    events: list[Event] = field(default_factory=list)
    state: LedgerState = field(default_factory=LedgerState)
    time: int = START
    block: int = 0
    _log: int = 0
    _names: int = 0

    @classmethod
    def begun(cls) -> Chronicle:
        """Return a ledger with the default law, a committee (1), a hospital (2) and a laboratory (3)."""
        chronicle = cls()
        chronicle.admit("Committee", Role.COMMITTEE)
        chronicle.law(default_law())
        chronicle.admit("Hospital", Role.CUSTODIAN)
        chronicle.admit("Lab", Role.PROCESSOR)
        return chronicle

    def emit(self, name: str, /, *, same_block: bool = False, **arguments: Any) -> Position:
        """Emit an event and fold it into the state."""
        position = self.place(same_block=same_block)
        event = Event(name, arguments, position)
        self.events.append(event)
        self.state.apply(event)
        return position

    def place(self, *, same_block: bool = False) -> Position:
        """Return the next place on the chain."""
        if same_block:
            self._log += 1
        else:
            self.block, self.time, self._log = self.block + 1, self.time + 10, 0
        return Position(
            self.block, block_hash(self.block), keccak(text=f"transaction {self.block}"), self._log, self.time
        )

    def name(self) -> bytes:
        """Return 32 bytes that nothing else is called by."""
        self._names += 1
        return keccak(text=f"name {self._names}")

    def admit(
        self, name: str, roles: Role, *, purposes: int = ALL_PURPOSES, valid_to: int = START + 3650 * DAY
    ) -> int:
        """Admit a member; returns its number."""
        member_id = len(self.state.members) + 1
        self.emit(
            "MemberAdmitted",
            memberId=member_id,
            signer="0x" + f"{member_id:040x}",
            roles=int(roles),
            purposes=purposes,
            jurisdiction=156,
            validTo=valid_to,
            signingKey=self.name(),
            sealingKey=self.name(),
            name=name,
        )
        return member_id

    def law(self, table: PolicyTable) -> None:
        """Put a law into force."""
        values = (
            table.required,
            table.necessary,
            int(table.core_categories),
            int(table.sensitive_categories),
            table.banned_purposes,
            table.max_grant_seconds,
        )
        self.emit("PolicySet", version=self.state.policy_version + 1, table=values)

    def issue(
        self, custodian: int = 2, *, purposes: int = ALL_PURPOSES, custody: Custody = Custody.SELF
    ) -> PassportId:
        """Issue a passport."""
        passport_id = PassportId(self.name())
        self.emit(
            "PassportIssued",
            passportId=passport_id,
            custodian=custodian,
            holder="0x" + self.name()[:20].hex(),
            custody=int(custody),
            purposes=purposes,
            content=self.name(),
        )
        return passport_id

    def file_project(self, member_id: int = 3, **changes: Any) -> int:
        """File a project for AI training with federated learning."""
        project_id = len(self.state.projects) + 1
        given: dict[str, Any] = {
            "purposes": 1 << Purpose.AI_TRAINING,
            "categories": 0xFFFF,
            "techniques": int(Technique.FEDERATED_LEARNING),
            "highestClass": int(DataClass.CORE_PRIVACY),
            "validFrom": START,
            "validTo": START + 365 * DAY,
            "agreement": self.name(),
            **changes,
        }
        self.emit("ProjectFiled", projectId=project_id, memberId=member_id, description=self.name(), **given)
        return project_id

    def give(self, passport_id: PassportId, recipient: int = 3, **changes: Any) -> GrantId:
        """Give consent to AI training on the study's categories."""
        grant_id = GrantId(self.name())
        given: dict[str, Any] = {
            "purposes": 1 << Purpose.AI_TRAINING,
            "categories": int(STUDY),
            "useFrom": START,
            "useTo": START + 100 * DAY,
            "maxUses": 0,
            "flags": int(GrantFlag(0)),
            "terms": self.name(),
            "supersedes": NO_GRANT,
            **changes,
        }
        if given["supersedes"] != NO_GRANT:
            self.emit(
                "ConsentSuperseded", grantId=given["supersedes"], passportId=passport_id, successor=grant_id
            )
        self.emit(
            "ConsentGranted",
            grantId=grant_id,
            passportId=passport_id,
            recipient=recipient,
            **given,
            same_block=True,
        )
        return grant_id

    def withdraw(self, passport_id: PassportId, grant_id: GrantId) -> Position:
        """Withdraw consent."""
        return self.emit("ConsentWithdrawn", grantId=grant_id, passportId=passport_id)

    def decide(
        self,
        passport_id: PassportId,
        member_id: int = 3,
        *,
        grant_id: GrantId = NO_GRANT,
        project_id: int = 0,
        purpose: Purpose = Purpose.AI_TRAINING,
        basis: Basis = Basis.CONSENT,
        operation: Operation = Operation.READ,
        categories: Category = STUDY,
        same_block: bool = False,
        forge: Callable[[Verdict], Verdict] | None = None,
    ) -> int:
        """Answer a request by the law, or by what *forge* makes of the answer; returns the decision's number."""
        position = self.place(same_block=same_block)
        asked = Verdict(
            seq=self.state.passports[passport_id].size,
            policy_version=self.state.policy_version,
            project_id=project_id,
            categories=categories,
            purpose=purpose,
            basis=basis,
            operation=operation,
            data_class=DataClass.NON_SENSITIVE,
            outcome=Outcome.DENY,
            facts=Fact(0),
            missing=Fact(0),
        )
        arguments: dict[str, Any] = {
            "passportId": passport_id,
            "grantId": grant_id,
            "memberId": member_id,
            "verdict": pack_verdict(asked),
            "commitment": self.name(),
        }
        verdict = decide_again(self.state, decision_entry(arguments, position), asked)
        arguments["verdict"] = pack_verdict(forge(verdict) if forge else verdict)
        event = Event("DecisionRecorded", arguments, position)
        self.events.append(event)
        self.state.apply(event)
        return arguments["verdict"] & 0xFFFFFFFFFF

    def permitted(self, passport_id: PassportId, **changes: Any) -> int:
        """Let the laboratory train on a passport with everything the law asks for; returns the decision's number."""
        grant_id, project_id = self.give(passport_id), self.file_project()
        return self.decide(passport_id, grant_id=grant_id, project_id=project_id, **changes)

    def release(self, passport_id: PassportId, seq: int, *, custodian: int = 2) -> Position:
        """Record a completion receipt."""
        return self.emit(
            "ReleaseRecorded", passportId=passport_id, seq=seq, custodian=custodian, commitment=self.name()
        )

    def ship(self, passport_id: PassportId, seq: int, *, recipient: int = 3) -> TransferId:
        """Ship data; returns the transfer's id."""
        transfer_id = TransferId(self.name())
        self.emit(
            "TransferShipped",
            transferId=transfer_id,
            passportId=passport_id,
            recipient=recipient,
            sender=2,
            seq=seq,
            content=self.state.passports[passport_id].content,
        )
        return transfer_id

    def receive(self, transfer_id: TransferId, *, content: bytes | None = None) -> None:
        """State what arrived: what was shipped, or *content*."""
        transfer = self.state.transfers[transfer_id].transfer
        received = content or transfer.content
        self.emit(
            "TransferReceived",
            transferId=transfer_id,
            passportId=transfer.passport_id,
            recipient=transfer.recipient,
            content=received,
            matched=received == transfer.content,
        )


def block_hash(number: int) -> bytes:
    """Return what a block is called."""
    return keccak(text=f"block {number}")


@dataclass
class FakeNode:
    """
    A node that serves a chronicle's events as logs, and the views of a contract that recorded all of them.

    Attributes:
        most: Largest range of blocks it serves at once.
        hidden: Positions in the list of events that it does not serve.
        blind: Whether logs come without the time of their block.
    """

    chronicle: Chronicle
    most: int = 1_000_000
    hidden: frozenset[int] = frozenset()
    blind: bool = True
    ranges: list[tuple[int, int]] = field(default_factory=list)
    reorganised: bool = False

    def chain_id(self) -> int:
        """Return the chain's id."""
        return CHAIN_ID

    def head(self) -> BlockHeader:
        """Return the newest block."""
        found = self.block(self.chronicle.block)
        assert found is not None
        return found

    def block(self, number: int) -> BlockHeader | None:
        """Return a block."""
        if not 0 <= number <= self.chronicle.block:
            return None
        times = {event.position.block_number: event.position.time for event in self.chronicle.events}
        found = BlockHeader(number, block_hash(number), block_hash(number - 1), times.get(number, START))
        return replace(found, block_hash=bytes(32)) if self.reorganised and self.ranges else found

    def code(self, address: str) -> bytes:
        """Return the ledger's code, or nothing."""
        return b"\x60" if address == LEDGER else b""

    def logs(self, address: str, from_block: int, to_block: int) -> list[RawLog]:
        """Return logs of a range, newest first, to see that the order is not relied on."""
        self.ranges.append((from_block, to_block))
        assert address == LEDGER
        if to_block - from_block + 1 > self.most:
            raise TooLarge("range too large")
        return [
            self._log(event)
            for index, event in reversed(list(enumerate(self.chronicle.events)))
            if from_block <= event.position.block_number <= to_block and index not in self.hidden
        ]

    def call(self, to: str, data: bytes, block: int) -> bytes:
        """Answer `head()` and `sizeOf(bytes32)` as of the newest block."""
        assert to == LEDGER
        assert block == self.chronicle.block
        if data == _selector("head"):
            return self.chronicle.state.head
        assert data[:4] == _selector("sizeOf")
        passport_id = PassportId(decode(["bytes32"], data[4:])[0])
        return encode(["uint40"], [self.chronicle.state.passports[passport_id].size])

    def _log(self, event: Event) -> RawLog:
        log = encode_log(event)
        return replace(log, position=replace(log.position, time=0)) if self.blind else log


def encode_log(event: Event) -> RawLog:
    """Return an event as a node gives it."""
    entry = next(
        item for item in artifacts.load().abi if item["type"] == "event" and item["name"] == event.name
    )
    topics, kinds, values = [event_topic(entry)], [], []
    for item in entry["inputs"]:
        kind, value = canonical_type(item), event.arguments[item["name"]]
        if item["indexed"]:
            topics.append(encode([kind], [value]))
        else:
            kinds.append(kind)
            values.append(value)
    return RawLog(tuple(topics), encode(kinds, values), event.position)


def _selector(name: str) -> bytes:
    return selector(next(item for item in artifacts.load().abi if item.get("name") == name))
