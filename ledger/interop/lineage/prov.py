"""
Lineage as W3C PROV-JSON, by the library `prov`.

A version and a dataset are entities, a step is an activity, a member and a tool are agents. A step that broke a rule is
an activity that generated nothing. Source: W3C PROV-DM and PROV-JSON.
"""

from __future__ import annotations

import warnings
from datetime import datetime
from typing import Any, Final

from prov import Error as ProvError
from prov.constants import PROV, PROV_LABEL, PROV_TYPE
from prov.model import (
    ProvActivity,
    ProvAssociation,
    ProvDocument,
    ProvGeneration,
    ProvRecord,
    ProvUsage,
)

from ledger.domain.lineage import Version
from ledger.domain.records import ZERO32
from ledger.domain.vocabulary import StepKind, names
from ledger.encoding.hexadecimal import to_hex
from ledger.errors import MalformedRecord
from ledger.interop.lineage.document import (
    ForeignStep,
    LineageDocument,
    ToldStep,
    kind_of,
    micro,
    moment,
    purposes_of,
)

#: Words of ours: they name what PROV has no word for.
VOCABULARY: Final = "urn:medical-ai-data-passport:lineage:"
_ORGANISATION: Final = PROV["Organization"]
_SOFTWARE: Final = PROV["SoftwareAgent"]
_MAX_BYTES: Final = 16 * 1024 * 1024


def write(lineage: LineageDocument) -> str:
    """Write a lineage as PROV-JSON."""
    writer = _Writer(lineage)
    for dataset in lineage.datasets:
        writer.dataset(dataset.dataset_id, dataset.owner)
    for version in lineage.versions:
        writer.version(version)
    for told in lineage.steps:
        writer.step(told)
    return str(writer.document.serialize(format="json", indent=1))


def read(text: str) -> list[ForeignStep]:
    """
    Read the activities of a PROV-JSON document, in the order in which it has them.

    Raises:
        MalformedRecord: It is no PROV-JSON, or over 16 MiB.
    """
    if len(text.encode()) > _MAX_BYTES:
        raise MalformedRecord(f"a PROV document may have {_MAX_BYTES} bytes")
    try:
        with warnings.catch_warnings():
            # What the library would drop with a warning was never there for us.
            warnings.simplefilter("error")
            document = ProvDocument.deserialize(content=text, format="json").flattened()
    except (ProvError, Warning, ValueError, TypeError, AttributeError, KeyError) as error:
        raise MalformedRecord(
            f"this is no PROV-JSON: {error}", fix="Send what `prov` or ProvStore write as PROV-JSON."
        ) from None
    activities = (record for record in document.get_records(ProvActivity) if isinstance(record, ProvActivity))
    return [_foreign(document, activity) for activity in activities]


class _Writer:
    """Writes one document."""

    def __init__(self, lineage: LineageDocument) -> None:
        self.lineage = lineage
        self.document = ProvDocument()
        self.ledger = self.document.add_namespace("ledger", f"{lineage.ledger}:")
        self.agents: dict[Any, Any] = {}
        self.words = self.document.add_namespace("mdp", VOCABULARY)

    def dataset(self, dataset_id: int, owner: int) -> None:
        entity = self.document.entity(
            self.ledger[f"dataset:{dataset_id}"], {PROV_TYPE: self.words["dataset"]}
        )
        self.document.wasAttributedTo(entity, self._member(owner))

    def version(self, version: Version) -> None:
        entity = self.document.entity(
            self._version(version.version_id),
            {
                PROV_TYPE: self.words[version.kind.name.lower()],
                self.words["purposes"]: " ".join(purposes_of(version.purposes)),
                self.words["check"]: version.check.name,
                **({self.words["external"]: "true"} if version.is_external else {}),
            },
        )
        self.document.wasAttributedTo(entity, self._member(version.owner))
        for origin in version.origins:
            self.document.wasInfluencedBy(entity, self.ledger[f"dataset:{origin.dataset_id}"])

    def step(self, told: ToldStep) -> None:
        record, step = told.record, told.record.step
        activity = self.document.activity(
            self.ledger[f"step:{record.step_id}"],
            moment(told.time),
            moment(told.time),
            self._attributes(told),
        )
        for member_id in dict.fromkeys(record.team):
            self.document.wasAssociatedWith(activity, self._member(member_id))
        if step.tool != ZERO32:
            tool = self._agent(self.ledger[f"tool:{to_hex(step.tool)}"], {PROV_TYPE: _SOFTWARE})
            self.document.wasAssociatedWith(activity, tool)
        if step.dataset_id:
            dataset = self.ledger[f"dataset:{step.dataset_id}"]
            if step.kind is StepKind.DESTROY and not record.missing:
                self.document.wasInvalidatedBy(dataset, activity, moment(told.time))
            else:
                self.document.used(activity, dataset)
        for used in step.inputs:
            self.document.used(activity, self._version(used))
        if record.missing:
            return
        for made in step.outputs:
            self.document.wasGeneratedBy(self._version(made), activity, moment(told.time))
            for used in step.inputs:
                self.document.wasDerivedFrom(self._version(made), self._version(used), activity)

    def _attributes(self, told: ToldStep) -> dict[Any, Any]:
        record, step = told.record, told.record.step
        attributes: dict[Any, Any] = {
            PROV_TYPE: self.words[step.kind.name.lower()],
            self.words["parameters"]: to_hex(step.parameters),
        }
        if step.project_id:
            attributes[self.words["project"]] = step.project_id
        if step.epsilon:
            attributes[self.words["epsilon"]] = micro(step.epsilon)
        if step.purposes:
            attributes[self.words["purposes"]] = " ".join(purposes_of(step.purposes))
        if record.missing:
            attributes[self.words["missing"]] = " ".join(names(record.missing))
        if found := self.lineage.inclusions.get(record.step_id):
            attributes[self.words["decisionCount"]] = found.count
            attributes[self.words["decisionDigest"]] = to_hex(found.digest)
            if found.named:
                decided = (self.lineage.decision(passport_id, seq) for passport_id, seq, _ in found.named)
                attributes[self.words["decisions"]] = " ".join(decided)
        return attributes

    def _version(self, version_id: bytes) -> Any:
        return self.ledger[f"version:{to_hex(version_id)}"]

    def _member(self, member_id: int) -> Any:
        name = self.ledger[f"member:{member_id}"]
        return self._agent(name, {PROV_TYPE: _ORGANISATION, PROV_LABEL: self.lineage.title(member_id)})

    def _agent(self, name: Any, attributes: dict[Any, Any]) -> Any:
        """Return an agent, told of once."""
        if name not in self.agents:
            self.agents[name] = self.document.agent(name, attributes)
        return self.agents[name]


def _foreign(document: ProvDocument, activity: ProvActivity) -> ForeignStep:
    words = [_uri(value) for value in activity.get_attribute(PROV_TYPE)]
    ours = [word.removeprefix(VOCABULARY) for word in words if word.startswith(VOCABULARY)]
    started = activity.get_startTime()
    return ForeignStep(
        activity=(ours or words or [_uri(activity.identifier)])[0],
        name=_uri(activity.identifier),
        kind=next((kind for kind in map(kind_of, ours or words) if kind is not None), None),
        inputs=_ends(document, ProvUsage, activity, first=True),
        outputs=_ends(document, ProvGeneration, activity, first=False),
        agents=_ends(document, ProvAssociation, activity, first=True),
        time=started if isinstance(started, datetime) else None,
        facts={
            _uri(name).removeprefix(VOCABULARY): str(value)
            for name, value in activity.extra_attributes
            if name != PROV_TYPE
        },
    )


def _ends(
    document: ProvDocument, relation: type[ProvRecord], activity: ProvActivity, *, first: bool
) -> tuple[str, ...]:
    """Return what relations of a kind have at their other end. *first*: whether the activity comes first in them."""
    found = []
    for record in document.get_records(relation):
        ends = [value for _, value in record.formal_attributes]
        near, far = (ends[0], ends[1]) if first else (ends[1], ends[0])
        if near == activity.identifier and far is not None:
            found.append(_uri(far))
    return tuple(dict.fromkeys(found))


def _uri(name: Any) -> str:
    return str(name.uri) if hasattr(name, "uri") else str(name)
