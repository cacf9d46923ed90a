"""`passport record`: what a hospital keeps."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from cli import options
from cli.access import member_client
from cli.commands.committee import Reason, tell_act
from cli.output import emit, facts, table
from cli.progress import progress
from ledger.errors import InvalidInput
from ledger.interop.fhir import parse_json

app = typer.Typer(name="record", help="What your hospital keeps.", no_args_is_help=True)


@app.command()
def register(
    files: Annotated[
        list[Path], typer.Argument(help="FHIR R4 bundles, one patient each.", show_default=False)
    ],
    purpose: options.Purposes,
    holder: Annotated[
        str | None,
        typer.Option(help="Address of the patient's own key; without one the hospital keeps a key."),
    ] = None,
    lock: Annotated[
        int,
        typer.Option(min=0, help="Public emergency under which the data was obtained; it serves that alone."),
    ] = 0,
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    idempotency_key: options.IdempotencyKey = None,
    as_json: options.Json = False,
) -> None:
    """Register patients' records: each is split by category, sealed, and gets a passport."""
    if holder and len(files) > 1:
        raise InvalidInput(
            "a holder's address belongs to one patient", field="holder", fix="Register one file."
        )
    made: list[dict[str, Any]] = []
    with member_client(url, key) as client, progress(quiet=as_json) as report:
        for index, path in enumerate(files):
            report("registering", index, len(files))
            bundle = parse_json(path.read_bytes(), what=str(path))
            name = f"{idempotency_key}-{index}" if idempotency_key else None
            made.append(client.register(bundle, purpose, holder=holder, lock=lock, idempotency_key=name))
        report("registering", len(files), len(files))
    lines = [f"{item['passport']['passportId']}  {sum(item['entries'].values())} resources" for item in made]
    emit(made, as_json=as_json, render=lambda out: out.print("\n".join(lines), markup=False))


@app.command("list")
def list_records(
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    as_json: options.Json = False,
) -> None:
    """List the records that your hospital keeps here, with its own references."""
    with member_client(url, key) as client:
        records = client.records()
    rows = [(item["passportId"], item["localReference"], sum(item["entries"].values())) for item in records]
    columns = ("passport", "reference", "resources")
    emit(records, as_json=as_json, render=lambda out: out.print(table("Records", columns, rows)))


@app.command()
def seal(
    passport: options.Passport,
    reason: Reason,
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    idempotency_key: options.IdempotencyKey = None,
    as_json: options.Json = False,
) -> None:
    """Seal data after an incident: no use, no destruction, until the committee unseals it."""
    with member_client(url, key) as client:
        found = client.seal(passport, reason, idempotency_key=idempotency_key)
    emit(found, as_json=as_json, render=lambda out: tell_act(out, found, "Sealed"))


@app.command()
def narrow(
    passport: options.Passport,
    purpose: options.Purposes,
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    idempotency_key: options.IdempotencyKey = None,
    as_json: options.Json = False,
) -> None:
    """Narrow what data may ever be used for to the purposes named. There is no way back."""
    with member_client(url, key) as client:
        found = client.narrow(passport, purpose, idempotency_key=idempotency_key)
    emit(found, as_json=as_json, render=lambda out: out.print(facts("Narrowed", found)))


@app.command()
def destroy(
    passport: options.Passport,
    statement: Annotated[str, typer.Option(help="Why and how, backups included; stays off the chain.")],
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    idempotency_key: options.IdempotencyKey = None,
    as_json: options.Json = False,
) -> None:
    """State on the ledger that data is destroyed, then destroy its keys. Final."""
    with member_client(url, key) as client:
        found = client.destroy(passport, statement, idempotency_key=idempotency_key)
    emit(found, as_json=as_json, render=lambda out: out.print(facts("Destroyed", found)))
