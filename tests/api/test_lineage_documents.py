"""Lineage written in the standards through REST, and steps recorded from code that works on data."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import pytest
from prov.model import ProvDocument

from ledger.audit.auditor import audit
from ledger.audit.trace import trace
from ledger.chain import artifacts
from ledger.client.steps import Recorder, digest_of, kept
from ledger.encoding.hexadecimal import to_hex
from ledger.errors import NotPermitted
from ledger.service import lineage_documents
from tests.api.conftest import assert_problem
from tests.support.lineage import TOOL, Laboratory, Pipeline

STANDARDS = {
    "prov-json": "application/json",
    "fhir": "application/fhir+json",
    "openlineage": "application/json",
    "card": "application/json",
}


@pytest.fixture(scope="module")
def laboratory(world: Any) -> Laboratory:
    return Laboratory(world)


@pytest.fixture(scope="module")
def line(laboratory: Laboratory) -> Pipeline:
    """Return a model that was made as it should."""
    return laboratory.pipeline(laboratory.consent(0))


@pytest.fixture
def recorder(client: Any, laboratory: Laboratory, tmp_path: Path) -> Recorder:
    return Recorder(
        client(laboratory.lab),
        keep=tmp_path / "made.jsonl",
        project_id=laboratory.project,
        tool=to_hex(TOOL),
    )


class TestExport:
    @pytest.mark.parametrize("standard", STANDARDS)
    def test_a_lineage_is_written_in_each_standard(self, send, laboratory, line, standard):
        """From the collection to the evaluation, with every version by its name."""
        response = send(laboratory.lab, "GET", f"/v1/versions/{to_hex(line.model)}/lineage?format={standard}")
        assert response.status_code == 200, response.text
        assert response.headers["content-type"] == STANDARDS[standard]
        text = response.text
        for version in (line.collected, line.training, line.model):
            assert to_hex(version) in text

    def test_the_standards_libraries_read_it(self, client, laboratory, line):
        lab = client(laboratory.lab)
        document = lab.lineage(to_hex(line.model))
        assert ProvDocument.deserialize(content=json.dumps(document), format="json").get_records()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from fhir.resources.R4B.bundle import Bundle
        assert Bundle.model_validate(lab.lineage(to_hex(line.model), "fhir")).entry
        events = lab.lineage(to_hex(line.model), "openlineage")
        assert [event["job"]["name"] for event in events] == ["collect", "split", "train", "evaluate"]

    def test_the_owner_reads_by_which_decisions_people_are_in_it_and_others_how_many(
        self, client, laboratory, line
    ):
        """The digest is the same for everybody, and the auditor works it out from the chain alone."""
        (target,) = line.targets

        def behind(who: Any) -> Any:
            (first, *_) = client(who).lineage(to_hex(line.model), "openlineage")
            return first["run"]["facets"]["mdp_authorization"]["decisions"]

        own, other = behind(laboratory.lab), behind(laboratory.company)
        assert own["named"] == [
            {"passportId": to_hex(target.passport_id), "seq": 0, "grantId": to_hex(target.grant_id)}
        ]
        assert (other["named"], other["count"], other["digest"]) == ([], 1, own["digest"])
        world = laboratory.world
        deployment = world.runtime.deployment
        report = audit(
            world.runtime.node,
            artifacts.load().abi,
            deployment.ledger,
            from_block=deployment.block_number,
        )
        found = trace(report, to_hex(line.model))
        (collected,) = (link for link in found.chain if link.inclusions is not None)
        assert to_hex(collected.inclusions.digest) == own["digest"]

    def test_who_withdrew_before_the_collection_is_not_behind_it(self, laboratory, monkeypatch):
        """Who withdrew after it is. However many the index gives at once."""
        monkeypatch.setattr(lineage_documents, "INCLUSION_PAGE", 1)
        before, after, stays = (laboratory.consent(index) for index in range(3))
        dataset = laboratory.declare()
        laboratory.include(dataset, before, after, stays)
        laboratory.withdraw(before)
        version = laboratory.collect(dataset)
        laboratory.withdraw(after)

        document = laboratory.world.service.lineage_documents.of(version)

        (found,) = document.inclusions.values()
        assert [passport_id for passport_id, _, _ in found.named] == [after.passport_id, stays.passport_id]

    def test_a_card_says_what_the_model_is_for(self, client, laboratory, line):
        found = client(laboratory.lab).lineage(to_hex(line.model), "card")
        assert found["source"]["issuer"] == "Lineage laboratory"
        assert found["use"]["intendedDataUse"] == ["AI_TRAINING", "AI_VALIDATION", "AI_INFERENCE"]
        assert found["provenance"]["datasets"][0]["peopleIncluded"] == 1

    def test_another_standard_is_refused(self, send, laboratory, line):
        response = send(laboratory.lab, "GET", f"/v1/versions/{to_hex(line.model)}/lineage?format=pdf")
        assert_problem(response, 422, "invalid-input")

    def test_there_is_none_of_an_unknown_version(self, send, laboratory):
        assert_problem(send(laboratory.lab, "GET", f"/v1/versions/{to_hex(b'9' * 32)}/lineage"), 404)

    def test_patients_do_not_read_it(self, http, holder_code, line):
        bearer = {"Authorization": f"Bearer {holder_code}"}
        assert_problem(http.get(f"/v1/versions/{to_hex(line.model)}/lineage", headers=bearer), 403)


class TestRecorder:
    def test_a_step_is_recorded_at_the_end_of_its_block(self, recorder, client, laboratory, line, tmp_path):
        """Its output is a version by a name that proves the content to who has the salt, and says nothing to others."""
        content = {"rows": 3}
        with recorder.step("CLEAN", [to_hex(line.collected)], dropped="empty rows") as step:
            made = step.makes(content)
            assert step.answer is None
            step.parameters["rows"] = 3
        found = client(laboratory.lab).version(made.version_id)
        assert (found["kind"], found["owner"]["memberId"]) == ("DATA", laboratory.lab.member.member_id)
        stored = client(laboratory.lab).step(step.answer["stepId"])
        assert stored["parameters"] == {"dropped": "empty rows", "rows": 3}
        (again,) = kept(tmp_path / "made.jsonl").values()
        assert again == made
        assert again.digest == digest_of(content)
        assert again.proves(b'{"rows":3}')
        assert not again.proves(b'{"rows":4}')

    def test_what_ends_with_an_error_is_not_recorded(self, recorder, client, laboratory, line, tmp_path):
        before = len(client(laboratory.lab).steps(member_id=laboratory.lab.member.member_id))

        def fail() -> None:
            with recorder.step("CLEAN", [to_hex(line.collected)]) as step:
                step.makes(b"half")
                raise OSError("the disk is full")

        with pytest.raises(OSError, match="the disk is full"):
            fail()
        assert len(client(laboratory.lab).steps(member_id=laboratory.lab.member.member_id)) == before
        assert not (tmp_path / "made.jsonl").exists()

    def test_a_step_against_the_rules_is_on_record_and_told(self, recorder, client, laboratory, line):
        """Test data trains nothing."""
        with (
            pytest.raises(NotPermitted, match="is on record and broke a rule"),
            recorder.step("TRAIN", [to_hex(line.test)], purposes=["AI_TRAINING"]) as step,
        ):
            made = step.makes(b"weights")
        assert step.answer["missing"] == ["TEST_UNSEEN"]
        blamed = client(laboratory.lab).blame(made.version_id)
        assert blamed["step"]["stepId"] == step.answer["stepId"]

    def test_epsilon_is_counted_in_millionths_and_never_too_little(self, recorder, laboratory, line):
        with recorder.step("CLEAN", [to_hex(line.collected)]) as step:
            step.makes(b"noisy")
            step.epsilon = 0.25
        assert step.answer["epsilon"] == 250_000
        with recorder.step("CLEAN", [to_hex(line.collected)]) as step:
            step.makes(b"noisier")
            step.epsilon = 0.0000001
        assert step.answer["epsilon"] == 1

    def test_files_are_named_by_their_content(self, tmp_path):
        file = tmp_path / "data.bin"
        file.write_bytes(b"x" * 3_000_000)
        assert digest_of(file) == digest_of(b"x" * 3_000_000)
