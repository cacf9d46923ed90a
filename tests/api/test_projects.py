"""Reviews of projects: two bodies, neither of them the one that files, and both can change their mind."""

from __future__ import annotations

from typing import Any

import pytest

from ledger.domain.vocabulary import Role
from ledger.encoding.hexadecimal import to_hex
from ledger.errors import NotFound, NotPermitted
from ledger.ports import Call

FILING: dict[str, Any] = {
    "title": "Early warning on the ward",
    "purposes": ["AI_TRAINING"],
    "categories": ["DIAGNOSIS"],
    "techniques": ["FEDERATED_LEARNING"],
    "highestClass": "SENSITIVE",
    "validFrom": "2026-01-01T00:00:00Z",
    "validTo": "2040-01-01T00:00:00Z",
    "agreement": "The model leaves, the data does not.",
}
TAKEN_BACK = {"approved": False, "opinion": "New facts came up."}


def review(approval: str, **changes: Any) -> dict[str, Any]:
    return {"approval": approval, "approved": True, "opinion": "Fit to go on.", **changes}


@pytest.fixture(scope="module")
def bodies(world):
    """Return an ethics body, another one, a compliance body, and one that may do both."""
    roles = (Role.ETHICS, Role.ETHICS, Role.COMPLIANCE, Role.ETHICS | Role.COMPLIANCE)
    return [world.admit(f"Reviewer {number}", role, 0) for number, role in enumerate(roles)]


@pytest.fixture
def project(client, cast) -> int:
    """Return a project of the lab that nobody has reviewed."""
    return int(client(cast.lab).file_project(FILING)["projectId"])


@pytest.fixture
def missing(client, cast, world):
    """Return a function that asks under a project, by consent, and returns what was missing."""
    passport = world.register(cast.hospital, 8)
    grant = to_hex(world.grant(cast.hospital, passport, cast.lab))

    def asked(project: int) -> list[str]:
        request = {
            "passportId": to_hex(passport),
            "purpose": "AI_TRAINING",
            "basis": "CONSENT",
            "operation": "READ",
            "categories": ["DIAGNOSIS"],
            "level": "PSEUDONYMISED",
            "grantId": grant,
            "projectId": project,
        }
        (decision,) = client(cast.lab).decide([request])
        assert (decision["outcome"] == "PERMIT") == (decision["missing"] == [])
        return list(decision["missing"])

    return asked


def test_a_project_counts_once_two_bodies_approved_it(client, bodies, project, missing):
    """Filed alone it permits nothing; one approval is half; with both it does, until one of them is taken back."""
    ethics, _, compliance, _ = bodies
    assert missing(project) == ["PROJECT_ETHICS", "PROJECT_COMPLIANCE"]

    approved = client(ethics).review_project(project, review("ETHICS"))
    assert (approved["ethics"], approved["compliance"]) == (ethics.member.member_id, None)
    assert missing(project) == ["PROJECT_COMPLIANCE"]

    approved = client(compliance).review_project(project, review("COMPLIANCE"))
    assert (approved["ethics"], approved["compliance"]) == (
        ethics.member.member_id,
        compliance.member.member_id,
    )
    assert missing(project) == []

    taken_back = client(ethics).review_project(project, review("ETHICS", **TAKEN_BACK))
    assert (taken_back["ethics"], taken_back["compliance"]) == (None, compliance.member.member_id)
    assert missing(project) == ["PROJECT_ETHICS"]
    assert client(ethics).project(project) == taken_back


def test_one_body_cannot_give_both_approvals(client, world, bodies, project):
    """Both roles in one hand: the second approval is refused, here and by the ledger; another body's is not."""
    *_, compliance, both = bodies
    client(both).review_project(project, review("ETHICS"))
    with pytest.raises(NotPermitted, match="gave its other approval"):
        client(both).review_project(project, review("COMPLIANCE"))
    call = Call("reviewProject", (project, 1, True, "0x" + "03" * 32))
    refused = world.failed(world.service.writer.submit(both.member.signer, call))
    assert (refused["code"], "gave its other approval" in refused["message"]) == ("not-permitted", True)
    assert client(compliance).review_project(project, review("COMPLIANCE"))["compliance"] is not None


def test_nobody_reviews_the_own_project(client, world):
    """A member with both roles files a project: its own word on it counts for nothing."""
    judge = world.admit("Judge and party", Role.PROCESSOR | Role.ETHICS | Role.COMPLIANCE)
    own = client(judge).file_project(FILING)["projectId"]
    for approval, code in (("ETHICS", 0), ("COMPLIANCE", 1)):
        with pytest.raises(NotPermitted, match="filed project"):
            client(judge).review_project(own, review(approval))
        call = Call("reviewProject", (own, code, True, "0x" + "03" * 32))
        assert world.failed(world.service.writer.submit(judge.member.signer, call))["code"] == "not-permitted"
    assert (client(judge).project(own)["ethics"], client(judge).project(own)["compliance"]) == (None, None)


def test_only_who_approved_takes_it_back(client, bodies, project):
    """Another ethics body may put its own approval in the place of the first, but not take the first one's back."""
    ethics, second, *_ = bodies
    client(ethics).review_project(project, review("ETHICS"))
    with pytest.raises(NotPermitted, match="did not give this one"):
        client(second).review_project(project, review("ETHICS", **TAKEN_BACK))
    assert client(second).project(project)["ethics"] == ethics.member.member_id
    replaced = client(second).review_project(project, review("ETHICS"))
    assert replaced["ethics"] == second.member.member_id
    with pytest.raises(NotPermitted, match="did not give this one"):
        client(ethics).review_project(project, review("ETHICS", **TAKEN_BACK))


def test_a_review_needs_its_own_role_and_a_project(client, cast, bodies, project):
    """The other role, no role, the committee's role: 403. No such project: 404."""
    ethics, _, compliance, _ = bodies
    for actor, approval in (
        (ethics, "COMPLIANCE"),
        (compliance, "ETHICS"),
        (cast.hospital, "ETHICS"),
        (cast.committee, "COMPLIANCE"),
    ):
        with pytest.raises(NotPermitted, match=f"does not hold the role {approval}"):
            client(actor).review_project(project, review(approval))
    with pytest.raises(NotFound, match="there is no project"):
        client(ethics).review_project(4_000_000_000, review("ETHICS"))


def test_a_project_without_agreement_permits_no_sensitive_data(client, cast, bodies, missing):
    """Both approvals do not stand in for the agreement, and a technique is needed too."""
    ethics, _, compliance, _ = bodies
    bare = {name: value for name, value in FILING.items() if name != "agreement"} | {"techniques": []}
    project = client(cast.lab).file_project(bare)["projectId"]
    client(ethics).review_project(project, review("ETHICS"))
    client(compliance).review_project(project, review("COMPLIANCE"))
    assert client(cast.lab).project(project)["agreement"] is False
    assert missing(project) == ["PROJECT_TECHNIQUE", "PROJECT_AGREEMENT"]


def test_an_approval_does_not_outlive_its_project(client, cast, bodies, missing, project):
    """Withdrawn by its member, the project permits nothing, though both bodies approved it."""
    ethics, _, compliance, _ = bodies
    client(ethics).review_project(project, review("ETHICS"))
    client(compliance).review_project(project, review("COMPLIANCE"))
    client(cast.lab).withdraw_project(project)
    assert "PROJECT_FILED" in missing(project)
