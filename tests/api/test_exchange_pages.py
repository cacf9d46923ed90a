"""The pages of discrepancies, transfers, agreements and borders: each for its own readers."""

from __future__ import annotations

import json
import re
import secrets
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.middleware import COOKIE
from api.pages import people
from api.pages.parties import Parties
from api.schemas.base import utc
from ledger.chain.contract import LedgerContract
from ledger.client import PassportClient, sign_in
from ledger.domain.records import TransferId
from ledger.domain.vocabulary import Purpose, Role
from ledger.encoding.hexadecimal import from_hex, to_hex
from ledger.errors import ChainError
from ledger.policy import year_of
from ledger.transfers import ANSWER_SECONDS, REPORT_SECONDS
from ledger.wallet import holder_address
from tests.api.conftest import CONTRACT, ORIGIN, assert_page
from tests.support.transfers import ABROAD, HOME
from tests.support.world import Actor, World

HTML = {"Accept": "text/html"}


@pytest.fixture
def as_member(http, member_code) -> Any:
    def enter(actor: Actor) -> Any:
        http.cookies.set(COOKIE, member_code(actor))
        return lambda path: assert_page(http.get(path, headers=HTML))

    return enter


def text_of(element: Any) -> str:
    return " ".join(" ".join(element.itertext()).split())


def section(page: Any, heading: str) -> Any:
    (found,) = [item for item in page.iter("section") if item.get("aria-labelledby") == heading]
    return found


def has(page: Any, heading: str) -> bool:
    return any(item.get("aria-labelledby") == heading for item in page.iter("section"))


def entry(page: Any, words: str) -> str:
    """Return the one entry of a list that says these words."""
    (found,) = [text_of(item) for item in page.iter("li") if item.get("class") and words in text_of(item)]
    return found


def later(monkeypatch: pytest.MonkeyPatch, world: World, seconds: int) -> None:
    moment = world.now() + seconds
    monkeypatch.setattr("api.access.now_of", lambda _: moment)


# Discrepancies


def test_everybody_reads_what_does_not_fit(http, port, world, monkeypatch):
    """In time nothing is told of a transfer under way; late both sides are named, and no record."""
    soon = http.get("/discrepancies", headers=HTML)
    later(monkeypatch, world, ANSWER_SECONDS + 60)
    late = http.get("/discrepancies", headers=HTML)

    assert port.alone not in soon.text
    assert port.own not in late.text
    (told,) = [
        text_of(item)
        for item in section(assert_page(late), "found").findall(".//li")
        if port.alone in text_of(item)
    ]
    assert "Riverside Hospital shipped it and Northern Laboratory has not stated what it received." in told
    assert "Not answered Since" in told
    assert f"passport transfer receive {port.alone} --content ROOT" in told
    assert f"POST /v1/transfers/{port.alone}/receipt" in told
    assert "passport discrepancies" in text_of(section(assert_page(late), "yourself"))


def test_an_overdue_report_is_told_with_what_anybody_can_do(http, port, world, monkeypatch):
    later(monkeypatch, world, REPORT_SECONDS + 60)

    page = assert_page(http.get("/discrepancies", headers=HTML))

    (told,) = [
        text_of(item) for item in section(page, "found").findall(".//li") if port.abroad in text_of(item)
    ]
    assert "Report overdue Since" in told
    assert f"passport transfer report {port.abroad} --text WORDS" in told
    assert f"passport transfer end-access {port.abroad}" in told


def test_without_discrepancies_the_page_says_so(http, port, monkeypatch):
    monkeypatch.setattr("api.pages.exchange.parties_of", lambda service, origin: _nobody(origin))
    monkeypatch.setattr("ledger.service.transfers.Transfers.discrepancies", lambda *_: [])

    told = text_of(section(assert_page(http.get("/discrepancies", headers=HTML)), "found"))

    assert "both sides of every transfer tell the same" in told
    assert "7 days ago" in told


def _nobody(origin: str) -> Any:
    return Parties({}, 0, origin)


def test_the_start_page_leads_there(http):
    links = {link.get("href") for link in assert_page(http.get("/", headers=HTML)).iter("a")}

    assert "/discrepancies" in links


# Transfers


def test_a_transfer_of_many_is_told_as_a_timeline(as_member, port):
    page = as_member(port.exchange.lab)(f"/transfers/{port.received}")

    told = [text_of(item) for item in section(page, "timeline").findall("./ol/li")]
    assert [next(w for w in ("declared", "shipped", "stated") if w in line) for line in told] == [
        "declared",
        "shipped",
        "stated",
    ]
    assert "Riverside Hospital declared it: 2 records" in told[0]
    assert "It breaks no rule." in told[0]
    assert "the two commitments are equal" in told[2]
    declared = text_of(section(page, "declared"))
    assert "2 declared, 2 loaded" in declared
    assert f"{HOME} (the sender's own country)" in declared
    assert "The cohort of the year" in declared
    assert "Passing it on allowed, within these limits" in text_of(section(page, "limits"))
    assert "keeps these records itself" in text_of(section(page, "onward"))
    commands = text_of(section(page, "commands"))
    assert f"passport transfer close {port.received} --evidence WORDS" in commands
    assert f"POST /v1/transfers/{port.received}/closure" in commands
    assert f"--parent {port.received}" in commands


def test_what_a_refused_declaration_lacked_is_told(as_member, port):
    page = as_member(port.exchange.hospital)(f"/transfers/{port.refused}")

    told = text_of(section(page, "timeline"))
    assert "It breaks a rule and was refused." in told
    assert "a purpose or a kind of data is outside the agreement, or a purpose is banned" in told
    assert "nothing clears the transfer for the border" in told
    assert f"{ABROAD} (abroad)" in text_of(section(page, "declared"))
    assert not has(page, "commands")


def test_each_reader_reads_what_it_can_do(as_member, port):
    exchange, path = port.exchange, f"/transfers/{port.halted}"
    hospital, lab, regulator = (
        as_member(who)(path) for who in (exchange.hospital, exchange.lab, exchange.regulator)
    )

    for page in (hospital, regulator):
        assert "passport transfer resume" in text_of(section(page, "commands"))
    assert "passport transfer resume" not in text_of(lab)
    assert "passport transfer terminate" in text_of(section(lab, "commands"))
    assert "A seal is broken" in text_of(section(lab, "timeline"))


def test_the_sender_is_led_on_step_by_step(as_member, port, world):
    exchange, service = port.exchange, world.service
    name = exchange.declare(exchange.plan(1))
    path = f"/transfers/{to_hex(name)}"
    empty = as_member(exchange.hospital)(path)
    world.done(service.transfers.load(exchange.hospital.member, name, exchange.permits(exchange.records(1))))
    loaded = as_member(exchange.hospital)(path)
    world.done(service.transfers.ship_all(exchange.hospital.member, name))
    shipped = as_member(exchange.lab)(path)

    assert "0 of 1 record loaded." in text_of(section(empty, "timeline"))
    assert "passport transfer load" in text_of(section(empty, "commands"))
    assert "passport transfer ship-all" in text_of(section(loaded, "commands"))
    assert "passport transfer load" not in text_of(section(loaded, "commands"))
    assert "passport transfer receive" in text_of(section(shipped, "commands"))


def test_a_transfer_abroad_tells_its_inspection_and_its_next_report(as_member, port, world, monkeypatch):
    path = f"/transfers/{port.abroad}"
    soon = text_of(section(as_member(port.exchange.lab)(path), "timeline"))
    later(monkeypatch, world, REPORT_SECONDS + 60)
    late = as_member(port.exchange.hospital)(path)

    assert "Data Regulator inspected it and let it go on. As declared" in soon
    assert "Report due by" in soon
    assert "Report overdue since" in text_of(section(late, "timeline"))
    assert "passport transfer end-access" in text_of(section(late, "commands"))
    assert "owes a report" in text_of(section(late, "discrepancies"))


def test_what_was_passed_on_is_told_both_ways(as_member, port, world):
    exchange = port.exchange
    agreement = exchange.agree(exchange.lab, exchange.company)
    plan = exchange.plan(1, agreement_id=agreement, parent=TransferId(from_hex(port.received)))
    child = exchange.declare(plan, exchange.lab)

    before = text_of(section(as_member(exchange.lab)(f"/transfers/{port.received}"), "onward"))
    page = as_member(exchange.company)(f"/transfers/{to_hex(child)}")

    assert to_hex(child) in before
    assert "Northern Laboratory to Model Company" in before
    links = {link.get("href") for link in section(page, "onward").iter("a")}
    assert f"/transfers/{port.received}" in links
    assert to_hex(child) in text_of(section(as_member(exchange.lab)(f"/agreements/{agreement}"), "transfers"))


def test_a_transfer_that_lapsed_can_only_be_terminated_by_any_member(as_member, port, world):
    exchange = port.exchange
    agreement = exchange.agree(exchange.hospital, exchange.lab)
    name = to_hex(exchange.declare(exchange.plan(1, agreement_id=agreement)))
    exchange.end(agreement)

    page = as_member(exchange.hospital)(f"/transfers/{name}")

    assert "What it rests on has lapsed" in text_of(page)
    assert "passport transfer load" not in text_of(page)
    assert "passport transfer terminate" in text_of(section(page, "commands"))


def test_a_transfer_of_one_record_is_told_likewise(as_member, cast, port):
    page = as_member(port.exchange.lab)(f"/transfers/{port.alone}")

    assert "Transfer of 1 record from Riverside Hospital" in text_of(page.find(".//h1"))
    assert "shipped it under the permit of decision" in text_of(section(page, "timeline"))
    told = text_of(section(page, "commands"))
    assert f"passport transfer collect {port.alone} --out FILE" in told
    assert f"GET /v1/transfers/{port.alone}/content " in told
    assert f"passport transfer receive {port.alone} --content ROOT" in told
    assert f"POST /v1/transfers/{port.alone}/receipt" in told
    assert not has(page, "limits")
    assert port.own in text_of(as_member(cast.auditor)(f"/transfers/{port.alone}"))


def test_who_has_no_part_in_a_transfer_is_refused(http, member_code, port):
    http.cookies.set(COOKIE, member_code(port.exchange.company))
    refused = http.get(f"/transfers/{port.alone}", headers=HTML)
    unknown = http.get(f"/transfers/0x{'42' * 32}", headers=HTML)

    assert (refused.status_code, unknown.status_code) == (403, 404)
    assert_page(refused)


@pytest.mark.parametrize("path", ["/transfers/0x" + "42" * 32, "/agreements/1", "/borders"])
def test_pages_of_the_exchange_are_for_members(http, client, port, path):
    assert http.get(path, headers=HTML).headers["location"] == "/sign-in"
    http.cookies.set(COOKIE, str(sign_in(client(), port.holder_key)["code"]))
    assert http.get(path, headers=HTML).status_code == 403


# Agreements, and the page of an institution


def test_an_agreement_is_told_in_words(as_member, port):
    exchange = port.exchange
    page = as_member(exchange.company)(f"/agreements/{port.proposed}")

    limits = text_of(section(page, "limits"))
    for words in ("training an AI model", "30 days", "within 72 hours", "Passing it on not allowed"):
        assert words in limits
    signatures = text_of(section(page, "signatures"))
    assert "Northern Laboratory signed by proposing it on" in signatures
    assert "Model Company has not signed" in signatures
    commitment = to_hex(exchange.world.service.agreements.get(port.proposed).text)
    assert commitment in signatures
    assert section(page, "text").find(".//blockquote").text == CONTRACT
    commands = text_of(section(page, "commands"))
    assert f"passport agreement sign {port.proposed} --commitment {commitment}" in commands
    assert "To decline it" in commands
    stranger = as_member(exchange.hospital)(f"/agreements/{port.proposed}")
    assert "Its two sides can read it." in text_of(section(stranger, "text"))
    assert CONTRACT.splitlines()[0] not in text_of(stranger)
    assert not has(stranger, "commands")


def test_a_provider_reads_how_to_declare_under_an_agreement(as_member, port):
    page = as_member(port.exchange.hospital)(f"/agreements/{port.exchange.agreement}")

    assert "In force" in text_of(page)
    assert f"passport transfer declare WORDS --agreement {port.exchange.agreement}" in text_of(
        section(page, "commands")
    )
    assert port.received in text_of(section(page, "transfers"))


def test_an_institution_reads_what_is_proposed_to_it(as_member, port):
    page = as_member(port.exchange.company)("/institution")

    told = entry(section(page, "agreements"), f"Agreement {port.proposed}")
    assert "waits for your signature" in told
    assert f"passport agreement sign {port.proposed}" in told
    proposer = as_member(port.exchange.lab)("/institution")
    assert "waits for your signature" not in text_of(section(proposer, "agreements"))


def test_an_institution_reads_its_transfers_and_the_reports_that_it_owes(as_member, port, world, monkeypatch):
    page = as_member(port.exchange.lab)("/institution")
    links = {link.get("href") for link in section(page, "transfers").iter("a")}
    assert {f"/transfers/{port.received}", f"/transfers/{port.alone}"} <= links
    assert "2 records" in text_of(section(page, "transfers"))
    assert "Report due" in text_of(section(page, "reports"))
    assert f"passport transfer report {port.abroad}" in text_of(section(page, "reports"))
    assert not has(as_member(port.exchange.hospital)("/institution"), "reports")

    later(monkeypatch, world, REPORT_SECONDS + 60)

    assert "Report overdue" in text_of(section(as_member(port.exchange.lab)("/institution"), "reports"))


def test_a_regulator_reads_what_waits_for_its_inspection(as_member, client, port):
    """On its page, by REST and by the client; sides, and regulators of other countries, have nothing to inspect."""
    exchange = port.exchange
    plan = exchange.plan(1, places=[ABROAD], project_id=exchange.project)
    name = to_hex(exchange.declare(plan))
    waits = [item["transferId"] for item in client(exchange.regulator).waiting_transfers()]

    assert name in waits
    assert port.abroad not in waits
    for other in (exchange.hospital, exchange.foreign):
        assert client(other).waiting_transfers() == []
    page = as_member(exchange.regulator)("/institution")
    links = {link.get("href") for link in section(page, "inspections").iter("a")}
    assert f"/transfers/{name}" in links
    commands = text_of(section(as_member(exchange.regulator)(f"/transfers/{name}"), "commands"))
    assert f"passport transfer inspect {name} --release --report WORDS" in commands
    assert not has(as_member(exchange.hospital)("/institution"), "inspections")


def test_what_was_never_sent_is_no_gap(world, port):
    """A refused declaration and a transfer terminated before it was shipped have nothing to be received."""
    gaps = {line.transfer_id for line in people.survey_of(world.service, now=world.now()).open_transfers}

    assert port.refused not in gaps
    assert {port.alone, port.halted} <= gaps


# Borders


def test_borders_tell_lists_clearances_and_counters(as_member, port, world):
    page = as_member(port.exchange.hospital)("/borders")

    (lab, *_) = [
        text_of(row)
        for row in section(page, "list").iter("tr")
        if text_of(row).startswith(f"{port.exchange.lab.member.member_id} ")
    ]
    assert "In force" in lab
    clearance = text_of(section(page, "clearances"))
    assert "security assessment" in clearance
    assert "of 1,000" in clearance
    counters = text_of(section(page, "exports"))
    assert f"Riverside Hospital {year_of(world.now())}" in counters
    exports = world.service.borders.exports(port.exchange.hospital.member.member_id)[1]
    limits = world.service.borders.thresholds()
    assert f"{exports.persons:,} of {limits.persons:,}" in counters
    assert f"{exports.sensitive_persons:,} of {limits.sensitive_persons:,}" in counters
    assert "passport border clear" not in text_of(page)


def test_a_regulator_reads_what_it_can_do_at_borders(as_member, port):
    told = text_of(section(as_member(port.exchange.regulator)("/borders"), "commands"))

    assert "passport border clear NUMBER --exporter NUMBER" in told
    assert f"passport border access {port.exchange.lab.member.member_id} --remove" in told
    assert "passport border withdraw" in told
    assert f"passport border access {port.exchange.regulator.member.member_id} " not in told


def test_while_the_node_does_not_answer_the_counters_say_so(as_member, port, monkeypatch):
    def fail(*_: Any) -> Any:
        raise ChainError("the node does not answer")

    monkeypatch.setattr(LedgerContract, "exports", fail)

    told = text_of(section(as_member(port.exchange.hospital)("/borders"), "exports"))

    assert "The node does not answer now" in told


# What a patient reads


def test_a_patient_reads_where_copies_went_in_two_languages(http, client, port):
    http.cookies.set(COOKIE, str(sign_in(client(), port.holder_key)["code"]))
    response = http.get(f"/patient/passports/{port.own}", headers=HTML)
    told = section(assert_page(response), "copies")

    among, alone = (entry(told, name) for name in (port.received, port.alone))
    assert "A copy was sent to Northern Laboratory on" in among
    assert "together with 1 other record: received as sent; the recipient answered on" in among
    assert f"passport transfer proof {port.own} --transfer {port.received} --out proof.json" in among
    assert "passport transfer verify proof.json --rpc NODE --ledger 0x" in among
    assert "与其他 1 份记录一起" in among
    assert "on its way" in alone
    assert "passport transfer proof" not in alone
    assert "已发出" in alone
    assert port.other not in response.text


def test_a_copy_that_is_sealed_is_not_told_to_its_holder(app, world, port):
    """Neither by page nor by REST, be it sent alone or among many; its custodian reads of it."""
    exchange, http = port.exchange, TestClient(app, base_url=ORIGIN, follow_redirects=False)
    clinic = world.admit("Valley Emergency Room", Role.PROCESSOR | Role.EMERGENCY)
    key = secrets.token_bytes(32)
    passport = to_hex(world.register(exchange.hospital, 1, holder=holder_address(key)))
    keeper, asking = (PassportClient(ORIGIN, who.keys, http=http) for who in (exchange.hospital, clinic))
    opened = asking.open_emergency(
        {
            "passportId": passport,
            "reason": "DANGER_TO_OTHERS",
            "statement": "A knife was seen",
            "sealedUntil": utc(world.now() + 86_400),
            "sealing": "the police ask not to warn",
        }
    )
    request = {
        "passportId": passport,
        "purpose": "EMERGENCY_CARE",
        "basis": "INDIVIDUAL_EMERGENCY",
        "operation": "TRANSFER",
        "categories": ["DIAGNOSIS"],
        "emergencyId": opened["emergencyId"],
    }
    answers = asking.decide([request, request])
    assert [answer["outcome"] for answer in answers] == ["PERMIT", "PERMIT"], answers
    alone = keeper.ship(passport, answers[0]["seq"])["transferId"]
    agreement = exchange.agree(exchange.hospital, clinic)
    plan = exchange.plan(1, agreement_id=agreement, purposes=[Purpose.EMERGENCY_CARE])
    among = to_hex(exchange.declare(plan))
    keeper.load_transfer(among, [(passport, answers[1]["seq"])])
    content = world.service.transfers.get(TransferId(from_hex(alone))).transfer.content
    asking.receive(alone, to_hex(content))
    code = str(sign_in(PassportClient(ORIGIN, http=http), key)["code"])
    patient = PassportClient(ORIGIN, code, http=http)

    assert patient.transfers_of(passport) == {"items": [], "amongMany": []}
    history = patient.provenance(passport)
    assert len(history["copies"]) == 1
    assert {alone, among} & set(re.findall("0x[0-9a-f]{64}", json.dumps(history))) == set()
    assert not [event for event in history["events"] if event["name"].startswith("Transfer")]
    http.cookies.set(COOKIE, code)
    page = http.get(f"/patient/passports/{passport}", headers=HTML)
    assert "No copy was sent" in text_of(section(assert_page(page), "copies"))
    http.cookies.clear()
    seen = keeper.transfers_of(passport)
    assert [item["transferId"] for item in (*seen["items"], *seen["amongMany"])] == [alone, among]
    named = [event["name"] for event in keeper.provenance(passport)["events"]]
    assert [name for name in named if name.startswith("Transfer")] == [
        "TransferShipped",
        "TransferLoaded",
        "TransferReceived",
    ]
