"""
Measure the compilation of a dataset: `python -m scripts.bench_inclusion [--patients N] [--json]`.

Some of the patients have not consented. Everybody is asked for twice on a devnet of its own, in batches of 100 that take
turns: once to be read, once to be put into a dataset. `ratio` is how long the second takes against the first, as the
client sees it; exactly those without consent must be refused, each with an entry of its own.
"""

from __future__ import annotations

import argparse
import json
import platform
import secrets
import time
from typing import Any, Final

from eth_account import Account

from ledger.domain.records import NO_GRANT, GrantId, PassportId
from ledger.domain.vocabulary import Outcome, Purpose
from ledger.encoding.hexadecimal import to_hex
from ledger.ports import Call
from scripts.small_world import ASKED, COMMITMENT, FAR, HOSPITAL, LAB, World, fresh_ledger, issue_item

_BATCH: Final = 100
#: One patient in twenty has not consented.
WITHOUT: Final = 20


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Measure the compilation of a dataset.")
    parser.add_argument("--patients", type=int, default=10_000)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    given = parser.parse_args()
    with fresh_ledger() as world:
        figures = measure(world, given.patients)
    print(
        json.dumps(figures, indent=1) if given.json else "\n".join(f"{k:14} {v}" for k, v in figures.items())
    )


def measure(world: World, patients: int) -> dict[str, Any]:
    """Return how long reading and including take, and how many were refused."""
    people = new_people(patients)
    grants = consents(world, people)
    plan = [1 << Purpose.AI_TRAINING, int(ASKED), FAR, 0]
    world.send(LAB, Call("declareDataset", (plan, to_hex(COMMITMENT))))
    seconds = {"read": 0.0, "include": 0.0}
    refused = 0
    for start in range(0, patients, _BATCH):
        asked, under = people[start : start + _BATCH], grants[start : start + _BATCH]
        seconds["read"] += timed(world, asked, under, dataset=0)[0]
        taken, receipt = timed(world, asked, under, dataset=1)
        seconds["include"] += taken
        refused += check(receipt, under)
    return {
        "patients": patients,
        "refused": refused,
        "read_per_s": round(patients / seconds["read"]),
        "include_per_s": round(patients / seconds["include"]),
        "ratio": round(seconds["include"] / seconds["read"], 3),
        "machine": f"{platform.machine()}, Python {platform.python_version()}",
    }


def new_people(count: int) -> list[PassportId]:
    """Return passports that nobody has used."""
    return [PassportId(secrets.token_bytes(32)) for _ in range(count)]


def consents(world: World, people: list[PassportId]) -> list[GrantId]:
    """Register everybody, and let all but one in twenty consent."""
    holder = Account.create()
    found: list[GrantId] = []
    for start in range(0, len(people), _BATCH):
        batch = people[start : start + _BATCH]
        world.send(HOSPITAL, Call("issue", ([issue_item(person, holder.address) for person in batch],)))
        given = [world.grant(person) for place, person in enumerate(batch) if place % WITHOUT]
        world.send(HOSPITAL, world.grant_call(given, holder.key))
        named = iter(given)
        found += [next(named).grant_id if place % WITHOUT else NO_GRANT for place in range(len(batch))]
    return found


def timed(
    world: World, people: list[PassportId], grants: list[GrantId], *, dataset: int
) -> tuple[float, dict[str, Any]]:
    """Ask for everybody in one transaction; returns how long it took, and the receipt."""
    start = time.perf_counter()
    receipt = world.ask(people, grants, repeats=1, dataset=dataset)
    return time.perf_counter() - start, receipt


def check(receipt: dict[str, Any], grants: list[GrantId]) -> int:
    """See that exactly those without consent were refused, each with an entry; returns how many."""
    outcomes = [int(log["data"][66:130], 16) >> 80 & 0xFF for log in receipt["logs"]]
    expected = [Outcome.DENY if grant == NO_GRANT else Outcome.PERMIT for grant in grants]
    if outcomes != expected:
        raise SystemExit("others than those without consent were refused")
    return outcomes.count(Outcome.DENY)


if __name__ == "__main__":
    main()
