"""What the committee does with members, what members do with each other, and what happens to records."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from ledger.client import MemberKeys
from ledger.domain.records import PassportId
from ledger.domain.vocabulary import (
    ActKind,
    Fact,
    MemberStatus,
    Outcome,
    PassportStatus,
    Purpose,
    Role,
    SeatKind,
    purpose_set,
)
from ledger.encoding.hexadecimal import from_hex
from ledger.errors import Conflict, InvalidInput, NotFound, NotPermitted
from ledger.interop.fhir import read_bundle
from ledger.policy import cap_of
from ledger.ports import Rule
from tests.support.data import bundle
from tests.support.world import ALL_PURPOSES, Actor, World, event_named

DAY = 86_400


@pytest.fixture(scope="module")
def hospital(world: World) -> Actor:
    return world.admit("Riverside Hospital", Role.CUSTODIAN | Role.PROCESSOR)


@pytest.fixture
def lab(world: World) -> Actor:
    return world.admit("Northern AI Laboratory", Role.PROCESSOR)


@pytest.fixture
def passport(world: World, hospital: Actor) -> PassportId:
    return world.register(hospital)


class Asking:
    """A member with a consent and a project, which asks."""

    def __init__(self, world: World, hospital: Actor, lab: Actor, passport: PassportId) -> None:
        self.world, self.lab, self.passport = world, lab, passport
        self.grant = world.grant(hospital, passport, lab)
        self.project = world.project(lab)

    def missing(self) -> Fact:
        return self.world.ask(self.lab, self.passport, grant_id=self.grant, project_id=self.project).missing


@pytest.fixture
def asking(world: World, hospital: Actor, lab: Actor, passport: PassportId) -> Asking:
    asking = Asking(world, hospital, lab, passport)
    assert asking.missing() == Fact(0)
    return asking


def test_a_permit_is_good_for_a_time_and_found_at_the_end_of_the_log(
    world: World, lab: Actor, asking: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    The log is read backwards, block by block here; no further than a permit is good for when one is wanted.

    For two seconds here: other tests use this chain, and its clock must not run away.
    """
    monkeypatch.setattr("ledger.chain.contract._DECISION_BLOCKS", 1)
    chain, releases = world.service.chain, world.service.releases
    verdict = world.ask(lab, asking.passport, grant_id=asking.grant, project_id=asking.project)
    decision = chain.decision(asking.passport, verdict.seq)
    assert decision is not None
    began = decision.position.time
    asking.missing()  # a later decision, in another block

    assert chain.decision(asking.passport, verdict.seq, newer_than=began) == decision
    assert releases.release(lab.member, asking.passport, verdict.seq).seq == verdict.seq
    with pytest.raises(NotFound, match="the chain has no decision"):
        releases.release(lab.member, asking.passport, 10**6)

    monkeypatch.setattr("ledger.service.releases.PERMIT_SECONDS", 2)
    world.until(began + 5)
    asking.missing()

    assert chain.decision(asking.passport, verdict.seq, newer_than=began + 3) is None
    assert chain.decision(asking.passport, verdict.seq) == decision
    with pytest.raises(NotPermitted, match="is older than 2 seconds"):
        releases.release(lab.member, asking.passport, verdict.seq)


def test_expelled_a_member_never_is_permitted_again(world: World, lab: Actor, asking: Asking) -> None:
    service, number = world.service.members, lab.member.member_id
    with pytest.raises(NotPermitted, match="has no seat"):
        service.expel(lab.member, number, "not mine")

    world.done(service.expel(world.committee.member, number, "Sold what it was lent"))

    assert service.get(number).status is MemberStatus.EXPELLED
    assert Fact.MEMBER_ACTIVE in asking.missing()
    for change in (
        lambda: service.expel(world.committee.member, number, "again"),
        lambda: service.license(
            world.committee.member, number, purposes=[], valid_to=world.now() + DAY, reason="x"
        ),
    ):
        with pytest.raises(Conflict, match="was expelled"):
            change()
    with pytest.raises(Conflict, match="is not suspended"):
        service.reinstate(world.committee.member, number)


def test_a_licence_says_for_what_and_until_when(world: World, lab: Actor, asking: Asking) -> None:
    service, until = world.service.members, world.now() + 5 * DAY
    world.done(
        service.license(
            world.committee.member,
            lab.member.member_id,
            purposes=[Purpose.RESEARCH],
            valid_to=until,
            reason="Renewed for less",
        )
    )

    found = service.get(lab.member.member_id)

    assert (found.purposes, found.valid_to) == (purpose_set([Purpose.RESEARCH]), until)
    assert asking.missing() == Fact.MEMBER_SCOPE


def test_control_changed_freezes_consents(world: World, lab: Actor, asking: Asking) -> None:
    service, number = world.service.members, lab.member.member_id
    with pytest.raises(NotPermitted, match="has no seat"):
        service.change_control(lab.member, number, "nobody's business")
    world.done(service.change_control(world.committee.member, number, "Bought by an insurer"))
    assert asking.missing() == Fact.GRANT_RECIPIENT
    alliance = world.admit("Alliance office", Role.ALLIANCE)
    world.done(service.change_control(alliance.member, number, "Sold again"))
    assert service.get(number).control == 2


def test_caps_count_permits_of_a_day_by_purpose(world: World, lab: Actor, asking: Asking) -> None:
    service, number = world.service.members, lab.member.member_id
    world.done(service.set_caps(world.committee.member, number, {Purpose.AI_TRAINING: 2}, "Agreement 12"))

    answers = [asking.missing() for _ in range(3)]

    assert answers == [Fact(0), Fact(0), Fact.WITHIN_CAP]
    detail = service.detail(number)
    assert cap_of(detail.caps.caps, Purpose.AI_TRAINING) == 2
    assert cap_of(detail.caps.used, Purpose.AI_TRAINING) == 2
    world.done(service.set_caps(world.committee.member, number, {}, "Lifted"))
    assert asking.missing() == Fact(0)
    for cap in (0, 65_536):
        with pytest.raises(InvalidInput, match="must be 1 to 65535"):
            service.set_caps(world.committee.member, number, {Purpose.RESEARCH: cap}, "x")


def test_rotated_keys_are_dead_at_once_and_the_new_ones_act(world: World, lab: Actor, asking: Asking) -> None:
    service, number = world.service.members, lab.member.member_id
    fresh = MemberKeys.new("Northern AI Laboratory")
    keys = {
        "signing_key": from_hex(fresh.signing_public),
        "sealing_key": from_hex(fresh.sealing_public),
        "reason": "A laptop was lost",
    }
    with pytest.raises(NotPermitted, match="has no seat"):
        service.rotate_keys(lab.member, number, **keys)
    with pytest.raises(InvalidInput, match="signingKey must be a public key of 32 bytes"):
        service.rotate_keys(world.committee.member, number, **{**keys, "signing_key": bytes(32)})
    with pytest.raises(Conflict, match="already uses this signing key"):
        service.rotate_keys(world.committee.member, number, **{**keys, "signing_key": lab.member.signing_key})

    world.done(service.rotate_keys(world.committee.member, number, **keys))

    rotated = service.get(number)
    assert (rotated.signing_key, rotated.signer != lab.member.signer) == (keys["signing_key"], True)
    assert world.service.index.member_by_signing_key(lab.member.signing_key) is None
    asking.lab = Actor(rotated, fresh)
    assert asking.missing() == Fact(0)
    with pytest.raises(NotPermitted, match="keys were rotated"):
        world.service.releases.release(lab.member, asking.passport, 1)


def test_a_processor_acts_for_who_entrusted_it_while_it_does(
    world: World, lab: Actor, asking: Asking
) -> None:
    processor, service = world.admit("Cloud of somebody", Role.PROCESSOR), world.service.members
    words = {"purposes": [Purpose.AI_TRAINING], "valid_to": world.now() + DAY, "agreement": "Annex 3"}

    def missing() -> Fact:
        return world.ask(
            processor,
            asking.passport,
            grant_id=asking.grant,
            project_id=asking.project,
            controller_id=lab.member.member_id,
        ).missing

    assert Fact.GRANT_RECIPIENT in missing()
    for changes, error in (
        ({"purposes": []}, InvalidInput),
        ({"valid_to": 1}, InvalidInput),
        ({"agreement": " "}, InvalidInput),
    ):
        with pytest.raises(error):
            service.entrust(lab.member, processor.member.member_id, **{**words, **changes})
    with pytest.raises(InvalidInput, match="nobody entrusts itself"):
        service.entrust(lab.member, lab.member.member_id, **words)
    with pytest.raises(NotFound):
        service.end_entrustment(lab.member, processor.member.member_id)

    world.done(service.entrust(lab.member, processor.member.member_id, **words))

    pair = (lab.member.member_id, processor.member.member_id)
    assert missing() == Fact(0)
    assert list(service.detail(pair[0]).entrustments) == list(service.detail(pair[1]).entrustments) == [pair]
    world.done(service.end_entrustment(lab.member, pair[1]))
    assert Fact.GRANT_RECIPIENT in missing()
    assert service.detail(pair[0]).entrustments == {}


def test_a_suspended_member_entrusts_nobody(world: World, lab: Actor, hospital: Actor) -> None:
    service = world.service.members
    world.done(service.suspend(world.committee.member, lab.member.member_id, "An incident"))
    suspended = service.get(lab.member.member_id)
    with pytest.raises(NotPermitted, match="is suspended"):
        service.entrust(
            suspended,
            hospital.member.member_id,
            purposes=[Purpose.RESEARCH],
            valid_to=world.now() + DAY,
            agreement="x",
        )


def test_sealed_data_is_neither_used_nor_destroyed_until_the_committee_unseals_it(
    world: World, hospital: Actor, asking: Asking
) -> None:
    records, passport = world.service.records, asking.passport
    with pytest.raises(NotPermitted, match="has no seat"):
        records.seal(asking.lab.member, passport, "a wish")
    with pytest.raises(Conflict, match="is not sealed"):
        records.unseal(world.committee.member, passport, "nothing to do")

    world.done(records.seal(hospital.member, passport, "A leak is looked into"))

    assert asking.missing() == Fact.PASSPORT_OPEN
    for change in (
        lambda: records.destroy(hospital.member, passport, "to hide it"),
        lambda: records.seal(hospital.member, passport, "again"),
        lambda: records.narrow(hospital.member, passport, [Purpose.PRIMARY_CARE]),
    ):
        with pytest.raises(Conflict, match="is sealed"):
            change()
    assert world.service.vault.record(passport) is not None
    with pytest.raises(NotPermitted, match="has no seat"):
        records.unseal(hospital.member, passport, "in my own interest")
    world.done(records.unseal(world.committee.member, passport, "The leak is closed"))
    assert asking.missing() == Fact(0)


def test_a_regulator_and_the_committee_seal_too(world: World, hospital: Actor) -> None:
    records, status = world.service.records, world.service.index.passport
    regulator = world.admit("Health regulator", Role.REGULATOR)
    for actor in (regulator, world.committee):
        passport = world.register(hospital)
        world.done(records.seal(actor.member, passport, "An order"))
        found = status(passport)
        assert found is not None
        assert found.passport.status is PassportStatus.SEALED


def test_purposes_only_narrow(world: World, hospital: Actor, asking: Asking) -> None:
    records, passport = world.service.records, asking.passport
    for purposes in ([], [Purpose.MARKETING], [Purpose.PRIMARY_CARE, Purpose.RESALE]):
        with pytest.raises(InvalidInput, match="smaller part"):
            records.narrow(hospital.member, passport, purposes)
    with pytest.raises(NotPermitted, match="does not keep passport"):
        records.narrow(asking.lab.member, passport, [Purpose.PRIMARY_CARE])

    world.done(records.narrow(hospital.member, passport, [Purpose.PRIMARY_CARE, Purpose.RESEARCH]))

    assert Fact.PURPOSE_ALLOWED in asking.missing()
    with pytest.raises(InvalidInput, match="smaller part"):
        records.narrow(hospital.member, passport, [Purpose.PRIMARY_CARE, Purpose.RESEARCH])


def test_destroyed_data_loses_its_keys_after_the_chain_says_so(
    world: World, hospital: Actor, asking: Asking
) -> None:
    records, passport = world.service.records, asking.passport
    assert records.erase_destroyed(passport) == 0
    with pytest.raises(NotPermitted, match="does not keep passport"):
        records.destroy(asking.lab.member, passport, "not mine")
    with pytest.raises(InvalidInput, match="must say why and how"):
        records.destroy(hospital.member, passport, " ")

    operation = world.done(records.destroy(hospital.member, passport, "Retention ended"))

    evidence = event_named(operation, "PassportDestroyed").arguments["evidence"]
    kept = world.service.vault.recall(evidence, domain="destruction", owner=hospital.member.member_id)
    assert kept["statement"] == "Retention ended"
    assert "DIAGNOSIS" in kept["categories"]
    # Nobody waited for the answer: the service erases when it sees that it is mined.
    deadline = time.monotonic() + 20
    while world.service.vault.record(passport) is not None:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    with pytest.raises(Conflict, match="is destroyed"):
        records.destroy(hospital.member, passport, "again")
    assert records.erase_destroyed(passport) == 0
    assert Fact.PASSPORT_OPEN in asking.missing()


def test_a_registration_that_the_ledger_refused_leaves_nothing_behind(world: World, hospital: Actor) -> None:
    """Sent again with a later record, that record is kept: not what was sealed for the first attempt."""
    records, vault, number = world.service.records, world.service.vault, hospital.member.member_id
    reference = "patient-of-a-refused-registration"
    nobody = "0x" + "77" * 20 + "11" * 64  # a verifier that has no code
    refused = records.register(
        hospital.member, bundle(1, reference=reference), purposes=[Purpose.PRIMARY_CARE], holder=nobody
    )
    world.failed(refused)
    first = vault.find(number, reference)
    assert first is not None

    later = bundle(2, reference=reference)
    passport = world.register(hospital, document=later)

    assert (vault.find(number, reference), vault.record(first)) == (passport, None)
    [kept] = [summary for summary in vault.summaries(number) if summary.passport_id == passport]
    content = read_bundle(later).content
    assert kept.entries == {category: len(found) for category, found in content.items()}
    with pytest.raises(Conflict, match="has registered this patient as passport"):
        world.register(hospital, document=later)


def test_who_is_suspended_registers_nothing(world: World) -> None:
    """And nothing is sealed meanwhile that a later registration would find."""
    clinic = world.admit("Closing Clinic", Role.CUSTODIAN)
    world.done(world.service.members.suspend(world.committee.member, clinic.member.member_id, "Closing"))
    suspended = world.service.members.get(clinic.member.member_id)
    with pytest.raises(NotPermitted, match="is suspended"):
        world.service.records.register(
            suspended, bundle(1, reference="patient-1"), purposes=[Purpose.PRIMARY_CARE]
        )
    assert world.service.vault.find(clinic.member.member_id, "patient-1") is None


@pytest.fixture
def two_seats(world: World) -> Iterator[Actor]:
    """A second seat, without which acts about members and data wait; afterwards one seat decides again."""
    second = world.admit("Patients' council", Role.COMMITTEE)
    committee = world.service.committee
    world.done(
        committee.set_seat(world.committee.member, second.member.member_id, SeatKind.PATIENTS, "Elected")
    )
    for kind in (ActKind.MEMBERS, ActKind.DATA, ActKind.EMERGENCIES):
        world.done(committee.set_rule(world.committee.member, Rule(kind, 2, 0, 0), "Statute"))
    yield second
    for kind in (ActKind.MEMBERS, ActKind.DATA, ActKind.EMERGENCIES):
        world.done(committee.set_rule(world.committee.member, Rule(kind, 1, 0, 0), "Statute"))
    world.done(
        committee.set_seat(world.committee.member, second.member.member_id, SeatKind.NONE, "Term ended")
    )


def test_nothing_changes_before_the_second_seat_approves(
    world: World, hospital: Actor, asking: Asking, two_seats: Actor
) -> None:
    service, number = world.service.members, asking.lab.member.member_id
    operation = world.done(
        service.license(
            world.committee.member, number, purposes=[], valid_to=world.now() + DAY, reason="Less"
        )
    )
    act = event_named(operation, "ActProposed").arguments["actId"]

    assert service.get(number).purposes == ALL_PURPOSES
    assert asking.missing() == Fact(0)
    world.done(world.service.committee.approve(two_seats.member, act))
    assert service.get(number).purposes == 0
    assert world.ask(asking.lab, asking.passport).outcome is Outcome.DENY
