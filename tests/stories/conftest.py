"""What the stories share: one devnet whose clock they move, a consortium for each, and the auditor."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from structlog.testing import capture_logs

from api.app import create_app
from api.settings import ApiSettings
from cli import main
from cli.auditing import passport_system
from ledger.audit.auditor import audit
from ledger.audit.report import AuditReport
from ledger.bootstrap import index_reader
from ledger.chain import artifacts
from ledger.chain.devnet import Devnet
from ledger.client import PassportClient, sign_in
from ledger.domain.records import PassportId
from ledger.encoding.hexadecimal import to_hex
from ledger.encoding.typed_data import LedgerDomain
from ledger.interop.fhir import AccessLogEntry
from tests.support.world import Actor, World

ORIGIN = "http://testserver"
ROOT = Path(__file__).resolve().parents[2]
DAY = 86_400


def at(seconds: int) -> str:
    """Write a time as REST takes it."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.fixture(scope="package")
def moved_devnet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Devnet]:
    """Return a devnet of the stories' own: they move its clock."""
    node = Devnet(tmp_path_factory.mktemp("stories-devnet"))
    node.start()
    yield node
    node.stop()


@pytest.fixture
def world(moved_devnet: Devnet, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Return a consortium of the story's own, early on a day: no story is cut in two by midnight."""
    consortium = World(tmp_path_factory.mktemp("story"), moved_devnet.spec.url)
    consortium.until((consortium.now() // DAY + 1) * DAY + 3600)
    yield consortium
    consortium.stop()


@dataclass(frozen=True)
class Stage:
    """A consortium, its REST service, and the auditor who needs neither."""

    world: World
    http: TestClient

    def client(self, who: Actor | bytes) -> PassportClient:
        """Return a client of a member, or of the patient with a holder key."""
        if isinstance(who, Actor):
            return PassportClient(ORIGIN, who.keys, http=self.http)
        code = sign_in(PassportClient(ORIGIN, http=self.http), who)["code"]
        return PassportClient(ORIGIN, code, http=self.http)

    def replayed(self, uses: Iterable[AccessLogEntry] = ()) -> AuditReport:
        """Let the auditor replay the chain, and hold access logs and the service's index against it."""
        deployment = self.world.runtime.deployment
        assert deployment is not None
        report = audit(
            self.world.runtime.node,
            artifacts.load().abi,
            deployment.ledger,
            from_block=deployment.block_number,
            uses=uses,
            index=index_reader(self.world.settings.database_url()),
        )
        assert report.replay.mismatches == []
        return report

    def trace(self, *arguments: str, uses: Iterable[AccessLogEntry] = ()) -> dict[str, Any]:
        """Let the auditor trace something with the command line, which ends with 1 if somebody is responsible."""
        spoken = self._spoken(arguments, uses)
        out = io.StringIO()
        with redirect_stdout(out), capture_logs():
            code = main.run([*spoken, "--json"])
        found: dict[str, Any] = json.loads(out.getvalue())
        assert code == (found["responsible"] is not None), found
        return found

    def trace_elsewhere(
        self, folder: Path, *arguments: str, uses: Iterable[AccessLogEntry] = ()
    ) -> tuple[int, dict[str, Any]]:
        """Run the same command in a process of its own, in an empty folder; return its exit code and its JSON."""
        run = subprocess.run(
            [sys.executable, "-c", "from cli.main import main; main()", *self._spoken(arguments, uses), "--json"],
            cwd=folder, capture_output=True, text=True, timeout=120, check=False,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        assert run.stdout, run.stderr
        return run.returncode, json.loads(run.stdout)

    def _spoken(self, arguments: Iterable[str], uses: Iterable[AccessLogEntry]) -> list[str]:
        """Return the command: node and address are all that it is told of the ledger."""
        deployment = self.world.runtime.deployment
        assert deployment is not None
        spoken = [
            "audit",
            "trace",
            *arguments,
            "--rpc",
            self.world.settings.rpc,
            "--ledger",
            deployment.ledger,
        ]
        spoken += ["--from-block", str(deployment.block_number)]
        logged = list(uses)
        return [*spoken, "--access-log", str(self._log(logged))] if logged else spoken

    def _log(self, uses: list[AccessLogEntry]) -> Path:
        """Write an access log as institutions keep it: FHIR R4 AuditEvents."""
        deployment = self.world.runtime.deployment
        assert deployment is not None
        system = passport_system(LedgerDomain(self.world.runtime.node.chain_id(), deployment.ledger))
        path = self.world.settings.data.parent / "access-log.json"
        path.write_text(json.dumps([audit_event(use, system) for use in uses]))
        return path

    def use(self, actor: Actor, passport: PassportId, **changes: Any) -> AccessLogEntry:
        """Return a line of a member's own access log: it used a record now."""
        words: dict[str, Any] = {
            "member": actor.member.name,
            "member_id": actor.member.member_id,
            "passport": to_hex(passport),
            "decision": None,
            "recorded": datetime.fromtimestamp(self.world.now(), UTC),
            "purpose": None,
            "action": "R",
            **changes,
        }
        return AccessLogEntry(**words)


def audit_event(use: AccessLogEntry, system: str) -> dict[str, Any]:
    """Write one use as docs/spec.md, "Access log", has it."""
    reasons = [{"coding": [{"code": use.purpose}]}] if use.purpose else []
    who = {
        "identifier": {"system": f"{system}:member", "value": str(use.member_id)},
        "display": use.member,
    }
    record = use.passport if use.decision is None else f"{use.passport}/{use.decision}"
    return {
        "resourceType": "AuditEvent",
        "action": use.action,
        "recorded": use.recorded.isoformat(),
        "agent": [{"who": who, "requestor": True, "purposeOfUse": reasons}],
        "entity": [{"what": {"identifier": {"system": system, "value": record}}}],
    }


def stands_at(found: dict[str, Any], seq: int) -> tuple[int, str]:
    """Return block and transaction of a decision in the chain of a trace."""
    (position,) = (
        link["position"] for link in found["chain"] if link["act"] == "ASKED" and link["seq"] == seq
    )
    return position["block"], position["transaction"]


@pytest.fixture
def stage(world: World) -> Stage:
    """Return the story's consortium behind its REST service."""
    app = create_app(
        world.service,
        sessions=world.runtime.sessions,
        settings=ApiSettings(origin=ORIGIN, rpc_url=world.settings.rpc),
    )
    return Stage(world, TestClient(app, base_url=ORIGIN, follow_redirects=False))
