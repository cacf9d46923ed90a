"""The clock of an embedded devnet, moved forward by tests that wait for something."""

from __future__ import annotations

from ledger.chain.rpc import Node


def advance(node: Node, seconds: int) -> int:
    """Let time pass on the chain, and mine a block; returns the block's time."""
    node.request("evm_increaseTime", hex(seconds))
    node.request("evm_mine")
    return node.head().time


def mine_at(node: Node, seconds: int) -> None:
    """Give the next block a time, whatever else happens in it."""
    node.request("evm_setNextBlockTimestamp", hex(seconds))
