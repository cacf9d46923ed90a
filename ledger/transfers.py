"""
Transfers of many records, decided a second time: the twin of `contracts/modules/Transfers.sol`.

Pure and readable; shares nothing with the contracts but the published numbering. The auditor decides every declaration
on record again with this module. Time is always an argument.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from ledger.domain.records import Agreement, Consignment, Member, Transfer
from ledger.domain.vocabulary import TransferFact, TransferStatus
from ledger.policy import Crossing, is_cleared, member_is_active

#: How long after it was shipped, and after each report, the recipient of data from abroad reports, as the contract has it.
REPORT_SECONDS: Final = 90 * 86_400
#: How long the recipient may take to state what it received, before everybody is told.
ANSWER_SECONDS: Final = 7 * 86_400
#: How many countries a declaration names at most on the way, and as many where the data will be.
MAX_COUNTRIES: Final = 32
#: Where a transfer of many records is on its way, and can be stopped.
RUNNING: Final = frozenset({TransferStatus.DECLARED, TransferStatus.CLEARED, TransferStatus.SHIPPED})


@dataclass(frozen=True, slots=True)
class Parent:
    """
    The transfer by which the sender received what it passes on.

    Attributes:
        received_at: Seconds since the Unix epoch; 0 before.
        agreement: The one that it was under; None if it was of one record, which needs none.
        agreement_in_force: Whether that agreement is.
    """

    transfer: Transfer
    received_at: int
    agreement: Agreement | None
    agreement_in_force: bool


@dataclass(frozen=True, slots=True)
class TransferSituation:
    """
    What the ledger knows that bears on a transfer of many records.

    Attributes:
        at: Time of the block, seconds since the Unix epoch.
        agreement_in_force: Whether the agreement is.
        banned_purposes: What the law in force bans: bit n for purpose n.
        project_owner: Member whose project the declaration names; 0 if it names none that exists.
        crossing: What bears on the sender's data crossing a border to the recipient for that project.
        parent: Where the sender has the records from, if it does not keep them itself.
    """

    at: int
    sender: Member
    recipient: Member
    agreement: Agreement
    agreement_in_force: bool
    banned_purposes: int
    project_owner: int = 0
    crossing: Crossing = field(default_factory=Crossing)
    parent: Parent | None = None


def first_report_due(shipped_at: int, *, crosses: bool) -> int:
    """Return until when the recipient of what was shipped must report first; 0 if it crosses no border."""
    return shipped_at + REPORT_SECONDS if crosses else 0


def is_reporting(transfer: Transfer) -> bool:
    """Tell whether the recipient owes reports: data from abroad was shipped to it, received or not, and is not closed."""
    return transfer.report_due != 0 and transfer.status is not TransferStatus.CLOSED


def status_received(former: TransferStatus, *, matched: bool) -> TransferStatus:
    """
    Return where a transfer stands once its recipient has stated what it received.

    Args:
        former: Where it stood; what was shipped can be halted, terminated or closed before it is answered.
        matched: Whether it is what was shipped.
    """
    if former is TransferStatus.CLOSED:
        return former
    agreed = matched and former is TransferStatus.SHIPPED
    return TransferStatus.RECEIVED if agreed else TransferStatus.DISPUTED


def halted_from(transfer: Transfer) -> TransferStatus:
    """Return where a transfer that is halted goes on from: where it stood, or a former halt has it from."""
    return transfer.halted_from if transfer.status is TransferStatus.HALTED else transfer.status


def crosses(consignment: Consignment, sender: Member, recipient: Member) -> bool:
    """Tell whether recipient, route or storage are in another country than the sender."""
    return {recipient.jurisdiction, *consignment.route, *consignment.places} != {sender.jurisdiction}


def missing_of(consignment: Consignment, situation: TransferSituation) -> TransferFact:
    """Return the rules that a transfer breaks; it stands if there are none."""
    limits = situation.agreement.limits
    within = (
        not consignment.purposes & ~limits.purposes
        and not int(consignment.categories) & ~int(limits.categories)
        and not consignment.purposes & situation.banned_purposes
    )
    home = not crosses(consignment, situation.sender, situation.recipient)
    facts = {
        TransferFact.SENDER_ACTIVE: member_is_active(situation.sender, situation.at),
        TransferFact.RECIPIENT_ACTIVE: member_is_active(situation.recipient, situation.at),
        TransferFact.AGREEMENT_IN_FORCE: situation.agreement_in_force,
        TransferFact.WITHIN_LIMITS: within,
        TransferFact.ONWARD_ALLOWED: consignment.parent is None or _may_send_on(consignment, situation),
        TransferFact.BORDER_CLEARED: home or _may_leave(situation),
    }
    missing = TransferFact(0)
    for fact, holds in facts.items():
        if not holds:
            missing |= fact
    return missing


def _may_send_on(consignment: Consignment, situation: TransferSituation) -> bool:
    """Tell whether the sender still has what it received, may keep it, and may pass it on for that."""
    parent = situation.parent
    if parent is None or parent.agreement is None or parent.transfer.consignment is None:
        return False
    whole, limits = parent.transfer.consignment, parent.agreement.limits
    return (
        parent.transfer.status is TransferStatus.RECEIVED
        and parent.transfer.recipient == situation.sender.member_id
        and parent.agreement_in_force
        and limits.onward
        and situation.at < parent.received_at + limits.retention_seconds
        and not consignment.purposes & ~whole.purposes
        and not int(consignment.categories) & ~int(whole.categories)
    )


def _may_leave(situation: TransferSituation) -> bool:
    """Tell whether a clearance of the recipient's project is in force for the sender."""
    owned = situation.project_owner == situation.recipient.member_id
    return owned and is_cleared(situation.crossing, situation.at)
