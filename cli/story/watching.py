"""The patient reads and checks the log; the auditor replays the chain and finds what was planted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from cli.auditing import replay
from cli.story.cast import COMPANY, COMPANY_NAME
from cli.story.plan import first_asks
from cli.story.world import World
from cli.times import rfc3339
from cli.verification import PassportCheck, check_passport
from ledger.client import seconds
from ledger.domain.records import Address
from ledger.encoding.typed_data import LedgerDomain
from ledger.errors import Conflict, NotFound, VerificationError
from ledger.interop.fhir import passport_system

Json = dict[str, Any]

ACCESS_LOG: Final = "access-log.json"
#: What a node answers that lost its blocks and is being filled again: not yet is not wrong.
_FILLING: Final = (NotFound, Conflict, VerificationError)


def read_log(world: World) -> None:
    """
    Let the patient who withdrew read who asked, and check every line against the chain.

    Raises:
        VerificationError: A line differs from the chain or is missing, or a refusal gives no reason.
    """
    patient = world.cast.leaving
    passport = world.passport_of(patient)
    world.report("the patient checks the log", 0, 1)

    def check() -> tuple[list[Json], PassportCheck]:
        lines = world.as_patient(patient, lambda client: client.access_log(passport))
        return lines, check_passport(world.reader, passport, lines)

    lines, result = world.persist(check, until=lambda found: found[1].is_true, also=_FILLING)
    if not result.is_true:
        differences = [difference for line in result.lines for difference in line.differences]
        raise VerificationError(
            f"the log is not as the chain has it: {'; '.join([*result.problems, *differences])}"
        )
    answers = {line["answer"] for line in lines}
    if not {"permitted", "refused"} <= answers:
        raise VerificationError("the patient's log lacks the permit or the refusal that the story made")
    world.notebook.act("log", lambda *_: {"passportId": passport, "lines": [_words(line) for line in lines]})
    world.report("the patient checks the log", 1, 1)


def audit_ledger(world: World) -> None:
    """
    Replay the chain with a node's URL and the ledger's address, and hold the company's access log against it.

    Raises:
        VerificationError: A decision cannot be reproduced, or the planted misuse was not found.
    """
    path = world.place.directory / ACCESS_LOG
    misused = _write_access_log(world, path)
    result = world.persist(
        lambda: replay(
            world.place.rpc,
            world.place.ledger,
            from_block=world.place.from_block,
            access_logs=[path],
            report=world.report,
        ),
        until=lambda found: found.replay.decisions >= len(world.answers()),
        also=_FILLING,
    ).as_json()
    if result["mismatches"]:
        raise VerificationError(f"{result['mismatches']} decisions come out differently when decided again")
    company = world.id_of(COMPANY)
    if not any(found["passport"] == misused and found["member"] == company for found in result["findings"]):
        raise VerificationError("the auditor did not find the planted misuse")
    world.notebook.act("audit", lambda *_: result)


def _words(line: Json) -> str:
    because = f", because {'; '.join(line['reasons'])}" if line["reasons"] else ""
    return f"{line['position']['time']}: {line['sentence']}: {line['answer']}{because}."


def _write_access_log(world: World, path: Path) -> str:
    """
    Write the company's own access log: its permitted uses, and one use that nothing permits.

    Returns:
        The passport that was misused.
    """
    answers = [world.answer_to(item.name) for item in first_asks(world.cast) if item.asker == COMPANY]
    refusal = world.answer_to("no-consent")
    misused = str(refusal["passportId"])
    permits = [answer for answer in answers if answer["outcome"] == "PERMIT"]
    # Where a permit for the same record exists, only the decision it was used under tells the misuse from a use.
    named = any(permit["passportId"] == misused for permit in permits)
    entity = f"{misused}/{refusal['seq']}" if named else misused
    events = [
        *(
            _event(world, f"{answer['passportId']}/{answer['seq']}", answer["position"]["time"])
            for answer in permits
        ),
        _event(world, entity, rfc3339(seconds(refusal["position"]["time"]) + 1)),
    ]
    bundle = {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [{"resource": event} for event in events],
    }
    path.write_text(json.dumps(bundle, indent=1) + "\n")
    return misused


def _event(world: World, entity: str, recorded: str) -> Json:
    """Return one use as a FHIR R4 AuditEvent."""
    domain = LedgerDomain(world.reader.node.chain_id(), Address(world.place.ledger))
    system = passport_system(domain)
    who = {
        "identifier": {"system": f"{system}:member", "value": str(world.id_of(COMPANY))},
        "display": COMPANY_NAME,
    }
    reason = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "HRESCH"}
    return {
        "resourceType": "AuditEvent",
        "type": {
            "system": "http://dicom.nema.org/resources/ontology/DCM",
            "code": "110110",
            "display": "Patient Record",
        },
        "action": "R",
        "recorded": recorded,
        "outcome": "0",
        "agent": [{"who": who, "requestor": True, "purposeOfUse": [{"coding": [reason]}]}],
        "source": {"observer": {"display": COMPANY_NAME}},
        "entity": [{"what": {"identifier": {"system": system, "value": entity}}}],
    }
