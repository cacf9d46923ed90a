"""`passport doctor`: is all well, and if not, what to do."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from cli import options
from cli.output import REFUSED, emit


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("doctor")(doctor)


def doctor(
    url: options.Url = options.DEFAULT_URL,
    rpc: options.Rpc = None,
    ledger: options.Ledger = None,
    key: options.Key = None,
    directory: Annotated[
        Path | None,
        typer.Option("--dir", help="The service's data directory, on its own machine.", show_default=False),
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Check service, node, ledger, clock, files and disk. Ends with 1 if anything is wrong."""
    from cli.health import Subject, checks, examine

    findings = [examine(check) for check in checks(Subject(url, rpc, ledger, key, directory))]
    results = [
        {"check": item.check, "state": item.state, "detail": item.detail, "fix": item.fix}
        for item in findings
    ]
    emit(results, as_json=as_json, render=lambda out: _tell(out, results))
    if any(item.state == "wrong" for item in findings):
        raise typer.Exit(REFUSED)


def _tell(out: Console, results: list[dict[str, Any]]) -> None:
    for result in results:
        out.print(f"{result['state']:8} {result['check']}: {result['detail']}", markup=False)
        if result["fix"]:
            out.print(f"         what to do: {result['fix']}", markup=False)
