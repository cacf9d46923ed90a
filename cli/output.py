"""
How the commands speak: one JSON document or readable text on standard output, everything else on standard error.

Exit codes: 0 is well, 1 means that a check found something wrong or a request was refused, 2 is usage or an error.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ledger.errors import LedgerError, NotPermitted, VerificationError

REFUSED: Final = 1
ERROR: Final = 2
#: Width of text that goes into a pipe or file, in characters.
_PIPE_WIDTH: Final = 120
_SHORT_HEX: Final = 14


def console() -> Console:
    """Return the console on standard output."""
    return Console(width=None if sys.stdout.isatty() else _PIPE_WIDTH, highlight=False, soft_wrap=True)


def emit(document: Any, *, as_json: bool, render: Callable[[Console], None]) -> None:
    """
    Print a command's result.

    Args:
        document: The result as a JSON value.
        as_json: Print exactly this document and nothing else.
        render: Prints it for people instead.
    """
    if as_json:
        json.dump(document, sys.stdout, indent=1, ensure_ascii=False)
        sys.stdout.write("\n")
    else:
        render(console())


def note(text: str) -> None:
    """Print a sentence on the side, on standard error."""
    Console(stderr=True, highlight=False, soft_wrap=True).print(Text(text))


def advise(out: Console, answer: dict[str, Any]) -> bool:
    """Print what to do next if the answer is an act of the committee that waits; tells whether it is."""
    if answer.get("actId") is None or "operationId" not in answer:
        return False
    out.print(f"Proposed. {answer['advice']}", markup=False)
    return True


def exit_code_of(error: LedgerError) -> int:
    """Return the exit code that an error ends the program with."""
    return REFUSED if isinstance(error, NotPermitted | VerificationError) else ERROR


def complain(error: LedgerError, *, as_json: bool) -> int:
    """
    Print an error: what is wrong and what to do; as a problem object on standard output if JSON was asked for.

    Returns:
        The exit code.
    """
    if as_json:
        problem = {
            "type": f"urn:passport:problem:{error.kind}",
            "title": type(error).__name__,
            "code": error.kind,
            "detail": error.message,
            "fix": error.advice,
        }
        json.dump(problem, sys.stdout, indent=1, ensure_ascii=False)
        sys.stdout.write("\n")
    else:
        note(f"passport: {error.message}\n  what to do: {error.advice}")
    return exit_code_of(error)


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Table:
    """Return a table of plain values; lists are joined, and hexadecimal is short but for the first column's."""
    made = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for column in columns:
        made.add_column(column, overflow="fold", no_wrap=column == columns[0])
    for row in rows:
        first, *others = row
        made.add_row(Text(_plain(first), no_wrap=True), *(Text(short(_plain(value))) for value in others))
    return made


def facts(title: str, document: dict[str, Any]) -> Table:
    """Return the fields of one object as a table with a line each; values in full."""
    made = Table(title=title, title_justify="left", box=None, pad_edge=False, show_header=False)
    made.add_column(style="bold")
    made.add_column(overflow="fold")
    for name, value in document.items():
        made.add_row(Text(name), Text(_plain(value)))
    return made


def short(value: str) -> str:
    """Shorten hexadecimal for reading."""
    return value if len(value) <= _SHORT_HEX + 3 or not value.startswith("0x") else value[:_SHORT_HEX] + "…"


def _plain(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, list):
        return ", ".join(_plain(item) for item in value) or "-"
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    return str(value)
