"""What the stories share: one devnet whose clock they move, a consortium for each, and the auditor."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.settings import ApiSettings
from ledger.audit.auditor import audit
from ledger.audit.report import AuditReport
from ledger.bootstrap import index_reader
from ledger.chain import artifacts
from ledger.chain.devnet import Devnet
from ledger.client import PassportClient, sign_in
from ledger.domain.records import PassportId
from ledger.encoding.hexadecimal import to_hex
from ledger.interop.fhir import AccessLogEntry
from tests.support.world import Actor, World

ORIGIN = "http://testserver"
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


@pytest.fixture
def stage(world: World) -> Stage:
    """Return the story's consortium behind its REST service."""
    app = create_app(
        world.service,
        sessions=world.runtime.sessions,
        settings=ApiSettings(origin=ORIGIN, rpc_url=world.settings.rpc),
    )
    return Stage(world, TestClient(app, base_url=ORIGIN, follow_redirects=False))
