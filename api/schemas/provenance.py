"""Provenance: where data came from and where it went."""

from __future__ import annotations

from api.schemas.base import Model
from api.schemas.chain import EventOut, event_out
from api.schemas.members import MemberName
from api.schemas.passports import PassportOut, passport_out
from api.schemas.transfers import TransferOut, transfer_out
from ledger.service.provenance import PassportHistory


class CopyOut(Model):
    """A member that holds, or held, a copy: as custodian, or by a transfer."""

    member: MemberName | None
    transfer: TransferOut | None


class HistoryOut(Model):
    """Where data came from and where it went."""

    passport: PassportOut
    copies: list[CopyOut]
    events: list[EventOut]
    next: str | None = None


def history_out(history: PassportHistory) -> HistoryOut:
    """Write the history of a passport."""
    return HistoryOut(
        passport=passport_out(history.passport),
        copies=[
            CopyOut(
                member=MemberName(member_id=copy.member.member_id, name=copy.member.name)
                if copy.member
                else None,
                transfer=transfer_out(copy.transfer) if copy.transfer else None,
            )
            for copy in history.holders_of_copies
        ],
        events=[event_out(event) for event in history.events],
        next=history.next_cursor,
    )
