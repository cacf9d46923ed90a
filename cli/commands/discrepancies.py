"""`passport discrepancies`: transfers that do not fit, for everybody to see."""

from __future__ import annotations

from typing import Any

import typer
from rich.console import Console

from cli import options
from cli.output import REFUSED, emit
from ledger.client import PassportClient


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("discrepancies")(discrepancies)


def discrepancies(url: options.Url = options.DEFAULT_URL, as_json: options.Json = False) -> None:
    """
    List transfers that were not answered within a week, that are disputed, whose root is wrong, or whose report is overdue.

    A root is wrong if it is not that of what was loaded.

    Needs no key. Ends with 1 if there are any.
    """
    with PassportClient(url) as client:
        found = client.discrepancies()
    emit(found, as_json=as_json, render=lambda out: _tell(out, found))
    if found:
        raise typer.Exit(REFUSED)


def _tell(out: Console, found: list[dict[str, Any]]) -> None:
    if not found:
        out.print("Both sides of every transfer tell the same, and no report is overdue.")
    for item in found:
        words = f"{item['since']}  {item['kind']}  {item['transferId']} ({item['records']}): {item['text']}"
        out.print(words, markup=False)
