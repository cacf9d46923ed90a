"""Puts the web side together. Nothing is made at import time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from typing import Any, Final

import anyio.to_thread
from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from fastapi.staticfiles import StaticFiles

from api import problems
from api.auth import signed_by_custodian
from api.middleware import BodyLimit, LastResort, SameSite, SecurityHeaders
from api.pages import data, exchange, people, public, readers
from api.pages.render import STATIC, environment, problem_page
from api.routes import (
    agreements,
    attestations,
    borders,
    committee,
    consent_requests,
    datasets,
    decisions,
    emergencies,
    grants,
    health,
    holders,
    lineage,
    members,
    operations,
    passports,
    permissions,
    policy,
    projects,
    provenance,
    records,
    sessions,
    templates,
    transfers,
)
from api.routes.health import Checks
from api.sessions import Sessions
from api.settings import ApiSettings
from api.writes import Waits
from ledger.service import Service

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]

_ROUTERS: Final[tuple[APIRouter, ...]] = (
    policy.router,
    members.router,
    committee.router,
    passports.router,
    holders.router,
    grants.router,
    consent_requests.router,
    templates.router,
    projects.router,
    decisions.router,
    permissions.router,
    decisions.reviews,
    emergencies.router,
    emergencies.declarations,
    attestations.router,
    agreements.router,
    borders.router,
    datasets.router,
    lineage.steps,
    lineage.versions,
    lineage.questions,
    records.router,
    transfers.router,
    transfers.of_passports,
    transfers.discrepancies,
    provenance.router,
    operations.router,
    sessions.router,
    health.router,
)
_PAGES: Final[tuple[APIRouter, ...]] = (public.router, people.router, data.router, exchange.router)
_DESCRIPTION: Final = (
    "A ledger on which institutions, patients and auditors agree who may use which medical data for what, who did, "
    "who was refused, and where the data went."
)


def create_app(
    service: Service,
    *,
    sessions: Sessions,
    settings: ApiSettings,
    checks: Checks | None = None,
    lifespan: Lifespan | None = None,
) -> FastAPI:
    """
    Put the REST service and the pages together.

    Args:
        service: The use cases.
        sessions: Keeps sign-ins, challenges and nonces.
        settings: Where the service is reached, and its limits.
        checks: More checks for /readyz: name, and None or what is wrong.
        lifespan: What runs while the service runs, for example the indexer.
    """
    app = FastAPI(
        title="Medical data passport",
        version="1",
        description=_DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        lifespan=_with_threads(settings.threads, lifespan),
        generate_unique_id_function=_operation_id,
        separate_input_output_schemas=False,
    )
    app.state.service = service
    app.state.sessions = sessions
    app.state.settings = settings
    app.state.waits = Waits(each=settings.max_waits, together=settings.threads * 3 // 4)
    app.state.checks = checks or dict
    app.state.templates = environment()
    app.state.problem_page = problem_page
    problems.install(app)
    app.add_exception_handler(readers.SignInNeeded, readers.to_sign_in)
    for router in (*_ROUTERS, *_PAGES):
        app.include_router(router)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    _add_middleware(app, service, settings)
    return app


def _add_middleware(app: FastAPI, service: Service, settings: ApiSettings) -> None:
    """Add the middleware; the last one added sees a request first."""
    app.add_middleware(
        BodyLimit,
        max_bytes=settings.max_body_bytes,
        larger={("POST", "/v1/passports"): settings.max_bundle_bytes},
        trusted=partial(signed_by_custodian, service=service, settings=settings),
        seconds=settings.body_seconds,
    )
    app.add_middleware(SameSite, origins=settings.origins)
    app.add_middleware(LastResort)
    app.add_middleware(SecurityHeaders, secure=settings.secure)


def _operation_id(route: APIRoute) -> str:
    return route.name


def _with_threads(
    threads: int, inner: Lifespan | None
) -> Callable[[FastAPI], AbstractAsyncContextManager[Any]]:
    """Let more requests wait for the chain than the default of forty, so that reads are not held up by writes."""

    @asynccontextmanager
    async def run(app: FastAPI) -> AsyncIterator[None]:
        anyio.to_thread.current_default_thread_limiter().total_tokens = threads
        if inner is None:
            yield
            return
        async with inner(app):
            yield

    return run
