"""Research data is resold to rate insurance: by the recipient itself, by an insurer, and behind the ledger's back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ledger.audit.findings import Rule
from ledger.client import open_release
from ledger.domain.vocabulary import Fact, MemberKind, Outcome, Purpose, Role
from ledger.encoding.hexadecimal import to_hex
from ledger.interop.fhir import AccessLogEntry
from ledger.wallet import holder_address
from tests.stories.conftest import Stage, stands_at
from tests.support.world import STUDY, Actor

PATIENT_KEY = b"\x31" * 32


def test_research_data_resold_for_insurance_rating(stage: Stage, tmp_path: Path) -> None:
    world = stage.world
    hospital = world.admit("Riverside Hospital", Role.CUSTODIAN)
    institute = world.admit("Institute of health", Role.PROCESSOR, kind=MemberKind.RESEARCH)
    insurer = world.admit("Mutual Life", Role.PROCESSOR, kind=MemberKind.INSURER)
    passport = world.register(hospital)
    own = world.register(hospital, 1, holder=holder_address(PATIENT_KEY))
    grant = world.grant(hospital, passport, institute, purposes=[Purpose.RESEARCH])
    project = world.project(
        institute, purposes=[Purpose.RESEARCH], valid_from=world.now() - 60, valid_to=world.now() + 10**6
    )
    # The consented use: research, by whom the consent names.
    permit = world.ask(institute, passport, purpose=Purpose.RESEARCH, grant_id=grant, project_id=project)
    assert permit.outcome is Outcome.PERMIT
    release = stage.client(institute).release(to_hex(passport), permit.seq)

    rating = {"purpose": Purpose.INSURANCE_RATING, "grant_id": grant, "project_id": project}
    by_recipient = world.ask(institute, passport, **rating)
    by_insurer = world.ask(insurer, passport, **rating)
    as_research = world.ask(
        insurer, passport, purpose=Purpose.RESEARCH, grant_id=grant, project_id=project, categories=STUDY
    )
    of_another = world.ask(insurer, own, **rating)

    never = Fact.LAWFUL  # No basis whatever justifies rating insurance.
    for verdict in (by_recipient, by_insurer, of_another):
        assert verdict.outcome is Outcome.DENY
        assert never in verdict.missing
        assert Fact.PURPOSE_ALLOWED not in verdict.facts
    assert Fact.GRANT_PURPOSE not in by_recipient.facts
    assert Fact.GRANT_RECIPIENT in by_recipient.facts
    assert Fact.GRANT_RECIPIENT not in by_insurer.facts
    # Called research it does not become the insurer's either.
    assert Fact.GRANT_RECIPIENT | Fact.PROJECT_FILED in as_research.missing
    # The patient reads it.
    (line,) = stage.client(PATIENT_KEY).access_log(to_hex(own))
    assert line["sentence"].startswith(
        "Mutual Life asked to read diagnoses under a pseudonym for rating insurance"
    )
    assert "the law does not allow this use on this basis" in line["reasons"]

    # And the institute does it all the same: its access log names the purpose.
    lawful = stage.use(institute, passport, decision=permit.seq, purpose="RESEARCH")
    resold = stage.use(institute, passport, decision=permit.seq, purpose="INSURANCE_RATING")
    handed_on = stage.use(insurer, passport)
    report = stage.replayed([lawful, resold, handed_on])

    found = [item for item in report.findings if item.rule is Rule.USE_WITHOUT_PERMIT]
    assert [item.member_name for item in found] == ["Institute of health", "Mutual Life"]
    assert "its permit is for health research, the log says INSURANCE_RATING" in found[0].detail
    assert found[0].evidence[0] == world.service.decisions.get(passport, permit.seq).position
    assert "its request was not permitted" in found[1].detail
    assert stage.replayed([lawful]).is_clean
    trace_it(
        stage, tmp_path, (institute, release), (permit.seq, by_recipient.seq), [lawful, resold, handed_on]
    )


def trace_it(
    stage: Stage,
    folder: Path,
    got: tuple[Actor, dict[str, Any]],
    seqs: tuple[int, int],
    uses: list[AccessLogEntry],
) -> None:
    """Let the auditor trace the file that turns up; *seqs*: the institute's permit, and its request to rate insurance."""
    institute, release = got
    permit, rating = seqs
    passport = release["passportId"]
    # The insurer's file turns up: the diagnoses that the institute got, under a pseudonym.
    leaked, salts = folder / "diagnoses.ndjson", folder / "release.json"
    resources = open_release(release, institute.keys)["DIAGNOSIS"]
    leaked.write_text("".join(json.dumps(resource) + "\n" for resource in resources))
    salts.write_text(json.dumps(release))
    traced = stage.trace("--file", str(leaked), "--release", str(salts))

    # Who had it in this form: who keeps it, and one other, for research; which then asked to rate insurance with it.
    assert traced["subject"]["name"] == passport
    assert [holder["memberName"] for holder in traced["holders"]] == [
        "Riverside Hospital",
        "Institute of health",
    ]
    handed = next(link for link in traced["chain"] if link["act"] == "HANDED_OVER")
    asked = next(link for link in traced["chain"] if link["act"] == "ASKED")
    assert (handed["seq"], handed["permitted"], handed["missing"]) == (permit, True, [])
    assert (handed["grant"], handed["project"]) == (asked["grant"], asked["project"])
    assert (traced["responsible"]["memberName"], traced["violation"]["rule"]) == (
        "Institute of health",
        "request-refused",
    )
    assert "for rating insurance" in traced["violation"]["detail"]
    assert (traced["violation"]["passport"], traced["violation"]["seq"]) == (
        passport,
        rating,
    )
    (evidence,) = traced["violation"]["evidence"]
    assert (evidence["block"], evidence["transaction"]) == stands_at(traced, rating)
    # With the access logs: the institute broke the consent before the insurer did.
    traced = stage.trace(passport, uses=uses)
    assert [item["memberName"] for item in traced["violations"][:2]] == ["Institute of health", "Mutual Life"]
    assert traced["violation"]["rule"] == "use-without-permit"
    assert traced["violation"]["seq"] == permit
    assert traced["violation"]["evidence"][0]["block"] == stands_at(traced, permit)[0]
