"""Attestations: statements of qualified members about passports, projects, versions and tools."""

from __future__ import annotations

from pydantic import ConfigDict, Field

from api.schemas.base import ID_EXAMPLE, Model, utc
from api.schemas.words import AttestationKindIn, Hex32, TimeIn, Uint32
from ledger.domain.records import Attestation
from ledger.domain.vocabulary import ATTESTATION_LABELS, AttestationKind


class AttestationIn(Model):
    """A statement, or with `withdraw` the end of one of the caller's."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "kind": "ENCRYPTION",
                    "passportId": ID_EXAMPLE,
                    "validTo": "2027-12-31T00:00:00Z",
                    "statement": "Audit report 2026-88: encrypted at rest and in transit",
                }
            ]
        }
    )

    kind: AttestationKindIn
    passport_id: Hex32 | None = Field(
        default=None, description="The subject of ENCRYPTION, DEIDENTIFICATION and SOURCE."
    )
    project_id: Uint32 = Field(default=0, description="The subject of LICENCE.")
    version_id: Hex32 | None = Field(default=None, description="The subject of ENCRYPTION of a version.")
    tool: Hex32 | None = Field(default=None, description="The subject of TOOL: the tool's digest.")
    valid_to: TimeIn | None = Field(default=None, description="Until when; left out it is taken back.")
    statement: str = Field(
        default="",
        max_length=100_000,
        description="The statement in words; stays in the vault, the chain holds a commitment.",
    )
    withdraw: bool = Field(default=False, description="Take back what the caller stated.")


class AttestationOut(Model):
    """The latest statement of a kind."""

    kind: str = Field(examples=["ENCRYPTION"])
    says: str = Field(examples=["the data is encrypted throughout"])
    issuer: int = Field(examples=[7])
    issuer_name: str = Field(examples=["Verification office"])
    valid_to: str | None = Field(
        description="Until when; null once it was taken back.", examples=["2027-12-31T00:00:00Z"]
    )
    in_force: bool


class AttestationList(Model):
    """The latest statement of each kind."""

    items: list[AttestationOut]
    next: str | None = None


def attestation_list(
    statements: dict[AttestationKind, Attestation], names: dict[int, str], *, at: int
) -> AttestationList:
    """Write statements; *names* of members by number, *at* seconds since the Unix epoch."""
    return AttestationList(
        items=[
            AttestationOut(
                kind=kind.name,
                says=ATTESTATION_LABELS[kind].en,
                issuer=statement.issuer,
                issuer_name=names.get(statement.issuer, f"member {statement.issuer}"),
                valid_to=utc(statement.valid_to) if statement.valid_to else None,
                in_force=at < statement.valid_to,
            )
            for kind, statement in sorted(statements.items())
        ]
    )
