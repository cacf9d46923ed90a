"""`passport border`: what clears data for a border, who may receive it, and how many persons' data has left."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.console import Console

from cli import options
from cli.access import any_client, member_client
from cli.output import advise, emit, facts, table
from cli.times import read_time

app = typer.Typer(
    name="border",
    help="Data that crosses borders: who may receive it, what clears it, who is counted.",
    no_args_is_help=True,
)

Member = Annotated[int, typer.Argument(min=1, help="Number of the member.", show_default=False)]
Number = Annotated[int, typer.Argument(min=1, help="Number of the clearance.", show_default=False)]
Reason = Annotated[str, typer.Option(help="Why; stays off the chain.")]


@app.command()
def access(
    member: Member,
    until: Annotated[
        str | None,
        typer.Option(help="Its end: a date, a time, or a span such as 1y.", show_default=False),
    ] = None,
    remove: Annotated[bool, typer.Option("--remove", help="Take the member off the list.")] = False,
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    idempotency_key: options.IdempotencyKey = None,
    as_json: options.Json = False,
) -> None:
    """Show until when a member may receive data from abroad; a regulator sets it with --until, or ends it with --remove."""
    with member_client(url, key) as client:
        if until or remove:
            valid_to = read_time(until, field="until") if until and not remove else None
            found = client.set_border_access(member, valid_to, idempotency_key=idempotency_key)
        else:
            found = client.border_access(member)
    emit(found, as_json=as_json, render=lambda out: out.print(facts(f"Member {member}", found)))


@app.command()
def clear(
    project: Annotated[int, typer.Argument(min=1, help="Number of the project.", show_default=False)],
    exporter: Annotated[int, typer.Option(min=1, help="Member that keeps the data.")],
    path: Annotated[str, typer.Option(help="ASSESSMENT, CONTRACT or CERTIFICATION.")],
    until: Annotated[str, typer.Option(help="Its end: a date, a time, or a span such as 2y.")],
    persons: Annotated[int, typer.Option(min=1, help="How many persons it is good for.")],
    filing: Annotated[str, typer.Option(help="What was filed, in words; stays off the chain.")],
    agreement: Annotated[
        int, typer.Option(min=0, help="The standard contract of the path CONTRACT.", show_default=False)
    ] = 0,
    since: Annotated[str, typer.Option("--from", help="Its start.")] = "0s",
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    idempotency_key: options.IdempotencyKey = None,
    as_json: options.Json = False,
) -> None:
    """Clear an exporter's data for a project: as a regulator, or by CERTIFICATION as a verifier, of its jurisdiction."""
    body = {
        "projectId": project,
        "exporter": exporter,
        "path": path,
        "agreement": agreement,
        "validFrom": read_time(since, field="from"),
        "validTo": read_time(until, field="until"),
        "maxPersons": persons,
        "filing": filing,
    }
    with member_client(url, key) as client:
        found = client.clear(body, idempotency_key=idempotency_key)
    _tell(found, as_json=as_json)


@app.command()
def withdraw(
    clearance: Number,
    reason: Reason,
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    idempotency_key: options.IdempotencyKey = None,
    as_json: options.Json = False,
) -> None:
    """Take a clearance back."""
    with member_client(url, key) as client:
        found = client.withdraw_clearance(clearance, reason, idempotency_key=idempotency_key)
    _tell(found, as_json=as_json)


@app.command()
def show(
    clearance: Number,
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    as_json: options.Json = False,
) -> None:
    """Show a clearance, and how many persons have crossed under it."""
    with member_client(url, key) as client:
        found = client.clearance(clearance)
    _tell(found, as_json=as_json)


@app.command("list")
def list_clearances(
    project: Annotated[
        int | None, typer.Option(min=1, help="Only those for a project.", show_default=False)
    ] = None,
    exporter: Annotated[
        int | None, typer.Option(min=1, help="Only those of an exporter.", show_default=False)
    ] = None,
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    as_json: options.Json = False,
) -> None:
    """List clearances, oldest first."""
    with member_client(url, key) as client:
        found = client.clearances(project_id=project, exporter=exporter)
    columns = ("clearance", "project", "exporter", "path", "until", "persons", "in force")
    rows = [
        (
            item["clearanceId"],
            item["projectId"],
            item["exporter"],
            item["path"],
            item["validTo"],
            f"{item['persons']} of {item['maxPersons']}",
            item["inForce"],
        )
        for item in found
    ]
    emit(found, as_json=as_json, render=lambda out: out.print(table("Clearances", columns, rows)))


@app.command()
def exports(
    member: Member,
    year: Annotated[
        int | None,
        typer.Option(min=1970, help="A calendar year in UTC+8; this one if left out.", show_default=False),
    ] = None,
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    as_json: options.Json = False,
) -> None:
    """Show how many persons' data a member has exported in a calendar year, beside the thresholds."""
    with member_client(url, key) as client:
        found = client.exports(member, year)
    emit(found, as_json=as_json, render=lambda out: out.print(facts(f"Member {member}", found)))


@app.command()
def thresholds(
    persons: Annotated[
        int | None, typer.Option(min=1, help="Whatever of them is exported.", show_default=False)
    ] = None,
    sensitive: Annotated[
        int | None,
        typer.Option(min=1, help="Of whom data of class 1 or 2 is exported.", show_default=False),
    ] = None,
    reason: Annotated[str, typer.Option(help="Why; stays off the chain.", show_default=False)] = "",
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    session: options.Session = None,
    idempotency_key: options.IdempotencyKey = None,
    as_json: options.Json = False,
) -> None:
    """Show from how many persons in a year on only an assessment clears; a seat proposes others with both options."""
    if persons is None and sensitive is None:
        with any_client(url, key, session=session) as client:
            found = client.thresholds()
    else:
        body = {"persons": persons, "sensitivePersons": sensitive, "reason": reason}
        with member_client(url, key) as client:
            found = client.set_thresholds(body, idempotency_key=idempotency_key)
    emit(found, as_json=as_json, render=lambda out: _told(out, found))


def _told(out: Console, found: dict[str, Any]) -> None:
    if not advise(out, found):
        out.print(facts("Thresholds", found))


def _tell(found: dict[str, Any], *, as_json: bool) -> None:
    title = f"Clearance {found.get('clearanceId', '')}"
    emit(found, as_json=as_json, render=lambda out: out.print(facts(title, found)))
