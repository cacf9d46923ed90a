"""Steps, versions, and what walks along them find."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import ConfigDict, Field

from api.schemas.base import ID2_EXAMPLE, ID_EXAMPLE, Model, unhex, utc
from api.schemas.chain import PositionOut, position_out
from api.schemas.datasets import DatasetOut, InclusionOut
from api.schemas.members import MemberName
from api.schemas.words import (
    AnswerIn,
    Epsilon,
    Hex32,
    MemberId,
    PurposeIn,
    PurposesIn,
    SignatureIn,
    StepKindIn,
    Uint32,
    VersionKindIn,
    purpose_names,
)
from ledger.domain.lineage import MAX_LINKS, NOBODY, JointPart, Origin, VersionId
from ledger.domain.records import ZERO32, Commitment, Salt
from ledger.domain.vocabulary import Check, VersionKind, names
from ledger.domain.wording import broken_rules
from ledger.encoding.hexadecimal import to_hex
from ledger.ports import AnswerRecord, Obligation, ShareRecord, StepEntry, VersionRecord
from ledger.service.lineage import (
    StepReport,
    answer_sentence,
    obligation_sentence,
    step_sentence,
)
from ledger.service.walks import Blame, CustodyAct, CustodyEntry, Impact, Round

_WORDS = "Stays in the vault; the chain holds a commitment."
_Links = Annotated[list[Hex32], Field(max_length=MAX_LINKS)]
#: Names of members by number.
Names = Mapping[int, str]


class PartIn(Model):
    """What a member that takes part in a joint step signed."""

    member_id: MemberId
    contribution: Hex32 = Field(description="Commitment to what it contributes.")
    signature: SignatureIn

    def to_part(self) -> JointPart:
        """Return the part as a value of the ledger."""
        return JointPart(
            self.member_id, Commitment(unhex(self.contribution)), bytes.fromhex(self.signature[2:])
        )


class StepIn(Model):
    """What the caller did with data."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "kind": "TRAIN",
                    "inputs": [ID_EXAMPLE],
                    "outputs": [ID2_EXAMPLE],
                    "projectId": 1,
                    "purposes": ["AI_TRAINING"],
                    "epsilon": 500_000,
                    "tool": ID_EXAMPLE,
                    "parameters": {"learningRate": 0.001, "epochs": 20},
                    "environment": {"image": "trainer:2.4", "gpu": "4 cards"},
                    "evidence": "Run 2026-12-01/7, log kept by the laboratory",
                }
            ]
        }
    )

    kind: StepKindIn
    inputs: _Links = Field(default=[], description="Versions it used; a model before data.")
    outputs: _Links = Field(
        default=[],
        description="Commitments to the content of what it made; of SPLIT training, validation, test.",
    )
    dataset_id: Uint32 = Field(default=0, description="Of COLLECT and DESTROY.")
    project_id: Uint32 = Field(default=0, description="The project it is part of.")
    purposes: Annotated[list[PurposeIn], Field(max_length=16)] = Field(
        default=[], description="What the model of TRAIN is for."
    )
    epsilon: Epsilon = Field(default=0, description="Privacy it spends, in millionths of epsilon.")
    tool: Hex32 | None = Field(default=None, description="Digest of the tool.")
    parameters: dict[str, Any] = Field(description=f"How it was done. {_WORDS}")
    environment: dict[str, Any] = Field(default={}, description=f"Where it was done. {_WORDS}")
    evidence: str = Field(default="", max_length=100_000, description=f"What shows it. {_WORDS}")
    salt: Hex32 | None = Field(
        default=None,
        description="Of a joint step: the salt of the commitment to parameters, environment and evidence, which all signed.",
    )
    parts: Annotated[list[PartIn], Field(max_length=MAX_LINKS)] = Field(
        default=[],
        description="Of a joint step: who took part, in the order of their numbers, each with its signature.",
    )

    def to_report(self) -> StepReport:
        """Return the step as a value of the ledger."""
        return StepReport(
            kind=self.kind,
            inputs=tuple(VersionId(unhex(name)) for name in self.inputs),
            outputs=tuple(VersionId(unhex(name)) for name in self.outputs),
            dataset_id=self.dataset_id,
            project_id=self.project_id,
            purposes=tuple(self.purposes),
            epsilon=self.epsilon,
            tool=unhex(self.tool) if self.tool else ZERO32,
            parameters=self.parameters,
            environment=self.environment,
            evidence=self.evidence,
            salt=Salt(unhex(self.salt)) if self.salt else None,
            parts=tuple(part.to_part() for part in self.parts),
        )


class JoinIn(Model):
    """A step that another member will record, and what the caller contributes to it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "recorder": 2,
                    "contribution": ID_EXAMPLE,
                    "step": {
                        "kind": "TRAIN",
                        "inputs": [ID_EXAMPLE],
                        "outputs": [ID2_EXAMPLE],
                        "projectId": 1,
                        "purposes": ["AI_TRAINING"],
                        "tool": ID_EXAMPLE,
                        "parameters": {"round": 1},
                        "salt": ID_EXAMPLE,
                    },
                }
            ]
        }
    )

    recorder: MemberId = Field(description="Who will record it.")
    contribution: Hex32 = Field(
        description="Commitment to what the caller contributes: its update, for example."
    )
    step: StepIn


class ExternalIn(Model):
    """Data or a model that no step of the ledger made, and what the caller states about it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "content": ID_EXAMPLE,
                    "kind": "MODEL",
                    "purposes": ["AI_TRAINING"],
                    "statement": "Published weights, release 4, under the licence of its authors",
                }
            ]
        }
    )

    content: Hex32 = Field(
        description="Commitment to its content. The version is named by the hash of the caller's number and this."
    )
    kind: VersionKindIn
    purposes: PurposesIn = Field(description="What it may serve.")
    statement: str = Field(
        min_length=1,
        max_length=100_000,
        description=f"Where it is from, and what allows its use. {_WORDS}",
    )


class CheckIn(Model):
    """What a verifier found."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"passed": True, "report": "Report 2026-41: as the protocol says"}]}
    )

    passed: bool
    report: str = Field(min_length=1, max_length=100_000, description=_WORDS)


class ShareIn(Model):
    """With whom a version is shared, within which limits."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"recipient": 3, "agreementId": 7, "projectId": 2}]}
    )

    recipient: MemberId
    agreement_id: Uint32 = Field(description="The agreement in force by which the caller gives.")
    project_id: Uint32 = Field(
        default=0, description="The recipient's project that is cleared for the border, if it is abroad."
    )


class WithdrawalAnswerIn(Model):
    """What was done about the withdrawals that have reached a model."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"answer": "RETRAINED", "successor": ID2_EXAMPLE, "evidence": "Run 9, without the two"}
            ]
        }
    )

    answer: AnswerIn
    successor: Hex32 | None = Field(
        default=None,
        description="Of RETRAINED and UNLEARNED: the model in its place, which no withdrawal reached.",
    )
    evidence: str = Field(min_length=1, max_length=100_000, description=_WORDS)


class PartOut(Model):
    """A member that took part in a step."""

    member: MemberName
    contribution: str = Field(description="Commitment to what it contributed.", examples=[ID_EXAMPLE])


class SignedPartOut(Model):
    """A part of the caller's, signed: who records the step submits it."""

    member_id: int = Field(examples=[3])
    contribution: str = Field(examples=[ID_EXAMPLE])
    signature: str


class StepOut(Model):
    """A step. Against the rules it is recorded too, and makes nothing."""

    step_id: int = Field(examples=[1])
    member: MemberName
    kind: str = Field(examples=["TRAIN"])
    outcome: str = Field(description="PERMIT if it stands, else DENY.", examples=["DENY"])
    missing: list[str] = Field(examples=[["INPUTS_VERIFIED"]])
    reasons: list[str] = Field(
        description="The rules that it broke, in words.",
        examples=[["nobody independent has checked the data that it used"]],
    )
    sentence: str
    dataset_id: int | None = Field(examples=[1])
    project_id: int | None = Field(examples=[1])
    purposes: list[str] = Field(examples=[["AI_TRAINING"]])
    epsilon: int = Field(description="In millionths of epsilon.", examples=[500_000])
    inputs: list[str] = Field(examples=[[ID_EXAMPLE]])
    outputs: list[str] = Field(examples=[[ID2_EXAMPLE]])
    tool: str | None = Field(examples=[ID_EXAMPLE])
    commitment: str = Field(description="To parameters, environment and evidence.", examples=[ID_EXAMPLE])
    parameters: dict[str, Any] | None = Field(
        default=None, description="For who recorded it, verifiers and auditors, if kept here."
    )
    environment: dict[str, Any] | None = None
    evidence: str | None = None
    parts: list[PartOut] = Field(description="Of a joint step: who took part, and signed.")
    position: PositionOut


class StepList(Model):
    """Steps, oldest first."""

    items: list[StepOut]
    next: str | None = None


class OriginOut(Model):
    """From which dataset a version is."""

    dataset_id: int = Field(examples=[1])
    withdrawals: int = Field(description="How many there had been when it was collected.", examples=[0])
    answered: int = Field(description="Of a model: how many its owner justified.", examples=[0])
    split_id: int | None = Field(description="The step that split it.", examples=[4])
    parts: list[str] = Field(examples=[["TRAINING"]])


class ObligationOut(Model):
    """An answer that the owner of a model owes to those who withdrew."""

    version_id: str = Field(examples=[ID_EXAMPLE])
    owner: MemberName
    due: str = Field(examples=["2026-12-31T08:00:00Z"])
    overdue: bool
    withdrawals: int = Field(description="Consents that ended and wait for it.", examples=[1])
    sentence: str


class ObligationList(Model):
    """What is owed, the one due first first."""

    items: list[ObligationOut]
    next: str | None = None


class AnswerOut(Model):
    """What the owner of a model answered."""

    version_id: str = Field(examples=[ID_EXAMPLE])
    answer: str = Field(examples=["RETRAINED"])
    successor: str | None = Field(examples=[ID2_EXAMPLE])
    sentence: str
    evidence: str | None = Field(description="What shows it, if kept here.", examples=["Run 9"])
    position: PositionOut


class ShareOut(Model):
    """A member that a version was shared with."""

    recipient: MemberName
    agreement_id: int = Field(examples=[7])
    project_id: int | None = Field(description="Named for the border.", examples=[2])
    keep_until: str = Field(
        description="Until when the recipient may keep it.", examples=["2027-12-01T08:00:00Z"]
    )
    position: PositionOut


class VersionOut(Model):
    """One state of data, a model, or a result; named by the commitment to its content."""

    version_id: str = Field(examples=[ID_EXAMPLE])
    kind: str = Field(examples=["MODEL"])
    step_id: int | None = Field(
        description="The step that made it; null if it is from outside: its owner vouches for it.",
        examples=[6],
    )
    external: bool = Field(description="Whether it is from outside.")
    quarantined: bool = Field(description="Whether it is from outside and has not passed a check.")
    owner: MemberName
    only_to: MemberName | None = Field(
        description="The only member that it may be shared with; null if any, or if it may not be shared."
    )
    shareable: bool = Field(description="Whether it may be shared with anybody at all.")
    purposes: list[str] = Field(description="What it may serve at most.", examples=[["AI_TRAINING"]])
    origins: list[OriginOut]
    check: str = Field(examples=["PASSED"])
    verifier: MemberName | None
    status: str | None = Field(description="Of a model.", examples=["ACTIVE"])
    evaluated: bool | None = Field(description="Of a model.")
    deployed: bool | None = Field(description="Of a model.")


class VersionDetailOut(VersionOut):
    """A version with what was done about it."""

    report: str | None = Field(description="The verifier's report, if kept here.")
    statement: str | None = Field(
        description="Of a version from outside: its owner's statement, if kept here."
    )
    shares: list[ShareOut]
    obligation: ObligationOut | None
    answers: list[AnswerOut]


class WalkOut(Model):
    """What a walk found; `complete` says that neither its depth nor its limit cut it short."""

    datasets: list[DatasetOut]
    inclusions: list[InclusionOut] = Field(
        description="Who was in the data, and under which consents; of datasets whose inclusions the caller may see."
    )
    steps: list[StepOut]
    versions: list[VersionOut]
    complete: bool


class BlameOut(Model):
    """The first step in a version's ancestry whose check failed or that broke a rule; null if none did."""

    version_id: str = Field(description="What was asked about.", examples=[ID_EXAMPLE])
    member: MemberName | None = Field(description="Who is responsible.")
    step: StepOut | None
    failed: VersionOut | None = Field(description="What failed its check, if it was that.")
    sentence: str
    complete: bool = Field(description="Whether the whole ancestry was searched.")


class RoundOut(Model):
    """One link of a chain of models."""

    number: int = Field(description="Counted from 1.", examples=[3])
    model: VersionOut
    base: str | None = Field(description="The model that it was trained on from.", examples=[ID_EXAMPLE])
    step: StepOut


class RoundList(Model):
    """The chain of models that one was trained on from, the first one first."""

    items: list[RoundOut]
    complete: bool


class CustodyOut(Model):
    """One link of a custody chain."""

    act: str = Field(description="VOUCHED, MADE, CHECKED, SHARED, USED or ANSWERED.", examples=["SHARED"])
    member: MemberName
    version_id: str = Field(examples=[ID_EXAMPLE])
    step_id: int | None = Field(examples=[6])
    recipient: MemberName | None
    sentence: str
    position: PositionOut


class TraceOut(Model):
    """The custody chain of a version and of what it is made of, in the order of the chain."""

    items: list[CustodyOut]
    complete: bool


class ImpactOut(Model):
    """What a consent's data is in, and what its withdrawal asks, or would ask."""

    grant_id: str = Field(examples=[ID_EXAMPLE])
    status: str = Field(examples=["WITHDRAWN"])
    sentence: str
    inclusions: list[InclusionOut]
    datasets: list[DatasetOut]
    versions: list[VersionOut] = Field(description="Data and results that it reaches, a page of them.")
    models: list[VersionOut] = Field(description="Models that it reaches.")
    obligations: list[ObligationOut] = Field(description="What their owners owe now.")
    answers: list[AnswerOut] = Field(description="What their owners answered.")
    complete: bool = Field(description="Whether these are all inclusions and models.")
    next: str | None = None


def step_out(entry: StepEntry, members: Names, reported: Mapping[str, Any] | None = None) -> StepOut:
    """Write a step; *reported* is how it was done, for who may read it."""
    record, step = entry.record, entry.record.step
    return StepOut(
        step_id=record.step_id,
        member=_named(record.member_id, members),
        kind=step.kind.name,
        outcome="PERMIT" if entry.stands else "DENY",
        missing=names(record.missing),
        reasons=broken_rules(record.missing),
        sentence=step_sentence(entry, _name(record.member_id, members)),
        dataset_id=step.dataset_id or None,
        project_id=step.project_id or None,
        purposes=purpose_names(step.purposes),
        epsilon=step.epsilon,
        inputs=[to_hex(name) for name in step.inputs],
        outputs=[to_hex(name) for name in step.outputs],
        tool=to_hex(step.tool) if any(step.tool) else None,
        commitment=to_hex(step.parameters),
        parameters=reported["parameters"] if reported else None,
        environment=reported["environment"] if reported else None,
        evidence=reported["evidence"] if reported else None,
        parts=[
            PartOut(member=_named(part.member_id, members), contribution=to_hex(part.contribution))
            for part in record.parts
        ],
        position=position_out(entry.position),
    )


def version_out(record: VersionRecord, members: Names) -> VersionOut:
    """Write a version."""
    return VersionOut(**_version_fields(record, members))


def version_detail_out(
    record: VersionRecord,
    members: Names,
    *,
    report: str | None,
    statement: str | None,
    shares: list[ShareOut],
    obligation: ObligationOut | None,
    answers: list[AnswerOut],
) -> VersionDetailOut:
    """Write a version with what was done about it."""
    return VersionDetailOut(
        **_version_fields(record, members),
        report=report,
        statement=statement,
        shares=shares,
        obligation=obligation,
        answers=answers,
    )


def share_out(share: ShareRecord, members: Names) -> ShareOut:
    """Write with whom a version was shared, and under what."""
    return ShareOut(
        recipient=_named(share.recipient, members),
        agreement_id=share.agreement_id,
        project_id=share.project_id or None,
        keep_until=utc(share.keep_until),
        position=position_out(share.position),
    )


def round_out(link: Round, members: Names) -> RoundOut:
    """Write one link of a chain of models."""
    return RoundOut(
        number=link.number,
        model=version_out(link.model, members),
        base=to_hex(link.base.version.version_id) if link.base else None,
        step=step_out(link.step, members),
    )


def obligation_out(owed: Obligation, members: Names, at: int) -> ObligationOut:
    """Write what is owed, as it stands at a time."""
    return ObligationOut(
        version_id=to_hex(owed.version_id),
        owner=_named(owed.owner, members),
        due=utc(owed.due),
        overdue=at > owed.due,
        withdrawals=owed.withdrawals,
        sentence=obligation_sentence(owed, _name(owed.owner, members), at),
    )


def answer_out(answer: AnswerRecord, members: Names, evidence: str | None) -> AnswerOut:
    """Write an answer with what shows it, if that is known."""
    return AnswerOut(
        version_id=to_hex(answer.version_id),
        answer=answer.answer.name,
        successor=to_hex(answer.successor) if any(answer.successor) else None,
        sentence=answer_sentence(answer.answer, _name(answer.owner, members), answer.position.time),
        evidence=evidence,
        position=position_out(answer.position),
    )


def custody_out(link: CustodyEntry, members: Names) -> CustodyOut:
    """Write one link of a custody chain."""
    return CustodyOut(
        act=link.act.value,
        member=_named(link.member_id, members),
        version_id=to_hex(link.version_id),
        step_id=link.step.record.step_id if link.step else None,
        recipient=_named(link.recipient, members) if link.recipient else None,
        sentence=_custody_sentence(link, members),
        position=position_out(link.position),
    )


def blame_out(name: VersionId, blame: Blame | None, members: Names, *, complete: bool) -> BlameOut:
    """Write what is to blame."""
    if blame is None:
        return BlameOut(
            version_id=to_hex(name),
            member=None,
            step=None,
            failed=None,
            sentence="Nothing in its ancestry failed a check or broke a rule",
            complete=complete,
        )
    member_id, step = blame.member_id, blame.step
    broken = broken_rules(step.record.missing) if step else []
    what = f"step {step.record.step_id}" if step else "what it brought in from outside"
    why = f"broke a rule: {'; '.join(broken)}" if broken else "failed its check"
    return BlameOut(
        version_id=to_hex(name),
        member=_named(member_id, members),
        step=step_out(step, members) if step else None,
        failed=version_out(blame.failed, members) if blame.failed else None,
        sentence=f"{_name(member_id, members)} is responsible: {what} {why}",
        complete=complete,
    )


def impact_sentence(impact: Impact, *, ended: bool) -> str:
    """Return in plain words what a withdrawal reaches, or would reach."""
    reached, owed = len(impact.models), len(impact.obligations)
    kinds = f"{_count(len(impact.datasets), 'dataset')} and {_count(reached, 'model')}"
    if not impact.datasets:
        return "The data was put into no dataset under this consent"
    if not ended:
        return f"The data is in {kinds}; a withdrawal would ask an answer of the owner of each model"
    return f"The consent ended and reached {kinds}; of their owners {_count(owed, 'answer')} must still come"


def member_name(member_id: int, members: Names) -> MemberName:
    """Write a member."""
    return _named(member_id, members)


def _custody_sentence(link: CustodyEntry, members: Names) -> str:
    who = _name(link.member_id, members)
    if link.act is CustodyAct.VOUCHED:
        return f"{who} brought it in from outside and vouches for it"
    if link.act is CustodyAct.CHECKED:
        return f"{who} checked how it was made, and it {link.check.name.lower()}"
    if link.act is CustodyAct.SHARED:
        return f"{who} shared it with {_name(link.recipient, members)}"
    if link.answer is not None:
        return answer_sentence(link.answer.answer, who, link.answer.position.time)
    return step_sentence(link.step, who) if link.step else who


def _version_fields(record: VersionRecord, members: Names) -> dict[str, Any]:
    version = record.version
    is_model = version.kind is VersionKind.MODEL
    checked = version.check is not Check.PENDING
    return {
        "version_id": to_hex(version.version_id),
        "kind": version.kind.name,
        "step_id": version.step_id or None,
        "external": version.is_external,
        "quarantined": version.is_quarantined,
        "owner": _named(version.owner, members),
        "only_to": _named(version.only_to, members) if 0 < version.only_to < NOBODY else None,
        "shareable": version.only_to != NOBODY,
        "purposes": purpose_names(version.purposes),
        "origins": [_origin_out(origin) for origin in version.origins],
        "check": version.check.name,
        "verifier": _named(version.verifier, members) if checked else None,
        "status": version.status.name if is_model else None,
        "evaluated": version.evaluated if is_model else None,
        "deployed": version.deployed if is_model else None,
    }


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _origin_out(origin: Origin) -> OriginOut:
    return OriginOut(
        dataset_id=origin.dataset_id,
        withdrawals=origin.withdrawals,
        answered=origin.answered,
        split_id=origin.split_id or None,
        parts=names(origin.parts),
    )


def _named(member_id: int, members: Names) -> MemberName:
    return MemberName(member_id=member_id, name=_name(member_id, members))


def _name(member_id: int, members: Names) -> str:
    return members.get(member_id, f"member {member_id}")
