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
    rebuild_index: Annotated[
        bool,
        typer.Option(
            "--rebuild-index",
            help="Check nothing: empty the index of a stopped service; its next start makes it again.",
        ),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before the index is emptied.")] = False,
    as_json: options.Json = False,
) -> None:
    """
    Check service, node, ledger, clock, files and disk. Ends with 1 if anything is wrong.

    With --rebuild-index the index of a stopped service is emptied. Journal, sessions and vault stay as they are. The
    service is found as `passport up` finds it: by the environment, PASSPORT_…, or by --dir.
    """
    if rebuild_index:
        _rebuild_index(directory, yes=yes, as_json=as_json)
        return
    from cli.health import Subject, checks, examine

    findings = [examine(check) for check in checks(Subject(url, rpc, ledger, key, directory))]
    results = [
        {"check": item.check, "state": item.state, "detail": item.detail, "fix": item.fix}
        for item in findings
    ]
    emit(results, as_json=as_json, render=lambda out: _tell(out, results))
    if any(item.state == "wrong" for item in findings):
        raise typer.Exit(REFUSED)


def _rebuild_index(directory: Path | None, *, yes: bool, as_json: bool) -> None:
    """Empty the index of a stopped service, after the operator said so."""
    from ledger.bootstrap import clear_index
    from ledger.settings import Settings

    settings = Settings() if directory is None else Settings(data=directory)
    # A URL may carry a password.
    place = "the database of PASSPORT_DATABASE" if settings.database else str(settings.data / "ledger.db")
    if not yes:
        typer.confirm(f"Empty the index in {place}?", abort=True, err=True)
    clear_index(settings)
    emit(
        {"database": place, "index": "empty"},
        as_json=as_json,
        render=lambda out: out.print(
            f"The index in {place} is empty. Start the service: it makes it again from the chain.",
            markup=False,
        ),
    )


def _tell(out: Console, results: list[dict[str, Any]]) -> None:
    for result in results:
        out.print(f"{result['state']:8} {result['check']}: {result['detail']}", markup=False)
        if result["fix"]:
            out.print(f"         what to do: {result['fix']}", markup=False)
