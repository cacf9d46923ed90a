"""
A ledger made up in memory: its events, as a contract would have emitted them, and a node that serves them.

Decisions are answered by hand-written facts where a test is about the law, and by the twin where it is about what
surrounds it. Nothing here is under test.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path as FilePath
from typing import Any

from eth_abi.abi import decode, encode
from eth_utils.crypto import keccak

from ledger.audit.folds import apply, decision_entry
from ledger.audit.replay import decide_again
from ledger.audit.state import LedgerState
from ledger.chain import artifacts
from ledger.domain.lineage import Plan, Step, VersionId
from ledger.domain.records import (
    NO_GRANT,
    ZERO32,
    Address,
    BlockHeader,
    Clearance,
    Commitment,
    Consignment,
    EmergencyLimits,
    Event,
    GrantId,
    GrantState,
    Limits,
    PassportId,
    PolicyTable,
    Position,
    Terms,
    TransferId,
    Verdict,
)
from ledger.domain.vocabulary import (
    ActKind,
    Answer,
    Approval,
    Assurance,
    AttestationKind,
    Basis,
    Category,
    Check,
    Custody,
    DataClass,
    EmergencyFinding,
    EmergencyReason,
    GrantFlag,
    GrantStatus,
    Level,
    MemberKind,
    Operation,
    Path,
    Purpose,
    Role,
    SeatKind,
    StepFact,
    StepKind,
    Technique,
    TransferFact,
    VersionKind,
    kind_set,
)
from ledger.encoding import merkle
from ledger.encoding.events import RawLog, canonical_type, event_topic, selector
from ledger.encoding.structs import (
    clearance_values,
    consignment_values,
    limits_values,
    plan_values,
    policy_values,
    step_values,
)
from ledger.encoding.words import pack_terms, pack_verdict
from ledger.errors import TooLarge
from ledger.lineage import missing_of
from ledger.transfers import crosses as transfer_crosses
from ledger.transfers import missing_of as missing_of_transfer

START = 1_800_000_000
HOUR = 3600
DAY = 24 * HOUR
STUDY = Category.DIAGNOSIS | Category.LABORATORY
ALL_PURPOSES = 0xFFFF
#: The members of a ledger that has begun.
COMMITTEE, HOSPITAL, LAB, ETHICS, COMPLIANCE = 1, 2, 3, 4, 5
#: Where they are, ISO 3166-1 numeric.
HERE = 156
LEDGER = Address("0x" + "5a" * 20)
CHAIN_ID = 20_261


def default_law() -> PolicyTable:
    """Return the law that a new ledger starts with; tests/contracts/Vectors.t.sol checks the file."""
    path = FilePath(__file__).resolve().parent.parent / "vectors" / "default-policy.json"
    given = json.loads(path.read_text())
    limits = given["emergencies"]
    return PolicyTable(
        version=given["version"],
        required=tuple(int(word, 16) for word in given["required"]),
        necessary=int(given["necessary"], 16),
        levels=int(given["levels"], 16),
        core_categories=Category(given["coreCategories"]),
        sensitive_categories=Category(given["sensitiveCategories"]),
        banned_purposes=given["bannedPurposes"],
        max_grant_seconds=given["maxGrantSeconds"],
        emergencies=EmergencyLimits(
            seconds=limits["seconds"],
            categories=Category(limits["categories"]),
            monthly_quota=limits["monthlyQuota"],
            review_seconds=limits["reviewSeconds"],
            max_declaration_seconds=limits["maxDeclarationSeconds"],
            recovery_seconds=limits["recoverySeconds"],
        ),
    )


@dataclass(frozen=True)
class Logged:
    """An entry of an access log."""

    passport: str
    recorded: datetime
    member: str = "Lab"
    member_id: int | None = None
    decision: int | None = None
    purpose: str | None = None
    action: str = "R"


@dataclass
class Chronicle:
    """Events in the order of the chain. Each takes a block of its own, ten seconds after the one before."""

    events: list[Event] = field(default_factory=list)
    state: LedgerState = field(default_factory=LedgerState)
    time: int = START
    block: int = 0
    _log: int = 0
    _names: int = 0

    @classmethod
    def begun(cls) -> Chronicle:
        """Return a ledger as it is founded, with a hospital, a laboratory, an ethics and a compliance body."""
        chronicle = cls()
        chronicle.admit("Committee", Role.COMMITTEE, kind=MemberKind.AUTHORITY)
        chronicle.emit("SeatSet", memberId=COMMITTEE, kind=int(SeatKind.CONVENOR), same_block=True)
        for kind in ActKind:
            chronicle.emit("RuleSet", kind=int(kind), rule=(1, 0, 0), same_block=True)
        chronicle.law(default_law(), same_block=True)
        chronicle.emit(
            "TemplateIssued",
            template=1,
            content=(0x0FFF, 0xFFFF, 0x3F, 3650 * DAY, False, chronicle.name()),
            same_block=True,
        )
        chronicle.admit("Hospital", Role.CUSTODIAN | Role.EMERGENCY, kind=MemberKind.HOSPITAL)
        chronicle.admit("Lab", Role.PROCESSOR, kind=MemberKind.RESEARCH)
        chronicle.admit("Ethics body", Role.ETHICS | Role.REGULATOR | Role.VERIFIER)
        chronicle.admit("Compliance body", Role.COMPLIANCE)
        return chronicle

    def emit(self, name: str, /, *, same_block: bool = False, **arguments: Any) -> Position:
        """Emit an event and fold it into the state."""
        position = self.place(same_block=same_block)
        self.record(Event(name, arguments, position))
        return position

    def record(self, event: Event) -> None:
        """Fold an event into the state."""
        self.events.append(event)
        apply(self.state, event)

    def place(self, *, same_block: bool = False) -> Position:
        """Return the next place on the chain."""
        if same_block:
            self._log += 1
        else:
            self.block, self.time, self._log = self.block + 1, self.time + 10, 0
        return Position(
            self.block, block_hash(self.block), keccak(text=f"transaction {self.block}"), self._log, self.time
        )

    def name(self) -> bytes:
        """Return 32 bytes that nothing else is called by."""
        self._names += 1
        return keccak(text=f"name {self._names}")

    # Members and the law

    def admit(
        self,
        name: str,
        roles: Role,
        *,
        purposes: int = ALL_PURPOSES,
        valid_to: int = START + 3650 * DAY,
        kind: MemberKind = MemberKind.OTHER,
        jurisdiction: int = HERE,
    ) -> int:
        """Admit a member; returns its number."""
        member_id = len(self.state.members) + 1
        self.emit(
            "MemberAdmitted",
            memberId=member_id,
            signer="0x" + f"{member_id:040x}",
            roles=int(roles),
            purposes=purposes,
            jurisdiction=jurisdiction,
            validTo=valid_to,
            kind=int(kind),
            signingKey=self.name(),
            sealingKey=self.name(),
            name=name,
        )
        return member_id

    def law(self, table: PolicyTable, *, same_block: bool = False) -> None:
        """Put a law into force."""
        self.emit(
            "PolicySet",
            version=self.state.policy_version + 1,
            table=policy_values(table),
            same_block=same_block,
        )

    def entrust(
        self, controller: int, processor: int, *, purposes: int = ALL_PURPOSES, valid_to: int
    ) -> None:
        """Let a controller entrust a processor."""
        self.emit(
            "MemberEntrusted",
            controller=controller,
            processor=processor,
            purposes=purposes,
            validTo=valid_to,
            agreement=self.name(),
        )

    # Passports, projects, statements

    def issue(
        self,
        custodian: int = HOSPITAL,
        *,
        purposes: int = ALL_PURPOSES,
        custody: Custody = Custody.SELF,
        level: Level = Level.IDENTIFIED,
        lock: int = 0,
    ) -> PassportId:
        """Issue a passport."""
        passport_id = PassportId(self.name())
        self.emit(
            "PassportIssued",
            passportId=passport_id,
            custodian=custodian,
            holder=self.name()[:20],
            custody=int(custody),
            purposes=purposes,
            level=int(level),
            lock=lock,
            content=self.name(),
        )
        return passport_id

    def file_project(self, member_id: int = LAB, *, reviewed: bool = True, **changes: Any) -> int:
        """File a project for AI training with federated learning, approved by both bodies."""
        project_id = len(self.state.projects) + 1
        given: dict[str, Any] = {
            "purposes": 1 << Purpose.AI_TRAINING,
            "categories": 0xFFFF,
            "techniques": int(Technique.FEDERATED_LEARNING),
            "highest_class": int(DataClass.CORE_PRIVACY),
            "valid_from": START,
            "valid_to": START + 365 * DAY,
            "agreement": self.name(),
            **changes,
        }
        self.emit(
            "ProjectFiled",
            projectId=project_id,
            memberId=member_id,
            filing=tuple(given.values()),
            description=self.name(),
        )
        if reviewed:
            self.review_project(project_id, Approval.ETHICS, ETHICS, same_block=True)
            self.review_project(project_id, Approval.COMPLIANCE, COMPLIANCE, same_block=True)
        return project_id

    def review_project(
        self,
        project_id: int,
        approval: Approval,
        member_id: int,
        *,
        approved: bool = True,
        same_block: bool = False,
    ) -> None:
        """Approve a project, or take an approval back."""
        self.emit(
            "ProjectReviewed",
            projectId=project_id,
            memberId=member_id,
            approval=int(approval),
            approved=approved,
            opinion=self.name(),
            same_block=same_block,
        )

    def attest(
        self, subject: bytes, kind: AttestationKind, issuer: int, *, valid_to: int = START + DAY
    ) -> None:
        """State something of a passport or a project."""
        self.emit(
            "Attested",
            subject=subject,
            kind=int(kind),
            issuer=issuer,
            validTo=valid_to,
            statement=self.name(),
        )

    # Consents

    def ask(self, passport_id: PassportId, member_id: int = LAB) -> GrantId:
        """Ask a holder for consent."""
        grant_id = GrantId(self.name())
        self.emit(
            "ConsentRequested",
            grantId=grant_id,
            passportId=passport_id,
            memberId=member_id,
            terms=self.name(),
        )
        return grant_id

    def give(
        self,
        passport_id: PassportId,
        recipient: int = LAB,
        *,
        grant_id: GrantId | None = None,
        supersedes: GrantId = NO_GRANT,
        evidence: bytes | None = None,
        **changes: Any,
    ) -> GrantId:
        """Give consent to AI training on the study's categories; with evidence, as filed from paper."""
        grant_id = grant_id or GrantId(self.name())
        custody = self.state.passports[passport_id].custody
        signed = Assurance.SELF if custody is Custody.SELF else Assurance.ASSISTED
        state = GrantState(
            recipient=recipient,
            purposes=1 << Purpose.AI_TRAINING,
            categories=STUDY,
            use_from=START,
            use_to=START + 100 * DAY,
            max_uses=0,
            uses=0,
            flags=GrantFlag(0),
            status=GrantStatus.ACTIVE,
            control=self.state.members[recipient].control if recipient else 0,
            assurance=Assurance.PAPER if evidence else signed,
        )
        if supersedes != NO_GRANT:
            self.emit("ConsentSuperseded", grantId=supersedes, passportId=passport_id, successor=grant_id)
        self.emit(
            "ConsentGranted",
            grantId=grant_id,
            passportId=passport_id,
            recipient=recipient,
            state=state_tuple(replace(state, **changes)),
            template=1,
            terms=self.name(),
            supersedes=supersedes,
            same_block=True,
        )
        if evidence:
            self.emit(
                "ConsentFiled",
                grantId=grant_id,
                passportId=passport_id,
                evidence=evidence,
                same_block=True,
            )
        return grant_id

    def withdraw(self, passport_id: PassportId, grant_id: GrantId) -> Position:
        """Withdraw consent, and announce it to the datasets that somebody was included into under it."""
        position = self.emit("ConsentWithdrawn", grantId=grant_id, passportId=passport_id)
        self.announce(grant_id)
        return position

    def announce(self, grant_id: GrantId) -> None:
        """Announce the end of a grant to its datasets."""
        for number in self.state.inclusions.get(grant_id, ()):
            self.emit(
                "DatasetWithdrawn",
                datasetId=number,
                grantId=grant_id,
                withdrawals=len(self.state.datasets[number].withdrawals),
                same_block=True,
            )

    # Emergencies

    def open_emergency(
        self,
        passport_id: PassportId,
        member_id: int = HOSPITAL,
        *,
        categories: Category = STUDY,
        until: int | None = None,
        review_due: int | None = None,
    ) -> int:
        """Break the glass; returns the emergency's number."""
        emergency_id = len(self.state.emergencies) + 1
        at = self.time + 10  # a block takes ten seconds
        self.emit(
            "EmergencyOpened",
            emergencyId=emergency_id,
            passportId=passport_id,
            memberId=member_id,
            categories=int(categories),
            until=at + 4 * HOUR if until is None else until,
            reviewDue=at + 72 * HOUR if review_due is None else review_due,
            reason=int(EmergencyReason.UNCONSCIOUS),
            sealedUntil=0,
            statement=self.name(),
        )
        return emergency_id

    def review_emergency(
        self,
        emergency_id: int,
        *,
        finding: EmergencyFinding = EmergencyFinding.JUSTIFIED,
        right_lost: bool = False,
    ) -> None:
        """Review an emergency."""
        self.emit(
            "EmergencyReviewed",
            emergencyId=emergency_id,
            reviewer=ETHICS,
            finding=int(finding),
            rightLost=right_lost,
            opinion=self.name(),
        )

    def declare_emergency(
        self,
        *,
        purposes: int = 1 << Purpose.PUBLIC_HEALTH,
        categories: Category = STUDY,
        valid_from: int = START,
        until: int = START + 30 * DAY,
        max_records: int = 100,
        jurisdiction: int = HERE,
    ) -> int:
        """Declare a public emergency; returns its number."""
        emergency_id = len(self.state.emergencies) + 1
        self.emit(
            "EmergencyDeclared",
            emergencyId=emergency_id,
            declaration=(purposes, int(categories), valid_from, until, max_records, jurisdiction),
            document=self.name(),
        )
        return emergency_id

    # Decisions and what follows

    def decide(
        self,
        passport_id: PassportId,
        member_id: int = LAB,
        *,
        grant_id: GrantId = NO_GRANT,
        purpose: Purpose = Purpose.AI_TRAINING,
        basis: Basis = Basis.CONSENT,
        operation: Operation = Operation.READ,
        categories: Category = STUDY,
        level: Level = Level.PSEUDONYMISED,
        commitment: bytes | None = None,
        same_block: bool = False,
        forge: Callable[[Verdict], Verdict] | None = None,
        **more: int,
    ) -> int:
        """Answer a request by the law, or by what *forge* makes of the answer; returns the decision's number."""
        position = self.place(same_block=same_block)
        terms = Terms(purpose, basis, operation, categories, level, **more)
        arguments: dict[str, Any] = {
            "passportId": passport_id,
            "grantId": grant_id,
            "memberId": member_id,
            "terms": pack_terms(terms),
            "verdict": 0,
            "commitment": commitment or self.name(),
        }
        verdict = decide_again(self.state, decision_entry(arguments, position), terms)
        arguments["verdict"] = pack_verdict(forge(verdict) if forge else verdict)
        self.record(Event("DecisionRecorded", arguments, position))
        return int(arguments["verdict"] & 0xFFFFFFFFFF)

    def permitted(self, passport_id: PassportId, **changes: Any) -> int:
        """Let the laboratory train on a passport with everything the law asks for; returns the decision's number."""
        grant_id, project_id = self.give(passport_id), self.file_project()
        return self.decide(passport_id, grant_id=grant_id, project_id=project_id, **changes)

    def review_request(self, passport_id: PassportId, seq: int, *, approved_until: int) -> None:
        """Answer a request that waits for a human; approved until a time, or not at all with 0."""
        self.emit(
            "RequestReviewed",
            passportId=passport_id,
            seq=seq,
            reviewer=ETHICS,
            approvedUntil=approved_until,
            opinion=self.name(),
        )

    def release(self, passport_id: PassportId, seq: int, *, custodian: int = HOSPITAL) -> Position:
        """Record a completion receipt."""
        return self.emit(
            "ReleaseRecorded", passportId=passport_id, seq=seq, custodian=custodian, commitment=self.name()
        )

    def ship(self, passport_id: PassportId, seq: int, *, recipient: int = LAB) -> TransferId:
        """Ship data; returns the transfer's id."""
        transfer_id = TransferId(self.name())
        self.emit(
            "TransferShipped",
            transferId=transfer_id,
            passportId=passport_id,
            recipient=recipient,
            sender=HOSPITAL,
            seq=seq,
            content=self.state.passports[passport_id].content,
        )
        return transfer_id

    def receive(self, transfer_id: TransferId, *, content: bytes | None = None) -> None:
        """State what arrived: what was shipped, or *content*."""
        transfer = self.state.transfers[transfer_id].transfer
        received = content or transfer.content
        self.emit(
            "TransferReceived",
            transferId=transfer_id,
            passportId=transfer.passport_id,
            recipient=transfer.recipient,
            content=received,
            matched=received == transfer.content,
        )

    def declare_transfer(
        self,
        consignment: Consignment,
        *,
        sender: int = HOSPITAL,
        missing: TransferFact | None = None,
        crosses: bool | None = None,
    ) -> TransferId:
        """Declare a transfer of many records, answered by the twin unless the answer is given; returns its id."""
        transfer_id = TransferId(self.name())
        situation = self.state.transfer_situation(consignment, sender, self.time)
        abroad = transfer_crosses(consignment, situation.sender, situation.recipient)
        self.emit(
            "TransferDeclared",
            transferId=transfer_id,
            sender=sender,
            recipient=situation.recipient.member_id,
            missing=int(missing_of_transfer(consignment, situation) if missing is None else missing),
            crosses=abroad if crosses is None else crosses,
            consignment=consignment_values(consignment),
            description=self.name(),
        )
        return transfer_id

    def load(self, transfer_id: TransferId, passport_id: PassportId, seq: int) -> None:
        """Load a record into a transfer."""
        self.emit(
            "TransferLoaded",
            transferId=transfer_id,
            passportId=passport_id,
            index=len(self.state.loads.get(transfer_id, ())),
            seq=seq,
            content=self.state.passports[passport_id].content,
        )

    def dispatch(self, transfer_id: TransferId, *, root: bytes | None = None) -> None:
        """Ship what was loaded, under its root or another one."""
        loads = self.state.loads[transfer_id]
        found = root or merkle.root([merkle.leaf_of(load.item) for load in loads])
        self.emit("TransferDispatched", transferId=transfer_id, root=found, count=len(loads))

    # Agreements and borders

    def agree(
        self, recipient: int, *, signed: bool = True, provider: int = HOSPITAL, onward: bool = False
    ) -> int:
        """Let a member agree with another on what it gives; returns the agreement's number."""
        number, text = len(self.state.agreements) + 1, self.name()
        limits = Limits(
            recipient, 1 << Purpose.AI_TRAINING, STUDY, START + 300 * DAY, 90 * DAY, onward=onward
        )
        self.emit(
            "AgreementProposed",
            agreementId=number,
            provider=provider,
            recipient=recipient,
            limits=limits_values(limits),
            text=text,
        )
        if signed:
            self.emit("AgreementSigned", agreementId=number, recipient=recipient, text=text)
        return number

    def clear(self, project_id: int, **changes: Any) -> int:
        """Clear the hospital's data for a project; returns the clearance's number."""
        number = len(self.state.clearances) + 1
        given = Clearance(
            number, project_id, HOSPITAL, ETHICS, Path.ASSESSMENT, START, START + 300 * DAY, max_persons=100
        )
        self.emit(
            "ClearanceIssued",
            clearanceId=number,
            projectId=project_id,
            exporter=HOSPITAL,
            clearance=clearance_values(replace(given, **changes)),
            filing=self.name(),
        )
        return number

    def list_for_borders(self, member_id: int, *, valid_to: int = START + 300 * DAY) -> None:
        """Put a member on the list of those that may receive data from abroad."""
        self.emit("BorderAccessSet", memberId=member_id, regulator=ETHICS, validTo=valid_to)

    # Datasets and lineage

    def declare(self, owner: int = LAB, **changes: Any) -> int:
        """Declare a dataset for AI training on the study's categories; returns its number."""
        number = len(self.state.datasets) + 1
        plan = Plan(1 << Purpose.AI_TRAINING, STUDY, START + 200 * DAY)
        self.emit(
            "DatasetDeclared",
            datasetId=number,
            owner=owner,
            plan=plan_values(replace(plan, **changes)),
            description=self.name(),
        )
        return number

    def include(self, passport_id: PassportId, dataset_id: int, **changes: Any) -> GrantId:
        """Include a patient who consents into a dataset; returns the grant."""
        grant_id = self.give(passport_id, **changes)
        words = {"project_id": self.file_project(), "dataset_id": dataset_id}
        self.decide(passport_id, grant_id=grant_id, operation=Operation.INCLUDE, **words)
        return grant_id

    def step(
        self,
        kind: StepKind,
        *inputs: VersionId,
        member_id: int = LAB,
        forge: StepFact | None = None,
        **changes: Any,
    ) -> tuple[VersionId, ...]:
        """Record a step by the law, or with what *forge* says is missing; returns what it would make."""
        makes = {StepKind.SPLIT: 3, StepKind.EVALUATE: 0, StepKind.DEPLOY: 0, StepKind.DESTROY: 0}
        outputs = tuple(VersionId(self.name()) for _ in range(makes.get(kind, 1)))
        step = Step(kind, Commitment(self.name()), inputs, outputs, **changes)
        position = self.place()
        signed = self.state.parts.get(len(self.state.steps) + 1, ())
        team = (member_id, *(part.member_id for part in signed))
        missing = missing_of(step, self.state.step_situation(step, team, position.time))
        arguments = {
            "stepId": len(self.state.steps) + 1,
            "memberId": member_id,
            "kind": int(kind),
            "missing": int(missing if forge is None else forge),
            "step": step_values(step),
        }
        self.record(Event("StepRecorded", arguments, position))
        return outputs

    def check(self, version_id: VersionId, *, passed: bool = True) -> None:
        """Let the verifier check how a version was made."""
        self.emit(
            "VersionVerified",
            versionId=version_id,
            verifier=ETHICS,
            check=int(Check.PASSED if passed else Check.FAILED),
            report=self.name(),
        )

    def answer(
        self, version_id: VersionId, answer: Answer, successor: VersionId | None = None, *, owner: int = LAB
    ) -> None:
        """Answer the withdrawals that had reached a model."""
        self.emit(
            "WithdrawalAnswered",
            versionId=version_id,
            owner=owner,
            answer=int(answer),
            successor=successor or ZERO32,
            evidence=self.name(),
        )

    def certify(self, *, valid_to: int = START + 365 * DAY) -> bytes:
        """Certify a tool; returns its digest."""
        tool = self.name()
        self.attest(tool, AttestationKind.TOOL, COMMITTEE, valid_to=valid_to)
        return tool

    def model(self, dataset_id: int) -> VersionId:
        """Collect a dataset, have it checked, and train a model on it; returns the model."""
        [data] = self.step(StepKind.COLLECT, dataset_id=dataset_id)
        self.check(data)
        [model] = self.step(
            StepKind.TRAIN,
            data,
            project_id=self.file_project(),
            tool=self.certify(),
            purposes=1 << Purpose.AI_TRAINING,
        )
        return model


#: The order of `IConsents.GrantState`.
_STATE_FIELDS = (
    "recipient",
    "recipient_kinds",
    "purposes",
    "categories",
    "use_from",
    "use_to",
    "data_from",
    "data_to",
    "max_uses",
    "uses",
    "control",
    "level",
    "flags",
    "status",
    "assurance",
)


def state_tuple(state: GrantState) -> tuple[int, ...]:
    """Return a grant as the event carries it."""
    return tuple(int(getattr(state, name)) for name in _STATE_FIELDS)


def everything() -> Chronicle:
    """Return a chronicle in which every event of the ledger happens, in an order in which it can."""
    told = Chronicle.begun()
    _members_and_committee(told)
    passport = told.issue()
    _passports(told)
    _consents(told, passport)
    _emergencies(told, passport)
    told.attest(passport, AttestationKind.SOURCE, HOSPITAL)
    told.release(passport, told.permitted(passport))
    waiting = {
        "grant_id": told.give(passport, purposes=1 << Purpose.DISEASE_RESEARCH),
        "project_id": told.file_project(purposes=1 << Purpose.DISEASE_RESEARCH),
        "purpose": Purpose.DISEASE_RESEARCH,
        "commitment": told.name(),
    }
    told.review_request(passport, told.decide(passport, **waiting), approved_until=told.time + DAY)
    told.decide(passport, **waiting)
    told.receive(told.ship(passport, told.permitted(passport, operation=Operation.TRANSFER)))
    told.emit("ProjectWithdrawn", projectId=1)
    for place in list(told.state.unreleased):
        told.release(*place)
    _borders(told)
    _transfers_of_many(told)
    _lineage(told)
    return told


def crossings() -> Chronicle:
    """
    Return a chronicle of what permits across borders and in an emergency leave.

    A controller abroad has a processor at home; it asks twice for each of two persons, the custodian keeps the key of one,
    and again when it is off the list. A dataset is for an emergency.
    """
    told = Chronicle.begun()
    abroad = told.admit("Lab abroad", Role.PROCESSOR, kind=MemberKind.RESEARCH, jurisdiction=840)
    project = told.file_project(abroad)
    told.clear(project)
    told.list_for_borders(abroad)
    told.entrust(abroad, LAB, valid_to=START + 90 * DAY)
    own, kept = told.issue(), told.issue(custody=Custody.ASSISTED)
    asked = {"project_id": project, "controller_id": abroad}
    given = {person: told.give(person, abroad) for person in (own, kept)}
    for person in (own, own, kept, kept):
        told.decide(person, grant_id=given[person], **asked)
    told.list_for_borders(abroad, valid_to=0)
    told.decide(own, grant_id=given[own], **asked)
    declared = told.declare_emergency()
    told.declare(purposes=1 << Purpose.PUBLIC_HEALTH)
    told.decide(
        own,
        emergency_id=declared,
        purpose=Purpose.PUBLIC_HEALTH,
        basis=Basis.PUBLIC_EMERGENCY,
        project_id=told.file_project(purposes=1 << Purpose.PUBLIC_HEALTH, reviewed=False),
        operation=Operation.INCLUDE,
        dataset_id=1,
    )
    return told


def _members_and_committee(told: Chronicle) -> None:
    guest = told.admit("Guest", Role.PROCESSOR | Role.COMMITTEE, kind=MemberKind.COMPANY)
    told.emit("MemberSuspended", memberId=guest, reasons=told.name())
    told.emit("MemberReinstated", memberId=guest)
    told.emit(
        "MemberKeysRotated",
        memberId=guest,
        signer="0x" + "77" * 20,
        signingKey=told.name(),
        sealingKey=told.name(),
    )
    told.emit("MemberLicensed", memberId=guest, purposes=1, validTo=START + 99 * DAY)
    told.emit("MemberControlChanged", memberId=guest, control=1, reasons=told.name())
    told.emit("MemberCapsSet", memberId=LAB, caps=5 << (16 * Purpose.AI_TRAINING))
    told.entrust(HOSPITAL, guest, valid_to=START + DAY)
    told.emit("SeatSet", memberId=guest, kind=int(SeatKind.PATIENTS))
    told.emit("RuleSet", kind=int(ActKind.LAW), rule=(2, 1 << SeatKind.PATIENTS, 60))
    told.emit(
        "ActProposed",
        actId=1,
        memberId=COMMITTEE,
        kind=int(ActKind.MEMBERS),
        call=b"\x01\x02\x03\x04",
        reasons=told.name(),
    )
    told.emit("ActApproved", actId=1, memberId=guest)
    told.emit("SeatSet", memberId=guest, kind=int(SeatKind.NONE))
    told.emit("MemberExpelled", memberId=guest, reasons=told.name())
    told.emit("ActExecuted", actId=1, same_block=True)
    told.law(replace(default_law(), max_grant_seconds=DAY * 3000))
    told.emit(
        "TemplateIssued",
        template=2,
        content=(0x10, 0xFF, kind_set([MemberKind.HOSPITAL]), 365 * DAY, False, told.name()),
    )
    told.emit("TemplateWithdrawn", template=2)


def _passports(told: Chronicle) -> None:
    passport = told.issue(custody=Custody.ASSISTED, level=Level.PSEUDONYMISED)
    told.emit("PassportContentCommitted", passportId=passport, content=told.name())
    told.emit("PassportNarrowed", passportId=passport, purposes=1)
    told.emit("GuardiansNamed", passportId=passport, guardians=told.name())
    delegate = told.name()[:20]
    told.emit("DelegateNamed", passportId=passport, delegate=delegate, validTo=START + DAY)
    recovery = {
        "passportId": passport,
        "holder": told.name() + told.name(),
        "custody": 0,
        "readyAt": START + DAY,
        "byCustodian": False,
    }
    told.emit("RecoveryStarted", **recovery)
    told.emit("RecoveryCancelled", passportId=passport)
    told.emit("RecoveryStarted", **recovery)
    told.emit("HolderRotated", passportId=passport, holder=recovery["holder"], custody=0, epoch=1)
    told.emit("PassportSealed", passportId=passport, reasons=told.name())
    told.emit("PassportUnsealed", passportId=passport)
    told.emit("PassportDestroyed", passportId=passport, evidence=told.name())


def _consents(told: Chronicle, passport: PassportId) -> None:
    told.emit("ConsentRefused", grantId=told.ask(passport), passportId=passport)
    first = told.give(passport, grant_id=told.ask(passport))
    told.withdraw(passport, told.give(passport, supersedes=first))
    told.withdraw(passport, GrantId(told.name()))
    filed = told.give(passport, evidence=told.name())
    told.emit(
        "ConsentConfirmed", grantId=filed, passportId=passport, control=0, assurance=int(Assurance.SELF)
    )
    told.emit("ConsentRepudiated", grantId=told.give(passport, evidence=told.name()), passportId=passport)


def _emergencies(told: Chronicle, passport: PassportId) -> None:
    urgent = {
        "purpose": Purpose.EMERGENCY_CARE,
        "basis": Basis.INDIVIDUAL_EMERGENCY,
        "emergency_id": told.open_emergency(passport),
    }
    told.decide(passport, HOSPITAL, **urgent)
    told.review_emergency(1, finding=EmergencyFinding.UNJUSTIFIED, right_lost=True)
    told.decide(passport, HOSPITAL, **urgent)
    told.emit("EmergencyRightRestored", memberId=HOSPITAL)
    declared = told.declare_emergency()
    told.issue(lock=declared)
    told.decide(
        passport,
        emergency_id=declared,
        purpose=Purpose.PUBLIC_HEALTH,
        basis=Basis.PUBLIC_EMERGENCY,
        project_id=told.file_project(purposes=1 << Purpose.PUBLIC_HEALTH, reviewed=False),
    )
    told.emit("EmergencyEnded", emergencyId=declared, until=told.time + 10)


def _borders(told: Chronicle) -> None:
    """A laboratory abroad, cleared by contract, whose second patient is one too many; what ends it all again."""
    told.emit("ThresholdsSet", thresholds=(1_000_000, 10_000))
    abroad = told.admit("Lab abroad", Role.PROCESSOR, kind=MemberKind.RESEARCH, jurisdiction=840)
    project = told.file_project(abroad)
    clearance = told.clear(project, path=Path.CONTRACT, agreement=told.agree(abroad), max_persons=1)
    told.list_for_borders(abroad)
    first, second = told.issue(), told.issue()
    told.release(first, told.decide(first, abroad, grant_id=told.give(first, abroad), project_id=project))
    told.decide(second, abroad, grant_id=told.give(second, abroad), project_id=project)
    told.emit("AgreementEnded", agreementId=1, memberId=abroad, reasons=told.name())
    told.emit("ClearanceWithdrawn", clearanceId=clearance, memberId=ETHICS, reasons=told.name())


def _transfers_of_many(told: Chronicle) -> None:
    """One within the country that is stopped in between, and three across its border: refused, terminated, reported on."""
    told.emit("MemberCapsSet", memberId=LAB, caps=0)
    passport = told.issue()
    seq = told.permitted(passport, operation=Operation.TRANSFER)
    declared = Consignment(told.agree(LAB), 0, 1, 1 << Purpose.AI_TRAINING, STUDY, places=(HERE,))
    name = told.declare_transfer(declared)
    told.load(name, passport, seq)
    told.emit("TransferHalted", transferId=name, memberId=HOSPITAL, reasons=told.name())
    told.emit("TransferResumed", transferId=name, memberId=HOSPITAL)
    told.dispatch(name)
    told.receive(name)
    told.emit("TransferClosed", transferId=name, memberId=LAB, evidence=told.name())

    project = told.file_project()
    told.clear(project)
    told.list_for_borders(LAB)
    abroad = replace(declared, project_id=project, places=(HERE, 840))
    for released in (True, False):
        name = told.declare_transfer(abroad)
        told.emit(
            "TransferInspected",
            transferId=name,
            regulator=COMMITTEE,
            released=released,
            report=told.name(),
        )
        if released:
            told.emit("TransferTerminated", transferId=name, memberId=LAB, reasons=told.name())
    passport = told.issue()
    name = told.declare_transfer(abroad)
    told.emit("TransferInspected", transferId=name, regulator=COMMITTEE, released=True, report=told.name())
    told.load(name, passport, told.permitted(passport, operation=Operation.TRANSFER))
    told.dispatch(name)
    told.receive(name)
    told.emit(
        "TransferReported",
        transferId=name,
        memberId=LAB,
        nextDue=told.time + 90 * DAY,
        report=told.name(),
    )


def _lineage(told: Chronicle) -> None:
    """Models that a withdrawal reached, answered in time or too late; a step that broke a rule; the end of a dataset."""
    dataset = told.declare()
    first = told.issue()
    given = told.include(first, dataset)
    late, justified = told.model(dataset), told.model(dataset)
    told.step(StepKind.TRAIN, purposes=1 << Purpose.AI_TRAINING)
    told.emit(
        "VersionShared",
        versionId=told.state.steps[1].record.step.outputs[0],
        owner=LAB,
        recipient=HOSPITAL,
        agreementId=told.agree(HOSPITAL, provider=LAB),
        projectId=0,
        keepUntil=START + 90 * DAY,
    )
    told.emit(
        "DatasetExported",
        datasetId=dataset,
        exporter=HOSPITAL,
        clearanceId=told.clear(1),
        persons=1,
        crossed=1,
        sensitive=True,
    )
    outside = told.name()
    told.emit(
        "ExternalRegistered",
        versionId=outside,
        owner=LAB,
        kind=int(VersionKind.MODEL),
        purposes=1 << Purpose.AI_TRAINING,
        statement=told.name(),
    )
    told.emit("VersionVerified", versionId=outside, verifier=ETHICS, check=1, report=told.name())
    for member_id in (HOSPITAL, LAB):
        told.emit(
            "PartSigned",
            stepId=len(told.state.steps) + 1,
            memberId=member_id,
            contribution=told.name(),
        )
    told.step(StepKind.TRAIN, purposes=1 << Purpose.AI_TRAINING)
    told.withdraw(first, given)
    told.answer(justified, Answer.JUSTIFIED)
    told.time += 31 * DAY
    told.emit("ModelSuspended", versionId=late, memberId=HOSPITAL)
    told.answer(late, Answer.RETRAINED, told.model(dataset))
    told.include(told.issue(), dataset)
    told.emit("DatasetExcused", datasetId=dataset, reviewer=ETHICS, withdrawals=1, opinion=told.name())
    told.emit("DatasetSealed", datasetId=dataset, memberId=LAB, reasons=told.name())
    told.emit("DatasetUnsealed", datasetId=dataset, memberId=ETHICS)
    told.step(StepKind.DESTROY, dataset_id=dataset)


def block_hash(number: int) -> bytes:
    """Return what a block is called."""
    return keccak(text=f"block {number}")


@dataclass
class FakeNode:
    """
    A node that serves a chronicle's events as logs, and the views of a contract that recorded all of them.

    Attributes:
        most: Largest range of blocks it serves at once.
        hidden: Positions in the list of events that it does not serve.
        blind: Whether logs come without the time of their block.
    """

    chronicle: Chronicle
    most: int = 1_000_000
    hidden: frozenset[int] = frozenset()
    blind: bool = True
    ranges: list[tuple[int, int]] = field(default_factory=list)
    reorganised: bool = False

    def chain_id(self) -> int:
        """Return the chain's id."""
        return CHAIN_ID

    def head(self) -> BlockHeader:
        """Return the newest block."""
        found = self.block(self.chronicle.block)
        assert found is not None
        return found

    def block(self, number: int) -> BlockHeader | None:
        """Return a block."""
        if not 0 <= number <= self.chronicle.block:
            return None
        times = {event.position.block_number: event.position.time for event in self.chronicle.events}
        found = BlockHeader(number, block_hash(number), block_hash(number - 1), times.get(number, START))
        return replace(found, block_hash=bytes(32)) if self.reorganised and self.ranges else found

    def code(self, address: str) -> bytes:
        """Return the ledger's code, or nothing."""
        return b"\x60" if address == LEDGER else b""

    def logs(self, address: str, from_block: int, to_block: int) -> list[RawLog]:
        """Return logs of a range, newest first, to see that the order is not relied on."""
        self.ranges.append((from_block, to_block))
        assert address == LEDGER
        if to_block - from_block + 1 > self.most:
            raise TooLarge("range too large")
        return [
            self._log(event)
            for index, event in reversed(list(enumerate(self.chronicle.events)))
            if from_block <= event.position.block_number <= to_block and index not in self.hidden
        ]

    def call(self, to: str, data: bytes, block: int) -> bytes:
        """Answer `head()` and `sizeOf(bytes32)` as of the newest block."""
        assert to == LEDGER
        assert block == self.chronicle.block
        if data == _selector("head"):
            return self.chronicle.state.head
        assert data[:4] == _selector("sizeOf")
        passport_id = PassportId(decode(["bytes32"], data[4:])[0])
        return encode(["uint40"], [self.chronicle.state.passports[passport_id].size])

    def _log(self, event: Event) -> RawLog:
        log = encode_log(event)
        return replace(log, position=replace(log.position, time=0)) if self.blind else log


def encode_log(event: Event) -> RawLog:
    """Return an event as a node gives it."""
    entry = next(
        item for item in artifacts.load().abi if item["type"] == "event" and item["name"] == event.name
    )
    topics, kinds, values = [event_topic(entry)], [], []
    for item in entry["inputs"]:
        kind, value = canonical_type(item), event.arguments[item["name"]]
        if item["indexed"]:
            topics.append(encode([kind], [value]))
        else:
            kinds.append(kind)
            values.append(value)
    return RawLog(tuple(topics), encode(kinds, values), event.position)


def _selector(name: str) -> bytes:
    return selector(next(item for item in artifacts.load().abi if item.get("name") == name))
