"""
Keeping the index level with the chain.

A wake-up after each transaction saves time; the poll is the truth. Each block's parent hash is checked, a fork is
rolled back by block hash, rows and cursor change together, and the fold of all decisions is compared with the
contract's own `head`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection
from typing import Final, Protocol

import structlog

from ledger.chain.contract import LedgerContract, decoder
from ledger.chain.rpc import Node
from ledger.domain.records import BlockHeader, Event, PassportId
from ledger.encoding.events import RawLog
from ledger.errors import ChainError, ConfigurationError, LedgerError, StoreUnavailable
from ledger.ports import Deployment

_POLL_SECONDS: Final = 0.5
_MAX_BACKOFF_SECONDS: Final = 5.0
#: Blocks indexed in one database transaction.
_PAGE_BLOCKS: Final = 500

log = structlog.get_logger(__name__)


class CursorView(Protocol):
    """How far an index has come."""

    @property
    def block_number(self) -> int: ...
    @property
    def block_hash(self) -> bytes: ...
    @property
    def head(self) -> bytes: ...


class IndexStore(Protocol):
    """What the indexer writes to."""

    def cursor(self) -> CursorView | None: ...
    def known_block(self, number: int) -> bytes | None: ...
    def extend(self, headers: list[BlockHeader], found: list[Event]) -> CursorView: ...
    def roll_back(self, to_block: int) -> None: ...
    def report(self, error: str | None) -> None: ...
    def saw_head(self, number: int) -> None: ...
    def destroyed_passports(self) -> set[PassportId]: ...


class Indexer:
    """Follows one ledger contract into one index."""

    def __init__(
        self,
        node: Node,
        contract: LedgerContract,
        deployment: Deployment,
        store: IndexStore,
        *,
        guard: Callable[[], None],
        erase: Callable[[Collection[PassportId]], None] = lambda _: None,
    ) -> None:
        """
        Prepare; `start` begins to follow, `sync` follows once.

        Args:
            node: The chain.
            contract: The ledger on it.
            deployment: Where the ledger is, and since when.
            store: The index.
            guard: Called before each look at the chain; fills a chain that lost blocks again.
            erase: Called with the passports that the index has as destroyed: all at first, then those that are new.
        """
        self._erase = erase
        self._destroyed: set[PassportId] | None = None
        self._guard = guard
        self._node = node
        self._contract = contract
        self._deployment = deployment
        self._store = store
        self._rebuilt = False
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="indexer", daemon=True)

    def start(self) -> None:
        """Begin to follow the chain."""
        self._thread.start()

    def stop(self) -> None:
        """Stop after the page in hand."""
        self._stop.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(timeout=10)

    def wake(self) -> None:
        """Say that there is a new block."""
        self._wake.set()

    def sync(self) -> None:
        """Bring the index level with the chain."""
        self._guard()
        with self._lock:
            head = self._node.head()
            self._store.saw_head(head.number)
            self._leave_forks()
            self._follow(head.number)
            self._pass_on_destroyed()

    def _run(self) -> None:
        backoff = _POLL_SECONDS
        while not self._stop.is_set():
            self._wake.clear()
            try:
                self.sync()
                backoff = _POLL_SECONDS
            except (ChainError, StoreUnavailable, ConfigurationError) as error:
                log.warning("indexer waits", code=error.kind, reason=error.message)
                backoff = min(backoff * 2, _MAX_BACKOFF_SECONDS)
            except Exception:
                log.exception("indexer failed; it goes on")
                backoff = _MAX_BACKOFF_SECONDS
            self._wake.wait(backoff)

    def _leave_forks(self) -> None:
        """Go back to the last indexed block that is still on the chain."""
        cursor = self._store.cursor()
        if cursor is None:
            return
        number = cursor.block_number
        while number >= self._deployment.block_number:
            known = self._store.known_block(number)
            on_chain = self._node.block(number)
            if known is not None and on_chain is not None and on_chain.block_hash == known:
                break
            number -= 1
        if number < cursor.block_number:
            log.warning(
                "the chain changed; rolling the index back", from_block=cursor.block_number, to_block=number
            )
            self._store.roll_back(number)

    def _follow(self, target: int) -> None:
        cursor = self._store.cursor()
        start = cursor.block_number + 1 if cursor else self._deployment.block_number
        parent = cursor.block_hash if cursor else None
        while start <= target and not self._stop.is_set():
            headers = self._headers(start, min(start + _PAGE_BLOCKS - 1, target), parent)
            if not headers:
                return
            events = self._events(headers)
            if not self._agrees(self._store.extend(headers, events)):
                return
            if self._destroyed is not None:
                self._destroyed |= {
                    PassportId(event.arguments["passportId"])
                    for event in events
                    if event.name == "PassportDestroyed"
                }
            start, parent = headers[-1].number + 1, headers[-1].block_hash

    def _pass_on_destroyed(self) -> None:
        """Whoever asked for the destruction may be gone before it was mined, and so may this service."""
        if self._destroyed is None:
            self._destroyed = self._store.destroyed_passports()
        if self._destroyed:
            self._erase(self._destroyed)
            self._destroyed = set()

    def _headers(self, start: int, end: int, parent: bytes | None) -> list[BlockHeader]:
        """Read block headers, each the child of the one before; stops where the chain changes underfoot."""
        headers: list[BlockHeader] = []
        for number in range(start, end + 1):
            header = self._node.block(number)
            if header is None or (parent is not None and header.parent_hash != parent):
                break
            headers.append(header)
            parent = header.block_hash
        return headers

    def _events(self, headers: list[BlockHeader]) -> list[Event]:
        times = {header.block_hash: header.time for header in headers}
        found = []
        for raw in self._node.logs(self._deployment.ledger, headers[0].number, headers[-1].number):
            position = raw.position
            if position.block_hash not in times:
                raise ChainError(f"block {position.block_number} changed while it was read")
            timed = type(position)(
                position.block_number,
                position.block_hash,
                position.transaction_hash,
                position.log_index,
                times[position.block_hash],
            )
            event = decoder().decode(RawLog(raw.topics, raw.data, timed))
            if event is not None:
                found.append(event)
        return found

    def _agrees(self, cursor: CursorView) -> bool:
        """Compare the fold of the indexed decisions with the contract's own; on a difference begin again, once."""
        try:
            expected = self._contract.decisions_head(cursor.block_number)
        except LedgerError as error:
            log.warning("the head could not be compared", code=error.kind, reason=error.message)
            return True
        if expected == cursor.head:
            self._rebuilt = False
            return True
        if not self._rebuilt:
            self._rebuilt = True
            log.error("the index differs from the contract; making it again", block=cursor.block_number)
            self._store.roll_back(self._deployment.block_number - 1)
            self._wake.set()
            return False
        self._store.report(f"the index differs from the contract at block {cursor.block_number}")
        return False
