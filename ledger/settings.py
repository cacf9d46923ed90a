"""
What can be set: the settings, the committee's file and the secret files.

Nothing here knows the adapters; `ledger.bootstrap` makes them from it.
"""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path
from typing import Final, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from ledger.errors import ConfigurationError

#: The size of the vault's key, and of the secrets that a sandbox makes up.
_SECRET_BYTES: Final = 32


class Settings(BaseSettings):
    """
    Everything that can be set, from the environment (`PASSPORT_…`) or by keyword. Unknown keywords are errors.

    In `production` no secret is ever made up: the passphrase and the vault's key must be named.
    """

    model_config = SettingsConfigDict(env_prefix="PASSPORT_", extra="forbid")

    environment: Literal["sandbox", "production"] = "production"
    data: Path = Field(default=Path("passport-data"), description="Folder of databases and key files.")
    rpc: str = Field(default="http://127.0.0.1:8545", description="URL of the Ethereum node.")
    public_rpc: str = Field(
        default="",
        description="Node that pages suggest for checking; shown to everybody, so without credentials.",
    )
    embedded: bool = Field(default=False, description="Whether the node is an embedded devnet.")
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65_535)
    max_connections: int = Field(
        default=512,
        ge=1,
        description="Most connections at the same time; who comes then is told to come back.",
    )
    origin: str | None = Field(
        default=None, description="Public URL of this service; holders sign in to it by name."
    )
    passkey_rp_ids: tuple[str, ...] = Field(
        default=(),
        description="Relying parties whose passkeys may sign, as a JSON list; the host of the public URL by default.",
    )
    passkey_origins: tuple[str, ...] = Field(
        default=(),
        description="Origins whose pages may ask passkeys to sign, as a JSON list; the public URL by default.",
    )
    database: str | None = Field(
        default=None, description="SQLAlchemy URL; a file in the data folder by default."
    )
    vault_database: str | None = Field(default=None, description="SQLAlchemy URL of the vault's database.")
    founder: Path | None = Field(
        default=None, description="JSON file on the committee, to deploy a new ledger."
    )
    operator_key_file: Path | None = Field(
        default=None, description="Key that deploys and pays, imported once."
    )
    operator_key_passphrase_file: Path | None = None
    keystore_passphrase_file: Path | None = None
    vault_key_file: Path | None = None

    def url(self) -> str:
        """Return the public URL of the service."""
        return self.origin or f"http://{self.host}:{self.port}"

    def rp_ids(self) -> frozenset[str]:
        """Return the relying parties whose passkeys may sign."""
        return frozenset(self.passkey_rp_ids or (urlsplit(self.url()).hostname or "",))

    def origins_for_passkeys(self) -> frozenset[str]:
        """Return the origins whose pages may ask passkeys to sign."""
        return frozenset(self.passkey_origins or (self.url(),))

    def database_url(self) -> str:
        """Return the URL of the journal's and index's database."""
        return self.database or f"sqlite:///{(self.data / 'ledger.db').resolve()}"

    def vault_database_url(self) -> str:
        """Return the URL of the vault's database."""
        return self.vault_database or f"sqlite:///{(self.data / 'vault.db').resolve()}"


class Founder(BaseModel):
    """What the committee's file states: names and public keys, nothing secret."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    name: str
    jurisdiction: int = 0
    signing_key: str = Field(alias="signingKey")
    sealing_key: str = Field(alias="sealingKey")


def read_founder(settings: Settings) -> Founder:
    """
    Read the committee's file.

    Raises:
        ConfigurationError: No file is named, or it cannot be read.
    """
    if settings.founder is None:
        raise ConfigurationError(
            "there is no ledger yet, and nobody to found one",
            fix="Set PASSPORT_FOUNDER to the committee's file, or use a data folder that has a ledger.",
        )
    try:
        return Founder.model_validate_json(settings.founder.read_text())
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"the founder's file cannot be read: {error}") from error


def write_founder(path: Path, *, name: str, jurisdiction: int, signing_key: str, sealing_key: str) -> None:
    """Write a committee's file: its name and its public keys, each `0x` and 64 hexadecimal digits."""
    document = {
        "name": name,
        "jurisdiction": jurisdiction,
        "signingKey": signing_key,
        "sealingKey": sealing_key,
    }
    path.write_text(json.dumps(document, indent=2) + "\n")


def keystore_passphrase(settings: Settings) -> str:
    """
    Return the passphrase of the key files.

    Raises:
        ConfigurationError: There is none in production, or its file cannot be read or can be read by others.
    """
    path = settings.keystore_passphrase_file or _sandbox_secret(settings, "keystore-passphrase")
    return _read_secret(path).decode()


def vault_key(settings: Settings) -> bytes:
    """
    Return the key of the vault.

    Raises:
        ConfigurationError: There is none in production, its file cannot be read or can be read by others, or is no key.
    """
    path = settings.vault_key_file or _sandbox_secret(settings, "vault-key")
    try:
        key = bytes.fromhex(_read_secret(path).decode())
    except ValueError:
        key = b""
    if len(key) != _SECRET_BYTES:
        raise ConfigurationError(f"{path} must hold {_SECRET_BYTES} bytes as hexadecimal digits")
    return key


def operator_key_passphrase(settings: Settings) -> str | None:
    """
    Return the passphrase of the operator's key to be imported; None if it has none.

    Raises:
        ConfigurationError: Its file cannot be read, or can be read by others.
    """
    path = settings.operator_key_passphrase_file
    return _read_secret(path).decode() if path else None


def _sandbox_secret(settings: Settings, name: str) -> Path:
    """Return a sandbox's own secret, made at its first start. Production has no such thing."""
    if settings.environment != "sandbox":
        variable = (
            "PASSPORT_"
            + {"keystore-passphrase": "KEYSTORE_PASSPHRASE_FILE", "vault-key": "VAULT_KEY_FILE"}[name]
        )
        raise ConfigurationError(
            f"production needs a secret of yours for the {name.replace('-', ' ')}",
            fix=f"Set {variable} to a file that only this service can read.",
        )
    path = settings.data / "secrets" / name
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not path.exists():
        partial = path.with_suffix(".partial")
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(secrets.token_hex(_SECRET_BYTES))
        partial.rename(path)
    return path


def _read_secret(path: Path) -> bytes:
    try:
        if path.stat().st_mode & 0o077:
            raise ConfigurationError(f"{path} can be read by others", fix=f"chmod 600 {path}")
        return path.read_bytes().strip()
    except OSError as error:
        raise ConfigurationError(f"the secret file {path} cannot be read") from error
