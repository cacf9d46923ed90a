"""What was permitted at a time."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query

from api import access
from api.auth import DOCUMENTED, EitherDep
from api.dependencies import Fresh, ServiceDep
from api.routes.documented import READ_CHAIN
from api.routes.ids import grant_id, passport_id
from api.schemas.base import seconds_of
from api.schemas.permissions import PermissionOut, permission_out
from api.schemas.words import Hex32, MemberId, TimeIn, Uint32
from ledger.audit.point_in_time import Question
from ledger.domain.days import day_of
from ledger.domain.records import Terms
from ledger.domain.vocabulary import Basis, Category, Level, Operation, Purpose, code, flags

router = APIRouter(prefix="/v1/permissions", tags=["decisions"], dependencies=[Fresh, *DOCUMENTED])


@router.get("", responses=READ_CHAIN)
def was_permitted(
    caller: EitherDep,
    service: ServiceDep,
    passport: Annotated[Hex32, Query()],
    member: Annotated[MemberId, Query()],
    purpose: Annotated[str, Query(max_length=40, examples=["RESEARCH"])],
    basis: Annotated[str, Query(max_length=40, examples=["CONSENT"])],
    categories: Annotated[
        list[str],
        Query(min_length=1, max_length=16, description="Repeat for more.", examples=[["DIAGNOSIS"]]),
    ],
    at: Annotated[TimeIn | None, Query(description="Now, if left out.")] = None,
    operation: Annotated[str, Query(max_length=40)] = Operation.READ.name,
    level: Annotated[str, Query(max_length=40)] = Level.IDENTIFIED.name,
    grant: Annotated[Hex32 | None, Query(description="The grant; if left out, the best there was.")] = None,
    project: Annotated[Uint32, Query()] = 0,
    emergency: Annotated[Uint32, Query()] = 0,
    controller: Annotated[Uint32, Query()] = 0,
    first_day: Annotated[date | None, Query(alias="firstDay")] = None,
    last_day: Annotated[date | None, Query(alias="lastDay")] = None,
) -> PermissionOut:
    """
    Tell whether something was permitted at a time, under which grant and which version of the law.

    What was recorded in that very second counts. The answer is worked out from the index's events; who does not trust
    the index asks a node: `passport audit was-permitted`.

    For the holder, the custodian, and auditors; the holder does not ask about an emergency while it is sealed.
    """
    record = access.history_for(service, caller, passport_id(passport))
    access.askable_for(service, caller, record.passport.passport_id, emergency)
    question = Question(
        passport_id=record.passport.passport_id,
        member_id=member,
        terms=Terms(
            purpose=code(Purpose, purpose),
            basis=code(Basis, basis),
            operation=code(Operation, operation),
            categories=flags(Category, categories),
            level=code(Level, level),
            project_id=project,
            emergency_id=emergency,
            controller_id=controller,
            first_day=day_of(first_day),
            last_day=day_of(last_day),
        ),
        grant_id=grant_id(grant) if grant else None,
    )
    moment = seconds_of(at) if at else access.now_of(service)
    return permission_out(question, service.permissions.at(question, moment))
