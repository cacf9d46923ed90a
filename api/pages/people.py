"""Pages for those who are signed in: patients, institutions, auditors."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from api import access
from api.auth import Holder
from api.dependencies import After, ServiceDep, SettingsDep
from api.pages import acts, commands, data, exchange, presenters
from api.pages.acts import ActLine
from api.pages.evidence import size_call
from api.pages.presenters import (
    AccessLine,
    Command,
    Consent,
    EmergencyLine,
    Moment,
    PassportCard,
    Recovery,
    Speaker,
    Survey,
)
from api.pages.readers import AuditorDep, PageMemberDep, PatientDep, ReaderDep
from api.pages.render import page, policy_with_nodes
from api.routes.ids import Id, NumberPath, passport_id
from ledger.domain.records import GrantId, Member, Passport, PassportId
from ledger.domain.vocabulary import Fact, Outcome, Role, TransferStatus
from ledger.domain.vocabulary import Operation as AccessOperation
from ledger.encoding.hexadecimal import to_hex
from ledger.policy import PERMIT_SECONDS
from ledger.ports import (
    ActRecord,
    DecisionRecord,
    EmergencyRecord,
    GrantRecord,
    GrantStage,
    TransferRecord,
)
from ledger.service import Service
from ledger.service.access import AccessEntry
from ledger.service.committee import ActStatus, Standing

router = APIRouter(include_in_schema=False)

#: Lines on one page.
PAGE_LINES: Final = 50
#: How many of the newest decisions the auditor's overview looks at; the replay looks at all.
SURVEY_DECISIONS: Final = 5_000
_BATCH: Final = 500
_FEWEST_MATCHES: Final = 25
_MOST_BATCHES: Final = 20
_MOST_SHOWN: Final = 50


#: Where a transfer is over, and where it is over unless something was shipped.
_OVER: Final = frozenset({TransferStatus.RECEIVED, TransferStatus.CLOSED, TransferStatus.REFUSED})
_NEVER_SENT: Final = frozenset({TransferStatus.TERMINATED})

#: A decision's name: passport and number.
DecisionName = tuple[PassportId, int]

OutcomeFilter = Annotated[str, Query(pattern="^(PERMIT|DENY|REVIEW|)$")]
ActsAfter = Annotated[int | None, Query(ge=1, le=2**32 - 1)]
MemberFilter = Annotated[str, Query(alias="member", pattern="^[0-9]{0,10}$")]


@router.get("/patient")
def patient(
    request: Request,
    holder: PatientDep,
    service: ServiceDep,
    settings: SettingsDep,
    after: After = None,
) -> Response:
    """List a patient's records, and those of whoever lets the patient's key speak."""
    records, cursor = access.passports_for(service, holder, after=after, limit=PAGE_LINES)
    names = presenters.member_names(service.members.all())
    cards = [
        presenters.passport_card(
            record,
            custodian=names.get(record.passport.custodian, f"member {record.passport.custodian}"),
            link=f"/patient/passports/{to_hex(record.passport.passport_id)}",
            recovery=recovery_of(service, record.passport, settings.origin),
            spoken_until=spoken_until(service, record.passport, holder),
        )
        for record in records
    ]
    return page(request, "patient.html", cards=cards, next=cursor)


@router.get("/patient/passports/{passport}")
def patient_passport(
    passport: Id,
    request: Request,
    holder: PatientDep,
    service: ServiceDep,
    settings: SettingsDep,
    after: After = None,
    asked: After = None,
    ended: After = None,
) -> Response:
    """
    Tell a patient who used or tried to use the data, and which consents there are.

    All that are in force, whoever else asks for however many; what waits for an answer, and what has ended, page by page.
    """
    record = access.history_for(service, holder, passport_id(passport))
    wanted = record.passport.passport_id
    entries, cursor = service.access.of_passport(
        wanted, after=after, limit=PAGE_LINES, to_holder_at=access.holder_reads_at(service, holder)
    )
    consents = Consents(service, record.passport, settings.origin)
    waiting, asked_before = consents.page(GrantStage.WAITING, asked)
    over, ended_before = consents.page(GrantStage.ENDED, ended)
    live = consents.live()
    shipped = shipments_of(service, [wanted])
    custodian = service.members.get(record.passport.custodian).name
    response = page(
        request,
        "passport.html",
        card=presenters.passport_card(
            record,
            custodian=custodian,
            link=request.url.path,
            recovery=recovery_of(service, record.passport, settings.origin),
            spoken_until=spoken_until(service, record.passport, holder),
        ),
        lines=[
            presenters.line_of(
                entry,
                consent=consents.told(entry.consent) if entry.consent else None,
                shipment=shipped.get(_name(entry.record)),
            )
            for entry in entries
        ],
        emergencies=[
            presenters.emergency_line(access.told_emergency(service, holder, urgent))
            for urgent in service.emergencies.all(passport_id=wanted)
        ],
        asked=waiting,
        asked_before=asked_before,
        consents=live,
        anchors={consent.anchor for consent in (*waiting, *live, *over)},
        ended=over,
        ended_before=ended_before,
        first_asked=asked is None,
        first_ended=ended is None,
        copies=exchange.copies_of(service, holder, record.passport, settings.origin),
        whereabouts=data.whereabouts_of(service, holder, wanted, consents.named),
        speakers=speakers_of(service, record.passport),
        total=record.passport.size,
        first_page=after is None,
        next=cursor,
        domain=service.chain.domain(),
        size_call=size_call(wanted),
        rpc_url=settings.rpc_url,
        verify_command=commands.verify(settings.origin, to_hex(wanted), custodian=record.passport.custodian),
    )
    response.headers["Content-Security-Policy"] = policy_with_nodes(settings.rpc_url)
    return response


@router.get("/institution")
def institution(
    request: Request,
    member: PageMemberDep,
    service: ServiceDep,
    settings: SettingsDep,
    after: After = None,
) -> Response:
    """Show an institution what it owes and is to sign, its requests, datasets, models, transfers, passports and projects."""
    entries, cursor = service.access.of_member(member.member_id, after=after, limit=PAGE_LINES)
    names = presenters.member_names(service.members.all())
    transfers, _ = service.transfers.of(member, limit=_MOST_SHOWN)
    owned, _ = service.index.datasets(owner=member.member_id, limit=_BATCH)
    now, known = access.now_of(service), exchange.parties_of(service, settings.origin)
    return page(
        request,
        "institution.html",
        member=member,
        lines=lines_of(service, entries),
        next=cursor,
        owed=data.obligation_lines(service, member, settings.origin, owner=member.member_id),
        inspections=[
            presenters.transfer_line(item, members=names, viewer=None)
            for item in service.transfers.awaiting(member, now)
        ],
        reports=exchange.report_lines(service, member, known),
        agreements=exchange.agreement_lines(service, member, known),
        datasets=data.dataset_lines(service, owned),
        models=data.model_lines(service, owner=member.member_id),
        transfers=[
            presenters.transfer_line(item, members=names, viewer=member.member_id) for item in transfers
        ],
        cards=kept_cards(service, member),
        projects=[
            presenters.project_line(project, at=now)
            for project in service.projects.all(member_id=member.member_id)
        ],
        emergencies=emergency_lines(service, service.emergencies.all(member_id=member.member_id), at=now),
        acts=act_lines(service, service.committee.awaiting(member, now), at=now),
        reviewable=emergency_lines(service, service.emergencies.awaiting(member, now), at=now),
        waiting=lines_of(
            service, [service.access.entry(record) for record in service.decisions.awaiting(member, now)]
        ),
    )


@router.get("/auditor")
def auditor(
    request: Request,
    member: AuditorDep,
    service: ServiceDep,
    settings: SettingsDep,
    outcome: OutcomeFilter = "",
    member_id: MemberFilter = "",
    after: After = None,
) -> Response:
    """Show an auditor every decision, how often what was missing, and what does not fit together."""
    wanted = Outcome[outcome] if outcome else None
    by = int(member_id) if member_id else None
    entries, cursor = matching(service, outcome=wanted, member_id=by, after=after)
    domain, now = service.chain.domain(), access.now_of(service)
    return page(
        request,
        "auditor.html",
        acts=act_lines(service, service.committee.awaiting(member, now), at=now),
        lines=lines_of(service, entries),
        next=cursor,
        outcome=outcome,
        member_id=member_id,
        outcomes=[(item.name, presenters.answer_of(item).text) for item in Outcome],
        members=[(str(item.member_id), item.name) for item in service.members.all()],
        survey=survey_of(service, now=now),
        owed=data.obligation_lines(service, member, settings.origin, overdue=True),
        retained=data.overdue_datasets(service),
        models=data.model_lines(service),
        audit_command=commands.audit(settings.rpc_url, domain.ledger, from_block=settings.deployed_block),
        domain=domain,
    )


@router.get("/acts")
def committee(request: Request, reader: ReaderDep, service: ServiceDep, after: ActsAfter = None) -> Response:
    """List the acts of the committee, newest first, and those that wait for the reader's approval on top."""
    now = access.now_of(service)
    waiting = service.committee.awaiting(reader, now) if isinstance(reader, Member) else []
    records, cursor = acts_before(service, after)
    return page(
        request,
        "acts.html",
        waiting=act_lines(service, waiting, at=now),
        lines=act_lines(service, records, at=now),
        next=cursor,
    )


@router.get("/acts/{act_id}")
def committee_act(
    act_id: NumberPath, request: Request, reader: ReaderDep, service: ServiceDep, settings: SettingsDep
) -> Response:
    """Show what an act of the committee does, how far it has come, and what the reader can do about it."""
    record, now = service.committee.get(act_id), access.now_of(service)
    standing = service.committee.standing(record, now)
    changes, law = service.committee.law_changes(record), service.index.policy()
    return page(
        request,
        "act.html",
        act=acts.act_page(
            record,
            standing,
            service.chain.reading_of(record.call),
            presenters.member_names(service.members.all()),
            law=acts.law_comparison(changes, law.version) if changes is not None and law else None,
            commands=act_commands(service, record, standing, reader, origin=settings.origin),
        ),
    )


def act_lines(service: Service, records: Iterable[ActRecord], *, at: int) -> list[ActLine]:
    """Tell acts of the committee as they stand at a time."""
    names = presenters.member_names(service.members.all())
    return [
        acts.act_line(
            record, service.committee.standing(record, at), service.chain.reading_of(record.call), names
        )
        for record in records
    ]


def acts_before(service: Service, number: int | None) -> tuple[list[ActRecord], str | None]:
    """Return a page of acts, newest first, older than the one of a number."""
    found = [act for act in reversed(service.committee.all()) if number is None or act.act_id < number]
    shown = found[:PAGE_LINES]
    return shown, str(shown[-1].act_id) if len(found) > len(shown) else None


def act_commands(
    service: Service, record: ActRecord, standing: Standing, reader: Member | Holder, *, origin: str
) -> tuple[Command, ...]:
    """Return what a reader can do about an act. A sign-in is good for reading: whoever acts signs, by a command."""
    if not isinstance(reader, Member):
        return ()
    if service.committee.awaits(record, reader, access.now_of(service)):
        return (Command("To approve it", commands.act(origin, "approve", record.act_id)),)
    if standing.status is ActStatus.APPROVED:
        return (Command("To have it done", commands.act(origin, "execute", record.act_id)),)
    return ()


def emergency_lines(service: Service, records: Iterable[EmergencyRecord], *, at: int) -> list[EmergencyLine]:
    """Tell emergencies to those from whom nothing is sealed."""
    return [presenters.emergency_line(service.emergencies.entry(record, at=at)) for record in records]


class Consents:
    """The consents of a passport as its holder is told them now."""

    def __init__(self, service: Service, passport: Passport, origin: str) -> None:
        """Tell consents as they stand now, with commands to *origin*."""
        self._service, self._passport, self._origin = service, passport, origin
        self._now = access.now_of(service)
        self._names = presenters.member_names(service.members.all())

    def told(self, record: GrantRecord) -> Consent:
        """Tell one."""
        return presenters.consent_of(
            record,
            text=self._service.consents.text(record),
            status=self._service.consents.status(record, self._now),
            passport=self._passport,
            origin=self._origin,
            asked_by=self._names.get(record.requested_by),
        )

    def named(self, grant_id: GrantId) -> Consent | None:
        """Tell the one with an id; None if the passport has none."""
        record = self._service.index.grant(grant_id, passport_id=self._passport.passport_id)
        return self.told(record) if record else None

    def page(self, stage: GrantStage, after: str | None) -> tuple[list[Consent], str | None]:
        """Tell a page of those that have come to a stage, newest first; with the cursor of the next page."""
        return self._page(stage, after, PAGE_LINES)

    def live(self) -> list[Consent]:
        """Tell all that are in force, will be, or are frozen, newest first: the holder gave each, and can withdraw it."""
        found, cursor = self._page(GrantStage.LIVE, None, _BATCH)
        while cursor is not None:
            more, cursor = self._page(GrantStage.LIVE, cursor, _BATCH)
            found += more
        return found

    def _page(self, stage: GrantStage, after: str | None, limit: int) -> tuple[list[Consent], str | None]:
        records, cursor = self._service.index.grants_at(
            self._passport.passport_id, stage, at=self._now, after=after, limit=limit
        )
        return [self.told(record) for record in records], cursor


def recovery_of(service: Service, passport: Passport, origin: str) -> Recovery | None:
    """Return the notice to a holder that somebody replaces its key; None if nobody does."""
    found = service.index.recovery(passport.passport_id)
    if found is None:
        return None
    custodian = service.members.get(passport.custodian).name
    return presenters.recovery_of(found, passport, origin, custodian)


def spoken_until(service: Service, passport: Passport, reader: Holder) -> Moment | None:
    """Return until when a reader speaks for a passport's holder; None if it is the holder."""
    if passport.holder == reader.address:
        return None
    end = service.index.delegates(passport.passport_id).get(reader.address)
    return presenters.moment(end) if end is not None else None


def speakers_of(service: Service, passport: Passport) -> list[Speaker]:
    """Return who may speak for the holder now."""
    now = access.now_of(service)
    return [
        Speaker(key, presenters.moment(end))
        for key, end in service.index.delegates(passport.passport_id).items()
        if now < end
    ]


def kept_cards(service: Service, member: Member) -> list[PassportCard]:
    """Return the passports that a custodian keeps, with its own references; none for others."""
    if Role.CUSTODIAN not in member.roles:
        return []
    kept = {summary.passport_id: summary for summary in service.records.kept_by(member)}
    records, _ = service.index.passports(custodian=member.member_id, limit=_BATCH)
    return [
        presenters.passport_card(
            record, custodian=member.name, link="", kept=kept.get(record.passport.passport_id)
        )
        for record in records
    ]


def matching(
    service: Service, *, outcome: Outcome | None, member_id: int | None, after: str | None
) -> tuple[list[AccessEntry], str | None]:
    """Return a page of decisions with an outcome, newest first; reads on until there are some or none are left."""
    found: list[DecisionRecord] = []
    cursor = after
    for _ in range(_MOST_BATCHES):
        records, cursor = service.index.decisions(member_id=member_id, after=cursor, limit=PAGE_LINES)
        found += [record for record in records if outcome is None or record.verdict.outcome is outcome]
        if cursor is None or len(found) >= _FEWEST_MATCHES:
            break
    return service.access.told(found), cursor


def shipments_of(service: Service, passports: Iterable[PassportId]) -> dict[DecisionName, TransferRecord]:
    """Return the transfers of passports by the decision that each rests on."""
    found: dict[DecisionName, TransferRecord] = {}
    for passport in passports:
        records = service.index.transfers(passport_id=passport, limit=_BATCH)
        by_id = {record.transfer.transfer_id: record for record in records}
        found |= {
            (passport, record.transfer.seq): record for record in records if not record.transfer.consignment
        }
        for transfer_id, item in service.index.items_of(passport):
            if transfer_id in by_id:
                found[passport, item.seq] = by_id[transfer_id]
    return found


def lines_of(service: Service, entries: list[AccessEntry]) -> list[AccessLine]:
    """Tell decisions of any passports."""
    copied = {entry.record.passport_id for entry in entries if _is_copy(entry.record)}
    shipped = shipments_of(service, copied)
    return [presenters.line_of(entry, shipment=shipped.get(_name(entry.record))) for entry in entries]


def survey_of(service: Service, *, now: int) -> Survey:
    """Count the newest decisions, and find permits and transfers that were never completed."""
    records, all_seen = _newest(service)
    gaps = unused_permits(service, [item for item in records if now - item.position.time > PERMIT_SECONDS])
    names = presenters.member_names(service.members.all())
    missing: list[Fact] = [record.verdict.missing for record in records]
    total, shares = service.emergencies.ratio(now)
    return Survey(
        looked_at=len(records),
        all_seen=all_seen,
        answers=presenters.answer_counts(Counter(record.verdict.outcome for record in records)),
        missing=presenters.missing_counts(missing),
        without_hand_over=tuple(
            presenters.line_of(service.access.entry(item)) for item in gaps[:_MOST_SHOWN]
        ),
        open_transfers=tuple(
            presenters.transfer_line(item, members=names, viewer=None)
            for item in service.index.transfers(limit=_BATCH)
            if item.transfer.status not in _OVER and (item.shipped or item.transfer.status not in _NEVER_SENT)
        ),
        overdue=tuple(emergency_lines(service, service.emergencies.overdue(now), at=now)),
        shares=tuple(
            presenters.share_line(share) for share in (total, *shares) if share.urgent or share.opened
        ),
    )


def unused_permits(service: Service, records: list[DecisionRecord]) -> list[DecisionRecord]:
    """Return the permits among decisions that led neither to a release nor to a transfer."""
    permits = [
        record
        for record in records
        if record.verdict.outcome is Outcome.PERMIT and record.terms.operation is not AccessOperation.INCLUDE
    ]
    shipped = shipments_of(service, {record.passport_id for record in permits if _is_copy(record)})
    released = service.index.releases_named([_name(record) for record in permits])
    return [record for record in permits if _name(record) not in shipped and _name(record) not in released]


def _newest(service: Service) -> tuple[list[DecisionRecord], bool]:
    records: list[DecisionRecord] = []
    cursor: str | None = None
    while len(records) < SURVEY_DECISIONS:
        batch, cursor = service.index.decisions(after=cursor, limit=_BATCH)
        records += batch
        if cursor is None:
            return records, True
    return records, False


def _name(record: DecisionRecord) -> DecisionName:
    return record.passport_id, record.verdict.seq


def _is_copy(record: DecisionRecord) -> bool:
    return record.terms.operation is AccessOperation.TRANSFER
