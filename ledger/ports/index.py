"""The index: what pages and lists are read from."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum
from typing import Final, Protocol

from ledger.domain.records import (
    Attestation,
    Caps,
    Commitment,
    Emergency,
    EmergencyRight,
    Entrustment,
    Event,
    GrantId,
    GrantState,
    HolderKey,
    Member,
    Passport,
    PassportId,
    PolicyTable,
    Position,
    Project,
    Template,
    Terms,
    Transfer,
    TransferId,
    TransferItem,
    TransferNote,
    Verdict,
)
from ledger.domain.vocabulary import ActKind, AttestationKind, Basis, Custody, SeatKind, TransferStatus
from ledger.ports.borders import BorderIndex
from ledger.ports.lineage import LineageIndex

#: How many blocks the index may be behind the chain before a service is not ready.
MAX_LAG_BLOCKS: Final = 10


@dataclass(frozen=True, slots=True)
class GrantRecord:
    """
    A grant as the index knows it: its state, its words, and where it was given or asked for.

    Attributes:
        requested_by: Member that asked for it, or 0.
        evidence: Commitment to the evidence on paper, if it was filed.
        ended_at: When it was withdrawn, refused, replaced or repudiated, seconds since the Unix epoch; 0 before.
    """

    grant_id: GrantId
    passport_id: PassportId
    state: GrantState
    terms: Commitment
    supersedes: GrantId
    successor: GrantId | None
    position: Position
    template: int = 0
    requested_by: int = 0
    evidence: Commitment | None = None
    ended_at: int = 0


class GrantStage(Enum):
    """Where a grant stands for its holder: it waits for an answer, or was given and is not over, or neither."""

    WAITING = "waiting"
    LIVE = "live"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class DecisionRecord:
    """A decision as the index knows it."""

    passport_id: PassportId
    grant_id: GrantId
    member_id: int
    terms: Terms
    verdict: Verdict
    commitment: Commitment
    position: Position


@dataclass(frozen=True, slots=True)
class PassportRecord:
    """A passport as the index knows it."""

    passport: Passport
    position: Position


@dataclass(frozen=True, slots=True)
class TransferRecord:
    """
    A transfer as the index knows it.

    Attributes:
        shipped: None of one of many records that is not shipped yet.
        declared: Of many records: where it was declared.
        description: Of many: commitment to what was said of it.
        root_matches: Whether the content is the root of what was loaded; True of one record, and before it is shipped.
        notes: Of many: what members did about it, oldest first.
    """

    transfer: Transfer
    shipped: Position | None
    received: Position | None
    declared: Position | None = None
    description: Commitment | None = None
    root_matches: bool = True
    notes: tuple[TransferNote, ...] = ()

    @property
    def begun(self) -> Position:
        """Return where it came to the ledger: declared, or, of one record, shipped."""
        begun = self.declared or self.shipped
        assert begun is not None  # noqa: S101 - there is no transfer without either
        return begun


@dataclass(frozen=True, slots=True)
class EmergencyRecord:
    """
    An emergency as the index knows it.

    Attributes:
        reason: Code of the reason of an individual one, 0 for a public one.
        sealed_until: Until when the subject is told only that there was an access, by whom and why it is sealed.
        reviewer: Member that reviewed it, or 0.
        statement: Commitment to the reasons of an individual one in words, to the document of a public one.
        opinion: Commitment to the reviewer's opinion; zero before.
        reviewed_at: When it was reviewed, seconds since the Unix epoch; 0 before.
    """

    emergency: Emergency
    position: Position
    reason: int
    sealed_until: int
    reviewer: int
    statement: Commitment
    opinion: Commitment
    reviewed_at: int


@dataclass(frozen=True, slots=True)
class ReviewRecord:
    """
    The review of a request that only a human's look was missing for.

    Attributes:
        reviewer: Member that answered, or 0 while it waits.
        approved_until: Until when the same request holds, exclusive; 0 if it waits or was refused.
        opinion: Commitment to the opinion; zero before.
        reviewed_at: When it was answered, seconds since the Unix epoch; 0 before.
    """

    passport_id: PassportId
    seq: int
    reviewer: int
    approved_until: int
    opinion: Commitment
    reviewed_at: int


@dataclass(frozen=True, slots=True)
class DecisionCount:
    """How many decisions of a member rest on a basis."""

    member_id: int
    basis: Basis
    decisions: int


@dataclass(frozen=True, slots=True)
class Rule:
    """What acts of a kind need: how many seats, which kinds of seats among them, and how long it waits."""

    kind: ActKind
    quorum: int
    seats: int
    delay_seconds: int


@dataclass(frozen=True, slots=True)
class ActRecord:
    """
    An act of the committee as the index knows it.

    Attributes:
        call: Calldata of the ledger's function that it does.
        approvers: Members whose seats approved it, in order.
        executed_at: When it was done, seconds since the Unix epoch; 0 before.
    """

    act_id: int
    kind: ActKind
    call: bytes
    approvers: tuple[int, ...]
    proposed: Position
    executed_at: int


@dataclass(frozen=True, slots=True)
class RecoveryRecord:
    """A replacement of a lost holder's key that waits for an objection."""

    holder: HolderKey
    custody: Custody
    ready_at: int
    by_custodian: bool


@dataclass(frozen=True, slots=True)
class IndexState:
    """How far the index has come, and whether it agrees with the contract."""

    block_number: int
    block_hash: bytes
    chain_head: int
    consistent: bool
    error: str | None = None


class Index(LineageIndex, BorderIndex, Protocol):
    """The projection of the chain that pages and lists are read from. Never trusted for a decision."""

    def state(self) -> IndexState: ...

    def wait_for(self, block_number: int, *, timeout: float) -> bool:
        """Wait until the index has reached a block; False after *timeout* seconds."""

    def members(self) -> list[Member]: ...

    def member(self, member_id: int) -> Member | None: ...

    def member_by_signing_key(self, signing_key: bytes) -> Member | None: ...

    def passport(self, passport_id: PassportId) -> PassportRecord | None: ...

    def known_passports(self, passport_ids: Collection[PassportId]) -> set[PassportId]:
        """Return those of some passports that there are."""

    def passports(
        self,
        *,
        custodian: int | None = None,
        holder: HolderKey | None = None,
        also: Collection[PassportId] = (),
        after: str | None = None,
        limit: int = 100,
    ) -> tuple[list[PassportRecord], str | None]:
        """Return passports, those *also* named by a holder's among them, oldest first, and the next page's cursor."""

    def grant(self, grant_id: GrantId, *, passport_id: PassportId | None = None) -> GrantRecord | None:
        """
        Return a grant.

        One id may have been asked for of several passports: without *passport_id* it is the one that was given, or else
        the first that was asked for.
        """

    def grants_named(
        self, names: Collection[tuple[PassportId, GrantId]]
    ) -> dict[tuple[PassportId, GrantId], GrantRecord]:
        """Return those of some passports' grants that there are, by passport and id."""

    def grants(
        self,
        *,
        passport_id: PassportId | None = None,
        recipient: Member | None = None,
        by_kind: bool = True,
        after: str | None = None,
        limit: int = 100,
    ) -> tuple[list[GrantRecord], str | None]:
        """
        Return grants, oldest first, and the cursor of the next page.

        Those for a *recipient* are those that name it or, *by_kind*, its kind of members, and those it asked for that name nobody.
        """

    def grants_at(
        self,
        passport_id: PassportId,
        stage: GrantStage,
        *,
        at: int,
        after: str | None = None,
        limit: int = 100,
    ) -> tuple[list[GrantRecord], str | None]:
        """Return a passport's grants that have come to a stage at a time, newest first, and the cursor of the next page."""

    def project(self, project_id: int) -> Project | None: ...

    def projects(self, *, member_id: int | None = None) -> list[Project]: ...

    def decision(self, passport_id: PassportId, seq: int) -> DecisionRecord | None: ...

    def decisions_named(
        self, names: Collection[tuple[PassportId, int]]
    ) -> dict[tuple[PassportId, int], DecisionRecord]:
        """Return those of some decisions that there are, by passport and number."""

    def decisions(
        self,
        *,
        passport_id: PassportId | None = None,
        member_id: int | None = None,
        after: str | None = None,
        limit: int = 100,
    ) -> tuple[list[DecisionRecord], str | None]:
        """Return decisions, newest first, and the cursor of the next page."""

    def releases_named(
        self, names: Collection[tuple[PassportId, int]]
    ) -> dict[tuple[PassportId, int], Position]:
        """Return where those of some decisions that were released were recorded as released, by passport and number."""

    def transfer(self, transfer_id: TransferId) -> TransferRecord | None: ...

    def transfers(
        self,
        *,
        member_id: int | None = None,
        passport_id: PassportId | None = None,
        status: TransferStatus | None = None,
        limit: int | None = 100,
    ) -> list[TransferRecord]:
        """Return transfers, newest first; all of them without a limit. Of a passport, those of many that hold it too."""

    def transfers_of_member(
        self, member_id: int, *, after: str | None = None, limit: int = 100
    ) -> tuple[list[TransferRecord], str | None]:
        """Return what a member sent and received, newest first, and the cursor of the next page."""

    def onward_transfers(self, parent: TransferId) -> list[TransferRecord]:
        """Return the transfers that pass on what *parent* brought, newest first."""

    def transfer_items(
        self, transfer_id: TransferId, *, after: int = -1, limit: int | None = None
    ) -> list[TransferItem]:
        """Return the records loaded into a transfer, in the order of its tree; all of them without a limit."""

    def items_of(self, passport_id: PassportId) -> list[tuple[TransferId, TransferItem]]:
        """Return where a passport was loaded into transfers of many, oldest first."""

    def unsettled_transfers(self, *, shipped_before: int, due_before: int) -> list[TransferRecord]:
        """
        Return transfers that two members do not tell alike, oldest first.

        Args:
            shipped_before: What was shipped before this time and not answered is among them.
            due_before: What had to be reported on before this time and was not is among them.
        """

    def caps(self, member_id: int, day: int) -> Caps:
        """Return a member's daily caps, and what counts against them on a day (days since the Unix epoch)."""

    def entrustment(self, controller: int, processor: int) -> Entrustment | None: ...

    def entrustments(self, member_id: int) -> dict[tuple[int, int], Entrustment]:
        """Return what a member entrusted others with, or was entrusted with, by controller and processor."""

    def template(self, number: int) -> Template | None: ...

    def templates(self) -> list[Template]: ...

    def attestations(self, subject: bytes) -> dict[AttestationKind, Attestation]:
        """Return the latest statements about a passport (its id) or a project (its number as 32 bytes)."""

    def emergency(self, emergency_id: int) -> EmergencyRecord | None: ...

    def emergencies(
        self, *, member_id: int | None = None, passport_id: PassportId | None = None
    ) -> list[EmergencyRecord]:
        """Return emergencies, oldest first."""

    def emergency_right(self, member_id: int) -> EmergencyRight: ...

    def review(self, passport_id: PassportId, seq: int) -> ReviewRecord | None:
        """Return the review of a request that only a human's look was missing for; None for other requests."""

    def waiting_reviews(self) -> list[ReviewRecord]:
        """Return the requests that wait for a human, by passport and number."""

    def decision_counts(self) -> list[DecisionCount]:
        """Return how many decisions there are, by member and basis."""

    def seats(self) -> dict[int, SeatKind]: ...

    def rules(self) -> list[Rule]: ...

    def act(self, act_id: int) -> ActRecord | None: ...

    def acts(self) -> list[ActRecord]:
        """Return all acts, oldest first."""

    def guardians(self, passport_id: PassportId) -> bytes | None: ...

    def recovery(self, passport_id: PassportId) -> RecoveryRecord | None: ...

    def delegations(self, delegate: HolderKey) -> dict[PassportId, int]:
        """Return until when a key may speak for each subject that let it, seconds since the Unix epoch, exclusive."""

    def delegates(self, passport_id: PassportId) -> dict[HolderKey, int]:
        """Return until when each key may speak for the subject besides the holder's."""

    def policy(self, version: int | None = None) -> PolicyTable | None:
        """Return a version of the law, or the one in force."""

    def events(
        self, *, passport_id: PassportId | None = None, after: str | None = None, limit: int = 100
    ) -> tuple[list[Event], str | None]:
        """Return events in the order of the chain, and the cursor of the next page."""

    def events_since(self, last: Position | None, *, limit: int) -> list[Event] | None:
        """Return events after the one at *last*, or from the first on; None if the index has none there (any more)."""

    def first_event_naming(self, word: bytes) -> Event | None:
        """Return the first event of the chain of which an argument, or a part of one, is a word of 32 bytes."""
