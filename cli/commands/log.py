"""`passport log`: who asked for my data, in plain words."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.console import Console

from cli import options
from cli.access import any_client
from cli.output import emit
from ledger.client import PassportClient


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("log")(show_log)


def show_log(
    passport: Annotated[
        str | None, typer.Argument(help="Passport id; without one, all of yours.", show_default=False)
    ] = None,
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    wallet: options.Wallet = None,
    custodian: options.Custodian = None,
    session: options.Session = None,
    as_json: options.Json = False,
) -> None:
    """Show who asked for data, for what, and what the answer was: newest first."""
    with any_client(url, key, wallet=wallet, custodian=custodian, session=session) as client:
        logs = access_logs(client, passport)
    emit(logs, as_json=as_json, render=lambda out: _tell(out, logs))


def access_logs(client: PassportClient, passport: str | None) -> list[dict[str, Any]]:
    """Return the access log of one passport, or of all that the caller holds or keeps."""
    wanted = [passport] if passport else [item["passportId"] for item in client.passports()]
    return [
        {
            "passportId": item,
            "emergencies": client.emergencies(item),
            "decisions": client.access_log(item),
        }
        for item in wanted
    ]


def _tell(out: Console, logs: list[dict[str, Any]]) -> None:
    for log in logs:
        out.print(f"Passport {log['passportId']}", style="bold", markup=False)
        for urgent in log["emergencies"]:
            out.print(f"  {urgent['sentence']}", markup=False)
        if not log["decisions"]:
            out.print("  nobody has asked for this data")
        for line in log["decisions"]:
            if line.get("sealedUntil"):
                out.print(f"  {line['seq']}  {line['sentence']}", markup=False)
                continue
            out.print(f"  {line['seq']}  {line['position']['time']}  {line['sentence']}", markup=False)
            because = f", because {'; '.join(line['reasons'])}" if line["reasons"] else ""
            handed = ", and the keys were handed over" if line.get("released") else ""
            out.print(f"     {line['answer']}{because}{handed}", markup=False)
            if line.get("review"):
                out.print(f"     {line['review']}", markup=False)
