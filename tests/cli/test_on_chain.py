"""Commands against a real service on a real chain: the committee, reviews, consents and requests."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from ledger.chain.devnet import Devnet
from ledger.client import MemberKeys
from ledger.domain.days import day_of
from ledger.domain.vocabulary import MemberKind, Role
from ledger.encoding.hexadecimal import to_hex
from tests.cli.conftest import Run
from tests.support.world import Actor, World


@dataclass(frozen=True)
class Office:
    """Who uses the command line here, each with a key file."""

    committee: Actor
    hospital: Actor
    institute: Actor
    company: Actor
    ethics: Actor
    compliance: Actor


@pytest.fixture(scope="module")
def office(world: World) -> Office:
    """Return a consortium with somebody for each command."""
    return Office(
        committee=world.committee,
        hospital=world.admit("Command hospital", Role.CUSTODIAN),
        institute=world.admit("Command institute", Role.PROCESSOR, kind=MemberKind.RESEARCH),
        company=world.admit("Command company", Role.PROCESSOR, kind=MemberKind.COMPANY),
        ethics=world.admit("Command ethics", Role.ETHICS, 0),
        compliance=world.admit("Command compliance", Role.COMPLIANCE, 0),
    )


@pytest.fixture
def passport(world: World, office: Office) -> str:
    """Return a record that the hospital keeps for a patient who has no key."""
    return to_hex(world.register(office.hospital, 3))


def test_the_committee_seats_proposes_approves_and_lets_itself_be_watched(
    run_in: Callable[[World], Run], devnet: Devnet, tmp_path: Path
) -> None:
    """From one seat to two, a rule for two, an admission that waits and says what to do, done by the second seat."""
    world = World(tmp_path / "world", devnet.spec.url)
    try:
        _found_a_committee_of_two(run_in(world), world, tmp_path / "public.json")
    finally:
        world.stop()


def test_who_approves_a_law_reads_what_it_changes_instead_of_a_table(
    run_in: Callable[[World], Run], devnet: Devnet, tmp_path: Path
) -> None:
    """An act that waits says it in both languages or in one; approved, the law in force is the same."""
    world = World(tmp_path / "world", devnet.spec.url)
    try:
        _approve_a_law(run_in(world), world, tmp_path / "law.json")
    finally:
        world.stop()


def _approve_a_law(run: Run, world: World, file: Path) -> None:
    convenor, faculty = world.committee, world.admit("Law faculty", Role.COMMITTEE)
    number = str(faculty.member.member_id)
    run("committee", "seat", number, "LAW", "--reason", "elected", who=convenor)
    run("committee", "rule", "LAW", "--quorum", "2", "--reason", "statute", who=convenor)
    law = run("policy", "show")
    file.write_text(json.dumps({**law, "bannedPurposes": [*law["bannedPurposes"], "RESEARCH"]}))
    act = str(run("policy", "propose", str(file), "--reason", "Resolution 4", who=convenor)["actId"])

    told = run("committee", "act", act, who=faculty, text=True)
    assert "Compared with the law in force now:\nStricter 更严格\n- Banned: health research. 禁止：" in told
    assert " (R051)\n" in told
    assert f"passport committee approve {act}" in told
    found = run("committee", "act", act, who=faculty)
    assert [change["kind"] for change in found["changes"]] == ["ban"]
    assert found["call"] not in told
    assert "necessary" not in told
    chinese = run("committee", "act", act, "--language", "zh", who=faculty, text=True)
    assert f"\n更严格\n- {found['changes'][0]['zh']} (R051)\n" in chinese

    done = run("committee", "approve", act, who=faculty, text=True)
    assert "Compared with the law in force now:\n- nothing: it says the same\n" in done


def _found_a_committee_of_two(run: Run, world: World, public: Path) -> None:
    convenor, faculty = world.committee, world.admit("Law faculty", Role.COMMITTEE)
    company = world.admit("Curious company", Role.PROCESSOR)
    number = str(faculty.member.member_id)
    seated = run("committee", "seat", number, "LAW", "--reason", "elected", who=convenor)
    assert {item["memberName"]: item["kind"] for item in seated["seats"]} == {
        "Committee of the test": "CONVENOR",
        "Law faculty": "LAW",
    }
    rule = ["committee", "rule", "MEMBERS", "--quorum", "2", "--seat", "LAW", "--reason", "statute"]
    ruled = run(*rule, who=convenor)
    assert ruled["rules"][1] == {"kind": "MEMBERS", "quorum": 2, "seats": ["LAW"], "delaySeconds": 0}
    shown = run("committee", "show", who=company, text=True)
    assert {"Law faculty", "MEMBERS", "LAW"} <= {word.strip() for word in re.split(r"\s{2,}|\n", shown)}

    public.write_text(json.dumps(MemberKeys.new("Late Clinic").public()))
    admit = ["member", "admit", str(public), "--role", "CUSTODIAN", "--purpose", "PRIMARY_CARE"]
    admit += ["--kind", "HOSPITAL", "--jurisdiction", "756", "--valid-to", "2040-01-01"]
    admit += ["--idempotency-key", "late-clinic"]
    told = run(*admit, who=convenor, text=True)
    act = str(run(*admit, who=convenor)["actId"])
    assert told.startswith(f"Proposed. Act {act} (admit) waits until")
    assert f"passport committee approve {act}" in told
    listed = run("committee", "acts", who=faculty)
    assert [str(item["actId"]) for item in listed if item["status"] == "waiting"] == [act]
    assert "waiting" in run("committee", "acts", who=faculty, text=True)
    assert "Late Clinic" in run("committee", "act", act, who=faculty, text=True)
    assert run("committee", "approve", act, who=company, code=1)["code"] == "not-permitted"
    assert run("committee", "execute", act, who=company, code=2)["code"] == "conflict"

    done = run("committee", "approve", act, who=faculty)

    assert (done["status"], done["approvers"]) == ("done", [1, faculty.member.member_id])
    clinic = run("member", "list", who=faculty)[-1]
    assert (clinic["name"], clinic["kind"]) == ("Late Clinic", "HOSPITAL")
    suspend = ["member", "suspend", str(clinic["memberId"]), "--reason", "closed"]
    assert run(*suspend, who=convenor, text=True).startswith("Proposed. Act ")
    assert run("member", "list", who=faculty)[-1]["status"] == "ACTIVE"


def test_a_project_is_reviewed_by_two_bodies(run: Run, office: Office, tmp_path: Path) -> None:
    """Filed, approved as ethics and as compliance, taken back; the wrong body is refused."""
    agreement = tmp_path / "agreement.txt"
    agreement.write_text("Only the model leaves.")
    file = ["project", "file", "Ward", "--purpose", "AI_TRAINING", "--category", "DIAGNOSIS", "--until", "1y"]
    file += ["--technique", "FEDERATED_LEARNING", "--agreement", str(agreement)]
    filed = run(*file, who=office.company)
    number = str(filed["projectId"])
    assert (filed["agreement"], filed["ethics"], filed["compliance"]) == (True, None, None)
    fit = ["--opinion", "Fit to go on."]

    run("project", "review", number, "--as", "ETHICS", *fit, who=office.compliance, code=1)
    run("project", "review", number, "--as", "ETHICS", *fit, who=office.ethics)
    approved = run("project", "review", number, "--as", "COMPLIANCE", *fit, who=office.compliance)
    back = run("project", "review", number, "--as", "ETHICS", "--withdraw", *fit, who=office.ethics)

    bodies = office.ethics.member.member_id, office.compliance.member.member_id
    assert (approved["ethics"], approved["compliance"]) == bodies
    assert (back["ethics"], back["compliance"]) == (None, bodies[1])


def test_a_consent_to_all_of_a_kind_for_some_years_under_a_pseudonym(
    run: Run, world: World, office: Office, passport: str
) -> None:
    """`grant give --to-all --from-day --to-day --level`, and the requests that fit it and do not."""
    project = str(world.project(office.institute))
    give = [
        "grant",
        "give",
        passport,
        "--purpose",
        "AI_TRAINING",
        "--category",
        "DIAGNOSIS",
        "--until",
        "90d",
    ]
    give += ["--from-day", "2019-01-01", "--to-day", "2021-12-31", "--level", "DEIDENTIFIED"]
    given = run(*give, "--to-all", "RESEARCH", "--to-all", "HOSPITAL", who=office.hospital)
    assert given["recipientKinds"] == ["HOSPITAL", "RESEARCH"]
    assert (given["dataFrom"], given["dataTo"], given["level"]) == (
        "2019-01-01",
        "2021-12-31",
        "DEIDENTIFIED",
    )
    assert given["text"].startswith(
        "All hospitals, research institutions may use my diagnoses of 2019-01-01 to"
    )
    run(*give, who=office.hospital, code=2)

    ask = ["request", "ask", passport, "--purpose", "AI_TRAINING", "--category", "DIAGNOSIS"]
    ask += ["--grant", given["grantId"], "--project", project]
    days = ["--from-day", "2020-01-01", "--to-day", "2020-12-31"]
    permitted = run(*ask, *days, "--level", "DEIDENTIFIED", who=office.institute)
    too_open = run(*ask, *days, "--level", "PSEUDONYMISED", who=office.institute, code=1)
    too_long = run(*ask, "--level", "DEIDENTIFIED", who=office.institute, code=1)
    foreign = run(*ask, *days, "--level", "DEIDENTIFIED", who=office.company, code=1)

    assert (permitted["outcome"], permitted["level"], permitted["dataFrom"]) == (
        "PERMIT",
        "DEIDENTIFIED",
        "2020-01-01",
    )
    assert too_open["missing"] == ["LEVEL_SUFFICIENT"]
    assert too_long["missing"] == ["GRANT_PERIOD"]
    assert "GRANT_RECIPIENT" in foreign["missing"]
    told = run(*ask, *days, "--level", "DEIDENTIFIED", who=office.institute, text=True)
    assert (
        "asked to read diagnoses of 2020-01-01 to 2020-12-31 de-identified for training an AI model" in told
    )


def test_a_wallet_signs_what_was_decided_for_kinds_and_days(
    run: Run, world: World, office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The patient's own key, through the whole command line: sentence said again, signed, relayed, shown."""
    monkeypatch.setenv("PASSPORT_WALLET_PASSPHRASE", "correct horse")
    path, custodian = tmp_path / "wallet.json", str(office.hospital.member.member_id)
    run("holder", "new", "--wallet", str(path))
    holder = run("holder", "address", "--wallet", str(path), "--custodian", custodian)["holder"]
    passport = to_hex(world.register(office.hospital, 4, holder=holder))
    mine = ["--wallet", str(path), "--custodian", custodian]
    give = ["grant", "give", passport, "--purpose", "RESEARCH", "--category", "VITALS", "--until", "30d"]

    given = run(*give, "--to-all", "RESEARCH", "--from-day", "2020-02-29", "--level", "PSEUDONYMISED", *mine)

    assert (given["assurance"], given["recipientKinds"], given["dataFrom"]) == (
        "SELF",
        ["RESEARCH"],
        "2020-02-29",
    )
    assert given["text"].startswith("All research institutions may use my vital signs since 2020-02-29 for")
    assert run("grant", "show", given["grantId"], *mine)["text"] == given["text"]
    run(*give, "--to-all", "RESEARCH", "--from-day", "29.02.2020", *mine, code=2)


def test_a_request_names_its_controller_and_its_emergency(run: Run, office: Office, passport: str) -> None:
    """`request ask --controller --emergency`: on record if they exist, an error that names them if not."""
    ask = ["request", "ask", passport, "--purpose", "EMERGENCY_CARE", "--category", "DIAGNOSIS"]
    ask += ["--basis", "INDIVIDUAL_EMERGENCY"]
    controller = str(office.institute.member.member_id)
    answer = run(*ask, "--controller", controller, who=office.company, code=1)
    assert (answer["controllerId"], answer["emergencyId"]) == (office.institute.member.member_id, None)
    assert "EMERGENCY_IN_FORCE" in answer["missing"]
    assert ", on behalf of Command institute, asked to" in answer["sentence"]
    for option in ("--controller", "--emergency"):
        problem = run(*ask, option, "4711", who=office.company, code=2)
        assert (problem["code"], "4711" in problem["detail"]) == ("not-found", True)


def test_a_request_for_days_brings_an_excerpt_and_says_so(
    run: Run, world: World, office: Office, tmp_path: Path
) -> None:
    """On the side what it was checked against: the service's word, or the ledger; with files, in each line, too."""
    passport = world.register(office.hospital, 2)
    days = {"data_from": day_of(date(2014, 2, 17)), "data_to": day_of(date(2014, 7, 8))}
    grant = world.grant(office.hospital, passport, office.institute, **days)
    project = world.project(office.institute)
    name = to_hex(passport)
    ask = [
        *("request", "ask", name, "--purpose", "AI_TRAINING", "--level", "PSEUDONYMISED"),
        *("--category", "DIAGNOSIS", "--category", "LABORATORY", "--category", "MEDICATION"),
        *("--grant", to_hex(grant), "--project", str(project)),
    ]
    assert run(*ask, who=office.institute, code=1)["missing"] == ["GRANT_PERIOD"]
    decision = run(*ask, "--from-day", "2014-02-17", "--to-day", "2014-07-08", who=office.institute)
    fetch = ["request", "records", name, str(decision["seq"])]
    assert world.runtime.deployment is not None
    node = ["--rpc", world.settings.rpc, "--ledger", world.runtime.deployment.ledger]
    aside: list[str] = []

    opened = run(*fetch, who=office.institute, aside=aside)
    again = run(*fetch, *node, who=office.institute, aside=aside)
    files = run(*fetch, "--out", str(tmp_path / "out"), *node, who=office.institute)
    text = run(*fetch, "--out", str(tmp_path / "out"), who=office.institute, text=True)

    assert {"DIAGNOSIS": 1, "LABORATORY": 12} == {kind: len(entries) for kind, entries in opened.items()}
    assert again == opened
    assert all(
        "An excerpt: only what is wholly of 2014-02-17 to 2014-07-08, checked against the receipt" in told
        for told in aside
    )
    assert "that the service tells; --rpc URL --ledger ADDRESS checks that the ledger has it" in aside[0]
    assert "the receipt of this hand-over on the ledger" in aside[1]
    assert all("is the custodian's word" in told for told in aside)
    assert [item["category"] for item in files] == list(opened)
    assert all(item["excerpt"] == {"firstDay": "2014-02-17", "lastDay": "2014-07-08"} for item in files)
    assert "Released, of each category what is of 2014-02-17 to 2014-07-08" in text


def test_a_request_without_days_says_nothing_of_excerpts(
    run: Run, world: World, office: Office, tmp_path: Path
) -> None:
    passport = world.register(office.hospital, 2)
    words = {
        "grant_id": world.grant(office.hospital, passport, office.institute),
        "project_id": world.project(office.institute),
    }
    seq = str(world.ask(office.institute, passport, **words).seq)
    aside: list[str] = []

    (item,) = run(
        *("request", "records", to_hex(passport), seq, "--out", str(tmp_path / "out")),
        who=office.institute,
        aside=aside,
    )

    assert set(item) == {"category", "file", "resources"}
    assert "excerpt" not in aside[0]


def test_a_receipt_that_is_not_on_the_ledger_is_not_taken_for_checked(
    run: Run, world: World, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A node that has none, as one of another ledger, ends the command with words."""
    passport = world.register(office.hospital, 2)
    project = world.project(office.institute)
    grant = world.grant(office.hospital, passport, office.institute)
    seq = world.ask(
        office.institute,
        passport,
        grant_id=grant,
        project_id=project,
        first_day=day_of(date(2014, 6, 24)),
    ).seq
    monkeypatch.setattr("cli.commands.request._RECEIPT_SECONDS", 0)
    fetch = ["request", "records", to_hex(passport), str(seq), "--rpc", world.settings.rpc]

    problem = run(*fetch, "--ledger", "0x" + "ab" * 20, who=office.institute, code=1)

    assert "the ledger has no receipt of this hand-over" in problem["detail"]
