"""What routes ask for: the service, the settings, the sign-ins, the body, how fresh the answer is."""

from __future__ import annotations

from typing import Annotated, cast

from fastapi import Depends, Query, Request, Response

from api.sessions import Sessions
from api.settings import ApiSettings
from ledger.service import Service

#: Headers that say how far the index had come when an answer was read from it.
INDEXED_BLOCK = "X-Indexed-Block"
CHAIN_HEAD = "X-Chain-Head"


def service_of(request: Request) -> Service:
    """Return the use cases."""
    return cast("Service", request.app.state.service)


def settings_of(request: Request) -> ApiSettings:
    """Return the settings."""
    return cast("ApiSettings", request.app.state.settings)


def sessions_of(request: Request) -> Sessions:
    """Return the sign-ins."""
    return cast("Sessions", request.app.state.sessions)


async def body_of(request: Request) -> bytes:
    """Return the bytes of the body."""
    return await request.body()


ServiceDep = Annotated[Service, Depends(service_of)]
SettingsDep = Annotated[ApiSettings, Depends(settings_of)]
SessionsDep = Annotated[Sessions, Depends(sessions_of)]
BodyDep = Annotated[bytes, Depends(body_of)]

Limit = Annotated[int, Query(ge=1, le=500, description="Most items in the answer.", examples=[100])]
After = Annotated[
    str | None, Query(max_length=200, description="Where the last page ended: its `next`.", examples=[None])
]


def freshness(service: Service) -> dict[str, str]:
    """Return the headers that say how fresh what the index says is."""
    state = service.index.state()
    return {INDEXED_BLOCK: str(state.block_number), CHAIN_HEAD: str(state.chain_head)}


def say_how_fresh(service: ServiceDep, response: Response) -> None:
    """Set the freshness headers before the route reads: it can only be fresher than they say."""
    response.headers.update(freshness(service))


Fresh = Depends(say_how_fresh)


def link_next(request: Request, response: Response, cursor: str | None) -> None:
    """Point to the next page of a list (RFC 8288)."""
    if cursor is not None:
        url = request.url.include_query_params(after=cursor)
        response.headers["Link"] = f'<{url.path}?{url.query}>; rel="next"'
