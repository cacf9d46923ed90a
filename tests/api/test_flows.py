"""What people come to do, through the REST client, on a real chain."""

from __future__ import annotations

import time

import pytest

from ledger.client import MemberKeys, content_received, open_release, sign_grant, sign_revocation
from ledger.client.holders import check_grant
from ledger.domain.vocabulary import Operation, Role
from ledger.encoding.hexadecimal import to_hex
from ledger.errors import Conflict, NotFound, NotPermitted, SignatureRejected
from tests.api.conftest import registration


def test_the_ledger_says_which_it_is(client, cast, world):
    ledger = client().ledger()
    assert ledger["ledger"] == world.service.chain.domain().ledger
    assert ledger["indexedBlock"] <= ledger["chainHead"]
    assert ledger["policyVersion"] >= 1


def test_the_committee_admits_suspends_and_reinstates_a_member(client, cast):
    keys = MemberKeys.new("Valley Clinic")
    committee = client(cast.committee)
    admission = {
        "name": "Valley Clinic",
        "roles": ["CUSTODIAN"],
        "purposes": ["PRIMARY_CARE"],
        "jurisdiction": 756,
        "validTo": "2031-01-01T00:00:00Z",
        "signingKey": to_hex(keys.signing_public)
        if isinstance(keys.signing_public, bytes)
        else keys.signing_public,
        "sealingKey": to_hex(keys.sealing_public)
        if isinstance(keys.sealing_public, bytes)
        else keys.sealing_public,
    }
    member = committee.admit(admission)
    assert (member["name"], member["roles"], member["status"]) == ("Valley Clinic", ["CUSTODIAN"], "ACTIVE")
    assert member["validTo"] == "2031-01-01T00:00:00Z"
    assert committee.suspend(member["memberId"], "an incident")["status"] == "SUSPENDED"
    # A suspended member may still ask the service: what it asks of the ledger is refused there, and recorded.
    assert client(keys).member(member["memberId"])["status"] == "SUSPENDED"
    assert committee.reinstate(member["memberId"])["status"] == "ACTIVE"
    with pytest.raises(NotPermitted):
        client(keys).admit(admission)


def test_a_custodian_registers_a_record(client, cast):
    body = registration(3)
    made = client(cast.hospital).register(body["bundle"], body["purposes"])
    assert made["entries"]["DEMOGRAPHICS"] == 1
    passport = made["passport"]
    assert (passport["custody"], passport["size"], passport["purposes"]) == (
        "ASSISTED",
        0,
        ["PRIMARY_CARE", "AI_TRAINING"],
    )
    assert client(cast.lab).passport(passport["passportId"]) == passport
    assert passport in client(cast.hospital).passports()
    references = {item["passportId"]: item["localReference"] for item in client(cast.hospital).records()}
    assert references[passport["passportId"]].startswith("api-")


def test_a_patient_grants_reads_and_withdraws_with_the_own_key(client, cast, holder_code, preparation):
    patient = client(holder_code)
    ledger = patient.ledger()
    prepared = patient.prepare_grant(preparation)
    grant = check_grant(prepared, preparation)
    assert prepared["holder"] == cast.holder
    assert "Northern AI Laboratory may use my diagnoses" in prepared["text"]
    given = patient.relay_grant(prepared["grant"], sign_grant(ledger, grant, cast.holder_key))
    assert (given["status"], given["text"], given["uses"]) == ("active", prepared["text"], 0)
    assert given in patient.grants()
    assert given in patient.grants(cast.own)
    assert given in client(cast.lab).grants()
    signature = sign_revocation(
        ledger, passport_id=given["passportId"], grant_id=given["grantId"], private_key=cast.holder_key
    )
    assert patient.revocation(given["grantId"])["typedData"]["message"]["grantId"] == given["grantId"]
    ended = patient.revoke(given["grantId"], signature)
    assert (ended["status"], ended["endedAt"] is not None) == ("withdrawn", True)


def test_anybody_may_relay_but_only_the_holder_can_sign(client, cast, holder_code, preparation):
    lab = client(cast.lab)
    prepared = lab.prepare_grant(preparation)
    grant = check_grant(prepared, preparation)
    with pytest.raises(SignatureRejected, match="but the holder is"):
        lab.relay_grant(prepared["grant"], sign_grant(lab.ledger(), grant, b"\7" * 32))
    given = lab.relay_grant(prepared["grant"], sign_grant(lab.ledger(), grant, cast.holder_key))
    assert given["recipient"] == cast.lab.member.member_id


def test_the_custodian_grants_and_withdraws_for_an_assisted_patient(client, cast, preparation):
    hospital = client(cast.hospital)
    fields = {**preparation, "passportId": cast.assisted, "maxUses": 2, "flags": ["SEPARATE"]}
    given = hospital.assist_grant(fields)
    assert (given["maxUses"], given["flags"]) == (2, ["SEPARATE"])
    assert hospital.revoke(given["grantId"])["status"] == "withdrawn"
    with pytest.raises(NotPermitted):
        hospital.assist_grant({**fields, "passportId": cast.own})


def test_requests_are_answered_in_their_order(client, cast, request_body):
    lab = client(cast.lab)
    request = {field: value for field, value in request_body.items() if field != "grantId"}
    answers = lab.decide(
        [{**request, "grantId": cast.grant}, {**request, "grantId": cast.withdrawn}, request]
    )
    assert [item["outcome"] for item in answers] == ["PERMIT", "DENY", "DENY"]
    assert {item["level"] for item in answers} == {"PSEUDONYMISED"}
    assert answers[0]["member"] == {"memberId": cast.lab.member.member_id, "name": "Northern AI Laboratory"}
    assert "was withdrawn on" in answers[1]["reasons"][0]
    assert answers[2]["reasons"] == ["there was no consent for it"]
    (bare,) = lab.decide([{**request, "projectId": 0, "grantId": cast.grant}])
    assert bare["missing"] == [
        f"PROJECT_{name}" for name in ("FILED", "ETHICS", "TECHNIQUE", "AGREEMENT", "COMPLIANCE")
    ]
    assert bare["reasons"] == ["it has no project of its own on file that covers this"]
    assert lab.decision(cast.assisted, answers[1]["seq"]) == answers[1]
    assert answers[2] in lab.decisions()


def test_a_single_request_is_answered_by_itself(send, cast):
    body = (
        b'{"passportId": "%s", "purpose": "research", "basis": "no-basis", "operation": "READ", "categories": ["VITALS"]}'
        % cast.own.encode()
    )
    response = send(
        cast.lab, "POST", "/v1/decisions", body, headers={"Idempotency-Key": f"one-{time.time_ns()}"}
    )
    assert response.status_code == 201
    assert response.json()["outcome"] == "DENY"
    assert response.headers["Location"].startswith("/v1/operations/")


def test_a_permit_releases_the_data_and_the_release_is_recorded(client, cast, world):
    lab = client(cast.lab)
    release = lab.release(cast.assisted, cast.permit)
    opened = open_release(release, cast.lab.keys)
    assert set(opened) == {"DIAGNOSIS"}
    deadline = time.monotonic() + 20
    while lab.decision(cast.assisted, cast.permit)["released"] is None:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    with pytest.raises(NotPermitted, match="is not a permit"):
        lab.release(cast.assisted, cast.denial)


def test_a_permit_for_days_releases_an_excerpt_or_says_why_not(client, cast, world, request_body):
    lab = client(cast.lab)
    days = {"dataFrom": "2014-06-24", "dataTo": "2014-07-08"}
    some, none, copy = lab.decide(
        [
            {**request_body, **days},
            {**request_body, "dataFrom": "2014-07-09", "dataTo": "2014-07-29"},
            {**request_body, **days, "operation": "TRANSFER"},
        ]
    )
    release = lab.release(cast.assisted, some["seq"])
    opened = open_release(release, cast.lab.keys, days=(days["dataFrom"], days["dataTo"]))
    assert [len(entries) for entries in opened.values()] == [1]
    assert (release["excerpted"]["firstDay"], release["excerpted"]["lastDay"]) == tuple(days.values())
    with pytest.raises(Conflict, match="wholly of 2014-07-09 to 2014-07-29"):
        lab.release(cast.assisted, none["seq"])
    with pytest.raises(Conflict, match="a copy is sent whole"):
        client(cast.hospital).ship(cast.assisted, copy["seq"])


def test_a_transfer_is_recorded_by_both_sides(client, cast, world):
    lab = client(cast.lab)
    words = {"grant_id": bytes.fromhex(cast.grant[2:]), "project_id": cast.project}
    permit = world.ask(cast.lab, bytes.fromhex(cast.assisted[2:]), operation=Operation.TRANSFER, **words)
    transfer = client(cast.hospital).ship(cast.assisted, permit.seq)["transferId"]
    release = lab.collect(transfer)
    received = lab.receive(transfer, to_hex(content_received(release, cast.lab.keys)))
    assert received["status"] == "RECEIVED"
    assert client(cast.hospital).transfer(transfer) == received
    assert received in client(cast.hospital).transfers()
    with pytest.raises(Conflict, match="received before"):
        lab.collect(transfer)
    history = client(cast.hospital).provenance(cast.assisted)
    assert history["copies"][0] == {
        "member": {"memberId": cast.hospital.member.member_id, "name": "Riverside Hospital"},
        "transfer": None,
    }
    assert received in [copy["transfer"] for copy in history["copies"]]
    assert history["events"][0]["name"] == "PassportIssued"


def test_a_custodian_ships_over_rest(client, cast, request_body):
    asked = client(cast.lab).decide([{**request_body, "operation": "TRANSFER"}])
    shipped = client(cast.hospital).ship(cast.assisted, asked[0]["seq"])
    assert (shipped["status"], shipped["received"]) == ("SHIPPED", None)
    # A difference is recorded, not refused.
    disputed = client(cast.lab).receive(shipped["transferId"], "0x" + "11" * 32)
    assert (disputed["status"], disputed["receivedContent"]) == ("DISPUTED", "0x" + "11" * 32)


def test_projects_are_filed_and_withdrawn(client, cast):
    lab = client(cast.lab)
    filed = lab.file_project(
        {
            "title": "Sepsis",
            "purposes": ["AI_TRAINING"],
            "categories": ["VITALS"],
            "techniques": ["FEDERATED_LEARNING"],
            "highestClass": "SENSITIVE",
            "validFrom": "2026-01-01T00:00:00Z",
            "validTo": "2030-01-01T00:00:00Z",
            "agreement": "Only for sepsis.",
        }
    )
    assert filed["agreement"] is True
    assert (filed["ethics"], filed["compliance"]) == (None, None)
    assert filed in lab.projects()
    assert lab.withdraw_project(filed["projectId"])["withdrawn"] is True
    assert lab.project(filed["projectId"])["withdrawn"] is True


def test_a_new_consent_replaces_an_old_one(client, cast, preparation):
    hospital = client(cast.hospital)
    fields = {**preparation, "passportId": cast.assisted, "useFrom": "2026-01-01T00:00:00Z"}
    first = hospital.assist_grant(fields)
    second = hospital.assist_grant({**fields, "supersedes": first["grantId"]})
    replaced = hospital.grant(first["grantId"])
    assert (replaced["status"], replaced["successor"]) == ("superseded", second["grantId"])
    assert second["supersedes"] == first["grantId"]


def test_the_law_can_be_read(client):
    law = client().policy()
    assert law == client().policy(law["version"])
    assert {entry["basis"] for entry in law["entries"]} >= {"CONSENT"}
    assert "MARKETING" in law["bannedPurposes"]
    word = next(item for item in law["vocabulary"]["purposes"] if item["code"] == "AI_TRAINING")
    assert (word["number"], word["en"]) == (7, "training an AI model")
    levels = ["IDENTIFIED", "PSEUDONYMISED", "DEIDENTIFIED", "AGGREGATE"]
    assert [item["code"] for item in law["vocabulary"]["levels"]] == levels
    with pytest.raises(NotFound):
        client().policy(9_999)


def test_the_service_is_ready(client, cast):
    ready = client().ready()
    assert ready["ready"] is True
    assert {"database", "node", "chain", "index", "consistent"} <= ready["checks"].keys()
    assert set(ready["checks"].values()) == {None}


def test_a_transfer_is_not_handed_over_once_consent_has_ended(client, cast, world):
    """Shipped, but the patient withdrew before it was collected: nothing is handed over."""
    passport = bytes.fromhex(cast.assisted[2:])
    grant = world.grant(cast.hospital, passport, cast.lab)
    permit = world.ask(
        cast.lab, passport, operation=Operation.TRANSFER, grant_id=grant, project_id=cast.project
    )
    transfer = client(cast.hospital).ship(cast.assisted, permit.seq)["transferId"]
    world.revoke(cast.hospital, grant)
    with pytest.raises(NotPermitted, match="consent has ended"):
        client(cast.lab).collect(transfer)


def test_a_suspended_custodian_does_not_sign_for_its_patients(client, cast, world, preparation):
    """An assisted consent needs a custodian in good standing."""
    clinic = world.admit("Suspended clinic", Role.CUSTODIAN)
    passport = to_hex(world.register(clinic, 3))
    client(cast.committee).suspend(clinic.member.member_id, "under investigation")
    with pytest.raises(NotPermitted, match="suspended"):
        client(clinic).assist_grant({**preparation, "passportId": passport})


def test_a_cursor_is_a_cursor(send, cast):
    """Digits of other scripts and numbers beyond any row are refused, not faults."""
    for after in ("%C2%B2", "9" * 40, "1-%C2%B2"):
        assert send(cast.lab, "GET", f"/v1/decisions?after={after}").status_code == 422
        assert send(cast.hospital, "GET", f"/v1/passports?after={after}").status_code == 422
