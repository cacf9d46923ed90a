"""The ledger and its law: for everybody."""

from __future__ import annotations

from fastapi import APIRouter

from api.dependencies import Fresh, ServiceDep, SettingsDep
from api.routes.documented import PUBLIC
from api.routes.ids import NumberPath
from api.schemas.chain import LedgerOut
from api.schemas.policy import PolicyOut, policy_out
from ledger.errors import NotFound
from ledger.service import Service

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


@router.get("/policy", responses=PUBLIC)
def get_policy(service: ServiceDep) -> PolicyOut:
    """
    Return the law in force, with every code and what it is called.

    For everybody.
    """
    return _policy(service, None)


@router.get("/policy/{version}", responses=PUBLIC)
def get_policy_version(version: NumberPath, service: ServiceDep) -> PolicyOut:
    """
    Return a version of the law.

    For everybody.
    """
    return _policy(service, version)


def _policy(service: Service, version: int | None) -> PolicyOut:
    table = service.index.policy(version)
    if table is None:
        raise NotFound(
            "there is no law yet" if version is None else f"there is no version {version} of the law",
            fix="GET /v1/policy returns the version in force.",
        )
    return policy_out(table)
