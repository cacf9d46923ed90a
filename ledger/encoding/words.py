"""
Packed words: the terms of a request and the verdict of a decision, and the fold of decisions.

Source: docs/spec.md, "Decision"; `contracts/libraries/Terms.sol` and `Verdict.sol`.
"""

from __future__ import annotations

from typing import Final

from eth_utils.crypto import keccak

from ledger.domain.records import Terms, Verdict
from ledger.domain.vocabulary import Basis, Category, DataClass, Fact, Level, Operation, Outcome, Purpose
from ledger.errors import VerificationError

_MASK8: Final = 0xFF
_MASK16: Final = 0xFFFF
_MASK32: Final = 0xFFFFFFFF
_MASK40: Final = 0xFFFFFFFFFF
_TERMS_BITS: Final = 208
_VERDICT_BITS: Final = 152


def pack_terms(terms: Terms) -> int:
    """Pack what a request asks into one word, as `Terms` does."""
    return (
        terms.purpose
        | terms.basis << 8
        | terms.operation << 16
        | terms.level << 24
        | int(terms.categories) << 32
        | terms.project_id << 48
        | terms.emergency_id << 80
        | terms.controller_id << 112
        | terms.first_day << 144
        | terms.last_day << 160
        | terms.dataset_id << 176
    )


def unpack_terms(word: int) -> Terms:
    """
    Read what a request asked from its word.

    Raises:
        VerificationError: A code in the word does not exist, or undefined bits are set.
    """
    if word >> _TERMS_BITS:
        raise VerificationError("the terms have undefined bits set")
    try:
        return Terms(
            purpose=Purpose(word & _MASK8),
            basis=Basis(word >> 8 & _MASK8),
            operation=Operation(word >> 16 & _MASK8),
            level=Level(word >> 24 & _MASK8),
            categories=Category(word >> 32 & _MASK16),
            project_id=word >> 48 & _MASK32,
            emergency_id=word >> 80 & _MASK32,
            controller_id=word >> 112 & _MASK32,
            first_day=word >> 144 & _MASK16,
            last_day=word >> 160 & _MASK16,
            dataset_id=word >> 176 & _MASK32,
        )
    except ValueError as error:
        raise VerificationError(f"the terms have an unknown code: {error}") from None


def pack_verdict(verdict: Verdict) -> int:
    """Pack an answer into one word, as `Verdict` does."""
    return (
        verdict.seq
        | verdict.policy_version << 40
        | verdict.data_class << 72
        | verdict.outcome << 80
        | int(verdict.facts) << 88
        | int(verdict.missing) << 120
    )


def unpack_verdict(word: int) -> Verdict:
    """
    Read a verdict from its word.

    Raises:
        VerificationError: A code in the word does not exist, or undefined bits are set.
    """
    if word >> _VERDICT_BITS:
        raise VerificationError("the verdict has undefined bits set")
    try:
        return Verdict(
            seq=word & _MASK40,
            policy_version=word >> 40 & _MASK32,
            data_class=DataClass(word >> 72 & _MASK8),
            outcome=Outcome(word >> 80 & _MASK8),
            facts=Fact(word >> 88 & _MASK32),
            missing=Fact(word >> 120 & _MASK32),
        )
    except ValueError as error:
        raise VerificationError(f"the verdict has an unknown code: {error}") from None


def request_hash(
    *, passport_id: bytes, grant_id: bytes, commitment: bytes, terms_word: int, member_id: int
) -> bytes:
    """Return what names a request of a member, word for word: 32 bytes, keccak256 over the five words."""
    words = (passport_id, grant_id, commitment, terms_word.to_bytes(32, "big"), member_id.to_bytes(32, "big"))
    return keccak(b"".join(words))


def fold_decision(
    head: bytes,
    *,
    passport_id: bytes,
    grant_id: bytes,
    member_id: int,
    terms_word: int,
    verdict_word: int,
    commitment: bytes,
) -> bytes:
    """
    Add one decision to the running head.

    Returns:
        32 bytes: keccak256 over the seven values, each one word.
    """
    words = (
        head,
        passport_id,
        grant_id,
        member_id.to_bytes(32, "big"),
        terms_word.to_bytes(32, "big"),
        verdict_word.to_bytes(32, "big"),
        commitment,
    )
    return keccak(b"".join(words))


def project_subject(project_id: int) -> bytes:
    """Return a project's number as attestations name it: 32 bytes."""
    return project_id.to_bytes(32, "big")
