"""Logs decoded by the ABI."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ledger.audit.state import FOLDED_EVENTS
from ledger.chain import artifacts
from ledger.encoding.events import EventDecoder, RawLog, canonical_type, event_topic
from ledger.errors import VerificationError
from tests.unit.chronicle import Chronicle, encode_log

OWNERSHIP = {"OwnershipTransferred", "OwnershipTransferStarted", "EIP712DomainChanged"}


@pytest.fixture(scope="module")
def decoder():
    return EventDecoder(artifacts.load().abi)


def told() -> Chronicle:
    """Return a chronicle with most kinds of events."""
    chronicle = Chronicle.begun()
    passport = chronicle.issue()
    seq = chronicle.permitted(passport)
    chronicle.release(passport, seq)
    chronicle.withdraw(passport, chronicle.give(passport))
    return chronicle


def test_logs_decode_to_the_events_they_were_made_of(decoder):
    """Names, arguments and positions."""
    chronicle = told()
    assert chronicle.events == [decoder.decode(encode_log(event)) for event in chronicle.events]


def test_a_log_of_another_contract_is_passed_over(decoder):
    """Also one without topics."""
    log = encode_log(told().events[0])
    assert decoder.decode(replace(log, topics=(b"\x01" * 32,))) is None
    assert decoder.decode(RawLog((), b"", log.position)) is None


@pytest.mark.parametrize(
    "damage",
    [
        lambda log: replace(log, data=log.data[:-33]),
        lambda log: replace(log, topics=log.topics[:-1]),
        lambda log: replace(log, topics=(*log.topics, bytes(32))),
        lambda log: replace(log, topics=(log.topics[0], b"\xff" * 32, log.topics[2])),
    ],
)
def test_a_damaged_log_is_refused(decoder, damage):
    """Too short, too few or too many topics, a number out of range."""
    with pytest.raises(VerificationError, match="MemberAdmitted cannot be decoded"):
        decoder.decode(damage(encode_log(told().events[0])))


def test_the_auditor_folds_every_event_of_the_ledger():
    """Only ownership is left out: it changes no answer."""
    names = {entry["name"] for entry in artifacts.load().abi if entry["type"] == "event"}
    assert names == FOLDED_EVENTS | OWNERSHIP


def test_topics_are_those_of_the_signature():
    """With tuples written out and user-defined types resolved."""
    entry = next(item for item in artifacts.load().abi if item.get("name") == "DecisionRecorded")
    assert [canonical_type(item) for item in entry["inputs"]] == [
        "bytes32",
        "bytes32",
        "uint32",
        "uint256",
        "bytes32",
    ]
    table = next(item for item in artifacts.load().abi if item.get("name") == "PolicySet")["inputs"][1]
    assert canonical_type(table) == "(uint256[48],uint256,uint16,uint16,uint16,uint40)"
    assert len(event_topic(entry)) == 32
