"""The worked example does what its text says, on real patients and with a real model."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests.support.data import ROOT, SYNTHEA, bundle_files


@pytest.mark.timeout(280)
def test_from_collection_to_a_model_a_withdrawal_and_the_answer() -> None:
    """Who does not consent is refused, old data trains no more, the model owes an answer, and nothing is left owed."""
    ran = subprocess.run(
        [sys.executable, "-m", "scripts.example", "--data", str(SYNTHEA), "--json"],
        cwd=ROOT,
        env={**os.environ},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    found = json.loads(ran.stdout)
    patients = len(bundle_files())
    assert (found["patients"], found["included"]) == (patients, patients - 1)
    assert found["versionsReached"] == 7  # collected, clean, three parts, the model, what it inferred
    assert "a withdrawal waits for an answer" in found["refused"]
    assert (found["owed"], found["left"]) == (True, 0)
    assert found["breastCancer"] > 0.9
    assert (found["mismatches"], found["findings"]) == (0, [])
    assert (found["decisions"], found["steps"]) == (patients + patients - 1, 17)
