"""
Lineage as FHIR R4 Provenance resources, and those of others read as foreign steps.

The mapping from step to Provenance is the one that FHIR itself gives between Provenance and W3C PROV. Source: HL7 FHIR
R4, Provenance.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from ledger.domain.records import ZERO32
from ledger.domain.vocabulary import StepKind
from ledger.encoding.hexadecimal import to_hex
from ledger.errors import MalformedRecord
from ledger.interop.lineage.document import ForeignStep, LineageDocument, ToldStep, kind_of, moment

#: Code system of the kinds of steps.
STEPS: Final = "urn:medical-ai-data-passport:steps"
_PARTICIPATION: Final = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"
_URI: Final = "urn:ietf:rfc:3986"


def write(lineage: LineageDocument) -> dict[str, Any]:
    """Write a lineage as a collection of Provenance resources, one for each step that made something or ended it."""
    told = [step for step in lineage.steps if _targets(lineage, step)]
    return {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [
            {"fullUrl": lineage.step(step.record.step_id), "resource": _provenance(lineage, step)}
            for step in told
        ],
    }


def read(text: str) -> list[ForeignStep]:
    """
    Read a Provenance resource, or those of a Bundle, in their order.

    Raises:
        MalformedRecord: It is no FHIR JSON, holds no Provenance, or one lacks a target, a time or an agent.
    """
    try:
        resource = json.loads(text)
    except ValueError as error:
        raise MalformedRecord(f"this is no JSON: {error}") from None
    found = [_foreign(provenance) for provenance in _provenances(resource)]
    if not found:
        raise MalformedRecord("there is no Provenance in it", fix="Send a Provenance, or a Bundle of some.")
    return found


def _provenance(lineage: LineageDocument, told: ToldStep) -> dict[str, Any]:
    record, step = told.record, told.record.step
    resource: dict[str, Any] = {
        "resourceType": "Provenance",
        "target": _targets(lineage, told),
        "recorded": moment(told.time).isoformat().replace("+00:00", "Z"),
        "policy": [lineage.step(record.step_id), *_decisions(lineage, told)],
        "activity": {"coding": [{"system": STEPS, "code": step.kind.name}]},
        "agent": _agents(lineage, told),
    }
    entities = [
        {"role": "source", "what": _reference(lineage.version(used), "input of the step")}
        for used in step.inputs
    ]
    if step.kind is StepKind.COLLECT:
        what = _reference(lineage.dataset(step.dataset_id), _collected(lineage, told))
        entities.append({"role": "source", "what": what})
    if step.kind is StepKind.DESTROY:
        what = _reference(lineage.dataset(step.dataset_id), "dataset that was destroyed")
        entities.append({"role": "removal", "what": what})
    return {**resource, "entity": entities} if entities else resource


def _decisions(lineage: LineageDocument, told: ToldStep) -> list[str]:
    """Return the decisions that permitted what a step collected: the policies that FHIR asks for."""
    found = lineage.inclusions.get(told.record.step_id)
    return [lineage.decision(passport_id, seq) for passport_id, seq, _ in found.named] if found else []


def _collected(lineage: LineageDocument, told: ToldStep) -> str:
    found = lineage.inclusions.get(told.record.step_id)
    behind = f" under {found.count} decisions, digest {to_hex(found.digest)}" if found else ""
    return f"dataset that it was collected for{behind}"


def _targets(lineage: LineageDocument, told: ToldStep) -> list[dict[str, Any]]:
    step = told.record.step
    if told.record.missing:
        return []
    if step.kind is StepKind.DESTROY:
        return [_reference(lineage.dataset(step.dataset_id), "dataset")]
    return [_reference(lineage.version(made), "version") for made in step.outputs]


def _agents(lineage: LineageDocument, told: ToldStep) -> list[dict[str, Any]]:
    record = told.record
    agents = [_agent("author", lineage.member(record.member_id), lineage.title(record.member_id))]
    agents += [
        _agent("performer", lineage.member(part.member_id), lineage.title(part.member_id))
        for part in record.parts
    ]
    if record.step.tool != ZERO32:
        digest = to_hex(record.step.tool)
        agents.append(_agent("assembler", f"{lineage.ledger}:tool:{digest}", f"tool {digest}"))
    return agents


def _agent(kind: str, name: str, title: str) -> dict[str, Any]:
    return {
        "type": {"coding": [{"system": _PARTICIPATION, "code": kind}]},
        "who": _reference(name, title),
    }


def _reference(name: str, title: str) -> dict[str, Any]:
    return {"identifier": {"system": _URI, "value": name}, "display": title}


def _provenances(resource: Any) -> Iterator[dict[str, Any]]:
    if not isinstance(resource, dict):
        raise MalformedRecord("this is no FHIR resource")
    if resource.get("resourceType") == "Bundle":
        entries = resource.get("entry", [])
        if not isinstance(entries, list):
            raise MalformedRecord("the entries of the Bundle are no list")
        for entry in entries:
            found = entry.get("resource") if isinstance(entry, dict) else None
            if isinstance(found, dict) and found.get("resourceType") == "Provenance":
                yield found
    elif resource.get("resourceType") == "Provenance":
        yield resource


def _foreign(resource: dict[str, Any]) -> ForeignStep:
    try:
        codings = resource.get("activity", {}).get("coding", [])
        codes = [str(coding["code"]) for coding in codings if "code" in coding]
        words = codes or [str(resource.get("activity", {}).get("text", "unknown"))]
        entities = resource.get("entity", [])
        return ForeignStep(
            activity=words[0],
            name=str(next(iter(resource.get("policy", [])), "")),
            kind=next((kind for kind in map(kind_of, words) if kind is not None), None),
            inputs=tuple(_name(entity["what"]) for entity in entities),
            outputs=tuple(map(_name, resource["target"])),
            agents=tuple(_name(agent["who"]) for agent in resource["agent"]),
            time=datetime.fromisoformat(str(resource["recorded"])),
            facts={"policy": " ".join(map(str, resource.get("policy", [])))}
            if resource.get("policy")
            else {},
        )
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise MalformedRecord(
            f"a Provenance lacks what FHIR requires, or has it in another form: {type(error).__name__} {error}",
            fix="A Provenance has target, recorded and agent.who.",
        ) from None


def _name(reference: dict[str, Any]) -> str:
    """Return what a reference names: its identifier, else the address, else the words."""
    identifier = reference.get("identifier", {}).get("value")
    found = identifier or reference.get("reference") or reference.get("display")
    if found is None:
        raise ValueError("a reference without identifier, reference or display")
    return str(found)
