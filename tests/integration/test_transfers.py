"""Transfers of many records on a real chain: what is declared, loaded, shipped, received, stopped, and told of it."""

from __future__ import annotations

from random import Random

import pytest

from api.schemas.releases import release_out
from ledger.audit.auditor import AuditReport, audit
from ledger.audit.findings import Rule
from ledger.bootstrap import index_reader
from ledger.chain import artifacts
from ledger.client import content_received
from ledger.domain.records import TransferId
from ledger.domain.vocabulary import (
    Category,
    Operation,
    Purpose,
    Role,
    TransferFact,
    TransferStatus,
    purpose_set,
)
from ledger.encoding import merkle
from ledger.encoding.hexadecimal import to_hex
from ledger.errors import Conflict, InvalidInput, NotFound, NotPermitted
from ledger.service.transfers import DiscrepancyKind
from ledger.transfers import missing_of
from tests.support.transfers import ABROAD, HOME, Exchange
from tests.support.world import STUDY, World

DAY = 86_400


@pytest.fixture(scope="module")
def world(timed_world: World) -> World:
    return timed_world


@pytest.fixture(scope="module")
def exchange(world: World) -> Exchange:
    return Exchange(world)


def test_many_records_move_together(world: World, exchange: Exchange) -> None:
    """Declared, loaded in two calls, shipped; the recipient computes the root from what it decrypted, and both agree."""
    transfers = world.service.transfers
    passports = exchange.records(5)
    permits = exchange.permits(passports)
    name = exchange.declare(exchange.plan(5))
    assert exchange.get(name).transfer.status is TransferStatus.CLEARED

    for some in (permits[:2], permits[2:]):
        world.done(transfers.load(exchange.hospital.member, name, some))
    world.done(transfers.ship_all(exchange.hospital.member, name))
    root = exchange.get(name).transfer.content

    pages = transfers.collect_many(exchange.lab.member, name, limit=3)
    pages += transfers.collect_many(exchange.lab.member, name, after=2, limit=3)
    assert [item.passport_id for item, _ in pages] == passports
    leaves = []
    for item, release in pages:
        received = content_received(release_out(release).model_dump(by_alias=True), exchange.lab.keys)
        leaves.append(merkle.leaf(item.passport_id, item.seq, received))
    assert merkle.root(leaves) == root
    exchange.receive(name, merkle.root(leaves))

    record = exchange.get(name)
    assert (record.transfer.status, record.transfer.loaded) == (TransferStatus.RECEIVED, 5)
    assert transfers.description_of(record) == "The cohort of the year"
    for place, passport in enumerate(passports):
        (proof,) = transfers.proofs_of(passport)
        assert (proof.item.place, proof.root, proof.size) == (place, root, 5)
        leaf = merkle.leaf_of(proof.item)
        assert merkle.verify(leaf, index=place, size=5, path=proof.path, root=root)
        assert [
            each.transfer.transfer_id for each in world.service.index.transfers(passport_id=passport)
        ] == [name]
    with pytest.raises(Conflict, match="received before"):
        transfers.receive(exchange.lab.member, name, record.transfer.content)


def test_another_root_is_a_dispute_for_everybody_to_see(world: World, exchange: Exchange) -> None:
    name = exchange.shipped(exchange.permits(exchange.records(2)))
    exchange.receive(name, b"\x01" * 32)

    assert exchange.get(name).transfer.status is TransferStatus.DISPUTED
    (found,) = discrepancies(world, name)
    assert (found.kind, found.member_id) == (DiscrepancyKind.DISPUTED, exchange.hospital.member.member_id)
    # It stays on the list when the recipient gives back what it received.
    world.done(world.service.transfers.close(exchange.lab.member, name, "Returned on a disk"))
    assert [each.kind for each in discrepancies(world, name)] == [DiscrepancyKind.DISPUTED]
    (note,) = world.service.transfers.notes_of(exchange.get(name))
    assert (note.note.event, note.words) == ("TransferClosed", "Returned on a disk")


@pytest.mark.parametrize(
    ("changes", "missing"),
    [
        ({"purposes": [Purpose.INSURANCE_RATING]}, TransferFact.WITHIN_LIMITS),
        ({"places": [HOME, ABROAD]}, TransferFact.BORDER_CLEARED),
        ({"route": [ABROAD]}, TransferFact.BORDER_CLEARED),
    ],
)
def test_what_breaks_a_rule_is_on_record_and_refused(
    world: World, exchange: Exchange, changes: dict[str, object], missing: TransferFact
) -> None:
    name = exchange.declare(exchange.plan(1, **changes))

    transfer = exchange.get(name).transfer
    assert (transfer.status, transfer.missing) == (TransferStatus.REFUSED, missing)
    with pytest.raises(Conflict, match="is REFUSED"):
        world.service.transfers.load(exchange.hospital.member, name, exchange.permits(exchange.records(1)))


def test_records_are_loaded_only_as_declared(world: World, exchange: Exchange) -> None:
    load, hospital = world.service.transfers.load, exchange.hospital.member
    permits = exchange.permits(exchange.records(2))
    name = exchange.declare(exchange.plan(1))

    with pytest.raises(InvalidInput, match="named twice"):
        load(hospital, name, [permits[0], permits[0]])
    with pytest.raises(InvalidInput, match="1 to 100"):
        load(hospital, name, [])
    with pytest.raises(NotPermitted, match="not the sender"):
        load(exchange.lab.member, name, permits[:1])
    assert "holds 0 of 1" in world.failed(load(hospital, name, permits))["message"]
    with pytest.raises(Conflict, match="not on its way"):
        world.service.transfers.receive(exchange.lab.member, name, exchange.get(name).transfer.content)
    world.done(load(hospital, name, permits[:1]))
    with pytest.raises(NotPermitted, match="no unused permit"):
        load(hospital, name, permits[:1])
    other = exchange.declare(exchange.plan(1, categories=Category.LABORATORY))
    problem = world.failed(load(hospital, other, permits[1:]))
    assert "no unused permit" in problem["message"]
    with pytest.raises(NotFound):
        world.service.transfers.ship_all(hospital, TransferId(b"\x09" * 32))
    problem = world.failed(world.service.transfers.ship_all(hospital, other))
    assert "holds 0 of 1" in problem["message"]


def test_a_running_transfer_stops_when_its_agreement_ends(world: World, exchange: Exchange) -> None:
    transfers = world.service.transfers
    agreement = exchange.agree(exchange.hospital, exchange.lab)
    name = exchange.shipped(exchange.permits(exchange.records(1)), agreement_id=agreement)
    with pytest.raises(Conflict, match="is SHIPPED"):
        transfers.load(exchange.hospital.member, name, exchange.permits(exchange.records(1)))
    exchange.end(agreement)

    with pytest.raises(Conflict, match="has lapsed"):
        transfers.collect_many(exchange.lab.member, name)
    # Then anybody stops it.
    world.done(transfers.terminate(exchange.company.member, name, "The agreement has ended"))
    assert exchange.get(name).transfer.status is TransferStatus.TERMINATED
    # What had arrived by then is still stated, and never passed on.
    exchange.receive(name, exchange.root(name))
    assert exchange.get(name).transfer.status is TransferStatus.DISPUTED


def test_halted_nothing_is_handed_over(world: World, exchange: Exchange) -> None:
    transfers = world.service.transfers
    name = exchange.shipped(exchange.permits(exchange.records(1)))
    world.done(transfers.halt(exchange.regulator.member, name, "A complaint came in"))

    with pytest.raises(Conflict, match="is HALTED"):
        transfers.collect_many(exchange.lab.member, name)
    problem = world.failed(transfers.resume(exchange.hospital.member, name))
    assert "may not do this" in problem["message"]
    world.done(transfers.resume(exchange.regulator.member, name))
    exchange.receive(name, exchange.root(name))
    assert [note.note.event for note in transfers.notes_of(exchange.get(name))] == [
        "TransferHalted",
        "TransferResumed",
    ]
    with pytest.raises(Conflict, match="is RECEIVED"):
        transfers.halt(exchange.hospital.member, name, "Too late")


def test_what_a_regulator_took_over_its_sender_cannot_resume(world: World, exchange: Exchange) -> None:
    transfers, hospital = world.service.transfers, exchange.hospital.member
    name = exchange.loaded(exchange.permits(exchange.records(1)))
    world.done(transfers.halt(hospital, name, "Before the regulator comes"))
    with pytest.raises(Conflict, match="is HALTED"):
        transfers.halt(hospital, name, "Twice")
    world.done(transfers.halt(exchange.regulator.member, name, "A complaint came in"))

    halted = exchange.get(name).transfer
    assert (halted.halted_by, halted.halted_from) == (
        exchange.regulator.member.member_id,
        TransferStatus.CLEARED,
    )
    problem = world.failed(transfers.resume(hospital, name))
    assert "may not do this" in problem["message"]
    with pytest.raises(Conflict, match="is HALTED"):
        transfers.halt(exchange.regulator.member, name, "Twice")
    world.done(transfers.resume(exchange.regulator.member, name))
    assert exchange.get(name).transfer.status is TransferStatus.CLEARED


def test_nobody_erases_a_receipt_by_stopping_first(world: World, exchange: Exchange) -> None:
    """Halted or terminated on its way, it is still to be answered, and everybody reads that it is not, or how."""
    transfers, hospital, lab = world.service.transfers, exchange.hospital.member, exchange.lab.member
    halted = exchange.shipped(exchange.permits(exchange.records(1)))
    ended = exchange.shipped(exchange.permits(exchange.records(1)))
    world.done(transfers.halt(hospital, halted, "Before they look"))
    world.done(transfers.terminate(hospital, ended, "Before they look"))
    world.pass_time(7 * DAY + 1)
    for name in (halted, ended):
        (found,) = discrepancies(world, name)
        assert (found.kind, found.member_id) == (DiscrepancyKind.UNANSWERED, lab.member_id)
    state = audited(world)
    unanswered = [each for each in state.findings if each.rule is Rule.TRANSFER_UNANSWERED]
    assert sum(to_hex(name) in each.detail for name in (halted, ended) for each in unanswered) == 2

    for name in (halted, ended):
        exchange.receive(name, b"\x01" * 32)
        assert exchange.get(name).transfer.status is TransferStatus.DISPUTED
        assert [each.kind for each in discrepancies(world, name)] == [DiscrepancyKind.DISPUTED]
        with pytest.raises(Conflict, match="received before"):
            transfers.receive(lab, name, exchange.get(name).transfer.content)
    with pytest.raises(Conflict, match="is DISPUTED"):
        transfers.resume(hospital, halted)


def test_a_recipient_abroad_owes_reports_whatever_becomes_of_it(world: World, exchange: Exchange) -> None:
    """From the shipping on: neither silence nor an end frees it, but only that it is destroyed or returned."""
    transfers, lab = world.service.transfers, exchange.lab.member
    exchange.clear()
    name = exchange.declare(exchange.plan(1, places=[ABROAD], project_id=exchange.project))
    world.done(transfers.inspect(exchange.regulator.member, name, released=True, report="Fine"))
    with pytest.raises(Conflict, match="nothing is to be reported"):
        transfers.report(lab, name, "Too early")
    world.done(transfers.load(exchange.hospital.member, name, exchange.permits(exchange.records(1))))
    world.done(transfers.ship_all(exchange.hospital.member, name))
    world.done(transfers.terminate(lab, name, "To owe nothing"))
    assert name in [record.transfer.transfer_id for record in transfers.reports_owed(lab)]
    world.until(exchange.get(name).transfer.report_due)

    kinds = [DiscrepancyKind.UNANSWERED, DiscrepancyKind.REPORT_OVERDUE]
    assert [each.kind for each in discrepancies(world, name)] == kinds
    report = audited(world)
    assert any(each.rule is Rule.REPORT_OVERDUE and to_hex(name) in each.detail for each in report.findings)
    world.done(transfers.end_border_access(exchange.company.member, name))
    world.done(transfers.report(lab, name, "Never opened"))
    world.done(transfers.close(lab, name, "Deleted unopened"))
    assert [each.kind for each in discrepancies(world, name)] == kinds[:1]
    exchange.receive(name, exchange.root(name))
    assert exchange.get(name).transfer.status is TransferStatus.CLOSED
    assert discrepancies(world, name) == []


def test_one_record_shipped_abroad_is_reported_on_too(world: World, exchange: Exchange) -> None:
    transfers, hospital = world.service.transfers, exchange.hospital
    guest = world.admit("Laboratory abroad", Role.PROCESSOR, jurisdiction=ABROAD)
    project = world.project(guest)
    exchange.clear(importer=guest, project=project)
    (passport,) = exchange.records(1)
    grant = world.grant(hospital, passport, guest)
    verdict = world.ask(guest, passport, grant_id=grant, project_id=project, operation=Operation.TRANSFER)
    name, operation = transfers.ship(hospital.member, passport, verdict.seq)
    world.done(operation)
    transfer, shipped = exchange.get(name).transfer, exchange.get(name).shipped
    assert (transfer.crosses, transfer.report_due) == (True, shipped.time + 90 * DAY)
    assert audited(world).replay.state.transfers[name].transfer == transfer

    world.until(transfer.report_due)
    kinds = [DiscrepancyKind.UNANSWERED, DiscrepancyKind.REPORT_OVERDUE]
    assert [each.kind for each in discrepancies(world, name)] == kinds
    world.done(transfers.end_border_access(exchange.company.member, name))
    world.done(transfers.report(guest.member, name, "Kept as agreed"))
    assert exchange.get(name).transfer.report_due > world.now()
    world.done(transfers.close(guest.member, name, "Destroyed"))


def test_what_is_withdrawn_is_not_handed_over(world: World, exchange: Exchange) -> None:
    """The consent of one of two ends after the shipment: collecting stops at that record."""
    passports = exchange.records(2)
    permits = exchange.permits(passports)
    name = exchange.shipped(permits)
    (grants, _) = world.service.index.grants(passport_id=passports[1])
    world.revoke(exchange.hospital, grants[0].grant_id)

    assert len(world.service.transfers.collect_many(exchange.lab.member, name, limit=1)) == 1
    with pytest.raises(NotPermitted, match="consent has ended"):
        world.service.transfers.collect_many(exchange.lab.member, name, after=0)


def test_a_child_stays_within_its_parent(world: World, exchange: Exchange) -> None:
    transfers, lab = world.service.transfers, exchange.lab
    passports = exchange.records(3)
    parent = exchange.received(exchange.permits(passports[:2]))
    onward = exchange.agree(lab, exchange.company)
    wider = exchange.declare(
        exchange.plan(
            1, agreement_id=onward, parent=parent, purposes=[Purpose.AI_TRAINING, Purpose.RESEARCH]
        ),
        lab,
    )
    assert exchange.get(wider).transfer.missing is TransferFact.ONWARD_ALLOWED

    child = exchange.declare(exchange.plan(2, agreement_id=onward, parent=parent), lab)
    permits = exchange.permits(passports, exchange.company)
    with pytest.raises(NotPermitted, match="is not in transfer"):
        transfers.load(lab.member, child, permits[2:])
    world.done(transfers.load(lab.member, child, permits[:2]))
    world.done(transfers.ship_all(lab.member, child))
    (item, _), _ = transfers.collect_many(exchange.company.member, child)
    assert item.passport_id == passports[0]
    assert len(transfers.proofs_of(passports[0])) == 2

    # An agreement that forbids it.
    narrow = exchange.agree(exchange.hospital, lab)
    parent = exchange.received(exchange.permits(exchange.records(1)), agreement_id=narrow)
    child = exchange.declare(exchange.plan(1, agreement_id=onward, parent=parent), lab)
    assert exchange.get(child).transfer.missing is TransferFact.ONWARD_ALLOWED


def test_at_the_border_a_regulator_inspects_and_reports_are_owed(world: World, exchange: Exchange) -> None:
    transfers = world.service.transfers
    exchange.clear()
    abroad = {"places": [ABROAD], "project_id": exchange.project}
    name = exchange.declare(exchange.plan(1, **abroad))
    assert exchange.get(name).transfer.status is TransferStatus.DECLARED
    permits = exchange.permits(exchange.records(1))
    with pytest.raises(Conflict, match="is DECLARED"):
        transfers.load(exchange.hospital.member, name, permits)
    with pytest.raises(NotPermitted, match="role REGULATOR"):
        transfers.inspect(exchange.lab.member, name, released=True, report="Fine")
    problem = world.failed(
        transfers.inspect(exchange.foreign.member, name, released=True, report="Not theirs")
    )
    assert "may not do this" in problem["message"]
    world.done(transfers.inspect(exchange.regulator.member, name, released=True, report="Sealed boxes"))
    world.done(transfers.load(exchange.hospital.member, name, permits))
    world.done(transfers.ship_all(exchange.hospital.member, name))
    exchange.receive(name, exchange.root(name))
    due = exchange.get(name).transfer.report_due
    assert due == exchange.get(name).shipped.time + 90 * DAY

    with pytest.raises(Conflict, match="overdue"):
        transfers.end_border_access(exchange.company.member, name)
    world.until(due)
    (found,) = discrepancies(world, name)
    assert (found.kind, found.since) == (DiscrepancyKind.REPORT_OVERDUE, due)
    world.done(transfers.end_border_access(exchange.company.member, name))
    assert not world.service.chain.transfer_stands(name)
    world.done(transfers.report(exchange.lab.member, name, "Kept as agreed; nobody else has seen it"))
    assert discrepancies(world, name) == []
    world.done(transfers.close(exchange.lab.member, name, "Certificate of destruction 17"))
    assert exchange.get(name).transfer.status is TransferStatus.CLOSED
    with pytest.raises(Conflict, match="nothing is to be reported"):
        transfers.report(exchange.lab.member, name, "Again")


def test_each_person_is_counted_at_the_border(world: World, exchange: Exchange) -> None:
    """Between members of one country, to be stored abroad: the decisions count nobody, the loads do, once."""
    transfers, hospital = world.service.transfers, exchange.hospital.member
    first, second = exchange.permits(exchange.records(2))
    (again,) = exchange.permits([first[0]])
    exchange.clear(persons=1)
    before = world.service.borders.exports(hospital.member_id)[1]
    name = exchange.declare(exchange.plan(2, places=[ABROAD], project_id=exchange.project))
    world.done(transfers.inspect(exchange.regulator.member, name, released=True, report="Fine"))
    world.done(transfers.load(hospital, name, [first]))
    problem = world.failed(transfers.load(hospital, name, [second]))
    assert "nothing clears the data" in problem["message"]
    world.done(transfers.load(hospital, name, [again]))
    after = world.service.borders.exports(hospital.member_id)[1]
    assert (after.persons, after.sensitive_persons) == (before.persons + 1, before.sensitive_persons + 1)
    exchange.clear()  # the audit names a clearance that is used up, and this module's ledger is audited


def test_clearance_that_runs_out_stops_the_transfer(world: World, exchange: Exchange) -> None:
    exchange.clear(seconds=2 * DAY)
    name = exchange.declare(exchange.plan(1, places=[ABROAD], project_id=exchange.project))
    inspect = world.service.transfers.inspect
    world.done(inspect(exchange.regulator.member, name, released=True, report="Fine"))
    world.pass_time(2 * DAY)

    with pytest.raises(Conflict, match="has lapsed"):
        world.service.transfers.load(exchange.hospital.member, name, exchange.permits(exchange.records(1)))


def test_shipped_and_not_answered_is_public_after_a_week(world: World, exchange: Exchange) -> None:
    name = exchange.shipped(exchange.permits(exchange.records(1)))
    assert discrepancies(world, name) == []
    world.pass_time(7 * DAY + 1)

    (found,) = discrepancies(world, name)
    assert (found.kind, found.member_id) == (DiscrepancyKind.UNANSWERED, exchange.lab.member.member_id)


def test_contract_and_twin_answer_random_declarations_alike(world: World, exchange: Exchange) -> None:
    """Of any agreement, for anything, on any way, from any parent, while members come and go: declared, and later on."""
    chance = Random(20_261_126)
    hospital, lab, company = exchange.hospital, exchange.lab, exchange.company
    exchange.clear()
    parents = [exchange.received(exchange.permits(exchange.records(1))), None]
    ended = exchange.agree(hospital, lab)
    exchange.end(ended)
    agreements = [
        (hospital, exchange.agreement),
        (hospital, exchange.agree(hospital, lab, purposes=purpose_set([Purpose.AI_TRAINING]))),
        (hospital, exchange.agree(hospital, lab, categories=Category.DIAGNOSIS, onward=True)),
        (hospital, ended),
        (lab, exchange.agree(lab, company)),
        (lab, exchange.agree(lab, company, valid_to=world.now() + 3600)),
    ]
    names = []
    for number in range(60):
        sender, agreement = chance.choice(agreements)
        chosen = chance.sample([Purpose.AI_TRAINING, Purpose.RESEARCH, Purpose.MARKETING], k=2)
        plan = exchange.plan(
            chance.randint(1, 3),
            agreement_id=agreement,
            purposes=chosen[: chance.randint(1, 2)],
            categories=chance.choice([STUDY, Category.DIAGNOSIS, STUDY | Category.IMAGING]),
            places=chance.choice([[HOME], [HOME], [ABROAD], [HOME, ABROAD]]),
            route=chance.choice([[], [], [HOME], [ABROAD]]),
            project_id=chance.choice([0, exchange.project, exchange.project, exchange.other_project]),
            parent=chance.choice(parents),
        )
        names.append(exchange.declare(plan, sender))
        if number == 20:
            world.done(world.service.members.suspend(world.committee.member, lab.member.member_id, "A test"))
        if number == 30:
            world.done(world.service.members.reinstate(world.committee.member, lab.member.member_id))
        if number == 45:
            world.pass_time(3601)

    state = audited(world).replay.state
    answers = {state.transfers[name].transfer.missing for name in names}
    assert len(answers) > 8, "the declarations break all sorts of rules"
    at = world.service.chain.head().time
    standing = set()
    for name in names:
        transfer = state.transfers[name].transfer
        situation = state.transfer_situation(transfer.consignment, transfer.sender, at)
        stands = not missing_of(transfer.consignment, situation)
        assert world.service.chain.transfer_stands(name) is stands
        standing.add((bool(transfer.missing), stands))
    assert len(standing) > 2, "what stands changes with time"


def test_an_auditor_decides_it_all_again(world: World, exchange: Exchange) -> None:
    """Of all that happened the replay says the same, and the index is the chain's."""
    disputed = exchange.shipped(exchange.permits(exchange.records(1)))
    exchange.receive(disputed, b"\x42" * 32)
    exchange.shipped(exchange.permits(exchange.records(1)))
    for _ in range(5):
        exchange.declare(exchange.plan(1, purposes=[Purpose.MARKETING]))
    world.pass_time(7 * DAY + 1)
    report = audited(world)

    rules = {finding.rule for finding in report.findings}
    assert rules <= {Rule.TRANSFER_DISPUTED, Rule.TRANSFER_UNANSWERED, Rule.PERMIT_WITHOUT_RELEASE}, [
        finding.detail for finding in report.findings
    ]
    assert Rule.TRANSFER_DISPUTED in rules
    assert Rule.TRANSFER_UNANSWERED in rules
    refused = [
        entry
        for entry in report.replay.state.transfers.values()
        if entry.transfer.status is TransferStatus.REFUSED
    ]
    assert len(refused) >= 5
    assert to_hex(refused[0].description) != to_hex(bytes(32))


def audited(world: World) -> AuditReport:
    """Replay the ledger, and hold the index against it."""
    deployment = world.runtime.deployment
    assert world.service.index.wait_for(world.service.chain.head().number, timeout=30)
    return audit(
        world.runtime.node,
        artifacts.load().abi,
        deployment.ledger,
        from_block=deployment.block_number,
        index=index_reader(world.settings.database_url()),
    )


def discrepancies(world: World, name: TransferId) -> list:
    """Return what is told everybody of a transfer."""
    found = world.service.transfers.discrepancies(world.now())
    return [each for each in found if each.record.transfer.transfer_id == name]
