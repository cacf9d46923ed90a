"""Emergencies by REST and on the pages: who is told what, and who may do what."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.middleware import COOKIE
from cli.verification import LedgerReader, check_passport
from ledger.client import PassportClient, sign_in
from ledger.domain.vocabulary import Role
from ledger.encoding.hexadecimal import to_hex
from ledger.errors import Conflict, InvalidInput, NotFound, NotPermitted
from ledger.wallet import holder_address
from tests.api.conftest import assert_page, assert_problem
from tests.support.world import Actor

HOUR = 3600


@dataclass(frozen=True)
class Urgent:
    """A patient with the own key, whose record a clinic opens twice: once openly, once sealed."""

    clinic: Actor
    ethics: Actor
    other_ethics: Actor
    holder_key: bytes
    passport: str
    told: dict[str, Any]
    sealed: dict[str, Any]
    answers: list[dict[str, Any]]


def at(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def request(passport: str, emergency: int, **changes: Any) -> dict[str, Any]:
    return {
        "passportId": passport,
        "purpose": "EMERGENCY_CARE",
        "basis": "INDIVIDUAL_EMERGENCY",
        "operation": "READ",
        "categories": ["DIAGNOSIS"],
        "emergencyId": emergency,
        **changes,
    }


@pytest.fixture(scope="module")
def urgent(world, app, cast) -> Urgent:
    clinic = world.admit("Valley Emergency Room", Role.PROCESSOR | Role.EMERGENCY)
    ethics = world.admit("First board of ethics", Role.ETHICS)
    other = world.admit("Second board of ethics", Role.ETHICS)
    key = b"\x21" * 32
    passport = to_hex(world.register(cast.hospital, 3, holder=holder_address(key)))
    http = TestClient(app, base_url="http://testserver", follow_redirects=False)
    client = PassportClient("http://testserver", clinic.keys, http=http)
    told = client.open_emergency(
        {"passportId": passport, "reason": "UNCONSCIOUS", "statement": "Found at the roadside"}
    )
    sealed = client.open_emergency(
        {
            "passportId": passport,
            "reason": "DANGER_TO_OTHERS",
            "statement": "A knife was seen",
            "sealedUntil": at(world.service.chain.now() + 24 * HOUR),
            "sealing": "the police ask not to warn who hurt the patient",
        }
    )
    answers = client.decide(
        [request(passport, told["emergencyId"]), request(passport, sealed["emergencyId"])]
    )
    return Urgent(clinic, ethics, other, key, passport, told, sealed, answers)


@pytest.fixture
def patient(client, urgent) -> Any:
    return client(str(sign_in(client(), urgent.holder_key)["code"]))


def test_what_was_opened_comes_back_in_words(urgent):
    assert [item["outcome"] for item in urgent.answers] == ["PERMIT", "PERMIT"]
    assert urgent.told["sentence"].startswith(
        "Valley Emergency Room opened an emergency for one record because"
    )
    assert (urgent.told["reason"], urgent.told["statement"]) == ("UNCONSCIOUS", "Found at the roadside")
    assert (urgent.told["inForce"], urgent.told["finding"], urgent.told["overdue"]) == (
        True,
        "PENDING",
        False,
    )
    assert urgent.told["sealedUntil"] is None
    assert urgent.sealed["sealedBecause"] == "the police ask not to warn who hurt the patient"


def test_the_patient_is_told_of_the_open_one_all_and_of_the_sealed_one_no_more_than_that(patient, urgent):
    first, second = patient.emergencies(urgent.passport)[:2]

    assert first["sentence"].startswith("Valley Emergency Room opened an emergency for your record because")
    assert first["statement"] == "Found at the roadside"
    assert second["sentence"].startswith("Valley Emergency Room had access to your record in an emergency.")
    assert {name for name, value in second.items() if value is not None} == {
        "emergencyId",
        "kind",
        "sentence",
        "memberId",
        "memberName",
        "passportId",
        "sealedUntil",
        "sealedBecause",
    }
    assert patient.emergency(second["emergencyId"]) == second
    assert "knife" not in str(patient.emergencies())
    assert second not in patient.emergencies(overdue=True)


def test_the_access_log_seals_decisions_for_the_patient_alone(client, patient, urgent, cast, http):
    bearer = {"Authorization": f"Bearer {patient._to.credentials}"}
    answer = http.get(f"/v1/passports/{urgent.passport}/decisions", headers=bearer).json()
    sealed, told = answer["items"]

    assert told["sentence"].startswith("Valley Emergency Room asked to read diagnoses for emergency care")
    assert set(sealed) == {
        "passportId",
        "seq",
        "member",
        "sentence",
        "answer",
        "reasons",
        "sealedUntil",
        "sealedBecause",
    }
    assert sealed["answer"] == "sealed"
    assert [item["emergencyId"] for item in answer["emergencies"]][:2] == [
        urgent.told["emergencyId"],
        urgent.sealed["emergencyId"],
    ]
    assert patient.decision(urgent.passport, sealed["seq"]) == sealed
    for actor in (cast.hospital, cast.auditor, urgent.clinic):
        assert client(actor).decision(urgent.passport, sealed["seq"])["purpose"] == "EMERGENCY_CARE"
    assert [item["answer"] for item in client(cast.auditor).access_log(urgent.passport)] == [
        "permitted",
        "permitted",
    ]


def test_the_history_leaves_out_for_the_patient_what_is_sealed(client, patient, urgent, cast):
    mine = [event["name"] for event in patient.provenance(urgent.passport)["events"]]
    all_of_it = [event["name"] for event in client(cast.auditor).provenance(urgent.passport)["events"]]
    assert (mine.count("DecisionRecorded"), all_of_it.count("DecisionRecorded")) == (1, 2)
    assert mine.count("EmergencyOpened") == all_of_it.count("EmergencyOpened") - 1


def test_the_patients_own_check_counts_the_sealed_line_and_checks_the_seal(patient, urgent, world):
    deployment = world.runtime.deployment
    reader = LedgerReader(world.settings.rpc, deployment.ledger, from_block=deployment.block_number)
    lines = patient.access_log(urgent.passport)
    assert check_passport(reader, urgent.passport, lines).is_true
    for lie in (
        {"sealedUntil": "2099-01-01T00:00:00Z"},
        {"member": {"memberId": 1, "name": "Committee"}},
        {"seq": lines[1]["seq"]},
    ):
        assert not check_passport(reader, urgent.passport, [{**lines[0], **lie}, lines[1]]).is_true


def test_the_page_tells_the_patient_and_not_more(http, patient, urgent):
    http.cookies.set(COOKIE, patient._to.credentials)
    response = http.get(f"/patient/passports/{urgent.passport}")
    root = assert_page(response)
    text = " ".join(" ".join(root.itertext()).split())
    assert "Emergencies opened for my record" in text
    assert "because the patient is unconscious (“Found at the roadside”)" in text
    assert "because the police ask not to warn who hurt the patient; then it opens by itself." in text
    assert "knife" not in text
    assert "others are in danger" not in text
    line = root.find(".//li[@data-sealed]")
    assert line.get("data-topics") is None
    assert line.get("data-transaction") is None


def test_who_may_see_one(client, patient, urgent, cast):
    number = urgent.told["emergencyId"]
    for actor in (urgent.clinic, cast.hospital, cast.auditor, cast.committee, urgent.ethics):
        assert client(actor).emergency(number)["emergencyId"] == number
        assert number in {item["emergencyId"] for item in client(actor).emergencies()}
    with pytest.raises(NotPermitted, match="does not concern"):
        client(cast.outsider).emergency(number)
    stranger = client(str(sign_in(client(), b"\3" * 32)["code"]))
    with pytest.raises(NotFound, match=f"there is no emergency {number}"):
        stranger.emergency(number)
    for somebody in (client(cast.outsider), stranger):
        assert number not in {item["emergencyId"] for item in somebody.emergencies()}
    assert {item["memberId"] for item in client(cast.auditor).emergencies(member_id=1)} == set()


def test_a_review_waits_for_who_may_give_it_and_is_told(client, patient, urgent, cast):
    opened = client(urgent.clinic).open_emergency(
        {"passportId": urgent.passport, "reason": "LIFE_THREATENING", "statement": "Shock"}
    )
    number = opened["emergencyId"]

    def waiting(actor) -> list[int]:
        return [
            item["emergency"]["emergencyId"]
            for item in client(actor).waiting_reviews()
            if item["kind"] == "EMERGENCY"
        ]

    assert number in waiting(urgent.ethics)
    assert waiting(cast.lab) == []
    with pytest.raises(NotPermitted):
        client(cast.lab).review_emergency(number, justified=True, opinion="x")
    found = client(urgent.ethics).review_emergency(number, justified=True, opinion="The chart shows shock")
    assert (found["finding"], found["reviewer"]) == ("JUSTIFIED", urgent.ethics.member.member_id)
    assert number not in waiting(urgent.other_ethics)
    with pytest.raises(Conflict, match="reviewed before"):
        client(urgent.other_ethics).review_emergency(number, justified=False, opinion="x")
    told = patient.emergency(number)
    assert "; the review by First board of ethics on " in told["sentence"]
    assert told["opinion"] == "The chart shows shock"


def test_the_page_of_a_reviewer_lists_what_waits_and_is_where_it_lands(http, member_code, urgent):
    code = member_code(urgent.ethics)
    landed = http.post("/sign-in", data={"code": code}, headers={"Sec-Fetch-Site": "same-origin"})
    assert landed.headers["location"] == "/institution"
    http.cookies.set(COOKIE, code)
    text = " ".join(assert_page(http.get("/institution")).itertext())
    assert "Waits for my review" in text
    assert "A knife was seen" in text
    http.cookies.clear()
    http.cookies.set(COOKIE, member_code(urgent.clinic))
    assert "Emergencies that we opened" in " ".join(assert_page(http.get("/institution")).itertext())


def test_the_auditors_page_shows_the_share_of_emergencies(http, member_code, urgent, cast):
    http.cookies.set(COOKIE, member_code(cast.auditor))
    text = " ".join(" ".join(assert_page(http.get("/auditor")).itertext()).split())
    assert "Emergencies among all decisions" in text
    assert "Valley Emergency Room" in text
    assert "Emergencies whose review is overdue None." in text


def test_the_ratio_is_for_everybody(http, client, urgent):
    found = http.get("/v1/emergencies/ratio").json()
    assert found == client().emergency_ratio()
    mine = next(item for item in found["members"] if item["memberId"] == urgent.clinic.member.member_id)
    assert mine["emergencyDecisions"] == mine["decisions"] == 2  # nobody but the fixture asks as the clinic
    assert mine["ratio"] == 1.0
    assert found["total"]["memberId"] is None
    assert found["total"]["emergencyDecisions"] >= 2
    assert 0 < found["total"]["ratio"] < 1


def test_a_right_is_shown_and_restored_by_the_committee_alone(client, world, cast, urgent):
    careless = world.admit("Careless clinic", Role.PROCESSOR | Role.EMERGENCY)
    number = careless.member.member_id
    body = {"passportId": urgent.passport, "reason": "OTHER", "statement": "No time to ask"}
    opened = client(careless).open_emergency(body)
    client(urgent.ethics).review_emergency(
        opened["emergencyId"], justified=False, opinion="Nobody was in danger"
    )
    right = client(cast.outsider).emergency_right(number)
    assert (right["holds"], right["lost"], right["left"]) == (False, True, right["quota"] - 1)
    with pytest.raises(NotPermitted, match="lost its right"):
        client(careless).open_emergency(body)
    with pytest.raises(NotPermitted, match="no seat"):
        client(careless).restore_emergency_right(number, "I am sorry")
    assert client(cast.committee).restore_emergency_right(number, "A new head")["holds"] is True


def test_the_committee_declares_and_ends_a_public_one_that_everybody_sees(client, patient, cast, world):
    now = world.service.chain.now()
    body = {
        "purposes": ["PUBLIC_HEALTH"],
        "categories": ["DIAGNOSIS"],
        "from": at(now - HOUR),
        "until": at(now + 24 * HOUR),
        "maxRecords": 10,
        "jurisdiction": 840,
        "document": "Decree 2026-31",
        "reason": "An outbreak",
    }
    with pytest.raises(NotPermitted):
        client(cast.lab).declare_emergency(body)
    made = client(cast.committee).declare_emergency(body)
    assert (made["kind"], made["purposes"], made["maxRecords"], made["statement"]) == (
        "PUBLIC",
        ["PUBLIC_HEALTH"],
        10,
        "Decree 2026-31",
    )
    for somebody in (client(cast.outsider), patient):
        assert made in somebody.emergencies(kind="PUBLIC")
    ended = client(cast.committee).end_emergency(made["emergencyId"], "It is over")
    assert ended["inForce"] is False
    with pytest.raises(Conflict, match="is over"):
        client(cast.committee).end_emergency(made["emergencyId"], "again")


@pytest.mark.parametrize(
    ("changes", "status", "pointer"),
    [
        ({"reason": "BORED"}, 422, "/reason"),
        ({"statement": ""}, 422, "/statement"),
        ({"sealedUntil": "2026-01-01T00:00:00Z"}, 422, "/sealing"),
        ({"sealedUntil": "2026-01-01T00:00:00Z", "sealing": "why"}, 422, "/sealedUntil"),
        ({"sealing": "why"}, 422, "/sealedUntil"),
        ({"passportId": "0x12"}, 422, "/passportId"),
        ({"passportId": "0x" + "12" * 32}, 404, None),
        ({"more": 1}, 422, "/more"),
    ],
)
def test_bad_input_names_the_field(send, urgent, changes, status, pointer):
    body = {"passportId": urgent.passport, "reason": "OTHER", "statement": "x", **changes}
    response = send(
        urgent.clinic,
        "POST",
        "/v1/emergencies",
        json.dumps(body).encode(),
        headers={"Idempotency-Key": f"bad-{time.time_ns()}"},
    )
    problem = assert_problem(response, status)
    assert (problem.get("errors") or [{"pointer": None}])[0]["pointer"] == pointer


def test_a_holder_opens_nothing(patient, urgent):
    with pytest.raises(NotPermitted, match="for members"):
        patient.open_emergency({"passportId": urgent.passport, "reason": "OTHER", "statement": "x"})


def test_the_same_key_opens_one_emergency(client, world, urgent):
    body = {"passportId": urgent.passport, "reason": "OTHER", "statement": "The line was cut"}
    ward = client(world.admit("Ward with a bad line", Role.PROCESSOR | Role.EMERGENCY))
    first = ward.open_emergency(body, idempotency_key="cut-1")
    assert ward.open_emergency(body, idempotency_key="cut-1")["emergencyId"] == first["emergencyId"]
    with pytest.raises(InvalidInput):
        ward.open_emergency({**body, "statement": "another"}, idempotency_key="cut-1")
