"""The law and its vocabulary."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from api.schemas.base import Model
from api.schemas.words import purpose_names
from ledger.domain.records import PolicyTable
from ledger.domain.vocabulary import (
    BASIS_LABELS,
    CATEGORY_LABELS,
    CLASS_LABELS,
    FACT_LABELS,
    LEVEL_LABELS,
    OPERATION_LABELS,
    PURPOSE_LABELS,
    Basis,
    Category,
    DataClass,
    Fact,
    Label,
    Purpose,
    names,
)


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
        banned_purposes=purpose_names(table.banned_purposes),
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
        "levels": dict(LEVEL_LABELS),
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
