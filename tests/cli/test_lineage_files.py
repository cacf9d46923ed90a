"""`passport lineage export` and `import` against a real service on a real chain."""

from __future__ import annotations

import json
import re
import uuid
from pathlib import Path
from typing import Any

import pytest

from ledger.domain.lineage import VersionId
from ledger.encoding.hexadecimal import to_hex
from tests.cli.conftest import Run
from tests.support.data import FHIR_EXAMPLES
from tests.support.lineage import TOOL, Laboratory, Pipeline
from tests.support.world import World


@pytest.fixture(scope="module")
def laboratory(world: World) -> Laboratory:
    return Laboratory(world)


@pytest.fixture(scope="module")
def line(laboratory: Laboratory) -> Pipeline:
    """Return a model that was made as it should."""
    return laboratory.pipeline(laboratory.consent(0))


def event(name: str, inputs: list[str], outputs: list[str], **changes: Any) -> dict[str, Any]:
    """Return what a pipeline says of a run."""
    return {
        "eventType": "COMPLETE",
        "eventTime": "2026-11-01T12:00:00Z",
        "producer": "https://github.com/apache/airflow",
        "run": {"runId": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{name} {inputs} {outputs}"))},
        "job": {"namespace": "hospital", "name": name},
        "inputs": [{"namespace": "s3://lake", "name": item} for item in inputs],
        "outputs": [{"namespace": "s3://lake", "name": item} for item in outputs],
        **changes,
    }


def write(folder: Path, *events: dict[str, Any]) -> str:
    """Write events as a pipeline does, one a line."""
    file = folder / "events.jsonl"
    file.write_text("".join(json.dumps(item) + "\n" for item in events))
    return str(file)


@pytest.fixture
def take(run: Run, laboratory: Laboratory, tmp_path: Path) -> Run:
    """Return a function that imports a file as the laboratory."""

    def taken(file: str, *more: str, standard: str = "openlineage", code: int = 0, text: bool = False) -> Any:
        return run(
            *("lineage", "import", file, "--format", standard, "--names", str(tmp_path / "names.json")),
            *("--tool", to_hex(TOOL), "--project", str(laboratory.project), *more),
            who=laboratory.lab,
            code=code,
            text=text,
        )

    return taken


@pytest.mark.parametrize("standard", ["prov-json", "fhir", "openlineage", "card"])
def test_a_lineage_is_printed(run: Run, laboratory: Laboratory, line: Pipeline, standard: str) -> None:
    printed = run(
        "lineage", "export", to_hex(line.model), "--format", standard, who=laboratory.lab, text=True
    )
    assert to_hex(line.collected) in json.dumps(json.loads(printed))


@pytest.mark.parametrize("standard", ["prov-json", "openlineage"])
def test_what_was_exported_is_on_the_ledger_already(
    run: Run, take: Run, laboratory: Laboratory, line: Pipeline, tmp_path: Path, standard: str
) -> None:
    """Steps are known by their own names, also those that made nothing."""
    printed = run(
        "lineage", "export", to_hex(line.model), "--format", standard, who=laboratory.lab, text=True
    )
    file = tmp_path / "document.json"
    file.write_text(printed)
    outcomes = [item["outcome"] for item in take(str(file), standard=standard)]
    assert outcomes == ["KNOWN", "KNOWN", "KNOWN", "KNOWN"]


def test_a_pipeline_registers_steps_without_new_code(
    run: Run, take: Run, laboratory: Laboratory, line: Pipeline, tmp_path: Path
) -> None:
    """Names are mapped once; the next document goes on where this one ended, and the same one changes nothing."""
    names = tmp_path / "names.json"
    names.write_text(json.dumps({"s3://lake/raw": to_hex(line.collected)}))
    file = write(
        tmp_path, event("nightly.clean", ["raw"], ["clean"]), event("nightly.label", ["clean"], ["labelled"])
    )

    first, second = take(file)

    assert (first["kind"], first["inputs"]) == ("CLEAN", [to_hex(line.collected)])
    assert second["inputs"] == first["outputs"]
    known = json.loads(names.read_text())
    assert known["s3://lake/labelled"] == second["outputs"][0]
    version = run("lineage", "show", known["s3://lake/labelled"], who=laboratory.lab)
    assert version["kind"] == "DATA"
    assert [item["outcome"] for item in take(file)] == ["KNOWN", "KNOWN"]
    assert "on the ledger already" in take(file, text=True)


def test_an_unknown_input_is_named_and_nothing_is_recorded(
    run: Run, take: Run, laboratory: Laboratory, tmp_path: Path
) -> None:
    before = len(run("lineage", "steps", who=laboratory.lab))
    problem = take(write(tmp_path, event("clean", ["somewhere"], ["clean"])), code=2)
    assert "s3://lake/somewhere" in problem["detail"]
    assert "--names" in problem["fix"]
    assert len(run("lineage", "steps", who=laboratory.lab)) == before


def test_words_that_are_no_kind_of_step_are_said(take: Run, line: Pipeline, tmp_path: Path) -> None:
    (tmp_path / "names.json").write_text(json.dumps({"s3://lake/raw": to_hex(line.collected)}))
    file = write(tmp_path, event("nightly.tidy", ["raw"], ["tidied"]))
    assert "--as CLEAN" in take(file, code=2)["fix"]
    (recorded,) = take(file, "--as", "clean")
    assert (recorded["kind"], recorded["outcome"]) == ("CLEAN", "PERMIT")
    assert "is no kind of step" in take(file, "--as", "tidying", code=2)["detail"]


def test_a_step_against_the_rules_is_on_record_and_ends_with_1(
    take: Run, line: Pipeline, tmp_path: Path
) -> None:
    """Test data trains nothing; no name is kept for what it would have made."""
    (tmp_path / "names.json").write_text(json.dumps({"s3://lake/test": to_hex(line.test)}))
    file = write(tmp_path, event("train", ["test"], ["model"]))
    (refused,) = take(file, "--purpose", "AI_TRAINING", code=1)
    assert refused["missing"] == ["TEST_UNSEEN"]
    assert list(json.loads((tmp_path / "names.json").read_text())) == ["s3://lake/test"]


def test_an_evaluation_is_recorded_once(take: Run, laboratory: Laboratory, tmp_path: Path) -> None:
    """It makes nothing: the run itself is remembered."""
    line = laboratory.pipeline(laboratory.consent(1))
    known = {"s3://lake/model": to_hex(line.model), "s3://lake/test": to_hex(line.test)}
    (tmp_path / "names.json").write_text(json.dumps(known))
    file = write(tmp_path, event("evaluate", ["model", "test"], []))
    assert [item["outcome"] for item in take(file)] == ["PERMIT"]
    assert [item["outcome"] for item in take(file)] == ["KNOWN"]


def test_a_malformed_event_is_named_and_nothing_is_recorded(take: Run, tmp_path: Path) -> None:
    good = event("clean", ["raw"], ["clean"])
    problem = take(write(tmp_path, good, {**good, "run": {}}), code=2)
    assert "event 1 is no OpenLineage run event" in problem["detail"]


def test_official_examples_are_taken(take: Run, line: Pipeline, tmp_path: Path) -> None:
    """What they used has no version on the ledger until somebody says which."""
    example = FHIR_EXAMPLES / "Provenance-example.json"
    problem = take(str(example), "--as", "DEIDENTIFY", standard="fhir", code=2)
    assert "has no version of" in problem["detail"]
    used = [entity["what"] for entity in json.loads(example.read_text())["entity"]]
    (name,) = [
        what.get("identifier", {}).get("value") or what.get("reference") or what["display"] for what in used
    ]
    (tmp_path / "names.json").write_text(json.dumps({name: to_hex(line.collected)}))
    (recorded,) = take(str(example), "--as", "DEIDENTIFY", standard="fhir")
    assert recorded["outcome"] == "PERMIT"


def test_a_file_that_cannot_be_read_is_said(take: Run, tmp_path: Path) -> None:
    assert "cannot be read" in take(str(tmp_path / "none.json"), code=2)["detail"]
    (tmp_path / "names.json").write_text("[]")
    assert "JSON object" in take(write(tmp_path, event("clean", [], [])), code=2)["detail"]


def test_an_unknown_input_is_brought_in_from_outside_and_waits_for_a_verifier(
    take: Run, laboratory: Laboratory, tmp_path: Path
) -> None:
    """Nothing is recorded until it has passed; the same document goes on from there."""
    file = write(tmp_path, event("clean", ["someones table"], ["someones clean table"]))
    (waits,) = take(file, "--external", "AI_TRAINING")
    assert (waits["outcome"], waits["stepId"]) == ("WAITS", None)
    (again,) = take(file, "--external", "AI_TRAINING")
    assert again["reasons"] == waits["reasons"], "it is registered once"
    (version,) = re.findall("0x[0-9a-f]{64}", waits["reasons"][0])
    laboratory.check(VersionId(bytes.fromhex(version[2:])))
    (done,) = take(file, "--external", "AI_TRAINING")
    assert (done["outcome"], done["inputs"]) == ("PERMIT", [version])
