"""Transfers of many records by REST: declared, loaded, shipped, received, stopped, proven, and what everybody is told."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

import pytest
from fastapi.testclient import TestClient

from cli.verification import LedgerReader, check_proof
from ledger.client import root_received
from ledger.encoding import merkle
from ledger.encoding.hexadecimal import from_hex, to_hex
from ledger.errors import Conflict, InvalidInput, NotFound, NotPermitted
from ledger.wallet import holder_address
from tests.api.conftest import assert_problem
from tests.support.transfers import ABROAD, HOME, Exchange, asked, consented
from tests.support.world import World

NOWHERE = "0x" + "42" * 32
WORDS = {
    "purposes": ["AI_TRAINING"],
    "categories": ["DIAGNOSIS", "LABORATORY", "MEDICATION"],
    "places": [HOME],
    "description": "The cohort of the year",
}


@dataclass(frozen=True)
class Delivery:
    """Two records that went to the laboratory together: one of a patient with a key of the own."""

    exchange: Exchange
    holder_key: bytes
    own: str
    other: str
    transfer: dict[str, Any]


@pytest.fixture(scope="module")
def delivery(world: World, speak) -> Delivery:
    exchange = Exchange(world)
    hospital, lab = speak(exchange.hospital), speak(exchange.lab)
    holder_key = secrets.token_bytes(32)
    own = to_hex(world.register(exchange.hospital, 1, holder=holder_address(holder_key)))
    (other,) = exchange.records(1)
    grant = consented(speak(holder_key), holder_key, own, exchange)
    seq = asked(lab, own, grant, exchange.project)
    ((_, other_seq),) = exchange.permits([other])
    declared = hospital.declare_transfer({**WORDS, "agreementId": exchange.agreement, "count": 2})
    name = declared["transferId"]
    hospital.load_transfer(name, [(own, seq), (to_hex(other), other_seq)])
    hospital.ship_many(name)
    received = lab.receive(name, to_hex(root_received(lab.collect_many(name), exchange.lab.keys)))
    return Delivery(exchange, holder_key, own, to_hex(other), received)


def declared(speak, delivery: Delivery, **changes: Any) -> dict[str, Any]:
    """Declare a transfer of one record from the hospital to the laboratory."""
    body = {**WORDS, "agreementId": delivery.exchange.agreement, "count": 1, **changes}
    return speak(delivery.exchange.hospital).declare_transfer(body)


def permit(delivery: Delivery) -> tuple[str, int]:
    """Return an unused permit of the laboratory's."""
    exchange = delivery.exchange
    ((passport, seq),) = exchange.permits(exchange.records(1))
    return to_hex(passport), seq


def test_both_sides_tell_the_same(delivery: Delivery, speak) -> None:
    transfer, exchange = delivery.transfer, delivery.exchange

    assert (transfer["status"], transfer["statusText"]) == ("RECEIVED", "received as sent")
    assert transfer["receivedContent"] == transfer["content"]
    assert transfer["passportId"] is None
    many = transfer["consignment"]
    assert (many["count"], many["loaded"], many["crosses"], many["missing"]) == (2, 2, False, [])
    assert many["description"] == "The cohort of the year"
    for actor in (exchange.hospital, exchange.lab, exchange.regulator):
        assert speak(actor).transfer(transfer["transferId"]) == transfer
        items = speak(actor).transfer_items(transfer["transferId"])
        assert [item["passportId"] for item in items] == [delivery.own, delivery.other]
        assert to_hex(merkle.root([from_hex(item["leaf"]) for item in items])) == transfer["content"]
    with pytest.raises(NotPermitted):
        speak(exchange.company).transfer_items(transfer["transferId"])
    with pytest.raises(NotPermitted):
        speak(exchange.company).transfer(transfer["transferId"])


def test_the_list_pages_to_its_end(delivery: Delivery, send, speak) -> None:
    """Each page by itself, newest first; nothing is left out, nothing told twice."""
    declared(speak, delivery)
    actor, told, path = delivery.exchange.hospital, list[str](), "/v1/transfers?limit=1"
    whole = [item["transferId"] for item in speak(actor).transfers()]
    while path:
        response = send(actor, "GET", path)
        told += [item["transferId"] for item in response.json()["items"]]
        following = response.json()["next"]
        assert ("link" in response.headers) == (following is not None)
        path = f"/v1/transfers?limit=1&after={following}" if following else ""
    assert len(told) >= 2
    assert told == whole
    assert send(actor, "GET", "/v1/transfers?after=1").status_code == 422


def test_a_patient_sees_the_own_leaf_and_checks_it(delivery: Delivery, speak, world: World) -> None:
    """With the proof and a node alone; whoever changes it is found out."""
    deployment = world.runtime.deployment
    reader = LedgerReader(world.settings.rpc, deployment.ledger, from_block=deployment.block_number)
    found = speak(delivery.holder_key).transfers_of(delivery.own)

    assert found["items"] == []
    (proof,) = found["amongMany"]
    assert (proof["transferId"], proof["size"]) == (delivery.transfer["transferId"], 2)
    assert proof["item"]["passportId"] == delivery.own
    assert check_proof(reader, proof) == []
    other = {**proof, "item": {**proof["item"], "decision": proof["item"]["decision"] + 1}}
    assert check_proof(reader, other) == ["the record is not in the transfer as the proof says"]
    (problem,) = check_proof(reader, {**proof, "root": NOWHERE})
    assert "the ledger says" in problem
    (problem,) = check_proof(reader, {**proof, "transferId": NOWHERE})
    assert "no root of that transfer" in problem
    with pytest.raises(NotFound):
        speak(delivery.holder_key).transfers_of(delivery.other)
    with pytest.raises(NotPermitted):
        speak(delivery.exchange.company).transfers_of(delivery.own)
    copies = speak(delivery.holder_key).provenance(delivery.own)["copies"]
    assert [copy["member"]["name"] for copy in copies] == ["Riverside Hospital", "Northern Laboratory"]
    assert copies[1]["transfer"]["transferId"] == delivery.transfer["transferId"]


def test_what_breaks_a_rule_is_answered_in_words(delivery: Delivery, speak) -> None:
    refused = declared(speak, delivery, purposes=["AI_TRAINING", "MARKETING"], places=[HOME, ABROAD])

    assert refused["status"] == "REFUSED"
    many = refused["consignment"]
    assert many["missing"] == ["WITHIN_LIMITS", "BORDER_CLEARED"]
    assert many["reasons"] == [
        "a purpose or a kind of data is outside the agreement, or a purpose is banned",
        "nothing clears the transfer for the border",
    ]


@pytest.mark.parametrize(
    "changes",
    [
        {"count": 0},
        {"count": 2**32},
        {"places": []},
        {"places": [1000]},
        {"places": [HOME] * 33},
        {"route": [0]},
        {"purposes": []},
        {"purposes": ["GOSSIP"]},
        {"categories": []},
        {"description": ""},
        {"agreementId": 0},
        {"parent": "0x12"},
        {"more": 1},
    ],
)
def test_a_declaration_that_makes_no_sense_is_a_bad_request(delivery: Delivery, speak, changes) -> None:
    with pytest.raises(InvalidInput):
        declared(speak, delivery, **changes)


def test_unknown_agreements_and_parents_are_named(delivery: Delivery, speak) -> None:
    with pytest.raises(InvalidInput):
        declared(speak, delivery, agreementId=99)
    with pytest.raises(NotFound, match="no transfer"):
        declared(speak, delivery, parent=NOWHERE)
    with pytest.raises(NotPermitted):
        speak(delivery.exchange.company).declare_transfer(
            {**WORDS, "agreementId": delivery.exchange.agreement, "count": 1}
        )


def test_halted_resumed_terminated(delivery: Delivery, speak) -> None:
    exchange = delivery.exchange
    hospital, regulator = speak(exchange.hospital), speak(exchange.regulator)
    name = declared(speak, delivery)["transferId"]
    hospital.load_transfer(name, [permit(delivery)])

    halted = hospital.halt_transfer(name, "The courier is late")
    assert (halted["status"], halted["consignment"]["haltedBy"]) == (
        "HALTED",
        exchange.hospital.member.member_id,
    )
    with pytest.raises(Conflict):
        hospital.ship_many(name)
    with pytest.raises(NotPermitted):
        speak(exchange.lab).halt_transfer(declared(speak, delivery)["transferId"], "Not mine")
    assert regulator.resume_transfer(name)["status"] == "CLEARED"
    ended = speak(exchange.lab).terminate_transfer(name, "We have no room for it")
    assert ended["status"] == "TERMINATED"
    notes = [(note["event"], note["words"]) for note in ended["consignment"]["notes"]]
    assert notes == [
        ("TransferHalted", "The courier is late"),
        ("TransferResumed", None),
        ("TransferTerminated", "We have no room for it"),
    ]
    with pytest.raises(Conflict):
        speak(exchange.lab).receive(name, NOWHERE)


def test_a_receipt_that_does_not_match_is_public(delivery: Delivery, speak) -> None:
    exchange = delivery.exchange
    hospital, lab = speak(exchange.hospital), speak(exchange.lab)
    name = declared(speak, delivery)["transferId"]
    hospital.load_transfer(name, [permit(delivery)])
    hospital.ship_many(name)
    before = [item for item in speak().discrepancies() if item["transferId"] == name]

    assert before == []
    assert lab.receive(name, NOWHERE)["status"] == "DISPUTED"
    with pytest.raises(Conflict, match="received before"):
        lab.receive(name, NOWHERE)
    (found,) = [item for item in speak().discrepancies() if item["transferId"] == name]
    assert (found["kind"], found["records"]) == ("disputed", 1)
    assert found["text"] == "what Northern Laboratory received is not what Riverside Hospital shipped"
    assert "passport" not in str(found).lower()
    assert lab.close_transfer(name, "Sent back")["status"] == "CLOSED"


def test_at_the_border(delivery: Delivery, speak) -> None:
    exchange = delivery.exchange
    exchange.clear()
    hospital, lab = speak(exchange.hospital), speak(exchange.lab)
    name = declared(speak, delivery, places=[ABROAD], projectId=exchange.project)["transferId"]

    with pytest.raises(Conflict, match="DECLARED"):
        hospital.load_transfer(name, [permit(delivery)])
    with pytest.raises(NotPermitted):
        lab.inspect_transfer(name, "Fine", released=True)
    assert speak(exchange.regulator).inspect_transfer(name, "Sealed", released=True)["status"] == "CLEARED"
    hospital.load_transfer(name, [permit(delivery)])
    hospital.ship_many(name)
    received = lab.receive(name, to_hex(root_received(lab.collect_many(name), exchange.lab.keys)))
    assert received["consignment"]["reportDue"] is not None
    reported = lab.report_on_transfer(name, "Kept as agreed")
    assert reported["consignment"]["notes"][-1]["words"] == "Kept as agreed"
    with pytest.raises(NotPermitted):
        hospital.report_on_transfer(name, "Not ours")
    with pytest.raises(Conflict, match="overdue"):
        hospital.end_border_access(name)

    other = declared(speak, delivery, places=[ABROAD], projectId=exchange.project)["transferId"]
    refused = speak(exchange.regulator).inspect_transfer(other, "No seals", released=False)
    assert refused["status"] == "TERMINATED"


def test_one_record_and_many_are_collected_each_in_its_way(delivery: Delivery, speak) -> None:
    exchange = delivery.exchange
    hospital, lab = speak(exchange.hospital), speak(exchange.lab)
    single = hospital.ship(*permit(delivery))["transferId"]
    with pytest.raises(Conflict, match="one record"):
        list(lab.collect_many(single))
    with pytest.raises(Conflict, match="of one record"):
        hospital.halt_transfer(single, "Too late")
    name = declared(speak, delivery)["transferId"]
    hospital.load_transfer(name, [permit(delivery)])
    with pytest.raises(Conflict, match="not on its way"):
        list(lab.collect_many(name))
    hospital.ship_many(name)
    with pytest.raises(Conflict, match="many records"):
        lab.collect(name)


def test_everybody_reads_discrepancies_and_nobody_else_the_rest(http: TestClient, delivery: Delivery) -> None:
    assert http.get("/v1/discrepancies").status_code == 200
    for path in (
        f"/v1/transfers/{delivery.transfer['transferId']}/items",
        f"/v1/passports/{delivery.own}/transfers",
    ):
        assert_problem(http.get(path), 401)
