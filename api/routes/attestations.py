"""Attestations: statements of qualified members about passports, projects, versions and tools."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import Response

from api import access
from api.auth import DOCUMENTED, MEMBERS, EitherDep, MemberDep
from api.dependencies import Fresh, ServiceDep
from api.routes.documented import READ, WRITE
from api.routes.ids import Id, NumberPath, passport_id, version_id
from api.schemas.attestations import AttestationIn, AttestationList, attestation_list
from api.schemas.base import seconds_of, unhex
from api.writes import Identity, WriteDep
from ledger.domain.lineage import VersionId
from ledger.domain.records import Attestation, PassportId
from ledger.domain.vocabulary import AttestationKind
from ledger.encoding.hexadecimal import bytes32
from ledger.errors import InvalidInput
from ledger.ports import Operation
from ledger.service import Service

router = APIRouter(prefix="/v1", tags=["attestations"], dependencies=[Fresh, *DOCUMENTED])


@router.post("/attestations", status_code=201, response_model=AttestationList, responses=WRITE)
def attest(body: AttestationIn, actor: MemberDep, service: ServiceDep, write: WriteDep) -> Response:
    """
    State something of a passport, project, version or tool, or take it back; answers with all statements about it.

    For members that are qualified: verifiers, the custodian itself (SOURCE), regulators (LICENCE), the
    alliance (TOOL).
    """
    if body.withdraw and body.valid_to is not None:
        raise InvalidInput("a statement is either made until validTo or withdrawn", field="validTo")
    subject = PassportId(unhex(body.passport_id)) if body.passport_id else None
    version = VersionId(unhex(body.version_id)) if body.version_id else None
    tool = unhex(body.tool) if body.tool else None

    def state(identity: Identity) -> Operation:
        return service.attestations.attest(
            actor,
            body.kind,
            passport_id=subject,
            project_id=body.project_id,
            version_id=version,
            tool=tool,
            valid_to=seconds_of(body.valid_to) if body.valid_to else 0,
            statement=body.statement,
            idempotency=identity,
        )

    def stated(_: object) -> AttestationList:
        if subject is not None:
            return _list(service, service.attestations.of_passport(subject))
        if version is not None:
            return _list(service, service.attestations.of_version(version))
        if tool is not None:
            return _list(service, service.attestations.of_tool(tool))
        return _list(service, service.attestations.of_project(body.project_id))

    return write.answer(write.once(state), stated)


@router.get("/passports/{passport}/attestations", responses=READ)
def list_of_passport(passport: Id, caller: EitherDep, service: ServiceDep) -> AttestationList:
    """
    List the latest statements about a passport.

    For every member and its holder.
    """
    record = access.passport_for(service, caller, passport_id(passport))
    return _list(service, service.attestations.of_passport(record.passport.passport_id))


@router.get("/projects/{project_id}/attestations", responses=READ, dependencies=[MEMBERS])
def list_of_project(project_id: NumberPath, service: ServiceDep) -> AttestationList:
    """
    List the latest statements about a project.

    For members.
    """
    return _list(service, service.attestations.of_project(project_id))


@router.get("/versions/{version}/attestations", responses=READ, dependencies=[MEMBERS])
def list_of_version(version: Id, service: ServiceDep) -> AttestationList:
    """
    List the latest statements about a version.

    For members.
    """
    return _list(service, service.attestations.of_version(version_id(version)))


@router.get("/tools/{tool}/attestations", responses=READ, dependencies=[MEMBERS])
def list_of_tool(tool: Id, service: ServiceDep) -> AttestationList:
    """
    List the latest statements about a tool, by its digest.

    For members.
    """
    return _list(service, service.attestations.of_tool(bytes32(tool)))


def _list(service: Service, statements: dict[AttestationKind, Attestation]) -> AttestationList:
    names = service.members.names()
    return attestation_list(statements, names, at=access.now_of(service))
