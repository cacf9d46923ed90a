"""
The law, decided a second time: the twin of `contracts/modules/Decisions.sol`.

Pure and readable; shares nothing with the contracts but the published numbering. The auditor's replay is this
module. Time is always an argument.
"""

from __future__ import annotations

from typing import Final

from ledger.domain.records import GrantState, Member, Passport, PolicyTable, Project, Request, Verdict
from ledger.domain.vocabulary import (
    Basis,
    Category,
    Custody,
    DataClass,
    Fact,
    GrantFlag,
    GrantStatus,
    MemberStatus,
    Outcome,
    PassportStatus,
)

#: How long after its decision a permit can be used, in seconds.
PERMIT_SECONDS: Final = 3600


def class_of(table: PolicyTable, categories: Category) -> DataClass:
    """Return the data class of a set of categories: that of the most sensitive one."""
    if categories & table.core_categories:
        return DataClass.CORE_PRIVACY
    if categories & table.sensitive_categories:
        return DataClass.SENSITIVE
    return DataClass.NON_SENSITIVE


def member_is_active(member: Member, at: int) -> bool:
    """Tell whether a membership is in force at *at* (seconds since the Unix epoch)."""
    return member.status is MemberStatus.ACTIVE and at < member.valid_to


def grant_is_live(grant: GrantState, at: int) -> bool:
    """Tell whether a grant has not ended and is within its use period at *at* (start inclusive, end exclusive)."""
    return grant.status is GrantStatus.ACTIVE and grant.use_from <= at < grant.use_to


def facts_of(
    request: Request,
    *,
    table: PolicyTable,
    member: Member,
    passport: Passport,
    grant: GrantState | None,
    project: Project | None,
    at: int,
) -> Fact:
    """
    Work out which facts hold for a request.

    Args:
        request: What is asked.
        table: The law in force.
        member: The requester.
        passport: The data asked for.
        grant: The grant the request names, if that passport has it.
        project: The project the request names, if it exists.
        at: Time of the block, seconds since the Unix epoch.

    Returns:
        The set of facts that hold, with `LAWFUL` if the law has an entry at all.
    """
    data_class = class_of(table, request.categories)
    facts = (
        _requester_facts(request, table, member, at)
        | _passport_facts(request, table, member, passport)
        | _project_facts(request, project, member, data_class, at)
        | _grant_facts(request, grant, member, passport, at)
    )
    if table.required_for(data_class, request.purpose, request.basis):
        facts |= Fact.LAWFUL
    return facts


def decide(
    request: Request,
    *,
    table: PolicyTable,
    member: Member,
    passport: Passport,
    grant: GrantState | None,
    project: Project | None,
    at: int,
) -> Verdict:
    """
    Answer a request: permitted if and only if nothing required is missing.

    Arguments as for `facts_of`. The number of the decision is the passport's size.
    """
    facts = facts_of(
        request, table=table, member=member, passport=passport, grant=grant, project=project, at=at
    )
    data_class = class_of(table, request.categories)
    required = table.required_for(data_class, request.purpose, request.basis) | Fact.LAWFUL
    missing = required & ~facts
    return Verdict(
        seq=passport.size,
        policy_version=table.version,
        project_id=request.project_id,
        categories=request.categories,
        purpose=request.purpose,
        basis=request.basis,
        operation=request.operation,
        data_class=data_class,
        outcome=outcome_of(missing),
        facts=facts,
        missing=missing,
    )


def outcome_of(missing: Fact) -> Outcome:
    """Return the outcome for a set of missing facts: REVIEW if only a human's look is missing."""
    if not missing:
        return Outcome.PERMIT
    return Outcome.REVIEW if missing == Fact.HUMAN_REVIEWED else Outcome.DENY


def uses_quota(request: Request, verdict: Verdict, grant: GrantState | None) -> bool:
    """Tell whether a decision takes one of the grant's uses."""
    return (
        verdict.outcome is Outcome.PERMIT
        and request.basis is Basis.CONSENT
        and grant is not None
        and grant.max_uses != 0
    )


def _requester_facts(request: Request, table: PolicyTable, member: Member, at: int) -> Fact:
    facts = Fact(0)
    if member_is_active(member, at):
        facts |= Fact.MEMBER_ACTIVE
    if member.purposes >> request.purpose & 1:
        facts |= Fact.MEMBER_SCOPE
    if request.categories & table.necessary_for(request.purpose) == request.categories:
        facts |= Fact.CATEGORIES_NECESSARY
    return facts


def _passport_facts(request: Request, table: PolicyTable, member: Member, passport: Passport) -> Fact:
    facts = Fact(0)
    if passport.status is PassportStatus.OPEN:
        facts |= Fact.PASSPORT_OPEN
    if passport.purposes & ~table.banned_purposes & 1 << request.purpose:
        facts |= Fact.PURPOSE_ALLOWED
    if passport.custodian == member.member_id:
        facts |= Fact.REQUESTER_IS_CUSTODIAN
    return facts


def _project_facts(
    request: Request, project: Project | None, member: Member, data_class: DataClass, at: int
) -> Fact:
    facts = Fact(0)
    if project is None or project.member_id != member.member_id or project.withdrawn:
        return facts
    in_time = project.valid_from <= at < project.valid_to
    covers = project.purposes >> request.purpose & 1 and request.categories in project.categories
    if in_time and covers and data_class >= project.highest_class:
        facts |= Fact.PROJECT_FILED
    if project.techniques:
        facts |= Fact.PROJECT_TECHNIQUE
    if any(project.agreement):
        facts |= Fact.PROJECT_AGREEMENT
    return facts


def _grant_facts(
    request: Request, grant: GrantState | None, member: Member, passport: Passport, at: int
) -> Fact:
    facts = Fact(0)
    # No recipient: there is only the mark of a grant that was withdrawn before it was given.
    if grant is None or not grant.recipient:
        return facts
    if grant_is_live(grant, at):
        facts |= Fact.GRANT_LIVE
    if grant.recipient == member.member_id:
        facts |= Fact.GRANT_RECIPIENT
    if grant.purposes >> request.purpose & 1:
        facts |= Fact.GRANT_PURPOSE
    if request.categories in grant.categories:
        facts |= Fact.GRANT_CATEGORIES
    # A custodian that keeps the holder's key cannot give separate consent in the subject's stead.
    if GrantFlag.SEPARATE in grant.flags and passport.custody is Custody.SELF:
        facts |= Fact.GRANT_SEPARATE
    if grant.max_uses == 0 or grant.uses < grant.max_uses:
        facts |= Fact.GRANT_QUOTA
    return facts
