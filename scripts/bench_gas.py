"""
Measure what the ledger costs in gas: `python -m scripts.bench_gas [--json]`.

Deploys a ledger on a devnet of its own and takes `gasUsed` of whole transactions, 21,000 and calldata included. A
transaction of its own begins with nothing warm, so `cold_100` is a batch of 100 requests for 100 passports under 100
grants, by consent of class 2 with everything that the default law requires; `repeat_100` is 10 passports with 10
requests each; `include_100` puts the same 100 into a dataset. The first decision of a passport is not special and is not measured. Figures are gas per item; gas does
not depend on the machine.
"""

from __future__ import annotations

import argparse
import json
import secrets
from typing import Any

from eth_account import Account

from ledger.chain import artifacts
from ledger.domain.records import PassportId
from ledger.domain.vocabulary import Purpose
from ledger.encoding.hexadecimal import to_hex
from ledger.encoding.typed_data import revocation_typed_data, sign
from ledger.ports import Call
from scripts.small_world import ASKED, COMMITMENT, FAR, HOSPITAL, LAB, World, fresh_ledger, issue_item

BATCH = 100


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Measure what the ledger costs in gas.")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    given = parser.parse_args()
    with fresh_ledger() as world:
        figures = measure(world)
    if given.json:
        print(json.dumps(figures, indent=1))
        return
    for name, value in figures.items():
        print(f"{name:12} {json.dumps(value)}")


def measure(world: World) -> dict[str, Any]:
    """Return the figures: gas per item, and bytes of code by contract."""
    passports = [PassportId(secrets.token_bytes(32)) for _ in range(BATCH)]
    holder = Account.create()
    issued = world.send(HOSPITAL, Call("issue", ([issue_item(item, holder.address) for item in passports],)))
    grants = [world.grant(passport) for passport in passports]
    given = world.send(LAB, world.grant_call(grants, holder.key))
    world.decide(passports, grants, repeats=1)
    cold = world.decide(passports, grants, repeats=1)
    repeated = world.decide(passports[:10], grants[:10], repeats=10)
    single = world.decide(passports[:1], grants[:1], repeats=1)
    plan = [1 << Purpose.AI_TRAINING, int(ASKED), FAR, 0]
    world.send(LAB, Call("declareDataset", (plan, to_hex(COMMITMENT))))
    included = world.ask(passports, [grant.grant_id for grant in grants], repeats=1, dataset=1)
    last = world.grant(passports[0])
    world.send(LAB, world.grant_call([last], holder.key))
    typed = revocation_typed_data(world.domain, passport_id=passports[0], grant_id=last.grant_id)
    proof = ["0x", to_hex(sign(typed, private_key=holder.key))]
    revoked = world.send(LAB, Call("revoke", (to_hex(passports[0]), to_hex(last.grant_id), proof)))
    return {
        "cold_100": cold // BATCH,
        "repeat_100": repeated // BATCH,
        "include_100": int(included["gasUsed"], 16) // BATCH,
        "single": single,
        "issue": issued // BATCH,
        "grant": given // BATCH,
        "revoke": revoked,
        "code_bytes": {
            name: len(code.deployed_bytecode) for name, code in artifacts.load().contracts.items()
        },
    }


if __name__ == "__main__":
    main()
