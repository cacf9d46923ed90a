"""Emergencies: opened for one record or declared for everybody, reviewed, and counted."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import ConfigDict, Field

from api.schemas.base import ID_EXAMPLE, Model, seconds_of, utc
from api.schemas.chain import PositionOut, position_out
from api.schemas.words import CategoriesIn, EmergencyReasonIn, Hex32, PurposesIn, TimeIn, purpose_names
from ledger.domain.vocabulary import EmergencyKind, EmergencyReason, names
from ledger.encoding.hexadecimal import to_hex
from ledger.service.emergencies import Declaration, EmergencyEntry, Share

_WORDS = "Stays in the vault; the chain holds a commitment."


class EmergencyIn(Model):
    """Break the glass for one record."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "passportId": ID_EXAMPLE,
                    "reason": "UNCONSCIOUS",
                    "statement": "Found at the roadside, no relatives reached",
                }
            ]
        }
    )

    passport_id: Hex32
    reason: EmergencyReasonIn
    statement: str = Field(min_length=1, max_length=4000, description=f"Why, in words. {_WORDS}")
    sealed_until: TimeIn | None = Field(
        default=None,
        description="Until when the patient is told only that there was an access, by whom, and why it is sealed; at "
        "most until its review is due. Left out, the patient is told everything at once.",
    )
    sealing: str = Field(
        default="",
        max_length=4000,
        description=f"Why it is sealed; the patient reads it meanwhile. Required with sealedUntil. {_WORDS}",
    )


class EmergencyReviewIn(Model):
    """What the review of an emergency found."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"justified": True, "opinion": "The chart shows a coma on arrival"}]}
    )

    justified: bool
    opinion: str = Field(min_length=1, max_length=100_000, description=_WORDS)


class DeclarationIn(Model):
    """A public emergency to be declared by the committee."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "purposes": ["PUBLIC_HEALTH"],
                    "categories": ["DIAGNOSIS", "LABORATORY"],
                    "from": "2026-12-01T00:00:00Z",
                    "until": "2027-01-15T00:00:00Z",
                    "maxRecords": 10_000,
                    "jurisdiction": 156,
                    "document": "Decree 2026-31",
                    "reason": "Outbreak in two provinces",
                }
            ]
        }
    )

    purposes: PurposesIn
    categories: CategoriesIn
    from_: TimeIn = Field(alias="from")
    until: TimeIn = Field(description="It ends by itself.")
    max_records: Annotated[int, Field(ge=1, le=2**32 - 1, description="How many permits it is good for.")]
    jurisdiction: Annotated[int, Field(ge=0, le=999, description="ISO 3166-1 numeric; 0 for everywhere.")] = 0
    document: str = Field(min_length=1, max_length=100_000, description=f"The declaration. {_WORDS}")
    reason: str = Field(min_length=1, max_length=2000, description="Why the committee should do it.")

    def to_declaration(self) -> Declaration:
        """Return the declaration as a value of the ledger."""
        return Declaration(
            purposes=self.purposes,
            categories=self.categories,
            valid_from=seconds_of(self.from_),
            until=seconds_of(self.until),
            max_records=self.max_records,
            jurisdiction=self.jurisdiction,
            document=self.document,
        )


class EmergencyOut(Model):
    """An emergency. While it is sealed, its subject finds nothing but the fields up to `sealedBecause`."""

    emergency_id: int = Field(examples=[1])
    kind: str = Field(examples=["INDIVIDUAL"])
    sentence: str = Field(description="All of it in plain words.")
    member_id: int | None = Field(description="Who opened it; null for a public one.", examples=[2])
    member_name: str | None = Field(examples=["Riverside Hospital"])
    passport_id: str | None = Field(examples=[ID_EXAMPLE])
    sealed_until: str | None = Field(
        description="Until when its subject is not told more.", examples=["2026-12-03T08:00:00Z"]
    )
    sealed_because: str | None = Field(examples=["the police ask not to warn who hurt the patient"])
    reason: str | None = Field(default=None, examples=["UNCONSCIOUS"])
    statement: str | None = Field(default=None, description="The reasons or the declaration, if kept here.")
    purposes: list[str] | None = Field(default=None, examples=[["PUBLIC_HEALTH"]])
    categories: list[str] | None = Field(default=None, examples=[["DIAGNOSIS"]])
    from_: str | None = Field(default=None, alias="from", examples=["2026-12-01T08:00:00Z"])
    until: str | None = Field(default=None, examples=["2026-12-01T12:00:00Z"])
    in_force: bool | None = None
    review_due: str | None = Field(default=None, examples=["2026-12-04T08:00:00Z"])
    overdue: bool | None = None
    finding: str | None = Field(default=None, examples=["PENDING"])
    reviewer: int | None = Field(default=None, examples=[6])
    reviewed_at: str | None = Field(default=None, examples=["2026-12-02T08:00:00Z"])
    opinion: str | None = Field(default=None, description="The reviewer's opinion, if kept here.")
    max_records: int | None = Field(default=None, examples=[10_000])
    used: int | None = Field(default=None, examples=[12])
    jurisdiction: int | None = Field(default=None, examples=[156])
    position: PositionOut | None = None


class EmergencyList(Model):
    """Emergencies, oldest first."""

    items: list[EmergencyOut]
    next: str | None = None


class ShareOut(Model):
    """How much of what happens is an exception."""

    member_id: int | None = Field(description="Null for all members together.", examples=[2])
    name: str = Field(examples=["Riverside Hospital"])
    decisions: int = Field(examples=[1200])
    emergency_decisions: int = Field(
        description="Those asked for on the ground of an emergency.", examples=[3]
    )
    ratio: float = Field(description="The second divided by the first.", examples=[0.0025])
    opened: int = Field(description="Emergencies opened for one record.", examples=[2])
    justified: int = Field(examples=[2])
    unjustified: int = Field(examples=[0])
    overdue: int = Field(description="Reviews that were due and are missing.", examples=[0])


class RatioOut(Model):
    """The share of emergencies in all decisions: an exception must not become normal."""

    total: ShareOut
    members: list[ShareOut]


def emergency_out(entry: EmergencyEntry) -> EmergencyOut:
    """Write an emergency as its reader may be told it."""
    record, emergency, seal = entry.record, entry.record.emergency, entry.sealed
    individual = emergency.kind is EmergencyKind.INDIVIDUAL
    told = EmergencyOut(
        emergency_id=emergency.emergency_id,
        kind=emergency.kind.name,
        sentence=entry.sentence,
        member_id=emergency.member_id or None,
        member_name=entry.member or None,
        passport_id=to_hex(emergency.passport_id) if individual else None,
        sealed_until=utc(seal.until) if seal else None,
        sealed_because=seal.because if seal else None,
    )
    if entry.veiled:
        return told
    more: dict[str, Any] = {
        "statement": entry.statement,
        "categories": names(emergency.categories),
        "from_": utc(emergency.valid_from),
        "until": utc(emergency.until),
        "in_force": entry.in_force,
        "position": position_out(record.position),
    }
    if individual:
        more |= {
            "reason": _reason_name(record.reason),
            "review_due": utc(emergency.review_due),
            "overdue": entry.overdue,
            "finding": emergency.finding.name,
            "reviewer": record.reviewer or None,
            "reviewed_at": utc(record.reviewed_at) if record.reviewed_at else None,
            "opinion": entry.opinion,
        }
    else:
        more |= {
            "purposes": purpose_names(emergency.purposes),
            "max_records": emergency.max_records,
            "used": emergency.used,
            "jurisdiction": emergency.jurisdiction or None,
        }
    return told.model_copy(update=more)


def ratio_out(total: Share, members: list[Share]) -> RatioOut:
    """Write the share of emergencies."""
    return RatioOut(total=_share_out(total), members=[_share_out(share) for share in members])


def _share_out(share: Share) -> ShareOut:
    return ShareOut(
        member_id=share.member_id or None,
        name=share.name,
        decisions=share.decisions,
        emergency_decisions=share.urgent,
        ratio=share.ratio,
        opened=share.opened,
        justified=share.justified,
        unjustified=share.unjustified,
        overdue=share.overdue,
    )


def _reason_name(reason: int) -> str:
    return EmergencyReason(reason).name if reason in set(EmergencyReason) else str(reason)
