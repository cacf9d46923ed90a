"""Presenters of transfers, agreements, discrepancies and borders as plain functions."""

from __future__ import annotations

import shlex
from dataclasses import replace
from typing import Any

import pytest
from typer.testing import CliRunner

from api.pages import agreements, borders, commands, transfers
from api.pages.parties import Parties
from cli.main import command_line
from ledger.domain.records import (
    ZERO32,
    Agreement,
    Clearance,
    Commitment,
    Consignment,
    Exports,
    Limits,
    Member,
    PassportId,
    Position,
    Thresholds,
    Transfer,
    TransferId,
    TransferItem,
    TransferNote,
)
from ledger.domain.vocabulary import (
    AgreementStatus,
    Category,
    MemberStatus,
    Path,
    Purpose,
    Role,
    TransferFact,
    TransferStatus,
)
from ledger.errors import LedgerError
from ledger.ports import AgreementRecord, ClearanceRecord, TransferRecord
from ledger.service.transfers import Discrepancy, DiscrepancyKind, NoteInWords
from ledger.transfers import REPORT_SECONDS

NOW = 1_800_000_000
DAY = 86_400
HOME, ABROAD = 840, 156
SENDER, RECIPIENT, REGULATOR, STRANGER = 2, 3, 4, 5
ROOT, OTHER_ROOT = Commitment(b"\4" * 32), Commitment(b"\5" * 32)
NAME = TransferId(b"\x08" * 32)
ORIGIN = "http://here"


def at(block: int) -> Position:
    return Position(block, b"\1" * 32, b"\2" * 32, 0, NOW + block)


def member(number: int, name: str, roles: Role = Role.PROCESSOR, jurisdiction: int = HOME) -> Member:
    return Member(
        member_id=number,
        name=name,
        signer="0x" + "00" * 20,
        roles=roles,
        purposes=0,
        jurisdiction=jurisdiction,
        valid_to=NOW + DAY,
        status=MemberStatus.ACTIVE,
        signing_key=b"\1" * 32,
        sealing_key=b"\2" * 32,
    )


MEMBERS = {
    SENDER: member(SENDER, "Hospital", Role.CUSTODIAN),
    RECIPIENT: member(RECIPIENT, "Lab"),
    REGULATOR: member(REGULATOR, "Regulator", Role.REGULATOR),
    STRANGER: member(STRANGER, "Stranger"),
}
KNOWN = Parties(MEMBERS, NOW, ORIGIN)
LIMITS = Limits(RECIPIENT, 1 << Purpose.AI_TRAINING, Category.DIAGNOSIS, NOW + DAY, 30 * DAY)
AGREEMENT = Agreement(agreement_id=7, provider=SENDER, status=AgreementStatus.SIGNED, limits=LIMITS)


def many(status: TransferStatus, **changes: Any) -> TransferRecord:
    """Return a transfer of three records."""
    declared = Consignment(7, 0, 3, 1 << Purpose.AI_TRAINING, Category.DIAGNOSIS, places=(HOME,))
    words: dict[str, Any] = {"content": Commitment(ZERO32), "consignment": declared, **changes}
    shipped, received = words.pop("shipped", None), words.pop("received", None)
    transfer = Transfer(NAME, PassportId(ZERO32), SENDER, RECIPIENT, 0, status, **words)
    return TransferRecord(transfer, shipped, received, declared=at(1))


def page_of(record: TransferRecord, reader: int, **words: Any) -> transfers.TransferPage:
    return transfers.transfer_page(record, KNOWN, reader=MEMBERS[reader], agreement=AGREEMENT, **words)


def verbs(page: transfers.TransferPage) -> list[str]:
    return [command.text.split()[2] for command in page.commands]


def received(status: TransferStatus = TransferStatus.RECEIVED, **changes: Any) -> TransferRecord:
    words = {"content": ROOT, "received_content": ROOT, "shipped": at(2), "received": at(3), "loaded": 3}
    return many(status, **{**words, **changes})


DECLARED, CLEARED, SHIPPED, HALTED = (
    many(TransferStatus.DECLARED, crosses=True),
    many(TransferStatus.CLEARED, loaded=1),
    many(TransferStatus.SHIPPED, content=ROOT, shipped=at(2), loaded=3),
    many(TransferStatus.HALTED, halted_by=REGULATOR, halted_from=TransferStatus.CLEARED),
)
OVERDUE = received(crosses=True, report_due=NOW)


class TestWhatComesNext:
    """Each reader is told what it can do, and nothing else."""

    @pytest.mark.parametrize(
        ("record", "reader", "expected"),
        [
            (DECLARED, SENDER, ["halt", "terminate"]),
            (DECLARED, RECIPIENT, ["terminate"]),
            (DECLARED, REGULATOR, ["inspect", "inspect", "halt", "terminate"]),
            (CLEARED, SENDER, ["load", "halt", "terminate"]),
            (replace(CLEARED, transfer=replace(CLEARED.transfer, loaded=3)), SENDER, ["ship-all", "halt", "terminate"]),
            (SHIPPED, SENDER, ["halt", "terminate"]),
            (SHIPPED, RECIPIENT, ["terminate", "collect", "receive"]),
            (HALTED, SENDER, ["terminate"]),
            (HALTED, REGULATOR, ["resume", "terminate"]),
            (received(), RECIPIENT, ["close"]),
            (received(), SENDER, []),
            (received(TransferStatus.CLOSED), RECIPIENT, []),
            (received(TransferStatus.DISPUTED, received_content=OTHER_ROOT), SENDER, ["show"]),
            (many(TransferStatus.REFUSED), SENDER, []),
            (many(TransferStatus.TERMINATED), RECIPIENT, []),
            (OVERDUE, RECIPIENT, ["report", "close"]),
            (SHIPPED, STRANGER, []),
        ],
    )  # fmt: skip
    def test_by_status_and_reader(self, record, reader, expected):
        assert verbs(page_of(record, reader)) == expected

    def test_a_regulator_that_is_a_side_does_not_inspect(self):
        side = replace(DECLARED, transfer=replace(DECLARED.transfer, recipient=REGULATOR))
        assert "inspect" not in verbs(page_of(side, REGULATOR))

    def test_a_regulator_of_another_country_does_nothing(self):
        foreign = replace(MEMBERS[REGULATOR], jurisdiction=ABROAD)
        told = transfers.transfer_page(DECLARED, KNOWN, reader=foreign)
        assert told.commands == ()

    def test_what_has_lapsed_anybody_terminates_and_nobody_goes_on_with(self):
        assert verbs(page_of(CLEARED, STRANGER, stands=False)) == ["terminate"]
        assert "load" not in verbs(page_of(CLEARED, SENDER, stands=False))
        assert "receive" not in verbs(page_of(SHIPPED, RECIPIENT, stands=False))
        assert "has lapsed" in page_of(CLEARED, SENDER, stands=False).next

    @pytest.mark.parametrize(("listed", "expected"), [(True, ["end-access"]), (False, [])])
    def test_an_overdue_report_takes_off_the_list_who_is_on_it(self, listed, expected):
        assert verbs(page_of(OVERDUE, STRANGER, on_the_list=listed)) == expected

    def test_only_what_may_be_passed_on_is_offered_for_it(self):
        onward = replace(AGREEMENT, limits=replace(LIMITS, onward=True))
        told = transfers.transfer_page(received(), KNOWN, reader=MEMBERS[RECIPIENT], agreement=onward)
        assert verbs(told) == ["declare", "close"]
        assert f"--parent 0x{NAME.hex()}" in told.commands[0].text

    def test_every_command_names_its_route(self):
        for record in (DECLARED, CLEARED, SHIPPED, HALTED, OVERDUE):
            for reader in MEMBERS:
                assert all(
                    command.route.startswith(("POST /v1/transfers/", "GET /v1/transfers/"))
                    for command in page_of(record, reader).commands
                )


class TestTimeline:
    """What happened is told in the order of the chain, with its words."""

    def test_of_a_whole_life(self):
        notes = [
            NoteInWords(TransferNote("TransferClosed", RECIPIENT, at(9)), "Shredded"),
            NoteInWords(TransferNote("TransferInspected", REGULATOR, at(1), released=True), "Sealed"),
            NoteInWords(TransferNote("TransferReported", RECIPIENT, at(8)), None),
        ]
        told = page_of(received(TransferStatus.CLOSED), SENDER, notes=notes)

        assert [event.sentence for event in told.events] == [
            "Hospital declared it: 3 records, under agreement 7. It breaks no rule.",
            "Regulator inspected it and let it go on.",
            "Hospital shipped what it had loaded: 3 records, each under a permit of its own.",
            "Lab stated that it received what was sent: the two commitments are equal.",
            "Lab reported on it; the next report is due 90 days later.",
            "Lab states that it destroyed or returned what it received.",
        ]
        assert told.events[-1].quote == "Shredded"

    def test_of_a_refusal_with_what_was_missing(self):
        missing = TransferFact.WITHIN_LIMITS | TransferFact.BORDER_CLEARED
        (event,) = page_of(many(TransferStatus.REFUSED, missing=missing), SENDER).events

        assert event.style == "deny"
        assert len(event.reasons) == 2
        assert event.reasons[1] == "nothing clears the transfer for the border"

    def test_of_a_dispute(self):
        told = page_of(received(TransferStatus.DISPUTED, received_content=OTHER_ROOT), SENDER)

        assert told.events[-1].sentence.endswith("the two commitments are not equal.")
        assert [label for label, _ in told.hashes] == ["Root that was shipped", "Root that was received"]

    def test_of_what_is_loaded_so_far(self):
        assert page_of(CLEARED, SENDER).events[-1].sentence == "1 of 3 records loaded."

    def test_of_one_record(self):
        transfer = Transfer(NAME, PassportId(b"\3" * 32), SENDER, RECIPIENT, 5, TransferStatus.SHIPPED, ROOT)
        told = transfers.transfer_page(
            TransferRecord(transfer, at(2), None), KNOWN, reader=MEMBERS[RECIPIENT]
        )

        assert told.title == "Transfer of 1 record"
        assert told.events[0].sentence == "Hospital shipped it under the permit of decision 5."
        assert verbs(told) == ["collect", "receive"]
        assert [command.text.split()[4:6] for command in told.commands] == [
            ["--out", "FILE"],
            ["--content", "ROOT"],
        ]
        assert told.limits == ()


def test_countries_are_told_from_home():
    assert transfers.places_in_words((HOME, 36), HOME) == "840 (the sender's own country), 036 (abroad)"
    assert transfers.places_in_words((), HOME) == "none"


@pytest.mark.parametrize(
    ("kind", "turn", "sentence", "verbs_told"),
    [
        (DiscrepancyKind.UNANSWERED, RECIPIENT, "Hospital shipped it and Lab has not stated what it received.", ["receive"]),
        (DiscrepancyKind.DISPUTED, SENDER, "What Lab received is not what Hospital shipped.", []),
        (DiscrepancyKind.REPORT_OVERDUE, RECIPIENT, "Lab owes a report on data from abroad.", ["report", "end-access"]),
        (DiscrepancyKind.WRONG_ROOT, SENDER, "What Hospital shipped is not what it had loaded.", []),
    ],
)  # fmt: skip
def test_each_discrepancy_is_told_with_who_has_to_explain_it(kind, turn, sentence, verbs_told):
    told = transfers.discrepancy_line(Discrepancy(kind, SHIPPED, turn, NOW - DAY), KNOWN)

    assert (told.sentence, told.turn, told.records) == (sentence, MEMBERS[turn].name, "3 records")
    assert [command.text.split()[2] for command in told.commands] == verbs_told
    assert told.meaning


@pytest.mark.parametrize(("due", "text"), [(NOW, "Report overdue"), (NOW + 1, "Report due")])
def test_a_report_is_overdue_when_its_time_has_come(due, text):
    line = transfers.report_line(received(report_due=due), KNOWN, reader=MEMBERS[RECIPIENT])

    assert line.state.text == text
    assert len(line.commands) == 1
    assert transfers.report_line(received(report_due=due), KNOWN, reader=MEMBERS[SENDER]).commands == ()


def agreement(status: AgreementStatus, **changes: Any) -> AgreementRecord:
    found = replace(AGREEMENT, status=status, limits=replace(LIMITS, **changes))
    return AgreementRecord(found, Commitment(b"\6" * 32), at(1), 0, 0, 0, Commitment(ZERO32))


@pytest.mark.parametrize(
    ("status", "changes", "in_force", "text"),
    [
        (AgreementStatus.PROPOSED, {}, False, "Proposed: not signed yet"),
        (AgreementStatus.PROPOSED, {"valid_to": NOW}, False, "Not signed in time"),
        (AgreementStatus.SIGNED, {}, True, "In force"),
        (AgreementStatus.SIGNED, {"valid_to": NOW}, False, "Signed, not in force"),
        (AgreementStatus.ENDED, {}, False, "Ended"),
    ],
)
def test_agreements_are_told_as_they_stand(status, changes, in_force, text):
    record = agreement(status, **changes)
    line = agreements.agreement_line(record, KNOWN, in_force=in_force, reader=MEMBERS[RECIPIENT])

    assert line.state.text == text
    assert line.waits is (text == "Proposed: not signed yet")


@pytest.mark.parametrize(
    ("status", "reader", "labels"),
    [
        (AgreementStatus.PROPOSED, RECIPIENT, ["To sign it, once its text is read", "To decline it"]),
        (AgreementStatus.PROPOSED, SENDER, ["To end it: nothing more is given under it"]),
        (AgreementStatus.SIGNED, SENDER, ["To declare a transfer under it", "To end it: nothing more is given under it"]),
        (AgreementStatus.SIGNED, STRANGER, []),
        (AgreementStatus.ENDED, SENDER, []),
    ],
)  # fmt: skip
def test_what_can_be_done_about_an_agreement(status, reader, labels):
    told = agreements.agreement_page(
        agreement(status),
        KNOWN,
        in_force=status is AgreementStatus.SIGNED,
        text=None,
        reader=MEMBERS[reader],
    )

    assert [command.label for command in told.commands] == labels
    assert told.seen is (reader != STRANGER)


def test_limits_are_told_in_words():
    told = dict(agreements.limits_in_words(replace(LIMITS, response_hours=1, onward=True)))

    assert told["May serve"] == "training an AI model"
    assert told["The recipient may keep what it received for"] == "30 days"
    assert told["The recipient reports an incident"] == "within 1 hour"
    assert told["Passing it on"] == "allowed, within these limits"
    assert told["Merging it with other data"] == "not allowed"
    short = dict(agreements.limits_in_words(replace(LIMITS, retention_seconds=60)))
    assert short["The recipient may keep what it received for"] == "60 seconds"


def test_a_copy_is_told_in_two_languages():
    item = TransferItem(PassportId(b"\3" * 32), 5, ROOT, 1)
    among = transfers.copy_line(received(), item, KNOWN, ()).words
    unsent = transfers.copy_line(CLEARED, item, KNOWN, ()).words

    assert among.en == (
        "A copy was sent to Lab on 2027-01-15 08:00 UTC, under the permit of request 5, together with 2 other records: "
        "received as sent; the recipient answered on 2027-01-15 08:00 UTC."
    )
    assert "与其他 2 份记录一起" in among.zh
    assert "第 5 号请求" in among.zh
    assert unsent.en.startswith(
        "A copy was made ready for Lab, under the permit of request 5, and not sent: "
    )
    assert "未发出" in unsent.zh


def clearance(**changes: Any) -> ClearanceRecord:
    latest, withdrawn = changes.pop("is_latest", True), changes.pop("withdrawn_at", 0)
    words = {"valid_from": NOW - DAY, "valid_to": NOW + DAY, "max_persons": 1_000, **changes}
    given = Clearance(1, 1, SENDER, REGULATOR, Path.CONTRACT, agreement=7, **words)
    return ClearanceRecord(given, ROOT, at(1), latest, withdrawn, 0, Commitment(ZERO32))


@pytest.mark.parametrize(
    ("changes", "in_force", "text"),
    [
        ({}, True, "In force"),
        ({}, False, "Its contract is not in force"),
        ({"persons": 1_000}, True, "Used up: no further person may cross"),
        ({"valid_from": NOW + 1}, False, "Not yet in force"),
        ({"valid_to": NOW}, False, "Ended"),
        ({"is_latest": False}, False, "Replaced by a later one"),
        ({"withdrawn_at": NOW, "valid_to": NOW}, False, "Withdrawn"),
    ],
)
def test_clearances_are_told_as_they_stand(changes, in_force, text):
    line = borders.clearance_line(
        clearance(**changes), KNOWN, importer=RECIPIENT, in_force=in_force, reader=MEMBERS[REGULATOR]
    )

    assert line.state.text == text
    assert (line.exporter, line.importer, line.path) == ("Hospital", "Lab", "standard contract")
    assert line.persons.endswith(" of 1,000")
    assert bool(line.commands) is (clearance(**changes).clearance.valid_to > NOW)


@pytest.mark.parametrize(
    ("until", "text", "verbs_told"),
    [
        (NOW + 1, "In force", ["--until 1y", "--remove"]),
        (NOW, "Ended", ["--until 1y"]),
        (0, "Not on the list", ["--until 1y"]),
    ],
)
def test_the_list_is_told_with_what_a_regulator_can_do(until, text, verbs_told):
    line = borders.access_line(MEMBERS[RECIPIENT], until, KNOWN, reader=MEMBERS[REGULATOR])

    assert line.state.text == text
    assert [command.text.split("access 3 ")[1].split(" --url")[0] for command in line.commands] == verbs_told
    assert borders.access_line(MEMBERS[RECIPIENT], until, KNOWN, reader=MEMBERS[SENDER]).commands == ()
    own = borders.access_line(MEMBERS[REGULATOR], until, KNOWN, reader=MEMBERS[REGULATOR])
    assert own.commands == ()


@pytest.mark.parametrize(
    ("persons", "sensitive", "style"), [(99, 9, "permit"), (100, 0, "deny"), (10, 10, "deny")]
)
def test_counters_are_told_beside_the_thresholds(persons, sensitive, style):
    line = borders.export_line(SENDER, 2027, Exports(persons, sensitive), Thresholds(100, 10), KNOWN)

    assert (line.persons, line.sensitive_persons) == (f"{persons} of 100", f"{sensitive} of 10")
    assert line.state.style == style


def test_who_may_clear_and_propose_reads_how():
    texts = {
        role: [
            command.text.split(" --")[0] for command in borders.border_commands(KNOWN, member(9, "X", role))
        ]
        for role in (Role.PROCESSOR, Role.VERIFIER, Role.COMMITTEE)
    }

    reading = ["passport border exports NUMBER", "passport border thresholds"]
    assert texts[Role.PROCESSOR] == reading
    assert texts[Role.VERIFIER] == [*reading, "passport border clear NUMBER"]
    assert texts[Role.COMMITTEE] == [*reading, "passport border thresholds"]


COMMANDS = sorted(
    {
        command.text
        for reader in MEMBERS
        for record in (DECLARED, CLEARED, SHIPPED, HALTED, OVERDUE, received())
        for command in (
            *page_of(record, reader, on_the_list=True).commands,
            *transfers.transfer_page(
                received(),
                KNOWN,
                reader=MEMBERS[RECIPIENT],
                agreement=replace(AGREEMENT, limits=replace(LIMITS, onward=True)),
            ).commands,
            *borders.border_commands(KNOWN, member(9, "X", Role.REGULATOR | Role.COMMITTEE)),
            *borders.access_line(MEMBERS[RECIPIENT], NOW + 1, KNOWN, reader=MEMBERS[REGULATOR]).commands,
            *borders.clearance_line(
                clearance(), KNOWN, importer=RECIPIENT, in_force=True, reader=MEMBERS[REGULATOR]
            ).commands,
        )
    }
    | {
        commands.transfer(ORIGIN, "ship-all", "0x" + "08" * 32),
        commands.declare(ORIGIN, 7),
        commands.agreement(ORIGIN, "sign", 7, "--commitment 0x" + "06" * 32),
        commands.agreement(ORIGIN, "end", 7, "--reason WORDS"),
        commands.transfer_proof(ORIGIN, "0x" + "03" * 32, "0x" + "08" * 32, custodian=2),
    }
)


@pytest.mark.parametrize("command", COMMANDS)
def test_the_commands_that_pages_name_exist_with_their_options(command):
    """Run against a key file that is not there: what is complained of is the file, not the command."""
    words = shlex.split(command.replace("NUMBER", "3").replace("WHEN", "1y"))[1:]
    result = CliRunner().invoke(command_line(words), words)

    assert result.exit_code == 1, result.output
    assert isinstance(result.exception, LedgerError | OSError)
    assert "FILE" in str(result.exception)


def test_the_command_to_check_a_proof_exists(tmp_path, monkeypatch):
    """What is complained of is the proof, which is not there."""
    monkeypatch.chdir(tmp_path)
    words = shlex.split(commands.transfer_verify("0x" + "00" * 20))[1:]
    result = CliRunner().invoke(command_line(words), words)

    assert "proof.json" in str(result.exception)


def test_reports_are_due_as_the_contract_says():
    assert transfers.REPORT_DAYS * DAY == REPORT_SECONDS
