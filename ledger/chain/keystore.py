"""Chain keys, each in an encrypted file of its own. Keys never leave this module but as signatures."""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path
from typing import Any, Final

from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_keyfile.keyfile import create_keyfile_json, decode_keyfile_json

from ledger.domain.records import Address
from ledger.encoding.typed_data import sign
from ledger.errors import ConfigurationError, NotFound

#: The passphrase is 32 random bytes or an operator's own; scrypt at 2^14 costs an attacker enough either way
#: and a start-up with ten keys less than a second.
_SCRYPT_N: Final = 2**14


class Keystore:
    """A folder of encrypted key files, one per account."""

    def __init__(self, folder: Path, *, passphrase: str) -> None:
        """Open the folder, making it if need be."""
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._folder = folder
        self._passphrase = passphrase.encode()
        self._open: dict[Address, LocalAccount] = {}

    def has(self, address: Address) -> bool:
        """Tell whether an account's key is here."""
        return self._path(address).exists()

    def new(self) -> Address:
        """Make a key, keep it encrypted, and return its account."""
        return self.add(secrets.token_bytes(32))

    def add(self, key: bytes) -> Address:
        """Keep a key of 32 bytes, encrypted, and return its account. A key that is here already stays."""
        account = Account.from_key(key)
        address = Address(account.address.lower())
        if not self.has(address):
            sealed = create_keyfile_json(key, self._passphrase, kdf="scrypt", iterations=_SCRYPT_N)
            partial = self._path(address).with_suffix(".partial")
            descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w") as file:
                json.dump(sealed, file)
                file.flush()
                os.fsync(file.fileno())
            partial.rename(self._path(address))
        self._open[address] = account
        return address

    def sign(self, address: Address, transaction: dict[str, Any]) -> tuple[bytes, bytes]:
        """
        Sign a transaction.

        Returns:
            The raw bytes and the transaction's hash.

        Raises:
            NotFound: The account's key is not here.
            ConfigurationError: The key file cannot be opened with this passphrase.
        """
        signed = self._account(address).sign_transaction(transaction)
        return bytes(signed.raw_transaction), bytes(signed.hash)

    def sign_words(self, address: Address, typed_data: dict[str, Any]) -> bytes:
        """Sign typed data (EIP-712); returns r, s, v."""
        return sign(typed_data, private_key=bytes(self._account(address).key))

    def _account(self, address: Address) -> LocalAccount:
        if address not in self._open:
            if not self.has(address):
                raise NotFound(f"the service holds no key for {address}")
            try:
                key = decode_keyfile_json(json.loads(self._path(address).read_text()), self._passphrase)
            except (ValueError, KeyError, TypeError) as error:
                raise ConfigurationError(
                    f"the key file of {address} cannot be opened",
                    fix="Set PASSPORT_KEYSTORE_PASSPHRASE_FILE to the file with the right passphrase.",
                ) from error
            self._open[address] = Account.from_key(bytes(key))
        return self._open[address]

    def _path(self, address: Address) -> Path:
        return self._folder / f"{address.lower().removeprefix('0x')}.json"


def read_key_file(path: Path, *, passphrase: str | None) -> bytes:
    """
    Read an account's private key from a file: an encrypted keystore (JSON) or 64 hexadecimal digits.

    Args:
        path: The file.
        passphrase: For an encrypted keystore.

    Raises:
        ConfigurationError: The file is missing, is neither, or the passphrase is wrong or missing. The message never
            quotes the file.
    """
    try:
        text = path.read_text().strip()
    except OSError as error:
        raise ConfigurationError(
            f"the key file {path} cannot be read", fix="Give the path of a key file."
        ) from error
    try:
        if text.startswith("{"):
            if passphrase is None:
                raise ConfigurationError(
                    f"{path} is encrypted",
                    fix="Set PASSPORT_KEY_PASSPHRASE to its passphrase; for the service, "
                    "PASSPORT_OPERATOR_KEY_PASSPHRASE_FILE to a file that holds it.",
                )
            return bytes(decode_keyfile_json(json.loads(text), passphrase.encode()))
        key = bytes.fromhex(text.removeprefix("0x"))
    except (ValueError, KeyError, TypeError):
        key = b""
    if len(key) != 32:  # noqa: PLR2004 - a secp256k1 private key
        raise ConfigurationError(
            f"{path} holds no key that can be opened",
            fix="Give an encrypted keystore or 64 hexadecimal digits.",
        )
    return key
