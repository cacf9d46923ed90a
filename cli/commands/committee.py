"""`passport committee`: who sits on it, what its acts need, and acts proposed, approved and done."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.console import Console

from cli import options
from cli.access import any_client, member_client
from cli.output import advise, emit, facts, table
from ledger.audit.law import DIRECTIONS
from ledger.domain.vocabulary import Label

app = typer.Typer(
    name="committee", help="The committee: seats, rules, and what it decides.", no_args_is_help=True
)

Act = Annotated[int, typer.Argument(min=1, help="Number of the act.", show_default=False)]
Reason = Annotated[str, typer.Option(help="Why; stays with the service, the chain holds a commitment.")]


@app.command()
def show(
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    session: options.Session = None,
    as_json: options.Json = False,
) -> None:
    """Show who sits on the committee, and what its acts need."""
    with any_client(url, key, session=session) as client:
        committee = client.committee()
    emit(committee, as_json=as_json, render=lambda out: _told(out, committee))


@app.command()
def acts(
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    session: options.Session = None,
    as_json: options.Json = False,
) -> None:
    """List the acts, oldest first."""
    with any_client(url, key, session=session) as client:
        found = client.acts()
    columns = ("act", "about", "what", "approved by members", "status")
    rows = [
        (item["actId"], item["kind"], item["function"], item["approvers"], item["status"]) for item in found
    ]
    emit(found, as_json=as_json, render=lambda out: out.print(table("Acts", columns, rows)))


@app.command("act")
def show_act(
    act: Act,
    language: options.Language = options.PageLanguage.BOTH,
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    session: options.Session = None,
    as_json: options.Json = False,
) -> None:
    """Show one act: what is to be done, what it changes of the law, how far it has come, and what to do next."""
    with any_client(url, key, session=session) as client:
        found = client.act(act)
    emit(found, as_json=as_json, render=lambda out: _acted(out, found, language))


@app.command()
def approve(
    act: Act,
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    idempotency_key: options.IdempotencyKey = None,
    as_json: options.Json = False,
) -> None:
    """Approve an act, as a member with a seat."""
    with member_client(url, key) as client:
        found = client.approve_act(act, idempotency_key=idempotency_key)
    emit(found, as_json=as_json, render=lambda out: _acted(out, found))


@app.command()
def execute(
    act: Act,
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    idempotency_key: options.IdempotencyKey = None,
    as_json: options.Json = False,
) -> None:
    """Do an act that was approved and has waited long enough. Any member may."""
    with member_client(url, key) as client:
        found = client.execute_act(act, idempotency_key=idempotency_key)
    emit(found, as_json=as_json, render=lambda out: _acted(out, found))


@app.command()
def seat(
    member: Annotated[int, typer.Argument(min=1, help="Number of the member.", show_default=False)],
    kind: Annotated[str, typer.Argument(help="LAW, MEDICINE, PATIENTS, ...; NONE takes the seat.")],
    reason: Reason,
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    idempotency_key: options.IdempotencyKey = None,
    as_json: options.Json = False,
) -> None:
    """Propose to seat a member, or to take its seat."""
    body = {"memberId": member, "kind": kind, "reason": reason}
    with member_client(url, key) as client:
        found = client.set_seat(body, idempotency_key=idempotency_key)
    emit(found, as_json=as_json, render=lambda out: _proposed(out, found))


@app.command()
def rule(
    kind: Annotated[str, typer.Argument(help="SEATS, MEMBERS, LAW, EMERGENCIES or DATA.")],
    quorum: Annotated[int, typer.Option(min=1, help="How many seats must approve.")],
    reason: Reason,
    seats: Annotated[
        list[str] | None, typer.Option("--seat", help="A kind of seat that must be among them; repeat.")
    ] = None,
    delay: Annotated[int, typer.Option(min=0, help="Seconds that an approved act waits.")] = 0,
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    idempotency_key: options.IdempotencyKey = None,
    as_json: options.Json = False,
) -> None:
    """Propose what acts of a kind need from now on."""
    body = {"kind": kind, "quorum": quorum, "seats": seats or [], "delaySeconds": delay, "reason": reason}
    with member_client(url, key) as client:
        found = client.set_rule(body, idempotency_key=idempotency_key)
    emit(found, as_json=as_json, render=lambda out: _proposed(out, found))


@app.command()
def unseal(
    passport: options.Passport,
    reason: Reason,
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    idempotency_key: options.IdempotencyKey = None,
    as_json: options.Json = False,
) -> None:
    """Propose to open sealed data again."""
    with member_client(url, key) as client:
        found = client.unseal(passport, reason, idempotency_key=idempotency_key)
    emit(found, as_json=as_json, render=lambda out: tell_act(out, found, "Passport"))


def tell_act(out: Console, found: dict[str, Any], title: str) -> None:
    """Print what an act of the committee brought about, or that it waits for the other seats."""
    if not advise(out, found):
        out.print(facts(title, found))


def _proposed(out: Console, found: dict[str, Any]) -> None:
    if not advise(out, found):
        _told(out, found)


def _acted(
    out: Console, found: dict[str, Any], language: options.PageLanguage = options.PageLanguage.BOTH
) -> None:
    """Print an act; a law as what it changes, not as a table of numbers."""
    changes = found["changes"]
    left_out = {"changes"} if changes is None else {"changes", "arguments", "call"}
    fields = {name: value for name, value in found.items() if name not in left_out}
    out.print(facts(f"Act {found['actId']}", fields))
    if changes is not None:
        _tell_changes(out, changes, language)
    out.print(found["advice"], markup=False)


def _tell_changes(out: Console, changes: list[dict[str, Any]], language: options.PageLanguage) -> None:
    """Print what a law would change of the one in force."""
    out.print("Compared with the law in force now:")
    if not changes:
        out.print("- nothing: it says the same")
    for heading, stricter in DIRECTIONS:
        alike = [change for change in changes if change["stricter"] is stricter]
        if alike:
            out.print(language.say(heading))
        for change in alike:
            said = language.say(Label(change["en"], change["zh"]))
            out.print(f"- {said} ({', '.join(change['requirements'])})", markup=False)


def _told(out: Console, committee: dict[str, Any]) -> None:
    seats = [(item["memberId"], item["memberName"], item["kind"]) for item in committee["seats"]]
    rules = [
        (item["kind"], item["quorum"], item["seats"], item["delaySeconds"]) for item in committee["rules"]
    ]
    out.print(table("Seats", ("member", "name", "kind"), seats))
    out.print(table("What acts need", ("about", "seats", "among them", "wait in seconds"), rules))
