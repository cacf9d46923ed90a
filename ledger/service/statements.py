"""
Statements kept in the vault and committed to on chain.

A commitment is no secret: whoever reads it on the chain can put it into a call of the own. So each statement is kept as
the member's that made it, and told only where the ledger says that this member committed to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ledger.domain.records import Commitment, Salt
from ledger.encoding.commitments import commit_record, new_salt
from ledger.errors import InvalidInput
from ledger.ports import NO_OWNER, Index, Vault

#: Events that commit to statements that are told, and which of their arguments is the member that commits.
_COMMITTED_BY: Final = {
    "AgreementProposed": "provider",
    "ConsentRequested": "memberId",
    "DatasetDeclared": "owner",
    "DecisionRecorded": "memberId",
    "EmergencyOpened": "memberId",
    "EmergencyReviewed": "reviewer",
    "ExternalRegistered": "owner",
    "StepRecorded": "memberId",
    "TransferClosed": "memberId",
    "TransferDeclared": "sender",
    "TransferHalted": "memberId",
    "TransferInspected": "regulator",
    "TransferReported": "memberId",
    "TransferTerminated": "memberId",
    "VersionVerified": "verifier",
    "WithdrawalAnswered": "owner",
}


def keep(vault: Vault, domain: str, record: Any, *, owner: int, salt: Salt | None = None) -> Commitment:
    """
    Commit to a record, and keep it in the vault.

    Args:
        vault: The vault.
        domain: What kind of record it is.
        record: The record as JSON.
        owner: Number of the member that commits to it on the ledger; `NO_OWNER` if that does not matter.
        salt: With which to commit; None for a fresh one.
    """
    salt = salt or new_salt()
    commitment = commit_record(domain, record, salt=salt)
    vault.remember(commitment, domain=domain, salt=salt, record=record, owner=owner)
    return commitment


def recall(
    vault: Vault,
    index: Index,
    commitment: Commitment | None,
    *,
    domain: str,
    owner: int,
    named: Mapping[str, Any] | None = None,
) -> dict[str, Any] | None:
    """
    Return what a member committed to, if this service keeps it.

    Of a record that was kept before owners were written down, the owner is who committed to it first: a copy is later.

    Args:
        vault: The vault.
        index: The index, which knows who committed to what first.
        commitment: The commitment; None, or zero, stands for nothing.
        domain: What kind of record it must be.
        owner: Number of the member that committed to it, as the ledger records it; `NO_OWNER` if that does not matter.
        named: What it must name, by its fields.

    Returns:
        The record; None if this service does not know it, or if it is not this member's record of this.
    """
    if commitment is None or not any(commitment):
        return None
    if owner != NO_OWNER and vault.is_unattributed(commitment):
        _attribute(vault, index, commitment)
    kept: dict[str, Any] | None = vault.recall(commitment, domain=domain, owner=owner)
    if kept is None or any(kept.get(field) != value for field, value in (named or {}).items()):
        return None
    return kept


def words_of(
    vault: Vault,
    index: Index,
    commitment: Commitment | None,
    field: str,
    *,
    domain: str,
    owner: int,
    named: Mapping[str, Any] | None = None,
) -> str | None:
    """Return one field of what a member committed to, in words; None if this service does not know it; see `recall`."""
    kept = recall(vault, index, commitment, domain=domain, owner=owner, named=named)
    words = kept.get(field) if kept else None
    return None if words is None else str(words)


def require_words(words: str, field: str) -> None:
    """
    Check that somebody said something.

    Raises:
        InvalidInput: It is blank; names *field*.
    """
    if not words.strip():
        raise InvalidInput(f"{field} must say it in words", field=field)


def _attribute(vault: Vault, index: Index, commitment: Commitment) -> None:
    first = index.first_event_naming(commitment)
    committed_by = _COMMITTED_BY.get(first.name) if first else None
    if first is not None and committed_by is not None:
        vault.attribute(commitment, int(first.arguments[committed_by]))
