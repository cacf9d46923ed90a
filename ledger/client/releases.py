"""
What the recipient of a release does with it: open it, and check it against what the ledger holds.

Source: docs/spec.md, "Release" and "Record".
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, SealedBox
from nacl.secret import SecretBox

from ledger.client.keys import MemberKeys
from ledger.domain.records import Commitment, Salt
from ledger.domain.vocabulary import Category, Level, code, flags
from ledger.encoding import merkle
from ledger.encoding.commitments import commit, content_of, manifest_of
from ledger.encoding.hexadecimal import bytes32, to_hex
from ledger.errors import LedgerError, VerificationError
from ledger.interop.deidentification import is_labelled


@dataclass(frozen=True, slots=True)
class _Opened:
    """One category, decrypted: its resources and the commitment computed over them."""

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
) -> dict[str, list[dict[str, Any]]]:
    """
    Decrypt a release and check every commitment in it.

    Args:
        release: The answer of `PassportClient.release` or `collect`.
        keys: The recipient's keys.
        level: The level that the decision tells; None to rely on the release's own.
        content: The passport's content commitment as the chain holds it, 32 bytes; None to rely on the release's own.

    Returns:
        For each released category its resources, in the order of the record.

    Raises:
        VerificationError: Something cannot be opened, is not what the ledger committed to, or is not at the level;
            says what.
    """
    opened, chain = _open(release, keys), _chain(release)
    if level is not None and chain.level is not level:
        raise VerificationError(f"the release is {chain.level.name}, the decision says {level.name}")
    for item in opened:
        _check_category(item, chain)
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
        VerificationError: A category cannot be decrypted.
    """
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


def _check_category(item: _Opened, chain: _Chain) -> None:
    if item.computed != item.stated or to_hex(item.computed) != chain.manifest.get(item.name):
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
        return [_open_category(item, keys) for item in release["categories"]]
    except (KeyError, TypeError, ValueError, LedgerError) as error:
        if isinstance(error, VerificationError):
            raise
        raise VerificationError(f"the release cannot be read: {error}") from error


def _open_category(item: dict[str, Any], keys: MemberKeys) -> _Opened:
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
        computed=commit("category", plain, salt=salt),
        stated=Commitment(bytes32(item["commitment"], field="commitment")),
        entries=int(item["entries"]),
    )
