"""Templates: what a consent may contain at most, and its notice."""

from __future__ import annotations

from pydantic import ConfigDict, Field

from api.schemas.base import ID_EXAMPLE, Model
from api.schemas.words import CategoriesIn, MemberKindsIn, PurposesIn, purpose_names
from ledger.domain.records import Template
from ledger.domain.vocabulary import kinds_of, names
from ledger.encoding.hexadecimal import to_hex
from ledger.service.templates import MAX_SECONDS


class TemplateIn(Model):
    """A template to be issued by the committee."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "purposes": ["RESEARCH"],
                    "categories": ["DIAGNOSIS", "LABORATORY"],
                    "recipientKinds": ["HOSPITAL", "RESEARCH"],
                    "maxSeconds": 31_536_000,
                    "notice": "Your data serves health research of public institutions, for a year at most.",
                    "reason": "Resolution 2026-9 of the committee",
                }
            ]
        }
    )

    purposes: PurposesIn
    categories: CategoriesIn
    recipient_kinds: MemberKindsIn
    max_seconds: int = Field(ge=1, le=MAX_SECONDS, description="Longest use period.")
    notice: str = Field(
        min_length=1, max_length=20_000, description="What people read; the chain holds its hash."
    )
    reason: str = Field(min_length=1, max_length=2000, description="Why; stays with the service.")


class TemplateOut(Model):
    """A template."""

    template: int = Field(examples=[1])
    purposes: list[str] = Field(examples=[["RESEARCH"]])
    categories: list[str] = Field(examples=[["DIAGNOSIS"]])
    recipient_kinds: list[str] = Field(examples=[["RESEARCH"]])
    max_seconds: int = Field(examples=[31_536_000])
    withdrawn: bool
    notice_hash: str = Field(description="keccak256 of the notice's text.", examples=[ID_EXAMPLE])
    notice: str | None = Field(description="The notice's text, if this service has it.")


class TemplateList(Model):
    """Templates in the order of issue."""

    items: list[TemplateOut]
    next: str | None = None


def template_out(template: Template, notice: str | None) -> TemplateOut:
    """Write a template."""
    return TemplateOut(
        template=template.template,
        purposes=purpose_names(template.purposes),
        categories=names(template.categories),
        recipient_kinds=[kind.name for kind in kinds_of(template.recipient_kinds)],
        max_seconds=template.max_seconds,
        withdrawn=template.withdrawn,
        notice_hash=to_hex(template.notice),
        notice=notice,
    )
