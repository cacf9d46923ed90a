"""Projects: undertakings that members file."""

from __future__ import annotations

from pydantic import ConfigDict, Field

from api.schemas.base import Model, utc
from api.schemas.words import (
    ApprovalIn,
    CategoriesIn,
    DataClassIn,
    PurposesIn,
    TechniquesIn,
    TimeIn,
    purpose_names,
)
from ledger.domain.records import Project
from ledger.domain.vocabulary import Technique, names


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


class ReviewIn(Model):
    """The answer of an ethics or a compliance body."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"approval": "ETHICS", "approved": True, "opinion": "Minutes of 2026-11-20, item 3"}]
        }
    )

    approval: ApprovalIn
    approved: bool = Field(description="False takes back what the caller approved.")
    opinion: str = Field(min_length=1, max_length=100_000)


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
    agreement: bool = Field(description="Whether an agreement that states its limits is committed to.")
    withdrawn: bool
    ethics: int | None = Field(description="Member that approved it as an ethics body.", examples=[6])
    compliance: int | None = Field(description="Member that approved it as a compliance body.", examples=[7])


class ProjectList(Model):
    """Projects in the order of filing."""

    items: list[ProjectOut]
    next: str | None = None


def project_out(project: Project) -> ProjectOut:
    """Write a project."""
    return ProjectOut(
        project_id=project.project_id,
        member_id=project.member_id,
        purposes=purpose_names(project.purposes),
        categories=names(project.categories),
        techniques=names(project.techniques),
        highest_class=project.highest_class.name,
        valid_from=utc(project.valid_from),
        valid_to=utc(project.valid_to),
        agreement=project.agreement,
        withdrawn=project.withdrawn,
        ethics=project.ethics or None,
        compliance=project.compliance or None,
    )
