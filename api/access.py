"""
Which object which caller may see. One function per rule of docs: routes and pages ask here and nowhere else.

Members are told that they may not; holders are told that there is nothing, because what is not theirs is none of
their business.
"""

from __future__ import annotations

import time
from dataclasses import replace

from api.auth import Holder
from ledger.domain.lineage import Dataset
from ledger.domain.records import Event, Member, Passport, PassportId, TransferId, TransferItem
from ledger.domain.vocabulary import EmergencyKind, Role
from ledger.domain.wording import time_in_words
from ledger.encoding.hexadecimal import to_hex
from ledger.encoding.words import unpack_verdict
from ledger.errors import NotFound, NotPermitted
from ledger.policy import member_is_active
from ledger.ports import (
    DecisionRecord,
    EmergencyRecord,
    GrantRecord,
    InclusionRecord,
    PassportRecord,
    StepEntry,
    TransferRecord,
)
from ledger.service import Service
from ledger.service.authority import require_passport
from ledger.service.clock import time_of
from ledger.service.decisions import may_review
from ledger.service.emergencies import REVIEWERS, EmergencyEntry
from ledger.service.provenance import PassportHistory

Subject = Member | Holder


def is_auditor(subject: Subject) -> bool:
    """Tell whether somebody oversees the ledger: an auditor or the committee, whose membership is in force."""
    return isinstance(subject, Member) and holds(subject, Role.AUDITOR | Role.COMMITTEE)


def holds(member: Member, roles: Role) -> bool:
    """Tell whether a member holds one of some roles: who is suspended or expelled, or whose time is over, holds none."""
    return bool(member.roles & roles) and is_active(member)


def is_active(member: Member) -> bool:
    """Tell whether a membership is in force: who is not a member any more reads only what is its own."""
    return member_is_active(member, int(time.time()))


def passport_for(service: Service, subject: Subject, passport_id: PassportId) -> PassportRecord:
    """
    Return a passport that every member may see, its holder, and whom the holder lets speak for it.

    Raises:
        NotFound: There is none, or not for this holder.
    """
    record = require_passport(service.index, passport_id)
    if isinstance(subject, Holder) and not _speaks_for(service, subject, record.passport):
        raise NotFound(f"there is no passport {to_hex(passport_id)}")
    return record


def passports_for(
    service: Service, subject: Subject, *, after: str | None = None, limit: int = 100
) -> tuple[list[PassportRecord], str | None]:
    """Return a page of passports: for a member those it keeps, for a key its own and those for whose holder it speaks."""
    if isinstance(subject, Member):
        return service.index.passports(custodian=subject.member_id, after=after, limit=limit)
    now = now_of(service)
    spoken = [passport for passport, end in service.index.delegations(subject.address).items() if now < end]
    return service.index.passports(holder=subject.address, also=spoken, after=after, limit=limit)


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
    Return a decision that somebody may see: its requester, who may review it, and who may see the passport's history.

    Raises:
        NotFound: There is none, or not for this holder.
        NotPermitted: A member that it does not concern asks.
    """
    if isinstance(subject, Member):
        record = service.decisions.get(passport_id, seq)
        if record.member_id == subject.member_id or may_review(subject, record, int(time.time())):
            return record
    history_for(service, subject, passport_id)
    return service.decisions.get(passport_id, seq)


def grant_for(service: Service, subject: Subject, grant: GrantRecord) -> GrantRecord:
    """
    Check that somebody may see a grant: its recipients, who asked while it names nobody, and who may see the passport's history.

    Raises:
        NotFound: Not for this holder.
        NotPermitted: A member that it does not concern asks.
    """
    if not (isinstance(subject, Member) and _is_for(grant, subject)):
        history_for(service, subject, grant.passport_id)
    return grant


def _is_for(grant: GrantRecord, member: Member) -> bool:
    recipient, kinds = grant.state.recipient, grant.state.recipient_kinds
    # Who asked sees it as long as it names nobody: anyone may ask under an id that is given to somebody else later.
    if member.member_id == (recipient or (0 if kinds else grant.requested_by)):
        return True
    return bool(kinds >> member.kind & 1) and is_active(member)


def transfer_for(subject: Member, record: TransferRecord) -> TransferRecord:
    """
    Check that a member may see a transfer: its sender, its recipient, a regulator that may have to inspect it, an auditor.

    Raises:
        NotPermitted: A member that it does not concern asks.
    """
    transfer = record.transfer
    inspects = holds(subject, Role.REGULATOR) and transfer.consignment is not None
    if (
        subject.member_id not in (transfer.sender, transfer.recipient)
        and not is_auditor(subject)
        and not inspects
    ):
        raise NotPermitted(
            f"{subject.name} has no part in transfer {to_hex(transfer.transfer_id)}",
            fix="Its sender, its recipient and auditors can see this.",
        )
    return record


def emergency_for(service: Service, subject: Subject, emergency_id: int) -> EmergencyEntry:
    """
    Return an emergency as somebody may be told it.

    A public one is for everybody who is known; one for a single record is for who opened it, who may review it, and
    who may see the passport's history.

    Raises:
        NotFound: There is none, or not for this holder.
        NotPermitted: A member that it does not concern asks.
    """
    record = service.emergencies.get(emergency_id)
    if not sees_emergency(service, subject, record):
        if isinstance(subject, Holder):
            raise NotFound(f"there is no emergency {emergency_id}")
        raise NotPermitted(
            f"emergency {emergency_id} does not concern {subject.name}",
            fix="Who opened it, the data's custodian and holder, reviewers and auditors can see this.",
        )
    return told_emergency(service, subject, record)


def sees_emergency(service: Service, subject: Subject, record: EmergencyRecord) -> bool:
    """Tell whether somebody may see an emergency."""
    emergency = record.emergency
    if emergency.kind is EmergencyKind.PUBLIC:
        return True
    passport = require_passport(service.index, emergency.passport_id).passport
    if isinstance(subject, Holder):
        return _speaks_for(service, subject, passport)
    concerned = subject.member_id in {emergency.member_id, passport.custodian}
    return concerned or holds(subject, REVIEWERS) or is_auditor(subject)


def told_emergency(service: Service, subject: Subject, record: EmergencyRecord) -> EmergencyEntry:
    """Tell an emergency to somebody who may see it: to its holder, while it is sealed, as sealed."""
    return service.emergencies.entry(record, at=now_of(service), to_holder=isinstance(subject, Holder))


def told_history(service: Service, subject: Subject, history: PassportHistory) -> PassportHistory:
    """Return a passport's history as somebody may read it: its holder without what is sealed, until it opens."""
    if not isinstance(subject, Holder):
        return history
    now, passport = now_of(service), history.passport.passport.passport_id
    told = told_copies(service, subject, passport)

    def may_tell(event: Event) -> bool:
        given = event.arguments
        if event.name == "EmergencyOpened":
            return now >= int(given["sealedUntil"])
        if event.name == "DecisionRecorded":
            return may_tell_decision(service, subject, passport, unpack_verdict(given["verdict"]).seq)
        if "seq" in given:
            return may_tell_decision(service, subject, passport, int(given["seq"]))
        # What became of a copy names no decision: it is the transfer's.
        return "transferId" not in given or given["transferId"] in told

    return replace(
        history,
        events=tuple(event for event in history.events if may_tell(event)),
        holders_of_copies=tuple(
            copy
            for copy in history.holders_of_copies
            if copy.transfer is None or copy.transfer.transfer.transfer_id in told
        ),
    )


def told_copies(
    service: Service, subject: Subject, passport_id: PassportId
) -> dict[TransferId, TransferItem | None]:
    """
    Return the transfers of a passport that somebody who may see it may be told of: its holder not of what is sealed.

    Returns:
        By transfer, what of this passport was loaded into it and may be told; None of a transfer of one record.
    """
    loaded = service.index.items_of(passport_id)
    among_many = {transfer for transfer, _ in loaded}
    told: dict[TransferId, TransferItem | None] = {
        transfer: item
        for transfer, item in loaded
        if may_tell_decision(service, subject, passport_id, item.seq)
    }
    for record in service.index.transfers(passport_id=passport_id, limit=None):
        name, seq = record.transfer.transfer_id, record.transfer.seq
        if name not in among_many and may_tell_decision(service, subject, passport_id, seq):
            told[name] = None
    return told


def askable_for(service: Service, subject: Subject, passport_id: PassportId, emergency_id: int) -> None:
    """
    Check that somebody who may see a passport may ask what an emergency permits: its holder not while it is sealed.

    Raises:
        NotPermitted: It is sealed from this holder now.
    """
    record = service.index.emergency(emergency_id) if isinstance(subject, Holder) else None
    if record is None or record.emergency.passport_id != passport_id:
        return
    if told_emergency(service, subject, record).veiled:
        raise NotPermitted(
            f"emergency {emergency_id} is sealed until {time_in_words(record.sealed_until)}",
            fix="It opens by itself; ask again then.",
        )


def sees_inclusions(subject: Subject, dataset: Dataset) -> bool:
    """Tell whether somebody may see who is in a dataset: its owner, an auditor."""
    return isinstance(subject, Member) and (dataset.owner == subject.member_id or is_auditor(subject))


def inclusions_for(service: Service, subject: Member, dataset_id: int) -> None:
    """
    Check that a member may see who is in a dataset.

    Raises:
        NotFound: There is no such dataset.
        NotPermitted: A member that neither owns it nor is an auditor asks.
    """
    if not sees_inclusions(subject, service.datasets.get(dataset_id).dataset):
        raise NotPermitted(
            f"{subject.name} does not own dataset {dataset_id}", fix="Its owner and auditors can see this."
        )


def may_tell_inclusion(service: Service, subject: Subject, inclusion: InclusionRecord) -> bool:
    """Tell whether somebody who may see a passport may be told of an inclusion: its holder not while it is sealed."""
    return may_tell_decision(service, subject, inclusion.passport_id, inclusion.seq)


def sees_how(subject: Member, entry: StepEntry) -> bool:
    """Tell whether a member may read how a step was done: who recorded it, verifiers, auditors."""
    return entry.record.member_id == subject.member_id or holds(subject, Role.VERIFIER) or is_auditor(subject)


def may_tell_decision(service: Service, subject: Subject, passport_id: PassportId, seq: int) -> bool:
    """Tell whether somebody who may see a passport may be told what a decision led to: its holder not while it is sealed."""
    if not isinstance(subject, Holder):
        return True
    decision = service.index.decision(passport_id, seq)
    return decision is None or service.emergencies.seal_of(decision, now_of(service)) is None


def holder_reads_at(service: Service, subject: Subject) -> int | None:
    """Return the time at which a holder reads; None for members, from whom nothing is sealed."""
    return now_of(service) if isinstance(subject, Holder) else None


def relayer_for(service: Service, subject: Subject, passport_id: PassportId) -> Member:
    """
    Return the member whose account brings a holder's signature to the chain: the caller, or the custodian.

    Raises:
        NotFound: There is no such passport, or not for this holder.
    """
    if isinstance(subject, Member):
        return subject
    return service.members.get(passport_for(service, subject, passport_id).passport.custodian)


def _speaks_for(service: Service, subject: Holder, passport: Passport) -> bool:
    """Tell whether a key is the holder's, or one that the holder lets speak for it now."""
    if passport.holder == subject.address:
        return True
    return now_of(service) < service.index.delegates(passport.passport_id).get(subject.address, 0)


def now_of(service: Service) -> int:
    """Return the chain's time; while the node does not answer, the time of the clock."""
    return time_of(service.chain)
