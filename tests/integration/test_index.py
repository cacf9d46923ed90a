"""The index is a projection: rebuilt it is the same, a fork is rolled back, an altered row is noticed."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, select, update

from cli import main
from ledger.chain.contract import LedgerContract, calldata
from ledger.chain.devnet import Devnet
from ledger.chain.indexer import Indexer
from ledger.chain.rpc import Node
from ledger.client import MemberKeys
from ledger.domain.records import Address, Admission, PassportId
from ledger.domain.vocabulary import Role
from ledger.encoding.hexadecimal import from_hex, to_hex
from ledger.errors import StoreUnavailable
from ledger.ports import Call
from ledger.service.members import admit_call
from ledger.settings import Settings
from ledger.store.database import Database
from ledger.store.index import SqlIndex
from ledger.store.tables import PROJECTION, cursor, decisions, operations
from tests.support.world import ALL_PURPOSES, Actor, World


@pytest.fixture(scope="module")
def devnet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Devnet]:
    """Return a devnet of this module's own: it is wound back, and other services would send again what they lost."""
    node = Devnet(tmp_path_factory.mktemp("index-devnet"))
    node.start()
    yield node
    node.stop()


@pytest.fixture(scope="module")
def history(world: World) -> tuple[Actor, Actor]:
    """Return a hospital and a company with a little history: a permit, a denial, a withdrawal."""
    hospital, company = (
        world.admit("Index hospital", Role.CUSTODIAN),
        world.admit("Index company", Role.PROCESSOR),
    )
    passport = world.register(hospital)
    grant, project = world.grant(hospital, passport, company, max_uses=5), world.project(company)
    world.ask(company, passport, grant_id=grant, project_id=project)
    world.revoke(hospital, grant)
    world.ask(company, passport, grant_id=grant, project_id=project)
    return hospital, company


def test_a_rebuilt_index_is_equal_digest_for_digest(
    world: World, history: tuple[Actor, Actor], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A second index made from the same chain has the same rows."""
    folder = tmp_path_factory.mktemp("rebuilt")
    database = Database(Settings(data=folder).database_url(), migrations="ledger")
    database.migrate()
    rebuilt = SqlIndex(database)
    deployment = world.runtime.deployment
    assert deployment is not None

    node = world.runtime.node
    Indexer(
        node, LedgerContract(node, deployment, guard=lambda: None), deployment, rebuilt, guard=lambda: None
    ).sync()
    world.service.index.wait_for(rebuilt.state().block_number, timeout=10)

    assert _digest(world) == _digest_of(database)
    database.close()


@pytest.fixture
def of_our_own(tmp_path: Path, devnet: Devnet) -> Iterator[World]:
    """Return a service that this test stops and starts, with its own ledger."""
    consortium = World(tmp_path / "own", devnet.spec.url)
    yield consortium
    consortium.stop()


def test_a_stopped_service_s_index_is_rebuilt_by_command(
    of_our_own: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Emptied, with a table dropped besides, it comes back digest for digest; a running service's is left alone."""
    world = of_our_own
    hospital = world.admit("Rebuilt hospital", Role.CUSTODIAN)
    company = world.admit("Rebuilt company", Role.PROCESSOR)
    passport = world.register(hospital)
    world.ask(company, passport, grant_id=world.grant(hospital, passport, company))
    before, journal = _digest(world), _operations(world)
    block = world.service.index.state().block_number
    rebuild = ["doctor", "--rebuild-index", "--dir", str(world.settings.data)]

    assert main.run([*rebuild, "--yes"]) == 2
    assert "another service writes to this database" in capsys.readouterr().err
    assert before == _digest(world)

    world.stop()
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    assert main.run(rebuild) == 2
    assert before == _digest(world)

    with world.runtime._databases[0].write() as connection:
        decisions.drop(connection)
    assert main.run([*rebuild, "--yes", "--json"]) == 0
    assert all(digest == hashlib.sha256().hexdigest() for digest in _digest(world).values())
    assert journal == _operations(world)

    world.restart()
    assert world.service.index.wait_for(block, timeout=30)
    assert before == _digest(world)
    assert world.service.index.state().consistent


def test_there_is_no_index_to_rebuild_where_no_service_ran(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A wrong folder is said to be one, and no database is left in it."""
    assert main.run(["doctor", "--rebuild-index", "--yes", "--dir", str(tmp_path)]) == 2
    assert "there is no database" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_name_that_is_no_text_stops_neither_index_nor_audit(
    world: World, history: tuple[Actor, Actor]
) -> None:
    """Past the service a member is admitted under any bytes: all else goes on, and the audit reads what the index reads."""
    keys, deployment = MemberKeys.new("Unreadable"), world.runtime.deployment
    assert deployment is not None
    admission = Admission(
        name=keys.name,
        signer=Address("0x" + "5a" * 20),
        roles=Role.PROCESSOR,
        purposes=ALL_PURPOSES,
        jurisdiction=840,
        valid_to=world.now() + 10**8,
        signing_key=from_hex(keys.signing_public),
        sealing_key=from_hex(keys.sealing_public),
    )
    raw = to_hex(calldata(admit_call(admission))).replace(keys.name.encode().hex(), "fffe" * 5)
    proposal = Call("propose", (raw, to_hex(b"\x01" * 32)))
    world.done(world.service.writer.submit(world.committee.member.signer, proposal))

    assert world.service.index.members()[-1].name == "\ufffd" * 10
    assert world.admit("Index latecomer", Role.PROCESSOR).member.name == "Index latecomer"
    assert world.altered() == []


def test_a_tampered_fold_is_noticed_and_made_again(world: World, history: tuple[Actor, Actor]) -> None:
    """Decisions removed behind the indexer's back: the fold differs from the contract's head, and it begins again."""
    _, company = history
    before = _digest(world)
    database = world.runtime._databases[0]
    with database.write() as connection:
        connection.execute(delete(decisions))
        connection.execute(update(cursor).values(head=bytes(32)))

    world.project(company)  # a new block, so that the indexer looks
    world.runtime.indexer and world.runtime.indexer.sync()
    world.runtime.indexer and world.runtime.indexer.sync()

    assert world.service.index.state().consistent
    assert before["decisions"] == _digest(world)["decisions"]


def test_a_reorganisation_is_rolled_back(
    world: World, history: tuple[Actor, Actor], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Blocks that leave the chain leave the index with all that followed from them."""
    _, company = history
    node, index = world.runtime.node, world.service.index
    snapshot = node.request("evm_snapshot")
    kept = node.head()
    project = world.project(company)
    assert index.project(project) is not None
    monkeypatch.setattr(world.service.chain, "_guard", lambda: None)
    world.runtime.writer.stop()
    indexer = world.runtime.indexer
    assert indexer is not None
    # Before the chain loses blocks: the indexer's own thread would have the journal bring them back.
    monkeypatch.setattr(indexer, "_guard", lambda: None)
    node.request("evm_revert", snapshot)

    indexer.sync()

    assert index.state().block_number == kept.number
    assert index.project(project) is None
    monkeypatch.undo()
    asked: set[bytes] = set()
    receipt = Node.receipt

    def told(self: Node, transaction_hash: bytes) -> dict[str, Any] | None:
        asked.add(transaction_hash)
        return receipt(self, transaction_hash)

    monkeypatch.setattr(Node, "receipt", told)
    world.runtime.writer.start()
    world.runtime.guard.check()  # the journal brings the lost transaction back, and looks at no other
    indexer.sync()
    assert index.project(project) is not None
    mined = world.runtime.journal.mined()
    lost = {item.transaction.transaction_hash for item in mined if item.block_number > kept.number}
    assert lost <= asked
    assert len(lost) < len(mined)
    assert not asked & {
        item.transaction.transaction_hash for item in mined if item.block_number <= kept.number
    }


def test_a_range_that_a_node_refuses_is_halved_and_nothing_is_skipped(
    world: World, history: tuple[Actor, Actor], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A node that serves three blocks of logs at a time gives the same logs as one that serves all."""
    deployment = world.runtime.deployment
    assert deployment is not None
    node = world.runtime.node
    everything = list(node.logs(deployment.ledger, 0, node.head().number))
    original = Node.request

    def narrow(self: Node, method: str, *parameters: object) -> object:
        if method == "eth_getLogs":
            query = parameters[0]
            assert isinstance(query, dict)
            if int(query["toBlock"], 16) - int(query["fromBlock"], 16) >= 3:
                from ledger.chain.rpc import RpcError

                raise RpcError("query returned more than 10000 results")
        return original(self, method, *parameters)

    monkeypatch.setattr(Node, "request", narrow)

    assert everything == list(node.logs(deployment.ledger, 0, node.head().number))


def test_pages_are_stable_while_rows_arrive(world: World, history: tuple[Actor, Actor]) -> None:
    """A list read page by page, with a decision recorded in between, has no gap and no duplicate."""
    hospital, company = history
    passport = world.register(hospital)
    for _ in range(4):
        world.ask(company, passport)
    first, following = world.service.index.decisions(passport_id=passport, limit=2)
    world.ask(company, passport)
    second, end = world.service.index.decisions(passport_id=passport, limit=2, after=following)

    assert [record.verdict.seq for record in (*first, *second)] == [3, 2, 1, 0]
    assert end is None


def test_a_locked_database_is_an_error_that_can_be_tried_again(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """A database that cannot be opened says so; it does not raise the library's own error."""
    folder = tmp_path_factory.mktemp("gone") / "missing" / "deep"
    database = Database(f"sqlite:///{folder}/ledger.db", migrations="ledger")

    with pytest.raises(StoreUnavailable) as refused, database.read():
        pass

    assert refused.value.retryable
    database.close()


def _operations(world: World) -> list[str]:
    """Return what the journal holds, row for row."""
    with world.runtime._databases[0].read() as connection:
        return [repr(tuple(row)) for row in connection.execute(select(operations))]


def _digest(world: World) -> dict[str, str]:
    return _digest_of(world.runtime._databases[0])


def _digest_of(database: Database) -> dict[str, str]:
    digests = {}
    with database.read() as connection:
        for table in PROJECTION:
            columns = [column for column in table.columns if column.name != "serial"]
            rows = sorted(repr(tuple(row)) for row in connection.execute(select(*columns)))
            digests[table.name] = hashlib.sha256("\n".join(rows).encode()).hexdigest()
    return digests


def test_an_index_that_is_made_anew_passes_on_what_is_destroyed(
    world: World, tmp_path: Path, history: tuple[Actor, Actor]
) -> None:
    """All at first, so that a service that was stopped in between erases at its next start; then nothing twice."""
    hospital, _ = history
    passport = world.register(hospital, 6)
    world.done(world.service.records.destroy(hospital.member, passport, "Retention ended"))
    database = Database(Settings(data=tmp_path).database_url(), migrations="ledger")
    database.migrate()
    deployment, node = world.runtime.deployment, world.runtime.node
    assert deployment is not None
    told: list[set[PassportId]] = []
    indexer = Indexer(
        node,
        LedgerContract(node, deployment, guard=lambda: None),
        deployment,
        SqlIndex(database),
        guard=lambda: None,
        erase=lambda passports: told.append(set(passports)),
    )

    indexer.sync()
    indexer.sync()

    assert len(told) == 1
    assert passport in told[0]
    database.close()
