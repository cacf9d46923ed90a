"""The specification: its bytes are the vectors', its steps the code's, its codes the errors'."""

from __future__ import annotations

import inspect
import json
import re

import pytest

from ledger import errors
from ledger.audit import auditor, findings, index, replay, source, state
from ledger.audit.findings import Rule
from ledger.domain.vocabulary import Category, Fact
from ledger.encoding import typed_data
from tests.support.data import ROOT

SPEC = (ROOT / "docs" / "spec.md").read_text()
VECTORS = (ROOT / "tests" / "vectors" / "passport-v1.json").read_text()
STEPS = {
    int(number): text
    for number, text in re.findall(r"^(\d+)\. (.*)$", SPEC.partition("## Verifying")[2], re.MULTILINE)
}


def test_it_is_short_and_has_a_version():
    """Under 2,000 words, not counting the bars of tables; the version is that of the vectors."""
    assert len([word for word in SPEC.split() if word.strip("|-")]) < 2000
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
    code = "".join(inspect.getsource(module) for module in (auditor, findings, index, replay, source, state))
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
    for name, fields in [
        ("Grant", typed_data._GRANT_TYPE),
        ("Revocation", typed_data._REVOCATION_TYPE),
        ("SignIn", typed_data._SIGN_IN_TYPE),
    ]:
        words = ",".join(f"{field['type']} {field['name']}" for field in fields)
        assert f"    {name}({words})\n" in SPEC


def test_names_it_uses_exist():
    """LAWFUL, HUMAN_REVIEWED; sixteen categories."""
    assert Fact.LAWFUL.name in SPEC
    assert Fact.HUMAN_REVIEWED.name in SPEC
    assert len(Category) == 16
