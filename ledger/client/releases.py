"""
What the recipient of a release does with it: open it, and check it against what the ledger holds.

Whole categories are checked against the manifest that the passport commits to. Excerpts, which come if a decision names
days, are in no manifest: they are checked against the receipt of the hand-over on the ledger, and by their own dates as
far as their level tells them. That of these days nothing was left out is the custodian's word.

Source: docs/spec.md, "Release", "Excerpt" and "Record".
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, SealedBox
from nacl.secret import SecretBox

from ledger.client.keys import MemberKeys
from ledger.domain.records import Commitment, Salt
from ledger.domain.vocabulary import Category, Level, code, flags
from ledger.encoding import merkle
from ledger.encoding.commitments import (
    commit,
    commit_record,
    content_of,
    excerpts_record,
    manifest_of,
    release_record,
)
from ledger.encoding.hexadecimal import bytes32, to_hex
from ledger.errors import LedgerError, VerificationError
from ledger.interop.dating import is_within, tells_other_days
from ledger.interop.deidentification import is_labelled

#: First and last day, ISO 8601; None for no limit.
Days = tuple[str | None, str | None]


@dataclass(frozen=True, slots=True)
class _Opened:
    """One category, or an excerpt of it, decrypted: its resources and the commitment computed over them."""

    name: str
    resources: list[dict[str, Any]]
    computed: Commitment
    stated: Commitment
    entries: int


@dataclass(frozen=True, slots=True)
class _Chain:
    """What leads from a category to the passport's content: manifest and levels, each with its salt."""

    level: Level
    manifest: dict[str, str]
    manifest_salt: Salt
    levels: dict[str, str]
    levels_salt: Salt

    def with_categories(self, commitments: dict[str, str]) -> Commitment:
        """Return the content if the categories named had these commitments."""
        manifest = manifest_of({**self.manifest, **commitments}, salt=self.manifest_salt)
        return content_of({**self.levels, self.level.name: to_hex(manifest)}, salt=self.levels_salt)


def open_release(
    release: dict[str, Any],
    keys: MemberKeys,
    *,
    level: Level | None = None,
    content: bytes | None = None,
    days: Days | None = None,
    receipt: bytes | None = None,
) -> dict[str, list[dict[str, Any]]]:
    """
    Decrypt a release and check every commitment in it.

    `release["excerpted"]` says whether the categories are whole, and which days they are from if not.

    Args:
        release: The answer of `PassportClient.release` or `collect`.
        keys: The recipient's keys.
        level: The level that the decision tells; None to rely on the release's own.
        content: The passport's content commitment as the chain holds it, 32 bytes; None to rely on the release's own.
        days: The first and the last day that the decision tells, both None if it names none; None to rely on the release's
            own.
        receipt: Of a release of excerpts: the commitment in the event ReleaseRecorded of the decision, 32 bytes; None to
            rely on the release's own.

    Returns:
        For each released category its resources, in the order of the record; of an excerpt those that came.

    Raises:
        VerificationError: Something cannot be opened, is not what the ledger committed to, is not at the level, or not from
            the days; says what.
    """
    opened, chain = _open(release, keys), _chain(release)
    excerpted = _excerpted(release)
    if days is not None:
        _check_days(excerpted, days)
    if level is not None and chain.level is not level:
        raise VerificationError(f"the release is {chain.level.name}, the decision says {level.name}")
    for item in opened:
        _check_category(item, chain, is_excerpt=excerpted is not None)
    if excerpted is not None:
        _check_excerpts(release, opened, chain, excerpted, receipt)
    stated = bytes32(release["content"], field="content")
    if chain.with_categories({}) != stated or (content is not None and content != stated):
        raise VerificationError("the manifest of the release is not the one that the passport commits to")
    return {item.name: item.resources for item in opened}


def content_received(release: dict[str, Any], keys: MemberKeys) -> Commitment:
    """
    Compute the content commitment over what was really received: what the recipient of a transfer reports.

    Every released category's commitment in the manifest is replaced by the one computed over its plain text, and the
    manifest's in the levels by the one computed over that. Equal to the passport's content if and only if the plain
    text is what was committed to.

    Raises:
        VerificationError: A category cannot be decrypted, or the release is of excerpts, which no transfer is.
    """
    if _excerpted(release) is not None:
        raise VerificationError(
            "the release is of excerpts; what the passport commits to cannot be computed from them"
        )
    computed = {item.name: to_hex(item.computed) for item in _open(release, keys)}
    return _chain(release).with_categories(computed)


def content_of_release(release: dict[str, Any]) -> tuple[Commitment, Level]:
    """
    Compute the content commitment that a release leads to, and its level, without anybody's keys.

    Raises:
        VerificationError: It cannot be read, or its manifest is not among its levels.
    """
    chain = _chain(release)
    if to_hex(manifest_of(chain.manifest, salt=chain.manifest_salt)) != chain.levels.get(chain.level.name):
        raise VerificationError("the manifest of the release is not the one of its level")
    return chain.with_categories({}), chain.level


def root_received(contents: Iterable[dict[str, Any]], keys: MemberKeys) -> Commitment:
    """
    Compute the Merkle root over what was really received of many records: what the recipient of their transfer reports.

    Args:
        contents: The answers of `PassportClient.collect_many`, all of them, in their order.
        keys: The recipient's keys.

    Raises:
        VerificationError: A category cannot be decrypted, or nothing came.
    """
    leaves = [
        merkle.leaf(
            bytes32(item["release"]["passportId"]),
            item["release"]["seq"],
            content_received(item["release"], keys),
        )
        for item in contents
    ]
    if not leaves:
        raise VerificationError("the transfer holds no record")
    return Commitment(merkle.root(leaves))


@dataclass(frozen=True, slots=True)
class _Excerpted:
    """What a release of excerpts says of itself."""

    first_day: str | None
    last_day: str | None
    receipt: Commitment
    receipt_salt: Salt


def receipt_of(release: dict[str, Any]) -> Commitment | None:
    """
    Compute the receipt of a release of excerpts from what it says, without anybody's keys; None if it is whole.

    Equal to the commitment in the event ReleaseRecorded of its decision if and only if these excerpts were handed over.

    Raises:
        VerificationError: It cannot be read.
    """
    excerpted = _excerpted(release)
    if excerpted is None:
        return None
    try:
        stated = {
            item["category"]: (Commitment(bytes32(item["commitment"])), int(item["entries"]))
            for item in release["categories"]
        }
        return _receipt(release, excerpted, stated)
    except (KeyError, TypeError, ValueError, LedgerError) as error:
        raise VerificationError(f"the release cannot be read: {error}") from error


def _receipt(
    release: dict[str, Any], excerpted: _Excerpted, excerpts: dict[str, tuple[Commitment, int]]
) -> Commitment:
    record = excerpts_record(
        release_record(release["passportId"], release["seq"], code(Level, release["level"]), list(excerpts)),
        first_day=excerpted.first_day,
        last_day=excerpted.last_day,
        excerpts=excerpts,
    )
    return commit_record("release", record, salt=excerpted.receipt_salt)


def _excerpted(release: dict[str, Any]) -> _Excerpted | None:
    """Read what a release of excerpts says of itself; None if it is whole, as every one was before there were excerpts."""
    told = release.get("excerpted")
    if told is None:
        return None
    try:
        return _Excerpted(
            first_day=told["firstDay"],
            last_day=told["lastDay"],
            receipt=Commitment(bytes32(told["receipt"], field="receipt")),
            receipt_salt=Salt(bytes32(told["receiptSalt"], field="receiptSalt")),
        )
    except (KeyError, TypeError, LedgerError) as error:
        raise VerificationError(f"the release cannot be read: {error}") from error


def _check_days(excerpted: _Excerpted | None, days: Days) -> None:
    if excerpted is None and days != (None, None):
        raise VerificationError(
            "the decision names days, but the release is of whole categories: more may have come than was permitted",
            fix="Delete what came, and tell the custodian.",
        )
    if excerpted is not None and (excerpted.first_day, excerpted.last_day) != days:
        raise VerificationError("the release is of other days than the decision names")


def _check_excerpts(
    release: dict[str, Any],
    opened: list[_Opened],
    chain: _Chain,
    excerpted: _Excerpted,
    receipt: bytes | None,
) -> None:
    """Check excerpts against the receipt, and against the days as far as their level tells dates."""
    computed = _receipt(
        release, excerpted, {item.name: (item.computed, len(item.resources)) for item in opened}
    )
    if computed != excerpted.receipt or (receipt is not None and computed != receipt):
        raise VerificationError("what came is not what the receipt on the ledger commits to")
    try:
        first, last = (
            date.fromisoformat(day) if day else None for day in (excerpted.first_day, excerpted.last_day)
        )
    except ValueError as error:
        raise VerificationError(f"the release cannot be read: {error}") from error
    for item in opened:
        if not all(_may_be_of(resource, first, last, chain.level) for resource in item.resources):
            raise VerificationError(
                f"the {item.name} of the release are not all from the days that it says",
                fix="Delete what came, and tell the custodian.",
            )


def _may_be_of(resource: dict[str, Any], first: date | None, last: date | None, level: Level) -> bool:
    """Return whether a resource can be wholly from some days: identified it tells, pseudonymised but for a few dates."""
    if level is Level.IDENTIFIED:
        return is_within(resource, first, last)
    return level is not Level.PSEUDONYMISED or not tells_other_days(resource, first, last)


def _check_category(item: _Opened, chain: _Chain, *, is_excerpt: bool) -> None:
    listed = is_excerpt or to_hex(item.computed) == chain.manifest.get(item.name)
    if item.computed != item.stated or not listed:
        raise VerificationError(f"the {item.name} of the release are not those that were committed to")
    if len(item.resources) != item.entries:
        raise VerificationError(
            f"the release promises {item.entries} {item.name}, it has {len(item.resources)}"
        )
    if not all(is_labelled(resource, chain.level) for resource in item.resources):
        raise VerificationError(f"the {item.name} of the release are not labelled as {chain.level.name}")


def _chain(release: dict[str, Any]) -> _Chain:
    try:
        return _Chain(
            level=code(Level, release["level"]),
            manifest=dict(release["manifest"]),
            manifest_salt=Salt(bytes32(release["manifestSalt"], field="manifestSalt")),
            levels=dict(release["levels"]),
            levels_salt=Salt(bytes32(release["levelsSalt"], field="levelsSalt")),
        )
    except (KeyError, TypeError, ValueError, LedgerError) as error:
        raise VerificationError(f"the release cannot be read: {error}") from error


def _open(release: dict[str, Any], keys: MemberKeys) -> list[_Opened]:
    try:
        domain = "category" if release.get("excerpted") is None else "excerpt"
        return [_open_category(item, keys, domain) for item in release["categories"]]
    except (KeyError, TypeError, ValueError, LedgerError) as error:
        if isinstance(error, VerificationError):
            raise
        raise VerificationError(f"the release cannot be read: {error}") from error


def _open_category(item: dict[str, Any], keys: MemberKeys, domain: str) -> _Opened:
    (category,) = flags(Category, [item["category"]])
    try:
        data_key = SealedBox(PrivateKey(keys.sealing_seed)).decrypt(base64.b64decode(item["sealedKey"]))
        plain = SecretBox(data_key).decrypt(base64.b64decode(item["ciphertext"]))
    except CryptoError:
        raise VerificationError(
            f"the {category.name} of the release cannot be decrypted with these keys",
            fix="Use the key file whose sealingKey the ledger holds for your institution.",
        ) from None
    record = json.loads(plain)
    if record["category"] != category.name:
        raise VerificationError(f"what came as {category.name} is sealed as another category")
    salt = Salt(bytes32(item["salt"], field="salt"))
    return _Opened(
        name=str(category.name),
        resources=[dict(resource) for resource in record["entries"]],
        # Over the bytes as they were sealed: a number read and written again may look different.
        computed=commit(domain, plain, salt=salt),
        stated=Commitment(bytes32(item["commitment"], field="commitment")),
        entries=int(item["entries"]),
    )
