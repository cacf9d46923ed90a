"""Health: whether the process runs, and whether it can do its work."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from api.dependencies import ServiceDep, SettingsDep
from api.problems import problem_of, respond, responses
from api.schemas.health import AliveOut, ReadyOut
from api.settings import ApiSettings
from ledger.errors import LedgerError
from ledger.service import Service

router = APIRouter(tags=["health"])

Value = TypeVar("Value")

#: More checks of whoever put the service together: name, and null or what is wrong.
Checks = Callable[[], dict[str, str | None]]


@router.get("/livez")
async def livez() -> AliveOut:
    """
    Tell that the process runs.

    For everybody.
    """
    return AliveOut()


@router.get("/readyz", response_model=ReadyOut, responses=responses("not-ready"))
def readyz(request: Request, service: ServiceDep, settings: SettingsDep) -> Response:
    """
    Tell whether the service can do its work, and if not, why.

    For everybody.
    """
    checks, indexed, head = examine(service, settings, request.app.state.checks)
    wrong = [f"{name}: {reason}" for name, reason in checks.items() if reason]
    if wrong:
        return respond(problem_of("not-ready", "; ".join(wrong), instance="/readyz", checks=checks))
    ready = ReadyOut(ready=True, checks=checks, indexed_block=indexed, chain_head=head)
    return JSONResponse(ready.model_dump(mode="json", by_alias=True))


def examine(
    service: Service, settings: ApiSettings, more: Checks
) -> tuple[dict[str, str | None], int | None, int | None]:
    """Run every check; returns them by name, the indexed block and the chain's head as far as they are known."""
    # Looked up inside: a service that is broken altogether is not ready either, and says so.
    state, database = _tried(lambda: service.index.state())  # noqa: PLW0108
    head, node = _tried(lambda: service.chain.head().number)
    indexed = state.block_number if state else None
    checks = {
        "database": database,
        "node": node,
        "index": _lag(indexed, head, settings.max_index_lag),
        "consistent": state.error or "the index does not agree with the contract"
        if state and not state.consistent
        else None,
    }
    told = more()
    names = [*checks, *(name for name in told if name not in checks)]
    return {name: checks.get(name) or told.get(name) for name in names}, indexed, head


def _tried(read: Callable[[], Value]) -> tuple[Value | None, str | None]:
    """Return what a read gives, or why it gives nothing."""
    try:
        return read(), None
    except LedgerError as error:
        return None, error.message
    except Exception as error:  # noqa: BLE001 - whatever it is, the service is not ready
        return None, type(error).__name__


def _lag(indexed: int | None, head: int | None, most: int) -> str | None:
    if indexed is None or head is None or head - indexed <= most:
        return None
    return f"{head - indexed} blocks behind; at most {most} are allowed"
