"""Members: the institutions on the whitelist."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field

from api.schemas.base import ADDRESS_EXAMPLE, ID2_EXAMPLE, ID_EXAMPLE, Model, seconds_of, unhex, utc
from api.schemas.words import AddressIn, Hex32, MemberKindIn, PurposeIn, RolesIn, TimeIn, purpose_names
from ledger.domain.records import Address, Admission, Member
from ledger.domain.vocabulary import MemberKind, names, purpose_set
from ledger.encoding.hexadecimal import to_hex


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
