"""
The index's rows of datasets and lineage, folded from the ledger's events.

A step that broke a rule makes nothing; what one that stands changes, `ledger.lineage` says.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final

from sqlalchemy import Connection, Row, delete, func, insert, select, tuple_, update

from ledger.domain.lineage import NO_END, Dataset, Step, StepRecord, Version, VersionId
from ledger.domain.records import ZERO32, Address, Agreement, Event, Member
from ledger.domain.vocabulary import (
    Answer,
    Basis,
    Category,
    Check,
    DatasetStatus,
    GrantFlag,
    MemberStatus,
    ModelStatus,
    Operation,
    Role,
    StepFact,
    StepKind,
    VersionKind,
)
from ledger.lineage import StepSituation, changes_of
from ledger.policy import agreement_is_in_force, year_of
from ledger.store.lineage_rows import dataset_of, origin_of, part_of, version_of
from ledger.store.register_rows import agreement_of, body, register
from ledger.store.tables import (
    answers,
    datasets,
    grants,
    inclusions,
    members,
    origins,
    shares,
    step_inputs,
    step_outputs,
    step_parts,
    steps,
    versions,
    withdrawals,
)
from ledger.store.values import Decided, dumps, position_columns

_WORD64_BYTES: Final = 8
#: Most names in one query.
_NAMES: Final = 500
#: The fields of a step, in the order of `ILineage.Step`.
_STEP_FIELDS: Final = (
    "kind",
    "dataset_id",
    "project_id",
    "purposes",
    "epsilon",
    "inputs",
    "outputs",
    "tool",
    "parameters",
)
#: Who records a step does not bear on what it changes.
_ANYBODY: Final = Member(
    member_id=0,
    name="",
    signer=Address(""),
    roles=Role(0),
    purposes=0,
    jurisdiction=0,
    valid_to=0,
    status=MemberStatus.NONE,
    signing_key=ZERO32,
    sealing_key=ZERO32,
)


def include(connection: Connection, permitted: Sequence[Decided], urgent: Sequence[Decided]) -> None:
    """
    Fold permits between which nothing else happened: who may be included into a dataset is included.

    Args:
        connection: The index.
        permitted: The permits.
        urgent: Those of them that rest on an emergency.
    """
    into: dict[int, list[Decided]] = {}
    for item in permitted:
        if item.terms.operation is Operation.INCLUDE:
            into.setdefault(item.terms.dataset_id, []).append(item)
    for dataset_id, found in into.items():
        connection.execute(insert(inclusions), [_inclusion_row(item) for item in found])
        grounds = {
            item.terms.emergency_id
            for item in urgent
            if item.terms.dataset_id == dataset_id and item.terms.basis is not Basis.CONSENT
        }
        ends = [body(connection, "emergency", number)["until"] for number in grounds]
        limits = _limits_of(connection, _dataset(connection, dataset_id), found, ends)
        _update_dataset(connection, dataset_id, included=datasets.c.included + len(found), **limits)


def _inclusion_row(item: Decided) -> dict[str, Any]:
    a = item.event.arguments
    consent = a["grantId"] if item.terms.basis is Basis.CONSENT else ZERO32
    return {
        "passport_id": a["passportId"],
        "seq": item.verdict.seq,
        "dataset_id": item.terms.dataset_id,
        "grant_id": consent,
        "member_id": a["memberId"],
        "rests_on": consent,
        "withdrawal": 0,
        **position_columns(item.event.position),
    }


def carry_over(connection: Connection, a: dict[str, Any]) -> None:
    """Fold a grant that replaced another: what that one did not end with rests on the new one."""
    if any(a["supersedes"]):
        connection.execute(
            update(inclusions)
            .where(
                inclusions.c.rests_on == a["supersedes"],
                inclusions.c.passport_id == a["passportId"],
                inclusions.c.withdrawal == 0,
            )
            .values(rests_on=a["grantId"])
        )


def _limits_of(
    connection: Connection, dataset: Row[Any], found: Sequence[Decided], ends: Sequence[int]
) -> dict[str, Any]:
    """Return what a dataset takes over from the consents and emergencies (their ends) that people are included under."""
    names = [
        (item.event.arguments["passportId"], item.event.arguments["grantId"])
        for item in found
        if item.terms.basis is Basis.CONSENT
    ]
    usable_until, no_relink = min([dataset.usable_until, *ends]), dataset.no_relink
    no_onward = dataset.no_onward or len(names) < len(found)
    forbids = func.max(grants.c.flags.bitwise_and(int(GrantFlag.NO_RELINK)))
    allows = func.min(grants.c.flags.bitwise_and(int(GrantFlag.ONWARD)))
    for start in range(0, len(names), _NAMES):
        named = tuple_(grants.c.passport_id, grants.c.grant_id).in_(names[start : start + _NAMES])
        limits = select(func.min(grants.c.use_to), forbids, allows).where(named)
        first_end, some_forbid, all_allow = connection.execute(limits).one()
        usable_until = min(usable_until, first_end)
        no_relink = no_relink or bool(some_forbid)
        no_onward = no_onward or not all_allow
    return {"usable_until": usable_until, "no_relink": no_relink, "no_onward": no_onward}


def _declared(connection: Connection, event: Event, a: dict[str, Any]) -> None:
    purposes, categories, retain_until, budget = a["plan"]
    connection.execute(
        insert(datasets).values(
            dataset_id=a["datasetId"],
            owner=a["owner"],
            purposes=purposes,
            categories=categories,
            status=DatasetStatus.DECLARED,
            sealed_from=DatasetStatus.NONE,
            no_relink=False,
            no_onward=False,
            retain_until=retain_until,
            usable_until=NO_END,
            included=0,
            withdrawals=0,
            excused=0,
            budget=_word(budget),
            spent=_word(0),
            description=a["description"],
            **position_columns(event.position),
        )
    )


def _withdrawn(connection: Connection, event: Event, a: dict[str, Any]) -> None:
    connection.execute(
        insert(withdrawals).values(
            dataset_id=a["datasetId"],
            number=a["withdrawals"],
            grant_id=a["grantId"],
            **position_columns(event.position),
        )
    )
    connection.execute(
        update(inclusions)
        .where(
            inclusions.c.rests_on == a["grantId"],
            inclusions.c.dataset_id == a["datasetId"],
            inclusions.c.withdrawal == 0,
        )
        .values(withdrawal=a["withdrawals"])
    )
    _update_dataset(connection, a["datasetId"], withdrawals=a["withdrawals"])


def _excused(connection: Connection, _event: Event, a: dict[str, Any]) -> None:
    _update_dataset(connection, a["datasetId"], excused=a["withdrawals"])


def _sealed(connection: Connection, _event: Event, a: dict[str, Any]) -> None:
    _update_dataset(
        connection, a["datasetId"], sealed_from=datasets.c.status, status=int(DatasetStatus.SEALED)
    )


def _unsealed(connection: Connection, _event: Event, a: dict[str, Any]) -> None:
    _update_dataset(connection, a["datasetId"], status=datasets.c.sealed_from)


def _step_recorded(connection: Connection, event: Event, a: dict[str, Any]) -> None:
    fields = dict(zip(_STEP_FIELDS, a["step"], strict=True))
    connection.execute(
        insert(steps).values(
            step_id=a["stepId"],
            member_id=a["memberId"],
            **fields
            | {
                "epsilon": _word(fields["epsilon"]),
                "inputs": b"".join(fields["inputs"]),
                "outputs": b"".join(fields["outputs"]),
            },
            missing=a["missing"],
            **position_columns(event.position),
        )
    )
    stands = not a["missing"]
    for table, names in ((step_inputs, fields["inputs"]), (step_outputs, fields["outputs"])):
        for version_id in dict.fromkeys(names):
            connection.execute(
                insert(table).values(version_id=version_id, step_id=a["stepId"], stands=stands)
            )
    if stands:
        signed = connection.execute(select(step_parts).where(step_parts.c.step_id == a["stepId"]))
        parts = tuple(sorted((part_of(row) for row in signed), key=lambda part: part.member_id))
        _do(connection, StepRecord(a["stepId"], a["memberId"], _step(fields), StepFact(0), parts), event)


def _step(fields: dict[str, Any]) -> Step:
    return Step(**fields | {"kind": StepKind(fields["kind"])})


def _do(connection: Connection, record: StepRecord, event: Event) -> None:
    """What a step that stands changes, as the twin says."""
    changes = changes_of(record, _situation(connection, record, event.position.time))
    for dataset in changes.datasets:
        _update_dataset(
            connection, dataset.dataset_id, status=int(dataset.status), spent=_word(dataset.spent)
        )
    for version in changes.versions:
        if version.step_id == record.step_id:
            _make(connection, version)
        else:
            _update_version(
                connection, version.version_id, evaluated=version.evaluated, deployed=version.deployed
            )


def _part_signed(connection: Connection, _event: Event, a: dict[str, Any]) -> None:
    connection.execute(
        insert(step_parts).values(
            step_id=a["stepId"], member_id=a["memberId"], contribution=a["contribution"]
        )
    )


def _situation(connection: Connection, record: StepRecord, at: int) -> StepSituation:
    """Return what is known of the inputs of a step, of the datasets that they are from, and of who may use them."""
    step, used = record.step, {}
    for version_id in step.inputs:
        row = connection.execute(select(versions).where(versions.c.version_id == version_id)).one()
        places = connection.execute(select(origins).where(origins.c.version_id == version_id))
        used[version_id] = version_of(row, {place.place: origin_of(place) for place in places})
    named = {origin.dataset_id for version in used.values() for origin in version.origins}
    if step.dataset_id:
        named.add(step.dataset_id)
    return StepSituation(
        at=at,
        member=replace(_ANYBODY, member_id=record.member_id),
        core_categories=Category(0),
        others=tuple(replace(_ANYBODY, member_id=part.member_id) for part in record.parts),
        versions=used,
        shares={
            (version_id, member_id): agreement
            for version_id in used
            for member_id in record.team
            if (agreement := _agreement_of_share(connection, version_id, member_id, at)) is not None
        },
        datasets={number: _known(connection, number) for number in named},
    )


def _agreement_of_share(
    connection: Connection, version_id: bytes, member_id: int, at: int
) -> Agreement | None:
    """Return the agreement in force under which a member may use a version; None if it may not, or no more."""
    share = connection.execute(
        select(shares.c.agreement_id, shares.c.keep_until).where(
            shares.c.version_id == version_id, shares.c.recipient == member_id
        )
    ).one_or_none()
    if share is None or at >= share.keep_until:
        return None
    agreement = agreement_of(share.agreement_id, body(connection, "agreement", share.agreement_id))
    provider, recipient = (
        _member(connection, number) for number in (agreement.provider, agreement.recipient)
    )
    return agreement if agreement_is_in_force(agreement, provider, recipient, at) else None


def _member(connection: Connection, member_id: int) -> Member:
    """Return a member, as far as it matters to whether it is active."""
    row = connection.execute(
        select(members.c.status, members.c.valid_to).where(members.c.member_id == member_id)
    ).one()
    return replace(_ANYBODY, member_id=member_id, status=MemberStatus(row.status), valid_to=row.valid_to)


def _known(connection: Connection, dataset_id: int) -> Dataset:
    times = connection.execute(
        select(withdrawals.c.number, withdrawals.c.time).where(withdrawals.c.dataset_id == dataset_id)
    )
    return dataset_of(_dataset(connection, dataset_id), {row.number: row.time for row in times})


def _external(connection: Connection, event: Event, a: dict[str, Any]) -> None:
    version = Version(
        version_id=VersionId(a["versionId"]),
        step_id=0,
        owner=a["owner"],
        kind=VersionKind(a["kind"]),
        purposes=a["purposes"],
        origins=(),
    )
    registered = dumps(position_columns(event.position))
    _make(connection, version, statement=a["statement"], registered=registered)


def _make(connection: Connection, version: Version, **more: Any) -> None:
    connection.execute(
        insert(versions).values(
            version_id=version.version_id,
            step_id=version.step_id,
            owner=version.owner,
            kind=version.kind,
            purposes=version.purposes,
            check=version.check,
            verifier=version.verifier,
            status=version.status,
            evaluated=version.evaluated,
            deployed=version.deployed,
            only_to=version.only_to,
            **more,
        )
    )
    for place, origin in enumerate(version.origins):
        connection.execute(
            insert(origins).values(
                version_id=version.version_id,
                place=place,
                dataset_id=origin.dataset_id,
                withdrawals=origin.withdrawals,
                answered=origin.answered,
                split_id=origin.split_id,
                parts=origin.parts,
            )
        )


def _verified(connection: Connection, event: Event, a: dict[str, Any]) -> None:
    _update_version(
        connection,
        a["versionId"],
        check=a["check"],
        verifier=a["verifier"],
        report=a["report"],
        checked=dumps(position_columns(event.position)),
    )
    if a["check"] == Check.PASSED:
        _advance_all(connection, a["versionId"], DatasetStatus.VERIFIED)


def _shared(connection: Connection, event: Event, a: dict[str, Any]) -> None:
    connection.execute(
        delete(shares).where(shares.c.version_id == a["versionId"], shares.c.recipient == a["recipient"])
    )
    connection.execute(
        insert(shares).values(
            version_id=a["versionId"],
            recipient=a["recipient"],
            owner=a["owner"],
            agreement_id=a["agreementId"],
            project_id=a["projectId"],
            keep_until=a["keepUntil"],
            **position_columns(event.position),
        )
    )
    _advance_all(connection, a["versionId"], DatasetStatus.SHARED)


def _exported(connection: Connection, event: Event, a: dict[str, Any]) -> None:
    year = year_of(event.position.time)
    for kind, key, number in (
        ("dataset-export", f"{a['exporter']}/{year}/{a['datasetId']}", a["persons"]),
        ("dataset-crossing", f"{a['clearanceId']}/{a['datasetId']}", a["crossed"]),
    ):
        former = body(connection, kind, key).get("persons", 0)
        register(connection, kind, key, persons=former + number)


def _answered(connection: Connection, event: Event, a: dict[str, Any]) -> None:
    number = connection.execute(
        select(func.count()).select_from(answers).where(answers.c.version_id == a["versionId"])
    ).scalar_one()
    connection.execute(
        insert(answers).values(
            version_id=a["versionId"],
            number=number + 1,
            owner=a["owner"],
            answer=a["answer"],
            successor=a["successor"],
            evidence=a["evidence"],
            **position_columns(event.position),
        )
    )
    justified = a["answer"] == Answer.JUSTIFIED
    if justified:
        count = select(datasets.c.withdrawals).where(datasets.c.dataset_id == origins.c.dataset_id)
        connection.execute(
            update(origins)
            .where(origins.c.version_id == a["versionId"])
            .values(answered=count.scalar_subquery())
        )
    status = ModelStatus.ACTIVE if justified else ModelStatus.RETIRED
    _update_version(connection, a["versionId"], status=status)


def _suspended(connection: Connection, _event: Event, a: dict[str, Any]) -> None:
    _update_version(connection, a["versionId"], status=ModelStatus.SUSPENDED)


def _advance_all(connection: Connection, version_id: bytes, status: DatasetStatus) -> None:
    """Data that was checked or shared brings the datasets on that it is from; models and results do not."""
    kind = connection.execute(select(versions.c.kind).where(versions.c.version_id == version_id)).scalar_one()
    if kind != VersionKind.DATA:
        return
    for dataset_id in (
        connection.execute(select(origins.c.dataset_id).where(origins.c.version_id == version_id))
        .scalars()
        .all()
    ):
        _advance(connection, dataset_id, status)


def _advance(connection: Connection, dataset_id: int, status: DatasetStatus) -> None:
    """A dataset only moves on."""
    connection.execute(
        update(datasets)
        .where(datasets.c.dataset_id == dataset_id, datasets.c.status < status)
        .values(status=status)
    )


def _dataset(connection: Connection, dataset_id: int) -> Row[Any]:
    return connection.execute(select(datasets).where(datasets.c.dataset_id == dataset_id)).one()


def _update_dataset(connection: Connection, dataset_id: int, **values: Any) -> None:
    connection.execute(update(datasets).where(datasets.c.dataset_id == dataset_id).values(**values))


def _update_version(connection: Connection, version_id: bytes, **values: Any) -> None:
    connection.execute(update(versions).where(versions.c.version_id == version_id).values(**values))


def _word(value: int) -> bytes:
    return value.to_bytes(_WORD64_BYTES, "big")


HANDLERS: Final[dict[str, Callable[[Connection, Event, dict[str, Any]], None]]] = {
    "DatasetDeclared": _declared,
    "DatasetWithdrawn": _withdrawn,
    "DatasetExcused": _excused,
    "DatasetSealed": _sealed,
    "DatasetUnsealed": _unsealed,
    "StepRecorded": _step_recorded,
    "VersionVerified": _verified,
    "PartSigned": _part_signed,
    "ExternalRegistered": _external,
    "VersionShared": _shared,
    "DatasetExported": _exported,
    "WithdrawalAnswered": _answered,
    "ModelSuspended": _suspended,
}
