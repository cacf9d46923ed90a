"""
The compiled contract that ships with the package: ABI and bytecode.

`make setup` compiles it; an installed wheel carries it, so running needs no compiler.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from ledger.encoding.events import Abi
from ledger.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Artifact:
    """ABI, creation code and the code as deployed (immutables are zero in it)."""

    abi: Abi
    bytecode: bytes
    deployed_bytecode: bytes


@cache
def load() -> Artifact:
    """
    Return the compiled ledger contract.

    Raises:
        ConfigurationError: The package was built without it.
    """
    try:
        document = json.loads(resources.files(__name__).joinpath("PassportLedger.json").read_text())
    except FileNotFoundError:
        raise ConfigurationError("the compiled contract is missing", fix="Run `make setup`.") from None
    return Artifact(
        abi=document["abi"],
        bytecode=bytes.fromhex(document["bytecode"]),
        deployed_bytecode=bytes.fromhex(document["deployedBytecode"]),
    )


def write(compiled: dict[str, Any]) -> str:
    """Return a compiler's output as the file that `load` reads."""
    document = {
        "contract": "PassportLedger",
        "abi": compiled["abi"],
        "bytecode": compiled["evm"]["bytecode"]["object"],
        "deployedBytecode": compiled["evm"]["deployedBytecode"]["object"],
    }
    return json.dumps(document, indent=1, sort_keys=True) + "\n"
