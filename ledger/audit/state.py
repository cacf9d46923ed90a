"""
The ledger's state as its events tell it, and what bears on a request in it. `ledger.audit.folds` brings it forward.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from ledger.domain.lineage import OF_DATASETS, Dataset, JointPart, Step, StepRecord, Version, VersionId
from ledger.domain.records import (
    ZERO32,
    Agreement,
    Attestation,
    Caps,
    Clearance,
    Commitment,
    Consignment,
    Emergency,
    EmergencyRight,
    Entrustment,
    Exports,
    GrantId,
    GrantState,
    HolderKey,
    Member,
    Passport,
    PassportId,
    Person,
    PolicyTable,
    Position,
    Project,
    Request,
    Template,
    Terms,
    Thresholds,
    Transfer,
    TransferId,
    TransferItem,
    TransferNote,
    Verdict,
)
from ledger.domain.vocabulary import (
    ActKind,
    Answer,
    AttestationKind,
    Basis,
    DatasetStatus,
    EmergencyFinding,
    EmergencyReason,
    Operation,
    Outcome,
    SeatKind,
)
from ledger.encoding.hexadecimal import to_hex
from ledger.encoding.words import pack_terms, project_subject, request_hash, unpack_terms, unpack_verdict
from ledger.errors import VerificationError
from ledger.lineage import StepSituation
from ledger.policy import Crossing, Situation, agreement_is_in_force, importers_of, person_of, year_of
from ledger.transfers import Parent, TransferSituation

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")

DAY_SECONDS = 86_400
#: `control` of a request that was made in nobody's right: no member's is this.
NOBODYS = -1
_NO_COMMITMENT = Commitment(ZERO32)


@dataclass(frozen=True, slots=True)
class DecisionEntry:
    """
    One recorded decision.

    Attributes:
        asked: The packed terms as recorded.
        word: The packed verdict as recorded.
        control: `control` of the member in whose right it was asked, when it was decided; `NOBODYS` if in nobody's.
    """

    passport_id: PassportId
    seq: int
    grant_id: GrantId
    member_id: int
    asked: int
    word: int
    commitment: Commitment
    position: Position
    control: int = 0

    @property
    def terms(self) -> Terms:
        """
        Return what was asked.

        Raises:
            VerificationError: A code in the word does not exist.
        """
        return unpack_terms(self.asked)

    @property
    def verdict(self) -> Verdict:
        """
        Return the answer.

        Raises:
            VerificationError: A code in the word does not exist.
        """
        return unpack_verdict(self.word)

    @property
    def outcome(self) -> int:
        """Return the outcome as recorded, whether there is such an outcome or not."""
        return self.word >> 80 & 0xFF

    @property
    def missing(self) -> int:
        """Return the facts recorded as missing."""
        return self.word >> 120 & 0xFFFFFFFF

    @property
    def is_permit(self) -> bool:
        """Tell whether the request was permitted."""
        return self.outcome == Outcome.PERMIT

    def permits(self, operation: Operation) -> bool:
        """Tell whether the request was permitted and was for this operation."""
        return self.is_permit and self.asked >> 16 & 0xFF == operation

    @property
    def rests_on_consent(self) -> bool:
        """Tell whether the request named consent as its basis."""
        return self.asked >> 8 & 0xFF == Basis.CONSENT


@dataclass(frozen=True, slots=True)
class GrantEntry:
    """A grant: its state, its words, where it was given or asked for, and where it ended."""

    grant_id: GrantId
    passport_id: PassportId
    state: GrantState
    terms: Commitment
    supersedes: GrantId
    position: Position
    template: int = 0
    requested_by: int = 0
    evidence: Commitment | None = None
    successor: GrantId | None = None
    ended: Position | None = None


@dataclass(frozen=True, slots=True)
class EmergencyEntry:
    """An emergency, why it was opened, and until when the subject is not told more than that it was."""

    emergency: Emergency
    position: Position
    reason: EmergencyReason | int = 0
    sealed_until: int = 0
    reviewer: int = 0
    statement: Commitment = _NO_COMMITMENT
    opinion: Commitment = _NO_COMMITMENT
    reviewed_at: int = 0


@dataclass(frozen=True, slots=True)
class AgreementEntry:
    """An agreement, the commitment to its text, and where it was proposed, signed and ended."""

    agreement: Agreement
    text: Commitment
    position: Position
    signed_at: int = 0
    ended_at: int = 0
    ended_by: int = 0
    reasons: Commitment = _NO_COMMITMENT


@dataclass(frozen=True, slots=True)
class ClearanceEntry:
    """A clearance, the commitment to what was filed, where it was given, and who took it back when."""

    clearance: Clearance
    filing: Commitment
    position: Position
    withdrawn_at: int = 0
    withdrawn_by: int = 0
    reasons: Commitment = _NO_COMMITMENT


@dataclass(frozen=True, slots=True)
class ReviewEntry:
    """The review of a request that only a human's look was missing for; all zero while it waits."""

    reviewer: int = 0
    approved_until: int = 0
    opinion: Commitment = _NO_COMMITMENT
    reviewed_at: int = 0


@dataclass(frozen=True, slots=True)
class ReleaseEntry:
    """One completion receipt. `unfounded` if the decision was no permit."""

    passport_id: PassportId
    seq: int
    custodian: int
    position: Position
    unfounded: bool


@dataclass(frozen=True, slots=True)
class TransferEntry:
    """
    A transfer and where both sides recorded it.

    Attributes:
        shipped: None of one of many records that is not shipped yet.
        unfounded: Whether no permit stood behind the shipping of one record, or of many it was shipped when it could not be.
        declared: Of many records: where it was declared.
        description: Of many: commitment to what was said of it.
        notes: Of many: what members did about it, oldest first.
    """

    transfer: Transfer
    shipped: Position | None
    received: Position | None
    unfounded: bool
    declared: Position | None = None
    description: Commitment = _NO_COMMITMENT
    notes: tuple[TransferNote, ...] = ()

    @property
    def position(self) -> Position:
        """Return where it was recorded first."""
        found = self.declared or self.shipped
        assert found is not None  # noqa: S101 -- one of the two brought it about
        return found


@dataclass(frozen=True, slots=True)
class LoadEntry:
    """A record that was loaded into a transfer, and where. `unfounded` if it could not be loaded."""

    item: TransferItem
    position: Position
    unfounded: bool


@dataclass(frozen=True, slots=True)
class DeclarationEntry:
    """A declaration of a transfer as recorded, and where."""

    transfer: Transfer
    description: Commitment
    position: Position


@dataclass(frozen=True, slots=True)
class ActEntry:
    """An act of the committee, with the members whose seats approved it."""

    kind: ActKind
    call: bytes
    proposed: Position
    approvers: tuple[int, ...]
    executed: Position | None = None


@dataclass(frozen=True, slots=True)
class RecoveryEntry:
    """A replacement of a lost key that waits until `ready_at` for an objection."""

    holder: HolderKey
    custody: int
    ready_at: int
    by_custodian: bool


@dataclass(frozen=True, slots=True)
class RightState:
    """A member's right to emergencies: whether it was lost, and its emergencies in order, up to the settled ones."""

    lost: bool = False
    opened: tuple[int, ...] = ()
    settled: int = 0


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """
    The end of a consent that somebody had been included into a dataset under.

    Attributes:
        number: The dataset's withdrawals so far, this one among them.
    """

    dataset_id: int
    grant_id: GrantId
    number: int
    position: Position


@dataclass(frozen=True, slots=True)
class StepEntry:
    """A step as recorded, and where."""

    record: StepRecord
    position: Position


@dataclass(frozen=True, slots=True)
class ShareEntry:
    """
    The sharing of a version with a member.

    Attributes:
        agreement_id: Agreement that it is used under.
        project_id: Project of the recipient's that was named for the border.
        keep_until: Until when the recipient may keep it, exclusive.
    """

    agreement_id: int
    project_id: int
    keep_until: int
    position: Position


@dataclass(frozen=True, slots=True)
class ExternalEntry:
    """The statement of a member that vouches for a version from outside, and where it stands."""

    statement: Commitment
    position: Position


@dataclass(frozen=True, slots=True)
class CheckEntry:
    """What a verifier found about a version: in the version; its report, and where it stands."""

    report: Commitment
    position: Position


@dataclass(frozen=True, slots=True)
class AnswerEntry:
    """An owner's answer to the withdrawals that had reached a model."""

    answer: Answer
    successor: VersionId | None
    evidence: Commitment
    position: Position


@dataclass(slots=True)
class LedgerState:
    """
    What the ledger holds after some events.

    Attributes:
        members: By number; a name is as the member's admission gave it.
        caps: Daily caps by member; `cap_uses` what counts against them, by member and day.
        entrustments: By controller and processor.
        policies: Every version of the law by its number; `policy_version` is the one in force, 0 before the first.
        passports: By id; `size` is one more than the `seq` of the passport's last decision.
        counts: How many decisions of a passport were found.
        decisions: Recorded decisions by passport and `seq`.
        grants: By passport and grant, for a grant of one passport is nothing to another.
        attestations: Latest statements by subject (a passport's id, a project's number as 32 bytes) and kind.
        approvals: Until when a human's approval of a request holds, by the request's hash.
        reviews: Reviews of requests, answered or waiting, by passport and `seq`.
        rules: What acts of a kind need: quorum, set of kinds of seats, delay in seconds.
        guardians: Commitment to those who can replace a lost key together, by passport.
        recoveries: Replacements of lost keys that wait for an objection, by passport.
        delegates: Until when a key may speak for a subject, by passport and key; a new holder's key ends them all.
        transfer_permits: Unused permits to transfer, by passport and `seq`, whether they still stand or not.
        loads: What was loaded into transfers of many records, in order.
        unreleased: Permits to read without a completion receipt, by passport and `seq`, oldest first.
        head: The fold of all decisions found.
        datasets: By number, with their withdrawals as consents ended; `declared` where each was declared.
        sealed_from: How far a dataset had come when it was sealed last, by number.
        inclusions: The datasets that somebody was included into under a grant, in order.
        withdrawals: Derived from the ends of consents; `announced` are those that the ledger announced.
        steps: By number, those that stand and those that broke a rule.
        versions: What steps made, by id.
        checks: What verifiers found, by version.
        shares: By version and recipient.
        externals: Of the versions from outside.
        parts: Of the step that is recorded next, by its number.
        dataset_exports: How many of a dataset counted when versions of it were shared abroad, by exporter, year and
            dataset; `dataset_crossings` by clearance and dataset.
        answers: Of the owners of models, oldest first, by version.
        suspensions: Where a model was suspended last, by version.
        agreements: By number; `clearances` too.
        border_access: Until when a member may receive data from abroad.
        clearance_for: The latest clearance by project and exporter.
        crossed: Who crossed under which clearance, by `person_of`.
        exports: How many persons' data left, by exporter and calendar year.
        counted: Who is among them and whether with sensitive data, by exporter, year and `person_of`.
    """

    members: dict[int, Member] = field(default_factory=dict)
    caps: dict[int, int] = field(default_factory=dict)
    cap_uses: dict[tuple[int, int], int] = field(default_factory=dict)
    entrustments: dict[tuple[int, int], Entrustment] = field(default_factory=dict)
    policies: dict[int, PolicyTable] = field(default_factory=dict)
    policy_version: int = 0
    passports: dict[PassportId, Passport] = field(default_factory=dict)
    issued: dict[PassportId, Position] = field(default_factory=dict)
    counts: dict[PassportId, int] = field(default_factory=dict)
    decisions: dict[PassportId, dict[int, DecisionEntry]] = field(default_factory=dict)
    grants: dict[tuple[PassportId, GrantId], GrantEntry] = field(default_factory=dict)
    templates: dict[int, Template] = field(default_factory=dict)
    projects: dict[int, Project] = field(default_factory=dict)
    attestations: dict[bytes, dict[AttestationKind, Attestation]] = field(default_factory=dict)
    emergencies: dict[int, EmergencyEntry] = field(default_factory=dict)
    rights: dict[int, RightState] = field(default_factory=dict)
    approvals: dict[bytes, int] = field(default_factory=dict)
    reviews: dict[tuple[PassportId, int], ReviewEntry] = field(default_factory=dict)
    transfer_permits: dict[tuple[PassportId, int], DecisionEntry] = field(default_factory=dict)
    transfers: dict[TransferId, TransferEntry] = field(default_factory=dict)
    loads: dict[TransferId, list[LoadEntry]] = field(default_factory=dict)
    releases: dict[tuple[PassportId, int], ReleaseEntry] = field(default_factory=dict)
    unreleased: dict[tuple[PassportId, int], DecisionEntry] = field(default_factory=dict)
    seats: dict[int, SeatKind] = field(default_factory=dict)
    rules: dict[ActKind, tuple[int, int, int]] = field(default_factory=dict)
    acts: dict[int, ActEntry] = field(default_factory=dict)
    guardians: dict[PassportId, bytes] = field(default_factory=dict)
    recoveries: dict[PassportId, RecoveryEntry] = field(default_factory=dict)
    delegates: dict[tuple[PassportId, HolderKey], int] = field(default_factory=dict)
    head: bytes = ZERO32
    datasets: dict[int, Dataset] = field(default_factory=dict)
    declared: dict[int, Position] = field(default_factory=dict)
    sealed_from: dict[int, DatasetStatus] = field(default_factory=dict)
    inclusions: dict[GrantId, tuple[int, ...]] = field(default_factory=dict)
    withdrawals: list[Withdrawal] = field(default_factory=list)
    announced: list[Withdrawal] = field(default_factory=list)
    steps: dict[int, StepEntry] = field(default_factory=dict)
    versions: dict[VersionId, Version] = field(default_factory=dict)
    checks: dict[VersionId, CheckEntry] = field(default_factory=dict)
    shares: dict[tuple[VersionId, int], ShareEntry] = field(default_factory=dict)
    externals: dict[VersionId, ExternalEntry] = field(default_factory=dict)
    parts: dict[int, tuple[JointPart, ...]] = field(default_factory=dict)
    dataset_exports: dict[tuple[int, int, int], int] = field(default_factory=dict)
    dataset_crossings: dict[tuple[int, int], int] = field(default_factory=dict)
    answers: dict[VersionId, tuple[AnswerEntry, ...]] = field(default_factory=dict)
    suspensions: dict[VersionId, Position] = field(default_factory=dict)
    agreements: dict[int, AgreementEntry] = field(default_factory=dict)
    clearances: dict[int, ClearanceEntry] = field(default_factory=dict)
    clearance_for: dict[tuple[int, int], int] = field(default_factory=dict)
    border_access: dict[int, int] = field(default_factory=dict)
    thresholds: Thresholds = field(default_factory=Thresholds)
    crossed: set[tuple[int, Person]] = field(default_factory=set)
    exports: dict[tuple[int, int], Exports] = field(default_factory=dict)
    counted: dict[tuple[int, int, Person], bool] = field(default_factory=dict)

    @property
    def law(self) -> PolicyTable:
        """
        Return the law in force.

        Raises:
            VerificationError: No event has set one: the first events are missing.
        """
        return known(self.policies, self.policy_version, "version of the law")

    def member_name(self, member_id: int | None) -> str:
        """Return what a member is called; `member 7` if its admission is unknown."""
        member = None if member_id is None else self.members.get(member_id)
        return member.name if member else f"member {member_id}"

    def situation(self, request: Request, member_id: int, at: int) -> Situation:
        """
        Return what bears on a request of a member at a time.

        Args:
            request: The request.
            member_id: Who makes it.
            at: Seconds since the Unix epoch; not before the last event taken.

        Raises:
            VerificationError: The passport or the requester is unknown, or no law is in force.
        """
        terms = request.terms
        passport = known(self.passports, request.passport_id, "passport")
        custodian = known(self.members, passport.custodian, "member")
        requester = known(self.members, member_id, "member")
        grant = self.grants.get((request.passport_id, request.grant_id))
        entry = self.emergencies.get(terms.emergency_id)
        day = at // DAY_SECONDS
        situation = Situation(
            at=at,
            table=self.law,
            requester=requester,
            passport=passport,
            jurisdiction=custodian.jurisdiction,
            grant=grant.state if grant else None,
            project=self.projects.get(terms.project_id),
            controller=self.members.get(terms.controller_id),
            entrustment=self.entrustments.get((terms.controller_id, member_id)),
            caps=Caps(self.caps.get(member_id, 0), day, self.cap_uses.get((member_id, day), 0)),
            emergency=entry.emergency if entry else None,
            right=self.right(member_id),
            on_passport=self.attestations.get(request.passport_id, {}),
            on_project=self.attestations.get(project_subject(terms.project_id), {}),
            approved_until=self.approvals.get(hash_of(request, member_id), 0),
            dataset=self.datasets.get(terms.dataset_id),
            included_into=self.inclusions.get(request.grant_id, ()),
        )
        importers = importers_of(terms, situation)
        if not importers:
            return situation
        person = person_of(passport)
        crossing = self.crossing(
            terms.project_id, passport.custodian, importers[0], at, person, importers[1:]
        )
        return replace(situation, crossing=crossing)

    def crossing(
        self,
        project_id: int,
        exporter: int,
        importer: int,
        at: int,
        person: Person | None = None,
        others: Sequence[int] = (),
    ) -> Crossing:
        """
        Return what bears on data crossing a border.

        Args:
            project_id: The project that it crosses for; 0 for none.
            exporter: The member that keeps the data.
            importer: The member that receives it.
            at: Seconds since the Unix epoch; not before the last event taken.
            person: Whose data it is; None if that does not matter.
            others: Further members that receive it.
        """
        number = self.clearance_for.get((project_id, exporter), 0)
        entry = self.clearances.get(number)
        year = year_of(at)
        counted = self.counted.get((exporter, year, person)) if person else None
        return Crossing(
            access_until=min(self.border_access.get(one, 0) for one in (importer, *others)),
            clearance=entry.clearance if entry else None,
            contract_in_force=entry is not None and self.agreement_stands(entry.clearance.agreement, at),
            crossed=person is not None and (number, person) in self.crossed,
            exports=self.exports.get((exporter, year), Exports()),
            counted=counted is not None,
            counted_sensitive=bool(counted),
            thresholds=self.thresholds,
        )

    def agreement_stands(self, agreement_id: int, at: int) -> bool:
        """Tell whether there is such an agreement, and it is in force at a time (seconds since the Unix epoch)."""
        entry = self.agreements.get(agreement_id)
        if entry is None:
            return False
        provider = known(self.members, entry.agreement.provider, "member")
        recipient = known(self.members, entry.agreement.recipient, "member")
        return agreement_is_in_force(entry.agreement, provider, recipient, at)

    def _agreement_of_share(self, name: VersionId, member_id: int, at: int) -> Agreement | None:
        """Return the agreement in force under which a member may use a version; None if it may not, or no more."""
        share = self.shares.get((name, member_id))
        if share is None or at >= share.keep_until or not self.agreement_stands(share.agreement_id, at):
            return None
        return self.agreements[share.agreement_id].agreement

    def step_situation(self, step: Step, team: Sequence[int], at: int) -> StepSituation:
        """
        Return what bears on a step at a time.

        Args:
            step: The step.
            team: Who takes part; who records it first.
            at: Seconds since the Unix epoch; not before the last event taken.

        Raises:
            VerificationError: The dataset or the member is unknown, or no law is in force.
        """
        versions = {name: self.versions[name] for name in step.inputs if name in self.versions}
        numbers = {origin.dataset_id for version in versions.values() for origin in version.origins}
        if step.dataset_id or step.kind in OF_DATASETS:
            numbers.add(step.dataset_id)
        datasets = {number: known(self.datasets, number, "dataset") for number in sorted(numbers)}
        return StepSituation(
            at=at,
            member=known(self.members, team[0], "member"),
            core_categories=self.law.core_categories,
            others=tuple(known(self.members, one, "member") for one in team[1:]),
            banned_purposes=self.law.banned_purposes,
            versions=versions,
            shares={
                (name, one): agreement
                for name in versions
                for one in team
                if (agreement := self._agreement_of_share(name, one, at)) is not None
            },
            datasets=datasets,
            jurisdictions={
                number: known(self.members, dataset.owner, "member").jurisdiction
                for number, dataset in datasets.items()
            },
            crossings={
                (number, one): self.crossing(step.project_id, dataset.owner, one, at)
                for number, dataset in datasets.items()
                for one in team
            },
            project=self.projects.get(step.project_id),
            on_project=self.attestations.get(project_subject(step.project_id), {}),
            on_tool=self.attestations.get(step.tool, {}),
            on_versions={name: self.attestations.get(name, {}) for name in versions},
        )

    def transfer_situation(self, consignment: Consignment, sender: int, at: int) -> TransferSituation:
        """
        Return what bears on a transfer of many records at a time.

        Args:
            consignment: What is declared of it.
            sender: Who declares it.
            at: Seconds since the Unix epoch; not before the last event taken.

        Raises:
            VerificationError: A member, the agreement or the parent is unknown, or no law is in force.
        """
        agreement = known(self.agreements, consignment.agreement_id, "agreement").agreement
        project = self.projects.get(consignment.project_id)
        return TransferSituation(
            at=at,
            sender=known(self.members, sender, "member"),
            recipient=known(self.members, agreement.recipient, "member"),
            agreement=agreement,
            agreement_in_force=self.agreement_stands(consignment.agreement_id, at),
            banned_purposes=self.law.banned_purposes,
            project_owner=project.member_id if project else 0,
            crossing=self.crossing(consignment.project_id, sender, agreement.recipient, at),
            parent=self._parent(consignment.parent, at) if consignment.parent else None,
        )

    def _parent(self, transfer_id: TransferId, at: int) -> Parent:
        entry = known(self.transfers, transfer_id, "transfer")
        under = entry.transfer.consignment
        number = under.agreement_id if under else 0
        agreement = self.agreements.get(number)
        return Parent(
            transfer=entry.transfer,
            received_at=entry.received.time if entry.received else 0,
            agreement=agreement.agreement if agreement else None,
            agreement_in_force=self.agreement_stands(number, at),
        )

    def right(self, member_id: int) -> EmergencyRight:
        """Return a member's right to emergencies; what is owed is owed in the order of opening."""
        right = self.rights.get(member_id, RightState())
        for emergency_id in right.opened[right.settled :]:
            entry = self.emergencies[emergency_id]
            if entry.emergency.finding is EmergencyFinding.PENDING:
                return EmergencyRight(right.lost, entry.emergency.review_due)
        return EmergencyRight(right.lost)


def hash_of(request: Request, member_id: int) -> bytes:
    """Return what names a request of a member, word for word."""
    return request_hash(
        passport_id=request.passport_id,
        grant_id=request.grant_id,
        commitment=request.commitment,
        terms_word=pack_terms(request.terms),
        member_id=member_id,
    )


def known(mapping: Mapping[_Key, _Value], key: _Key, what: str) -> _Value:
    """
    Return what a key stands for.

    Raises:
        VerificationError: Nothing: an earlier event is missing.
    """
    try:
        return mapping[key]
    except KeyError:
        last = key[-1] if isinstance(key, tuple) else key
        name = to_hex(last) if isinstance(last, bytes) else last
        raise VerificationError(
            f"an event speaks of a {what} that no earlier event brought about: {name}",
            fix="Start at the block where the ledger was deployed; if you did, this node hides events.",
        ) from None
