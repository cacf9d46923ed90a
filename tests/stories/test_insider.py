"""
An insider with every right downloads record after record: the daily cap stops it at the boundary.

Of 89,000 records 12 stand here, and a cap of 5 a day.
"""

from __future__ import annotations

from pathlib import Path

from ledger.audit.findings import Rule
from ledger.domain.vocabulary import Fact, Outcome, Purpose, Role
from ledger.encoding.hexadecimal import to_hex
from tests.stories.conftest import DAY, Stage, stands_at

RECORDS, CAP = 12, 5


def test_an_insiders_download_against_daily_caps(stage: Stage, tmp_path: Path) -> None:
    world = stage.world
    hospital = world.admit("Riverside Hospital", Role.CUSTODIAN | Role.PROCESSOR)
    number = hospital.member.member_id
    passports = [world.register(hospital, index) for index in range(RECORDS)]
    capped = stage.client(world.committee).set_caps(number, {"PRIMARY_CARE": CAP}, "Agreement 4, section 2")
    assert capped["caps"] == [{"purpose": "PRIMARY_CARE", "cap": CAP, "used": 0}]
    care = {
        "purpose": "PRIMARY_CARE",
        "basis": "CUSTODIAN_CARE",
        "operation": "READ",
        "categories": ["DIAGNOSIS"],
        "statement": "Ward round",
    }

    # In one batch that crosses the boundary, then one by one.
    client = stage.client(hospital)
    answers = client.decide([{**care, "passportId": to_hex(passport)} for passport in passports[:7]])
    answers += [client.decide([{**care, "passportId": to_hex(passport)}])[0] for passport in passports[7:]]

    assert [answer["outcome"] for answer in answers] == ["PERMIT"] * CAP + ["DENY"] * (RECORDS - CAP)
    assert {tuple(answer["missing"]) for answer in answers[CAP:]} == {("WITHIN_CAP",)}
    assert answers[CAP]["reasons"] == ["the institution has reached its daily cap for this purpose"]
    assert client.member(number)["caps"] == [{"purpose": "PRIMARY_CARE", "cap": CAP, "used": CAP}]
    # Another purpose has no cap, and refusals count against none.
    other = world.ask(
        hospital,
        passports[0],
        purpose=Purpose.OPERATIONS,
        basis=2,
        level=0,
    )
    assert other.outcome is Outcome.PERMIT

    # The insider reads on from what the hospital keeps itself; its own log convicts it, record by record.
    uses = [stage.use(hospital, passport) for passport in passports]
    report = stage.replayed(uses)

    assert report.replay.denials == {Fact.WITHIN_CAP: RECORDS - CAP}
    found = [item for item in report.findings if item.rule is Rule.USE_WITHOUT_PERMIT]
    assert {item.passport for item in found} == {to_hex(passport) for passport in passports[CAP:]}
    assert all("the institution has reached its daily cap" in item.detail for item in found)

    # Another process, with a node's URL and the ledger's address alone, traces the first record over the cap.
    over = f"{to_hex(passports[CAP])}:{answers[CAP]['seq']}"
    code, traced = stage.trace_elsewhere(tmp_path, over)
    assert (code, traced["responsible"]["memberName"]) == (1, "Riverside Hospital")
    assert (traced["violation"]["rule"], traced["violation"]["gravity"]) == ("request-refused", "ATTEMPT")
    assert "the institution has reached its daily cap for this purpose" in traced["violation"]["detail"]
    (asked,) = (link for link in traced["chain"] if link["act"] == "ASKED")
    assert (asked["missing"], asked["permitted"]) == (["WITHIN_CAP"], False)
    assert any(link["sentence"] == "Riverside Hospital got other daily caps" for link in traced["chain"])
    code, traced = stage.trace_elsewhere(tmp_path, over, uses=uses)
    assert (code, traced["violation"]["rule"]) == (1, "use-without-permit")
    (evidence,) = traced["violation"]["evidence"]
    assert (evidence["block"], evidence["transaction"]) == stands_at(traced, answers[CAP]["seq"])
    assert (traced["violation"]["passport"], traced["violation"]["seq"]) == (
        to_hex(passports[CAP]),
        answers[CAP]["seq"],
    )
    # Of the institution as a whole: every record over the cap, and none below it.
    whole = stage.trace(f"member:{number}", uses=uses)
    breaches = [item for item in whole["violations"] if item["gravity"] == "BREACH"]
    assert {item["passport"] for item in breaches} == {to_hex(passport) for passport in passports[CAP:]}

    # The next day counts anew.
    world.until((world.now() // DAY + 1) * DAY)
    again = client.decide([{**care, "passportId": to_hex(passports[-1])}])
    assert again[0]["outcome"] == "PERMIT"
    assert client.member(number)["caps"][0]["used"] == 1
