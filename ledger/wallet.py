"""
The patient's keys: one seed, and from it an unrelated holder key for each custodian (BIP-32, BIP-39).

The wallet file is sealed with a passphrase (argon2id and secretbox from PyNaCl). Nothing here is sent anywhere.
"""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import nacl.exceptions
import nacl.pwhash
import nacl.secret
from eth_account import Account
from eth_account.hdaccount import generate_mnemonic, key_from_seed, seed_from_mnemonic
from eth_account.types import Language

from ledger.domain.records import Address
from ledger.errors import ConfigurationError, InvalidInput

SEED_BYTES: Final = 64
_VERSION: Final = 1
#: Sealing a wallet takes about a tenth of a second and 64 MiB on a small machine.
_OPSLIMIT: Final = nacl.pwhash.argon2id.OPSLIMIT_INTERACTIVE
_MEMLIMIT: Final = nacl.pwhash.argon2id.MEMLIMIT_INTERACTIVE


def new_seed() -> bytes:
    """Return 64 random bytes from which a patient's holder keys derive."""
    return secrets.token_bytes(SEED_BYTES)


def new_mnemonic() -> str:
    """Return 24 English words that stand for a seed (BIP-39)."""
    return generate_mnemonic(24, Language.ENGLISH)


def seed_of(mnemonic: str) -> bytes:
    """
    Return the seed that 24 words stand for.

    Raises:
        InvalidInput: The words are not a BIP-39 mnemonic.
    """
    try:
        return bytes(seed_from_mnemonic(mnemonic, ""))
    except Exception as error:  # the library raises its own and built-in types for bad words
        raise InvalidInput("these words are not a BIP-39 mnemonic", field="mnemonic") from error


def holder_key(seed: bytes, *, custodian: int) -> bytes:
    """
    Derive the holder key towards one custodian.

    Args:
        seed: 64 bytes.
        custodian: Member number, 1 to 2^31 - 1.

    Returns:
        A secp256k1 private key of 32 bytes at the path `m/44'/60'/custodian'/0/0`. Keys for two custodians are
        unrelated to everybody who does not hold the seed.
    """
    return bytes(key_from_seed(seed, f"m/44'/60'/{custodian}'/0/0"))


def holder_address(key: bytes) -> Address:
    """Return the address of a holder key, in lower case."""
    return Address(Account.from_key(key).address.lower())


@dataclass(frozen=True, slots=True)
class Wallet:
    """A patient's wallet, opened."""

    seed: bytes

    def key(self, custodian: int) -> bytes:
        """Return the holder key towards a custodian."""
        return holder_key(self.seed, custodian=custodian)

    def holder(self, custodian: int) -> Address:
        """Return the holder's address towards a custodian."""
        return holder_address(self.key(custodian))

    def save(self, path: Path, *, passphrase: str) -> None:
        """
        Write the wallet file, readable by its owner alone.

        Raises:
            InvalidInput: The file exists, or the passphrase is empty.
        """
        if not passphrase:
            raise InvalidInput("the passphrase must not be empty", field="passphrase")
        salt = secrets.token_bytes(nacl.pwhash.argon2id.SALTBYTES)
        sealed = nacl.secret.SecretBox(_stretch(passphrase, salt)).encrypt(self.seed)
        document = {"version": _VERSION, "kdf": "argon2id", "salt": salt.hex(), "sealed": bytes(sealed).hex()}
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            raise InvalidInput(f"{path} exists; a wallet is never overwritten", field="wallet") from None
        with os.fdopen(descriptor, "w") as file:
            json.dump(document, file)

    @classmethod
    def load(cls, path: Path, *, passphrase: str) -> Wallet:
        """
        Open a wallet file.

        Raises:
            ConfigurationError: There is no such file, it is no wallet, or the passphrase is wrong.
        """
        try:
            document = json.loads(path.read_text())
            salt, sealed = bytes.fromhex(document["salt"]), bytes.fromhex(document["sealed"])
        except FileNotFoundError:
            raise ConfigurationError(
                f"there is no wallet {path}", fix="Make one: passport holder new."
            ) from None
        except (ValueError, KeyError, TypeError):
            raise ConfigurationError(
                f"{path} is not a wallet file", fix="Give a file made by holder new."
            ) from None
        try:
            return cls(nacl.secret.SecretBox(_stretch(passphrase, salt)).decrypt(sealed))
        except nacl.exceptions.CryptoError:
            raise ConfigurationError(f"wrong passphrase for {path}", fix="Try again.") from None


def _stretch(passphrase: str, salt: bytes) -> bytes:
    return bytes(
        nacl.pwhash.argon2id.kdf(
            nacl.secret.SecretBox.KEY_SIZE, passphrase.encode(), salt, opslimit=_OPSLIMIT, memlimit=_MEMLIMIT
        )
    )
