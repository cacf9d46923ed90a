"""`passport policy`: the law, and what its versions changed."""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import Annotated

import typer
from rich.console import Console
from rich.markdown import Markdown

from cli import options
from cli.output import emit
from ledger.client import PassportClient

app = typer.Typer(name="policy", help="The law that the ledger decides by.", no_args_is_help=True)


class PageLanguage(StrEnum):
    """What the law is printed in."""

    EN = "en"
    ZH = "zh"
    BOTH = "both"

    @property
    def asked(self) -> str | None:
        """Return what the service is asked for: nothing means both."""
        return None if self is PageLanguage.BOTH else self.value


Language = Annotated[PageLanguage, typer.Option("--language", help="English, Chinese, or both.")]


@app.command()
def show(
    version: Annotated[int | None, typer.Option(min=1, help="Another version than the one in force.")] = None,
    language: Language = PageLanguage.BOTH,
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
    language: Language = PageLanguage.BOTH,
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


def _tell(out: Console, page: str) -> None:
    """Print a page: laid out on a terminal, as it is into a pipe or file."""
    if sys.stdout.isatty():
        out.print(Markdown(page))
    else:
        out.out(page, end="", highlight=False)
