"""A health code's data, obtained under a declared emergency, is wanted for other things, and when it is over."""

from __future__ import annotations

from ledger.audit.findings import Rule
from ledger.client import content_received
from ledger.domain.records import PassportId
from ledger.domain.vocabulary import (
    Basis,
    Category,
    Fact,
    Level,
    MemberKind,
    Operation,
    Outcome,
    Purpose,
    Role,
)
from ledger.encoding.hexadecimal import to_hex
from ledger.wallet import holder_address
from tests.stories.conftest import DAY, Stage, at, stands_at
from tests.support.world import Actor

PATIENT_KEY = b"\x32" * 32
SURVEILLANCE = {
    "purpose": Purpose.PUBLIC_HEALTH,
    "basis": Basis.PUBLIC_EMERGENCY,
    "categories": Category.DIAGNOSIS,
    "level": Level.PSEUDONYMISED,
}


def test_data_of_an_emergency_serves_that_emergency_alone(stage: Stage) -> None:
    world = stage.world
    hospital = world.admit("Riverside Hospital", Role.CUSTODIAN)
    control = world.admit("Disease control", Role.CUSTODIAN | Role.PROCESSOR, kind=MemberKind.AUTHORITY)
    police = world.admit("City police", Role.PROCESSOR, kind=MemberKind.AUTHORITY)
    source = world.register(hospital)
    declared = stage.client(world.committee).declare_emergency(
        {
            "purposes": ["PUBLIC_HEALTH"],
            "categories": ["DIAGNOSIS", "LABORATORY"],
            "from": at(world.now()),
            "until": at(world.now() + 10 * DAY),
            "maxRecords": 100,
            "jurisdiction": 840,
            "document": "Decree on the health code",
            "reason": "An outbreak",
        }
    )
    number = declared["emergencyId"]
    tracing, policing = project(stage, control), project(stage, police)

    # Under the emergency, for what it was declared: permitted and obtained, and locked to it from then on.
    copy = world.ask(
        control, source, **SURVEILLANCE, operation=Operation.TRANSFER, project_id=tracing, emergency_id=number
    )
    assert copy.outcome is Outcome.PERMIT
    shipped = stage.client(hospital).ship(to_hex(source), copy.seq)
    release = stage.client(control).collect(shipped["transferId"])
    stage.client(control).receive(shipped["transferId"], to_hex(content_received(release, control.keys)))
    code = world.register(control, 1, holder=holder_address(PATIENT_KEY), lock=number)
    assert stage.client(control).passport(to_hex(code))["lock"] == number
    used = world.ask(control, code, **SURVEILLANCE, project_id=tracing, emergency_id=number)
    assert used.outcome is Outcome.PERMIT

    # For another purpose it is refused: with a warrant, as research, as the keeper's own business.
    warrant = world.ask(
        police,
        code,
        purpose=Purpose.OPERATIONS,
        basis=Basis.COMPELLED,
        level=Level.IDENTIFIED,
        statement="Warrant 4 Js 17/26",
    )
    named = world.ask(
        police,
        code,
        **{**SURVEILLANCE, "purpose": Purpose.RESEARCH},
        project_id=policing,
        emergency_id=number,
    )
    keeper = world.ask(
        control, code, purpose=Purpose.OPERATIONS, basis=Basis.CUSTODIAN_CARE, level=Level.IDENTIFIED
    )
    assert warrant.missing == Fact.UNLOCKED | Fact.HUMAN_REVIEWED
    assert named.missing == Fact.LAWFUL
    assert Fact.UNLOCKED not in named.facts
    assert keeper.missing == Fact.UNLOCKED

    # After its end it is refused to everybody, for what it was declared too.
    world.until(world.service.emergencies.get(number).emergency.until)
    late = world.ask(control, code, **SURVEILLANCE, project_id=tracing, emergency_id=number)
    early_source = world.ask(control, source, **SURVEILLANCE, project_id=tracing, emergency_id=number)
    assert late.missing == Fact.EMERGENCY_IN_FORCE | Fact.UNLOCKED
    assert early_source.missing == Fact.EMERGENCY_IN_FORCE

    # The patient reads who tried.
    lines = stage.client(PATIENT_KEY).access_log(to_hex(code))
    assert [line["answer"] for line in lines] == ["refused"] * 4 + ["permitted"]
    assert lines[3]["sentence"].startswith("City police asked to read diagnoses for running the hospital")
    assert "the data was obtained in an emergency and serves that emergency alone" in lines[3]["reasons"]
    # The auditor decides all of it again, and finds the use that nobody permitted.
    report = stage.replayed([stage.use(police, code, purpose="OPERATIONS")])
    (found,) = [item for item in report.findings if item.rule is Rule.USE_WITHOUT_PERMIT]
    assert (found.member_name, found.passport) == ("City police", to_hex(code))
    assert report.replay.denials[Fact.UNLOCKED] == 3
    assert report.replay.denials[Fact.EMERGENCY_IN_FORCE] == 2
    trace_it(stage, police, shipped["transferId"], code, seqs=(warrant.seq, named.seq))


def project(stage: Stage, actor: Actor) -> int:
    now = stage.world.now()
    return stage.world.project(
        actor,
        purposes=[Purpose.PUBLIC_HEALTH, Purpose.RESEARCH],
        categories=Category.DIAGNOSIS,
        valid_from=now - 60,
        valid_to=now + 90 * DAY,
    )


def trace_it(stage: Stage, police: Actor, transfer: str, code: PassportId, *, seqs: tuple[int, int]) -> None:
    """Let the auditor trace the copy and what was registered from it; *seqs*: what the police asked, first and last."""
    first, last = seqs
    # The copy went the lawful way: nobody is responsible, and both have it.
    copied = stage.trace(transfer)
    assert copied["conclusion"].startswith("Nobody broke a rule on record. Accountable: Riverside Hospital")
    assert [link["act"] for link in copied["transfers"]] == ["SHIPPED", "RECEIVED"]
    assert [link["permitted"] for link in copied["transfers"]] == [True, True]
    assert any(link["act"] == "EMERGENCY" for link in copied["chain"])
    # What was made of it: the police asked first, and used it all the same.
    tried = stage.trace(to_hex(code))
    assert (tried["responsible"]["memberName"], tried["violation"]["rule"]) == (
        "City police",
        "request-refused",
    )
    assert tried["violation"]["seq"] == first
    traced = stage.trace(to_hex(code), uses=[stage.use(police, code, purpose="OPERATIONS")])
    assert (traced["responsible"]["memberName"], traced["violation"]["rule"]) == (
        "City police",
        "use-without-permit",
    )
    assert "serves that emergency alone" in traced["violations"][1]["detail"]
    assert (traced["violation"]["passport"], traced["violation"]["seq"]) == (to_hex(code), last)
    (evidence,) = traced["violation"]["evidence"]
    assert (evidence["block"], evidence["transaction"]) == stands_at(traced, last)
