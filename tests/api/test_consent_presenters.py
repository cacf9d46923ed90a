"""Consents and recoveries as the pages tell them, as plain functions."""

from __future__ import annotations

from dataclasses import replace

import pytest

from api.pages import commands, presenters
from ledger.domain.records import (
    Address,
    Commitment,
    GrantId,
    GrantState,
    Member,
    Passport,
    PassportId,
    Position,
)
from ledger.domain.vocabulary import (
    Assurance,
    Category,
    Custody,
    GrantFlag,
    GrantStatus,
    MemberStatus,
    PassportStatus,
    Purpose,
    Role,
)
from ledger.ports import GrantRecord, RecoveryRecord
from ledger.service.consents import grant_status

NOW = 1_800_000_000
POSITION = Position(7, b"\1" * 32, b"\2" * 32, 3, NOW)
MEMBER = Member(
    member_id=9,
    name="Laboratory",
    signer=Address("0x" + "99" * 20),
    roles=Role.PROCESSOR,
    purposes=0xFFFF,
    jurisdiction=0,
    valid_to=NOW + 10,
    status=MemberStatus.ACTIVE,
    signing_key=b"\1" * 32,
    sealing_key=b"\2" * 32,
)
PASSPORT = Passport(
    passport_id=PassportId(b"\3" * 32),
    custodian=2,
    purposes=1 << Purpose.AI_TRAINING,
    status=PassportStatus.OPEN,
    custody=Custody.SELF,
    holder="0x" + "00" * 20,
    content=Commitment(b"\4" * 32),
)
STATE = GrantState(
    recipient=9,
    purposes=1 << Purpose.AI_TRAINING,
    categories=Category.DIAGNOSIS,
    use_from=NOW - 10,
    use_to=NOW + 10,
    max_uses=0,
    uses=0,
    flags=GrantFlag(0),
    status=GrantStatus.ACTIVE,
)
GRANT = GrantRecord(
    grant_id=GrantId(b"\5" * 32),
    passport_id=PASSPORT.passport_id,
    state=STATE,
    terms=Commitment(b"\7" * 32),
    supersedes=GrantId(bytes(32)),
    successor=None,
    position=POSITION,
)


def told(passport: Passport = PASSPORT, **changes) -> presenters.Consent:
    record = replace(GRANT, state=replace(STATE, **changes))
    status = grant_status(record.state, NOW, recipient=MEMBER)
    return presenters.consent_of(
        record, text="I agree", status=status, passport=passport, origin="http://here"
    )


@pytest.mark.parametrize(
    ("changes", "status", "verbs"),
    [
        ({}, "in force", ["revoke"]),
        ({"use_from": NOW + 5}, "not yet in force", ["revoke"]),
        ({"assurance": Assurance.PAPER}, "in force", ["confirm", "revoke", "repudiate"]),
        ({"assurance": Assurance.ASSISTED}, "in force", ["confirm", "revoke", "repudiate"]),
        ({"use_to": NOW}, "expired", []),
        (
            {"status": GrantStatus.REQUESTED, "assurance": Assurance.NONE},
            "waits for your answer",
            ["accept", "refuse"],
        ),
        ({"status": GrantStatus.WITHDRAWN}, "withdrawn", []),
        ({"status": GrantStatus.REFUSED, "assurance": Assurance.NONE}, "refused", []),
        ({"status": GrantStatus.SUPERSEDED}, "replaced by a newer one", []),
        ({"status": GrantStatus.REPUDIATED}, "declared never given", []),
    ],
)
def test_consents_are_told_with_what_can_be_done_about_them(changes, status, verbs):
    consent = told(**changes)
    assert (consent.status, consent.text) == (status, "I agree")
    assert consent.in_force is (status in ("in force", "not yet in force"))
    assert [command.text for command in consent.commands] == [
        commands.grant("http://here", verb, consent.grant_id, custodian=2) for verb in verbs
    ]
    assert told(replace(PASSPORT, custody=Custody.ASSISTED), **changes).commands == ()


def test_a_grant_to_a_member_that_changed_hands_is_frozen():
    consent = told(control=3)
    assert (consent.frozen, consent.in_force) == (True, False)
    assert [command.label for command in consent.commands] == ["To confirm it", "To withdraw it"]
    assert grant_status(replace(STATE, control=3), NOW + 10, recipient=MEMBER) == "expired"
    assert grant_status(replace(STATE, recipient=0, recipient_kinds=2, control=3), NOW) == "active"


def test_uses_are_told_where_they_are_counted():
    assert told().uses == "any number of uses in its period"
    assert told(max_uses=5, uses=2).uses == "2 of 5 uses"
    assert told(status=GrantStatus.REQUESTED, assurance=Assurance.NONE).uses == ""


def test_a_recovery_is_told_with_who_until_when_and_how_to_object():
    record = RecoveryRecord("0x" + "ab" * 20, Custody.SELF, NOW + 60, by_custodian=True)
    notice = presenters.recovery_of(record, PASSPORT, "http://here", "Riverside")
    assert notice.who == "Riverside, at its counter"
    assert notice.ready.machine == "2027-01-15T08:01:00Z"
    assert "passport holder object" in notice.command
    by_guardians = replace(record, by_custodian=False)
    assert presenters.recovery_of(by_guardians, PASSPORT, "", "").who == "your guardians"
