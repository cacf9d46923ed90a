"""Agreements, clearances, the list for crossing borders, exports and thresholds over HTTP."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import pytest

from ledger.domain.records import Thresholds
from ledger.domain.vocabulary import Role
from ledger.encoding.hexadecimal import to_hex
from ledger.errors import Conflict, InvalidInput, NotFound, NotPermitted
from tests.support.world import Actor

TERMS: dict[str, Any] = {
    "purposes": ["AI_TRAINING"],
    "categories": ["DIAGNOSIS", "LABORATORY"],
    "validTo": "2040-01-01T00:00:00Z",
    "retentionSeconds": 86_400,
    "responseHours": 72,
    "text": "Standard contract, annex 2",
}
CLEARED: dict[str, Any] = {
    "validFrom": "2026-01-01T00:00:00Z",
    "validTo": "2040-01-01T00:00:00Z",
    "maxPersons": 2,
    "filing": "Assessment 2026-31",
}


@dataclass(frozen=True)
class Abroad:
    """A laboratory abroad with a project, and who clears the hospital's data for it."""

    lab: Actor
    project: int
    regulator: Actor
    verifier: Actor

    @property
    def number(self) -> int:
        return self.lab.member.member_id


@pytest.fixture(scope="module")
def abroad(world) -> Abroad:
    lab = world.admit("Laboratory abroad", Role.PROCESSOR, jurisdiction=156)
    return Abroad(
        lab,
        world.project(lab),
        world.admit("Provincial office", Role.REGULATOR),
        world.admit("Certification body", Role.VERIFIER),
    )


@pytest.fixture
def agreed(client, cast, abroad) -> dict[str, Any]:
    """Return an agreement that both sides signed."""
    proposed = client(cast.hospital).propose_agreement({"recipient": abroad.number, **TERMS})
    return client(abroad.lab).sign_agreement(proposed["agreementId"], proposed["commitment"])


def cleared(cast, abroad, path: str, **changes: Any) -> dict[str, Any]:
    exporter = cast.hospital.member.member_id
    return {"projectId": abroad.project, "exporter": exporter, "path": path, **CLEARED, **changes}


def test_an_agreement_from_its_proposal_to_its_end(client, cast, abroad):
    """Both sides sign one text, which they alone read here; either side ends it."""
    proposed = client(cast.hospital).propose_agreement({"recipient": abroad.number, **TERMS})
    assert (proposed["status"], proposed["inForce"]) == ("PROPOSED", False)
    assert proposed["provider"] == cast.hospital.member.member_id
    number = proposed["agreementId"]
    assert client(abroad.lab).agreement(number)["text"] == TERMS["text"]
    assert client(cast.outsider).agreement(number)["text"] is None
    with pytest.raises(Conflict, match="another text"):
        client(abroad.lab).sign_agreement(number, "0x" + "01" * 32)
    with pytest.raises(NotPermitted):
        client(cast.outsider).sign_agreement(number, proposed["commitment"])

    signed = client(abroad.lab).sign_agreement(number, proposed["commitment"])
    assert (signed["status"], signed["inForce"]) == ("SIGNED", True)
    assert signed["signedAt"]

    ended = client(abroad.lab).end_agreement(number, "We have finished.")
    assert (ended["status"], ended["inForce"], ended["endedBy"]) == ("ENDED", False, abroad.number)
    assert ended in client(cast.hospital).agreements(member_id=abroad.number)
    assert number not in [
        one["agreementId"] for one in client(cast.hospital).agreements(member_id=cast.lab.member.member_id)
    ]
    with pytest.raises(NotFound, match="no agreement"):
        client(cast.hospital).agreement(999_999)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"recipient": 0}, "recipient"),
        ({"purposes": []}, "purposes"),
        ({"purposes": ["MARKETING"]}, "bans"),
        ({"retentionSeconds": 0}, "retentionSeconds"),
        ({"validTo": "2020-01-01T00:00:00Z"}, "future"),
    ],
)
def test_an_agreement_is_whole(client, cast, abroad, changes, words):
    with pytest.raises(InvalidInput, match=words):
        client(cast.hospital).propose_agreement({"recipient": abroad.number, **TERMS, **changes})


def test_data_crosses_once_it_is_cleared_and_counters_say_so(client, cast, world, abroad, agreed):
    """On the list, cleared by contract: one person, counted once, shown beside the thresholds."""
    hospital = client(cast.hospital)
    number, project = cast.hospital.member.member_id, world.project(abroad.lab)
    passport = world.register(cast.hospital, 8)
    grant = to_hex(world.grant(cast.hospital, passport, abroad.lab))
    request = {
        "passportId": to_hex(passport),
        "purpose": "AI_TRAINING",
        "basis": "CONSENT",
        "operation": "READ",
        "categories": ["DIAGNOSIS"],
        "level": "PSEUDONYMISED",
        "grantId": grant,
        "projectId": project,
    }

    def missing() -> list[str]:
        (decision,) = client(abroad.lab).decide([request])
        return list(decision["missing"])

    assert missing() == ["BORDER_CLEARED"]
    assert hospital.border_access(abroad.number) == {
        "memberId": abroad.number,
        "validTo": None,
        "inForce": False,
    }
    until = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 30 * 86_400))
    listed = client(abroad.regulator).set_border_access(abroad.number, until)
    assert (listed["validTo"], listed["inForce"]) == (until, True)
    assert missing() == ["BORDER_CLEARED"]

    body = cleared(cast, abroad, "CONTRACT", projectId=project, agreement=agreed["agreementId"])
    clearance = client(abroad.regulator).clear(body)
    assert (clearance["path"], clearance["says"]) == ("CONTRACT", "standard contract")
    assert (clearance["persons"], clearance["inForce"], clearance["replaced"]) == (0, True, False)
    before = hospital.exports(number)
    assert missing() == missing() == []
    after = hospital.exports(number)
    assert after["persons"] == before["persons"] + 1
    assert after["sensitivePersons"] == before["sensitivePersons"] + 1
    assert after["thresholds"] == hospital.thresholds() == {"persons": 1_000_000, "sensitivePersons": 10_000}
    assert hospital.exports(number, after["year"] - 1)["persons"] == 0
    assert hospital.clearance(clearance["clearanceId"])["persons"] == 1

    withdrawn = client(abroad.regulator).withdraw_clearance(clearance["clearanceId"], "An incident")
    assert (withdrawn["inForce"], withdrawn["withdrawnBy"]) == (False, abroad.regulator.member.member_id)
    assert missing() == ["BORDER_CLEARED"]
    assert withdrawn in hospital.clearances(project_id=project, exporter=number)
    assert hospital.clearances(exporter=abroad.number) == []
    off = client(abroad.regulator).set_border_access(abroad.number, None)
    assert off["inForce"] is False


def test_each_path_has_its_issuers(client, cast, abroad, agreed):
    """A verifier certifies and does no more; others learn who may."""
    certified = client(abroad.verifier).clear(cleared(cast, abroad, "CERTIFICATION"))
    assessed = client(abroad.regulator).clear(cleared(cast, abroad, "ASSESSMENT"))
    assert client(cast.hospital).clearance(certified["clearanceId"])["replaced"]
    assert not assessed["replaced"]
    for who, path, more in (
        (abroad.regulator, "CERTIFICATION", {}),
        (abroad.verifier, "ASSESSMENT", {}),
        (abroad.verifier, "CONTRACT", {"agreement": agreed["agreementId"]}),
        (cast.hospital, "ASSESSMENT", {}),
    ):
        with pytest.raises(NotPermitted, match="may not clear"):
            client(who).clear(cleared(cast, abroad, path, **more))
    with pytest.raises(NotPermitted):
        client(cast.hospital).set_border_access(abroad.number, "2040-01-01T00:00:00Z")
    with pytest.raises(NotPermitted):
        client(cast.outsider).withdraw_clearance(assessed["clearanceId"], "no")


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"path": "NONE"}, InvalidInput, "path"),
        ({"path": "MAGIC"}, InvalidInput, "path"),
        ({"maxPersons": 0}, InvalidInput, "maxPersons"),
        ({"validTo": "2025-01-01T00:00:00Z"}, InvalidInput, "validTo"),
        ({"agreement": 1}, InvalidInput, "agreement"),
        ({"path": "CONTRACT", "agreement": 999_999}, NotFound, "agreement"),
        ({"projectId": 999_999}, NotFound, "project"),
        ({"exporter": 999_999}, NotFound, "member"),
    ],
)
def test_a_clearance_is_whole(client, cast, abroad, changes, error, words):
    with pytest.raises(error, match=words):
        client(abroad.regulator).clear({**cleared(cast, abroad, "ASSESSMENT"), **changes})


def test_thresholds_are_the_committees(client, cast, world):
    """A seat proposes them; here it decides alone."""
    body = {"persons": 7, "sensitivePersons": 3, "reason": "Fewer."}
    with pytest.raises(NotPermitted, match="no seat"):
        client(cast.hospital).set_thresholds(body)
    with pytest.raises(InvalidInput, match="persons"):
        client(cast.committee).set_thresholds({**body, "persons": 0})
    lowered = client(cast.committee).set_thresholds(body)
    assert lowered == {"persons": 7, "sensitivePersons": 3}
    assert client(cast.lab).thresholds() == lowered
    (act,) = [one for one in client(cast.hospital).acts() if one["function"] == "setThresholds"]
    assert act["kind"] == "LAW"
    borders = world.service.borders
    world.done(borders.set_thresholds(world.committee.member, Thresholds(1_000_000, 10_000), "As before."))


def test_who_is_no_member_sees_nothing_of_it(client, holder_code):
    """A holder may know the thresholds."""
    assert client(holder_code).thresholds()["persons"] == 1_000_000
    for ask in ("agreements", "clearances"):
        with pytest.raises(NotPermitted):
            getattr(client(holder_code), ask)()
