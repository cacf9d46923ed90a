"""
The card of a version: what it is from and what it may serve, in the fields of the Data & Trust Alliance.

Source: Data & Trust Alliance, Data Provenance Standards 1.0.0: source, provenance, use.
"""

from __future__ import annotations

from typing import Any, Final

from ledger.domain.lineage import NO_END, Version
from ledger.domain.vocabulary import StepKind, names
from ledger.encoding.hexadecimal import to_hex
from ledger.interop.lineage.document import LineageDocument, ToldStep, micro, moment, purposes_of

STANDARD: Final = "Data & Trust Alliance Data Provenance Standards 1.0.0"


def write(lineage: LineageDocument) -> dict[str, Any]:
    """Write the card of a document's subject."""
    subject = next(version for version in lineage.versions if version.version_id == lineage.subject)
    steps = {told.record.step_id: told for told in lineage.steps}
    return {
        "standard": STANDARD,
        "source": _source(lineage, subject, steps.get(subject.step_id)),
        "provenance": _provenance(lineage, subject),
        "use": _use(lineage, subject),
    }


def _source(lineage: LineageDocument, subject: Version, made: ToldStep | None) -> dict[str, Any]:
    """*made*: the step that made it; None if it is from outside, and its owner vouches for it."""
    if made is None:
        told = {"description": f"from outside; {lineage.title(subject.owner)} vouches for it"}
    else:
        kind = made.record.step.kind.name.lower()
        told = {
            "description": f"made by step {subject.step_id}, {kind}",
            "issueDate": moment(made.time).date().isoformat(),
        }
    return {
        "title": f"{subject.kind.name.lower()} {to_hex(subject.version_id)}",
        "uniqueMetadataIdentifier": lineage.version(subject.version_id),
        "metadataLocation": lineage.ledger,
        "issuer": lineage.title(subject.owner),
        **told,
    }


def _provenance(lineage: LineageDocument, subject: Version) -> dict[str, Any]:
    collected = [told.time for told in lineage.steps if told.record.step.kind is StepKind.COLLECT]
    return {
        "sourceMetadata": [
            lineage.version(version.version_id)
            for version in lineage.versions
            if version.version_id != subject.version_id
        ],
        "datasets": [
            {
                "identifier": lineage.dataset(dataset.dataset_id),
                "issuer": lineage.title(dataset.owner),
                "categories": list(names(dataset.categories)),
                "peopleIncluded": dataset.included,
                "withdrawals": len(dataset.withdrawals),
            }
            for dataset in lineage.datasets
        ],
        "dateRange": {
            "from": moment(min(collected)).date().isoformat() if collected else None,
            "to": moment(max(collected)).date().isoformat() if collected else None,
        },
        "methods": [
            {
                "step": told.record.step_id,
                "method": told.record.step.kind.name,
                "by": lineage.title(told.record.member_id),
                "date": moment(told.time).date().isoformat(),
                "parameters": to_hex(told.record.step.parameters),
            }
            for told in lineage.steps
            if not told.record.missing
        ],
        "check": subject.check.name,
        "checkedBy": lineage.title(subject.verifier) if subject.verifier else None,
    }


def _use(lineage: LineageDocument, subject: Version) -> dict[str, Any]:
    ends = [dataset.usable_until for dataset in lineage.datasets if dataset.usable_until != NO_END]
    return {
        "intendedDataUse": purposes_of(subject.purposes),
        "consentDocumentationLocation": [lineage.dataset(dataset.dataset_id) for dataset in lineage.datasets],
        "consentsEnd": moment(min(ends)).isoformat() if ends else None,
        "mergingForbidden": any(dataset.no_relink for dataset in lineage.datasets),
        "privacyBudgets": [
            {
                "dataset": lineage.dataset(dataset.dataset_id),
                "epsilon": micro(dataset.budget),
                "spent": micro(dataset.spent),
            }
            for dataset in lineage.datasets
            if dataset.budget
        ],
        "retainUntil": [moment(dataset.retain_until).date().isoformat() for dataset in lineage.datasets],
    }
