"""What a consent may say, and what a request must say to fit it: recipients by kind, days, levels, templates."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from typing import Any

import pytest

from ledger.client import sign_grant, sign_in
from ledger.client.holders import check_grant
from ledger.domain.vocabulary import Category, MemberKind, Purpose, Role
from ledger.encoding.hexadecimal import to_hex
from ledger.errors import InvalidInput, NotFound, NotPermitted
from ledger.ports import Call
from ledger.wallet import holder_address
from tests.api.conftest import assert_problem
from tests.support.world import ALL_PURPOSES, STUDY, Actor, event_named

MONTH = 30 * 86_400


@dataclass(frozen=True)
class Study:
    """A record nobody has a consent for yet, an institute with an approved project, and a company with another one."""

    passport: str
    institute: Actor
    project: int
    company: Actor
    company_project: int


@pytest.fixture(scope="module")
def study(world, cast) -> Study:
    institute = world.admit("Institute of Medicine", Role.PROCESSOR, kind=MemberKind.RESEARCH)
    company = world.admit("Model Company", Role.PROCESSOR, kind=MemberKind.COMPANY)
    passport = to_hex(world.register(cast.hospital, 5))
    return Study(passport, institute, world.project(institute), company, world.project(company))


@pytest.fixture
def fields(study, preparation) -> dict[str, Any]:
    """Return a consent for the institute, without its recipient."""
    return {
        name: value
        for name, value in {**preparation, "passportId": study.passport}.items()
        if name != "recipient"
    }


@pytest.fixture
def ask(client, study):
    """Return a function that asks as the institute, or as somebody else, and returns the decision."""

    def asked(grant: dict[str, Any], who: Actor | None = None, **changes: Any) -> dict[str, Any]:
        request = {
            "passportId": study.passport,
            "purpose": "AI_TRAINING",
            "basis": "CONSENT",
            "operation": "READ",
            "categories": ["DIAGNOSIS"],
            "level": "PSEUDONYMISED",
            "grantId": grant["grantId"],
            "projectId": study.company_project if who is study.company else study.project,
            **changes,
        }
        (decision,) = client(who or study.institute).decide([request])
        return dict(decision)

    return asked


def test_a_consent_to_a_kind_of_members_serves_all_of_them_and_nobody_else(client, cast, study, fields, ask):
    """All research institutions may: the institute is permitted and sees the consent, the company is not and does not."""
    given = client(cast.hospital).assist_grant({**fields, "recipientKinds": ["RESEARCH"]})
    assert (given["recipient"], given["recipientKinds"], given["assurance"]) == (
        None,
        ["RESEARCH"],
        "ASSISTED",
    )
    assert given["text"].startswith("All research institutions may use my diagnoses for training an AI model")

    permitted, refused = ask(given), ask(given, study.company)

    assert (permitted["outcome"], permitted["missing"]) == ("PERMIT", [])
    assert (refused["outcome"], refused["missing"]) == ("DENY", ["GRANT_RECIPIENT"])
    assert client(study.institute).grant(given["grantId"])["status"] == "active"
    for listed in (client(study.institute).grants(study.passport), client(study.institute).grants()):
        assert given["grantId"] in {item["grantId"] for item in listed}
    with pytest.raises(NotPermitted):
        client(study.company).grant(given["grantId"])
    assert client(study.company).grants(study.passport) == client(study.company).grants() == []


def test_a_patient_signs_for_kinds_of_members_with_the_own_key(client, cast, world, fields):
    """The wallet says the sentence again from the kinds, and the ledger takes the signature."""
    key = secrets.token_bytes(32)
    passport = to_hex(world.register(cast.hospital, 6, holder=holder_address(key)))
    wanted = {**fields, "passportId": passport, "recipientKinds": ["HOSPITAL", "RESEARCH"]}
    patient = client(str(sign_in(client(), key)["code"]))
    prepared = patient.prepare_grant(wanted)
    grant = check_grant(prepared, wanted)
    given = patient.relay_grant(prepared["grant"], sign_grant(patient.ledger(), grant, key))
    assert (given["recipientKinds"], given["assurance"]) == (["HOSPITAL", "RESEARCH"], "SELF")
    assert given["text"] == prepared["text"]
    assert given["text"].startswith("All hospitals, research institutions may use my")


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({}, "/recipient"),
        ({"recipient": 1, "recipientKinds": ["RESEARCH"]}, "/recipient"),
        ({"recipientKinds": ["RESEARCH"], "flags": ["SEPARATE"]}, "/recipient"),
        ({"recipientKinds": ["WIZARDS"]}, "/recipientKinds/0"),
        ({"recipient": 1, "dataFrom": "2021-01-02", "dataTo": "2021-01-01"}, "/dataTo"),
        ({"recipient": 1, "dataFrom": "1899-12-31"}, "/dataFrom"),
        ({"recipient": 1, "dataTo": "2079-06-06"}, "/dataTo"),
        ({"recipient": 1, "dataTo": "2021-02-30"}, "/dataTo"),
        ({"recipient": 1, "dataTo": 18_000}, "/dataTo"),
        ({"recipient": 1, "dataTo": "yesterday"}, "/dataTo"),
        ({"recipient": 1, "level": "SECRET"}, "/level"),
        ({"recipient": 1, "template": 999}, "/template"),
    ],
    ids=str,
)
def test_a_consent_that_cannot_be_given_is_refused_before_it_is_signed(send, cast, fields, changes, pointer):
    """Nobody or two recipients, a separate one for many, days that are none, unknown codes: 422 with the field."""
    body = json.dumps({**fields, **changes}).encode()
    problem = assert_problem(send(cast.hospital, "POST", "/v1/grants/preparations", body), 422)
    assert [error["pointer"] for error in problem["errors"]] == [pointer]


def test_a_consent_covers_its_days_and_no_other(client, cast, study, fields, ask):
    """From the first day to the last, both included; asking without days asks for more than any limit."""
    period = {"dataFrom": "2020-01-01", "dataTo": "2021-12-31"}
    given = client(cast.hospital).assist_grant(
        {**fields, "recipient": study.institute.member.member_id, **period}
    )
    assert (given["dataFrom"], given["dataTo"]) == ("2020-01-01", "2021-12-31")
    assert "may use my diagnoses of 2020-01-01 to 2021-12-31 for" in given["text"]

    inside = ask(given, **period)
    outside = [
        ask(given, **days)
        for days in (
            {},
            {"dataFrom": "2020-01-01"},
            {"dataTo": "2021-12-31"},
            {"dataFrom": "2019-12-31", "dataTo": "2021-12-31"},
            {"dataFrom": "2020-01-01", "dataTo": "2022-01-01"},
        )
    ]

    assert (inside["outcome"], inside["dataFrom"], inside["dataTo"]) == ("PERMIT", "2020-01-01", "2021-12-31")
    assert "asked to read diagnoses of 2020-01-01 to 2021-12-31 under a pseudonym for" in inside["sentence"]
    assert [(item["outcome"], item["missing"]) for item in outside] == [("DENY", ["GRANT_PERIOD"])] * 5
    assert (outside[1]["dataFrom"], outside[1]["dataTo"]) == ("2020-01-01", None)
    assert outside[0]["reasons"] == ["the consent does not cover the time the data is from"]
    with pytest.raises(InvalidInput, match="dataTo is before dataFrom"):
        ask(given, dataFrom="2021-01-02", dataTo="2021-01-01")


def test_data_is_asked_for_as_far_deidentified_as_law_and_consent_demand(client, cast, study, fields, ask):
    """The law asks for a pseudonym for secondary use; a consent may ask for more, never for less."""
    institute = study.institute.member.member_id
    plain = client(cast.hospital).assist_grant({**fields, "recipient": institute})
    strict = client(cast.hospital).assist_grant({**fields, "recipient": institute, "level": "DEIDENTIFIED"})
    assert (plain["level"], strict["level"]) == ("IDENTIFIED", "DEIDENTIFIED")
    assert ", de-identified or better" in strict["text"]

    answers = {
        (name, level): ask(grant, level=level)
        for name, grant in (("plain", plain), ("strict", strict))
        for level in ("IDENTIFIED", "PSEUDONYMISED", "DEIDENTIFIED")
    }

    too_open = {key for key, answer in answers.items() if answer["missing"] == ["LEVEL_SUFFICIENT"]}
    permitted = {key for key, answer in answers.items() if answer["outcome"] == "PERMIT"}
    assert too_open == {("plain", "IDENTIFIED"), ("strict", "IDENTIFIED"), ("strict", "PSEUDONYMISED")}
    assert permitted == answers.keys() - too_open
    assert {key[1]: answer["level"] for key, answer in answers.items()} == {
        level: level for level in ("IDENTIFIED", "PSEUDONYMISED", "DEIDENTIFIED")
    }


def test_a_consent_fits_inside_its_template(send, client, cast, world, study, fields):
    """A template for a month of AI training by research institutions: whatever goes beyond it is refused, by name."""
    number = _template(world, [Purpose.AI_TRAINING], STUDY, [MemberKind.RESEARCH], MONTH)
    inside = {**fields, "template": number, "recipient": study.institute.member.member_id}
    inside["useFrom"], inside["useTo"] = "2030-01-01T00:00:00Z", "2030-01-31T00:00:00Z"

    for changes, pointer, words in (
        ({"purposes": ["AI_TRAINING", "RESEARCH"]}, "/template", "does not allow RESEARCH"),
        ({"categories": ["DIAGNOSIS", "VITALS"]}, "/template", "does not allow VITALS"),
        ({"recipient": study.company.member.member_id}, "/template", "does not allow COMPANY"),
        (
            {"recipient": None, "recipientKinds": ["RESEARCH", "INSURER"]},
            "/template",
            "does not allow INSURER",
        ),
        ({"useTo": "2030-01-31T00:00:01Z"}, "/useTo", "allows 30 days at most"),
    ):
        body = json.dumps({**inside, **changes}).encode()
        problem = assert_problem(send(cast.hospital, "POST", "/v1/grants/preparations", body), 422)
        assert words in problem["detail"]
        assert [error["pointer"] for error in problem["errors"]] == [pointer]

    given = client(cast.hospital).assist_grant(inside)
    assert (given["template"], given["status"]) == (number, "pending")


def test_a_template_that_was_withdrawn_takes_no_new_consent(client, cast, world, study, fields):
    """Prepared in time but brought too late, the ledger itself refuses; what was given before goes on."""
    number = _template(world, [Purpose.AI_TRAINING], STUDY, [MemberKind.RESEARCH], 365 * 86_400)
    key = secrets.token_bytes(32)
    passport = to_hex(world.register(cast.hospital, 7, holder=holder_address(key)))
    wanted = {
        **fields,
        "passportId": passport,
        "template": number,
        "recipient": study.institute.member.member_id,
    }
    hospital = client(cast.hospital)
    early, late = hospital.prepare_grant(wanted), hospital.prepare_grant(wanted)
    signatures = [
        sign_grant(hospital.ledger(), check_grant(prepared, wanted), key) for prepared in (early, late)
    ]
    given = hospital.relay_grant(early["grant"], signatures[0])
    _propose(world, Call("withdrawTemplate", (number,)))

    with pytest.raises(InvalidInput, match=f"does not fit inside template {number}"):
        hospital.relay_grant(late["grant"], signatures[1])
    with pytest.raises(InvalidInput, match=f"template {number} is not in force"):
        hospital.prepare_grant(wanted)
    assert hospital.grant(given["grantId"])["status"] == "active"


def test_a_request_on_somebodys_behalf_rests_on_the_entrustment(client, cast, world, study, fields, ask):
    """The processor acts under the controller's consent and project while it is entrusted; both are on record."""
    given = client(cast.hospital).assist_grant({**fields, "recipient": study.institute.member.member_id})
    controller = study.institute.member.member_id
    words = {"controllerId": controller, "projectId": study.project}
    before = ask(given, study.company, **words)
    entrust = (study.company.member.member_id, ALL_PURPOSES, world.now() + MONTH, "0x" + "09" * 32)
    world.done(world.service.writer.submit(study.institute.member.signer, Call("entrust", entrust)))

    permitted = ask(given, study.company, **words)

    assert before["outcome"] == "DENY"
    assert {"GRANT_RECIPIENT", "PROJECT_FILED"} <= set(before["missing"])
    assert (permitted["outcome"], permitted["controllerId"]) == ("PERMIT", controller)
    assert permitted["member"]["memberId"] == study.company.member.member_id
    assert permitted["sentence"].startswith(
        "Model Company, on behalf of Institute of Medicine, asked to read"
    )
    with pytest.raises(NotFound, match="there is no member 9999"):
        ask(given, controllerId=9_999)


def test_a_request_names_an_emergency_that_exists(study, ask):
    """A number that no emergency has is a 404, not an answer."""
    with pytest.raises(NotFound, match="there is no emergency 9999"):
        ask({"grantId": None}, emergencyId=9_999)


def test_a_study_of_one_disease_waits_for_a_human(client, cast, world, study, fields, ask):
    """Everything holds but a human's word: the answer is a review, neither permit nor refusal."""
    project = world.project(study.institute, purposes=[Purpose.DISEASE_RESEARCH])
    given = client(cast.hospital).assist_grant(
        {**fields, "recipient": study.institute.member.member_id, "purposes": ["DISEASE_RESEARCH"]}
    )
    answer = ask(given, purpose="DISEASE_RESEARCH", projectId=project)
    assert (answer["outcome"], answer["missing"]) == ("REVIEW", ["HUMAN_REVIEWED"])
    assert answer["answer"] == "waits for a human review"
    assert answer["reasons"] == ["a human has not approved the request"]
    with pytest.raises(NotPermitted, match="is not a permit"):
        client(study.institute).release(study.passport, answer["seq"])


def test_a_patients_own_request_is_served_by_the_custodian(cast, ask, study):
    """The subject asks for the own data: no consent, no project, no pseudonym is needed; only the custodian serves it."""
    words = {
        "purpose": "PATIENT_REQUEST",
        "basis": "SUBJECT_REQUEST",
        "level": "IDENTIFIED",
        "projectId": 0,
        "categories": ["DIAGNOSIS", "DEMOGRAPHICS"],
    }
    nothing = {"grantId": None}
    assert ask(nothing, cast.hospital, **words)["outcome"] == "PERMIT"
    stranger = ask(nothing, **words)
    assert (stranger["outcome"], stranger["missing"]) == ("DENY", ["REQUESTER_IS_CUSTODIAN"])
    unlawful = ask(nothing, cast.hospital, **{**words, "basis": "LEGAL_DUTY"})
    assert unlawful["missing"] == ["LAWFUL"]


def _template(
    world: Any, purposes: list[Purpose], categories: Category, kinds: list[MemberKind], seconds: int
) -> int:
    operation = world.done(
        world.service.templates.issue(
            world.committee.member,
            purposes=purposes,
            categories=categories,
            recipient_kinds=kinds,
            max_seconds=seconds,
            notice="Only for the study of this test.",
            reason="in session",
        )
    )
    return int(event_named(operation, "TemplateIssued").arguments["template"])


def _propose(world: Any, call: Call) -> Any:
    return world.done(world.service.committee.propose(world.committee.member, call, "in session"))
