"""A suspended company keeps asking: every refusal is on record, and coming back revives nothing that ended."""

from __future__ import annotations

import pytest

from ledger.audit.findings import Rule
from ledger.domain.records import PassportId
from ledger.domain.vocabulary import Fact, MemberKind, Operation, Outcome, Role
from ledger.encoding.hexadecimal import to_hex
from ledger.errors import NotPermitted
from ledger.interop.fhir import AccessLogEntry
from ledger.policy import PERMIT_SECONDS
from tests.stories.conftest import DAY, Stage, stands_at


def test_a_suspended_company_that_keeps_asking(stage: Stage) -> None:
    world = stage.world
    hospital = world.admit("Riverside Hospital", Role.CUSTODIAN)
    company = world.admit("Northern AI", Role.PROCESSOR, kind=MemberKind.COMPANY)
    number = company.member.member_id
    kept, left = world.register(hospital), world.register(hospital, 1)
    project = world.project(company, valid_from=world.now() - 60, valid_to=world.now() + 90 * DAY)
    grants = {passport: world.grant(hospital, passport, company) for passport in (kept, left)}

    def ask(passport: object, operation: Operation = Operation.READ) -> object:
        return world.ask(
            company, passport, grant_id=grants[passport], project_id=project, operation=operation
        )

    copies = {passport: ask(passport, Operation.TRANSFER) for passport in (kept, left)}
    read = ask(kept)
    assert [verdict.outcome for verdict in (*copies.values(), read)] == [Outcome.PERMIT] * 3
    chain = world.service.chain
    assert [chain.transfer_permit(passport, copies[passport].seq) for passport in (kept, left)] == [
        number
    ] * 2

    suspended = stage.client(world.committee).suspend(number, "Data found on a market")
    assert suspended["status"] == "SUSPENDED"

    # Its permits die at once: nothing more is shipped, nor handed over.
    for passport in (kept, left):
        assert chain.transfer_permit(passport, copies[passport].seq) == 0
        with pytest.raises(NotPermitted):
            stage.client(hospital).ship(to_hex(passport), copies[passport].seq)
    with pytest.raises(NotPermitted, match="suspended"):
        stage.client(company).release(to_hex(kept), read.seq)
    # It keeps asking, and each refusal is on record.
    refused = [ask(passport) for passport in (kept, left) for _ in range(3)]
    assert {verdict.missing for verdict in refused} == {Fact.MEMBER_ACTIVE}
    # Meanwhile one patient withdraws, and the hour of the permits passes.
    stage.client(hospital).revoke(to_hex(grants[left]))
    world.pass_time(PERMIT_SECONDS + 1)

    reinstated = stage.client(world.committee).reinstate(number)

    assert reinstated["status"] == "ACTIVE"
    for passport in (kept, left):
        assert chain.transfer_permit(passport, copies[passport].seq) == 0
        with pytest.raises(NotPermitted, match="no unused permit to transfer"):
            stage.client(hospital).ship(to_hex(passport), copies[passport].seq)
    assert ask(kept).outcome is Outcome.PERMIT
    assert ask(left).missing == Fact.GRANT_LIVE
    line = stage.client(hospital).access_log(to_hex(left))[0]
    assert "the consent was withdrawn on" in line["reasons"][0]
    log = stage.client(hospital).access_log(to_hex(kept))
    assert [item["answer"] for item in log] == ["permitted", *["refused"] * 3, *["permitted"] * 2]
    assert log[1]["reasons"] == ["the institution is suspended or its membership has ended"]

    # What it used while it was suspended, the auditor finds in its own log.
    uses = [stage.use(company, left, decision=refused[-1].seq)]
    report = stage.replayed(uses)
    (found,) = [item for item in report.findings if item.rule is Rule.USE_WITHOUT_PERMIT]
    assert found.member_name == "Northern AI"
    assert "the institution is suspended or its membership has ended" in found.detail
    assert report.replay.denials[Fact.MEMBER_ACTIVE] == 6
    assert stage.replayed().is_clean
    trace_it(stage, left, refused[-1].seq, uses)


def trace_it(stage: Stage, left: PassportId, last: int, uses: list[AccessLogEntry]) -> None:
    """Let the auditor trace what the company asked last while it was suspended, and what it did."""
    # Traced: what it asked while it was suspended, and when that was; then what it did.
    traced = stage.trace(f"{to_hex(left)}:{last}")
    assert (traced["responsible"]["memberName"], traced["violation"]["rule"]) == (
        "Northern AI",
        "request-refused",
    )
    told = [link["sentence"] for link in traced["chain"]]
    asked = next(place for place, sentence in enumerate(told) if sentence.startswith("Northern AI asked to"))
    suspended_at, reinstated_at = (
        told.index(f"Northern AI was {what}") for what in ("suspended", "reinstated")
    )
    assert suspended_at < asked < reinstated_at
    traced = stage.trace(to_hex(left), uses=uses)
    assert (traced["responsible"]["memberName"], traced["violation"]["rule"]) == (
        "Northern AI",
        "use-without-permit",
    )
    assert "the institution is suspended or its membership has ended" in traced["violation"]["detail"]
    assert (traced["violation"]["passport"], traced["violation"]["seq"]) == (to_hex(left), last)
    (evidence,) = traced["violation"]["evidence"]
    assert (evidence["block"], evidence["transaction"]) == stands_at(traced, last)
    # It never got what it asked for: the hospital alone may have it.
    assert [holder["memberName"] for holder in traced["holders"]] == ["Riverside Hospital"]
