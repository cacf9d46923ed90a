"""Types of what callers send: codes and sets by name, RFC 3339 times, hexadecimal with 0x, bounded integers."""

from __future__ import annotations

import re
from datetime import date, datetime
from enum import IntEnum, IntFlag
from typing import Annotated, Any, Final

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from api.schemas.base import ADDRESS_EXAMPLE, ID_EXAMPLE, SIGNATURE_EXAMPLE
from ledger.domain.days import date_of, day_of
from ledger.domain.vocabulary import (
    ActKind,
    Answer,
    Approval,
    AttestationKind,
    Basis,
    Category,
    DataClass,
    EmergencyKind,
    EmergencyReason,
    Fact,
    GrantFlag,
    Language,
    Level,
    MemberKind,
    Operation,
    Path,
    Purpose,
    Role,
    SeatKind,
    StepKind,
    Technique,
    VersionKind,
    code,
    flags,
    purposes_of,
)
from ledger.errors import InvalidInput, UnknownCode

#: Times on the ledger are 32 bits of seconds since the Unix epoch.
_END_OF_TIME: Final = 2**32
_DAY: Final = re.compile(r"\A\d{4}-\d\d-\d\d\Z", re.ASCII)


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


def _is_day(value: object) -> object:
    if not isinstance(value, str) or not _DAY.match(value):
        raise PydanticCustomError("day", "must be a day such as 2020-01-31")
    return value


def _is_countable(value: date) -> date:
    try:
        day_of(value)
    except InvalidInput as error:
        raise PydanticCustomError("day", "{words}", {"words": error.message}) from None
    return value


def _of_the_ledger(value: datetime) -> datetime:
    if not 0 <= value.timestamp() < _END_OF_TIME:
        raise PydanticCustomError("time", "must not be before 1970 nor after 2106-02-07")
    return value


PurposeIn = Annotated[Purpose, BeforeValidator(_code_reader(Purpose)), _code_schema(Purpose)]
BasisIn = Annotated[Basis, BeforeValidator(_code_reader(Basis)), _code_schema(Basis)]
OperationIn = Annotated[Operation, BeforeValidator(_code_reader(Operation)), _code_schema(Operation)]
DataClassIn = Annotated[DataClass, BeforeValidator(_code_reader(DataClass)), _code_schema(DataClass)]
LevelIn = Annotated[Level, BeforeValidator(_code_reader(Level)), _code_schema(Level)]
MemberKindIn = Annotated[MemberKind, BeforeValidator(_code_reader(MemberKind)), _code_schema(MemberKind)]
SeatKindIn = Annotated[SeatKind, BeforeValidator(_code_reader(SeatKind)), _code_schema(SeatKind)]
ActKindIn = Annotated[ActKind, BeforeValidator(_code_reader(ActKind)), _code_schema(ActKind)]
AttestationKindIn = Annotated[
    AttestationKind, BeforeValidator(_code_reader(AttestationKind)), _code_schema(AttestationKind)
]
EmergencyKindIn = Annotated[
    EmergencyKind, BeforeValidator(_code_reader(EmergencyKind)), _code_schema(EmergencyKind)
]
EmergencyReasonIn = Annotated[
    EmergencyReason, BeforeValidator(_code_reader(EmergencyReason)), _code_schema(EmergencyReason)
]
StepKindIn = Annotated[StepKind, BeforeValidator(_code_reader(StepKind)), _code_schema(StepKind)]
VersionKindIn = Annotated[VersionKind, BeforeValidator(_code_reader(VersionKind)), _code_schema(VersionKind)]
AnswerIn = Annotated[Answer, BeforeValidator(_code_reader(Answer)), _code_schema(Answer)]
ApprovalIn = Annotated[Approval, BeforeValidator(_code_reader(Approval)), _code_schema(Approval)]
PathIn = Annotated[Path, BeforeValidator(_code_reader(Path)), _code_schema(Path)]
MemberKindsIn = Annotated[list[MemberKindIn], Field(max_length=6)]
CategoriesIn = Annotated[Category, BeforeValidator(_set_reader(Category)), _set_schema(Category)]
RolesIn = Annotated[Role, BeforeValidator(_set_reader(Role)), _set_schema(Role)]
TechniquesIn = Annotated[Technique, BeforeValidator(_set_reader(Technique)), _set_schema(Technique)]
FactsIn = Annotated[Fact, BeforeValidator(_set_reader(Fact)), _set_schema(Fact)]
FlagsIn = Annotated[GrantFlag, BeforeValidator(_set_reader(GrantFlag)), _set_schema(GrantFlag)]
PurposesIn = Annotated[list[PurposeIn], Field(min_length=1, max_length=16)]
TimeIn = Annotated[AwareDatetime, BeforeValidator(_is_text), AfterValidator(_of_the_ledger)]
Hex32 = Annotated[str, Field(pattern=r"^0x[0-9a-fA-F]{64}$", examples=[ID_EXAMPLE])]
AddressIn = Annotated[str, Field(pattern=r"^0x[0-9a-fA-F]{40}$", examples=[ADDRESS_EXAMPLE])]
SignatureIn = Annotated[
    str,
    Field(
        pattern=r"^0x([0-9a-fA-F]{2})+$",
        max_length=2 + 2 * 4096,
        description="65 bytes of an account's key; for other keys whatever they sign with, at most 4 KiB.",
        examples=[SIGNATURE_EXAMPLE],
    ),
]
KeyIn = Annotated[
    str,
    Field(
        pattern=r"^0x([0-9a-fA-F]{2})+$",
        min_length=2 + 2 * 20,
        max_length=2 + 2 * 512,
        description="An account of 20 bytes, or an ERC-7913 verifier and the key after it.",
        examples=[ADDRESS_EXAMPLE],
    ),
]
LanguageIn = Annotated[Language, Field(description="The language that the holder reads.", examples=["en"])]
MemberId = Annotated[int, Field(ge=1, le=2**32 - 1, examples=[2])]
Seq = Annotated[int, Field(ge=0, le=2**40 - 1, examples=[0])]
Uint16 = Annotated[int, Field(ge=0, le=2**16 - 1)]
#: Millionths of epsilon, as far as JSON numbers are exact.
Epsilon = Annotated[int, Field(ge=0, le=2**53 - 1, examples=[500_000])]
Uint32 = Annotated[int, Field(ge=0, le=2**32 - 1)]
DayIn = Annotated[
    date,
    Field(description="A day, 1900-01-01 to 2079-06-05.", examples=["2020-01-31"]),
    BeforeValidator(_is_day),
    AfterValidator(_is_countable),
]


def day_out(number: int) -> str | None:
    """Write a day of the ledger as a date; None for no limit."""
    day = date_of(number)
    return day.isoformat() if day else None


def purpose_names(value: int) -> list[str]:
    """Write a set of purposes by name."""
    return [purpose.name for purpose in purposes_of(value)]
