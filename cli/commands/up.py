"""`passport up`: run the service, or a whole sandbox."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.options import Data


def add_to(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("up")(up)


def up(
    *,
    sandbox: Annotated[
        bool, typer.Option("--sandbox", help="Start a devnet and a service with synthetic patients.")
    ] = False,
    data: Data = Path("../shared/data/synthea-r4"),
    folder: Annotated[Path, typer.Option("--folder", help="Where the sandbox keeps everything.")] = Path(
        "sandbox"
    ),
    port: Annotated[
        int | None, typer.Option("--port", min=1, max=65_535, help="Port of the sandbox's service.")
    ] = None,
) -> None:
    """
    Run the service until Ctrl-C.

    Without --sandbox it is set by the environment, PASSPORT_… (docs/operations.md), and runs on your own node.
    """
    # Every other command would pay for loading the whole service.
    from cli.service import run_sandbox, serve
    from ledger.settings import Settings

    if sandbox:
        run_sandbox(folder, data, port=port)
    else:
        serve(Settings())
