"""Real input: the Synthea bundles and official FHIR examples that lie beside the project."""

from __future__ import annotations

import json
import os
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
SHARED_DATA = Path(os.environ.get("PASSPORT_TEST_DATA", ROOT.parent / "shared" / "data"))
SYNTHEA = SHARED_DATA / "synthea-r4"
FHIR_EXAMPLES = SHARED_DATA / "fhir-r4"


@cache
def bundle_files() -> tuple[Path, ...]:
    """Return the patients' bundles, sorted by name."""
    return tuple(path for path in sorted(SYNTHEA.glob("*.json")) if path.name != "hospitalInformation.json")


@cache
def bundle_text(index: int) -> str:
    """Return one patient's bundle as it is on disk."""
    return bundle_files()[index % len(bundle_files())].read_text()


def bundle(index: int, *, reference: str | None = None) -> dict[str, Any]:
    """Return one patient's bundle; with *reference* as the patient's id, to register the same person twice."""
    document: dict[str, Any] = json.loads(bundle_text(index))
    if reference is not None:
        for entry in document["entry"]:
            if entry["resource"]["resourceType"] == "Patient":
                entry["resource"]["id"] = reference
    return document
