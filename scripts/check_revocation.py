"""
Check that a withdrawn consent never permits again, under load: `python -m scripts.check_revocation [--json]`.

Several clients give consents, withdraw them and ask for access at the same time, each in transactions of its own, on a
devnet of its own. Afterwards the node's log is read in the order of the chain: a permit that stands behind the
withdrawal of the grant it names is a violation. Ends with 1 if there is one, or if the run proves nothing because no
request came before, or none came after a withdrawal.
"""

from __future__ import annotations

import argparse
import json
import random
import secrets
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from eth_account import Account

from ledger.chain.contract import decoder
from ledger.chain.rpc import Node
from ledger.domain.records import GrantId, PassportId
from ledger.domain.vocabulary import Outcome
from ledger.encoding.hexadecimal import to_hex
from ledger.encoding.typed_data import revocation_typed_data, sign
from ledger.encoding.words import unpack_verdict
from ledger.ports import Call
from scripts.small_world import HOSPITAL, World, fresh_ledger, impersonated, issue_item

_PASSPORTS: Final = 50
_RELAYERS: Final = 0x2001
_PAGE_BLOCKS: Final = 500


@dataclass(slots=True)
class Crowd:
    """What the clients share: the consents given so far. Whether one was withdrawn is for the ledger to know."""

    world: World
    passports: list[PassportId]
    holder: bytes
    given: list[tuple[PassportId, GrantId]] = field(default_factory=list)

    def give(self, sender: str, node: Node) -> None:
        """Give one more consent."""
        grant = self.world.grant(random.choice(self.passports))  # noqa: S311 - load, no secret
        self.world.send(sender, self.world.grant_call([grant], self.holder), node=node)
        self.given.append((grant.passport_id, grant.grant_id))

    def withdraw(self, sender: str, node: Node) -> None:
        """Withdraw any consent, once more if it was withdrawn."""
        passport, grant = random.choice(self.given[-40:])  # noqa: S311 - load, no secret
        typed = revocation_typed_data(self.world.domain, passport_id=passport, grant_id=grant)
        proof = ["0x", to_hex(sign(typed, private_key=self.holder))]
        self.world.send(sender, Call("revoke", (to_hex(passport), to_hex(grant), proof)), node=node)

    def ask(self, _: str, node: Node) -> None:
        """Ask for access under any consent."""
        passport, grant = random.choice(self.given[-40:])  # noqa: S311 - load, no secret
        self.world.ask([passport], [grant], repeats=1, node=node)


def main() -> None:
    """Run the check and print what was found."""
    parser = argparse.ArgumentParser(description="Check that a withdrawn consent never permits again.")
    parser.add_argument("--operations", type=int, default=10_000)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    given = parser.parse_args()
    with fresh_ledger() as world:
        crowd = _crowd(world)
        _run(crowd, operations=given.operations, clients=given.clients)
        found = read_back(world)
    found["operations"], found["clients"] = given.operations, given.clients
    print(json.dumps(found, indent=1) if given.json else "\n".join(f"{k}: {v}" for k, v in found.items()))
    sys.exit(bool(found["violations"]) or not (found["permits"] and found["denialsAfterWithdrawal"]))


def read_back(world: World) -> dict[str, Any]:
    """Return what the chain's own log says, in its order."""
    withdrawn: set[bytes] = set()
    counts = {"grants": 0, "withdrawals": 0, "permits": 0, "denialsAfterWithdrawal": 0, "violations": 0}
    head = world.node.head().number
    for start in range(0, head + 1, _PAGE_BLOCKS):
        for raw in world.node.logs(world.domain.ledger, start, min(start + _PAGE_BLOCKS - 1, head)):
            event = decoder().decode(raw)
            if event is None:
                continue
            grant = event.arguments.get("grantId", b"")
            if event.name == "ConsentGranted":
                counts["grants"] += 1
            elif event.name == "ConsentWithdrawn":
                counts["withdrawals"] += 1
                withdrawn.add(grant)
            elif event.name == "DecisionRecorded":
                permitted = unpack_verdict(event.arguments["verdict"]).outcome is Outcome.PERMIT
                counts["permits"] += permitted
                counts["denialsAfterWithdrawal"] += grant in withdrawn and not permitted
                counts["violations"] += grant in withdrawn and permitted
    return counts


def _crowd(world: World) -> Crowd:
    holder = Account.create()
    passports = [PassportId(secrets.token_bytes(32)) for _ in range(_PASSPORTS)]
    world.send(HOSPITAL, Call("issue", ([issue_item(item, holder.address) for item in passports],)))
    crowd = Crowd(world, passports, bytes(holder.key))
    for _ in range(10):
        crowd.give(HOSPITAL, world.node)
    return crowd


def _run(crowd: Crowd, *, operations: int, clients: int) -> None:
    """Share the operations among clients, each with a connection and an account of its own."""
    failures: list[BaseException] = []

    def client(number: int, share: int) -> None:
        try:
            node = Node(crowd.world.url)
            sender = impersonated(node, _RELAYERS + number)
            acts: list[Callable[[str, Node], None]] = [crowd.give, crowd.withdraw, crowd.ask, crowd.ask]
            for _ in range(share):
                random.choice(acts)(sender, node)  # noqa: S311 - load, no secret
        except BaseException as error:
            failures.append(error)
            raise

    threads = [
        threading.Thread(target=client, args=(number, operations // clients)) for number in range(clients)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise SystemExit(f"a client failed: {failures[0]}")


if __name__ == "__main__":
    main()
