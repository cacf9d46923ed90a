"""
Contract and twin agree on every entry of the law that a new ledger starts with, on the combinations of its facts.

Each of the 384 entries (3 classes, 16 purposes, 8 bases) is met: an empty one once, for it lacks the law itself; one of
at most eleven facts on all combinations of them; a larger one, which has up to 16 million, on all in which at most two
facts are missing or at most two hold, and on all combinations of the seven facts about the grant, of the seven about the
project, and of the rest, while everything else holds. That every request lacks exactly the facts it is to lack is
asserted, so nothing is counted that was not met. `tests.twin.table.Table.request` names the combinations that cannot
be; they are counted by reason.
"""

from __future__ import annotations

import os

import pytest

from ledger.domain.vocabulary import Fact
from tests.twin.machine import Stage
from tests.twin.table import Case, Table, cases_of, entries

_PHASED = Fact.PASSPORT_OPEN | Fact.GRANT_LIVE
#: How many verdicts are compared, and how many combinations cannot be.
_COMPARED = 32_201
_UNREACHABLE = {
    "no categories of this class are so for this purpose": 8_480,
    "it never was such that a human was all it lacked": 1_039,
    "the law lets this be handed over as recorded": 2_296,
    "what is handed over de-identified is at every level that the law demands": 288,
    "data that is locked cannot be approved under another emergency": 270,
}


def _compare_all(stage: Stage, *, deep: bool) -> Table:
    table = Table(stage)
    table.build(lambda law: cases_of(law, deep=deep))
    cases: dict[Fact, list[Case]] = {}
    for case in cases_of(table.law, deep=deep):
        cases.setdefault(case.missing & _PHASED, []).append(case)
    for phase in table.phases():
        table.compare(cases.pop(phase))
    assert cases == {}
    return table


@pytest.mark.timeout(600)
def test_every_entry_on_its_combinations_of_facts(stage: Stage) -> None:
    """0 differences, and everything that the law allows was allowed."""
    table = _compare_all(stage, deep=False)
    lawful = {entry[:3] for entry in entries(table.law) if entry[3]}
    assert lawful == table.permitted
    assert table.compared == _COMPARED
    assert dict(table.unreachable) == _UNREACHABLE


@pytest.mark.slow
@pytest.mark.skipif("PASSPORT_TWIN_DEEP" not in os.environ, reason="takes minutes: make test-twin")
@pytest.mark.timeout(3600)
def test_every_entry_on_more_combinations(stage: Stage) -> None:
    """As above, and on all combinations of facts about grant and project together."""
    assert _compare_all(stage, deep=True).compared > _COMPARED
