"""De-identification of real patients, and of anything that has the form of FHIR."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.domain.vocabulary import Category, Level
from ledger.interop.deidentification import Content, deidentify, is_labelled
from ledger.interop.fhir import read_bundle
from tests.support.data import bundle

SECRET = b"s" * 32
YEAR = 2026
HIDING = (Level.PSEUDONYMISED, Level.DEIDENTIFIED)
EVERY_PATIENT = pytest.mark.parametrize("patient", range(20))
EVERY_LEVEL = pytest.mark.parametrize("level", HIDING)


@cache
def original(patient: int) -> Content:
    """Return a patient's record."""
    return read_bundle(bundle(patient)).content


@cache
def written(patient: int, level: Level) -> Content:
    """Return a patient's record at a level."""
    return deidentify(original(patient), level=level, secret=SECRET, year=YEAR)


def resources(content: Content) -> list[dict[str, Any]]:
    """Return the resources of a record."""
    return [resource for entries in content.values() for resource in entries]


def values(node: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Yield each primitive of a JSON value with the name it stands under."""
    if isinstance(node, dict):
        for key, inner in node.items():
            yield from values(inner, key)
    elif isinstance(node, list):
        for inner in node:
            yield from values(inner, name)
    else:
        yield name, node


def strings(content: Content) -> set[str]:
    """Return every string in a record."""
    return {value for _, value in values(resources(content)) if isinstance(value, str)}


def points_to_somebody(content: Content) -> set[str]:
    """Return what identifies the patient and the people and places around: names, numbers, streets, ids, birth."""
    found: set[str] = set()
    for resource in resources(content):
        found.add(resource["id"])
        for name in ("name", "telecom", "identifier", "birthDate"):
            found.update(
                text
                for key, text in values(resource.get(name), name)
                if text is not None and key in ("family", "given", "name", "value", "birthDate")
            )
        for address in resource.get("address", []):
            found.update([*address["line"], address["city"], address.get("postalCode", address["city"])])
        for extension in resource.get("extension", []):
            if extension["url"].endswith(("mothersMaidenName", "birthPlace")):
                found.update(text for key, text in values(extension) if key in ("valueString", "city"))
    return found


def references(content: Content) -> Iterator[str]:
    """Yield what references outside their own resource name."""
    for name, value in values(resources(content)):
        if name == "reference" and not value.startswith("#"):
            yield value.removeprefix("urn:uuid:")


def codings(node: Any) -> Iterator[dict[str, Any]]:
    """Yield the codings of a resource, but for those of identifiers."""
    if isinstance(node, dict):
        yield from node.get("coding", [])
        for name in sorted(node.keys() - {"coding", "identifier"}):
            yield from codings(node[name])
    elif isinstance(node, list):
        for inner in node:
            yield from codings(inner)


@EVERY_PATIENT
@EVERY_LEVEL
def test_nothing_that_points_to_somebody_is_left(patient: int, level: Level) -> None:
    """No name, identifier, street, city, phone, original id or birth date, in whole or within another string."""
    text = "\n".join(strings(written(patient, level)))
    secrets = points_to_somebody(original(patient))

    assert len(secrets) > 20
    found = [secret for secret in secrets if re.search(rf"(?<!\w){re.escape(secret)}(?!\w)", text)]
    assert found == []


@EVERY_PATIENT
@EVERY_LEVEL
def test_no_string_is_made_up_or_free(patient: int, level: Level) -> None:
    """What is left is the record's own codes, systems, displays, units and dates; pseudonyms; and labels."""
    known = strings(original(patient))
    labels = {"PSEUDED", "ANONYED", "pseudonymized", "anonymized", "masked"}
    systems = re.compile(r"http://(hl7|terminology\.hl7)\.org/")
    pseudonym = re.compile(r"(urn:uuid:|#)?[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")
    year = re.compile(r"\d{4}(-01-01T00:00:00Z)?\Z")

    other = {
        text
        for text in strings(written(patient, level)) - known - labels
        if not (pseudonym.match(text) or year.match(text) or systems.match(text))
    }
    assert other == set()


@EVERY_PATIENT
def test_references_join_within_a_pseudonymised_record(patient: int) -> None:
    """Each reference leads to the resource that the original one leads to."""
    ids = {
        before["id"]: after["id"]
        for before, after in zip(
            resources(original(patient)), resources(written(patient, Level.PSEUDONYMISED)), strict=True
        )
    }

    assert len(set(ids.values())) == len(ids)
    expected = [ids[name] for name in references(original(patient))]
    assert expected == list(references(written(patient, Level.PSEUDONYMISED)))


@EVERY_PATIENT
def test_references_join_within_a_de_identified_category_alone(patient: int) -> None:
    """Two categories share no pseudonym; within one, what joined before joins still."""
    content, before = written(patient, Level.DEIDENTIFIED), original(patient)
    named = {
        category: {resource["id"] for resource in entries} | set(references({category: entries}))
        for category, entries in content.items()
    }

    assert sum(map(len, named.values())) == len(set().union(*named.values()))
    for category, entries in content.items():
        ids = {old["id"]: new["id"] for old, new in zip(before[category], entries, strict=True)}
        pairs = zip(references({category: before[category]}), references({category: entries}), strict=True)
        assert all(ids.get(old, new) == new for old, new in pairs)


@EVERY_PATIENT
def test_only_years_are_left_of_de_identified_dates(patient: int) -> None:
    """No string holds a month, but the first one of a year where FHIR wants an instant."""
    dates = [text for text in strings(written(patient, Level.DEIDENTIFIED)) if re.match(r"\d{4}-\d\d", text)]

    assert [text for text in dates if not text.endswith("-01-01T00:00:00Z")] == []


@EVERY_PATIENT
@EVERY_LEVEL
def test_the_form_of_fhir_is_kept(patient: int, level: Level) -> None:
    """Same categories, resources and order; each has its type, an id, the label, and no empty element."""
    before, after = original(patient), written(patient, level)
    assert list(before) == list(after)
    for old, new in zip(resources(before), resources(after), strict=True):
        assert old["resourceType"] == new["resourceType"]
        assert re.fullmatch(r"[A-Za-z0-9\-.]{1,64}", new["id"])
        assert is_labelled(new, level)
        assert "{}" not in json.dumps(new)
        assert "[]" not in json.dumps(new)
        kept = {"status", "code", "subject", "patient", "class", "intent", "type"} & old.keys()
        assert kept <= new.keys()


@EVERY_PATIENT
@EVERY_LEVEL
def test_measurements_and_codes_are_kept(patient: int, level: Level) -> None:
    """What the data is used for is still there: every number and code outside names, numbers and places."""
    for old, new in zip(resources(original(patient)), resources(written(patient, level)), strict=True):
        assert [old.get(name) for name in ("valueQuantity", "gender")] == [
            new.get(name) for name in ("valueQuantity", "gender")
        ]
        assert list(codings(old)) == list(codings(new))


@EVERY_LEVEL
def test_the_same_arguments_give_the_same_record(level: Level) -> None:
    """And the original is not touched."""
    before = json.dumps(original(0))
    again = deidentify(original(0), level=level, secret=SECRET, year=YEAR)

    assert json.dumps(written(0, level)) == json.dumps(again)
    assert before == json.dumps(original(0))


def test_two_secrets_and_two_levels_do_not_link() -> None:
    """No pseudonym of one is one of the other."""
    other = deidentify(original(0), level=Level.PSEUDONYMISED, secret=b"t" * 32, year=YEAR)
    found = [
        {resource["id"] for resource in resources(content)}
        for content in (written(0, Level.PSEUDONYMISED), written(0, Level.DEIDENTIFIED), other)
    ]

    assert sum(map(len, found)) == len(set().union(*found))


MARK = "Lilliana"
NAMES = st.sampled_from(
    """
    text div name value valueString valueUri valueUrl valueId valueMarkdown comment description title
    display data reason note family given line city postalCode district answer linkId version
    patientInstruction url lotNumber serialNumber deviceIdentifier identifier contact photo code system id
    reference fullUrl meta security _birthDate extension modifierExtension contained resource address
    type unit
    birthDate issued country state valueQuantity value coding
    """.split()  # noqa: SIM905 - one name per line would fill pages
)
MARKED = st.sampled_from(
    [MARK, f"seen by {MARK} on 3 May", f"urn:uuid:{MARK}", f"https://host/{MARK}/1", f"{MARK}@host"]
)
ELEMENTS = st.recursive(
    MARKED
    | st.sampled_from(["2020-01-02", "2020-01-02T03:04:05Z", "a"])
    | st.none()
    | st.booleans()
    | st.integers(0, 9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=20,
)


@given(
    st.dictionaries(NAMES.filter(lambda name: name != "code"), ELEMENTS, max_size=6), st.sampled_from(HIDING)
)
def test_text_is_kept_under_no_name_but_a_code(elements: dict[str, Any], level: Level) -> None:
    """However it is nested. What stays is what somebody writes where a code, its display, a unit or a country goes."""
    content = {Category.OTHER: [{**elements, "resourceType": "Observation"}]}
    made = deidentify(content, level=level, secret=SECRET, year=YEAR)[Category.OTHER]
    stays = {"code", "country", "display", "state", "system", "type", "unit"}
    told = {name for name, value in values(made) if isinstance(value, str) and MARK in value}

    assert told <= stays
    assert all(
        is_labelled(resource, level) and resource["resourceType"] == "Observation" for resource in made
    )
