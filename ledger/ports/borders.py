"""The index of agreements and borders: what members agreed on, and what clears data for a border."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from ledger.domain.records import Agreement, Clearance, Commitment, Position, Thresholds


@dataclass(frozen=True, slots=True)
class AgreementRecord:
    """
    An agreement as the index knows it.

    Attributes:
        text: Commitment to its text.
        position: Where it was proposed.
        signed_at: When the other side signed, seconds since the Unix epoch; 0 before. `ended_at` likewise.
        ended_by: Which side ended it, or 0.
        reasons: Commitment to why; zero before.
    """

    agreement: Agreement
    text: Commitment
    position: Position
    signed_at: int
    ended_at: int
    ended_by: int
    reasons: Commitment


@dataclass(frozen=True, slots=True)
class ClearanceRecord:
    """
    A clearance as the index knows it.

    Attributes:
        filing: Commitment to what was filed.
        position: Where it was given.
        is_latest: Whether no other took its place for its project and exporter.
        withdrawn_at: When it was taken back, seconds since the Unix epoch; 0 if it was not.
        withdrawn_by: Who took it back, or 0.
        reasons: Commitment to why; zero before.
    """

    clearance: Clearance
    filing: Commitment
    position: Position
    is_latest: bool
    withdrawn_at: int
    withdrawn_by: int
    reasons: Commitment


class BorderIndex(Protocol):
    """Agreements and clearances, oldest first, and who may receive data from abroad."""

    def agreement(self, agreement_id: int) -> AgreementRecord | None: ...

    def agreements(self, *, member_id: int | None = None) -> list[AgreementRecord]:
        """Return agreements; those of a member on either side."""

    def clearance(self, clearance_id: int) -> ClearanceRecord | None: ...

    def clearances(
        self, *, project_id: int | None = None, exporter: int | None = None
    ) -> list[ClearanceRecord]: ...

    def border_access(self, member_id: int) -> int:
        """Return until when a member may receive data from abroad, seconds since the Unix epoch; 0 if never."""

    def thresholds(self) -> Thresholds: ...
