"""
Recording steps from code that works on data: `with passport.step("CLEAN", inputs=[raw]) as step: step.makes(cleaned)`.

What is made is named by a commitment to its SHA-256 under a salt of its own, so that the name says nothing about the
content; name, salt and digest go into a file that stays with who made it and proves later what was made.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

from ledger.client.rest import PassportClient
from ledger.domain.records import Salt
from ledger.encoding.commitments import canonical, commit_record, new_salt
from ledger.encoding.hexadecimal import bytes32, to_hex
from ledger.errors import InvalidInput, NotPermitted

_DOMAIN: Final = "version"
_CHUNK: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Made:
    """
    Something that a step made.

    Attributes:
        version_id: Its name on the ledger, `0x` and 64 digits.
        digest: SHA-256 of its content, hexadecimal.
        salt: What hides the digest in the name, `0x` and 64 digits; a secret of who made it.
    """

    version_id: str
    digest: str
    salt: str

    @classmethod
    def of(cls, content: bytes | Path | Mapping[str, Any] | Sequence[Any]) -> Made:
        """Commit to content under a fresh salt."""
        digest, salt = digest_of(content), new_salt()
        return cls(version_name(digest, salt), digest, to_hex(salt))

    def proves(self, content: bytes | Path) -> bool:
        """Tell whether this is the content that the name commits to."""
        digest = digest_of(content)
        return digest == self.digest and self.version_id == version_name(digest, Salt(bytes32(self.salt)))


@dataclass(slots=True)
class StepInHand:
    """
    A step that is being done. It is recorded at the end of the `with` block, unless that ends with an error.

    Attributes:
        parameters: How it is done; may be added to while it is.
        epsilon: Privacy it spends.
        made: What it made, in the order of `makes`.
        answer: What the service answered, once it is recorded.
    """

    parameters: dict[str, Any] = field(default_factory=dict)
    epsilon: float = 0.0
    evidence: str = ""
    made: list[Made] = field(default_factory=list)
    answer: dict[str, Any] | None = None

    def makes(self, content: bytes | Path | Mapping[str, Any] | Sequence[Any]) -> Made:
        """
        Commit to something that the step makes.

        Args:
            content: Bytes, a file, or a JSON value, whose canonical form is taken.
        """
        made = Made.of(content)
        self.made.append(made)
        return made


class Recorder:
    """Records the steps of one member."""

    def __init__(
        self, client: PassportClient, *, keep: Path, project_id: int = 0, tool: str | None = None
    ) -> None:
        """
        Record through a client.

        Args:
            client: The member's.
            keep: File that names, salts and digests are appended to, one JSON object a line; made if it is not there.
            project_id: The project that steps are part of, unless a step says otherwise.
            tool: Digest of the tool, likewise.
        """
        self._client = client
        self._keep = keep
        self._project_id = project_id
        self._tool = tool

    @contextmanager
    def step(
        self,
        kind: str,
        inputs: Sequence[str | Made] = (),
        *,
        dataset_id: int = 0,
        project_id: int | None = None,
        purposes: Sequence[str] = (),
        tool: str | None = None,
        **parameters: Any,
    ) -> Iterator[StepInHand]:
        """
        Do a step, and record it at the end.

        Args:
            kind: COLLECT, CLEAN, LABEL, SPLIT, MERGE, DEIDENTIFY, TRAIN, EVALUATE, DEPLOY, INFER, RELEASE or DESTROY.
            inputs: Versions that it uses; a model before data.
            dataset_id: Of COLLECT and DESTROY.
            project_id: The project it is part of; the recorder's by default.
            purposes: What the model of TRAIN is for.
            tool: Digest of the tool; the recorder's by default.
            parameters: How it is done.

        Yields:
            The step, to say what it makes.

        Raises:
            NotPermitted: The step broke a rule; it is on record, with what was missing, and what it made is no version.
        """
        step = StepInHand(parameters=dict(parameters))
        yield step
        # Before the ledger knows of it: a name without its salt proves nothing.
        keep(self._keep, step.made)
        step.answer = self._client.record_step(
            {
                "kind": kind,
                "inputs": [item.version_id if isinstance(item, Made) else item for item in inputs],
                "outputs": [made.version_id for made in step.made],
                "datasetId": dataset_id,
                "projectId": self._project_id if project_id is None else project_id,
                "purposes": list(purposes),
                "epsilon": _millionths(step.epsilon),
                "tool": tool or self._tool,
                "parameters": step.parameters,
                "environment": {"python": platform.python_version(), "machine": platform.machine()},
                "evidence": step.evidence,
            }
        )
        if step.answer["outcome"] != "PERMIT":
            lacking = "; ".join(step.answer["reasons"])
            raise NotPermitted(f"step {step.answer['stepId']} is on record and broke a rule: {lacking}")

    def __enter__(self) -> Self:
        """Use it in a `with` block, which closes the client."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the client."""
        self._client.close()


def keep(path: Path, found: Iterable[Made]) -> None:
    """Append to the file of a recorder what was made, with its salts, for its owner's eyes; on disk when this returns."""
    lines = "".join(
        json.dumps({"version": made.version_id, "sha256": made.digest, "salt": made.salt}) + "\n"
        for made in found
    )
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(handle, "a", encoding="utf-8") as file:
        file.write(lines)
        file.flush()
        os.fsync(file.fileno())


def kept(path: Path) -> dict[str, Made]:
    """
    Read the file of a recorder: what was made, by name.

    Raises:
        InvalidInput: A line is none that a recorder wrote.
    """
    found = {}
    for number, line in enumerate(path.read_text().splitlines(), 1):
        try:
            words = json.loads(line)
            made = Made(words["version"], words["sha256"], words["salt"])
        except (ValueError, KeyError, TypeError):
            raise InvalidInput(f"line {number} of {path.name} is none that a recorder wrote") from None
        found[made.version_id] = made
    return found


def digest_of(content: bytes | Path | Mapping[str, Any] | Sequence[Any]) -> str:
    """Return the SHA-256 of bytes, of a file, or of a JSON value in its canonical form (RFC 8785)."""
    if isinstance(content, Path):
        digest = hashlib.sha256()
        with content.open("rb") as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
        return digest.hexdigest()
    if isinstance(content, bytes):
        return hashlib.sha256(content).hexdigest()
    return hashlib.sha256(canonical(content)).hexdigest()


def version_name(digest: str, salt: Salt) -> str:
    """Return the name of a version: the commitment to the SHA-256 of its content, hexadecimal."""
    return to_hex(commit_record(_DOMAIN, {"sha256": digest}, salt=salt))


def _millionths(epsilon: float) -> int:
    """Return epsilon as the ledger counts it: rounded up, so that no more is spent than is counted."""
    return int(-(-epsilon * 1_000_000 // 1))
