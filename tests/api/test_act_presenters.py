"""Presenters of acts as plain functions: what the pages say that the committee does."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from api.pages import acts
from ledger.audit.law import Change, ChangeKind
from ledger.domain.records import Position
from ledger.domain.vocabulary import ActKind, Category, Label, MemberKind, Purpose, Role, SeatKind
from ledger.ports import ActRecord
from ledger.service.committee import ActStatus, Standing
from tests.support.data import ROOT

NOW = 1_800_000_000
TOLD = "2027-01-15 08:00:00 UTC"
MEMBERS = {1: "Convenor", 4: "Riverside Hospital"}
RECORD = ActRecord(7, ActKind.MEMBERS, b"", (1, 4), Position(7, b"\1" * 32, b"\2" * 32, 3, NOW), 0)
STANDING = Standing(ActStatus.WAITING, 2, (SeatKind.LAW,), None, NOW, "Approve it.")


def page_of(reading, record=RECORD, standing=STANDING, law=None):
    return acts.act_page(record, standing, reading, MEMBERS, law=law, commands=())


def test_whatever_the_committee_can_do_has_words():
    """The contract's own list of functions, no more and no fewer."""
    source = (ROOT / "contracts" / "modules" / "Committee.sol").read_text().partition("function _kindOf(")[2]
    assert set(re.findall(r"I[A-Z]\w+\.(\w+)\.selector", source)) == acts.FUNCTIONS.keys()


@pytest.mark.parametrize(
    ("function", "arguments", "said"),
    [
        ("suspend", {"memberId": 4}, {"memberId": "4, Riverside Hospital"}),
        ("suspend", {"memberId": 9}, {"memberId": "9, member 9"}),
        (
            "license",
            {"purposes": 1 << Purpose.RESEARCH, "validTo": NOW},
            {"purposes": "health research", "validTo": TOLD},
        ),
        ("setSeat", {"kind": SeatKind.LAW}, {"kind": "LAW"}),
        ("setSeat", {"kind": 99}, {"kind": "99"}),
        (
            "setRule",
            {"kind": 1, "rule": {"quorum": 2, "seats": 0b1100}},
            {"kind": "MEMBERS", "quorum": "2", "seats": "LAW, MEDICINE"},
        ),
        ("setRule", {"rule": {"seats": 0}}, {"seats": "none"}),
        (
            "admit",
            {"admission": {"name": "Clinic", "roles": int(Role.CUSTODIAN | Role.ETHICS), "kind": 1}},
            {
                "name": "Clinic",
                "roles": "CUSTODIAN, ETHICS",
                "kind": "HOSPITAL",
            },
        ),
        ("setCaps", {"caps": 500 << 16 * Purpose.RESEARCH}, {"caps": "health research 500"}),
        ("setCaps", {"caps": 0}, {"caps": "none"}),
        (
            "issueTemplate",
            {
                "content": {
                    "categories": int(Category.DIAGNOSIS),
                    "recipientKinds": 1 << MemberKind.HOSPITAL,
                    "withdrawn": False,
                }
            },
            {
                "categories": "diagnoses",
                "recipientKinds": "hospitals",
                "withdrawn": "no",
            },
        ),
        (
            "declareEmergency",
            {"declaration": {"from": NOW, "until": NOW, "maxRecords": 5}},
            {"from": TOLD, "until": TOLD, "maxRecords": "5"},
        ),
        ("unseal", {"passportId": "0x01"}, {"passportId": "0x01"}),
    ],
)
def test_arguments_are_told_by_name_and_in_words(function, arguments, said):
    if "admission" in arguments:
        assert page_of((function, arguments)).line.what == "Admit an institution: Clinic"
    told = page_of((function, arguments)).arguments
    assert {argument.name: argument.value for argument in told} == said


def test_an_act_is_told_with_who_it_is_about_and_who_proposed_it():
    line = page_of(("expel", {"memberId": 4})).line
    assert (line.what, line.proposer, line.proposed.text) == (
        "Expel an institution: Riverside Hospital",
        "Convenor",
        TOLD,
    )
    assert page_of(("unseal", {"passportId": "0x01"})).line.what == "Unseal a passport"
    assert page_of(("newer", {})).line.what == "newer"


@pytest.mark.parametrize(
    ("lacking", "kinds", "said"),
    [
        (0, (), "nothing"),
        (1, (), "1 more seat"),
        (2, (SeatKind.LAW, SeatKind.PUBLIC), "2 more seats, among them LAW, PUBLIC"),
    ],
)
def test_what_an_act_lacks(lacking, kinds, said):
    standing = replace(STANDING, lacking=lacking, lacking_seats=kinds)
    assert page_of(("unseal", {}), standing=standing).lacking == said


def test_an_act_that_was_done_lacks_nothing_and_does_not_lapse():
    done = page_of(
        ("unseal", {}),
        replace(RECORD, executed_at=NOW),
        Standing(ActStatus.DONE, 0, (), None, NOW, "Nothing left to do."),
    )
    assert (done.lacking, done.lapses, done.ready, done.done.text) == ("", None, None, TOLD)
    approved = page_of(("unseal", {}), standing=replace(STANDING, status=ActStatus.APPROVED, ready_at=NOW))
    assert (approved.ready.text, approved.lapses.text, approved.done) == (TOLD, TOLD, None)


def test_a_law_is_told_by_what_it_changes_the_stricter_first():
    changes = [
        Change(ChangeKind.CLASSES, None, Label("Moved.", "移。"), ("R098",)),
        Change(ChangeKind.BAN, False, Label("Freed.", "放。"), ("R051",)),
        Change(ChangeKind.BAN, True, Label("Banned.", "禁。"), ("R051", "R052")),
    ]
    law = acts.law_comparison(changes, 3)
    assert [(group.heading, group.sentences) for group in law.groups] == [
        ("Stricter", ("Banned. (R051, R052)",)),
        ("Less strict", ("Freed. (R051)",)),
        ("Otherwise changed", ("Moved. (R098)",)),
    ]
    told = page_of(("setPolicy", {"table": {"necessary": 1}}), law=law)
    assert (told.law, told.arguments) == (law, ())
    assert acts.law_comparison([], 3).groups == ()
