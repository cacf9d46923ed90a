"""
Who takes part in the story, and what each will do. Worked out from the data folder alone, the same every time.

Patients are taken in the order of their files. With few patients the same one plays several parts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ledger.domain.vocabulary import Category, Custody
from ledger.errors import LedgerError
from ledger.interop.fhir import PatientBundle, organisations, parse_json, patient_bundle_files, read_bundle

#: A made-up company; any resemblance of its name is chance.
COMPANY_NAME: Final = "North Star AI (demo)"
OUTSIDER_NAME: Final = "Outside Analytics (demo)"
HOSPITALS: Final = ("hospital-1", "hospital-2")
COMPANY: Final = "company"
OUTSIDER: Final = "outsider"
ETHICS: Final = "ethics"
COMPLIANCE: Final = "compliance"
VERIFIER: Final = "verifier"
ALLIANCE: Final = "alliance"
ETHICS_NAME: Final = "Ethics Board (demo)"
COMPLIANCE_NAME: Final = "Data Protection Office (demo)"
VERIFIER_NAME: Final = "Verification Office (demo)"
ALLIANCE_NAME: Final = "Data Alliance (demo)"
COMMITTEE: Final = "committee"

_NEUTRAL_NAMES: Final = ("First Hospital", "Second Hospital")
_MAX_NAME_BYTES: Final = 64
_TRAINING_SETS: Final = (
    Category.DIAGNOSIS | Category.LABORATORY | Category.VITALS,
    Category.DIAGNOSIS | Category.MEDICATION | Category.LABORATORY | Category.VITALS | Category.PROCEDURES,
    Category.LABORATORY | Category.VITALS,
    Category.DIAGNOSIS | Category.MEDICATION | Category.PROCEDURES | Category.IMMUNISATION,
)
#: With at most this many patients nobody can be left without any consent.
_FEW: Final = 3


@dataclass(frozen=True, slots=True)
class Patient:
    """
    One patient.

    Attributes:
        index: Place among the files, from 0; the only name a patient has in the story.
        hospital: Who keeps the record: one of `HOSPITALS`.
        custody: Who keeps the holder key.
        entries: Number of resources by category.
    """

    index: int
    path: Path
    hospital: str
    custody: Custody
    entries: dict[Category, int]

    @property
    def other_hospital(self) -> str:
        """Return the hospital that does not keep the record."""
        return HOSPITALS[1 - HOSPITALS.index(self.hospital)]

    @property
    def training_categories(self) -> Category:
        """Return what the patient lets an AI learn from: a set of categories the record has, if there is any."""
        held = Category(0)
        for category in self.entries:
            held |= category
        return _TRAINING_SETS[self.index % len(_TRAINING_SETS)] & held or Category.DIAGNOSIS

    def bundle(self) -> dict[str, Any]:
        """Read the patient's bundle."""
        bundle: dict[str, Any] = parse_json(self.path.read_bytes(), what=self.path.name)
        return bundle

    def content(self) -> PatientBundle:
        """Read the patient's record, split by category."""
        return read_bundle(self.bundle())


@dataclass(frozen=True, slots=True)
class Cast:
    """All patients, the names of the hospitals, and who plays which part."""

    patients: tuple[Patient, ...]
    hospital_names: tuple[str, str]

    @classmethod
    def of(cls, folder: Path) -> Cast:
        """
        Read the data folder.

        Raises:
            MalformedRecord: There is no such folder, or no patient bundle in it.
        """
        patients = tuple(_patient(index, path) for index, path in enumerate(patient_bundle_files(folder)))
        return cls(patients, _hospital_names(folder, patients))

    def part(self, number: int) -> Patient:
        """Return the patient who plays a part."""
        return self.patients[number % len(self.patients)]

    @property
    def moving(self) -> Patient:
        """Return the patient whose record goes to the other hospital."""
        return self.part(0)

    @property
    def sparing(self) -> Patient:
        """Return the patient whose additional consent is good for one use."""
        return self.part(1)

    @property
    def brief(self) -> Patient:
        """Return the patient whose additional consent lasts some seconds."""
        return self.part(2)

    @property
    def silent(self) -> Patient:
        """Return the patient who gave no consent to the company, if there are enough patients."""
        return self.part(3)

    @property
    def leaving(self) -> Patient:
        """Return the patient who withdraws, and reads the log; always one who keeps the key."""
        return self.part(4)

    @property
    def consenting(self) -> list[Patient]:
        """Return the patients who let the company train on their data."""
        return [
            patient for patient in self.patients if len(self.patients) <= _FEW or patient is not self.silent
        ]

    @property
    def resources(self) -> dict[Category, int]:
        """Return how many resources of each category all patients have."""
        counts: dict[Category, int] = {}
        for patient in self.patients:
            for category, number in patient.entries.items():
                counts[category] = counts.get(category, 0) + number
        return counts


def _patient(index: int, path: Path) -> Patient:
    content = read_bundle(parse_json(path.read_bytes(), what=path.name)).content
    return Patient(
        index=index,
        path=path,
        hospital=HOSPITALS[index % 2],
        custody=Custody.SELF if index // 2 % 2 == 0 else Custody.ASSISTED,
        entries={category: len(resources) for category, resources in content.items()},
    )


def _hospital_names(folder: Path, patients: tuple[Patient, ...]) -> tuple[str, str]:
    """Take the first two different names: of hospitalInformation.json, then of the bundles, then neutral ones."""
    found: list[str] = []
    for name in (*_named_organisations(folder, patients), *_NEUTRAL_NAMES):
        fitting = name.encode()[:_MAX_NAME_BYTES].decode(errors="ignore").strip()
        if fitting and fitting not in found:
            found.append(fitting)
        if len(found) == len(HOSPITALS):
            break
    return found[0], found[1]


def _named_organisations(folder: Path, patients: tuple[Patient, ...]) -> Iterator[str]:
    for path in (folder / "hospitalInformation.json", *(patient.path for patient in patients)):
        try:
            resources = organisations(parse_json(path.read_bytes(), what=path.name))
        except (LedgerError, OSError):
            continue
        yield from (str(resource["name"]) for resource in resources if resource.get("name"))
