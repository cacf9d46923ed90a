"""Running the service in this process, or a sandbox of service and devnet in child processes."""

from __future__ import annotations

import logging
import socket
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import structlog
import uvicorn
from fastapi import FastAPI
from structlog.tracebacks import ExceptionDictTransformer

from api.app import create_app
from api.settings import ApiSettings
from cli.output import note
from cli.sandbox import Sandbox, stop_when_told
from cli.story import seed
from ledger.bootstrap import Runtime, build
from ledger.settings import Settings

_WATCH_SECONDS = 1.0
_USUAL_PORT = 8000


def serve(settings: Settings) -> None:
    """Run one service in this process until it is told to stop."""
    configure_logging()
    runtime = build(settings)
    service = runtime.start()
    try:
        app = create_app(
            service,
            sessions=runtime.sessions,
            settings=api_settings(settings, deployed_block=_deployed_block(runtime)),
            checks=runtime.checks,
            lifespan=_stopping(runtime),
        )
        uvicorn.run(app, **server_options(settings))
    finally:
        runtime.stop()


def server_options(settings: Settings) -> dict[str, Any]:
    """Return uvicorn's options: where the service listens, and to how many at the same time."""
    return {
        "host": settings.host,
        "port": settings.port,
        "log_config": None,
        "access_log": False,
        # uvicorn counts the connection that is one too many.
        "limit_concurrency": settings.max_connections + 1,
    }


def run_sandbox(folder: Path, data: Path, *, port: int | None) -> None:
    """Start a sandbox, fill it with the story, say where everything is, and keep it running until Ctrl-C."""
    stop_when_told()
    sandbox = Sandbox(folder, port=port or _usual_port())
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


def _usual_port() -> int | None:
    """Return the port that the README names, if nobody uses it."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", _USUAL_PORT))
        except OSError:
            return None
    return _USUAL_PORT


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


def api_settings(settings: Settings, *, deployed_block: int) -> ApiSettings:
    """Return the settings of the web side. In production the service goes by its public URL and no other name."""
    sandbox = settings.environment == "sandbox" and settings.host == "127.0.0.1"
    return ApiSettings(
        origin=settings.url(),
        other_origins=(f"http://localhost:{settings.port}",) if sandbox else (),
        rpc_url=settings.public_rpc,
        deployed_block=deployed_block,
    )


def _deployed_block(runtime: Runtime) -> int:
    return runtime.deployment.block_number if runtime.deployment else 0


def _stopping(runtime: Runtime):  # type: ignore[no-untyped-def]  # noqa: ANN202 - a context manager factory
    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        runtime.writer.stop()

    return lifespan


def configure_logging() -> None:
    """Log JSON lines to standard error; structlog knows nothing of records, salts or keys."""
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(message)s")
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            # Without the values of variables: in frames of signing they are keys, in others patients' data.
            structlog.processors.ExceptionRenderer(ExceptionDictTransformer(show_locals=False)),
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
