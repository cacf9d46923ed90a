"""Logs decoded by the ABI."""

from __future__ import annotations

from dataclasses import replace

import pytest
from eth_utils.crypto import keccak

from ledger.audit.folds import FOLDED_EVENTS
from ledger.chain import artifacts
from ledger.encoding.events import EventDecoder, RawLog, _by_abi, _fast, canonical_type, event_topic
from ledger.errors import VerificationError
from tests.unit.chronicle import encode_log, everything

#: Declared by EIP-712's contract and never emitted: the domain never changes.
NEVER_EMITTED = {"EIP712DomainChanged"}


@pytest.fixture(scope="module")
def decoder():
    return EventDecoder(artifacts.load().abi)


def test_logs_decode_to_the_events_they_were_made_of(decoder):
    """Names, arguments and positions, of every event that there is."""
    events = everything().events
    assert events == [decoder.decode(encode_log(event)) for event in events]
    assert {event.name for event in events} == FOLDED_EVENTS


def test_a_log_of_another_contract_is_passed_over(decoder):
    """Also one without topics."""
    log = encode_log(everything().events[0])
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
        decoder.decode(damage(encode_log(everything().events[0])))


@pytest.mark.parametrize("by", [_fast, _by_abi])
def test_a_name_that_is_no_text_is_read_all_the_same(decoder, by):
    """Both ways to read an event agree: what is no UTF-8 is U+FFFD, and the rest stays."""
    event = next(event for event in everything().events if event.name == "MemberAdmitted")
    log, name = encode_log(event), event.arguments["name"].encode()
    forged = replace(log, data=log.data.replace(name, b"\xff\xfe" + name[2:]))
    told = by(decoder._types[log.topics[0]], forged)
    assert told["name"] == "\ufffd\ufffd" + event.arguments["name"][2:]


def test_the_auditor_folds_every_event_of_the_ledger():
    """But for what is never emitted."""
    names = {entry["name"] for entry in artifacts.load().abi if entry["type"] == "event"}
    assert names == FOLDED_EVENTS | NEVER_EMITTED


@pytest.mark.parametrize(
    ("name", "signature"),
    [
        ("DecisionRecorded", "bytes32,bytes32,uint32,uint256,uint256,bytes32"),
        (
            "PolicySet",
            "uint32,(uint256[48],uint256,uint96,uint16,uint16,uint16,uint32,(uint32,uint16,uint16,uint32,uint32,uint32))",
        ),
        (
            "ConsentGranted",
            "bytes32,bytes32,uint32,(uint32,uint16,uint16,uint16,uint32,uint32,uint16,uint16,uint16,uint16,uint16,uint8,uint8,uint8,uint8),uint32,bytes32,bytes32",
        ),
    ],
)
def test_topics_are_those_of_the_signature(name, signature):
    """With tuples written out and user-defined types resolved."""
    entry = next(item for item in artifacts.load().abi if item.get("name") == name)
    assert ",".join(canonical_type(item) for item in entry["inputs"]) == signature
    assert event_topic(entry) == keccak(text=f"{name}({signature})")
