"""
Who is in which dataset, on which consent that rests now, and which withdrawal ended it: derived from the folded state.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ledger.audit.state import DecisionEntry, LedgerState, Withdrawal
from ledger.domain.records import NO_GRANT, GrantId, Position
from ledger.domain.vocabulary import Operation


@dataclass(frozen=True, slots=True)
class Inclusion:
    """
    A decision that included somebody into a dataset.

    Attributes:
        grant_id: The consent that it was decided under; zero if it rests on none.
        rests_on: That consent, or the one that replaced it and permits no less.
        withdrawal: Which of the dataset's withdrawals ended it, as the ledger announced them; None while it stands.
    """

    decision: DecisionEntry
    dataset_id: int
    grant_id: GrantId
    rests_on: GrantId
    withdrawal: Withdrawal | None

    def is_in(self, collected: Position) -> bool:
        """Tell whether what was collected of the dataset there holds it: after the inclusion, before what ended it."""
        ended = self.withdrawal is not None and self.withdrawal.position.order < collected.order
        return self.decision.position.order < collected.order and not ended


def inclusions_of(state: LedgerState) -> Iterator[Inclusion]:
    """Yield every inclusion, in the order of the chain."""
    ends = {(withdrawal.dataset_id, withdrawal.grant_id): withdrawal for withdrawal in state.announced}
    found = (entry for entries in state.decisions.values() for entry in entries.values())
    included = [entry for entry in found if entry.permits(Operation.INCLUDE)]
    for entry in sorted(included, key=lambda entry: entry.position.order):
        yield _inclusion(state, entry, ends)


def _inclusion(
    state: LedgerState, entry: DecisionEntry, ends: dict[tuple[int, GrantId], Withdrawal]
) -> Inclusion:
    dataset_id = entry.asked >> 176 & 0xFFFFFFFF
    given = entry.grant_id if entry.rests_on_consent else NO_GRANT
    rests_on, withdrawal = given, ends.get((dataset_id, given))
    # A consent that was replaced without a withdrawal lives on in its successor.
    while withdrawal is None and (grant := state.grants.get((entry.passport_id, rests_on))) is not None:
        if grant.successor is None:
            break
        rests_on = grant.successor
        withdrawal = ends.get((dataset_id, rests_on))
    return Inclusion(entry, dataset_id, given, rests_on, withdrawal)
