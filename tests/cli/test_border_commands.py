"""`passport agreement` and `passport border`, against a real service on a real chain."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.settings import ApiSettings
from cli import main
from ledger.client import rest
from ledger.client.transport import Transport
from ledger.domain.vocabulary import Role
from tests.support.world import Actor, World

ORIGIN = "http://testserver"

Run = Callable[..., Any]


@dataclass(frozen=True)
class Cast:
    hospital: Actor
    lab: Actor
    regulator: Actor


@pytest.fixture(scope="module")
def cast(world: World) -> Cast:
    return Cast(
        hospital=world.admit("Riverside Hospital", Role.CUSTODIAN),
        lab=world.admit("Laboratory abroad", Role.PROCESSOR, jurisdiction=156),
        regulator=world.admit("Provincial office", Role.REGULATOR),
    )


@pytest.fixture
def run(
    world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Run:
    """Return a runner of commands as an actor: returns what was answered as JSON, or the words for people."""
    for name in ("URL", "KEY", "WALLET", "SESSION", "CUSTODIAN", "DEBUG"):
        monkeypatch.delenv(f"PASSPORT_{name}", raising=False)
    app = create_app(
        world.service, sessions=world.runtime.sessions, settings=ApiSettings(origin=ORIGIN, rpc_url="")
    )

    def transport(url: str, credentials: Any, patience: float) -> Transport:
        return Transport(url, credentials, patience, TestClient(app, base_url=ORIGIN, follow_redirects=False))

    monkeypatch.setattr(rest, "Transport", transport)

    def command(actor: Actor, *arguments: str, words: bool = False, code: int = 0) -> Any:
        path = tmp_path / f"{actor.member.member_id}.json"
        if not path.exists():
            actor.keys.save(path)
        form = [] if words else ["--json"]
        assert main.run([*arguments, "--url", ORIGIN, "--key", str(path), *form]) == code
        captured = capsys.readouterr()
        told = captured.out + captured.err
        return told if words or code else json.loads(captured.out)

    return command


def test_a_contract_and_a_clearance_from_the_shell(
    run: Run, world: World, cast: Cast, tmp_path: Path
) -> None:
    """Proposed, signed, listed, cleared, counted, withdrawn, ended."""
    lab, hospital = str(cast.lab.member.member_id), str(cast.hospital.member.member_id)
    text = tmp_path / "contract.txt"
    text.write_text("Standard contract, annex 2")
    limits = ["--purpose", "AI_TRAINING", "--category", "DIAGNOSIS", "--until", "1y", "--retention", "365d"]
    proposed = run(cast.hospital, "agreement", "propose", lab, *limits, "--text", str(text), "--linkage")
    number = str(proposed["agreementId"])
    assert (proposed["linkage"], proposed["onward"], proposed["retentionSeconds"]) == (
        True,
        False,
        365 * 86_400,
    )
    run(cast.lab, "agreement", "sign", number, "--commitment", "0x" + "01" * 32, words=True, code=2)
    assert run(cast.lab, "agreement", "sign", number, "--commitment", proposed["commitment"])["inForce"]
    assert "SIGNED" in run(cast.hospital, "agreement", "list", "--member", lab, words=True)

    assert run(cast.regulator, "border", "access", lab)["inForce"] is False
    assert run(cast.regulator, "border", "access", lab, "--until", "30d")["inForce"] is True
    project = world.project(cast.lab)
    words = ["--path", "CONTRACT", "--agreement", number, "--until", "1y", "--persons", "5"]
    where = ["border", "clear", str(project), "--exporter", hospital]
    cleared = run(cast.regulator, *where, *words, "--filing", "Filing 2026-31")
    clearance = str(cleared["clearanceId"])
    passport = world.register(cast.hospital, 3)
    grant = world.grant(cast.hospital, passport, cast.lab)
    assert not world.ask(cast.lab, passport, grant_id=grant, project_id=project).missing
    assert run(cast.hospital, "border", "show", clearance)["persons"] == 1
    assert "1 of 5" in run(cast.hospital, "border", "list", "--project", str(project), words=True)
    assert run(cast.hospital, "border", "exports", hospital)["persons"] == 1

    taken = run(cast.regulator, "border", "withdraw", clearance, "--reason", "An incident")
    assert taken["withdrawnBy"] == cast.regulator.member.member_id
    assert run(cast.regulator, "border", "access", lab, "--remove")["validTo"] is None
    assert run(cast.lab, "agreement", "end", number, "--reason", "Finished.")["status"] == "ENDED"
    assert run(cast.lab, "agreement", "show", number)["text"] == "Standard contract, annex 2"


def test_thresholds_from_the_shell(run: Run, world: World, cast: Cast) -> None:
    """Everybody sees them; a seat proposes others."""
    assert run(cast.hospital, "border", "thresholds") == {"persons": 1_000_000, "sensitivePersons": 10_000}
    others = ["--persons", "9", "--sensitive", "4", "--reason", "Fewer."]
    lowered = run(world.committee, "border", "thresholds", *others)
    assert lowered == {"persons": 9, "sensitivePersons": 4}
    assert "seat" in run(cast.hospital, "border", "thresholds", *others, words=True, code=1)


def test_what_is_lost_is_said(run: Run, cast: Cast) -> None:
    told = run(cast.hospital, "agreement", "show", "999", words=True, code=2)
    assert "no agreement 999" in told
    told = run(cast.hospital, "border", "show", "999", words=True, code=2)
    assert "no clearance 999" in told
