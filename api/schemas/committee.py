"""The committee: seats, rules and acts."""

from __future__ import annotations

from typing import Any

from pydantic import ConfigDict, Field

from api.schemas.base import ID2_EXAMPLE, Model, utc
from api.schemas.chain import PositionOut, position_out
from api.schemas.policy import PolicyChange, policy_change_out
from api.schemas.words import ActKindIn, MemberId, SeatKindIn, Uint32
from ledger.audit.law import Change
from ledger.domain.vocabulary import ActKind, SeatKind
from ledger.encoding.hexadecimal import to_hex
from ledger.ports import ActRecord, Rule
from ledger.service.committee import ActStatus, Standing

_REASON = Field(min_length=1, max_length=2000, examples=["Resolution 2026-7 of the committee"])


class ReasonIn(Model):
    """Why; stays in the vault, the chain holds a commitment."""

    reason: str = _REASON


class SeatIn(Model):
    """A member to be seated."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"memberId": 5, "kind": "PATIENTS", "reason": "Elected for two years"}]
        }
    )

    member_id: MemberId
    kind: SeatKindIn = Field(description="Whose view the seat brings; NONE takes the seat.")
    reason: str = _REASON


class RuleIn(Model):
    """What acts of a kind need from now on."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "kind": "EMERGENCIES",
                    "quorum": 2,
                    "seats": ["PUBLIC_HEALTH"],
                    "delaySeconds": 0,
                    "reason": "Statute, section 4",
                }
            ]
        }
    )

    kind: ActKindIn
    quorum: int = Field(ge=1, le=32, description="How many seats must approve.")
    seats: list[SeatKindIn] = Field(
        default_factory=list, max_length=10, description="Kinds of seats that must be among them."
    )
    delay_seconds: Uint32 = Field(default=0, description="How long an act waits once it is approved.")
    reason: str = _REASON

    def to_rule(self) -> Rule:
        """Return the rule as a value of the ledger."""
        seats = sum(1 << kind for kind in set(self.seats))
        return Rule(self.kind, self.quorum, seats, self.delay_seconds)


class SeatOut(Model):
    """A seat of the committee."""

    member_id: int = Field(examples=[1])
    member_name: str = Field(examples=["Riverside committee"])
    kind: str = Field(examples=["CONVENOR"])


class RuleOut(Model):
    """What acts of a kind need."""

    kind: str = Field(examples=["LAW"])
    quorum: int = Field(examples=[2])
    seats: list[str] = Field(examples=[["LAW", "PATIENTS"]])
    delay_seconds: int = Field(examples=[86_400])


class CommitteeOut(Model):
    """The committee as it sits."""

    seats: list[SeatOut]
    rules: list[RuleOut]


class ActOut(Model):
    """An act: one call of the ledger, in the name of the committee."""

    act_id: int = Field(examples=[1])
    kind: str = Field(examples=["MEMBERS"])
    function: str = Field(description="What the ledger is to do.", examples=["suspend"])
    arguments: dict[str, Any] = Field(
        description="With what, by name as the contract has it; empty if the calldata cannot be read.",
        examples=[{"memberId": 4, "reasons": ID2_EXAMPLE}],
    )
    call: str = Field(
        description="Both as the calldata that the ledger gives itself.", examples=[ID2_EXAMPLE]
    )
    changes: list[PolicyChange] | None = Field(
        description="Of `setPolicy`: what its law would change of the one in force now, in words; else null."
    )
    approvers: list[int] = Field(description="Members whose seats approved, in order.", examples=[[1, 5]])
    status: ActStatus = Field(examples=["waiting"])
    lacking: int = Field(description="How many more seats must approve it.", examples=[1])
    lacking_seats: list[str] = Field(
        description="Kinds of seats that must be among them.", examples=[["LAW"]]
    )
    ready_at: str | None = Field(description="From when on it may be done, once it is approved.")
    lapses_at: str = Field(
        description="From when on it can no longer be done.", examples=["2026-12-31T08:00:00Z"]
    )
    executed_at: str | None
    advice: str = Field(
        description="What to do next.",
        examples=["Act 7 (suspend) lapsed on 2026-12-31 08:00 UTC. If it is still wanted, propose it again."],
    )
    position: PositionOut


class ActList(Model):
    """Acts, oldest first."""

    items: list[ActOut]
    next: str | None = None


def committee_out(
    seats: dict[int, SeatKind], rules: dict[ActKind, Rule], names: dict[int, str]
) -> CommitteeOut:
    """Write the committee as it sits."""
    return CommitteeOut(
        seats=[
            SeatOut(member_id=member_id, member_name=names[member_id], kind=kind.name)
            for member_id, kind in seats.items()
        ],
        rules=[
            RuleOut(
                kind=kind.name,
                quorum=rule.quorum,
                seats=[seat.name for seat in SeatKind if rule.seats >> seat & 1],
                delay_seconds=rule.delay_seconds,
            )
            for kind, rule in rules.items()
        ],
    )


def act_out(
    record: ActRecord,
    standing: Standing,
    reading: tuple[str, dict[str, Any]],
    changes: list[Change] | None,
) -> ActOut:
    """Write an act as it stands: the function that its calldata calls, its arguments, and what it changes of the law."""
    function, arguments = reading
    return ActOut(
        act_id=record.act_id,
        kind=record.kind.name,
        function=function,
        arguments=arguments,
        call=to_hex(record.call),
        changes=None if changes is None else [policy_change_out(change) for change in changes],
        approvers=list(record.approvers),
        status=standing.status,
        lacking=standing.lacking,
        lacking_seats=[kind.name for kind in standing.lacking_seats],
        ready_at=None if standing.ready_at is None else utc(standing.ready_at),
        lapses_at=utc(standing.lapses_at),
        executed_at=utc(record.executed_at) if record.executed_at else None,
        advice=standing.advice,
        position=position_out(record.proposed),
    )
