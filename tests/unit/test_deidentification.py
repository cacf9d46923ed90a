"""De-identification, rule by rule. tests/property/test_deidentification.py has whole patients."""

from __future__ import annotations

from typing import Any

import pytest

from ledger.domain.vocabulary import RECORD_LEVELS, Category, Level
from ledger.errors import InvalidInput, MalformedRecord
from ledger.interop.deidentification import LABEL_SYSTEM, deidentify, is_labelled

SECRET = b"s" * 32
PSEUDONYMISED, DEIDENTIFIED = Level.PSEUDONYMISED, Level.DEIDENTIFIED
HIDING = pytest.mark.parametrize("level", [PSEUDONYMISED, DEIDENTIFIED])
MASKED = {
    "extension": [
        {"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "masked"}
    ]
}
US_CORE = "http://hl7.org/fhir/us/core/StructureDefinition"


def written(
    *resources: dict[str, Any], level: Level = PSEUDONYMISED, category: Category = Category.OTHER
) -> list[dict[str, Any]]:
    """De-identify resources of one category in 2026."""
    return deidentify({category: list(resources)}, level=level, secret=SECRET, year=2026)[category]


def element(content: dict[str, Any], level: Level = PSEUDONYMISED) -> dict[str, Any]:
    """De-identify the elements of a resource; returns what is left of them."""
    (made,) = written({"resourceType": "Basic", **content}, level=level)
    return {name: value for name, value in made.items() if name not in ("resourceType", "meta")}


class TestLevels:
    def test_the_identified_level_is_the_record_itself(self) -> None:
        content = {Category.OTHER: [{"resourceType": "Basic", "name": "Ann"}]}

        assert content == deidentify(content, level=Level.IDENTIFIED, secret=SECRET, year=2026)

    def test_one_persons_record_has_no_aggregate(self) -> None:
        with pytest.raises(InvalidInput, match="no form that is AGGREGATE") as refused:
            deidentify({}, level=Level.AGGREGATE, secret=SECRET, year=2026)

        assert all(level.name in refused.value.advice for level in RECORD_LEVELS)

    def test_what_is_nested_too_deeply_is_refused(self) -> None:
        nested: dict[str, Any] = {}
        for _ in range(2000):
            nested = {"component": nested}

        with pytest.raises(MalformedRecord, match="too deeply"):
            element(nested)


class TestLabels:
    @pytest.mark.parametrize(("level", "code"), [(PSEUDONYMISED, "PSEUDED"), (DEIDENTIFIED, "ANONYED")])
    def test_each_resource_carries_the_label_of_its_level_alone(self, level: Level, code: str) -> None:
        sensitive = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "HIV"}
        claimed = [{"system": LABEL_SYSTEM, "code": label} for label in ("PSEUDED", "ANONYED")]
        (made,) = written(
            {
                "resourceType": "Basic",
                "meta": {
                    "security": [*claimed, sensitive],
                    "source": "https://hospital.example",
                    "lastUpdated": "2020-01-02T03:04:05Z",
                },
            },
            level=level,
        )

        assert ["security"] == list(made["meta"])
        assert [sensitive["code"], code] == [label["code"] for label in made["meta"]["security"]]
        assert [level] == [known for known in (PSEUDONYMISED, DEIDENTIFIED) if is_labelled(made, known)]

    @pytest.mark.parametrize(
        "meta", [None, {}, {"security": None}, {"security": ["PSEUDED"]}, {"security": [{"code": "PSEUDED"}]}]
    )
    def test_what_has_no_label_is_not_labelled(self, meta: Any) -> None:
        assert not is_labelled({"resourceType": "Basic", "meta": meta}, PSEUDONYMISED)
        assert is_labelled({"resourceType": "Basic", "meta": meta}, Level.IDENTIFIED)

    @HIDING
    def test_a_contained_resource_has_no_label_and_loses_its_names(self, level: Level) -> None:
        contained = {
            "resourceType": "Patient",
            "id": "p",
            "name": [{"family": "Ann"}],
            "meta": {"source": "x"},
        }
        (inner,) = element({"contained": [contained]}, level)["contained"]

        assert {"resourceType", "id"} == set(inner)
        assert "p" != inner["id"]


class TestPseudonyms:
    PATIENT: dict[str, Any] = {  # noqa: RUF012 - never changed
        "resourceType": "Patient",
        "id": "pat-1",
        "identifier": [{"system": "urn:mrn", "value": "007"}],
    }

    @pytest.mark.parametrize(
        ("reference", "form"),
        [
            ("Patient/pat-1", "Patient/{}"),
            ("Patient/pat-1/_history/3", "Patient/{}"),
            ("https://hospital.example/fhir/Patient/pat-1", "Patient/{}"),
            ("urn:uuid:pat-1", "urn:uuid:{}"),
            ("pat-1", "urn:uuid:{}"),
            ("#pat-1", "#{}"),
            ("Patient?identifier=urn:mrn|007", "Patient/{}"),
            ("Patient?identifier=urn:mrn%7C007", "Patient/{}"),
        ],
    )
    @HIDING
    def test_every_form_of_reference_leads_to_the_pseudonym(
        self, reference: str, form: str, level: Level
    ) -> None:
        patient, made = written(
            self.PATIENT,
            {
                "resourceType": "Basic",
                "subject": {"reference": reference, "type": "Patient", "display": "Ann"},
                "entry": [{"fullUrl": reference}],
            },
            level=level,
        )

        expected = form.format(patient["id"])
        assert {"reference": expected, "type": "Patient"} == made["subject"]
        assert [{"fullUrl": expected}] == made["entry"]

    def test_a_reference_by_identifier_leads_there_too(self) -> None:
        patient, made = written(
            self.PATIENT,
            {"resourceType": "Basic", "subject": {"identifier": {"system": "urn:mrn", "value": "007"}}},
        )

        expected = {"system": "urn:ietf:rfc:3986", "value": f"urn:uuid:{patient['id']}"}
        assert {"identifier": expected} == made["subject"]

    def test_references_by_an_unknown_identifier_still_join(self) -> None:
        agent = {
            "type": "Practitioner",
            "identifier": {"system": "urn:npi", "value": "580"},
            "display": "Bob",
        }
        other = {"identifier": {"system": "urn:npi", "value": "581"}}
        made = element({"author": [agent, dict(agent), other]})["author"]

        assert made[0] == made[1] != made[2]
        assert "580" not in str(made)
        assert "Bob" not in str(made)

    def test_a_reference_to_the_container_stays(self) -> None:
        assert {"subject": {"reference": "#"}} == element({"subject": {"reference": "#"}})

    def test_what_is_no_type_of_the_record_is_not_kept(self) -> None:
        made = element({"subject": {"reference": "https://host/Ann/7", "type": "Ann"}})

        assert made["subject"]["reference"].startswith("urn:uuid:")
        assert ["reference"] == list(made["subject"])

    def test_a_category_has_pseudonyms_of_its_own_when_de_identified(self) -> None:
        made = {
            (level, category): written(self.PATIENT, level=level, category=category)[0]["id"]
            for level in (PSEUDONYMISED, DEIDENTIFIED)
            for category in (Category.DEMOGRAPHICS, Category.NOTES)
        }

        assert made[PSEUDONYMISED, Category.DEMOGRAPHICS] == made[PSEUDONYMISED, Category.NOTES]
        assert 3 == len(set(made.values()))


class TestDates:
    @pytest.mark.parametrize(
        "written_as", ["1950", "1950-06", "1950-06-03", "1950-06-03T10:11:12.5Z", "1950-06-03T10:11+02:00"]
    )
    def test_dates_are_kept_or_reduced_to_the_year(self, written_as: str) -> None:
        period = {"start": written_as, "end": written_as}
        content = {"onsetDateTime": written_as, "period": period, "event": [written_as]}

        assert content == element(content)
        year = {"start": "1950", "end": "1950"}
        assert {"onsetDateTime": "1950", "period": year, "event": ["1950"]} == element(content, DEIDENTIFIED)

    @HIDING
    def test_of_birth_and_death_the_year_is_told(self, level: Level) -> None:
        content = {
            "birthDate": "1950-06-03",
            "deceasedDateTime": "2020-01-02T03:04:05Z",
            "_birthDate": {"x": 1},
        }

        assert {"birthDate": "1950", "deceasedDateTime": "2020"} == element(content, level)

    def test_what_happened_on_the_day_of_birth_or_death_does_not_tell_it(self) -> None:
        patient = {
            "resourceType": "Patient",
            "birthDate": "1950-06-03",
            "deceasedDateTime": "2020-01-02T03:04:05Z",
        }
        dates = ["1950-06-03T01:00:00Z", "2020-01-02", "1950-06-04"]
        _, made = written(patient, {"resourceType": "Basic", "event": dates})

        assert ["1950", "2020", "1950-06-04"] == made["event"]

    def test_a_bare_year_of_birth_hides_no_day(self) -> None:
        _, made = written(
            {"resourceType": "Patient", "birthDate": "1950"}, {"resourceType": "Basic", "created": "1950"}
        )

        assert "1950" == made["created"]

    def test_no_year_is_told_that_makes_somebody_older_than_ninety(self) -> None:
        content = {"birthDate": "1921-03-04", "recordedDate": "1935-01-01", "onsetDateTime": "1936-05-05"}

        assert {"birthDate": "1921", "recordedDate": "1935-01-01", "onsetDateTime": "1936-05-05"} == element(
            content
        )
        assert {"birthDate": "1936", "recordedDate": "1936", "onsetDateTime": "1936"} == element(
            content, DEIDENTIFIED
        )

    @pytest.mark.parametrize(
        ("age", "expected"),
        [
            ({"value": 89, "code": "a"}, 89),
            ({"value": 97, "code": "a"}, 90),
            ({"value": 97.5, "unit": "years"}, 90),
            ({"value": 1170, "code": "mo"}, 1080),
            ({"value": 120, "code": "mm[Hg]"}, 120),
            ({"value": 97}, 97),
        ],
    )
    def test_ages_end_at_ninety(self, age: dict[str, Any], expected: float) -> None:
        assert {"onsetAge": age} == element({"onsetAge": age})
        assert {"onsetAge": {**age, "value": expected}} == element({"onsetAge": age}, DEIDENTIFIED)

    def test_an_instant_stays_one(self) -> None:
        instant = "2020-05-06T07:08:09.123Z"
        (kept,) = written({"resourceType": "Observation", "issued": instant})
        (made,) = written({"resourceType": "Observation", "issued": instant}, level=DEIDENTIFIED)

        assert (instant, "2020-01-01T00:00:00Z") == (kept["issued"], made["issued"])

    @HIDING
    def test_what_is_no_date_is_not_kept_as_one(self, level: Level) -> None:
        content = {"onsetDateTime": "when Ann was 7", "start": "1950-06-03 Ann", "birthDate": 19500603}

        assert {} == element(content, level)


class TestPlaces:
    ADDRESS: dict[str, Any] = {  # noqa: RUF012 - never changed
        "use": "home",
        "text": "1 Main Street, Athol",
        "line": ["1 Main Street"],
        "city": "Athol",
        "district": "Worcester",
        "postalCode": "01331",
        "state": "Massachusetts",
        "country": "US",
        "extension": [{"url": "http://hl7.org/fhir/StructureDefinition/geolocation"}],
    }

    @pytest.mark.parametrize("name", ["address", "locationAddress", "valueAddress"])
    def test_of_a_place_country_and_state_stay(self, name: str) -> None:
        assert {name: {"state": "Massachusetts", "country": "US"}} == element({name: self.ADDRESS})
        assert {name: [{"country": "US"}]} == element({name: [self.ADDRESS]}, DEIDENTIFIED)

    @pytest.mark.parametrize("country", ["US 01331", {"text": "Ann"}, ["Ann"], 1, "Ann\nSmith", ""])
    def test_what_is_no_country_is_not_kept_as_one(self, country: Any) -> None:
        assert {"address": MASKED} == element({"address": {"country": country}})

    @HIDING
    def test_coordinates_go(self, level: Level) -> None:
        assert {} == element({"position": {"latitude": 42.5, "longitude": -72.2}, "latitude": 42.5}, level)


class TestText:
    @pytest.mark.parametrize(
        "content",
        [
            {"name": [{"family": "Ann", "use": "official"}]},
            {"name": "Athol Hospital"},
            {"telecom": [{"system": "phone", "value": "555-1"}]},
            {"contact": [{"gender": "female"}]},
            {"photo": [{"contentType": "image/png", "data": "QQ=="}]},
            {"identifier": [{"system": "urn:mrn", "value": "007"}]},
            {"groupIdentifier": {"system": "urn:mrn", "value": "007"}},
            {"text": {"status": "generated", "div": "<div>Ann</div>"}},
            {"note": [{"text": "Ann", "time": "2020-01-01"}]},
            {"multipleBirthInteger": 3},
            {"udiCarrier": [{"deviceIdentifier": "1", "entryType": "barcode"}]},
            {"serialNumber": "SN-1", "lotNumber": "L-1", "distinctIdentifier": "D"},
            {"valueString": "Ann"},
            {"comment": "Ann", "description": "Ann", "patientInstruction": "Ann", "neverHeardOf": "Ann"},
            {"given": ["Ann", None]},
            {"status": "seen by Ann"},
        ],
    )
    @HIDING
    def test_what_names_somebody_goes(self, content: dict[str, Any], level: Level) -> None:
        assert {} == element(content, level)

    @HIDING
    def test_codes_displays_units_numbers_and_booleans_stay(self, level: Level) -> None:
        content = {
            "status": "final",
            "code": {"coding": [{"system": "http://loinc.org", "code": "8302-2", "display": "Body Height"}]},
            "valueQuantity": {
                "value": 1.5,
                "unit": "m",
                "system": "http://unitsofmeasure.org",
                "code": "m",
                "comparator": "<",
            },
            "active": False,
            "sequence": 0,
        }

        assert content == element(content, level)

    @HIDING
    def test_a_display_without_its_code_is_free_text(self, level: Level) -> None:
        coding = {"display": "Ann", "userSelected": True}

        assert {"code": {"coding": [{"userSelected": True}]}} == element(
            {"code": {"coding": [coding]}}, level
        )
        assert {"code": {"coding": [{"code": "x"}]}} == element(
            {"code": {"coding": [{"code": "x", "display": "Ann"}]}}, level
        )

    @HIDING
    def test_of_an_attachment_neither_data_nor_address_nor_title_stays(self, level: Level) -> None:
        attachment = {
            "contentType": "text/plain",
            "data": "QW5u",
            "url": "https://hospital.example/ann",
            "title": "Ann",
            "hash": "QQ==",
        }

        assert {"content": [{"attachment": {"contentType": "text/plain"}}]} == element(
            {"content": [{"attachment": attachment}]}, level
        )

    @HIDING
    def test_an_element_of_which_nothing_is_left_says_so(self, level: Level) -> None:
        content = {"code": {"text": "Ann's cold"}, "insurer": {"display": "Ann's employer"}}

        assert {"code": MASKED, "insurer": MASKED} == element(content, level)


class TestExtensions:
    @HIDING
    def test_only_known_extensions_stay(self, level: Level) -> None:
        race = {
            "url": f"{US_CORE}/us-core-race",
            "extension": [
                {"url": "ombCategory", "valueCoding": {"system": "urn:oid:1", "code": "2106-3"}},
                {"url": "text", "valueString": "White"},
            ],
        }
        others = [
            {"url": f"{US_CORE}/us-core-birthsex", "valueString": "Ann"},
            {
                "url": "http://hl7.org/fhir/StructureDefinition/patient-mothersMaidenName",
                "valueString": "Ann",
            },
            {
                "url": "http://hl7.org/fhir/StructureDefinition/patient-birthPlace",
                "valueAddress": {"country": "US"},
            },
            {"url": "https://hospital.example/ssn", "valueInteger": 999},
        ]

        made = element({"extension": [race, *others], "_status": {"extension": [race]}}, level)

        assert {"extension": [{**race, "extension": race["extension"][:1]}]} == made

    @HIDING
    def test_what_a_lost_modifier_would_change_goes_with_it(self, level: Level) -> None:
        negated = {"modifierExtension": [{"url": "https://hospital.example/not", "valueBoolean": True}]}
        content = {"component": [{"valueInteger": 1, **negated}, {"valueInteger": 2}]}

        assert {"component": [{"valueInteger": 2}]} == element(content, level)
        assert [] == written({"resourceType": "Basic", **negated}, level=level)
        assert [] == written({"resourceType": "Basic", "implicitRules": "https://rules.example"}, level=level)
