"""`passport policy`: the law in force."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.console import Console

from cli import options
from cli.output import emit, table
from ledger.client import PassportClient

app = typer.Typer(name="policy", help="The law that the ledger decides by.", no_args_is_help=True)


@app.callback()
def _policy() -> None:
    """Keep `show` a command of its own: typer would otherwise make it the group."""


@app.command()
def show(
    version: Annotated[int | None, typer.Option(min=1, help="Another version than the one in force.")] = None,
    url: options.Url = options.DEFAULT_URL,
    as_json: options.Json = False,
) -> None:
    """Show what must hold for which purpose, on which basis, for which class of data."""
    with PassportClient(url) as client:
        law = client.policy(version)
    emit(law, as_json=as_json, render=lambda out: _tell(out, law))


def _tell(out: Console, law: dict[str, Any]) -> None:
    rows = [
        (entry["dataClass"], entry["purpose"], entry["basis"], entry["required"]) for entry in law["entries"]
    ]
    columns = ("class of data", "purpose", "basis", "must hold")
    out.print(table(f"Law, version {law['version']}; what is not listed is never lawful", columns, rows))
    out.print()
    out.print(table("Kinds of data in each class", ("class", "categories"), law["classes"].items()))
    out.print()
    out.print(f"Banned: {', '.join(law['bannedPurposes'])}", markup=False)
    out.print(f"A consent lasts at most {law['maxGrantSeconds'] // 86_400} days.")
