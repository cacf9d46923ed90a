"""Compiling the contracts with py-solc-x, to the very bytes that Hardhat makes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from solcx import compile_standard

from ledger.chain.artifacts import CONTRACTS
from ledger.errors import ConfigurationError

_OUTPUTS: Final = [
    "abi",
    "evm.bytecode.object",
    "evm.deployedBytecode.object",
    "evm.deployedBytecode.immutableReferences",
    "userdoc",
    "devdoc",
    "storageLayout",
]


def compile_contracts(root: Path) -> dict[str, dict[str, Any]]:
    """
    Compile the contracts of the ledger.

    Args:
        root: The checkout, with `contracts/`, `scripts/solc` and `node_modules/`.

    Returns:
        For each contract of `CONTRACTS` the compiler's output: `abi`, `evm`, `userdoc`, `devdoc`, `storageLayout`.

    Raises:
        ConfigurationError: The compiler is not there.
    """
    settings = json.loads((root / "contracts" / "solc.settings.json").read_text())["settings"]
    sources = {
        str(path.relative_to(root)): {"content": path.read_text()}
        for path in sorted((root / "contracts").rglob("*.sol"))
    }
    request = {
        "language": "Solidity",
        "sources": sources,
        "settings": {**settings, "outputSelection": {_source(name): {name: _OUTPUTS} for name in CONTRACTS}},
    }
    try:
        output = compile_standard(request, solc_binary=str(root / "scripts" / "solc"), allow_empty=True)
    except FileNotFoundError as error:
        raise ConfigurationError(f"there is no compiler: {error}", fix="Run `make setup`.") from None
    return {name: output["contracts"][_source(name)][name] for name in CONTRACTS}


def _source(contract: str) -> str:
    return f"contracts/{contract}.sol"
