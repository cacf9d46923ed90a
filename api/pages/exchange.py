"""Pages of what moves between members: discrepancies for everybody; transfers, agreements and borders for members."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import Response

from api import access
from api.auth import Holder
from api.dependencies import ServiceDep, SettingsDep
from api.pages import agreements, borders, commands, presenters, transfers
from api.pages.agreements import AgreementLine
from api.pages.borders import ExportLine
from api.pages.parties import Parties
from api.pages.presenters import Command, TransferLine
from api.pages.readers import PageMemberDep
from api.pages.render import page
from api.pages.transfers import Copy, ReportLine
from api.routes.ids import Id, NumberPath, transfer_id
from ledger.domain.records import Agreement, Member, Passport
from ledger.encoding.hexadecimal import to_hex
from ledger.errors import ChainError
from ledger.policy import year_of
from ledger.ports import ClearanceRecord, TransferRecord
from ledger.service import Service
from ledger.service.transfers import discrepancies_of

router = APIRouter(include_in_schema=False)

#: Discrepancies on the page; REST and the command go further.
_MOST_SHOWN: Final = 100
#: Years of export counters on the page, this one first.
_YEARS: Final = 3


@router.get("/discrepancies")
def discrepancies(request: Request, service: ServiceDep, settings: SettingsDep) -> Response:
    """Tell everybody what the two sides of transfers do not tell alike, and which reports are overdue."""
    known = parties_of(service, settings.origin)
    found = service.transfers.discrepancies(known.at)
    return page(
        request,
        "discrepancies.html",
        lines=[transfers.discrepancy_line(item, known) for item in found[:_MOST_SHOWN]],
        total=len(found),
        at=presenters.moment(known.at),
        answer_days=transfers.ANSWER_DAYS,
        report_days=transfers.REPORT_DAYS,
        command=commands.discrepancies(settings.origin),
    )


@router.get("/transfers/{transfer}")
def transfer(
    transfer: Id, request: Request, member: PageMemberDep, service: ServiceDep, settings: SettingsDep
) -> Response:
    """Show a transfer: what happened to it, its limits, where it came from and went, and what the reader can do next."""
    record = access.transfer_for(member, service.transfers.get(transfer_id(transfer)))
    known = parties_of(service, settings.origin)
    declared = record.transfer.consignment
    parent = service.index.transfer(declared.parent) if declared and declared.parent else None
    told = transfers.transfer_page(
        record,
        known,
        reader=member,
        description=service.transfers.description_of(record),
        notes=service.transfers.notes_of(record),
        agreement=service.agreements.get(declared.agreement_id).agreement if declared else None,
        stands=stands(service, record),
        on_the_list=known.at < service.index.border_access(record.transfer.recipient),
        parent=parent,
        children=service.transfers.onward(record.transfer.transfer_id),
        discrepancies=discrepancies_of(record, known.at),
    )
    return page(request, "transfer.html", transfer=told)


@router.get("/agreements/{agreement_id}")
def agreement(
    agreement_id: NumberPath,
    request: Request,
    member: PageMemberDep,
    service: ServiceDep,
    settings: SettingsDep,
) -> Response:
    """Show an agreement: its limits in words, both signatures, its text to its sides, and the transfers under it."""
    record = service.agreements.get(agreement_id)
    known = parties_of(service, settings.origin)
    told = agreements.agreement_page(
        record,
        known,
        in_force=service.agreements.is_in_force(record, known.at),
        text=service.agreements.text_for(member, record),
        reader=member,
    )
    seen = told.seen or access.is_auditor(member)
    return page(
        request,
        "agreement.html",
        agreement=told,
        seen=seen,
        transfers=transfers_under(service, record.agreement, known) if seen else [],
    )


@router.get("/borders")
def border(request: Request, member: PageMemberDep, service: ServiceDep, settings: SettingsDep) -> Response:
    """Show who may receive data from abroad, what clears it, and how many persons' data has left beside the thresholds."""
    known = parties_of(service, settings.origin)
    clearances = service.borders.all()
    projects = {project.project_id: project.member_id for project in service.projects.all()}
    exports = export_lines(service, clearances, known)
    return page(
        request,
        "borders.html",
        members=[
            borders.access_line(item, service.index.border_access(item.member_id), known, reader=member)
            for item in known.members.values()
        ],
        clearances=[
            borders.clearance_line(
                record,
                known,
                importer=projects.get(record.clearance.project_id, 0),
                in_force=service.borders.is_in_force(record, known.at),
                reader=member,
            )
            for record in reversed(clearances)
        ],
        thresholds=service.borders.thresholds(),
        exports=exports,
        commands=borders.border_commands(known, member),
    )


def parties_of(service: Service, origin: str) -> Parties:
    """Look up whom the pages tell of, and when."""
    members = {member.member_id: member for member in service.members.all()}
    return Parties(members, access.now_of(service), origin)


def stands(service: Service, record: TransferRecord) -> bool:
    """Tell whether what a transfer rests on is in force; while the node does not answer, as if it were."""
    if record.transfer.consignment is None:
        return True
    try:
        return service.chain.transfer_stands(record.transfer.transfer_id)
    except ChainError:
        return True


def export_lines(
    service: Service, clearances: Iterable[ClearanceRecord], known: Parties
) -> list[ExportLine] | None:
    """Tell the counters of all who were ever cleared to export, this year first; None if the node does not answer."""
    thresholds, this_year = service.borders.thresholds(), year_of(known.at)
    since: dict[int, int] = {}
    for record in clearances:
        year = year_of(record.position.time)
        since[record.clearance.exporter] = min(year, since.get(record.clearance.exporter, year))
    try:
        return [
            borders.export_line(exporter, year, service.chain.exports(exporter, year), thresholds, known)
            for exporter in since
            for year in range(this_year, max(since[exporter], this_year - _YEARS + 1) - 1, -1)
        ]
    except ChainError:
        return None


def agreement_lines(service: Service, reader: Member, known: Parties) -> list[AgreementLine]:
    """Tell a member its agreements, those that wait for it first, then the newest first."""
    lines = [
        agreements.agreement_line(
            record, known, in_force=service.agreements.is_in_force(record, known.at), reader=reader
        )
        for record in reversed(service.agreements.all(member_id=reader.member_id))
    ]
    return sorted(lines, key=lambda line: not line.waits)


def report_lines(service: Service, reader: Member, known: Parties) -> list[ReportLine]:
    """Tell a member the reports that it owes on data from abroad, the one due first first."""
    return [
        transfers.report_line(record, known, reader=reader)
        for record in service.transfers.reports_owed(reader)
    ]


def transfers_under(service: Service, agreement: Agreement, known: Parties) -> list[TransferLine]:
    """Tell the transfers that were declared under an agreement, newest first."""
    return [
        presenters.transfer_line(record, members=known.names, viewer=None)
        for record in service.transfers.under(agreement)
    ]


def copies_of(service: Service, holder: Holder, passport: Passport, origin: str) -> list[Copy]:
    """Tell a patient which copies of the data went to whom, newest first, and how to check it; nothing that is sealed."""
    wanted, known = passport.passport_id, parties_of(service, origin)
    told = access.told_copies(service, holder, wanted)
    ledger = service.chain.domain().ledger
    found = []
    for record in service.index.transfers(passport_id=wanted, limit=None):
        if record.transfer.transfer_id not in told:
            continue
        item = told[record.transfer.transfer_id]
        check = _check(passport, record, origin, ledger) if item and record.shipped else ()
        found.append(transfers.copy_line(record, item, known, check))
    return found


def _check(passport: Passport, record: TransferRecord, origin: str, ledger: str) -> tuple[Command, ...]:
    name = to_hex(record.transfer.transfer_id)
    fetch = commands.transfer_proof(origin, to_hex(passport.passport_id), name, custodian=passport.custodian)
    return (
        Command("To fetch the proof", fetch),
        Command("To check it with a node alone", commands.transfer_verify(ledger)),
    )
