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
from ledger.domain.vocabulary import Fact, Outcome, StepFact, StepKind
from tests.twin.machine import ContractAndTwin, Stage

HISTORIES: Final = int(os.environ.get("PASSPORT_TWIN_HISTORIES", "200"))
STEPS: Final = int(os.environ.get("PASSPORT_TWIN_STEPS", "50"))
#: From how many histories on nearly everything that can happen must have happened: all but so many.
_RICH: Final = 200
_UNSEEN: Final = 3
#: From how many on everything.
_DEEP: Final = 2000
#: Not played: the committee is one member, who acts at once, and guardians sign in tests/contracts/Holders.t.sol.
#: `countCrossing` is the ledger's own: decisions play it. Transfers of many are played at random, contract against twin,
#: in tests/integration/test_transfers.py.
_NOT_PLAYED: Final = {
    *("approve", "execute", "recover", "propose", "setSeat", "setRule", "countCrossing"),
    *("declareTransfer", "inspectTransfer", "loadTransfer", "loadOnward", "shipTransfer", "haltTransfer"),
    *("resumeTransfer", "terminateTransfer", "reportTransfer", "endBorderAccess", "closeTransfer"),
}
#: True of every record, whatever is asked.
_ALWAYS: Final = Fact.BUDGET_LEFT


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
    unseen = [
        *(f"{fact.name} holds" for fact in Fact),
        *(f"{fact.name} fails" for fact in Fact if fact not in _ALWAYS),
        *(f"{kind.name} stands" for kind in StepKind),
        *(f"{fact.name} broken" for fact in StepFact),
        *(
            entry["name"]
            for entry in artifacts.load().abi
            if entry["type"] == "function"
            and entry["stateMutability"] == "nonpayable"
            and entry["name"] not in _NOT_PLAYED
        ),
    ]
    unseen = [what for what in unseen if what not in seen]
    assert len(unseen) <= (_UNSEEN if HISTORIES < _DEEP else 0), unseen
