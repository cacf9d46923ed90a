"""What may cross a border, decided by the twin; and the year that exports are counted in."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from ledger.domain.records import (
    Agreement,
    Clearance,
    Exports,
    Limits,
    Member,
    Terms,
    Thresholds,
    Verdict,
)
from ledger.domain.vocabulary import (
    AgreementStatus,
    Basis,
    Category,
    DataClass,
    Fact,
    MemberStatus,
    Operation,
    Outcome,
    Path,
    Purpose,
    Role,
)
from ledger.encoding.structs import clearance, clearance_values, limits, limits_values
from ledger.policy import (
    Crossing,
    agreement_is_in_force,
    is_cleared,
    may_cross,
    takes_crossing,
    year_of,
)
from tests.unit.test_policy import requiring

AT = 1_800_000_000
CLEARANCE = Clearance(
    clearance_id=4,
    project_id=2,
    exporter=7,
    issuer=3,
    path=Path.CERTIFICATION,
    valid_from=AT,
    valid_to=AT + 1,
    max_persons=10,
    persons=9,
)
CROSSING = Crossing(
    access_until=AT + 1, clearance=CLEARANCE, exports=Exports(99, 9), thresholds=Thresholds(100, 10)
)
LIMITS = Limits(recipient=9, purposes=1, categories=Category.VITALS, valid_to=AT + 1, retention_seconds=60)
AGREEMENT = Agreement(1, 7, LIMITS, AgreementStatus.SIGNED)


def member(number: int, **changes: object) -> Member:
    """Return an active member."""
    found = Member(
        member_id=number,
        name=f"Member {number}",
        signer="0x" + "01" * 20,
        roles=Role(0),
        purposes=0,
        jurisdiction=156,
        valid_to=AT + 1,
        status=MemberStatus.ACTIVE,
        signing_key=b"",
        sealing_key=b"",
    )
    return replace(found, **changes)


def test_the_last_person_crosses():
    """With room for one more under the clearance and below both thresholds."""
    assert may_cross(CROSSING, AT, sensitive=True)
    assert is_cleared(CROSSING, AT)


@pytest.mark.parametrize(
    "changes",
    [
        {"clearance": None},
        {"clearance": replace(CLEARANCE, valid_from=AT + 1)},
        {"clearance": replace(CLEARANCE, valid_to=AT)},
        {"clearance": replace(CLEARANCE, path=Path.NONE)},
        {"clearance": replace(CLEARANCE, path=Path.CONTRACT, agreement=1)},
        {"access_until": AT},
        {"access_until": 0},
    ],
)
def test_what_is_not_cleared_crosses_for_nobody(changes):
    """Not yet, no longer, by no path, under a contract that is not in force, to who is not on the list."""
    crossing = replace(CROSSING, **changes, crossed=True, counted=True, counted_sensitive=True)
    assert not is_cleared(crossing, AT)
    assert not may_cross(crossing, AT, sensitive=False)


@pytest.mark.parametrize("path", [Path.CONTRACT, Path.CERTIFICATION])
@pytest.mark.parametrize(
    ("changes", "person", "sensitive"),
    [
        ({}, True, True),
        ({"exports": Exports(100, 9)}, False, False),
        ({"exports": Exports(100, 9), "counted": True}, True, True),
        ({"exports": Exports(99, 10)}, True, False),
        ({"exports": Exports(99, 10), "counted": True}, True, False),
        ({"exports": Exports(100, 10), "counted": True, "counted_sensitive": True}, True, True),
    ],
)
def test_below_the_thresholds(path, changes, person, sensitive):
    """Who is counted already needs no room, as a person or as one with sensitive data."""
    cleared = replace(CLEARANCE, path=path)
    crossing = replace(CROSSING, clearance=cleared, contract_in_force=True, **changes)
    assert may_cross(crossing, AT, sensitive=False) is person
    assert may_cross(crossing, AT, sensitive=True) is sensitive
    # An assessment is what the thresholds are about: it clears whatever the numbers.
    assessed = replace(crossing, clearance=replace(cleared, path=Path.ASSESSMENT))
    assert may_cross(assessed, AT, sensitive=True)


@pytest.mark.parametrize("path", list(Path)[1:])
def test_a_clearance_is_good_for_so_many_persons(path):
    """Who crossed under it before needs no room, by whatever path."""
    full = replace(CROSSING, clearance=replace(CLEARANCE, path=path, persons=10), contract_in_force=True)
    assert not may_cross(full, AT, sensitive=False)
    assert may_cross(replace(full, crossed=True), AT, sensitive=False)


@pytest.mark.parametrize(
    ("agreement", "provider", "recipient", "stands"),
    [
        (AGREEMENT, {}, {}, True),
        (replace(AGREEMENT, status=AgreementStatus.PROPOSED), {}, {}, False),
        (replace(AGREEMENT, status=AgreementStatus.ENDED), {}, {}, False),
        (replace(AGREEMENT, limits=replace(LIMITS, valid_to=AT)), {}, {}, False),
        (AGREEMENT, {"status": MemberStatus.SUSPENDED}, {}, False),
        (AGREEMENT, {}, {"valid_to": AT}, False),
    ],
)
def test_an_agreement_is_in_force(agreement, provider, recipient, stands):
    """Signed, in time, and between two active members."""
    sides = member(7, **provider), member(9, **recipient)
    assert agreement_is_in_force(agreement, *sides, AT) is stands
    assert agreement.recipient == 9


@pytest.mark.parametrize(
    ("outcome", "fact", "place", "counts"),
    [
        (Outcome.PERMIT, Fact.BORDER_CLEARED, 840, True),
        (Outcome.DENY, Fact.BORDER_CLEARED, 840, False),
        (Outcome.REVIEW, Fact.BORDER_CLEARED, 840, False),
        (Outcome.PERMIT, Fact(0), 840, False),
        (Outcome.PERMIT, Fact.BORDER_CLEARED, 156, False),
    ],
)
def test_who_is_counted(outcome, fact, place, counts):
    """Nobody by a denial, at home, or where the law asks for no clearance."""
    terms = Terms(Purpose.AI_TRAINING, Basis.CONSENT, Operation.READ, Category.DIAGNOSIS)
    verdict = Verdict(0, 1, DataClass.SENSITIVE, outcome, Fact(0), Fact(0))
    table = requiring(Fact.LAWFUL | fact)
    assert takes_crossing(terms, verdict, table=table, jurisdictions={place}, custodians=156) is counts


@pytest.mark.parametrize(
    ("moment", "year"),
    [
        ("1970-01-01T00:00:00", 1970),
        ("1999-12-31T15:59:59", 1999),
        ("1999-12-31T16:00:00", 2000),
        ("2000-02-29T12:00:00", 2000),
        ("2000-12-31T15:59:59", 2000),
        ("2000-12-31T16:00:00", 2001),
        ("2024-12-31T15:59:59", 2024),
        ("2024-12-31T16:00:00", 2025),
        ("2100-02-28T16:00:00", 2100),
    ],
)
def test_a_year_begins_at_midnight_in_beijing(moment, year):
    """Eight hours before it does in Greenwich."""
    assert year_of(int(datetime.fromisoformat(moment).replace(tzinfo=UTC).timestamp())) == year


def test_clearances_and_limits_read_as_they_are_written():
    """In the order of the contract's structs."""
    full = replace(CLEARANCE, agreement=5)
    assert clearance(4, clearance_values(full)) == full
    wide = replace(LIMITS, response_hours=72, onward=True)
    assert limits(limits_values(wide)) == wide
