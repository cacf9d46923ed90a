"""Lineage in the words of others: each standard's own library reads what we write, and we read it back."""

from __future__ import annotations

import json
import warnings
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from eth_utils.crypto import keccak
from openlineage.client import event_v2 as client
from prov.model import ProvDocument

from ledger.domain.lineage import Dataset, Origin, Step, StepRecord, Version, VersionId
from ledger.domain.records import NO_GRANT, Address, Commitment, GrantId, PassportId
from ledger.domain.vocabulary import (
    Category,
    Check,
    DatasetStatus,
    Part,
    Purpose,
    StepFact,
    StepKind,
    VersionKind,
)
from ledger.encoding.hexadecimal import to_hex
from ledger.encoding.inclusions import MAX_NAMED, inclusion_list
from ledger.encoding.typed_data import LedgerDomain
from ledger.errors import MalformedRecord
from ledger.interop.lineage import card, fhir, openlineage, prov
from ledger.interop.lineage.document import (
    ForeignStep,
    LineageDocument,
    ToldStep,
    kind_of,
    ledger_urn,
    micro,
    step_of,
    version_of,
)
from tests.support.data import FHIR_EXAMPLES

URN = ledger_urn(LedgerDomain(31337, Address("0x" + "aB" * 20)))
START = 1_790_000_000
PURPOSES = 1 << Purpose.AI_TRAINING | 1 << Purpose.AI_VALIDATION
TOOL = b"\x77" * 32


def name(number: int) -> VersionId:
    """Return the name of a version."""
    return VersionId(bytes([number]) * 32)


def made(number: int, step: int, *, kind: VersionKind = VersionKind.DATA, origin: Origin) -> Version:
    """Return a version."""
    return Version(name(number), step, 2, kind, PURPOSES, (origin,), check=Check.PASSED, verifier=4)


def told(number: int, kind: StepKind, **words: Any) -> ToldStep:
    """Return a step on record."""
    missing = words.pop("missing", StepFact(0))
    step = Step(kind, Commitment(bytes([0x50 + number]) * 32), **words)
    return ToldStep(StepRecord(number, 2, step, missing), START + 60 * number)


#: Two people who are in the dataset: one by consent, one on another ground.
BEHIND = (
    (PassportId(b"\x61" * 32), 3, GrantId(b"\x62" * 32)),
    (PassportId(b"\x63" * 32), 0, NO_GRANT),
)
RAW = Origin(1)
SPLIT = Origin(1, split_id=2, parts=Part.TRAINING)
DOCUMENT = LineageDocument(
    ledger=URN,
    subject=name(5),
    versions=(
        made(1, 1, origin=RAW),
        made(2, 2, origin=SPLIT),
        made(3, 2, origin=replace(SPLIT, parts=Part.VALIDATION)),
        made(4, 2, origin=replace(SPLIT, parts=Part.TEST)),
        made(5, 3, kind=VersionKind.MODEL, origin=SPLIT),
    ),
    steps=(
        told(1, StepKind.COLLECT, dataset_id=1, outputs=(name(1),)),
        told(
            2,
            StepKind.SPLIT,
            inputs=(name(1),),
            outputs=(name(2), name(3), name(4)),
            tool=TOOL,
            epsilon=250_000,
        ),
        told(
            3,
            StepKind.TRAIN,
            inputs=(name(2),),
            outputs=(name(5),),
            project_id=7,
            purposes=PURPOSES,
            tool=TOOL,
        ),
        told(4, StepKind.EVALUATE, inputs=(name(5), name(2)), tool=TOOL, missing=StepFact.TEST_UNSEEN),
        told(5, StepKind.DESTROY, dataset_id=1),
    ),
    datasets=(
        Dataset(
            1,
            2,
            PURPOSES,
            Category.DIAGNOSIS | Category.LABORATORY,
            DatasetStatus.DESTROYED,
            START + 10**7,
            no_relink=True,
            usable_until=START + 10**6,
            included=20,
            withdrawals=(START + 500,),
            budget=1_000_000,
            spent=250_000,
        ),
    ),
    members={2: "Northern AI Laboratory", 4: "Independent Verifier"},
    inclusions={1: inclusion_list(BEHIND)},
)


def essence(steps: list[ForeignStep]) -> list[tuple[Any, ...]]:
    """Return what a reader learns of each step, versions by their ids."""
    return [
        (
            step.kind,
            [found for found in (version_of(word, URN) for word in step.inputs) if found],
            [found for found in (version_of(word, URN) for word in step.outputs) if found],
            step.time,
        )
        for step in steps
    ]


def expected(*, refused: bool = True, ended: bool = True) -> list[tuple[Any, ...]]:
    """Return the essence of the document."""
    return [
        (
            item.record.step.kind,
            list(item.record.step.inputs),
            list(item.record.step.outputs),
            datetime.fromtimestamp(item.time, UTC),
        )
        for item in DOCUMENT.steps
        if (refused or not item.record.missing) and (ended or item.record.step.outputs)
    ]


class TestNames:
    def test_a_version_is_read_back_on_its_own_ledger_alone(self):
        """Chain and address are part of the name."""
        word = DOCUMENT.version(name(1))
        assert version_of(word, URN) == name(1)
        assert version_of(word, URN.replace("31337", "1")) is None
        assert version_of(word.replace("version", "dataset"), URN) is None
        assert version_of(word + "0", URN) is None

    def test_a_step_is_read_back_on_its_own_ledger_alone(self):
        assert step_of(DOCUMENT.step(12), URN) == 12
        for word in (
            DOCUMENT.step(12).replace("31337", "1"),
            URN,
            DOCUMENT.dataset(12),
            f"{URN}:step:1x",
            "",
        ):
            assert step_of(word, URN) is None

    @pytest.mark.parametrize("words", ["DEIDENTIFY", "deidentify", "de-identify", " De_Identify "])
    def test_kinds_are_read_as_people_write_them(self, words):
        assert kind_of(words) is StepKind.DEIDENTIFY

    def test_other_words_are_no_kind(self):
        assert kind_of("DELETE") is None

    @pytest.mark.parametrize(
        ("millionths", "words"), [(0, "0"), (1, "0.000001"), (250_000, "0.25"), (10**7, "10")]
    )
    def test_epsilon_is_written_as_a_decimal(self, millionths, words):
        assert micro(millionths) == words


class TestProv:
    def test_the_standards_library_reads_it(self):
        """Every entity, activity and agent is there, and what was generated, used and invalidated."""
        document = ProvDocument.deserialize(content=prov.write(DOCUMENT), format="json")
        records = json.loads(prov.write(DOCUMENT))
        assert len(records["entity"]) == len(DOCUMENT.versions) + len(DOCUMENT.datasets)
        assert len(records["activity"]) == len(DOCUMENT.steps)
        assert len(records["wasGeneratedBy"]) == 5
        assert len(records["wasInvalidatedBy"]) == 1
        assert document == ProvDocument.deserialize(content=document.serialize(format="json"), format="json")

    def test_it_is_read_back(self):
        """A step that broke a rule is told, and generated nothing."""
        steps = prov.read(prov.write(DOCUMENT))
        assert essence(steps) == expected()
        assert steps[3].facts["missing"] == "TEST_UNSEEN"
        assert steps[1].facts["epsilon"] == "0.25"
        assert steps[2].facts["parameters"] == to_hex(DOCUMENT.steps[2].record.step.parameters)
        assert DOCUMENT.member(2) in steps[0].agents

    def test_a_collection_has_the_decisions_behind_it(self):
        """As attributes of the activity: their number, their digest, their names."""
        (collected, *_) = prov.read(prov.write(DOCUMENT))
        assert collected.facts["decisionCount"] == "2"
        assert collected.facts["decisionDigest"] == to_hex(DOCUMENT.inclusions[1].digest)
        assert collected.facts["decisions"].split() == [DOCUMENT.decision(*item[:2]) for item in BEHIND]
        counted = replace(DOCUMENT, inclusions={1: DOCUMENT.inclusions[1].counted()})
        assert "decisions" not in prov.read(prov.write(counted))[0].facts

    def test_an_organisation_has_its_name(self):
        agents = json.loads(prov.write(DOCUMENT))["agent"]
        assert agents["ledger:member:2"]["prov:label"] == "Northern AI Laboratory"

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "[]",
            "{",
            '{"entity": []}',
            '{"activity": {"x:y": {}}}',
            '{"used": {"_:1": {"prov:activity": 3}}}',
        ],
    )
    def test_what_is_no_prov_is_refused(self, text):
        with pytest.raises(MalformedRecord, match=r"no PROV-JSON"):
            prov.read(text)


class TestFhir:
    def test_the_standards_library_reads_it(self):
        """FHIR R4, whose Provenance R4B keeps."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from fhir.resources.R4B.bundle import Bundle
        bundle = Bundle.model_validate(fhir.write(DOCUMENT))
        assert len(bundle.entry) == 4
        assert {entry.resource.get_resource_type() for entry in bundle.entry} == {"Provenance"}

    def test_it_is_read_back(self):
        """Steps that made nothing and ended nothing have no target, so FHIR has no word for them."""
        steps = fhir.read(json.dumps(fhir.write(DOCUMENT)))
        assert essence(steps)[:3] == expected(refused=False)[:3]
        assert steps[3].kind is StepKind.DESTROY
        assert steps[3].outputs == (DOCUMENT.dataset(1),)

    def test_a_collection_was_done_under_decisions(self):
        """They are the policies of the Provenance, after the step itself."""
        resource = fhir.write(DOCUMENT)["entry"][0]["resource"]
        assert resource["policy"] == [
            DOCUMENT.step(1),
            *(DOCUMENT.decision(passport_id, seq) for passport_id, seq, _ in BEHIND),
        ]
        assert "under 2 decisions, digest 0x" in resource["entity"][0]["what"]["display"]

    @pytest.mark.parametrize("file", sorted(path.name for path in FHIR_EXAMPLES.glob("Provenance-*.json")))
    def test_official_examples_are_read(self, file):
        text = (FHIR_EXAMPLES / file).read_text()
        (step,) = fhir.read(text)
        resource = json.loads(text)
        assert len(step.outputs) == len(resource["target"])
        assert len(step.inputs) == len(resource.get("entity", []))
        assert len(step.agents) == len(resource["agent"])
        assert step.time == datetime.fromisoformat(resource["recorded"])

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "[]",
            "{}",
            '{"resourceType": "Patient"}',
            '{"resourceType": "Bundle", "entry": {}}',
            '{"resourceType": "Provenance"}',
            '{"resourceType": "Provenance", "target": [{}], "recorded": "2026-01-01", "agent": []}',
            '{"resourceType": "Provenance", "target": [], "recorded": "soon", "agent": []}',
        ],
    )
    def test_what_is_no_provenance_is_refused(self, text):
        with pytest.raises(MalformedRecord):
            fhir.read(text)


class TestOpenLineage:
    def test_the_standards_library_takes_it(self):
        """Its classes check every field that the specification requires."""
        for event in openlineage.write(DOCUMENT):
            taken = client.RunEvent(
                eventTime=event["eventTime"],
                run=client.Run(runId=event["run"]["runId"]),
                job=client.Job(namespace=event["job"]["namespace"], name=event["job"]["name"]),
                eventType=client.RunState(event["eventType"]),
                producer=event["producer"],
                inputs=[client.InputDataset(item["namespace"], item["name"]) for item in event["inputs"]],
                outputs=[client.OutputDataset(item["namespace"], item["name"]) for item in event["outputs"]],
            )
            assert taken.run.runId == event["run"]["runId"]

    def test_it_is_read_back(self):
        """A run that failed told of nothing that was made, and is no step to register."""
        steps = openlineage.read(openlineage.write(DOCUMENT))
        assert essence(steps) == expected(refused=False)
        assert steps[3].outputs == (f"{URN}/{DOCUMENT.dataset(1)}",)

    def test_a_run_says_what_it_was_allowed_by(self):
        """Our facet: the step, its project, what it lacked."""
        events = openlineage.write(DOCUMENT)
        facet = events[2]["run"]["facets"]["mdp_authorization"]
        assert (facet["stepId"], facet["projectId"], facet["missing"]) == (3, 7, [])
        assert events[3]["eventType"] == "FAIL"
        assert events[3]["run"]["facets"]["mdp_authorization"]["missing"] == ["TEST_UNSEEN"]

    def test_a_collection_names_the_decisions_and_grants_behind_it(self):
        """By passport and number; how many, and a digest that anybody can work out from the chain."""
        events = openlineage.write(DOCUMENT)
        found = events[0]["run"]["facets"]["mdp_authorization"]["decisions"]
        words = b"".join(
            [b"\x61" * 32, (3).to_bytes(32, "big"), b"\x62" * 32, b"\x63" * 32, bytes(32), bytes(32)]
        )
        assert found == {
            "count": 2,
            "digest": to_hex(keccak(words)),
            "named": [
                {"passportId": "0x" + "61" * 32, "seq": 3, "grantId": "0x" + "62" * 32},
                {"passportId": "0x" + "63" * 32, "seq": 0, "grantId": None},
            ],
        }
        others = [event["run"]["facets"]["mdp_authorization"]["decisions"] for event in events[1:]]
        assert others == [None] * (len(DOCUMENT.steps) - 1)

    def test_more_decisions_than_a_document_names_are_counted(self):
        """And all of them are in the digest."""
        many = [(PassportId(bytes([1]) * 32), seq, NO_GRANT) for seq in range(MAX_NAMED + 5)]
        found, fewer = inclusion_list(many), inclusion_list(many[:-1])
        assert (found.count, found.named) == (MAX_NAMED + 5, tuple(many[:MAX_NAMED]))
        assert found.digest != fewer.digest
        assert (found.counted().named, found.counted().digest) == ((), found.digest)
        assert inclusion_list([]).count == 0

    def test_the_same_step_is_the_same_run(self):
        first, again = openlineage.write(DOCUMENT), openlineage.write(DOCUMENT)
        assert [event["run"]["runId"] for event in first] == [event["run"]["runId"] for event in again]
        assert len({event["run"]["runId"] for event in first}) == len(first)

    def test_a_pipeline_of_somebody_elses_is_read(self):
        """As Airflow writes it: names with their namespaces, only runs that are complete."""
        event = {
            "eventType": "COMPLETE",
            "eventTime": "2026-03-01T12:00:00.000Z",
            "producer": "https://github.com/apache/airflow",
            "run": {"runId": "3f5e83fa-3480-44ff-99c5-ff943904e5e8"},
            "job": {"namespace": "hospital", "name": "nightly.clean"},
            "inputs": [{"namespace": "s3://lake", "name": "raw"}],
            "outputs": [{"namespace": "s3://lake", "name": "cleaned"}],
        }
        (step,) = openlineage.read([{**event, "eventType": "START"}, event])
        assert (step.kind, step.inputs, step.outputs) == (
            StepKind.CLEAN,
            ("s3://lake/raw",),
            ("s3://lake/cleaned",),
        )
        assert step.activity == "hospital/nightly.clean"

    @pytest.mark.parametrize(
        "changes",
        [
            {"eventType": "DONE"},
            {"eventType": None},
            {"run": {}},
            {"run": {"runId": "one"}},
            {"job": None},
            {"eventTime": "noon"},
            {"inputs": [{"name": "raw"}]},
            {"inputs": 3},
        ],
    )
    def test_a_malformed_event_is_refused_and_named(self, changes):
        good = openlineage.write(DOCUMENT)[0]
        with pytest.raises(MalformedRecord, match="event 1 is no OpenLineage run event"):
            openlineage.read([good, {**good, **changes}])

    @pytest.mark.parametrize("text", ['{"a": 1}', '[{"a": 1}]', '{"a": 1}\n{"a": 1}\n'])
    def test_files_hold_one_event_or_several(self, text):
        assert all(event == {"a": 1} for event in openlineage.parse(text))

    def test_what_is_no_json_is_refused(self):
        with pytest.raises(MalformedRecord, match="no JSON"):
            openlineage.parse("nothing")


class TestCard:
    def test_it_says_what_the_subject_is_from_and_for(self):
        written = card.write(DOCUMENT)
        assert written["source"]["issuer"] == "Northern AI Laboratory"
        assert written["use"]["intendedDataUse"] == ["AI_TRAINING", "AI_VALIDATION"]
        assert written["use"]["mergingForbidden"] is True
        assert written["use"]["privacyBudgets"][0]["spent"] == "0.25"
        (dataset,) = written["provenance"]["datasets"]
        assert (dataset["peopleIncluded"], dataset["withdrawals"]) == (20, 1)
        assert dataset["categories"] == ["DIAGNOSIS", "LABORATORY"]

    def test_a_step_that_broke_a_rule_is_no_method(self):
        methods = [item["method"] for item in card.write(DOCUMENT)["provenance"]["methods"]]
        assert methods == ["COLLECT", "SPLIT", "TRAIN", "DESTROY"]

    def test_it_is_json(self):
        assert json.loads(json.dumps(card.write(DOCUMENT)))["standard"] == card.STANDARD


def test_the_examples_are_where_the_tests_look():
    assert {path.name for path in Path(FHIR_EXAMPLES).glob("Provenance-*.json")} >= {
        "Provenance-example.json"
    }
