"""
Contract and twin agree on random histories, step by step.

`PASSPORT_TWIN_HISTORIES` and `PASSPORT_TWIN_STEPS` make it search longer; `make test-twin` plays 2,000.
"""

from __future__ import annotations

import os
from typing import Final

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from ledger.chain import artifacts
from ledger.domain.vocabulary import ASKED_ON_DEMAND, Fact, Outcome
from tests.twin.machine import ContractAndTwin, Stage

HISTORIES: Final = int(os.environ.get("PASSPORT_TWIN_HISTORIES", "200"))
STEPS: Final = int(os.environ.get("PASSPORT_TWIN_STEPS", "50"))
#: From how many histories on everything that can happen must have happened.
_RICH: Final = 200
#: Not played: the committee is one member, who acts at once, and guardians sign in tests/contracts/Holders.t.sol.
_NOT_PLAYED: Final = {"approve", "execute", "recover", "setSeat", "setRule"}
#: True of every record, whatever is asked.
_ALWAYS: Final = Fact.DATASET_CURRENT | Fact.BUDGET_LEFT
#: Facts on demand seldom happen to be required where they hold: `test_table` and `test_boundaries` meet them all.
_EXPECTED: Final = ~ASKED_ON_DEMAND & Fact(0xFFFFFFFF)


@pytest.mark.timeout(120 + 6 * HISTORIES)
def test_contract_and_twin_agree_after_every_step(stage: Stage) -> None:
    """Refusals, events, verdicts and views are equal in every history; the replay of each finds nothing."""
    ContractAndTwin.stage = stage
    seen = ContractAndTwin.seen
    seen.clear()
    run_state_machine_as_test(
        ContractAndTwin,
        settings=settings(
            max_examples=HISTORIES,
            stateful_step_count=STEPS,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    if HISTORIES < _RICH:
        return
    # The histories would prove nothing if little happened in them.
    assert {outcome.name for outcome in Outcome} <= set(seen)
    assert [] == [fact.name for fact in _EXPECTED if f"{fact.name} holds" not in seen]
    assert [] == [fact.name for fact in _EXPECTED & ~_ALWAYS if f"{fact.name} fails" not in seen]
    done = {
        entry["name"]
        for entry in artifacts.load().abi
        if entry["type"] == "function" and entry["stateMutability"] == "nonpayable"
    }
    assert [] == sorted(done - _NOT_PLAYED - {"propose"} - set(seen))
