"""
Every decision decided again, and every step.

For each recorded decision the law is applied to the state that the events before it add up to, at the time of its
block, and the whole verdict word is compared; so are the rules that each recorded step broke. The numbers in comments are those of docs/spec.md, "Verifying".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from ledger.audit.folds import apply, decision_entry, declaration_entry, step_entry
from ledger.audit.state import DecisionEntry, DeclarationEntry, LedgerState, StepEntry
from ledger.domain.records import Event, Request, Terms, Verdict
from ledger.domain.vocabulary import Fact, Outcome, StepFact, TransferFact
from ledger.encoding.words import pack_verdict
from ledger.errors import VerificationError
from ledger.lineage import missing_of
from ledger.policy import decide
from ledger.transfers import crosses
from ledger.transfers import missing_of as missing_of_transfer

#: The parts of a verdict, in the order of the word.
_FIELDS = tuple(Verdict.__dataclass_fields__)


@dataclass(frozen=True, slots=True)
class Mismatch:
    """
    A decision that the law would have answered otherwise.

    Attributes:
        entry: The decision as recorded.
        expected: The verdict by the law; None if the recorded word cannot be read.
        differences: For each part of the verdict that differs: its name, the recorded and the expected value.
    """

    entry: DecisionEntry
    expected: Verdict | None
    differences: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class StepMismatch:
    """
    A step that broke other rules than were recorded.

    Attributes:
        entry: The step as recorded.
        expected: The rules that it broke.
    """

    entry: StepEntry
    expected: StepFact


@dataclass(frozen=True, slots=True)
class TransferMismatch:
    """
    A transfer of many records whose declaration was not answered by its rules.

    Attributes:
        entry: The declaration as recorded.
        expected: The rules that it broke.
        crosses: Whether it crosses a border.
    """

    entry: DeclarationEntry
    expected: TransferFact
    crosses: bool


@dataclass(slots=True)
class Replay:
    """
    A replay as far as it has come.

    Attributes:
        state: What the events so far add up to.
        decisions: Decisions found; each is a permit, a review or a denial.
        permits: Of these, permitted, as recorded.
        reviews: Of these, left to a human, as recorded.
        mismatches: Decisions that the law would have answered otherwise, in the order of the chain.
        denied_facts: How many denials lacked each set of facts.
        step_mismatches: Steps that broke other rules than were recorded, in the order of the chain.
        transfer_mismatches: Declared transfers of which the same is true.
    """

    state: LedgerState = field(default_factory=LedgerState)
    decisions: int = 0
    permits: int = 0
    reviews: int = 0
    mismatches: list[Mismatch] = field(default_factory=list)
    denied_facts: Counter[int] = field(default_factory=Counter)
    step_mismatches: list[StepMismatch] = field(default_factory=list)
    transfer_mismatches: list[TransferMismatch] = field(default_factory=list)

    def take(self, event: Event) -> None:
        """
        Take the next event: decide it again if it is a decision, a step or a declaration, then fold it into the state.

        Raises:
            VerificationError: The event speaks of something no earlier event brought about.
        """
        if event.name == "DecisionRecorded":
            self._check(decision_entry(event.arguments, event.position))
        self.follow(event)

    def follow(self, event: Event) -> None:
        """
        Take the next event, but leave decisions to whoever decides them elsewhere.

        Raises:
            VerificationError: The event speaks of something no earlier event brought about.
        """
        if event.name == "StepRecorded":
            self._check_step(step_entry(self.state, event.arguments, event.position))
        elif event.name == "TransferDeclared":
            self._check_transfer(declaration_entry(event.arguments, event.position))
        apply(self.state, event)

    @property
    def denied(self) -> int:
        """Return how many decisions were denials."""
        return self.decisions - self.permits - self.reviews

    @property
    def denials(self) -> dict[Fact, int]:
        """Return for each fact how many denials lacked it, most frequent first. A denial may lack several."""
        found: Counter[Fact] = Counter()
        for missing, count in self.denied_facts.items():
            for fact in Fact:
                if missing & fact:
                    found[fact] += count
        return dict(found.most_common())

    def _check(self, entry: DecisionEntry) -> None:
        self.decisions += 1
        if entry.outcome == Outcome.PERMIT:
            self.permits += 1
        elif entry.outcome == Outcome.REVIEW:
            self.reviews += 1
        else:
            self.denied_facts[entry.missing] += 1
        try:
            asked, recorded = entry.terms, entry.verdict
        except VerificationError as error:
            self.mismatches.append(Mismatch(entry, None, (("word", f"{entry.word:#066x}", error.message),)))
            return
        expected = decide_again(self.state, entry, asked)
        # 5. and 6. All 256 bits, the number of the decision among them.
        if pack_verdict(expected) != entry.word:
            self.mismatches.append(Mismatch(entry, expected, differences(recorded, expected)))

    def _check_step(self, entry: StepEntry) -> None:
        record, at = entry.record, entry.position.time
        # 5. From the state before the step; only what the member says it did is taken from the event.
        expected = missing_of(record.step, self.state.step_situation(record.step, record.team, at))
        if expected != record.missing:
            self.step_mismatches.append(StepMismatch(entry, expected))

    def _check_transfer(self, entry: DeclarationEntry) -> None:
        transfer, declared = entry.transfer, entry.transfer.consignment
        assert declared is not None  # noqa: S101 -- an entry of a declaration
        situation = self.state.transfer_situation(declared, transfer.sender, entry.position.time)
        expected = missing_of_transfer(declared, situation)
        abroad = crosses(declared, situation.sender, situation.recipient)
        recipient = situation.agreement.recipient
        provider = situation.agreement.provider
        if (expected, abroad) != (transfer.missing, transfer.crosses) or (provider, recipient) != (
            transfer.sender,
            transfer.recipient,
        ):
            self.transfer_mismatches.append(TransferMismatch(entry, expected, abroad))


def replay(events: Iterable[Event]) -> Replay:
    """
    Replay events from the first one of the ledger on, in the order of the chain.

    Raises:
        VerificationError: An event speaks of something no earlier event brought about.
    """
    result = Replay()
    for event in events:
        result.take(event)
    return result


def decide_again(state: LedgerState, entry: DecisionEntry, asked: Terms) -> Verdict:
    """
    Answer the request behind a recorded decision from the state before it.

    Args:
        state: What all events before the decision add up to, those before it in the same transaction included.
        entry: The decision; only what the requester asked is taken from it, never the answer.
        asked: Its terms.

    Raises:
        VerificationError: The passport or the requester is unknown, or no law is in force.
    """
    request = Request(entry.passport_id, entry.grant_id, entry.commitment, asked)
    return decide(request, state.situation(request, entry.member_id, entry.position.time))


def differences(recorded: Verdict, expected: Verdict) -> tuple[tuple[str, str, str], ...]:
    """Return for each part of a verdict that differs its name, the recorded and the expected value."""
    pairs = ((name, getattr(recorded, name), getattr(expected, name)) for name in _FIELDS)
    return tuple((name, _word(was), _word(should)) for name, was, should in pairs if was != should)


def _word(value: int) -> str:
    return getattr(value, "name", None) or str(int(value))
