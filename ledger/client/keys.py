"""
A member's two key pairs: Ed25519 signs its requests, X25519 opens what is released to it.

They live in one file that only its owner can read. Nothing here sends anything.
"""

from __future__ import annotations

import json
import os
import stat
from dataclasses import dataclass, field, replace
from pathlib import Path

from nacl.public import PrivateKey
from nacl.signing import SigningKey

from ledger.encoding.hexadecimal import bytes32, to_hex
from ledger.errors import ConfigurationError, InvalidInput

_OTHERS = stat.S_IRWXG | stat.S_IRWXO


@dataclass(frozen=True, slots=True)
class MemberKeys:
    """
    The keys of one member.

    Attributes:
        name: The member's name, for people; 1 to 64 bytes.
        signing_seed: Ed25519 seed, 32 bytes.
        sealing_seed: X25519 private key, 32 bytes.
        member_id: The member's number once it is admitted.
    """

    name: str
    signing_seed: bytes = field(repr=False)
    sealing_seed: bytes = field(repr=False)
    member_id: int | None = None

    @classmethod
    def new(cls, name: str, *, member_id: int | None = None) -> MemberKeys:
        """Make new keys, usually for a member that is still to be admitted and has no number yet."""
        return cls(name, bytes(SigningKey.generate()), bytes(PrivateKey.generate()), member_id)

    @classmethod
    def load(cls, path: Path) -> MemberKeys:
        """
        Read a key file.

        Raises:
            ConfigurationError: There is no such file, others can read it, or it is no key file.
        """
        try:
            mode = path.stat().st_mode
            text = path.read_text()
        except OSError as error:
            raise ConfigurationError(
                f"cannot read the key file {path}: {error.strerror}",
                fix="Make one: passport member new-keys --out FILE.",
            ) from None
        if mode & _OTHERS:
            raise ConfigurationError(f"others can read the key file {path}", fix=f"Run: chmod 600 {path}")
        try:
            document = json.loads(text)
            member_id = document.get("memberId")
            return cls(
                name=str(document["name"]),
                signing_seed=bytes32(document["signingKey"], field="signingKey"),
                sealing_seed=bytes32(document["sealingKey"], field="sealingKey"),
                member_id=None if member_id is None else int(member_id),
            )
        except (ValueError, KeyError, TypeError, AttributeError, InvalidInput):
            raise ConfigurationError(
                f"{path} is not a member's key file", fix="Give a file made by: passport member new-keys."
            ) from None

    def save(self, path: Path, *, overwrite: bool = False) -> None:
        """
        Write the key file, readable by its owner alone; whole or not at all.

        Raises:
            InvalidInput: The file exists and *overwrite* is false.
        """
        if path.exists() and not overwrite:
            raise InvalidInput(
                f"{path} exists; keys are never overwritten", field="out", fix="Name another file."
            )
        document = {
            "name": self.name,
            "memberId": self.member_id,
            "signingKey": to_hex(self.signing_seed),
            "sealingKey": to_hex(self.sealing_seed),
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(document, file, indent=1)
            file.write("\n")
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)

    def as_member(self, member_id: int) -> MemberKeys:
        """Return the same keys with the number that the ledger gave the member."""
        return replace(self, member_id=member_id)

    @property
    def signing_public(self) -> str:
        """Return the Ed25519 public key as hexadecimal: by it the ledger knows the member's requests."""
        return to_hex(bytes(SigningKey(self.signing_seed).verify_key))

    @property
    def sealing_public(self) -> str:
        """Return the X25519 public key as hexadecimal: data keys are sealed to it."""
        return to_hex(bytes(PrivateKey(self.sealing_seed).public_key))

    def public(self) -> dict[str, str]:
        """Return what the committee needs to admit the member: name and both public keys."""
        return {"name": self.name, "signingKey": self.signing_public, "sealingKey": self.sealing_public}
