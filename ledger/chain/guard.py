"""
Is this still our chain? Asked before anything is signed.

Wrong chain id, genesis or contract code: nothing is signed, and the service is not ready. The right chain that lost
blocks (a devnet after a restart, a node after a reorganisation) is filled again from the journal, in the order in
which it was mined before.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

import structlog
from eth_utils.crypto import keccak

from ledger.chain import devnet
from ledger.chain.receipts import record_receipt
from ledger.chain.rpc import Node, UsedNonce
from ledger.domain.records import Address
from ledger.errors import ChainError, ConfigurationError
from ledger.ports import Deployment, Journal, MinedTransaction, SignedTransaction

_REFILL_SECONDS: Final = 30.0

log = structlog.get_logger(__name__)


class ChainGuard:
    """Compares the chain with the journal."""

    def __init__(
        self, node: Node, journal: Journal, *, operator: Address, embedded: bool, lost: Callable[[], None]
    ) -> None:
        """
        Prepare.

        Args:
            node: The chain.
            journal: What it must hold.
            operator: The account that pays, endowed anew on an embedded devnet.
            embedded: Whether the node is an embedded devnet.
            lost: Called after lost blocks were filled again.
        """
        self._node = node
        self._journal = journal
        self._operator = operator
        self._embedded = embedded
        self._lost = lost
        self._lock = threading.Lock()

    def check(self) -> None:
        """
        Make sure that the chain is the journal's and holds all that the journal knows to be mined.

        Raises:
            ConfigurationError: It is another chain, or the ledger's code is not there or another.
            ChainError: The node does not answer.
        """
        last = self._journal.last_mined()
        if last is not None and self._holds(last):
            return
        with self._lock:
            last = self._journal.last_mined()
            if last is None:
                if self._embedded and self._journal.deployment() is None:
                    devnet.endow(self._node, self._operator)
                    devnet.set_clock(self._node)
                return
            if self._holds(last):
                return
            self._identify(self._journal.deployment())
            self._refill()
        self._lost()

    def identify(self) -> None:
        """
        Check chain id, genesis, the ledger's code, and that the chain holds what the journal knows to be mined.

        Raises:
            ConfigurationError: It is another chain, or the ledger's code is not there or another.
            ChainError: It lacks blocks that are still to be filled again.
        """
        deployment = self._journal.deployment()
        self._identify(deployment)
        last = self._journal.last_mined()
        if last is not None and not self._holds(last):
            raise ChainError("the chain lost blocks and is being filled again", fix="Wait a moment.")
        if deployment is not None:
            self._check_code(deployment)

    def _holds(self, mined: MinedTransaction) -> bool:
        block = self._node.block(mined.block_number)
        return block is not None and block.block_hash == mined.block_hash

    def _identify(self, deployment: Deployment | None) -> None:
        if deployment is None:
            return
        chain_id, genesis = self._node.chain_id(), self._node.genesis_hash()
        if (chain_id, genesis) != (deployment.chain_id, deployment.genesis_hash):
            raise ConfigurationError(
                f"the node serves another chain (id {chain_id}) than this database belongs to "
                f"(id {deployment.chain_id})",
                fix="Name the node of the chain this database belongs to, or use another data folder.",
            )

    def _check_code(self, deployment: Deployment) -> None:
        if keccak(self._node.code(deployment.ledger)) != deployment.code_hash:
            raise ConfigurationError(
                f"the code at {deployment.ledger} is not the ledger that this database belongs to",
                fix="Name the right node; if the chain lost its blocks, wait until it is filled again.",
            )

    def _refill(self) -> None:
        log.warning("the chain lost blocks; filling it again from the journal")
        if self._embedded:
            devnet.endow(self._node, self._operator)
        for mined in self._lost_transactions():
            self._bring_back(mined)
        if self._embedded:
            devnet.set_clock(self._node)
        log.info("the chain is filled again", block=self._node.head().number)

    def _lost_transactions(self) -> list[MinedTransaction]:
        """Return what the chain does not hold any more, in the order in which it was mined: the end of the journal."""
        known = self._journal.mined()
        held = len(known)
        while held and not self._holds(known[held - 1]):
            held -= 1
        return known[held:]

    def _bring_back(self, mined: MinedTransaction) -> None:
        transaction = mined.transaction
        receipt = self._node.receipt(transaction.transaction_hash)
        if receipt is None:
            if self._embedded:
                devnet.set_next_block_time(self._node, mined.time)
            try:
                self._node.send_raw(transaction.raw)
            except UsedNonce:
                log.warning("a nonce of the journal is used by another transaction", nonce=transaction.nonce)
            receipt = self._await(transaction)
        record_receipt(self._node, self._journal, transaction, receipt)

    def _await(self, transaction: SignedTransaction) -> dict[str, object]:
        deadline = time.monotonic() + _REFILL_SECONDS
        while time.monotonic() < deadline:
            receipt = self._node.receipt(transaction.transaction_hash)
            if receipt is not None:
                return receipt
            time.sleep(0.01)
        raise ChainError(
            "the chain does not take back what it lost", fix="Look at the node; the journal keeps all."
        )
