"""The specification: its bytes are the vectors', its steps the code's, its codes the errors'."""

from __future__ import annotations

import inspect
import json
import re

import pytest

from ledger import errors
from ledger.audit import auditor, findings, folds, index, replay, source, state
from ledger.audit.findings import Rule
from ledger.chain.artifacts import CONTRACTS
from ledger.domain.vocabulary import (
    Assurance,
    Category,
    Fact,
    GrantFlag,
    Level,
    Operation,
    Outcome,
    StepFact,
    StepKind,
)
from tests.support.data import ROOT
from tests.unit.test_vectors import KINDS, REFERRED, signed, type_string

SPEC = (ROOT / "docs" / "spec.md").read_text()
VECTORS = (ROOT / "tests" / "vectors" / "passport-v1.json").read_text()
STEPS = {
    int(number): text
    for number, text in re.findall(r"^(\d+)\. (.*)$", SPEC.partition("## Verifying")[2], re.MULTILINE)
}


def test_it_is_short_and_has_a_version():
    """Under 3,700 words, not counting the bars of tables; the version is that of the vectors."""
    assert len([word for word in SPEC.split() if word.strip("|-")]) < 3700
    assert f"Version: `{json.loads(VECTORS)['version']}`" in SPEC


def test_every_byte_of_the_example_is_in_the_vectors():
    """Nothing was copied by hand."""
    example = SPEC.partition("## Example")[2].partition("## Conventions")[0]
    found = re.findall(r"0x[0-9a-f]{40,}", example)
    assert len(found) == 10
    assert [word for word in found if word not in VECTORS] == []
    record = bytes.fromhex(json.loads(VECTORS)["commitments"][0]["canonical"][2:]).decode()
    assert record in example


def test_every_error_has_a_row():
    """And no row is about nothing, as far as the ledger's own errors go."""
    rows = set(re.findall(r"^\| `([a-z-]+)` \|", SPEC, re.MULTILINE))
    codes = {
        kind.code
        for _, kind in inspect.getmembers(errors, inspect.isclass)
        if issubclass(kind, errors.LedgerError)
    }
    assert codes <= rows


def test_every_rule_of_the_audit_is_a_step():
    """By its name."""
    named = set(re.findall(r"`([a-z-]+)`", " ".join(STEPS.values())))
    assert {rule.value for rule in Rule} == {name for name in named if "-" in name}


def test_the_steps_are_the_codes():
    """Each number of the specification stands in the audit's code."""
    code = "".join(
        inspect.getsource(module) for module in (auditor, findings, folds, index, replay, source, state)
    )
    numbers = {int(number) for number in re.findall(r"(?:# |\"\"\"|\"\"\"\n    |and |to )(\d+)\. ", code)}
    assert list(STEPS) == list(range(1, 13))
    assert set(STEPS) <= numbers


@pytest.mark.parametrize("folder", ["ledger", "api", "cli", "contracts"])
def test_every_reference_has_a_heading(folder):
    """`docs/spec.md, "X"` points to a heading X."""
    headings = set(re.findall(r"^## (.*)$", SPEC, re.MULTILINE))
    for path in (ROOT / folder).rglob("*"):
        if path.suffix in {".py", ".sol"}:
            for line in re.findall(r"docs/spec\.md, (\"[^.;\n]*)", path.read_text()):
                for title in re.findall(r"\"([A-Z][\w -]*)\"", line):
                    assert title in headings, f"{path}: {title}"


def test_types_are_those_that_are_signed():
    """Letter for letter."""
    for kind in KINDS:
        _, message = signed(kind)
        name = message["primaryType"]
        types = message["types"]
        whole = "".join(type_string(one, types[one]) for one in [name, *sorted(types.keys() & REFERRED)])
        assert f"    {whole}\n" in SPEC


@pytest.mark.parametrize(
    ("column", "words"),
    [
        (
            0,
            {
                "purpose": "purpose",
                "basis": "basis",
                "operation": "operation",
                "level": "level",
                "categories": "categories",
                "project": "projectId",
                "emergency": "emergency",
                "controller": "controller",
                "first day": "firstDay",
                "last day": "lastDay",
                "dataset": "dataset",
            },
        ),
        (
            3,
            {
                "seq": "seq",
                "policy version": "policyVersion",
                "data class": "dataClass",
                "outcome": "outcome",
                "facts that held": "facts",
                "facts missing": "missing",
            },
        ),
    ],
)
def test_the_bits_are_those_of_the_vectors(column, words):
    """Read by the table of the specification, each word of the vectors says what the vector says."""
    table = SPEC.partition("| Bits | Terms |")[2].partition("\n\n")[0]
    rows = [[cell.strip() for cell in row.strip("|").split("|")] for row in table.splitlines()[2:]]
    places = {
        row[column + 1].partition(",")[0]: [int(bit) for bit in row[column].split("–")]
        for row in rows
        if row[column]
    }
    assert places.keys() == words.keys()
    for vector in json.loads(VECTORS)["verdicts" if column else "terms"]:
        word, said = int(vector["word"], 16), 0
        for name, (first, last) in places.items():
            part = word >> first & (1 << last - first + 1) - 1
            assert part == vector[words[name]], name
            said |= part << first
        assert said == word


def test_names_it_uses_exist():
    """The facts and assurances; sixteen categories; the contracts in the order of deployment, reversed."""
    known = {*Fact.__members__, *Assurance.__members__, *Outcome.__members__, *Level.__members__}
    known |= {
        *GrantFlag.__members__,
        *Operation.__members__,
        *StepFact.__members__,
        *StepKind.__members__,
        *Rule.__members__,
        "MUST",
        "MAY",
        "SHOULD",
        "NOT",
        "OFFICE",
        "ASKED_ON_DEMAND",
    }
    named = set(re.findall(r"\b[A-Z]{3,}(?:_[A-Z]+)*\b", SPEC.partition("## Error codes")[0]))
    assert named & {"LAWFUL", "HUMAN_REVIEWED", "EMERGENCY_IN_FORCE", "UNLOCKED"}
    assert {name for name in named - known if "_" in name} == set()
    assert len(Category) == 16
    places = [SPEC.index(f"`{name}`") for name in reversed(CONTRACTS)]
    assert places == sorted(places)
