"""Presenters as plain functions: what the pages say."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from api.pages import presenters
from api.pages.evidence import DECISION_TOPIC, evidence_of, size_call
from api.pages.public import route_groups
from api.pages.render import policy_with_nodes, viewer
from ledger.domain.records import (
    Address,
    Commitment,
    GrantId,
    GrantState,
    Member,
    Passport,
    PassportId,
    Position,
    Project,
    Terms,
    Transfer,
    TransferId,
    Verdict,
)
from ledger.domain.vocabulary import (
    Basis,
    Category,
    Custody,
    DataClass,
    Fact,
    GrantFlag,
    GrantStatus,
    Level,
    MemberStatus,
    Operation,
    Outcome,
    PassportStatus,
    Purpose,
    Role,
    Technique,
    TransferStatus,
)
from ledger.encoding.words import unpack_terms, unpack_verdict
from ledger.ports import DecisionRecord, GrantRecord, PassportRecord, RecordSummary, TransferRecord
from ledger.service.access import AccessEntry

NOW = 1_800_000_000
POSITION = Position(7, b"\1" * 32, b"\2" * 32, 3, NOW)
PASSPORT = Passport(
    PassportId(b"\3" * 32),
    2,
    1 << Purpose.AI_TRAINING,
    PassportStatus.OPEN,
    Custody.SELF,
    Address("0x" + "00" * 20),
    Commitment(b"\4" * 32),
    1,
)
TERMS = Terms(
    Purpose.AI_TRAINING, Basis.CONSENT, Operation.READ, Category.DIAGNOSIS, Level.PSEUDONYMISED, project_id=3
)
VERDICT = Verdict(5, 1, DataClass.SENSITIVE, Outcome.DENY, Fact.MEMBER_ACTIVE, Fact.GRANT_LIVE)
DECISION = DecisionRecord(
    PASSPORT.passport_id, GrantId(b"\5" * 32), 9, TERMS, VERDICT, Commitment(b"\6" * 32), POSITION
)
STATE = GrantState(
    9,
    1 << Purpose.AI_TRAINING,
    Category.DIAGNOSIS,
    NOW - 10,
    NOW + 10,
    0,
    0,
    GrantFlag(0),
    GrantStatus.ACTIVE,
)
GRANT = GrantRecord(
    GrantId(b"\5" * 32),
    PASSPORT.passport_id,
    STATE,
    Commitment(b"\7" * 32),
    GrantId(bytes(32)),
    None,
    POSITION,
)

ENDED = {GrantStatus.REFUSED, GrantStatus.WITHDRAWN, GrantStatus.SUPERSEDED, GrantStatus.REPUDIATED}


def entry(outcome: Outcome, released: Position | None = None) -> AccessEntry:
    record = replace(DECISION, verdict=replace(VERDICT, outcome=outcome))
    return AccessEntry(record, "Lab", "Lab asked to read diagnoses", "-", ("no consent",), None, released)


def test_times_name_their_zone_and_end():
    assert presenters.moment(0) == presenters.Moment("1970-01-01T00:00:00Z", "1970-01-01 00:00:00 UTC")
    assert presenters.moment(2**40).text == "9999-12-31 23:59:59 UTC"


@pytest.mark.parametrize(("number", "words"), [(0, "no requests"), (1, "1 request"), (12, "12 requests")])
def test_numbers_have_their_noun(number, words):
    assert presenters.counted(number, "request", "requests") == words


@pytest.mark.parametrize(
    ("outcome", "released", "handed_over"),
    [
        (Outcome.PERMIT, POSITION, "The data was handed over on 2027-01-15 08:00:00 UTC."),
        (Outcome.PERMIT, None, "No hand-over of the data has been recorded."),
        (Outcome.DENY, None, "No data was handed over."),
        (Outcome.REVIEW, None, "No data was handed over."),
    ],
)
def test_a_line_says_whether_data_went_out(outcome, released, handed_over):
    line = presenters.line_of(entry(outcome, released))
    assert line.handed_over == handed_over
    assert line.sentence == "Lab asked to read diagnoses."
    assert line.answer == presenters.answer_of(outcome)
    assert (line.place.block, line.place.log_index) == (7, 3)


@pytest.mark.parametrize("status", [TransferStatus.SHIPPED, TransferStatus.RECEIVED, TransferStatus.DISPUTED])
def test_a_line_says_whether_a_copy_went_out(status):
    transfer = Transfer(
        TransferId(b"\x08" * 32), PASSPORT.passport_id, 2, 9, 5, status, Commitment(b"\4" * 32)
    )
    shipment = TransferRecord(transfer, POSITION, None)
    told = presenters.line_of(entry(Outcome.PERMIT), shipment=shipment).handed_over
    assert told.startswith("A copy was sent on 2027-01-15 08:00:00 UTC. ")


def test_answers_are_told_by_word_and_sign():
    answers = [presenters.answer_of(outcome) for outcome in Outcome]
    assert len({answer.text for answer in answers}) == len({answer.sign for answer in answers}) == 3


def test_a_log_is_rebuilt_from_the_decision():
    evidence = evidence_of(DECISION)
    topics = evidence.topics.split()
    assert topics[0] == "0x" + DECISION_TOPIC.hex()
    assert topics[1:3] == ["0x" + "03" * 32, "0x" + "05" * 32]
    assert int(topics[3], 16) == 9
    data = bytes.fromhex(evidence.data[2:])
    assert unpack_terms(int.from_bytes(data[:32], "big")) == TERMS
    assert unpack_verdict(int.from_bytes(data[32:64], "big")) == VERDICT
    assert data[64:] == b"\6" * 32
    assert size_call(b"\3" * 32).endswith("03" * 32)


def test_a_passport_is_told_with_what_its_custodian_may_see():
    record = PassportRecord(PASSPORT, POSITION)
    card = presenters.passport_card(record, custodian="Hospital", link="/x")
    assert (card.requests, card.status, card.purposes) == ("1 request", "open", "training an AI model")
    assert card.reference is None
    kept = RecordSummary(PASSPORT.passport_id, 2, "p-1", {Category.DIAGNOSIS: 4})
    own = presenters.passport_card(record, custodian="Hospital", link="", kept=kept)
    assert (own.reference, own.contents) == ("p-1", "diagnoses 4")


@pytest.mark.parametrize(
    ("viewer_id", "direction", "other"),
    [(2, "Sent to", "Lab"), (9, "Received from", "Hospital"), (None, "Sent", "Hospital to Lab")],
)
def test_a_transfer_is_told_from_each_side(viewer_id, direction, other):
    transfer = Transfer(
        TransferId(b"\x08" * 32),
        PASSPORT.passport_id,
        2,
        9,
        5,
        TransferStatus.DISPUTED,
        Commitment(b"\4" * 32),
    )
    line = presenters.transfer_line(
        TransferRecord(transfer, POSITION, None), members={2: "Hospital", 9: "Lab"}, viewer=viewer_id
    )
    assert (line.direction, line.other, line.style) == (direction, other, "deny")
    assert "Disputed" in line.status


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, "in force"),
        ({"withdrawn": True}, "withdrawn"),
        ({"valid_from": NOW + 1}, "not yet in force"),
        ({"valid_to": NOW}, "ended"),
    ],
)
def test_projects_are_told_as_they_stand(changes, status):
    project = Project(
        1,
        9,
        1 << Purpose.AI_TRAINING,
        Category.DIAGNOSIS,
        Technique(0),
        DataClass.SENSITIVE,
        NOW - 1,
        NOW + 1,
        agreement=False,
    )
    line = presenters.project_line(replace(project, **changes), at=NOW)
    assert (line.status, line.highest_class) == (status, "class 2, sensitive health data")


def test_counts_are_told_most_frequent_first():
    counts = presenters.missing_counts([Fact.GRANT_LIVE, Fact.GRANT_LIVE | Fact.PROJECT_FILED, Fact(0)])
    assert [count.number for count in counts] == [2, 1]
    assert counts[0].label == "there is a consent in force"
    answers = presenters.answer_counts(Counter({Outcome.DENY: 3}))
    assert [(count.label, count.number) for count in answers][:2] == [("Permitted", 0), ("Refused", 3)]


@pytest.mark.parametrize(
    ("roles", "links"),
    [
        (Role.CUSTODIAN, ["/institution", "/datasets", "/borders", "/acts"]),
        (Role.AUDITOR, ["/institution", "/datasets", "/borders", "/acts", "/auditor"]),
        (Role.COMMITTEE, ["/institution", "/datasets", "/borders", "/acts", "/auditor"]),
    ],
)
def test_members_see_links_to_their_pages(roles, links):
    member = Member(2, "Hospital", Address("0x"), roles, 0, 0, NOW, MemberStatus.ACTIVE, b"", b"")
    assert [link for link, _ in viewer(member).links] == links


@pytest.mark.parametrize(
    ("rpc_url", "source"),
    [
        ("http://127.0.0.1:8545", " http://127.0.0.1:8545"),
        ("https://user:secret@node.example/path?key=1", " https://node.example"),
        ("", ""),
        ("javascript:alert(1)", ""),
        ("https://node.example; script-src *", ""),
    ],
)
def test_a_nodes_url_cannot_loosen_the_policy(rpc_url, source):
    policy = policy_with_nodes(rpc_url)
    assert f"http://localhost:* https:{source};" in policy
    assert "secret" not in policy
    assert "script-src *" not in policy


def test_routes_are_grouped_by_what_they_are_about():
    document = {
        "paths": {
            "/a": {
                "get": {"summary": "A", "operationId": "a", "tags": ["x"], "responses": {"200": {}}},
                "post": {
                    "summary": "B",
                    "description": "Do b.\n\nFor everybody.",
                    "operationId": "b",
                    "tags": ["x"],
                    "responses": {"201": {}},
                },
            }
        }
    }
    ((tag, routes),) = route_groups(document)
    assert tag == "x"
    assert [(route["method"], route["title"], route["text"]) for route in routes] == [
        ("GET", "A", ""),
        ("POST", "Do b.", "For everybody."),
    ]
