"""
Packed words: the terms of a request and the verdict of a decision, and the fold of decisions.

Source: docs/spec.md, "Decision"; `contracts/libraries/Terms.sol` and `Verdict.sol`.
"""

from __future__ import annotations

from typing import Final

from eth_utils.crypto import keccak

from ledger.domain.records import Request, Verdict
from ledger.domain.vocabulary import Basis, Category, DataClass, Fact, Operation, Outcome, Purpose
from ledger.errors import VerificationError

_SEQ_BITS: Final = 40
_MASK8: Final = 0xFF
_MASK16: Final = 0xFFFF
_MASK32: Final = 0xFFFFFFFF
_MASK40: Final = 0xFFFFFFFFFF


def pack_terms(request: Request) -> int:
    """Pack what a request asks into one word, as `Terms` does."""
    return (
        request.purpose
        | request.basis << 8
        | request.operation << 16
        | int(request.categories) << 24
        | request.project_id << 40
    )


def pack_verdict(verdict: Verdict) -> int:
    """Pack an answer into one word, as `Verdict` does."""
    return (
        verdict.seq
        | verdict.policy_version << 40
        | verdict.project_id << 72
        | int(verdict.categories) << 104
        | verdict.purpose << 120
        | verdict.basis << 128
        | verdict.operation << 136
        | verdict.data_class << 144
        | verdict.outcome << 152
        | int(verdict.facts) << 160
        | int(verdict.missing) << 192
    )


def unpack_verdict(word: int) -> Verdict:
    """
    Read a verdict from its word.

    Raises:
        VerificationError: A code in the word does not exist, or undefined bits are set.
    """
    if word >> 224:
        raise VerificationError("the verdict has undefined bits set")
    try:
        return Verdict(
            seq=word & _MASK40,
            policy_version=word >> _SEQ_BITS & _MASK32,
            project_id=word >> 72 & _MASK32,
            categories=Category(word >> 104 & _MASK16),
            purpose=Purpose(word >> 120 & _MASK8),
            basis=Basis(word >> 128 & _MASK8),
            operation=Operation(word >> 136 & _MASK8),
            data_class=DataClass(word >> 144 & _MASK8),
            outcome=Outcome(word >> 152 & _MASK8),
            facts=Fact(word >> 160 & _MASK32),
            missing=Fact(word >> 192 & _MASK32),
        )
    except ValueError as error:
        raise VerificationError(f"the verdict has an unknown code: {error}") from None


def fold_decision(
    head: bytes, *, passport_id: bytes, grant_id: bytes, member_id: int, verdict_word: int, commitment: bytes
) -> bytes:
    """
    Add one decision to the running head.

    Returns:
        32 bytes: keccak256 over the six values, each one word.
    """
    words = (
        head,
        passport_id,
        grant_id,
        member_id.to_bytes(32, "big"),
        verdict_word.to_bytes(32, "big"),
        commitment,
    )
    return keccak(b"".join(words))
