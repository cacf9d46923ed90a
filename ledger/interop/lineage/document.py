"""
What is told of a lineage, and what is read of somebody else's.

A document is written in each standard by a module of its own; each of them reads its standard back as foreign steps.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from ledger.domain.lineage import Dataset, StepRecord, Version, VersionId
from ledger.domain.records import PassportId
from ledger.domain.vocabulary import Purpose, StepKind
from ledger.encoding.hexadecimal import bytes32, to_hex
from ledger.encoding.inclusions import InclusionList
from ledger.encoding.typed_data import LedgerDomain

_OURS: Final = re.compile(
    r"\A(?P<ledger>urn:eip155:[0-9]+:0x[0-9a-fA-F]{40}):version:(?P<id>0x[0-9a-f]{64})\Z"
)


@dataclass(frozen=True, slots=True)
class ToldStep:
    """A step on record, and when: time of its block, seconds since the Unix epoch."""

    record: StepRecord
    time: int


@dataclass(frozen=True, slots=True)
class LineageDocument:
    """
    Everything that is told of one version: what it was made of, by whom, and when.

    Attributes:
        ledger: The ledger as a URN, `urn:eip155:CHAIN:ADDRESS`: the namespace of all names.
        subject: The version whose lineage it is.
        versions: It and all that it was made of, in the order in which they were made.
        steps: The steps that made them, and those that changed what they may serve, in order.
        datasets: The datasets that they are from.
        members: What the institutions are called, by number.
        inclusions: By step that collected a dataset: the decisions that had put people into it.
    """

    ledger: str
    subject: VersionId
    versions: tuple[Version, ...]
    steps: tuple[ToldStep, ...]
    datasets: tuple[Dataset, ...]
    members: Mapping[int, str]
    inclusions: Mapping[int, InclusionList] = field(default_factory=dict)

    def version(self, version_id: VersionId) -> str:
        """Return the name of a version."""
        return f"{self.ledger}:version:{to_hex(version_id)}"

    def dataset(self, dataset_id: int) -> str:
        """Return the name of a dataset."""
        return f"{self.ledger}:dataset:{dataset_id}"

    def step(self, step_id: int) -> str:
        """Return the name of a step."""
        return f"{self.ledger}:step:{step_id}"

    def decision(self, passport_id: PassportId, seq: int) -> str:
        """Return the name of a decision."""
        return f"{self.ledger}:decision:{to_hex(passport_id)}/{seq}"

    def member(self, member_id: int) -> str:
        """Return the name of a member, as a URN."""
        return f"{self.ledger}:member:{member_id}"

    def title(self, member_id: int) -> str:
        """Return what a member is called."""
        return self.members.get(member_id, f"member {member_id}")


@dataclass(frozen=True, slots=True)
class ForeignStep:
    """
    A step as somebody else's document tells it.

    Attributes:
        activity: What was done, in the document's words.
        name: What the document calls this one activity, if it has a name; `step_of` reads a ledger's.
        kind: The ledger's kind of step, if the words are known.
        inputs: Names of what was used, as the document has them; `version_of` reads those of a ledger.
        outputs: Names of what was made.
        agents: Names of who did it.
        time: When, if the document says so.
        facts: What else it says of the step, by name, for the statement that goes into the vault.
    """

    activity: str
    name: str = ""
    kind: StepKind | None = None
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    agents: tuple[str, ...] = ()
    time: datetime | None = None
    facts: Mapping[str, str] = field(default_factory=dict)


def ledger_urn(domain: LedgerDomain) -> str:
    """Return the name of a ledger."""
    return f"urn:eip155:{domain.chain_id}:{domain.ledger.lower()}"


def version_of(name: str, ledger: str) -> VersionId | None:
    """Return the version that a name is for, if it is one of *ledger*'s."""
    found = _OURS.match(name)
    if found is None or found["ledger"].lower() != ledger.lower():
        return None
    return VersionId(bytes32(found["id"]))


def step_of(name: str, ledger: str) -> int | None:
    """Return the number of the step that a name is for, if it is one of *ledger*'s."""
    number = name.lower().removeprefix(f"{ledger.lower()}:step:")
    return int(number) if number != name.lower() and number.isascii() and number.isdecimal() else None


def kind_of(words: str) -> StepKind | None:
    """Return the kind of step that words are for, whatever their case; None if they are no kind's."""
    return StepKind.__members__.get(words.strip().upper().replace("-", "").replace("_", ""))


def purposes_of(purposes: int) -> list[str]:
    """Return the names of a set of purposes."""
    return [purpose.name for purpose in Purpose if purposes >> purpose & 1]


def moment(time: int) -> datetime:
    """Return a time of the chain with its zone."""
    return datetime.fromtimestamp(time, UTC)


def micro(epsilon: int) -> str:
    """Return millionths of epsilon as a decimal number."""
    return f"{epsilon // 1_000_000}.{epsilon % 1_000_000:06d}".rstrip("0").rstrip(".")
