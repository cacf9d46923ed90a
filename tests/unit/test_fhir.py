"""FHIR: real patients split by category, and AuditEvents read as an access log."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from typing import Any

import pytest

from ledger.domain.records import Address
from ledger.domain.vocabulary import Category
from ledger.encoding.typed_data import LedgerDomain
from ledger.errors import MalformedRecord, TooLarge
from ledger.interop import fhir
from ledger.interop.fhir import (
    access_log,
    category_of,
    organisations,
    parse_json,
    passport_system,
    patient_bundle_files,
    read_bundle,
)
from tests.support.data import FHIR_EXAMPLES, ROOT, SYNTHEA, bundle, bundle_files, bundle_text

DOMAIN = LedgerDomain(20_261, Address("0x" + "5a" * 20))
SYSTEM = passport_system(DOMAIN)
PASSPORT = "0x" + "ab" * 32


def audit_event(*, value: str = f"{PASSPORT}/4", system: str = SYSTEM, **changes: Any) -> dict[str, Any]:
    """Return an AuditEvent as docs/spec.md asks for it."""
    return {
        "resourceType": "AuditEvent",
        "action": "R",
        "recorded": "2026-11-24T10:00:00.250+08:00",
        "agent": [
            {"who": {"display": "Somebody"}, "requestor": False},
            {
                "who": {"display": "Lab", "identifier": {"system": f"{SYSTEM}:member", "value": "3"}},
                "requestor": True,
                "purposeOfUse": [{"coding": [{"code": "HRESCH"}]}],
            },
        ],
        "entity": [{"what": {"identifier": {"system": system, "value": value}}}],
        **changes,
    }


class TestBundles:
    @pytest.mark.parametrize("index", range(len(bundle_files())))
    def test_nothing_of_a_real_patient_is_lost(self, index):
        """Every entry is in exactly one category, in the order of the bundle."""
        document = bundle(index)
        found = read_bundle(document)
        expected = [entry["resource"] for entry in document["entry"]]
        assert found.resources == len(expected)
        kept = [resource for entries in found.content.values() for resource in entries]
        assert sorted(map(json.dumps, kept)) == sorted(map(json.dumps, expected))
        for category, entries in found.content.items():
            assert entries == [resource for resource in expected if category_of(resource) is category]

    def test_the_reference_is_the_patients_id(self):
        """The custodian's own name for the patient."""
        assert read_bundle(bundle(0, reference="local-1")).reference == "local-1"

    def test_real_patients_have_the_categories_one_expects(self):
        """At least diagnoses, medication, laboratory, vitals, immunisations, claims and who they are."""
        found = set(read_bundle(bundle(0)).content)
        expected = {
            Category.DIAGNOSIS,
            Category.VITALS,
            Category.IMMUNISATION,
            Category.CLAIMS,
            Category.DEMOGRAPHICS,
        }
        assert expected <= found

    @pytest.mark.parametrize(
        ("resource", "expected"),
        [
            ({"resourceType": "Condition"}, Category.DIAGNOSIS),
            ({"resourceType": "Basic"}, Category.OTHER),
            ({"resourceType": "NoSuchType"}, Category.OTHER),
            ({"resourceType": "Observation"}, Category.OTHER),
            (
                {"resourceType": "Observation", "category": [{"coding": [{"code": "vital-signs"}]}]},
                Category.VITALS,
            ),
            ({"resourceType": "Observation", "category": [{"coding": [{"code": "?"}]}]}, Category.OTHER),
            (
                {"resourceType": "DiagnosticReport", "category": [{"coding": [{"code": "GE"}]}]},
                Category.GENOMICS,
            ),
            ({"resourceType": "DiagnosticReport"}, Category.LABORATORY),
            ({"resourceType": "Condition", "category": [{"coding": [{"code": "GE"}]}]}, Category.DIAGNOSIS),
            ({"resourceType": "Condition", "meta": {"security": [{"code": "PSY"}]}}, Category.PSYCHIATRY),
            ({"resourceType": "NoSuchType", "meta": {"security": [{"code": "HIV"}]}}, Category.HIV_STI),
            ({"resourceType": "Condition", "meta": "text"}, Category.DIAGNOSIS),
            ({"resourceType": "Observation", "category": "text"}, Category.OTHER),
        ],
    )
    def test_categories(self, resource, expected):
        """A sensitivity label goes before a code, a code before the type; the unknown is kept as other."""
        assert category_of(resource) is expected

    @pytest.mark.parametrize(
        ("document", "message"),
        [
            (None, "not a FHIR Bundle"),
            ([], "not a FHIR Bundle"),
            ({"resourceType": "Patient"}, "not a FHIR Bundle"),
            ({"resourceType": "Bundle"}, "has no entries"),
            ({"resourceType": "Bundle", "entry": []}, "has no entries"),
            ({"resourceType": "Bundle", "entry": {}}, "has no entries"),
            ({"resourceType": "Bundle", "entry": [None]}, "entry 0 of the bundle has no resource"),
            (
                {"resourceType": "Bundle", "entry": [{"resource": {}}]},
                "entry 0 of the bundle has no resource",
            ),
            ({"resourceType": "Bundle", "entry": [{"resource": {"resourceType": 7}}]}, "entry 0"),
            (
                {"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "Goal"}}]},
                "exactly one Patient, it has 0",
            ),
            (
                {
                    "resourceType": "Bundle",
                    "entry": [{"resource": {"resourceType": "Patient", "id": "a"}}] * 2,
                },
                "exactly one Patient, it has 2",
            ),
            ({"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "Patient"}}]}, "has no id"),
        ],
    )
    def test_what_is_no_patients_bundle_is_refused(self, document, message):
        """Each with its own words."""
        with pytest.raises(MalformedRecord, match=message):
            read_bundle(document)

    def test_a_patient_taken_out_of_a_real_bundle_is_missed(self):
        """All the rest is there."""
        document = bundle(0)
        document["entry"] = [e for e in document["entry"] if e["resource"]["resourceType"] != "Patient"]
        with pytest.raises(MalformedRecord, match="exactly one Patient, it has 0"):
            read_bundle(document)

    def test_the_folder_is_read_in_order(self):
        """Patients only, sorted by name."""
        assert patient_bundle_files(SYNTHEA) == list(bundle_files())

    def test_a_folder_without_patients_is_refused(self, tmp_path):
        """Empty, absent, or with other documents."""
        with pytest.raises(MalformedRecord, match="there is no folder"):
            patient_bundle_files(tmp_path / "none")
        (tmp_path / "list.json").write_text("[]")
        (tmp_path / "other.json").write_text('{"resourceType": "Bundle", "entry": [{}, 1]}')
        with pytest.raises(MalformedRecord, match="no FHIR R4 patient bundle"):
            patient_bundle_files(tmp_path)

    def test_hospitals_are_read(self):
        """From the file beside the patients."""
        document = json.loads((SYNTHEA / "hospitalInformation.json").read_text())
        found = organisations(document)
        assert found
        assert all(organisation["name"] for organisation in found)
        with pytest.raises(MalformedRecord):
            organisations([])


class TestJson:
    def test_a_truncated_file_is_refused(self):
        """The message names it."""
        with pytest.raises(MalformedRecord, match=r"x.json is not JSON"):
            parse_json(bundle_text(0)[:-10], what="x.json")

    @pytest.mark.parametrize("text", ["", "{", b"\xff\xfe\xff"])
    def test_what_is_no_json_is_refused(self, text):
        """Empty, cut, not UTF-8."""
        with pytest.raises(MalformedRecord, match="the body is not JSON"):
            parse_json(text)

    def test_hostile_depth_is_refused_and_ends_nothing(self):
        """
        In a process of its own, with everything imported: a library that raises the recursion limit (py_ecc does)
        would let a body of 100,000 brackets overflow the C stack and end the service.
        """
        program = (
            "import ledger.bootstrap, api.app\n"
            "from ledger.errors import MalformedRecord\n"
            "from ledger.interop.fhir import parse_json\n"
            "try:\n    parse_json('[' * 100_000)\n"
            "except MalformedRecord:\n    print('refused')\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stdout) == (0, "refused\n"), done.stderr

    def test_too_much_is_refused(self, monkeypatch):
        """Before it is parsed."""
        monkeypatch.setattr(fhir, "MAX_BUNDLE_BYTES", 3)
        with pytest.raises(TooLarge, match="at most 3"):
            parse_json("[1,2]")


class TestAccessLog:
    def test_an_entry_is_read(self):
        """Who, what, under which decision, when, why and how."""
        [entry] = access_log(audit_event(), passport_system=SYSTEM)
        assert (entry.member, entry.member_id) == ("Lab", 3)
        assert (entry.passport, entry.decision) == (PASSPORT, 4)
        assert entry.recorded == datetime(2026, 11, 24, 2, 0, 0, 250_000, tzinfo=UTC)
        assert (entry.purpose, entry.action) == ("HRESCH", "R")

    @pytest.mark.parametrize(
        "wrap", [lambda e: e, lambda e: [e], lambda e: {"resourceType": "Bundle", "entry": [{"resource": e}]}]
    )
    def test_one_event_a_list_and_a_bundle_are_read(self, wrap):
        """Whatever an institution's own system exports."""
        assert len(access_log(wrap(audit_event()), passport_system=SYSTEM)) == 1

    def test_the_system_names_the_ledger(self):
        """Chain and address; another ledger's passports are passed over."""
        assert f"urn:passport:eip155:20261:{DOMAIN.ledger}" == SYSTEM
        other = passport_system(LedgerDomain(1, DOMAIN.ledger))
        assert access_log(audit_event(system=other), passport_system=SYSTEM) == []

    @pytest.mark.parametrize(
        ("value", "decision"),
        [(PASSPORT, None), (f"{PASSPORT}/", None), (f"{PASSPORT}/x", None), (f"{PASSPORT}/²", None)],
    )
    def test_a_log_need_not_name_the_decision(self, value, decision):
        """Then any permit of that member for that passport covers the use."""
        [entry] = access_log(audit_event(value=value.upper().replace("0X", "0x")), passport_system=SYSTEM)
        assert (entry.passport, entry.decision) == (PASSPORT, decision)

    def test_the_institution_may_be_another_agent_than_the_requestor(self):
        """A person asks; the institution is the agent with a member's number."""
        event = audit_event()
        event["agent"][0]["requestor"], event["agent"][1]["requestor"] = True, False
        event["purposeOfEvent"] = [{"coding": [{"code": "TREAT"}]}]
        [entry] = access_log(event, passport_system=SYSTEM)
        assert (entry.member, entry.member_id, entry.purpose) == ("Lab", 3, "TREAT")

    def test_without_a_number_the_requestors_name_counts(self):
        """Its display, else the agent's name, else nothing."""
        event = audit_event(agent=[{"name": "Second"}, {"who": {"display": "First"}, "requestor": True}])
        [entry] = access_log(event, passport_system=SYSTEM)
        assert (entry.member, entry.member_id, entry.purpose) == ("First", None, None)
        [entry] = access_log(audit_event(agent=[{"name": "Second"}]), passport_system=SYSTEM)
        assert entry.member == "Second"
        [entry] = access_log(audit_event(agent=[{}]), passport_system=SYSTEM)
        assert entry.member == ""

    def test_several_passports_are_several_entries(self):
        """In the order of the event."""
        event = audit_event()
        event["entity"] += [
            {"what": {"identifier": {"system": SYSTEM, "value": "0x01/0"}}},
            {"what": "text"},
            "text",
            None,
        ]
        assert [entry.passport for entry in access_log(event, passport_system=SYSTEM)] == [PASSPORT, "0x01"]

    @pytest.mark.parametrize(
        ("document", "message"),
        [
            ({"resourceType": "Patient"}, "must be a FHIR AuditEvent"),
            (["text"], "must be a FHIR AuditEvent"),
            ({"resourceType": "Bundle", "entry": [{}]}, "must be a FHIR AuditEvent"),
            (audit_event(agent=[]), "has no agent"),
            (audit_event(agent="text"), "has no agent"),
            (audit_event(recorded=None), "has no time"),
            (audit_event(recorded="yesterday"), "has no time"),
            (audit_event(recorded="2026-11-24T10:00:00"), "has no time zone"),
            (audit_event(recorded="2026-11-24"), "has no time zone"),
        ],
    )
    def test_what_is_no_access_log_is_refused(self, document, message):
        """Each with its own words."""
        with pytest.raises(MalformedRecord, match=message):
            access_log(document, passport_system=SYSTEM)

    @pytest.mark.parametrize(
        "path", sorted(FHIR_EXAMPLES.glob("AuditEvent-*.json")), ids=lambda path: path.stem
    )
    def test_the_official_examples_are_read(self, path):
        """None of them names a passport, so none gives an entry; with one, each does."""
        event = json.loads(path.read_text())
        assert access_log(event, passport_system=SYSTEM) == []
        event.setdefault("entity", []).append(audit_event()["entity"][0])
        [entry] = access_log(event, passport_system=SYSTEM)
        assert (entry.passport, entry.decision) == (PASSPORT, 4)
        assert entry.recorded.tzinfo is not None

    def test_there_are_official_examples(self):
        """The test above has something to read."""
        assert list(FHIR_EXAMPLES.glob("AuditEvent-*.json"))
