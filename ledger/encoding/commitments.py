"""
Commitments: hiding while the salt is secret, binding always.

Source: docs/spec.md, "Commitment"; RFC 8785 for the canonical JSON.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping, Sequence
from typing import Any, Final

import rfc8785
from eth_utils.crypto import keccak

from ledger.domain.records import Commitment, Salt
from ledger.domain.vocabulary import RECORD_LEVELS, Category, Level
from ledger.errors import MalformedRecord, TooLarge

#: keccak256 and RFC 8785. Another suite gets another number.
SUITE: Final = 1
SALT_BYTES: Final = 32
#: Largest canonical record, in bytes: a category of one patient's record at one custodian.
MAX_RECORD_BYTES: Final = 64 * 1024 * 1024

_TYPEHASH: Final = keccak(text="Commitment(uint8 suite,string domain,bytes32 salt,bytes record)")


#: In whose name the commitments of steps are made.
STEP_DOMAIN: Final = "step"


def canonical(record: Any) -> bytes:
    """
    Write a JSON value in its canonical form (RFC 8785), UTF-8.

    Raises:
        MalformedRecord: The value has no canonical form, for example an integer beyond 2^53 or a lone surrogate.
    """
    try:
        return rfc8785.dumps(record)
    except (rfc8785.CanonicalizationError, UnicodeEncodeError, RecursionError) as error:
        raise MalformedRecord(f"the record has no canonical JSON form (RFC 8785): {error}") from None


def new_salt() -> Salt:
    """Return 32 random bytes, for one record only."""
    return Salt(secrets.token_bytes(SALT_BYTES))


def derived_salt(secret: bytes, name: str) -> Salt:
    """
    Return the salt of something under a secret: the same for the same name, and known to nobody without the secret.

    Args:
        secret: A salt, or several one after the other, that whoever may learn this salt only does not have.
        name: What it is for; names one record only.

    Source:
        docs/spec.md, "Excerpt".
    """
    return Salt(hmac.digest(secret, name.encode(), "sha256"))


def new_id() -> bytes:
    """Return 32 random bytes that name a passport, grant or transfer."""
    return secrets.token_bytes(32)


def commit(domain: str, record: bytes, *, salt: Salt) -> Commitment:
    """
    Commit to a record without revealing it.

    Args:
        domain: What kind of record this is: `content`, `manifest`, `category`, `excerpt`, `terms`, `statement`, `release`...
        record: Canonical JSON (RFC 8785), UTF-8; 1 to `MAX_RECORD_BYTES` bytes.
        salt: 32 random bytes, used for this record only.

    Returns:
        32 bytes: keccak256 over type hash, suite, keccak256(domain), salt and keccak256(record), each one word.

    Raises:
        TooLarge: *record* is over `MAX_RECORD_BYTES`.

    Source:
        docs/spec.md, "Commitment".
    """
    if len(record) > MAX_RECORD_BYTES:
        raise TooLarge(f"a record may have at most {MAX_RECORD_BYTES} bytes, this one has {len(record)}")
    words = (_TYPEHASH, SUITE.to_bytes(32, "big"), keccak(text=domain), salt, keccak(record))
    return Commitment(keccak(b"".join(words)))


def external_id(member_id: int, content: Commitment) -> Commitment:
    """
    Return the name of a version from outside: nobody takes another's name by vouching for it.

    Args:
        member_id: The member that vouches for it.
        content: Commitment to its content.

    Source:
        docs/spec.md, "Step".
    """
    return Commitment(keccak(member_id.to_bytes(32, "big") + content))


def commit_record(domain: str, record: Any, *, salt: Salt) -> Commitment:
    """Commit to a JSON value: `commit` over its canonical form."""
    return commit(domain, canonical(record), salt=salt)


def step_record(kind: str, parameters: Any, environment: Any, evidence: str) -> dict[str, Any]:
    """Return the record that a step commits to: how it was done. `commit_step` commits to it."""
    return {"kind": kind, "parameters": parameters, "environment": environment, "evidence": evidence}


def commit_step(kind: str, parameters: Any, environment: Any, evidence: str, *, salt: Salt) -> Commitment:
    """Commit to how a step was done."""
    return commit_record(STEP_DOMAIN, step_record(kind, parameters, environment, evidence), salt=salt)


def manifest(present: Mapping[Category, Commitment]) -> dict[str, str]:
    """
    Write the manifest of a record at one level: for each of the sixteen categories a commitment.

    A category that the record lacks gets 32 random bytes, so that somebody who is given one category can check it
    against the passport without learning which others there are.

    Returns:
        A JSON object; `manifest_of` commits to it.

    Source:
        docs/spec.md, "Record".
    """
    return {
        str(category.name): "0x" + (present.get(category) or secrets.token_bytes(32)).hex()
        for category in Category
    }


def manifest_of(entries: Mapping[str, str], *, salt: Salt) -> Commitment:
    """Commit to the manifest of one level."""
    return commit_record("manifest", dict(entries), salt=salt)


def levels(manifests: Mapping[Level, Commitment]) -> dict[str, str]:
    """
    Write the top of a record: for each of the levels that a record has the commitment to its manifest.

    Returns:
        A JSON object; `content_of` commits to it.

    Source:
        docs/spec.md, "Record".
    """
    return {str(level.name): "0x" + manifests[level].hex() for level in RECORD_LEVELS}


def content_of(entries: Mapping[str, str], *, salt: Salt) -> Commitment:
    """Commit to the levels of a record: what the passport and the transfer carry on chain."""
    return commit_record("content", dict(entries), salt=salt)


def category_record(category: Category, resources: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the record that a category's commitment is over: its name and its resources in their order."""
    return {"category": str(category.name), "entries": resources}


def release_record(passport: str, seq: int, level: Level, categories: Sequence[str]) -> dict[str, Any]:
    """Return the record that a receipt commits to: what of a passport was handed over under a decision, at which level."""
    return {"passport": passport, "seq": seq, "level": str(level.name), "categories": list(categories)}


def excerpts_record(
    release: Mapping[str, Any],
    *,
    first_day: str | None,
    last_day: str | None,
    excerpts: Mapping[str, tuple[Commitment, int]],
) -> dict[str, Any]:
    """
    Return the record that a receipt commits to if of each category only an excerpt was handed over.

    Args:
        release: What a receipt of whole categories would say, as `release_record` gives it.
        first_day: First day that the data is from, ISO 8601; None for no limit.
        last_day: Last day.
        excerpts: For each category in it the commitment to what was handed over, and how many resources that is.

    Source:
        docs/spec.md, "Excerpt".
    """
    return {
        **release,
        "days": {"firstDay": first_day, "lastDay": last_day},
        "excerpts": {
            name: {"commitment": "0x" + commitment.hex(), "entries": entries}
            for name, (commitment, entries) in excerpts.items()
        },
    }
