"""Datasets: declared, filled by consent, excused and sealed."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field

from api.schemas.base import ID2_EXAMPLE, ID_EXAMPLE, Model, seconds_of, unhex, utc
from api.schemas.chain import PositionOut, position_out
from api.schemas.members import MemberName
from api.schemas.words import (
    BasisIn,
    CategoriesIn,
    DayIn,
    Epsilon,
    Hex32,
    LevelIn,
    PurposeIn,
    PurposesIn,
    TimeIn,
    Uint32,
    purpose_names,
)
from ledger.domain.days import day_of
from ledger.domain.lineage import NO_END
from ledger.domain.records import NO_GRANT, GrantId, PassportId
from ledger.domain.vocabulary import DATASET_STATUS_LABELS, Basis, names
from ledger.encoding.hexadecimal import to_hex
from ledger.ports import DatasetRecord, InclusionRecord
from ledger.service.datasets import Compilation, DatasetPlan, Description, Target

_WORDS = "Stays in the vault; the chain holds a commitment."
_Line = Annotated[str, Field(min_length=1, max_length=4000)]


class DescriptionIn(Model):
    """What a dataset is, in words. Stays in the vault; the chain holds a commitment."""

    title: _Line
    source: _Line = Field(description="Where the data is from.")
    method: _Line = Field(description="How it is collected.")
    standard: _Line = Field(description="By what standard it is de-identified.")
    storage: _Line = Field(description="Where and how it is stored.")


class DatasetIn(Model):
    """A dataset to be declared, before anything is in it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "purposes": ["AI_TRAINING", "AI_VALIDATION"],
                    "categories": ["DIAGNOSIS", "LABORATORY"],
                    "retainUntil": "2031-12-31T00:00:00Z",
                    "budget": 4_000_000,
                    "description": {
                        "title": "Sepsis cohort",
                        "source": "Records of three hospitals",
                        "method": "FHIR export of each consented record",
                        "standard": "Safe harbour, checked by an independent office",
                        "storage": "Encrypted, in the hospital's own rooms",
                    },
                }
            ]
        }
    )

    purposes: PurposesIn = Field(description="What it and everything made of it may serve at most.")
    categories: CategoriesIn
    retain_until: TimeIn = Field(description="When it must be destroyed.")
    budget: Epsilon = Field(
        default=0, description="Privacy budget in millionths of epsilon; left out, none is kept."
    )
    description: DescriptionIn

    def to_plan(self) -> DatasetPlan:
        """Return what is declared as a value of the ledger."""
        words = self.description
        return DatasetPlan(
            purposes=self.purposes,
            categories=self.categories,
            retain_until=seconds_of(self.retain_until),
            budget=self.budget,
            description=Description(words.title, words.source, words.method, words.standard, words.storage),
        )


class TargetIn(Model):
    """Somebody to be included: a passport, and the consent to it."""

    passport_id: Hex32
    grant_id: Hex32 | None = None

    def to_target(self) -> Target:
        """Return it as a value of the ledger."""
        return Target(
            PassportId(unhex(self.passport_id)), GrantId(unhex(self.grant_id)) if self.grant_id else NO_GRANT
        )


class InclusionsIn(Model):
    """People to be included: what is asked for all of them, and who they are. Each is decided."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "purpose": "AI_TRAINING",
                    "level": "PSEUDONYMISED",
                    "projectId": 1,
                    "targets": [{"passportId": ID_EXAMPLE, "grantId": ID2_EXAMPLE}],
                    "statement": "First wave of the sepsis cohort",
                }
            ]
        }
    )

    purpose: PurposeIn
    level: LevelIn
    basis: BasisIn = Basis.CONSENT
    categories: CategoriesIn | None = Field(
        default=None, description="Left out: all that the dataset is for."
    )
    project_id: Uint32 = 0
    controller_id: Uint32 = Field(default=0, description="The member on whose behalf it is asked.")
    data_from: DayIn | None = Field(default=None, description="First day of the data asked for.")
    data_to: DayIn | None = Field(default=None, description="Last day of the data asked for.")
    statement: str = Field(default="", max_length=4000, description=_WORDS)
    targets: Annotated[list[TargetIn], Field(min_length=1, max_length=100)]

    def to_compilation(self) -> Compilation:
        """Return what is asked for each as a value of the ledger."""
        return Compilation(
            purpose=self.purpose,
            level=self.level,
            basis=self.basis,
            categories=self.categories,
            project_id=self.project_id,
            controller_id=self.controller_id,
            first_day=day_of(self.data_from),
            last_day=day_of(self.data_to),
            statement=self.statement,
        )


class ExcuseIn(Model):
    """Why the withdrawals so far are excused."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"withdrawals": 2, "opinion": "Two of ten thousand; the model cannot tell them"}]
        }
    )

    withdrawals: Uint32 = Field(
        description="How many the opinion is about: as many as there are, so that a late one is not excused unseen."
    )
    opinion: str = Field(min_length=1, max_length=100_000, description=_WORDS)


class DescriptionOut(Model):
    """What a dataset is, in words."""

    title: str = Field(examples=["Sepsis cohort"])
    source: str
    method: str
    standard: str
    storage: str


class DatasetOut(Model):
    """A dataset: what it is for, how far it has come, and what reached it."""

    dataset_id: int = Field(examples=[1])
    owner: MemberName
    purposes: list[str] = Field(examples=[["AI_TRAINING"]])
    categories: list[str] = Field(examples=[["DIAGNOSIS"]])
    status: str = Field(examples=["COLLECTED"])
    said: str = Field(description="The status in words.", examples=["collected"])
    no_relink: bool = Field(
        description="Somebody in it consented on condition that it is not merged with other data."
    )
    no_onward: bool = Field(description="Somebody in it did not consent to its being passed on.")
    retain_until: str = Field(examples=["2031-12-31T00:00:00Z"])
    usable_until: str | None = Field(
        description="When the first consent in it ends; null while nobody is in it by consent.",
        examples=["2028-01-01T00:00:00Z"],
    )
    included: int = Field(description="Decisions that included somebody.", examples=[120])
    withdrawals: int = Field(description="Consents that ended since.", examples=[2])
    excused: int = Field(
        description="How many of them, from the first on, an ethics body excused.", examples=[0]
    )
    budget: int | None = Field(
        description="In millionths of epsilon; null if none is kept.", examples=[4_000_000]
    )
    spent: int = Field(description="In millionths of epsilon.", examples=[500_000])
    description: DescriptionOut | None = Field(description="If kept here.")
    position: PositionOut


class DatasetList(Model):
    """Datasets, oldest first."""

    items: list[DatasetOut]
    next: str | None = None


class InclusionOut(Model):
    """Somebody in a dataset: the decision `passportId`, `seq`, and the consent it rests on."""

    dataset_id: int = Field(examples=[1])
    passport_id: str = Field(examples=[ID_EXAMPLE])
    seq: int = Field(examples=[0])
    member_id: int = Field(description="Who asked.", examples=[2])
    grant_id: str | None = Field(description="The consent it was decided under.", examples=[ID2_EXAMPLE])
    rests_on: str | None = Field(
        description="That consent, or the one that replaced it and permits no less.", examples=[ID2_EXAMPLE]
    )
    withdrawn_at: str | None = Field(
        description="When that consent ended; null while it stands.", examples=["2026-12-01T08:00:00Z"]
    )
    position: PositionOut


class InclusionList(Model):
    """Who was included, oldest first."""

    items: list[InclusionOut]
    next: str | None = None


def dataset_out(record: DatasetRecord, owner: str, description: Description | None) -> DatasetOut:
    """Write a dataset; *owner* is the name of its owner."""
    dataset = record.dataset
    return DatasetOut(
        dataset_id=dataset.dataset_id,
        owner=MemberName(member_id=dataset.owner, name=owner),
        purposes=purpose_names(dataset.purposes),
        categories=names(dataset.categories),
        status=dataset.status.name,
        said=DATASET_STATUS_LABELS[dataset.status].en,
        no_relink=dataset.no_relink,
        no_onward=dataset.no_onward,
        retain_until=utc(dataset.retain_until),
        usable_until=None if dataset.usable_until == NO_END else utc(dataset.usable_until),
        included=dataset.included,
        withdrawals=len(dataset.withdrawals),
        excused=dataset.excused,
        budget=dataset.budget or None,
        spent=dataset.spent,
        description=_description_out(description) if description else None,
        position=position_out(record.position),
    )


def inclusion_out(inclusion: InclusionRecord) -> InclusionOut:
    """Write an inclusion."""
    return InclusionOut(
        dataset_id=inclusion.dataset_id,
        passport_id=to_hex(inclusion.passport_id),
        seq=inclusion.seq,
        member_id=inclusion.member_id,
        grant_id=_consent(inclusion.grant_id),
        rests_on=_consent(inclusion.rests_on),
        withdrawn_at=utc(inclusion.withdrawn_at) if inclusion.withdrawn_at else None,
        position=position_out(inclusion.position),
    )


def _consent(grant_id: GrantId) -> str | None:
    return to_hex(grant_id) if any(grant_id) else None


def _description_out(words: Description) -> DescriptionOut:
    return DescriptionOut(
        title=words.title,
        source=words.source,
        method=words.method,
        standard=words.standard,
        storage=words.storage,
    )
