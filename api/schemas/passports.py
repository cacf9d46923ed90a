"""Passports, and the registration of the records they stand for."""

from __future__ import annotations

from typing import Any

from pydantic import ConfigDict, Field

from api.schemas.base import ADDRESS_EXAMPLE, ID2_EXAMPLE, ID_EXAMPLE, Model, utc
from api.schemas.chain import PositionOut, position_out
from api.schemas.words import KeyIn, PurposesIn, Uint32, purpose_names
from ledger.encoding.hexadecimal import to_hex
from ledger.ports import PassportRecord, RecoveryRecord


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
    holder: KeyIn | None = Field(
        default=None,
        description="The patient's holder key for this custodian; left out, the custodian keeps one.",
    )
    lock: Uint32 = Field(
        default=0,
        description="Public emergency under which the data was obtained: it serves that emergency alone.",
    )


class NarrowingIn(Model):
    """What data may be used for from now on."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"purposes": ["PRIMARY_CARE"]}]})

    purposes: PurposesIn = Field(description="A smaller part of what it may serve now; there is no way back.")


class DestructionIn(Model):
    """Why and how data is destroyed."""

    statement: str = Field(
        min_length=1,
        max_length=100_000,
        description="Stays in the vault; the chain holds a commitment to it and to which keys go.",
        examples=["Retention ended; the last backup expires on 2027-01-31"],
    )


class RecoveryOut(Model):
    """A replacement of a lost key that waits for an objection of the holder."""

    holder: str = Field(description="The key to be.", examples=[ADDRESS_EXAMPLE])
    custody: str = Field(examples=["SELF"])
    ready_at: str = Field(
        description="Until when the holder can object; from then on anyone completes it.",
        examples=["2026-12-08T08:00:00Z"],
    )
    by_custodian: bool = Field(description="At the custodian's counter, not by guardians.", examples=[True])


class PassportOut(Model):
    """The on-chain record of one data asset."""

    passport_id: str = Field(examples=[ID_EXAMPLE])
    custodian: int = Field(examples=[2])
    holder: str = Field(examples=[ADDRESS_EXAMPLE])
    custody: str = Field(examples=["SELF"])
    purposes: list[str] = Field(examples=[["PRIMARY_CARE", "AI_TRAINING"]])
    status: str = Field(examples=["OPEN"])
    lock: int | None = Field(
        default=None, description="Emergency that the data serves alone, if it was obtained under one."
    )
    content: str = Field(examples=[ID2_EXAMPLE])
    size: int = Field(description="How many decisions it has.", examples=[3])
    epoch: int = Field(description="How often the holder's key was replaced.", examples=[0])
    recovery: RecoveryOut | None = Field(
        default=None, description="Somebody replaces the holder's key; the holder can object."
    )
    position: PositionOut


class PassportList(Model):
    """Passports, oldest first."""

    items: list[PassportOut]
    next: str | None = None


class RegistrationOut(Model):
    """A new passport, and how many resources of each category were sealed."""

    passport: PassportOut
    entries: dict[str, int] = Field(examples=[{"DIAGNOSIS": 4, "DEMOGRAPHICS": 1}])


def recovery_out(recovery: RecoveryRecord | None) -> RecoveryOut | None:
    """Write a replacement of a lost key."""
    if recovery is None:
        return None
    return RecoveryOut(
        holder=recovery.holder,
        custody=recovery.custody.name,
        ready_at=utc(recovery.ready_at),
        by_custodian=recovery.by_custodian,
    )


def passport_out(record: PassportRecord, recovery: RecoveryRecord | None = None) -> PassportOut:
    """Write a passport, with the replacement of its holder's key that is under way."""
    passport = record.passport
    return PassportOut(
        passport_id=to_hex(passport.passport_id),
        custodian=passport.custodian,
        holder=passport.holder,
        custody=passport.custody.name,
        purposes=purpose_names(passport.purposes),
        status=passport.status.name,
        lock=passport.lock or None,
        content=to_hex(passport.content),
        size=passport.size,
        epoch=passport.epoch,
        recovery=recovery_out(recovery),
        position=position_out(record.position),
    )
