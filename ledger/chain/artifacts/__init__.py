"""
The compiled contracts that ship with the package: the ledger's ABI, and the bytecode of the contracts it is made of.

`make setup` compiles them; an installed wheel carries them, so running needs no compiler.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Final

from ledger.encoding.events import Abi
from ledger.errors import ConfigurationError

#: The contracts of a ledger in the order of deployment: each takes the one before it as its first argument.
CONTRACTS: Final = ("ExchangeOffice", "LineageOffice", "RecordsOffice", "GovernanceOffice", "PassportLedger")
LEDGER: Final = CONTRACTS[-1]


@dataclass(frozen=True, slots=True)
class Code:
    """
    One contract.

    Attributes:
        constructor: The inputs of its constructor.
        bytecode: The code that creates it.
        deployed_bytecode: The code as deployed; immutables are zero in it.
        immutables: Where they are in it: first byte and number of bytes.
    """

    constructor: list[dict[str, Any]]
    bytecode: bytes
    deployed_bytecode: bytes
    immutables: tuple[tuple[int, int], ...]

    def is_at(self, found: bytes) -> bool:
        """Tell whether *found*, the code at some address, is this contract's, whatever its immutables are."""
        blank = bytearray(found)
        for start, length in self.immutables:
            blank[start : start + length] = bytes(length)
        return bytes(blank) == self.deployed_bytecode


@dataclass(frozen=True, slots=True)
class Artifact:
    """The ledger: the ABI that it answers to under its one address, and the contracts it is made of."""

    abi: Abi
    contracts: dict[str, Code]


@cache
def load() -> Artifact:
    """
    Return the compiled ledger.

    Raises:
        ConfigurationError: The package was built without it.
    """
    try:
        document = json.loads(resources.files(__name__).joinpath(f"{LEDGER}.json").read_text())
    except FileNotFoundError:
        raise ConfigurationError("the compiled contract is missing", fix="Run `make setup`.") from None
    contracts = {
        name: Code(
            constructor=entry["constructor"],
            bytecode=bytes.fromhex(entry["bytecode"]),
            deployed_bytecode=bytes.fromhex(entry["deployedBytecode"]),
            immutables=tuple((start, length) for start, length in entry["immutables"]),
        )
        for name, entry in document["contracts"].items()
    }
    return Artifact(abi=document["abi"], contracts=contracts)


def write(compiled: dict[str, dict[str, Any]]) -> str:
    """Return a compiler's output, by contract, as the file that `load` reads."""
    document = {
        "abi": merged_abi([compiled[name]["abi"] for name in CONTRACTS]),
        "contracts": {
            name: {
                "constructor": next(
                    (entry["inputs"] for entry in compiled[name]["abi"] if entry["type"] == "constructor"), []
                ),
                "bytecode": compiled[name]["evm"]["bytecode"]["object"],
                "deployedBytecode": compiled[name]["evm"]["deployedBytecode"]["object"],
                "immutables": sorted(
                    [place["start"], place["length"]]
                    for places in compiled[name]["evm"]["deployedBytecode"]["immutableReferences"].values()
                    for place in places
                ),
            }
            for name in CONTRACTS
        },
    }
    return json.dumps(document, indent=1, sort_keys=True) + "\n"


def merged_abi(abis: list[Abi]) -> Abi:
    """Return what a ledger answers to under its one address: functions, events and errors, each once."""
    merged: dict[tuple[str, str], dict[str, Any]] = {}
    for abi in abis:
        for entry in abi:
            if entry["type"] in {"function", "event", "error"}:
                merged[entry["type"], entry["name"]] = entry
    # Found but once, by the ledger's own constructor.
    merged.pop(("function", "found"))
    return [merged[key] for key in sorted(merged)]
