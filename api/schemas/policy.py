"""The law and its vocabulary."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Any, Literal, Self

from fastapi import Query
from pydantic import ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from api.schemas.base import Model
from api.schemas.words import (
    BasisIn,
    CategoriesIn,
    DataClassIn,
    FactsIn,
    LevelIn,
    PurposeIn,
    Uint16,
    purpose_names,
)
from ledger.audit.law import Change, ChangeKind, changes, requirements_of
from ledger.domain.records import EmergencyLimits, PolicyTable
from ledger.domain.vocabulary import (
    ASSURANCE_LABELS,
    BASIS_LABELS,
    CATEGORY_LABELS,
    CLASS_LABELS,
    EMERGENCY_REASON_LABELS,
    FACT_LABELS,
    LEVEL_LABELS,
    MEMBER_KIND_LABELS,
    OPERATION_LABELS,
    PURPOSE_LABELS,
    Basis,
    Category,
    DataClass,
    Fact,
    Label,
    Purpose,
    floor_of,
    names,
    purpose_set,
)

Seconds = Annotated[int, Field(ge=1, le=2**32 - 1)]
LabelLanguage = Literal["en", "zh"]
LanguageQuery = Annotated[
    LabelLanguage | None,
    Query(
        description="Say everything in words of this language too; as a page (Accept: text/markdown), in this language "
        "alone instead of both.",
        examples=["en"],
    ),
]


class EntryWords(Model):
    """An entry as people read it."""

    data_class: str = Field(examples=["class 2, sensitive health data"])
    purpose: str = Field(examples=["training an AI model"])
    basis: str = Field(examples=["consent"])
    required: list[str] = Field(examples=[["there is a consent in force"]])


class PolicyEntry(Model):
    """What must hold for a purpose, on a basis, for a class of data."""

    data_class: str = Field(examples=["SENSITIVE"])
    purpose: str = Field(examples=["AI_TRAINING"])
    basis: str = Field(examples=["CONSENT"])
    required: list[str] = Field(examples=[["MEMBER_ACTIVE", "GRANT_LIVE"]])
    requirements: list[str] = Field(
        description="Numbers of the requirements behind the entry, as in docs/requirements.md.",
        examples=[["R029", "R099"]],
    )
    words: EntryWords | None = Field(description="In the language asked for.")


class EmergencyLimitsOut(Model):
    """The limits of exceptions."""

    seconds: int = Field(description="How long an emergency of one patient lasts.", examples=[14_400])
    categories: list[str] = Field(description="What it may touch at most.", examples=[["DIAGNOSIS"]])
    monthly_quota: int = Field(description="How many a member may open in 30 days.", examples=[20])
    review_seconds: int = Field(
        description="Within what time it must be reviewed; how long an approved request stays approved.",
        examples=[259_200],
    )
    max_declaration_seconds: int = Field(
        description="How long a public-health emergency may last.", examples=[7_776_000]
    )
    recovery_seconds: int = Field(
        description="How long the recovery of a lost key waits for an objection.", examples=[604_800]
    )


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
    levels: dict[str, dict[str, str]] = Field(
        description="The least level of de-identification, by class of data and purpose.",
        examples=[{"SENSITIVE": {"AI_TRAINING": "PSEUDONYMISED"}}],
    )
    emergencies: EmergencyLimitsOut
    floors: dict[str, list[str]] = Field(
        description="What every entry on a basis requires, whatever the committee writes.",
        examples=[{"LEGAL_DUTY": ["MEMBER_ACTIVE"]}],
    )
    vocabulary: dict[str, list[Word]]


class PolicyEntryIn(Model):
    """What must hold for a purpose, on a basis, for a class of data."""

    data_class: DataClassIn
    purpose: PurposeIn
    basis: BasisIn
    required: FactsIn


class ClassesIn(Model):
    """Categories in the two protected classes; every other category is of the third."""

    model_config = ConfigDict(alias_generator=str.upper)

    core_privacy: CategoriesIn
    sensitive: CategoriesIn


class EmergencyLimitsIn(Model):
    """The limits of exceptions, as `EmergencyLimitsOut` says them."""

    seconds: Seconds
    categories: CategoriesIn
    monthly_quota: Uint16
    review_seconds: Seconds
    max_declaration_seconds: Seconds
    recovery_seconds: Seconds


class PolicyIn(Model):
    """A whole law to be proposed, in the form in which `GET /v1/policy` returns one."""

    entries: list[PolicyEntryIn] = Field(
        max_length=384, description="What is not listed is never lawful; no entry may be listed twice."
    )
    necessary: dict[PurposeIn, CategoriesIn] = Field(
        description="Categories that a purpose may touch; each purpose is named."
    )
    classes: ClassesIn
    banned_purposes: list[PurposeIn] = Field(max_length=16)
    max_grant_seconds: Seconds
    levels: dict[DataClassIn, dict[PurposeIn, LevelIn]] = Field(
        description="The least level of de-identification; each class and purpose is named."
    )
    emergencies: EmergencyLimitsIn
    reason: str = Field(min_length=1, max_length=2000, examples=["Resolution 2026-7 of the committee"])

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        places = Counter((entry.data_class, entry.purpose, entry.basis) for entry in self.entries)
        for (data_class, purpose, basis), count in places.items():
            if count > 1:
                raise PydanticCustomError(
                    "entry_twice",
                    "entries must name {place} once",
                    {"place": f"{data_class.name}, {purpose.name}, {basis.name}"},
                )
        named = {
            "necessary": self.necessary.keys(),
            **{
                f"levels.{data_class.name}": self.levels.get(data_class, {}).keys()
                for data_class in DataClass
            },
        }
        for field, purposes in named.items():
            missing = [purpose.name for purpose in Purpose if purpose not in purposes]
            if missing:
                raise PydanticCustomError(
                    "purpose_missing",
                    "{field} must name each purpose; missing are {missing}",
                    {"field": field, "missing": ", ".join(missing)},
                )
        return self

    def to_table(self, version: int) -> PolicyTable:
        """Return the law as a value of the ledger."""
        limits = self.emergencies
        return PolicyTable.of(
            version,
            required={
                (entry.data_class, entry.purpose, entry.basis): entry.required for entry in self.entries
            },
            necessary=self.necessary,
            levels={
                (data_class, purpose): level
                for data_class, by_purpose in self.levels.items()
                for purpose, level in by_purpose.items()
            },
            core_categories=self.classes.core_privacy,
            sensitive_categories=self.classes.sensitive,
            banned_purposes=purpose_set(self.banned_purposes),
            max_grant_seconds=self.max_grant_seconds,
            emergencies=EmergencyLimits(
                limits.seconds,
                limits.categories,
                limits.monthly_quota,
                limits.review_seconds,
                limits.max_declaration_seconds,
                limits.recovery_seconds,
            ),
        )


class PolicyChange(Model):
    """One thing that a version of the law changed."""

    kind: ChangeKind
    stricter: bool | None = Field(
        description="Whether less is allowed than before; null where it depends.", examples=[True]
    )
    data_class: str | None = Field(examples=["SENSITIVE"])
    purpose: str | None = Field(examples=["AI_TRAINING"])
    basis: str | None = Field(examples=["CONSENT"])
    facts: list[str] = Field(description="What is required more, or less.", examples=[["ENCRYPTED"]])
    en: str = Field(examples=["Banned: marketing."])
    zh: str = Field(examples=["禁止：营销。"])
    requirements: list[str] = Field(examples=[["R051"]])


class PolicyChangesOut(Model):
    """What a version of the law changed since another one."""

    version: int = Field(examples=[2])
    since: int = Field(examples=[1])
    items: list[PolicyChange]


def policy_out(table: PolicyTable, language: LabelLanguage | None) -> PolicyOut:
    """Write a version of the law; with a language, in words too."""
    core, sensitive = table.core_categories, table.sensitive_categories & ~table.core_categories
    entries = [
        PolicyEntry(
            data_class=data_class.name,
            purpose=purpose.name,
            basis=basis.name,
            required=names(required),
            requirements=requirements_of(data_class, purpose, basis, required),
            words=_words(data_class, purpose, basis, required, language) if language else None,
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
        levels={
            data_class.name: {purpose.name: table.level_for(data_class, purpose).name for purpose in Purpose}
            for data_class in DataClass
        },
        emergencies=_limits(table.emergencies),
        floors={basis.name: names(floor_of(basis)) for basis in Basis if basis is not Basis.NO_BASIS},
        vocabulary=vocabulary(),
    )


def policy_changes_out(before: PolicyTable, after: PolicyTable) -> PolicyChangesOut:
    """Write what a version of the law changed."""
    items = [policy_change_out(change) for change in changes(before, after)]
    return PolicyChangesOut(version=after.version, since=before.version, items=items)


def policy_change_out(change: Change) -> PolicyChange:
    """Write one thing that a version of the law changed."""
    return PolicyChange(
        kind=change.kind,
        stricter=change.stricter,
        data_class=change.data_class.name if change.data_class is not None else None,
        purpose=change.purpose.name if change.purpose is not None else None,
        basis=change.basis.name if change.basis is not None else None,
        facts=names(change.facts),
        en=change.text.en,
        zh=change.text.zh,
        requirements=list(change.requirements),
    )


def _words(
    data_class: DataClass, purpose: Purpose, basis: Basis, required: Fact, language: LabelLanguage
) -> EntryWords:
    return EntryWords(
        data_class=getattr(CLASS_LABELS[data_class], language),
        purpose=getattr(PURPOSE_LABELS[purpose], language),
        basis=getattr(BASIS_LABELS[basis], language),
        required=[getattr(FACT_LABELS[fact], language) for fact in Fact if fact in required],
    )


def _limits(limits: EmergencyLimits) -> EmergencyLimitsOut:
    return EmergencyLimitsOut(
        seconds=limits.seconds,
        categories=names(limits.categories),
        monthly_quota=limits.monthly_quota,
        review_seconds=limits.review_seconds,
        max_declaration_seconds=limits.max_declaration_seconds,
        recovery_seconds=limits.recovery_seconds,
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
        "memberKinds": dict(MEMBER_KIND_LABELS),
        "assurances": dict(ASSURANCE_LABELS),
        "emergencyReasons": dict(EMERGENCY_REASON_LABELS),
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
