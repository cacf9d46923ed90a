"""Who may see what: every object against every kind of caller."""

from __future__ import annotations

import pytest

from api.middleware import COOKIE
from ledger.client import sign_in
from ledger.domain.vocabulary import (
    EmergencyReason,
    MemberKind,
    Outcome,
    Purpose,
    Role,
)
from ledger.encoding.hexadecimal import from_hex, to_hex
from tests.api.conftest import assert_page, assert_problem
from tests.support.transfers import ABROAD
from tests.support.world import STUDY

CALLERS = ("hospital", "lab", "outsider", "auditor", "committee", "holder", "stranger")

#: Path, and the callers that may read it. Members that may not get 403, holders 404.
MATRIX = {
    "/v1/passports/{own}": {"hospital", "lab", "outsider", "auditor", "committee", "holder"},
    "/v1/passports/{own}/decisions": {"hospital", "auditor", "committee", "holder"},
    "/v1/passports/{assisted}/decisions": {"hospital", "auditor", "committee"},
    "/v1/provenance/{own}": {"hospital", "auditor", "committee", "holder"},
    "/v1/provenance/{assisted}": {"hospital", "auditor", "committee"},
    "/v1/decisions/{own}/0": {"hospital", "outsider", "auditor", "committee", "holder"},
    "/v1/decisions/{assisted}/{permit}": {"hospital", "lab", "auditor", "committee"},
    "/v1/grants/{grant}": {"hospital", "lab", "auditor", "committee"},
    "/v1/grants/{grant}/revocation": {"hospital", "lab", "auditor", "committee"},
    "/v1/transfers/{transfer}": {"hospital", "lab", "auditor", "committee"},
    "/v1/transfers/{transfer}/content": {"lab"},
    "/v1/records": {"hospital"},
    "/v1/decisions": {"hospital", "lab", "outsider", "auditor", "committee"},
    "/v1/projects": {"hospital", "lab", "outsider", "auditor", "committee"},
    "/v1/members": {"hospital", "lab", "outsider", "auditor", "committee", "holder"},
    "/v1/committee": {"hospital", "lab", "outsider", "auditor", "committee", "holder"},
    "/v1/acts": {"hospital", "lab", "outsider", "auditor", "committee", "holder"},
    "/v1/acts/1": {"hospital", "lab", "outsider", "auditor", "committee", "holder"},
    "/v1/projects/{project}": {"hospital", "lab", "outsider", "auditor", "committee"},
    "/v1/passports": {"hospital", "lab", "outsider", "auditor", "committee", "holder"},
    "/v1/datasets": {"hospital", "lab", "outsider", "auditor", "committee"},
    "/v1/steps": {"hospital", "lab", "outsider", "auditor", "committee"},
    "/v1/obligations": {"hospital", "lab", "outsider", "auditor", "committee"},
    "/v1/grants/{grant}/impact": {"hospital", "lab", "auditor", "committee"},
    "/v1/passports/{own}/forward": {"hospital", "auditor", "committee", "holder"},
    "/v1/passports/{assisted}/forward": {"hospital", "auditor", "committee"},
}
#: What no holder reads, whoever it is.
_OF_MEMBERS = (
    "/v1/transfers",
    "/v1/records",
    "/v1/projects",
    "/v1/datasets",
    "/v1/steps",
    "/v1/obligations",
)


@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize("path", MATRIX)
def test_who_may_read_what(http, send, client, cast, path, caller):
    target = path.format(
        **{
            name: getattr(cast, name)
            for name in ("own", "assisted", "permit", "grant", "transfer", "project")
        }
    )
    if caller in ("holder", "stranger"):
        key = cast.holder_key if caller == "holder" else b"\3" * 32
        response = http.get(target, headers={"Authorization": f"Bearer {sign_in(client(), key)['code']}"})
    else:
        response = send(getattr(cast, caller), "GET", target)
    for_the_known = path.startswith(("/v1/members", "/v1/passports", "/v1/committee", "/v1/acts"))
    if caller in MATRIX[path] or (caller == "stranger" and for_the_known and "{" not in path):
        assert response.status_code == 200, response.text
    else:
        member_only = path.startswith(_OF_MEMBERS) or path == "/v1/decisions"
        hidden = caller in ("holder", "stranger") and not member_only
        assert_problem(response, 404 if hidden else 403)


def test_a_stranger_cannot_tell_what_exists(http, client, cast):
    code = sign_in(client(), b"\3" * 32)["code"]
    bearer = {"Authorization": f"Bearer {code}"}
    there = http.get(f"/v1/passports/{cast.own}", headers=bearer).json()
    nowhere = http.get("/v1/passports/0x" + "00" * 32, headers=bearer).json()
    assert there["detail"].replace(cast.own, "") == nowhere["detail"].replace("0x" + "00" * 32, "")


def test_lists_hold_what_is_the_callers_own(client, cast, holder_code):
    assert [item["passportId"] for item in client(holder_code).passports()] == [cast.own]
    assert client(cast.lab).passports() == []
    assert client(cast.outsider).transfers() == []
    # Other tests of this suite ask for consents and give them, for the same patient.
    of_lab = {cast.grant, cast.other_grant, cast.withdrawn}
    for caller, expected in ((cast.lab, of_lab), (cast.hospital, of_lab), (cast.outsider, set())):
        assert of_lab & {item["grantId"] for item in client(caller).grants(cast.assisted)} == expected
    assert of_lab.isdisjoint({item["grantId"] for item in client(cast.outsider).grants()})


def test_a_holder_without_a_record_is_asked_for_one(http, client, cast):
    code = sign_in(client(), b"\3" * 32)["code"]
    problem = assert_problem(http.get("/v1/grants", headers={"Authorization": f"Bearer {code}"}), 422)
    assert problem["errors"][0]["pointer"] == "/passport"


def test_a_holder_prepares_for_the_own_record_only(http, cast, holder_code, preparation):
    bearer = {"Authorization": f"Bearer {holder_code}"}
    assert http.post("/v1/grants/preparations", json=preparation, headers=bearer).status_code == 200
    other = {**preparation, "passportId": cast.assisted}
    assert_problem(http.post("/v1/grants/preparations", json=other, headers=bearer), 404, "not-found")


def test_a_session_does_not_make_the_custodian_sign(http, cast, holder_code, preparation):
    bearer = {"Authorization": f"Bearer {holder_code}", "Idempotency-Key": "assist"}
    assisted = http.post("/v1/grants", json={**preparation, "assisted": True}, headers=bearer)
    assert_problem(assisted, 403, "not-permitted")
    revoke = http.post(f"/v1/grants/{cast.grant}/revocation", json={"assisted": True}, headers=bearer)
    assert_problem(revoke, 404, "not-found")


@pytest.mark.parametrize("body", [{}, {"signature": "0x" + "00" * 65, "assisted": True}])
def test_a_revocation_is_signed_or_assisted(http, cast, holder_code, body):
    bearer = {"Authorization": f"Bearer {holder_code}", "Idempotency-Key": "either"}
    response = http.post(f"/v1/grants/{cast.grant}/revocation", json=body, headers=bearer)
    assert_problem(response, 422, "invalid-input")


def given_to_kinds(world, custodian, passport, kinds):
    """Give consent for an assisted patient to kinds of members."""
    prepared = world.service.consents.prepare(
        passport,
        recipient_kinds=kinds,
        purposes=[Purpose.AI_TRAINING],
        categories=STUDY,
        use_from=None,
        use_to=world.now() + 10**6,
    )
    world.done(world.service.consents.assist(custodian.member, prepared))
    return prepared.grant.grant_id


@pytest.mark.parametrize("ending", ["suspend", "expel"])
def test_who_is_no_member_any_more_reads_only_what_is_its_own(
    http, send, client, member_code, cast, port, world, ending
):
    """A role opens nothing any more once the membership is suspended or has ended; what one asked for oneself stays."""
    roles = Role.ETHICS | Role.REGULATOR | Role.AUDITOR | Role.VERIFIER | Role.PROCESSOR
    former = world.admit("Board of the past", roles, kind=MemberKind.RESEARCH)
    urgent = world.admit("Clinic of the night", Role.PROCESSOR | Role.EMERGENCY)
    passport, research = from_hex(cast.assisted), [Purpose.DISEASE_RESEARCH]
    world.done(world.service.emergencies.open(urgent.member, passport, EmergencyReason.UNCONSCIOUS, "x"))
    emergency = world.service.emergencies.all(member_id=urgent.member.member_id)[0].emergency.emergency_id
    lab = world.admit("Laboratory of the night", Role.PROCESSOR)
    verdict = world.ask(
        lab,
        passport,
        purpose=Purpose.DISEASE_RESEARCH,
        grant_id=world.grant(cast.hospital, passport, lab, purposes=research),
        project_id=world.project(lab, purposes=research),
    )
    assert verdict.outcome is Outcome.REVIEW
    kinds = given_to_kinds(world, cast.hospital, passport, [MemberKind.RESEARCH])
    exchange = port.exchange
    waiting = to_hex(exchange.declare(exchange.plan(1, places=[ABROAD], project_id=exchange.project)))
    own = world.ask(former, passport, purpose=Purpose.INSURANCE_RATING)
    others = [
        f"/v1/emergencies/{emergency}",
        f"/v1/decisions/{cast.assisted}/{verdict.seq}",
        f"/v1/grants/{to_hex(kinds)}",
        f"/v1/transfers/{port.received}",
        f"/v1/transfers/{waiting}",
        f"/v1/provenance/{cast.assisted}",
    ]
    lists = {
        "/v1/reviews": (f'"emergencyId":{emergency}', f'"seq":{verdict.seq}'),
        "/v1/transfers?waiting=true": (waiting,),
        f"/v1/emergencies?member={urgent.member.member_id}": (f'"emergencyId":{emergency}',),
        f"/v1/grants?passport={cast.assisted}": (to_hex(kinds),),
    }

    def shown() -> dict[str, bool]:
        texts = {path: send(former, "GET", path).text for path in lists}
        return {word: word in texts[path] for path, words in lists.items() for word in words}

    assert {path: send(former, "GET", path).status_code for path in others} == dict.fromkeys(others, 200)
    assert all(shown().values()), shown()

    getattr(client(cast.committee), ending)(former.member.member_id, "Found to sell what it read")

    for path in others:
        assert_problem(send(former, "GET", path), 403)
    assert not any(shown().values()), shown()
    assert send(former, "GET", f"/v1/decisions/{cast.assisted}/{own.seq}").status_code == 200
    http.cookies.set(COOKIE, member_code(former))
    page = http.get("/institution")
    assert_page(page)
    assert waiting not in page.text
    assert "/auditor" not in page.text


def test_what_waits_for_a_body_waits_for_it_as_long_as_it_is_a_member(world, cast, port):
    """At the second at which a membership ends nothing waits for it any more."""
    body = world.admit("Board whose time ends", Role.ETHICS | Role.REGULATOR).member
    urgent = world.admit("Clinic of the morning", Role.PROCESSOR | Role.EMERGENCY)
    service, exchange, passport = world.service, port.exchange, from_hex(cast.assisted)
    world.done(service.emergencies.open(urgent.member, passport, EmergencyReason.UNCONSCIOUS, "x"))
    exchange.declare(exchange.plan(1, places=[ABROAD], project_id=exchange.project))
    lab, research = world.admit("Laboratory of the morning", Role.PROCESSOR), [Purpose.DISEASE_RESEARCH]
    world.ask(
        lab,
        passport,
        purpose=Purpose.DISEASE_RESEARCH,
        grant_id=world.grant(cast.hospital, passport, lab, purposes=research),
        project_id=world.project(lab, purposes=research),
    )

    for part in (service.emergencies, service.transfers, service.decisions):
        assert part.awaiting(body, body.valid_to - 1)
        assert part.awaiting(body, body.valid_to) == []
