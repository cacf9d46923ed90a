"""The story's own parts: its notebook, its cast, and what everybody asks for."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest

from cli.story.asking import is_what_was_registered
from cli.story.cast import COMPANY, HOSPITALS, Cast
from cli.story.learning import Study
from cli.story.notebook import Notebook
from cli.story.plan import (
    ask_after_withdrawal,
    consents,
    delivered,
    delivery_asks,
    first_asks,
    hospital_asks,
    inclusions,
    late_ask,
    move_ask,
    training,
)
from ledger.domain.vocabulary import Category, Custody, Fact, Level
from ledger.errors import InvalidInput, MalformedRecord
from ledger.interop.deidentification import deidentify
from ledger.interop.fhir import read_bundle
from tests.support.data import bundle


def write_bundle(
    folder: Path, name: str, *resources: dict[str, Any], organisation: str | None = None
) -> None:
    listed = [{"resourceType": "Patient", "id": f"p-{name}", "name": [{"family": "Beispiel"}]}, *resources]
    if organisation:
        listed.append({"resourceType": "Organization", "id": "o", "name": organisation})
    bundle = {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [{"resource": item} for item in listed],
    }
    (folder / f"{name}.json").write_text(json.dumps(bundle))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "data"
    path.mkdir()
    return path


def _cast(folder: Path, patients: int) -> Cast:
    for number in range(patients):
        write_bundle(folder, f"{number:02}", {"resourceType": "Condition", "id": "c"})
    return Cast.of(folder)


class TestNotebook:
    def test_an_action_is_done_once(self, tmp_path: Path) -> None:
        sent: list[str] = []

        def send(_: dict[str, Any], key: str) -> str:
            sent.append(key)
            return "done"

        path = tmp_path / "story.json"
        assert "done" == Notebook(path).act("a", send)
        assert "done" == Notebook(path).act("a", send)
        assert 1 == len(sent)

    def test_after_a_crash_it_is_sent_again_as_it_was_planned(self, tmp_path: Path) -> None:
        path, sent = tmp_path / "story.json", []
        plans = iter([{"n": 1}, {"n": 2}])

        def crash(planned: dict[str, Any], key: str) -> None:
            sent.append((planned, key))
            raise ConnectionError

        with pytest.raises(ConnectionError):
            Notebook(path).act("a", crash, plan=lambda: next(plans))

        def send(planned: dict[str, Any], key: str) -> int:
            sent.append((planned, key))
            return planned["n"]

        assert 1 == Notebook(path).act("a", send, plan=lambda: next(plans))
        assert sent[0] == sent[1]

    def test_what_failed_for_good_is_planned_anew_under_another_key(self, tmp_path: Path) -> None:
        notebook, keys = Notebook(tmp_path / "story.json"), []

        def refuse(_: dict[str, Any], key: str) -> None:
            keys.append(key)
            raise InvalidInput("too late")

        with pytest.raises(InvalidInput):
            notebook.act("a", refuse, plan=lambda: {"until": 1})
        assert 2 == notebook.act_anew(
            "a", lambda planned, key: (keys.append(key), planned["until"])[1], plan=lambda: {"until": 2}
        )
        assert 2 == len(set(keys))

    def test_two_stories_use_different_keys(self, tmp_path: Path) -> None:
        keys = [Notebook(tmp_path / name).act("a", lambda _, key: key) for name in ("one.json", "two.json")]
        assert keys[0] != keys[1]

    def test_nobody_else_can_read_it(self, tmp_path: Path) -> None:
        Notebook(tmp_path / "story.json")
        assert 0o600 == stat.S_IMODE((tmp_path / "story.json").stat().st_mode)


class TestCast:
    @pytest.mark.parametrize("patients", [1, 2, 3, 4, 5, 6, 20])
    def test_every_part_is_played_however_few_there_are(self, folder: Path, patients: int) -> None:
        cast = _cast(folder, patients)

        assert patients == len(cast.patients)
        assert Custody.SELF is cast.leaving.custody
        assert cast.leaving in cast.consenting
        given = {consent.name for consent in consents(cast)}
        asked = [
            *first_asks(cast),
            *hospital_asks(cast),
            late_ask(cast),
            move_ask(cast),
            ask_after_withdrawal(cast),
            *inclusions(cast),
            *delivery_asks(cast),
        ]
        assert {ask.consent for ask in asked if ask.consent} <= given
        assert len(asked) == len({ask.name for ask in asked})
        assert any(ask.name == training(cast.leaving) and not ask.missing for ask in asked)
        assert any(ask.patient is cast.leaving and not ask.missing for ask in inclusions(cast))

    @pytest.mark.parametrize(("patients", "expected"), [(1, [0]), (4, [0, 2]), (20, [0, 2, 4])])
    def test_some_records_of_the_first_hospital_are_delivered(
        self, folder: Path, patients: int, expected: list[int]
    ) -> None:
        cast = _cast(folder, patients)

        assert expected == [patient.index for patient in delivered(cast)]
        assert {HOSPITALS[0]} == {patient.hospital for patient in delivered(cast)}

    def test_half_of_the_patients_keep_their_own_keys_at_both_hospitals(self, folder: Path) -> None:
        cast = _cast(folder, 20)
        for hospital in HOSPITALS:
            kept = [patient.custody for patient in cast.patients if patient.hospital == hospital]
            assert (5, 5) == (kept.count(Custody.SELF), kept.count(Custody.ASSISTED))

    def test_enough_patients_leave_one_without_consent(self, folder: Path) -> None:
        cast = _cast(folder, 4)
        assert cast.silent not in cast.consenting
        assert not [
            consent
            for consent in consents(cast)
            if consent.patient is cast.silent and consent.recipient == COMPANY
        ]

    def test_hospitals_are_named_as_in_the_hospital_file(self, folder: Path) -> None:
        write_bundle(folder, "a", organisation="Not This One")
        organisations = [
            {"resource": {"resourceType": "Organization", "name": name}}
            for name in ("North", "North", "South")
        ]
        (folder / "hospitalInformation.json").write_text(
            json.dumps({"resourceType": "Bundle", "entry": organisations})
        )
        assert ("North", "South") == Cast.of(folder).hospital_names

    def test_hospitals_are_named_as_in_the_bundles_otherwise(self, folder: Path) -> None:
        write_bundle(folder, "a", organisation="Ä" * 40)
        assert ("Ä" * 32, "First Hospital") == Cast.of(folder).hospital_names

    def test_without_names_they_are_neutral(self, folder: Path) -> None:
        assert ("First Hospital", "Second Hospital") == _cast(folder, 1).hospital_names

    def test_nobody_consents_to_categories_the_record_lacks(self, folder: Path) -> None:
        patient = _cast(folder, 1).patients[0]
        assert Category.DIAGNOSIS == patient.training_categories

    def test_a_folder_without_patients_is_malformed(self, folder: Path) -> None:
        with pytest.raises(MalformedRecord):
            Cast.of(folder)

    def test_every_reason_of_the_issue_is_among_the_refusals(self, folder: Path) -> None:
        cast = _cast(folder, 20)
        missing = Fact(0)
        for ask in (*first_asks(cast), *hospital_asks(cast), late_ask(cast)):
            missing |= ask.missing
        for fact in (
            Fact.GRANT_LIVE,
            Fact.GRANT_PURPOSE,
            Fact.GRANT_CATEGORIES,
            Fact.GRANT_QUOTA,
            Fact.PROJECT_FILED,
            Fact.LAWFUL,
        ):
            assert fact in missing


class TestOpened:
    @pytest.mark.parametrize("level", [Level.IDENTIFIED, Level.PSEUDONYMISED, Level.DEIDENTIFIED])
    def test_a_record_at_its_level_is_what_was_registered_and_at_no_other(self, level: Level) -> None:
        patient = read_bundle(bundle(0))
        made = deidentify(patient.content, level=level, secret=b"s" * 32, year=2026)
        opened = {str(category.name): entries for category, entries in made.items()}

        assert is_what_was_registered(opened, patient, level.name)
        other = Level.PSEUDONYMISED if level is Level.IDENTIFIED else Level.IDENTIFIED
        assert not is_what_was_registered(opened, patient, other.name)

    @pytest.mark.parametrize("level", ["IDENTIFIED", "DEIDENTIFIED"])
    def test_a_resource_too_few_is_found(self, level: str) -> None:
        patient = read_bundle(bundle(0))
        made = deidentify(patient.content, level=Level[level], secret=b"s" * 32, year=2026)
        opened = {str(category.name): entries[1:] for category, entries in made.items()}

        assert not is_what_was_registered(opened, patient, level)


class TestStudy:
    """What the company computes of the records that it opened."""

    def study(self, rows: list[dict[str, Any]]) -> Study:
        study = Study(None)  # type: ignore[arg-type]  # Its rows are given: nothing is read.
        study.rows = rows
        return study

    def rows(self, number: int) -> list[dict[str, Any]]:
        """Return rows whose diagnoses follow from one measurement, and another that one row lacks."""
        rows = [
            {"measured": {"a": float(n), "b": float(n * n % 7)}, "diagnoses": 3 * n + 1}
            for n in range(number)
        ]
        rows[-1]["measured"].pop("b")
        return rows

    def test_what_is_missing_is_the_median_of_the_rest(self) -> None:
        rows = [{"measured": {"a": 1.0, "b": value}, "diagnoses": 0} for value in (2.0, 4.0, 9.0)]
        table = self.study([*rows, {"measured": {"a": 5.0}, "diagnoses": 1}]).table

        assert {"codes": ["a", "b"], "y": [0, 0, 0, 1]} == {key: table[key] for key in ("codes", "y")}
        assert [5.0, 4.0] == table["x"][-1]

    def test_each_row_is_in_one_part(self) -> None:
        training_rows, validation_rows, test_rows = self.study(self.rows(20)).parts

        assert [12, 4, 4] == [len(part["y"]) for part in (training_rows, validation_rows, test_rows)]
        assert sorted(row["diagnoses"] for row in self.rows(20)) == sorted(
            training_rows["y"] + validation_rows["y"] + test_rows["y"]
        )

    def test_the_model_learns_what_there_is_to_learn(self) -> None:
        """Better than to say the mean of the training rows for all."""
        study = self.study(self.rows(40))
        mean = sum(study.parts[0]["y"]) / len(study.parts[0]["y"])
        guess = sum(abs(y - mean) for y in study.parts[2]["y"]) / len(study.parts[2]["y"])

        assert study.error is not None
        assert study.error < guess / 5
        assert abs(study.inference["diagnoses"] - study.table["y"][0]) < guess / 5

    def test_one_record_without_measurements_makes_a_model_too(self) -> None:
        study = self.study([{"measured": {}, "diagnoses": 2}])

        assert [2.0] == study.weights["weights"]
        assert study.error is None
        assert {"diagnoses": 2.0} == study.inference
