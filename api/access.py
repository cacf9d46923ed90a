"""
Which object which caller may see. One function per rule of docs: routes and pages ask here and nowhere else.

Members are told that they may not; holders are told that there is nothing, because what is not theirs is none of
their business.
"""

from __future__ import annotations

import time

from api.auth import Holder
from ledger.domain.records import Member, PassportId
from ledger.domain.vocabulary import Role
from ledger.encoding.hexadecimal import to_hex
from ledger.errors import ChainError, NotFound, NotPermitted
from ledger.policy import member_is_active
from ledger.ports import DecisionRecord, GrantRecord, PassportRecord, TransferRecord
from ledger.service import Service
from ledger.service.authority import require_passport

Subject = Member | Holder


def is_auditor(subject: Subject) -> bool:
    """Tell whether somebody oversees the ledger: an auditor or the committee, whose membership is in force."""
    return (
        isinstance(subject, Member)
        and bool(subject.roles & (Role.AUDITOR | Role.COMMITTEE))
        and member_is_active(subject, int(time.time()))
    )


def passport_for(service: Service, subject: Subject, passport_id: PassportId) -> PassportRecord:
    """
    Return a passport that every member may see, and its holder.

    Raises:
        NotFound: There is none, or not for this holder.
    """
    record = require_passport(service.index, passport_id)
    if isinstance(subject, Holder) and record.passport.holder.lower() != subject.address:
        raise NotFound(f"there is no passport {to_hex(passport_id)}")
    return record


def history_for(service: Service, subject: Subject, passport_id: PassportId) -> PassportRecord:
    """
    Return a passport whose decisions and events somebody may see: its custodian, its holder, an auditor.

    Raises:
        NotFound: There is none, or not for this holder.
        NotPermitted: A member that is neither its custodian nor an auditor asks.
    """
    record = passport_for(service, subject, passport_id)
    if (
        isinstance(subject, Member)
        and record.passport.custodian != subject.member_id
        and not is_auditor(subject)
    ):
        raise NotPermitted(
            f"{subject.name} does not keep passport {to_hex(passport_id)}",
            fix="Its custodian, its holder and auditors can see this.",
        )
    return record


def decision_for(service: Service, subject: Subject, passport_id: PassportId, seq: int) -> DecisionRecord:
    """
    Return a decision that somebody may see: its requester, and who may see the passport's history.

    Raises:
        NotFound: There is none, or not for this holder.
        NotPermitted: A member that it does not concern asks.
    """
    if isinstance(subject, Member):
        record = service.decisions.get(passport_id, seq)
        if record.member_id == subject.member_id:
            return record
    history_for(service, subject, passport_id)
    return service.decisions.get(passport_id, seq)


def grant_for(service: Service, subject: Subject, grant: GrantRecord) -> GrantRecord:
    """
    Check that somebody may see a grant: its recipients, who asked for it, and who may see the passport's history.

    Raises:
        NotFound: Not for this holder.
        NotPermitted: A member that it does not concern asks.
    """
    if not (isinstance(subject, Member) and _is_for(grant, subject)):
        history_for(service, subject, grant.passport_id)
    return grant


def _is_for(grant: GrantRecord, member: Member) -> bool:
    is_of_kind = bool(grant.state.recipient_kinds >> member.kind & 1)
    return member.member_id in (grant.state.recipient, grant.requested_by) or is_of_kind


def transfer_for(subject: Member, record: TransferRecord) -> TransferRecord:
    """
    Check that a member may see a transfer: its sender, its recipient, an auditor.

    Raises:
        NotPermitted: A member that it does not concern asks.
    """
    transfer = record.transfer
    if subject.member_id not in (transfer.sender, transfer.recipient) and not is_auditor(subject):
        raise NotPermitted(
            f"{subject.name} has no part in transfer {to_hex(transfer.transfer_id)}",
            fix="Its sender, its recipient and auditors can see this.",
        )
    return record


def relayer_for(service: Service, subject: Subject, passport_id: PassportId) -> Member:
    """
    Return the member whose account brings a holder's signature to the chain: the caller, or the custodian.

    Raises:
        NotFound: There is no such passport, or not for this holder.
    """
    if isinstance(subject, Member):
        return subject
    return service.members.get(passport_for(service, subject, passport_id).passport.custodian)


def now_of(service: Service) -> int:
    """Return the chain's time; while the node does not answer, the time of the clock."""
    try:
        return service.chain.now()
    except ChainError:
        return int(time.time())
