"""Pages for everybody: start, sign-in, the list of routes, and what each problem means."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Form, Path, Request
from fastapi.responses import RedirectResponse, Response

from api import access
from api.auth import Holder, sign_in_code, subject_of
from api.dependencies import ServiceDep, SessionsDep, SettingsDep
from api.middleware import COOKIE
from api.pages import commands
from api.pages.render import page
from api.problems import KINDS
from ledger.domain.records import Member
from ledger.domain.vocabulary import Role
from ledger.errors import NotFound

router = APIRouter(include_in_schema=False)

_SEE_OTHER: Final = 303
_MAX_CODE: Final = 200


@router.get("/")
def start(request: Request, service: ServiceDep) -> Response:
    """Say what this is, and where to go."""
    state, law = service.index.state(), service.index.policy()
    return page(
        request,
        "start.html",
        domain=service.chain.domain(),
        indexed_block=state.block_number,
        policy_version=law.version if law else None,
    )


@router.get("/sign-in")
def sign_in_form(request: Request, settings: SettingsDep) -> Response:
    """Ask for a sign-in code."""
    return _form(request, settings.origin, error=None)


@router.post("/sign-in")
def sign_in(
    request: Request,
    service: ServiceDep,
    sessions: SessionsDep,
    settings: SettingsDep,
    code: Annotated[str, Form(max_length=_MAX_CODE)] = "",
) -> Response:
    """Take a sign-in code and go to the page it is for."""
    code = code.strip()
    subject = subject_of(code, service=service, sessions=sessions) if code else None
    if subject is None:
        error = "This code is not in force." if code else "Enter the code."
        return _form(request, settings.origin, error=error)
    response = RedirectResponse(home_of(subject), status_code=_SEE_OTHER)
    response.set_cookie(
        COOKIE,
        code,
        max_age=settings.session_seconds,
        httponly=True,
        secure=settings.secure,
        samesite="strict",
    )
    return response


@router.post("/sign-out")
def sign_out(request: Request, sessions: SessionsDep) -> Response:
    """Forget the sign-in."""
    code = sign_in_code(request)
    if code:
        sessions.delete(code)
    response = RedirectResponse("/", status_code=_SEE_OTHER)
    response.delete_cookie(COOKIE, httponly=True, samesite="strict")
    return response


@router.get("/docs")
def docs(request: Request) -> Response:
    """List the REST routes out of the OpenAPI file."""
    return page(request, "docs.html", groups=route_groups(request.app.openapi()))


@router.get("/problems")
def problems(request: Request) -> Response:
    """List the kinds of problems."""
    return page(request, "problems.html", kinds=list(KINDS.values()))


@router.get("/problems/{code}")
def problem(request: Request, code: Annotated[str, Path(max_length=64)]) -> Response:
    """Say what a kind of problem means and what to do about it."""
    kind = KINDS.get(code)
    if kind is None:
        raise NotFound("there is no problem by that name", fix="/problems lists them all.")
    return page(request, "problem_kind.html", kind=kind)


def home_of(subject: Member | Holder) -> str:
    """Return the page that is for somebody."""
    if isinstance(subject, Holder):
        return "/patient"
    oversees_only = not subject.roles & (Role.CUSTODIAN | Role.PROCESSOR)
    return "/auditor" if oversees_only and access.is_auditor(subject) else "/institution"


def route_groups(openapi: dict[str, Any]) -> list[tuple[str, list[dict[str, Any]]]]:
    """Return the routes of an OpenAPI file by their first tag, in its order: method, path, title, text, answers."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for path, methods in openapi["paths"].items():
        for method, operation in methods.items():
            title, _, text = operation.get("description", operation["summary"]).partition("\n\n")
            groups.setdefault(operation["tags"][0], []).append(
                {
                    "method": method.upper(),
                    "path": path,
                    "anchor": operation["operationId"],
                    "title": " ".join(title.split()),
                    "text": " ".join(text.split()),
                    "answers": list(operation["responses"]),
                }
            )
    return list(groups.items())


def _form(request: Request, origin: str, *, error: str | None) -> Response:
    return page(
        request,
        "sign_in.html",
        error=error,
        holder_command=commands.holder_sign_in(origin),
        member_command=commands.member_sign_in(origin),
    )
