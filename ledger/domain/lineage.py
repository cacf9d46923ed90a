"""Datasets, the steps in the life of data, the versions they make, and what a withdrawal asks of a model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NewType

from ledger.domain.records import ZERO32, Commitment
from ledger.domain.vocabulary import (
    Category,
    Check,
    DatasetStatus,
    ModelStatus,
    Part,
    StepFact,
    StepKind,
    VersionKind,
)

#: Names a version: the commitment to its content.
VersionId = NewType("VersionId", bytes)

#: How long the owner of a model may take to answer a withdrawal that reached it, as the contract has it.
ANSWER_SECONDS: Final = 30 * 86_400
#: How many inputs or outputs a step has at most, and how many origins a version.
MAX_LINKS: Final = 16
MAX_ORIGINS: Final = 32
#: Kinds of steps that make nothing, and those that are about a dataset as a whole.
MAKES_NOTHING: Final = frozenset({StepKind.EVALUATE, StepKind.DEPLOY, StepKind.DESTROY})
OF_DATASETS: Final = frozenset({StepKind.COLLECT, StepKind.DESTROY})
#: Of data that was not split.
NO_PARTS: Final = Part(0)
#: `Version.only_to` of what may be shared with nobody.
NOBODY: Final = 2**32 - 1
#: `Dataset.usable_until` while nobody was included under a consent.
NO_END: Final = 2**32 - 1


@dataclass(frozen=True, slots=True)
class Plan:
    """
    What a dataset is for, said before anything is in it.

    Attributes:
        purposes: What it and everything made of it may serve at most: bit n for purpose n.
        retain_until: When it must be destroyed, seconds since the Unix epoch.
        budget: Privacy budget in millionths of epsilon; 0 if none is kept.
    """

    purposes: int
    categories: Category
    retain_until: int
    budget: int = 0


@dataclass(frozen=True, slots=True)
class Dataset:
    """
    A dataset as the contract stores it.

    Attributes:
        no_relink: Somebody in it consented on condition that it is not merged with other data.
        no_onward: Somebody in it did not consent to its being passed on.
        usable_until: When the first consent in it, or emergency that something in it rests on, ends; exclusive.
        included: How many decisions included somebody.
        withdrawals: When consents ended that somebody had been included under, in order.
        excused: How many of them, from the first on, an ethics body excused.
        spent: Privacy spent, in millionths of epsilon.
    """

    dataset_id: int
    owner: int
    purposes: int
    categories: Category
    status: DatasetStatus
    retain_until: int
    no_relink: bool = False
    no_onward: bool = False
    usable_until: int = NO_END
    included: int = 0
    withdrawals: tuple[int, ...] = ()
    excused: int = 0
    budget: int = 0
    spent: int = 0


@dataclass(frozen=True, slots=True)
class Origin:
    """
    From which dataset a version is.

    Attributes:
        withdrawals: How many there had been when the data was collected.
        answered: How many the owner of a model has justified; 0 for data.
        split_id: Step that split it, or 0.
        parts: Which parts of that split it holds.
    """

    dataset_id: int
    withdrawals: int = 0
    answered: int = 0
    split_id: int = 0
    parts: Part = NO_PARTS


@dataclass(frozen=True, slots=True)
class Version:
    """
    One state of a dataset or a model, or a result, as the contract stores it, with its origins.

    Attributes:
        step_id: Step that made it; 0 if it is from outside: then its owner vouches for it.
        only_to: Only member that it may be shared with; 0 if any, `NOBODY` if none.
    """

    version_id: VersionId
    step_id: int
    owner: int
    kind: VersionKind
    purposes: int
    origins: tuple[Origin, ...]
    check: Check = Check.PENDING
    verifier: int = 0
    status: ModelStatus = ModelStatus.ACTIVE
    evaluated: bool = False
    deployed: bool = False
    only_to: int = 0

    @property
    def is_external(self) -> bool:
        """Tell whether no step made it."""
        return self.step_id == 0

    @property
    def is_quarantined(self) -> bool:
        """Tell whether it is from outside and nobody independent has said that it is sound."""
        return self.is_external and self.check is not Check.PASSED


@dataclass(frozen=True, slots=True)
class Step:
    """
    What a member says that it did.

    Attributes:
        dataset_id: Of COLLECT and DESTROY; else 0.
        project_id: Project it is part of, or 0.
        purposes: What the model of TRAIN is for; else 0.
        epsilon: Privacy it spends, in millionths of epsilon.
        inputs: Versions it used; a model before data.
        outputs: Versions it makes; of SPLIT training, validation, test.
        tool: Digest of the tool, 32 bytes; zero if none.
        parameters: Commitment to parameters, environment and evidence.
    """

    kind: StepKind
    parameters: Commitment
    inputs: tuple[VersionId, ...] = ()
    outputs: tuple[VersionId, ...] = ()
    dataset_id: int = 0
    project_id: int = 0
    purposes: int = 0
    epsilon: int = 0
    tool: bytes = ZERO32


@dataclass(frozen=True, slots=True)
class JointPart:
    """
    What a member contributes to a step that it takes part in, and another records.

    Attributes:
        contribution: Commitment to what it contributes: its update of a federated round, for example.
        signature: Its own over step, recorder and contribution; empty once the ledger has checked it.
    """

    member_id: int
    contribution: Commitment
    signature: bytes = b""


@dataclass(frozen=True, slots=True)
class StepRecord:
    """
    A step on the ledger.

    Attributes:
        member_id: Who recorded it; what it makes is this member's.
        missing: The rules that it broke; it stands if there are none.
        parts: Of those who took part and signed, in the order of their numbers.
    """

    step_id: int
    member_id: int
    step: Step
    missing: StepFact
    parts: tuple[JointPart, ...] = ()

    @property
    def team(self) -> tuple[int, ...]:
        """Return who took part, the recorder first; a recorder that signed a part stands twice."""
        return (self.member_id, *(part.member_id for part in self.parts))
