"""Agreements between two members."""

from __future__ import annotations

from pydantic import ConfigDict, Field

from api.schemas.base import ID_EXAMPLE, Model, seconds_of, utc
from api.schemas.words import CategoriesIn, Hex32, MemberId, PurposesIn, TimeIn, Uint16, Uint32, purpose_names
from ledger.domain.records import Limits
from ledger.domain.vocabulary import names, purpose_set
from ledger.encoding.hexadecimal import to_hex
from ledger.ports import AgreementRecord


class AgreementIn(Model):
    """What the caller proposes to give a member, and within which limits."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "recipient": 3,
                    "purposes": ["AI_TRAINING"],
                    "categories": ["LABORATORY"],
                    "validTo": "2027-12-31T00:00:00Z",
                    "retentionSeconds": 31_536_000,
                    "responseHours": 72,
                    "text": "Standard contract of 2026-11-20, annex 2",
                }
            ]
        }
    )

    recipient: MemberId
    purposes: PurposesIn
    categories: CategoriesIn
    valid_to: TimeIn
    retention_seconds: Uint32 = Field(description="How long the recipient may keep what it received.")
    response_hours: Uint16 = Field(
        default=0, description="Within how many hours the recipient reports an incident."
    )
    onward: bool = Field(default=False, description="Whether the recipient may pass it on.")
    linkage: bool = Field(default=False, description="Whether the recipient may merge it with other data.")
    text: str = Field(
        min_length=1, max_length=1_000_000, description="Stays in the vault; the chain holds a commitment."
    )

    def to_limits(self) -> Limits:
        """Return the limits that both sides sign."""
        return Limits(
            recipient=self.recipient,
            purposes=purpose_set(self.purposes),
            categories=self.categories,
            valid_to=seconds_of(self.valid_to),
            retention_seconds=self.retention_seconds,
            response_hours=self.response_hours,
            onward=self.onward,
            linkage=self.linkage,
        )


class SigningIn(Model):
    """What the caller signs: the commitment to the text that it read."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"text": ID_EXAMPLE}]})

    text: Hex32


class AgreementOut(Model):
    """An agreement between two members."""

    agreement_id: int = Field(examples=[1])
    provider: int = Field(description="Member that gives.", examples=[2])
    recipient: int = Field(description="Member that receives.", examples=[3])
    purposes: list[str] = Field(examples=[["AI_TRAINING"]])
    categories: list[str] = Field(examples=[["LABORATORY"]])
    valid_to: str = Field(examples=["2027-12-31T00:00:00Z"])
    retention_seconds: int = Field(examples=[31_536_000])
    response_hours: int = Field(examples=[72])
    onward: bool
    linkage: bool
    status: str = Field(description="PROPOSED, SIGNED or ENDED.", examples=["SIGNED"])
    in_force: bool = Field(description="Signed, in time, and both sides are active members.")
    commitment: str = Field(description="Commitment to the text.", examples=[ID_EXAMPLE])
    text: str | None = Field(description="For its sides, if this service has it.")
    proposed_at: str = Field(examples=["2026-11-20T08:00:00Z"])
    signed_at: str | None = Field(examples=["2026-11-21T08:00:00Z"])
    ended_at: str | None = Field(examples=["2027-03-01T08:00:00Z"])
    ended_by: int | None = Field(examples=[3])


class AgreementList(Model):
    """Agreements, oldest first."""

    items: list[AgreementOut]
    next: str | None = None


def agreement_out(record: AgreementRecord, *, text: str | None, in_force: bool) -> AgreementOut:
    """Write an agreement; *text* for its sides."""
    agreement, limits = record.agreement, record.agreement.limits
    return AgreementOut(
        agreement_id=agreement.agreement_id,
        provider=agreement.provider,
        recipient=agreement.recipient,
        purposes=purpose_names(limits.purposes),
        categories=names(limits.categories),
        valid_to=utc(limits.valid_to),
        retention_seconds=limits.retention_seconds,
        response_hours=limits.response_hours,
        onward=limits.onward,
        linkage=limits.linkage,
        status=agreement.status.name,
        in_force=in_force,
        commitment=to_hex(record.text),
        text=text,
        proposed_at=utc(record.position.time),
        signed_at=utc(record.signed_at) if record.signed_at else None,
        ended_at=utc(record.ended_at) if record.ended_at else None,
        ended_by=record.ended_by or None,
    )
