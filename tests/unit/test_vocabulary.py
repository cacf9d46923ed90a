"""The vocabularies: numbered as the contracts number them, and named for people."""

from __future__ import annotations

import re
from enum import IntFlag
from functools import cache

import pytest

from ledger.domain import vocabulary
from ledger.domain.vocabulary import (
    ActKind,
    AgreementStatus,
    Answer,
    Approval,
    Assurance,
    AttestationKind,
    Basis,
    Category,
    Check,
    Custody,
    DataClass,
    DatasetStatus,
    EmergencyFinding,
    EmergencyKind,
    EmergencyReason,
    Fact,
    GrantFlag,
    GrantStatus,
    Level,
    MemberKind,
    MemberStatus,
    ModelStatus,
    Operation,
    Outcome,
    Part,
    PassportStatus,
    Path,
    Purpose,
    Role,
    SeatKind,
    StepFact,
    StepKind,
    TransferFact,
    TransferStatus,
    VersionKind,
    code,
    flags,
    kind_set,
    kinds_of,
    names,
    purpose_set,
    purposes_of,
)
from ledger.errors import UnknownCode
from tests.support.data import ROOT

LIBRARIES = ROOT / "contracts" / "libraries"
#: Each enum of the interfaces, and its Python twin.
ENUMS = {
    "ActKind": ActKind,
    "AgreementStatus": AgreementStatus,
    "Answer": Answer,
    "Approval": Approval,
    "Assurance": Assurance,
    "AttestationKind": AttestationKind,
    "Check": Check,
    "Custody": Custody,
    "DatasetStatus": DatasetStatus,
    "EmergencyKind": EmergencyKind,
    "Finding": EmergencyFinding,
    "GrantStatus": GrantStatus,
    "MemberKind": MemberKind,
    "MemberStatus": MemberStatus,
    "ModelStatus": ModelStatus,
    "PassportStatus": PassportStatus,
    "Path": Path,
    "SeatKind": SeatKind,
    "StepKind": StepKind,
    "TransferStatus": TransferStatus,
    "VersionKind": VersionKind,
}
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
    """Work out `A | B`, `1 << n`, `(1 << n) - 1` and `uint16(1 << n)`."""
    words = re.sub(r"uint\d+\(", "(", re.sub(r"\s+", " ", text.strip()))
    assert re.fullmatch(r"[\w\s|<()-]+", words), words
    named = re.sub(r"\b_?[A-Z]\w*\b", lambda match: str(known[match[0]]), words)
    return int(eval(named, {"__builtins__": {}}))  # noqa: S307 -- numbers and operators alone, see above


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


SETS_OF_FACTS = ("FLOOR", "OTHERS_FLOOR", "CONSENT_FLOOR", "EMERGENCY_FLOOR", "ASKED_ON_DEMAND")


def test_facts_are_numbered_as_in_the_contract():
    """Facts.sol names the same bits, the same floors, and the same facts that are asked for on demand."""
    expected = dict(constants("Facts.sol"))
    for name in SETS_OF_FACTS:
        assert expected.pop(name) == getattr(vocabulary, name), name
    assert expected == of(Fact)


def test_rules_for_steps_are_numbered_as_in_the_contract():
    """StepFacts.sol names the same bits; the sets that it keeps to itself are no numbering."""
    found = constants("StepFacts.sol")
    assert {name: number for name, number in found.items() if not name.startswith("_")} == of(StepFact)


def test_rules_for_transfers_are_numbered_as_in_the_contract():
    """TransferFacts.sol names the same bits, and what it calls all is all."""
    found = dict(constants("TransferFacts.sol"))
    assert found.pop("ALL") == int(sum(TransferFact))
    assert found == of(TransferFact)
    assert vocabulary.MISSING_TRANSFER_LABELS.keys() == set(TransferFact)
    assert vocabulary.TRANSFER_STATUS_LABELS.keys() == set(TransferStatus)


def test_parts_are_numbered_as_the_interface_says():
    """`ILineage.Origin.parts`: bit 0 training, 1 validation, 2 test."""
    text = (ROOT / "contracts" / "interfaces" / "ILineage.sol").read_text()
    said = ", ".join(f"{part.bit_length() - 1} {str(part.name).lower()}" for part in Part)
    assert f"set of parts: bit {said};" in text


def test_every_bit_of_a_set_of_facts_is_a_fact():
    """All 32, so no word of the law can require something that nobody knows."""
    assert int(sum(Fact)) == 2**32 - 1


def test_codes_are_numbered_as_in_the_contract():
    """Codes.sol holds exactly the numbers of the Python vocabularies, their counts and their sets."""
    expected = dict(constants("Codes.sol"))
    assert expected.pop("PURPOSES") == len(Purpose)
    assert expected.pop("BASES") == len(Basis)
    assert expected.pop("OPERATIONS_COUNT") == len(Operation)
    assert expected.pop("LEVELS") == len(Level)
    assert expected.pop("ROLES") == int(sum(Role))
    assert expected.pop("FLAGS") == int(sum(GrantFlag))
    governing = Role.COMMITTEE | Role.ALLIANCE | Role.REGULATOR | Role.EMERGENCY
    assert expected.pop("COMMITTEE_ROLES") == governing
    actual = {
        **of(Purpose),
        **of(Basis),
        **of(Operation),
        **of(Category),
        **of(DataClass),
        **of(Level),
        **of(Outcome),
        **{f"ROLE_{name}": number for name, number in of(Role).items()},
        **{f"FLAG_{name}": number for name, number in of(GrantFlag).items()},
    }
    assert expected == actual


@pytest.mark.parametrize("name", sorted(ENUMS))
def test_enums_are_numbered_as_in_the_contract(name):
    """The enums of the interfaces have the same entries in the same order."""
    assert solidity_enums()[name] == of(ENUMS[name])


def test_every_enum_of_the_contract_has_a_twin():
    """No enum of the interfaces is unknown to Python."""
    assert set(ENUMS) == set(solidity_enums())


@pytest.mark.parametrize(
    ("labels", "kind"),
    [
        (vocabulary.PURPOSE_LABELS, Purpose),
        (vocabulary.BASIS_LABELS, Basis),
        (vocabulary.OPERATION_LABELS, Operation),
        (vocabulary.CATEGORY_LABELS, Category),
        (vocabulary.CLASS_LABELS, DataClass),
        (vocabulary.LEVEL_LABELS, Level),
        (vocabulary.MEMBER_KIND_LABELS, MemberKind),
        (vocabulary.ASSURANCE_LABELS, Assurance),
        (vocabulary.EMERGENCY_REASON_LABELS, EmergencyReason),
        (vocabulary.FACT_LABELS, Fact),
        (vocabulary.MISSING_LABELS, Fact),
        (vocabulary.STEP_KIND_LABELS, StepKind),
        (vocabulary.DATASET_STATUS_LABELS, DatasetStatus),
        (vocabulary.ANSWER_LABELS, Answer),
        (vocabulary.STEP_MISSING_LABELS, StepFact),
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


def test_assurance_rises_with_who_signed():
    """What the contract compares: a delegate's signature makes a consent separate, a custodian's does not."""
    assert list(Assurance) == sorted(Assurance)
    assert Assurance.PAPER < Assurance.ASSISTED < Assurance.DELEGATED < Assurance.SELF


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


@pytest.mark.parametrize("kind", [Category, Fact, Role, GrantFlag, StepFact, Part])
def test_names_of_flags_read_back(kind: type[IntFlag]):
    """Names and flags are inverse to each other."""
    every = kind(sum(kind))
    assert every == flags(kind, names(every))


def test_sets_of_purposes_read_back():
    """Bit n is purpose n."""
    assert purpose_set([Purpose.AI_TRAINING, Purpose.PRIMARY_CARE]) == 1 << 7 | 1
    assert purposes_of(1 << 7 | 1) == [Purpose.PRIMARY_CARE, Purpose.AI_TRAINING]


def test_sets_of_kinds_of_members_read_back():
    """Bit n is kind n."""
    assert kind_set([MemberKind.RESEARCH, MemberKind.HOSPITAL]) == 0b110
    assert kinds_of(0b110) == [MemberKind.HOSPITAL, MemberKind.RESEARCH]
