"""Statements kept in the vault and committed to on chain."""

from __future__ import annotations

from typing import Any

from ledger.domain.records import Commitment, Salt
from ledger.encoding.commitments import commit_record, new_salt
from ledger.errors import InvalidInput
from ledger.ports import Vault


def keep(vault: Vault, domain: str, record: Any, salt: Salt | None = None) -> Commitment:
    """Commit to a record under *domain* with a fresh salt or the one given, and keep both in the vault."""
    salt = salt or new_salt()
    commitment = commit_record(domain, record, salt=salt)
    vault.remember(commitment, domain=domain, salt=salt, record=record)
    return commitment


def require_words(words: str, field: str) -> None:
    """
    Check that somebody said something.

    Raises:
        InvalidInput: It is blank; names *field*.
    """
    if not words.strip():
        raise InvalidInput(f"{field} must say it in words", field=field)
