"""The past asked about through REST: who may ask, what the answer says, and what cannot be asked."""

from __future__ import annotations

import secrets
import time

import pytest

from api.schemas.base import utc
from ledger.client import sign_in
from ledger.domain.vocabulary import Role
from ledger.encoding.hexadecimal import to_hex
from ledger.errors import InvalidInput, NotFound, NotPermitted, UnknownCode
from ledger.wallet import holder_address


@pytest.fixture
def question(cast):
    return {
        "passport": cast.assisted,
        "member": cast.lab.member.member_id,
        "purpose": "AI_TRAINING",
        "basis": "CONSENT",
        "categories": "DIAGNOSIS",
        "level": "PSEUDONYMISED",
        "project": cast.project,
    }


def test_custodian_auditor_and_holder_may_ask(client, cast, question, holder_code):
    for actor in (cast.hospital, cast.auditor, cast.committee):
        answer = client(actor).was_permitted(question)
        assert (answer["permitted"], answer["outcome"], answer["missing"]) == (True, "PERMIT", [])
        assert answer["grantId"] is not None
        assert answer["policyVersion"] >= 1
        assert "GRANT_LIVE" in answer["facts"]
    own = client(holder_code).was_permitted({**question, "passport": cast.own})
    assert (own["permitted"], own["grantId"] is None or "GRANT_RECIPIENT" in own["missing"]) == (
        own["outcome"] == "PERMIT",
        not own["permitted"],
    )


def test_others_may_not(client, cast, question, holder_code):
    for actor in (cast.lab, cast.outsider):
        with pytest.raises(NotPermitted):
            client(actor).was_permitted(question)
    with pytest.raises(NotFound):
        client(holder_code).was_permitted(question)


def test_a_withdrawn_grant_did_not_permit(client, cast, question):
    answer = client(cast.hospital).was_permitted({**question, "grant": cast.withdrawn})
    assert (answer["permitted"], answer["grantId"]) == (False, cast.withdrawn)
    assert "GRANT_LIVE" in answer["missing"]
    assert "there was no consent in force" in answer["reasons"]


def test_the_other_parts_of_a_request_are_heard(client, cast, question):
    hospital = client(cast.hospital)
    assert hospital.was_permitted({**question, "level": "IDENTIFIED"})["missing"] == ["LEVEL_SUFFICIENT"]
    for changes in (
        {"project": 0},
        {"purpose": "RESEARCH"},
        {"basis": "NO_BASIS"},
        {"categories": "GENOMICS"},
    ):
        assert hospital.was_permitted({**question, **changes})["permitted"] is False


def test_what_cannot_be_asked_says_why(client, cast, question):
    hospital = client(cast.hospital)
    later = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 10**6))
    with pytest.raises(InvalidInput, match="not come yet"):
        hospital.was_permitted({**question, "at": later})
    with pytest.raises(NotFound, match="no law yet"):
        hospital.was_permitted({**question, "at": "2001-01-01T00:00:00Z"})
    with pytest.raises(UnknownCode):
        hospital.was_permitted({**question, "purpose": "WORLD_PEACE"})
    with pytest.raises(UnknownCode):
        hospital.was_permitted({**question, "categories": "SECRETS"})
    for changes in ({"at": "yesterday"}, {"passport": "0x12"}, {"member": 0}, {"firstDay": "soon"}):
        with pytest.raises(InvalidInput):
            hospital.was_permitted({**question, **changes})
    with pytest.raises(NotFound, match="no member 4000"):
        hospital.was_permitted({**question, "member": 4000})


def test_a_holder_does_not_learn_by_asking_what_is_sealed(client, world, cast):
    """Neither before nor after the clinic asked; its custodian is answered, and so is the holder about what is open."""
    clinic = world.admit("Clinic behind a seal", Role.PROCESSOR | Role.EMERGENCY)
    key = secrets.token_bytes(32)
    passport = to_hex(world.register(cast.hospital, 1, holder=holder_address(key)))
    words = {"passportId": passport, "reason": "DANGER_TO_OTHERS", "statement": "A knife was seen"}
    opened = client(clinic).open_emergency(words)["emergencyId"]
    sealed = client(clinic).open_emergency(
        {**words, "sealedUntil": utc(world.now() + 86_400), "sealing": "the police ask not to warn"}
    )["emergencyId"]
    asked = {
        "passport": passport,
        "member": clinic.member.member_id,
        "purpose": "EMERGENCY_CARE",
        "categories": "DIAGNOSIS",
    }
    patient = client(str(sign_in(client(), key)["code"]))

    for basis in ("INDIVIDUAL_EMERGENCY", "CONSENT"):
        with pytest.raises(NotPermitted, match=f"emergency {sealed} is sealed until"):
            patient.was_permitted({**asked, "basis": basis, "emergency": sealed})
    urgent = {**asked, "basis": "INDIVIDUAL_EMERGENCY"}
    assert patient.was_permitted({**urgent, "emergency": opened})["permitted"] is True
    assert patient.was_permitted(urgent)["permitted"] is False
    assert client(cast.hospital).was_permitted({**urgent, "emergency": sealed})["permitted"] is True
