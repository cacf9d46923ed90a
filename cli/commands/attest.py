"""`passport attest`: state something of a passport, a project, a version or a tool, take it back, and see it."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.console import Console

from cli import options
from cli.access import any_client, member_client
from cli.output import emit, table
from cli.times import read_time
from ledger.errors import InvalidInput

app = typer.Typer(
    name="attest",
    help="Statements of verifiers, custodians, regulators and the alliance.",
    no_args_is_help=True,
)

Kind = Annotated[
    str,
    typer.Argument(help="ENCRYPTION, DEIDENTIFICATION, SOURCE, LICENCE or TOOL.", show_default=False),
]
PassportSubject = Annotated[
    str | None,
    typer.Option("--passport", help="The passport that it is about.", show_default=False),
]
ProjectSubject = Annotated[
    int | None,
    typer.Option("--project", min=1, help="The project that it is about.", show_default=False),
]
VersionSubject = Annotated[
    str | None, typer.Option("--version", help="The version that it is about.", show_default=False)
]
ToolSubject = Annotated[
    str | None, typer.Option("--tool", help="The digest of the tool that it is about.", show_default=False)
]


@app.command()
def state(
    kind: Kind,
    until: Annotated[str, typer.Option(help="Its end: a date, a time, or a span such as 1y.")],
    statement: Annotated[str, typer.Option(help="The statement in words; stays off the chain.")],
    passport: PassportSubject = None,
    project: ProjectSubject = None,
    version: VersionSubject = None,
    tool: ToolSubject = None,
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    idempotency_key: options.IdempotencyKey = None,
    as_json: options.Json = False,
) -> None:
    """State something, if your institution is qualified to."""
    about = _about(passport, project, version, tool)
    body = {"kind": kind, **about, "validTo": read_time(until, field="until"), "statement": statement}
    with member_client(url, key) as client:
        found = client.attest(body, idempotency_key=idempotency_key)
    emit(found, as_json=as_json, render=lambda out: _tell(out, found))


@app.command()
def withdraw(
    kind: Kind,
    passport: PassportSubject = None,
    project: ProjectSubject = None,
    version: VersionSubject = None,
    tool: ToolSubject = None,
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    idempotency_key: options.IdempotencyKey = None,
    as_json: options.Json = False,
) -> None:
    """Take back what your institution stated."""
    body = {"kind": kind, **_about(passport, project, version, tool), "withdraw": True}
    with member_client(url, key) as client:
        found = client.attest(body, idempotency_key=idempotency_key)
    emit(found, as_json=as_json, render=lambda out: _tell(out, found))


@app.command("list")
def list_attestations(
    passport: PassportSubject = None,
    project: ProjectSubject = None,
    version: VersionSubject = None,
    tool: ToolSubject = None,
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    wallet: options.Wallet = None,
    custodian: options.Custodian = None,
    session: options.Session = None,
    as_json: options.Json = False,
) -> None:
    """List the latest statements about a passport, a project, a version or a tool."""
    _about(passport, project, version, tool)
    with any_client(url, key, wallet=wallet, custodian=custodian, session=session) as client:
        found = client.attestations(passport_id=passport, project_id=project, version_id=version, tool=tool)
    emit(found, as_json=as_json, render=lambda out: _tell(out, found))


def _about(
    passport: str | None, project: int | None, version: str | None, tool: str | None
) -> dict[str, Any]:
    given = {"passportId": passport, "projectId": project, "versionId": version, "tool": tool}
    subject = {name: value for name, value in given.items() if value is not None}
    if len(subject) != 1:
        raise InvalidInput(
            "a statement is about one passport, project, version or tool",
            field="passport",
            fix="Give one of --passport, --project, --version and --tool.",
        )
    return subject


def _tell(out: Console, found: list[dict[str, Any]]) -> None:
    rows = [
        (item["kind"], item["says"], item["issuerName"], item["validTo"] or "taken back", item["inForce"])
        for item in found
    ]
    out.print(table("Statements", ("kind", "says", "stated by", "until", "in force"), rows))
