"""Templates to responses."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from api import access
from api.auth import Holder, sign_in_code, subject_of
from api.dependencies import service_of, sessions_of
from api.middleware import content_policy
from api.problems import Problem
from ledger.domain.records import Member
from ledger.errors import StoreUnavailable

FOLDER: Final = Path(__file__).resolve().parent.parent
STATIC: Final = FOLDER / "static"
_LOOPBACK: Final = "http://127.0.0.1:* http://localhost:*"


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks at a page, and which pages are for them."""

    name: str
    links: tuple[tuple[str, str], ...]


def environment() -> Environment:
    """Make the template environment: everything escaped, nothing undefined."""
    return Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def page(request: Request, template: str, **context: Any) -> HTMLResponse:
    """Render a template with what every page needs: the viewer and the path."""
    return _render(request, template, viewer_of(request), context)


def problem_page(request: Request, problem: Problem) -> HTMLResponse:
    """Render a problem for people; when the database does not answer, without the links of whoever looks."""
    try:
        viewer = viewer_of(request)
    except StoreUnavailable:
        viewer = None
    return _render(request, "problem.html", viewer, {"problem": problem}, status=problem.status)


def _render(
    request: Request, template: str, viewer: Viewer | None, context: dict[str, Any], *, status: int = 200
) -> HTMLResponse:
    templates: Environment = request.app.state.templates
    body = templates.get_template(template).render(viewer=viewer, path=request.url.path, **context)
    return HTMLResponse(body, status_code=status)


def viewer_of(request: Request) -> Viewer | None:
    """Return who looks at a page; None if nobody is signed in."""
    code = sign_in_code(request)
    subject = subject_of(code, service=service_of(request), sessions=sessions_of(request)) if code else None
    return viewer(subject) if subject is not None else None


def viewer(subject: Member | Holder) -> Viewer:
    """Return somebody's name and pages."""
    if isinstance(subject, Holder):
        return Viewer("Patient", (("/patient", "My records"),))
    links = [
        ("/institution", "Institution"),
        ("/datasets", "Datasets"),
        ("/borders", "Borders"),
        ("/acts", "Committee"),
    ]
    if access.is_auditor(subject):
        links.append(("/auditor", "Audit"))
    return Viewer(subject.name, tuple(links))


def policy_with_nodes(rpc_url: str) -> str:
    """
    Return the Content-Security-Policy of the page whose script asks an Ethereum node.

    The reader chooses the node, so that nobody has to trust ours: any over TLS, or one on the reader's own machine.
    """
    return content_policy(connect=f"'self' {_LOOPBACK} https: {_source(rpc_url)}".strip())


def _source(rpc_url: str) -> str:
    scheme, _, rest = rpc_url.partition("://")
    host = rest.partition("/")[0].rpartition("@")[2]
    # A URL that could break out of the header is left out.
    return f"{scheme}://{host}" if scheme in ("http", "https") and not set(host) & set(" ;,'\"") else ""
