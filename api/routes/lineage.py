"""Lineage: steps recorded, versions checked and shared, withdrawals answered, and where everything came from and went."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from api import access
from api.auth import DOCUMENTED, MEMBERS, EitherDep, MemberDep
from api.dependencies import After, Fresh, Limit, ServiceDep, link_next
from api.routes.datasets import told_datasets
from api.routes.documented import READ, WRITE
from api.routes.ids import Id, NumberPath, grant_id, passport_id, version_id
from api.schemas.base import unhex
from api.schemas.datasets import inclusion_out
from api.schemas.lineage import (
    AnswerOut,
    BlameOut,
    CheckIn,
    ExternalIn,
    ImpactOut,
    JoinIn,
    ObligationList,
    RoundList,
    ShareIn,
    SignedPartOut,
    StepIn,
    StepList,
    StepOut,
    TraceOut,
    VersionDetailOut,
    WalkOut,
    WithdrawalAnswerIn,
    answer_out,
    blame_out,
    custody_out,
    impact_sentence,
    obligation_out,
    round_out,
    share_out,
    step_out,
    version_detail_out,
    version_out,
)
from api.writes import WriteDep, event_named
from ledger.domain.lineage import VersionId
from ledger.domain.records import Commitment
from ledger.encoding.commitments import external_id
from ledger.encoding.hexadecimal import to_hex
from ledger.interop.lineage import card, fhir, openlineage, prov
from ledger.interop.lineage.document import LineageDocument
from ledger.ports import AnswerRecord
from ledger.service import Service
from ledger.service.walks import MAX_DEPTH, MAX_STEPS, Walk

steps = APIRouter(prefix="/v1/steps", tags=["lineage"], dependencies=[Fresh, *DOCUMENTED])
versions = APIRouter(prefix="/v1/versions", tags=["lineage"], dependencies=[Fresh, *DOCUMENTED])
questions = APIRouter(prefix="/v1", tags=["lineage"], dependencies=[Fresh, *DOCUMENTED])

Depth = Annotated[int, Query(ge=1, le=MAX_DEPTH, description="Most hops.", examples=[8])]
Steps = Annotated[
    int, Query(alias="limit", ge=1, le=MAX_STEPS, description="Most steps in the answer.", examples=[500])
]
MemberQuery = Annotated[
    int | None, Query(alias="member", ge=1, le=2**32 - 1, description="Only of this member.", examples=[2])
]
DatasetQuery = Annotated[
    int | None,
    Query(
        alias="dataset", ge=1, le=2**32 - 1, description="Only those that name this dataset.", examples=[1]
    ),
]
OwnerQuery = Annotated[
    int | None, Query(alias="owner", ge=1, le=2**32 - 1, description="Only of this member.", examples=[2])
]
Overdue = Annotated[bool, Query(description="Only those that were due and are missing.")]


Standard = Annotated[
    Literal["prov-json", "fhir", "openlineage", "card"],
    Query(alias="format", description="The standard.", examples=["prov-json"]),
]
#: How each standard writes a document, and what it calls what it writes.
_STANDARDS: Final[dict[str, Callable[[LineageDocument], str]]] = {
    "prov-json": prov.write,
    "fhir": lambda document: json.dumps(fhir.write(document)),
    "openlineage": lambda document: json.dumps(openlineage.write(document)),
    "card": lambda document: json.dumps(card.write(document)),
}
_MEDIA: Final = {
    "prov-json": "application/json",
    "fhir": "application/fhir+json",
    "openlineage": "application/json",
    "card": "application/json",
}


@steps.post("", status_code=201, response_model=StepOut, responses=WRITE)
def record_step(body: StepIn, actor: MemberDep, service: ServiceDep, write: WriteDep) -> Response:
    """
    Record a step in the life of data. One that breaks a rule is recorded too, says what was missing, and makes nothing.

    For members.
    """
    operation = write.once(
        lambda identity: service.lineage.record(actor, body.to_report(), idempotency=identity)
    )

    def recorded(number: int) -> StepOut:
        entry = service.lineage.step(number)
        return step_out(entry, service.members.names(), service.lineage.reported(entry))

    return write.answer(
        operation, lambda events: recorded(event_named(events, "StepRecorded").arguments["stepId"])
    )


@steps.post("/parts", response_model=SignedPartOut, responses=READ)
def sign_part(body: JoinIn, actor: MemberDep, service: ServiceDep) -> SignedPartOut:
    """
    Take part in a step that another member will record: sign it, with its salt, and what the caller contributes.

    Nothing is recorded; who records the step sends the part with it. A member whose key is elsewhere signs there.

    For members.
    """
    part = service.lineage.sign_part(
        actor,
        body.step.to_report(),
        recorder=body.recorder,
        contribution=Commitment(unhex(body.contribution)),
    )
    return SignedPartOut(
        member_id=part.member_id,
        contribution=to_hex(part.contribution),
        signature=to_hex(part.signature),
    )


@steps.get("", responses=READ, dependencies=[MEMBERS])
def list_steps(
    request: Request,
    response: Response,
    service: ServiceDep,
    member: MemberQuery = None,
    dataset: DatasetQuery = None,
    limit: Limit = 100,
    after: After = None,
) -> StepList:
    """
    List steps, those against the rules too, oldest first.

    For members.
    """
    entries, cursor = service.index.steps(member_id=member, dataset_id=dataset, after=after, limit=limit)
    link_next(request, response, cursor)
    names = service.members.names()
    return StepList(items=[step_out(entry, names) for entry in entries], next=cursor)


@steps.get("/{step_id}", responses=READ)
def get_step(step_id: NumberPath, actor: MemberDep, service: ServiceDep) -> StepOut:
    """
    Return a step; with how it was done for who recorded it, verifiers and auditors.

    For members.
    """
    entry = service.lineage.step(step_id)
    how = service.lineage.reported(entry) if access.sees_how(actor, entry) else None
    return step_out(entry, service.members.names(), how)


@versions.post("", status_code=201, response_model=VersionDetailOut, responses=WRITE)
def register_external(body: ExternalIn, actor: MemberDep, service: ServiceDep, write: WriteDep) -> Response:
    """
    Vouch for data or a model from outside. It is in quarantine: no step takes it before a verifier has passed it.

    For members.
    """
    content = Commitment(unhex(body.content))
    name = VersionId(external_id(actor.member_id, content))
    operation = write.once(
        lambda identity: service.lineage.register(
            actor, content, body.kind, tuple(body.purposes), body.statement, idempotency=identity
        )
    )
    return write.answer(operation, lambda _: _detail(service, name))


@versions.get("/{version}", responses=READ, dependencies=[MEMBERS])
def get_version(version: Id, service: ServiceDep) -> VersionDetailOut:
    """
    Return a version: what made it, what it is from, what was found, with whom it was shared, and what is owed.

    For members.
    """
    return _detail(service, version_id(version))


@versions.post("/{version}/checks", status_code=201, response_model=VersionDetailOut, responses=WRITE)
def check_version(
    version: Id, body: CheckIn, actor: MemberDep, service: ServiceDep, write: WriteDep
) -> Response:
    """
    Say whether a version was made as it should.

    For members with the role VERIFIER that neither own it nor use it.
    """
    name = version_id(version)
    operation = write.once(
        lambda identity: service.lineage.verify(
            actor, name, passed=body.passed, report=body.report, idempotency=identity
        )
    )
    return write.answer(operation, lambda _: _detail(service, name))


@versions.post("/{version}/shares", status_code=201, response_model=VersionDetailOut, responses=WRITE)
def share_version(
    version: Id, body: ShareIn, actor: MemberDep, service: ServiceDep, write: WriteDep
) -> Response:
    """
    Let another member use a version in its own steps, within an agreement. It must have passed its check.

    For its owner.
    """
    name = version_id(version)
    operation = write.once(
        lambda identity: service.lineage.share(
            actor, name, body.recipient, body.agreement_id, body.project_id, idempotency=identity
        )
    )
    return write.answer(operation, lambda _: _detail(service, name))


@versions.post("/{version}/answers", status_code=201, response_model=VersionDetailOut, responses=WRITE)
def answer_withdrawal(
    version: Id, body: WithdrawalAnswerIn, actor: MemberDep, service: ServiceDep, write: WriteDep
) -> Response:
    """
    Answer the withdrawals that have reached a model. All but JUSTIFIED take it out of service.

    For its owner.
    """
    name = version_id(version)
    operation = write.once(
        lambda identity: service.lineage.answer(
            actor,
            name,
            body.answer,
            evidence=body.evidence,
            successor=VersionId(unhex(body.successor)) if body.successor else None,
            idempotency=identity,
        )
    )
    return write.answer(operation, lambda _: _detail(service, name))


@versions.post("/{version}/suspension", status_code=201, response_model=VersionDetailOut, responses=WRITE)
def suspend_model(version: Id, actor: MemberDep, service: ServiceDep, write: WriteDep) -> Response:
    """
    Suspend a model whose owner owes an answer for too long.

    For members.
    """
    name = version_id(version)
    operation = write.once(lambda identity: service.lineage.suspend(actor, name, idempotency=identity))
    return write.answer(operation, lambda _: _detail(service, name))


@versions.get("/{version}/forward", responses=READ)
def follow_version(
    version: Id,
    actor: MemberDep,
    service: ServiceDep,
    depth: Depth = MAX_DEPTH,
    limit: Steps = MAX_STEPS,
) -> WalkOut:
    """
    Return where a version went: the steps that used it, what they made, and so on.

    For members.
    """
    walk = service.walks.forward_of_version(version_id(version), depth=depth, limit=limit)
    return _walk(service, actor, walk)


@versions.get("/{version}/back", responses=READ)
def trace_back(
    version: Id,
    actor: MemberDep,
    service: ServiceDep,
    depth: Depth = MAX_DEPTH,
    limit: Steps = MAX_STEPS,
) -> WalkOut:
    """
    Return what a version was made of: steps, versions, datasets, and the consents of who was in them.

    For members; who was in a dataset for its owner, and auditors.
    """
    return _walk(service, actor, service.walks.back(version_id(version), depth=depth, limit=limit))


@versions.get("/{version}/lineage", responses=READ)
def export_lineage(
    version: Id, actor: MemberDep, service: ServiceDep, standard: Standard = "prov-json"
) -> Response:
    """
    Return the whole lineage of a version in the words of a standard: all that led to it, and what it was used in.

    W3C PROV-JSON, a Bundle of FHIR R4 Provenance, OpenLineage run events, or a card with the fields of the Data & Trust
    Alliance. But for the card they tell how many decisions are behind what was collected, and a digest of them.

    For members; the decisions themselves, the first hundred, for the owner of the dataset, and auditors.
    """
    document = service.lineage_documents.of(
        version_id(version), named=lambda dataset: access.sees_inclusions(actor, dataset)
    )
    return Response(_STANDARDS[standard](document), media_type=_MEDIA[standard])


@versions.get("/{version}/rounds", responses=READ, dependencies=[MEMBERS])
def list_rounds(version: Id, service: ServiceDep, limit: Steps = MAX_STEPS) -> RoundList:
    """
    Return the chain of models that a model was trained on from, back to the first, with who took part in each round.

    For members.
    """
    rounds, complete = service.walks.rounds(version_id(version), limit=limit)
    names = service.members.names()
    return RoundList(items=[round_out(link, names) for link in rounds], complete=complete)


@versions.get("/{version}/trace", responses=READ, dependencies=[MEMBERS])
def trace_version(
    version: Id, service: ServiceDep, depth: Depth = MAX_DEPTH, limit: Steps = MAX_STEPS
) -> TraceOut:
    """
    Return the custody chain of a version and of what it is made of: who made, checked, got and used it.

    For members.
    """
    links, complete = service.walks.trace(version_id(version), depth=depth, limit=limit)
    names = service.members.names()
    return TraceOut(items=[custody_out(link, names) for link in links], complete=complete)


@versions.get("/{version}/blame", responses=READ, dependencies=[MEMBERS])
def blame_version(
    version: Id, service: ServiceDep, depth: Depth = MAX_DEPTH, limit: Steps = MAX_STEPS
) -> BlameOut:
    """
    Return the first step in a version's ancestry whose check failed or that broke a rule, and who is responsible.

    Also of a commitment that only a refused step names.

    For members.
    """
    name = version_id(version)
    blame, complete = service.walks.blame(name, depth=depth, limit=limit)
    return blame_out(name, blame, service.members.names(), complete=complete)


@questions.get("/datasets/{dataset_id}/forward", responses=READ)
def follow_dataset(
    dataset_id: NumberPath,
    actor: MemberDep,
    service: ServiceDep,
    depth: Depth = MAX_DEPTH,
    limit: Steps = MAX_STEPS,
) -> WalkOut:
    """
    Return where a dataset went, from what was collected of it on.

    For members.
    """
    walk = service.walks.forward_of_dataset(dataset_id, depth=depth, limit=limit)
    return _walk(service, actor, walk)


@questions.get("/passports/{passport}/forward", responses=READ)
def follow_passport(
    passport: Id,
    caller: EitherDep,
    service: ServiceDep,
    depth: Depth = MAX_DEPTH,
    limit: Steps = MAX_STEPS,
) -> WalkOut:
    """
    Return where somebody's data went: the datasets it was included into, and what was made with it in them.

    For its custodian, its holder, and auditors. What is sealed is left out for the holder, until it opens.
    """
    record = access.history_for(service, caller, passport_id(passport))
    walk = service.walks.forward_of_passport(
        record.passport.passport_id,
        depth=depth,
        limit=limit,
        told=lambda inclusion: access.may_tell_inclusion(service, caller, inclusion),
    )
    return _walk(service, caller, walk, own=True)


@questions.get("/obligations", responses=READ, dependencies=[MEMBERS])
def list_obligations(
    request: Request,
    response: Response,
    service: ServiceDep,
    owner: OwnerQuery = None,
    limit: Limit = 100,
    after: After = None,
    *,
    overdue: Overdue = False,
) -> ObligationList:
    """
    List what owners of models owe to those who withdrew, the one due first first.

    For members.
    """
    now = access.now_of(service)
    owed, cursor = service.index.obligations(
        owner=owner, due_before=now if overdue else None, after=after, limit=limit
    )
    link_next(request, response, cursor)
    names = service.members.names()
    return ObligationList(items=[obligation_out(item, names, now) for item in owed], next=cursor)


@questions.get("/grants/{grant}/impact", responses=READ)
def get_impact(
    grant: Id,
    request: Request,
    response: Response,
    caller: EitherDep,
    service: ServiceDep,
    limit: Limit = 100,
    after: After = None,
) -> ImpactOut:
    """
    Return what a consent's data is in, and what its withdrawal asks, or would ask: datasets, versions, models, answers.

    For the holder, the custodian, the recipient, and auditors.
    """
    record = access.grant_for(service, caller, service.consents.get(grant_id(grant)))
    found = service.walks.impact(record.grant_id, after=after, limit=limit)
    link_next(request, response, found.next_cursor)
    now, names = access.now_of(service), service.members.names()
    return ImpactOut(
        grant_id=to_hex(record.grant_id),
        status=service.consents.status(record, now),
        sentence=impact_sentence(found, ended=bool(record.ended_at)),
        inclusions=[inclusion_out(item) for item in found.inclusions],
        datasets=told_datasets(service, list(found.datasets)),
        versions=[version_out(item, names) for item in found.versions],
        models=[version_out(item, names) for item in found.models],
        obligations=[obligation_out(item, names, now) for item in found.obligations.values()],
        answers=_answers(service, found.answers),
        complete=found.complete,
        next=found.next_cursor,
    )


def _detail(service: Service, name: VersionId) -> VersionDetailOut:
    record, names = service.lineage.get(name), service.members.names()
    owed = service.index.obligation(name)
    return version_detail_out(
        record,
        names,
        report=service.lineage.verdict(record),
        statement=service.lineage.statement(record),
        shares=[share_out(share, names) for share in service.index.shares([name])],
        obligation=obligation_out(owed, names, access.now_of(service)) if owed else None,
        answers=_answers(service, service.index.answers([name])),
    )


def _answers(service: Service, answers: Iterable[AnswerRecord]) -> list[AnswerOut]:
    names = service.members.names()
    return [answer_out(answer, names, service.lineage.evidence(answer)) for answer in answers]


def _walk(service: Service, caller: access.Subject, walk: Walk, *, own: bool = False) -> WalkOut:
    """Write a walk; *own* if the inclusions are of a passport that the caller may see."""
    names = service.members.names()
    seen = {
        record.dataset.dataset_id
        for record in walk.datasets
        if own or access.sees_inclusions(caller, record.dataset)
    }
    return WalkOut(
        datasets=told_datasets(service, list(walk.datasets)),
        inclusions=[inclusion_out(item) for item in walk.inclusions if item.dataset_id in seen],
        steps=[step_out(entry, names) for entry in walk.steps],
        versions=[version_out(record, names) for record in walk.versions],
        complete=walk.complete,
    )
