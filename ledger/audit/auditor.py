"""
The audit of a ledger from a node, and nothing but a node.

The steps are those of docs/spec.md, "Verifying", under the same numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError

from ledger.audit.columns import replay_logs
from ledger.audit.findings import (
    Finding,
    Limits,
    Use,
    border_findings,
    decision_findings,
    declaration_findings,
    emergency_findings,
    head_findings,
    release_findings,
    retention_findings,
    size_findings,
    step_findings,
    transfer_findings,
    use_findings,
    withdrawal_findings,
)
from ledger.audit.index import EventComparison, IndexReader, index_findings
from ledger.audit.replay import Replay
from ledger.audit.report import AuditReport
from ledger.audit.source import ChainSource, Progress, read_events, read_logs
from ledger.domain.records import Address, BlockHeader, PassportId
from ledger.encoding.events import Abi, EventDecoder, selector
from ledger.errors import Conflict, NotFound, VerificationError


def audit(
    source: ChainSource,
    abi: Abi,
    ledger: Address,
    *,
    from_block: int = 0,
    to_block: int | None = None,
    uses: Iterable[Use] = (),
    index: IndexReader | None = None,
    limits: Limits | None = None,
    progress: Progress | None = None,
) -> AuditReport:
    """
    Replay a ledger and say what is wrong.

    Args:
        source: The node.
        abi: The contract's ABI.
        ledger: The contract's address.
        from_block: A block before or at which the ledger was deployed.
        to_block: Last block read; the newest one if None.
        uses: Entries of access logs to hold against the decisions.
        index: The service's index, to hold against the chain.
        limits: How long releases and answers may take.
        progress: Told how far the reading has come.

    Raises:
        NotFound: There is no contract at the address, or no such block.
        VerificationError: Events are missing at the beginning, or the node's answers contradict each other.
        Conflict: The chain changed while it was read, or the index is ahead of this node.
        ChainError: The node does not answer.
    """
    limits = limits or Limits()
    views = _Views(source, abi, ledger)
    # 1. The ledger is named by its chain and its address.
    chain_id = source.chain_id()
    if not source.code(ledger):
        raise NotFound(
            f"chain {chain_id} has no contract at {ledger}", fix="Check the address and the node's URL."
        )
    # 2. One last block for everything that is read.
    last = _last_block(source, to_block)
    index_block = index.block_number() if index is not None else None
    if index_block is not None and index_block > last.number:
        raise Conflict(
            f"the index is at block {index_block}, this node at {last.number}", fix="Ask another node."
        )
    # 3. and 4. Read, decode, fold; each decision and each step is decided again before it is folded.
    altered: list[Finding] = []
    if index is None:
        logs = read_logs(source, ledger, from_block=from_block, to_block=last.number, progress=progress)
        replay = replay_logs(logs, abi)
    else:
        replay, decoder = Replay(), EventDecoder(abi)
        comparison = EventComparison(index.events())
        for start, end in _stretches(from_block, last.number, index_block):
            events = read_events(source, decoder, ledger, from_block=start, to_block=end, progress=progress)
            for event in events:
                replay.take(event)
                if end == index_block:
                    altered.extend(comparison.take(event))
            if end == index_block:
                altered.extend(comparison.finish())
                altered.extend(index_findings(replay.state, index.rows()))
    if not replay.state.policy_version:
        raise VerificationError(
            f"no law was ever set from block {from_block} to {last.number}",
            fix="Start at the block where the ledger was deployed.",
        )
    state = replay.state
    findings = [
        *decision_findings(replay),
        *step_findings(replay),
        *declaration_findings(replay),
        *head_findings(state, views.head(last.number)),  # 7.
        *size_findings(state, views.sizes(list(state.passports), last.number)),  # 8.
        *release_findings(state, at=last.time, limits=limits),  # 9.
        *transfer_findings(state, at=last.time, limits=limits),
        *emergency_findings(state, at=last.time),
        *withdrawal_findings(state, at=last.time),
        *retention_findings(state, at=last.time),
        *border_findings(state, at=last.time),
        *use_findings(state, uses, limits=limits),  # 10.
        *altered,  # 11.
    ]
    # 12. All of it was the same chain.
    again = source.block(last.number)
    if again is None or again.block_hash != last.block_hash:
        raise Conflict(f"block {last.number} changed while it was read", fix="Run the audit again.")
    return AuditReport(
        chain_id=chain_id,
        ledger=ledger,
        from_block=from_block,
        to_block=last.number,
        block_hash=last.block_hash,
        time=last.time,
        index_block=index_block,
        replay=replay,
        findings=tuple(findings),
    )


def _last_block(source: ChainSource, number: int | None) -> BlockHeader:
    header = source.head() if number is None else source.block(number)
    if header is None:
        raise NotFound(f"the node has no block {number}", fix="Name an earlier block.")
    return header


def _stretches(first: int, last: int, stop: int | None) -> Iterator[tuple[int, int]]:
    """Yield the ranges to read: one, or two if the index stands somewhere in between."""
    if stop is not None and stop < last:
        yield first, stop
        first = max(first, stop + 1)
    yield first, last


class _Views:
    """The two views that the audit asks for."""

    def __init__(self, source: ChainSource, abi: Abi, ledger: Address) -> None:
        functions = {entry["name"]: entry for entry in abi if entry["type"] == "function"}
        self._source, self._ledger = source, ledger
        self._head, self._size = selector(functions["head"]), selector(functions["sizeOf"])

    def head(self, block: int) -> bytes:
        value: bytes = self._ask("bytes32", self._head, block)
        return value

    def sizes(self, passports: list[PassportId], block: int) -> Iterator[tuple[PassportId, int]]:
        for passport_id in passports:
            yield passport_id, self._ask("uint40", self._size + encode(["bytes32"], [passport_id]), block)

    def _ask(self, kind: str, data: bytes, block: int) -> Any:
        answer = self._source.call(self._ledger, data, block)
        try:
            return decode([kind], answer)[0]
        except DecodingError:
            raise VerificationError("the contract does not answer as a ledger of this version") from None
