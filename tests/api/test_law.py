"""Reviews, attestations, members' acts, and what happens to records, by REST."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from ledger.client import MemberKeys
from ledger.domain.vocabulary import ActKind, Category, Purpose, Role, SeatKind
from ledger.encoding.hexadecimal import to_hex
from ledger.errors import Conflict, InvalidInput, NotAuthenticated, NotFound, NotPermitted
from ledger.ports import Rule
from tests.api.conftest import assert_problem

DAY = 86_400


def at(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


@pytest.fixture(scope="module")
def bodies(world, cast) -> dict[str, Any]:
    return {
        "ethics": world.admit("Board of single cases", Role.ETHICS),
        "regulator": world.admit("Regulator of single cases", Role.REGULATOR),
        "verifier": world.admit("Verification office", Role.VERIFIER),
    }


@pytest.fixture
def passport(world, cast) -> str:
    return to_hex(world.register(cast.hospital, 4))


@pytest.fixture
def member(world) -> Any:
    return world.admit("Member to be changed", Role.PROCESSOR)


def test_a_request_waits_is_approved_and_repeated(client, cast, bodies, world, passport):
    grant = world.grant(
        cast.hospital, bytes.fromhex(passport[2:]), cast.lab, purposes=[Purpose.DISEASE_RESEARCH]
    )
    project = world.project(cast.lab, purposes=[Purpose.DISEASE_RESEARCH])
    lab, ethics = client(cast.lab), client(bodies["ethics"])
    request = {
        "passportId": passport,
        "purpose": "DISEASE_RESEARCH",
        "basis": "CONSENT",
        "operation": "READ",
        "categories": ["DIAGNOSIS"],
        "grantId": to_hex(grant),
        "projectId": project,
        "level": "PSEUDONYMISED",
        "statement": "Cohort of the diabetes study",
    }
    (asked,) = lab.decide([request])
    assert (asked["outcome"], asked["missing"], asked["review"]) == ("REVIEW", ["HUMAN_REVIEWED"], None)

    waiting = [item for item in ethics.waiting_reviews() if item["kind"] == "REQUEST"]
    mine = next(item for item in waiting if item["decision"]["passportId"] == passport)
    assert mine["statement"] == "Cohort of the diabetes study"
    assert ethics.decision(passport, asked["seq"]) == mine["decision"]
    with pytest.raises(NotPermitted):
        client(bodies["verifier"]).decision(passport, asked["seq"])
    assert client(bodies["verifier"]).waiting_reviews() == []
    with pytest.raises(NotPermitted, match="does not hold the role ETHICS"):
        client(bodies["regulator"]).review_request(passport, asked["seq"], approved=True, opinion="x")

    reviewed = ethics.review_request(
        passport, asked["seq"], approved=True, opinion="It is the disease consented to"
    )
    assert reviewed["review"].startswith("Board of single cases reviewed it on ")
    with pytest.raises(NotPermitted, match="another member's"):
        client(cast.hospital).repeat_request(passport, asked["seq"])
    again = lab.repeat_request(passport, asked["seq"])
    assert (again["outcome"], again["seq"], again["commitment"]) == (
        "PERMIT",
        asked["seq"] + 1,
        asked["commitment"],
    )
    log = client(cast.hospital).access_log(passport)
    assert [item["outcome"] for item in log] == ["PERMIT", "REVIEW"]
    assert "approved it" in log[1]["review"]


def test_what_is_compelled_gives_its_instrument(send, cast, passport):
    body = {
        "passportId": passport,
        "purpose": "OPERATIONS",
        "basis": "COMPELLED",
        "operation": "READ",
        "categories": ["DIAGNOSIS"],
    }
    response = send(
        cast.lab,
        "POST",
        "/v1/decisions",
        json.dumps(body).encode(),
        headers={"Idempotency-Key": f"compelled-{time.time_ns()}"},
    )
    problem = assert_problem(response, 422, "invalid-input")
    assert problem["errors"][0]["pointer"] == "/statement"
    assert "warrant" in problem["fix"]


def test_statements_are_made_listed_and_taken_back(client, cast, bodies, passport, world):
    verifier = client(bodies["verifier"])
    until = at(world.service.chain.now() + DAY)
    body = {"kind": "ENCRYPTION", "passportId": passport, "validTo": until, "statement": "Report 88"}
    with pytest.raises(NotPermitted, match="the role VERIFIER that neither keeps nor owns the data may"):
        client(cast.hospital).attest(body)
    (made,) = verifier.attest(body)
    assert made == {
        "kind": "ENCRYPTION",
        "says": "the data is encrypted throughout",
        "issuer": bodies["verifier"].member.member_id,
        "issuerName": "Verification office",
        "validTo": until,
        "inForce": True,
    }
    assert client(cast.outsider).attestations(passport_id=passport) == [made]
    (ended,) = verifier.attest({"kind": "ENCRYPTION", "passportId": passport, "withdraw": True})
    assert (ended["validTo"], ended["inForce"]) == (None, False)
    with pytest.raises(InvalidInput, match="either made until validTo or withdrawn"):
        verifier.attest({**body, "withdraw": True})

    licence = {"kind": "LICENCE", "projectId": cast.project, "validTo": until, "statement": "Licence 3"}
    client(bodies["regulator"]).attest(licence)
    assert [item["kind"] for item in client(cast.lab).attestations(project_id=cast.project)] == ["LICENCE"]
    with pytest.raises(InvalidInput, match="is stated of one passport"):
        verifier.attest({**body, "projectId": cast.project})
    with pytest.raises(NotFound):
        client(cast.lab).attestations(project_id=9999)


def test_a_holder_reads_statements_about_the_own_record_alone(client, cast, holder_code):
    assert client(holder_code).attestations(passport_id=cast.own) == []
    with pytest.raises(NotFound):
        client(holder_code).attestations(passport_id=cast.assisted)


def test_a_member_tells_its_caps_and_who_acts_for_whom(client, cast, world, member):
    number = member.member.member_id
    committee = client(cast.committee)
    capped = committee.set_caps(number, {"ai-training": 500, "RESEARCH": 2}, "Agreement 12")
    assert capped["caps"] == [
        {"purpose": "RESEARCH", "cap": 2, "used": 0},
        {"purpose": "AI_TRAINING", "cap": 500, "used": 0},
    ]
    order = {
        "purposes": ["AI_TRAINING"],
        "validTo": at(world.service.chain.now() + DAY),
        "agreement": "Annex 3",
    }
    entrusted = client(cast.lab).entrust(number, order)["entrustments"]
    assert entrusted == [
        {
            "controller": cast.lab.member.member_id,
            "processor": number,
            "purposes": ["AI_TRAINING"],
            "validTo": order["validTo"],
        }
    ]
    assert client(cast.outsider).member(cast.lab.member.member_id)["entrustments"] == entrusted
    assert client(cast.lab).end_entrustment(number)["entrustments"] == []
    with pytest.raises(NotFound, match="has entrusted member"):
        client(cast.lab).end_entrustment(number)
    with pytest.raises(InvalidInput, match="nobody entrusts itself"):
        client(cast.lab).entrust(cast.lab.member.member_id, order)
    for caps in ({"FUN": 1}, {"RESEARCH": 0}, {"RESEARCH": 65_536}):
        with pytest.raises(InvalidInput):
            committee.set_caps(number, caps, "x")


def test_the_committee_licenses_rotates_and_expels(client, cast, world, member):
    number, committee = member.member.member_id, client(cast.committee)
    until = at(world.service.chain.now() + DAY)
    licensed = committee.license(number, {"purposes": ["RESEARCH"], "validTo": until, "reason": "Less"})
    assert (licensed["purposes"], licensed["validTo"]) == (["RESEARCH"], until)
    assert committee.change_control(number, "Bought")["control"] == 1
    fresh = MemberKeys.new("Member to be changed")
    keys = {"signingKey": fresh.signing_public, "sealingKey": fresh.sealing_public, "reason": "Lost"}
    code = client(member).open_member_session()["code"]
    assert client(code).member(number)["status"] == "ACTIVE"
    assert committee.rotate_keys(number, keys)["signingKey"] == fresh.signing_public
    with pytest.raises(NotAuthenticated):
        client(code).member(number)
    with pytest.raises(NotAuthenticated):
        client(member).members()
    assert client(fresh).member(number)["status"] == "ACTIVE"
    with pytest.raises(NotPermitted, match="no seat"):
        client(fresh).expel(number, "myself")
    assert committee.expel(number, "Sold what it was lent")["status"] == "EXPELLED"
    with pytest.raises(Conflict, match="was expelled"):
        committee.expel(number, "again")


def test_records_are_narrowed_sealed_unsealed_and_destroyed(client, cast, bodies, passport):
    hospital, committee = client(cast.hospital), client(cast.committee)
    assert hospital.narrow(passport, ["PRIMARY_CARE"])["purposes"] == ["PRIMARY_CARE"]
    with pytest.raises(InvalidInput, match="smaller part"):
        hospital.narrow(passport, ["RESEARCH"])
    assert client(bodies["regulator"]).seal(passport, "A leak")["status"] == "SEALED"
    with pytest.raises(Conflict, match="is sealed"):
        hospital.destroy(passport, "Retention ended")
    with pytest.raises(NotPermitted, match="no seat"):
        hospital.unseal(passport, "in my own interest")
    assert committee.unseal(passport, "The leak is closed")["status"] == "OPEN"
    assert passport in {item["passportId"] for item in hospital.records()}
    assert hospital.destroy(passport, "Retention ended")["status"] == "DESTROYED"
    assert passport not in {item["passportId"] for item in hospital.records()}
    with pytest.raises(Conflict, match="is destroyed"):
        committee.seal(passport, "too late")


def test_an_act_that_waits_for_another_seat_says_which_act(client, cast, world, member):
    second = world.admit("Patients' council", Role.COMMITTEE)
    committee, number = world.service.committee, second.member.member_id
    world.done(committee.set_seat(world.committee.member, number, SeatKind.PATIENTS, "Elected"))
    world.done(committee.set_rule(world.committee.member, Rule(ActKind.MEMBERS, 2, 0, 0), "Statute"))
    try:
        proposed = client(cast.committee).expel(member.member.member_id, "Sold what it was lent")
        assert proposed["function"] == "propose"
        assert client(cast.committee).member(member.member.member_id)["status"] == "ACTIVE"
        act = client(second).approve_act(proposed["actId"])
        assert (act["function"], act["executedAt"] is not None) == ("expel", True)
        assert client(cast.committee).member(member.member.member_id)["status"] == "EXPELLED"
    finally:
        world.done(committee.set_rule(world.committee.member, Rule(ActKind.MEMBERS, 1, 0, 0), "Statute"))
        world.done(committee.set_seat(world.committee.member, number, SeatKind.NONE, "Term ended"))


def test_the_kinds_of_data_of_an_emergency_are_those_of_the_law(world):
    law = world.service.index.policy()
    assert Category.GENOMICS not in law.emergencies.categories
