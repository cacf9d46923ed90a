"""
Measure questions about lineage: `python -m scripts.bench_lineage [--steps N] [--inclusions N] [--json]`.

Fills the index of a service with made-up steps, the same in every run, and asks through REST, signed requests and JSON
included: forward and back over four hops, the closure of a withdrawal, the trace of a leaked version. The naive way, a
walk that reads every step once, is measured beside it on the same rows.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import platform
import sqlite3
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any, Final

from cli.sandbox import Sandbox
from cli.times import rfc3339
from ledger.client import MemberKeys, PassportClient
from ledger.domain.vocabulary import Category, Check, StepKind, VersionKind
from ledger.encoding.hexadecimal import to_hex
from ledger.store.tables import metadata

#: Steps of one dataset: a lane of the graph.
_LANE: Final = 1000
_BATCH: Final = 20_000
_HASH: Final = b"\xb1" * 32
_FAR: Final = 2**32 - 1
_NOTHING: Final = bytes(8)
#: A version that may go to anybody, and that a step made.
_FREE: Final = (0, None, None)
_TIME: Final = 1_800_000_000
_PURPOSES: Final = ["AI_TRAINING", "AI_VALIDATION", "AI_INFERENCE"]
_CATEGORIES: Final = ["DIAGNOSIS", "LABORATORY"]


def main() -> None:
    """Fill, ask, print."""
    parser = argparse.ArgumentParser(description="Measure questions about lineage.")
    parser.add_argument("--steps", type=int, default=1_000_000)
    parser.add_argument("--inclusions", type=int, default=100_000)
    parser.add_argument("--questions", type=int, default=500)
    parser.add_argument("--data", type=Path, default=Path("../shared/data/synthea-r4"))
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="passport-bench-") as name:
        sandbox = Sandbox(Path(name))
        try:
            sandbox.start()
            lab, grant = begin(sandbox, options.data)
            sandbox.stop_service()
            filled = fill(sandbox.database_file, options.steps, options.inclusions)
            sandbox.start_service()
            found = {**filled, **ask(PassportClient(sandbox.url, lab), grant, options)}
            found["naive_forward_s"] = naive(sandbox.database_file, options.steps)
        finally:
            sandbox.stop()
    found["machine"] = f"{platform.machine()}, Python {platform.python_version()}"
    if options.json:
        print(json.dumps(found, indent=1))
    else:
        for word, value in found.items():
            print(f"{word:22} {value}")


def begin(sandbox: Sandbox, data: Path) -> tuple[MemberKeys, str]:
    """Admit a hospital and a laboratory, and include one consenting patient into dataset 1."""
    bundles = sorted(path for path in data.glob("*.json") if path.name != "hospitalInformation.json")
    if not bundles:
        sys.exit(f"{data} holds no patient bundle; name a folder with --data")
    keys: dict[str, MemberKeys] = {}
    with PassportClient(sandbox.url, MemberKeys.load(sandbox.committee_keys)) as committee:
        for member, role in (("Hospital", "CUSTODIAN"), ("Laboratory", "PROCESSOR")):
            made = MemberKeys.new(member)
            admission = {
                **made.public(),
                "roles": [role],
                "purposes": _PURPOSES,
                "kind": "OTHER",
                "jurisdiction": 840,
                "validTo": rfc3339(time.time() + 10**8),
            }
            keys[member] = made.as_member(int(committee.admit(admission)["memberId"]))
    hospital = PassportClient(sandbox.url, keys["Hospital"])
    lab = PassportClient(sandbox.url, keys["Laboratory"])
    passport = hospital.register(json.loads(bundles[0].read_text()), _PURPOSES)["passport"]["passportId"]
    grant = hospital.assist_grant(
        {
            "passportId": passport,
            "recipient": keys["Laboratory"].member_id,
            "purposes": _PURPOSES,
            "categories": _CATEGORIES,
            "useTo": rfc3339(time.time() + 10**7),
        }
    )["grantId"]
    lab.declare_dataset(
        {
            "purposes": _PURPOSES,
            "categories": _CATEGORIES,
            "retainUntil": rfc3339(time.time() + 10**7),
            "budget": 0,
            "description": dict.fromkeys(("title", "source", "method", "standard", "storage"), "made up"),
        }
    )
    return keys["Laboratory"], str(grant)


def version(number: int) -> bytes:
    """Return the name of a made-up version."""
    return hashlib.sha256(number.to_bytes(8, "big")).digest()


def graph(steps: int) -> Iterator[tuple[int, int, StepKind, list[int], list[int]]]:
    """
    Yield steps: number, dataset, kind, inputs, outputs, versions by number.

    Each lane is collected once; then every step uses one or two versions of its lane, the oldest that fewer than three
    steps have used. One in ten is a split of three parts, one in ten a training.
    """
    chance = Random(5)  # noqa: S311 - the same graph in every run
    made = 0
    lane: deque[list[int]] = deque()
    for number in range(1, steps + 1):
        dataset = 1 + (number - 1) // _LANE
        if (number - 1) % _LANE == 0:
            kind, inputs, makes, lane = StepKind.COLLECT, [], 1, deque()
        else:
            kind = chance.choices(
                (StepKind.CLEAN, StepKind.MERGE, StepKind.SPLIT, StepKind.TRAIN), (6, 2, 1, 1)
            )[0]
            inputs = [_take(lane) for _ in range(min(len(lane), 2 if kind is StepKind.MERGE else 1))]
            makes = 3 if kind is StepKind.SPLIT else 1
        outputs = list(range(made + 1, made + 1 + makes))
        made += makes
        if kind is not StepKind.TRAIN:
            lane.extend([output, 0] for output in outputs)
        yield number, dataset, kind, inputs, outputs


def _take(lane: deque[list[int]]) -> int:
    """Return the oldest version that fewer than three steps have used, and count this use."""
    lane.rotate(-1)
    found = lane[-1]
    found[1] += 1
    if found[1] == 3:  # noqa: PLR2004 - as often as a version is used
        lane.pop()
    return found[0]


def fill(database: Path, steps: int, inclusions: int) -> dict[str, Any]:
    """Write the rows of the index; returns how many of what."""
    with sqlite3.connect(database) as connection:
        connection.execute("PRAGMA synchronous=OFF")
        (block,) = connection.execute("SELECT max(block_number) FROM events").fetchone()
        place = (block, _HASH, _HASH)
        made = _steps(connection, steps, place)
        _datasets(connection, 1 + (steps - 1) // _LANE, place)
        _inclusions(connection, inclusions, place)
        connection.execute("ANALYZE")
    return {"steps": steps, "versions": made, "inclusions": inclusions}


def _steps(connection: sqlite3.Connection, count: int, place: tuple[Any, ...]) -> int:
    rows: dict[str, list[tuple[Any, ...]]] = {
        name: [] for name in ("steps", "step_inputs", "step_outputs", "versions", "origins")
    }
    made = 0
    for number, dataset, kind, inputs, outputs in graph(count):
        used, new = [version(name) for name in inputs], [version(name) for name in outputs]
        named = dataset if kind is StepKind.COLLECT else 0
        what_it_says = (b"".join(used), b"".join(new), bytes(32), _HASH, 0)
        rows["steps"].append(
            (number, 3, int(kind), named, 0, 0, _NOTHING, *what_it_says, *place, number, _TIME)
        )
        rows["step_inputs"] += [(name, number, True) for name in used]
        rows["step_outputs"] += [(name, number, True) for name in new]
        what = VersionKind.MODEL if kind is StepKind.TRAIN else VersionKind.DATA
        for name in new:
            rows["versions"].append(
                (name, number, 3, int(what), 896, int(Check.PENDING), 0, None, None, 0, False, False, *_FREE)
            )
            rows["origins"].append((name, 0, dataset, 0, 0, 0, 0))
        made += len(new)
        if number % _BATCH == 0 or number == count:
            for table, batch in rows.items():
                _insert(connection, table, batch)
                batch.clear()
    return made


def _datasets(connection: sqlite3.Connection, count: int, place: tuple[Any, ...]) -> None:
    categories = int(Category.DIAGNOSIS | Category.LABORATORY)
    _insert(
        connection,
        "datasets",
        [
            (
                number,
                3,
                896,
                categories,
                2,
                0,
                False,
                False,
                _FAR,
                _FAR,
                0,
                0,
                0,
                _NOTHING,
                _NOTHING,
                _HASH,
                *place,
                number,
                _TIME,
            )
            for number in range(2, count + 1)
        ],
    )


def _inclusions(connection: sqlite3.Connection, count: int, place: tuple[Any, ...]) -> None:
    """Everybody is in dataset 1; the one real consent is the first's."""
    (grant,) = connection.execute("SELECT grant_id FROM grants").fetchone()
    _insert(
        connection,
        "inclusions",
        [
            (version(-number % 2**63), 0, 1, named, 3, named, 0, *place, 0, _TIME)
            for number in range(1, count + 1)
            for named in [grant if number == 1 else version(2**62 + number)]
        ],
    )


def _insert(connection: sqlite3.Connection, table: str, rows: list[tuple[Any, ...]]) -> None:
    if rows:
        columns = [f'"{column.name}"' for column in metadata.tables[table].columns]
        names, marks = ",".join(columns), ",".join("?" * len(columns))
        connection.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", rows)  # noqa: S608 - names of ours


def ask(client: PassportClient, grant: str, options: argparse.Namespace) -> dict[str, Any]:
    """Ask the questions; returns percentiles in milliseconds, and seconds of the two long ones."""
    chance = Random(9)  # noqa: S311 - the same questions in every run
    names = [to_hex(version(chance.randrange(1, options.steps))) for _ in range(options.questions)]
    for name in names[:20]:
        client.forward(name, depth=4)
        client.back(name, depth=4)
    forward = [_timed(lambda name=name: client.forward(name, depth=4)) for name in names]
    back = [_timed(lambda name=name: client.back(name, depth=4)) for name in names]
    closure, found = _timed_with(lambda: client.impact(grant))
    trace = max(_timed(lambda name=name: client.trace(name)) for name in names[:20])
    return {
        "forward_p50_ms": _percentile(forward, 50),
        "forward_p99_ms": _percentile(forward, 99),
        "back_p50_ms": _percentile(back, 50),
        "back_p99_ms": _percentile(back, 99),
        "closure_s": round(closure, 3),
        "closure_versions": len(found["versions"]) + len(found["models"]),
        "trace_s": round(trace, 3),
    }


def naive(database: Path, steps: int) -> float:
    """Follow one version over four hops by reading every step once for each hop."""
    start, wanted = time.perf_counter(), {version(steps // 2)}
    with sqlite3.connect(database) as connection:
        for _ in range(4):
            reached: set[bytes] = set()
            for inputs, outputs in connection.execute("SELECT inputs, outputs FROM steps"):
                if any(inputs[place : place + 32] in wanted for place in range(0, len(inputs), 32)):
                    reached |= {outputs[place : place + 32] for place in range(0, len(outputs), 32)}
            wanted = reached
    return round(time.perf_counter() - start, 3)


def _timed(action: Callable[[], Any]) -> float:
    return _timed_with(action)[0]


def _timed_with(action: Callable[[], Any]) -> tuple[float, Any]:
    start = time.perf_counter()
    found = action()
    return time.perf_counter() - start, found


def _percentile(seconds: list[float], percent: int) -> float:
    """Return a percentile in milliseconds."""
    ordered = sorted(seconds)
    return round(1000 * ordered[min(len(ordered) - 1, len(ordered) * percent // 100)], 2)


if __name__ == "__main__":
    main()
