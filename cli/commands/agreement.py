"""`passport agreement`: what two members agree on about data that one gives the other."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from cli import options
from cli.access import member_client
from cli.output import emit, facts, table
from cli.times import read_span, read_time

app = typer.Typer(
    name="agreement",
    help="Agreements with other members: proposed, signed by both, ended.",
    no_args_is_help=True,
)

Number = Annotated[int, typer.Argument(min=1, help="Number of the agreement.", show_default=False)]


@app.command()
def propose(
    recipient: Annotated[int, typer.Argument(min=1, help="Member that receives.", show_default=False)],
    purpose: options.Purposes,
    category: options.Categories,
    until: Annotated[str, typer.Option(help="Its end: a date, a time, or a span such as 1y.")],
    retention: Annotated[
        str, typer.Option(help="How long the recipient may keep what it received, such as 365d.")
    ],
    text: Annotated[Path, typer.Option(help="File with the text; stays off the chain.", show_default=False)],
    response_hours: Annotated[
        int, typer.Option(min=0, help="Within how many hours the recipient reports an incident.")
    ] = 0,
    onward: Annotated[bool, typer.Option("--onward", help="The recipient may pass it on.")] = False,
    linkage: Annotated[
        bool, typer.Option("--linkage", help="The recipient may merge it with other data.")
    ] = False,
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    idempotency_key: options.IdempotencyKey = None,
    as_json: options.Json = False,
) -> None:
    """Propose an agreement under which your institution will give data, and so sign it."""
    body = {
        "recipient": recipient,
        "purposes": purpose,
        "categories": category,
        "validTo": read_time(until, field="until"),
        "retentionSeconds": read_span(retention, field="retention"),
        "responseHours": response_hours,
        "onward": onward,
        "linkage": linkage,
        "text": text.read_text(),
    }
    with member_client(url, key) as client:
        found = client.propose_agreement(body, idempotency_key=idempotency_key)
    _tell(found, as_json=as_json)


@app.command()
def sign(
    agreement: Number,
    commitment: Annotated[
        str,
        typer.Option(
            help="The commitment to the text that you read, as `agreement show` tells it.", show_default=False
        ),
    ],
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    idempotency_key: options.IdempotencyKey = None,
    as_json: options.Json = False,
) -> None:
    """Sign what was proposed to your institution."""
    with member_client(url, key) as client:
        found = client.sign_agreement(agreement, commitment, idempotency_key=idempotency_key)
    _tell(found, as_json=as_json)


@app.command()
def end(
    agreement: Number,
    reason: Annotated[str, typer.Option(help="Why; stays off the chain.")],
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    idempotency_key: options.IdempotencyKey = None,
    as_json: options.Json = False,
) -> None:
    """End an agreement of your institution's, or decline what was proposed."""
    with member_client(url, key) as client:
        found = client.end_agreement(agreement, reason, idempotency_key=idempotency_key)
    _tell(found, as_json=as_json)


@app.command()
def show(
    agreement: Number,
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    as_json: options.Json = False,
) -> None:
    """Show an agreement; with its text if your institution is one of its sides."""
    with member_client(url, key) as client:
        found = client.agreement(agreement)
    _tell(found, as_json=as_json)


@app.command("list")
def list_agreements(
    member: Annotated[
        int | None, typer.Option(min=1, help="Only those of a member.", show_default=False)
    ] = None,
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    as_json: options.Json = False,
) -> None:
    """List agreements, oldest first."""
    with member_client(url, key) as client:
        found = client.agreements(member_id=member)
    columns = ("agreement", "from", "to", "purposes", "until", "status", "in force")
    rows = [
        (
            item["agreementId"],
            item["provider"],
            item["recipient"],
            item["purposes"],
            item["validTo"],
            item["status"],
            item["inForce"],
        )
        for item in found
    ]
    emit(found, as_json=as_json, render=lambda out: out.print(table("Agreements", columns, rows)))


def _tell(found: dict[str, Any], *, as_json: bool) -> None:
    title = f"Agreement {found.get('agreementId', '')}"
    emit(found, as_json=as_json, render=lambda out: out.print(facts(title, found)))
