"""Projects: what members file before they use data."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import Response

from api.auth import DOCUMENTED, MEMBERS, MemberDep
from api.dependencies import Fresh, ServiceDep
from api.routes.documented import READ, WRITE
from api.routes.ids import NumberPath
from api.schemas.base import seconds_of
from api.schemas.projects import ProjectIn, ProjectList, ProjectOut, ReviewIn, project_out
from api.writes import Identity, WriteDep, event_named
from ledger.ports import Operation

router = APIRouter(prefix="/v1/projects", tags=["projects"], dependencies=[Fresh, *DOCUMENTED])


@router.post("", status_code=201, response_model=ProjectOut, responses=WRITE)
def file_project(body: ProjectIn, actor: MemberDep, service: ServiceDep, write: WriteDep) -> Response:
    """
    File a project. Its title and agreement stay here; the chain holds commitments.

    For members.
    """

    def file(identity: Identity) -> Operation:
        return service.projects.file(
            actor,
            title=body.title,
            purposes=body.purposes,
            categories=body.categories,
            techniques=body.techniques,
            highest_class=body.highest_class,
            valid_from=seconds_of(body.valid_from),
            valid_to=seconds_of(body.valid_to),
            agreement=body.agreement,
            idempotency=identity,
        )

    return write.answer(
        write.once(file),
        lambda events: project_out(
            service.projects.get(event_named(events, "ProjectFiled").arguments["projectId"])
        ),
    )


@router.get("", responses=READ, dependencies=[MEMBERS])
def list_projects(service: ServiceDep) -> ProjectList:
    """
    List all projects in the order of filing.

    For members.
    """
    return ProjectList(items=[project_out(project) for project in service.projects.all()])


@router.get("/{project_id}", responses=READ, dependencies=[MEMBERS])
def get_project(project_id: NumberPath, service: ServiceDep) -> ProjectOut:
    """
    Return a project.

    For members.
    """
    return project_out(service.projects.get(project_id))


@router.post("/{project_id}/withdrawal", status_code=201, response_model=ProjectOut, responses=WRITE)
def withdraw_project(
    project_id: NumberPath, actor: MemberDep, service: ServiceDep, write: WriteDep
) -> Response:
    """
    Withdraw a project: it justifies nothing any more.

    For the member that filed it.
    """
    operation = write.once(
        lambda identity: service.projects.withdraw(actor, project_id, idempotency=identity)
    )
    return write.answer(operation, lambda _: project_out(service.projects.get(project_id)))


@router.post("/{project_id}/reviews", status_code=201, response_model=ProjectOut, responses=WRITE)
def review_project(
    project_id: NumberPath, body: ReviewIn, actor: MemberDep, service: ServiceDep, write: WriteDep
) -> Response:
    """
    Approve a project as an ethics or a compliance body, or take the approval back.

    For ethics and compliance bodies other than the one that filed it.
    """
    operation = write.once(
        lambda identity: service.projects.review(
            actor,
            project_id,
            body.approval,
            approved=body.approved,
            opinion=body.opinion,
            idempotency=identity,
        )
    )
    return write.answer(operation, lambda _: project_out(service.projects.get(project_id)))
