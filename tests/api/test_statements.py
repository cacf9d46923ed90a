"""Words behind commitments: told where the ledger says that who gave them committed to them, and nowhere else."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import delete, select, update

from api.middleware import COOKIE
from ledger.domain.records import Commitment, Consignment, Limits, PassportId, Terms
from ledger.domain.vocabulary import (
    Basis,
    Category,
    EmergencyReason,
    Level,
    Operation,
    Purpose,
    Role,
    StepKind,
    VersionKind,
)
from ledger.encoding.commitments import external_id
from ledger.encoding.hexadecimal import from_hex, to_hex
from ledger.encoding.structs import consignment_values, limits_values
from ledger.encoding.words import pack_terms, unpack_verdict
from ledger.ports import Call
from ledger.service.consents import Words
from ledger.service.datasets import DatasetPlan, Description
from ledger.service.decisions import AccessRequest
from ledger.service.lineage import StepReport
from ledger.service.transfers import TransferPlan
from ledger.store.database import Database
from ledger.store.vault_tables import statement_owners, statements
from tests.support.world import STUDY, Actor, World, event_named

HOME = 840
SECRET = "Whispered"
RESEARCH = [Purpose.DISEASE_RESEARCH]


@dataclass(frozen=True)
class Stage:
    """Members that said something, somebody who copies commitments, and what it copies them into."""

    world: World
    hospital: Actor
    lab: Actor
    spy: Actor
    ethics: Actor
    verifier: Actor
    passport: PassportId
    said: dict[str, Commitment]
    limits: Limits
    project: int
    grant: bytes
    external: bytes

    def call(self, actor: Actor, function: str, *arguments: Any) -> dict[str, Any]:
        """Call the contract in the name of a member, past everything that the service checks; returns its first event."""
        operation = self.world.service.writer.submit(actor.member.signer, Call(function, arguments))
        return dict(self.world.done(operation).events[0].arguments)


@pytest.fixture(scope="module")
def stage(world: World, cast: Any) -> Stage:
    """Let each kind of statement be made once, each with a word in it that nobody else may read."""
    service, hospital, lab = world.service, cast.hospital, cast.lab
    roles = Role.CUSTODIAN | Role.PROCESSOR | Role.EMERGENCY | Role.VERIFIER
    spy, verifier = world.admit("Copying company", roles), world.admit("Office of checks", Role.VERIFIER)
    clinic = world.admit("Clinic that opens", Role.PROCESSOR | Role.EMERGENCY)
    ethics = world.admit("Ethics of statements", Role.ETHICS)
    passport = world.register(hospital, 4)
    limits = Limits(
        recipient=lab.member.member_id,
        purposes=1 << Purpose.AI_TRAINING,
        categories=STUDY,
        valid_to=world.now() + 10**7,
        retention_seconds=10**6,
    )

    def told(operation: Any, event: str, name: str) -> Commitment:
        return Commitment(event_named(world.done(operation), event).arguments[name])

    opened = service.emergencies.open(clinic.member, passport, EmergencyReason.UNCONSCIOUS, SECRET)
    agreed = service.agreements.propose(hospital.member, limits, SECRET)
    plan = DatasetPlan(RESEARCH, STUDY, world.now() + 10**7, 0, Description(*[SECRET] * 5))
    declared = world.done(service.datasets.declare(lab.member, plan))
    dataset = event_named(declared, "DatasetDeclared").arguments
    report = StepReport(
        StepKind.COLLECT,
        outputs=(secrets.token_bytes(32),),  # type: ignore[arg-type]
        dataset_id=dataset["datasetId"],
        parameters={"seed": SECRET},
    )
    step = event_named(world.done(service.lineage.record(lab.member, report)), "StepRecorded").arguments
    bulk = TransferPlan(10**6, 1, [Purpose.AI_TRAINING], STUDY, [HOME], SECRET)
    content = Commitment(secrets.token_bytes(32))
    brought = service.lineage.register(lab.member, content, VersionKind.DATA, tuple(RESEARCH), SECRET)
    asking = AccessRequest(
        passport, Purpose.AI_TRAINING, Basis.CONSENT, Operation.READ, Category.DIAGNOSIS, statement=SECRET
    )
    month = world.now() + 30 * 86_400
    words = Words((Purpose.AI_TRAINING,), Category.DIAGNOSIS, None, month)
    proposal = service.consents.ask(lab.member, passport, words)
    grant = world.grant(hospital, passport, lab)
    given = service.index.grant(grant, passport_id=passport)
    assert given is not None
    bulk = replace(bulk, agreement_id=_agreed(world, hospital, limits))
    said = {
        "emergency": told(opened, "EmergencyOpened", "statement"),
        "agreement": told(agreed, "AgreementProposed", "text"),
        "dataset": Commitment(dataset["description"]),
        "step": service.lineage.step(step["stepId"]).record.step.parameters,
        "transfer": told(
            service.transfers.declare(hospital.member, bulk)[1], "TransferDeclared", "description"
        ),
        "external": told(brought, "ExternalRegistered", "statement"),
        "statement": told(service.decisions.request(lab.member, [asking]), "DecisionRecorded", "commitment"),
        "proposal": told(proposal, "ConsentRequested", "terms"),
        "terms": given.terms,
    }
    return Stage(
        world=world,
        hospital=hospital,
        lab=lab,
        spy=spy,
        ethics=ethics,
        verifier=verifier,
        passport=passport,
        said=said,
        limits=limits,
        project=world.project(spy, purposes=RESEARCH),
        grant=world.grant(hospital, passport, spy, purposes=RESEARCH),
        external=external_id(lab.member.member_id, content),
    )


def _agreed(world: World, provider: Actor, limits: Limits) -> int:
    """Return the number of an agreement that nobody signed."""
    operation = world.service.agreements.propose(provider.member, limits, "Nothing secret")
    return int(event_named(world.done(operation), "AgreementProposed").arguments["agreementId"])


# What a copied commitment is put into, and where it is read then: each returns paths, and who asks for them.

Reading = Iterator[tuple[Actor, str]]


def in_version(stage: Stage, copied: str) -> Reading:
    content = secrets.token_bytes(32)
    name = to_hex(external_id(stage.spy.member.member_id, Commitment(content)))
    stage.call(
        stage.spy, "registerExternal", to_hex(content), int(VersionKind.DATA), 1 << RESEARCH[0], copied
    )
    yield stage.spy, f"/v1/versions/{name}"
    yield stage.spy, f"/versions/{name}"
    stage.call(stage.verifier, "verifyVersion", name, False, copied)
    yield stage.verifier, f"/v1/versions/{name}"
    yield stage.verifier, f"/versions/{name}"


def in_agreement(stage: Stage, copied: str) -> Reading:
    told = stage.call(stage.spy, "proposeAgreement", limits_values(stage.limits), copied)
    for side in (stage.spy, stage.lab):
        yield side, f"/v1/agreements/{told['agreementId']}"
        yield side, f"/agreements/{told['agreementId']}"


def in_step(stage: Stage, copied: str) -> Reading:
    made = to_hex(secrets.token_bytes(32))
    fields = [int(StepKind.TRAIN), 0, 0, 1, 0, [to_hex(stage.external)], [made], "0x" + "00" * 32, copied]
    told = stage.call(stage.spy, "recordStep", fields)
    yield stage.spy, f"/v1/steps/{told['stepId']}"
    yield stage.verifier, f"/v1/steps/{told['stepId']}"


def in_dataset(stage: Stage, copied: str) -> Reading:
    fields = [1 << RESEARCH[0], int(STUDY), stage.world.now() + 10**7, 0]
    told = stage.call(stage.spy, "declareDataset", fields, copied)
    yield stage.spy, f"/v1/datasets/{told['datasetId']}"
    yield stage.spy, f"/datasets/{told['datasetId']}"


def in_transfer(stage: Stage, copied: str) -> Reading:
    agreement = _agreed(stage.world, stage.spy, stage.limits)
    stage.call(
        stage.lab,
        "signAgreement",
        agreement,
        to_hex(stage.world.service.agreements.get(agreement).text),
    )
    name = to_hex(secrets.token_bytes(32))
    declared = Consignment(agreement, 0, 1, 1 << Purpose.AI_TRAINING, STUDY, None, (), (HOME,))
    values = [to_hex(each) if isinstance(each, bytes) else each for each in consignment_values(declared)]
    stage.call(stage.spy, "declareTransfer", name, values, copied)
    stage.call(stage.spy, "haltTransfer", name, copied)
    for side in (stage.spy, stage.lab):
        yield side, f"/v1/transfers/{name}"
        yield side, f"/transfers/{name}"


def in_emergency(stage: Stage, copied: str) -> Reading:
    told = stage.call(
        stage.spy, "openEmergency", to_hex(stage.passport), int(EmergencyReason.UNCONSCIOUS), 0, copied
    )
    number = told["emergencyId"]
    yield stage.spy, f"/v1/emergencies/{number}"
    yield stage.ethics, f"/v1/emergencies/{number}"
    stage.call(stage.ethics, "reviewEmergency", number, True, copied)
    yield stage.ethics, f"/v1/emergencies/{number}"


def in_decision(stage: Stage, copied: str) -> Reading:
    terms = Terms(
        purpose=RESEARCH[0],
        basis=Basis.CONSENT,
        operation=Operation.READ,
        categories=Category.DIAGNOSIS,
        level=Level.PSEUDONYMISED,
        project_id=stage.project,
    )
    target = [to_hex(stage.passport), to_hex(stage.grant)]
    told = stage.call(stage.spy, "decide", [[pack_terms(terms), copied, [target]]])
    yield stage.ethics, f"/v1/decisions/{to_hex(stage.passport)}/{unpack_verdict(told['verdict']).seq}"


#: Lists in which what is copied stands beside what may be told, and who reads them.
LISTS = {
    in_version: [],
    in_agreement: [("lab", "/v1/agreements")],
    in_step: [("spy", "/v1/steps?limit=500")],
    in_dataset: [("spy", "/v1/datasets?limit=500"), ("spy", "/datasets")],
    in_transfer: [("lab", "/v1/transfers")],
    in_emergency: [("ethics", "/v1/reviews")],
    in_decision: [("ethics", "/v1/reviews")],
}


@pytest.mark.parametrize("put", LISTS, ids=lambda put: put.__name__)
def test_a_copied_commitment_opens_nobody_elses_words(
    http: TestClient, send, member_code, stage: Stage, put: Callable[[Stage, str], Reading]
) -> None:
    """Put into a call of the own, it is told as what this service does not know, and breaks no list."""

    def read(reader: Actor, path: str) -> int:
        """Return how often the secret word is told."""
        http.cookies.set(COOKIE, member_code(reader))
        answer = send(reader, "GET", path) if path.startswith("/v1/") else http.get(path)
        assert answer.status_code == 200, (path, answer.text)
        return int(answer.text.count(SECRET))

    before = [read(getattr(stage, who), path) for who, path in LISTS[put]]
    for kind, commitment in stage.said.items():
        told = {path: read(reader, path) for reader, path in put(stage, to_hex(commitment))}
        assert {path for path, times in told.items() if times} == set(), kind
        assert before == [read(getattr(stage, who), path) for who, path in LISTS[put]], kind


def test_who_said_it_still_reads_it(client, stage: Stage) -> None:
    """And so does who may read it by the ledger."""
    service, said = stage.world.service, stage.said
    assert SECRET in str(client(stage.lab).datasets(owner=stage.lab.member.member_id))
    assert SECRET in str(client(stage.verifier).version(to_hex(stage.external)))
    agreement = next(one for one in service.agreements.all() if one.text == said["agreement"])
    assert service.agreements.text_for(stage.lab.member, agreement) == SECRET
    steps, _ = service.index.steps(member_id=stage.lab.member.member_id, limit=500)
    (step,) = (entry for entry in steps if entry.record.step.parameters == said["step"])
    how = service.lineage.reported(step)
    assert how is not None
    assert how["parameters"] == {"seed": SECRET}
    (transfer,) = (
        record
        for record in service.index.transfers(limit=None)
        if record.description == said["transfer"]
        and record.transfer.sender == stage.hospital.member.member_id
    )
    assert service.transfers.description_of(transfer) == SECRET
    decisions, _ = service.index.decisions(member_id=stage.lab.member.member_id, limit=500)
    (decision,) = (record for record in decisions if record.commitment == said["statement"])
    assert service.decisions.statement(decision) == SECRET
    (urgent,) = (
        record
        for record in service.emergencies.all(passport_id=stage.passport)
        if record.statement == said["emergency"] and record.emergency.member_id != stage.spy.member.member_id
    )
    assert service.emergencies.entry(urgent, at=stage.world.now()).statement == SECRET


def test_the_same_words_about_somebody_else_are_not_told(stage: Stage) -> None:
    """What a member said of one patient is not told of another, though it is its own."""
    world, spy = stage.world, stage.spy
    other = world.register(stage.hospital, 5)
    opening = world.service.emergencies.open(
        spy.member, stage.passport, EmergencyReason.UNCONSCIOUS, "Of the first"
    )
    statement = event_named(world.done(opening), "EmergencyOpened").arguments["statement"]
    reason = int(EmergencyReason.UNCONSCIOUS)
    told = stage.call(spy, "openEmergency", to_hex(other), reason, 0, to_hex(statement))
    entry = world.service.emergencies.entry(
        world.service.emergencies.get(told["emergencyId"]), at=world.now()
    )
    assert entry.statement is None


def test_what_was_kept_before_owners_were_is_whose_it_was_first(client, stage: Stage) -> None:
    """Of such records the chain says who committed to them first; a copy, which is later, still opens nothing."""
    world, text = stage.world, stage.said["agreement"]
    copy = stage.call(stage.spy, "proposeAgreement", limits_values(stage.limits), to_hex(text))
    vault = Database(world.settings.vault_database_url(), migrations="vault")
    with vault.write() as connection:
        connection.execute(delete(statement_owners).where(statement_owners.c.commitment == text))
        connection.execute(update(statements).where(statements.c.commitment == text).values(attributed=False))

    assert client(stage.spy).agreement(copy["agreementId"])["text"] is None
    original = next(one for one in world.service.agreements.all() if one.text == text)
    number = original.agreement.agreement_id
    assert client(stage.lab).agreement(number)["text"] == SECRET
    with vault.read() as connection:
        owners = connection.execute(
            select(statement_owners.c.member_id).where(statement_owners.c.commitment == text)
        )
        assert [stage.hospital.member.member_id] == list(owners.scalars())
    vault.close()


def test_what_a_holder_was_asked_for_is_told_as_asked_by_who_asked(stage: Stage, client) -> None:
    """Proposals and consents are told as before, in their language."""
    world = stage.world
    words = Words((Purpose.AI_TRAINING,), Category.DIAGNOSIS, None, world.now() + 10**6)
    operation = world.done(world.service.consents.ask(stage.lab.member, stage.passport, words))
    asked = event_named(operation, "ConsentRequested").arguments
    told = client(stage.hospital).grant(to_hex(asked["grantId"]))
    assert told["words"] is not None
    assert from_hex(told["terms"]) == asked["terms"]
