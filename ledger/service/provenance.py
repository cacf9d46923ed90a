"""Provenance: everything the ledger recorded about a passport, and who had its data."""

from __future__ import annotations

from dataclasses import dataclass

from ledger.domain.records import Event, Member, PassportId
from ledger.ports import Index, PassportRecord, TransferRecord
from ledger.service.authority import require_passport


@dataclass(frozen=True, slots=True)
class Custodianship:
    """A member that holds, or held, a copy: as custodian, or by a transfer."""

    member: Member | None
    transfer: TransferRecord | None


@dataclass(frozen=True, slots=True)
class PassportHistory:
    """A passport, who holds copies of its data, and its events in the order of the chain."""

    passport: PassportRecord
    holders_of_copies: tuple[Custodianship, ...]
    events: tuple[Event, ...]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where data came from and where it went."""

    index: Index

    def of(self, passport_id: PassportId, *, after: str | None = None, limit: int = 100) -> PassportHistory:
        """
        Return the history of a passport.

        Raises:
            NotFound: There is no such passport.
        """
        record = require_passport(self.index, passport_id)
        copies = [Custodianship(self.index.member(record.passport.custodian), None)]
        copies.extend(
            Custodianship(self.index.member(transfer.transfer.recipient), transfer)
            for transfer in self.index.transfers(passport_id=passport_id, limit=None)
        )
        events, cursor = self.index.events(passport_id=passport_id, after=after, limit=limit)
        return PassportHistory(record, tuple(copies), tuple(events), cursor)
