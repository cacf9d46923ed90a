"""`passport audit`: the ledger replayed by somebody who trusts nobody's service."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from cli import options
from cli.output import REFUSED, emit, short, table
from cli.progress import progress
from cli.times import read_time, rfc3339
from ledger.client import seconds
from ledger.errors import InvalidInput

#: Links that a person is shown; a program gets them all.
_MOST_LINKS = 200

app = typer.Typer(
    name="audit", help="The ledger replayed, with a node and nothing else.", no_args_is_help=True
)


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


@app.command()
def trace(
    subject: Annotated[
        str | None,
        typer.Argument(
            help="A commitment or an id, PASSPORT:SEQ, dataset:N, step:N, member:N, or a member's name.",
            show_default=False,
        ),
    ] = None,
    file: Annotated[
        Path | None, typer.Option("--file", help="A file that turned up, in its place.", show_default=False)
    ] = None,
    salt: Annotated[
        str | None, typer.Option(help="Salt of the file, if a step made it.", show_default=False)
    ] = None,
    kept: Annotated[
        Path | None,
        typer.Option(help="A recorder's file of names and salts, to find the file in.", show_default=False),
    ] = None,
    release: Annotated[
        Path | None,
        typer.Option(
            help="A release of the same record, with the salts of its categories.", show_default=False
        ),
    ] = None,
    access_log: Annotated[
        list[Path] | None,
        typer.Option(help="File of FHIR AuditEvents to hold against the decisions; repeat for more."),
    ] = None,
    at: Annotated[
        str | None,
        typer.Option(
            help="When who had it is asked for; without it, when it went wrong.", show_default=False
        ),
    ] = None,
    rpc: options.Rpc = None,
    ledger: options.Ledger = None,
    from_block: options.FromBlock = 0,
    as_json: options.Json = False,
) -> None:
    """
    Trace data to who is responsible: who held and got it, under which right, and what first went wrong.

    Needs no service and no database, as replay. A file is found by its commitment, for which its salt is needed. Ends
    with 1 if somebody is responsible for a breach or an attempt.
    """
    from cli.auditing import traced

    if rpc is None or ledger is None:
        raise InvalidInput("this needs a node and a ledger", fix="Give --rpc URL and --ledger ADDRESS.")
    if (subject is None) == (file is None):
        raise InvalidInput("one thing is traced at a time", field="subject", fix="Give a subject or --file.")
    found = None
    if file is not None:
        from ledger.client.leaks import identify

        found = identify(file, salt=salt, names=kept, release=release)
    moment = seconds(read_time(at, field="at")) if at else None
    with progress(quiet=as_json) as report:
        result = traced(
            rpc,
            ledger,
            found.commitment if found else str(subject),
            from_block=from_block,
            access_logs=access_log or (),
            at=moment,
            found=found,
            report=report,
        )
    emit(result, as_json=as_json, render=lambda out: _tell_trace(out, result))
    if result["responsible"] is not None:
        raise typer.Exit(REFUSED)


@app.command()
def blame(
    version: Annotated[
        str, typer.Argument(help="Name of the version: the commitment to its content.", show_default=False)
    ],
    rpc: options.Rpc = None,
    ledger: options.Ledger = None,
    from_block: options.FromBlock = 0,
    as_json: options.Json = False,
) -> None:
    """Name the first step in a version's ancestry that went wrong, from the chain alone. Ends with 1 if there is one."""
    from cli.auditing import blamed

    if rpc is None or ledger is None:
        raise InvalidInput("this needs a node and a ledger", fix="Give --rpc URL and --ledger ADDRESS.")
    with progress(quiet=as_json) as report:
        result = blamed(rpc, ledger, version, from_block=from_block, report=report)
    emit(result, as_json=as_json, render=lambda out: out.print(f"{result['sentence']}.", markup=False))
    if result["member"] is not None:
        raise typer.Exit(REFUSED)


@app.command("was-permitted")
def was_permitted(
    passport: options.Passport,
    member: Annotated[int, typer.Argument(min=1, help="Number of the member.", show_default=False)],
    purpose: Annotated[str, typer.Option(help="For what.", show_default=False)],
    category: options.Categories,
    basis: Annotated[str, typer.Option(help="On what legal ground.")] = "CONSENT",
    at: Annotated[str | None, typer.Option(help="When: a date or a time; now without it.")] = None,
    operation: Annotated[str, typer.Option(help="READ or TRANSFER.")] = "READ",
    level: Annotated[str, typer.Option(help="Level of de-identification.")] = "IDENTIFIED",
    grant: Annotated[str | None, typer.Option(help="The grant; the best there was without it.")] = None,
    project: Annotated[int, typer.Option(min=0, help="Number of the project.")] = 0,
    emergency: Annotated[int, typer.Option(min=0, help="Number of the emergency.")] = 0,
    controller: Annotated[int, typer.Option(min=0, help="The member on whose behalf.")] = 0,
    first_day: Annotated[str | None, typer.Option("--from-day", help="First day of the data.")] = None,
    last_day: Annotated[str | None, typer.Option("--to-day", help="Last day of the data.")] = None,
    rpc: options.Rpc = None,
    ledger: options.Ledger = None,
    from_block: options.FromBlock = 0,
    as_json: options.Json = False,
) -> None:
    """
    Tell whether something was permitted at a time, under which grant and which version of the law.

    Needs no service and no database, as replay. What was recorded in that very second counts. Ends with 1 if not.
    """
    from cli.auditing import asked_about, permitted

    if rpc is None or ledger is None:
        raise InvalidInput("this needs a node and a ledger", fix="Give --rpc URL and --ledger ADDRESS.")
    question = asked_about(
        passport,
        member,
        purpose=purpose,
        basis=basis,
        operation=operation,
        categories=category,
        level=level,
        grant=grant,
        numbers=(project, emergency, controller),
        days=(first_day, last_day),
    )
    moment = seconds(read_time(at, field="at")) if at else None
    with progress(quiet=as_json) as report:
        result = permitted(rpc, ledger, question, moment, from_block=from_block, report=report)
    emit(result, as_json=as_json, render=lambda out: _answer(out, result))
    if not result["permitted"]:
        raise typer.Exit(REFUSED)


def _answer(out: Console, result: dict[str, Any]) -> None:
    out.print(
        f"{result['at']}: {'permitted' if result['permitted'] else 'not permitted'} ({result['outcome']}), "
        f"under version {result['policyVersion']} of the law",
        markup=False,
    )
    out.print(f"Consent: {result['grantId'] or 'none'}", markup=False)
    for reason in result["reasons"]:
        out.print(f"- {reason}", markup=False)


def _tell_trace(out: Console, result: dict[str, Any]) -> None:
    out.print(f"Trace of {result['subject']['words']}, up to block {result['toBlock']}", markup=False)
    for finding in result["unreliable"]:
        out.print(f"UNRELIABLE  {finding['rule']}: {finding['detail']}", markup=False)
    links = result["chain"][-_MOST_LINKS:]
    if len(links) < len(result["chain"]):
        out.print(f"The first {len(result['chain']) - len(links)} links are left out; --json has them all.")
    columns = ("when", "block and transaction", "what", "permitted", "under")
    out.print(table("Custody chain", columns, map(_row, links)))
    held = [
        (
            item["memberName"],
            item["reason"],
            rfc3339(item["since"]["time"]),
            "yes" if item["allowed"] else "no",
        )
        for item in result["holders"]
    ]
    out.print(
        table(f"Who has or had it, and may at {rfc3339(result['at'])}", ("who", "how", "since", "may"), held)
    )
    for item in result["violations"]:
        out.print(f"{item['gravity']}  {item['rule']}: {item['detail']}", markup=False)
    for item in result["gaps"]:
        out.print(f"note  {item['rule']}: {item['detail']}", markup=False)
    out.print(result["conclusion"], markup=False)


def _row(link: dict[str, Any]) -> tuple[str, str, str, str, str]:
    position = link["position"]
    where = f"{position['block']} {short(position['transaction'])}" if position else "access log"
    permitted = {True: "yes", False: "NO", None: "-"}[link["permitted"]]
    return rfc3339(link["time"]), where, link["sentence"], permitted, "; ".join(_under(link)) or "-"


def _under(link: dict[str, Any]) -> Iterator[str]:
    """Yield the right under which something was done."""
    if link["seq"] is not None:
        yield f"decision {short(link['passport'])}/{link['seq']}"
    if link["grant"]:
        yield f"consent {short(link['grant'])}"
    elif link["basis"]:
        yield str(link["basis"])
    if link["policyVersion"]:
        yield f"law {link['policyVersion']}"
    if link["project"]:
        yield f"project {link['project']}"
    if link["agreement"]:
        yield f"agreement {short(link['agreement'])}"
    if link["inclusions"]:
        yield f"decisions behind it: {link['inclusions']['count']}"


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
