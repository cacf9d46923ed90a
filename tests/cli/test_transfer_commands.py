"""`passport transfer` for many records, and `passport discrepancies`, against a real service on a real chain."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cli import main
from ledger.encoding.hexadecimal import to_hex
from tests.cli.conftest import Run
from tests.support.transfers import ABROAD, HOME, Exchange
from tests.support.world import Actor, World

WORDS = ["--purpose", "AI_TRAINING", "--category", "DIAGNOSIS", "--category", "LABORATORY"]


@pytest.fixture(scope="module")
def exchange(world: World) -> Exchange:
    return Exchange(world)


class Commands:
    """Runs commands as a member, or without the service."""

    def __init__(self, speak: Run, capsys: pytest.CaptureFixture[str]) -> None:
        """Name what speaks to the service, and what hears the answers."""
        self._speak, self._capsys = speak, capsys

    def __call__(self, who: Actor | None, *arguments: str, **options: Any) -> Any:
        """Return the command's JSON, or with *text* what people read."""
        return self._speak(*arguments, who=who, **options)

    def offline(self, *arguments: str) -> tuple[int, Any]:
        """Return how a command ends that needs no service, and its JSON."""
        self._capsys.readouterr()
        code = main.run([*arguments, "--json"])
        return code, json.loads(self._capsys.readouterr().out)


@pytest.fixture
def run(run_in: Callable[[World], Run], world: World, capsys: pytest.CaptureFixture[str]) -> Commands:
    return Commands(run_in(world), capsys)


def declare(run: Commands, exchange: Exchange, count: int, *more: str, **options: object) -> dict:
    """Declare a transfer to the laboratory."""
    command = ["transfer", "declare", "The cohort of the year", "--agreement", str(exchange.agreement)]
    command += ["--count", str(count), *WORDS, "--place", str(HOME), *more]
    return run(exchange.hospital, *command, **options)


def test_from_a_declaration_to_a_proof(run: Commands, exchange: Exchange, tmp_path: Path) -> None:
    """The whole life: declared, loaded, shipped, collected, received, proven, closed."""
    passports = exchange.records(3)
    permits = exchange.permits(passports)
    name = declare(run, exchange, 3)["transferId"]
    listed = tmp_path / "permits.txt"
    listed.write_text("".join(f"{to_hex(passport)} {seq}\n" for passport, seq in permits[1:]))
    first = f"{to_hex(permits[0][0])}:{permits[0][1]}"
    once = ["transfer", "load", name, "--item", first, "--items", str(listed), "--idempotency-key", "all"]

    assert run(exchange.hospital, *once)["consignment"]["loaded"] == 3
    assert run(exchange.hospital, *once)["consignment"]["loaded"] == 3, "sent again, it happens once"
    shipped = run(exchange.hospital, "transfer", "ship-all", name)
    out = tmp_path / "records.json"
    out.write_text("of an earlier transfer")
    out.chmod(0o644)
    collected = run(exchange.lab, "transfer", "collect", name, "--out", str(out))
    assert out.stat().st_mode & 0o077 == 0
    counts, content = collected["resources"], collected["content"]
    assert content == shipped["content"]
    assert sorted(counts) == sorted(to_hex(passport) for passport in passports)
    assert sorted(json.loads(out.read_text())) == sorted(counts)
    # A consent ends and nothing more is handed over, as an hour after the permits; what came is stated all the same.
    decision = exchange.world.service.decisions.get(*permits[0])
    exchange.world.revoke(exchange.hospital, decision.grant_id)
    run(exchange.lab, "transfer", "collect", name, "--out", str(out), code=1)
    run(exchange.lab, "transfer", "receive", name, code=1)
    received = run(exchange.lab, "transfer", "receive", name, "--content", content)
    assert (received["status"], received["receivedContent"]) == ("RECEIVED", shipped["content"])
    shown = run(exchange.lab, "transfer", "show", name, text=True)
    assert "3 of 3 records loaded" in shown
    assert name in run(exchange.lab, "transfer", "list", text=True).replace("\n", "")
    assert run(exchange.regulator, "transfer", "list", "--waiting") == []

    again = run(exchange.lab, "transfer", "receive", name, "--content", content, code=2)
    assert "was received before" in again["detail"]
    run(exchange.lab, "transfer", "collect", name, "--out", str(out), code=2)
    _prove(run, exchange, to_hex(passports[1]), tmp_path / "proof.json")

    closed = run(exchange.lab, "transfer", "close", name, "--evidence", "Certificate 17", text=True)
    assert "CLOSED" in closed


def _prove(run: Commands, exchange: Exchange, passport: str, file: Path) -> None:
    world = exchange.world
    found = run(exchange.hospital, "transfer", "proof", passport, "--out", str(file))
    ledger = world.runtime.deployment.ledger
    check = ["transfer", "verify", str(file), "--rpc", world.settings.rpc, "--ledger", ledger]

    assert found["item"]["place"] == 1
    assert run.offline(*check) == (0, {"isTrue": True, "problems": []})
    file.write_text(json.dumps({**found, "path": found["path"][:-1]}))
    code, answer = run.offline(*check)
    assert (code, answer["problems"]) == (1, ["the record is not in the transfer as the proof says"])
    for text, words in (("{}", "not complete"), ("[]", "not complete"), ("no JSON", "is no JSON")):
        file.write_text(text)
        code, answer = run.offline(*check)
        assert code != 0
        assert words in answer["detail"]


def test_what_breaks_a_rule_ends_with_one(run: Commands, exchange: Exchange) -> None:
    told = declare(run, exchange, 1, "--place", str(ABROAD), "--route", str(ABROAD), code=1, text=True)

    assert "REFUSED" in told
    assert "refused: nothing clears the transfer for the border" in told


def test_stopped_and_disputed_is_for_everybody_to_see(run: Commands, exchange: Exchange) -> None:
    permits = exchange.permits(exchange.records(1))
    name = to_hex(exchange.loaded(permits))

    halted = run(exchange.regulator, "transfer", "halt", name, "--reasons", "A complaint came in")
    assert halted["status"] == "HALTED"
    assert run(exchange.regulator, "transfer", "resume", name)["status"] == "CLEARED"
    ended = run(
        exchange.hospital, "transfer", "terminate", name, "--reasons", "Not needed any more", text=True
    )
    assert "TERMINATED" in ended

    disputed = exchange.shipped(exchange.permits(exchange.records(1)))
    other = ["--content", "0x" + "01" * 32]
    assert run(exchange.lab, "transfer", "receive", to_hex(disputed), *other, code=1)["status"] == "DISPUTED"
    spoilt = run(exchange.lab, "transfer", "receive", to_hex(disputed), "--content", "0x01", code=2)
    assert "content must be 0x and 64" in spoilt["detail"]
    after = run(None, "discrepancies", text=True, code=1)
    assert name not in after, "terminated, it owes nobody an answer"
    assert f"disputed  {to_hex(disputed)} (1): what Northern Laboratory received" in after.replace("\n", "")


def test_at_the_border(run: Commands, exchange: Exchange) -> None:
    exchange.clear()
    border = ["--route", str(ABROAD), "--project", str(exchange.project)]
    name = declare(run, exchange, 1, *border)["transferId"]

    inspected = run(exchange.regulator, "transfer", "inspect", name, "--report", "Sealed", "--release")
    assert inspected["status"] == "CLEARED"
    ((passport, seq),) = exchange.permits(exchange.records(1))
    run(exchange.hospital, "transfer", "load", name, "--item", f"{to_hex(passport)}:{seq}")
    run(exchange.hospital, "transfer", "ship-all", name)
    run(exchange.lab, "transfer", "receive", name)
    reported = run(exchange.lab, "transfer", "report", name, "--text", "Kept as agreed", text=True)
    assert "the next report is due by" in reported
    problem = run(exchange.company, "transfer", "end-access", name, code=2)
    assert "overdue" in problem["detail"]


def test_records_are_named_with_their_decisions(run: Commands, exchange: Exchange) -> None:
    name = "0x" + "42" * 32
    for words, told in (
        ([], "no record is named"),
        (["--item", "0x12"], "is no passport with a decision"),
        (["--item", "0x12:x"], "is no passport with a decision"),
    ):
        assert told in run(exchange.hospital, "transfer", "load", name, *words, code=2)["detail"]
    passport = to_hex(exchange.records(1)[0])
    problem = run(exchange.hospital, "transfer", "proof", passport, code=2)
    assert "no such transfer" in problem["detail"]
