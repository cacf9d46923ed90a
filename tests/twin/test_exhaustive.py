"""The comparison of all combinations, on the small entries; and that it notices whatever differs by one bit."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ledger.domain.records import PolicyTable
from ledger.domain.vocabulary import Basis, DataClass, Fact, Purpose
from ledger.encoding.structs import policy_values
from tests.support.data import ROOT
from tests.twin.exhaustive import Comparison, Tally, Unit, sweep, units_of
from tests.twin.machine import Stage
from tests.twin.table import WHOLE, Table, cases_of, entries

_ENTRY = DataClass.SENSITIVE, Purpose.PAYMENT, Basis.CUSTODIAN_CARE
_COMPARED = 5_848
_UNREACHABLE = {
    "no categories of this class are so for this purpose": 4_256,
    "the law lets this be handed over as recorded": 2_296,
    "what is handed over de-identified is at every level that the law demands": 288,
}


def _small(units: list[Unit]) -> list[Unit]:
    return [unit for unit in units if unit.facts <= WHOLE]


def test_every_combination_of_small_entries(stage: Stage) -> None:
    """0 differences; as many cases as `cases_of` names, one by one."""
    total = Tally()
    units = []
    for unit, tally in sweep(stage, _small, plain_every=1):
        units.append(unit)
        total.add(tally)
    law = stage.begin().state.law
    assert {entry for unit in units for entry in unit.entries} == {
        entry for entry in entries(law) if len(list(entry[3])) <= WHOLE
    }
    cases = sum(len(list(case.required)) <= WHOLE for case in cases_of(law))
    assert cases == total.compared + total.unreachable.total() == total.combinations + total.direct
    assert total.differences == 0, total.examples
    assert total.plain == total.compared == _COMPARED
    assert dict(total.unreachable) == _UNREACHABLE


def test_one_bit_that_differs_is_found(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the law that the twin goes by, and in what the contract answers."""
    table = Table(stage)
    table.build(lambda _: ())
    next(table.phases())
    unit = next(
        Unit((entry,), Fact(0))
        for every in units_of(table.law)
        for entry in every.entries
        if entry[:3] == _ENTRY
    )
    whole = _compared(table, unit)
    assert whole.differences == 0
    lacking = sum(
        case.missing & (Fact.CATEGORIES_NECESSARY | Fact.PASSPORT_OPEN) == Fact.CATEGORIES_NECESSARY
        and not isinstance(table.request(case), str)
        for case in cases_of(table.law)
        if (case.data_class, case.purpose, case.basis) == _ENTRY
    )
    state, events = table.model.state, table.model.events
    law, kept = state.law, list(events)
    for fact, expected in ((Fact.CATEGORIES_NECESSARY, lacking), (Fact.ENCRYPTED, whole.compared)):
        forged = _flipped(law, fact)
        state.policies[law.version] = forged  # which the plain twin reads
        assert expected == _compared(table, unit).differences > 0
        state.policies[law.version] = law
        last = max(place for place, event in enumerate(events) if event.name == "PolicySet")
        words = {**events[last].arguments, "table": policy_values(forged)}
        events[last] = replace(events[last], arguments=words)  # which the twin in columns reads
        assert expected == _compared(table, unit).differences > 0
        events[:] = kept
    ask = stage.chain.call_if_gas
    # Of the first verdict: its number, its outcome (permitted, or left to a human), what holds, what is missing.
    for bit in (0, 81, 88, 120):
        monkeypatch.setattr(stage.chain, "call_if_gas", _forging(ask, bit))
        found = _compared(table, unit)
        assert found.differences == 1, bit
        assert len(found.examples) == 1


def test_a_run_that_was_stopped_goes_on(tmp_path: Path) -> None:
    """The command finds the same, whether it does all at once or goes on; other sources are not gone on with."""
    progress = tmp_path / "progress.jsonl"
    first = _run(progress)
    lines = progress.read_text().splitlines()
    assert len(lines) == 4  # entries of no fact, entries of six facts in two phases
    progress.write_text("\n".join(lines[:-1]) + "\n")
    second = _run(progress)
    assert len(progress.read_text().splitlines()) == 4
    for found in (first, second):
        assert found.pop("seconds") > 0
        assert found.pop("per_second") > 0
    assert first == second
    assert (527, 456, 0) == (first["combinations"], first["compared"], first["differences"])
    progress.write_text(progress.read_text().replace('"sources": "', '"sources": "0'))
    with pytest.raises(subprocess.CalledProcessError) as refused:
        _run(progress)
    assert "remove it" in refused.value.stderr


def _run(progress: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "scripts.check_table", "--facts", "6", "--json", "--progress", progress]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _compared(table: Table, unit: Unit) -> Tally:
    return Comparison(table, plain_every=16).compare(unit)


def _flipped(law: PolicyTable, fact: Fact) -> PolicyTable:
    """Return a law in which one entry requires a fact more or less."""
    data_class, purpose, basis = _ENTRY
    required = list(law.required)
    required[(data_class - 1) * 16 + purpose] ^= int(fact) << 32 * basis
    return replace(law, required=tuple(required))


def _forging(ask: Callable[..., bytes | None], bit: int) -> Callable[..., bytes | None]:
    """Return what asks the contract, and flips a bit of the first verdict that is ever answered."""
    forged = []

    def answer(*arguments: object) -> bytes | None:
        found = ask(*arguments)
        if forged or found is None:
            return found
        forged.append(bit)
        verdict = int.from_bytes(found[64:96], "big") ^ 1 << bit
        return found[:64] + verdict.to_bytes(32, "big") + found[96:]

    return answer
