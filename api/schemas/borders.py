"""Borders: clearances, who may receive data from abroad, exports and thresholds."""

from __future__ import annotations

from pydantic import ConfigDict, Field

from api.schemas.base import ID_EXAMPLE, Model, seconds_of, utc
from api.schemas.words import MemberId, PathIn, TimeIn, Uint32
from ledger.domain.records import Clearance, Exports, Thresholds
from ledger.domain.vocabulary import PATH_LABELS
from ledger.encoding.hexadecimal import to_hex
from ledger.ports import ClearanceRecord


class ClearanceIn(Model):
    """What clears an exporter's data for a project."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "projectId": 1,
                    "exporter": 2,
                    "path": "ASSESSMENT",
                    "validFrom": "2026-12-01T00:00:00Z",
                    "validTo": "2028-12-01T00:00:00Z",
                    "maxPersons": 5_000,
                    "filing": "Assessment 2026-31 of the provincial office",
                }
            ]
        }
    )

    project_id: Uint32 = Field(examples=[1])
    exporter: MemberId = Field(description="Member that keeps the data.")
    path: PathIn
    agreement: Uint32 = Field(default=0, description="The standard contract of the path CONTRACT.")
    valid_from: TimeIn
    valid_to: TimeIn
    max_persons: Uint32 = Field(description="How many persons it is good for.", examples=[5_000])
    filing: str = Field(
        min_length=1,
        max_length=100_000,
        description="What was filed, in words; stays in the vault, the chain holds a commitment.",
    )

    def to_clearance(self) -> Clearance:
        """Return what clears."""
        return Clearance(
            clearance_id=0,
            project_id=self.project_id,
            exporter=self.exporter,
            issuer=0,
            path=self.path,
            valid_from=seconds_of(self.valid_from),
            valid_to=seconds_of(self.valid_to),
            max_persons=self.max_persons,
            agreement=self.agreement,
        )


class ClearanceOut(Model):
    """What clears an exporter's data for a project."""

    clearance_id: int = Field(examples=[1])
    project_id: int = Field(examples=[1])
    exporter: int = Field(examples=[2])
    issuer: int = Field(examples=[7])
    path: str = Field(examples=["ASSESSMENT"])
    says: str = Field(examples=["security assessment"])
    agreement: int | None = Field(description="The standard contract that it rests on.", examples=[1])
    valid_from: str = Field(examples=["2026-12-01T00:00:00Z"])
    valid_to: str = Field(examples=["2028-12-01T00:00:00Z"])
    max_persons: int = Field(description="How many persons it is good for.", examples=[5_000])
    persons: int = Field(description="How many have crossed under it.", examples=[12])
    in_force: bool = Field(
        description="In time, not replaced by another, and its contract is in force. The importer must be on the list too."
    )
    replaced: bool = Field(description="Whether another took its place for its project and exporter.")
    commitment: str = Field(description="Commitment to what was filed.", examples=[ID_EXAMPLE])
    issued_at: str = Field(examples=["2026-11-20T08:00:00Z"])
    withdrawn_at: str | None = Field(examples=["2027-03-01T08:00:00Z"])
    withdrawn_by: int | None = Field(examples=[7])


class ClearanceList(Model):
    """Clearances, oldest first."""

    items: list[ClearanceOut]
    next: str | None = None


class BorderAccessIn(Model):
    """Until when a member may receive data from abroad."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"validTo": "2027-12-31T00:00:00Z"}]})

    valid_to: TimeIn | None = Field(default=None, description="Left out, the member is taken off the list.")


class BorderAccessOut(Model):
    """Until when a member may receive data from abroad."""

    member_id: int = Field(examples=[3])
    valid_to: str | None = Field(
        description="Null if it is not on the list.", examples=["2027-12-31T00:00:00Z"]
    )
    in_force: bool


class ThresholdsOut(Model):
    """From how many persons in a calendar year on nothing but an assessment clears."""

    persons: int = Field(description="Whatever of them is exported.", examples=[1_000_000])
    sensitive_persons: int = Field(description="Of whom data of class 1 or 2 is exported.", examples=[10_000])


class ThresholdsIn(Model):
    """New thresholds."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"persons": 1_000_000, "sensitivePersons": 10_000, "reason": "Rules of 2024"}]
        }
    )

    persons: Uint32
    sensitive_persons: Uint32
    reason: str = Field(min_length=1, max_length=100_000)


class ExportsOut(Model):
    """How many persons' data a member has exported in a calendar year (UTC+8), beside the thresholds in force."""

    member_id: int = Field(examples=[2])
    year: int = Field(examples=[2027])
    persons: int = Field(description="Each counts once.", examples=[12])
    sensitive_persons: int = Field(description="Of these, with data of class 1 or 2.", examples=[3])
    thresholds: ThresholdsOut


def clearance_out(record: ClearanceRecord, *, in_force: bool) -> ClearanceOut:
    """Write a clearance."""
    clearance = record.clearance
    return ClearanceOut(
        clearance_id=clearance.clearance_id,
        project_id=clearance.project_id,
        exporter=clearance.exporter,
        issuer=clearance.issuer,
        path=clearance.path.name,
        says=PATH_LABELS[clearance.path].en,
        agreement=clearance.agreement or None,
        valid_from=utc(clearance.valid_from),
        valid_to=utc(clearance.valid_to),
        max_persons=clearance.max_persons,
        persons=clearance.persons,
        in_force=in_force,
        replaced=not record.is_latest,
        commitment=to_hex(record.filing),
        issued_at=utc(record.position.time),
        withdrawn_at=utc(record.withdrawn_at) if record.withdrawn_at else None,
        withdrawn_by=record.withdrawn_by or None,
    )


def thresholds_out(thresholds: Thresholds) -> ThresholdsOut:
    """Write thresholds."""
    return ThresholdsOut(persons=thresholds.persons, sensitive_persons=thresholds.sensitive_persons)


def exports_out(member_id: int, year: int, exports: Exports, thresholds: Thresholds) -> ExportsOut:
    """Write what a member exported in a year."""
    return ExportsOut(
        member_id=member_id,
        year=year,
        persons=exports.persons,
        sensitive_persons=exports.sensitive_persons,
        thresholds=thresholds_out(thresholds),
    )


def access_out(member_id: int, valid_to: int, *, at: int) -> BorderAccessOut:
    """Write until when a member may receive data from abroad; *at* seconds since the Unix epoch."""
    return BorderAccessOut(
        member_id=member_id, valid_to=utc(valid_to) if valid_to else None, in_force=at < valid_to
    )
