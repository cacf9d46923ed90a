"""Who reads a page: patients, institutions, auditors; and the way to the sign-in for who is none of them."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import Depends, Request
from fastapi.responses import RedirectResponse, Response

from api import access
from api.auth import Holder, sign_in_code, subject_of
from api.dependencies import service_of, sessions_of
from ledger.domain.records import Member
from ledger.errors import NotAuthenticated, NotPermitted

_SEE_OTHER: Final = 303


class SignInNeeded(NotAuthenticated):
    """Nobody is signed in: the page sends them to the sign-in form."""


def reader_of(request: Request) -> Member | Holder:
    """
    Return who is signed in.

    Raises:
        SignInNeeded: Nobody is.
    """
    code = sign_in_code(request)
    subject = subject_of(code, service=service_of(request), sessions=sessions_of(request)) if code else None
    if subject is None:
        raise SignInNeeded("sign in first")
    return subject


def holder_of(reader: ReaderDep) -> Holder:
    """
    Return the patient that is signed in.

    Raises:
        NotPermitted: A member is signed in.
    """
    if isinstance(reader, Holder):
        return reader
    raise NotPermitted("this page is for patients", fix="Sign in with a patient's code.")


def member_of(reader: ReaderDep) -> Member:
    """
    Return the member that is signed in.

    Raises:
        NotPermitted: A patient is signed in.
    """
    if isinstance(reader, Member):
        return reader
    raise NotPermitted("this page is for institutions", fix="Sign in with an institution's code.")


def auditor_of(member: PageMemberDep) -> Member:
    """
    Return the auditor that is signed in.

    Raises:
        NotPermitted: A member without such a role is signed in.
    """
    if access.is_auditor(member):
        return member
    raise NotPermitted(f"{member.name} is neither an auditor nor the committee")


ReaderDep = Annotated[Member | Holder, Depends(reader_of)]
PatientDep = Annotated[Holder, Depends(holder_of)]
PageMemberDep = Annotated[Member, Depends(member_of)]
AuditorDep = Annotated[Member, Depends(auditor_of)]


async def to_sign_in(_request: Request, _error: Exception) -> Response:
    """Send somebody who is not signed in to the form."""
    return RedirectResponse("/sign-in", status_code=_SEE_OTHER)
