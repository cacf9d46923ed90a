"""Decisions: requests for access and their answers."""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import ConfigDict, Field

from api.schemas.base import ID2_EXAMPLE, ID_EXAMPLE, Model, unhex, utc
from api.schemas.chain import PositionOut, position_out
from api.schemas.emergencies import EmergencyOut
from api.schemas.members import MemberName
from api.schemas.words import (
    BasisIn,
    CategoriesIn,
    DayIn,
    Hex32,
    LevelIn,
    OperationIn,
    PurposeIn,
    Uint32,
    day_out,
)
from ledger.domain.days import day_of
from ledger.domain.records import NO_GRANT, GrantId, PassportId
from ledger.domain.vocabulary import Level, names
from ledger.encoding.hexadecimal import to_hex
from ledger.service.access import AccessEntry
from ledger.service.decisions import AccessRequest

_REQUEST_EXAMPLE: Final[dict[str, Any]] = {
    "passportId": ID_EXAMPLE,
    "purpose": "AI_TRAINING",
    "basis": "CONSENT",
    "operation": "READ",
    "categories": ["DIAGNOSIS"],
    "grantId": ID2_EXAMPLE,
    "level": "PSEUDONYMISED",
    "projectId": 1,
    "statement": "Nightly cohort build of the sepsis project",
}


class AccessRequestIn(Model):
    """One request for access."""

    model_config = ConfigDict(json_schema_extra={"examples": [_REQUEST_EXAMPLE]})

    passport_id: Hex32
    purpose: PurposeIn
    basis: BasisIn
    operation: OperationIn
    categories: CategoriesIn
    grant_id: Hex32 | None = None
    level: LevelIn = Field(
        default=Level.IDENTIFIED,
        description="Level of de-identification at which the data is to be handed over.",
    )
    project_id: Uint32 = 0
    emergency_id: Uint32 = Field(default=0, description="The emergency that the request is made under.")
    controller_id: Uint32 = Field(default=0, description="The member on whose behalf the request is made.")
    data_from: DayIn | None = Field(default=None, description="First day of the data asked for.")
    data_to: DayIn | None = Field(default=None, description="Last day of the data asked for.")
    dataset_id: Uint32 = Field(default=0, description="With INCLUDE: the dataset to include the data into.")
    statement: str = Field(
        default="",
        max_length=4000,
        description="Stays in the vault; the chain holds a commitment. On the basis COMPELLED the text of the "
        "instrument: required.",
    )

    def to_request(self) -> AccessRequest:
        """Return the request as a value of the ledger."""
        return AccessRequest(
            passport_id=PassportId(unhex(self.passport_id)),
            purpose=self.purpose,
            basis=self.basis,
            operation=self.operation,
            categories=self.categories,
            grant_id=GrantId(unhex(self.grant_id)) if self.grant_id else NO_GRANT,
            level=self.level,
            project_id=self.project_id,
            emergency_id=self.emergency_id,
            controller_id=self.controller_id,
            first_day=day_of(self.data_from),
            last_day=day_of(self.data_to),
            dataset_id=self.dataset_id,
            statement=self.statement,
        )


class AccessRequestsIn(Model):
    """Several requests, answered in their order in one transaction."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"requests": [_REQUEST_EXAMPLE]}]})

    requests: Annotated[list[AccessRequestIn], Field(min_length=1, max_length=100)]


class DecisionOut(Model):
    """One answered request; its name is the passport and `seq`."""

    passport_id: str = Field(examples=[ID_EXAMPLE])
    seq: int = Field(examples=[0])
    member: MemberName
    purpose: str = Field(examples=["AI_TRAINING"])
    basis: str = Field(examples=["CONSENT"])
    operation: str = Field(examples=["READ"])
    categories: list[str] = Field(examples=[["DIAGNOSIS"]])
    level: str = Field(examples=["PSEUDONYMISED"])
    data_from: str | None = Field(description="First day of the data asked for.", examples=["2020-01-01"])
    data_to: str | None = Field(description="Last day of the data asked for.")
    data_class: str = Field(examples=["SENSITIVE"])
    project_id: int | None = Field(examples=[1])
    emergency_id: int | None = None
    controller_id: int | None = None
    dataset_id: int | None = Field(default=None, description="The dataset of INCLUDE.", examples=[1])
    grant_id: str | None = Field(examples=[ID2_EXAMPLE])
    outcome: str = Field(examples=["DENY"])
    facts: list[str] = Field(examples=[["MEMBER_ACTIVE"]])
    missing: list[str] = Field(examples=[["GRANT_LIVE"]])
    policy_version: int = Field(examples=[1])
    sentence: str
    answer: str = Field(examples=["refused"])
    reasons: list[str] = Field(examples=[["the consent was withdrawn on 2026-12-01 08:00:00 UTC"]])
    commitment: str | None = Field(examples=[ID_EXAMPLE])
    review: str | None = Field(
        default=None,
        description="What a human answered, in words.",
        examples=["Ethics body reviewed it on 2026-12-01 08:00:00 UTC and did not approve it"],
    )
    released: PositionOut | None = None
    position: PositionOut


class SealedDecisionOut(Model):
    """What the patient is told of a decision under a sealed emergency; it opens by itself."""

    passport_id: str = Field(examples=[ID_EXAMPLE])
    seq: int = Field(examples=[0])
    member: MemberName
    sentence: str
    answer: str = Field(examples=["sealed"])
    reasons: list[str] = Field(examples=[[]])
    sealed_until: str = Field(examples=["2026-12-03T08:00:00Z"])
    sealed_because: str = Field(examples=["the police ask not to warn who hurt the patient"])


class DecisionList(Model):
    """Decisions, newest first; with those of one passport the emergencies that were opened for it, oldest first."""

    items: list[DecisionOut | SealedDecisionOut]
    emergencies: list[EmergencyOut] = Field(default_factory=list, description="On the first page.")
    next: str | None = None


class DecisionsOut(Model):
    """The answers to several requests, in their order."""

    decisions: list[DecisionOut]


class ReviewIn(Model):
    """The answer of an ethics body, or of a regulator to what an authority compels."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"approved": True, "opinion": "It is the disease consented to"}]}
    )

    approved: bool
    opinion: str = Field(
        min_length=1, max_length=100_000, description="Stays in the vault; the chain holds a commitment."
    )


class WaitingOut(Model):
    """One thing that waits for a human: a request, or an emergency."""

    kind: str = Field(description="REQUEST or EMERGENCY.", examples=["REQUEST"])
    due: str | None = Field(
        description="When its review is due; a request has no such time.", examples=["2026-12-03T08:00:00Z"]
    )
    overdue: bool = Field(examples=[False])
    decision: DecisionOut | None = None
    statement: str | None = Field(
        description="The requester's own words or instrument, or the reasons of an emergency, if kept here.",
        examples=["Nightly cohort build of the sepsis project"],
    )
    emergency: EmergencyOut | None = None


class WaitingList(Model):
    """What waits for the caller: emergencies by when they are due, then requests, oldest first."""

    items: list[WaitingOut]
    next: str | None = None


def told_decision(entry: AccessEntry) -> DecisionOut | SealedDecisionOut:
    """Write a decision as its reader may be told it."""
    if entry.seal is None:
        return decision_out(entry)
    return SealedDecisionOut(
        passport_id=to_hex(entry.record.passport_id),
        seq=entry.record.verdict.seq,
        member=MemberName(member_id=entry.record.member_id, name=entry.member),
        sentence=entry.sentence,
        answer=entry.answer,
        reasons=[],
        sealed_until=utc(entry.seal.until),
        sealed_because=entry.seal.because,
    )


def decision_out(entry: AccessEntry) -> DecisionOut:
    """Write a decision that nothing is kept back of."""
    record, terms, verdict = entry.record, entry.record.terms, entry.record.verdict
    return DecisionOut(
        passport_id=to_hex(record.passport_id),
        seq=verdict.seq,
        member=MemberName(member_id=record.member_id, name=entry.member),
        purpose=terms.purpose.name,
        basis=terms.basis.name,
        operation=terms.operation.name,
        categories=names(terms.categories),
        level=terms.level.name,
        data_from=day_out(terms.first_day),
        data_to=day_out(terms.last_day),
        data_class=verdict.data_class.name,
        project_id=terms.project_id or None,
        emergency_id=terms.emergency_id or None,
        controller_id=terms.controller_id or None,
        dataset_id=terms.dataset_id or None,
        grant_id=to_hex(record.grant_id) if record.grant_id != NO_GRANT else None,
        outcome=verdict.outcome.name,
        facts=names(verdict.facts),
        missing=names(verdict.missing),
        policy_version=verdict.policy_version,
        sentence=entry.sentence,
        answer=entry.answer,
        reasons=list(entry.reasons),
        commitment=to_hex(record.commitment) if any(record.commitment) else None,
        review=entry.review or None,
        released=position_out(entry.released) if entry.released else None,
        position=position_out(record.position),
    )
