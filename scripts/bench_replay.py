"""
Measure the auditor's replay: `python -m scripts.bench_replay [--decisions N] [--json]`.

Makes up the logs of a ledger in which members ask, patients consent and withdraw, members are suspended and the law
changes, answered by the law; the same logs in every run. Then decodes them and decides every decision again, in columns
and, for a part of them, one by one. One process, one core. The law is read from a ledger on a devnet.
"""

from __future__ import annotations

import argparse
import gc
import json
import platform
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any, Final

import numpy as np
from eth_abi.abi import encode
from eth_utils.crypto import keccak

from ledger.audit.columns import Columns, fold
from ledger.audit.folds import apply
from ledger.audit.replay import Replay
from ledger.audit.state import LedgerState
from ledger.chain import artifacts
from ledger.domain.records import (
    NO_GRANT,
    ZERO32,
    Commitment,
    Event,
    GrantId,
    PassportId,
    PolicyTable,
    Position,
    Request,
    Terms,
)
from ledger.domain.vocabulary import (
    Basis,
    Category,
    DataClass,
    GrantFlag,
    GrantStatus,
    Level,
    MemberKind,
    Operation,
    Purpose,
    Role,
)
from ledger.encoding.events import EventDecoder, RawLog, canonical_type, event_topic
from ledger.encoding.structs import policy_values
from ledger.encoding.words import pack_terms, pack_verdict
from ledger.policy import decide
from scripts.policy_page import fresh_ledger, law_of

_START: Final = 1_800_000_000
_DAY: Final = 86_400
_FOREVER: Final = 2**32 - 1
_ALL: Final = 0xFFFF
_SEED: Final = 20_261_125
_PLAIN_PART: Final = 5_000
_ABI: Final = {entry["name"]: entry for entry in artifacts.load().abi if entry["type"] == "event"}


def main() -> None:
    """Print what was measured."""
    parser = argparse.ArgumentParser(description="Measure the auditor's replay.")
    parser.add_argument("--decisions", type=int, default=100_000)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    given = parser.parse_args()
    with fresh_ledger() as (node, ledger):
        law = law_of(node, ledger)
    ledger_made_up = _Ledger(law)
    ledger_made_up.run(given.decisions)
    gc.collect()
    gc.freeze()  # What was made up here is not to be looked through again and again while the clock runs.
    found = measure(ledger_made_up.logs, plain_part=_PLAIN_PART)
    found["head_matches"] = found.pop("head") == ledger_made_up.state.head
    if given.json:
        print(json.dumps(found))
        return
    for name, value in found.items():
        print(f"{name:34} {value}")


def measure(logs: list[RawLog], *, plain_part: int) -> dict[str, Any]:
    """
    Replay logs in columns, and the first of them one by one.

    Args:
        logs: In the order of the chain.
        plain_part: How many decisions the plain replay gets.

    Returns:
        Figures by name. Seconds are those of the processor, which other processes do not lengthen (all is done in one
        thread); `decisions_per_second` includes decoding the logs and folding the head.
    """
    begun = time.process_time()
    columns = Columns(artifacts.load().abi)
    columns.take(logs)
    decoded = time.process_time()
    checked = columns.check()
    done = time.process_time()
    words = columns.words()
    folding = time.process_time()
    fold(words)
    folded = time.process_time() - folding
    plain, plain_seconds = _plain(logs, plain_part)
    per_second = checked.decisions / (done - begun)
    plain_per_second = plain.decisions / plain_seconds
    return {
        "decisions_per_second": round(per_second),
        "decisions": checked.decisions,
        "mismatches": len(checked.mismatches),
        "logs": len(logs),
        "permits": checked.permits,
        "reviews": checked.reviews,
        "seconds": round(done - begun, 3),
        "seconds_decoding": round(decoded - begun, 3),
        "seconds_folding_the_head": round(folded, 3),
        "plain_decisions_per_second": round(plain_per_second),
        "plain_mismatches": len(plain.mismatches),
        "ratio": round(per_second / plain_per_second, 1),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "head": checked.head,
    }


def _plain(logs: list[RawLog], part: int) -> tuple[Replay, float]:
    """Replay the first decisions one by one; the time begins with the first of them, for what founds a ledger is long."""
    topic, decoder, plain = (
        event_topic(_ABI["DecisionRecorded"]),
        EventDecoder(artifacts.load().abi),
        Replay(),
    )
    begun = 0.0
    for log in logs:
        if not begun and log.topics[0] == topic:
            begun = time.process_time()
        event = decoder.decode(log)
        if event is not None:
            plain.take(event)
        if plain.decisions == part:
            break
    return plain, time.process_time() - begun


@dataclass
class _Ledger:
    """A ledger made up in memory; each event takes a place in a block of a hundred."""

    law: PolicyTable
    state: LedgerState = field(default_factory=LedgerState)
    logs: list[RawLog] = field(default_factory=list)
    noise: Random = field(default_factory=lambda: Random(_SEED))  # noqa: S311 - the same figures in every run
    live: list[tuple[PassportId, GrantId]] = field(default_factory=list)
    passports: list[PassportId] = field(default_factory=list)
    counted: int = 0

    def run(self, decisions: int) -> None:
        """Found the ledger and let things happen until there are so many decisions."""
        self._found()
        for number in range(decisions):
            if number % 50 == 0:
                self._change(number)
            self._ask()

    def _found(self) -> None:
        self._emit("PolicySet", version=1, table=policy_values(self.law))
        for number, (kind, roles) in enumerate(
            [
                (MemberKind.AUTHORITY, Role.COMMITTEE),
                *[(MemberKind.HOSPITAL, Role.CUSTODIAN)] * 4,
                *[(MemberKind.COMPANY, Role.PROCESSOR)] * 12,
            ],
            start=1,
        ):
            self._emit(
                "MemberAdmitted",
                memberId=number,
                signer="0x" + f"{number:040x}",
                roles=int(roles),
                purposes=_ALL,
                jurisdiction=156,
                validTo=_FOREVER,
                kind=int(kind),
                signingKey=self._name(),
                sealingKey=self._name(),
                name=f"Member {number}",
            )
        for owner in range(6, 18):
            filing = (_ALL, _ALL, 1, int(DataClass.CORE_PRIVACY), _START, _FOREVER, self._name())
            number = owner - 5
            self._emit(
                "ProjectFiled", projectId=number, memberId=owner, filing=filing, description=self._name()
            )
            for approval, body in ((0, 1), (1, 2)):
                words = {"projectId": number, "memberId": body, "approval": approval, "approved": True}
                self._emit("ProjectReviewed", **words, opinion=self._name())
        for _ in range(2_000):
            self._issue()
        for _ in range(2_000):
            self._give()

    def _change(self, number: int) -> None:
        """Withdraw, consent, register; now and then a member or the law changes."""
        for _ in range(2):
            self._withdraw()
            self._give()
        if number % 500 == 0:
            self._issue()
        if number % 2_000 == 0:
            member_id = self.noise.randrange(6, 18)
            self._emit("MemberSuspended", memberId=member_id, reasons=ZERO32)
        if number % 2_000 == 1_000:  # noqa: PLR2004 - half of that later
            for member in list(self.state.members.values()):
                if member.status.name == "SUSPENDED":
                    self._emit("MemberReinstated", memberId=member.member_id)
        if number % 5_000 == 0:
            strict = number % 10_000 == 0
            table = replace(self.law, necessary=self.law.necessary if strict else 2**256 - 1)
            self._emit("PolicySet", version=self.state.policy_version + 1, table=policy_values(table))

    def _issue(self) -> None:
        passport_id = PassportId(self._name())
        self.passports.append(passport_id)
        self._emit(
            "PassportIssued",
            passportId=passport_id,
            custodian=self.noise.randrange(2, 6),
            holder=self._name()[:20],
            custody=0,
            purposes=_ALL,
            level=0,
            lock=0,
            content=self._name(),
        )

    def _give(self) -> None:
        passport_id, grant_id = self.noise.choice(self.passports), GrantId(self._name())
        recipient, now = self.noise.randrange(6, 18), _START + self.counted // 10
        most = self.noise.choice((0, 0, 50))
        state = (
            *(recipient, 0, 1 << Purpose.AI_TRAINING | 1 << Purpose.RESEARCH, 0xFF, _START),
            *(now + 90 * _DAY, 0, 0, most, 0, 0, int(Level.IDENTIFIED), int(GrantFlag(0))),
            *(int(GrantStatus.ACTIVE), 4),
        )
        words = {"grantId": grant_id, "passportId": passport_id, "recipient": recipient, "state": state}
        self._emit("ConsentGranted", **words, template=1, terms=self._name(), supersedes=NO_GRANT)
        self.live.append((passport_id, grant_id))

    def _withdraw(self) -> None:
        index = self.noise.randrange(len(self.live))
        passport_id, grant_id = self.live[index]
        if self.state.grants[passport_id, grant_id].state.status is GrantStatus.ACTIVE:
            self._emit("ConsentWithdrawn", grantId=grant_id, passportId=passport_id)

    def _ask(self) -> None:
        """Mostly with a consent, which somebody may have withdrawn; else for the care of one's own patients."""
        care = self.noise.random() < 0.2  # noqa: PLR2004 - one in five
        passport_id, grant_id = self.noise.choice(self.live)
        if care:
            passport_id, grant_id = self.noise.choice(self.passports), NO_GRANT
            member_id = self.state.passports[passport_id].custodian
            purpose, basis, project_id = Purpose.PRIMARY_CARE, Basis.CUSTODIAN_CARE, 0
        else:
            wrong = self.noise.random() < 0.1  # noqa: PLR2004 - one in ten
            named = self.state.grants[passport_id, grant_id].state.recipient
            member_id = self.noise.randrange(6, 18) if wrong else named
            purpose, basis, project_id = Purpose.AI_TRAINING, Basis.CONSENT, member_id - 5
        terms = Terms(
            purpose=purpose,
            basis=basis,
            operation=Operation.READ,
            categories=Category(1 << self.noise.randrange(10)),
            level=Level.PSEUDONYMISED,
            project_id=project_id,
        )
        request = Request(passport_id, grant_id, Commitment(self._name()), terms)
        verdict = decide(request, self.state.situation(request, member_id, self._time()))
        self._emit(
            "DecisionRecorded",
            passportId=passport_id,
            grantId=grant_id,
            memberId=member_id,
            terms=pack_terms(terms),
            verdict=pack_verdict(verdict),
            commitment=request.commitment,
        )

    def _time(self) -> int:
        return _START + self.counted // 10

    def _name(self) -> bytes:
        return self.noise.randbytes(32)

    def _emit(self, name: str, /, **given: Any) -> None:
        block = self.counted // 100
        position = Position(
            block, keccak(block.to_bytes(8, "big")), self._name(), self.counted % 100, self._time()
        )
        self.counted += 1
        apply(self.state, Event(name, given, position))
        self.logs.append(_log(name, given, position))


def _log(name: str, given: dict[str, Any], position: Position) -> RawLog:
    entry = _ABI[name]
    topics = [event_topic(entry)] if name not in _TOPICS else [_TOPICS[name]]
    kinds, values = [], []
    for item, kind in _inputs(name):
        if item["indexed"]:
            topics.append(encode([kind], [given[item["name"]]]))
        else:
            kinds.append(kind)
            values.append(given[item["name"]])
    return RawLog(tuple(topics), encode(kinds, values), position)


def _inputs(name: str) -> Iterator[tuple[dict[str, Any], str]]:
    for item in _ABI[name]["inputs"]:
        yield item, canonical_type(item)


_TOPICS: Final = {name: event_topic(entry) for name, entry in _ABI.items()}


if __name__ == "__main__":
    main()
