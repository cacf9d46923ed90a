"""
What the auditor asks of a node: five reads, nothing else.

`ledger.chain.rpc.Node` answers them; so can any other client of an Ethereum node.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Final, Protocol

from ledger.domain.records import Address, BlockHeader, Event
from ledger.encoding.events import EventDecoder, RawLog
from ledger.errors import ChainError, Conflict, NodeUnreachable, TooLarge, VerificationError

#: Blocks asked for at once to begin with.
FIRST_RANGE_BLOCKS: Final = 2_000

#: Told how far the reading has come: the last block read, the last block to read, logs so far.
Progress = Callable[[int, int, int], None]


class ChainSource(Protocol):
    """An Ethereum node, read only."""

    def chain_id(self) -> int:
        """Return the chain's id."""

    def head(self) -> BlockHeader:
        """Return the newest block."""

    def block(self, number: int, /) -> BlockHeader | None:
        """Return the header of a block; None if the node has no block of this number."""

    def code(self, address: str, /) -> bytes:
        """Return the code at an address; empty if there is no contract."""

    def logs(self, address: str, from_block: int, to_block: int, /) -> Iterable[RawLog]:
        """
        Return the logs of one contract, first and last block included, in any order.

        The time in a position may be 0: then the auditor asks for the block and checks its hash.

        Raises:
            TooLarge: The node refuses a range this large; so does any `ChainError` but `NodeUnreachable`.
            NodeUnreachable: The node does not answer.
        """

    def call(self, to: str, data: bytes, block: int, /) -> bytes:
        """Return what a view of a contract answers at the end of a block."""


def read_events(
    source: ChainSource,
    decoder: EventDecoder,
    ledger: Address,
    *,
    from_block: int,
    to_block: int,
    progress: Progress | None = None,
) -> Iterator[Event]:
    """
    Yield the ledger's events in the order of the chain: `read_logs`, decoded.

    Logs that the ABI does not know are passed over.

    Raises:
        Conflict: A block changed while it was read.
        VerificationError: A log is of another place than was asked for, or its bytes are not that event's.
    """
    for log in read_logs(source, ledger, from_block=from_block, to_block=to_block, progress=progress):
        event = decoder.decode(log)
        if event is not None:
            yield event


def read_logs(
    source: ChainSource,
    ledger: Address,
    *,
    from_block: int,
    to_block: int,
    progress: Progress | None = None,
) -> Iterator[RawLog]:
    """
    Yield the ledger's logs in the order of the chain with the times of their blocks, a range of blocks at a time.

    A range that the node refuses is halved; nothing is skipped.

    Raises:
        Conflict: A block changed while it was read.
        VerificationError: A log is of another place than was asked for.
    """
    start, width, count, times = from_block, FIRST_RANGE_BLOCKS, 0, _Times(source)
    while start <= to_block:
        end = min(start + width - 1, to_block)
        try:
            logs = list(source.logs(ledger, start, end))
        except NodeUnreachable:
            raise
        except (TooLarge, ChainError):
            if end == start:
                raise
            width = max(1, (end - start + 1) // 2)
            continue
        for log in sorted(logs, key=_order):
            if not start <= log.position.block_number <= end:
                raise VerificationError(
                    f"the node sent a log of block {log.position.block_number}, which was not asked for"
                )
            count += 1
            yield times.complete(log)
        if progress is not None:
            progress(end, to_block, count)
        start, width = end + 1, min(width * 2, FIRST_RANGE_BLOCKS)


class _Times:
    """Fills in the times of blocks; remembers the last one, for logs come in the order of blocks."""

    def __init__(self, source: ChainSource) -> None:
        self._source = source
        self._known: BlockHeader | None = None

    def complete(self, log: RawLog) -> RawLog:
        position = log.position
        if position.time:
            return log
        if self._known is None or self._known.number != position.block_number:
            self._known = self._source.block(position.block_number)
        if self._known is None or self._known.block_hash != position.block_hash:
            raise Conflict(
                f"block {position.block_number} changed while it was read", fix="Run the audit again."
            )
        return replace(log, position=replace(position, time=self._known.time))


def _order(log: RawLog) -> tuple[int, int]:
    return log.position.order
