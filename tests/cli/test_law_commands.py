"""The commands for emergencies, reviews, statements, members and records, against a real service on a real chain."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.settings import ApiSettings
from cli import main
from ledger.client import MemberKeys, rest
from ledger.client.transport import Transport
from ledger.domain.records import PassportId
from ledger.domain.vocabulary import ActKind, Purpose, Role, SeatKind
from ledger.encoding.hexadecimal import to_hex
from ledger.ports import Rule
from ledger.wallet import Wallet, new_seed
from tests.support.world import Actor, World

ORIGIN = "http://testserver"
PASSPHRASE = "a long passphrase of the test"

Run = Callable[..., tuple[int, str]]


@dataclass(frozen=True)
class Cast:
    hospital: Actor
    clinic: Actor
    lab: Actor
    ethics: Actor
    regulator: Actor
    verifier: Actor


@pytest.fixture(scope="module")
def cast(world: World) -> Cast:
    return Cast(
        hospital=world.admit("Riverside Hospital", Role.CUSTODIAN | Role.PROCESSOR),
        clinic=world.admit("Valley Emergency Room", Role.PROCESSOR | Role.EMERGENCY),
        lab=world.admit("Disease laboratory", Role.PROCESSOR),
        ethics=world.admit("Board of ethics", Role.ETHICS),
        regulator=world.admit("Health regulator", Role.REGULATOR),
        verifier=world.admit("Verification office", Role.VERIFIER),
    )


@pytest.fixture
def run(
    world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Run:
    """Return a runner of commands: as an actor, on the service; returns exit code and what was printed."""
    for name in ("URL", "KEY", "WALLET", "SESSION", "CUSTODIAN", "DEBUG"):
        monkeypatch.delenv(f"PASSPORT_{name}", raising=False)
    monkeypatch.setenv("PASSPORT_WALLET_PASSPHRASE", PASSPHRASE)
    app = create_app(
        world.service, sessions=world.runtime.sessions, settings=ApiSettings(origin=ORIGIN, rpc_url="")
    )

    def transport(url: str, credentials: Any, patience: float) -> Transport:
        return Transport(url, credentials, patience, TestClient(app, base_url=ORIGIN, follow_redirects=False))

    monkeypatch.setattr(rest, "Transport", transport)

    def command(actor: Actor | None, *arguments: str) -> tuple[int, str]:
        key: list[str] = []
        if actor is not None:
            path = tmp_path / f"{actor.member.member_id}.json"
            if not path.exists():
                actor.keys.save(path)
            key = ["--key", str(path)]
        code = main.run([*arguments, "--url", ORIGIN, *key])
        captured = capsys.readouterr()
        return code, captured.out + captured.err

    return command


def printed(result: tuple[int, str], *, code: int = 0) -> Any:
    assert result[0] == code, result[1]
    return json.loads(result[1])


@pytest.fixture
def passport(world: World, cast: Cast) -> str:
    return to_hex(world.register(cast.hospital))


def test_break_the_glass_review_it_and_see_the_ratio(run: Run, cast: Cast, passport: str) -> None:
    opened = printed(
        run(
            cast.clinic,
            "emergency",
            "open",
            passport,
            "--reason",
            "unconscious",
            "--statement",
            "Found at the roadside",
            "--json",
        )
    )
    number = str(opened["emergencyId"])

    _, listed = run(cast.hospital, "emergency", "list", "--passport", passport)
    assert "opened an emergency for one record because the patient is unconscious" in listed
    assert run(cast.hospital, "emergency", "list", "--overdue") == (0, "There is none.\n")
    assert f"emergency {number}: Valley Emergency Room" in run(cast.ethics, "request", "waiting")[1]
    code, told = run(
        cast.ethics, "emergency", "review", number, "--justified", "--opinion", "The chart shows a coma"
    )
    assert code == 0
    assert "found it justified." in told
    code, told = run(cast.ethics, "emergency", "review", number, "--unjustified", "--opinion", "x")
    assert (code, "reviewed before" in told) == (2, True)
    assert printed(run(cast.clinic, "emergency", "show", number, "--json"))["finding"] == "JUSTIFIED"
    right = printed(run(cast.lab, "emergency", "right", str(cast.clinic.member.member_id), "--json"))
    assert right["holds"] is True
    assert "Valley Emergency Room" in run(None, "emergency", "ratio")[1]


def test_a_sealed_one_in_the_log_of_the_patient(run: Run, world: World, cast: Cast, tmp_path: Path) -> None:
    wallet = Wallet(new_seed())
    file = tmp_path / "wallet.json"
    wallet.save(file, passphrase=PASSPHRASE)
    number = cast.hospital.member.member_id
    own = to_hex(world.register(cast.hospital, holder=wallet.holder(number)))
    opened = printed(
        run(
            cast.clinic,
            "emergency",
            "open",
            own,
            "--reason",
            "DANGER_TO_OTHERS",
            "--statement",
            "A knife",
            "--sealed-until",
            "24h",
            "--sealing",
            "the police ask so",
            "--json",
        )
    )
    asked = ("--purpose", "EMERGENCY_CARE", "--basis", "INDIVIDUAL_EMERGENCY", "--category", "DIAGNOSIS")
    assert run(cast.clinic, "request", "ask", own, *asked, "--emergency", str(opened["emergencyId"]))[0] == 0

    code, log = run(None, "log", "--wallet", str(file), "--custodian", str(number))

    assert code == 0, log
    assert log.count("had access to your record in an emergency") == 2
    assert "because the police ask so; then it opens by itself" in log
    assert "knife" not in log
    assert "diagnoses" not in log


def test_a_public_emergency_is_declared_and_ended(run: Run, world: World, cast: Cast) -> None:
    declared = printed(
        run(
            world.committee,
            "emergency",
            "declare",
            "--document",
            "Decree 31",
            "--purpose",
            "PUBLIC_HEALTH",
            "--category",
            "DIAGNOSIS",
            "--until",
            "30d",
            "--max-records",
            "100",
            "--jurisdiction",
            "156",
            "--reason",
            "An outbreak",
            "--json",
        )
    )
    assert (declared["kind"], declared["maxRecords"], declared["jurisdiction"]) == ("PUBLIC", 100, 156)
    number = str(declared["emergencyId"])
    assert run(cast.lab, "emergency", "end", number, "--reason", "x")[0] == 1
    code, told = run(world.committee, "emergency", "end", number, "--reason", "It is over")
    assert code == 0
    assert "in country 156" in told


def test_a_lost_right_comes_back_from_the_committee(
    run: Run, world: World, cast: Cast, passport: str
) -> None:
    careless = world.admit("Careless clinic", Role.PROCESSOR | Role.EMERGENCY)
    opening = ("emergency", "open", passport, "--reason", "OTHER", "--statement", "No time", "--json")
    number = printed(run(careless, *opening))["emergencyId"]
    run(cast.ethics, "emergency", "review", str(number), "--unjustified", "--opinion", "Nobody in danger")
    code, told = run(careless, *opening[:-1])
    assert (code, "lost its right to emergencies" in told) == (1, True)
    member = str(careless.member.member_id)
    restored = run(
        world.committee, "emergency", "right", member, "--restore", "--reason", "A new head", "--json"
    )
    assert printed(restored)["holds"] is True


def test_a_request_is_reviewed_and_repeated(run: Run, world: World, cast: Cast, passport: str) -> None:
    grant = world.grant(
        cast.hospital,
        PassportId(bytes.fromhex(passport[2:])),
        cast.lab,
        purposes=[Purpose.DISEASE_RESEARCH],
    )
    project = world.project(cast.lab, purposes=[Purpose.DISEASE_RESEARCH])
    code, told = run(
        cast.lab,
        "request",
        "ask",
        passport,
        "--purpose",
        "DISEASE_RESEARCH",
        "--category",
        "DIAGNOSIS",
        "--grant",
        to_hex(grant),
        "--project",
        str(project),
        "--level",
        "PSEUDONYMISED",
        "--statement",
        "Cohort of the diabetes study",
    )
    assert (code, "waits for a human review" in told) == (1, True)
    assert "in its own words: Cohort of the diabetes study" in run(cast.ethics, "request", "waiting")[1]
    assert run(cast.lab, "request", "waiting") == (0, "Nothing waits for you.\n")
    assert run(cast.lab, "request", "repeat", passport, "0")[0] == 1
    code, told = run(cast.ethics, "request", "review", passport, "0", "--approve", "--opinion", "It fits")
    assert code == 0
    assert "Board of ethics reviewed it on " in told
    code, told = run(cast.lab, "request", "repeat", passport, "0")
    assert (code, "permitted" in told) == (0, True)


def test_statements(run: Run, cast: Cast, passport: str) -> None:
    stating = ("attest", "state", "ENCRYPTION", "--passport", passport, "--until", "90d")
    code, told = run(cast.hospital, *stating, "--statement", "mine")
    assert (code, "VERIFIER that neither keeps nor owns the data may" in told) == (1, True)
    (made,) = printed(run(cast.verifier, *stating, "--statement", "Report 88", "--json"))
    assert made["inForce"] is True
    assert "the data is encrypted throughout" in run(cast.lab, "attest", "list", "--passport", passport)[1]
    withdrawn = run(cast.verifier, "attest", "withdraw", "ENCRYPTION", "--passport", passport, "--json")
    assert printed(withdrawn)[0]["inForce"] is False
    code, told = run(cast.verifier, "attest", "list")
    assert (code, "about one passport, project, version or tool" in told) == (2, True)


def test_members_are_capped_licensed_entrusted_rotated_and_expelled(
    run: Run, world: World, cast: Cast, tmp_path: Path
) -> None:
    actor = world.admit("Member to be changed", Role.PROCESSOR)
    member, committee = str(actor.member.member_id), world.committee
    caps = ("member", "caps", member, "--reason", "Agreement 12")
    capped = printed(run(committee, *caps, "--cap", "AI_TRAINING=500", "--json"))
    assert capped["caps"] == [{"purpose": "AI_TRAINING", "cap": 500, "used": 0}]
    assert run(committee, *caps, "--cap", "AI_TRAINING")[0] == 2
    assert printed(run(committee, *caps, "--json"))["caps"] == []
    licensed = run(
        committee,
        "member",
        "license",
        member,
        "--purpose",
        "RESEARCH",
        "--valid-to",
        "1y",
        "--reason",
        "Less",
        "--json",
    )
    assert printed(licensed)["purposes"] == ["RESEARCH"]
    assert "Member to be changed" in run(committee, "member", "control", member, "--reason", "Bought")[1]
    agreement = tmp_path / "agreement.txt"
    agreement.write_text("Annex 3")
    entrusting = ("member", "entrust", member, "--purpose", "RESEARCH", "--until", "1y")
    assert run(cast.lab, *entrusting)[0] == 2
    entrusted = printed(run(cast.lab, *entrusting, "--agreement", str(agreement), "--json"))
    assert entrusted["entrustments"][0]["controller"] == cast.lab.member.member_id
    assert printed(run(cast.lab, "member", "entrust", member, "--end", "--json"))["entrustments"] == []
    public = tmp_path / "public.json"
    public.write_text(json.dumps(MemberKeys.new("Member to be changed").public()))
    rotated = printed(
        run(committee, "member", "rotate", member, str(public), "--reason", "A lost laptop", "--json")
    )
    assert rotated["signingKey"] == json.loads(public.read_text())["signingKey"]
    expelled = printed(run(committee, "member", "expel", member, "--reason", "Sold data", "--json"))
    assert expelled["status"] == "EXPELLED"


def test_records_are_narrowed_sealed_unsealed_and_destroyed(
    run: Run, world: World, cast: Cast, passport: str
) -> None:
    narrowed = run(cast.hospital, "record", "narrow", passport, "--purpose", "PRIMARY_CARE", "--json")
    assert printed(narrowed)["purposes"] == ["PRIMARY_CARE"]
    assert "SEALED" in run(cast.hospital, "record", "seal", passport, "--reason", "A leak")[1]
    code, told = run(cast.hospital, "record", "destroy", passport, "--statement", "to hide it")
    assert (code, "is sealed" in told) == (2, True)
    assert "OPEN" in run(world.committee, "committee", "unseal", passport, "--reason", "Closed")[1]
    destroyed = run(cast.hospital, "record", "destroy", passport, "--statement", "Retention ended", "--json")
    assert printed(destroyed)["status"] == "DESTROYED"


def test_an_act_that_waits_for_others_is_named(run: Run, world: World, cast: Cast) -> None:
    second = world.admit("Patients' council", Role.COMMITTEE)
    committee, number = world.service.committee, second.member.member_id
    world.done(committee.set_seat(world.committee.member, number, SeatKind.PATIENTS, "Elected"))
    world.done(committee.set_rule(world.committee.member, Rule(ActKind.MEMBERS, 2, 0, 0), "Statute"))
    started = time.monotonic()
    try:
        code, told = run(
            world.committee, "member", "expel", str(cast.verifier.member.member_id), "--reason", "x"
        )
        assert code == 0
        assert "for the approval of 1 more seat" in told
        assert "passport committee approve " in told
        assert time.monotonic() - started < 30
    finally:
        world.done(committee.set_rule(world.committee.member, Rule(ActKind.MEMBERS, 1, 0, 0), "Statute"))
        world.done(committee.set_seat(world.committee.member, number, SeatKind.NONE, "Term ended"))


def test_the_law_is_printed_edited_and_proposed(run: Run, world: World, tmp_path: Path) -> None:
    law = printed(run(None, "policy", "show", "--json"))
    path = tmp_path / "law.json"
    emergencies = {**law["emergencies"], "monthlyQuota": law["emergencies"]["monthlyQuota"] + 1}
    path.write_text(json.dumps({**law, "emergencies": emergencies}))
    proposed = printed(
        run(world.committee, "policy", "propose", str(path), "--reason", "Resolution 5", "--json")
    )
    assert proposed["version"] == law["version"] + 1
    versions = [str(law["version"]), str(proposed["version"])]
    changed = printed(run(None, "policy", "changes", *versions, "--json"))
    assert [item["kind"] for item in changed["items"]] == ["limit"]

    path.write_text(json.dumps(law))
    code, told = run(world.committee, "policy", "propose", str(path), "--reason", "As it was")
    assert (code, str(law["version"] + 2) in told) == (0, True)


@pytest.mark.parametrize(
    ("text", "said"),
    [(None, "cannot be read"), ("{", "is not JSON"), ("[]", "is not a law"), ("{}", "entries")],
)
def test_a_file_that_is_no_law_is_refused(
    run: Run, world: World, tmp_path: Path, text: str | None, said: str
) -> None:
    path = tmp_path / "law.json"
    if text is not None:
        path.write_text(text)
    code, told = run(world.committee, "policy", "propose", str(path), "--reason", "Resolution 6")
    assert (code, said in told) == (2, True), told
