"""Every ledger that tests make is replayed: the law is decided again on whatever they did."""

from __future__ import annotations

from typing import Final

from ledger.audit.columns import replay_logs
from ledger.audit.source import read_logs
from ledger.chain import artifacts
from ledger.chain.contract import topic_of
from ledger.chain.rpc import Node
from ledger.domain.records import Address
from ledger.encoding.events import selector

_FIRST_VERSION: Final = "0x" + "1".rjust(64, "0")


def replay_ledgers(url: str) -> dict[Address, int]:
    """
    Replay every ledger on a node; returns how many decisions each has.

    A ledger is whatever put a first version of the law into force.
    """
    node = Node(url)
    query = {"fromBlock": "0x0", "toBlock": "latest", "topics": [topic_of("PolicySet"), _FIRST_VERSION]}
    found = {
        Address(entry["address"]): int(entry["blockNumber"], 16)
        for entry in node.request("eth_getLogs", query)
    }
    return {ledger: replay_ledger(node, ledger, from_block=block) for ledger, block in found.items()}


def replay_ledger(node: Node, ledger: Address, *, from_block: int) -> int:
    """Replay one ledger: every decision is the law's, and they fold to the contract's head; returns how many there are."""
    last = node.head().number
    logs = read_logs(node, ledger, from_block=from_block, to_block=last)
    found = replay_logs(logs, artifacts.load().abi)
    assert found.mismatches == [], f"ledger {ledger}: decided otherwise than by the law"
    assert found.step_mismatches == [], f"ledger {ledger}: steps broke other rules than were recorded"
    views = {entry["name"]: entry for entry in artifacts.load().abi if entry["type"] == "function"}
    head = node.call(ledger, selector(views["head"]), last)
    assert found.state.head == head, f"ledger {ledger}: the decisions do not fold to its head"
    return found.decisions
