"""What is accepted reaches the chain exactly once."""

from __future__ import annotations

import secrets
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from ledger.bootstrap import build
from ledger.chain.devnet import Devnet
from ledger.chain.rpc import Node
from ledger.chain.submitter import next_batch
from ledger.domain.records import Address, Terms
from ledger.domain.vocabulary import Basis, Category, Operation, Outcome, Purpose, Role
from ledger.encoding.hexadecimal import from_hex, to_hex
from ledger.encoding.typed_data import grant_message, grant_typed_data, sign
from ledger.encoding.words import pack_terms
from ledger.errors import (
    ConfigurationError,
    Conflict,
    InvalidInput,
    NodeUnreachable,
    NotFound,
    SignatureExpired,
)
from ledger.ports import Call, OperationStatus, Receipt, SignedTransaction
from ledger.ports import Operation as Written
from ledger.service.consents import proof
from ledger.service.decisions import AccessRequest
from ledger.store.database import Database
from ledger.store.journal import SqlJournal
from ledger.wallet import holder_address
from tests.support.data import bundle
from tests.support.world import Actor, World


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


@pytest.mark.parametrize("killed", [False, True], ids=["running", "killed in between"])
def test_one_that_no_longer_holds_in_the_block_does_not_fail_its_neighbours(
    timed_world: World, *, killed: bool
) -> None:
    """
    Three consents share a transaction; all pass the estimate, and one is out of time in the block that takes it.

    The transaction is reverted, and the two others are granted, each once, even if the service was killed meanwhile.
    """
    world = timed_world
    hospital = world.admit("Shared hospital", Role.CUSTODIAN)
    company = world.admit("Shared company", Role.PROCESSOR)
    late = world.now() + 1_000
    calls = [
        _signed_grant(world, hospital, company, deadline) for deadline in (late + 3600, late, late + 3600)
    ]
    node = world.runtime.node
    node.request("evm_setAutomine", False)
    try:
        operations = _queue_together(world, hospital, calls)
        hashes = {_signed(world, operation).transaction_hash for operation in operations}
        assert len(hashes) == 1
        if killed:
            world.stop()
        node.request("evm_setNextBlockTimestamp", hex(late + 1))
        node.request("evm_mine")
    finally:
        node.request("evm_setAutomine", True)
    if killed:
        world.restart()

    first, third = world.done(operations[0]), world.done(operations[2])
    assert world.failed(operations[1])["code"] == SignatureExpired.code
    assert [event.name for event in (*first.events, *third.events)] == ["ConsentGranted"] * 2
    assert not hashes & {first.transaction_hash, third.transaction_hash}
    granted = [world.service.index.grant(from_hex(call.arguments[0][0][0])) for call in calls]
    assert [record is not None for record in granted] == [True, False, True]
    signer = hospital.member.signer
    assert world.runtime.journal.next_nonce(signer) == world.runtime.node.nonce(signer)


def test_what_went_back_to_the_queue_is_settled_by_its_own_transaction_alone(folder: Path) -> None:
    """A chain that is filled again reverts the shared transaction again: that changes nothing any more."""
    database = Database(f"sqlite:///{folder / 'ledger.db'}", migrations="ledger")
    database.migrate()
    journal, signer = SqlJournal(database), Address("0x" + "11" * 20)
    first, second, third = (journal.add(signer, Call("issue", ([],)), None) for _ in range(3))
    shared = SignedTransaction(b"\x01" * 32, signer, 0, b"shared")
    journal.record_signed(shared, [first.operation_id, second.operation_id, third.operation_id])
    reverted = Receipt(shared.transaction_hash, 1, b"\x0a" * 32, 0, 1, False, 1, None, ())

    journal.confirm(reverted, {}, {"code": "conflict"})
    queued = journal.queued(signer, limit=10)
    assert [(item.operation_id, item.alone) for item in queued] == [
        (operation.operation_id, True) for operation in (first, second, third)
    ]
    assert [len(next_batch(queued[place:])) for place in range(3)] == [1, 1, 1]
    journal.fail(first.operation_id, {"code": "signature-expired"})
    journal.record_signed(SignedTransaction(b"\x02" * 32, signer, 1, b"own"), [second.operation_id])
    journal.confirm(reverted, {}, {"code": "conflict"})

    found = [journal.operation(operation.operation_id) for operation in (first, second, third)]
    assert [operation.status for operation in found if operation] == [
        OperationStatus.FAILED,
        OperationStatus.SIGNED,
        OperationStatus.QUEUED,
    ]
    assert found[0] is not None
    assert found[0].error == {"code": "signature-expired"}
    database.close()


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
        document = bundle(2, reference="registered-while-down")
        registered = world.service.records.register(
            hospital.member, document, purposes=[Purpose.PRIMARY_CARE]
        )
        assert world.service.writer.wait(operation.operation_id, timeout=0.5).status is OperationStatus.QUEUED
        assert world.runtime.checks()["node"] is not None
        node.start()
        world.done(operation)
        world.done(registered)
        with pytest.raises(Conflict, match="has registered this patient"):
            world.register(hospital, document=document)

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


def _signed_grant(world: World, hospital: Actor, company: Actor, deadline: int) -> Call:
    """Return the call that grants what a new patient of the hospital's signed until *deadline*."""
    key = secrets.token_bytes(32)
    passport = world.register(hospital, holder=holder_address(key))
    prepared = world.service.consents.prepare(
        passport,
        purposes=[Purpose.AI_TRAINING],
        categories=Category.DIAGNOSIS,
        use_from=None,
        use_to=world.now() + 86_400,
        recipient=company.member.member_id,
    )
    grant = replace(prepared.grant, deadline=deadline)
    signature = sign(grant_typed_data(world.service.chain.domain(), grant), private_key=key)
    return Call("grant", ([list(grant_message(grant).values())], [proof(signature, "0x")]))


def _queue_together(world: World, actor: Actor, calls: list[Call]) -> list[Written]:
    """Queue calls while nothing is signed, so that they share a transaction."""
    world.runtime.writer.stop()
    operations = [world.service.writer.submit(actor.member.signer, call) for call in calls]
    world.runtime.writer.start()
    return operations


def _signed(world: World, operation: Written) -> Written:
    """Wait until an operation is signed."""
    deadline = time.monotonic() + 30
    while True:
        found = world.service.writer.operation(operation.operation_id)
        assert found is not None
        if found.status is OperationStatus.SIGNED:
            return found
        assert time.monotonic() < deadline, found
        time.sleep(0.05)


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
