"""An audit's result, as a value and as JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from ledger.audit.findings import Finding
from ledger.audit.replay import Replay
from ledger.domain.records import Address, Event, Position
from ledger.encoding.hexadecimal import to_hex


@dataclass(frozen=True, slots=True)
class AuditReport:
    """
    What an audit found.

    Attributes:
        chain_id: The chain.
        ledger: The contract, in lower case.
        from_block: First block read.
        to_block: Last block read; `block_hash` is its hash and `time` its time in seconds since the Unix epoch.
        index_block: Block at which the service's index was compared; None if it was not.
        replay: Counts, mismatches and the folded state.
        findings: Everything found, in the order of the steps of docs/spec.md, "Verifying".
        events: Yields what was read, in the order of the chain, any number of times; nothing if an index was compared.
    """

    chain_id: int
    ledger: Address
    from_block: int
    to_block: int
    block_hash: bytes
    time: int
    index_block: int | None
    replay: Replay
    findings: tuple[Finding, ...]
    events: Callable[[], Iterable[Event]] = tuple

    @property
    def is_clean(self) -> bool:
        """Tell whether nothing is wrong: no finding but informational ones."""
        return all(finding.rule.is_informational for finding in self.findings)

    def as_json(self) -> dict[str, Any]:
        """Return the report as JSON values."""
        return {
            "chainId": self.chain_id,
            "ledger": self.ledger,
            "fromBlock": self.from_block,
            "toBlock": self.to_block,
            "blockHash": to_hex(self.block_hash),
            "indexBlock": self.index_block,
            "head": to_hex(self.replay.state.head),
            "passports": len(self.replay.state.passports),
            "decisions": self.replay.decisions,
            "mismatches": len(self.replay.mismatches),
            "permits": self.replay.permits,
            "reviews": self.replay.reviews,
            "denied": self.replay.denied,
            "denials": {str(fact.name): count for fact, count in self.replay.denials.items()},
            "clean": self.is_clean,
            "findings": [finding_as_json(finding) for finding in self.findings],
        }


def finding_as_json(finding: Finding) -> dict[str, Any]:
    """Return a finding as JSON values."""
    return {
        "rule": finding.rule.value,
        "informational": finding.rule.is_informational,
        "member": finding.member_id,
        "memberName": finding.member_name,
        "passport": finding.passport,
        "seq": finding.seq,
        "detail": finding.detail,
        "evidence": [position_as_json(position) for position in finding.evidence],
    }


def position_as_json(position: Position) -> dict[str, Any]:
    """Return a place on the chain as JSON values."""
    return {
        "block": position.block_number,
        "blockHash": to_hex(position.block_hash),
        "transaction": to_hex(position.transaction_hash),
        "logIndex": position.log_index,
        "time": position.time,
    }
