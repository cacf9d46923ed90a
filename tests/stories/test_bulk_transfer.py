"""
A company asks a hospital for the records of all its patients, in bulk, without anybody's consent.

Of the Royal Free's 1.6 million records, 60 stand here. The law refuses each; each patient's log has the entry.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ledger.audit.findings import Rule
from ledger.client import open_release
from ledger.domain.records import PassportId
from ledger.domain.vocabulary import Fact, MemberKind, Role
from ledger.encoding.hexadecimal import to_hex
from ledger.errors import NotPermitted
from tests.stories.conftest import Stage

PATIENTS, BATCH = 60, 20


def test_bulk_transfer_without_consent(stage: Stage, tmp_path: Path) -> None:
    world = stage.world
    hospital = world.admit("Free Royal Hospital", Role.CUSTODIAN, kind=MemberKind.HOSPITAL)
    company = world.admit("Mind Depths Ltd", Role.PROCESSOR, kind=MemberKind.COMPANY)
    passports = [world.register(hospital, index) for index in range(PATIENTS)]
    project = world.project(company, title="An app for kidneys")
    client = stage.client(company)

    answers = []
    for start in range(0, PATIENTS, BATCH):
        answers += client.decide([bulk(passport, project) for passport in passports[start : start + BATCH]])

    assert [answer["outcome"] for answer in answers] == ["DENY"] * PATIENTS
    assert all("GRANT_LIVE" in answer["missing"] for answer in answers)
    assert {answer["reasons"][0] for answer in answers} == {"there was no consent for it"}
    # Refused, nothing moves: the hospital itself cannot ship what was not permitted.
    with pytest.raises(NotPermitted, match="no unused permit to transfer"):
        stage.client(hospital).ship(to_hex(passports[0]), answers[0]["seq"])
    # Nobody's entry is missing: one for each patient, in words, in the patient's own log.
    for passport in passports:
        (line,) = stage.client(hospital).access_log(to_hex(passport))
        assert line["sentence"].startswith("Mind Depths Ltd asked to receive a copy of diagnoses")
        assert (line["answer"], line["released"]) == ("refused", None)

    # The data went out all the same, past the ledger; the company's own access log convicts it.
    uses = [stage.use(company, passport) for passport in passports]
    report = stage.replayed(uses)

    assert (report.replay.decisions, report.replay.denied, report.replay.permits) == (PATIENTS, PATIENTS, 0)
    assert report.replay.denials[Fact.GRANT_LIVE] == PATIENTS
    found = [item for item in report.findings if item.rule is Rule.USE_WITHOUT_PERMIT]
    assert {item.passport for item in found} == {to_hex(passport) for passport in passports}
    assert {item.member_name for item in found} == {"Mind Depths Ltd"}
    assert all(
        "its request was not permitted (there was no consent in force" in item.detail for item in found
    )
    assert len(report.findings) == PATIENTS
    assert stage.replayed().is_clean

    # One of the files turns up. The hospital opens its own record for the auditor, which has the salts.
    own = stage.client(hospital)
    (care,) = own.decide([own_care(passports[0])])
    release = own.release(to_hex(passports[0]), care["seq"])
    leaked, salts = tmp_path / "leaked.json", tmp_path / "release.json"
    leaked.write_text(json.dumps(open_release(release, hospital.keys)))
    salts.write_text(json.dumps(release))
    file = ("--file", str(leaked), "--release", str(salts))

    # From the chain alone: nobody but the hospital was ever given it, and the company asked for it in vain.
    found = stage.trace(*file)
    assert (found["subject"]["kind"], found["subject"]["name"]) == ("passport", to_hex(passports[0]))
    assert {holder["memberName"] for holder in found["holders"]} == {"Free Royal Hospital"}
    assert found["transfers"] == []
    responsible, violation = found["responsible"], found["violation"]
    assert (responsible["memberName"], responsible["rule"]) == ("Mind Depths Ltd", "request-refused")
    assert "there was no consent in force" in violation["detail"]
    refused = world.service.decisions.get(passports[0], answers[0]["seq"]).position
    (evidence,) = violation["evidence"]
    assert (evidence["block"], evidence["transaction"]) == (
        refused.block_number,
        to_hex(refused.transaction_hash),
    )
    assert (violation["passport"], violation["seq"]) == (to_hex(passports[0]), answers[0]["seq"])
    assert (
        f"block {refused.block_number}, transaction {to_hex(refused.transaction_hash)}"
        in responsible["reason"]
    )

    # With the company's own log it is no attempt any more.
    found = stage.trace(*file, uses=uses)
    assert (found["responsible"]["memberName"], found["violation"]["rule"]) == (
        "Mind Depths Ltd",
        "use-without-permit",
    )
    # And of the company itself: one refusal for each patient.
    whole = stage.trace("Mind Depths Ltd")
    assert [item["rule"] for item in whole["violations"]] == ["request-refused"] * PATIENTS
    assert {item["passport"] for item in whole["violations"]} == {to_hex(passport) for passport in passports}


def own_care(passport: PassportId) -> dict[str, object]:
    return {
        "passportId": to_hex(passport),
        "purpose": "PRIMARY_CARE",
        "basis": "CUSTODIAN_CARE",
        "operation": "READ",
        "categories": ["DIAGNOSIS"],
        "statement": "The auditor asks for the salts",
    }


def bulk(passport: PassportId, project: int) -> dict[str, object]:
    return {
        "passportId": to_hex(passport),
        "purpose": "AI_TRAINING",
        "basis": "CONSENT",
        "operation": "TRANSFER",
        "categories": ["DIAGNOSIS", "LABORATORY"],
        "level": "PSEUDONYMISED",
        "projectId": project,
        "statement": "All patients of the last five years",
    }
