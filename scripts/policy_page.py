"""
Print docs/policy.md: `python -m scripts.policy_page > docs/policy.md`.

Reads the law from the `PolicySet` event of a ledger: of `--rpc URL --ledger ADDRESS`, or of one that is deployed on a
devnet for this purpose, which is the law that every new ledger starts with. `--json` prints the table for the tests:
`python -m scripts.policy_page --json > tests/vectors/default-policy.json`.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ledger.audit.law import render
from ledger.audit.replay import replay
from ledger.audit.source import read_events
from ledger.chain import artifacts
from ledger.chain.contract import DEPLOY, calldata
from ledger.chain.devnet import Devnet
from ledger.chain.rpc import Node
from ledger.domain.records import Address, PolicyTable
from ledger.encoding.events import EventDecoder
from ledger.ports import Call

_DEPLOYER = "0x" + "11" * 20


def main() -> None:
    """Print the page or the table."""
    parser = argparse.ArgumentParser(description="Print the law in force as a page.")
    parser.add_argument("--rpc", help="URL of a node; a devnet by default")
    parser.add_argument("--ledger", help="address of the ledger on that node")
    parser.add_argument("--json", action="store_true", help="print the table instead of the page")
    given = parser.parse_args()
    if bool(given.rpc) != bool(given.ledger):
        parser.error("--rpc and --ledger go together")
    if given.rpc:
        table = law_of(Node(given.rpc), Address(given.ledger.lower()))
    else:
        with fresh_ledger() as (node, ledger):
            table = law_of(node, ledger)
    print(
        json.dumps(as_json(table), indent=2) if given.json else render(table), end="\n" if given.json else ""
    )


def law_of(node: Node, ledger: Address) -> PolicyTable:
    """Return the law in force at the head of the chain."""
    decoder = EventDecoder(artifacts.load().abi)
    events = read_events(node, decoder, ledger, from_block=0, to_block=node.head().number)
    return replay(event for event in events if event.name == "PolicySet").state.law


def as_json(table: PolicyTable) -> dict[str, object]:
    """Return a policy table as JSON values, words as hexadecimal."""
    return {
        "version": table.version,
        "required": [f"0x{word:064x}" for word in table.required],
        "necessary": f"0x{table.necessary:064x}",
        "coreCategories": int(table.core_categories),
        "sensitiveCategories": int(table.sensitive_categories),
        "bannedPurposes": table.banned_purposes,
        "maxGrantSeconds": table.max_grant_seconds,
    }


@contextmanager
def fresh_ledger() -> Iterator[tuple[Node, Address]]:
    """Deploy a ledger on a devnet of its own, with a committee that nobody will ever be."""
    with tempfile.TemporaryDirectory() as folder:
        devnet = Devnet(Path(folder))
        devnet.start()
        try:
            node = Node(devnet.spec.url)
            yield node, _deploy(node)
        finally:
            devnet.stop()


def _deploy(node: Node) -> Address:
    key = "0x" + "01" * 32
    founder = [_DEPLOYER, 1, 0, 0, 2**40 - 1, key, key, "Committee"]
    node.request("hardhat_impersonateAccount", _DEPLOYER)
    data = "0x" + calldata(Call(DEPLOY, (founder,))).hex()
    transaction = node.request(
        "eth_sendTransaction", {"from": _DEPLOYER, "data": data, "gasPrice": "0x0", "gas": hex(16_000_000)}
    )
    receipt = node.request("eth_getTransactionReceipt", transaction)
    if receipt["status"] != "0x1":
        raise SystemExit("the ledger could not be deployed on the devnet")
    return Address(receipt["contractAddress"].lower())


if __name__ == "__main__":
    main()
