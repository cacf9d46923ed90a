"""
The contracts' structs as values: tuples of the ABI, in the order of the Solidity struct.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ledger.domain.records import EmergencyLimits, GrantState, PolicyTable
from ledger.domain.vocabulary import Assurance, Category, GrantFlag, GrantStatus, Level


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
