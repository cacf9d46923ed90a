"""A consortium on a real chain: members admitted, patients registered, grants given, in a few words."""

from __future__ import annotations

import itertools
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ledger.audit.auditor import audit
from ledger.audit.findings import Finding, Rule
from ledger.bootstrap import Runtime, build, index_reader
from ledger.chain import artifacts
from ledger.client import MemberKeys
from ledger.domain.records import NO_GRANT, Admission, Event, GrantId, Member, PassportId, Verdict
from ledger.domain.vocabulary import (
    Approval,
    Basis,
    Category,
    DataClass,
    Level,
    MemberKind,
    Operation,
    Purpose,
    Role,
    Technique,
    purpose_set,
)
from ledger.encoding.hexadecimal import from_hex
from ledger.encoding.words import unpack_verdict
from ledger.ports import Operation as WriteOperation
from ledger.ports import OperationStatus
from ledger.service import Service
from ledger.service.decisions import AccessRequest
from ledger.settings import Settings, write_founder
from tests.support.data import bundle

ALL_PURPOSES = purpose_set(list(Purpose))
STUDY = Category.DIAGNOSIS | Category.MEDICATION | Category.LABORATORY
_references = itertools.count(1)


@dataclass(frozen=True)
class Actor:
    """A member with its private keys."""

    member: Member
    keys: MemberKeys


def settings_for(
    folder: Path, rpc: str, *, embedded: bool = True, port: int = 0
) -> tuple[Settings, MemberKeys]:
    """Return the settings of a sandbox service in *folder*, and its committee's keys."""
    folder.mkdir(parents=True, exist_ok=True)
    keys_file = folder / "committee.json"
    if not keys_file.exists():
        MemberKeys.new("Committee of the test").as_member(1).save(keys_file)
    keys = MemberKeys.load(keys_file)
    write_founder(
        folder / "founder.json",
        name=keys.name,
        jurisdiction=900,
        signing_key=keys.signing_public,
        sealing_key=keys.sealing_public,
    )
    settings = Settings(
        environment="sandbox",
        data=folder / "data",
        rpc=rpc,
        embedded=embedded,
        founder=folder / "founder.json",
        port=port,
    )
    return settings, keys


def event_named(operation: WriteOperation, name: str) -> Event:
    """Return the first event of a name that an operation recorded."""
    return next(event for event in operation.events if event.name == name)


class World:
    """One running service and what was done with it."""

    def __init__(self, folder: Path, rpc: str) -> None:
        """Start a service in *folder* on the node at *rpc*, with a ledger of its own."""
        self.settings, self.committee_keys = settings_for(folder, rpc)
        self.runtime: Runtime = build(self.settings)
        self.service: Service = self.runtime.start()
        assert self.runtime.deployment is not None
        self.service.index.wait_for(self.runtime.deployment.block_number, timeout=20)
        founder = self.service.index.member(1)
        assert founder is not None
        self.committee = Actor(founder, self.committee_keys)
        self.reviewers: dict[Approval, Actor] = {}

    def restart(self) -> None:
        """Stop the service and start it again on the same data."""
        self.runtime.stop()
        self.runtime = build(self.settings)
        self.service = self.runtime.start()

    def stop(self) -> None:
        """Stop the service."""
        self.runtime.stop()

    def now(self) -> int:
        """Return the chain's time."""
        return self.service.chain.head().time

    def pass_time(self, seconds: int) -> None:
        """Move the chain's clock forward; only on a devnet of the test's own, for others live on the shared one."""
        self.runtime.node.request("evm_increaseTime", hex(seconds))
        self.runtime.node.request("evm_mine")

    def until(self, moment: int) -> None:
        """Move the chain's clock so that the newest block carries a time; nothing if it is later already."""
        if moment > self.now():
            self.runtime.node.request("evm_setNextBlockTimestamp", hex(moment))
            self.runtime.node.request("evm_mine")

    def done(self, operation: WriteOperation) -> WriteOperation:
        """Wait until an operation is mined and indexed."""
        operation = self.service.writer.wait(operation.operation_id, timeout=30)
        assert operation.status is OperationStatus.MINED, operation.error
        if operation.events:
            assert self.service.index.wait_for(operation.events[0].position.block_number, timeout=30)
        return operation

    def altered(self, database_url: str = "") -> list[Finding]:
        """Audit the chain beside an index, the service's unless another is named; return what does not agree in it."""
        deployment = self.runtime.deployment
        assert deployment is not None
        report = audit(
            self.runtime.node,
            artifacts.load().abi,
            deployment.ledger,
            from_block=deployment.block_number,
            index=index_reader(database_url or self.settings.database_url()),
        )
        assert report.replay.mismatches == []
        return [finding for finding in report.findings if finding.rule is Rule.INDEX_ALTERED]

    def failed(self, operation: WriteOperation) -> dict[str, Any]:
        """Wait until an operation has failed; return its problem."""
        operation = self.service.writer.wait(operation.operation_id, timeout=30)
        assert operation.status is OperationStatus.FAILED
        assert operation.error is not None
        return operation.error

    def admit(
        self,
        name: str,
        roles: Role,
        purposes: int = ALL_PURPOSES,
        *,
        kind: MemberKind = MemberKind.OTHER,
        jurisdiction: int = 840,
    ) -> Actor:
        """Admit a member with new keys."""
        keys = MemberKeys.new(name)
        admission = Admission(
            name=name,
            signer="",  # type: ignore[arg-type]
            roles=roles,
            purposes=purposes,
            jurisdiction=jurisdiction,
            kind=kind,
            valid_to=self.now() + 10**8,
            signing_key=from_hex(keys.signing_public),
            sealing_key=from_hex(keys.sealing_public),
        )
        operation = self.done(self.service.members.admit(self.committee.member, admission))
        member = self.service.index.member(event_named(operation, "MemberAdmitted").arguments["memberId"])
        assert member is not None
        return Actor(member, keys)

    def register(
        self,
        custodian: Actor,
        index: int = 0,
        *,
        holder: str | None = None,
        document: dict[str, Any] | None = None,
        lock: int = 0,
    ) -> PassportId:
        """Register *document*, or a real bundle under a patient reference of its own."""
        document = document or bundle(index, reference=f"patient-{next(_references)}")
        purposes = [p for p in Purpose if p not in (Purpose.MARKETING, Purpose.RESALE)]
        operation = self.done(
            self.service.records.register(
                custodian.member, document, purposes=purposes, holder=holder, lock=lock
            )
        )
        return PassportId(event_named(operation, "PassportIssued").arguments["passportId"])

    def grant(self, custodian: Actor, passport_id: PassportId, recipient: Actor, **changes: Any) -> GrantId:
        """Give consent for an assisted patient: AI training on `STUDY` for a year, unless *changes* say otherwise."""
        words: dict[str, Any] = {
            "recipient": recipient.member.member_id,
            "purposes": [Purpose.AI_TRAINING],
            "categories": STUDY,
            "use_from": None,
            "use_to": self.now() + 365 * 86_400,
            **changes,
        }
        prepared = self.service.consents.prepare(passport_id, **words)
        self.done(self.service.consents.assist(custodian.member, prepared))
        return prepared.grant.grant_id

    def revoke(self, custodian: Actor, grant_id: GrantId) -> None:
        """Withdraw an assisted patient's consent."""
        self.done(self.service.consents.revoke(custodian.member, grant_id, None))

    def project(self, actor: Actor, **changes: Any) -> int:
        """File a project for AI training on `STUDY`, unless *changes* say otherwise, and have it approved."""
        words: dict[str, Any] = {
            "title": "Model for early warning",
            "purposes": [Purpose.AI_TRAINING],
            "categories": STUDY,
            "techniques": Technique.FEDERATED_LEARNING,
            "highest_class": DataClass.SENSITIVE,
            "valid_from": int(time.time()) - 3600,
            "valid_to": int(time.time()) + 365 * 86_400,
            "agreement": "Only the model leaves.",
            **changes,
        }
        operation = self.done(self.service.projects.file(actor.member, **words))
        project_id = int(operation.events[0].arguments["projectId"])
        for approval, body in self._reviewers().items():
            self.done(
                self.service.projects.review(
                    body.member, project_id, approval, approved=True, opinion="Fit to go on."
                )
            )
        return project_id

    def _reviewers(self) -> dict[Approval, Actor]:
        """Return the bodies that review projects; they are admitted when the first project is filed."""
        if not self.reviewers:
            self.reviewers = {
                Approval.ETHICS: self.admit("Ethics board", Role.ETHICS, 0),
                Approval.COMPLIANCE: self.admit("Compliance office", Role.COMPLIANCE, 0),
            }
        return self.reviewers

    def ask(
        self,
        actor: Actor,
        passport_id: PassportId,
        *,
        grant_id: GrantId = NO_GRANT,
        project_id: int = 0,
        **changes: Any,
    ) -> Verdict:
        """Ask for access to read diagnoses for AI training by consent, unless *changes* say otherwise."""
        words: dict[str, Any] = {
            "purpose": Purpose.AI_TRAINING,
            "basis": Basis.CONSENT,
            "operation": Operation.READ,
            "categories": Category.DIAGNOSIS,
            "level": Level.PSEUDONYMISED,
            **changes,
        }
        request = AccessRequest(passport_id=passport_id, grant_id=grant_id, project_id=project_id, **words)
        operation = self.done(self.service.decisions.request(actor.member, [request]))
        return unpack_verdict(operation.events[0].arguments["verdict"])
