"""
How the ledger's words look in JSON: camelCase, hexadecimal with 0x, RFC 3339 times, codes by name.

`…In` is what callers send, `…Out` what they get. Nothing is passed through: each field is named here.
"""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from enum import IntEnum, IntFlag
from typing import Annotated, Any, Final, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
)
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from ledger.domain.records import (
    NO_GRANT,
    Address,
    Admission,
    Commitment,
    Event,
    Grant,
    GrantId,
    Member,
    PassportId,
    PolicyTable,
    Position,
    Project,
)
from ledger.domain.vocabulary import (
    BASIS_LABELS,
    CATEGORY_LABELS,
    CLASS_LABELS,
    FACT_LABELS,
    OPERATION_LABELS,
    PURPOSE_LABELS,
    Basis,
    Category,
    DataClass,
    Fact,
    GrantFlag,
    Label,
    Operation,
    Purpose,
    Role,
    Technique,
    code,
    flags,
    names,
    purpose_set,
    purposes_of,
)
from ledger.encoding.hexadecimal import to_hex
from ledger.errors import UnknownCode
from ledger.ports import GrantRecord, PassportRecord, RecordSummary, TransferRecord
from ledger.ports import Operation as WriteOperation
from ledger.service.access import AccessEntry
from ledger.service.consents import PreparedGrant, grant_status
from ledger.service.decisions import AccessRequest
from ledger.service.provenance import PassportHistory
from ledger.service.releases import Release

_MAX_SAFE_INTEGER: Final = 2**53 - 1
_LAST_SECOND: Final = 253_402_300_799
_ID_EXAMPLE: Final = "0x6f1c0d3b9a8e47f2b5d41c7e90a36f58d2e4b7a1c9f03586e7d2a4b6c8f01357"
_ID2_EXAMPLE: Final = "0xa41b7f0e5c3d29864b7a1c9f0358e7d2a4b6c8f013576f1c0d3b9a8e47f2b5d4"
_ADDRESS_EXAMPLE: Final = "0x8ba1f109551bd432803012645ac136ddd64dba72"
_SIGNATURE_EXAMPLE: Final = "0x" + "1b" * 65


class Model(BaseModel):
    """What every body has in common: camelCase, and no field that is not named here."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True)


# --- words -----------------------------------------------------------------------------------------------------------


def _names_of(kind: type[IntEnum | IntFlag]) -> list[str]:
    return [str(member.name) for member in kind]


def _code_reader(kind: type[IntEnum]) -> Any:
    def read(value: object) -> object:
        if not isinstance(value, str):
            raise PydanticCustomError("unknown_code", "must be the name of a code")
        try:
            return code(kind, value)
        except UnknownCode:
            raise PydanticCustomError(
                "unknown_code", "known codes are {known}", {"known": ", ".join(_names_of(kind))}
            ) from None

    return read


def _set_reader(kind: type[IntFlag]) -> Any:
    def read(value: object) -> object:
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise PydanticCustomError("unknown_code", "must be a list of names of codes")
        try:
            return flags(kind, value)
        except UnknownCode:
            raise PydanticCustomError(
                "unknown_code", "known codes are {known}", {"known": ", ".join(_names_of(kind))}
            ) from None

    return read


def _code_schema(kind: type[IntEnum]) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "enum": _names_of(kind), "examples": [_names_of(kind)[0]]})


def _set_schema(kind: type[IntFlag]) -> WithJsonSchema:
    return WithJsonSchema(
        {"type": "array", "items": {"type": "string", "enum": _names_of(kind)}, "uniqueItems": True}
    )


def _is_text(value: object) -> object:
    """Take times as text only: a bare number would leave its unit open."""
    if not isinstance(value, str):
        raise PydanticCustomError("time", "must be an RFC 3339 time such as 2026-12-01T08:00:00Z")
    return value


def _after_epoch(value: datetime) -> datetime:
    if value.timestamp() < 0:
        raise PydanticCustomError("time", "must not be before 1970")
    return value


def _unhex(text: str) -> bytes:
    return bytes.fromhex(text[2:])


PurposeIn = Annotated[Purpose, BeforeValidator(_code_reader(Purpose)), _code_schema(Purpose)]
BasisIn = Annotated[Basis, BeforeValidator(_code_reader(Basis)), _code_schema(Basis)]
OperationIn = Annotated[Operation, BeforeValidator(_code_reader(Operation)), _code_schema(Operation)]
DataClassIn = Annotated[DataClass, BeforeValidator(_code_reader(DataClass)), _code_schema(DataClass)]
CategoriesIn = Annotated[Category, BeforeValidator(_set_reader(Category)), _set_schema(Category)]
RolesIn = Annotated[Role, BeforeValidator(_set_reader(Role)), _set_schema(Role)]
TechniquesIn = Annotated[Technique, BeforeValidator(_set_reader(Technique)), _set_schema(Technique)]
FlagsIn = Annotated[GrantFlag, BeforeValidator(_set_reader(GrantFlag)), _set_schema(GrantFlag)]
PurposesIn = Annotated[list[PurposeIn], Field(min_length=1, max_length=16)]
TimeIn = Annotated[AwareDatetime, BeforeValidator(_is_text), AfterValidator(_after_epoch)]
Hex32 = Annotated[str, Field(pattern=r"^0x[0-9a-fA-F]{64}$", examples=[_ID_EXAMPLE])]
AddressIn = Annotated[str, Field(pattern=r"^0x[0-9a-fA-F]{40}$", examples=[_ADDRESS_EXAMPLE])]
SignatureIn = Annotated[str, Field(pattern=r"^0x[0-9a-fA-F]{130}$", examples=[_SIGNATURE_EXAMPLE])]
MemberId = Annotated[int, Field(ge=1, le=2**32 - 1, examples=[2])]
Seq = Annotated[int, Field(ge=0, le=2**40 - 1, examples=[0])]
Uint16 = Annotated[int, Field(ge=0, le=2**16 - 1)]
Uint40 = Annotated[int, Field(ge=0, le=2**40 - 1)]


def utc(seconds: float) -> str:
    """Write a time, seconds since the Unix epoch, as RFC 3339 in UTC; what lies after the year 9999 as its end."""
    return datetime.fromtimestamp(min(int(seconds), _LAST_SECOND), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def seconds_of(time: datetime) -> int:
    """Return a time as the chain holds it."""
    return int(time.timestamp())


def _purpose_names(value: int) -> list[str]:
    return [purpose.name for purpose in purposes_of(value)]


def _json_value(value: Any) -> Any:
    """Write an ABI value as JSON: bytes as hexadecimal, integers beyond 2^53 as decimal strings."""
    if isinstance(value, bytes):
        return to_hex(value)
    if isinstance(value, bool) or not isinstance(value, int):
        return [_json_value(item) for item in value] if isinstance(value, list | tuple) else value
    return value if abs(value) <= _MAX_SAFE_INTEGER else str(value)


# --- the ledger ------------------------------------------------------------------------------------------------------


class PositionOut(Model):
    """Where on the chain something stands, and when it was recorded."""

    block: int = Field(examples=[42])
    block_hash: str = Field(examples=[_ID_EXAMPLE])
    transaction: str = Field(examples=[_ID2_EXAMPLE])
    log_index: int = Field(examples=[0])
    time: str = Field(examples=["2026-12-01T08:00:00Z"])


class LedgerOut(Model):
    """Which ledger this service stands on, and how far it has read."""

    chain_id: int = Field(examples=[31337])
    ledger: str = Field(examples=[_ADDRESS_EXAMPLE])
    deployed_block: int = Field(examples=[1])
    policy_version: int | None = Field(examples=[1])
    indexed_block: int = Field(examples=[42])
    chain_head: int = Field(examples=[42])
    rpc_url: str = Field(examples=["http://127.0.0.1:8545"])


class EventOut(Model):
    """One log of the ledger, decoded."""

    name: str = Field(examples=["PassportIssued"])
    arguments: dict[str, Any]
    position: PositionOut


class OperationError(Model):
    """Why an operation failed."""

    code: str = Field(examples=["conflict"])
    message: str
    fix: str | None = None


class OperationOut(Model):
    """A write and how far it has come."""

    operation_id: str = Field(examples=["5f8d0c2b7a914e63b1d4f0a2c6e89357"])
    function: str = Field(examples=["issue"])
    status: Literal["queued", "signed", "mined", "failed"]
    created_at: str = Field(examples=["2026-12-01T08:00:00Z"])
    transaction: str | None = Field(examples=[_ID2_EXAMPLE])
    events: list[EventOut]
    error: OperationError | None = None


def position_out(position: Position) -> PositionOut:
    """Write a position."""
    return PositionOut(
        block=position.block_number,
        block_hash=to_hex(position.block_hash),
        transaction=to_hex(position.transaction_hash),
        log_index=position.log_index,
        time=utc(position.time),
    )


def event_out(event: Event) -> EventOut:
    """Write an event."""
    arguments = {name: _json_value(value) for name, value in event.arguments.items()}
    return EventOut(name=event.name, arguments=arguments, position=position_out(event.position))


def operation_out(operation: WriteOperation) -> OperationOut:
    """Write an operation."""
    error = operation.error
    return OperationOut(
        operation_id=operation.operation_id,
        function=operation.function,
        status=operation.status.value,
        created_at=utc(operation.created_at),
        transaction=to_hex(operation.transaction_hash) if operation.transaction_hash else None,
        events=[event_out(event) for event in operation.events],
        error=OperationError(
            code=str(error.get("code", "")), message=str(error.get("message", "")), fix=error.get("fix")
        )
        if error
        else None,
    )


# --- members ---------------------------------------------------------------------------------------------------------


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
                    "signingKey": _ID_EXAMPLE,
                    "sealingKey": _ID2_EXAMPLE,
                }
            ]
        }
    )

    name: str = Field(min_length=1, max_length=64)
    roles: RolesIn
    purposes: Annotated[list[PurposeIn], Field(max_length=16)]
    jurisdiction: int = Field(ge=0, le=999, description="ISO 3166-1 numeric.")
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
            signing_key=_unhex(self.signing_key),
            sealing_key=_unhex(self.sealing_key),
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
    valid_to: str = Field(examples=["2029-12-31T00:00:00Z"])
    status: str = Field(examples=["ACTIVE"])
    signer: str = Field(examples=[_ADDRESS_EXAMPLE])
    signing_key: str = Field(examples=[_ID_EXAMPLE])
    sealing_key: str = Field(examples=[_ID2_EXAMPLE])


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
        purposes=_purpose_names(member.purposes),
        jurisdiction=member.jurisdiction,
        valid_to=utc(member.valid_to),
        status=member.status.name,
        signer=member.signer,
        signing_key=to_hex(member.signing_key),
        sealing_key=to_hex(member.sealing_key),
    )


# --- passports and records -------------------------------------------------------------------------------------------


class RegistrationIn(Model):
    """A patient's record to be registered."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "bundle": {
                        "resourceType": "Bundle",
                        "type": "collection",
                        "entry": [{"resource": {"resourceType": "Patient", "id": "p-17"}}],
                    },
                    "purposes": ["PRIMARY_CARE", "AI_TRAINING"],
                }
            ]
        }
    )

    bundle: dict[str, Any] = Field(description="FHIR R4 Bundle with exactly one Patient.")
    purposes: PurposesIn
    holder: AddressIn | None = Field(
        default=None,
        description="The patient's holder key for this custodian; left out, the custodian keeps one.",
    )


class PassportOut(Model):
    """The on-chain record of one data asset."""

    passport_id: str = Field(examples=[_ID_EXAMPLE])
    custodian: int = Field(examples=[2])
    holder: str = Field(examples=[_ADDRESS_EXAMPLE])
    custody: str = Field(examples=["SELF"])
    purposes: list[str] = Field(examples=[["PRIMARY_CARE", "AI_TRAINING"]])
    status: str = Field(examples=["OPEN"])
    content: str = Field(examples=[_ID2_EXAMPLE])
    size: int = Field(description="How many decisions it has.", examples=[3])
    position: PositionOut


class PassportList(Model):
    """Passports, oldest first."""

    items: list[PassportOut]
    next: str | None = None


class RegistrationOut(Model):
    """A new passport, and how many resources of each category were sealed."""

    passport: PassportOut
    entries: dict[str, int] = Field(examples=[{"DIAGNOSIS": 4, "DEMOGRAPHICS": 1}])


class RecordOut(Model):
    """What a custodian keeps, with its own name for the patient."""

    passport_id: str = Field(examples=[_ID_EXAMPLE])
    local_reference: str = Field(examples=["p-17"])
    entries: dict[str, int] = Field(examples=[{"DIAGNOSIS": 4}])


class RecordList(Model):
    """Records that the caller keeps."""

    items: list[RecordOut]
    next: str | None = None


class ReleasedCategoryOut(Model):
    """One category, sealed, with its key sealed to the recipient."""

    category: str = Field(examples=["DIAGNOSIS"])
    entries: int = Field(examples=[4])
    ciphertext: str = Field(description="Base64.", examples=["c2VhbGVk"])
    sealed_key: str = Field(
        description="Base64; a sealed box for the recipient's X25519 key.", examples=["a2V5"]
    )
    commitment: str = Field(examples=[_ID_EXAMPLE])
    salt: str = Field(examples=[_ID2_EXAMPLE])


class ReleaseOut(Model):
    """What a recipient gets after a permit."""

    passport_id: str = Field(examples=[_ID_EXAMPLE])
    seq: int = Field(examples=[0])
    content: str = Field(examples=[_ID2_EXAMPLE])
    manifest_salt: str = Field(examples=[_ID2_EXAMPLE])
    manifest: dict[str, str]
    categories: list[ReleasedCategoryOut]


def passport_out(record: PassportRecord) -> PassportOut:
    """Write a passport."""
    passport = record.passport
    return PassportOut(
        passport_id=to_hex(passport.passport_id),
        custodian=passport.custodian,
        holder=passport.holder,
        custody=passport.custody.name,
        purposes=_purpose_names(passport.purposes),
        status=passport.status.name,
        content=to_hex(passport.content),
        size=passport.size,
        position=position_out(record.position),
    )


def record_out(summary: RecordSummary) -> RecordOut:
    """Write what a custodian keeps."""
    return RecordOut(
        passport_id=to_hex(summary.passport_id),
        local_reference=summary.local_reference,
        entries={str(category.name): count for category, count in summary.entries.items()},
    )


def release_out(release: Release) -> ReleaseOut:
    """Write what a recipient gets."""
    return ReleaseOut(
        passport_id=to_hex(release.passport_id),
        seq=release.seq,
        content=to_hex(release.content),
        manifest_salt=to_hex(release.manifest_salt),
        manifest=release.manifest,
        categories=[
            ReleasedCategoryOut(
                category=str(item.category.name),
                entries=item.entries,
                ciphertext=base64.b64encode(item.ciphertext).decode(),
                sealed_key=base64.b64encode(item.sealed_key).decode(),
                commitment=to_hex(item.commitment),
                salt=to_hex(item.salt),
            )
            for item in release.categories
        ],
    )


# --- grants ----------------------------------------------------------------------------------------------------------

_PREPARATION_EXAMPLE: Final[dict[str, Any]] = {
    "passportId": _ID_EXAMPLE,
    "recipient": 3,
    "purposes": ["AI_TRAINING"],
    "categories": ["DIAGNOSIS", "LABORATORY"],
    "useTo": "2027-06-30T00:00:00Z",
    "maxUses": 10,
    "flags": ["SEPARATE", "NO_REIDENTIFY"],
}
_GRANT_EXAMPLE: Final[dict[str, Any]] = {
    "grantId": _ID2_EXAMPLE,
    "passportId": _ID_EXAMPLE,
    "recipient": 3,
    "purposes": 128,
    "categories": 5,
    "useFrom": 1_796_000_000,
    "useTo": 1_814_313_600,
    "maxUses": 10,
    "flags": 5,
    "terms": _ID_EXAMPLE,
    "supersedes": to_hex(NO_GRANT),
    "deadline": 1_796_003_600,
}


class PreparationIn(Model):
    """A consent to be written down for the holder to read and sign."""

    model_config = ConfigDict(json_schema_extra={"examples": [_PREPARATION_EXAMPLE]})

    passport_id: Hex32
    recipient: MemberId
    purposes: PurposesIn
    categories: CategoriesIn
    use_from: TimeIn | None = None
    use_to: TimeIn
    max_uses: int = Field(default=0, ge=0, le=2**24 - 1, description="0 for as many as the use period holds.")
    flags: FlagsIn = Field(default_factory=lambda: GrantFlag(0))
    supersedes: Hex32 | None = None


class GrantWords(Model):
    """A grant as the holder signs it: sets as integers, times as seconds since the Unix epoch."""

    model_config = ConfigDict(json_schema_extra={"examples": [_GRANT_EXAMPLE]})

    grant_id: Hex32
    passport_id: Hex32
    recipient: MemberId
    purposes: Uint16
    categories: Uint16
    use_from: Uint40
    use_to: Uint40
    max_uses: int = Field(ge=0, le=2**24 - 1)
    flags: int = Field(ge=0, le=15)
    terms: Hex32
    supersedes: Hex32
    deadline: Uint40

    def to_grant(self) -> Grant:
        """Return the grant as a value of the ledger."""
        return Grant(
            grant_id=GrantId(_unhex(self.grant_id)),
            passport_id=PassportId(_unhex(self.passport_id)),
            recipient=self.recipient,
            purposes=self.purposes,
            categories=Category(self.categories),
            use_from=self.use_from,
            use_to=self.use_to,
            max_uses=self.max_uses,
            flags=GrantFlag(self.flags),
            terms=Commitment(_unhex(self.terms)),
            supersedes=GrantId(_unhex(self.supersedes)),
            deadline=self.deadline,
        )


class SignedGrantIn(Model):
    """A grant with the holder's signature."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"grant": _GRANT_EXAMPLE, "signature": _SIGNATURE_EXAMPLE}]}
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
    holder: str = Field(description="Who must sign.", examples=[_ADDRESS_EXAMPLE])
    typed_data: dict[str, Any] = Field(description="For eth_signTypedData_v4.")


class RevocationIn(Model):
    """A withdrawal: with the holder's signature, or by the custodian that keeps the holder key."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"signature": _SIGNATURE_EXAMPLE}, {"assisted": True}]}
    )

    signature: SignatureIn | None = None
    assisted: Literal[True] | None = None


class TypedDataOut(Model):
    """What the holder signs."""

    typed_data: dict[str, Any] = Field(description="For eth_signTypedData_v4.")


class GrantOut(Model):
    """A consent as the ledger holds it."""

    grant_id: str = Field(examples=[_ID2_EXAMPLE])
    passport_id: str = Field(examples=[_ID_EXAMPLE])
    recipient: int = Field(examples=[3])
    purposes: list[str] = Field(examples=[["AI_TRAINING"]])
    categories: list[str] = Field(examples=[["DIAGNOSIS"]])
    use_from: str = Field(examples=["2026-12-01T08:00:00Z"])
    use_to: str = Field(examples=["2027-06-30T00:00:00Z"])
    max_uses: int = Field(examples=[10])
    uses: int = Field(examples=[1])
    flags: list[str] = Field(examples=[["SEPARATE"]])
    status: Literal["active", "pending", "expired", "withdrawn", "superseded"]
    ended_at: str | None = None
    terms: str = Field(examples=[_ID_EXAMPLE])
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
        purposes=grant.purposes,
        categories=int(grant.categories),
        use_from=grant.use_from,
        use_to=grant.use_to,
        max_uses=grant.max_uses,
        flags=int(grant.flags),
        terms=to_hex(grant.terms),
        supersedes=to_hex(grant.supersedes),
        deadline=grant.deadline,
    )


def prepared_out(prepared: PreparedGrant) -> PreparedGrantOut:
    """Write a prepared grant."""
    return PreparedGrantOut(
        grant=grant_words(prepared.grant),
        text=prepared.text,
        holder=prepared.holder,
        typed_data=prepared.typed_data,
    )


def grant_out(record: GrantRecord, *, text: str, at: int) -> GrantOut:
    """Write a grant as it stands at a time."""
    state = record.state
    return GrantOut(
        grant_id=to_hex(record.grant_id),
        passport_id=to_hex(record.passport_id),
        recipient=state.recipient,
        purposes=_purpose_names(state.purposes),
        categories=names(state.categories),
        use_from=utc(state.use_from),
        use_to=utc(state.use_to),
        max_uses=state.max_uses,
        uses=state.uses,
        flags=names(state.flags),
        status=grant_status(state, at),
        ended_at=utc(state.ended_at) if state.ended_at else None,
        terms=to_hex(record.terms),
        supersedes=to_hex(record.supersedes) if record.supersedes != NO_GRANT else None,
        successor=to_hex(record.successor) if record.successor else None,
        text=text,
        position=position_out(record.position),
    )


# --- projects --------------------------------------------------------------------------------------------------------


class ProjectIn(Model):
    """An undertaking to be filed."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "title": "Early detection of sepsis",
                    "purposes": ["AI_TRAINING"],
                    "categories": ["LABORATORY", "VITALS"],
                    "techniques": ["FEDERATED_LEARNING"],
                    "highestClass": "SENSITIVE",
                    "validFrom": "2026-12-01T00:00:00Z",
                    "validTo": "2027-12-01T00:00:00Z",
                }
            ]
        }
    )

    title: str = Field(min_length=1, max_length=500)
    purposes: PurposesIn
    categories: CategoriesIn
    techniques: TechniquesIn = Field(default_factory=lambda: Technique(0))
    highest_class: DataClassIn
    valid_from: TimeIn
    valid_to: TimeIn
    agreement: str | None = Field(default=None, max_length=100_000)


class ProjectOut(Model):
    """A filed undertaking. Its title and agreement stay with the member; the chain holds commitments."""

    project_id: int = Field(examples=[1])
    member_id: int = Field(examples=[3])
    purposes: list[str] = Field(examples=[["AI_TRAINING"]])
    categories: list[str] = Field(examples=[["LABORATORY"]])
    techniques: list[str] = Field(examples=[["FEDERATED_LEARNING"]])
    highest_class: str = Field(examples=["SENSITIVE"])
    valid_from: str = Field(examples=["2026-12-01T00:00:00Z"])
    valid_to: str = Field(examples=["2027-12-01T00:00:00Z"])
    agreement: str | None = Field(examples=[_ID_EXAMPLE])
    withdrawn: bool


class ProjectList(Model):
    """Projects in the order of filing."""

    items: list[ProjectOut]
    next: str | None = None


def project_out(project: Project) -> ProjectOut:
    """Write a project."""
    return ProjectOut(
        project_id=project.project_id,
        member_id=project.member_id,
        purposes=_purpose_names(project.purposes),
        categories=names(project.categories),
        techniques=names(project.techniques),
        highest_class=project.highest_class.name,
        valid_from=utc(project.valid_from),
        valid_to=utc(project.valid_to),
        agreement=to_hex(project.agreement) if any(project.agreement) else None,
        withdrawn=project.withdrawn,
    )


# --- decisions -------------------------------------------------------------------------------------------------------

_REQUEST_EXAMPLE: Final[dict[str, Any]] = {
    "passportId": _ID_EXAMPLE,
    "purpose": "AI_TRAINING",
    "basis": "CONSENT",
    "operation": "READ",
    "categories": ["DIAGNOSIS"],
    "grantId": _ID2_EXAMPLE,
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
    project_id: int = Field(default=0, ge=0, le=2**32 - 1)
    statement: str = Field(
        default="", max_length=4000, description="Stays in the vault; the chain holds a commitment."
    )

    def to_request(self) -> AccessRequest:
        """Return the request as a value of the ledger."""
        return AccessRequest(
            passport_id=PassportId(_unhex(self.passport_id)),
            purpose=self.purpose,
            basis=self.basis,
            operation=self.operation,
            categories=self.categories,
            grant_id=GrantId(_unhex(self.grant_id)) if self.grant_id else NO_GRANT,
            project_id=self.project_id,
            statement=self.statement,
        )


class AccessRequestsIn(Model):
    """Several requests, answered in their order in one transaction."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"requests": [_REQUEST_EXAMPLE]}]})

    requests: Annotated[list[AccessRequestIn], Field(min_length=1, max_length=100)]


class DecisionOut(Model):
    """One answered request; its name is the passport and `seq`."""

    passport_id: str = Field(examples=[_ID_EXAMPLE])
    seq: int = Field(examples=[0])
    member: MemberName
    purpose: str = Field(examples=["AI_TRAINING"])
    basis: str = Field(examples=["CONSENT"])
    operation: str = Field(examples=["READ"])
    categories: list[str] = Field(examples=[["DIAGNOSIS"]])
    data_class: str = Field(examples=["SENSITIVE"])
    project_id: int | None = Field(examples=[1])
    grant_id: str | None = Field(examples=[_ID2_EXAMPLE])
    outcome: str = Field(examples=["DENY"])
    facts: list[str] = Field(examples=[["MEMBER_ACTIVE"]])
    missing: list[str] = Field(examples=[["GRANT_LIVE"]])
    policy_version: int = Field(examples=[1])
    sentence: str
    answer: str = Field(examples=["refused"])
    reasons: list[str] = Field(examples=[["the consent was withdrawn on 2026-12-01 08:00:00 UTC"]])
    commitment: str | None = Field(examples=[_ID_EXAMPLE])
    released: PositionOut | None = None
    position: PositionOut


class DecisionList(Model):
    """Decisions, newest first."""

    items: list[DecisionOut]
    next: str | None = None


class DecisionsOut(Model):
    """The answers to several requests, in their order."""

    decisions: list[DecisionOut]


def decision_out(entry: AccessEntry) -> DecisionOut:
    """Write a decision as it is told to people and programs."""
    record, verdict = entry.record, entry.record.verdict
    return DecisionOut(
        passport_id=to_hex(record.passport_id),
        seq=verdict.seq,
        member=MemberName(member_id=record.member_id, name=entry.member),
        purpose=verdict.purpose.name,
        basis=verdict.basis.name,
        operation=verdict.operation.name,
        categories=names(verdict.categories),
        data_class=verdict.data_class.name,
        project_id=verdict.project_id or None,
        grant_id=to_hex(record.grant_id) if record.grant_id != NO_GRANT else None,
        outcome=verdict.outcome.name,
        facts=names(verdict.facts),
        missing=names(verdict.missing),
        policy_version=verdict.policy_version,
        sentence=entry.sentence,
        answer=entry.answer,
        reasons=list(entry.reasons),
        commitment=to_hex(record.commitment) if any(record.commitment) else None,
        released=position_out(entry.released) if entry.released else None,
        position=position_out(record.position),
    )


# --- transfers and provenance ----------------------------------------------------------------------------------------


class ShipmentIn(Model):
    """A record to be shipped under a permit to transfer."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"passportId": _ID_EXAMPLE, "decision": 1}]})

    passport_id: Hex32
    decision: Seq


class ReceiptIn(Model):
    """What the recipient computed over what it decrypted."""

    content: Hex32


class TransferOut(Model):
    """A copy on its way from one member to another, as both recorded it."""

    transfer_id: str = Field(examples=[_ID2_EXAMPLE])
    passport_id: str = Field(examples=[_ID_EXAMPLE])
    sender: int = Field(examples=[2])
    recipient: int = Field(examples=[3])
    decision: int = Field(examples=[1])
    status: str = Field(examples=["RECEIVED"])
    content: str = Field(examples=[_ID_EXAMPLE])
    received_content: str | None = Field(examples=[_ID_EXAMPLE])
    shipped: PositionOut
    received: PositionOut | None


class TransferList(Model):
    """Transfers, newest first."""

    items: list[TransferOut]
    next: str | None = None


class CopyOut(Model):
    """A member that holds, or held, a copy: as custodian, or by a transfer."""

    member: MemberName | None
    transfer: TransferOut | None


class HistoryOut(Model):
    """Where data came from and where it went."""

    passport: PassportOut
    copies: list[CopyOut]
    events: list[EventOut]
    next: str | None = None


def transfer_out(record: TransferRecord) -> TransferOut:
    """Write a transfer."""
    transfer = record.transfer
    return TransferOut(
        transfer_id=to_hex(transfer.transfer_id),
        passport_id=to_hex(transfer.passport_id),
        sender=transfer.sender,
        recipient=transfer.recipient,
        decision=transfer.seq,
        status=transfer.status.name,
        content=to_hex(transfer.content),
        received_content=to_hex(transfer.received_content) if transfer.received_content else None,
        shipped=position_out(record.shipped),
        received=position_out(record.received) if record.received else None,
    )


def history_out(history: PassportHistory) -> HistoryOut:
    """Write the history of a passport."""
    return HistoryOut(
        passport=passport_out(history.passport),
        copies=[
            CopyOut(
                member=MemberName(member_id=copy.member.member_id, name=copy.member.name)
                if copy.member
                else None,
                transfer=transfer_out(copy.transfer) if copy.transfer else None,
            )
            for copy in history.holders_of_copies
        ],
        events=[event_out(event) for event in history.events],
        next=history.next_cursor,
    )


# --- the law ---------------------------------------------------------------------------------------------------------


class PolicyEntry(Model):
    """What must hold for a purpose, on a basis, for a class of data."""

    data_class: str = Field(examples=["SENSITIVE"])
    purpose: str = Field(examples=["AI_TRAINING"])
    basis: str = Field(examples=["CONSENT"])
    required: list[str] = Field(examples=[["MEMBER_ACTIVE", "GRANT_LIVE"]])


class Word(Model):
    """One code: its number in the contracts, and what people and other systems call it."""

    code: str = Field(examples=["AI_TRAINING"])
    number: int = Field(examples=[7])
    en: str
    zh: str
    act_reason: str | None = None
    duo: str | None = None


class PolicyOut(Model):
    """One version of the law. What is not listed is never lawful."""

    version: int = Field(examples=[1])
    entries: list[PolicyEntry]
    necessary: dict[str, list[str]] = Field(description="Categories that a purpose may touch.")
    classes: dict[str, list[str]] = Field(description="Categories in each class of data.")
    banned_purposes: list[str] = Field(examples=[["MARKETING"]])
    max_grant_seconds: int = Field(examples=[31_536_000])
    vocabulary: dict[str, list[Word]]


def policy_out(table: PolicyTable) -> PolicyOut:
    """Write a version of the law."""
    core, sensitive = table.core_categories, table.sensitive_categories & ~table.core_categories
    entries = [
        PolicyEntry(
            data_class=data_class.name, purpose=purpose.name, basis=basis.name, required=names(required)
        )
        for data_class in DataClass
        for purpose in Purpose
        for basis in Basis
        if (required := table.required_for(data_class, purpose, basis))
    ]
    return PolicyOut(
        version=table.version,
        entries=entries,
        necessary={purpose.name: names(table.necessary_for(purpose)) for purpose in Purpose},
        classes={
            DataClass.CORE_PRIVACY.name: names(core),
            DataClass.SENSITIVE.name: names(sensitive),
            DataClass.NON_SENSITIVE.name: names(~(core | sensitive) & Category(0xFFFF)),
        },
        banned_purposes=_purpose_names(table.banned_purposes),
        max_grant_seconds=table.max_grant_seconds,
        vocabulary=vocabulary(),
    )


def vocabulary() -> dict[str, list[Word]]:
    """Return every code with its labels."""
    labels: dict[str, dict[Any, Label]] = {
        "purposes": dict(PURPOSE_LABELS),
        "bases": dict(BASIS_LABELS),
        "operations": dict(OPERATION_LABELS),
        "categories": dict(CATEGORY_LABELS),
        "classes": dict(CLASS_LABELS),
        "facts": {fact: FACT_LABELS[fact] for fact in Fact},
    }
    return {
        kind: [
            Word(
                code=str(word.name),
                number=int(word),
                en=label.en,
                zh=label.zh,
                act_reason=label.act_reason,
                duo=label.duo,
            )
            for word, label in words.items()
        ]
        for kind, words in labels.items()
    }


# --- sign-ins and health ---------------------------------------------------------------------------------------------


class ChallengeIn(Model):
    """Who wants to sign in."""

    holder: AddressIn


class ChallengeOut(Model):
    """What the holder signs to sign in."""

    typed_data: dict[str, Any] = Field(description="For eth_signTypedData_v4.")
    challenge: str = Field(examples=[_ID_EXAMPLE])
    expires_at: str = Field(examples=["2026-12-01T08:05:00Z"])


class SignInIn(Model):
    """A holder's answer to a challenge."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"holder": _ADDRESS_EXAMPLE, "challenge": _ID_EXAMPLE, "signature": _SIGNATURE_EXAMPLE}
            ]
        }
    )

    holder: AddressIn
    challenge: Hex32
    signature: SignatureIn


class SessionOut(Model):
    """A sign-in code: send it as `Authorization: Bearer CODE`, or paste it on the sign-in page."""

    code: str = Field(examples=["q3VZk0m0c8l2n5sT7wXy"])
    expires_at: str = Field(examples=["2026-12-01T09:00:00Z"])


class AliveOut(Model):
    """The process runs."""

    status: Literal["alive"] = "alive"


class ReadyOut(Model):
    """Whether the service can do its work; each check is null or says what is wrong."""

    ready: bool
    checks: dict[str, str | None] = Field(examples=[{"database": None, "node": None}])
    indexed_block: int | None = Field(examples=[42])
    chain_head: int | None = Field(examples=[42])
