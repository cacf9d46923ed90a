"""`passport policy`: the law, and what its versions changed."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markdown import Markdown

from cli import options
from cli.access import member_client
from cli.output import advise, emit, facts
from ledger.client import PassportClient
from ledger.errors import InvalidInput

app = typer.Typer(name="policy", help="The law that the ledger decides by.", no_args_is_help=True)


@app.command()
def show(
    version: Annotated[int | None, typer.Option(min=1, help="Another version than the one in force.")] = None,
    language: options.Language = options.PageLanguage.BOTH,
    url: options.Url = options.DEFAULT_URL,
    as_json: options.Json = False,
) -> None:
    """Show the law: what must hold for which purpose, on which basis, for which class of data."""
    with PassportClient(url) as client:
        if as_json:
            law = client.policy(version, language=language.asked)
            emit(law, as_json=True, render=lambda _: None)
            return
        page = client.policy_page(version, language=language.asked)
    emit(page, as_json=False, render=lambda out: _tell(out, page))


@app.command()
def changes(
    before: Annotated[int, typer.Argument(metavar="FROM", min=1, help="The version to compare with.")],
    after: Annotated[int, typer.Argument(metavar="TO", min=1, help="The version asked about.")],
    language: options.Language = options.PageLanguage.BOTH,
    url: options.Url = options.DEFAULT_URL,
    as_json: options.Json = False,
) -> None:
    """Show what a version of the law changed, entry by entry."""
    with PassportClient(url) as client:
        if as_json:
            emit(client.policy_changes(after, before), as_json=True, render=lambda _: None)
            return
        page = client.policy_changes_page(after, before, language=language.asked)
    emit(page, as_json=False, render=lambda out: _tell(out, page))


@app.command()
def propose(
    law: Annotated[
        Path, typer.Argument(help="The whole law, as `policy show --json` prints one.", show_default=False)
    ],
    reason: Annotated[str, typer.Option(help="Why; stays with the service, the chain holds a commitment.")],
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    idempotency_key: options.IdempotencyKey = None,
    as_json: options.Json = False,
) -> None:
    """Propose a new version of the law, as a member with a seat."""
    table = _law_in(law)
    with member_client(url, key) as client:
        found = client.set_policy(table, reason, idempotency_key=idempotency_key)
    emit(found, as_json=as_json, render=lambda out: _proposed(out, found))


def _law_in(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text())
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise InvalidInput(f"{path} is not JSON: {error}") from None
    if not isinstance(found, dict):
        raise InvalidInput(
            f"{path} is not a law", fix="Start from what `passport policy show --json` prints."
        )
    return found


def _proposed(out: Console, found: dict[str, Any]) -> None:
    if not advise(out, found):
        out.print(facts("Law", {"version": found["version"], "entries": len(found["entries"])}))


def _tell(out: Console, page: str) -> None:
    """Print a page: laid out on a terminal, as it is into a pipe or file."""
    if sys.stdout.isatty():
        out.print(Markdown(page))
    else:
        out.out(page, end="", highlight=False)
