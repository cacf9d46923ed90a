"""The company makes a model of those who consent; a withdrawal reaches it, and old data trains nothing more."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np

from cli.story.asking import ask_again, check_answer
from cli.story.cast import ALLIANCE, COMPANY, COMPLIANCE, VERIFIER, Patient
from cli.story.consenting import grant_id, withdraw_consent
from cli.story.plan import AI_PURPOSES, DAY_SECONDS, Ask, inclusions, training
from cli.story.world import World
from cli.times import rfc3339
from ledger.client import open_release
from ledger.client.steps import Made, digest_of
from ledger.domain.vocabulary import Level, names
from ledger.encoding.hexadecimal import bytes32
from ledger.errors import VerificationError

Json = dict[str, Any]

#: Most people in one call; the service takes up to 100.
_BATCH: Final = 50
#: How many measurements the model looks at, those that most records have.
_FEATURES: Final = 4
#: How much the model shrinks its weights: a ridge, so that few records do not make it wild.
_RIDGE: Final = 1.0
_PARTS: Final = ("training", "validation", "test")
#: What is told of the progress.
_SAID: Final = "making a model"
_ACTIONS: Final = 9


def make_model(world: World) -> None:
    """
    Declare a dataset, include those whose consent covers it, and go step by step to a model in service.

    Raises:
        VerificationError: Somebody was included or refused against the law, or a step does not stand.
    """
    told = iter(range(_ACTIONS))

    def tell() -> None:
        world.report(_SAID, next(told), _ACTIONS - 1)

    tell()
    tool = _certify(world)
    dataset = _declare(world)
    _include(world, dataset)
    tell()
    study = Study(world)
    rows = _step(world, "collect", lambda: ([study.rows], {}), dataset=dataset, tool=tool)
    tell()
    clean = _step(world, "clean", lambda: ([study.table], {"missing": "median of the rest"}), rows, tool=tool)
    tell()
    parts = _step(world, "split", lambda: (list(study.parts), {"every": 5}), clean, tool=tool)
    tell()
    for part, version in zip(_PARTS, parts, strict=True):
        _pass(world, part, version)
    tell()
    how = {"estimator": "ridge regression", "ridge": _RIDGE, "features": _FEATURES}
    model = _step(world, "train", lambda: ([study.weights], how), parts[:1], purposes=AI_PURPOSES, tool=tool)
    tell()
    tested = [*model, parts[_PARTS.index("test")]]
    _step(world, "evaluate", lambda: ([], {"meanAbsoluteError": study.error}), tested, tool=tool)
    tell()
    _step(world, "deploy", lambda: ([], {"site": "ward of the first hospital"}), model, tool=tool)
    _step(world, "infer", lambda: ([study.inference], {"for": "one patient"}), model, tool=tool)
    tell()


def withdraw_from_model(world: World) -> None:
    """
    Let one patient withdraw, and see that it has reached the model: the company owes an answer.

    Raises:
        VerificationError: The service still hands over; or nothing is owed, or for another model.
    """
    withdraw_consent(world)
    model = _outputs(world, "train")
    owed = world.persist(lambda: world.as_member(COMPANY).obligations(owner=world.id_of(COMPANY)), until=bool)
    if [item["versionId"] for item in owed] != model:
        raise VerificationError("the withdrawal did not reach the model that was made of the data")
    world.notebook.act("owed", lambda *_: owed[0])


def ask_and_train_again(world: World) -> None:
    """
    Ask once more after the withdrawal, and train on what was collected before: refused, on record, and nothing is made.

    Raises:
        VerificationError: One of them was permitted.
    """
    ask_again(world)
    recorded = _record(
        world,
        "train-again",
        lambda: ([{"weights": "of data that somebody has withdrawn"}], {}),
        _outputs(world, "split")[:1],
        kind="TRAIN",
        purposes=AI_PURPOSES,
        tool=world.notebook.answer("tool")["tool"],
    )
    if "INPUTS_CURRENT" not in recorded["missing"]:
        raise VerificationError("data that somebody has withdrawn trained a model")


class Study:
    """What the company computes: read and worked out when it is asked for, and not again."""

    def __init__(self, world: World) -> None:
        """Study the records of those who were included."""
        self._world = world

    @cached_property
    def rows(self) -> list[Json]:
        """Return a row for each record: the mean of each of its measurements, and how many diagnoses it has."""
        included = [item.patient for item in inclusions(self._world.cast) if not item.missing]
        return [_row(_opened(self._world, patient)) for patient in included]

    @cached_property
    def table(self) -> Json:
        """Return the measurements that most records have, what is missing as the median, and what is to be learned."""
        counts = Counter(code for row in self.rows for code in row["measured"])
        codes = sorted(counts, key=lambda code: (-counts[code], code))[:_FEATURES]
        columns = []
        for code in codes:
            known = [row["measured"][code] for row in self.rows if code in row["measured"]]
            columns.append([row["measured"].get(code, float(np.median(known))) for row in self.rows])
        x = [list(values) for values in zip(*columns, strict=True)] or [[] for _ in self.rows]
        return {"codes": codes, "x": x, "y": [row["diagnoses"] for row in self.rows]}

    @cached_property
    def parts(self) -> tuple[Json, Json, Json]:
        """Return three of five rows for training, one for validation, one for the test."""
        chosen: list[list[int]] = [[], [], []]
        for row in range(len(self.rows)):
            chosen[max(row % 5 - 2, 0)].append(row)
        training_rows, validation_rows, test_rows = (self._rows_of(numbers) for numbers in chosen)
        return training_rows, validation_rows, test_rows

    @cached_property
    def weights(self) -> Json:
        """Return the weights that fit the training rows best: of a constant, and of each measurement standardised."""
        x, y = np.array(self.parts[0]["x"], dtype=float), np.array(self.parts[0]["y"], dtype=float)
        mean, spread = x.mean(axis=0), x.std(axis=0)
        spread[spread == 0] = 1.0
        known = _with_constant((x - mean) / spread)
        shrink = _RIDGE * np.eye(known.shape[1])
        shrink[0, 0] = 0.0
        found = np.linalg.solve(known.T @ known + shrink, known.T @ y)
        return {"weights": found.tolist(), "mean": mean.tolist(), "spread": spread.tolist()}

    @property
    def error(self) -> float | None:
        """Return by how many diagnoses the model is wrong on the rows of the test; None if there are none."""
        test = self.parts[2]
        return float(np.abs(self._predicted(test["x"]) - np.array(test["y"])).mean()) if test["y"] else None

    @property
    def inference(self) -> Json:
        """Return what the model says of the first row."""
        return {"diagnoses": float(self._predicted(self.table["x"][:1])[0])}

    def _predicted(self, x: list[list[float]]) -> Any:
        model = {name: np.array(value) for name, value in self.weights.items()}
        return _with_constant((np.array(x, dtype=float) - model["mean"]) / model["spread"]) @ model["weights"]

    def _rows_of(self, numbers: list[int]) -> Json:
        return {name: [self.table[name][number] for number in numbers] for name in ("x", "y")}


def _certify(world: World) -> str:
    """Let the alliance certify what does the steps, and the authority license the project's model."""
    tool = str(world.notebook.act("tool", lambda *_: {"tool": f"0x{digest_of(Path(__file__))}"})["tool"])
    project = int(world.notebook.answer("project")["projectId"])
    _attest(
        world, ALLIANCE, {"kind": "TOOL", "tool": tool, "statement": "The demonstration's steps, reviewed"}
    )
    _attest(
        world,
        COMPLIANCE,
        {"kind": "LICENCE", "projectId": project, "statement": "Licence of the demonstration's model"},
    )
    return tool


def _attest(world: World, who: str, statement: Json) -> None:
    world.notebook.act(
        f"attest-{who}",
        lambda planned, key: world.as_member(who).attest(planned, idempotency_key=key),
        plan=lambda: {**statement, "validTo": rfc3339(world.now() + 365 * DAY_SECONDS)},
    )


def _declare(world: World) -> int:
    def plan() -> Json:
        return {
            "purposes": AI_PURPOSES,
            "categories": names(world.cast.leaving.training_categories),
            "retainUntil": rfc3339(world.now() + 365 * DAY_SECONDS),
            "budget": 0,
            "description": {
                "title": "Early warning of deterioration",
                "source": "Records of both hospitals",
                "method": "One row for each record that was handed over under a permit",
                "standard": "Pseudonymised by the hospitals before they hand over",
                "storage": "Encrypted, in the company's own rooms",
            },
        }

    company = world.as_member(COMPANY)
    declared = world.notebook.act(
        "dataset", lambda planned, key: company.declare_dataset(planned, idempotency_key=key), plan=plan
    )
    return int(declared["datasetId"])


def _include(world: World, dataset: int) -> None:
    asked = inclusions(world.cast)
    for start in range(0, len(asked), _BATCH):
        _include_batch(world, dataset, f"batch-include-{start // _BATCH}", asked[start : start + _BATCH])


def _include_batch(world: World, dataset: int, action: str, asked: list[Ask]) -> None:
    def plan() -> Json:
        return {
            "purpose": "AI_TRAINING",
            "level": "PSEUDONYMISED",
            "projectId": int(world.notebook.answer("project")["projectId"]),
            "statement": "Cohort of the early-warning model",
            "targets": [
                {
                    "passportId": world.passport_of(item.patient),
                    "grantId": grant_id(world, training(item.patient)),
                }
                for item in asked
            ],
        }

    def send(planned: Json, key: str) -> Json:
        answers = world.as_member(COMPANY).include(dataset, planned, idempotency_key=key)
        return {item.name: answer for item, answer in zip(asked, answers, strict=True)}

    found = world.notebook.act(action, send, plan=plan)
    for item in asked:
        check_answer(item, found[item.name])


def _pass(world: World, part: str, version: str) -> None:
    report = {"passed": True, "report": f"The {part} part holds no row of another part, and no name."}
    world.notebook.act(
        f"check-{part}",
        lambda planned, key: world.as_member(VERIFIER).check_version(version, **planned, idempotency_key=key),
        plan=lambda: report,
    )


def _step(
    world: World,
    name: str,
    work: Callable[[], tuple[Sequence[Any], Json]],
    inputs: Sequence[str] = (),
    **fields: Any,
) -> list[str]:
    """Do a step; returns the names of what it made."""
    recorded = _record(world, name, work, inputs, kind=name.upper(), **fields)
    if recorded["outcome"] != "PERMIT":
        raise VerificationError(f"the step to {name} broke a rule: {'; '.join(recorded['reasons'])}")
    return _outputs(world, name)


def _record(
    world: World,
    name: str,
    work: Callable[[], tuple[Sequence[Any], Json]],
    inputs: Sequence[str],
    *,
    kind: str,
    tool: str,
    dataset: int = 0,
    purposes: Sequence[str] = (),
) -> Json:
    """Do a step and record it: `work` returns what it makes and how. Names, digests and salts stay in the notebook."""

    def plan() -> Json:
        made, how = work()
        named = [Made.of(content) for content in made]
        step = {
            "kind": kind,
            "inputs": list(inputs),
            "outputs": [item.version_id for item in named],
            "datasetId": dataset,
            "projectId": int(world.notebook.answer("project")["projectId"]),
            "purposes": list(purposes),
            "tool": tool,
            "parameters": how,
        }
        return {"step": step, "made": [asdict(item) for item in named]}

    company = world.as_member(COMPANY)
    recorded: Json = world.notebook.act(
        f"step-{name}",
        lambda planned, key: company.record_step(planned["step"], idempotency_key=key),
        plan=plan,
    )
    return recorded


def _outputs(world: World, name: str) -> list[str]:
    return [str(version) for version in world.notebook.answer(f"step-{name}")["outputs"]]


def _opened(world: World, patient: Patient) -> dict[str, list[Json]]:
    """Open a record as the company, under the decision that permits to read it."""
    answer, company = world.answer_to(training(patient)), world.as_member(COMPANY)
    release = company.release(answer["passportId"], answer["seq"])
    content = bytes32(company.passport(answer["passportId"])["content"], field="content")
    days = answer["dataFrom"], answer["dataTo"]
    return open_release(release, world.keys(COMPANY), level=Level.PSEUDONYMISED, content=content, days=days)


def _row(record: dict[str, list[Json]]) -> Json:
    measured: dict[str, list[float]] = {}
    for entries in record.values():
        for resource in entries:
            code = resource.get("code", {}).get("coding", [{}])[0].get("code")
            value = resource.get("valueQuantity", {}).get("value")
            if code and isinstance(value, int | float):
                measured.setdefault(str(code), []).append(float(value))
    return {
        "measured": {code: sum(values) / len(values) for code, values in measured.items()},
        "diagnoses": len(record.get("DIAGNOSIS", [])),
    }


def _with_constant(x: Any) -> Any:
    return np.hstack([np.ones((len(x), 1)), x])
