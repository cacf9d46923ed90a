"""Members: the institutions on the whitelist."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import ConfigDict, Field, field_validator
from pydantic_core import PydanticCustomError

from api.schemas.base import ADDRESS_EXAMPLE, ID2_EXAMPLE, ID_EXAMPLE, Model, seconds_of, unhex, utc
from api.schemas.words import (
    AddressIn,
    Hex32,
    MemberKindIn,
    PurposeIn,
    PurposesIn,
    RolesIn,
    TimeIn,
    purpose_names,
)
from ledger.domain.records import Address, Admission, Member
from ledger.domain.vocabulary import MemberKind, Purpose, code, names, purpose_set
from ledger.encoding.hexadecimal import to_hex
from ledger.errors import UnknownCode
from ledger.policy import cap_of
from ledger.service.emergencies import RightStatus
from ledger.service.members import MAX_CAP, MemberDetail

_REASON: Final = Field(min_length=1, max_length=2000, examples=["Resolution 2026-9 of the committee"])


class AdmissionIn(Model):
    """What the committee states about an institution when it admits it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "name": "Riverside Hospital",
                    "roles": ["CUSTODIAN", "PROCESSOR"],
                    "purposes": ["PRIMARY_CARE", "AI_TRAINING"],
                    "jurisdiction": 156,
                    "validTo": "2029-12-31T00:00:00Z",
                    "signingKey": ID_EXAMPLE,
                    "sealingKey": ID2_EXAMPLE,
                }
            ]
        }
    )

    name: str = Field(min_length=1, max_length=64)
    roles: RolesIn
    purposes: Annotated[list[PurposeIn], Field(max_length=16)]
    jurisdiction: int = Field(ge=0, le=999, description="ISO 3166-1 numeric.")
    kind: MemberKindIn = Field(default=MemberKind.OTHER, description="What the institution is.")
    valid_to: TimeIn
    signing_key: Hex32 = Field(description="Ed25519 public key: signs requests.")
    sealing_key: Hex32 = Field(description="X25519 public key: receives data keys.")
    signer: AddressIn | None = Field(
        default=None, description="Chain account; left out, the service makes and keeps it."
    )

    def to_admission(self) -> Admission:
        """Return the admission as a value of the ledger."""
        return Admission(
            name=self.name,
            signer=Address((self.signer or "").lower()),
            roles=self.roles,
            purposes=purpose_set(self.purposes),
            jurisdiction=self.jurisdiction,
            valid_to=seconds_of(self.valid_to),
            signing_key=unhex(self.signing_key),
            sealing_key=unhex(self.sealing_key),
            kind=self.kind,
        )


class SuspensionIn(Model):
    """Why a member is suspended; the chain holds a commitment to it."""

    reason: str = Field(min_length=1, max_length=2000, examples=["Access without a purpose, case 2026-14"])


class LicenceIn(Model):
    """A member's licence scope and the end of its membership from now on."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "purposes": ["RESEARCH"],
                    "validTo": "2029-12-31T00:00:00Z",
                    "reason": "Renewed for three years",
                }
            ]
        }
    )

    purposes: Annotated[list[PurposeIn], Field(max_length=16)]
    valid_to: TimeIn
    reason: str = _REASON


class CapsIn(Model):
    """How many permits a member may get in a day (UTC), by purpose; purposes left out have no cap."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"caps": {"AI_TRAINING": 500}, "reason": "Agreement 12, section 3"}]}
    )

    caps: dict[str, Annotated[int, Field(ge=1, le=MAX_CAP)]] = Field(max_length=16)
    reason: str = _REASON

    @field_validator("caps")
    @classmethod
    def _known_purposes(cls, caps: dict[str, int]) -> dict[str, int]:
        try:
            return {code(Purpose, name).name: cap for name, cap in caps.items()}
        except UnknownCode as error:
            raise PydanticCustomError("unknown_code", "{detail}", {"detail": error.message}) from None

    def by_purpose(self) -> dict[Purpose, int]:
        """Return the caps as values of the ledger."""
        return {Purpose[name]: cap for name, cap in self.caps.items()}


class KeysIn(Model):
    """A member's new keys; the old ones are dead at once."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"signingKey": ID_EXAMPLE, "sealingKey": ID2_EXAMPLE, "reason": "A laptop was lost"}]
        }
    )

    signing_key: Hex32 = Field(description="Ed25519 public key: signs requests.")
    sealing_key: Hex32 = Field(description="X25519 public key: receives data keys.")
    signer: AddressIn | None = Field(
        default=None, description="Chain account; left out, the service makes and keeps a new one."
    )
    reason: str = _REASON


class EntrustmentIn(Model):
    """What the caller entrusts a member with."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "purposes": ["AI_TRAINING"],
                    "validTo": "2027-12-31T00:00:00Z",
                    "agreement": "Processing agreement of 2026-11-20",
                }
            ]
        }
    )

    purposes: PurposesIn
    valid_to: TimeIn
    agreement: str = Field(
        min_length=1, max_length=100_000, description="Stays in the vault; the chain holds a commitment."
    )


class EntrustmentOut(Model):
    """Who acts for whom, for what, until when."""

    controller: int = Field(examples=[2])
    processor: int = Field(examples=[3])
    purposes: list[str] = Field(examples=[["AI_TRAINING"]])
    valid_to: str = Field(examples=["2027-12-31T00:00:00Z"])


class CapOut(Model):
    """A daily cap for a purpose, and the permits that count against it today (UTC)."""

    purpose: str = Field(examples=["AI_TRAINING"])
    cap: int = Field(examples=[500])
    used: int = Field(examples=[17])


class EmergencyRightOut(Model):
    """A member's right to open and use emergencies."""

    member_id: int = Field(examples=[2])
    holds: bool = Field(description="Whether it may open and use one now.", examples=[True])
    lost: bool = Field(description="Whether it is lost until the committee restores it.", examples=[False])
    oldest_due: str | None = Field(
        description="When its oldest unreviewed emergency is due for review.",
        examples=["2026-12-03T08:00:00Z"],
    )
    quota: int = Field(description="How many it may open in 30 days.", examples=[20])
    left: int = Field(examples=[19])


class MemberOut(Model):
    """An institution on the whitelist."""

    member_id: int = Field(examples=[2])
    name: str = Field(examples=["Riverside Hospital"])
    roles: list[str] = Field(examples=[["CUSTODIAN"]])
    purposes: list[str] = Field(examples=[["PRIMARY_CARE"]])
    jurisdiction: int = Field(examples=[156])
    kind: str = Field(examples=["HOSPITAL"])
    control: int = Field(description="How often control of it has changed hands.", examples=[0])
    valid_to: str = Field(examples=["2029-12-31T00:00:00Z"])
    status: str = Field(examples=["ACTIVE"])
    signer: str = Field(examples=[ADDRESS_EXAMPLE])
    signing_key: str = Field(examples=[ID_EXAMPLE])
    sealing_key: str = Field(examples=[ID2_EXAMPLE])


class MemberDetailOut(MemberOut):
    """An institution with its daily caps and what it was entrusted with, or entrusted others with."""

    caps: list[CapOut]
    entrustments: list[EntrustmentOut]


class MemberList(Model):
    """Members in the order of admission."""

    items: list[MemberOut]
    next: str | None = None


class MemberName(Model):
    """A member by number and name."""

    member_id: int = Field(examples=[2])
    name: str = Field(examples=["Riverside Hospital"])


def member_out(member: Member) -> MemberOut:
    """Write a member."""
    return MemberOut(
        member_id=member.member_id,
        name=member.name,
        roles=names(member.roles),
        purposes=purpose_names(member.purposes),
        jurisdiction=member.jurisdiction,
        kind=member.kind.name,
        control=member.control,
        valid_to=utc(member.valid_to),
        status=member.status.name,
        signer=member.signer,
        signing_key=to_hex(member.signing_key),
        sealing_key=to_hex(member.sealing_key),
    )


def member_detail_out(detail: MemberDetail) -> MemberDetailOut:
    """Write a member with its caps and entrustments."""
    caps = detail.caps
    return MemberDetailOut(
        **member_out(detail.member).model_dump(),
        caps=[
            CapOut(purpose=purpose.name, cap=cap, used=cap_of(caps.used, purpose))
            for purpose in Purpose
            if (cap := cap_of(caps.caps, purpose))
        ],
        entrustments=[
            EntrustmentOut(
                controller=controller,
                processor=processor,
                purposes=purpose_names(order.purposes),
                valid_to=utc(order.valid_to),
            )
            for (controller, processor), order in detail.entrustments.items()
        ],
    )


def right_out(right: RightStatus) -> EmergencyRightOut:
    """Write a member's right to emergencies."""
    return EmergencyRightOut(
        member_id=right.member_id,
        holds=right.holds,
        lost=right.lost,
        oldest_due=None if right.oldest_due is None else utc(right.oldest_due),
        quota=right.quota,
        left=right.left,
    )
