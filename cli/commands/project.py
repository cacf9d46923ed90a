"""`passport project`: undertakings on file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from cli import options
from cli.access import any_client, member_client
from cli.output import emit, facts, table
from cli.times import read_time

app = typer.Typer(
    name="project", help="What your institution undertakes with data, on file.", no_args_is_help=True
)


@app.command("file")
def file_project(
    title: Annotated[str, typer.Argument(help="What it is; stays off the chain.", show_default=False)],
    purpose: options.Purposes,
    category: options.Categories,
    until: Annotated[str, typer.Option(help="Its end: a date, a time, or a span such as 1y.")],
    since: Annotated[str, typer.Option("--from", help="Its start.")] = "0s",
    technique: Annotated[
        list[str] | None, typer.Option(help="A privacy-enhancing technique it uses; repeat for more.")
    ] = None,
    highest_class: Annotated[
        str, typer.Option(help="The most sensitive class of data it touches.")
    ] = "SENSITIVE",
    agreement: Annotated[
        Path | None, typer.Option(help="File with the agreement that states its limits.", show_default=False)
    ] = None,
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    idempotency_key: options.IdempotencyKey = None,
    as_json: options.Json = False,
) -> None:
    """File a project."""
    filing: dict[str, Any] = {
        "title": title,
        "purposes": purpose,
        "categories": category,
        "techniques": technique or [],
        "highestClass": highest_class,
        "validFrom": read_time(since, field="from"),
        "validTo": read_time(until, field="until"),
    }
    if agreement:
        filing["agreement"] = agreement.read_text()
    with member_client(url, key) as client:
        project = client.file_project(filing, idempotency_key=idempotency_key)
    emit(
        project,
        as_json=as_json,
        render=lambda out: out.print(facts(f"Project {project['projectId']}", project)),
    )


@app.command("list")
def list_projects(
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    session: options.Session = None,
    as_json: options.Json = False,
) -> None:
    """List the projects on file."""
    with any_client(url, key, session=session) as client:
        projects = client.projects()
    columns = ("project", "member", "purposes", "categories", "techniques", "until", "withdrawn")
    rows = [
        (
            item["projectId"],
            item["memberId"],
            item["purposes"],
            item["categories"],
            item["techniques"],
            item["validTo"],
            item["withdrawn"],
        )
        for item in projects
    ]
    emit(projects, as_json=as_json, render=lambda out: out.print(table("Projects", columns, rows)))


@app.command()
def review(
    project: Annotated[int, typer.Argument(min=1, help="Number of the project.", show_default=False)],
    approval: Annotated[str, typer.Option("--as", help="ETHICS or COMPLIANCE.")],
    opinion: Annotated[str, typer.Option(help="The opinion; stays off the chain.")],
    withdraw: Annotated[bool, typer.Option("--withdraw", help="Take back what you approved.")] = False,
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    idempotency_key: options.IdempotencyKey = None,
    as_json: options.Json = False,
) -> None:
    """Approve a project, as an ethics or a compliance body other than the one that filed it."""
    answer = {"approval": approval, "approved": not withdraw, "opinion": opinion}
    with member_client(url, key) as client:
        found = client.review_project(project, answer, idempotency_key=idempotency_key)
    emit(found, as_json=as_json, render=lambda out: out.print(facts(f"Project {project}", found)))


@app.command()
def withdraw(
    project: Annotated[int, typer.Argument(min=1, help="Number of the project.", show_default=False)],
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    idempotency_key: options.IdempotencyKey = None,
    as_json: options.Json = False,
) -> None:
    """Withdraw a project: it justifies nothing any more."""
    with member_client(url, key) as client:
        found = client.withdraw_project(project, idempotency_key=idempotency_key)
    emit(found, as_json=as_json, render=lambda out: out.print(facts(f"Project {project}", found)))
