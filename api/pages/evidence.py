"""
The bytes of a decision's log, as the page claims them.

A page carries them so that the reader's own browser can compare them with what the node says.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from eth_utils.crypto import keccak

from ledger.encoding.hexadecimal import to_hex
from ledger.encoding.words import pack_terms, pack_verdict
from ledger.ports import DecisionRecord

#: `IDecisions.DecisionRecorded`; terms and verdict are a word each.
DECISION_TOPIC: Final = keccak(text="DecisionRecorded(bytes32,bytes32,uint32,uint256,uint256,bytes32)")
_SIZE_SELECTOR: Final = keccak(text="sizeOf(bytes32)")[:4]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the log of a decision must be, in lower-case hexadecimal; topics are separated by spaces."""

    transaction: str
    block_hash: str
    log_index: int
    topics: str
    data: str


def evidence_of(record: DecisionRecord) -> Evidence:
    """Return the log that a decision must have left on the chain."""
    topics = (DECISION_TOPIC, record.passport_id, record.grant_id, record.member_id.to_bytes(32, "big"))
    return Evidence(
        transaction=to_hex(record.position.transaction_hash),
        block_hash=to_hex(record.position.block_hash),
        log_index=record.position.log_index,
        topics=" ".join(to_hex(topic) for topic in topics),
        data=to_hex(
            _word(pack_terms(record.terms)) + _word(pack_verdict(record.verdict)) + record.commitment
        ),
    )


def _word(value: int) -> bytes:
    return value.to_bytes(32, "big")


def size_call(passport_id: bytes) -> str:
    """Return the call data that asks the contract how many decisions a passport has."""
    return to_hex(_SIZE_SELECTOR + passport_id)
