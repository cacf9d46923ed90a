"""`passport dataset` and `passport lineage` against a real service on a real chain."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ledger.encoding.hexadecimal import to_hex
from ledger.service.datasets import Target
from tests.cli.conftest import Run
from tests.support.lineage import TOOL, Laboratory, fresh
from tests.support.world import World

AI = ["--purpose", "AI_TRAINING", "--purpose", "AI_VALIDATION", "--purpose", "AI_INFERENCE"]
STUDY = ["--category", "DIAGNOSIS", "--category", "MEDICATION", "--category", "LABORATORY"]


@pytest.fixture(scope="module")
def lab(world: World) -> Laboratory:
    return Laboratory(world)


@pytest.fixture
def run(run_in: Callable[[World], Run], world: World) -> Run:
    """Return a function that runs a command as a member; returns its JSON, or with *text* what people read."""
    speak = run_in(world)
    return lambda who, *arguments, **options: speak(*arguments, who=who, **options)


def test_from_a_declaration_to_an_answer(run: Run, lab: Laboratory, tmp_path: Path) -> None:
    """The whole life: declared, filled, stepped, checked, shared, followed, withdrawn from, answered."""
    targets = [lab.consent(index) for index in (1, 2)]
    number = _compile(run, lab, targets, tmp_path / "targets.txt")
    collected, clean, model = _train(run, lab, number, tmp_path / "parameters.json")
    _follow(run, lab, number, collected, clean, model)
    _withdraw(run, lab, targets[0], model)
    _close(run, lab, number)


def _compile(run: Run, lab: Laboratory, targets: list[Target], listed: Path) -> str:
    declare = ["dataset", "declare", "Sepsis cohort", *AI, *STUDY, "--retain-until", "300d"]
    declare += ["--source", "One hospital", "--method", "Export", "--standard", "Pseudonymised"]
    number = str(run(lab.lab, *declare, "--storage", "Encrypted")["datasetId"])
    listed.write_text("\n".join(f"{to_hex(one.passport_id)} {to_hex(one.grant_id)}" for one in targets))
    include = ["dataset", "include", number, "--purpose", "AI_TRAINING", "--level", "PSEUDONYMISED"]
    include += ["--project", str(lab.project)]
    once = ["--targets", str(listed), "--idempotency-key", "first-wave"]

    assert [item["outcome"] for item in run(lab.lab, *include, *once)] == ["PERMIT", "PERMIT"]
    assert [item["seq"] for item in run(lab.lab, *include, *once)] == [0, 0], "sent again, it happens once"
    stranger = to_hex(lab.world.register(lab.hospital, 3))
    refused = run(lab.lab, *include, "--target", stranger, code=1, text=True)
    assert "refused" in refused
    assert "there was no consent for it" in refused
    return number


def _train(run: Run, lab: Laboratory, number: str, parameters: Path) -> tuple[str, str, str]:
    me, tool = lab.lab, ["--tool", to_hex(TOOL), "--project", str(lab.project)]
    collected, clean, model = (to_hex(fresh()) for _ in range(3))
    told = run(me, "lineage", "step", "COLLECT", "--dataset", number, "--output", collected, text=True)
    assert f"to collect dataset {number}" in told
    run(me, "lineage", "step", "CLEAN", "--input", collected, "--output", clean, *tool)
    parameters.write_text('{"epochs": 20}')
    train = ["lineage", "step", "TRAIN", "--input", clean, "--output", model, *AI, *tool]
    train += ["--parameters", str(parameters), "--evidence", "Run 7"]
    early = run(me, *train, code=1, text=True)
    assert "  - nobody independent has checked the data that it used" in early
    checked = run(lab.verifier, "lineage", "verify", clean, "--passed", "--report", "Report 41")
    assert (checked["check"], checked["report"]) == ("PASSED", "Report 41")
    assert run(me, *train)["parameters"] == {"epochs": 20}
    share = ["lineage", "share", clean, "--with", str(lab.company.member.member_id)]
    shared = run(me, *share, "--agreement", str(lab.agree(lab.lab, lab.company)))
    assert shared["shares"][0]["recipient"]["name"] == "Lineage company"
    return collected, clean, model


def _follow(run: Run, lab: Laboratory, number: str, collected: str, clean: str, model: str) -> None:
    company = lab.company
    assert run(company, "lineage", "forward", collected)["versions"][-1]["versionId"] == model
    assert run(company, "lineage", "forward", "--dataset", number)["complete"] is True
    back = run(company, "lineage", "back", model, text=True)
    assert f"Dataset {number} of Lineage laboratory" in back
    assert "TRAIN" in back
    assert "There is more" in run(company, "lineage", "back", model, "--depth", "1", text=True)
    trace = run(company, "lineage", "trace", clean, text=True)
    assert "Lineage laboratory shared it with Lineage company" in trace
    assert "Nothing in its ancestry" in run(company, "lineage", "blame", model, text=True)
    assert model in run(company, "lineage", "show", model, text=True)
    steps = run(company, "lineage", "steps", "--member", str(lab.lab.member.member_id), text=True)
    assert "TRAIN" in steps


def _withdraw(run: Run, lab: Laboratory, target: Target, model: str) -> None:
    grant = to_hex(target.grant_id)
    assert "a withdrawal would ask" in run(lab.hospital, "lineage", "impact", grant, text=True)
    lab.withdraw(target)
    assert "must still come" in run(lab.hospital, "lineage", "impact", grant, text=True)
    assert "owes an answer" in run(lab.company, "lineage", "obligations", text=True)
    assert "Nothing is owed." in run(lab.company, "lineage", "obligations", "--overdue", text=True)
    assert run(lab.company, "lineage", "suspend", model, code=2)["code"] == "conflict"
    answer = ["lineage", "answer", model, "RETIRED", "--evidence", "Taken off the ward"]
    assert run(lab.lab, *answer)["status"] == "RETIRED"
    assert "taken out of service" in run(lab.hospital, "lineage", "impact", grant, text=True)


def _close(run: Run, lab: Laboratory, number: str) -> None:
    me, company = lab.lab, lab.company
    excused = run(
        lab.ethics, "dataset", "excuse", number, "--withdrawals", "1", "--opinion", "Fine", text=True
    )
    assert "1 withdrawn, 1 excused" in excused
    assert "Sepsis cohort" in run(company, "dataset", "list", text=True)
    assert "Sepsis cohort" in run(company, "dataset", "show", number, text=True)
    assert len(run(me, "dataset", "inclusions", number)) == 2
    assert run(company, "dataset", "inclusions", number, code=1)["code"] == "not-permitted"
    assert "is sealed" in run(lab.regulator, "dataset", "seal", number, "--reason", "Incident", text=True)
    assert run(lab.regulator, "dataset", "unseal", number)["status"] == "IN_USE"
    assert "Inclusions" in run(me, "dataset", "inclusions", number, text=True)


def test_what_failed_its_check_is_blamed(run: Run, lab: Laboratory) -> None:
    dataset = lab.declare()
    lab.include(dataset, lab.consent(4))
    bad = lab.collect(dataset)
    run(lab.verifier, "lineage", "verify", to_hex(bad), "--failed", "--report", "Names were left in")

    told = run(lab.company, "lineage", "blame", to_hex(bad), code=1, text=True)

    assert told.startswith("Lineage laboratory is responsible: step ")
    assert "failed its check" in told


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["dataset", "include", "1", "--purpose", "RESEARCH"], "nobody is named"),
        (["lineage", "forward"], "one thing is followed at a time"),
        (["lineage", "step", "CLEAN", "--parameters", "{broken}"], "is no JSON"),
        (["lineage", "step", "CLEAN", "--parameters", "{list}"], "holds no JSON object"),
        (["lineage", "step", "BURN"], "known codes are"),
        (["dataset", "show", "4711"], "no dataset 4711"),
        (["lineage", "show", "0x" + "42" * 32], "no version"),
        (["attest", "list"], "one passport, project, version or tool"),
    ],
)
def test_bad_input_is_told(
    run: Run, lab: Laboratory, tmp_path: Path, arguments: list[str], words: str
) -> None:
    for name, text in (("broken", "{"), ("list", "[]")):
        (tmp_path / name).write_text(text)
    asked = [item.format(broken=tmp_path / "broken", list=tmp_path / "list") for item in arguments]

    assert words in run(lab.lab, *asked, code=2)["detail"]


def test_a_tool_is_certified(run: Run, lab: Laboratory) -> None:
    tool = to_hex(fresh())
    state = ["attest", "state", "TOOL", "--tool", tool, "--until", "1y", "--statement", "Reviewed"]
    assert run(lab.lab, *state, code=1)["code"] == "not-permitted"
    (made,) = run(lab.alliance, *state)
    assert run(lab.lab, "attest", "list", "--tool", tool) == [made]
    (ended,) = run(lab.alliance, "attest", "withdraw", "TOOL", "--tool", tool)
    assert ended["inForce"] is False
