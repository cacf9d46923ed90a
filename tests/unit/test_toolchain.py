"""The tool chain: two compilers make the same bytes, and nothing of the contract goes without its counterpart."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ledger.chain import artifacts, compiler
from ledger.chain.reverts import REVERTS
from ledger.encoding.events import canonical_type
from tests.support.data import ROOT

ABI = artifacts.load().abi
#: What OpenZeppelin's contracts bring along: documented there, with @dev instead of @notice.
INHERITED = {
    "EIP712DomainChanged",
    "InvalidShortString",
    "OwnableInvalidOwner",
    "OwnableUnauthorizedAccount",
    "OwnershipTransferStarted",
    "OwnershipTransferred",
    "StringTooLong",
    "acceptOwnership",
    "eip712Domain",
    "owner",
    "pendingOwner",
    "transferOwnership",
}


def named(kind: str) -> dict[str, dict[str, Any]]:
    """Return the entries of one kind in the ABI by name. No name is overloaded."""
    entries = [entry for entry in ABI if entry["type"] == kind]
    by_name = {entry["name"]: entry for entry in entries}
    assert len(by_name) == len(entries)
    return by_name


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return what Hardhat makes of the contract, built from nothing: half a minute."""
    folder = tmp_path_factory.mktemp("hardhat")
    hardhat = ROOT / "node_modules" / ".bin" / "hardhat"
    result = subprocess.run(
        [str(hardhat), "build", "--no-tests", "--quiet"],
        cwd=ROOT,
        env={
            **os.environ,
            "PATH": f"{ROOT / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}",
            "PASSPORT_HARDHAT_DIR": str(folder),
            "HARDHAT_DISABLE_TELEMETRY_PROMPT": "true",
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    path = folder / "artifacts" / "contracts" / "PassportLedger.sol" / "PassportLedger.json"
    document: dict[str, Any] = json.loads(path.read_text())
    return document


@pytest.fixture(scope="module")
def notices() -> dict[str, set[str]]:
    """Return the signatures that have a NatSpec notice, by kind. Asking for no code spares most of the time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compiler, "_OUTPUTS", ["userdoc"])
        userdoc = compiler.compile_contracts(ROOT)["userdoc"]
    found = {}
    for kind in ("methods", "events", "errors"):
        documents = userdoc[kind].items()
        found[kind] = {signature for signature, document in documents if '"notice"' in json.dumps(document)}
    return found


def test_hardhat_and_py_solc_x_make_the_same_bytes(built):
    """The Solidity tests run what Python deploys; if not, `make compile` may be due."""
    artifact = artifacts.load()
    assert bytes.fromhex(built["bytecode"][2:]) == artifact.bytecode
    assert bytes.fromhex(built["deployedBytecode"][2:]) == artifact.deployed_bytecode
    assert built["abi"] == artifact.abi
    assert built["linkReferences"] == {}


def test_the_code_fits():
    """EIP-170 and EIP-3860."""
    artifact = artifacts.load()
    assert len(artifact.deployed_bytecode) <= 24_576
    assert len(artifact.bytecode) <= 49_152


def test_every_function_that_changes_state_is_tried_by_every_role():
    """`// matrix: name` stands above its row, once."""
    matrix = (ROOT / "tests" / "contracts" / "AccessMatrix.t.sol").read_text()
    rows = re.findall(
        r"^\s*// matrix: (\w+)\n\s*_row\(\s*abi\.encodeCall\(ledger\.(\w+),", matrix, re.MULTILINE
    )
    changing = {
        name for name, entry in named("function").items() if entry["stateMutability"] not in {"view", "pure"}
    }
    # It changes nothing, because it never succeeds: in OpenZeppelin's contract it did.
    changing |= {"renounceOwnership"}
    assert sorted(row for row, _ in rows) == sorted(changing)
    assert [row for row, called in rows if row != called] == []
    assert len(re.findall(r"^\s*// matrix: ", matrix, re.MULTILINE)) == len(rows)


def test_no_function_takes_money():
    """Nothing on this ledger costs anything."""
    assert [entry for entry in ABI if entry.get("stateMutability") == "payable"] == []


def test_every_error_has_words():
    """And no words are about nothing; each argument that they name exists."""
    errors = named("error")
    assert set(errors) == set(REVERTS)
    for name, (_, words) in REVERTS.items():
        arguments = {item["name"] for item in errors[name]["inputs"]}
        assert set(re.findall(r"\{(\w+)\}", words)) <= arguments, name


@pytest.mark.parametrize(
    ("kind", "part"), [("function", "methods"), ("event", "events"), ("error", "errors")]
)
def test_everything_has_a_notice(notices, kind, part):
    """But for what OpenZeppelin's contracts bring along."""
    silent = {
        name
        for name, entry in named(kind).items()
        if f"{name}({','.join(canonical_type(item) for item in entry['inputs'])})" not in notices[part]
    }
    assert silent == INHERITED & set(named(kind))


def test_every_solidity_test_is_compiled_the_quick_way():
    """All but the one that needs the optimizer: hardhat.config.js finds the others by their names."""
    names = {path.name for path in Path(ROOT, "tests", "contracts").iterdir()}
    assert {name for name in names if not name.endswith(".t.sol")} == set()
    assert "DefaultPolicy" in (ROOT / "tests" / "contracts" / "Vectors.t.sol").read_text()
    others = [ROOT / "tests" / "contracts" / name for name in names - {"Vectors.t.sol"}]
    assert [path.name for path in others if "DefaultPolicy.sol" in path.read_text()] == []
