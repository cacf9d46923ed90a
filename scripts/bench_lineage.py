"""
Measure walks along lineage: `python -m scripts.bench_lineage [--steps N] [--json]`.

Makes up an index of N steps in datasets of a thousand steps each, where every version is used by three later steps, and
asks from versions chosen by chance where they went and what they were made of, four hops at most. The same in every run.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any, Final

from sqlalchemy import insert

from ledger.domain.lineage import NO_END, VersionId
from ledger.domain.vocabulary import Check, DatasetStatus, ModelStatus, StepKind, VersionKind
from ledger.service.walks import Walks
from ledger.store.database import Database
from ledger.store.index import SqlIndex
from ledger.store.tables import datasets, origins, step_inputs, step_outputs, steps, versions

_FAN_OUT: Final = 3
_STEPS_OF_A_DATASET: Final = 1_000
_HOPS: Final = 4
_ASKED: Final = 300
_WORD: Final = bytes(32)
_NONE: Final = bytes(8)


def main() -> None:
    """Measure, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=1_000_000)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    figures = measure(asked.steps)
    print(json.dumps(figures, indent=1) if asked.json else "\n".join(f"{k}: {v}" for k, v in figures.items()))


def measure(number: int) -> dict[str, Any]:
    """Return how many milliseconds each question takes, half of them and 99 of 100 of them at most."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "index.db"
        database = Database(f"sqlite:///{path}", migrations="ledger")
        database.migrate()
        _fill(database, number)
        walks, chance = Walks(index=SqlIndex(database)), Random(7)  # noqa: S311 - the same in every run
        names = [_name(chance.randrange(number)) for _ in range(_ASKED)]
        questions: dict[str, Callable[[VersionId], Any]] = {
            "forward": lambda name: walks.forward_of_version(name, depth=_HOPS),
            "back": lambda name: walks.back(name, depth=_HOPS),
            "trace": lambda name: walks.trace(name, depth=_HOPS),
            "blame": lambda name: walks.blame(name, depth=_HOPS),
        }
        times = {question: _timed(ask, names) for question, ask in questions.items()}
        roots = [_name(chance.randrange(number // _STEPS_OF_A_DATASET) * _STEPS_OF_A_DATASET) for _ in names]
        times["forward_from_the_root"] = _timed(questions["forward"], roots)
        figures = {
            "steps": number,
            "megabytes": round(path.stat().st_size / 1e6),
            "python": platform.python_version(),
            **{f"{name}_ms": figure for name, figure in times.items()},
        }
        database.close()
        return figures


def _timed(ask: Callable[[VersionId], Any], names: list[VersionId]) -> dict[str, float]:
    taken = []
    for name in names:
        start = time.perf_counter()
        ask(name)
        taken.append((time.perf_counter() - start) * 1000)
    return {
        "median": round(statistics.median(taken), 2),
        "p99": round(statistics.quantiles(taken, n=100)[98], 2),
    }


def _fill(database: Database, number: int) -> None:
    for start in range(0, number, _STEPS_OF_A_DATASET):
        size = min(_STEPS_OF_A_DATASET, number - start)
        with database.write() as connection:
            connection.execute(insert(datasets), [_dataset(start)])
            connection.execute(insert(steps), list(_steps(start, size)))
            connection.execute(
                insert(step_inputs),
                [
                    {"version_id": _name(_parent(start, place)), "step_id": start + place + 1, "stands": True}
                    for place in range(1, size)
                ],
            )
            made = [(start + place + 1, _name(start + place)) for place in range(size)]
            connection.execute(
                insert(step_outputs),
                [{"version_id": name, "step_id": step, "stands": True} for step, name in made],
            )
            connection.execute(insert(versions), [_version(step, name) for step, name in made])
            connection.execute(insert(origins), [_origin(start, name) for _, name in made])


def _parent(start: int, place: int) -> int:
    return start + (place - 1) // _FAN_OUT


def _name(serial: int) -> VersionId:
    """Return a name as scattered as a commitment."""
    return VersionId(Random(serial).randbytes(32))  # noqa: S311 - the same in every run


def _steps(start: int, size: int) -> Iterator[dict[str, Any]]:
    for place in range(size):
        yield {
            "step_id": start + place + 1,
            "member_id": 2,
            "kind": int(StepKind.CLEAN if place else StepKind.COLLECT),
            "dataset_id": 0 if place else _number(start),
            "project_id": 0,
            "purposes": 0,
            "epsilon": _NONE,
            "inputs": _name(_parent(start, place)) if place else b"",
            "outputs": _name(start + place),
            "tool": _WORD,
            "parameters": _WORD,
            "missing": 0,
            **_position(start + place),
        }


def _dataset(start: int) -> dict[str, Any]:
    return {
        "dataset_id": _number(start),
        "owner": 2,
        "purposes": 0xFFF,
        "categories": 1,
        "status": int(DatasetStatus.PROCESSED),
        "sealed_from": 0,
        "no_relink": False,
        "retain_until": NO_END,
        "usable_until": NO_END,
        "included": 0,
        "withdrawals": 0,
        "excused": 0,
        "budget": _NONE,
        "spent": _NONE,
        "description": _WORD,
        **_position(start),
    }


def _version(step_id: int, name: VersionId) -> dict[str, Any]:
    return {
        "version_id": name,
        "step_id": step_id,
        "owner": 2,
        "kind": int(VersionKind.DATA),
        "purposes": 0xFFF,
        "check": int(Check.PENDING),
        "verifier": 0,
        "status": int(ModelStatus.ACTIVE),
        "evaluated": False,
        "deployed": False,
    }


def _origin(start: int, name: VersionId) -> dict[str, Any]:
    return {
        "version_id": name,
        "place": 0,
        "dataset_id": _number(start),
        "withdrawals": 0,
        "answered": 0,
        "split_id": 0,
        "parts": 0,
    }


def _number(start: int) -> int:
    return start // _STEPS_OF_A_DATASET + 1


def _position(block: int) -> dict[str, Any]:
    return {
        "block_number": block,
        "block_hash": _WORD,
        "transaction_hash": _WORD,
        "log_index": 0,
        "time": 1_800_000_000 + block,
    }


if __name__ == "__main__":
    main()
