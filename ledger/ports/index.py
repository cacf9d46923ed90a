"""The index: what pages and lists are read from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from ledger.domain.records import (
    Address,
    Commitment,
    Event,
    GrantId,
    GrantState,
    Member,
    Passport,
    PassportId,
    PolicyTable,
    Position,
    Project,
    Transfer,
    TransferId,
    Verdict,
)


@dataclass(frozen=True, slots=True)
class GrantRecord:
    """A grant as the index knows it: its state, its words, and where it was given."""

    grant_id: GrantId
    passport_id: PassportId
    state: GrantState
    terms: Commitment
    supersedes: GrantId
    successor: GrantId | None
    position: Position


@dataclass(frozen=True, slots=True)
class DecisionRecord:
    """A decision as the index knows it."""

    passport_id: PassportId
    grant_id: GrantId
    member_id: int
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
    """A transfer as the index knows it."""

    transfer: Transfer
    shipped: Position
    received: Position | None


@dataclass(frozen=True, slots=True)
class IndexState:
    """How far the index has come, and whether it agrees with the contract."""

    block_number: int
    block_hash: bytes
    chain_head: int
    consistent: bool
    error: str | None = None


class Index(Protocol):
    """The projection of the chain that pages and lists are read from. Never trusted for a decision."""

    def state(self) -> IndexState: ...

    def wait_for(self, block_number: int, *, timeout: float) -> bool:
        """Wait until the index has reached a block; False after *timeout* seconds."""

    def members(self) -> list[Member]: ...

    def member(self, member_id: int) -> Member | None: ...

    def member_by_signing_key(self, signing_key: bytes) -> Member | None: ...

    def passport(self, passport_id: PassportId) -> PassportRecord | None: ...

    def passports(
        self,
        *,
        custodian: int | None = None,
        holder: Address | None = None,
        after: str | None = None,
        limit: int = 100,
    ) -> tuple[list[PassportRecord], str | None]:
        """Return passports, oldest first, and the cursor of the next page."""

    def grant(self, grant_id: GrantId) -> GrantRecord | None: ...

    def grants(
        self,
        *,
        passport_id: PassportId | None = None,
        recipient: int | None = None,
        after: str | None = None,
        limit: int = 100,
    ) -> tuple[list[GrantRecord], str | None]:
        """Return grants, oldest first, and the cursor of the next page."""

    def project(self, project_id: int) -> Project | None: ...

    def projects(self, *, member_id: int | None = None) -> list[Project]: ...

    def decision(self, passport_id: PassportId, seq: int) -> DecisionRecord | None: ...

    def decisions(
        self,
        *,
        passport_id: PassportId | None = None,
        member_id: int | None = None,
        custodian: int | None = None,
        newest_first: bool = True,
        after: str | None = None,
        limit: int = 100,
    ) -> tuple[list[DecisionRecord], str | None]:
        """Return decisions in the order of the chain or its reverse, and the cursor of the next page."""

    def releases(self, passport_id: PassportId) -> dict[int, Position]:
        """Return where each released decision of a passport was recorded as released, by seq."""

    def transfer(self, transfer_id: TransferId) -> TransferRecord | None: ...

    def transfers(
        self, *, member_id: int | None = None, passport_id: PassportId | None = None, limit: int | None = 100
    ) -> list[TransferRecord]:
        """Return transfers, newest first; all of them without a limit."""

    def policy(self, version: int | None = None) -> PolicyTable | None:
        """Return a version of the law, or the one in force."""

    def events(
        self, *, passport_id: PassportId | None = None, after: str | None = None, limit: int = 100
    ) -> tuple[list[Event], str | None]:
        """Return events in the order of the chain, and the cursor of the next page."""
