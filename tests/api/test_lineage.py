"""Datasets and lineage by REST: compiled, recorded, checked, shared, withdrawn from, answered and followed."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from typing import Any

import pytest

from api.schemas.base import utc as at
from cli.verification import LedgerReader, check_passport
from ledger.client import sign_grant, sign_in
from ledger.client.holders import grant_of, sign_revocation
from ledger.encoding.hexadecimal import to_hex
from ledger.errors import Conflict, InvalidInput, NotFound, NotPermitted
from ledger.wallet import holder_address
from tests.api.conftest import assert_problem
from tests.support.lineage import AI, DAY, TOOL, Laboratory, fresh

NOWHERE = "0x" + "42" * 32


@dataclass(frozen=True)
class Line:
    """A dataset with a patient who keeps the own key and one who is assisted, and a model made of it."""

    lab: Laboratory
    holder_key: bytes
    passport: str
    grant: str
    assisted: str
    dataset: int
    answers: list[dict[str, Any]]
    collected: str
    training: str
    test: str
    model: str
    refused: dict[str, Any]


def step(kind: str, *inputs: str, makes: int = 1, **changes: Any) -> dict[str, Any]:
    return {
        "kind": kind,
        "inputs": list(inputs),
        "outputs": [to_hex(fresh()) for _ in range(makes)],
        "tool": to_hex(TOOL),
        "parameters": {"learningRate": 0.001, "seed": 7},
        "environment": {"image": "trainer:2.4"},
        "evidence": "Run 7",
        **changes,
    }


def consented(lab: Laboratory, speak: Any, key: bytes) -> tuple[str, str]:
    """Let a patient with the own key consent; returns passport and grant."""
    passport = to_hex(lab.world.register(lab.hospital, 1, holder=holder_address(key)))
    patient = speak(key)
    prepared = patient.prepare_grant(
        {
            "passportId": passport,
            "recipient": lab.lab.member.member_id,
            "purposes": [purpose.name for purpose in AI],
            "categories": ["DIAGNOSIS", "MEDICATION", "LABORATORY"],
            "useTo": at(lab.world.now() + 300 * DAY),
            "flags": ["ONWARD"],
        }
    )
    signature = sign_grant(patient.ledger(), grant_of(prepared["grant"]), key)
    return passport, patient.relay_grant(prepared["grant"], signature)["grantId"]


@pytest.fixture(scope="module")
def line(world, speak) -> Line:
    lab, key = Laboratory(world), secrets.token_bytes(32)
    client, verifier = speak(lab.lab), speak(lab.verifier)
    passport, grant = consented(lab, speak, key)
    assisted = lab.consent(2)
    stranger = to_hex(world.register(lab.hospital, 3))
    dataset = client.declare_dataset(
        {
            "purposes": [purpose.name for purpose in AI],
            "categories": ["DIAGNOSIS", "MEDICATION", "LABORATORY"],
            "retainUntil": at(world.now() + 300 * DAY),
            "budget": 2_000_000,
            "description": {
                "title": "Sepsis cohort",
                "source": "One hospital",
                "method": "Export",
                "standard": "Pseudonymised",
                "storage": "Encrypted",
            },
        }
    )["datasetId"]
    answers = client.include(
        dataset,
        {
            "purpose": "AI_TRAINING",
            "level": "PSEUDONYMISED",
            "projectId": lab.project,
            "targets": [
                {"passportId": passport, "grantId": grant},
                {"passportId": to_hex(assisted.passport_id), "grantId": to_hex(assisted.grant_id)},
                {"passportId": stranger},
            ],
            "statement": "First wave",
        },
    )
    (collected,) = client.record_step(step("COLLECT", datasetId=dataset))["outputs"]
    parts = client.record_step(step("SPLIT", collected, makes=3, epsilon=100_000))["outputs"]
    refused = client.record_step(
        step("TRAIN", parts[0], projectId=lab.project, purposes=["AI_TRAINING"], epsilon=1)
    )
    for part in parts:
        verifier.check_version(part, passed=True, report="Report 41")
    (model,) = client.record_step(
        step(
            "TRAIN",
            parts[0],
            projectId=lab.project,
            purposes=[purpose.name for purpose in AI],
            epsilon=500_000,
        )
    )["outputs"]
    client.record_step(step("EVALUATE", model, parts[2], makes=0, projectId=lab.project))
    client.share_version(parts[0], lab.company.member.member_id, lab.agree(lab.lab, lab.company))
    return Line(
        lab,
        key,
        passport,
        grant,
        to_hex(assisted.grant_id),
        dataset,
        answers,
        collected,
        parts[0],
        parts[2],
        model,
        refused,
    )


def test_each_who_is_asked_for_gets_an_answer(line, client):
    assert [item["outcome"] for item in line.answers] == ["PERMIT", "PERMIT", "DENY"]
    assert {item["datasetId"] for item in line.answers} == {line.dataset}
    assert "there was no consent for it" in line.answers[2]["reasons"]
    assert f"asked to put into a dataset (number {line.dataset}) diagnoses" in line.answers[0]["sentence"]
    dataset = client(line.lab.company).dataset(line.dataset)
    assert (dataset["included"], dataset["status"]) == (2, "IN_USE")
    assert (dataset["budget"], dataset["spent"]) == (2_000_000, 600_000)
    assert dataset["description"]["title"] == "Sepsis cohort"
    assert dataset in client(line.lab.lab).datasets(owner=line.lab.lab.member.member_id)
    assert dataset not in client(line.lab.lab).datasets(owner=line.lab.company.member.member_id)


def test_a_step_against_the_rules_is_an_answer_in_words(line, client):
    assert (line.refused["outcome"], line.refused["missing"]) == ("DENY", ["INPUTS_VERIFIED"])
    assert line.refused["reasons"] == ["nobody independent has checked the data that it used"]
    assert line.refused["sentence"].endswith("it broke a rule and made nothing")
    with pytest.raises(NotFound):
        client(line.lab.lab).version(line.refused["outputs"][0])
    blame = client(line.lab.company).blame(line.refused["outputs"][0])
    assert blame["member"]["name"] == "Lineage laboratory"
    assert "nobody independent has checked" in blame["sentence"]
    assert client(line.lab.company).blame(line.model)["step"] is None


def test_how_a_step_was_done_is_for_who_did_it_verifiers_and_auditors(line, client, cast):
    number = line.refused["stepId"]
    for reader in (line.lab.lab, line.lab.verifier, cast.auditor):
        told = client(reader).step(number)
        assert told["parameters"] == {"learningRate": 0.001, "seed": 7}
        assert (told["environment"], told["evidence"]) == ({"image": "trainer:2.4"}, "Run 7")
    told = client(line.lab.company).step(number)
    assert (told["parameters"], told["environment"], told["evidence"]) == (None, None, None)
    assert all(item["parameters"] is None for item in client(line.lab.lab).steps(dataset_id=line.dataset))


def test_a_version_tells_what_was_found_and_with_whom_it_was_shared(line, client):
    found = client(line.lab.company).version(line.training)

    assert (found["kind"], found["check"], found["report"]) == ("DATA", "PASSED", "Report 41")
    assert [share["recipient"]["name"] for share in found["shares"]] == ["Lineage company"]
    assert found["origins"][0]["parts"] == ["TRAINING"]
    assert found["status"] is None
    model = client(line.lab.company).version(line.model)
    assert (model["status"], model["evaluated"], model["deployed"], model["obligation"]) == (
        "ACTIVE",
        True,
        False,
        None,
    )


def test_forward_back_and_trace(line, client):
    company = client(line.lab.company)

    forward, back = company.forward(line.collected), company.back(line.model)

    assert line.model in {item["versionId"] for item in forward["versions"]}
    assert [item["kind"] for item in back["steps"]] == ["COLLECT", "SPLIT", "TRAIN"]
    assert [item["datasetId"] for item in back["datasets"]] == [line.dataset]
    assert back["inclusions"] == [], "who is in it is for its owner"
    consents = [item["grantId"] for item in client(line.lab.lab).back(line.model)["inclusions"]]
    assert consents == [line.grant, line.assisted]
    of_dataset = company.forward(dataset_id=line.dataset)
    assert of_dataset["versions"][0]["versionId"] == line.collected
    assert company.forward(line.collected, depth=1)["complete"] is False
    acts = [(item["act"], item["member"]["name"]) for item in company.trace(line.training)["items"]]
    assert acts == [
        ("MADE", "Lineage laboratory"),
        ("MADE", "Lineage laboratory"),
        ("CHECKED", "Lineage verification office"),
        ("USED", "Lineage laboratory"),
        ("SHARED", "Lineage laboratory"),
    ]


#: Path, and who may read it. Members that may not get 403, holders 404, or 403 where only members read.
READERS = {
    "/v1/datasets": {"lab", "company", "auditor"},
    "/v1/datasets/{dataset}": {"lab", "company", "auditor"},
    "/v1/datasets/{dataset}/inclusions": {"lab", "auditor"},
    "/v1/datasets/{dataset}/forward": {"lab", "company", "auditor"},
    "/v1/steps": {"lab", "company", "auditor"},
    "/v1/versions/{model}": {"lab", "company", "auditor"},
    "/v1/versions/{model}/forward": {"lab", "company", "auditor"},
    "/v1/versions/{model}/back": {"lab", "company", "auditor"},
    "/v1/versions/{model}/trace": {"lab", "company", "auditor"},
    "/v1/versions/{model}/blame": {"lab", "company", "auditor"},
    "/v1/versions/{model}/attestations": {"lab", "company", "auditor"},
    "/v1/obligations": {"lab", "company", "auditor"},
    "/v1/grants/{grant}/impact": {"lab", "auditor", "hospital", "holder"},
    "/v1/passports/{passport}/forward": {"auditor", "hospital", "holder"},
}
_OWN = ("/v1/grants/", "/v1/passports/")


@pytest.mark.parametrize("caller", ["lab", "company", "auditor", "hospital", "holder", "stranger"])
@pytest.mark.parametrize("path", READERS)
def test_who_may_read_what(http, send, client, cast, line, path, caller):
    target = path.format(dataset=line.dataset, model=line.model, grant=line.grant, passport=line.passport)
    if caller in ("holder", "stranger"):
        key = line.holder_key if caller == "holder" else b"\3" * 32
        response = http.get(target, headers={"Authorization": f"Bearer {sign_in(client(), key)['code']}"})
    else:
        actor = cast.auditor if caller == "auditor" else getattr(line.lab, caller)
        response = send(actor, "GET", target)
    readers = READERS[path] | ({"hospital"} if "company" in READERS[path] else set())
    if caller in readers:
        assert response.status_code == 200, response.text
    else:
        hidden = caller in ("holder", "stranger") and path.startswith(_OWN)
        assert_problem(response, 404 if hidden else 403)


def test_a_patient_follows_the_own_data_and_takes_it_back(line, speak):
    """The patient sees datasets and models; a withdrawal asks the owner, who answers; the patient reads the answer."""
    patient, lab = speak(line.holder_key), speak(line.lab.lab)
    went = patient.forward(passport_id=line.passport)
    assert [item["grantId"] for item in went["inclusions"]] == [line.grant]
    assert line.model in {item["versionId"] for item in went["versions"]}
    before = patient.impact(line.grant)
    assert [item["versionId"] for item in before["models"]] == [line.model]
    assert (before["status"], before["obligations"]) == ("active", [])
    assert before["sentence"] == (
        "The data is in 1 dataset and 1 model; a withdrawal would ask an answer of the owner of each model"
    )

    signature = sign_revocation(
        patient.ledger(), passport_id=line.passport, grant_id=line.grant, private_key=line.holder_key
    )
    patient.revoke(line.grant, signature)

    after = patient.impact(line.grant)
    (owed,) = after["obligations"]
    assert (after["status"], owed["versionId"], owed["overdue"]) == ("withdrawn", line.model, False)
    assert owed["sentence"].startswith(
        "Lineage laboratory owes an answer to a consent that was withdrawn; it is due"
    )
    assert after["inclusions"][0]["withdrawnAt"]
    own = line.lab.lab.member.member_id  # other tests' laboratories owe answers too
    assert [item["versionId"] for item in lab.obligations(owner=own)] == [line.model]
    assert lab.obligations(overdue=True) == []
    assert lab.obligations(owner=line.lab.company.member.member_id) == []
    with pytest.raises(Conflict, match="overdue"):
        speak(line.lab.company).suspend_model(line.model)
    with pytest.raises(NotPermitted):
        speak(line.lab.company).answer_withdrawal(line.model, {"answer": "RETIRED", "evidence": "x"})
    answered = lab.answer_withdrawal(line.model, {"answer": "JUSTIFIED", "evidence": "No trace of one"})
    assert answered["obligation"] is None
    assert answered["answers"][0]["sentence"].endswith("kept in service, with reasons")
    told = patient.impact(line.grant)
    assert [(item["answer"], item["evidence"]) for item in told["answers"]] == [
        ("JUSTIFIED", "No trace of one")
    ]
    assert told["obligations"] == []
    excused = speak(line.lab.ethics).excuse_withdrawals(line.dataset, 1, "One of thousands")
    assert (excused["withdrawals"], excused["excused"]) == (1, 1)


def test_the_log_of_an_inclusion_is_true(line, speak, world):
    """What the patient reads of the inclusion is what the chain holds, down to the number of the dataset."""
    deployment = world.runtime.deployment
    reader = LedgerReader(world.settings.rpc, deployment.ledger)
    lines = speak(line.holder_key).access_log(line.passport)

    assert check_passport(reader, line.passport, lines).is_true
    for lie in (
        {"datasetId": line.dataset + 1},
        {"sentence": lines[0]["sentence"].replace(f"(number {line.dataset})", "(number 4711)")},
    ):
        assert not check_passport(reader, line.passport, [{**lines[0], **lie}]).is_true


def test_a_dataset_is_sealed_and_opened_again(line, client):
    lab, regulator = client(line.lab.lab), client(line.lab.regulator)
    number = line.lab.declare()

    assert lab.seal_dataset(number, "An incident")["said"] == "sealed"
    with pytest.raises(NotPermitted):
        lab.unseal_dataset(number)
    assert regulator.unseal_dataset(number)["status"] == "DECLARED"


@pytest.mark.parametrize(
    ("path", "body", "status", "pointer"),
    [
        ("/v1/datasets", {}, 422, "/purposes"),
        (
            "/v1/datasets/4711/inclusions",
            {"purpose": "RESEARCH", "level": "AGGREGATE", "targets": []},
            422,
            "/targets",
        ),
        ("/v1/datasets/4711/seal", {"reason": "x"}, 404, None),
        ("/v1/datasets/4711/excuse", {"withdrawals": 1, "opinion": "x"}, 404, None),
        ("/v1/steps", {"kind": "BURN", "parameters": {}}, 422, "/kind"),
        ("/v1/steps", {"kind": "CLEAN", "parameters": {}}, 422, "/inputs"),
        ("/v1/steps", {"kind": "CLEAN", "inputs": ["0x12"], "parameters": {}}, 422, "/inputs/0"),
        ("/v1/steps", {"kind": "CLEAN", "inputs": [NOWHERE] * 17, "parameters": {}}, 422, "/inputs"),
        ("/v1/steps", {"kind": "CLEAN", "inputs": [NOWHERE], "outputs": [NOWHERE]}, 422, "/parameters"),
        (
            "/v1/steps",
            {"kind": "CLEAN", "inputs": [NOWHERE], "outputs": [NOWHERE], "parameters": {"n": 2**60}},
            422,
            None,
        ),
        (
            "/v1/steps",
            {"kind": "COLLECT", "datasetId": 4711, "outputs": [NOWHERE], "parameters": {}},
            404,
            None,
        ),
        (f"/v1/versions/{NOWHERE}/checks", {"passed": True, "report": "x"}, 404, None),
        (f"/v1/versions/{NOWHERE}/shares", {"recipient": 1, "agreementId": 1}, 404, None),
        (f"/v1/versions/{NOWHERE}/answers", {"answer": "RETIRED", "evidence": "x"}, 404, None),
        (f"/v1/versions/{NOWHERE}/answers", {"answer": "PERHAPS", "evidence": "x"}, 422, "/answer"),
        (f"/v1/versions/{NOWHERE}/suspension", None, 404, None),
        ("/v1/versions/0x12/checks", {"passed": True, "report": "x"}, 422, None),
        (
            "/v1/decisions",
            {
                "passportId": NOWHERE,
                "purpose": "RESEARCH",
                "basis": "CONSENT",
                "operation": "INCLUDE",
                "categories": ["VITALS"],
            },
            422,
            "/datasetId",
        ),
    ],
)
def test_bad_input_is_told(send, line, path, body, status, pointer):
    response = send(
        line.lab.lab,
        "POST",
        path,
        json.dumps(body).encode() if body is not None else b"",
        headers={"Idempotency-Key": secrets.token_hex(8)},
    )
    problem = assert_problem(response, status)
    if pointer:
        assert problem["errors"][0]["pointer"] == pointer


@pytest.mark.parametrize(
    "query",
    [
        "/v1/datasets?after=x",
        "/v1/steps?after=-1",
        "/v1/obligations?after=1-2",
        "/v1/versions/{model}/back?depth=0",
        "/v1/versions/{model}/forward?depth=65",
        "/v1/versions/{model}/trace?limit=501",
        "/v1/datasets?owner=0",
    ],
)
def test_bad_questions_are_told(send, line, query):
    assert_problem(send(line.lab.lab, "GET", query.format(model=line.model)), 422)


def test_the_same_step_sent_twice_is_one(line, client):
    lab, body = client(line.lab.lab), step("CLEAN", line.collected)

    first = lab.record_step(body, idempotency_key="step-once")
    again = lab.record_step(body, idempotency_key="step-once")

    assert first == again
    with pytest.raises(InvalidInput):
        lab.record_step({**body, "evidence": "another"}, idempotency_key="step-once")


def test_a_tool_is_certified_by_rest(line, client, world):
    tool = to_hex(fresh())
    alliance = client(line.lab.alliance)
    until = at(world.now() + DAY)

    (made,) = alliance.attest({"kind": "TOOL", "tool": tool, "validTo": until, "statement": "Reviewed"})

    assert made["says"] == "the tool may be used in steps"
    assert client(line.lab.lab).attestations(tool=tool) == [made]
    body = {"kind": "ENCRYPTION", "versionId": line.collected, "validTo": until, "statement": "Report 5"}
    (encrypted,) = client(line.lab.verifier).attest(body)
    assert client(line.lab.lab).attestations(version_id=line.collected) == [encrypted]
