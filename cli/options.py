"""The options that commands share. Keys, wallets and passphrases come from files, the environment or a prompt."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer

from ledger.domain.vocabulary import Label

DEFAULT_URL: Final = "http://127.0.0.1:8000"


class PageLanguage(StrEnum):
    """What the law, and what changes it, is printed in."""

    EN = "en"
    ZH = "zh"
    BOTH = "both"

    @property
    def asked(self) -> str | None:
        """Return what the service is asked for: nothing means both."""
        return None if self is PageLanguage.BOTH else self.value

    def say(self, words: Label) -> str:
        """Say something in this language."""
        return f"{words.en} {words.zh}" if self is PageLanguage.BOTH else str(getattr(words, self.value))


Url = Annotated[str, typer.Option("--url", envvar="PASSPORT_URL", help="The service.", show_default=True)]
Key = Annotated[
    Path | None,
    typer.Option("--key", envvar="PASSPORT_KEY", help="Your institution's key file.", show_default=False),
]
Wallet = Annotated[
    Path | None,
    typer.Option("--wallet", envvar="PASSPORT_WALLET", help="The patient's wallet.", show_default=False),
]
Custodian = Annotated[
    int | None,
    typer.Option(
        "--custodian",
        envvar="PASSPORT_CUSTODIAN",
        min=1,
        help="Number of the hospital whose patient the wallet speaks for.",
        show_default=False,
    ),
]
Session = Annotated[
    str | None,
    typer.Option(
        "--session", envvar="PASSPORT_SESSION", help="A sign-in code.", show_default=False, hidden=True
    ),
]
Language = Annotated[PageLanguage, typer.Option("--language", help="English, Chinese, or both.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]
Rpc = Annotated[
    str | None,
    typer.Option("--rpc", envvar="PASSPORT_RPC", help="URL of an Ethereum node.", show_default=False),
]
Ledger = Annotated[
    str | None,
    typer.Option(
        "--ledger", envvar="PASSPORT_LEDGER", help="Address of the ledger contract.", show_default=False
    ),
]
FromBlock = Annotated[
    int, typer.Option("--from-block", min=0, help="Block in which the ledger was deployed.")
]
Data = Annotated[Path, typer.Option("--data", help="A folder of FHIR R4 patient bundles.")]
Passport = Annotated[
    str, typer.Argument(help="Passport id, 0x and 64 hexadecimal digits.", show_default=False)
]
Purposes = Annotated[
    list[str], typer.Option("--purpose", help="A purpose; repeat for more.", show_default=False)
]
Categories = Annotated[
    list[str], typer.Option("--category", help="A category of data; repeat for more.", show_default=False)
]
IdempotencyKey = Annotated[
    str | None,
    typer.Option(
        "--idempotency-key",
        help="Your own name for this change: sent again, it happens once.",
        show_default=False,
    ),
]
