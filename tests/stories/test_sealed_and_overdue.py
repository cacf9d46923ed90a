"""A clinic breaks the glass, seals it, and lets its review lapse: what each reads, day by day."""

from __future__ import annotations

from typing import Any

from api.middleware import COOKIE
from ledger.audit.findings import Rule
from ledger.domain.vocabulary import Role
from ledger.encoding.hexadecimal import to_hex
from ledger.wallet import holder_address
from tests.stories.conftest import Stage, at

PATIENT_KEY = b"\x33" * 32
HOUR = 3600


def test_a_seal_opens_by_itself_and_a_missing_review_is_seen(stage: Stage) -> None:
    world = stage.world
    hospital = world.admit("Riverside Hospital", Role.CUSTODIAN)
    clinic = world.admit("Valley Emergency Room", Role.PROCESSOR | Role.EMERGENCY)
    auditor = world.admit("Data protection authority", Role.AUDITOR)
    passport = to_hex(world.register(hospital, holder=holder_address(PATIENT_KEY)))
    now = world.now()
    opened = stage.client(clinic).open_emergency(
        {
            "passportId": passport,
            "reason": "DANGER_TO_OTHERS",
            "statement": "A knife was seen",
            "sealedUntil": at(now + 24 * HOUR),
            "sealing": "the police ask not to warn who hurt the patient",
        }
    )
    number = opened["emergencyId"]
    (answer,) = stage.client(clinic).decide(
        [
            {
                "passportId": passport,
                "purpose": "EMERGENCY_CARE",
                "basis": "INDIVIDUAL_EMERGENCY",
                "operation": "READ",
                "categories": ["DIAGNOSIS"],
                "emergencyId": number,
            }
        ]
    )
    assert answer["outcome"] == "PERMIT"
    patient = stage.client(PATIENT_KEY)
    (line,), (urgent,) = patient.access_log(passport), patient.emergencies(passport)
    assert (line["answer"], urgent["statement"]) == ("sealed", None)
    assert line["sentence"] == urgent["sentence"]
    assert "knife" not in page(stage, patient._to.credentials, f"/patient/passports/{passport}")

    world.until(now + 24 * HOUR)

    (line,), (urgent,) = patient.access_log(passport), patient.emergencies(passport)
    assert line["answer"] == "permitted"
    assert line["sentence"].startswith("Valley Emergency Room asked to read diagnoses for emergency care")
    assert (urgent["statement"], urgent["reason"]) == ("A knife was seen", "DANGER_TO_OTHERS")
    assert "knife" in page(stage, patient._to.credentials, f"/patient/passports/{passport}")
    watching = stage.client(auditor)
    assert watching.emergencies(overdue=True) == []

    world.until(world.service.emergencies.get(number).emergency.review_due + 1)

    (late,) = watching.emergencies(overdue=True)
    assert (late["emergencyId"], late["overdue"]) == (number, True)
    assert "and is missing" in patient.emergency(number)["sentence"]
    code = watching.open_member_session()["code"]
    told = page(stage, code, "/auditor")
    assert "Review overdue" in told
    assert "1 (100.00%)" in told
    assert stage.client(clinic).emergency_right(clinic.member.member_id)["holds"] is False
    assert watching.emergency_ratio()["total"]["overdue"] == 1
    (finding,) = [found for found in stage.replayed().findings if not found.rule.is_informational]
    assert (finding.rule, finding.member_id) == (Rule.EMERGENCY_UNREVIEWED, clinic.member.member_id)


def page(stage: Stage, code: Any, path: str) -> str:
    stage.http.cookies.clear()
    stage.http.cookies.set(COOKIE, str(code))
    response = stage.http.get(path)
    stage.http.cookies.clear()
    assert response.status_code == 200
    return response.text
