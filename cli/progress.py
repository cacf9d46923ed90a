"""Progress of what takes more than two seconds: on standard error, and only on a terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)


class Report(Protocol):
    """Takes word of how far something has come."""

    def __call__(self, what: str, done: int, total: int) -> None:
        """Tell that *done* of *total* parts of *what* are done."""


def silent(what: str, done: int, total: int) -> None:
    """Tell nobody."""


@contextmanager
def progress(*, quiet: bool = False) -> Iterator[Report]:
    """Show a bar per activity while the block runs; give its body the function that moves them."""
    if quiet or not sys.stderr.isatty():
        yield silent
        return
    columns = (
        SpinnerColumn(finished_text="✓"),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bars:
        tasks = {}

        def report(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(what, total=total)
            bars.update(tasks[what], completed=done, total=total)

        yield report
