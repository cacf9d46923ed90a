"""Who may see what: every object against every kind of caller."""

from __future__ import annotations

import pytest

from ledger.client import sign_in
from tests.api.conftest import assert_problem

CALLERS = ("hospital", "lab", "outsider", "auditor", "committee", "holder", "stranger")

#: Path, and the callers that may read it. Members that may not get 403, holders 404.
MATRIX = {
    "/v1/passports/{own}": {"hospital", "lab", "outsider", "auditor", "committee", "holder"},
    "/v1/passports/{own}/decisions": {"hospital", "auditor", "committee", "holder"},
    "/v1/passports/{assisted}/decisions": {"hospital", "auditor", "committee"},
    "/v1/provenance/{own}": {"hospital", "auditor", "committee", "holder"},
    "/v1/provenance/{assisted}": {"hospital", "auditor", "committee"},
    "/v1/decisions/{own}/0": {"hospital", "outsider", "auditor", "committee", "holder"},
    "/v1/decisions/{assisted}/{permit}": {"hospital", "lab", "auditor", "committee"},
    "/v1/grants/{grant}": {"hospital", "lab", "auditor", "committee"},
    "/v1/grants/{grant}/revocation": {"hospital", "lab", "auditor", "committee"},
    "/v1/transfers/{transfer}": {"hospital", "lab", "auditor", "committee"},
    "/v1/transfers/{transfer}/content": {"lab"},
    "/v1/records": {"hospital"},
    "/v1/decisions": {"hospital", "lab", "outsider", "auditor", "committee"},
    "/v1/projects": {"hospital", "lab", "outsider", "auditor", "committee"},
    "/v1/members": {"hospital", "lab", "outsider", "auditor", "committee", "holder"},
    "/v1/committee": {"hospital", "lab", "outsider", "auditor", "committee", "holder"},
    "/v1/acts": {"hospital", "lab", "outsider", "auditor", "committee", "holder"},
    "/v1/acts/1": {"hospital", "lab", "outsider", "auditor", "committee", "holder"},
    "/v1/projects/{project}": {"hospital", "lab", "outsider", "auditor", "committee"},
    "/v1/passports": {"hospital", "lab", "outsider", "auditor", "committee", "holder"},
    "/v1/datasets": {"hospital", "lab", "outsider", "auditor", "committee"},
    "/v1/steps": {"hospital", "lab", "outsider", "auditor", "committee"},
    "/v1/obligations": {"hospital", "lab", "outsider", "auditor", "committee"},
    "/v1/grants/{grant}/impact": {"hospital", "lab", "auditor", "committee"},
    "/v1/passports/{own}/forward": {"hospital", "auditor", "committee", "holder"},
    "/v1/passports/{assisted}/forward": {"hospital", "auditor", "committee"},
}
#: What no holder reads, whoever it is.
_OF_MEMBERS = (
    "/v1/transfers",
    "/v1/records",
    "/v1/projects",
    "/v1/datasets",
    "/v1/steps",
    "/v1/obligations",
)


@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize("path", MATRIX)
def test_who_may_read_what(http, send, client, cast, path, caller):
    target = path.format(
        **{
            name: getattr(cast, name)
            for name in ("own", "assisted", "permit", "grant", "transfer", "project")
        }
    )
    if caller in ("holder", "stranger"):
        key = cast.holder_key if caller == "holder" else b"\3" * 32
        response = http.get(target, headers={"Authorization": f"Bearer {sign_in(client(), key)['code']}"})
    else:
        response = send(getattr(cast, caller), "GET", target)
    for_the_known = path.startswith(("/v1/members", "/v1/passports", "/v1/committee", "/v1/acts"))
    if caller in MATRIX[path] or (caller == "stranger" and for_the_known and "{" not in path):
        assert response.status_code == 200, response.text
    else:
        member_only = path.startswith(_OF_MEMBERS) or path == "/v1/decisions"
        hidden = caller in ("holder", "stranger") and not member_only
        assert_problem(response, 404 if hidden else 403)


def test_a_stranger_cannot_tell_what_exists(http, client, cast):
    code = sign_in(client(), b"\3" * 32)["code"]
    bearer = {"Authorization": f"Bearer {code}"}
    there = http.get(f"/v1/passports/{cast.own}", headers=bearer).json()
    nowhere = http.get("/v1/passports/0x" + "00" * 32, headers=bearer).json()
    assert there["detail"].replace(cast.own, "") == nowhere["detail"].replace("0x" + "00" * 32, "")


def test_lists_hold_what_is_the_callers_own(client, cast, holder_code):
    assert [item["passportId"] for item in client(holder_code).passports()] == [cast.own]
    assert client(cast.lab).passports() == []
    assert client(cast.outsider).transfers() == []
    # Other tests of this suite ask for consents and give them, for the same patient.
    of_lab = {cast.grant, cast.other_grant, cast.withdrawn}
    for caller, expected in ((cast.lab, of_lab), (cast.hospital, of_lab), (cast.outsider, set())):
        assert of_lab & {item["grantId"] for item in client(caller).grants(cast.assisted)} == expected
    assert of_lab.isdisjoint({item["grantId"] for item in client(cast.outsider).grants()})


def test_a_holder_without_a_record_is_asked_for_one(http, client, cast):
    code = sign_in(client(), b"\3" * 32)["code"]
    problem = assert_problem(http.get("/v1/grants", headers={"Authorization": f"Bearer {code}"}), 422)
    assert problem["errors"][0]["pointer"] == "/passport"


def test_a_holder_prepares_for_the_own_record_only(http, cast, holder_code, preparation):
    bearer = {"Authorization": f"Bearer {holder_code}"}
    assert http.post("/v1/grants/preparations", json=preparation, headers=bearer).status_code == 200
    other = {**preparation, "passportId": cast.assisted}
    assert_problem(http.post("/v1/grants/preparations", json=other, headers=bearer), 404, "not-found")


def test_a_session_does_not_make_the_custodian_sign(http, cast, holder_code, preparation):
    bearer = {"Authorization": f"Bearer {holder_code}", "Idempotency-Key": "assist"}
    assisted = http.post("/v1/grants", json={**preparation, "assisted": True}, headers=bearer)
    assert_problem(assisted, 403, "not-permitted")
    revoke = http.post(f"/v1/grants/{cast.grant}/revocation", json={"assisted": True}, headers=bearer)
    assert_problem(revoke, 404, "not-found")


@pytest.mark.parametrize("body", [{}, {"signature": "0x" + "00" * 65, "assisted": True}])
def test_a_revocation_is_signed_or_assisted(http, cast, holder_code, body):
    bearer = {"Authorization": f"Bearer {holder_code}", "Idempotency-Key": "either"}
    response = http.post(f"/v1/grants/{cast.grant}/revocation", json=body, headers=bearer)
    assert_problem(response, 422, "invalid-input")
