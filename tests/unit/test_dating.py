"""Which days a resource is from: real ones, each element that dates, and the borders of the days asked for."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from ledger.interop.dating import Span, is_within, span_of, tells_other_days
from tests.support.data import FHIR_EXAMPLES, bundle

FIRST, LAST = date(2020, 1, 1), date(2020, 1, 31)
ZONED = "T22:15:00-05:00"
DATES = """
    abatementDateTime authored authoredOn created createdDateTime date dateAsserted dateTime dateWritten
    detected effectiveDateTime effectiveInstant end identifiedDateTime issued lastOccurrence
    occurredDateTime occurrenceDateTime onsetDateTime performedDateTime received receivedTime recorded
    recordedDate recordedOn sent servicedDate start startDate started statusDate timingDateTime
    whenHandedOver whenPrepared
""".split()  # noqa: SIM905 - one name per line would fill pages
PERIODS = """
    abatementPeriod billablePeriod createdPeriod effectivePeriod executionPeriod identifiedPeriod
    occurredPeriod occurrencePeriod onsetPeriod performedPeriod period servicedPeriod timingPeriod
""".split()  # noqa: SIM905 - one name per line would fill pages


def resource(kind: str = "Basic", **elements: Any) -> dict[str, Any]:
    return {"resourceType": kind, **elements}


def days(first: str, last: str | None = None) -> Span:
    return Span(date.fromisoformat(first), date.fromisoformat(last or first))


def of_type(kind: str) -> list[dict[str, Any]]:
    """Return the resources of a type of three real patients."""
    found = [entry["resource"] for index in range(3) for entry in bundle(index)["entry"]]
    return [each for each in found if each["resourceType"] == kind]


class TestRealResources:
    @pytest.mark.parametrize(
        ("kind", "element"),
        [
            ("Observation", "effectiveDateTime"),
            ("DiagnosticReport", "effectiveDateTime"),
            ("Immunization", "occurrenceDateTime"),
            ("MedicationRequest", "authoredOn"),
        ],
    )
    def test_what_happened_at_a_time_is_from_that_day(self, kind: str, element: str) -> None:
        found = of_type(kind)

        assert found
        assert [days(each[element][:10]) for each in found] == [span_of(each) for each in found]

    @pytest.mark.parametrize(("kind", "element"), [("Encounter", "period"), ("Procedure", "performedPeriod")])
    def test_what_took_a_while_is_from_all_its_days(self, kind: str, element: str) -> None:
        found = of_type(kind)

        assert found
        for each in found:
            period = each[element]
            assert days(period["start"][:10], period["end"][:10]) == span_of(each)

    def test_a_condition_is_from_its_onset_to_its_end(self) -> None:
        found = [each for each in of_type("Condition") if "abatementDateTime" in each]

        assert found
        for each in found:
            assert days(each["onsetDateTime"][:10], each["abatementDateTime"][:10]) == span_of(each)

    def test_a_bill_is_from_the_days_of_its_items_too(self) -> None:
        """Synthea's bills tell services of another year than the period that they are for."""
        for each in of_type("ExplanationOfBenefit"):
            serviced = [
                date.fromisoformat(item["servicedPeriod"]["start"][:10])
                for item in each["item"]
                if "servicedPeriod" in item
            ]
            billed = date.fromisoformat(each["billablePeriod"]["end"][:10])
            span = span_of(each)

            assert span is not None
            assert span.first <= min(serviced)
            assert span.last >= billed

    @pytest.mark.parametrize("kind", ["Organization", "Practitioner", "Patient", "Goal"])
    def test_what_says_no_time_is_not_dated(self, kind: str) -> None:
        found = [entry["resource"] for index in range(20) for entry in bundle(index)["entry"]]
        found = [each for each in found if each["resourceType"] == kind]

        assert found
        assert {span_of(each) for each in found} == {None}

    def test_official_examples(self) -> None:
        expected = {
            "AuditEvent-example.json": days("2012-10-25"),
            "Consent-consent-example-basic.json": days("1964-01-01", "2016-05-11"),
            "Provenance-consent-signature.json": days("2016-05-26"),
        }
        found = {name: span_of(json.loads((FHIR_EXAMPLES / name).read_text())) for name in expected}

        assert expected == found


class TestElements:
    @pytest.mark.parametrize(
        "element",
        DATES,
    )
    def test_each_dates(self, element: str) -> None:
        assert days("2020-01-31") == span_of(resource(**{element: "2020-01-31" + ZONED}))

    @pytest.mark.parametrize(
        "element",
        PERIODS,
    )
    def test_each_period_dates(self, element: str) -> None:
        period = {"start": "2020-01-02", "end": "2020-01-04T00:10:00+08:00"}

        assert days("2020-01-02", "2020-01-04") == span_of(resource(**{element: period}))

    @pytest.mark.parametrize("element", ["effectiveTiming", "occurrenceTiming", "timingTiming"])
    def test_a_timing_dates_by_its_events_or_its_bounds(self, element: str) -> None:
        events = {"event": ["2020-01-05", "2020-01-03"]}
        bounds = {"repeat": {"boundsPeriod": {"start": "2020-01-01", "end": "2020-02-01"}, "frequency": 1}}

        assert days("2020-01-03", "2020-01-05") == span_of(resource(**{element: events}))
        assert days("2020-01-01", "2020-02-01") == span_of(resource(**{element: bounds}))
        assert span_of(resource(**{element: {"repeat": {"frequency": 1}}})) is None

    def test_a_specimen_is_dated_by_its_collection(self) -> None:
        collection = {"collectedDateTime": "2020-01-02"}

        assert days("2020-01-02") == span_of(resource("Specimen", collection=collection))
        assert span_of(resource("Basic", collection=collection)) is None

    @pytest.mark.parametrize("element", ["onsetAge", "onsetString", "valueDateTime", "dueDate", "unknown"])
    def test_what_says_something_else_does_not_date(self, element: str) -> None:
        assert span_of(resource(**{element: "2020-01-02"})) is None

    @pytest.mark.parametrize(
        "elsewhere",
        [
            {"valueDateTime": "2019-12-31"},
            {"component": [{"code": {}, "valuePeriod": {"start": "2019-12-31", "end": "2020-01-01"}}]},
            {"note": [{"time": "2019-12-31T08:00:00Z", "text": "Seen"}]},
            {"contained": [{"resourceType": "Observation", "effectiveDateTime": "2019-12-31"}]},
            {"extension": [{"url": "urn:x", "valueDate": "2019-12-31"}]},
            {"_issued": {"extension": [{"url": "urn:x", "valueInstant": "2019-12-31T00:00:00Z"}]}},
            {"ofAnotherStandard": {"whatever": ["2019-12-31"]}},
        ],
    )
    def test_a_date_anywhere_in_it_counts(self, elsewhere: dict[str, Any]) -> None:
        """A resource that tells something of another day is not wholly from its own."""
        dated = resource("Observation", effectiveDateTime="2020-01-02")

        assert is_within(dated, FIRST, LAST)
        assert days("2019-12-31", "2020-01-02") == span_of({**dated, **elsewhere})
        assert not is_within({**dated, **elsewhere}, FIRST, LAST)

    @pytest.mark.parametrize(
        "apart",
        [
            {"meta": {"lastUpdated": "2024-05-05T05:05:05Z"}},
            {"expirationDate": "2024-05-05", "lotNumber": "7"},
            {"contained": [{"resourceType": "Patient", "birthDate": "1950-05-05"}]},
            {"contained": [{"resourceType": "Device", "manufactureDate": "2019-05-05", "expiry": "2029"}]},
            {"bornPeriod": {"start": "1920-05-05"}},
            {"valueString": "2024", "code": "2019-05"},
            {"text": {"div": "<div>Seen again on 2024-05-05</div>"}},
        ],
    )
    def test_what_is_no_day_of_the_data_does_not_count(self, apart: dict[str, Any]) -> None:
        assert days("2020-01-02") == span_of(resource(date="2020-01-02", **apart))

    @pytest.mark.parametrize(
        "text",
        ["", "soon", "2020-02-30", "2020-13", "0000-01-01", "20200102", "2020-01-02 10:00", "2020-1-2"],
    )
    @pytest.mark.parametrize("element", ["date", "valueDate"])
    def test_a_date_that_cannot_be_read_leaves_it_undated(self, element: str, text: str) -> None:
        """Whatever else it says: nobody can show that it is from the days."""
        assert span_of(resource(issued="2020-01-02", **{element: text})) is None

    def test_numbers_and_nothing_are_no_dates(self) -> None:
        assert days("2020-01-02") == span_of(resource(date="2020-01-02", start=3, end=None, issued=[]))
        assert span_of(resource(date=20200102, period={}, issued=None)) is None

    def test_depth_does_not_matter(self) -> None:
        nested: Any = {"date": "2019-05-05"}
        for _ in range(5000):
            nested = {"part": [nested]}

        assert days("2019-05-05", "2020-01-02") == span_of(resource(date="2020-01-02", part=nested))


class TestBorders:
    @pytest.mark.parametrize(
        ("elements", "within"),
        [
            # The first and the last day are in; the day is the one written, whatever it is elsewhere.
            ({"date": "2020-01-01"}, True),
            ({"date": "2020-01-31"}, True),
            ({"date": "2019-12-31"}, False),
            ({"date": "2020-02-01"}, False),
            ({"date": "2020-01-31T23:59:59.999-05:00"}, True),
            ({"date": "2020-02-01T00:00:00+08:00"}, False),
            ({"date": "2020-01-01T00:00:00+08:00"}, True),
            ({"date": "2019-12-31T23:59:59Z"}, False),
            # A month or a year is all its days.
            ({"date": "2020-01"}, True),
            ({"date": "2020"}, False),
            ({"date": "2019-12"}, False),
            # What reaches across a border stays.
            ({"period": {"start": "2020-01-01", "end": "2020-01-31"}}, True),
            ({"period": {"start": "2019-12-31", "end": "2020-01-02"}}, False),
            ({"period": {"start": "2020-01-30", "end": "2020-02-01"}}, False),
            ({"period": {"start": "2019-12-01", "end": "2020-02-28"}}, False),
            ({"period": {"start": "2020-01-02"}}, False),
            ({"period": {"end": "2020-01-02"}}, False),
            ({"period": {"start": "2020-01-02", "end": "2020-01"}}, True),
            # Every element counts: a result that was issued after the last day is not wholly from the days.
            ({"effectiveDateTime": "2020-01-31", "issued": "2020-02-01T08:00:00Z"}, False),
            ({"onsetDateTime": "2012-04-01", "recordedDate": "2020-01-10"}, False),
            ({}, False),
        ],
    )
    def test_wholly_within_a_month(self, elements: dict[str, Any], within: bool) -> None:
        assert is_within(resource(**elements), FIRST, LAST) is within

    @pytest.mark.parametrize(
        ("elements", "since", "up_to"),
        [
            ({"date": "2020-01-15"}, True, True),
            ({"date": "1890-01-15"}, False, True),
            ({"date": "2100-01-15"}, True, False),
            ({"period": {"start": "2020-01-15"}}, True, False),
            ({"period": {"end": "2020-01-15"}}, False, True),
            ({"code": {"text": "undated"}}, False, False),
        ],
    )
    def test_one_border_alone(self, elements: dict[str, Any], since: bool, up_to: bool) -> None:
        assert is_within(resource(**elements), FIRST, None) is since
        assert is_within(resource(**elements), None, LAST) is up_to


class TestOtherDays:
    """What a resource whose dates may be years tells against its being of the days."""

    @pytest.mark.parametrize(
        ("elements", "tells"),
        [
            ({}, False),
            ({"date": "2020-01-01"}, False),
            ({"date": "2020-01-31"}, False),
            ({"date": "2020"}, False),
            ({"date": "2019-12-31"}, True),
            ({"date": "2020-02-01"}, True),
            ({"date": "2019"}, True),
            ({"date": "2020-01-15", "issued": "2020-02"}, True),
            ({"date": "soon"}, True),
            ({"period": {"start": "2020-01-15"}}, True),
        ],
    )
    def test_of_a_month(self, elements: dict[str, Any], tells: bool) -> None:
        assert tells_other_days(resource(**elements), FIRST, LAST) is tells

    def test_one_border_alone(self) -> None:
        assert not tells_other_days(resource(date="2021"), FIRST, None)
        assert tells_other_days(resource(date="2019"), FIRST, None)
        assert not tells_other_days(resource(date="2019"), None, LAST)
        assert tells_other_days(resource(date="2021"), None, LAST)


class TestPatients:
    def test_who_somebody_is_holds_on_every_day(self) -> None:
        (patient,) = (entry for entry in of_type("Patient") if entry["id"] == of_type("Patient")[0]["id"])

        assert "birthDate" in patient
        assert is_within(patient, FIRST, LAST)

    @pytest.mark.parametrize(
        "elements",
        [
            {"deceasedDateTime": "2023-03-03"},
            {"address": [{"city": "Boston", "period": {"start": "2021-01-01", "end": "2022-01-01"}}]},
            {"deceasedDateTime": "unknown"},
        ],
    )
    def test_but_for_what_it_tells_of_other_days(self, elements: dict[str, Any]) -> None:
        assert not is_within(resource("Patient", birthDate="1950-05-05", **elements), FIRST, LAST)

    @pytest.mark.parametrize("kind", ["RelatedPerson", "Person", "Device", "Medication", "MolecularSequence"])
    def test_nothing_else_is_from_every_day(self, kind: str) -> None:
        assert not is_within(resource(kind, gender="female"), FIRST, LAST)
