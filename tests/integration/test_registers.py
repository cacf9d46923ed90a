"""The registers of the index: everything of small number that the law knows, folded, rolled back, and audited."""

from __future__ import annotations

import json
import secrets
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import select

from ledger.chain.contract import LedgerContract
from ledger.chain.indexer import Indexer
from ledger.domain.records import GrantId, PassportId
from ledger.domain.vocabulary import (
    Basis,
    Category,
    EmergencyFinding,
    GrantStatus,
    MemberKind,
    Operation,
    Outcome,
    Purpose,
    Role,
    kind_set,
)
from ledger.domain.vocabulary import Path as BorderPath
from ledger.encoding.hexadecimal import to_hex
from ledger.encoding.typed_data import delegation_typed_data, guardians_typed_data, sign
from ledger.encoding.words import pack_terms
from ledger.errors import Conflict
from ledger.ports import Call
from ledger.ports import Operation as WriteOperation
from ledger.service.decisions import AccessRequest
from ledger.settings import Settings
from ledger.store.database import Database
from ledger.store.index import SqlIndex
from ledger.store.tables import PROJECTION, registers
from ledger.wallet import holder_address
from tests.support.world import ALL_PURPOSES, STUDY, Actor, World, event_named

#: Every register that the projection keeps.
KINDS = [
    "act",
    "agreement",
    "approval",
    "attestation",
    "border-access",
    "cap-use",
    "caps",
    "clearance",
    "clearance-for",
    "delegate",
    "emergency",
    "entrustment",
    "guardians",
    "recovery",
    "review",
    "right",
    "rule",
    "seat",
    "template",
    "thresholds",
]
STATEMENT = "0x" + "0a" * 32


class History:
    """Something of each register, and the block at which half of it had happened."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.hospital = world.admit("Register hospital", Role.CUSTODIAN | Role.EMERGENCY)
        self.company = world.admit("Register company", Role.PROCESSOR)
        self.ethics = world.admit("Register ethics", Role.ETHICS)
        key = secrets.token_bytes(32)
        self.passport = world.register(self.hospital, 1, holder=holder_address(key))
        self.other = world.register(self.hospital, 2)
        self._committee_work()
        self._speakers(key)
        self.half_way = world.runtime.node.head().number
        self._permits()
        self._emergencies()
        self._review()
        self._recovery()
        self._borders()

    def send(self, actor: Actor, function: str, *arguments: object) -> WriteOperation:
        """Call the ledger as a member."""
        return self.world.done(
            self.world.service.writer.submit(actor.member.signer, Call(function, arguments))
        )

    def act(self, function: str, *arguments: object) -> WriteOperation:
        """Let the committee call the ledger."""
        service, member = self.world.service, self.world.committee.member
        return self.world.done(service.committee.propose(member, Call(function, arguments), "in session"))

    def _committee_work(self) -> None:
        seated = self.world.admit("Register faculty", Role.COMMITTEE)
        self.act("setSeat", seated.member.member_id, 2)
        content = [ALL_PURPOSES & 0xFFF, int(STUDY), kind_set([MemberKind.OTHER]), 86_400, False, STATEMENT]
        issued = [event_named(self.act("issueTemplate", content), "TemplateIssued") for _ in range(2)]
        self.act("withdrawTemplate", issued[0].arguments["template"])
        self.act("setThresholds", [5, 5])
        self.act("setCaps", self.company.member.member_id, 1 << (16 * Purpose.AI_TRAINING))

    def _speakers(self, key: bytes) -> None:
        """Name guardians and a delegate with the holder's key, and entrust a processor."""
        domain, passport = self.world.service.chain.domain(), self.passport
        guardians = guardians_typed_data(
            domain, passport_id=passport, guardians=b"\x0b" * 32, epoch=0, nonce=0
        )
        signature = to_hex(sign(guardians, private_key=key))
        self.send(self.hospital, "nameGuardians", to_hex(passport), "0x" + "0b" * 32, signature)
        until, delegate = self.world.now() + 86_400, bytes.fromhex(holder_address(b"\x0c" * 32)[2:])
        words = delegation_typed_data(
            domain, passport_id=passport, delegate=delegate, valid_to=until, epoch=0, nonce=1
        )
        signature = to_hex(sign(words, private_key=key))
        self.send(self.hospital, "nameDelegate", to_hex(passport), to_hex(delegate), until, signature)
        processor = self.company.member.member_id
        self.send(self.hospital, "entrust", processor, ALL_PURPOSES, until, STATEMENT)
        self.send(self.hospital, "attest", to_hex(passport), 2, until, STATEMENT)

    def _permits(self) -> None:
        """Spend the company's cap of one permit a day."""
        grant = self.world.grant(self.hospital, self.other, self.company)
        project = self.world.project(self.company)
        asked = [
            self.world.ask(self.company, self.other, grant_id=grant, project_id=project) for _ in range(2)
        ]
        assert [verdict.outcome for verdict in asked] == [Outcome.PERMIT, Outcome.DENY]

    def _emergencies(self) -> None:
        """Break the glass and be found unjustified; declare an emergency for all and end it."""
        opened = self.send(self.hospital, "openEmergency", to_hex(self.other), 2, 0, STATEMENT)
        self.emergency = event_named(opened, "EmergencyOpened").arguments["emergencyId"]
        self.send(self.ethics, "reviewEmergency", self.emergency, False, STATEMENT)
        now = self.world.now()
        declaration = [1 << Purpose.PUBLIC_HEALTH, int(STUDY), now, now + 86_400, 10, 840]
        declared = event_named(self.act("declareEmergency", declaration, STATEMENT), "EmergencyDeclared")
        self.act("endEmergency", declared.arguments["emergencyId"])

    def _review(self) -> None:
        """Have a human approve a request that waits for it."""
        world, purpose = self.world, Purpose.DISEASE_RESEARCH
        grant = world.grant(self.hospital, self.other, self.company, purposes=[purpose])
        project = world.project(self.company, purposes=[purpose])
        words = {"purpose": purpose, "grant_id": grant, "project_id": project}
        waits = world.ask(self.company, self.other, **words)
        assert waits.outcome is Outcome.REVIEW
        record = world.service.index.decision(self.other, waits.seq)
        assert record is not None
        request = [
            to_hex(self.other),
            to_hex(grant),
            to_hex(record.commitment),
            pack_terms(record.terms),
        ]
        self.send(
            self.ethics, "reviewRequest", request, self.company.member.member_id, waits.seq, True, STATEMENT
        )
        assert world.ask(self.company, self.other, **words).outcome is Outcome.PERMIT

    def _borders(self) -> None:
        """Clear the hospital's data for a laboratory abroad by contract, which one person crosses under; end it all."""
        world, day = self.world, 86_400
        abroad = world.admit("Register lab abroad", Role.PROCESSOR, jurisdiction=156)
        regulator = world.admit("Register regulator", Role.REGULATOR)
        until, project = world.now() + day, world.project(abroad)
        number, hospital = abroad.member.member_id, self.hospital.member.member_id
        limits = [number, 1 << Purpose.AI_TRAINING, int(STUDY), until, day, 72, False, True]
        agreement = event_named(
            self.send(self.hospital, "proposeAgreement", limits, STATEMENT), "AgreementProposed"
        ).arguments["agreementId"]
        self.send(abroad, "signAgreement", agreement, STATEMENT)
        self.send(regulator, "setBorderAccess", number, until)
        clearance = [hospital, 0, agreement, world.now(), until, 1, 0, int(BorderPath.CONTRACT), project]
        self.send(regulator, "clear", clearance, STATEMENT)
        grant = world.grant(self.hospital, self.other, abroad)
        assert world.ask(abroad, self.other, grant_id=grant, project_id=project).outcome is Outcome.PERMIT
        self.send(regulator, "withdrawClearance", 1, STATEMENT)
        self.send(abroad, "endAgreement", agreement, STATEMENT)

    def _recovery(self) -> None:
        """Begin to replace a lost key at the custodian's counter."""
        key = holder_address(b"\x0d" * 32)
        self.send(self.hospital, "recoverAtCounter", to_hex(self.other), key, 1)


@pytest.fixture(scope="module")
def history(world: World) -> History:
    """Return a ledger on which something of each register happened."""
    return History(world)


@pytest.fixture
def copied(world: World, history: History, folder: Path) -> Path:
    """Return a copy of the service's database at the chain's head."""
    return _copy(world, folder / "copy.db")


def test_the_story_fills_every_register(world: World, history: History) -> None:
    """No kind of row escapes what the other tests here compare."""
    with world.runtime._databases[0].read() as connection:
        found = set(connection.execute(select(registers.c.kind)).scalars())

    assert sorted(found) == KINDS


def test_what_the_registers_say_is_what_happened(world: World, history: History) -> None:
    """Read through the port: seats, rules, caps, emergencies, approvals as the contract has them."""
    index, company = world.service.index, history.company.member.member_id
    day = world.now() // 86_400
    emergency, declared = index.emergencies()
    templates = index.templates()

    assert len(index.seats()) == 2
    assert index.caps(company, day).used == index.caps(company, day).caps == 1 << (16 * Purpose.AI_TRAINING)
    assert (emergency.emergency.finding, emergency.reviewer, emergency.reason) == (
        EmergencyFinding.UNJUSTIFIED,
        history.ethics.member.member_id,
        2,
    )
    assert index.emergency_right(history.hospital.member.member_id).lost
    assert declared.emergency.until == world.service.chain.emergency_until(declared.emergency.emergency_id)
    assert [template.withdrawn for template in templates] == [False, True, False]
    assert index.guardians(history.passport) == b"\x0b" * 32
    recovery = index.recovery(history.other)
    assert recovery is not None
    assert recovery.by_custodian
    assert list(index.delegates(history.passport)) == [holder_address(b"\x0c" * 32)]
    order = index.entrustment(history.hospital.member.member_id, company)
    assert order is not None
    assert order.purposes == ALL_PURPOSES
    acts = index.acts()
    assert [act.act_id for act in acts] == list(range(1, len(acts) + 1))
    assert all(act.executed_at >= act.proposed.time for act in acts)


def test_registers_rolled_back_and_folded_again_are_equal(
    world: World, history: History, copied: Path
) -> None:
    """Back to half of the story, what came after is gone; brought to the head again every row is as before."""
    database = Database(f"sqlite:///{copied}", migrations="ledger")
    before = _rows(database)
    rebuilt = SqlIndex(database)

    rebuilt.roll_back(history.half_way)

    half = _rows(database)
    kinds = {row[0] for row in half["registers"]}
    assert kinds == {
        "act",
        "attestation",
        "caps",
        "delegate",
        "entrustment",
        "guardians",
        "rule",
        "seat",
        "template",
        "thresholds",
    }
    assert set(half["registers"]) < set(before["registers"])
    assert half == _rows_of_a_new_index(world, history.half_way, copied.parent)
    _sync(world, rebuilt)
    assert _rows(database) == before
    database.close()


def test_the_honest_index_is_not_accused(world: World, history: History, copied: Path) -> None:
    """The replay of the chain yields the very rows of the index, registers included."""
    assert world.altered(f"sqlite:///{copied}") == []


@pytest.mark.parametrize("kind", KINDS)
def test_an_altered_register_is_found(world: World, history: History, copied: Path, kind: str) -> None:
    """One value of one row changed behind the service's back: one finding, which names the row."""
    key = _alter(copied, kind)

    (finding,) = world.altered(f"sqlite:///{copied}")

    assert finding.detail.startswith(f"Row {kind}/{key} of registers says body is ")


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("DELETE FROM registers WHERE kind = 'seat' AND key = '1'", "Row seat/1 of registers is missing"),
        (
            "INSERT INTO registers VALUES ('seat', '4711', '{\"kind\":2}')",
            "Row seat/4711 of registers is not on",
        ),
        (
            "UPDATE registers SET body = 'nonsense' WHERE kind = 'rule' AND key = '0'",
            "Row rule/0 of registers says",
        ),
    ],
)
def test_a_register_row_removed_invented_or_broken_is_found(
    world: World, history: History, copied: Path, statement: str, told: str
) -> None:
    """A seat taken away, a seat made up, a row that is no JSON: each is named."""
    with closing(sqlite3.connect(copied)) as connection, connection:
        connection.execute(statement)

    (finding,) = world.altered(f"sqlite:///{copied}")

    assert finding.detail.startswith(told)


def test_one_grant_id_on_two_passports_is_two_grants(world: World, history: History, folder: Path) -> None:
    """Two members ask two patients under one id: the index keeps both apart, and the one that is given is given."""
    grant = GrantId(secrets.token_bytes(32))
    first, second = (world.register(history.hospital, number) for number in (3, 4))
    for passport, actor in ((first, history.company), (second, history.ethics)):
        history.send(actor, "requestConsent", to_hex(passport), to_hex(grant), STATEMENT)
    service = world.service
    assert _statuses(world, grant, first, second) == [GrantStatus.REQUESTED, GrantStatus.REQUESTED]

    words = {
        "purposes": [Purpose.AI_TRAINING],
        "categories": STUDY,
        "use_from": None,
        "use_to": world.now() + 86_400,
        "recipient": history.company.member.member_id,
        "grant_id": grant,
    }
    prepared = service.consents.prepare(second, **words)
    world.done(service.consents.assist(history.hospital.member, prepared))

    assert _statuses(world, grant, first, second) == [GrantStatus.REQUESTED, GrantStatus.ACTIVE]
    given = service.index.grant(grant)
    assert given is not None
    assert (given.passport_id, given.requested_by) == (second, history.ethics.member.member_id)
    request = AccessRequest(
        passport_id=first,
        purpose=Purpose.AI_TRAINING,
        basis=Basis.CONSENT,
        operation=Operation.READ,
        categories=Category.DIAGNOSIS,
        grant_id=grant,
    )
    with pytest.raises(Conflict, match="exists already"):
        service.consents.assist(history.hospital.member, service.consents.prepare(first, **words))
    denied = world.done(service.decisions.request(history.company.member, [request]))
    record = service.index.decision(first, 0)
    assert record is not None
    assert record.verdict.outcome is Outcome.DENY
    assert denied.events[0].arguments["grantId"] == grant
    assert world.altered(f"sqlite:///{_copy(world, folder / 'copy.db')}") == []


def _copy(world: World, path: Path) -> Path:
    """Copy the service's database once its index is at the chain's head."""
    world.service.index.wait_for(world.runtime.node.head().number, timeout=20)
    with (
        closing(sqlite3.connect(world.settings.data / "ledger.db")) as source,
        closing(sqlite3.connect(path)) as target,
    ):
        source.backup(target)
    return path


def _statuses(world: World, grant: GrantId, *passports: PassportId) -> list[GrantStatus]:
    found = []
    for passport in passports:
        records, _ = world.service.index.grants(passport_id=passport)
        found += [record.state.status for record in records if record.grant_id == grant]
    return found


def _alter(path: Path, kind: str) -> str:
    """Change one value in the last row of a register; return its key."""
    with closing(sqlite3.connect(path)) as connection, connection:
        key, body = connection.execute(
            "SELECT key, body FROM registers WHERE kind = ? ORDER BY key DESC", (kind,)
        ).fetchone()
        values = json.loads(body)
        name = min(name for name, value in values.items() if isinstance(value, int | str))
        values[name] = _other(values[name])
        connection.execute(
            "UPDATE registers SET body = ? WHERE kind = ? AND key = ?", (json.dumps(values), kind, key)
        )
    return str(key)


def _other(value: object) -> object:
    if isinstance(value, bool):
        return not value
    return value + 1 if isinstance(value, int) else f"{value}00"


def _rows(database: Database) -> dict[str, list[tuple[object, ...]]]:
    """Return all projected rows of a database, without the numbers that only order them."""
    found = {}
    with database.read() as connection:
        for table in PROJECTION:
            columns = [column for column in table.columns if column.name != "serial"]
            rows = connection.execute(select(*columns)).all()
            found[table.name] = sorted((tuple(row) for row in rows), key=repr)
    return found


def _rows_of_a_new_index(world: World, to_block: int, folder: Path) -> dict[str, list[tuple[object, ...]]]:
    database = Database(Settings(data=folder / "new").database_url(), migrations="ledger")
    database.migrate()
    index = SqlIndex(database)
    _sync(world, index)
    index.roll_back(to_block)
    rows = _rows(database)
    database.close()
    return rows


def _sync(world: World, index: SqlIndex) -> None:
    deployment, node = world.runtime.deployment, world.runtime.node
    assert deployment is not None
    nothing: Callable[[], None] = lambda: None  # noqa: E731 - a guard that has nothing to guard
    Indexer(node, LedgerContract(node, deployment, guard=nothing), deployment, index, guard=nothing).sync()
