"""The pages: strict HTML, readable without JavaScript, and each for its own readers."""

from __future__ import annotations

import html
import re
import secrets

import pytest

from api.middleware import COOKIE
from api.pages import people
from api.problems import KINDS
from api.schemas.base import utc
from ledger.client import sign_grant, sign_in, sign_revocation
from ledger.client.holders import grant_of
from ledger.domain.records import GrantId, PassportId, TransferId
from ledger.domain.vocabulary import Outcome
from ledger.encoding.hexadecimal import from_hex, to_hex
from ledger.ports import Call
from ledger.wallet import holder_address
from tests.api.conftest import assert_page, assert_problem

HTML = {"Accept": "text/html"}


@pytest.fixture
def as_patient(http, holder_code):
    http.cookies.set(COOKIE, holder_code)
    return http


@pytest.fixture
def signed_in(http, member_code):
    def enter(actor):
        http.cookies.set(COOKIE, member_code(actor))
        return http

    return enter


def text_of(element) -> str:
    return " ".join(" ".join(element.itertext()).split())


@pytest.mark.parametrize("path", ["/", "/sign-in", "/docs", "/problems"])
def test_pages_for_everybody(http, cast, path):
    response = http.get(path)
    assert response.status_code == 200
    assert_page(response)


def test_each_problem_has_a_page(http, cast):
    for code, kind in KINDS.items():
        response = http.get(f"/problems/{code}")
        assert html.escape(kind.fix, quote=False) in html.unescape(
            response.text
        ) or kind.fix in html.unescape(response.text)
        assert_page(response)
    assert_problem(http.get("/problems/none"), 404, "not-found")


def test_people_get_problems_as_pages(http, cast):
    response = http.get("/nothing", headers=HTML)
    assert response.status_code == 404
    assert_page(response)
    assert_problem(http.get("/nothing"), 404)
    assert_problem(http.get("/v1/nothing", headers=HTML), 404)


def test_pages_send_strangers_to_the_sign_in(http, cast):
    for path in ("/patient", f"/patient/passports/{cast.own}", "/institution", "/auditor"):
        response = http.get(path)
        assert (response.status_code, response.headers["location"]) == (303, "/sign-in")


def test_signing_in_and_out(http, cast, holder_code, member_code):
    same = {"Sec-Fetch-Site": "same-origin"}
    for code, home in (
        (holder_code, "/patient"),
        (member_code(cast.hospital), "/institution"),
        (member_code(cast.auditor), "/auditor"),
    ):
        response = http.post("/sign-in", data={"code": f" {code} "}, headers=same)
        assert (response.status_code, response.headers["location"]) == (303, home)
        cookie = response.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=strict" in cookie
        assert http.get(home).status_code == 200
    out = http.post("/sign-out", headers=same)
    assert (out.status_code, out.headers["location"]) == (303, "/")
    assert http.get("/auditor", cookies=None).status_code == 303
    assert_problem(http.get("/v1/members", headers={"Authorization": f"Bearer {code}"}), 401)


@pytest.mark.parametrize("code", ["", "wrong"])
def test_a_wrong_code_says_so(http, cast, code):
    response = http.post("/sign-in", data={"code": code}, headers={"Sec-Fetch-Site": "same-origin"})
    root = assert_page(response)
    assert root.findtext(".//title").startswith("Error: ")
    assert root.find(".//*[@role='alert']") is not None
    field = root.find(".//input[@id='code']")
    assert field.get("aria-invalid") == "true"
    assert "error" in field.get("aria-describedby")


def test_pages_are_for_their_readers(as_patient, signed_in, cast):
    assert as_patient.get("/institution", headers=HTML).status_code == 403
    assert as_patient.get("/auditor", headers=HTML).status_code == 403
    assert as_patient.get(f"/patient/passports/{cast.assisted}", headers=HTML).status_code == 404
    member = signed_in(cast.lab)
    assert member.get("/patient", headers=HTML).status_code == 403
    response = member.get("/auditor", headers=HTML)
    assert response.status_code == 403
    assert_page(response)


def test_a_patient_reads_who_tried_to_use_the_data(as_patient, cast):
    root = assert_page(as_patient.get("/patient"))
    assert f"/patient/passports/{cast.own}" in {link.get("href") for link in root.findall(".//a")}
    page = assert_page(as_patient.get(f"/patient/passports/{cast.own}"))
    first = page.findall(".//li[@data-check]")[-1]
    told = text_of(first)
    assert "Nosy Insurance asked to read diagnoses under a pseudonym for rating insurance" in told
    assert "Refused" in told
    assert "No data was handed over." in told
    assert re.search(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", told)
    assert first.find(".//ul[@class='reasons']/li") is not None
    assert "passport verify " + cast.own in text_of(page)


def test_a_consent_asked_for_is_told_before_it_is_given_and_after_it_is_withdrawn(http, client, cast, world):
    """A member asks for a consent; the patient's page says so, and says so still when the answer is no."""
    key = secrets.token_bytes(32)
    passport = to_hex(world.register(cast.hospital, 4, holder=holder_address(key)))
    grant = "0x" + secrets.token_hex(32)
    asking = Call("requestConsent", (passport, grant, "0x" + "07" * 32))
    world.done(world.service.writer.submit(cast.lab.member.signer, asking))
    code = str(sign_in(client(), key)["code"])
    http.cookies.set(COOKIE, code)

    def told(section: str) -> str:
        page = assert_page(http.get(f"/patient/passports/{passport}", headers=HTML))
        found = page.find(f".//section[@aria-labelledby='{section}']")
        return "" if found is None else text_of(found)

    asked = told("asked")
    signature = sign_revocation(client().ledger(), passport_id=passport, grant_id=grant, private_key=key)
    ended = client(code).revoke(grant, signature)

    sentence = "Northern AI Laboratory asks for your consent to this: what this service does not know."
    assert re.search(rf"Waits for your answer {re.escape(sentence)}", asked)
    assert (ended["status"], ended["text"]) == ("withdrawn", sentence)
    assert re.search(rf"Withdrawn ended on .* {re.escape(sentence)}", told("consents"))
    assert told("asked") == ""


def give(patient, world, cast, key, passport) -> str:
    """Let a patient with the own key consent; returns the grant."""
    words = {
        "passportId": passport,
        "recipient": cast.lab.member.member_id,
        "purposes": ["AI_TRAINING"],
        "categories": ["DIAGNOSIS"],
        "useTo": utc(world.now() + 10**6),
    }
    prepared = patient.prepare_grant(words)
    signed = sign_grant(patient.ledger(), grant_of(prepared["grant"]), key)
    return str(patient.relay_grant(prepared["grant"], signed)["grantId"])


def test_questions_hide_no_consent_that_is_in_force(http, client, cast, world, monkeypatch):
    """However often somebody asks, what was given stands on the page with its command; the rest is paged, newest first."""
    monkeypatch.setattr(people, "PAGE_LINES", 3)
    monkeypatch.setattr(people, "_BATCH", 2)
    key = secrets.token_bytes(32)
    passport = to_hex(world.register(cast.hospital, 4, holder=holder_address(key)))
    code = str(sign_in(client(), key)["code"])

    first, second, over = (give(client(code), world, cast, key, passport) for _ in range(3))
    signature = sign_revocation(client().ledger(), passport_id=passport, grant_id=over, private_key=key)
    client(code).revoke(over, signature)
    asked = ["0x" + secrets.token_hex(32) for _ in range(7)]
    signer, writer = cast.outsider.member.signer, world.service.writer
    calls = [Call("requestConsent", (passport, grant, "0x" + "07" * 32)) for grant in asked]
    for operation in [writer.submit(signer, call) for call in calls]:
        world.done(operation)
    last = give(client(code), world, cast, key, passport)
    http.cookies.set(COOKIE, code)
    path = f"/patient/passports/{passport}"

    def shown(url: str, section: str) -> list[str]:
        page = assert_page(http.get(url, headers=HTML))
        found = page.find(f".//section[@aria-labelledby='{section}']")
        entries = found.findall(".//li[@class='entry']")
        return ["0x" + entry.get("id").removeprefix("consent-") for entry in entries]

    assert shown(path, "consents") == [last, second, first, over]
    page = assert_page(http.get(path, headers=HTML))
    commands = [text_of(code) for code in page.iter("code")]
    for grant in (first, second, last):
        assert any("passport grant revoke" in command and grant in command for command in commands)
    assert shown(path, "asked") == asked[::-1][: people.PAGE_LINES]
    (more,) = [link.get("href") for link in page.iter("a") if "asked=" in (link.get("href") or "")]
    assert shown(more, "asked") == asked[::-1][people.PAGE_LINES : 2 * people.PAGE_LINES]
    assert shown(more, "consents") == [last, second, first, over]


def test_consents_that_have_ended_are_paged_and_a_line_still_quotes_its_own(
    http, client, cast, world, monkeypatch
):
    """A line of the log names its consent though that stands on another page, and links to nothing that is not there."""
    monkeypatch.setattr(people, "PAGE_LINES", 2)
    key = secrets.token_bytes(32)
    passport = world.register(cast.hospital, 4, holder=holder_address(key))
    code = str(sign_in(client(), key)["code"])
    grants = [give(client(code), world, cast, key, to_hex(passport)) for _ in range(3)]
    world.ask(cast.lab, passport, grant_id=GrantId(from_hex(grants[0])), project_id=cast.project)
    for grant in grants:
        signature = sign_revocation(
            client().ledger(), passport_id=to_hex(passport), grant_id=grant, private_key=key
        )
        client(code).revoke(grant, signature)
    http.cookies.set(COOKIE, code)
    path = f"/patient/passports/{to_hex(passport)}"

    page = assert_page(http.get(path, headers=HTML))
    quoted = page.find(".//section[@aria-labelledby='requests']//blockquote")
    assert text_of(quoted).startswith("Northern AI Laboratory may use my diagnoses")
    assert quoted.find(".//a") is None
    (older,) = [link.get("href") for link in page.iter("a") if "ended=" in (link.get("href") or "")]
    assert grants[0] not in [text_of(code) for code in page.iter("code")]
    page = assert_page(http.get(older, headers=HTML))
    linked = page.find(".//section[@aria-labelledby='requests']//blockquote/a")
    assert linked.get("href") == "#consent-" + grants[0].removeprefix("0x")


def test_a_line_carries_what_the_chain_has(as_patient, cast, world):
    page = assert_page(as_patient.get(f"/patient/passports/{cast.own}"))
    section = page.find(".//section[@id='checking']")
    for line in page.findall(".//li[@data-check]"):
        receipt = world.runtime.node.receipt(bytes.fromhex(line.get("data-transaction")[2:]))
        log = next(
            item for item in receipt["logs"] if int(item["logIndex"], 16) == int(line.get("data-log-index"))
        )
        assert log["address"].lower() == section.get("data-ledger").lower()
        assert " ".join(log["topics"]).lower() == line.get("data-topics")
        assert log["data"].lower() == line.get("data-data")
        assert log["blockHash"].lower() == line.get("data-block-hash")
    assert int(section.get("data-total")) == len(page.findall(".//li[@data-check]"))


def test_the_patients_page_pages(as_patient, cast, world, monkeypatch):
    from api.pages import people

    world.ask(cast.outsider, bytes.fromhex(cast.own[2:]))
    monkeypatch.setattr(people, "PAGE_LINES", 1)
    first = assert_page(as_patient.get(f"/patient/passports/{cast.own}"))
    # Not the link to more questions or consents.
    links = (link.get("href") for link in first.findall(".//a[@rel='next']"))
    [link] = [link for link in links if "after=" in link]
    second = assert_page(as_patient.get(link))
    assert second.find(".//section[@id='checking']").get("data-first") == "no"
    seqs = [int(page.find(".//li[@data-check]").get("data-seq")) for page in (first, second)]
    assert seqs[0] == seqs[1] + 1


def test_an_institution_reads_its_answers_and_keeps_its_references(signed_in, cast):
    lab = assert_page(signed_in(cast.lab).get("/institution"))
    told = text_of(lab)
    assert "Permitted" in told
    assert "the consent was withdrawn on" in told
    assert "Received from Riverside Hospital" in told
    assert "Records I keep" not in told
    hospital = text_of(assert_page(signed_in(cast.hospital).get("/institution")))
    assert "Records I keep" in hospital
    assert "patient-" in hospital
    assert "Sent to Northern AI Laboratory" in hospital


def test_an_auditor_reads_everything_and_can_filter(signed_in, cast, world):
    auditor = signed_in(cast.auditor)
    world.ask(cast.outsider, bytes.fromhex(cast.own[2:]))  # one that is on the first page
    everything = text_of(assert_page(auditor.get("/auditor")))
    assert "Nosy Insurance asked" in everything
    assert "passport audit replay" in everything
    denials = assert_page(auditor.get(f"/auditor?outcome=DENY&member={cast.outsider.member.member_id}"))
    badges = {
        text_of(badge)
        for badge in denials.findall(".//ol[@class='entries']//span[@class]")
        if "badge" in badge.get("class")
    }
    assert badges == {"✕ Refused"}
    assert "Northern AI Laboratory asked" not in text_of(denials.find(".//ol[@class='entries']"))
    none = assert_page(auditor.get("/auditor?outcome=REVIEW&member=999999"))
    assert "No decisions match." in text_of(none)
    assert_problem(auditor.get("/auditor?outcome=MAYBE"), 422)
    assert assert_page(signed_in(cast.committee).get("/auditor")) is not None


def test_an_auditor_pages_through_what_matches(signed_in, world, cast, monkeypatch):
    from api.pages import people

    monkeypatch.setattr(people, "PAGE_LINES", 1)
    monkeypatch.setattr(people, "_MOST_BATCHES", 2)
    auditor = signed_in(cast.auditor)
    # Of three answers at least one is not among the two newest decisions.
    newest, _ = world.service.index.decisions(limit=2)
    other = min(set(Outcome) - {record.verdict.outcome for record in newest}).name
    first = assert_page(auditor.get(f"/auditor?outcome={other}"))
    assert "No decisions match." in text_of(first)
    link = first.find(".//a[@rel='next']").get("href")
    assert f"outcome={other}" in link
    assert auditor.get(link).status_code == 200


def test_the_overview_says_when_it_does_not_look_at_everything(world, cast, monkeypatch):
    from api.pages import people

    monkeypatch.setattr(people, "SURVEY_DECISIONS", 1)
    monkeypatch.setattr(people, "_BATCH", 1)
    survey = people.survey_of(world.service, now=0)
    assert (survey.looked_at, survey.all_seen) == (1, False)


def test_permits_that_nobody_used_are_found(world, cast):
    from api.pages import people

    world.ask(
        cast.lab,
        PassportId(bytes.fromhex(cast.assisted[2:])),
        grant_id=GrantId(bytes.fromhex(cast.grant[2:])),
        project_id=cast.project,
    )
    soon, late = (people.survey_of(world.service, now=world.now() + seconds) for seconds in (0, 4000))
    assert soon.without_hand_over == ()
    assert {line.answer.text for line in late.without_hand_over} == {"Permitted"}
    shipped = {world.service.index.transfer(TransferId(bytes.fromhex(cast.transfer[2:]))).transfer.seq}
    assert not shipped & {line.seq for line in late.without_hand_over if line.passport_id == cast.assisted}


def test_signing_out_without_being_signed_in_is_no_error(http, cast):
    assert http.post("/sign-out", headers={"Sec-Fetch-Site": "same-origin"}).status_code == 303


def test_nothing_comes_from_elsewhere(http, as_patient, cast):
    for path in ("/", "/docs", f"/patient/passports/{cast.own}"):
        root = assert_page(as_patient.get(path))
        for element in [*root.findall(".//script"), *root.findall(".//link"), *root.findall(".//img")]:
            address = element.get("src") or element.get("href")
            assert address.startswith("/static/")
            assert http.get(address).status_code == 200
