"""`passport verify`: what the service shows, checked against the chain itself."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.console import Console

from cli import options
from cli.access import any_client
from cli.commands.log import access_logs
from cli.output import REFUSED, emit, note
from cli.progress import progress


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("verify")(verify)


def verify(
    passport: Annotated[
        str | None, typer.Argument(help="Passport id; without one, all of yours.", show_default=False)
    ] = None,
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    wallet: options.Wallet = None,
    custodian: options.Custodian = None,
    session: options.Session = None,
    rpc: options.Rpc = None,
    ledger: options.Ledger = None,
    from_block: options.FromBlock = 0,
    as_json: options.Json = False,
) -> None:
    """
    Check each line of a passport's log against the chain, and that none was left out.

    Name a node that you trust with --rpc, and the ledger's address as you know it with --ledger. Ends with 1 if
    anything differs.
    """
    from cli.verification import LedgerReader, check_passport

    with any_client(url, key, wallet=wallet, custodian=custodian, session=session) as client:
        logs = access_logs(client, passport)
        told = client.ledger() if rpc is None or ledger is None else {}
    if told and not as_json:
        note("The service itself named the node or the ledger; to rely on neither, give --rpc and --ledger.")
    reader = LedgerReader(rpc or told["rpcUrl"], ledger or told["ledger"], from_block=from_block)
    checks = []
    with progress(quiet=as_json) as report:
        for index, log in enumerate(logs):
            checks.append(check_passport(reader, log["passportId"], log["decisions"]))
            report("checking passports", index + 1, len(logs))
    results = [check.as_json() for check in checks]
    emit(results, as_json=as_json, render=lambda out: _tell(out, results))
    if not all(check.is_true for check in checks):
        raise typer.Exit(REFUSED)


def _tell(out: Console, results: list[dict[str, Any]]) -> None:
    for result in results:
        out.print(f"Passport {result['passportId']}", style="bold", markup=False)
        for line in result["lines"]:
            mark = "differs" if line["differences"] else "true   "
            out.print(f"  {line['seq']}  {mark}  {line['sentence']}: {line['answer']}", markup=False)
            for difference in line["differences"]:
                out.print(f"       {difference}", markup=False)
        for problem in result["problems"]:
            out.print(f"  {problem}", markup=False)
        where = f"chain {result['chainId']}, ledger {result['ledger']}, block {result['block']}"
        verdict = "all as on the chain, none left out" if result["isTrue"] else "NOT as on the chain"
        out.print(
            f"  {len(result['lines'])} of {result['size']} decisions shown, {verdict} ({where})", markup=False
        )
