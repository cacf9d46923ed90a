"""A laboratory that makes a model of what patients consented to, in a few words."""

from __future__ import annotations

import secrets
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from ledger.domain.lineage import VersionId
from ledger.domain.records import Limits
from ledger.domain.vocabulary import (
    AttestationKind,
    GrantFlag,
    Level,
    Outcome,
    Purpose,
    Role,
    StepFact,
    StepKind,
    purpose_set,
)
from ledger.encoding.words import unpack_verdict
from ledger.errors import Conflict
from ledger.ports import StepEntry
from ledger.service.datasets import Compilation, DatasetPlan, Description, Target
from ledger.service.lineage import StepReport
from tests.support.world import STUDY, Actor, World, event_named

DAY = 86_400
YEAR = 365 * DAY
AI = [Purpose.AI_TRAINING, Purpose.AI_VALIDATION, Purpose.AI_INFERENCE]
TOOL = b"\x70" * 32
WORDS = Description(
    title="Early warning cohort",
    source="Records of one hospital",
    method="Export of consented records",
    standard="Pseudonymised, checked by an independent office",
    storage="Encrypted in the hospital's own rooms",
)


def fresh() -> VersionId:
    """Return a commitment that nobody has used."""
    return VersionId(secrets.token_bytes(32))


@dataclass(frozen=True)
class Pipeline:
    """What was made, step by step."""

    targets: tuple[Target, ...]
    dataset: int
    collected: VersionId
    training: VersionId
    validation: VersionId
    test: VersionId
    model: VersionId


class Laboratory:
    """Members around one project, and what they do."""

    def __init__(self, world: World) -> None:
        """Admit everybody, file and license the project, and certify the tool."""
        self.world = world
        self.hospital = world.admit("Lineage hospital", Role.CUSTODIAN)
        self.lab = world.admit("Lineage laboratory", Role.PROCESSOR)
        self.company = world.admit("Lineage company", Role.PROCESSOR)
        self.verifier = world.admit("Lineage verification office", Role.VERIFIER)
        self.alliance = world.admit("Lineage alliance", Role.ALLIANCE, 0)
        self.regulator = world.admit("Lineage regulator", Role.REGULATOR, 0)
        self.ethics = world.admit("Lineage board of ethics", Role.ETHICS, 0)
        self.project = self.file(self.lab)
        self.certify(TOOL)

    def file(self, actor: Actor) -> int:
        """File a project for training, testing and using a model, and license its model."""
        project = self.world.project(
            actor,
            purposes=AI,
            valid_from=self.world.now() - DAY,
            valid_to=self.world.now() + YEAR,
        )
        self.world.done(
            self.world.service.attestations.attest(
                self.regulator.member,
                AttestationKind.LICENCE,
                project_id=project,
                valid_to=self.world.now() + YEAR,
                statement="Licence 12",
            )
        )
        return project

    def certify(self, tool: bytes) -> None:
        """Let the alliance certify a tool, unless another one has: suites share a ledger, and laboratories a tool."""
        attestations = self.world.service.attestations
        with suppress(Conflict):
            self.world.done(
                attestations.attest(
                    self.alliance.member,
                    AttestationKind.TOOL,
                    tool=tool,
                    valid_to=self.world.now() + YEAR,
                    statement="Reviewed in session 3",
                )
            )

    def declare(self, actor: Actor | None = None, **changes: Any) -> int:
        """Declare a dataset for the project."""
        words: dict[str, Any] = {
            "purposes": AI,
            "categories": STUDY,
            "retain_until": self.world.now() + YEAR,
            "budget": 0,
            "description": WORDS,
            **changes,
        }
        plan = DatasetPlan(**words)
        operation = self.world.done(self.world.service.datasets.declare((actor or self.lab).member, plan))
        return int(event_named(operation, "DatasetDeclared").arguments["datasetId"])

    def consent(self, index: int = 0, **changes: Any) -> Target:
        """Register a patient who consents."""
        passport = self.world.register(self.hospital, index)
        words: dict[str, Any] = {
            "purposes": AI,
            "use_to": self.world.now() + YEAR,
            "flags": GrantFlag.ONWARD,
            **changes,
        }
        return Target(passport, self.world.grant(self.hospital, passport, self.lab, **words))

    def include(
        self, dataset: int, *targets: Target, actor: Actor | None = None, **changes: Any
    ) -> list[Outcome]:
        """Ask to include people; returns the answers."""
        words: dict[str, Any] = {
            "purpose": Purpose.AI_TRAINING,
            "level": Level.PSEUDONYMISED,
            "project_id": self.project,
            **changes,
        }
        operation = self.world.done(
            self.world.service.datasets.include(
                (actor or self.lab).member, dataset, targets, Compilation(**words)
            )
        )
        return [
            unpack_verdict(event.arguments["verdict"]).outcome
            for event in operation.events
            if event.name == "DecisionRecorded"
        ]

    def step(
        self,
        kind: StepKind,
        *inputs: VersionId,
        makes: int = 1,
        actor: Actor | None = None,
        **changes: Any,
    ) -> StepEntry:
        """Record a step with the certified tool, as part of the project."""
        words: dict[str, Any] = {
            "inputs": inputs,
            "outputs": tuple(fresh() for _ in range(makes)),
            "project_id": self.project if actor is None else 0,
            "tool": TOOL,
            "parameters": {"seed": 7},
            **changes,
        }
        operation = self.world.done(
            self.world.service.lineage.record((actor or self.lab).member, StepReport(kind=kind, **words))
        )
        return self.world.service.lineage.step(event_named(operation, "StepRecorded").arguments["stepId"])

    def made(self, kind: StepKind, *inputs: VersionId, **changes: Any) -> VersionId:
        """Record a step that stands; returns the one version that it made."""
        entry = self.step(kind, *inputs, **changes)
        assert entry.record.missing == StepFact(0), entry.record.missing
        return entry.record.step.outputs[0]

    def check(self, version: VersionId, *, passed: bool = True) -> VersionId:
        """Let the verifier check a version."""
        self.world.done(
            self.world.service.lineage.verify(
                self.verifier.member, version, passed=passed, report="Report 2026-41"
            )
        )
        return version

    def share(self, version: VersionId, recipient: Actor, **limits: Any) -> int:
        """Share a version of the laboratory's under an agreement with these limits; returns its number."""
        number = self.agree(self.lab, recipient, **limits)
        self.world.done(
            self.world.service.lineage.share(self.lab.member, version, recipient.member.member_id, number)
        )
        return number

    def agree(self, provider: Actor, recipient: Actor, **changes: Any) -> int:
        """Make an agreement by which one gives to the other; returns its number."""
        words: dict[str, Any] = {
            "recipient": recipient.member.member_id,
            "purposes": purpose_set(AI),
            "categories": STUDY,
            "valid_to": self.world.now() + YEAR,
            "retention_seconds": YEAR,
            "onward": True,
            "linkage": True,
            **changes,
        }
        agreements = self.world.service.agreements
        proposed = self.world.done(agreements.propose(provider.member, Limits(**words), "Agreement 7"))
        event = event_named(proposed, "AgreementProposed").arguments
        number = int(event["agreementId"])
        self.world.done(agreements.sign(recipient.member, number, event["text"]))
        return number

    def collect(self, dataset: int) -> VersionId:
        """Collect a dataset."""
        return self.made(StepKind.COLLECT, dataset_id=dataset)

    def train(self, *data: VersionId, **changes: Any) -> VersionId:
        """Train a model."""
        return self.made(StepKind.TRAIN, *data, purposes=tuple(AI), **changes)

    def pipeline(self, *targets: Target) -> Pipeline:
        """Compile, collect, split, check, train and evaluate."""
        dataset = self.declare()
        assert set(self.include(dataset, *targets)) <= {Outcome.PERMIT}
        collected = self.collect(dataset)
        parts = self.step(StepKind.SPLIT, collected, makes=3).record.step.outputs
        training, validation, test = (self.check(part) for part in parts)
        model = self.train(training)
        entry = self.step(StepKind.EVALUATE, model, test, makes=0)
        assert entry.record.missing == StepFact(0)
        return Pipeline(targets, dataset, collected, training, validation, test, model)

    def withdraw(self, target: Target) -> None:
        """Withdraw a patient's consent."""
        self.world.revoke(self.hospital, target.grant_id)
