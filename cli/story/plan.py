"""What patients consent to, and what members ask for: every answer the law has, at least once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from cli.story.cast import COMPANY, HOSPITALS, Cast, Patient
from ledger.domain.vocabulary import ALL_CATEGORIES, Category, Fact, names

DAY_SECONDS: Final = 86_400
#: Use period of the consent that is to expire during the story, in seconds.
BRIEF_SECONDS: Final = 6
#: What the company's project covers: nothing that says who it is, no claims, no core privacy.
PROJECT_CATEGORIES: Final = names(
    ALL_CATEGORIES
    & ~(Category.DEMOGRAPHICS | Category.CLAIMS | Category.GENOMICS | Category.HIV_STI)
    & ~(Category.PSYCHIATRY | Category.REPRODUCTIVE)
)
#: What a model is for, and all that it is made of.
AI_PURPOSES: Final = ["AI_TRAINING", "AI_VALIDATION", "AI_INFERENCE"]
PROJECT_PURPOSES: Final = [*AI_PURPOSES, "RESEARCH"]
#: What the data may ever be used for. Marketing and the like no consent could allow.
DATA_PURPOSES: Final = [
    "PRIMARY_CARE",
    "EMERGENCY_CARE",
    "PAYMENT",
    "OPERATIONS",
    "RESEARCH",
    "DISEASE_RESEARCH",
    *AI_PURPOSES,
    "PUBLIC_HEALTH",
    "PATIENT_REQUEST",
]


#: How many records go to the company together, at most.
_DELIVERED: Final = 3

_NOTHING: Final = Fact(0)


@dataclass(frozen=True, slots=True)
class Consent:
    """One consent to be given. `name` is its name in the notebook."""

    name: str
    patient: Patient
    recipient: str
    purposes: tuple[str, ...]
    categories: Category
    seconds: int
    max_uses: int = 0
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ask:
    """
    One request for access.

    Attributes:
        asker: The member that asks.
        consent: Name of the consent it relies on, or None.
        project: Whether it names the company's project.
        missing: Facts that must be missing; the request is permitted if and only if there are none.
    """

    name: str
    asker: str
    patient: Patient
    purpose: str
    categories: Category
    consent: str | None = None
    project: bool = True
    basis: str = "CONSENT"
    operation: str = "READ"
    missing: Fact = _NOTHING
    statement: str = ""

    @property
    def level(self) -> str:
        """Return how far de-identified the data is to be handed over: secondary use never needs the name."""
        return "IDENTIFIED" if self.purpose == "PRIMARY_CARE" else "PSEUDONYMISED"


def training(patient: Patient) -> str:
    """Return the name of a patient's consent to the training."""
    return f"training-{patient.index}"


def consents(cast: Cast) -> list[Consent]:
    """Return all consents, that of some seconds first."""
    brief, sparing, moving = cast.brief, cast.sparing, cast.moving
    special = [
        Consent("brief", brief, COMPANY, ("AI_TRAINING",), brief.training_categories, BRIEF_SECONDS),
        Consent(
            "single-use", sparing, COMPANY, ("AI_TRAINING",), sparing.training_categories, 90 * DAY_SECONDS, 1
        ),
        Consent(
            "move",
            moving,
            moving.other_hospital,
            ("PRIMARY_CARE",),
            ALL_CATEGORIES,
            30 * DAY_SECONDS,
            flags=("SEPARATE",),
        ),
    ]
    return [*special, *(_training_consent(patient) for patient in cast.consenting)]


def first_asks(cast: Cast) -> list[Ask]:
    """Return what the company asks for at once."""
    return [*(_train(patient) for patient in cast.consenting), *_single_use(cast), *_refused(cast)]


def inclusions(cast: Cast) -> list[Ask]:
    """Return whom the company asks to include into its dataset: all who consent, also to less than it is for."""
    wanted = cast.leaving.training_categories
    return [
        Ask(
            f"include-{patient.index}",
            COMPANY,
            patient,
            "AI_TRAINING",
            wanted,
            consent=training(patient),
            operation="INCLUDE",
            missing=Fact.GRANT_CATEGORIES if wanted & ~patient.training_categories else _NOTHING,
        )
        for patient in cast.consenting
    ]


def hospital_asks(cast: Cast) -> list[Ask]:
    """Return what the hospitals ask for: care of their own, and what is not theirs."""
    own, tempting = cast.moving, cast.consenting[-1]
    return [
        Ask(
            "own-care",
            own.hospital,
            own,
            "PRIMARY_CARE",
            Category.DEMOGRAPHICS | Category.DIAGNOSIS | Category.MEDICATION,
            project=False,
            basis="CUSTODIAN_CARE",
            statement="Treatment at the hospital that keeps the record",
        ),
        Ask(
            "not-own-care",
            own.other_hospital,
            own,
            "PRIMARY_CARE",
            Category.DIAGNOSIS,
            project=False,
            basis="CUSTODIAN_CARE",
            missing=Fact.REQUESTER_IS_CUSTODIAN,
        ),
        Ask(
            "borrowed-project",
            HOSPITALS[1],
            tempting,
            "AI_TRAINING",
            tempting.training_categories,
            consent=training(tempting),
            missing=Fact.PROJECT_FILED | Fact.PROJECT_TECHNIQUE | Fact.GRANT_RECIPIENT,
        ),
    ]


def late_ask(cast: Cast) -> Ask:
    """Return the request that comes when the brief consent has expired."""
    patient = cast.brief
    return Ask(
        "expired",
        COMPANY,
        patient,
        "AI_TRAINING",
        patient.training_categories,
        consent="brief",
        missing=Fact.GRANT_LIVE,
        statement="Second pass over the cohort",
    )


def move_ask(cast: Cast) -> Ask:
    """Return the request for a copy of a whole record."""
    patient = cast.moving
    return Ask(
        "move",
        patient.other_hospital,
        patient,
        "PRIMARY_CARE",
        ALL_CATEGORIES,
        consent="move",
        project=False,
        operation="TRANSFER",
        statement="The patient changes hospitals",
    )


def delivered(cast: Cast) -> list[Patient]:
    """Return the patients of the first hospital whose records go to the company together: some who let it train on them."""
    return [patient for patient in cast.consenting if patient.hospital == HOSPITALS[0]][:_DELIVERED]


def delivery_asks(cast: Cast) -> list[Ask]:
    """Return the company's requests for copies of the records that go to it together."""
    return [
        Ask(
            f"delivery-{patient.index}",
            COMPANY,
            patient,
            "AI_TRAINING",
            patient.training_categories,
            consent=training(patient),
            operation="TRANSFER",
            statement="Copies for the company's own rooms",
        )
        for patient in delivered(cast)
    ]


def ask_after_withdrawal(cast: Cast) -> Ask:
    """Return the request that comes after the withdrawal."""
    patient = cast.leaving
    return Ask(
        "withdrawn",
        COMPANY,
        patient,
        "AI_TRAINING",
        patient.training_categories,
        consent=training(patient),
        missing=Fact.GRANT_LIVE,
        statement="Next training round",
    )


def _training_consent(patient: Patient) -> Consent:
    flags = ("NO_REIDENTIFY", "NO_RELINK") if patient.index % 2 else ("NO_REIDENTIFY",)
    return Consent(
        training(patient),
        patient,
        COMPANY,
        tuple(AI_PURPOSES),
        patient.training_categories,
        365 * DAY_SECONDS,
        0 if patient.index % 3 == 0 else 25,
        flags,
    )


def _train(patient: Patient) -> Ask:
    return Ask(
        training(patient),
        COMPANY,
        patient,
        "AI_TRAINING",
        patient.training_categories,
        consent=training(patient),
        statement="Training of the early-warning model, first round",
    )


def _single_use(cast: Cast) -> Iterator[Ask]:
    patient = cast.sparing
    for name, missing in (("single-use-1", Fact(0)), ("single-use-2", Fact.GRANT_QUOTA)):
        yield Ask(
            name,
            COMPANY,
            patient,
            "AI_TRAINING",
            patient.training_categories,
            consent="single-use",
            missing=missing,
        )


def _refused(cast: Cast) -> Iterator[Ask]:
    yield Ask(
        "no-consent",
        COMPANY,
        cast.silent,
        "AI_TRAINING",
        cast.silent.training_categories,
        missing=Fact.GRANT_LIVE
        | Fact.GRANT_RECIPIENT
        | Fact.GRANT_PURPOSE
        | Fact.GRANT_CATEGORIES
        | Fact.GRANT_QUOTA,
    )
    attempts: tuple[tuple[str, str, Category, Fact], ...] = (
        ("other-purpose", "RESEARCH", Category(0), Fact.GRANT_PURPOSE),
        ("more-categories", "AI_TRAINING", Category.NOTES, Fact.GRANT_CATEGORIES),
        ("who-it-is", "AI_TRAINING", Category.DEMOGRAPHICS, Fact.CATEGORIES_NECESSARY),
        ("marketing", "MARKETING", Category(0), Fact.LAWFUL),
        ("insurance", "INSURANCE_RATING", Category(0), Fact.LAWFUL),
        ("core-privacy", "AI_TRAINING", Category.GENOMICS, Fact.GRANT_SEPARATE | Fact.EMERGENCY_IN_FORCE),
    )
    willing = cast.consenting
    for number, (name, purpose, more, missing) in enumerate(attempts, start=5):
        patient = willing[number % len(willing)]
        categories = patient.training_categories | more
        yield Ask(name, COMPANY, patient, purpose, categories, consent=training(patient), missing=missing)
    patient = willing[0]
    yield Ask(
        "no-project",
        COMPANY,
        patient,
        "AI_TRAINING",
        patient.training_categories,
        consent=training(patient),
        project=False,
        missing=Fact.PROJECT_FILED,
    )
