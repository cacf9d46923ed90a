"""Members ask, the contract decides, and what was permitted, and only that, is handed over."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, Final

from cli.story.cast import COMPANY, COMPLIANCE, ETHICS, HOSPITALS
from cli.story.consenting import grant_id
from cli.story.plan import (
    DAY_SECONDS,
    PROJECT_CATEGORIES,
    PROJECT_PURPOSES,
    Ask,
    ask_after_withdrawal,
    first_asks,
    hospital_asks,
    late_ask,
)
from cli.story.world import World
from cli.times import rfc3339
from ledger.client import open_release, seconds
from ledger.domain.vocabulary import Fact, Level, flags, names
from ledger.encoding.hexadecimal import bytes32
from ledger.errors import NotPermitted, VerificationError
from ledger.interop.fhir import PatientBundle

Json = dict[str, Any]

#: Most requests in one call; the service takes up to 100.
_BATCH: Final = 50


def ask_for_access(world: World) -> None:
    """
    File the company's project, have it reviewed, and ask: in batches, permits and refusals mixed.

    Raises:
        VerificationError: An answer is not the one that the law gives.
    """
    _file_project(world)
    asked = first_asks(world.cast)
    total = len(asked) + len(hospital_asks(world.cast)) + 1
    for start in range(0, len(asked), _BATCH):
        world.report("asking for access", start, total)
        ask(world, f"batch-{start // _BATCH}", asked[start : start + _BATCH])
    for hospital in HOSPITALS:
        ask(
            world, f"batch-{hospital}", [item for item in hospital_asks(world.cast) if item.asker == hospital]
        )
    world.report("asking for access", total - 1, total)
    world.wait_until(seconds(world.notebook.answer("consent-brief")["useTo"]))
    ask(world, "batch-late", [late_ask(world.cast)])
    world.report("asking for access", total, total)


def collect_records(world: World) -> None:
    """
    Fetch and open everything that was permitted, and compare it with the hospitals' own files.

    Raises:
        VerificationError: Something was handed over that differs, that was not permitted, or after a refusal.
    """
    asked = [*first_asks(world.cast), *hospital_asks(world.cast)]
    permitted = [item for item in asked if not item.missing]
    refused = [item for item in asked if item.missing and item.asker == COMPANY]
    for done, item in enumerate(permitted):
        world.report("opening records", done, len(permitted))
        world.notebook.act(f"opened-{item.name}", lambda *_, item=item: _open(world, item))
    for item in refused:
        world.notebook.act(f"kept-{item.name}", lambda *_, item=item: _kept(world, item))
    world.report("opening records", len(permitted), len(permitted))


def ask_again(world: World) -> None:
    """
    Ask once more after the withdrawal.

    Raises:
        VerificationError: It was permitted.
    """
    ask(world, "batch-withdrawn", [ask_after_withdrawal(world.cast)])


def ask(world: World, action: str, asked: list[Ask]) -> None:
    """
    Send one batch; `World.answer_to` finds the answers by the names of the requests.

    Raises:
        VerificationError: An answer is not the one that the law gives.
    """
    if not asked:
        return
    member = world.as_member(asked[0].asker)

    def send(planned: Json, key: str) -> Json:
        answers = member.decide(planned["requests"], idempotency_key=key)
        return {item.name: answer for item, answer in zip(asked, answers, strict=True)}

    found = world.notebook.act(
        action, send, plan=lambda: {"requests": [_request(world, item) for item in asked]}
    )
    for item in asked:
        check_answer(item, found[item.name])


def check_answer(item: Ask, answer: Json) -> None:
    """
    Compare an answer with the one that the law gives.

    Raises:
        VerificationError: It is another one.
    """
    missing = flags(Fact, answer["missing"])
    expected = "DENY" if item.missing else "PERMIT"
    if answer["outcome"] != expected or item.missing & ~missing:
        raise VerificationError(
            f"request {item.name!r} was answered {answer['outcome']}, missing {answer['missing']}; the law says "
            f"{expected}, missing {names(item.missing)}"
        )


def is_what_was_registered(opened: dict[str, list[Json]], patient: PatientBundle, level: str) -> bool:
    """
    Compare what a recipient opened with the hospital's own file.

    Identified it must be the same. At another level, whose pseudonyms nobody can compute, it must be as many resources
    of the same types in the same order, and nowhere hold the hospital's name for the patient.
    """
    original = {str(category.name): entries for category, entries in patient.content.items()}
    if level == Level.IDENTIFIED.name:
        return opened == original
    return _types(opened) == _types(original) and patient.reference not in json.dumps(opened)


def _types(content: dict[str, list[Json]]) -> dict[str, list[str]]:
    return {name: [str(entry["resourceType"]) for entry in entries] for name, entries in content.items()}


def _file_project(world: World) -> None:
    def plan() -> Json:
        now = world.now()
        return {
            "title": "Early warning of deterioration, learned where the data is",
            "purposes": PROJECT_PURPOSES,
            "categories": PROJECT_CATEGORIES,
            "techniques": ["FEDERATED_LEARNING", "PSEUDONYMISATION"],
            "highestClass": "SENSITIVE",
            "validFrom": rfc3339(now - DAY_SECONDS),
            "validTo": rfc3339(now + 365 * DAY_SECONDS),
            "agreement": "Only the model leaves the hospitals; no record is kept after training.",
        }

    company = world.as_member(COMPANY)
    filed = world.notebook.act(
        "project", lambda planned, key: company.file_project(planned, idempotency_key=key), plan=plan
    )
    for body in (ETHICS, COMPLIANCE):
        _review_project(world, body, int(filed["projectId"]))


def _review_project(world: World, body: str, project_id: int) -> None:
    review = {"approval": body.upper(), "approved": True, "opinion": f"Reviewed by the {body} body"}
    world.notebook.act(
        f"review-{body}",
        lambda _, key: world.as_member(body).review_project(project_id, review, idempotency_key=key),
    )


def _request(world: World, item: Ask) -> Json:
    request: Json = {
        "passportId": world.passport_of(item.patient),
        "purpose": item.purpose,
        "basis": item.basis,
        "operation": item.operation,
        "categories": names(item.categories),
        "level": item.level,
        "statement": item.statement,
    }
    if item.consent:
        request["grantId"] = grant_id(world, item.consent)
    if item.project:
        request["projectId"] = int(world.notebook.answer("project")["projectId"])
    return request


def _open(world: World, item: Ask) -> Json:
    """Fetch one permitted record as its recipient; returns the number of resources by category."""
    answer = world.answer_to(item.name)
    patient = item.patient.content()
    permitted = {name: entries for name, entries in patient.content.items() if name in item.categories}
    if not permitted:
        return {}
    client = world.as_member(item.asker)
    release = client.release(answer["passportId"], answer["seq"])
    content = bytes32(client.passport(answer["passportId"])["content"], field="content")
    days = answer["dataFrom"], answer["dataTo"]
    opened = open_release(
        release, world.keys(item.asker), level=Level[item.level], content=content, days=days
    )
    if not is_what_was_registered(opened, replace(patient, content=permitted), release["level"]):
        raise VerificationError(f"what was released for {item.name!r} is not what the hospital registered")
    return {category: len(resources) for category, resources in opened.items()}


def _kept(world: World, item: Ask) -> Json:
    """Try to fetch what was refused."""
    answer = world.answer_to(item.name)
    try:
        world.as_member(item.asker).release(answer["passportId"], answer["seq"])
    except NotPermitted as error:
        return {"code": error.kind}
    raise VerificationError(f"the service handed over what was refused: {item.name!r}")
