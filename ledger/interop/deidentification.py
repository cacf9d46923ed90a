"""
De-identification: FHIR R4 resources without what says whose they are.

Strings are kept by a list of what is harmless, never dropped by a list of what is not: codes with their systems and
displays, units, dates and pseudonyms stay; every other string, known or unknown, goes. What is left of an element of
which nothing is left says so (data-absent-reason, `masked`), so that elements which FHIR requires stay.

| | PSEUDONYMISED | DEIDENTIFIED |
| --- | --- | --- |
| ids and references | one pseudonym within the record | one within its category, none across |
| birth and death | the year | the year |
| other dates | kept | the year |
| places | country and state | country |
| years and ages more than 90 years back | kept | capped at 90 |
| names, identifiers, contact, serial numbers, free text | dropped | dropped |

Source: HIPAA safe harbor, 45 CFR 164.514(b)(2) (A) to (R); ISO 25237 for the words; HL7 v3-ObservationValue for the
security labels; HL7 FHIR R4 for which elements are codes and which are dates. docs/trust.md says what it does not give.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote
from uuid import UUID

from ledger.domain.vocabulary import RECORD_LEVELS, Category, Level
from ledger.errors import InvalidInput, MalformedRecord

#: Resources of a record by category, in the order of the record.
Content = dict[Category, list[dict[str, Any]]]

#: The code system of the security labels below.
LABEL_SYSTEM: Final = "http://terminology.hl7.org/CodeSystem/v3-ObservationValue"
_LABELS: Final[dict[Level, dict[str, str]]] = {
    Level.PSEUDONYMISED: {"system": LABEL_SYSTEM, "code": "PSEUDED", "display": "pseudonymized"},
    Level.DEIDENTIFIED: {"system": LABEL_SYSTEM, "code": "ANONYED", "display": "anonymized"},
}

#: Ages above are not told, in years. Source: 45 CFR 164.514(b)(2)(i)(C), "a single category of age 90 or older".
OLDEST_YEARS: Final = 90
#: How many of a unit are a year: UCUM codes, and the words that stand where there is no code.
_PER_YEAR: Final = {
    **dict.fromkeys(("a", "a_j", "year", "years"), 1),
    **dict.fromkeys(("mo", "mo_j", "month", "months"), 12),
    **dict.fromkeys(("wk", "week", "weeks"), 52),
    **dict.fromkeys(("d", "day", "days"), 365),
}

#: Elements that go with everything in them, whatever is in them.
_DROPPED: Final = frozenset(
    """
    alias altitude bornPeriod contact id latitude longitude meta multipleBirthBoolean multipleBirthInteger
    name note photo position requisition signature telecom text udiCarrier valueAnnotation
    valueContactPoint valueHumanName valueSignature
    """.split()  # noqa: SIM905 - one name per line would fill pages
)
#: Elements that change what their parent means. Without them it would say something else, so the parent goes too.
_MODIFIERS: Final = ("implicitRules", "modifierExtension")
#: Elements whose strings are codes of FHIR's own, or a unit. `system` and `display` stay beside a code.
_CODED: Final = frozenset(
    """
    action actuality base category code comparator confidentiality contentType criticality currency
    dayOfWeek daysOfWeek docStatus durationUnit eye gender intent kind language lifecycleStatus meaning
    mode operationalStatus orientation outcome participantStatus periodUnit priority productCategory
    required resourceType role scale severity status strand type unit use valueCode when
    """.split()  # noqa: SIM905 - one name per line would fill pages
)
#: Elements whose strings are dates, dateTimes or instants.
DATED: Final = frozenset(
    """
    abatementDateTime answerDate answerDateTime approvalDate authored authoredOn birthDate bornDate
    collectedDateTime created createdDateTime creation date dateAsserted dateTime dateWritten deceasedDate
    deceasedDateTime detected dueDate effectiveDateTime effectiveInstant end enteredDate event
    expirationDate expiry identifiedDateTime issued lastOccurrence lastPerformed lastReviewDate
    manufactureDate nextScheduled occurredDateTime occurrenceDateTime onset onsetDateTime paymentDate
    performedDateTime presentationDate received receivedTime recorded recordedDate recordedOn releaseDate
    sent servicedDate start startDate started statusDate time timeDateTime timestamp timingDate
    timingDateTime validationDate valueDate valueDateTime valueInstant verificationDate whenHandedOver
    whenPrepared
    """.split()  # noqa: SIM905 - one name per line would fill pages
)
#: Birth and death: the year alone at every level but the identified one.
_LIFE: Final = frozenset(("birthDate", "bornDate", "deceasedDate", "deceasedDateTime"))
#: Elements that are instants, for which a year is too short; see `_Writer.resource`.
_INSTANTS: Final[dict[str, tuple[str, ...]]] = {
    "Appointment": ("start", "end"),
    "AppointmentResponse": ("start", "end"),
    "AuditEvent": ("recorded",),
    "Bundle": ("timestamp",),
    "DiagnosticReport": ("issued",),
    "DocumentReference": ("date",),
    "Media": ("issued",),
    "Observation": ("issued", "effectiveInstant"),
    "Provenance": ("recorded",),
    "Slot": ("start", "end"),
}
#: The elements of a Reference; other types have more.
_REFERENCE: Final = frozenset(("display", "extension", "id", "identifier", "reference", "type"))
_ABSENT: Final = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
#: Extensions that are kept; all others go, among them maiden names, birth places, numbers and geolocation.
_EXTENSIONS: Final = frozenset(
    (
        "http://hl7.org/fhir/us/core/StructureDefinition/us-core-race",
        "http://hl7.org/fhir/us/core/StructureDefinition/us-core-ethnicity",
        "http://hl7.org/fhir/us/core/StructureDefinition/us-core-birthsex",
        _ABSENT,
        # Parts of race and ethnicity.
        "ombCategory",
        "detailed",
    )
)
#: A code or unit; words with spaces between them are not.
_TOKEN: Final = re.compile(r"\A\S{1,128}\Z")
_DATE: Final = re.compile(
    r"\A(\d{4})(-\d\d(-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)?)?)?)?\Z", re.ASCII
)
_DAY: Final = re.compile(r"\A\d{4}-\d\d-\d\d\Z", re.ASCII)
_PLACE: Final = re.compile(r"\A[^\d\n]{1,64}\Z")
_URN: Final = re.compile(r"\Aurn:(?:uuid|oid):")


def deidentify(content: Content, *, level: Level, secret: bytes, year: int) -> Content:
    """
    De-identify a record.

    Args:
        content: The record's resources by category, FHIR R4.
        level: How far. `IDENTIFIED` leaves the record as it is.
        secret: 32 random bytes, used for this record only: whoever has them finds the pseudonym of a known id.
        year: The current year; at `DEIDENTIFIED` no year more than 90 before it is told.

    Returns:
        The same categories, each with its resources in their order. A resource that carries a modifier which would be
        lost is left out. Each carries the label of its level in `meta.security`. The same arguments give the same
        result; another secret or level gives unrelated pseudonyms.

    Raises:
        InvalidInput: The level is one that a record does not have.
        MalformedRecord: The record is nested too deeply.

    Source:
        docs/spec.md, "Levels".
    """
    if level not in RECORD_LEVELS:
        raise InvalidInput(
            f"a record has no form that is {level.name}",
            field="level",
            fix=f"Use one of {', '.join(known.name for known in RECORD_LEVELS)}.",
        )
    if level is Level.IDENTIFIED:
        return content
    known = _Known.of(content)
    try:
        return {
            category: _Writer(level, known, _key(secret, level, category), year - OLDEST_YEARS).all(resources)
            for category, resources in content.items()
        }
    except RecursionError:
        raise MalformedRecord("the record is nested too deeply to be de-identified") from None


def is_kept(resource: Mapping[str, Any]) -> bool:
    """Return whether a resource is in the levels below: one that carries a modifier of its own is in none of them."""
    return not any(name in resource for name in _MODIFIERS)


def is_labelled(resource: Mapping[str, Any], level: Level) -> bool:
    """Return whether a resource carries the security label of a level; the identified level has none to carry."""
    label = _LABELS.get(level)
    return label is None or any(_same_code(coding, label) for coding in _security(resource))


def _key(secret: bytes, level: Level, category: Category) -> bytes:
    """Return the key of the pseudonyms: one for the record, or, de-identified, one for each category."""
    scope = level.name if level is Level.PSEUDONYMISED else f"{level.name} {category.name}"
    return hmac.digest(secret, scope.encode(), "sha256")


@dataclass(frozen=True, slots=True)
class _Known:
    """
    What the record says about itself, needed to write it without.

    Attributes:
        ids: For each identifier `system|value` the id of the resource that has it.
        days: Days of birth and death: an event on such a day would tell it.
        types: The types of its resources: what else stands where a reference has its type may be anything.
    """

    ids: dict[str, str]
    days: frozenset[str]
    types: frozenset[str]

    @classmethod
    def of(cls, content: Content) -> _Known:
        ids: dict[str, str] = {}
        days: set[str] = set()
        resources = list(_resources(content))
        for resource in resources:
            if isinstance(resource.get("id"), str):
                ids.update(dict.fromkeys(_identifiers(resource), resource["id"]))
            days.update(str(resource[name])[:10] for name in _LIFE if name in resource)
        types = frozenset(
            str(resource["resourceType"]) for resource in resources if "resourceType" in resource
        )
        return cls(ids, frozenset(day for day in days if _DAY.match(day)), types)


class _Writer:
    """Writes the resources of one category at one level."""

    def __init__(self, level: Level, known: _Known, key: bytes, earliest: int) -> None:
        """Write with pseudonyms under *key*, and no year before *earliest*."""
        self._level = level
        self._known = known
        self._key = key
        self._earliest = earliest

    def all(self, resources: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Return the resources of the category, each with the label of the level."""
        written = ((resource, self.resource(resource)) for resource in resources)
        return [self._labelled(resource, kept) for resource, kept in written if kept is not None]

    def resource(self, resource: dict[str, Any]) -> dict[str, Any] | None:
        """Return a resource; one inside another carries no label (FHIR, dom-5)."""
        kept = self._element(resource)
        if kept is None:
            return None
        if isinstance(resource.get("id"), str):
            kept["id"] = self._pseudonym(resource["id"])
        if self._level is Level.DEIDENTIFIED:
            # An instant has no form as short as a year: the first one of the year stands for it.
            for name in _INSTANTS.get(str(resource["resourceType"]), ()):
                if isinstance(kept.get(name), str):
                    kept[name] += "-01-01T00:00:00Z"
        return kept

    def _labelled(self, resource: dict[str, Any], kept: dict[str, Any]) -> dict[str, Any]:
        others = [coding for coding in _security(resource) if not _is_level_label(coding)]
        security = [coding for coding in map(self._element, others) if coding]
        return {**kept, "meta": {"security": [*security, dict(_LABELS[self._level])]}}

    def _element(self, element: dict[str, Any]) -> dict[str, Any] | None:
        """Return what is harmless in an object; None if it must go with a modifier of its own."""
        if not is_kept(element):
            return None
        if _is_reference(element):
            return self._reference(element)
        kept = {name: self._value(name, value) for name, value in element.items() if not _is_dropped(name)}
        kept = {name: value for name, value in kept.items() if value is not None}
        if isinstance(kept.get("code"), str) and isinstance(element.get("system"), str):
            beside = {name: element.get(name) for name in ("system", "display")}
            kept.update({name: text for name, text in beside.items() if isinstance(text, str)})
        return self._capped(kept)

    def _value(self, name: str, value: Any) -> Any | None:
        """Return what is harmless in the value of an element; None if nothing is."""
        if isinstance(value, list):
            return [kept for kept in (self._value(name, item) for item in value) if kept is not None] or None
        if isinstance(value, dict):
            return self._object(name, value)
        if isinstance(value, str):
            return self._string(name, value)
        # A number or boolean; a date is neither.
        return None if name in DATED else value

    def _object(self, name: str, value: dict[str, Any]) -> dict[str, Any] | None:
        if name == "extension":
            return self._extension(value)
        if name.lower().endswith("address"):
            return self._address(value)
        if isinstance(value.get("resourceType"), str):
            return self.resource(value)
        kept = self._element(value)
        return _masked() if kept == {} else kept

    def _string(self, name: str, text: str) -> str | None:
        if name in DATED and _DATE.match(text):
            return self._date(name, text)
        if name in _CODED and _TOKEN.match(text):
            return text
        return self._referred(text) if name == "fullUrl" else None

    def _extension(self, extension: dict[str, Any]) -> dict[str, Any] | None:
        if str(extension.get("url")) not in _EXTENSIONS:
            return None
        kept = self._element(extension)
        return {**kept, "url": extension["url"]} if kept else None

    def _address(self, address: dict[str, Any]) -> dict[str, Any]:
        told = ("country", "state") if self._level is Level.PSEUDONYMISED else ("country",)
        found = {name: address[name] for name in told if isinstance(address.get(name), str)}
        return {name: place for name, place in found.items() if _PLACE.match(place)} or _masked()

    def _date(self, name: str, text: str) -> str:
        if self._level is Level.DEIDENTIFIED:
            return f"{max(int(text[:4]), self._earliest):04}"
        return text[:4] if name in _LIFE or text[:10] in self._known.days else text

    def _capped(self, quantity: dict[str, Any]) -> dict[str, Any]:
        """Return a quantity that, if it is an age over 89 years, says 90."""
        value, unit = quantity.get("value"), quantity.get("code", quantity.get("unit"))
        per_year = _PER_YEAR.get(unit) if isinstance(unit, str) else None
        if self._level is not Level.DEIDENTIFIED or per_year is None or not isinstance(value, int | float):
            return quantity
        return {**quantity, "value": min(value, OLDEST_YEARS * per_year)}

    def _reference(self, element: dict[str, Any]) -> dict[str, Any]:
        """Return a reference with a pseudonym for what it names, and without what it calls it."""
        kind = element.get("type")
        kept = {"type": kind} if isinstance(kind, str) and kind in self._known.types else {}
        if isinstance(element.get("reference"), str):
            return {**kept, "reference": self._referred(element["reference"])}
        name = _identifier_name(element.get("identifier"))
        pseudonym = f"urn:uuid:{self._pseudonym(self._known.ids.get(name, name))}"
        return {**kept, "identifier": {"system": "urn:ietf:rfc:3986", "value": pseudonym}}

    def _referred(self, text: str) -> str:
        """Return a literal reference with a pseudonym: contained, by URN, by identifier, relative or absolute."""
        if text.startswith("#"):
            return f"#{self._pseudonym(text[1:])}" if text[1:] else text
        path, _, query = text.partition("?")
        kind, _, name = path.partition("/_history/")[0].rpartition("/")
        if query:
            kind, name = path, unquote(query).removeprefix("identifier=")
            name = self._known.ids.get(name, name)
        pseudonym = self._pseudonym(_URN.sub("", name))
        kind = kind.rpartition("/")[2]
        return f"{kind}/{pseudonym}" if kind in self._known.types else f"urn:uuid:{pseudonym}"

    def _pseudonym(self, name: str) -> str:
        return str(UUID(bytes=hmac.digest(self._key, name.encode(errors="surrogatepass"), "sha256")[:16]))


def _masked() -> dict[str, Any]:
    """Return what stands for an element that had nothing harmless in it."""
    return {"extension": [{"url": _ABSENT, "valueCode": "masked"}]}


def _resources(content: Content) -> Iterator[dict[str, Any]]:
    """Yield the resources of a record and those that they contain."""
    for resources in content.values():
        for resource in resources:
            yield resource
            yield from (item for item in _list(resource.get("contained")) if isinstance(item, dict))


def _identifiers(resource: dict[str, Any]) -> Iterator[str]:
    """Yield the identifiers of a resource."""
    identifiers = resource.get("identifier")
    for identifier in identifiers if isinstance(identifiers, list) else [identifiers]:
        if isinstance(identifier, dict):
            yield _identifier_name(identifier)


def _identifier_name(identifier: Any) -> str:
    found = identifier if isinstance(identifier, dict) else {}
    return f"{found.get('system', '')}|{found.get('value', '')}"


def _security(resource: Mapping[str, Any]) -> list[dict[str, Any]]:
    meta = resource.get("meta")
    labels = meta.get("security") if isinstance(meta, dict) else None
    return [coding for coding in _list(labels) if isinstance(coding, dict)]


def _same_code(coding: dict[str, Any], label: dict[str, str]) -> bool:
    return all(coding.get(name) == label[name] for name in ("system", "code"))


def _is_level_label(coding: dict[str, Any]) -> bool:
    return any(_same_code(coding, label) for label in _LABELS.values())


def _is_dropped(name: str) -> bool:
    """Return whether an element goes whatever is in it: also extensions of primitives, and identifiers."""
    return name in _DROPPED or name.startswith("_") or name.lower().endswith("identifier")


def _is_reference(element: dict[str, Any]) -> bool:
    """Return whether an object is a Reference, literal or by identifier, rather than another type or a resource."""
    literal, named = isinstance(element.get("reference"), str), isinstance(element.get("identifier"), dict)
    return (literal or named) and element.keys() <= _REFERENCE


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
