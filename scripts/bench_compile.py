"""
Measure the compilation of a dataset through the service: `python -m scripts.bench_compile [--patients N] [--json]`.

A devnet, a ledger and a service of its own; a laboratory that signs its requests. Everybody is asked for twice through
REST, in batches of 100 that take turns: once to be read, once to be put into a dataset; which comes first changes from
batch to batch, so that neither finds the other's work done. `ratio` is how long the second takes against the first, from
the request to its answer; `ratio_processor` the same in seconds of the processor, of client, service and node together,
so that other processes do not count. One patient in twenty has not consented: exactly those must be refused, in the answers and in
the node's own log, each with an entry.

Patients keep their keys; a hospital that keeps its own registers them on the chain, for that is not what is measured.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from cli.sandbox import Sandbox
from cli.times import rfc3339
from ledger.chain.contract import decoder
from ledger.chain.rpc import Node
from ledger.client import MemberKeys, PassportClient
from ledger.domain.records import NO_GRANT, Address, GrantId, PassportId
from ledger.domain.vocabulary import Operation, Outcome
from ledger.encoding.hexadecimal import to_hex
from ledger.encoding.typed_data import LedgerDomain
from ledger.encoding.words import unpack_terms, unpack_verdict
from scripts.bench_inclusion import consents, new_people
from scripts.small_world import HOSPITAL, World

_BATCH: Final = 100
_JURISDICTION: Final = 156
_PURPOSES: Final = ["AI_TRAINING"]
_CATEGORIES: Final = ["DIAGNOSIS", "LABORATORY"]
_YEAR: Final = 365 * 86_400
_INDEX_SECONDS: Final = 600.0
_PAGE_BLOCKS: Final = 500
#: What is asked of everybody, whether to read or to include.
_ASKED: Final[dict[str, Any]] = {
    "purpose": "AI_TRAINING",
    "basis": "CONSENT",
    "categories": _CATEGORIES,
    "level": "PSEUDONYMISED",
    "projectId": 1,
    "statement": "Compilation of the benchmark's cohort",
}

Decisions = list[dict[str, Any]]


def main() -> None:
    """Measure and print; ends with 1 if others than those without consent were refused."""
    parser = argparse.ArgumentParser(description="Measure the compilation of a dataset through the service.")
    parser.add_argument("--patients", type=int, default=10_000)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="passport-bench-") as name:
        sandbox = Sandbox(Path(name))
        try:
            sandbox.start()
            figures = Bench(sandbox).run(given.patients)
        finally:
            sandbox.stop()
    figures["machine"] = f"{platform.machine()}, Python {platform.python_version()}"
    print(
        json.dumps(figures, indent=1) if given.json else "\n".join(f"{k:22} {v}" for k, v in figures.items())
    )
    sys.exit(figures["refused"] != figures["refused_expected"] or figures["entries"] != given.patients)


class Bench:
    """A service with a hospital that keeps its own chain key, a laboratory, and the laboratory's reviewed project."""

    def __init__(self, sandbox: Sandbox) -> None:
        """Admit the members, file the project, and declare the dataset."""
        self.url = sandbox.url
        pids = (sandbox.folder / "service.pid", sandbox.folder / "devnet" / "devnet.pid")
        self.clocks = [time.CLOCK_PROCESS_CPUTIME_ID, *(_clock_of(int(file.read_text())) for file in pids)]
        facts = sandbox.facts()
        node = Node(sandbox.rpc)
        node.request("hardhat_impersonateAccount", HOSPITAL)
        committee = MemberKeys.load(sandbox.committee_keys)
        self.admit(committee, "Hospital", "CUSTODIAN", signer=HOSPITAL)
        self.lab = self.admit(committee, "Laboratory", "PROCESSOR")
        ethics = self.admit(committee, "Ethics board", "ETHICS")
        compliance = self.admit(committee, "Compliance office", "COMPLIANCE")
        self.client = PassportClient(self.url, self.lab)
        now = time.time()
        project = self.client.file_project(
            {
                "title": "Cohort of the benchmark",
                "purposes": _PURPOSES,
                "categories": _CATEGORIES,
                "techniques": ["FEDERATED_LEARNING"],
                "highestClass": "SENSITIVE",
                "agreement": "For this cohort alone",
                "validFrom": rfc3339(now - 60),
                "validTo": rfc3339(now + _YEAR),
            }
        )["projectId"]
        for body, approval in ((ethics, "ETHICS"), (compliance, "COMPLIANCE")):
            review = {"approval": approval, "approved": True, "opinion": "Fit to go on."}
            PassportClient(self.url, body).review_project(project, review)
        self.dataset = int(
            self.client.declare_dataset(
                {
                    "purposes": _PURPOSES,
                    "categories": _CATEGORIES,
                    "retainUntil": rfc3339(now + _YEAR),
                    "budget": 0,
                    "description": dict.fromkeys(
                        ("title", "source", "method", "standard", "storage"), "made up"
                    ),
                }
            )["datasetId"]
        )
        self.world = World(
            sandbox.rpc,
            node,
            LedgerDomain(facts["chainId"], Address(facts["ledger"])),
            project=project,
            lab=self.lab.member_id,
        )

    def admit(self, committee: MemberKeys, name: str, role: str, *, signer: str | None = None) -> MemberKeys:
        """Admit a member; with a *signer* of its own the service holds no key of it."""
        keys = MemberKeys.new(name)
        admission = {
            **keys.public(),
            "roles": [role],
            "purposes": _PURPOSES,
            "kind": "OTHER",
            "jurisdiction": _JURISDICTION,
            "validTo": rfc3339(time.time() + _YEAR),
        } | ({"signer": signer} if signer else {})
        return keys.as_member(int(PassportClient(self.url, committee).admit(admission)["memberId"]))

    def run(self, patients: int) -> dict[str, Any]:
        """Register everybody, ask for everybody twice, and return the figures."""
        people = new_people(patients)
        started = time.perf_counter()
        grants = consents(self.world, people)
        self.wait_for_index()
        registered = time.perf_counter() - started
        turns = [
            self.turn(people[at : at + _BATCH], grants[at : at + _BATCH], first=at // _BATCH % 2 == 0)
            for at in range(0, patients, _BATCH)
        ]
        plain, include = sum(turn.plain for turn in turns), sum(turn.include for turn in turns)
        worked = {
            name: [sum(parts) for parts in zip(*(turn.worked[name] for turn in turns), strict=True)]
            for name in ("plain", "include")
        }
        without = {person for person, grant in zip(people, grants, strict=True) if grant == NO_GRANT}
        refused, entries = self.on_chain()
        if refused != without:
            raise SystemExit("others than those without consent were refused")
        tenths = statistics.quantiles([turn.include / turn.plain for turn in turns], n=10)
        return {
            "patients": patients,
            "ratio": round(include / plain, 3),
            "ratio_p10_p50_p90": [round(tenths[place], 3) for place in (0, 4, 8)],
            "ratio_processor": round(sum(worked["include"]) / sum(worked["plain"]), 3),
            **{
                f"{name}_processor_ms": dict(
                    zip(
                        ("client", "service", "node"),
                        (round(1000 * seconds * _BATCH / patients, 1) for seconds in parts),
                        strict=True,
                    )
                )
                for name, parts in worked.items()
            },
            "plain_per_second": round(patients / plain),
            "inclusions_per_second": round(patients / include),
            "plain_ms": round(1000 * statistics.median(turn.plain for turn in turns), 1),
            "include_ms": round(1000 * statistics.median(turn.include for turn in turns), 1),
            "refused": sum(turn.refused for turn in turns),
            "refused_expected": len(without),
            "entries": entries,
            "registered_s": round(registered, 1),
        }

    def turn(self, people: list[PassportId], grants: list[GrantId], *, first: bool) -> Turn:
        """Ask for a batch to be read and to be included, to be read *first* or second; checks both answers."""
        targets = [
            {"passportId": to_hex(person)} | ({} if grant == NO_GRANT else {"grantId": to_hex(grant)})
            for person, grant in zip(people, grants, strict=True)
        ]
        reads = [{**_ASKED, **target, "operation": "READ"} for target in targets]
        asked: dict[str, Callable[[], Decisions]] = {
            "plain": lambda: self.client.decide(reads),
            "include": lambda: self.client.include(self.dataset, {**_ASKED, "targets": targets}),
        }
        taken: dict[str, float] = {}
        worked: dict[str, list[float]] = {}
        refused = 0
        for name in asked if first else reversed(asked):
            started, before = time.perf_counter(), self.worked()
            answers = asked[name]()
            taken[name] = time.perf_counter() - started
            worked[name] = [now - then for now, then in zip(self.worked(), before, strict=True)]
            expected = ["DENY" if grant == NO_GRANT else "PERMIT" for grant in grants]
            if [answer["outcome"] for answer in answers] != expected:
                raise SystemExit("others than those without consent were refused")
            refused = expected.count("DENY")
        return Turn(taken["plain"], taken["include"], worked, refused)

    def worked(self) -> list[float]:
        """Return for how many seconds the processor has worked for client, service and node."""
        return [time.clock_gettime(clock) for clock in self.clocks]

    def wait_for_index(self) -> None:
        """Wait until the service knows everybody."""
        deadline = time.monotonic() + _INDEX_SECONDS
        head = self.world.node.head().number
        while self.client.ledger()["indexedBlock"] < head:
            if time.monotonic() > deadline:
                raise SystemExit("the index does not come level with the chain")
            time.sleep(0.2)

    def on_chain(self) -> tuple[set[bytes], int]:
        """Read the node's own log: who was refused to be included, and how many were asked for, each once."""
        refused: set[bytes] = set()
        asked: list[bytes] = []
        head = self.world.node.head().number
        for start in range(0, head + 1, _PAGE_BLOCKS):
            end = min(start + _PAGE_BLOCKS - 1, head)
            for raw in self.world.node.logs(self.world.domain.ledger, start, end):
                event = decoder().decode(raw)
                if event is None or event.name != "DecisionRecorded":
                    continue
                if unpack_terms(event.arguments["terms"]).operation is not Operation.INCLUDE:
                    continue
                asked.append(event.arguments["passportId"])
                if unpack_verdict(event.arguments["verdict"]).outcome is not Outcome.PERMIT:
                    refused.add(event.arguments["passportId"])
        if len(set(asked)) != len(asked):
            raise SystemExit("somebody was asked for twice")
        return refused, len(asked)


@dataclass(frozen=True, slots=True)
class Turn:
    """How many seconds one batch took to be read and to be included, by clock and processor; how many were refused."""

    plain: float
    include: float
    worked: dict[str, list[float]]
    refused: int


def _clock_of(process: int) -> int:
    """
    Return the clock of a process's time on the processor.

    Source: `clock_getcpuclockid(3)`, which Python lacks; `include/linux/posix-timers_types.h`, `make_process_cpuclock`.
    """
    return ~process << 3 | 2


if __name__ == "__main__":
    main()
