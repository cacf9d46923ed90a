"""The tool chain: two compilers make the same bytes, and nothing of the contract goes without its counterpart."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from ledger.chain import artifacts, compiler
from ledger.chain.artifacts import CONTRACTS
from ledger.chain.reverts import REVERTS
from ledger.encoding.events import canonical_type
from tests.support.data import ROOT

ABI = artifacts.load().abi
#: What OpenZeppelin's contracts bring along: documented there, with @dev instead of @notice.
INHERITED = {
    "AddressEmptyCode",
    "EIP712DomainChanged",
    "FailedCall",
    "InvalidShortString",
    "StringTooLong",
    "eip712Domain",
}


def named(kind: str) -> dict[str, dict[str, Any]]:
    """Return the entries of one kind in the ABI by name. No name is overloaded."""
    entries = [entry for entry in ABI if entry["type"] == kind]
    by_name = {entry["name"]: entry for entry in entries}
    assert len(by_name) == len(entries)
    return by_name


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return what Hardhat makes of each contract, built from nothing: half a minute."""
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
    contracts = folder / "artifacts" / "contracts"
    return {name: json.loads((contracts / f"{name}.sol" / f"{name}.json").read_text()) for name in CONTRACTS}


@pytest.fixture(scope="module")
def described() -> dict[str, dict[str, Any]]:
    """Return the compiler's words on each contract. Asking for no code spares most of the time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compiler, "_OUTPUTS", ["userdoc", "storageLayout"])
        return compiler.compile_contracts(ROOT)


@pytest.fixture(scope="module")
def notices(described: dict[str, dict[str, Any]]) -> dict[str, set[str]]:
    """Return the signatures that have a NatSpec notice, by kind."""
    found: dict[str, set[str]] = {}
    for kind in ("methods", "events", "errors"):
        documents = [item for name in CONTRACTS for item in described[name]["userdoc"].get(kind, {}).items()]
        found[kind] = {signature for signature, document in documents if '"notice"' in json.dumps(document)}
    return found


def layout(document: dict[str, Any]) -> list[tuple[str, int, int, str]]:
    """Return a contract's storage: each variable's name, slot, offset and type, structs written out."""
    types = document["types"] or {}

    def written(name: str) -> str:
        kind = types[name]
        if "members" in kind:
            parts = ",".join(
                f"{part['label']}@{part['slot']}+{part['offset']}:{written(part['type'])}"
                for part in kind["members"]
            )
            return f"{kind['label']}{{{parts}}}"
        if "value" in kind:
            return f"mapping({written(kind['key'])}=>{written(kind['value'])})"
        return f"{kind['label']}:{kind['numberOfBytes']}"

    return [
        (entry["label"], int(entry["slot"]), entry["offset"], written(entry["type"]))
        for entry in document["storage"]
    ]


@pytest.mark.parametrize("name", CONTRACTS)
def test_hardhat_and_py_solc_x_make_the_same_bytes(built, name):
    """The Solidity tests run what Python deploys; if not, `make compile` may be due."""
    code = artifacts.load().contracts[name]
    assert bytes.fromhex(built[name]["bytecode"][2:]) == code.bytecode
    assert bytes.fromhex(built[name]["deployedBytecode"][2:]) == code.deployed_bytecode
    assert built[name]["linkReferences"] == {}


def test_the_abi_is_that_of_all_contracts_together(built):
    """Whatever one of them answers to, the ledger does under its one address."""
    assert artifacts.merged_abi([built[name]["abi"] for name in CONTRACTS]) == ABI


@pytest.mark.parametrize("name", CONTRACTS)
def test_the_code_fits(name):
    """EIP-170, EIP-3860, and a transaction's gas by EIP-7825 is enough to deploy it at 200 gas a byte."""
    code = artifacts.load().contracts[name]
    assert len(code.deployed_bytecode) <= 24_576
    assert len(code.bytecode) <= 49_152
    assert 200 * len(code.deployed_bytecode) < 2**24


@pytest.mark.parametrize("name", CONTRACTS)
def test_code_is_known_whatever_its_immutables_are(name):
    """A reader compares all but what deployment fills in: one other byte, or one more, is other code."""
    code = artifacts.load().contracts[name]
    assert code.immutables
    deployed = bytearray(code.deployed_bytecode)
    for start, length in code.immutables:
        assert not any(deployed[start : start + length])
        deployed[start : start + length] = b"\xab" * length
    assert code.is_at(bytes(deployed))
    assert not code.is_at(bytes(deployed) + b"\x00")
    deployed[0] ^= 1
    assert not code.is_at(bytes(deployed))


def test_the_contracts_share_one_storage(described):
    """Name for name, slot for slot, type for type: what one of them writes, the others read."""
    first, *others = [layout(described[name]["storageLayout"]) for name in CONTRACTS]
    assert len(first) > 20
    assert len({label for label, _, _, _ in first}) == len(first)
    for other in others:
        assert other == first


@pytest.mark.parametrize(
    ("library", "struct"), [("GrantWord", "IConsents.GrantState"), ("PassportWord", "IPassports.Passport")]
)
def test_words_read_in_one_piece_are_laid_out_as_they_are_read(described, library, struct):
    """What the library says of its bits is what the compiler does with the struct's first slot."""
    types: dict[str, dict[str, Any]] = described["PassportLedger"]["storageLayout"]["types"]
    members = next(kind["members"] for kind in types.values() if kind["label"] == f"struct {struct}")
    sizes = {name: int(kind["numberOfBytes"]) for name, kind in types.items()}
    compiled = {
        part["label"]: (8 * part["offset"], 8 * (part["offset"] + sizes[part["type"]]) - 1)
        for part in members
        if part["slot"] == "0"
    }
    source = (ROOT / "contracts" / "libraries" / f"{library}.sol").read_text()
    words = re.sub(r"\s*///\s*", " ", source[source.index("/// @notice") : source.index(f"type {library}")])
    said = {
        re.sub(r" (\w)", lambda letter: letter[1].upper(), name.strip()): (int(first), int(last))
        for name, first, last in re.findall(r"([A-Za-z ]+) \((?:bits )?(\d+)-(\d+)\)", words)
    }
    assert said == compiled
    # Every place that the library shifts by is the beginning of something, or counts bits from there.
    beginnings = {first for first, _ in compiled.values()}
    assert {int(place) for place in re.findall(r"(?:>>|<<) \(?(\d+)", source)} <= beginnings


def test_no_two_contracts_answer_to_the_same_name(built):
    """Otherwise the first one would hide the others' function; but for what each brings along by itself."""
    owners: dict[str, list[str]] = {}
    for name in CONTRACTS:
        for entry in built[name]["abi"]:
            if entry["type"] == "function":
                owners.setdefault(entry["name"], []).append(name)
    several = {function for function, names in owners.items() if len(names) > 1}
    assert several == {"OFFICE", "eip712Domain"}


def test_every_function_that_changes_state_is_tried_by_every_role():
    """`// matrix: name` stands above its row, once."""
    matrix = (ROOT / "tests" / "contracts" / "AccessMatrix.t.sol").read_text()
    rows = re.findall(
        r"^\s*// matrix: (\w+)\n\s*_row\(\s*abi\.encodeCall\(\s*ledger\.(\w+),", matrix, re.MULTILINE
    )
    changing = {
        name for name, entry in named("function").items() if entry["stateMutability"] not in {"view", "pure"}
    }
    # Done once, by the ledger's own constructor, and no part of the ABI: but anybody can try.
    changing |= {"found"}
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


def test_the_wheel_carries_what_the_pages_load(tmp_path: Path) -> None:
    """Without node_modules: every script and style of the pages, and the graph's library as npm's lock pins it."""
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    loaded = {
        path.removeprefix("/")
        for template in (ROOT / "api" / "templates").glob("*.html")
        for path in re.findall(r'(?:src|href)="(/static/[^"]+)"', template.read_text())
    }
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        carried = {name.removeprefix("api/") for name in archive.namelist() if name.startswith("api/static/")}
        library = archive.read("api/static/vendor/cytoscape.min.js")

    assert "static/vendor/cytoscape.min.js" in loaded
    assert loaded <= carried
    assert library == (ROOT / "node_modules" / "cytoscape" / "dist" / "cytoscape.min.js").read_bytes()
    assert b"The Cytoscape Consortium" in library[:100]
