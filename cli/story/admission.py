"""The consortium starts, and the hospitals register their patients' records."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from cli.story.cast import (
    ALLIANCE,
    ALLIANCE_NAME,
    COMMITTEE,
    COMPANY,
    COMPANY_NAME,
    COMPLIANCE,
    COMPLIANCE_NAME,
    ETHICS,
    ETHICS_NAME,
    HOSPITALS,
    OUTSIDER,
    OUTSIDER_NAME,
    VERIFIER,
    VERIFIER_NAME,
    Patient,
)
from cli.story.plan import AI_PURPOSES, DATA_PURPOSES, DAY_SECONDS
from cli.story.world import World, holder_address
from cli.times import rfc3339
from ledger.domain.vocabulary import Custody
from ledger.errors import NotAuthenticated, VerificationError

Json = dict[str, Any]

#: ISO 3166-1 numeric: where the synthetic patients live.
UNITED_STATES: Final = 840
_YEARS: Final = 3
_HOSPITAL_PURPOSES: Final = [
    "PRIMARY_CARE",
    "EMERGENCY_CARE",
    "PAYMENT",
    "OPERATIONS",
    "RESEARCH",
    "AI_TRAINING",
    "PATIENT_REQUEST",
]
_COMPANY_PURPOSES: Final = ["RESEARCH", *AI_PURPOSES]


@dataclass(frozen=True, slots=True)
class Newcomer:
    """An institution to be admitted. `member` is its name in the story."""

    member: str
    name: str
    kind: str
    roles: list[str]
    purposes: list[str]


def found_consortium(world: World) -> None:
    """
    Admit two hospitals, the company, the bodies that review, check and certify; see that the outsider is not heard.

    Raises:
        VerificationError: The outsider was heard.
    """
    first, second = world.cast.hospital_names
    keepers = ["CUSTODIAN", "PROCESSOR"]
    members = [
        Newcomer(HOSPITALS[0], first, "HOSPITAL", keepers, _HOSPITAL_PURPOSES),
        Newcomer(HOSPITALS[1], second, "HOSPITAL", keepers, _HOSPITAL_PURPOSES),
        Newcomer(COMPANY, COMPANY_NAME, "COMPANY", ["PROCESSOR"], _COMPANY_PURPOSES),
        Newcomer(ETHICS, ETHICS_NAME, "OTHER", ["ETHICS"], []),
        Newcomer(COMPLIANCE, COMPLIANCE_NAME, "AUTHORITY", ["COMPLIANCE", "REGULATOR"], []),
        Newcomer(VERIFIER, VERIFIER_NAME, "OTHER", ["VERIFIER"], []),
        Newcomer(ALLIANCE, ALLIANCE_NAME, "OTHER", ["ALLIANCE"], []),
    ]
    for done, newcomer in enumerate(members):
        world.report("admitting members", done, len(members))
        _admit(world, newcomer)
    world.report("admitting members", len(members), len(members))
    world.keys(OUTSIDER, name=OUTSIDER_NAME)
    world.notebook.act("outsider-knocks", lambda _, key: _knock(world, key))


def register_records(world: World) -> None:
    """
    Register every patient's bundle.

    Raises:
        VerificationError: The service sealed another number of resources than the bundle has.
    """
    patients = world.cast.patients
    for patient in patients:
        world.report("registering records", patient.index, len(patients))
        _register(world, patient)
    world.report("registering records", len(patients), len(patients))


def _admit(world: World, newcomer: Newcomer) -> None:
    keys = world.keys(newcomer.member, name=newcomer.name)

    def plan() -> Json:
        valid_to = rfc3339(world.now() + _YEARS * 365 * DAY_SECONDS)
        return {
            **keys.public(),
            "roles": newcomer.roles,
            "purposes": newcomer.purposes,
            "kind": newcomer.kind,
            "jurisdiction": UNITED_STATES,
            "validTo": valid_to,
        }

    committee = world.as_member(COMMITTEE)
    admitted = world.notebook.act(
        f"admit-{newcomer.member}",
        lambda planned, key: committee.admit(planned, idempotency_key=key),
        plan=plan,
    )
    world.number(newcomer.member, int(admitted["memberId"]))


def _knock(world: World, key: str) -> Json:
    """Ask as somebody whose key the ledger does not hold."""
    asked = {
        "passportId": "0x" + "00" * 31 + "01",
        "purpose": "AI_TRAINING",
        "basis": "CONSENT",
        "operation": "READ",
        "categories": ["DIAGNOSIS"],
    }
    try:
        world.as_member(OUTSIDER).decide([asked], idempotency_key=key)
    except NotAuthenticated as error:
        return {"code": error.kind}
    raise VerificationError("the service heard an institution that is no member")


def _register(world: World, patient: Patient) -> None:
    def plan() -> Json:
        return {"holder": holder_address(world, patient) if patient.custody is Custody.SELF else None}

    hospital = world.as_member(patient.hospital)
    made = world.notebook.act(
        f"register-{patient.index}",
        lambda planned, key: hospital.register(
            patient.bundle(), DATA_PURPOSES, holder=planned["holder"], idempotency_key=key
        ),
        plan=plan,
    )
    expected = {str(category.name): number for category, number in patient.entries.items()}
    if made["entries"] != expected or made["passport"]["custody"] != patient.custody.name:
        raise VerificationError(
            f"the service sealed {made['entries']} of patient {patient.index + 1}, not {expected}"
        )
