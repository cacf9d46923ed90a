"""The pages of datasets and versions, and what other pages say of them: each for its own readers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from api.middleware import COOKIE
from api.pages import data, people
from ledger.client import sign_in
from ledger.domain.lineage import VersionId
from ledger.domain.records import Commitment, Salt
from ledger.domain.vocabulary import Purpose, Role, StepKind, VersionKind
from ledger.encoding.commitments import external_id
from ledger.encoding.hexadecimal import to_hex
from ledger.service.lineage import StepReport
from tests.api.conftest import assert_page
from tests.support.lineage import AI, TOOL, YEAR, fresh

HTML = {"Accept": "text/html"}


@pytest.fixture
def as_member(http, member_code):
    def enter(actor):
        http.cookies.set(COOKIE, member_code(actor))
        return lambda path: assert_page(http.get(path, headers=HTML))

    return enter


@pytest.fixture
def as_patient(http, client):
    def enter(key):
        http.cookies.set(COOKIE, str(sign_in(client(), key)["code"]))
        return http

    return enter


def text_of(element: Any) -> str:
    return " ".join(" ".join(element.itertext()).split())


def row(page: Any, anchor: str) -> str:
    (found,) = [item for item in page.iter("tr") if item.get("id") == anchor]
    return text_of(found)


def section(page: Any, heading: str) -> Any:
    (found,) = [item for item in page.iter("section") if item.get("aria-labelledby") == heading]
    return found


def edges(page: Any) -> set[tuple[str, str]]:
    return {
        (link.get("data-from"), item.get("id"))
        for item in page.iter("tr")
        for link in item.iter("a")
        if link.get("data-from")
    }


def test_a_version_tells_what_it_was_made_of_and_what_was_made_of_it(as_member, trail):
    page = as_member(trail.lab.company)(f"/versions/{to_hex(trail.line.model)}")

    rows = [item for item in page.iter("tr") if item.get("data-kind")]
    kinds = [item.get("data-kind") for item in rows]
    assert kinds[0] == "dataset"
    assert {kind: kinds.count(kind) for kind in set(kinds)} == {
        "dataset": 1,
        "step": 6,  # collect, split, train, evaluate, deploy, infer
        "data": 3,  # what was collected, and the parts that trained and tested it
        "model": 1,
        "result": 1,
    }
    (subject,) = [item.get("id") for item in rows if item.get("aria-current")]
    assert subject == f"version-{trail.line.model.hex()}"
    names = {item.get("id"): place for place, item in enumerate(rows)}
    assert all(names[source] < names[target] for source, target in edges(page))
    into = {source for source, target in edges(page) if target == subject}
    assert "train" in row(page, into.pop())


def test_a_version_says_how_it_stands(as_member, trail):
    page = as_member(trail.lab.company)(f"/versions/{to_hex(trail.line.model)}")

    model = row(page, f"version-{trail.line.model.hex()}")
    assert all(state in model for state in ("In service", "Deployed", "Stale", "Answer due by"))
    training = row(page, f"version-{trail.line.training.hex()}")
    assert all(state in training for state in ("Training data", "Check passed", "Stale"))
    assert "Not checked" in row(page, f"version-{trail.line.collected.hex()}")
    assert "1 withdrawal" in row(page, f"dataset-{trail.line.dataset}")
    assert "nothing failed its check" in text_of(section(page, "standing"))
    assert "Lineage verification office checked" in text_of(section(page, "custody"))


def test_what_trained_a_model_says_with_whom_it_was_shared(as_member, trail):
    page = as_member(trail.lab.verifier)(f"/versions/{to_hex(trail.line.training)}")

    told = text_of(section(page, "standing"))
    assert "Shared with Lineage company" in told
    assert "“Report 2026-41”" in told


def test_the_owner_reads_how_to_answer_and_others_do_not(as_member, trail):
    path = f"/versions/{to_hex(trail.line.model)}"
    own, other = (
        text_of(section(as_member(who)(path), "owed")) for who in (trail.lab.lab, trail.lab.company)
    )

    assert "Lineage laboratory owes an answer to a consent that was withdrawn" in own
    assert f"passport lineage answer {to_hex(trail.line.model)} RETRAINED --successor MODEL" in own
    assert f"POST /v1/versions/{to_hex(trail.line.model)}/answers" in own
    assert "Lineage laboratory owes an answer" in other
    assert "passport lineage" not in other


def test_a_verifier_reads_how_to_check(as_member, trail):
    path = f"/versions/{to_hex(trail.line.collected)}"

    assert "passport lineage verify" in text_of(as_member(trail.lab.verifier)(path))
    assert "passport lineage verify" not in text_of(as_member(trail.lab.lab)(path))


def test_a_version_from_outside_says_who_vouches_for_it_and_waits(as_member, trail, world):
    """In quarantine until a verifier has passed it; also where it comes into a lineage."""
    lab, content = trail.lab, Commitment(fresh())
    name = VersionId(external_id(lab.lab.member.member_id, content))
    words = "Published weights, release 4, under the licence of its authors"
    service = world.service.lineage
    world.done(service.register(lab.lab.member, content, VersionKind.MODEL, (Purpose.AI_TRAINING,), words))
    path = f"/versions/{to_hex(name)}"

    page = as_member(lab.verifier)(path)
    told = text_of(page)
    assert "Lineage laboratory brought it in from outside" in told
    assert "and vouches for it" in told
    assert words in told
    assert "It is in quarantine" in told
    assert "passport lineage verify" in told
    assert "In quarantine" in row(page, f"version-{name.hex()}")

    lab.check(name)
    passed = text_of(as_member(lab.verifier)(path))
    assert "quarantine" not in passed
    assert "brought it in from outside" in passed
    assert "passport lineage share" in text_of(as_member(lab.lab)(path))


def test_a_round_of_training_says_who_took_part_and_what_came_before(as_member, trail, world):
    """In words, in the table of rounds, in the lineage, and in the custody."""
    lab = trail.lab
    site = world.admit("Pages site", Role.PROCESSOR)
    data = lab.check(lab.made(StepKind.COLLECT, actor=site, dataset_id=lab.declare(site)))
    contribution = Commitment(fresh())
    models: list[Any] = []
    for number in (1, 2):
        report = StepReport(
            StepKind.TRAIN,
            inputs=(*models[-1:], data),
            outputs=(fresh(),),
            project_id=lab.project,
            purposes=tuple(AI),
            tool=TOOL,
            parameters={"round": number},
            salt=Salt(fresh()),
        )
        part = world.service.lineage.sign_part(
            site.member, report, recorder=lab.lab.member.member_id, contribution=contribution
        )
        world.done(world.service.lineage.record(lab.lab.member, replace(report, parts=(part,))))
        models += report.outputs
    page = as_member(lab.company)(f"/versions/{to_hex(models[-1])}")

    parts = section(page, "parts")
    assert "Pages site" in text_of(parts)
    assert to_hex(contribution) in text_of(parts)
    rounds = [text_of(item) for item in section(page, "rounds").findall(".//tbody/tr")]
    assert [line.split()[0] for line in rounds] == ["1", "2"]
    assert all("Lineage laboratory, with Pages site" in line for line in rounds)
    assert f"/versions/{to_hex(models[0])}" in {
        link.get("href") for link in section(page, "rounds").iter("a")
    }
    step = world.service.lineage.get(models[-1]).version.step_id
    assert "by Lineage laboratory, with Pages site" in row(page, f"step-{step}")
    assert "Pages site took part and signed" in text_of(section(page, "custody"))


def test_exports_of_a_version_are_links_that_work(as_member, http, trail):
    page = as_member(trail.lab.company)(f"/versions/{to_hex(trail.line.model)}")
    links = [link.get("href") for link in page.iter("a") if "/lineage?format=" in link.get("href")]

    assert len(links) == 4
    assert [http.get(link).status_code for link in links] == [200] * 4


def test_a_long_lineage_is_cut_and_says_so(as_member, trail, monkeypatch):
    monkeypatch.setattr(data, "GRAPH_STEPS", 2)

    page = as_member(trail.lab.company)(f"/versions/{to_hex(trail.line.model)}")

    assert "This is not all of it" in text_of(section(page, "lineage"))


def test_a_dataset_tells_its_plan_and_what_became_of_it(as_member, trail):
    page = as_member(trail.lab.company)(f"/datasets/{trail.line.dataset}")

    told = text_of(section(page, "plan"))
    assert all(words in told for words in ("Records of one hospital", "training an AI model", "diagnoses"))
    standing = text_of(section(page, "standing"))
    assert "Inclusions 2" in standing
    assert "Refused to its owner 1 request" in standing
    assert len(section(page, "standing").findall(".//ol/li")) == 1
    assert "none is kept" in standing
    assert {"dataset", "step", "data", "model", "result"} == {
        item.get("data-kind") for item in page.iter("tr") if item.get("data-kind")
    }


def test_who_is_in_a_dataset_is_told_to_its_owner_and_auditors_alone(as_member, cast, trail):
    path = f"/datasets/{trail.line.dataset}"
    passport = to_hex(trail.leaving[1])

    for actor in (trail.lab.lab, cast.auditor):
        page = as_member(actor)(path)
        assert passport in text_of(section(page, "inclusions"))
    stranger = as_member(trail.lab.company)(path)
    assert passport not in text_of(stranger)
    assert "Its owner and auditors can see this." in text_of(stranger)


def test_the_inclusions_page(as_member, trail, monkeypatch):
    monkeypatch.setattr(data, "_MOST_SHOWN", 1)
    page = as_member(trail.lab.lab)(f"/datasets/{trail.line.dataset}")

    (following,) = [link.get("href") for link in page.iter("a") if link.get("rel") == "next"]

    assert to_hex(trail.leaving[1]) in text_of(section(as_member(trail.lab.lab)(following), "inclusions"))


def test_an_ethics_body_reads_how_to_excuse(as_member, trail):
    path = f"/datasets/{trail.line.dataset}"

    assert f"passport dataset excuse {trail.line.dataset} --withdrawals 1 " in text_of(
        as_member(trail.lab.ethics)(path)
    )
    assert "passport dataset excuse" not in text_of(as_member(trail.lab.lab)(path))


def test_all_datasets_and_models_are_listed(as_member, trail):
    page = as_member(trail.lab.company)("/datasets")
    links = {link.get("href") for link in page.iter("a")}

    assert {f"/datasets/{trail.line.dataset}", f"/versions/{to_hex(trail.line.model)}"} <= links


def test_an_institution_reads_its_datasets_its_models_and_what_it_owes(as_member, trail):
    lab = as_member(trail.lab.lab)("/institution")
    assert "Lineage laboratory owes an answer" in text_of(section(lab, "owed"))
    assert "passport lineage answer" in text_of(section(lab, "owed"))
    assert f"Dataset {trail.line.dataset}" in text_of(section(lab, "datasets"))
    assert trail.line.model.hex()[:8] in text_of(section(lab, "models"))
    company = as_member(trail.lab.company)("/institution")
    assert not [item for item in company.iter("section") if item.get("aria-labelledby") == "owed"]


def test_an_auditor_reads_what_is_overdue(as_member, cast, trail, world, monkeypatch):
    """On time nothing is told; two years later the answer and the destruction are missing."""
    gone = trail.lab.declare()
    name = f"Dataset {gone}"
    soon = text_of(section(as_member(cast.auditor)("/auditor"), "gaps"))
    later = world.now() + 2 * YEAR
    monkeypatch.setattr("api.access.now_of", lambda _: later)
    late = text_of(section(as_member(cast.auditor)("/auditor"), "gaps"))

    assert "Answer overdue" not in soon
    assert name not in soon
    assert "Lineage laboratory owes an answer" in late
    assert f"passport lineage suspend {to_hex(trail.line.model)}" in late
    assert name in late


def test_the_owner_of_a_dataset_past_its_retention_reads_what_to_do(as_member, trail, world, monkeypatch):
    later = world.now() + 2 * YEAR
    monkeypatch.setattr("api.access.now_of", lambda _: later)

    page = text_of(as_member(trail.lab.lab)(f"/datasets/{trail.line.dataset}"))

    assert "its destruction is not on record" in page
    assert f"passport lineage step DESTROY --dataset {trail.line.dataset}" in page


def test_a_patient_who_stays_reads_where_the_data_went_in_two_languages(as_patient, trail):
    key, passport, _ = trail.staying
    page = assert_page(as_patient(key).get(f"/patient/passports/{to_hex(passport)}"))
    told = section(page, "whereabouts")

    assert f"Dataset {trail.line.dataset} of Lineage laboratory, “Early warning cohort”, since" in text_of(
        told
    )
    assert f"Model {trail.line.model.hex()[:8]} of Lineage laboratory: in service, deployed" in text_of(told)
    assert "If you withdraw this consent, nothing more may be trained" in text_of(told)
    chinese = [text_of(item) for item in told.iter() if item.get("lang") == "zh-Hans"]
    assert any("如您撤回本同意" in words for words in chinese)
    assert any(f"数据集 {trail.line.dataset}" in words for words in chinese)


def test_a_patient_who_withdrew_reads_what_that_asks(as_patient, trail):
    key, passport, _ = trail.leaving
    page = assert_page(as_patient(key).get(f"/patient/passports/{to_hex(passport)}"))
    told = text_of(section(page, "whereabouts"))

    assert "This consent has ended. Nothing more may be trained" in told
    assert "your consent to it ended on" in told
    assert "Lineage laboratory must answer the withdrawals by" in told
    assert "If you withdraw" not in told


def test_no_page_of_a_patient_names_another_patient(as_patient, trail):
    key, passport, grant = trail.staying
    _, other, other_grant = trail.leaving
    page = as_patient(key).get(f"/patient/passports/{to_hex(passport)}").text

    assert to_hex(grant) in page
    assert to_hex(other) not in page
    assert to_hex(other_grant) not in page


def test_an_inclusion_waits_for_no_hand_over(as_patient, trail, world):
    """It is no gap on the auditor's page, and the patient reads into which dataset the data was put."""
    late = people.survey_of(world.service, now=world.now() + YEAR)
    key, passport, _ = trail.staying
    page = as_patient(key).get(f"/patient/passports/{to_hex(passport)}").text

    assert to_hex(passport) not in {line.passport_id for line in late.without_hand_over}
    assert f"It was put into dataset {trail.line.dataset}." in page


def test_a_patient_whose_data_is_in_no_dataset_reads_that(as_patient, cast):
    page = assert_page(as_patient(cast.holder_key).get(f"/patient/passports/{cast.own}"))

    assert "It was put into no dataset" in text_of(section(page, "whereabouts"))


@pytest.mark.parametrize("what", ["/datasets", "/datasets/1", "/versions/0x" + "42" * 32])
def test_pages_of_lineage_are_for_members(http, as_patient, trail, what):
    assert http.get(what).headers["location"] == "/sign-in"
    assert as_patient(trail.staying[0]).get(what, headers=HTML).status_code == 403


@pytest.mark.parametrize("path", ["/datasets/4000000", "/versions/" + to_hex(fresh())])
def test_what_is_not_there_is_a_problem_page(http, member_code, trail, path):
    http.cookies.set(COOKIE, member_code(trail.lab.lab))
    response = http.get(path, headers=HTML)

    assert response.status_code == 404
    assert_page(response)
