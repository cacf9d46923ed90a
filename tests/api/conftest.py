"""One consortium for all tests of the web side, on a real chain, and clients that speak to it through the app."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import html5lib
import httpx2
import pytest
from fastapi import FastAPI
from fastapi.responses import Response
from fastapi.testclient import TestClient

from api.app import create_app
from api.settings import ApiSettings
from ledger.chain.devnet import Devnet
from ledger.client import MemberKeys, PassportClient, sign_grant, sign_headers, sign_in
from ledger.client.holders import grant_of, sign_revocation
from ledger.domain.lineage import VersionId
from ledger.domain.records import GrantId, Limits, PassportId
from ledger.domain.vocabulary import Operation, Outcome, Purpose, Role, StepKind
from ledger.encoding.hexadecimal import from_hex, to_hex
from ledger.service.datasets import Target
from ledger.wallet import holder_address
from tests.support.data import bundle
from tests.support.lineage import AI, YEAR, Laboratory, Pipeline
from tests.support.transfers import ABROAD, HOME, Exchange, asked, consented
from tests.support.world import STUDY, Actor, World, event_named

ORIGIN = "http://testserver"
#: The text of an agreement that is proposed.
CONTRACT = "Standard contract, annex 2\nwith a second line"


@pytest.fixture(scope="session")
def world(devnet: Devnet, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Return one consortium for the whole folder; tests add to it and take nothing away."""
    consortium = World(tmp_path_factory.mktemp("api"), devnet.spec.url)
    yield consortium
    consortium.stop()


@pytest.fixture(scope="session")
def app(world: World) -> FastAPI:
    settings = ApiSettings(
        origin=ORIGIN,
        other_origins=("http://localhost",),
        rpc_url=world.settings.rpc,
        deployed_block=world.runtime.deployment.block_number,
    )
    return create_app(
        world.service, sessions=world.runtime.sessions, settings=settings, checks=world.runtime.checks
    )


@pytest.fixture
def http(app: FastAPI) -> TestClient:
    """Return a client without cookies or credentials."""
    return TestClient(app, base_url=ORIGIN, follow_redirects=False)


@dataclass(frozen=True)
class Cast:
    """Who takes part, and what there is."""

    committee: Actor
    hospital: Actor
    lab: Actor
    auditor: Actor
    outsider: Actor
    holder_key: bytes
    own: str
    assisted: str
    grant: str
    other_grant: str
    withdrawn: str
    project: int
    permit: int
    denial: int
    transfer: str

    @property
    def holder(self) -> str:
        """Return the address of the holder key."""
        return holder_address(self.holder_key)


@pytest.fixture(scope="session")
def cast(world: World, app: FastAPI) -> Cast:
    """Return a consortium in which something of each kind has happened."""
    hospital = world.admit("Riverside Hospital", Role.CUSTODIAN | Role.PROCESSOR)
    lab = world.admit("Northern AI Laboratory", Role.PROCESSOR)
    auditor = world.admit("Data Protection Authority", Role.AUDITOR)
    outsider = world.admit("Nosy Insurance", Role.PROCESSOR)
    holder_key = secrets.token_bytes(32)
    own = world.register(hospital, 1, holder=holder_address(holder_key))
    assisted = world.register(hospital, 2)
    grant = world.grant(hospital, assisted, lab)
    other_grant = world.grant(hospital, assisted, lab, categories=STUDY, max_uses=3)
    withdrawn = world.grant(hospital, assisted, lab)
    world.revoke(hospital, withdrawn)
    project = world.project(lab)
    permit = world.ask(lab, assisted, grant_id=grant, project_id=project)
    denial = world.ask(lab, assisted, grant_id=withdrawn, project_id=project)
    world.ask(outsider, own, purpose=Purpose.INSURANCE_RATING)
    copy = world.ask(lab, assisted, grant_id=grant, project_id=project, operation=Operation.TRANSFER)
    transfer, operation = world.service.transfers.ship(hospital.member, assisted, copy.seq)
    world.done(operation)
    return Cast(
        committee=world.committee,
        hospital=hospital,
        lab=lab,
        auditor=auditor,
        outsider=outsider,
        holder_key=holder_key,
        own=to_hex(own),
        assisted=to_hex(assisted),
        grant=to_hex(grant),
        other_grant=to_hex(other_grant),
        withdrawn=to_hex(withdrawn),
        project=project,
        permit=permit.seq,
        denial=denial.seq,
        transfer=to_hex(transfer),
    )


@pytest.fixture(scope="module")
def speak(app) -> Any:
    """Return a maker of clients that live as long as this module."""
    http = TestClient(app, base_url=ORIGIN, follow_redirects=False)

    def make(who: Actor | bytes | None = None) -> PassportClient:
        if isinstance(who, bytes):
            return PassportClient(
                ORIGIN, str(sign_in(PassportClient(ORIGIN, http=http), who)["code"]), http=http
            )
        return PassportClient(ORIGIN, who.keys if who else None, http=http)

    return make


@dataclass(frozen=True)
class Trail:
    """
    A dataset, a model made of it, and a withdrawal that reached the model.

    Attributes:
        staying: Key, passport and grant of a patient who stays in the dataset.
        leaving: Those of the one who withdrew.
        result: What the model was used for.
    """

    lab: Laboratory
    line: Pipeline
    staying: tuple[bytes, PassportId, GrantId]
    leaving: tuple[bytes, PassportId, GrantId]
    result: VersionId


@pytest.fixture(scope="session")
def trail(world: World, app: FastAPI) -> Trail:
    """Return a laboratory's way from a dataset to a deployed model, and a withdrawal."""
    lab, http = Laboratory(world), TestClient(app, base_url=ORIGIN, follow_redirects=False)

    def patient(key: bytes) -> PassportClient:
        return PassportClient(ORIGIN, str(sign_in(PassportClient(ORIGIN, http=http), key)["code"]), http=http)

    def consented(key: bytes) -> tuple[bytes, PassportId, GrantId]:
        passport = world.register(lab.hospital, 1, holder=holder_address(key))
        prepared = patient(key).prepare_grant(
            {
                "passportId": to_hex(passport),
                "recipient": lab.lab.member.member_id,
                "purposes": [purpose.name for purpose in AI],
                "categories": ["DIAGNOSIS", "MEDICATION", "LABORATORY"],
                "flags": ["ONWARD"],
                "useTo": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(world.now() + YEAR)),
            }
        )
        signature = sign_grant(patient(key).ledger(), grant_of(prepared["grant"]), key)
        given = patient(key).relay_grant(prepared["grant"], signature)["grantId"]
        return key, passport, GrantId(bytes.fromhex(given[2:]))

    staying, leaving = (consented(secrets.token_bytes(32)) for _ in range(2))
    line = lab.pipeline(*(Target(passport, grant) for _, passport, grant in (staying, leaving)))
    stranger = Target(world.register(lab.hospital, 3))
    assert lab.include(line.dataset, stranger) == [Outcome.DENY]
    lab.step(StepKind.DEPLOY, line.model, makes=0)
    result = lab.made(StepKind.INFER, line.model)
    lab.share(line.training, lab.company)
    key, passport, grant = leaving
    signature = sign_revocation(
        patient(key).ledger(), passport_id=to_hex(passport), grant_id=to_hex(grant), private_key=key
    )
    patient(key).revoke(to_hex(grant), signature)
    return Trail(lab, line, staying, leaving, result)


@dataclass(frozen=True)
class Port:
    """
    A hospital, a laboratory and a regulator between whom something of each kind has happened.

    Attributes:
        own: A patient who keeps the key, whose record went to the laboratory together with another's, and alone.
        proposed: An agreement that the company has not signed.
    """

    exchange: Exchange
    holder_key: bytes
    own: str
    other: str
    received: str
    alone: str
    refused: str
    halted: str
    abroad: str
    proposed: int


@pytest.fixture(scope="session")
def port(world: World, app: FastAPI) -> Port:
    """Return an exchange on which transfers of every kind are on record."""
    exchange, http = Exchange(world), TestClient(app, base_url=ORIGIN, follow_redirects=False)
    service, hospital = world.service, exchange.hospital
    key = secrets.token_bytes(32)

    own = to_hex(world.register(hospital, 1, holder=holder_address(key)))
    patient = PassportClient(ORIGIN, str(sign_in(PassportClient(ORIGIN, http=http), key)["code"]), http=http)
    grant = consented(patient, key, own, exchange)
    lab = PassportClient(ORIGIN, exchange.lab.keys, http=http)
    permits = [asked(lab, own, grant, exchange.project) for _ in range(2)]
    (other,) = exchange.records(1)
    passport = PassportId(from_hex(own))
    received = exchange.received([(passport, permits[0]), *exchange.permits([other])])
    alone, shipping = service.transfers.ship(hospital.member, passport, permits[1])
    world.done(shipping)
    refused = exchange.declare(exchange.plan(3, purposes=[Purpose.MARKETING], places=[HOME, ABROAD]))
    halted = exchange.declare(exchange.plan(2))
    world.done(service.transfers.halt(hospital.member, halted, "A seal is broken"))
    exchange.clear()
    abroad = exchange.declare(exchange.plan(1, places=[ABROAD], project_id=exchange.project))
    world.done(
        service.transfers.inspect(exchange.regulator.member, abroad, released=True, report="As declared")
    )
    world.done(service.transfers.load(hospital.member, abroad, exchange.permits(exchange.records(1))))
    world.done(service.transfers.ship_all(hospital.member, abroad))
    exchange.receive(abroad, exchange.root(abroad))
    limits = Limits(
        recipient=exchange.company.member.member_id,
        purposes=1 << Purpose.AI_TRAINING,
        categories=STUDY,
        valid_to=world.now() + 10**7,
        retention_seconds=30 * 86_400,
        response_hours=72,
    )
    operation = world.done(service.agreements.propose(exchange.lab.member, limits, CONTRACT))
    return Port(
        exchange=exchange,
        holder_key=key,
        own=own,
        other=to_hex(other),
        received=to_hex(received),
        alone=to_hex(alone),
        refused=to_hex(refused),
        halted=to_hex(halted),
        abroad=to_hex(abroad),
        proposed=int(event_named(operation, "AgreementProposed").arguments["agreementId"]),
    )


@pytest.fixture
def client(http: TestClient) -> Any:
    """Return a maker of REST clients: for an actor, a member's keys, a session code, or nobody."""

    def make(who: Actor | MemberKeys | str | None = None) -> PassportClient:
        credentials = who.keys if isinstance(who, Actor) else who
        return PassportClient(ORIGIN, credentials, http=http)

    return make


@pytest.fixture
def holder_code(client: Any, cast: Cast) -> str:
    """Return a sign-in code of the patient who keeps the own key."""
    return str(sign_in(client(), cast.holder_key)["code"])


@pytest.fixture
def member_code(client: Any) -> Any:
    return lambda actor: str(client(actor).open_member_session()["code"])


@pytest.fixture
def send(http: TestClient) -> Any:
    """Return a function that sends one signed request exactly as given."""

    def signed(
        actor: Actor,
        method: str,
        path: str,
        body: bytes = b"",
        *,
        headers: dict[str, str] | None = None,
    ) -> httpx2.Response:
        signature = sign_headers(actor.keys, method, ORIGIN + path, body)
        content = {"Content-Type": "application/json"} if body else {}
        return http.request(method, path, content=body, headers={**content, **signature, **(headers or {})})

    return signed


@pytest.fixture
def preparation(cast: Cast) -> dict[str, Any]:
    """Return what a patient decides: the lab may use the own record for AI training for a month."""
    month = time.gmtime(time.time() + 30 * 86_400)
    return {
        "passportId": cast.own,
        "recipient": cast.lab.member.member_id,
        "purposes": ["AI_TRAINING"],
        "categories": ["DIAGNOSIS"],
        "useTo": time.strftime("%Y-%m-%dT%H:%M:%SZ", month),
    }


def registration(index: int) -> dict[str, Any]:
    """Return the body that registers a patient nobody has registered yet."""
    return {
        "bundle": bundle(index, reference=f"api-{secrets.token_hex(8)}"),
        "purposes": ["PRIMARY_CARE", "AI_TRAINING"],
    }


def assert_problem(response: Any, status: int | None = None, code: str | None = None) -> dict[str, Any]:
    """Check the one shape of errors, and that nothing of the inside is told."""
    assert response.headers["content-type"] == "application/problem+json"
    problem = json.loads(response.body if isinstance(response, Response) else response.content)
    assert {"type", "title", "status", "detail", "code", "fix", "retryable", "instance"} <= problem.keys()
    assert problem["status"] == response.status_code
    assert problem["type"] == f"/problems/{problem['code']}"
    assert "Traceback" not in str(problem)
    assert 'File "' not in str(problem)
    if status is not None:
        assert (response.status_code, problem["code"]) == (status, code or problem["code"]), problem
    return problem


def assert_page(response: httpx2.Response) -> Any:
    """Parse a page strictly, and check what every page must be; returns its root element."""
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    root = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(response.text)
    ids = [element.get("id") for element in root.iter() if isinstance(element.tag, str) and element.get("id")]
    assert sorted(set(ids)) == sorted(ids), "an id is used twice"
    assert root.get("lang") == "en"
    assert (root.findtext(".//title") or "").strip()
    assert len(root.findall(".//h1")) == 1
    assert len(root.findall(".//main")) == 1
    _assert_no_inline_code(root)
    _assert_forms(root, set(ids))
    for table in root.findall(".//table"):
        assert table.find("caption") is not None
    for link in root.findall(".//a"):
        if link.get("href").startswith("#"):
            assert link.get("href")[1:] in ids, link.get("href")
    return root


def _assert_no_inline_code(root: Any) -> None:
    for element in root.iter():
        if not isinstance(element.tag, str):
            continue
        assert not any(name.startswith("on") for name in element.attrib), element.tag
        assert element.get("style") is None
    assert all(script.get("src") and not (script.text or "").strip() for script in root.findall(".//script"))
    assert root.find(".//style") is None


def _assert_forms(root: Any, ids: set[str]) -> None:
    for form in root.findall(".//form"):
        assert form.get("action")
        assert form.get("method") in ("get", "post")
    labelled = {label.get("for") for label in root.findall(".//label")}
    assert labelled <= ids
    for field in [*root.findall(".//input"), *root.findall(".//select")]:
        assert field.get("id") in labelled


@pytest.fixture
def request_body(cast: Cast) -> dict[str, Any]:
    """Return a request that would be permitted."""
    return {
        "passportId": cast.assisted,
        "purpose": "AI_TRAINING",
        "basis": "CONSENT",
        "operation": "READ",
        "categories": ["DIAGNOSIS"],
        "level": "PSEUDONYMISED",
        "grantId": cast.grant,
        "projectId": cast.project,
    }
