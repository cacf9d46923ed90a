"""
Somebody else's lineage as steps of the ledger: what a pipeline or a FHIR server told becomes bodies of `POST /v1/steps`.

Names that the ledger does not know are mapped by a file of names, which grows by what the steps make; so the next
document of the same pipeline goes on where this one ended.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from ledger.client.steps import Made
from ledger.domain.lineage import MAKES_NOTHING, OF_DATASETS
from ledger.domain.records import ZERO32
from ledger.domain.vocabulary import StepKind
from ledger.encoding.hexadecimal import to_hex
from ledger.errors import InvalidInput
from ledger.interop.lineage import fhir, openlineage, prov
from ledger.interop.lineage.document import ForeignStep, version_of

#: How each standard is read.
READERS: Final[dict[str, Callable[[str], list[ForeignStep]]]] = {
    "prov-json": prov.read,
    "fhir": fhir.read,
    "openlineage": lambda text: openlineage.read(openlineage.parse(text)),
}


#: Kinds of steps that take a model first.
_TAKE_MODEL: Final = frozenset({StepKind.EVALUATE, StepKind.DEPLOY, StepKind.INFER})


@dataclass(frozen=True, slots=True)
class Import:
    """
    What the document does not say.

    Attributes:
        ledger: The ledger as a URN: names of its versions are taken as they are.
        kind: What activities are whose words are no kind of step; None: such a one is an error.
        dataset_id: What COLLECT fills.
        project_id: The project that the steps are part of.
        purposes: What models are for.
        tool: Digest of the tool, unless the document names it.
        external: Whether what nothing is known of may be brought in from outside, vouched for by the caller: what it may
            serve; None if not.
    """

    ledger: str
    kind: StepKind | None = None
    dataset_id: int = 0
    project_id: int = 0
    purposes: tuple[str, ...] = ()
    tool: str | None = None
    external: tuple[str, ...] | None = None


@dataclass(slots=True)
class Names:
    """Which versions foreign names are for. Kept in a JSON file: an object of names and versions."""

    path: Path
    known: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> Names:
        """
        Read a file of names; none if it is not there.

        Raises:
            InvalidInput: It is no JSON object of strings.
        """
        if not path.exists():
            return cls(path)
        try:
            known = json.loads(path.read_text())
        except ValueError as error:
            raise InvalidInput(f"{path.name} is no JSON: {error}", field="names") from None
        if not isinstance(known, dict) or not all(isinstance(word, str) for word in known.values()):
            raise InvalidInput(f"{path.name} must be a JSON object of names and versions", field="names")
        return cls(path, known)

    def save(self) -> None:
        """Write the file, whole or not at all."""
        draft = self.path.with_suffix(".new")
        draft.write_text(json.dumps(self.known, indent=1, sort_keys=True) + "\n")
        draft.replace(self.path)


@dataclass(frozen=True, slots=True)
class Planned:
    """A step to be recorded: the body of `POST /v1/steps`, and what its outputs are called in the document."""

    body: dict[str, Any]
    outputs: Mapping[str, Made]


def plan(step: ForeignStep, names: Names, told: Import) -> Planned:
    """
    Write a foreign step as one of the ledger.

    Raises:
        InvalidInput: It is no kind of step, or uses something that no name is known for; says how to go on.
    """
    kind = step.kind or told.kind
    if kind is None:
        raise InvalidInput(
            f"{step.activity!r} is no kind of step",
            field="kind",
            fix="Say what it is: --as CLEAN, for example.",
        )
    on_dataset = kind in OF_DATASETS
    outputs = {} if kind in MAKES_NOTHING else {name: _made(name, step, told.ledger) for name in step.outputs}
    return Planned(
        {
            "kind": kind.name,
            "inputs": [] if on_dataset else _inputs(step, names, told.ledger),
            "outputs": [made.version_id for made in outputs.values()],
            "datasetId": told.dataset_id if on_dataset else 0,
            "projectId": told.project_id,
            "purposes": _purposes(step, told) if kind is StepKind.TRAIN else [],
            "epsilon": round(float(step.facts.get("epsilon", 0)) * 1_000_000),
            "tool": step.facts.get("tool") or told.tool,
            "parameters": {
                "activity": step.activity,
                "agents": list(step.agents),
                "inputs": list(step.inputs),
                "outputs": list(step.outputs),
                "time": step.time.isoformat() if step.time else None,
                **{f"told.{word}": value for word, value in step.facts.items()},
            },
        },
        outputs,
    )


def externals(step: ForeignStep, names: Names, told: Import) -> dict[str, dict[str, Any]]:
    """
    Return what a step uses that nothing is known of, if it may be brought in from outside.

    Returns:
        By name: the body of `POST /v1/versions`. A model if the step uses a model in this place.
    """
    if told.external is None or (step.kind or told.kind) in OF_DATASETS:
        return {}
    found: dict[str, dict[str, Any]] = {}
    for place, name in enumerate(step.inputs):
        if version_of(name, told.ledger) is not None or name in names.known:
            continue
        made = Made.of({"name": name, "time": step.time.isoformat() if step.time else None})
        is_model = place == 0 and (step.kind or told.kind) in _TAKE_MODEL
        found[name] = {
            "content": made.version_id,
            "kind": "MODEL" if is_model else "DATA",
            "purposes": list(told.external),
            "statement": f"{name}, as {step.activity} names it in a document of another system",
        }
    return found


def ours(step: ForeignStep, ledger: str) -> list[str]:
    """Return the versions of *ledger* that a step says it made."""
    found = (version_of(name, ledger) for name in step.outputs)
    return [to_hex(version) for version in found if version is not None]


def _inputs(step: ForeignStep, names: Names, ledger: str) -> list[str]:
    found: list[str] = []
    unknown: list[str] = []
    for name in step.inputs:
        version = version_of(name, ledger)
        known = to_hex(version) if version is not None else names.known.get(name)
        (unknown if known is None else found).append(known or name)
    if unknown:
        raise InvalidInput(
            f"{step.activity} uses what the ledger has no version of: {_listed(unknown)}",
            field="names",
            fix="Record where it is from first (COLLECT), write its version into the file of names (--names), or bring "
            "it in from outside (--external).",
        )
    return found


def _made(name: str, step: ForeignStep, ledger: str) -> Made:
    """Return the name of a new version: the document's own if it is one of the ledger's, else a fresh commitment."""
    version = version_of(name, ledger)
    if version is not None:
        return Made(to_hex(version), "", to_hex(ZERO32))
    return Made.of({"name": name, "time": step.time.isoformat() if step.time else None})


def _purposes(step: ForeignStep, told: Import) -> list[str]:
    return list(told.purposes) or step.facts.get("purposes", "").split()


def _listed(words: Iterable[str]) -> str:
    listed = list(words)
    return ", ".join(listed[:5]) + (f" and {len(listed) - 5} more" if len(listed) > 5 else "")  # noqa: PLR2004
