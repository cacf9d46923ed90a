"""`passport up`: run the service, or a whole sandbox."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated

import structlog
import typer
import uvicorn
from fastapi import FastAPI

from api.app import create_app
from api.settings import ApiSettings
from cli.options import Data
from cli.output import note
from cli.sandbox import Sandbox
from cli.story import seed
from ledger.bootstrap import Runtime, Settings, build

_WATCH_SECONDS = 1.0


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
    if sandbox:
        run_sandbox(Sandbox(folder, port=port), data)
    else:
        serve(Settings())


def serve(settings: Settings) -> None:
    """Run one service in this process until it is told to stop."""
    _configure_logging()
    runtime = build(settings)
    service = runtime.start()
    try:
        app = create_app(
            service,
            sessions=runtime.sessions,
            settings=_api_settings(settings, runtime),
            checks=runtime.checks,
            lifespan=_stopping(runtime),
        )
        uvicorn.run(app, host=settings.host, port=settings.port, log_config=None, access_log=False)
    finally:
        runtime.stop()


def run_sandbox(sandbox: Sandbox, data: Path) -> None:
    """Start a sandbox, fill it with the story, say where everything is, and keep it running until Ctrl-C."""
    try:
        note("starting the devnet, the ledger and the service")
        sandbox.start()
        seed(sandbox, data)
        print(_where(sandbox), flush=True)
        while True:
            time.sleep(_WATCH_SECONDS)
            for name in sandbox.revive():
                note(f"the {name} had stopped and was started again; nothing is lost")
    except KeyboardInterrupt:
        note("stopping")
    finally:
        sandbox.stop()


def _where(sandbox: Sandbox) -> str:
    facts = sandbox.facts()
    keys = sandbox.folder / "keys"
    return "\n".join(
        [
            "",
            f"  Pages       {sandbox.url}/",
            f"  API         {sandbox.url}/docs   OpenAPI: {sandbox.url}/openapi.json",
            f"  Node        {sandbox.rpc}   chain {facts['chainId']}",
            f"  Ledger      {facts['ledger']}",
            f"  Demo keys   {keys}/   wallets: {sandbox.folder / 'wallets'}/",
            "",
            "  To sign in on the pages, as the committee for example:",
            f"      passport member sign-in --url {sandbox.url} --key {sandbox.committee_keys}",
            "",
            "  Ctrl-C stops all of it; the same command starts it again where it was.",
            "",
        ]
    )


def _api_settings(settings: Settings, runtime: Runtime) -> ApiSettings:
    origin = settings.url()
    local = (f"http://localhost:{settings.port}",) if settings.host == "127.0.0.1" else ()
    deployed = runtime.deployment.block_number if runtime.deployment else 0
    return ApiSettings(origin=origin, other_origins=local, rpc_url=settings.rpc, deployed_block=deployed)


def _stopping(runtime: Runtime):  # type: ignore[no-untyped-def]  # noqa: ANN202 - a context manager factory
    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        runtime.writer.stop()

    return lifespan


def _configure_logging() -> None:
    """Log JSON lines to standard error; structlog knows nothing of records, salts or keys."""
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(message)s")
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.dict_tracebacks,
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
