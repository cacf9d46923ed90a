"""The ledger and its law: for everybody."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Query, Request, Response

from api.dependencies import Fresh, ServiceDep, SettingsDep, freshness
from api.routes.documented import PUBLIC, Documented
from api.routes.ids import NumberPath
from api.schemas.chain import LedgerOut
from api.schemas.policy import (
    LabelLanguage,
    LanguageQuery,
    PolicyChangesOut,
    PolicyOut,
    policy_changes_out,
    policy_out,
)
from ledger.audit.law import render, render_changes
from ledger.domain.records import PolicyTable
from ledger.errors import NotFound
from ledger.service import Service

MARKDOWN: Final = "text/markdown"
_PAGE: Final[Documented] = {
    200: {
        "content": {MARKDOWN: {"schema": {"type": "string"}}},
        "description": "The law, as JSON or as a page.",
    },
    **PUBLIC,
}
SinceQuery = Annotated[
    int | None,
    Query(
        ge=1,
        le=2**32 - 1,
        description="The version to compare with; the one before if it is left out.",
        examples=[1],
    ),
]

router = APIRouter(prefix="/v1", tags=["ledger"], dependencies=[Fresh])


@router.get("/ledger", responses=PUBLIC)
def get_ledger(service: ServiceDep, settings: SettingsDep) -> LedgerOut:
    """
    Return which ledger this service stands on, and how far it has read.

    For everybody.
    """
    domain, state, law = service.chain.domain(), service.index.state(), service.index.policy()
    return LedgerOut(
        chain_id=domain.chain_id,
        ledger=domain.ledger,
        deployed_block=settings.deployed_block,
        policy_version=law.version if law else None,
        indexed_block=state.block_number,
        chain_head=state.chain_head,
        rpc_url=settings.rpc_url,
    )


@router.get("/policy", response_model=PolicyOut, responses=_PAGE)
def get_policy(
    request: Request, response: Response, service: ServiceDep, language: LanguageQuery = None
) -> PolicyOut | Response:
    """
    Return the law in force, with every code and what it is called; as a page for `Accept: text/markdown`.

    For everybody.
    """
    return _policy(request, response, service, None, language)


@router.get("/policy/{version}", response_model=PolicyOut, responses=_PAGE)
def get_policy_version(
    version: NumberPath,
    request: Request,
    response: Response,
    service: ServiceDep,
    language: LanguageQuery = None,
) -> PolicyOut | Response:
    """
    Return a version of the law; as a page for `Accept: text/markdown`.

    For everybody.
    """
    return _policy(request, response, service, version, language)


@router.get("/policy/{version}/changes", response_model=PolicyChangesOut, responses=_PAGE)
def get_policy_changes(
    version: NumberPath,
    request: Request,
    response: Response,
    service: ServiceDep,
    since: SinceQuery = None,
    language: LanguageQuery = None,
) -> PolicyChangesOut | Response:
    """
    Return what a version of the law changed, in words; as a page for `Accept: text/markdown`.

    For everybody.
    """
    after, before = _table(service, version), _table(service, since or max(version - 1, 1))
    response.headers["Vary"] = "Accept"
    if wants_markdown(request):
        return _page(service, render_changes(before, after, language or "both"), language)
    return policy_changes_out(before, after)


def wants_markdown(request: Request) -> bool:
    """Tell whether a caller would rather have a page than JSON (RFC 9110, section 12.5.1)."""
    weights: dict[str, float] = {}
    for part in request.headers.get("accept", "").split(","):
        kind, *parameters = [word.strip().lower() for word in part.split(";")]
        given = [word.removeprefix("q=") for word in parameters if word.startswith("q=")]
        try:
            weights[kind] = float(given[0]) if given else 1.0
        except ValueError:
            weights[kind] = 0.0
    return weights.get(MARKDOWN, 0.0) > weights.get("application/json", 0.0)


def _policy(
    request: Request,
    response: Response,
    service: Service,
    version: int | None,
    language: LabelLanguage | None,
) -> PolicyOut | Response:
    table = _table(service, version)
    response.headers["Vary"] = "Accept"
    if wants_markdown(request):
        return _page(service, render(table, language or "both"), language)
    return policy_out(table, language)


def _table(service: Service, version: int | None) -> PolicyTable:
    table = service.index.policy(version)
    if table is None:
        raise NotFound(
            "there is no law yet" if version is None else f"there is no version {version} of the law",
            fix="GET /v1/policy returns the version in force.",
        )
    return table


def _page(service: Service, text: str, language: LabelLanguage | None) -> Response:
    """Answer with a page. A route's own answer has to bring the headers that others get by themselves."""
    headers = {"Vary": "Accept", "Content-Language": language or "en, zh", **freshness(service)}
    return Response(text, media_type=f"{MARKDOWN}; charset=utf-8", headers=headers)
