"""What humans add: reviews of single requests, and statements of qualified members."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from ledger.domain.records import GrantId, PassportId
from ledger.domain.vocabulary import (
    AttestationKind,
    Basis,
    Category,
    DataClass,
    Fact,
    Level,
    Outcome,
    Purpose,
    Role,
)
from ledger.encoding.words import unpack_verdict
from ledger.errors import Conflict, InvalidInput, NotFound, NotPermitted
from ledger.service.decisions import AccessRequest
from tests.support.world import STUDY, Actor, World

DAY = 86_400


@dataclass(frozen=True)
class Cast:
    hospital: Actor
    lab: Actor
    ethics: Actor
    regulator: Actor
    verifier: Actor


@pytest.fixture(scope="module")
def world(timed_world: World) -> World:
    return timed_world


@pytest.fixture(scope="module")
def cast(world: World) -> Cast:
    return Cast(
        hospital=world.admit("Riverside Hospital", Role.CUSTODIAN | Role.PROCESSOR | Role.VERIFIER),
        lab=world.admit("Disease laboratory", Role.PROCESSOR | Role.ETHICS),
        ethics=world.admit("Board of ethics", Role.ETHICS),
        regulator=world.admit("Health regulator", Role.REGULATOR),
        verifier=world.admit("Verification office", Role.VERIFIER),
    )


@dataclass(frozen=True)
class Study:
    passport: PassportId
    grant: GrantId
    project: int


@pytest.fixture
def study(world: World, cast: Cast) -> Study:
    passport = world.register(cast.hospital)
    grant = world.grant(cast.hospital, passport, cast.lab, purposes=[Purpose.DISEASE_RESEARCH])
    project = world.project(
        cast.lab,
        purposes=[Purpose.DISEASE_RESEARCH],
        valid_from=world.now() - DAY,
        valid_to=world.now() + 365 * DAY,
    )
    return Study(passport, grant, project)


def asked(world: World, cast: Cast, study: Study) -> int:
    verdict = world.ask(
        cast.lab,
        study.passport,
        purpose=Purpose.DISEASE_RESEARCH,
        grant_id=study.grant,
        project_id=study.project,
    )
    assert (verdict.outcome, verdict.missing) == (Outcome.REVIEW, Fact.HUMAN_REVIEWED)
    return verdict.seq


def answered(world: World, actor: Actor, study: Study, seq: int, *, approved: bool) -> None:
    world.done(
        world.service.decisions.review(
            actor.member, study.passport, seq, approved=approved, opinion="It is the disease consented to"
        )
    )


def repeated(world: World, actor: Actor, study: Study, seq: int) -> tuple[int, Outcome]:
    operation = world.done(world.service.decisions.repeat(actor.member, study.passport, seq))
    verdict = unpack_verdict(operation.events[0].arguments["verdict"])
    return verdict.seq, verdict.outcome


def test_approved_the_same_request_is_permitted_for_as_long_as_the_law_says(
    world: World, cast: Cast, study: Study
) -> None:
    seq = asked(world, cast, study)
    assert (study.passport, seq) in names(world, cast.ethics)
    assert (study.passport, seq) not in names(world, cast.regulator)

    answered(world, cast.ethics, study, seq, approved=True)

    assert (study.passport, seq) not in names(world, cast.ethics)
    assert repeated(world, cast.lab, study, seq)[1] is Outcome.PERMIT
    entry = world.service.access.entry(world.service.decisions.get(study.passport, seq))
    assert entry.review.startswith("Board of ethics reviewed it on ")
    assert "asked again word for word, it holds until" in entry.review
    review = world.service.index.review(study.passport, seq)
    assert review is not None
    world.until(review.approved_until - 60)
    assert repeated(world, cast.lab, study, seq)[1] is Outcome.PERMIT
    world.until(review.approved_until)
    assert repeated(world, cast.lab, study, seq)[1] is Outcome.REVIEW


def test_an_approval_is_for_these_words_alone(world: World, cast: Cast, study: Study) -> None:
    seq = asked(world, cast, study)
    answered(world, cast.ethics, study, seq, approved=True)

    other = world.ask(
        cast.lab,
        study.passport,
        purpose=Purpose.DISEASE_RESEARCH,
        grant_id=study.grant,
        project_id=study.project,
        categories=Category.LABORATORY,
    )

    assert other.outcome is Outcome.REVIEW
    with pytest.raises(NotPermitted, match="is another member's"):
        world.service.decisions.repeat(cast.hospital.member, study.passport, seq)


def test_a_consent_withdrawn_meanwhile_is_not_healed_by_an_approval(
    world: World, cast: Cast, study: Study
) -> None:
    seq = asked(world, cast, study)
    answered(world, cast.ethics, study, seq, approved=True)
    world.revoke(cast.hospital, study.grant)

    assert repeated(world, cast.lab, study, seq)[1] is Outcome.DENY


def test_refused_it_stays_refused_and_the_log_says_so(world: World, cast: Cast, study: Study) -> None:
    seq = asked(world, cast, study)

    answered(world, cast.ethics, study, seq, approved=False)

    entry = world.service.access.entry(world.service.decisions.get(study.passport, seq))
    assert entry.review.endswith("and did not approve it")
    again, outcome = repeated(world, cast.lab, study, seq)
    assert outcome is Outcome.REVIEW
    with pytest.raises(Conflict, match="does not wait for a human"):
        answered(world, cast.ethics, study, seq, approved=True)
    answered(world, cast.ethics, study, again, approved=True)


def test_who_reviews_is_qualified_and_had_no_part_in_it(world: World, cast: Cast, study: Study) -> None:
    seq = asked(world, cast, study)
    with pytest.raises(NotPermitted, match="does not hold the role ETHICS"):
        answered(world, cast.regulator, study, seq, approved=True)
    with pytest.raises(NotPermitted, match="had a part in request"):
        answered(world, cast.lab, study, seq, approved=True)
    with pytest.raises(NotFound):
        answered(world, cast.ethics, study, 99, approved=True)
    with pytest.raises(InvalidInput, match="opinion must not be empty"):
        world.service.decisions.review(cast.ethics.member, study.passport, seq, approved=True, opinion="\n")
    denied = world.ask(cast.lab, study.passport)
    with pytest.raises(Conflict, match="does not wait for a human"):
        answered(world, cast.ethics, study, denied.seq, approved=True)


def test_what_an_authority_compels_rests_on_an_instrument_and_a_regulator(
    world: World, cast: Cast, study: Study
) -> None:
    request = AccessRequest(
        passport_id=study.passport,
        purpose=Purpose.OPERATIONS,
        basis=Basis.COMPELLED,
        operation=0,  # type: ignore[arg-type]
        categories=Category.DIAGNOSIS,
    )
    with pytest.raises(InvalidInput, match="does not give the instrument"):
        world.service.decisions.request(cast.lab.member, [request])
    warrant = replace(request, statement="Warrant 4 Js 17/26 of the district court")
    operation = world.done(world.service.decisions.request(cast.lab.member, [warrant]))
    verdict = unpack_verdict(operation.events[0].arguments["verdict"])
    assert verdict.outcome is Outcome.REVIEW
    assert (study.passport, verdict.seq) in names(world, cast.regulator)
    record = world.service.decisions.get(study.passport, verdict.seq)
    assert world.service.decisions.statement(record) == "Warrant 4 Js 17/26 of the district court"
    with pytest.raises(NotPermitted, match="REGULATOR"):
        answered(world, cast.ethics, study, verdict.seq, approved=True)
    answered(world, cast.regulator, study, verdict.seq, approved=True)
    assert repeated(world, cast.lab, study, verdict.seq)[1] is Outcome.PERMIT


def names(world: World, actor: Actor) -> set[tuple[PassportId, int]]:
    return {
        (item.passport_id, item.verdict.seq)
        for item in world.service.decisions.awaiting(actor.member, world.now())
    }


@pytest.mark.parametrize(
    ("kind", "by", "who"),
    [
        (AttestationKind.ENCRYPTION, "hospital", "VERIFIER that neither keeps nor owns the data"),
        (AttestationKind.DEIDENTIFICATION, "lab", "VERIFIER that does not keep the data"),
        (AttestationKind.SOURCE, "verifier", "the custodian that keeps the data"),
        (AttestationKind.LICENCE, "verifier", "REGULATOR that did not file the project"),
    ],
)
def test_a_refusal_says_who_is_qualified(
    world: World, cast: Cast, study: Study, kind: AttestationKind, by: str, who: str
) -> None:
    about = about_of(study, kind)
    with pytest.raises(NotPermitted, match=who):
        world.service.attestations.attest(
            getattr(cast, by).member, kind, **about, valid_to=world.now() + DAY, statement="x"
        )


def about_of(study: Study, kind: AttestationKind) -> dict[str, object]:
    if kind is AttestationKind.LICENCE:
        return {"project_id": study.project}
    return {"passport_id": study.passport}


@pytest.mark.parametrize(
    ("kind", "by"),
    [
        (AttestationKind.ENCRYPTION, "verifier"),
        (AttestationKind.DEIDENTIFICATION, "verifier"),
        (AttestationKind.SOURCE, "hospital"),
        (AttestationKind.LICENCE, "regulator"),
    ],
)
def test_a_statement_holds_until_it_ends_or_is_taken_back(
    world: World, cast: Cast, study: Study, kind: AttestationKind, by: str
) -> None:
    actor, service, about = getattr(cast, by), world.service.attestations, about_of(study, kind)
    until = world.now() + DAY

    def found() -> object:
        if "project_id" in about:
            return service.of_project(study.project)[kind]
        return service.of_passport(study.passport)[kind]

    world.done(service.attest(actor.member, kind, **about, valid_to=until, statement="Report 88"))
    assert (found().issuer, found().valid_to) == (actor.member.member_id, until)  # type: ignore[attr-defined]
    world.done(service.attest(actor.member, kind, **about))
    assert found().valid_to == 0  # type: ignore[attr-defined]
    with pytest.raises(NotFound, match="no such statement in force"):
        service.attest(actor.member, kind, **about)


def test_a_statement_is_about_one_thing_in_words_and_ends_ahead(
    world: World, cast: Cast, study: Study
) -> None:
    service, until = world.service.attestations, world.now() + DAY
    kind = AttestationKind.ENCRYPTION
    for about in ({}, {"project_id": 1}, {"project_id": 1, "passport_id": study.passport}):
        with pytest.raises(InvalidInput, match="is stated of one passport"):
            service.attest(cast.verifier.member, kind, **about, valid_to=until, statement="x")
    with pytest.raises(InvalidInput, match="is stated of one project"):
        service.attest(cast.regulator.member, AttestationKind.LICENCE, passport_id=study.passport)
    with pytest.raises(InvalidInput, match="lie in the future"):
        service.attest(cast.verifier.member, kind, passport_id=study.passport, valid_to=1, statement="x")
    with pytest.raises(InvalidInput, match="in words"):
        service.attest(cast.verifier.member, kind, passport_id=study.passport, valid_to=until)
    with pytest.raises(NotFound):
        service.of_project(10_000)


def test_nobody_overrides_a_statement_that_stands(world: World, cast: Cast, study: Study) -> None:
    second = world.admit("Second verification office", Role.VERIFIER)
    service, kind = world.service.attestations, AttestationKind.DEIDENTIFICATION
    until = world.now() + DAY
    world.done(
        service.attest(
            cast.verifier.member, kind, passport_id=study.passport, valid_to=until, statement="Report 1"
        )
    )
    with pytest.raises(Conflict, match="another member's statement is in force"):
        service.attest(second.member, kind, passport_id=study.passport)
    world.until(until)
    world.done(
        service.attest(
            second.member, kind, passport_id=study.passport, valid_to=until + DAY, statement="Report 2"
        )
    )
    assert service.of_passport(study.passport)[kind].issuer == second.member.member_id


def test_public_health_by_legal_duty_needs_source_and_independent_deidentification(
    world: World, cast: Cast, study: Study
) -> None:
    service, until = world.service.attestations, world.now() + DAY

    def missing() -> Fact:
        return world.ask(
            cast.lab,
            study.passport,
            purpose=Purpose.PUBLIC_HEALTH,
            basis=Basis.LEGAL_DUTY,
            categories=Category.VITALS,
            level=Level.DEIDENTIFIED,
        ).missing

    assert missing() == Fact.SOURCE_DECLARED | Fact.DEIDENTIFIED
    for actor, kind in (
        (cast.hospital, AttestationKind.SOURCE),
        (cast.verifier, AttestationKind.DEIDENTIFICATION),
    ):
        world.done(
            service.attest(actor.member, kind, passport_id=study.passport, valid_to=until, statement="Report")
        )
    assert missing() == Fact(0)
    world.until(until)
    assert missing() == Fact.SOURCE_DECLARED | Fact.DEIDENTIFIED


def test_using_a_model_needs_its_licence(world: World, cast: Cast) -> None:
    passport = world.register(cast.hospital)
    grant = world.grant(cast.hospital, passport, cast.lab, purposes=[Purpose.AI_INFERENCE])
    project = world.project(
        cast.lab,
        purposes=[Purpose.AI_INFERENCE],
        categories=STUDY,
        highest_class=DataClass.SENSITIVE,
        valid_from=world.now() - DAY,
        valid_to=world.now() + 365 * DAY,
    )

    def missing() -> Fact:
        return world.ask(
            cast.lab, passport, purpose=Purpose.AI_INFERENCE, grant_id=grant, project_id=project
        ).missing

    assert missing() == Fact.MODEL_LICENSED
    world.done(
        world.service.attestations.attest(
            cast.regulator.member,
            AttestationKind.LICENCE,
            project_id=project,
            valid_to=world.now() + DAY,
            statement="Licence 3/2026",
        )
    )
    assert missing() == Fact(0)
