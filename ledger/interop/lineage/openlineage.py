"""
Lineage as OpenLineage events, so that a pipeline of Airflow or Spark registers steps without new code.

Each step is one run of a job: an event of type COMPLETE, or FAIL if the step broke a rule. Our run facet,
`mdp_authorization`, names the step, its project and what was missing, and of a dataset that was collected the decisions
and grants behind it. Source: OpenLineage spec 2-0-2.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from ledger.domain.records import NO_GRANT, ZERO32
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
    version_of,
)

PRODUCER: Final = "urn:medical-ai-data-passport"
_SCHEMA: Final = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent"
_FACETS: Final = "https://openlineage.io/spec/facets"
_RUNS: Final = uuid.UUID("6f1d6f3e-5d0e-5c3a-9a53-0d2f5b1f7e21")
_STATES: Final = frozenset({"START", "RUNNING", "COMPLETE", "ABORT", "FAIL", "OTHER"})


def write(lineage: LineageDocument) -> list[dict[str, Any]]:
    """Write a lineage as run events, one for each step, in order."""
    return [_event(lineage, told) for told in lineage.steps]


def read(events: Iterable[Any]) -> list[ForeignStep]:
    """
    Read the runs that were completed.

    Args:
        events: Run events; those of another type than COMPLETE tell of no step and are left out.

    Raises:
        MalformedRecord: One is no run event.
    """
    found = []
    for place, event in enumerate(events):
        try:
            if not isinstance(event, dict) or event.get("eventType") not in _STATES:
                raise MalformedRecord("its eventType is none of OpenLineage")
            step = _foreign(event)
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise MalformedRecord(
                f"event {place} is no OpenLineage run event: {type(error).__name__} {error}",
                fix="Send the events as the OpenLineage client writes them, a JSON object or a list of them.",
            ) from None
        except MalformedRecord as error:
            raise MalformedRecord(f"event {place} is no OpenLineage run event: {error.message}") from None
        if event["eventType"] == "COMPLETE":
            found.append(step)
    return found


def parse(text: str) -> list[Any]:
    """
    Read a file of events: a JSON object, a list of them, or one a line.

    Raises:
        MalformedRecord: It is no JSON.
    """
    try:
        document = json.loads(text)
        return document if isinstance(document, list) else [document]
    except ValueError:
        pass
    try:
        return [json.loads(line) for line in text.splitlines() if line.strip()]
    except ValueError as error:
        raise MalformedRecord(f"this is no JSON: {error}") from None


def run_id(lineage: LineageDocument, step_id: int) -> str:
    """Return the UUID of a step's run: the same for the same step, always."""
    return str(uuid.uuid5(_RUNS, lineage.step(step_id)))


def _event(lineage: LineageDocument, told: ToldStep) -> dict[str, Any]:
    record, step = told.record, told.record.step
    return {
        "eventType": "FAIL" if record.missing else "COMPLETE",
        "eventTime": moment(told.time).isoformat().replace("+00:00", "Z"),
        "producer": PRODUCER,
        "schemaURL": _SCHEMA,
        "run": {
            "runId": run_id(lineage, record.step_id),
            "facets": {"mdp_authorization": _authorization(lineage, told)},
        },
        "job": {
            "namespace": lineage.ledger,
            "name": step.kind.name.lower(),
            "facets": {
                "ownership": _facet(
                    "1-0-1/OwnershipJobFacet.json",
                    owners=[{"name": lineage.title(record.member_id), "type": "MEMBER"}],
                )
            },
        },
        "inputs": [
            *({"namespace": lineage.ledger, "name": lineage.version(used)} for used in step.inputs),
            *_dataset_inputs(lineage, told),
        ],
        "outputs": [*_outputs(lineage, told), *_destroyed(lineage, told)],
    }


def _dataset_inputs(lineage: LineageDocument, told: ToldStep) -> list[dict[str, Any]]:
    step = told.record.step
    if step.kind is not StepKind.COLLECT:
        return []
    return [{"namespace": lineage.ledger, "name": lineage.dataset(step.dataset_id)}]


def _outputs(lineage: LineageDocument, told: ToldStep) -> list[dict[str, Any]]:
    """Return what the step made: nothing if it broke a rule."""
    if told.record.missing:
        return []
    return [
        {
            "namespace": lineage.ledger,
            "name": lineage.version(made),
            "facets": {
                "version": _facet("1-0-1/DatasetVersionDatasetFacet.json", datasetVersion=to_hex(made))
            },
        }
        for made in told.record.step.outputs
    ]


def _destroyed(lineage: LineageDocument, told: ToldStep) -> list[dict[str, Any]]:
    step = told.record.step
    if step.kind is not StepKind.DESTROY or told.record.missing:
        return []
    change = _facet(
        "1-0-1/LifecycleStateChangeDatasetFacet.json",
        lifecycleStateChange="DROP",
    )
    return [
        {
            "namespace": lineage.ledger,
            "name": lineage.dataset(step.dataset_id),
            "facets": {"lifecycleStateChange": change},
        }
    ]


def _authorization(lineage: LineageDocument, told: ToldStep) -> dict[str, Any]:
    record, step = told.record, told.record.step
    return {
        "_producer": PRODUCER,
        "_schemaURL": f"{PRODUCER}:facets:mdp_authorization:1",
        "ledger": lineage.ledger,
        "stepId": record.step_id,
        "memberId": record.member_id,
        "participants": [part.member_id for part in record.parts],
        "projectId": step.project_id or None,
        "purposes": purposes_of(step.purposes),
        "epsilon": micro(step.epsilon),
        "tool": None if step.tool == ZERO32 else to_hex(step.tool),
        "parameters": to_hex(step.parameters),
        "missing": list(names(record.missing)),
        "decisions": _decisions(lineage, told),
    }


def _decisions(lineage: LineageDocument, told: ToldStep) -> dict[str, Any] | None:
    """Return by which decisions people were in what a step collected: how many, a digest of all, the first ones."""
    found = lineage.inclusions.get(told.record.step_id)
    if found is None:
        return None
    return {
        "count": found.count,
        "digest": to_hex(found.digest),
        "named": [
            {
                "passportId": to_hex(passport_id),
                "seq": seq,
                "grantId": None if grant_id == NO_GRANT else to_hex(grant_id),
            }
            for passport_id, seq, grant_id in found.named
        ],
    }


def _facet(schema: str, **words: Any) -> dict[str, Any]:
    return {"_producer": PRODUCER, "_schemaURL": f"{_FACETS}/{schema}", **words}


def _foreign(event: dict[str, Any]) -> ForeignStep:
    run, job = event["run"], event["job"]
    uuid.UUID(str(run["runId"]))
    ours = run.get("facets", {}).get("mdp_authorization", {})
    owners = job.get("facets", {}).get("ownership", {}).get("owners", [])
    name = str(job["name"])
    return ForeignStep(
        activity=f"{job['namespace']}/{name}",
        name=f"{ours['ledger']}:step:{ours['stepId']}" if ours else f"urn:uuid:{run['runId']}",
        kind=kind_of(name.rsplit(".", 1)[-1]),
        inputs=tuple(map(_name, event.get("inputs") or [])),
        outputs=tuple(map(_name, event.get("outputs") or [])),
        agents=tuple(str(owner["name"]) for owner in owners),
        time=datetime.fromisoformat(str(event["eventTime"])),
        facts={
            "run": str(run["runId"]),
            "producer": str(event["producer"]),
            **{word: str(ours[word]) for word in ("parameters", "tool") if ours.get(word)},
        },
    )


def _name(dataset: dict[str, Any]) -> str:
    """Return the name of a dataset: ours as it is, another's with its namespace."""
    namespace, name = str(dataset["namespace"]), str(dataset["name"])
    return name if version_of(name, namespace) is not None else f"{namespace}/{name}"
