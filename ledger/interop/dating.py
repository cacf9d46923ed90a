"""
Which days a FHIR R4 resource is from. Pure.

A resource is from all days between the first and the last date that it tells, wherever in it they stand: a condition
from its onset to its end, a claim from the first day of care to the day it was made. So it is wholly within some days
only if nothing in it is of another one. It counts as dated only if it says itself when it was done, begun or recorded:
one of `_DATING`, at its top. Not days that it is from are those in `_APART`: of birth, of a product's making and expiry,
and of storage. What is not dated, or tells a date that cannot be read, cannot be shown to be from any day.

A day is the one that is written, in the zone that is written with it; nothing is converted. A year or a month is all its
days. A period without an end is still running, one without a start began at any time. Ages, and dates in prose, are not
looked at.

A Patient is an exception: FHIR dates none, and who somebody is holds on every day. A consent that names DEMOGRAPHICS and
days would name the kind of data in vain. It is within all days unless it tells a date, as of death, that is not.

Source: HL7 FHIR R4: the elements of its resources that answer FiveWs.done[x], FiveWs.init and FiveWs.recorded, the types
date, dateTime, instant, Period and Timing, and Patient/$everything, whose days are "care dates, not record currency dates".
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from ledger.interop.deidentification import DATED

#: Elements at the top of a resource by which it is dated.
_DATING: Final = frozenset(
    """
    abatementDateTime abatementPeriod authored authoredOn billablePeriod created createdDateTime createdPeriod
    date dateAsserted dateTime dateWritten detected effectiveDateTime effectiveInstant effectivePeriod
    effectiveTiming end executionPeriod identifiedDateTime identifiedPeriod issued lastOccurrence
    occurredDateTime occurredPeriod occurrenceDateTime occurrencePeriod occurrenceTiming onsetDateTime
    onsetPeriod performedDateTime performedPeriod period received receivedTime recorded recordedDate
    recordedOn sent servicedDate servicedPeriod start startDate started statusDate timingDateTime
    timingPeriod timingTiming whenHandedOver whenPrepared
    """.split()  # noqa: SIM905 - one name per line would fill pages
)
#: A Specimen says in here when it was taken.
_COLLECTION: Final = "collection"
#: Elements whose dates are not days that the data is from, with everything in them.
_APART: Final = frozenset(
    ("birthDate", "bornDate", "bornPeriod", "expirationDate", "expiry", "manufactureDate", "meta")
)
_PERIOD: Final = frozenset(("end", "extension", "id", "start", "_end", "_start"))
_BOUNDS: Final = frozenset(("end", "start"))
_DATE: Final = re.compile(
    r"\A(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)?)?)?)?\Z", re.ASCII
)


@dataclass(frozen=True, slots=True)
class Span:
    """
    Days, the first and the last included.

    Attributes:
        first: `date.min` where no first one is known.
        last: `date.max` where it goes on.
    """

    first: date
    last: date

    def is_within(self, first: date | None, last: date | None) -> bool:
        """Return whether all of it is from *first* to *last*, both included; None is no limit."""
        return (first is None or first <= self.first) and (last is None or self.last <= last)


def span_of(resource: Mapping[str, Any]) -> Span | None:
    """
    Return the days that a resource is from; None if it is not dated, or tells a date that cannot be read.

    Args:
        resource: A FHIR R4 resource as it was registered, not one whose dates were generalised.
    """
    dating = [value for name, value in resource.items() if name in _DATING]
    if resource.get("resourceType") == "Specimen":
        dating.append(resource.get(_COLLECTION))
    try:
        if not any(True for value in dating for _ in _told("date", value)):
            return None
        return _around(_told("", resource))
    except ValueError:
        return None


def is_within(resource: Mapping[str, Any], first: date | None, last: date | None) -> bool:
    """
    Return whether a resource is wholly from *first* to *last*, both included; None is no limit.

    What cannot be shown to be is not, but for a Patient without other dates than that of birth.
    """
    if resource.get("resourceType") == "Patient":
        try:
            span = _around(_told("", resource))
        except ValueError:
            return False
        return span is None or span.is_within(first, last)
    span = span_of(resource)
    return span is not None and span.is_within(first, last)


def tells_other_days(resource: Mapping[str, Any], first: date | None, last: date | None) -> bool:
    """
    Return whether a resource tells a date that is wholly outside of some days, or one that cannot be read.

    For resources of which dates were generalised to a year: what was wholly from the days tells none.

    Args:
        resource: A FHIR R4 resource; not one whose instants were generalised, for they have no form as short as a year.
        first: First day, included; None for no limit.
        last: Last day.
    """
    try:
        return any(
            (first is not None and span.last < first) or (last is not None and last < span.first)
            for span in _told("", resource)
        )
    except ValueError:
        return True


def _around(spans: Iterator[Span]) -> Span | None:
    """Return the days from the first to the last of several spans; None if there are none."""
    found = list(spans)
    return Span(min(s.first for s in found), max(s.last for s in found)) if found else None


def _told(name: str, value: Any) -> Iterator[Span]:
    """
    Yield each date in an element, whatever is nested how deeply in it.

    Raises:
        ValueError: One cannot be read.
    """
    waiting = [(name, value)]
    while waiting:
        name, value = waiting.pop()
        if name in _APART:
            continue
        if isinstance(value, list):
            waiting.extend((name, item) for item in value)
        elif isinstance(value, dict):
            waiting.extend(value.items())
            if value.keys() <= _PERIOD and len(value.keys() & _BOUNDS) == 1:
                # Running still, or since who knows when.
                open_end = date.max if "start" in value else date.min
                yield Span(open_end, open_end)
        elif isinstance(value, str) and (name in DATED or name in _DATING or _is_day(value)):
            yield _read(value)


def _is_day(text: str) -> bool:
    """Return whether a string of an element that this module does not know is a date: a year alone may be any number."""
    found = _DATE.match(text)
    return found is not None and found[3] is not None


def _read(text: str) -> Span:
    found = _DATE.match(text)
    if found is None:
        raise ValueError(text)
    year, month, day = found.groups()
    first = date(int(year), int(month or 1), int(day or 1))
    until = int(month or 12)
    return Span(first, date(first.year, until, int(day or monthrange(first.year, until)[1])))
