"""Consent, templates and holders on the command line, against a real service on a real chain."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.settings import ApiSettings
from cli import main
from ledger.chain.devnet import Devnet
from ledger.client import MemberKeys
from ledger.client import rest as client_module
from ledger.client.transport import Transport
from ledger.domain.vocabulary import Role
from ledger.encoding.hexadecimal import to_hex
from ledger.wallet import Wallet, new_seed
from tests.support.world import Actor, World

ORIGIN = "http://testserver"
PASSPHRASE = "correct horse battery staple"

#: The service is in this very process, and so is its log.
_LOG = re.compile(r"^\d{4}-\d\d-\d\d .*\n", re.MULTILINE)

Run = Callable[..., Any]


class Town:
    """A hospital, a laboratory and a patient with a wallet, and the files that the commands read."""

    def __init__(self, world: World, folder: Path) -> None:
        self.world, self.folder = world, folder
        app = create_app(
            world.service,
            sessions=world.runtime.sessions,
            settings=ApiSettings(origin=ORIGIN, rpc_url=world.settings.rpc),
            checks=world.runtime.checks,
        )
        self.http = TestClient(app, base_url=ORIGIN, follow_redirects=False)
        self.hospital = world.admit("Riverside Hospital", Role.CUSTODIAN | Role.PROCESSOR)
        self.lab = world.admit("Northern AI Laboratory", Role.PROCESSOR)
        self.number = self.hospital.member.member_id

    def key(self, actor: Actor) -> str:
        path = self.folder / f"{actor.member.member_id}.json"
        if not path.exists():
            actor.keys.as_member(actor.member.member_id).save(path)
        return str(path)

    def wallet(self, name: str) -> tuple[str, Wallet]:
        path = self.folder / f"{name}.wallet"
        wallet = Wallet(new_seed())
        wallet.save(path, passphrase=PASSPHRASE)
        return str(path), wallet


@pytest.fixture(scope="module")
def town(devnet: Devnet, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    world = World(tmp_path_factory.mktemp("cli-consents"), devnet.spec.url)
    yield Town(world, tmp_path_factory.mktemp("keys"))
    world.stop()


@pytest.fixture
def patient(town: Town, request: pytest.FixtureRequest) -> tuple[str, str, Wallet]:
    """Return a wallet file, the passport that its patient holds, and the wallet."""
    path, wallet = town.wallet(f"patient-{time.monotonic_ns()}")
    passport = town.world.register(town.hospital, 1, holder=wallet.holder(town.number))
    return path, to_hex(passport), wallet


@pytest.fixture
def run(town: Town, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command against the service; returns its JSON document."""
    monkeypatch.setattr(
        client_module,
        "Transport",
        lambda url, credentials, patience: Transport(url, credentials, patience, town.http),
    )
    # Closing one command's client must not close the next one's.
    monkeypatch.setattr(client_module.PassportClient, "close", lambda _: None)
    for name in ("KEY", "WALLET", "SESSION", "DEBUG"):
        monkeypatch.delenv(f"PASSPORT_{name}", raising=False)
    monkeypatch.setenv("PASSPORT_URL", ORIGIN)
    monkeypatch.setenv("PASSPORT_CUSTODIAN", str(town.number))
    monkeypatch.setenv("PASSPORT_WALLET_PASSPHRASE", PASSPHRASE)

    def command(*arguments: str, ends: int = 0, plain: bool = False) -> Any:
        code = main.run([*arguments] if plain else [*arguments, "--json"])
        out = capsys.readouterr().out
        assert code == ends, out
        return out if plain else json.loads(_LOG.sub("", out))

    return command


def words(**more: str) -> list[str]:
    said = {"purpose": "AI_TRAINING", "category": "DIAGNOSIS", "until": "30d", **more}
    return [part for name, value in said.items() for part in (f"--{name.replace('_', '-')}", value)]


def test_asked_for_accepted_amended_and_withdrawn(
    town: Town, run: Run, patient: tuple[str, str, Wallet]
) -> None:
    """The whole way of a consent that somebody else began."""
    wallet, passport, _ = patient
    lab = town.key(town.lab)
    asked = run("grant", "ask", passport, *words(max_uses="5"), "--category", "VITALS", "--key", lab)
    assert asked["status"] == "requested"
    number = str(town.lab.member.member_id)
    assert run("grant", "status", passport, number, "--wallet", wallet)["status"] == "requested"
    (waiting,) = run("grant", "requests", "--wallet", wallet)
    assert waiting["grantId"] == asked["grantId"]
    told = run("grant", "requests", "--wallet", wallet, plain=True)
    assert "asks for your consent to this" in " ".join(told.split())

    given = run("grant", "accept", asked["grantId"], "--category", "DIAGNOSIS", "--wallet", wallet)
    assert (given["grantId"], given["categories"], given["maxUses"]) == (asked["grantId"], ["DIAGNOSIS"], 5)
    assert run("grant", "accept", asked["grantId"], "--wallet", wallet, ends=2)["code"] == "invalid-input"

    amended = run(
        "grant", "amend", given["grantId"], "--max-uses", "0", "--language", "zh", "--wallet", wallet
    )
    assert (amended["supersedes"], amended["maxUses"], amended["language"]) == (given["grantId"], 0, "zh")
    assert run("grant", "amend", amended["grantId"], "--wallet", wallet, ends=2)["code"] == "invalid-input"
    assert run("grant", "revoke", amended["grantId"], "--wallet", wallet)["status"] == "withdrawn"
    assert run("grant", "status", passport, number, "--key", lab)["status"] == "withdrawn"


def test_a_refusal(town: Town, run: Run, patient: tuple[str, str, Wallet]) -> None:
    wallet, passport, _ = patient
    asked = run("grant", "ask", passport, *words(), "--key", town.key(town.lab))
    assert run("grant", "refuse", asked["grantId"], "--wallet", wallet)["status"] == "refused"
    assert run("grant", "requests", "--wallet", wallet) == []


def test_paper_filed_confirmed_and_repudiated(town: Town, run: Run, patient: tuple[str, str, Wallet]) -> None:
    wallet, passport, _ = patient
    to = ["--to", str(town.lab.member.member_id)]
    hospital = town.key(town.hospital)
    filed = run("grant", "file", passport, *words(), *to, "--evidence", "Form 12, box 7", "--key", hospital)
    assert filed["assurance"] == "PAPER"
    assert run("grant", "confirm", filed["grantId"], "--wallet", wallet)["assurance"] == "SELF"
    other = run("grant", "file", passport, *words(), *to, "--evidence", "0x" + "ab" * 32, "--key", hospital)
    assert other["evidence"] == "0x" + "ab" * 32
    assert run("grant", "repudiate", other["grantId"], "--wallet", wallet)["status"] == "repudiated"


def test_a_delegate_gives_consent_with_its_own_wallet(
    town: Town, run: Run, patient: tuple[str, str, Wallet]
) -> None:
    wallet, passport, _ = patient
    path, daughter = town.wallet("daughter")
    named = run(
        "holder", "delegate", passport, daughter.holder(town.number), "--until", "10d", "--wallet", wallet
    )
    assert [item["delegate"] for item in named["delegates"]] == [daughter.holder(town.number)]
    to = ["--to", str(town.lab.member.member_id)]
    signed = str(town.folder / "signed.json")
    run("grant", "give", passport, *words(), *to, "--wallet", path, "--out", signed)
    given = run("grant", "relay", signed, "--key", town.key(town.lab))
    assert given["assurance"] == "DELEGATED"
    assert run("grant", "revoke", given["grantId"], "--wallet", path)["status"] == "withdrawn"
    over = run("holder", "delegate", passport, daughter.holder(town.number), "--wallet", wallet)
    assert over["delegates"] == []


def test_a_key_is_rotated_and_taken_over(town: Town, run: Run, patient: tuple[str, str, Wallet]) -> None:
    wallet, passport, _ = patient
    path, fresh = town.wallet("fresh")
    rotated = run("holder", "rotate", passport, "--new-wallet", path, "--wallet", wallet)
    assert (rotated["holder"], rotated["epoch"]) == (fresh.holder(town.number), 1)
    assert run("holder", "status", passport, "--wallet", path)["holder"] == fresh.holder(town.number)
    assert run("holder", "status", passport, "--wallet", wallet, ends=2)["code"] == "not-found"

    assisted = to_hex(town.world.register(town.hospital, 2))
    _, own = town.wallet("own")
    taken = run(
        "holder", "take-over", assisted, "--holder", own.holder(town.number), "--key", town.key(town.hospital)
    )
    assert (taken["holder"], taken["custody"]) == (own.holder(town.number), "SELF")


def test_guardians_replace_a_key_and_the_holder_objects(
    town: Town, run: Run, patient: tuple[str, str, Wallet]
) -> None:
    wallet, passport, _ = patient
    files, friends = zip(*(town.wallet(f"friend-{n}-{time.monotonic_ns()}") for n in range(2)), strict=True)
    addresses = [friend.holder(town.number) for friend in friends]
    named = run("holder", "guardians", passport, *addresses, "--threshold", "1", "--wallet", wallet)
    assert named["guardians"] is not None
    _, fresh = town.wallet(f"fresh-{time.monotonic_ns()}")
    holder = fresh.holder(town.number)
    signature = run(
        *("holder", "sign-recovery", passport, "--holder", holder, "--wallet", files[1]),
        *("--epoch", str(named["epoch"]), "--nonce", str(named["nonce"])),
    )["signature"]
    begun = run(
        *("holder", "replace", passport, "--holder", holder, "--threshold", "1"),
        *("--guardian", f"{addresses[0]}=", "--guardian", f"{addresses[1]}={signature}"),
        *("--key", town.key(town.lab)),
    )
    assert begun["recovery"]["holder"] == holder
    early = run("holder", "complete", passport, "--key", town.key(town.lab), ends=2)
    assert early["code"] == "conflict"
    assert run("holder", "object", passport, "--wallet", wallet)["recovery"] is None


def test_templates_are_issued_listed_shown_and_withdrawn(town: Town, run: Run, tmp_path: Path) -> None:
    notice = tmp_path / "notice.txt"
    notice.write_text("Your diagnoses serve research, for a year at most.\n")
    committee = town.key(town.world.committee)
    issued = run(
        *("template", "issue", "--purpose", "RESEARCH", "--category", "DIAGNOSIS", "--to-all", "RESEARCH"),
        *("--longest", "365d", "--notice", str(notice), "--reason", "Resolution 9", "--key", committee),
    )
    number = str(issued["template"])
    assert (issued["maxSeconds"], issued["notice"]) == (365 * 86_400, notice.read_text())
    assert run("template", "show", number) == issued
    assert issued in run("template", "list")
    assert "RESEARCH" in run("template", "list", plain=True)
    withdrawn = run("template", "withdraw", number, "--reason", "Resolution 10", "--key", committee)
    assert withdrawn["withdrawn"] is True
    denied = run("template", "withdraw", "1", "--reason", "No", "--key", town.key(town.lab), ends=1)
    assert denied["code"] == "not-permitted"


def test_keys_of_a_stranger_are_nobodys(town: Town, run: Run, tmp_path: Path) -> None:
    """Whoever is not on the whitelist asks for nothing."""
    path = tmp_path / "stranger.json"
    MemberKeys.new("Stranger", member_id=99).save(path)
    refused = run("grant", "ask", "0x" + "11" * 32, *words(), "--key", str(path), ends=2)
    assert refused["code"] == "not-authenticated"


def test_an_auditor_asks_a_node_about_the_past(
    town: Town, run: Run, patient: tuple[str, str, Wallet], devnet: Devnet
) -> None:
    """Permitted under this consent, and not before there was one: ends with 0 and with 1."""
    wallet, passport, _ = patient
    number = str(town.lab.member.member_id)
    ledger = town.world.service.chain.domain().ledger
    project = town.world.project(town.lab)
    asked = [
        *("audit", "was-permitted", passport, number, "--purpose", "AI_TRAINING", "--category", "DIAGNOSIS"),
        *(
            "--level",
            "PSEUDONYMISED",
            "--project",
            str(project),
            "--rpc",
            devnet.spec.url,
            "--ledger",
            ledger,
        ),
    ]
    before = run(*asked, ends=1)
    assert (before["permitted"], before["grantId"]) == (False, None)
    given = run("grant", "give", passport, *words(), "--to", number, "--wallet", wallet)
    now = run(*asked)
    assert (now["permitted"], now["grantId"]) == (True, given["grantId"])
    told = run(*asked, "--at", "2020-01-01", ends=2, plain=True)
    assert told == ""
    assert "permitted (PERMIT), under version 1 of the law" in run(*asked, plain=True)
