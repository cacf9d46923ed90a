"""`passport dataset`: declare datasets, fill them with those who consent, excuse withdrawals, seal."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console

from cli import options
from cli.access import any_client, member_client
from cli.cohort import read_cohort, refusals_to, tell_answers
from cli.output import REFUSED, emit, facts, note, table
from cli.progress import progress
from cli.times import read_time

app = typer.Typer(name="dataset", help="Datasets: declared, filled by consent, sealed.", no_args_is_help=True)

#: Bytes of an idempotency key that the command makes.
_KEY_BYTES: Final = 8

Dataset = Annotated[int, typer.Argument(min=1, help="Number of the dataset.", show_default=False)]


@app.command()
def declare(
    title: Annotated[str, typer.Argument(help="What it is; stays off the chain.", show_default=False)],
    purpose: options.Purposes,
    category: options.Categories,
    retain_until: Annotated[
        str, typer.Option(help="When it must be destroyed: a date, a time, or a span such as 5y.")
    ],
    source: Annotated[str, typer.Option(help="Where the data is from.")],
    method: Annotated[str, typer.Option(help="How it is collected.")],
    standard: Annotated[str, typer.Option(help="By what standard it is de-identified.")],
    storage: Annotated[str, typer.Option(help="Where and how it is stored.")],
    budget: Annotated[
        int, typer.Option(min=0, help="Privacy budget in millionths of epsilon; 0 keeps none.")
    ] = 0,
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    idempotency_key: options.IdempotencyKey = None,
    as_json: options.Json = False,
) -> None:
    """Declare a dataset of your institution's, before anything is in it."""
    body = {
        "purposes": purpose,
        "categories": category,
        "retainUntil": read_time(retain_until, field="retain-until"),
        "budget": budget,
        "description": {
            "title": title,
            "source": source,
            "method": method,
            "standard": standard,
            "storage": storage,
        },
    }
    with member_client(url, key) as client:
        found = client.declare_dataset(body, idempotency_key=idempotency_key)
    emit(found, as_json=as_json, render=lambda out: _tell(out, found))


@app.command()
def include(
    dataset: Dataset,
    purpose: Annotated[str, typer.Option(help="What for.")],
    target: Annotated[
        list[str] | None,
        typer.Option(help="Whom: PASSPORT or PASSPORT:GRANT; repeat for more.", show_default=False),
    ] = None,
    targets: Annotated[
        Path | None,
        typer.Option(help="A file with a passport and a grant in each line.", show_default=False),
    ] = None,
    only_new: Annotated[bool, typer.Option(help="Leave out who is in it already.")] = False,
    refusals: Annotated[
        Path | None,
        typer.Option(help="Write who was refused, and why, to this CSV file.", show_default=False),
    ] = None,
    level: Annotated[str, typer.Option(help="How far de-identified the data is to be.")] = "IDENTIFIED",
    category: Annotated[
        list[str] | None,
        typer.Option(help="A category of data; left out, all that the dataset is for.", show_default=False),
    ] = None,
    basis: Annotated[str, typer.Option(help="On what legal ground.")] = "CONSENT",
    project: Annotated[int, typer.Option(min=0, help="The project of yours that covers it.")] = 0,
    controller: Annotated[int, typer.Option(min=0, help="The member on whose behalf you ask.")] = 0,
    statement: Annotated[str, typer.Option(help="Your own words; they stay off the chain.")] = "",
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    idempotency_key: options.IdempotencyKey = None,
    as_json: options.Json = False,
) -> None:
    """
    Ask to include people, as many as you like. Ends with 0 if all were, and with 1 if one was refused.

    Each answer is on record. Whatever stops it, the same command with the same --idempotency-key goes on from there.
    """
    wanted = read_cohort(target or [], targets)
    asked: dict[str, Any] = {
        "purpose": purpose,
        "level": level,
        "basis": basis,
        "projectId": project,
        "controllerId": controller,
        "statement": statement,
    }
    if category:
        asked["categories"] = category
    name = idempotency_key or secrets.token_hex(_KEY_BYTES)
    found: list[dict[str, Any]] = []
    with member_client(url, key) as client, refusals_to(refusals) as keep, progress(quiet=as_json) as report:
        if only_new:
            inside = {item["passportId"] for item in client.inclusions(dataset) if not item["withdrawnAt"]}
            wanted = [item for item in wanted if item["passportId"] not in inside]
        try:
            for answers in client.include_all(dataset, asked, wanted, idempotency_key=name):
                keep(answers)
                found += answers
                report("asking to include", len(found), len(wanted))
        finally:
            if len(found) < len(wanted):
                note(
                    f"{len(found)} of {len(wanted)} were answered: the same command with --idempotency-key {name} goes on."
                )
    emit(found, as_json=as_json, render=lambda out: tell_answers(out, dataset, found))
    if any(item["outcome"] != "PERMIT" for item in found):
        raise typer.Exit(REFUSED)


@app.command("list")
def list_datasets(
    owner: Annotated[int | None, typer.Option(min=1, help="Only of this member.", show_default=False)] = None,
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    session: options.Session = None,
    as_json: options.Json = False,
) -> None:
    """List datasets, oldest first."""
    with any_client(url, key, session=session) as client:
        found = client.datasets(owner=owner)
    columns = ("no.", "title", "owner", "status", "included", "withdrawn", "excused")
    rows = [
        (
            item["datasetId"],
            (item["description"] or {}).get("title"),
            item["owner"]["name"],
            item["said"],
            item["included"],
            item["withdrawals"],
            item["excused"],
        )
        for item in found
    ]
    emit(found, as_json=as_json, render=lambda out: out.print(table("Datasets", columns, rows)))


@app.command()
def show(
    dataset: Dataset,
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    session: options.Session = None,
    as_json: options.Json = False,
) -> None:
    """Show one dataset."""
    with any_client(url, key, session=session) as client:
        found = client.dataset(dataset)
    emit(found, as_json=as_json, render=lambda out: out.print(facts(f"Dataset {dataset}", found)))


@app.command()
def inclusions(
    dataset: Dataset,
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    session: options.Session = None,
    as_json: options.Json = False,
) -> None:
    """List who is in a dataset, as its owner or an auditor."""
    with any_client(url, key, session=session) as client:
        found = client.inclusions(dataset)
    columns = ("passport", "no.", "consent", "withdrawn", "included")
    rows = [
        (
            item["passportId"],
            item["seq"],
            item["restsOn"],
            item["withdrawnAt"],
            item["position"]["time"],
        )
        for item in found
    ]
    emit(found, as_json=as_json, render=lambda out: out.print(table("Inclusions", columns, rows)))


@app.command()
def excuse(
    dataset: Dataset,
    withdrawals: Annotated[
        int,
        typer.Option(
            min=1, help="How many you mean: all there are, so that a late one is not excused unseen."
        ),
    ],
    opinion: Annotated[str, typer.Option(help="Your opinion; stays off the chain.")],
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    idempotency_key: options.IdempotencyKey = None,
    as_json: options.Json = False,
) -> None:
    """Excuse the withdrawals so far, as an ethics body."""
    with member_client(url, key) as client:
        found = client.excuse_withdrawals(dataset, withdrawals, opinion, idempotency_key=idempotency_key)
    emit(found, as_json=as_json, render=lambda out: _tell(out, found))


@app.command()
def seal(
    dataset: Dataset,
    reason: Annotated[str, typer.Option(help="Why; stays off the chain.")],
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    idempotency_key: options.IdempotencyKey = None,
    as_json: options.Json = False,
) -> None:
    """Seal a dataset, as its owner or a regulator: nothing is done with it but its destruction."""
    with member_client(url, key) as client:
        found = client.seal_dataset(dataset, reason, idempotency_key=idempotency_key)
    emit(found, as_json=as_json, render=lambda out: _tell(out, found))


@app.command()
def unseal(
    dataset: Dataset,
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    idempotency_key: options.IdempotencyKey = None,
    as_json: options.Json = False,
) -> None:
    """Open a sealed dataset again, as a regulator."""
    with member_client(url, key) as client:
        found = client.unseal_dataset(dataset, idempotency_key=idempotency_key)
    emit(found, as_json=as_json, render=lambda out: _tell(out, found))


def _tell(out: Console, found: dict[str, Any]) -> None:
    out.print(
        f"Dataset {found['datasetId']} of {found['owner']['name']} is {found['said']}: {found['included']} included, "
        f"{found['withdrawals']} withdrawn, {found['excused']} excused.",
        markup=False,
    )
