"""
The contracts' structs as values: tuples of the ABI, in the order of the Solidity struct.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ledger.domain.lineage import Plan, Step, VersionId
from ledger.domain.records import (
    Clearance,
    Commitment,
    EmergencyLimits,
    GrantState,
    Limits,
    PolicyTable,
)
from ledger.domain.vocabulary import Assurance, Category, GrantFlag, GrantStatus, Level, Path, StepKind


def policy_table(version: int, values: tuple[Any, ...]) -> PolicyTable:
    """Read the table of `PolicySet` or of the view `policy`: a tuple in the order of `IPolicy.Table`."""
    required, necessary, levels, core, sensitive, banned, max_grant_seconds, emergencies = values
    seconds, categories, quota, review, declaration, recovery = emergencies
    return PolicyTable(
        version=version,
        required=tuple(required),
        necessary=necessary,
        levels=levels,
        core_categories=Category(core),
        sensitive_categories=Category(sensitive),
        banned_purposes=banned,
        max_grant_seconds=max_grant_seconds,
        emergencies=EmergencyLimits(seconds, Category(categories), quota, review, declaration, recovery),
    )


def policy_named(version: int, fields: Mapping[str, Any]) -> PolicyTable:
    """Read a table from its fields by name, in the order of `IPolicy.Table`, as `Chain.reading_of` tells them."""
    *words, emergencies = fields.values()
    return policy_table(version, (*words, tuple(emergencies.values())))


def policy_values(table: PolicyTable) -> tuple[Any, ...]:
    """Write a law as the contract's struct: `policy_table` the other way round."""
    limits = table.emergencies
    return (
        table.required,
        table.necessary,
        table.levels,
        int(table.core_categories),
        int(table.sensitive_categories),
        table.banned_purposes,
        table.max_grant_seconds,
        (
            limits.seconds,
            int(limits.categories),
            limits.monthly_quota,
            limits.review_seconds,
            limits.max_declaration_seconds,
            limits.recovery_seconds,
        ),
    )


def grant_state(values: tuple[Any, ...]) -> GrantState:
    """Read a grant as stored: a tuple in the order of `IConsents.GrantState`."""
    (
        recipient,
        recipient_kinds,
        purposes,
        categories,
        use_from,
        use_to,
        data_from,
        data_to,
        max_uses,
        uses,
        control,
        level,
        flags,
        status,
        assurance,
    ) = values
    return GrantState(
        recipient=recipient,
        recipient_kinds=recipient_kinds,
        purposes=purposes,
        categories=Category(categories),
        use_from=use_from,
        use_to=use_to,
        data_from=data_from,
        data_to=data_to,
        max_uses=max_uses,
        uses=uses,
        control=control,
        level=Level(level),
        flags=GrantFlag(flags),
        status=GrantStatus(status),
        assurance=Assurance(assurance),
    )


def plan(values: tuple[Any, ...]) -> Plan:
    """Read the plan of a dataset: a tuple in the order of `IDatasets.Plan`."""
    purposes, categories, retain_until, budget = values
    return Plan(purposes, Category(categories), retain_until, budget)


def plan_values(plan: Plan) -> tuple[Any, ...]:
    """Write a plan as the contract's struct: `plan` the other way round."""
    return plan.purposes, int(plan.categories), plan.retain_until, plan.budget


def step(values: tuple[Any, ...]) -> Step:
    """Read a step: a tuple in the order of `ILineage.Step`."""
    kind, dataset_id, project_id, purposes, epsilon, inputs, outputs, tool, parameters = values
    return Step(
        kind=StepKind(kind),
        parameters=Commitment(parameters),
        inputs=tuple(VersionId(name) for name in inputs),
        outputs=tuple(VersionId(name) for name in outputs),
        dataset_id=dataset_id,
        project_id=project_id,
        purposes=purposes,
        epsilon=epsilon,
        tool=tool,
    )


def step_values(step: Step) -> tuple[Any, ...]:
    """Write a step as the contract's struct: `step` the other way round."""
    return (
        int(step.kind),
        step.dataset_id,
        step.project_id,
        step.purposes,
        step.epsilon,
        step.inputs,
        step.outputs,
        step.tool,
        step.parameters,
    )


def limits(values: tuple[Any, ...]) -> Limits:
    """Read the limits of an agreement: a tuple in the order of `IAgreements.Limits`."""
    recipient, purposes, categories, valid_to, retention_seconds, response_hours, onward, linkage = values
    return Limits(
        recipient=recipient,
        purposes=purposes,
        categories=Category(categories),
        valid_to=valid_to,
        retention_seconds=retention_seconds,
        response_hours=response_hours,
        onward=onward,
        linkage=linkage,
    )


def limits_values(limits: Limits) -> tuple[Any, ...]:
    """Write limits as the contract's struct: `limits` the other way round."""
    return (
        limits.recipient,
        limits.purposes,
        int(limits.categories),
        limits.valid_to,
        limits.retention_seconds,
        limits.response_hours,
        limits.onward,
        limits.linkage,
    )


def clearance(clearance_id: int, values: tuple[Any, ...]) -> Clearance:
    """Read a clearance: a tuple in the order of `IBorders.Clearance`."""
    exporter, issuer, agreement, valid_from, valid_to, max_persons, persons, path, project_id = values
    return Clearance(
        clearance_id=clearance_id,
        project_id=project_id,
        exporter=exporter,
        issuer=issuer,
        path=Path(path),
        valid_from=valid_from,
        valid_to=valid_to,
        max_persons=max_persons,
        persons=persons,
        agreement=agreement,
    )


def clearance_values(clearance: Clearance) -> tuple[Any, ...]:
    """Write a clearance as the contract's struct: `clearance` the other way round."""
    return (
        clearance.exporter,
        clearance.issuer,
        clearance.agreement,
        clearance.valid_from,
        clearance.valid_to,
        clearance.max_persons,
        clearance.persons,
        int(clearance.path),
        clearance.project_id,
    )
