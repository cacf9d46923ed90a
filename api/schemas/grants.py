"""Grants: consents prepared, signed, given and withdrawn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from api.schemas.base import (
    ADDRESS_EXAMPLE,
    ID2_EXAMPLE,
    ID_EXAMPLE,
    SIGNATURE_EXAMPLE,
    Model,
    seconds_of,
    unhex,
    utc,
)
from api.schemas.chain import PositionOut, position_out
from api.schemas.words import (
    CategoriesIn,
    DayIn,
    FlagsIn,
    Hex32,
    KeyIn,
    LanguageIn,
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
from ledger.domain.days import day_of
from ledger.domain.records import NO_GRANT, Commitment, Grant, GrantId, PassportId
from ledger.domain.vocabulary import Category, GrantFlag, Language, Level, kinds_of, names
from ledger.domain.wording import FIRST_TEMPLATE, STATUS_LABELS
from ledger.encoding.hexadecimal import to_hex
from ledger.ports import GrantRecord
from ledger.service.consents import PreparedGrant, Words

GrantStatusName = Literal[
    "requested",
    "pending",
    "active",
    "frozen",
    "expired",
    "refused",
    "withdrawn",
    "superseded",
    "repudiated",
]
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


class WordsIn(Model):
    """What a consent says."""

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
    language: LanguageIn = Language.EN

    def to_words(self) -> Words:
        """Return the words as a value of the ledger."""
        return Words(
            purposes=tuple(self.purposes),
            categories=self.categories,
            use_from=seconds_of(self.use_from) if self.use_from else None,
            use_to=seconds_of(self.use_to),
            recipient=self.recipient or 0,
            recipient_kinds=tuple(self.recipient_kinds),
            data_from=day_of(self.data_from),
            data_to=day_of(self.data_to),
            max_uses=self.max_uses,
            level=self.level,
            flags=self.flags,
            template=self.template,
            language=self.language,
        )


class RequestIn(WordsIn):
    """A consent that a member asks for; the recipient is the member itself."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{name: value for name, value in _PREPARATION_EXAMPLE.items() if name != "recipient"}]
        }
    )

    passport_id: Hex32


class PreparationIn(WordsIn):
    """A consent to be written down for the holder to read and sign."""

    model_config = ConfigDict(json_schema_extra={"examples": [_PREPARATION_EXAMPLE]})

    passport_id: Hex32
    supersedes: Hex32 | None = Field(default=None, description="A grant in force that this one replaces.")
    grant_id: Hex32 | None = Field(
        default=None, description="The id under which a member asked for it; left out, a new one."
    )


class AmendmentIn(Model):
    """What is to be different from a grant; whatever is left out stays. A limit is lifted by null or zero."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"categories": ["DIAGNOSIS"], "useTo": "2027-01-31T00:00:00Z"}]}
    )

    recipient: MemberId | None = None
    recipient_kinds: MemberKindsIn = Field(default_factory=list)
    purposes: PurposesIn | None = None
    categories: CategoriesIn | None = None
    use_from: TimeIn | None = None
    use_to: TimeIn | None = None
    data_from: DayIn | None = None
    data_to: DayIn | None = None
    max_uses: int = Field(default=0, ge=0, le=2**16 - 1)
    level: LevelIn | None = None
    flags: FlagsIn | None = None
    template: Uint32 | None = None
    language: LanguageIn | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        for name in ("purposes", "categories", "use_to", "level", "flags", "template", "language"):
            if name in self.model_fields_set and getattr(self, name) is None:
                raise ValueError(f"{name} cannot be left empty: leave it out to keep what there is")
        return self

    def changes(self) -> dict[str, Any]:
        """Return the new values by the names of `ledger.service.consents.Words`."""
        readers: dict[str, Callable[[Any], Any]] = {
            "use_from": lambda value: seconds_of(value) if value else None,
            "use_to": seconds_of,
            "data_from": day_of,
            "data_to": day_of,
            "purposes": tuple,
            "recipient_kinds": tuple,
            "recipient": lambda value: value or 0,
        }
        return {
            name: readers.get(name, lambda value: value)(getattr(self, name))
            for name in self.model_fields_set
        }


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


class VoiceIn(Model):
    """Whose word it is: the holder's, a delegate's, or the custodian's that keeps the holder key."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"signature": SIGNATURE_EXAMPLE},
                {"signature": SIGNATURE_EXAMPLE, "signer": ADDRESS_EXAMPLE},
                {"assisted": True},
            ]
        }
    )

    signature: SignatureIn | None = None
    signer: KeyIn | None = Field(default=None, description="The key of a delegate that signed.")
    assisted: Literal[True] | None = Field(
        default=None, description="Instead: the calling custodian signs with the holder key that it keeps."
    )

    @model_validator(mode="after")
    def _one_voice(self) -> Self:
        if (self.signature is None) == (self.assisted is None):
            raise ValueError("send either the holder's 'signature', or 'assisted': true")
        if self.signer is not None and self.signature is None:
            raise ValueError("a signer without a signature says nothing")
        return self

    @property
    def speaker(self) -> str:
        """Return the delegate's key in lower case, the empty string for the holder."""
        return (self.signer or "").lower()


class SignedGrantIn(VoiceIn):
    """A grant as it was prepared, with whose word it is."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"grant": _GRANT_EXAMPLE, "signature": SIGNATURE_EXAMPLE}]}
    )

    grant: GrantWords


class AssistedGrantIn(PreparationIn):
    """A grant for a patient whose holder key the custodian keeps."""

    model_config = ConfigDict(json_schema_extra={"examples": [{**_PREPARATION_EXAMPLE, "assisted": True}]})

    assisted: Literal[True]


class PaperIn(Model):
    """The evidence of a consent on paper: where it is, in words that stay in the vault; or a commitment to it."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"evidence": "Form 12, archive box 7, page 3"}]}
    )

    evidence: str | None = Field(default=None, min_length=1, max_length=20_000)
    hash: Hex32 | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if (self.evidence is None) == (self.hash is None):
            raise ValueError("send either 'evidence' in words, or its 'hash'")
        return self

    def to_evidence(self) -> str | Commitment:
        """Return the words, or the commitment."""
        return self.evidence if self.hash is None else Commitment(unhex(self.hash))  # type: ignore[return-value]


class PaperGrantIn(PreparationIn):
    """A consent that the patient gave on paper, filed by the custodian."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    **{name: value for name, value in _PREPARATION_EXAMPLE.items() if name != "flags"},
                    "paper": {"evidence": "Form 12, archive box 7, page 3"},
                }
            ]
        }
    )

    paper: PaperIn


class PreparedGrantOut(Model):
    """A grant ready to be signed."""

    grant: GrantWords
    text: str = Field(description="The sentence that the holder agrees to.")
    language: Language = Field(description="The language of the sentence.")
    notice: str = Field(description="The notice that goes with the template; the terms commit to it.")
    changes: list[str] = Field(
        description="What it changes in the grant that it replaces, or in what was asked for; in words."
    )
    terms_salt: str = Field(
        description="Opens `grant.terms`: the holder checks that it commits to text, language and notice.",
        examples=[ID2_EXAMPLE],
    )
    holder: str = Field(description="Who must sign.", examples=[ADDRESS_EXAMPLE])
    typed_data: dict[str, Any] = Field(description="For eth_signTypedData_v4.")


class TypedDataOut(Model):
    """What the holder signs."""

    typed_data: dict[str, Any] = Field(description="For eth_signTypedData_v4.")


class WordsOut(Model):
    """What was asked for, in the fields of a preparation."""

    recipient: int | None
    recipient_kinds: list[str]
    purposes: list[str]
    categories: list[str]
    use_from: str | None
    use_to: str
    data_from: str | None
    data_to: str | None
    max_uses: int
    level: str
    flags: list[str]
    template: int
    language: Language


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
    status: GrantStatusName
    status_text: str = Field(description="The status in plain words.", examples=["in force"])
    assurance: str = Field(examples=["SELF"])
    template: int | None = Field(examples=[1])
    language: Language = Field(description="The language it was read in.", examples=["en"])
    requested_by: int | None = None
    words: WordsOut | None = Field(
        default=None,
        description="While it waits for an answer: what was asked for, if this service knows it.",
    )
    evidence: str | None = Field(default=None, description="Commitment to the evidence on paper.")
    ended_at: str | None = None
    terms: str = Field(examples=[ID_EXAMPLE])
    supersedes: str | None = None
    successor: str | None = None
    text: str
    position: PositionOut


class StandingOut(Model):
    """Where a member stands with a passport's holder."""

    passport_id: str = Field(examples=[ID_EXAMPLE])
    member_id: int = Field(examples=[3])
    status: Literal["never-asked"] | GrantStatusName = Field(examples=["never-asked"])
    status_text: str = Field(examples=["never asked"])
    grants: list[GrantOut] = Field(description="All grants to the member by name, oldest first.")


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
        language=prepared.language,
        notice=prepared.notice,
        changes=list(prepared.changes),
        terms_salt=to_hex(prepared.terms_salt),
        holder=prepared.holder,
        typed_data=prepared.typed_data,
    )


def words_out(words: Words) -> WordsOut:
    """Write what was asked for."""
    return WordsOut(
        recipient=words.recipient or None,
        recipient_kinds=[kind.name for kind in words.recipient_kinds],
        purposes=[purpose.name for purpose in words.purposes],
        categories=names(words.categories),
        use_from=None if words.use_from is None else utc(words.use_from),
        use_to=utc(words.use_to),
        data_from=day_out(words.data_from),
        data_to=day_out(words.data_to),
        max_uses=words.max_uses,
        level=words.level.name,
        flags=names(words.flags),
        template=words.template,
        language=words.language,
    )


def grant_out(
    record: GrantRecord, *, text: str, status: str, language: Language, words: Words | None = None
) -> GrantOut:
    """Write a grant as it stands; *words* are those it was asked for with, while it waits for an answer."""
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
        status=status,
        status_text=STATUS_LABELS[status].said(language),
        assurance=state.assurance.name,
        template=record.template or None,
        language=language,
        requested_by=record.requested_by or None,
        words=words_out(words) if words else None,
        evidence=to_hex(record.evidence) if record.evidence else None,
        ended_at=utc(record.ended_at) if record.ended_at else None,
        terms=to_hex(record.terms),
        supersedes=to_hex(record.supersedes) if record.supersedes != NO_GRANT else None,
        successor=to_hex(record.successor) if record.successor else None,
        text=text,
        position=position_out(record.position),
    )
