"""
What a file that turned up somewhere is on the ledger: the commitment by which it can be traced.

A commitment hides what it is over, so a file alone says nothing: it takes the salt, which stays with who made or keeps the
data. Nothing here asks a service.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ledger.client.releases import content_of_release, receipt_of
from ledger.client.steps import digest_of, kept, version_name
from ledger.domain.records import Salt
from ledger.domain.vocabulary import Category, Level, flags
from ledger.encoding.commitments import MAX_RECORD_BYTES, category_record, commit_record
from ledger.encoding.hexadecimal import bytes32, to_hex
from ledger.errors import InvalidInput, MalformedRecord, TooLarge, VerificationError

_WAYS: Final = (
    "Give --salt (of what a step made), --kept (the file in which a recorder keeps names and salts), or --release (a "
    "release of the same record, with its salts); or a release itself as the file."
)

_NONE: Final = Category(0)


@dataclass(frozen=True, slots=True)
class FoundFile:
    """
    A file by its commitment.

    Attributes:
        commitment: The version's name, the content of the record, or, of excerpts, the receipt of the one hand-over that they
            came by; `0x` and 64 digits.
        level: Of a record: at which level it is; None for what a step made.
        categories: Of a record: the kinds of data in the file.
    """

    commitment: str
    level: Level | None = None
    categories: Category = _NONE


def identify(
    path: Path, *, salt: str | None = None, names: Path | None = None, release: Path | None = None
) -> FoundFile:
    """
    Compute what a file is committed to as.

    Args:
        path: The file: what a step made; or records of one patient, as a release, as `request records` writes them (a JSON
            object, or NDJSON of one category), or as a category record; or a whole release.
        salt: Of what a step made: its salt.
        names: The file in which a recorder keeps what it made; the one with this file's digest is taken.
        release: Of records: a release of the same record at the same level, which has the salts.

    Raises:
        InvalidInput: Salt, names and release are all missing and the file is no release, or more than one is given.
        VerificationError: The file is not what salt, names or release say.
        TooLarge: Records over 64 MiB.
    """
    given = [way for way in (salt, names, release) if way is not None]
    if len(given) > 1:
        raise InvalidInput("a file is identified in one way at a time", field="file", fix=_WAYS)
    if salt is not None:
        return FoundFile(version_name(digest_of(path), Salt(bytes32(salt, field="salt"))))
    if names is not None:
        return _kept(path, names)
    if release is not None:
        return _of_release(_records(path), _release(release))
    document = _json(path)
    if not (isinstance(document, dict) and {"levels", "levelsSalt", "manifest"} <= document.keys()):
        raise InvalidInput(f"{path.name} says nothing of its commitment", field="file", fix=_WAYS)
    return _found(document, [item["category"] for item in document.get("categories", [])])


def _kept(path: Path, names: Path) -> FoundFile:
    for made in kept(names).values():
        if made.proves(path):
            return FoundFile(made.version_id)
    raise VerificationError(
        f"{path.name} is none of what {names.name} keeps the names of",
        fix="Check that the file is unchanged, byte for byte, and that the recorder's file is the right one.",
    )


def _of_release(records: list[Mapping[str, Any]], release: dict[str, Any]) -> FoundFile:
    """Find each category record in the release: by name if it has one, else whichever it is."""
    found = []
    for record in records:
        names = (
            [record["category"]]
            if record["category"]
            else [item["category"] for item in release["categories"]]
        )
        name = next((name for name in names if _is_in(release, name, record["entries"])), None)
        if name is None:
            raise VerificationError(
                f"the {record['category'] or 'resources'} of the file are not those of the release",
                fix="Ask for a release of the same record at the same level: GET /v1/records/{passport}?decision=N.",
            )
        found.append(name)
    return _found(release, found)


def _is_in(release: dict[str, Any], name: str, entries: list[dict[str, Any]]) -> bool:
    """Tell whether resources are those of a category of a release, by salt, commitment and manifest or receipt."""
    domain = "category" if release.get("excerpted") is None else "excerpt"
    for item in release["categories"]:
        if item["category"] != name:
            continue
        record = category_record(Category[name], entries)
        computed = to_hex(commit_record(domain, record, salt=Salt(bytes32(item["salt"], field="salt"))))
        listed = domain == "excerpt" or computed == release["manifest"].get(name)
        return bool(listed and computed == item["commitment"])
    return False


def _found(release: dict[str, Any], names: list[str]) -> FoundFile:
    content, level = content_of_release(release)
    receipt = receipt_of(release)
    return FoundFile(to_hex(receipt or content), level, flags(Category, names))


def _release(path: Path) -> dict[str, Any]:
    document = _json(path)
    if not (isinstance(document, dict) and {"levels", "manifest", "categories"} <= document.keys()):
        raise MalformedRecord(
            f"{path.name} is no release", fix="Save the answer of GET /v1/records/{passport}?decision=N."
        )
    return document


def _records(path: Path) -> list[Mapping[str, Any]]:
    """Read records as category and resources; the category is empty where the file does not say it."""
    document = _json(path)
    if isinstance(document, dict) and document.keys() == {"category", "entries"}:
        return [document]
    if isinstance(document, dict) and document.keys() <= set(Category.__members__):
        return [{"category": name, "entries": entries} for name, entries in document.items()]
    if isinstance(document, dict):
        document = [document]
    return [{"category": "", "entries": document}]


def _json(path: Path) -> Any:
    """Read JSON, or one JSON value a line; None if it is neither."""
    if path.stat().st_size > MAX_RECORD_BYTES:
        raise TooLarge(f"{path.name} is over {MAX_RECORD_BYTES} bytes", fix=_WAYS)
    text = path.read_bytes()
    try:
        return json.loads(text)
    except ValueError:
        pass
    try:
        return [json.loads(line) for line in text.splitlines() if line.strip()]
    except ValueError:
        return None
