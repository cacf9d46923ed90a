"""
Change the contracts in a hundred ways and see that a Solidity test notices each: `make mutants`.

All mutants are compiled at once, into a copy of the contracts in which each changed place asks `Mutants.on(number)`
whether it is the one in force; the block's coinbase says which. So a mutant costs one run of the tests, not one of the
compiler. The run ends with 1 if more survive than docs/security.md explains. Which places are taken follows from
`--seed`; the same seed takes the same ones while the contracts stay as they are.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parent.parent
PAGE: Final = ROOT / "docs" / "security.md"
#: They hold numbers alone, which the tests import.
LEFT_ALONE: Final = {"contracts/libraries/Codes.sol", "contracts/libraries/Facts.sol"}
#: What stands in the other's place.
OPERATORS: Final = {
    "<": "<=",
    "<=": "<",
    ">": ">=",
    ">=": ">",
    "==": "!=",
    "!=": "==",
    "&&": "||",
    "||": "&&",
    "&": "|",
    "|": "&",
    "+": "-",
    "-": "+",
    "<<": ">>",
    ">>": "<<",
}
ROLES: Final = (
    "COMMITTEE",
    "CUSTODIAN",
    "PROCESSOR",
    "AUDITOR",
    "ALLIANCE",
    "REGULATOR",
    "ETHICS",
    "COMPLIANCE",
    "VERIFIER",
    "EMERGENCY",
)
SWITCH: Final = """// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

library Mutants {
    function on(uint256 number) internal pure returns (bool) {
        function(uint256) view returns (bool) reads = _on;
        function(uint256) pure returns (bool) asked;
        assembly ("memory-safe") {
            asked := reads
        }
        return asked(number);
    }

    function _on(uint256 number) private view returns (bool) {
        return uint160(address(block.coinbase)) == number;
    }
}
"""
#: How many times as long the tests may take under a mutant as without; an endless loop counts as noticed.
PATIENCE: Final = 5
#: What noticed a mutant that the tests did not come to an end with.
ENDLESS: Final = "no end in sight"


@dataclass(frozen=True)
class Place:
    """A piece of source that can be changed: bytes *start* to *end* of *file*, to *changed* while the mutant is on."""

    kind: str
    file: str
    start: int
    end: int
    original: str
    changed: str
    statement: bool = False

    def switched(self, number: int) -> str:
        """Return source that is the original unless mutant *number* is on."""
        if self.statement:
            return f"{{ if (!Mutants.on({number})) {{ {self.original} }} }}"  # an `else` may follow
        return f"(Mutants.on({number}) ? ({self.changed}) : ({self.original}))"

    def told(self, source: bytes) -> str:
        """Return file, line, and what becomes what."""
        line = source[: self.start].count(b"\n") + 1
        return f"{self.file}:{line}: {_short(self.original)} -> {_short(self.changed)}"


def main() -> None:
    """Choose, compile, run, compare."""
    parser = argparse.ArgumentParser(description="Change the contracts and see that a test notices.")
    parser.add_argument("--count", type=int, default=100, help="how many mutants (default: 100)")
    parser.add_argument("--seed", type=int, default=4, help="which ones (default: 4)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="how many at a time")
    parser.add_argument("--json", action="store_true", help="print the result as JSON alone")
    options = parser.parse_args()
    sources = {
        str(path.relative_to(ROOT)): path.read_bytes() for path in sorted((ROOT / "contracts").rglob("*.sol"))
    }
    chance = random.Random(options.seed)  # noqa: S311 - a choice that can be repeated, no secret
    chosen = choose(list(places(sources)), options.count, chance)
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder)
        plant(tree, sources, chosen)
        patience = PATIENCE * options.jobs * time_without_mutants(tree)
        with ThreadPoolExecutor(options.jobs) as pool:
            noticed = list(pool.map(lambda number: run(tree, number, patience), range(1, len(chosen) + 1)))
    survivors = [
        place.told(sources[place.file]) for place, by in zip(chosen, noticed, strict=True) if by is None
    ]
    if options.json:
        print(
            json.dumps(
                {"mutants": len(chosen), "killed": len(chosen) - len(survivors), "survivors": survivors}
            )
        )
    else:
        _report(chosen, noticed, survivors)
    explained = re.findall(r"^- `(contracts/\S+?):\d+: ", PAGE.read_text(), re.MULTILINE)
    beyond = Counter(line.split(":")[0] for line in survivors) - Counter(explained)
    if beyond:
        sys.exit(f"docs/security.md does not explain survivors in: {', '.join(sorted(beyond))}")


# Finding places


def places(sources: dict[str, bytes]) -> Iterator[Place]:
    """Yield every place in a function of the contracts that can be changed."""
    for file, tree in _syntax(sources).items():
        if file.startswith("contracts/interfaces/") or file in LEFT_ALONE:
            continue
        reader = _Reader(file, sources[file])
        for function in _nodes(tree, {"FunctionDefinition", "ModifierDefinition"}):
            if function.get("body"):
                yield from reader.read(function)


class _Reader:
    """Reads the functions of one file."""

    def __init__(self, file: str, source: bytes) -> None:
        self.file, self.source = file, source

    def read(self, function: dict[str, Any]) -> Iterator[Place]:
        for used in function.get("modifiers", []):
            if self._text(used) == "onlyCommittee":
                start, end = self._range(used)
                yield Place("role", self.file, start, end, "onlyCommittee", "onlyCommitteeUnless")
        for node in _nodes(function["body"], None):
            yield from self._of(node)

    def _of(self, node: dict[str, Any]) -> Iterator[Place]:
        match node["nodeType"]:
            case "BinaryOperation":
                yield from self._operators(node)
                yield from self._bounds(node)
            case "UnaryOperation" if node["operator"] == "!":
                yield self._place("operator", node, self._text(node["subExpression"]))
            case "IfStatement":
                condition = node["condition"]
                yield self._place("check", condition, f"!({self._text(condition)})")
            case "FunctionCall" if self._text(node["expression"]) == "require":
                yield self._place("check", node["arguments"][0], "true")
            case "MemberAccess" if self._text(node).startswith("Codes.ROLE_"):
                role = self._text(node).removeprefix("Codes.ROLE_")
                other = ROLES[(ROLES.index(role) + 1) % len(ROLES)]
                yield self._place("role", node, f"Codes.ROLE_{other}")
            case "ExpressionStatement" if node["expression"]["nodeType"] == "Assignment":
                kind = node["expression"]["leftHandSide"]["typeDescriptions"]["typeString"]
                if kind.endswith(("storage pointer", "calldata")):
                    return  # The compiler wants these set.
                start, end = self._range(node)
                text = self._text(node)
                text += "" if text.endswith(";") else ";"
                end += self.source[end : end + 1] == b";"
                yield Place("statement", self.file, start, end, text, "nothing", statement=True)

    def _operators(self, node: dict[str, Any]) -> Iterator[Place]:
        operator, left, right = node["operator"], node["leftExpression"], node["rightExpression"]
        if operator not in OPERATORS or node["typeDescriptions"]["typeString"].startswith("int_const"):
            return
        changed = f"({self._text(left)}) {OPERATORS[operator]} ({self._text(right)})"
        yield self._place("operator", node, changed)

    def _bounds(self, node: dict[str, Any]) -> Iterator[Place]:
        if node["operator"] not in {"<", "<=", ">", ">=", "==", "!=", "+", "-"}:
            return
        for side, other in (("leftExpression", "rightExpression"), ("rightExpression", "leftExpression")):
            kind = node[other]["typeDescriptions"]["typeString"]
            fixed = node[side]["typeDescriptions"]["typeString"].startswith("int_const")
            constant = re.fullmatch(r"(\w+\.)?_?[A-Z][A-Z_]+", self._text(node[side])) is not None
            if kind.startswith("uint") and (fixed or constant):
                yield self._place("bound", node[side], f"{self._text(node[side])} + 1")

    def _place(self, kind: str, node: dict[str, Any], changed: str) -> Place:
        start, end = self._range(node)
        return Place(kind, self.file, start, end, self._text(node), changed)

    def _range(self, node: dict[str, Any]) -> tuple[int, int]:
        start, length, _ = map(int, node["src"].split(":"))
        return start, start + length

    def _text(self, node: dict[str, Any]) -> str:
        start, end = self._range(node)
        return self.source[start:end].decode()


def _syntax(sources: dict[str, bytes]) -> dict[str, Any]:
    request = {
        "language": "Solidity",
        "sources": {name: {"content": text.decode()} for name, text in sources.items()},
        "settings": {"outputSelection": {"*": {"": ["ast"]}}},
    }
    answer = subprocess.run(
        [ROOT / "scripts" / "solc", "--standard-json"],
        input=json.dumps(request).encode(),
        capture_output=True,
        check=True,
    )
    found = json.loads(answer.stdout)["sources"]
    return {name: found[name]["ast"] for name in sources}


def _nodes(tree: Any, kinds: set[str] | None) -> Iterator[dict[str, Any]]:
    if isinstance(tree, list):
        for item in tree:
            yield from _nodes(item, kinds)
    elif isinstance(tree, dict) and tree.get("nodeType") != "InlineAssembly":
        if "nodeType" in tree and (kinds is None or tree["nodeType"] in kinds):
            yield tree
        for item in tree.values():
            yield from _nodes(item, kinds)


# Choosing


def choose(found: list[Place], count: int, chance: random.Random) -> list[Place]:
    """Return *count* places that do not overlap, as even as can be among kinds."""
    waiting = defaultdict(list)
    for place in chance.sample(found, len(found)):
        waiting[place.kind].append(place)
    chosen: list[Place] = []
    while len(chosen) < count and any(waiting.values()):
        for kind in sorted(waiting):
            while waiting[kind]:
                place = waiting[kind].pop()
                if not any(_overlap(place, other) for other in chosen):
                    chosen.append(place)
                    break
    return sorted(chosen[:count], key=lambda place: (place.file, place.start))


def _overlap(one: Place, other: Place) -> bool:
    return one.file == other.file and one.start < other.end and other.start < one.end


# Running


def plant(tree: Path, sources: dict[str, bytes], chosen: list[Place]) -> None:
    """Write a copy of the project in which every chosen place can be switched."""
    for name in ("contracts", "tests/contracts", "tests/vectors"):
        shutil.copytree(ROOT / name, tree / name)
    (tree / "tests" / "contracts" / "Gas.t.sol").unlink()  # Switches cost gas.
    for name in ("package.json", "hardhat.config.js"):
        shutil.copy(ROOT / name, tree / name)
    (tree / "node_modules").symlink_to(ROOT / "node_modules")
    (tree / "contracts" / "Mutants.sol").write_text(SWITCH)
    for file in {place.file for place in chosen}:
        text = sources[file]
        mine = [(number, place) for number, place in enumerate(chosen, 1) if place.file == file]
        for number, place in sorted(mine, key=lambda item: -item[1].start):
            written = (
                f"onlyCommitteeUnless({number})"
                if place.changed == "onlyCommitteeUnless"
                else place.switched(number)
            )
            text = text[: place.start] + written.encode() + text[place.end :]
        depth = "../" * (file.count("/") - 1) or "./"
        pragma = b"pragma solidity 0.8.37;\n"
        text = text.replace(pragma, pragma + f'import {{Mutants}} from "{depth}Mutants.sol";\n'.encode(), 1)
        (tree / file).write_bytes(text)
    guards = tree / "contracts" / "modules" / "Guards.sol"
    text_of = guards.read_text()
    if "Mutants.sol" not in text_of:
        text_of = text_of.replace(
            "pragma solidity 0.8.37;\n", 'pragma solidity 0.8.37;\nimport {Mutants} from "../Mutants.sol";\n'
        )
    unless = """    modifier onlyCommitteeUnless(uint256 number) {
        require(Mutants.on(number) || msg.sender == address(this), ICommittee.Committee_Only(msg.sender));
        _;
    }

"""
    guards.write_text(re.sub(r"(?=    modifier onlyCommittee\(\))", unless, text_of, count=1))
    config = tree / "hardhat.config.js"
    config.write_text(
        config.read_text().replace(
            "    solidity: {\n      fuzz",
            '    solidity: {\n      coinbase: "0x" + integer("PASSPORT_MUTANT", 0).toString(16).padStart(40, "0"),\n'
            "      fuzz",
        )
    )


def time_without_mutants(tree: Path) -> float:
    """Compile, run the tests with no mutant on, and return the seconds that they took, compiler apart."""
    if failed := _tests(tree, 0, None):
        sys.exit(f"the tests fail without any mutant: {failed}")
    began = time.monotonic()
    _tests(tree, 0, None, "--no-compile")
    return time.monotonic() - began


def run(tree: Path, number: int, patience: float) -> str | None:
    """Run the tests under a mutant, the invariants if nothing else notices; return the first test that failed."""
    return _tests(tree, number, patience, "--no-compile", "--grep-exclude", "invariant_") or _tests(
        tree, number, patience, "--no-compile", "--grep", "invariant_"
    )


def _tests(tree: Path, number: int, patience: float | None, *options: str) -> str | None:
    environment = {
        **os.environ,
        "PATH": f"{ROOT / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "PASSPORT_MUTANT": str(number),
        "HARDHAT_DISABLE_TELEMETRY_PROMPT": "true",
    }
    command = [str(tree / "node_modules" / ".bin" / "hardhat"), "test", "solidity", *options]
    process = subprocess.Popen(
        command,
        cwd=tree,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        told, _ = process.communicate(timeout=patience)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)  # Node runs the tests in a process of their own
        process.communicate()
        return ENDLESS
    if process.returncode == 0:
        return None
    first = re.search(r"^  1\) (.+)$", told, re.MULTILINE)
    return first[1] if first else told[-2000:]


def _report(chosen: list[Place], noticed: list[str | None], survivors: list[str]) -> None:
    killed, all_of = Counter[str](), Counter(place.kind for place in chosen)
    for place, by in zip(chosen, noticed, strict=True):
        killed[place.kind] += by is not None
    for kind, count in sorted(all_of.items()):
        print(f"{kind:10} {killed[kind]:4} of {count}")
    print(
        f"{len(chosen) - len(survivors)} of {len(chosen)} mutants killed, {noticed.count(ENDLESS)} by no end"
    )
    for line in survivors:
        print(f"survived: {line}")


def _short(text: str) -> str:
    return " ".join(text.split())


if __name__ == "__main__":
    main()
