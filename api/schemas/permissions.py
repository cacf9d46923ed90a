"""What was permitted at a time."""

from __future__ import annotations

from pydantic import Field

from api.schemas.base import ID2_EXAMPLE, ID_EXAMPLE, Model, utc
from api.schemas.chain import PositionOut, position_out
from ledger.audit.point_in_time import Answer, Question
from ledger.domain.records import NO_GRANT
from ledger.domain.vocabulary import MISSING_LABELS, Fact, Outcome, names
from ledger.encoding.hexadecimal import to_hex


class PermissionOut(Model):
    """What the law would have said to a request at a time."""

    passport_id: str = Field(examples=[ID_EXAMPLE])
    member_id: int = Field(examples=[3])
    at: str = Field(examples=["2026-12-01T08:00:00Z"])
    permitted: bool
    outcome: str = Field(examples=["PERMIT"])
    grant_id: str | None = Field(description="The grant under which.", examples=[ID2_EXAMPLE])
    policy_version: int = Field(description="The version of the law then.", examples=[1])
    data_class: str = Field(examples=["SENSITIVE"])
    facts: list[str] = Field(description="The facts that held.", examples=[["MEMBER_ACTIVE"]])
    missing: list[str] = Field(description="The facts that were required and did not hold.", examples=[[]])
    reasons: list[str] = Field(description="What was missing, in plain words.")
    position: PositionOut | None = Field(description="The last thing that was on the ledger then.")


def permission_out(question: Question, answer: Answer) -> PermissionOut:
    """Write an answer about the past."""
    verdict = answer.verdict
    return PermissionOut(
        passport_id=to_hex(question.passport_id),
        member_id=question.member_id,
        at=utc(answer.at),
        permitted=verdict.outcome is Outcome.PERMIT,
        outcome=verdict.outcome.name,
        grant_id=to_hex(answer.grant_id) if answer.grant_id != NO_GRANT else None,
        policy_version=verdict.policy_version,
        data_class=verdict.data_class.name,
        facts=names(verdict.facts),
        missing=names(verdict.missing),
        reasons=[MISSING_LABELS[Fact[name]] for name in names(verdict.missing)],
        position=position_out(answer.last) if answer.last else None,
    )
