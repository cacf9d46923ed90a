"""Grants: consents prepared, signed, given and withdrawn."""

from __future__ import annotations

from typing import Any, Final, Literal

from pydantic import ConfigDict, Field

from api.schemas.base import ADDRESS_EXAMPLE, ID2_EXAMPLE, ID_EXAMPLE, SIGNATURE_EXAMPLE, Model, unhex, utc
from api.schemas.chain import PositionOut, position_out
from api.schemas.words import (
    CategoriesIn,
    DayIn,
    FlagsIn,
    Hex32,
    LevelIn,
    MemberId,
    MemberKindsIn,
    PurposesIn,
    SignatureIn,
    TimeIn,
    Uint16,
    Uint32,
    day_out,
    purpose_names,
)
from ledger.domain.records import NO_GRANT, Commitment, Grant, GrantId, PassportId
from ledger.domain.vocabulary import Category, GrantFlag, Level, kinds_of, names
from ledger.domain.wording import FIRST_TEMPLATE
from ledger.encoding.hexadecimal import to_hex
from ledger.ports import GrantRecord
from ledger.service.consents import PreparedGrant, grant_status

_PREPARATION_EXAMPLE: Final[dict[str, Any]] = {
    "passportId": ID_EXAMPLE,
    "recipient": 3,
    "purposes": ["AI_TRAINING"],
    "categories": ["DIAGNOSIS", "LABORATORY"],
    "useTo": "2027-06-30T00:00:00Z",
    "maxUses": 10,
    "level": "PSEUDONYMISED",
    "flags": ["SEPARATE", "NO_REIDENTIFY"],
}
_GRANT_EXAMPLE: Final[dict[str, Any]] = {
    "grantId": ID2_EXAMPLE,
    "passportId": ID_EXAMPLE,
    "recipient": 3,
    "recipientKinds": 0,
    "purposes": 128,
    "categories": 5,
    "useFrom": 1_796_000_000,
    "useTo": 1_814_313_600,
    "dataFrom": 0,
    "dataTo": 0,
    "maxUses": 10,
    "level": 1,
    "flags": 5,
    "template": 1,
    "terms": ID_EXAMPLE,
    "supersedes": to_hex(NO_GRANT),
    "deadline": 1_796_003_600,
}


class PreparationIn(Model):
    """A consent to be written down for the holder to read and sign."""

    model_config = ConfigDict(json_schema_extra={"examples": [_PREPARATION_EXAMPLE]})

    passport_id: Hex32
    recipient: MemberId | None = Field(default=None, description="The member that may use the data.")
    recipient_kinds: MemberKindsIn = Field(
        default_factory=list, description="With no recipient: the kinds of members that may."
    )
    purposes: PurposesIn
    categories: CategoriesIn
    use_from: TimeIn | None = None
    use_to: TimeIn
    data_from: DayIn | None = Field(default=None, description="First day of the data.")
    data_to: DayIn | None = Field(default=None, description="Last day of the data.")
    max_uses: int = Field(default=0, ge=0, le=2**16 - 1, description="0 for as many as the use period holds.")
    level: LevelIn = Field(default=Level.IDENTIFIED, description="Least level of de-identification.")
    flags: FlagsIn = Field(default_factory=lambda: GrantFlag(0))
    template: Uint32 = FIRST_TEMPLATE
    supersedes: Hex32 | None = None


class GrantWords(Model):
    """A grant as the holder signs it: sets as integers, times as seconds since the Unix epoch."""

    model_config = ConfigDict(json_schema_extra={"examples": [_GRANT_EXAMPLE]})

    grant_id: Hex32
    passport_id: Hex32
    recipient: Uint32
    recipient_kinds: Uint16
    purposes: Uint16
    categories: Uint16
    use_from: Uint32
    use_to: Uint32
    data_from: Uint16
    data_to: Uint16
    max_uses: Uint16
    level: int = Field(ge=0, le=3)
    flags: int = Field(ge=0, le=15)
    template: Uint32
    terms: Hex32
    supersedes: Hex32
    deadline: Uint32

    def to_grant(self) -> Grant:
        """Return the grant as a value of the ledger."""
        return Grant(
            grant_id=GrantId(unhex(self.grant_id)),
            passport_id=PassportId(unhex(self.passport_id)),
            recipient=self.recipient,
            recipient_kinds=self.recipient_kinds,
            purposes=self.purposes,
            categories=Category(self.categories),
            use_from=self.use_from,
            use_to=self.use_to,
            data_from=self.data_from,
            data_to=self.data_to,
            max_uses=self.max_uses,
            level=Level(self.level),
            flags=GrantFlag(self.flags),
            template=self.template,
            terms=Commitment(unhex(self.terms)),
            supersedes=GrantId(unhex(self.supersedes)),
            deadline=self.deadline,
        )


class SignedGrantIn(Model):
    """A grant with the holder's signature."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"grant": _GRANT_EXAMPLE, "signature": SIGNATURE_EXAMPLE}]}
    )

    grant: GrantWords
    signature: SignatureIn


class AssistedGrantIn(PreparationIn):
    """A grant for a patient whose holder key the custodian keeps."""

    model_config = ConfigDict(json_schema_extra={"examples": [{**_PREPARATION_EXAMPLE, "assisted": True}]})

    assisted: Literal[True]


class PreparedGrantOut(Model):
    """A grant ready to be signed."""

    grant: GrantWords
    text: str = Field(description="The sentence that the holder agrees to.")
    terms_salt: str = Field(
        description="Opens `grant.terms`: the holder checks that it commits to `text`.",
        examples=[ID2_EXAMPLE],
    )
    holder: str = Field(description="Who must sign.", examples=[ADDRESS_EXAMPLE])
    typed_data: dict[str, Any] = Field(description="For eth_signTypedData_v4.")


class RevocationIn(Model):
    """A withdrawal: with the holder's signature, or by the custodian that keeps the holder key."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"signature": SIGNATURE_EXAMPLE}, {"assisted": True}]}
    )

    signature: SignatureIn | None = None
    assisted: Literal[True] | None = None


class TypedDataOut(Model):
    """What the holder signs."""

    typed_data: dict[str, Any] = Field(description="For eth_signTypedData_v4.")


class GrantOut(Model):
    """A consent as the ledger holds it."""

    grant_id: str = Field(examples=[ID2_EXAMPLE])
    passport_id: str = Field(examples=[ID_EXAMPLE])
    recipient: int | None = Field(examples=[3])
    recipient_kinds: list[str] = Field(examples=[[]])
    purposes: list[str] = Field(examples=[["AI_TRAINING"]])
    categories: list[str] = Field(examples=[["DIAGNOSIS"]])
    use_from: str = Field(examples=["2026-12-01T08:00:00Z"])
    use_to: str = Field(examples=["2027-06-30T00:00:00Z"])
    max_uses: int = Field(examples=[10])
    uses: int = Field(examples=[1])
    data_from: str | None = Field(default=None, examples=["2020-01-01"])
    data_to: str | None = None
    level: str = Field(examples=["PSEUDONYMISED"])
    flags: list[str] = Field(examples=[["SEPARATE"]])
    status: Literal[
        "requested", "pending", "active", "expired", "refused", "withdrawn", "superseded", "repudiated"
    ]
    assurance: str = Field(examples=["SELF"])
    template: int | None = Field(examples=[1])
    requested_by: int | None = None
    ended_at: str | None = None
    terms: str = Field(examples=[ID_EXAMPLE])
    supersedes: str | None = None
    successor: str | None = None
    text: str
    position: PositionOut


class GrantList(Model):
    """Grants, oldest first."""

    items: list[GrantOut]
    next: str | None = None


def grant_words(grant: Grant) -> GrantWords:
    """Write a grant as it is signed."""
    return GrantWords(
        grant_id=to_hex(grant.grant_id),
        passport_id=to_hex(grant.passport_id),
        recipient=grant.recipient,
        recipient_kinds=grant.recipient_kinds,
        purposes=grant.purposes,
        categories=int(grant.categories),
        use_from=grant.use_from,
        use_to=grant.use_to,
        data_from=grant.data_from,
        data_to=grant.data_to,
        max_uses=grant.max_uses,
        level=int(grant.level),
        flags=int(grant.flags),
        template=grant.template,
        terms=to_hex(grant.terms),
        supersedes=to_hex(grant.supersedes),
        deadline=grant.deadline,
    )


def prepared_out(prepared: PreparedGrant) -> PreparedGrantOut:
    """Write a prepared grant."""
    return PreparedGrantOut(
        grant=grant_words(prepared.grant),
        text=prepared.text,
        terms_salt=to_hex(prepared.terms_salt),
        holder=prepared.holder,
        typed_data=prepared.typed_data,
    )


def grant_out(record: GrantRecord, *, text: str, at: int) -> GrantOut:
    """Write a grant as it stands at a time."""
    state = record.state
    return GrantOut(
        grant_id=to_hex(record.grant_id),
        passport_id=to_hex(record.passport_id),
        recipient=state.recipient or None,
        recipient_kinds=[kind.name for kind in kinds_of(state.recipient_kinds)],
        purposes=purpose_names(state.purposes),
        categories=names(state.categories),
        use_from=utc(state.use_from),
        use_to=utc(state.use_to),
        max_uses=state.max_uses,
        uses=state.uses,
        data_from=day_out(state.data_from),
        data_to=day_out(state.data_to),
        level=state.level.name,
        flags=names(state.flags),
        status=grant_status(state, at),
        assurance=state.assurance.name,
        template=record.template or None,
        requested_by=record.requested_by or None,
        ended_at=utc(record.ended_at) if record.ended_at else None,
        terms=to_hex(record.terms),
        supersedes=to_hex(record.supersedes) if record.supersedes != NO_GRANT else None,
        successor=to_hex(record.successor) if record.successor else None,
        text=text,
        position=position_out(record.position),
    )
