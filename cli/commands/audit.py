"""`passport audit`: the ledger replayed by somebody who trusts nobody's service."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from cli import options
from cli.output import REFUSED, emit, table
from cli.progress import progress
from ledger.errors import InvalidInput

app = typer.Typer(
    name="audit", help="The ledger replayed, with a node and nothing else.", no_args_is_help=True
)


@app.callback()
def _audit() -> None:
    """Keep `replay` a command of its own: typer would otherwise make it the group."""


@app.command()
def replay(
    rpc: options.Rpc = None,
    ledger: options.Ledger = None,
    from_block: options.FromBlock = 0,
    access_log: Annotated[
        list[Path] | None,
        typer.Option(help="File of FHIR AuditEvents to hold against the decisions; repeat for more."),
    ] = None,
    index: Annotated[
        str | None,
        typer.Option(
            help="URL of the service's database, to hold its index against the chain.", show_default=False
        ),
    ] = None,
    as_json: options.Json = False,
) -> None:
    """
    Decide every decision of a ledger again, and say what is wrong.

    Needs no service and no database: only a node's URL and the contract's address. Ends with 1 if anything is found.
    """
    from cli.auditing import replay as run

    if rpc is None or ledger is None:
        raise InvalidInput("this needs a node and a ledger", fix="Give --rpc URL and --ledger ADDRESS.")
    with progress(quiet=as_json) as report:
        found = run(
            rpc, ledger, from_block=from_block, access_logs=access_log or (), index_url=index, report=report
        )
    result = found.as_json()
    emit(result, as_json=as_json, render=lambda out: _tell(out, result))
    if not found.is_clean:
        raise typer.Exit(REFUSED)


def _tell(out: Console, result: dict[str, Any]) -> None:
    out.print(
        f"Ledger {result['ledger']} on chain {result['chainId']}, blocks {result['fromBlock']} to {result['toBlock']}",
        markup=False,
    )
    out.print(
        f"{result['decisions']} decisions decided again: {result['mismatches']} differ; {result['permits']} permits, "
        f"{result['denied']} refusals, {result['reviews']} wait for a review",
        markup=False,
    )
    if result["denials"]:
        out.print(table("Refusals by what was missing", ("fact", "refusals"), result["denials"].items()))
    for finding in result["findings"]:
        mark = "note" if finding["informational"] else "FOUND"
        out.print(f"{mark}  {finding['rule']}: {finding['detail']}", markup=False)
    out.print("Nothing is wrong." if result["clean"] else "Something is wrong.")
