"""Patients consent, and one withdraws."""

from __future__ import annotations

from typing import Any

from cli.story.cast import Patient
from cli.story.plan import Consent, consents, training
from cli.story.world import World
from cli.times import rfc3339
from ledger.client import PassportClient, check_grant, sign_grant, sign_revocation
from ledger.domain.vocabulary import Custody, names
from ledger.errors import InvalidInput, NotPermitted, SignatureExpired, VerificationError

Json = dict[str, Any]


def give_consents(world: World) -> None:
    """Give all consents: with the patient's own key, or with the key the hospital keeps for an assisted patient."""
    planned = consents(world.cast)
    for done, consent in enumerate(planned):
        world.report("giving consents", done, len(planned))
        _give(world, consent)
    world.report("giving consents", len(planned), len(planned))


def withdraw_consent(world: World) -> None:
    """
    Let one patient withdraw, with the patient's own key; what was permitted before is not handed over any more.

    Raises:
        VerificationError: The service still hands over.
    """
    patient = world.cast.leaving
    given = world.notebook.answer(f"consent-{training(patient)}")
    ended = world.notebook.act(
        "withdraw",
        lambda planned, key: world.as_patient(
            patient, lambda client: client.revoke(given["grantId"], planned["signature"], idempotency_key=key)
        ),
        plan=lambda: {"signature": _revocation(world, patient, given)},
    )
    if ended["status"] != "withdrawn":
        raise VerificationError(f"the consent is {ended['status']} after its withdrawal")
    world.notebook.act("handed-over-after-withdrawal", lambda *_: _not_handed_over(world, patient))


def grant_id(world: World, consent: str) -> str:
    """Return the id of a consent that was given."""
    return str(world.notebook.answer(f"consent-{consent}")["grantId"])


def _give(world: World, consent: Consent) -> None:
    action = f"consent-{consent.name}"

    def send(planned: Json, key: str) -> Json:
        if consent.patient.custody is Custody.ASSISTED:
            return world.as_member(consent.patient.hospital).assist_grant(planned, idempotency_key=key)
        return world.as_patient(
            consent.patient,
            lambda client: client.relay_grant(planned["grant"], planned["signature"], idempotency_key=key),
        )

    def plan() -> Json:
        fields = _fields(world, consent)
        if consent.patient.custody is Custody.ASSISTED:
            return fields
        return world.as_patient(
            consent.patient, lambda client: _signed(world, client, consent.patient, fields)
        )

    try:
        world.notebook.act(action, send, plan=plan)
    except (InvalidInput, SignatureExpired):
        # It was planned before an interruption, and its time has passed: nothing was granted.
        world.notebook.act_anew(action, send, plan=plan)


def _fields(world: World, consent: Consent) -> Json:
    return {
        "passportId": world.passport_of(consent.patient),
        "recipient": world.id_of(consent.recipient),
        "purposes": list(consent.purposes),
        "categories": names(consent.categories),
        "useTo": rfc3339(world.now() + consent.seconds),
        "maxUses": consent.max_uses,
        "flags": list(consent.flags),
    }


def _signed(world: World, client: PassportClient, patient: Patient, fields: Json) -> Json:
    """What a patient's own program does: let it be written down, check it, sign it."""
    prepared = client.prepare_grant(fields)
    grant = check_grant(prepared, fields)
    signature = sign_grant(client.ledger(), grant, world.holder_key(patient))
    return {"grant": prepared["grant"], "signature": signature}


def _revocation(world: World, patient: Patient, given: Json) -> str:
    ledger = world.as_patient(patient, lambda client: client.ledger())
    return sign_revocation(
        ledger,
        passport_id=given["passportId"],
        grant_id=given["grantId"],
        private_key=world.holder_key(patient),
    )


def _not_handed_over(world: World, patient: Patient) -> Json:
    permit = world.answer_to(training(patient))
    company = world.as_member("company")
    try:
        company.release(permit["passportId"], permit["seq"])
    except NotPermitted as error:
        return {"code": error.kind}
    raise VerificationError("the service handed a record over after its patient had withdrawn the consent")
