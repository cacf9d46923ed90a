"""
The worked example: `make example`, or `python -m scripts.example --data FOLDER`.

A laboratory compiles a dataset of the synthetic patients who consent, makes a model of their own data with
scikit-learn, and registers every step as it does it. Then a patient withdraws, and the example shows what that asks of
the model and how it is answered. A second model, of scikit-learn's breast-cancer set, shows data that has no patients
on the ledger. Everything runs in a throw-away folder with a devnet and a service of its own.
"""

from __future__ import annotations

import argparse
import io
import json
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import joblib
import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from cli.auditing import replay
from cli.sandbox import Sandbox
from cli.times import rfc3339
from ledger.client import (
    MemberKeys,
    PassportClient,
    check_grant,
    open_release,
    sign_grant,
    sign_in,
    sign_revocation,
)
from ledger.client.steps import Made, Recorder, digest_of
from ledger.domain.vocabulary import Level
from ledger.encoding.hexadecimal import bytes32
from ledger.errors import NotPermitted
from ledger.wallet import holder_address

Json = dict[str, Any]

PURPOSES: Final = ["AI_TRAINING", "AI_VALIDATION", "AI_INFERENCE"]
CATEGORIES: Final = ["DIAGNOSIS", "LABORATORY", "VITALS"]
_YEAR: Final = 365 * 86_400
_UNITED_STATES: Final = 840
#: What is predicted: SNOMED CT 162864005, a body mass index of 30 or more on record as a finding.
_OBESITY: Final = "162864005"
#: What it is predicted from, LOINC: weight, height, haemoglobin, haematocrit, platelets, leukocytes.
FEATURES: Final = ["29463-7", "8302-2", "718-7", "4544-3", "777-3", "6690-2"]


def main() -> None:
    """Run the example, and say what happens."""
    parser = argparse.ArgumentParser(description="From collection to a model, a withdrawal, and the answer.")
    parser.add_argument("--data", type=Path, required=True, help="folder of FHIR R4 patient bundles")
    parser.add_argument(
        "--json", action="store_true", help="print what was found as one JSON object, and nothing else"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="passport-example-") as name:
        sandbox = Sandbox(Path(name))
        try:
            sandbox.start()
            found = Example(sandbox, options.data, quiet=options.json).run()
        finally:
            sandbox.stop()
    if options.json:
        print(json.dumps(found))


@dataclass
class Patient:
    """A patient, the consent given, and the key if the patient keeps it."""

    passport: str
    grant: str | None = None
    key: bytes | None = None


@dataclass
class Model:
    """What was made on the way to a model."""

    collected: Made
    parts: list[Made]
    trained: Made
    accuracy: float


@dataclass
class Example:
    """The example, from the first member to the last answer."""

    sandbox: Sandbox
    data: Path
    quiet: bool = False
    clients: dict[str, PassportClient] = field(default_factory=dict)
    keys: dict[str, MemberKeys] = field(default_factory=dict)

    def run(self) -> Json:
        """Run it; returns what a reader should have seen."""
        self._found_consortium()
        project = self._file_project()
        patients = self._register_patients()
        dataset = self._declare("Obesity from blood counts", budget=0)
        included = self._include(dataset, project, patients)
        rows = [self._row(project, patient) for patient in included]
        self.say(f"The laboratory opened {len(rows)} records, each under a decision, and made a row of each.")
        recorder = self._recorder(project)
        first = self._make(recorder, dataset, rows, "the first model")
        self._deploy(recorder, first)
        answer = self._withdraw(recorder, dataset, included, rows, first)
        other = self._breast_cancer(recorder)
        replay = self._audit()
        return {
            "patients": len(patients),
            "included": len(included),
            **answer,
            "breastCancer": other,
            **replay,
        }

    def say(self, words: str) -> None:
        """Say what happened."""
        if not self.quiet:
            print(words, flush=True)

    # Who takes part

    def _found_consortium(self) -> None:
        self.clients["committee"] = PassportClient(
            self.sandbox.url, MemberKeys.load(self.sandbox.committee_keys)
        )
        for member, roles, purposes in (
            ("Riverside Hospital", ["CUSTODIAN"], PURPOSES),
            ("Northern AI Laboratory", ["PROCESSOR"], PURPOSES),
            ("Board of Ethics", ["ETHICS"], []),
            ("Compliance Office", ["COMPLIANCE"], []),
            ("Verification Office", ["VERIFIER"], []),
            ("Alliance", ["ALLIANCE"], []),
            ("Regulator", ["REGULATOR"], []),
        ):
            keys = MemberKeys.new(member)
            admitted = self.clients["committee"].admit(
                {
                    **keys.public(),
                    "roles": roles,
                    "purposes": purposes,
                    "kind": "HOSPITAL" if "CUSTODIAN" in roles else "OTHER",
                    "jurisdiction": _UNITED_STATES,
                    "validTo": self._in(2 * _YEAR),
                }
            )
            self.keys[member] = keys.as_member(int(admitted["memberId"]))
            self.clients[member] = PassportClient(self.sandbox.url, self.keys[member])
        self.hospital, self.lab = self.clients["Riverside Hospital"], self.clients["Northern AI Laboratory"]
        self.say(f"{len(self.clients)} institutions: {', '.join(self.clients)}.")

    def _file_project(self) -> int:
        project = self.lab.file_project(
            {
                "title": "Obesity from blood counts",
                "purposes": PURPOSES,
                "categories": CATEGORIES,
                "techniques": ["PSEUDONYMISATION"],
                "highestClass": "SENSITIVE",
                "validFrom": self._in(-86_400),
                "validTo": self._in(_YEAR),
                "agreement": "Only the model leaves the laboratory.",
            }
        )["projectId"]
        for body, approval in (("Board of Ethics", "ETHICS"), ("Compliance Office", "COMPLIANCE")):
            review = {"approval": approval, "approved": True, "opinion": "Fit."}
            self.clients[body].review_project(project, review)
        self.clients["Regulator"].attest(
            {"kind": "LICENCE", "projectId": project, "validTo": self._in(_YEAR), "statement": "Licence 12"}
        )
        self.tool = f"0x{digest_of(Path(__file__))}"
        self.clients["Alliance"].attest(
            {"kind": "TOOL", "tool": self.tool, "validTo": self._in(_YEAR), "statement": "scripts/example.py"}
        )
        self.say(
            f"Project {project} is filed, approved by two bodies, and its model licensed; its tool is certified."
        )
        return int(project)

    def _register_patients(self) -> list[Patient]:
        """Register every bundle. The first patient keeps the own key; the last one does not consent."""
        files = [path for path in sorted(self.data.glob("*.json")) if path.name != "hospitalInformation.json"]
        if len(files) < 3:  # noqa: PLR2004 - one withdraws, one refuses, one stays
            sys.exit(f"{self.data} holds {len(files)} patient bundles; the example needs at least 3")
        own = b"\x45" * 31 + b"\x01"
        patients = []
        for place, path in enumerate(files):
            key = own if place == 0 else None
            made = self.hospital.register(
                json.loads(path.read_text()), PURPOSES, holder=holder_address(key) if key else None
            )
            patients.append(Patient(made["passport"]["passportId"], key=key))
        for patient in patients[:-1]:
            patient.grant = self._consent(patient)
        self.say(
            f"{len(patients)} synthetic patients are registered; {len(patients) - 1} consent, one does not."
        )
        return patients

    def _consent(self, patient: Patient) -> str:
        fields = {
            "passportId": patient.passport,
            "recipient": self.keys["Northern AI Laboratory"].member_id,
            "purposes": PURPOSES,
            "categories": CATEGORIES,
            "useTo": self._in(_YEAR // 2),
        }
        if patient.key is None:
            return str(self.hospital.assist_grant(fields)["grantId"])
        with self._signed_in(patient) as client:
            prepared = client.prepare_grant(fields)
            grant = check_grant(prepared, fields)
            signature = sign_grant(client.ledger(), grant, patient.key)
            return str(client.relay_grant(prepared["grant"], signature)["grantId"])

    def _signed_in(self, patient: Patient) -> PassportClient:
        visitor = PassportClient(self.sandbox.url, None)
        code = str(sign_in(visitor, patient.key or b"")["code"])
        visitor.close()
        return PassportClient(self.sandbox.url, code)

    # The dataset

    def _declare(self, title: str, *, budget: int) -> int:
        declared = self.lab.declare_dataset(
            {
                "purposes": PURPOSES,
                "categories": CATEGORIES,
                "retainUntil": self._in(_YEAR),
                "budget": budget,
                "description": {
                    "title": title,
                    "source": "Synthetic patients, or a public set",
                    "method": "One row for each person",
                    "standard": "Pseudonymised by the hospital",
                    "storage": "In memory",
                },
            }
        )
        return int(declared["datasetId"])

    def _include(self, dataset: int, project: int, patients: list[Patient]) -> list[Patient]:
        targets = [{"passportId": patient.passport, "grantId": patient.grant} for patient in patients]
        decisions = self.lab.include(
            dataset,
            {"purpose": "AI_TRAINING", "level": "PSEUDONYMISED", "projectId": project, "targets": targets},
        )
        outcomes = [decision["outcome"] for decision in decisions]
        refused = outcomes.count("DENY")
        self.say(
            f"Dataset {dataset}: {outcomes.count('PERMIT')} included, {refused} refused, each on record."
        )
        return [patient for patient, said in zip(patients, outcomes, strict=True) if said == "PERMIT"]

    def _row(self, project: int, patient: Patient) -> Json:
        """Ask for a record, open it, and keep what the model needs."""
        (decision,) = self.lab.decide(
            [
                {
                    "passportId": patient.passport,
                    "grantId": patient.grant,
                    "purpose": "AI_TRAINING",
                    "basis": "CONSENT",
                    "operation": "READ",
                    "categories": CATEGORIES,
                    "level": "PSEUDONYMISED",
                    "projectId": project,
                }
            ]
        )
        content = bytes32(self.lab.passport(patient.passport)["content"])
        record = open_release(
            self.lab.release(patient.passport, decision["seq"]),
            self.keys["Northern AI Laboratory"],
            level=Level.PSEUDONYMISED,
            content=content,
            days=(decision["dataFrom"], decision["dataTo"]),
        )
        return row_of(record)

    # The model

    def _recorder(self, project: int) -> Recorder:
        kept = self.sandbox.folder / "made.jsonl"
        return Recorder(self.lab, keep=kept, project_id=project, tool=self.tool)

    def _make(self, passport: Recorder, dataset: int, rows: list[Json], what: str) -> Model:
        """Collect, clean, split, check, train and evaluate: what an AI team writes around its own code."""
        with passport.step("COLLECT", dataset_id=dataset, rows=len(rows)) as step:
            collected = step.makes(rows)
        with passport.step("CLEAN", [collected], fill="median of the column") as step:
            x, y = cleaned(rows)
            clean = step.makes({"x": x.tolist(), "y": y.tolist()})
        with passport.step("SPLIT", [clean], seed=7) as step:
            sets = split(x, y)
            parts = [step.makes({"x": a.tolist(), "y": b.tolist()}) for a, b in sets]
        self._verify(*parts)
        return self._train(passport, collected, parts, sets, what)

    def _train(
        self, passport: Recorder, collected: Made, parts: list[Made], sets: list[Any], what: str
    ) -> Model:
        with passport.step("TRAIN", [parts[0]], purposes=PURPOSES, estimator="LogisticRegression") as step:
            model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000, random_state=0))
            model.fit(*sets[0])
            trained = step.makes(weights(model))
        with passport.step("EVALUATE", [trained, parts[2]]) as step:
            accuracy = float(model.score(*sets[2]))
            step.parameters["accuracy"] = accuracy
        self.say(
            f"{what.capitalize()}: collected, cleaned, split, checked, trained and evaluated; accuracy {accuracy:.2f}"
            f" on {len(sets[2][1])} unseen rows. It is {trained.version_id}."
        )
        return Model(collected, parts, trained, accuracy)

    def _verify(self, *versions: Made) -> None:
        for version in versions:
            self.clients["Verification Office"].check_version(
                version.version_id, passed=True, report="Made as it was said."
            )

    def _deploy(self, passport: Recorder, model: Model) -> None:
        with passport.step("DEPLOY", [model.trained], site="ward 3"):
            pass
        with passport.step("INFER", [model.trained], asked="one patient of ward 3") as step:
            step.makes({"obese": False})
        self.say("It is deployed, and was used once.")

    # The withdrawal

    def _withdraw(
        self,
        passport: Recorder,
        dataset: int,
        included: list[Patient],
        rows: list[Json],
        model: Model,
    ) -> Json:
        patient = included[0]
        with self._signed_in(patient) as client:
            before = client.impact(str(patient.grant))
            signature = sign_revocation(
                client.ledger(),
                passport_id=patient.passport,
                grant_id=str(patient.grant),
                private_key=patient.key or b"",
            )
            client.revoke(str(patient.grant), signature)
            after = client.impact(str(patient.grant))
        self.say(f"A patient asks first: {before['sentence']}.")
        self.say(f"Then withdraws: {after['sentence']}.")
        refusal = self._refused(passport, model)
        (owed,) = self.lab.obligations(owner=self.keys["Northern AI Laboratory"].member_id)
        self.say(f"The laboratory owes an answer: {owed['sentence']}.")
        again = self._make(passport, dataset, rows[1:], "the model without that patient")
        self.lab.answer_withdrawal(
            model.trained.version_id,
            {
                "answer": "RETRAINED",
                "successor": again.trained.version_id,
                "evidence": f"Trained anew on {len(rows) - 1} rows, which were collected after the withdrawal.",
            },
        )
        left = self.lab.obligations(owner=self.keys["Northern AI Laboratory"].member_id)
        self.say(f"It answers: trained anew. {len(left)} answers are owed; the first model is retired.")
        card = self.lab.lineage(again.trained.version_id, "card")
        self.say(f"The card of the new model:\n{json.dumps(card['use'], indent=1)}")
        return {
            "versionsReached": len(before["versions"]) + len(before["models"]),
            "refused": refusal,
            "owed": owed["versionId"] == model.trained.version_id,
            "left": len(left),
            "accuracy": again.accuracy,
        }

    def _refused(self, passport: Recorder, model: Model) -> str:
        """Train on the old data once more: it is refused, and on record."""
        try:
            with passport.step("TRAIN", [model.parts[0]], purposes=PURPOSES) as step:
                step.makes(b"weights of data that somebody has withdrawn")
        except NotPermitted as error:
            self.say(f"Training on the old data is refused: {error.message}.")
            return error.message
        sys.exit("data that somebody has withdrawn trained a model")

    # Data without patients on the ledger, and the audit

    def _breast_cancer(self, passport: Recorder) -> float:
        """Register a model of scikit-learn's own set: nobody on the ledger is in it, so nobody is included."""
        dataset = self._declare("Breast cancer Wisconsin (diagnostic), of scikit-learn", budget=0)
        x, y = load_breast_cancer(return_X_y=True)
        with passport.step("COLLECT", dataset_id=dataset, rows=len(y), source="scikit-learn") as step:
            collected = step.makes({"x": x.tolist(), "y": y.tolist()})
        with passport.step("SPLIT", [collected], seed=7) as step:
            sets = split(x, y)
            parts = [step.makes({"x": a.tolist(), "y": b.tolist()}) for a, b in sets]
        self._verify(*parts)
        return self._train(passport, collected, parts, sets, "the breast-cancer model").accuracy

    def _audit(self) -> Json:
        """Replay the chain without the service."""
        report = replay(self.sandbox.rpc, str(self.lab.ledger()["ledger"]))
        state = report.replay.state
        found = [finding for finding in report.findings if not finding.rule.is_informational]
        self.say(
            f"An auditor replays the chain without the service: {report.replay.decisions} decisions and"
            f" {len(state.steps)} steps decided again, {len(report.replay.mismatches)} differ, {len(found)} found wrong."
        )
        return {
            "decisions": report.replay.decisions,
            "steps": len(state.steps),
            "mismatches": len(report.replay.mismatches),
            "findings": [finding.rule.value for finding in found],
        }

    def _in(self, seconds: int) -> str:
        return rfc3339(int(time.time()) + seconds)


def row_of(record: dict[str, list[Json]]) -> Json:
    """Return a patient's newest value of each feature, and whether obesity is on record."""
    values: dict[str, float] = {}
    for observation in (*record.get("LABORATORY", []), *record.get("VITALS", [])):
        coding = observation.get("code", {}).get("coding", [{}])[0]
        quantity = observation.get("valueQuantity", {})
        if coding.get("code") in FEATURES and "value" in quantity:
            values[coding["code"]] = float(quantity["value"])
    codes = {
        coding.get("code")
        for condition in record.get("DIAGNOSIS", [])
        for coding in condition.get("code", {}).get("coding", [])
    }
    return {"x": [values.get(code) for code in FEATURES], "y": _OBESITY in codes}


def cleaned(rows: list[Json]) -> tuple[Any, Any]:
    """Return features and labels; what is missing is the median of its column."""
    x = np.array([row["x"] for row in rows], dtype=float)
    x = np.where(np.isnan(x), np.nanmedian(x, axis=0), x)
    return x, np.array([int(row["y"]) for row in rows])


def split(x: Any, y: Any) -> list[tuple[Any, Any]]:
    """Return training, validation and test: 60, 20 and 20 of a hundred."""
    train_x, rest_x, train_y, rest_y = train_test_split(x, y, test_size=0.4, random_state=7, stratify=y)
    half = train_test_split(rest_x, rest_y, test_size=0.5, random_state=7)
    return [(train_x, train_y), (half[0], half[2]), (half[1], half[3])]


def weights(model: Any) -> bytes:
    """Return a model as bytes."""
    buffer = io.BytesIO()
    joblib.dump(model, buffer)
    return buffer.getvalue()


if __name__ == "__main__":
    main()
