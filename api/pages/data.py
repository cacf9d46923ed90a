"""Pages of datasets and versions, for members: where data came from, where it went, and what is owed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from api import access
from api.auth import Holder
from api.dependencies import After, ServiceDep, SettingsDep
from api.pages import lineage
from api.pages.graph import Known, graph_of, retention_is_over, used_elsewhere
from api.pages.lineage import DatasetLine, ObligationLine, VersionLine, Whereabouts
from api.pages.presenters import Consent
from api.pages.readers import PageMemberDep, member_of
from api.pages.render import page
from api.routes.ids import Id, NumberPath, version_id
from ledger.domain.lineage import Version
from ledger.domain.records import GrantId, Member, PassportId
from ledger.domain.vocabulary import Operation, Outcome, VersionKind
from ledger.ports import DatasetRecord, InclusionRecord, Obligation
from ledger.service import Service
from ledger.service.walks import Impact, Walk

router = APIRouter(include_in_schema=False)

#: Steps of one direction that a page shows; REST follows further.
GRAPH_STEPS: Final = 100
#: Lines of one list.
_MOST_SHOWN: Final = 50
#: How many of the newest requests of a dataset's owner are looked at for refusals.
_MOST_DECISIONS: Final = 5_000
_BATCH: Final = 500


@router.get("/datasets", dependencies=[Depends(member_of)])
def datasets(request: Request, service: ServiceDep, after: After = None) -> Response:
    """List all datasets, and the models on the ledger."""
    records, cursor = service.index.datasets(after=after, limit=_MOST_SHOWN)
    return page(
        request,
        "datasets.html",
        datasets=dataset_lines(service, records),
        models=model_lines(service) if after is None else [],
        next=cursor,
    )


@router.get("/datasets/{dataset_id}")
def dataset(
    dataset_id: NumberPath,
    request: Request,
    member: PageMemberDep,
    service: ServiceDep,
    settings: SettingsDep,
    after: After = None,
) -> Response:
    """Show a dataset: what it is for, how it stands, who is in it for who may see that, and what was made of it."""
    record = service.datasets.get(dataset_id)
    walk = service.walks.forward_of_dataset(dataset_id, limit=GRAPH_STEPS)
    others = service.index.versions(used_elsewhere([walk]))
    known = known_of(service, [record.version for record in (*walk.versions, *others)], [dataset_id])
    inclusions: list[InclusionRecord] = []
    cursor: str | None = None
    seen = access.sees_inclusions(member, record.dataset)
    if seen:
        inclusions, cursor = service.datasets.inclusions(dataset_id, after=after, limit=_MOST_SHOWN)
    return page(
        request,
        "dataset.html",
        dataset=lineage.dataset_page(
            record,
            known,
            description=service.datasets.description(record),
            refused=refusals_of(service, record),
            reader=member,
            origin=settings.origin,
        ),
        graph=graph_of([walk], others, known, subject=dataset_id),
        seen=seen,
        inclusions=[lineage.inclusion_line(inclusion) for inclusion in inclusions],
        next=cursor,
    )


@router.get("/versions/{version}")
def version(
    version: Id, request: Request, member: PageMemberDep, service: ServiceDep, settings: SettingsDep
) -> Response:
    """Show a version: how it stands, what it was made of, what was made of it, and in whose hands it was."""
    name = version_id(version)
    record = service.lineage.get(name)
    walks = [
        service.walks.back(name, limit=GRAPH_STEPS),
        service.walks.forward_of_version(name, limit=GRAPH_STEPS),
    ]
    others = service.index.versions(used_elsewhere(walks))
    custody, whole = service.walks.trace(name, limit=GRAPH_STEPS)
    rounds = (
        service.walks.rounds(name, limit=GRAPH_STEPS)
        if record.version.kind is VersionKind.MODEL
        else ([], True)
    )
    shown = {item.version.version_id: item.version for walk in walks for item in walk.versions}
    shown |= {item.version.version_id: item.version for item in others}
    known = known_of(service, shown.values(), _collected(walks))
    return page(
        request,
        "version.html",
        version=lineage.version_page(
            record,
            known,
            made=None if record.version.is_external else service.lineage.step(record.version.step_id),
            statement=service.lineage.statement(record),
            rounds=rounds,
            report=service.lineage.verdict(record),
            shares=service.index.shares([name]),
            owed=service.index.obligation(name),
            answers=service.index.answers([name]),
            blame=service.walks.blame(name, limit=GRAPH_STEPS),
            reader=member,
            origin=settings.origin,
        ),
        graph=graph_of(walks, others, known, subject=name),
        custody=[lineage.custody_line(link, shown.get(link.version_id), known) for link in custody],
        whole=whole,
    )


def known_of(service: Service, versions: Iterable[Version], numbers: Iterable[int] = ()) -> Known:
    """Look up what versions, and datasets by number, are told with."""
    wanted = {origin.dataset_id for item in versions for origin in item.origins} | set(numbers)
    records = [record for number in sorted(wanted) if (record := service.index.dataset(number)) is not None]
    described = {record.dataset.dataset_id: service.datasets.description(record) for record in records}
    return Known(
        members=service.members.names(),
        datasets={record.dataset.dataset_id: record.dataset for record in records},
        titles={number: words.title for number, words in described.items() if words is not None},
        at=access.now_of(service),
    )


def dataset_lines(service: Service, records: Iterable[DatasetRecord]) -> list[DatasetLine]:
    """Tell datasets in a list."""
    records = list(records)
    known = known_of(service, (), [record.dataset.dataset_id for record in records])
    return [lineage.dataset_line(record, known) for record in records]


def model_lines(service: Service, *, owner: int | None = None) -> list[VersionLine]:
    """Tell the first models, of a member or of all, in a list."""
    models, _ = service.index.models(owner=owner, limit=_BATCH)
    known = known_of(service, [record.version for record in models])
    return [lineage.version_line(record.version, known) for record in models]


def obligation_lines(
    service: Service, reader: Member, origin: str, *, owner: int | None = None, overdue: bool = False
) -> list[ObligationLine]:
    """Tell what is owed, the one due first first: by a member or by all, or only what is overdue."""
    owed, _ = service.index.obligations(
        owner=owner, due_before=access.now_of(service) if overdue else None, limit=_BATCH
    )
    return _told(service, owed, reader, origin)


def overdue_datasets(service: Service) -> list[DatasetLine]:
    """Tell the datasets that should have been destroyed and are not."""
    now, found = access.now_of(service), []
    cursor: str | None = None
    while True:
        records, cursor = service.index.datasets(after=cursor, limit=_BATCH)
        found += [record for record in records if retention_is_over(record.dataset, now)]
        if cursor is None:
            return dataset_lines(service, found)


def refusals_of(service: Service, record: DatasetRecord) -> tuple[int, bool]:
    """Count the inclusions that a dataset's owner was refused; and tell whether all its requests were looked at."""
    dataset, cursor, looked_at, refused = record.dataset, None, 0, 0
    while looked_at < _MOST_DECISIONS:
        found, cursor = service.index.decisions(member_id=dataset.owner, after=cursor, limit=_BATCH)
        looked_at += len(found)
        refused += sum(
            item.terms.operation is Operation.INCLUDE
            and item.terms.dataset_id == dataset.dataset_id
            and item.verdict.outcome is Outcome.DENY
            for item in found
        )
        # What is older than the dataset cannot be about it.
        if cursor is None or found[-1].position.block_number < record.position.block_number:
            return refused, True
    return refused, False


def whereabouts_of(
    service: Service,
    holder: Holder,
    passport_id: PassportId,
    consent_named: Callable[[GrantId], Consent | None],
) -> list[Whereabouts]:
    """Tell a patient where the data went, consent by consent, the first inclusion first; nothing that is sealed."""
    found, _ = service.index.inclusions(passport_id=passport_id, limit=_BATCH)
    told = [item for item in found if access.may_tell_inclusion(service, holder, item)]
    groups: dict[GrantId, list[InclusionRecord]] = {}
    for item in told:
        groups.setdefault(item.rests_on, []).append(item)
    impacts = {
        grant: service.walks.impact(grant) if any(grant) else _impact_without_consent(service, items)
        for grant, items in groups.items()
    }
    return [
        lineage.whereabouts_of(
            impact,
            known_of(
                service,
                [record.version for record in impact.models],
                [record.dataset.dataset_id for record in impact.datasets],
            ),
            consent=consent_named(grant),
        )
        for grant, impact in impacts.items()
    ]


def _impact_without_consent(service: Service, inclusions: list[InclusionRecord]) -> Impact:
    """Return where data went that was included on another ground than consent: there is nothing to withdraw."""
    numbers = dict.fromkeys(item.dataset_id for item in inclusions)
    reached: dict[int, int | None] = dict.fromkeys(numbers)
    versions, following = service.index.versions_from(reached, models=False)
    models, more = service.index.versions_from(reached, models=True, limit=_BATCH)
    return Impact(
        inclusions=tuple(inclusions),
        datasets=tuple(service.datasets.get(number) for number in numbers),
        versions=tuple(versions),
        models=tuple(models),
        obligations={},
        answers=(),
        next_cursor=following,
        complete=more is None,
    )


def _told(service: Service, owed: list[Obligation], reader: Member, origin: str) -> list[ObligationLine]:
    models = {
        record.version.version_id: record.version
        for record in service.index.versions([item.version_id for item in owed])
    }
    known = known_of(service, models.values())
    return [
        lineage.obligation_line(item, models[item.version_id], known, reader=reader, origin=origin)
        for item in owed
    ]


def _collected(walks: Iterable[Walk]) -> set[int]:
    return {entry.record.step.dataset_id for walk in walks for entry in walk.steps} - {0}
