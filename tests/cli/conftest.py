"""What the tests of client and command line share: keys, a sealed release, and a service that answers from a script."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi.testclient import TestClient
from nacl.public import PublicKey, SealedBox
from nacl.secret import SecretBox
from nacl.utils import random
from structlog.testing import capture_logs

from api.app import create_app
from api.settings import ApiSettings
from cli import main
from ledger.client import MemberKeys
from ledger.client import rest as client_module
from ledger.client.transport import Transport
from ledger.domain.vocabulary import RECORD_LEVELS, Category, Level
from ledger.encoding.commitments import (
    canonical,
    category_record,
    commit,
    commit_record,
    content_of,
    excerpts_record,
    levels,
    manifest,
    manifest_of,
    new_salt,
    release_record,
)
from ledger.encoding.hexadecimal import to_hex
from tests.support.world import Actor, World

Answer = Callable[[httpx2.Request], httpx2.Response]
Run = Callable[..., Any]

ORIGIN = "http://testserver"


@pytest.fixture
def keys() -> MemberKeys:
    return MemberKeys.new("Riverside Hospital", member_id=2)


@pytest.fixture
def resources() -> dict[Category, list[dict[str, Any]]]:
    return {
        Category.DIAGNOSIS: [{"resourceType": "Condition", "id": "c1", "text": "Grippe – 流感"}],
        Category.VITALS: [
            {"resourceType": "Observation", "value": 36.6},
            {"resourceType": "Observation", "value": 1.0},
        ],
    }


@pytest.fixture
def release(keys: MemberKeys, resources: dict[Category, list[dict[str, Any]]]) -> dict[str, Any]:
    """A release as the service sends it, sealed with the library that the vault uses."""
    return seal_release(resources, recipient=keys)


def seal_release(
    resources: dict[Category, list[dict[str, Any]]],
    *,
    recipient: MemberKeys,
    level: Level = Level.IDENTIFIED,
    days: tuple[str | None, str | None] | None = None,
) -> dict[str, Any]:
    """Seal a release as a service does; with *days* one of excerpts, whatever days they are from."""
    domain = "excerpt" if days else "category"
    items, commitments = [], {}
    box = SealedBox(PublicKey(bytes.fromhex(recipient.sealing_public[2:])))
    for category, entries in resources.items():
        plain, salt, data_key = (
            canonical(category_record(category, entries)),
            new_salt(),
            random(SecretBox.KEY_SIZE),
        )
        commitments[category] = commit(domain, plain, salt=salt)
        items.append(
            {
                "category": category.name,
                "entries": len(entries),
                "ciphertext": base64.b64encode(SecretBox(data_key).encrypt(plain)).decode(),
                "sealedKey": base64.b64encode(box.encrypt(data_key)).decode(),
                "commitment": to_hex(commitments[category]),
                "salt": to_hex(salt),
            }
        )
    whole, salt, top_salt = manifest({} if days else commitments), new_salt(), new_salt()
    others = {other: manifest_of(manifest({}), salt=new_salt()) for other in RECORD_LEVELS}
    top = levels({**others, level: manifest_of(whole, salt=salt)})
    release = {
        "passportId": "0x" + "11" * 32,
        "seq": 0,
        "level": level.name,
        "content": to_hex(content_of(top, salt=top_salt)),
        "levels": top,
        "levelsSalt": to_hex(top_salt),
        "manifest": whole,
        "manifestSalt": to_hex(salt),
        "categories": items,
        "excerpted": None,
    }
    if days:
        salt = new_salt()
        record = excerpts_record(
            release_record(release["passportId"], 0, level, [item["category"] for item in items]),
            first_day=days[0],
            last_day=days[1],
            excerpts={
                item["category"]: (commitments[category], item["entries"])
                for item, category in zip(items, resources, strict=True)
            },
        )
        release["excerpted"] = {
            "firstDay": days[0],
            "lastDay": days[1],
            "receipt": to_hex(commit_record("release", record, salt=salt)),
            "receiptSalt": to_hex(salt),
        }
    return release


@pytest.fixture
def scripted() -> Callable[..., httpx2.Client]:
    """Make an HTTP client whose requests are answered one after the other; the last answer stays."""

    def make(
        *answers: Answer | httpx2.Response | Exception, seen: list[httpx2.Request] | None = None
    ) -> httpx2.Client:
        left = list(answers)

        def handle(request: httpx2.Request) -> httpx2.Response:
            if seen is not None:
                seen.append(request)
            answer = left.pop(0) if len(left) > 1 else left[0]
            if isinstance(answer, Exception):
                raise answer
            return answer if isinstance(answer, httpx2.Response) else answer(request)

        return httpx2.Client(transport=httpx2.MockTransport(handle))

    return make


def problem(status: int, code: str, detail: str = "it is so", fix: str = "do this") -> httpx2.Response:
    body = {
        "type": f"/problems/{code}",
        "title": "t",
        "status": status,
        "detail": detail,
        "code": code,
        "fix": fix,
    }
    return httpx2.Response(
        status, content=json.dumps(body), headers={"Content-Type": "application/problem+json"}
    )


@pytest.fixture
def run_in(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Callable[[World], Run]:
    """Return a maker of functions that run a command against a service, as a member if one is named."""
    for name in ("URL", "KEY", "WALLET", "SESSION", "CUSTODIAN"):
        monkeypatch.delenv(f"PASSPORT_{name}", raising=False)

    def speak_to(world: World) -> Run:
        app = create_app(world.service, sessions=world.runtime.sessions, settings=ApiSettings(origin=ORIGIN))
        http = TestClient(app, base_url=ORIGIN, follow_redirects=False)
        http.close = lambda: None  # type: ignore[method-assign] - each command closes its client
        monkeypatch.setattr(
            client_module,
            "Transport",
            lambda url, credentials, patience: Transport(url, credentials, patience, http),
        )

        def run(
            *arguments: str,
            who: Actor | None = None,
            code: int = 0,
            text: bool = False,
            aside: list[str] | None = None,
        ) -> Any:
            """
            Return the command's JSON, or with *text* what it prints for people; check how it ends.

            What it says on the side is added to *aside*.
            """
            needs_service = arguments[0] != "holder"
            spoken = [*arguments, *(["--url", ORIGIN] if needs_service else [])]
            if who is not None:
                path = tmp_path / f"{who.member.member_id}.json"
                if not path.exists():
                    who.keys.as_member(who.member.member_id).save(path)
                spoken += ["--key", str(path)]
            capsys.readouterr()  # what the service, which runs in this process, said before
            with capture_logs():
                found = main.run(spoken if text else [*spoken, "--json"])
            captured = capsys.readouterr()
            assert found == code, captured.out + captured.err
            if aside is not None:
                aside.append(captured.err)
            return captured.out if text else json.loads(captured.out)

        return run

    return speak_to


@pytest.fixture
def run(run_in: Callable[[World], Run], world: World) -> Run:
    """Return a function that runs a command against this module's service."""
    return run_in(world)
