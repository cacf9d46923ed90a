"""
Check the law on every combination of facts, contract and twin: `python -m scripts.check_table [--json]`.

All combinations of all 384 entries, 78 million, as `tests/twin/exhaustive.py` says. What is done is kept in a file, so
that a run which was stopped goes on where it was; the file is good for the contracts and the twin that it was begun
with. By default on a devnet of its own. That remembers every step of every call, so that answering takes it nearly ten
times as long as anvil (1.7.1 was tried):

    anvil --port 8555 --hardfork osaka --timestamp 1799999990 --base-fee 0 --gas-limit 1000000000 --accounts 0 --order fifo
    python -m scripts.check_table --rpc http://127.0.0.1:8555

Ends with 1 if contract and twin differ, or if not exactly as many were compared, and as many not, as it should be.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final

from ledger.chain.rpc import Node
from tests.twin.chain import Chain
from tests.twin.exhaustive import Tally, Unit, sweep
from tests.twin.machine import Stage, devnet

_ROOT: Final = Path(__file__).resolve().parent.parent
#: What the answers depend on.
_SOURCES: Final = (
    "ledger/chain/artifacts/*.json",
    "ledger/policy.py",
    "ledger/audit/*.py",
    "tests/twin/exhaustive.py",
    "tests/twin/model.py",
    "tests/twin/table.py",
)
#: What a complete run compares under the law that a new ledger starts with, and what it cannot, counted apart from it.
_COMPARED: Final = 72_296_152
_UNREACHABLE: Final = {
    "no categories of this class are so for this purpose": 667_808,
    "the law lets this be handed over as recorded": 2_296,
    "what is handed over de-identified is at every level that the law demands": 288,
    "data that is locked cannot be approved under another emergency": 2_097_152,
    "it never was such that a human was all it lacked": 7_174_144,
}
_MOST_FACTS: Final = 24


def main() -> None:
    """Run the check and print what was found."""
    parser = argparse.ArgumentParser(description="Check the law on every combination of facts.")
    parser.add_argument(
        "--facts", type=int, default=_MOST_FACTS, help="only entries of at most so many facts"
    )
    parser.add_argument(
        "--plain-every",
        type=int,
        default=16,
        help="give one in so many to the plain twin, besides what it gets",
    )
    parser.add_argument(
        "--rpc", help="a node whose clock can be set, at its first block; a devnet by default"
    )
    parser.add_argument("--progress", type=Path, default=_ROOT / ".build" / "check_table.jsonl")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    given = parser.parse_args()
    progress = _Progress(given.progress, plain_every=given.plain_every)

    def choose(units: list[Unit]) -> list[Unit]:
        progress.wanted = [unit.name for unit in units if unit.facts <= given.facts]
        progress.is_whole = len(progress.wanted) == len(units)
        return [unit for unit in units if unit.name in progress.wanted and unit.name not in progress.done]

    with _node(given.rpc) as chain:
        for unit, tally in sweep(Stage(chain), choose, plain_every=given.plain_every):
            progress.add(unit, tally)
    found, wrong = progress.found()
    print(json.dumps(found, indent=1) if given.json else "\n".join(f"{k}: {v}" for k, v in found.items()))
    sys.exit(wrong)


class _Progress:
    """What is done, one line of JSON for each unit, after one that says with what."""

    def __init__(self, path: Path, *, plain_every: int) -> None:
        self._path = path
        self.is_whole = False
        self.wanted: list[str] = []
        self.done: dict[str, Tally] = {}
        head = {"sources": _digest(), "plain_every": plain_every}
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(head) + "\n")
        first, *rest = path.read_text().splitlines()
        if json.loads(first) != head:
            raise SystemExit(
                f"{path} was begun with other contracts, another twin or another --plain-every: "
                "remove it, or name another file with --progress."
            )
        for line in rest:
            values = json.loads(line)
            name = values.pop("unit")
            self.done[name] = Tally.of(values)

    def add(self, unit: Unit, tally: Tally) -> None:
        """Keep what was found of a unit."""
        self.done[unit.name] = tally
        with self._path.open("a") as file:
            file.write(json.dumps({"unit": unit.name, **tally.as_json()}) + "\n")
        print(
            f"{len(self.done)} of {len(self.wanted)}: {unit.name}: {tally.compared} compared, "
            f"{tally.differences} differ, {tally.seconds:.0f} s",
            file=sys.stderr,
            flush=True,
        )

    def found(self) -> tuple[dict[str, Any], bool]:
        """Return what was found of all that is wanted, and whether anything is wrong with it."""
        total = Tally()
        for name in self.wanted:
            total.add(self.done[name])
        figures = {**total.as_json(), "per_second": round(total.compared / total.seconds)}
        whole = total.compared == _COMPARED and dict(total.unreachable) == _UNREACHABLE
        return figures, bool(total.differences) or (self.is_whole and not whole)


def _digest() -> str:
    """Return one value for the contracts and the twin."""
    digest = hashlib.sha256()
    for pattern in _SOURCES:
        for path in sorted(_ROOT.glob(pattern)):
            digest.update(path.read_bytes())
    return digest.hexdigest()


@contextmanager
def _node(url: str | None) -> Iterator[Chain]:
    if url is None:
        with tempfile.TemporaryDirectory() as folder, devnet(Path(folder)) as chain:
            yield chain
    else:
        with closing(Chain(url, Node(url).chain_id())) as chain:
            yield chain


if __name__ == "__main__":
    main()
