"""`passport transfer`: copies that move between institutions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from cli import options
from cli.access import member_client, member_keys
from cli.output import REFUSED, emit, note, table
from ledger.client import PassportClient, content_received, open_release
from ledger.encoding.hexadecimal import bytes32, to_hex

app = typer.Typer(name="transfer", help="Copies that move between institutions.", no_args_is_help=True)

Transfer = Annotated[
    str, typer.Argument(help="Transfer id, 0x and 64 hexadecimal digits.", show_default=False)
]


@app.command()
def ship(
    passport: options.Passport,
    seq: Annotated[
        int, typer.Argument(min=0, help="The decision that permits the transfer.", show_default=False)
    ],
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    idempotency_key: options.IdempotencyKey = None,
    as_json: options.Json = False,
) -> None:
    """Ship a record under a permit to transfer (its custodian)."""
    with member_client(url, key) as client:
        transfer = client.ship(passport, seq, idempotency_key=idempotency_key)
    emit(transfer, as_json=as_json, render=lambda out: _told(out, transfer))


@app.command()
def collect(
    transfer: Transfer,
    out: Annotated[Path, typer.Option("--out", help="File for the records, as JSON by category.")],
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    as_json: options.Json = False,
) -> None:
    """Fetch what was shipped to your institution, decrypt it and check it."""
    keys = member_keys(key)
    with PassportClient(url, keys) as client:
        opened = open_release(client.collect(transfer), keys)
    out.touch(mode=0o600)
    out.write_text(json.dumps(opened, ensure_ascii=False) + "\n")
    counts = {category: len(resources) for category, resources in opened.items()}
    emit(
        counts,
        as_json=as_json,
        render=lambda console: console.print(table(str(out), ("category", "resources"), counts.items())),
    )


@app.command()
def receive(
    transfer: Transfer,
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    idempotency_key: options.IdempotencyKey = None,
    as_json: options.Json = False,
) -> None:
    """State on the ledger what was received; ends with 1 if it is not what was shipped."""
    keys = member_keys(key)
    with PassportClient(url, keys) as client:
        release = client.collect(transfer)
        content = to_hex(content_received(release, keys))
        answer = client.receive(transfer, content, idempotency_key=idempotency_key)
    emit(answer, as_json=as_json, render=lambda out: _told(out, answer))
    if answer["status"] != "RECEIVED" or bytes32(content) != bytes32(answer["content"]):
        note("What was received is not what was shipped; the ledger records a dispute.")
        raise typer.Exit(REFUSED)


@app.command("list")
def list_transfers(
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    as_json: options.Json = False,
) -> None:
    """List what your institution sent and received, newest first."""
    with member_client(url, key) as client:
        transfers = client.transfers()
    columns = ("transfer", "passport", "sender", "recipient", "status", "shipped")
    rows = [
        (
            item["transferId"],
            item["passportId"],
            item["sender"],
            item["recipient"],
            item["status"],
            item["shipped"]["time"],
        )
        for item in transfers
    ]
    emit(transfers, as_json=as_json, render=lambda out: out.print(table("Transfers", columns, rows)))


def _told(out: Console, transfer: dict[str, Any]) -> None:
    words = f"{transfer['transferId']}  {transfer['status']}: member {transfer['sender']} to {transfer['recipient']}"
    out.print(words, markup=False)
