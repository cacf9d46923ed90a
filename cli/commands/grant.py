"""`passport grant`: consent, given and withdrawn."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from cli import options
from cli.access import any_client, holder_client, holder_key, member_client
from cli.output import emit, facts, note, table
from cli.times import read_time
from ledger.client import PassportClient, check_grant, sign_grant, sign_revocation
from ledger.errors import InvalidInput
from ledger.interop.fhir import parse_json

app = typer.Typer(name="grant", help="Consent, given and withdrawn.", no_args_is_help=True)

Grant = Annotated[str, typer.Argument(help="Grant id, 0x and 64 hexadecimal digits.", show_default=False)]


@app.command()
def give(
    passport: options.Passport,
    purpose: options.Purposes,
    category: options.Categories,
    until: Annotated[str, typer.Option(help="End of the use period: a date, a time, or a span such as 90d.")],
    recipient: Annotated[
        int | None,
        typer.Option("--to", min=1, help="Number of the member that may use the data.", show_default=False),
    ] = None,
    kind: Annotated[
        list[str] | None,
        typer.Option("--to-all", help="Instead: a kind of members that may, as in RESEARCH; repeat."),
    ] = None,
    since: Annotated[str | None, typer.Option("--from", help="Its start; now without it.")] = None,
    first_day: Annotated[str | None, typer.Option("--from-day", help="First day of the data.")] = None,
    last_day: Annotated[str | None, typer.Option("--to-day", help="Last day of the data.")] = None,
    level: Annotated[str, typer.Option(help="Least level of de-identification.")] = "IDENTIFIED",
    template: Annotated[int, typer.Option(min=1, help="The template that it fits inside.")] = 1,
    max_uses: Annotated[
        int, typer.Option(min=0, help="For how many permits it is good; 0 for any number.")
    ] = 0,
    flag: Annotated[
        list[str] | None, typer.Option(help="SEPARATE, NO_RELINK, NO_REIDENTIFY, ONWARD.")
    ] = None,
    supersedes: Annotated[str | None, typer.Option(help="A grant that this one replaces.")] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Write the signed grant to this file instead of sending it.")
    ] = None,
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    wallet: options.Wallet = None,
    custodian: options.Custodian = None,
    idempotency_key: options.IdempotencyKey = None,
    as_json: options.Json = False,
) -> None:
    """Give a consent: with the patient's wallet, or as the hospital that keeps an assisted patient's key."""
    fields: dict[str, Any] = {
        "passportId": passport,
        "recipientKinds": kind or [],
        "level": level,
        "template": template,
        "purposes": purpose,
        "categories": category,
        "useTo": read_time(until, field="until"),
        "maxUses": max_uses,
        "flags": flag or [],
    }
    if recipient is not None:
        fields["recipient"] = recipient
    if first_day:
        fields["dataFrom"] = first_day
    if last_day:
        fields["dataTo"] = last_day
    if since:
        fields["useFrom"] = read_time(since, field="from")
    if supersedes:
        fields["supersedes"] = supersedes
    if wallet is None:
        with member_client(url, key) as client:
            given = client.assist_grant(fields, idempotency_key=idempotency_key)
        emit(given, as_json=as_json, render=lambda console: _told(console, given))
        return
    private_key = holder_key(wallet, custodian)
    with holder_client(url, private_key) as client:
        signed = _signed(client, fields, private_key)
        if out is not None:
            out.write_text(json.dumps(signed, indent=1) + "\n")
            emit(
                signed,
                as_json=as_json,
                render=lambda _: note(f"Signed. Any member can bring {out} to the ledger."),
            )
            return
        given = client.relay_grant(signed["grant"], signed["signature"], idempotency_key=idempotency_key)
    emit(given, as_json=as_json, render=lambda console: _told(console, given))


@app.command()
def relay(
    signed: Annotated[Path, typer.Argument(help="A signed grant, made with give --out.", show_default=False)],
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    idempotency_key: options.IdempotencyKey = None,
    as_json: options.Json = False,
) -> None:
    """Bring a signed grant to the ledger."""
    document = parse_json(signed.read_bytes(), what=str(signed))
    if not isinstance(document, dict) or not {"grant", "signature"} <= document.keys():
        raise InvalidInput(
            f"{signed} is not a signed grant", field="signed", fix="Make one with: grant give --out."
        )
    with member_client(url, key) as client:
        given = client.relay_grant(document["grant"], document["signature"], idempotency_key=idempotency_key)
    emit(given, as_json=as_json, render=lambda console: _told(console, given))


@app.command()
def revoke(
    grant: Grant,
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    wallet: options.Wallet = None,
    custodian: options.Custodian = None,
    idempotency_key: options.IdempotencyKey = None,
    as_json: options.Json = False,
) -> None:
    """Withdraw a consent: from then on it permits nothing."""
    if wallet is None:
        with member_client(url, key) as client:
            ended = client.revoke(grant, idempotency_key=idempotency_key)
    else:
        private_key = holder_key(wallet, custodian)
        with holder_client(url, private_key) as client:
            given, ledger = client.grant(grant), client.ledger()
            signature = sign_revocation(
                ledger, passport_id=given["passportId"], grant_id=given["grantId"], private_key=private_key
            )
            ended = client.revoke(grant, signature, idempotency_key=idempotency_key)
    emit(ended, as_json=as_json, render=lambda console: _told(console, ended))


@app.command("list")
def list_grants(
    passport: Annotated[str | None, typer.Argument(help="Of this passport.", show_default=False)] = None,
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    wallet: options.Wallet = None,
    custodian: options.Custodian = None,
    session: options.Session = None,
    as_json: options.Json = False,
) -> None:
    """List consents: of a passport, or all that were given to your institution."""
    with any_client(url, key, wallet=wallet, custodian=custodian, session=session) as client:
        grants = client.grants(passport)
    rows = [(item["grantId"], item["status"], item["text"]) for item in grants]
    emit(
        grants,
        as_json=as_json,
        render=lambda out: out.print(table("Consents", ("grant", "status", "text"), rows)),
    )


@app.command()
def show(
    grant: Grant,
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    wallet: options.Wallet = None,
    custodian: options.Custodian = None,
    session: options.Session = None,
    as_json: options.Json = False,
) -> None:
    """Show one consent."""
    with any_client(url, key, wallet=wallet, custodian=custodian, session=session) as client:
        found = client.grant(grant)
    emit(found, as_json=as_json, render=lambda out: out.print(facts("Consent", found)))


def _signed(client: PassportClient, fields: dict[str, Any], private_key: bytes) -> dict[str, Any]:
    """Let the service write the grant down, check that it says what was decided, and sign it."""
    prepared = client.prepare_grant(fields)
    grant = check_grant(prepared, fields)
    note(f"You sign: {prepared['text']}")
    return {"grant": prepared["grant"], "signature": sign_grant(client.ledger(), grant, private_key)}


def _told(out: Console, grant: dict[str, Any]) -> None:
    out.print(f"{grant['grantId']}  {grant['status']}\n{grant['text']}", markup=False)
