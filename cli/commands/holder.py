"""`passport holder`: the patient's own keys."""

from __future__ import annotations

import os
from pathlib import Path

import typer

from cli import options
from cli.access import any_client, holder_key, passphrase_for, secret
from cli.output import emit, facts, note
from ledger.client import PassportClient
from ledger.client import sign_in as sign_in_with
from ledger.errors import ConfigurationError
from ledger.wallet import Wallet, holder_address, new_mnemonic, seed_of

app = typer.Typer(name="holder", help="The patient's own keys.", no_args_is_help=True)

_WORDS_VARIABLE = "PASSPORT_WALLET_WORDS"


@app.command()
def new(
    wallet: options.Wallet = None,
    as_json: options.Json = False,
) -> None:
    """Make a wallet. The 24 words it prints are the only copy: write them down on paper."""
    path = _named(wallet)
    words = new_mnemonic()
    Wallet(seed_of(words)).save(path, passphrase=passphrase_for(path, new=True))
    made = {"wallet": str(path), "words": words}
    emit(made, as_json=as_json, render=lambda out: out.print(facts("New wallet", made)))
    note("Whoever has these words can speak for you; without them and without the file nobody can.")


@app.command()
def recover(
    wallet: options.Wallet = None,
    as_json: options.Json = False,
) -> None:
    """Make the wallet anew from its 24 words, which are asked for (or read from PASSPORT_WALLET_WORDS)."""
    path = _named(wallet)
    words = os.environ.get(_WORDS_VARIABLE) or secret("The 24 words", variable=_WORDS_VARIABLE)
    Wallet(seed_of(" ".join(words.split()))).save(path, passphrase=passphrase_for(path, new=True))
    made = {"wallet": str(path)}
    emit(made, as_json=as_json, render=lambda out: out.print(facts("Recovered wallet", made)))


@app.command()
def address(
    wallet: options.Wallet = None,
    custodian: options.Custodian = None,
    as_json: options.Json = False,
) -> None:
    """Show your address towards one hospital: give it to that hospital, and to no other."""
    holder = holder_address(holder_key(_named(wallet), custodian))
    made = {"custodian": custodian, "holder": holder}
    emit(made, as_json=as_json, render=lambda out: out.print(holder))


@app.command("sign-in")
def sign_in(
    url: options.Url = options.DEFAULT_URL,
    wallet: options.Wallet = None,
    custodian: options.Custodian = None,
    as_json: options.Json = False,
) -> None:
    """Get a sign-in code for the patient's page."""
    with PassportClient(url) as client:
        session = sign_in_with(client, holder_key(_named(wallet), custodian))
    emit(session, as_json=as_json, render=lambda out: out.print(facts("Sign-in code", session)))


@app.command()
def passports(
    url: options.Url = options.DEFAULT_URL,
    wallet: options.Wallet = None,
    custodian: options.Custodian = None,
    session: options.Session = None,
    as_json: options.Json = False,
) -> None:
    """List your passports at one hospital."""
    with any_client(url, None, wallet=wallet, custodian=custodian, session=session) as client:
        found = client.passports()
    emit(found, as_json=as_json, render=lambda out: out.print(*(facts("Passport", item) for item in found)))


def _named(wallet: Path | None) -> Path:
    if wallet is None:
        raise ConfigurationError(
            "this needs a wallet file", fix="Name it with --wallet FILE or PASSPORT_WALLET."
        )
    return wallet
