"""`passport holder`: the patient's own keys."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from cli import options
from cli.access import any_client, holder_client, holder_key, member_client, passphrase_for, secret
from cli.output import emit, facts, note
from cli.times import read_time
from ledger.client import (
    PassportClient,
    seconds,
    sign_delegation,
    sign_guardians,
    sign_objection,
    sign_recovery,
    sign_rotation,
)
from ledger.client import sign_in as sign_in_with
from ledger.errors import ConfigurationError, InvalidInput
from ledger.wallet import Wallet, holder_address, new_mnemonic, seed_of

app = typer.Typer(
    name="holder", help="The patient's own keys, and who speaks for a patient.", no_args_is_help=True
)

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


@app.command()
def status(
    passport: options.Passport,
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    wallet: options.Wallet = None,
    custodian: options.Custodian = None,
    session: options.Session = None,
    as_json: options.Json = False,
) -> None:
    """Show who speaks for a patient: the key, delegates, guardians, and a recovery under way."""
    with any_client(url, key, wallet=wallet, custodian=custodian, session=session) as client:
        found = client.holder(passport)
    emit(found, as_json=as_json, render=lambda out: out.print(facts("Holder", found)))


@app.command()
def rotate(
    passport: options.Passport,
    new_wallet: Annotated[
        Path, typer.Option("--new-wallet", help="The wallet that holds the new key.", show_default=False)
    ],
    url: options.Url = options.DEFAULT_URL,
    wallet: options.Wallet = None,
    custodian: options.Custodian = None,
    idempotency_key: options.IdempotencyKey = None,
    as_json: options.Json = False,
) -> None:
    """Replace your key by that of another wallet. The old one, and whom it named, speak for you no longer."""
    old = holder_key(_named(wallet), custodian)
    holder = holder_address(holder_key(new_wallet, custodian))
    with holder_client(url, old) as client:
        epoch = client.holder(passport)["epoch"]
        signature = sign_rotation(
            client.ledger(), passport_id=passport, holder=holder, epoch=epoch, private_key=old
        )
        found = client.rotate_holder(passport, holder, signature, idempotency_key=idempotency_key)
    emit(found, as_json=as_json, render=lambda out: out.print(facts("Holder", found)))


@app.command("take-over")
def take_over(
    passport: options.Passport,
    holder: Annotated[
        str, typer.Option(help="The patient's address, from holder address.", show_default=False)
    ],
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    idempotency_key: options.IdempotencyKey = None,
    as_json: options.Json = False,
) -> None:
    """Hand the key of a patient over who brings a wallet, as the hospital that kept one in the patient's stead."""
    with member_client(url, key) as client:
        found = client.rotate_holder(passport, holder, idempotency_key=idempotency_key)
    emit(found, as_json=as_json, render=lambda out: out.print(facts("Holder", found)))


@app.command()
def delegate(
    passport: options.Passport,
    who: Annotated[str, typer.Argument(help="The address that may speak for you.", show_default=False)],
    until: Annotated[
        str | None, typer.Option(help="Until when: a date, a time, or a span; without it no longer.")
    ] = None,
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    wallet: options.Wallet = None,
    custodian: options.Custodian = None,
    idempotency_key: options.IdempotencyKey = None,
    as_json: options.Json = False,
) -> None:
    """Let somebody give and withdraw consent for you until a time, or no longer."""
    end = read_time(until, field="until") if until else None

    def signed(client: PassportClient, private_key: bytes) -> str:
        return sign_delegation(
            client.ledger(),
            passport_id=passport,
            delegate=who,
            valid_to=seconds(end) if end else 0,
            **_numbers(client, passport),
            private_key=private_key,
        )

    def sent(client: PassportClient, signature: str | None) -> dict[str, Any]:
        return client.name_delegate(passport, who, end, signature, idempotency_key=idempotency_key)

    _said(signed, sent, url, key, wallet, custodian, as_json)


@app.command()
def guardians(
    passport: options.Passport,
    who: Annotated[
        list[str] | None,
        typer.Argument(help="Addresses of those who can replace a lost key; nobody without any."),
    ] = None,
    threshold: Annotated[int, typer.Option(min=0, help="How many of them must sign.")] = 0,
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    wallet: options.Wallet = None,
    custodian: options.Custodian = None,
    idempotency_key: options.IdempotencyKey = None,
    as_json: options.Json = False,
) -> None:
    """Name those who can replace your key together if you lose it. Write down who, in this order, and how many."""
    keys = who or []

    def signed(client: PassportClient, private_key: bytes) -> str:
        return sign_guardians(
            client.ledger(),
            passport_id=passport,
            threshold=threshold,
            keys=keys,
            **_numbers(client, passport),
            private_key=private_key,
        )

    def sent(client: PassportClient, signature: str | None) -> dict[str, Any]:
        return client.name_guardians(passport, threshold, keys, signature, idempotency_key=idempotency_key)

    _said(signed, sent, url, key, wallet, custodian, as_json)


@app.command("sign-recovery")
def sign_for_recovery(
    passport: options.Passport,
    holder: Annotated[str, typer.Option(help="The key to be.", show_default=False)],
    epoch: Annotated[
        int, typer.Option(min=0, help="How often the key was replaced, as passport holder status says.")
    ],
    nonce: Annotated[int, typer.Option(min=0, help="The number after it, as passport holder status says.")],
    url: options.Url = options.DEFAULT_URL,
    wallet: options.Wallet = None,
    custodian: options.Custodian = None,
    as_json: options.Json = False,
) -> None:
    """Sign as a guardian that a lost key is to be replaced; prints the signature."""
    with PassportClient(url) as client:
        signature = sign_recovery(
            client.ledger(),
            passport_id=passport,
            holder=holder,
            epoch=epoch,
            nonce=nonce,
            private_key=holder_key(_named(wallet), custodian),
        )
    emit({"signature": signature}, as_json=as_json, render=lambda out: out.print(signature))


@app.command("replace")
def replace_lost(
    passport: options.Passport,
    holder: Annotated[
        str | None,
        typer.Option(help="The key to be; without it the hospital keeps a new one.", show_default=False),
    ] = None,
    threshold: Annotated[int | None, typer.Option(min=1, help="How many guardians must sign.")] = None,
    guardian: Annotated[
        list[str] | None,
        typer.Option(help="ADDRESS=SIGNATURE, or ADDRESS= for one who did not sign; all, in their order."),
    ] = None,
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    idempotency_key: options.IdempotencyKey = None,
    as_json: options.Json = False,
) -> None:
    """Begin to replace a lost key: with the guardians' signatures, or at the hospital's counter without."""
    recovery: dict[str, Any] = {"holder": holder} if holder else {}
    if guardian:
        pairs = [item.partition("=") for item in guardian]
        recovery |= {
            "threshold": threshold or 0,
            "keys": [address for address, _, _ in pairs],
            "signatures": [signature or "0x" for _, _, signature in pairs],
        }
    with member_client(url, key) as client:
        found = client.recover_holder(passport, recovery, idempotency_key=idempotency_key)
    emit(found, as_json=as_json, render=lambda out: out.print(facts("Holder", found)))


@app.command("object")
def say_no(
    passport: options.Passport,
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    wallet: options.Wallet = None,
    custodian: options.Custodian = None,
    idempotency_key: options.IdempotencyKey = None,
    as_json: options.Json = False,
) -> None:
    """Object to a recovery: your key is not lost."""

    def signed(client: PassportClient, private_key: bytes) -> str:
        found = client.holder(passport)
        if found["recovery"] is None:
            raise InvalidInput("nobody is replacing this key", field="passport")
        return sign_objection(
            client.ledger(),
            passport_id=passport,
            ready_at=seconds(found["recovery"]["readyAt"]),
            epoch=found["epoch"],
            private_key=private_key,
        )

    def sent(client: PassportClient, signature: str | None) -> dict[str, Any]:
        return client.object_to_recovery(passport, signature, idempotency_key=idempotency_key)

    _said(signed, sent, url, key, wallet, custodian, as_json)


@app.command()
def complete(
    passport: options.Passport,
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    wallet: options.Wallet = None,
    custodian: options.Custodian = None,
    idempotency_key: options.IdempotencyKey = None,
    as_json: options.Json = False,
) -> None:
    """Complete a recovery that nobody objected to in time: with the new key's wallet, or as any member."""
    with any_client(url, key, wallet=wallet, custodian=custodian) as client:
        found = client.complete_recovery(passport, idempotency_key=idempotency_key)
    emit(found, as_json=as_json, render=lambda out: out.print(facts("Holder", found)))


def _numbers(client: PassportClient, passport: str) -> dict[str, int]:
    """Return what a signature that is good once must name."""
    found = client.holder(passport)
    return {"epoch": found["epoch"], "nonce": found["nonce"]}


def _said(
    signed: Callable[[PassportClient, bytes], str],
    sent: Callable[[PassportClient, str | None], dict[str, Any]],
    url: str,
    key: Path | None,
    wallet: Path | None,
    custodian: int | None,
    as_json: bool,
) -> None:
    """Say something as the holder: signed with a wallet, or as the hospital that keeps the patient's key."""
    if wallet is None:
        with member_client(url, key) as client:
            found = sent(client, None)
    else:
        private_key = holder_key(wallet, custodian)
        with holder_client(url, private_key) as client:
            found = sent(client, signed(client, private_key))
    emit(found, as_json=as_json, render=lambda out: out.print(facts("Holder", found)))


def _named(wallet: Path | None) -> Path:
    if wallet is None:
        raise ConfigurationError(
            "this needs a wallet file", fix="Name it with --wallet FILE or PASSPORT_WALLET."
        )
    return wallet
