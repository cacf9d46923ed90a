"""Who speaks to the service: a member with its key file, a patient with a wallet, or a session."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import typer

from ledger.client import MemberKeys, PassportClient, sign_in
from ledger.errors import ConfigurationError, InvalidInput
from ledger.wallet import Wallet

PASSPHRASE_VARIABLE = "PASSPORT_WALLET_PASSPHRASE"  # noqa: S105 - the name of a variable


def member_keys(key: Path | None) -> MemberKeys:
    """
    Return a member's keys.

    Raises:
        ConfigurationError: No key file is named, or it cannot be used.
    """
    if key is None:
        raise ConfigurationError(
            "this needs your institution's key file", fix="Name it with --key FILE or PASSPORT_KEY."
        )
    return MemberKeys.load(key)


def member_client(url: str, key: Path | None) -> PassportClient:
    """
    Return a client that signs as a member.

    Raises:
        ConfigurationError: No key file is named, or it cannot be used.
    """
    return PassportClient(url, member_keys(key))


def any_client(
    url: str,
    key: Path | None,
    *,
    wallet: Path | None = None,
    custodian: int | None = None,
    session: str | None = None,
) -> PassportClient:
    """Return a client for whoever is named: a patient who is signed in now, a member, a session, or nobody."""
    if wallet is not None:
        return holder_client(url, holder_key(wallet, custodian))
    if key is not None:
        return member_client(url, key)
    return PassportClient(url, session)


def holder_client(url: str, private_key: bytes) -> PassportClient:
    """Sign in as a holder; returns a client for the session."""
    with PassportClient(url) as stranger:
        code: str = sign_in(stranger, private_key)["code"]
    return PassportClient(url, code)


def holder_key(wallet: Path, custodian: int | None) -> bytes:
    """
    Return a patient's holder key towards one custodian.

    Raises:
        ConfigurationError: The wallet cannot be opened.
        InvalidInput: No custodian is named.
    """
    if custodian is None:
        raise InvalidInput(
            "a wallet holds a key for each hospital",
            field="custodian",
            fix="Name the hospital: --custodian NUMBER.",
        )
    return Wallet.load(wallet, passphrase=passphrase_for(wallet)).key(custodian)


def passphrase_for(wallet: Path, *, new: bool = False) -> str:
    """
    Return the passphrase of a wallet, from the environment or a prompt.

    Raises:
        ConfigurationError: It is in neither.
    """
    if found := os.environ.get(PASSPHRASE_VARIABLE):
        return found
    return secret(f"Passphrase for {wallet}", variable=PASSPHRASE_VARIABLE, confirm=new)


def secret(what: str, *, variable: str, confirm: bool = False) -> str:
    """
    Ask for a secret without showing it.

    Raises:
        ConfigurationError: There is nobody to ask.
    """
    if not sys.stdin.isatty():
        raise ConfigurationError(f"{what}: there is nobody to ask", fix=f"Set {variable}.")
    answer: str = typer.prompt(what, hide_input=True, confirmation_prompt=confirm, err=True)
    return answer
