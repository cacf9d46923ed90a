"""Templates of consents: read by everybody, issued and withdrawn by the committee."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import Response

from api.auth import DOCUMENTED, MemberDep
from api.dependencies import Fresh, ServiceDep
from api.routes.documented import PUBLIC, WRITE
from api.routes.ids import NumberPath
from api.schemas.committee import ReasonIn
from api.schemas.templates import TemplateIn, TemplateList, TemplateOut, template_out
from api.writes import WriteDep, event_named
from ledger.service import Service

router = APIRouter(prefix="/v1/templates", tags=["templates"], dependencies=[Fresh])


@router.get("", responses=PUBLIC)
def list_templates(service: ServiceDep) -> TemplateList:
    """
    List the templates in the order of issue, the withdrawn ones too.

    For everybody.
    """
    return TemplateList(items=[_template(service, item.template) for item in service.templates.all()])


@router.get("/{template}", responses=PUBLIC)
def get_template(template: NumberPath, service: ServiceDep) -> TemplateOut:
    """
    Return a template, with its notice if this service has the text.

    For everybody.
    """
    return _template(service, template)


@router.post("", status_code=201, response_model=TemplateOut, responses=WRITE, dependencies=DOCUMENTED)
def issue_template(body: TemplateIn, actor: MemberDep, service: ServiceDep, write: WriteDep) -> Response:
    """
    Propose that the committee issue a template.

    For members with a seat.
    """
    operation = write.once(
        lambda identity: service.templates.issue(
            actor,
            purposes=body.purposes,
            categories=body.categories,
            recipient_kinds=body.recipient_kinds,
            max_seconds=body.max_seconds,
            notice=body.notice,
            reason=body.reason,
            idempotency=identity,
        )
    )
    return write.answer(
        operation,
        lambda events: _template(service, event_named(events, "TemplateIssued").arguments["template"]),
    )


@router.post(
    "/{template}/withdrawal",
    status_code=201,
    response_model=TemplateOut,
    responses=WRITE,
    dependencies=DOCUMENTED,
)
def withdraw_template(
    template: NumberPath, body: ReasonIn, actor: MemberDep, service: ServiceDep, write: WriteDep
) -> Response:
    """
    Propose that the committee withdraw a template: grants under it stay, no new one can use it.

    For members with a seat.
    """
    operation = write.once(
        lambda identity: service.templates.withdraw(actor, template, body.reason, idempotency=identity)
    )
    return write.answer(operation, lambda _: _template(service, template))


def _template(service: Service, number: int) -> TemplateOut:
    template = service.templates.get(number)
    return template_out(template, service.templates.known_notice(template))
