"""
FHIR R4: patient bundles split by category, and AuditEvents read as an access log.

Nothing is dropped: a resource of a type this module does not know is kept under `OTHER`.

Source: HL7 FHIR R4; IHE BALP for AuditEvent.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from ledger.domain.vocabulary import Category
from ledger.encoding.typed_data import LedgerDomain
from ledger.errors import MalformedRecord, TooLarge

_MAX_REFERENCE: Final = 256
#: Largest bundle file taken, in bytes.
MAX_BUNDLE_BYTES: Final = 32 * 1024 * 1024

#: A seq or a member's number.
_NUMBER: Final = re.compile(r"\A[0-9]{1,13}\Z", re.ASCII)

_CATEGORY_OF_TYPE: Final[dict[str, Category]] = {
    "Condition": Category.DIAGNOSIS,
    "MedicationRequest": Category.MEDICATION,
    "MedicationStatement": Category.MEDICATION,
    "MedicationAdministration": Category.MEDICATION,
    "MedicationDispense": Category.MEDICATION,
    "Medication": Category.MEDICATION,
    "AllergyIntolerance": Category.MEDICATION,
    "DiagnosticReport": Category.LABORATORY,
    "Specimen": Category.LABORATORY,
    "ImagingStudy": Category.IMAGING,
    "Media": Category.IMAGING,
    "Procedure": Category.PROCEDURES,
    "Immunization": Category.IMMUNISATION,
    "ImmunizationRecommendation": Category.IMMUNISATION,
    "DocumentReference": Category.NOTES,
    "Composition": Category.NOTES,
    "ClinicalImpression": Category.NOTES,
    "CarePlan": Category.NOTES,
    "CareTeam": Category.NOTES,
    "Goal": Category.NOTES,
    "Patient": Category.DEMOGRAPHICS,
    "RelatedPerson": Category.DEMOGRAPHICS,
    "Person": Category.DEMOGRAPHICS,
    "Claim": Category.CLAIMS,
    "ClaimResponse": Category.CLAIMS,
    "ExplanationOfBenefit": Category.CLAIMS,
    "Coverage": Category.CLAIMS,
    "Device": Category.DEVICE,
    "DeviceMetric": Category.DEVICE,
    "DeviceUseStatement": Category.DEVICE,
    "MolecularSequence": Category.GENOMICS,
}

#: Observations and reports say themselves what they are.
_CATEGORY_OF_CODE: Final[dict[str, Category]] = {
    "vital-signs": Category.VITALS,
    "laboratory": Category.LABORATORY,
    "LAB": Category.LABORATORY,
    "imaging": Category.IMAGING,
    "RAD": Category.IMAGING,
    "procedure": Category.PROCEDURES,
    "survey": Category.NOTES,
    "exam": Category.NOTES,
    "social-history": Category.NOTES,
    "GE": Category.GENOMICS,
}

#: HL7 v3-ActCode sensitivity labels lift a resource into its own category, whatever its type.
_CATEGORY_OF_LABEL: Final[dict[str, Category]] = {
    "GDIS": Category.GENOMICS,
    "HIV": Category.HIV_STI,
    "STD": Category.HIV_STI,
    "PSY": Category.PSYCHIATRY,
    "MH": Category.PSYCHIATRY,
    "SEX": Category.REPRODUCTIVE,
    "REPRODHEALTH": Category.REPRODUCTIVE,
}


@dataclass(frozen=True, slots=True)
class PatientBundle:
    """
    One patient's bundle, split by category.

    Attributes:
        reference: The `id` of the Patient resource: the custodian's own name for the patient. It reaches the chain in
            no form; resources that refer to the patient carry it wherever they are released.
        content: For each category its resources, in the order of the bundle.
    """

    reference: str
    content: dict[Category, list[dict[str, Any]]]

    @property
    def resources(self) -> int:
        """Return how many resources the bundle has."""
        return sum(len(entries) for entries in self.content.values())


@dataclass(frozen=True, slots=True)
class AccessLogEntry:
    """
    One use of data as somebody's own access log tells it.

    Attributes:
        member: Name of the institution that used the data, as the log writes it.
        member_id: Its number on the ledger, if the log gives it.
        passport: The passport id in lower-case hexadecimal with `0x`.
        decision: `seq` of the decision the user relies on, if the log names one.
        recorded: When, as the log says.
        purpose: Code of the purpose of use, if the log names one.
        action: FHIR action code: C, R, U, D or E.
    """

    member: str
    member_id: int | None
    passport: str
    decision: int | None
    recorded: datetime
    purpose: str | None
    action: str


def parse_json(text: bytes | str, *, what: str = "the body") -> Any:
    """
    Read JSON.

    Raises:
        MalformedRecord: Not JSON; the message says where.
        TooLarge: Over `MAX_BUNDLE_BYTES`.
    """
    if len(text) > MAX_BUNDLE_BYTES:
        raise TooLarge(f"{what} has {len(text)} bytes; at most {MAX_BUNDLE_BYTES} are taken")
    try:
        return json.loads(text)
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedRecord(f"{what} is not JSON: {error}") from None


def read_bundle(bundle: Any) -> PatientBundle:
    """
    Split a bundle by category.

    Args:
        bundle: A FHIR R4 Bundle as a JSON value, with exactly one Patient.

    Raises:
        MalformedRecord: Not a Bundle, no or several Patients, or an entry without a resource; says which.
    """
    if not isinstance(bundle, dict) or bundle.get("resourceType") != "Bundle":
        raise MalformedRecord("this is not a FHIR Bundle: resourceType must be 'Bundle'")
    entries = bundle.get("entry")
    if not isinstance(entries, list) or not entries:
        raise MalformedRecord("the bundle has no entries")
    content: dict[Category, list[dict[str, Any]]] = {}
    references: list[str] = []
    for index, entry in enumerate(entries):
        resource = entry.get("resource") if isinstance(entry, dict) else None
        if not isinstance(resource, dict) or not isinstance(resource.get("resourceType"), str):
            raise MalformedRecord(f"entry {index} of the bundle has no resource with a resourceType")
        if resource["resourceType"] == "Patient":
            references.append(str(resource.get("id") or ""))
        content.setdefault(category_of(resource), []).append(resource)
    if len(references) != 1:
        raise MalformedRecord(f"the bundle must have exactly one Patient, it has {len(references)}")
    if not references[0] or not references[0].isprintable() or len(references[0]) > _MAX_REFERENCE:
        raise MalformedRecord(
            f"the Patient in the bundle has no id of 1 to {_MAX_REFERENCE} printable characters"
        )
    return PatientBundle(reference=references[0], content=content)


def category_of(resource: dict[str, Any]) -> Category:
    """Return the category of a resource: by its sensitivity label, its own category code, then its type."""
    for label in _codes(resource.get("meta"), "security"):
        if label in _CATEGORY_OF_LABEL:
            return _CATEGORY_OF_LABEL[label]
    if resource["resourceType"] in ("Observation", "DiagnosticReport"):
        for concept in _list(resource.get("category")):
            for code in _codes(concept, "coding"):
                if code in _CATEGORY_OF_CODE:
                    return _CATEGORY_OF_CODE[code]
    return _CATEGORY_OF_TYPE.get(resource["resourceType"], Category.OTHER)


def organisations(bundle: Any) -> list[dict[str, Any]]:
    """
    Return the Organization resources of a bundle, in its order.

    Raises:
        MalformedRecord: Not a Bundle.
    """
    if not isinstance(bundle, dict) or bundle.get("resourceType") != "Bundle":
        raise MalformedRecord("this is not a FHIR Bundle: resourceType must be 'Bundle'")
    resources = [entry.get("resource", {}) for entry in _list(bundle.get("entry")) if isinstance(entry, dict)]
    return [resource for resource in resources if resource.get("resourceType") == "Organization"]


def patient_bundle_files(folder: Path) -> list[Path]:
    """
    Return the patient bundles of a folder, sorted by name.

    Raises:
        MalformedRecord: The folder does not exist or holds none.
    """
    if not folder.is_dir():
        raise MalformedRecord(f"there is no folder {folder}", fix="Give a folder of FHIR R4 patient bundles.")
    files = [path for path in sorted(folder.glob("*.json")) if _has_patient(path)]
    if not files:
        raise MalformedRecord(
            f"no FHIR R4 patient bundle in {folder}", fix="Give a folder of FHIR R4 patient bundles (*.json)."
        )
    return files


def passport_system(domain: LedgerDomain) -> str:
    """
    Return the identifier system that names passports of a ledger; with `:member` added it names its members.

    Source:
        docs/spec.md, "Access log".
    """
    return f"urn:passport:eip155:{domain.chain_id}:{domain.ledger.lower()}"


def access_log(document: Any, *, passport_system: str) -> list[AccessLogEntry]:
    """
    Read FHIR AuditEvents as an access log.

    Args:
        document: An AuditEvent, a list of them, or a Bundle of them.
        passport_system: The identifier system that names passports of this ledger, as the function of this name
            gives it.

    Returns:
        One entry per passport that an event names, in the order of the document. Events about other things are
        passed over.

    Raises:
        MalformedRecord: Not AuditEvents, or an event without a time or an agent.
    """
    return [entry for event in _audit_events(document) for entry in _entries(event, passport_system)]


def _audit_events(document: Any) -> Iterator[dict[str, Any]]:
    if isinstance(document, dict) and document.get("resourceType") == "Bundle":
        document = [
            entry.get("resource") for entry in _list(document.get("entry")) if isinstance(entry, dict)
        ]
    for event in document if isinstance(document, list) else [document]:
        if not isinstance(event, dict) or event.get("resourceType") != "AuditEvent":
            raise MalformedRecord("the access log must be a FHIR AuditEvent, a list or a Bundle of them")
        yield event


def _entries(event: dict[str, Any], passport_system: str) -> Iterator[AccessLogEntry]:
    agents = [agent for agent in _list(event.get("agent")) if isinstance(agent, dict)]
    requestor = next(
        (agent for agent in agents if agent.get("requestor") is True), agents[0] if agents else None
    )
    if requestor is None:
        raise MalformedRecord("an AuditEvent has no agent")
    recorded = _instant(event.get("recorded"))
    # The requestor may be a person; then another agent is the institution, and says so with its number.
    numbered = next(
        (agent for agent in agents if _identifier(agent).get("system") == f"{passport_system}:member"), None
    )
    institution = numbered or requestor
    concepts = _list(requestor.get("purposeOfUse")) or _list(event.get("purposeOfEvent"))
    purposes = [code for concept in concepts for code in _codes(concept, "coding")]
    for entity in _list(event.get("entity")):
        named = _object(_object(_object(entity).get("what")).get("identifier"))
        if named.get("system") != passport_system:
            continue
        name, _, seq = str(named.get("value", "")).partition("/")
        yield AccessLogEntry(
            member=str(_object(institution.get("who")).get("display") or institution.get("name") or ""),
            member_id=_number(_identifier(numbered).get("value")) if numbered else None,
            passport=name.lower(),
            decision=_number(seq),
            recorded=recorded,
            purpose=purposes[0] if purposes else None,
            action=str(event.get("action", "R")),
        )


def _identifier(agent: dict[str, Any]) -> dict[str, Any]:
    return _object(_object(agent.get("who")).get("identifier"))


def _instant(text: Any) -> datetime:
    """Read a FHIR instant, which has a time zone."""
    try:
        moment = datetime.fromisoformat(str(text or ""))
    except ValueError:
        raise MalformedRecord("an AuditEvent has no time in 'recorded'") from None
    if moment.tzinfo is None:
        raise MalformedRecord("the time in 'recorded' of an AuditEvent has no time zone")
    return moment


def _number(text: Any) -> int | None:
    return int(text) if isinstance(text, str) and _NUMBER.match(text) else None


def _has_patient(path: Path) -> bool:
    document = parse_json(path.read_bytes(), what=path.name)
    if not isinstance(document, dict) or document.get("resourceType") != "Bundle":
        return False
    return any(
        isinstance(entry, dict) and (entry.get("resource") or {}).get("resourceType") == "Patient"
        for entry in _list(document.get("entry"))
    )


def _codes(holder: Any, key: str) -> list[str]:
    if not isinstance(holder, dict):
        return []
    return [str(coding.get("code")) for coding in _list(holder.get(key)) if isinstance(coding, dict)]


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
