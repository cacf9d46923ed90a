"""What is accepted reaches the chain exactly once."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from ledger.bootstrap import build
from ledger.chain.devnet import Devnet
from ledger.chain.rpc import Node
from ledger.domain.records import Address, Terms
from ledger.domain.vocabulary import Basis, Category, Operation, Outcome, Purpose, Role
from ledger.encoding.hexadecimal import to_hex
from ledger.encoding.words import pack_terms
from ledger.errors import ConfigurationError, Conflict, InvalidInput, NodeUnreachable, NotFound
from ledger.ports import Call, OperationStatus, SignedTransaction
from ledger.service.decisions import AccessRequest
from ledger.store.database import Database
from ledger.store.journal import SqlJournal
from tests.support.world import World


def test_crowded_requests_share_transactions_and_leave_no_nonce_gap(world: World) -> None:
    """Sixty concurrent requests of one member: contiguous nonces, contiguous seq, fewer transactions than requests."""
    hospital, company = (
        world.admit("Crowd hospital", Role.CUSTODIAN),
        world.admit("Crowd company", Role.PROCESSOR),
    )
    passport = world.register(hospital)
    grant, project = world.grant(hospital, passport, company), world.project(company)
    before = world.runtime.node.nonce(company.member.signer)
    verdicts = []

    def ask() -> None:
        verdicts.append(world.ask(company, passport, grant_id=grant, project_id=project))

    threads = [threading.Thread(target=ask) for _ in range(60)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(verdict.seq for verdict in verdicts) == list(range(60))
    assert {verdict.outcome for verdict in verdicts} == {Outcome.PERMIT}
    assert world.runtime.node.nonce(company.member.signer) - before < 60
    assert world.runtime.journal.next_nonce(company.member.signer) == world.runtime.node.nonce(
        company.member.signer
    )


def test_one_bad_operation_does_not_fail_its_neighbours(world: World) -> None:
    """A queue with one impossible call: the others are mined, the bad one fails with a reason."""
    hospital = world.admit("Neighbour hospital", Role.CUSTODIAN)
    company = world.admit("Neighbour company", Role.PROCESSOR)
    passport = world.register(hospital)
    terms = pack_terms(Terms(Purpose.PRIMARY_CARE, Basis.CONSENT, Operation.READ, Category.DIAGNOSIS))
    good = [terms, to_hex(bytes(32)), [[to_hex(passport), to_hex(bytes(32))]]]
    bad = [terms, to_hex(bytes(32)), [[to_hex(bytes(31) + b"\x01"), to_hex(bytes(32))]]]
    calls = [Call("decide", ([item],)) for item in (good, bad, good)]

    operations = [world.service.writer.submit(company.member.signer, call) for call in calls]

    world.done(operations[0])
    assert world.failed(operations[1])["code"] == NotFound.code
    world.done(operations[2])


def test_a_crash_between_signing_and_sending_loses_and_doubles_nothing(
    devnet: Devnet, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bytes are in the journal before they are sent: the next start sends them, once."""
    world = World(folder, devnet.spec.url)
    hospital, company = (
        world.admit("Crash hospital", Role.CUSTODIAN),
        world.admit("Crash company", Role.PROCESSOR),
    )
    passport = world.register(hospital)

    def cut(_self: Node, _raw: bytes) -> None:
        raise NodeUnreachable("cut off before sending")

    with monkeypatch.context() as patch:
        patch.setattr(Node, "send_raw", cut)
        request = AccessRequest(passport, *_care())
        operation = world.service.decisions.request(company.member, [request])
        pending = world.service.writer.wait(operation.operation_id, timeout=1.5)
        assert pending.status is OperationStatus.SIGNED
        world.stop()

    world.restart()
    world.done(operation)
    assert len(world.service.index.decisions(passport_id=passport)[0]) == 1
    world.stop()


def test_a_lost_answer_is_not_a_lost_transaction(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The node took the transaction but its answer never came: the receipt decides, and it happens once."""
    hospital, company = (
        world.admit("Answer hospital", Role.CUSTODIAN),
        world.admit("Answer company", Role.PROCESSOR),
    )
    passport = world.register(hospital)
    sent, original = [], Node.send_raw

    def lose_the_first_answer(self: Node, raw: bytes) -> None:
        sent.append(raw)
        original(self, raw)
        if len(sent) == 1:
            raise NodeUnreachable("the answer was lost")

    monkeypatch.setattr(Node, "send_raw", lose_the_first_answer)
    verdict = world.ask(company, passport)

    assert verdict.seq == 0
    assert sent[0] == sent[1]
    assert len(world.service.index.decisions(passport_id=passport)[0]) == 1


def test_the_same_idempotency_key_is_the_same_operation(world: World) -> None:
    """Sent twice it happens once; the key for another request is refused."""
    company = world.admit("Key company", Role.PROCESSOR)
    call = Call("withdrawProject", (1,))
    triple = ("member:9", "key-1", "fingerprint")

    first = world.service.writer.submit(company.member.signer, call, idempotency=triple)
    second = world.service.writer.submit(company.member.signer, call, idempotency=triple)

    assert first.operation_id == second.operation_id
    with pytest.raises(Conflict, match="another request"):
        world.service.writer.submit(company.member.signer, call, idempotency=("member:9", "key-1", "other"))


def test_what_cannot_be_encoded_is_refused_before_it_is_written_down(world: World) -> None:
    """A call that does not fit the contract never enters the queue, so it cannot block it."""
    company = world.admit("Encoding company", Role.PROCESSOR)

    with pytest.raises(InvalidInput, match="do not fit"):
        world.service.writer.submit(company.member.signer, Call("decide", (["nonsense"],)))
    with pytest.raises(InvalidInput, match="no function"):
        world.service.writer.submit(company.member.signer, Call("selfDestruct", ()))

    assert world.runtime.journal.queued(company.member.signer, limit=10) == []


def test_a_key_used_elsewhere_stops_the_submitter(world: World) -> None:
    """A nonce that the journal does not know means that somebody else holds the key: nothing more is signed."""
    company = world.admit("Foreign company", Role.PROCESSOR)
    signer, mine = company.member.signer, world.project(company)
    node = world.runtime.node
    max_fee, tip = node.fees()
    foreign, _ = world.runtime.keystore.sign(
        signer,
        {
            "type": 2,
            "chainId": node.chain_id(),
            "to": bytes(20),
            "value": 0,
            "data": b"",
            "gas": 21_000,
            "maxFeePerGas": max_fee,
            "maxPriorityFeePerGas": tip,
            "nonce": node.nonce(signer),
        },
    )
    node.send_raw(foreign)

    operation = world.service.writer.submit(signer, Call("withdrawProject", (mine,)))

    assert world.service.writer.wait(operation.operation_id, timeout=1.5).status is OperationStatus.QUEUED
    assert "does not know" in str(world.runtime.checks()["signers"])


def test_a_batch_of_a_hundred_requests_stays_under_the_caps(world: World) -> None:
    """A hundred requests go out in one transaction under 2^24 gas and 128 KiB."""
    hospital, company = (
        world.admit("Batch hospital", Role.CUSTODIAN),
        world.admit("Batch company", Role.PROCESSOR),
    )
    passport = world.register(hospital)
    requests = [AccessRequest(passport, *_care()) for _ in range(100)]

    operation = world.done(world.service.decisions.request(company.member, requests))

    assert len(operation.events) == 100
    receipt = world.runtime.node.receipt(operation.transaction_hash or b"")
    assert receipt is not None
    assert int(receipt["gasUsed"], 16) < 2**24


def test_a_node_that_is_down_keeps_what_was_accepted(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Accepted while the node is down, mined when it is back; and the chain that came back is the same chain."""
    node = Devnet(tmp_path_factory.mktemp("own-devnet"))
    node.start()
    world = World(tmp_path_factory.mktemp("own-world"), node.spec.url)
    try:
        hospital, company = (
            world.admit("Down hospital", Role.CUSTODIAN),
            world.admit("Down company", Role.PROCESSOR),
        )
        passport = world.register(hospital)
        world.ask(company, passport)
        head = world.runtime.node.head()
        node.kill()

        operation = world.service.decisions.request(company.member, [AccessRequest(passport, *_care())])
        assert world.service.writer.wait(operation.operation_id, timeout=0.5).status is OperationStatus.QUEUED
        assert world.runtime.checks()["node"] is not None
        node.start()
        world.done(operation)

        found = world.runtime.node.block(head.number)
        assert found is not None
        assert found.block_hash == head.block_hash
        assert [r.verdict.seq for r in world.service.index.decisions(passport_id=passport)[0]] == [1, 0]
        # Each signer says that the node is back when it next looks.
        deadline = time.monotonic() + 20
        while (trouble := set(world.runtime.checks().values())) != {None}:
            assert time.monotonic() < deadline, trouble
            time.sleep(0.1)
    finally:
        world.stop()
        node.stop()


def test_two_services_cannot_write_to_one_database(world: World) -> None:
    """The second service is refused with the reason and what to do; the first goes on."""
    second = build(world.settings)

    with pytest.raises(ConfigurationError, match="another service writes") as refused:
        second.start()

    assert "Stop the other service" in refused.value.advice
    assert world.runtime.checks()["lease"] is None


def test_another_chain_is_refused(world: World, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A node of another chain under the same URL settings: nothing is signed, and the message says why."""
    other = Devnet(tmp_path_factory.mktemp("other-devnet"))
    other.start()
    settings = world.settings.model_copy(update={"rpc": other.spec.url})
    world.stop()
    try:
        stranger = build(settings)
        with pytest.raises(ConfigurationError, match="another chain"):
            stranger.start()
        stranger.stop()
    finally:
        world.restart()
        other.stop()


def _care() -> tuple[object, ...]:
    return Purpose.AI_TRAINING, Basis.CONSENT, Operation.READ, Category.DIAGNOSIS


def test_without_the_lease_nothing_is_signed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A service that lost the write lease keeps what it accepted and signs nothing, and says so."""
    company = world.admit("Leaseless company", Role.PROCESSOR)
    mine = world.project(company)
    with monkeypatch.context() as patch:
        patch.setattr(world.runtime.lease, "held", lambda: False)
        operation = world.service.writer.submit(company.member.signer, Call("withdrawProject", (mine,)))
        assert world.service.writer.wait(operation.operation_id, timeout=1.5).status is OperationStatus.QUEUED
        assert world.runtime.checks()["lease"] is not None
    world.done(operation)


def test_an_operation_is_never_signed_twice(folder: Path) -> None:
    """Two processes that read the same queue: the second cannot tie its transaction to what the first has signed."""
    database = Database(f"sqlite:///{folder / 'ledger.db'}", migrations="ledger")
    database.migrate()
    journal, signer = SqlJournal(database), Address("0x" + "11" * 20)
    operation = journal.add(signer, Call("withdrawProject", (1,)), None)
    journal.record_signed(SignedTransaction(b"\x01" * 32, signer, 7, b"one"), [operation.operation_id])

    with pytest.raises(Conflict, match="another process"):
        journal.record_signed(SignedTransaction(b"\x02" * 32, signer, 8, b"two"), [operation.operation_id])

    assert journal.next_nonce(signer) == 8
    database.close()
