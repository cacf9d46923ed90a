"""`passport emergency`: break the glass, review it, declare one for everybody, and see how often it happens."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.console import Console

from cli import options
from cli.access import any_client, member_client
from cli.commands.committee import Reason, tell_act
from cli.output import emit, facts, table
from cli.times import read_time
from ledger.client import PassportClient

app = typer.Typer(
    name="emergency", help="Emergencies: opened, reviewed, declared, and counted.", no_args_is_help=True
)

Emergency = Annotated[int, typer.Argument(min=1, help="Number of the emergency.", show_default=False)]
Member = Annotated[int, typer.Argument(min=1, help="Number of the member.", show_default=False)]


@app.command("open")
def open_emergency(
    passport: options.Passport,
    reason: Annotated[
        str,
        typer.Option(help="UNCONSCIOUS, LIFE_THREATENING, CANNOT_CONSENT, DANGER_TO_OTHERS or OTHER."),
    ],
    statement: Annotated[str, typer.Option(help="Why, in words; stays off the chain.")],
    sealed_until: Annotated[
        str | None,
        typer.Option(help="Until when the patient is told no more than that: a time, or a span such as 24h."),
    ] = None,
    sealing: Annotated[str, typer.Option(help="Why it is sealed; the patient reads it meanwhile.")] = "",
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    idempotency_key: options.IdempotencyKey = None,
    as_json: options.Json = False,
) -> None:
    """Break the glass for one record: for some hours, to be reviewed; the patient is told at once."""
    body: dict[str, Any] = {"passportId": passport, "reason": reason, "statement": statement}
    if sealed_until:
        body["sealedUntil"] = read_time(sealed_until, field="sealed-until")
    if sealing:
        body["sealing"] = sealing
    with member_client(url, key) as client:
        found = client.open_emergency(body, idempotency_key=idempotency_key)
    emit(found, as_json=as_json, render=lambda out: _tell(out, found))


@app.command()
def review(
    emergency: Emergency,
    opinion: Annotated[str, typer.Option(help="Your opinion; stays off the chain.")],
    justified: Annotated[bool, typer.Option("--justified/--unjustified", help="What you found.")],
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    idempotency_key: options.IdempotencyKey = None,
    as_json: options.Json = False,
) -> None:
    """Review an emergency, as an ethics body or a regulator that had no part in it."""
    with member_client(url, key) as client:
        found = client.review_emergency(
            emergency, justified=justified, opinion=opinion, idempotency_key=idempotency_key
        )
    emit(found, as_json=as_json, render=lambda out: _tell(out, found))


@app.command()
def declare(
    document: Annotated[str, typer.Option(help="The declaration in words; stays off the chain.")],
    purpose: options.Purposes,
    category: options.Categories,
    until: Annotated[str, typer.Option(help="Its end: a date, a time, or a span such as 30d.")],
    records: Annotated[int, typer.Option("--max-records", min=1, help="How many permits it is good for.")],
    reason: Reason,
    since: Annotated[str, typer.Option("--from", help="Its start.")] = "0s",
    jurisdiction: Annotated[
        int, typer.Option(min=0, max=999, help="ISO 3166-1 numeric code; 0 for everywhere.")
    ] = 0,
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    idempotency_key: options.IdempotencyKey = None,
    as_json: options.Json = False,
) -> None:
    """Propose to the committee to declare a public emergency."""
    body = {
        "purposes": purpose,
        "categories": category,
        "from": read_time(since, field="from"),
        "until": read_time(until, field="until"),
        "maxRecords": records,
        "jurisdiction": jurisdiction,
        "document": document,
        "reason": reason,
    }
    with member_client(url, key) as client:
        found = client.declare_emergency(body, idempotency_key=idempotency_key)
    emit(found, as_json=as_json, render=lambda out: _tell(out, found))


@app.command()
def end(
    emergency: Emergency,
    reason: Reason,
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    idempotency_key: options.IdempotencyKey = None,
    as_json: options.Json = False,
) -> None:
    """Propose to the committee to end a public emergency before its time."""
    with member_client(url, key) as client:
        found = client.end_emergency(emergency, reason, idempotency_key=idempotency_key)
    emit(found, as_json=as_json, render=lambda out: _tell(out, found))


@app.command("list")
def list_emergencies(
    passport: Annotated[str | None, typer.Option(help="Only of this passport.", show_default=False)] = None,
    kind: Annotated[
        str | None, typer.Option(help="Only INDIVIDUAL or only PUBLIC ones.", show_default=False)
    ] = None,
    overdue: Annotated[
        bool, typer.Option("--overdue", help="Only those whose review was due and is missing.")
    ] = False,
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    wallet: options.Wallet = None,
    custodian: options.Custodian = None,
    session: options.Session = None,
    as_json: options.Json = False,
) -> None:
    """List the emergencies that you may see, oldest first."""
    with any_client(url, key, wallet=wallet, custodian=custodian, session=session) as client:
        found = client.emergencies(passport, kind=kind, overdue=overdue)
    emit(found, as_json=as_json, render=lambda out: _tell_all(out, found))


@app.command()
def show(
    emergency: Emergency,
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    wallet: options.Wallet = None,
    custodian: options.Custodian = None,
    session: options.Session = None,
    as_json: options.Json = False,
) -> None:
    """Show one emergency."""
    with any_client(url, key, wallet=wallet, custodian=custodian, session=session) as client:
        found = client.emergency(emergency)
    emit(found, as_json=as_json, render=lambda out: out.print(facts(found["sentence"], found)))


@app.command()
def right(
    member: Member,
    restore: Annotated[bool, typer.Option("--restore", help="Propose to give it back (committee).")] = False,
    reason: Annotated[str, typer.Option(help="Why it is given back.")] = "",
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    session: options.Session = None,
    idempotency_key: options.IdempotencyKey = None,
    as_json: options.Json = False,
) -> None:
    """Show a member's right to emergencies, or propose to give it back."""
    if restore:
        with member_client(url, key) as client:
            found = client.restore_emergency_right(member, reason, idempotency_key=idempotency_key)
    else:
        with any_client(url, key, session=session) as client:
            found = client.emergency_right(member)
    emit(found, as_json=as_json, render=lambda out: tell_act(out, found, f"Member {member}"))


@app.command()
def ratio(url: options.Url = options.DEFAULT_URL, as_json: options.Json = False) -> None:
    """Show the share of emergencies in all decisions. For everybody."""
    with PassportClient(url) as client:
        found = client.emergency_ratio()
    columns = ("member", "decisions", "in an emergency", "opened", "justified", "not", "overdue")
    rows = [
        (
            item["name"],
            item["decisions"],
            f"{item['emergencyDecisions']} ({item['ratio']:.2%})",
            item["opened"],
            item["justified"],
            item["unjustified"],
            item["overdue"],
        )
        for item in (found["total"], *found["members"])
    ]
    emit(found, as_json=as_json, render=lambda out: out.print(table("Emergencies", columns, rows)))


def _tell(out: Console, found: dict[str, Any]) -> None:
    if "sentence" in found:
        out.print(f"Emergency {found['emergencyId']}: {found['sentence']}.", markup=False)
    else:
        tell_act(out, found, "Emergency")


def _tell_all(out: Console, found: list[dict[str, Any]]) -> None:
    if not found:
        out.print("There is none.")
    for item in found:
        _tell(out, item)
