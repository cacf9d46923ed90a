"""Days of resources: of anything that has the form of FHIR, and of real patients."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.domain.vocabulary import Level
from ledger.interop.dating import is_within, span_of, tells_other_days
from ledger.interop.deidentification import deidentify, is_kept
from ledger.interop.fhir import read_bundle
from tests.support.data import bundle

DAYS = st.dates(date(1900, 1, 1), date(2079, 6, 5))
ELEMENTS = st.sampled_from(("date", "issued", "recordedDate", "effectiveDateTime", "authoredOn", "started"))
NAMES = st.sampled_from(("component", "item", "extension", "value", "valueDate", "note", "period", "time"))


@st.composite
def nested(draw: st.DrawFn, day: date) -> Any:
    """Return a date somewhere in lists and objects."""
    value: Any = day.isoformat()
    for name in draw(st.lists(NAMES, max_size=4)):
        value = {name: [value] if draw(st.booleans()) else value}
    return value


@given(st.data(), st.lists(DAYS, min_size=1, max_size=5), DAYS, DAYS)
def test_a_resource_is_within_days_if_and_only_if_each_of_its_dates_is(
    data: st.DataObject, told: list[date], one: date, other: date
) -> None:
    """Wherever the dates stand."""
    first, last = min(one, other), max(one, other)
    resource: dict[str, Any] = {"resourceType": "Basic", data.draw(ELEMENTS): told[0].isoformat()}
    resource["part"] = [data.draw(nested(day)) for day in told[1:]]

    # A half-open period is of every day before or after: here are none.
    assert all(first <= day <= last for day in told) is is_within(resource, first, last)


@given(DAYS, st.integers(0, 400), st.integers(-2, 2), st.integers(-2, 2))
def test_a_period_is_within_days_up_to_its_very_borders(
    start: date, length: int, before: int, after: int
) -> None:
    end = start + timedelta(length)
    resource = {"period": {"start": start.isoformat(), "end": end.isoformat()}}
    first, last = start - timedelta(before), end + timedelta(after)

    assert (before >= 0 and after >= 0) is is_within(resource, first, last)


@pytest.mark.parametrize("patient", range(20))
def test_days_part_a_real_record_without_loss(patient: int) -> None:
    """Each dated resource is within its own days, and not within any that leave out their first or last."""
    for resources in read_bundle(bundle(patient)).content.values():
        for resource in resources:
            span = span_of(resource)
            if span is None:
                continue
            assert is_within(resource, span.first, span.last)
            if span.first > date.min:
                assert not is_within(resource, span.first + timedelta(1), None)
            if span.last < date.max:
                assert not is_within(resource, None, span.last - timedelta(1))


@pytest.mark.parametrize("level", [Level.PSEUDONYMISED, Level.DEIDENTIFIED])
@pytest.mark.parametrize("patient", range(0, 20, 4))
def test_levels_have_the_same_resources_in_the_same_order(patient: int, level: Level) -> None:
    """But for those with a modifier of their own: so the days of an original are those of what was made of it."""
    content = read_bundle(bundle(patient)).content
    for resources in content.values():
        resources[::3] = [{**each, "modifierExtension": [{"url": "urn:x"}]} for each in resources[::3]]
    made = deidentify(content, level=level, secret=b"s" * 32, year=2026)

    for category, resources in content.items():
        kept = [each for each in resources if is_kept(each)]
        assert [each["resourceType"] for each in kept] == [each["resourceType"] for each in made[category]]
        for original, written in zip(kept, made[category], strict=True):
            expected = original.get("effectiveDateTime", "")[:4]
            assert expected == written.get("effectiveDateTime", "")[:4]


@pytest.mark.parametrize("patient", range(20))
def test_what_is_pseudonymised_tells_other_days_only_if_it_is_of_others(patient: int) -> None:
    """Of its own days, to the very borders, none; of days after its own, one, wherever a day was kept."""
    content = read_bundle(bundle(patient)).content
    made = deidentify(content, level=Level.PSEUDONYMISED, secret=b"s" * 32, year=2026)
    told = 0
    for category, resources in content.items():
        for original, written in zip(resources, made[category], strict=True):
            span = span_of(original)
            if span is None:
                continue
            assert not tells_other_days(written, span.first, span.last)
            if span.last < date.max and span.first.isoformat() in json.dumps(written):
                assert tells_other_days(written, span.last + timedelta(1), None)
                told += 1
    assert told
