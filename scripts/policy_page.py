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
from ledger.chain.artifacts import CONTRACTS, LEDGER
from ledger.chain.contract import DEPLOY, calldata
from ledger.chain.devnet import Devnet
from ledger.chain.rpc import Node, contract_address
from ledger.domain.records import Address, Admission, PolicyTable
from ledger.domain.vocabulary import Role
from ledger.domain.wording import NOTICE_HASH
from ledger.encoding.events import EventDecoder
from ledger.encoding.hexadecimal import to_hex
from ledger.ports import Call
from ledger.service.members import admission_argument

_DEPLOYER = Address("0x" + "11" * 20)


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
        "levels": f"0x{table.levels:064x}",
        "emergencies": {
            "seconds": table.emergencies.seconds,
            "categories": int(table.emergencies.categories),
            "monthlyQuota": table.emergencies.monthly_quota,
            "reviewSeconds": table.emergencies.review_seconds,
            "maxDeclarationSeconds": table.emergencies.max_declaration_seconds,
            "recoverySeconds": table.emergencies.recovery_seconds,
        },
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
    """Deploy the contracts of a ledger one after the other: each is told where the one before it is."""
    node.request("hardhat_impersonateAccount", _DEPLOYER)
    founder = Admission(
        name="Committee",
        signer=_DEPLOYER,
        roles=Role.COMMITTEE,
        purposes=0,
        jurisdiction=0,
        valid_to=2**32 - 1,
        signing_key=b"\x01" * 32,
        sealing_key=b"\x01" * 32,
    )
    office: list[str] = []
    for name in CONTRACTS:
        founding = [admission_argument(founder), to_hex(NOTICE_HASH)] if name == LEDGER else []
        office = [_create(node, Call(f"{DEPLOY}{name}", (*office, *founding)))]
    return Address(office[0])


def _create(node: Node, call: Call) -> str:
    data = to_hex(calldata(call))
    transaction = node.request(
        "eth_sendTransaction", {"from": _DEPLOYER, "data": data, "gasPrice": "0x0", "gas": hex(16_000_000)}
    )
    receipt = node.request("eth_getTransactionReceipt", transaction)
    address = contract_address(receipt)
    if receipt["status"] != "0x1" or address is None:
        raise SystemExit(f"could not {call.function} on the devnet")
    return address


if __name__ == "__main__":
    main()
