"""Rounds of federated training, versions from outside, and shares under agreements, through the use cases on a devnet."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ledger.domain.lineage import NOBODY, JointPart, VersionId
from ledger.domain.records import Commitment, Salt
from ledger.domain.vocabulary import (
    Check,
    GrantFlag,
    Purpose,
    Role,
    StepFact,
    StepKind,
    VersionKind,
    purpose_set,
)
from ledger.encoding.commitments import external_id
from ledger.errors import Conflict, InvalidInput, NotFound, NotPermitted, SignatureRejected
from ledger.ports import StepEntry
from ledger.service.lineage import StepReport
from ledger.service.walks import CustodyAct
from tests.support.lineage import AI, TOOL, Laboratory, fresh
from tests.support.world import Actor, World, event_named

CONTRIBUTION = Commitment(b"\x0c" * 32)


class Network:
    """A laboratory that aggregates, and two sites that keep data of their own."""

    def __init__(self, world: World) -> None:
        """Let each site collect a dataset of its own, and have it checked."""
        self.world, self.lab = world, Laboratory(world)
        self.sites = [world.admit(f"Site {number}", Role.PROCESSOR) for number in (1, 2)]
        self.data = [self._kept(site) for site in self.sites]

    def _kept(self, site: Actor) -> VersionId:
        dataset = self.lab.declare(site)
        return self.lab.check(self.lab.made(StepKind.COLLECT, actor=site, dataset_id=dataset))

    def report(self, *inputs: VersionId, **changes: Any) -> StepReport:
        """Return a round of training, not signed yet."""
        words: dict[str, Any] = {
            "inputs": inputs or tuple(self.data),
            "outputs": (fresh(),),
            "project_id": self.lab.project,
            "purposes": tuple(AI),
            "tool": TOOL,
            "parameters": {"round": 1},
            "salt": Salt(fresh()),
            **changes,
        }
        return StepReport(StepKind.TRAIN, **words)

    def signed(self, report: StepReport, *sites: Actor, recorder: Actor | None = None) -> StepReport:
        """Have a round signed by the sites, or by some of them."""
        number = (recorder or self.lab.lab).member.member_id
        parts = (
            self.world.service.lineage.sign_part(
                site.member, report, recorder=number, contribution=CONTRIBUTION
            )
            for site in sites or self.sites
        )
        return replace(report, parts=tuple(sorted(parts, key=lambda part: part.member_id)))

    def record(self, report: StepReport) -> StepEntry:
        """Record a step as the laboratory."""
        operation = self.world.done(self.world.service.lineage.record(self.lab.lab.member, report))
        return self.world.service.lineage.step(event_named(operation, "StepRecorded").arguments["stepId"])

    def round(self, *inputs: VersionId) -> VersionId:
        """Record a round that stands; returns the model."""
        entry = self.record(self.signed(self.report(*inputs)))
        assert entry.record.missing == StepFact(0), entry.record.missing
        return entry.record.step.outputs[0]


@pytest.fixture(scope="module")
def network(world: World) -> Network:
    """Return sites and an aggregator on the module's ledger."""
    return Network(world)


# Rounds


def test_rounds_make_a_chain_of_models_with_who_took_part(network: Network) -> None:
    """From the first model to the last; each says who contributed what."""
    service = network.world.service
    first = network.round()
    second = network.round(first, *network.data)
    third = network.round(second, network.data[0])
    rounds, complete = service.walks.rounds(third)
    assert complete
    assert [(one.number, one.model.version.version_id) for one in rounds] == [
        (1, first),
        (2, second),
        (3, third),
    ]
    assert [one.base.version.version_id if one.base else None for one in rounds] == [None, first, second]
    members = [site.member.member_id for site in network.sites]
    assert all(one.step.record.parts == tuple(JointPart(n, CONTRIBUTION) for n in members) for one in rounds)
    model = service.lineage.get(third).version
    assert model.owner == network.lab.lab.member.member_id
    assert len(model.origins) == 2
    shorter, complete = service.walks.rounds(third, limit=2)
    assert (len(shorter), complete) == (2, False)


def test_without_a_sites_signature_its_data_is_not_available(network: Network) -> None:
    """It is recorded, and makes nothing."""
    entry = network.record(network.signed(network.report(), network.sites[0]))
    assert entry.record.missing == StepFact.INPUTS_AVAILABLE
    with pytest.raises(NotFound):
        network.world.service.lineage.get(entry.record.step.outputs[0])


def test_what_was_refused_is_not_recorded_again_with_the_same_signatures(network: Network) -> None:
    """Drafted with another salt and signed anew it is."""
    service, site = network.world.service, network.sites[0]
    number = service.lineage.get(network.data[0]).version.origins[0].dataset_id
    network.world.done(service.datasets.seal(site.member, number, "Under review"))
    report = network.report()
    signed = network.signed(report)
    assert network.record(signed).record.missing == StepFact.INPUTS_AVAILABLE
    for again in (signed, replace(signed, parts=signed.parts[1:])):
        with pytest.raises(Conflict, match="recorded before"):
            network.record(again)
    anew = replace(report, salt=Salt(fresh()))
    assert network.record(network.signed(anew)).record.missing == StepFact.INPUTS_AVAILABLE
    regulator = network.world.admit("Regulator of the sites", Role.REGULATOR)
    network.world.done(service.datasets.unseal(regulator.member, number))


def test_who_takes_part_cannot_keep_the_step_from_being_recorded(network: Network) -> None:
    """It knows the draft, and may have the same words kept before; the recorder is not stopped, and still reads them."""
    service, site = network.world.service, network.sites[0]
    report = network.report()
    alone = replace(report, inputs=(network.data[0],), outputs=(fresh(),), project_id=0)
    network.world.done(service.lineage.record(site.member, alone))

    signed = network.signed(report)
    entry = network.record(signed)

    assert entry.record.missing == StepFact(0)
    assert service.lineage.reported(entry) == report.kept


def test_a_step_whose_words_were_kept_is_sent_again(network: Network) -> None:
    """What a service kept before it stopped, or before the ledger was there, does not stand in the way."""
    service, signed = network.world.service, network.signed(network.report())
    commitment = signed.step().parameters
    assert signed.salt is not None
    number = network.lab.lab.member.member_id
    service.vault.remember(commitment, domain="step", salt=signed.salt, record=signed.kept, owner=number)

    assert network.record(signed).record.missing == StepFact(0)


def test_a_part_is_for_one_step_and_one_recorder(network: Network) -> None:
    """Signed for another step, another recorder, or by somebody else it is refused before it is sent."""
    service, report = network.world.service, network.report()
    good = network.signed(report)
    bad = [
        replace(good, epsilon=5),
        replace(good, parameters={"round": 2}),
        replace(good, salt=Salt(fresh())),
        network.signed(report, recorder=network.sites[0]),
        replace(good, parts=(replace(good.parts[0], contribution=Commitment(fresh())), good.parts[1])),
        replace(good, parts=(replace(good.parts[0], signature=good.parts[1].signature), good.parts[1])),
        replace(good, parts=(replace(good.parts[0], signature=b"\x01" * 65),)),
    ]
    for one in bad:
        with pytest.raises(SignatureRejected, match="did not sign this step"):
            service.lineage.record(network.lab.lab.member, one)
    for parts in (good.parts[::-1], (good.parts[0], good.parts[0])):
        with pytest.raises(InvalidInput, match="order"):
            service.lineage.record(network.lab.lab.member, replace(good, parts=parts))
    with pytest.raises(InvalidInput, match="salt"):
        service.lineage.record(network.lab.lab.member, replace(good, salt=None))
    evaluation = StepReport(
        StepKind.EVALUATE, inputs=(network.round(), network.data[0]), salt=Salt(fresh()), parts=good.parts
    )
    with pytest.raises(InvalidInput, match="used again"):
        service.lineage.record(network.lab.lab.member, evaluation)


def test_who_took_part_does_not_check_what_was_made(network: Network) -> None:
    """It is not independent."""
    lab, service = network.lab, network.world.service
    report = network.signed(network.report(), *network.sites, lab.verifier)
    entry = network.record(report)
    assert entry.record.missing == StepFact(0)
    with pytest.raises(NotPermitted, match="took part"):
        service.lineage.verify(lab.verifier.member, entry.record.step.outputs[0], passed=True, report="x")


def test_a_withdrawal_reaches_the_global_model(network: Network) -> None:
    """Through the origins, as it reaches any other."""
    lab = network.lab
    site = network.sites[0]
    passport = network.world.register(lab.hospital, 5)
    grant = network.world.grant(lab.hospital, passport, site, purposes=AI)
    dataset = lab.declare(site)
    project = lab.file(site)
    target = type(lab.consent(6))(passport, grant)
    assert {one.name for one in lab.include(dataset, target, actor=site, project_id=project)} == {"PERMIT"}
    data = lab.check(lab.made(StepKind.COLLECT, actor=site, dataset_id=dataset))
    model = network.round(data, network.data[1])
    network.world.revoke(lab.hospital, grant)
    owed = network.world.service.index.obligation(model)
    assert owed is not None
    assert (owed.owner, owed.withdrawals) == (lab.lab.member.member_id, 1)


# From outside


def register(network: Network, kind: VersionKind = VersionKind.MODEL) -> VersionId:
    """Let the laboratory bring something in."""
    operation = network.world.done(
        network.world.service.lineage.register(
            network.lab.lab.member, Commitment(fresh()), kind, tuple(AI), "Published weights, release 4"
        )
    )
    return VersionId(event_named(operation, "ExternalRegistered").arguments["versionId"])


def test_what_is_from_outside_waits_in_quarantine(network: Network) -> None:
    """Until somebody independent has passed it; then rounds go on from it, and the chain says where it began."""
    service, name = network.world.service, register(network)
    record = service.lineage.get(name)
    assert (record.version.step_id, record.version.check) == (0, Check.PENDING)
    assert record.version.is_quarantined
    assert service.lineage.statement(record) == "Published weights, release 4"
    entry = network.record(network.signed(network.report(name, *network.data)))
    assert entry.record.missing == StepFact.INPUTS_SOUND
    network.lab.check(name)
    assert not service.lineage.get(name).version.is_quarantined
    model = network.round(name, *network.data)
    (only,), complete = service.walks.rounds(model)
    assert (only.base.version.version_id if only.base else None, complete) == (name, True)
    links, _ = service.walks.trace(model)
    assert [link.version_id for link in links if link.act is CustodyAct.VOUCHED] == [name]
    walk = service.walks.back(model)
    assert name in {one.version.version_id for one in walk.versions}
    assert walk.complete


def test_who_vouches_for_what_failed_is_to_blame(network: Network) -> None:
    """There is no step that made it."""
    service, name = network.world.service, register(network, VersionKind.DATA)
    network.lab.check(name, passed=False)
    blame, _ = service.walks.blame(name)
    assert blame is not None
    assert (blame.step, blame.member_id) == (None, network.lab.lab.member.member_id)


def test_what_is_registered_is_in_order(network: Network) -> None:
    """Data or a model, for something, once by each member: nobody takes another's name."""
    lineage, member = network.world.service.lineage, network.lab.lab.member
    content = Commitment(fresh())
    with pytest.raises(InvalidInput, match="DATA or a MODEL"):
        lineage.register(member, content, VersionKind.RESULT, tuple(AI), "x")
    with pytest.raises(InvalidInput, match="purposes"):
        lineage.register(member, content, VersionKind.DATA, (), "x")
    with pytest.raises(InvalidInput, match="statement"):
        lineage.register(member, content, VersionKind.DATA, tuple(AI), " ")
    with pytest.raises(InvalidInput, match="must be a commitment"):
        lineage.register(member, Commitment(bytes(32)), VersionKind.DATA, tuple(AI), "x")
    for one in (member, network.sites[0].member):
        operation = network.world.done(lineage.register(one, content, VersionKind.DATA, tuple(AI), "x"))
        named = event_named(operation, "ExternalRegistered").arguments["versionId"]
        assert named == external_id(one.member_id, content)
    with pytest.raises(Conflict, match="already"):
        lineage.register(member, content, VersionKind.DATA, tuple(AI), "x")


# Shares under agreements


def data_of(network: Network, flags: GrantFlag) -> VersionId:
    """Return data of the laboratory's with somebody in it who consented with these flags."""
    lab = network.lab
    dataset = lab.declare()
    assert {one.name for one in lab.include(dataset, lab.consent(8, flags=flags))} == {"PERMIT"}
    return lab.check(lab.collect(dataset))


def test_what_was_shared_is_used_while_the_agreement_lasts(network: Network) -> None:
    """For its purposes; the index says what the contract does."""
    lab, service = network.lab, network.world.service
    data = data_of(network, GrantFlag.ONWARD)
    number = lab.share(data, lab.company, purposes=purpose_set([Purpose.AI_TRAINING]), onward=False)
    made = lab.made(StepKind.CLEAN, data, actor=lab.company)
    version = service.lineage.get(made).version
    assert (version.purposes, version.only_to) == (1 << Purpose.AI_TRAINING, lab.lab.member.member_id)
    (share,) = service.index.shares([data])
    assert (share.agreement_id, share.recipient) == (number, lab.company.member.member_id)
    network.world.done(service.agreements.end(lab.company.member, number, "Over"))
    assert lab.step(StepKind.CLEAN, data, actor=lab.company).record.missing == StepFact.INPUTS_AVAILABLE
    lab.check(made)
    other = lab.agree(lab.company, lab.hospital)
    with pytest.raises(Conflict, match="forbids to pass it on"):
        service.lineage.share(lab.company.member, made, lab.hospital.member.member_id, other)
    back = lab.agree(lab.company, lab.lab)
    network.world.done(service.lineage.share(lab.company.member, made, lab.lab.member.member_id, back))


def test_what_two_bind_goes_to_nobody(network: Network) -> None:
    """Each of them gave it without letting it be passed on."""
    lab, site, service = network.lab, network.sites[0], network.world.service
    data, company = data_of(network, GrantFlag.ONWARD), lab.company
    lab.share(data, company, onward=False)
    number = lab.agree(site, company, onward=False)
    network.world.done(service.lineage.share(site.member, network.data[0], company.member.member_id, number))
    made = lab.made(StepKind.MERGE, data, network.data[0], actor=company)
    assert service.lineage.get(made).version.only_to == NOBODY


def test_an_agreement_must_cover_what_is_shared(network: Network) -> None:
    """Between these two, in force, for something that it may serve; and nobody in it forbade it."""
    lab, lineage = network.lab, network.world.service.lineage
    data, company = data_of(network, GrantFlag.ONWARD), lab.company.member.member_id
    with pytest.raises(NotFound, match="no agreement"):
        lineage.share(lab.lab.member, data, company, 4711)
    with pytest.raises(Conflict, match="not one by which"):
        lineage.share(lab.lab.member, data, company, lab.agree(lab.company, lab.lab))
    other = lab.agree(lab.lab, lab.company, purposes=1 << Purpose.RESEARCH)
    with pytest.raises(Conflict, match="for nothing"):
        lineage.share(lab.lab.member, data, company, other)
    number = lab.agree(lab.lab, lab.company)
    network.world.done(network.world.service.agreements.end(lab.lab.member, number, "Over"))
    with pytest.raises(Conflict, match="not in force"):
        lineage.share(lab.lab.member, data, company, number)
    kept = data_of(network, GrantFlag(0))
    with pytest.raises(Conflict, match="did not consent"):
        lineage.share(lab.lab.member, kept, company, lab.agree(lab.lab, lab.company))


def test_data_is_not_shared_after_a_withdrawal_or_its_time(network: Network) -> None:
    """Unless the withdrawals are excused; a model is nobody's data."""
    lab, world = network.lab, network.world
    lineage, company = world.service.lineage, lab.company.member.member_id
    dataset, target = lab.declare(), lab.consent(8)
    assert {one.name for one in lab.include(dataset, target)} == {"PERMIT"}
    data = lab.check(lab.collect(dataset))
    model = lab.check(lab.train(data))
    number = lab.agree(lab.lab, lab.company)
    lab.withdraw(target)
    with pytest.raises(Conflict, match="somebody withdrew"):
        lineage.share(lab.lab.member, data, company, number)
    world.done(lineage.share(lab.lab.member, model, company, number))
    ethics = world.admit("Ethics of withdrawals", Role.ETHICS)
    world.done(world.service.datasets.excuse(ethics.member, dataset, 1, "Not feasible"))
    world.done(lineage.share(lab.lab.member, data, company, number))
    end = world.now() + 600
    brief = lab.check(lab.collect(lab.declare(retain_until=end)))
    world.done(lineage.share(lab.lab.member, brief, company, number))
    world.until(end)
    with pytest.raises(Conflict, match="time of dataset"):
        lineage.share(lab.lab.member, brief, company, number)
