"""The vocabularies: numbered as the contracts number them, and named for people."""

from __future__ import annotations

import re
from enum import IntFlag
from functools import cache

import pytest

from ledger.domain import vocabulary
from ledger.domain.vocabulary import (
    Basis,
    Category,
    Custody,
    DataClass,
    Fact,
    GrantFlag,
    GrantStatus,
    Level,
    MemberStatus,
    Operation,
    Outcome,
    PassportStatus,
    Purpose,
    Role,
    TransferStatus,
    code,
    flags,
    names,
    purpose_set,
    purposes_of,
)
from ledger.errors import UnknownCode
from tests.support.data import ROOT

LIBRARIES = ROOT / "contracts" / "libraries"
_CONSTANT = re.compile(r"constant (\w+) =\s+([^;]+);")
_ENUM = re.compile(r"enum (\w+) \{([^}]*)\}")


@cache
def constants(name: str) -> dict[str, int]:
    """Return the integer constants of a library, in its order."""
    found: dict[str, int] = {}
    for constant, text in _CONSTANT.findall((LIBRARIES / name).read_text()):
        found[constant] = _value(text, found)
    return found


def _value(text: str, known: dict[str, int]) -> int:
    value = 0
    for term in re.sub(r"uint\d+\((.*)\)", r"\1", text.strip()).split("|"):
        word = term.strip()
        base, _, shift = word.partition("<<")
        value |= known[word] if word in known else int(base) << int(shift or 0)
    return value


@cache
def solidity_enums() -> dict[str, dict[str, int]]:
    """Return the enums of the interfaces: for each its entries and their numbers."""
    text = "".join(path.read_text() for path in sorted((ROOT / "contracts" / "interfaces").glob("*.sol")))
    return {
        name: {entry: number for number, entry in enumerate(re.findall(r"\w+", re.sub(r"//.*", "", entries)))}
        for name, entries in _ENUM.findall(text)
    }


def of(kind: type) -> dict[str, int]:
    """Return the names and numbers of a Python vocabulary."""
    return {member.name: int(member) for member in kind}


def test_facts_are_numbered_as_in_the_contract():
    """Facts.sol names the same bits and the same floors."""
    expected = dict(constants("Facts.sol"))
    assert expected.pop("FLOOR") == vocabulary.FLOOR
    assert expected.pop("CONSENT_FLOOR") == vocabulary.CONSENT_FLOOR
    assert expected == of(Fact)


def test_codes_are_numbered_as_in_the_contract():
    """Codes.sol holds exactly the numbers of the Python vocabularies, and their counts."""
    expected = dict(constants("Codes.sol"))
    assert expected.pop("PURPOSES") == len(Purpose)
    assert expected.pop("BASES") == len(Basis)
    assert expected.pop("OPERATIONS_COUNT") == len(Operation)
    actual = {
        **of(Purpose),
        **of(Basis),
        **of(Operation),
        **of(Category),
        **of(DataClass),
        **of(Outcome),
        **{f"ROLE_{name}": number for name, number in of(Role).items()},
        **{f"FLAG_{name}": number for name, number in of(GrantFlag).items()},
    }
    assert expected == actual


@pytest.mark.parametrize("kind", [MemberStatus, PassportStatus, Custody, GrantStatus, TransferStatus])
def test_states_are_numbered_as_in_the_contract(kind):
    """The enums of the interfaces have the same entries in the same order."""
    assert solidity_enums()[kind.__name__] == of(kind)


def test_every_enum_of_the_contract_has_a_twin():
    """No enum of the interfaces is unknown to Python."""
    expected = {"MemberStatus", "PassportStatus", "Custody", "GrantStatus", "TransferStatus"}
    assert expected == set(solidity_enums())


@pytest.mark.parametrize(
    ("labels", "kind"),
    [
        (vocabulary.PURPOSE_LABELS, Purpose),
        (vocabulary.BASIS_LABELS, Basis),
        (vocabulary.OPERATION_LABELS, Operation),
        (vocabulary.CATEGORY_LABELS, Category),
        (vocabulary.CLASS_LABELS, DataClass),
        (vocabulary.LEVEL_LABELS, Level),
        (vocabulary.FACT_LABELS, Fact),
        (vocabulary.MISSING_LABELS, Fact),
    ],
)
def test_every_code_has_a_label(labels, kind):
    """Each code of a vocabulary is called something, and nothing else is."""
    assert list(kind) == list(labels)
    assert all(label if isinstance(label, str) else label.en and label.zh for label in labels.values())


def test_levels_are_in_the_order_of_what_they_hide():
    """A minimum is a comparison; a record has every level but the aggregate."""
    assert [0, 1, 2, 3] == [Level.IDENTIFIED, Level.PSEUDONYMISED, Level.DEIDENTIFIED, Level.AGGREGATE]
    assert tuple(Level)[:-1] == vocabulary.RECORD_LEVELS


@pytest.mark.parametrize("written", ["AI_TRAINING", "ai-training", " Ai_Training "])
def test_a_code_is_read_by_its_name(written):
    """Case, hyphens and spaces around it do not matter."""
    assert Purpose.AI_TRAINING is code(Purpose, written)


@pytest.mark.parametrize("written", ["", "TRAINING", "7", None, 7])
def test_an_unknown_code_names_the_known_ones(written):
    """The message says what there is."""
    with pytest.raises(UnknownCode, match="known are: PRIMARY_CARE"):
        code(Purpose, written)


def test_flags_are_read_by_their_names():
    """A list of names is a set; the empty list is the empty set."""
    assert flags(Category, ["diagnosis", "HIV-STI"]) == Category.DIAGNOSIS | Category.HIV_STI
    assert Category(0) == flags(Category, [])


def test_an_unknown_flag_names_the_known_ones():
    """The message says what there is."""
    with pytest.raises(UnknownCode, match="unknown category 'X'; known are: DIAGNOSIS"):
        flags(Category, ["DIAGNOSIS", "X"])


@pytest.mark.parametrize("kind", [Category, Fact, Role, GrantFlag])
def test_names_of_flags_read_back(kind: type[IntFlag]):
    """Names and flags are inverse to each other."""
    every = kind(sum(kind))
    assert every == flags(kind, names(every))


def test_sets_of_purposes_read_back():
    """Bit n is purpose n."""
    assert purpose_set([Purpose.AI_TRAINING, Purpose.PRIMARY_CARE]) == 1 << 7 | 1
    assert purposes_of(1 << 7 | 1) == [Purpose.PRIMARY_CARE, Purpose.AI_TRAINING]
