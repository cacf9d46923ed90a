"""`passport template`: what consents may contain, and the notice that goes with each."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from cli import options
from cli.access import any_client, member_client
from cli.output import advise, emit, facts, table
from cli.times import read_span

app = typer.Typer(
    name="template", help="Templates: what a consent may contain at most.", no_args_is_help=True
)

Number = Annotated[int, typer.Argument(min=1, help="Number of the template.", show_default=False)]
Reason = Annotated[str, typer.Option(help="Why; stays with the service, the chain holds a commitment.")]


@app.command("list")
def list_templates(url: options.Url = options.DEFAULT_URL, as_json: options.Json = False) -> None:
    """List the templates in the order of issue."""
    with any_client(url, None) as client:
        found = client.templates()
    columns = ("template", "purposes", "categories", "recipients", "longest, in days", "in force")
    rows = [
        (
            item["template"],
            item["purposes"],
            item["categories"],
            item["recipientKinds"],
            item["maxSeconds"] // 86_400,
            "no" if item["withdrawn"] else "yes",
        )
        for item in found
    ]
    emit(found, as_json=as_json, render=lambda out: out.print(table("Templates", columns, rows)))


@app.command()
def show(template: Number, url: options.Url = options.DEFAULT_URL, as_json: options.Json = False) -> None:
    """Show a template with its notice."""
    with any_client(url, None) as client:
        found = client.template(template)
    emit(found, as_json=as_json, render=lambda out: out.print(facts(f"Template {template}", found)))


@app.command()
def issue(
    purpose: options.Purposes,
    category: options.Categories,
    kind: Annotated[
        list[str],
        typer.Option(
            "--to-all", help="A kind of members that may be given consent; repeat.", show_default=False
        ),
    ],
    longest: Annotated[str, typer.Option(help="Longest use period, such as 365d.", show_default=False)],
    notice: Annotated[
        Path, typer.Option(help="A file with the notice that people read.", show_default=False)
    ],
    reason: Reason,
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    idempotency_key: options.IdempotencyKey = None,
    as_json: options.Json = False,
) -> None:
    """Propose a template, as a member with a seat on the committee."""
    body = {
        "purposes": purpose,
        "categories": category,
        "recipientKinds": kind,
        "maxSeconds": read_span(longest, field="longest"),
        "notice": notice.read_text(),
        "reason": reason,
    }
    with member_client(url, key) as client:
        found = client.issue_template(body, idempotency_key=idempotency_key)
    emit(found, as_json=as_json, render=lambda out: _proposed(out, found))


@app.command()
def withdraw(
    template: Number,
    reason: Reason,
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    idempotency_key: options.IdempotencyKey = None,
    as_json: options.Json = False,
) -> None:
    """Propose to withdraw a template: consents under it stay, no new one can use it."""
    with member_client(url, key) as client:
        found = client.withdraw_template(template, reason, idempotency_key=idempotency_key)
    emit(found, as_json=as_json, render=lambda out: _proposed(out, found))


def _proposed(out: Console, found: dict[str, Any]) -> None:
    if not advise(out, found):
        out.print(facts(f"Template {found['template']}", found))
