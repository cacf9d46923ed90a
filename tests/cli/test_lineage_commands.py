"""`passport dataset` and `passport lineage` against a real service on a real chain."""

from __future__ import annotations

import csv
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from ledger.client import PassportClient
from ledger.client import rest as client_module
from ledger.domain.records import NO_GRANT, GrantId, PassportId
from ledger.domain.vocabulary import Purpose
from ledger.encoding.hexadecimal import from_hex, to_hex
from ledger.service.datasets import Target
from tests.cli.conftest import Run
from tests.support.lineage import AI as ALL_OF_AI
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
        (["dataset", "include", "1", "--purpose", "RESEARCH", "--targets", "{twice}"], "line 3 of"),
        (["dataset", "include", "1", "--purpose", "RESEARCH", "--targets", "{crowded}"], "line 1 of"),
        (
            ["dataset", "include", "1", "--purpose", "RESEARCH", "--targets", "{broken}"],
            "passportId must be 0x",
        ),
        (["dataset", "include", "1", "--purpose", "RESEARCH", "--targets", "{gone}"], "cannot be read"),
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
    one, two = "0x" + "11" * 32, "0x" + "22" * 32
    files = {
        "broken": "{",
        "list": "[]",
        "crowded": f"{one} {two} {two}",
        "twice": f"{one}\n# a note\n{one}:{two}",
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    places = {name: tmp_path / name for name in (*files, "gone")}
    asked = [item.format(**places) for item in arguments]

    assert words in run(lab.lab, *asked, code=2)["detail"]


def test_a_tool_is_certified(run: Run, lab: Laboratory) -> None:
    tool = to_hex(fresh())
    state = ["attest", "state", "TOOL", "--tool", tool, "--until", "1y", "--statement", "Reviewed"]
    assert run(lab.lab, *state, code=1)["code"] == "not-permitted"
    (made,) = run(lab.alliance, *state)
    assert run(lab.lab, "attest", "list", "--tool", tool) == [made]
    (ended,) = run(lab.alliance, "attest", "withdraw", "TOOL", "--tool", tool)
    assert ended["inForce"] is False


@pytest.fixture(scope="module")
def cohort(lab: Laboratory) -> tuple[list[Target], list[Target]]:
    """Return forty patients, and those two among them who do not consent to what the dataset is for."""
    people = [lab.consent(index) for index in range(38)]
    silent = Target(lab.world.register(lab.hospital, 38))
    people.insert(7, silent)
    less = lab.consent(39, purposes=[Purpose.AI_TRAINING])
    people.insert(31, less)
    return people, [silent, less]


def test_a_cohort_is_compiled_once_whatever_stops_it(
    run: Run,
    lab: Laboratory,
    cohort: tuple[list[Target], list[Target]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Killed after an answer that nobody read, the same command goes on: each is asked for once, two are refused."""
    people, refused = cohort
    dataset, refusals = lab.declare(), tmp_path / "refusals.csv"
    before = _entries(lab, people)
    command = [*_including(lab, dataset, _listed(people, tmp_path)), "--idempotency-key", "cohort"]
    command += ["--refusals", str(refusals)]
    monkeypatch.setattr(client_module, "_MOST_AT_ONCE", 10)
    with monkeypatch.context() as dying:
        dying.setattr(PassportClient, "include", _interrupted(PassportClient.include, at=3))
        run(lab.lab, *command, code=130, text=True)
    added = [now - then for now, then in zip(_entries(lab, people), before, strict=True)]
    assert added == [1] * 30 + [0] * 10
    assert _named_in(refusals) == [refused[0]], "what was answered before is written down"

    told = run(lab.lab, *command, code=1, text=True)

    assert _entries(lab, people) == [number + 1 for number in before]
    assert f"Dataset {dataset}: 38 of 40 included, 2 refused." in told
    assert "  1: there was no consent for it\n" in told
    assert told.count("the dataset is not the institution's") == 1, (
        "of who consents to less, not of who does not"
    )
    assert _named_in(refusals) == refused
    with refusals.open(newline="") as rows:
        assert [row["missing"].split()[0] for row in csv.DictReader(rows)] == ["GRANT_LIVE", "DATASET_FITS"]
    assert lab.world.service.datasets.get(dataset).dataset.included == 38
    inside = {item["passportId"] for item in run(lab.lab, "dataset", "inclusions", str(dataset))}
    assert inside == {to_hex(one.passport_id) for one in people if one not in refused}


def test_who_is_in_a_dataset_is_not_asked_for_again(
    run: Run, lab: Laboratory, cohort: tuple[list[Target], list[Target]], tmp_path: Path
) -> None:
    people, refused = cohort
    people, dataset = people[30:], lab.declare()
    command = _including(lab, dataset, _listed(people, tmp_path))
    assert len(run(lab.lab, *command, code=1)) == 10
    again = lab.world.grant(lab.hospital, refused[1].passport_id, lab.lab, purposes=ALL_OF_AI)
    people[people.index(refused[1])] = Target(refused[1].passport_id, again)

    found = run(lab.lab, *_including(lab, dataset, _listed(people, tmp_path)), "--only-new")

    assert [(item["passportId"], item["outcome"]) for item in found] == [
        (to_hex(refused[1].passport_id), "PERMIT")
    ]
    assert run(lab.lab, *_including(lab, dataset, _listed(people, tmp_path)), "--only-new") == []


def _listed(people: list[Target], folder: Path) -> Path:
    """Write who is to be included as a spreadsheet exports it; who has no consent without one."""
    rows = [
        f"{to_hex(one.passport_id)},{to_hex(one.grant_id)}".removesuffix(f",{to_hex(NO_GRANT)}")
        for one in people
    ]
    path = folder / "cohort.csv"
    path.write_text("\ufeffpassportId,grantId\r\n" + "\r\n".join(rows) + "\r\n\r\n", encoding="utf-8")
    return path


def _including(lab: Laboratory, dataset: int, listed: Path) -> list[str]:
    command = ["dataset", "include", str(dataset), "--purpose", "AI_TRAINING", "--level", "PSEUDONYMISED"]
    return [*command, "--project", str(lab.project), "--targets", str(listed)]


def _interrupted(include: Callable[..., Any], *, at: int) -> Callable[..., Any]:
    """Return a way to include whose caller is stopped when the service has answered the call of a number."""
    calls = count(1)

    def dying(*arguments: Any, **options: Any) -> Any:
        answer = include(*arguments, **options)
        if next(calls) == at:
            raise KeyboardInterrupt
        return answer

    return dying


def _entries(lab: Laboratory, people: list[Target]) -> list[int]:
    """Return how many decisions the ledger itself counts for each."""
    found = [lab.world.service.chain.passport(one.passport_id) for one in people]
    return [passport.size for passport in found if passport]


def _named_in(refusals: Path) -> list[Target]:
    with refusals.open(newline="") as rows:
        return [
            Target(
                PassportId(from_hex(row["passportId"])),
                GrantId(from_hex(row["grantId"])) if row["grantId"] else NO_GRANT,
            )
            for row in csv.DictReader(rows)
        ]
