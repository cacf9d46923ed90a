"""Emergencies on a real chain: opened, used, told, sealed, reviewed, overdue, restored, declared and ended."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from ledger.audit import auditor
from ledger.audit.findings import Rule
from ledger.bootstrap import index_reader
from ledger.chain import artifacts
from ledger.domain.records import Member, PassportId
from ledger.domain.vocabulary import (
    Basis,
    Category,
    EmergencyFinding,
    EmergencyKind,
    EmergencyReason,
    Fact,
    Level,
    Operation,
    Outcome,
    Purpose,
    Role,
)
from ledger.errors import Conflict, InvalidInput, NotFound, NotPermitted
from ledger.service.emergencies import Declaration
from tests.support.world import Actor, World, event_named

HOUR, DAY = 3600, 86_400


@dataclass(frozen=True)
class Cast:
    hospital: Actor
    clinic: Actor
    ethics: Actor
    regulator: Actor
    authority: Actor


@pytest.fixture(scope="module")
def world(timed_world: World) -> World:
    return timed_world


@pytest.fixture(scope="module")
def cast(world: World) -> Cast:
    return Cast(
        hospital=world.admit("Riverside Hospital", Role.CUSTODIAN | Role.ETHICS),
        clinic=world.admit("Valley Emergency Room", Role.PROCESSOR | Role.EMERGENCY),
        ethics=world.admit("Board of ethics", Role.ETHICS),
        regulator=world.admit("Health regulator", Role.REGULATOR),
        authority=world.admit("Disease control", Role.PROCESSOR),
    )


@pytest.fixture
def passport(world: World, cast: Cast) -> PassportId:
    return world.register(cast.hospital)


def opened(world: World, actor: Actor, passport: PassportId, **changes: object) -> int:
    words = {"reason": EmergencyReason.UNCONSCIOUS, "words": "Found at the roadside", **changes}
    operation = world.done(world.service.emergencies.open(actor.member, passport, **words))
    return int(event_named(operation, "EmergencyOpened").arguments["emergencyId"])


def reviewed(world: World, actor: Actor, number: int, *, justified: bool = True) -> None:
    operation = world.service.emergencies.review(
        actor.member, number, justified=justified, opinion="The chart shows it"
    )
    world.done(operation)


def told(world: World, number: int, *, to_holder: bool = True) -> str:
    record = world.service.emergencies.get(number)
    return world.service.emergencies.entry(record, at=world.now(), to_holder=to_holder).sentence


def under(world: World, actor: Actor, passport: PassportId, number: int) -> Outcome:
    verdict = world.ask(
        actor,
        passport,
        purpose=Purpose.EMERGENCY_CARE,
        basis=Basis.INDIVIDUAL_EMERGENCY,
        level=Level.IDENTIFIED,
        emergency_id=number,
    )
    return verdict.outcome


def declare(world: World, *, by: Actor | None = None) -> int:
    declaration = Declaration(
        purposes=[Purpose.PUBLIC_HEALTH],
        categories=Category.DIAGNOSIS | Category.LABORATORY,
        valid_from=world.now(),
        until=world.now() + 10 * DAY,
        max_records=2,
        jurisdiction=840,
        document="Decree 2026-31",
    )
    actor = by or world.committee
    operation = world.done(world.service.emergencies.declare(actor.member, declaration, "An outbreak"))
    return int(event_named(operation, "EmergencyDeclared").arguments["emergencyId"])


def as_now(world: World, actor: Actor) -> Member:
    found = world.service.index.member(actor.member.member_id)
    assert found is not None
    return found


def test_the_patient_is_told_at_once_in_words(world: World, cast: Cast, passport: PassportId) -> None:
    number = opened(world, cast.clinic, passport)

    sentence = told(world, number)

    assert sentence.startswith(
        "Valley Emergency Room opened an emergency for your record because the patient is unconscious "
        "(“Found at the roadside”), from 20"
    )
    assert "for diagnoses, medication" in sentence
    assert "; review due 20" in sentence
    reviewed(world, cast.ethics, number)
    assert "the review by Board of ethics on " in told(world, number)
    assert told(world, number).endswith("found it justified")


def test_it_permits_for_its_hours_and_its_passport_alone(
    world: World, cast: Cast, passport: PassportId
) -> None:
    other = world.register(cast.hospital)
    number = opened(world, cast.clinic, passport)
    until = world.service.emergencies.get(number).emergency.until

    assert under(world, cast.clinic, passport, number) is Outcome.PERMIT
    assert under(world, cast.authority, passport, number) is Outcome.DENY
    assert under(world, cast.clinic, other, number) is Outcome.DENY
    world.until(until - 60)
    assert under(world, cast.clinic, passport, number) is Outcome.PERMIT
    seq = world.service.index.passport(passport).passport.size - 1  # type: ignore[union-attr]
    world.until(until)
    assert under(world, cast.clinic, passport, number) is Outcome.DENY
    with pytest.raises(NotPermitted, match="the emergency has ended since the permit"):
        world.service.releases.release(as_now(world, cast.clinic), passport, seq)
    reviewed(world, cast.ethics, number)


def test_who_may_open_one(world: World, cast: Cast, passport: PassportId) -> None:
    service = world.service.emergencies
    with pytest.raises(NotPermitted, match="does not hold the role EMERGENCY"):
        service.open(cast.authority.member, passport, EmergencyReason.OTHER, "no right")
    with pytest.raises(NotFound):
        service.open(cast.clinic.member, PassportId(b"\1" * 32), EmergencyReason.OTHER, "no such passport")
    with pytest.raises(InvalidInput, match="statement must say it in words"):
        service.open(cast.clinic.member, passport, EmergencyReason.OTHER, "  ")
    world.done(world.service.records.seal(cast.hospital.member, passport, "A leak"))
    with pytest.raises(Conflict, match="is sealed or destroyed"):
        service.open(cast.clinic.member, passport, EmergencyReason.OTHER, "sealed data")


def test_a_seal_ends_with_the_review_at_the_latest_and_has_a_reason(
    world: World, cast: Cast, passport: PassportId
) -> None:
    def sealed(until: int, why: str) -> None:
        world.service.emergencies.open(
            cast.clinic.member,
            passport,
            EmergencyReason.DANGER_TO_OTHERS,
            "A knife",
            sealed_until=until,
            sealing=why,
        )

    with pytest.raises(InvalidInput, match="sealedUntil must lie ahead"):
        sealed(world.now() + 72 * HOUR + 60, "too long")
    with pytest.raises(InvalidInput, match="sealedUntil must lie ahead"):
        sealed(world.now() - 1, "past")
    with pytest.raises(InvalidInput, match="sealing must say it in words"):
        sealed(world.now() + HOUR, " ")
    with pytest.raises(InvalidInput, match="needs an end of the seal"):
        sealed(0, "no end")


def test_sealed_the_patient_learns_that_it_was_by_whom_why_and_until_when_and_it_opens_by_itself(
    world: World, cast: Cast, passport: PassportId
) -> None:
    until = world.now() + 24 * HOUR
    number = opened(
        world,
        cast.clinic,
        passport,
        reason=EmergencyReason.DANGER_TO_OTHERS,
        sealed_until=until,
        sealing="the police ask not to warn who hurt the patient",
    )
    assert under(world, cast.clinic, passport, number) is Outcome.PERMIT
    world.ask(cast.authority, passport, purpose=Purpose.EMERGENCY_CARE, emergency_id=number)
    world.ask(
        cast.authority,
        passport,
        purpose=Purpose.EMERGENCY_CARE,
        basis=Basis.INDIVIDUAL_EMERGENCY,
        emergency_id=number,
    )

    sentence = told(world, number)
    entries, _ = world.service.access.of_passport(passport, to_holder_at=world.now())
    open_entries, _ = world.service.access.of_passport(passport)

    assert sentence.startswith("Valley Emergency Room had access to your record in an emergency. ")
    assert "because the police ask not to warn who hurt the patient; then it opens by itself" in sentence
    assert not {"knife", "diagnoses", "others are in danger"} & set(sentence.split())
    # The newest first: nobody hides behind somebody else's emergency.
    assert [entry.seal is not None for entry in entries] == [False, False, True]
    assert (entries[2].sentence, entries[2].answer, entries[2].reasons) == (sentence, "sealed", ())
    assert [entry.seal for entry in open_entries] == [None, None, None]
    assert "opened an emergency for one record because others are in danger" in told(
        world, number, to_holder=False
    )
    world.until(until - 1)
    assert told(world, number) == sentence
    world.until(until)
    assert "because others are in danger" in told(world, number)
    entries, _ = world.service.access.of_passport(passport, to_holder_at=world.now())
    assert [entry.seal for entry in entries] == [None, None, None]
    reviewed(world, cast.regulator, number)


def test_who_reviews_had_no_part_in_it(world: World, cast: Cast, passport: PassportId) -> None:
    number = opened(world, cast.clinic, passport)
    service = world.service.emergencies
    with pytest.raises(NotPermitted, match="neither the role ETHICS nor REGULATOR"):
        service.review(cast.authority.member, number, justified=True, opinion="x")
    with pytest.raises(NotPermitted, match="keeps the data"):
        service.review(cast.hospital.member, number, justified=True, opinion="x")
    with pytest.raises(NotFound):
        service.review(cast.ethics.member, 10_000, justified=True, opinion="x")
    with pytest.raises(InvalidInput, match="opinion must say it in words"):
        service.review(cast.ethics.member, number, justified=True, opinion="")
    assert number in [
        item.emergency.emergency_id for item in service.awaiting(cast.ethics.member, world.now())
    ]
    assert number not in [
        item.emergency.emergency_id for item in service.awaiting(cast.hospital.member, world.now())
    ]
    assert service.awaiting(cast.authority.member, world.now()) == []
    reviewed(world, cast.ethics, number)
    with pytest.raises(Conflict, match="reviewed before"):
        service.review(cast.regulator.member, number, justified=True, opinion="x")


def test_an_unjustified_one_costs_the_right_until_the_committee_restores_it(
    world: World, cast: Cast, passport: PassportId
) -> None:
    other = world.admit("Night clinic", Role.PROCESSOR | Role.EMERGENCY)
    first, second = opened(world, other, passport), opened(world, other, passport)
    service, member = world.service.emergencies, other.member.member_id
    with pytest.raises(Conflict, match="has not lost its right"):
        service.restore(world.committee.member, member, "nothing lost")

    reviewed(world, cast.ethics, first, justified=False)

    assert (service.right(member).lost, service.right(member).holds) == (True, False)
    assert under(world, other, passport, second) is Outcome.DENY
    with pytest.raises(NotPermitted, match="lost its right to emergencies"):
        opened(world, other, passport)
    assert "found it not justified" in told(world, first)
    with pytest.raises(NotPermitted, match="has no seat"):
        service.restore(cast.hospital.member, member, "not mine to give")
    world.done(service.restore(world.committee.member, member, "A new chief physician"))
    assert (service.right(member).holds, service.right(member).left) == (True, 18)
    assert under(world, other, passport, second) is Outcome.PERMIT
    reviewed(world, cast.ethics, second)


def test_an_overdue_review_is_seen_and_blocks_the_next_emergency(
    world: World, cast: Cast, passport: PassportId
) -> None:
    late = world.admit("Late clinic", Role.PROCESSOR | Role.EMERGENCY)
    number = opened(world, late, passport)
    due = world.service.emergencies.get(number).emergency.review_due
    service = world.service.emergencies
    world.until(due)
    assert service.overdue(world.now()) == []

    world.until(due + 1)

    assert [item.emergency.emergency_id for item in service.overdue(world.now())] == [number]
    assert "review was due" in told(world, number)
    with pytest.raises(NotPermitted, match="owes a review that was due at"):
        opened(world, late, passport)
    reviewed(world, cast.ethics, number)
    assert service.overdue(world.now()) == []
    assert service.right(late.member.member_id).lost
    assert ", late found it justified" in told(world, number)
    world.done(service.restore(world.committee.member, late.member.member_id, "Once"))
    assert service.right(late.member.member_id).holds


def test_the_quota_of_thirty_days_is_counted_as_the_ledger_counts_it(
    world: World, cast: Cast, passport: PassportId
) -> None:
    busy = world.admit("Busy clinic", Role.PROCESSOR | Role.EMERGENCY)
    member, service = busy.member.member_id, world.service.emergencies
    quota = service.right(member).quota
    for left in range(quota, 0, -1):
        assert service.right(member).left == left
        opened(world, busy, passport)
    assert service.right(member).left == 0
    with pytest.raises(NotPermitted, match=f"opened all {quota} emergencies of its 30 days"):
        opened(world, busy, passport)
    for record in service.awaiting(cast.ethics.member, world.now()):
        if record.emergency.member_id == member:
            reviewed(world, cast.ethics, record.emergency.emergency_id)
    start = service.all(member_id=member)[0].emergency.valid_from
    world.until(start + 30 * DAY)
    assert service.right(member).left == quota
    reviewed(world, cast.ethics, opened(world, busy, passport))


def test_a_public_emergency_is_declared_used_up_and_ended(
    world: World, cast: Cast, passport: PassportId
) -> None:
    service = world.service.emergencies
    with pytest.raises(NotPermitted, match="has no seat"):
        declare(world, by=cast.authority)
    number = declare(world)
    project = world.project(
        cast.authority,
        purposes=[Purpose.PUBLIC_HEALTH],
        categories=Category.DIAGNOSIS,
        valid_from=world.now() - DAY,
        valid_to=world.now() + 365 * DAY,
    )

    def ask() -> Fact:
        return world.ask(
            cast.authority,
            passport,
            purpose=Purpose.PUBLIC_HEALTH,
            basis=Basis.PUBLIC_EMERGENCY,
            project_id=project,
            emergency_id=number,
        ).missing

    assert [ask(), ask(), ask()] == [Fact(0), Fact(0), Fact.EMERGENCY_IN_FORCE]
    assert told(world, number).startswith(
        "The committee declared an emergency for public health in country 840"
    )
    assert told(world, number).endswith("good for 2 permits, of which 2 were used")
    with pytest.raises(Conflict, match="declared by the committee"):
        service.review(cast.ethics.member, number, justified=True, opinion="x")
    world.done(service.end(world.committee.member, number, "It is over"))
    assert not service.entry(service.get(number), at=world.now()).in_force
    with pytest.raises(Conflict, match="is over"):
        service.end(world.committee.member, number, "again")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"purposes": []}, "purposes"),
        ({"categories": Category(0)}, "categories"),
        ({"document": " "}, "document"),
        ({"max_records": 0}, "maxRecords"),
        ({"until": 0}, "until"),
        ({"valid_from": 1, "until": 2}, "until"),
        ({"days": 91}, "until"),
    ],
)
def test_a_declaration_is_complete_and_ends(
    world: World, cast: Cast, changes: dict[str, object], field: str
) -> None:
    days = int(str(changes.pop("days", 10)))
    words: dict[str, object] = {
        "purposes": [Purpose.PUBLIC_HEALTH],
        "categories": Category.DIAGNOSIS,
        "valid_from": world.now(),
        "until": world.now() + days * DAY,
        "max_records": 1,
        "jurisdiction": 0,
        "document": "Decree",
        **changes,
    }
    with pytest.raises(InvalidInput) as refused:
        world.service.emergencies.declare(world.committee.member, Declaration(**words), "x")  # type: ignore[arg-type]
    assert refused.value.details["field"] == field


def test_the_ratio_counts_what_was_asked_on_the_ground_of_an_emergency(
    world: World, cast: Cast, passport: PassportId
) -> None:
    ward = world.admit("Ward of the ratio", Role.PROCESSOR | Role.EMERGENCY)
    before, _ = world.service.emergencies.ratio(world.now())
    number = opened(world, ward, passport)
    under(world, ward, passport, number)
    under(world, ward, passport, 0)
    world.ask(ward, passport)
    world.ask(ward, passport, operation=Operation.TRANSFER)

    total, shares = world.service.emergencies.ratio(world.now())
    mine = next(share for share in shares if share.member_id == ward.member.member_id)

    assert (mine.decisions, mine.urgent, mine.opened, mine.overdue) == (4, 2, 1, 0)
    assert mine.ratio == 0.5
    assert (total.decisions - before.decisions, total.urgent - before.urgent) == (4, 2)
    assert total.justified + total.unjustified + 1 == total.opened
    reviewed(world, cast.ethics, number)


def test_the_auditor_finds_the_registers_as_the_chain_has_them(
    world: World, cast: Cast, passport: PassportId
) -> None:
    deployment = world.runtime.deployment
    assert deployment is not None
    ward = world.admit("Ward of the audit", Role.PROCESSOR | Role.EMERGENCY)
    reviewed(world, cast.ethics, opened(world, ward, passport), justified=False)
    reviewed(
        world, cast.ethics, opened(world, cast.clinic, passport, sealed_until=world.now() + HOUR, sealing="x")
    )
    declare(world)
    kinds = {record.emergency.kind for record in world.service.emergencies.all()}
    findings = {record.emergency.finding for record in world.service.emergencies.all()}

    report = auditor.audit(
        world.runtime.node,
        artifacts.load().abi,
        deployment.ledger,
        from_block=deployment.block_number,
        index=index_reader(world.settings.database_url()),
    )

    assert kinds == {EmergencyKind.INDIVIDUAL, EmergencyKind.PUBLIC}
    assert {EmergencyFinding.JUSTIFIED, EmergencyFinding.UNJUSTIFIED} <= findings
    # What is wrong is of the emergencies, not of the index.
    wrong = {finding.rule for finding in report.findings if not finding.rule.is_informational}
    assert Rule.EMERGENCY_UNJUSTIFIED in wrong
    assert wrong <= {Rule.EMERGENCY_UNJUSTIFIED, Rule.EMERGENCY_UNREVIEWED}
