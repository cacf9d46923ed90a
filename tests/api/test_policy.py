"""The law as JSON and as a page, and what a version changed, on a real chain."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ledger.audit.law import render, render_changes
from ledger.domain.records import PolicyTable
from ledger.domain.vocabulary import BASIS_LABELS, FACT_LABELS, Basis, Fact, floor_of
from ledger.encoding.structs import policy_values
from ledger.errors import InvalidInput, NotAuthenticated, NotFound, NotPermitted
from ledger.ports import Call


@pytest.fixture(scope="module")
def laws(world) -> tuple[PolicyTable, PolicyTable]:
    """Return the law in force, and the one after it, by which public emergencies last a day less."""
    before = world.service.index.policy()
    days = before.emergencies.max_declaration_seconds - 86_400
    limits = replace(before.emergencies, max_declaration_seconds=days)
    after = replace(before, version=before.version + 1, emergencies=limits)
    world.done(
        world.service.committee.propose(
            world.committee.member, Call("setPolicy", (policy_values(after),)), "Resolution 3"
        )
    )
    return before, after


def test_levels_limits_and_floors_are_told(client):
    law = client().policy(1)
    assert law["levels"]["SENSITIVE"]["AI_TRAINING"] == "PSEUDONYMISED"
    assert law["levels"]["NON_SENSITIVE"]["PUBLIC_HEALTH"] == "PSEUDONYMISED"
    limits = law["emergencies"]
    assert (limits["seconds"], limits["monthlyQuota"], limits["reviewSeconds"]) == (14_400, 20, 259_200)
    assert "GENOMICS" not in limits["categories"]
    assert set(law["floors"]) == {basis.name for basis in Basis} - {"NO_BASIS"}
    assert {Fact[name] for name in law["floors"]["COMPELLED"]} == set(floor_of(Basis.COMPELLED))


def test_each_entry_cites_its_requirements(client):
    law = client().policy(1)
    assert all(entry["requirements"] and entry["words"] is None for entry in law["entries"])
    own = next(entry for entry in law["entries"] if entry["basis"] == "SUBJECT_REQUEST")
    assert "R137" in own["requirements"]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_entries_are_said_in_a_language(client, language):
    for entry in client().policy(1, language=language)["entries"]:
        assert entry["words"]["basis"] == getattr(BASIS_LABELS[Basis[entry["basis"]]], language)
        said = [getattr(FACT_LABELS[Fact[name]], language) for name in entry["required"]]
        assert entry["words"]["required"] == said


def test_another_language_is_refused(client, http):
    assert http.get("/v1/policy?language=fr").status_code == 422
    with pytest.raises(InvalidInput):
        client().policy(1, language="fr")


@pytest.mark.parametrize("language", ["en", "zh", None])
def test_the_law_is_a_page_too(client, http, world, language):
    law = world.service.index.policy(1)
    assert client().policy_page(1, language=language) == render(law, language or "both")
    query = {"language": language} if language else {}
    response = http.get("/v1/policy/1", params=query, headers={"Accept": "text/markdown"})
    assert response.headers["content-type"] == "text/markdown; charset=utf-8"
    assert response.headers["content-language"] == (language or "en, zh")
    assert response.headers["vary"] == "Accept"
    assert int(response.headers["x-indexed-block"]) > 0


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("*/*", "application/json"),
        ("", "application/json"),
        ("application/json", "application/json"),
        ("text/markdown", "text/markdown"),
        ("application/json;q=0.5, text/markdown", "text/markdown"),
        ("application/json, text/markdown;q=0.9", "application/json"),
        ("text/markdown;q=0", "application/json"),
        ("text/markdown;q=much", "application/json"),
        ("text/markdown ; q=0.2 , */*;q=0.1", "text/markdown"),
    ],
)
def test_the_caller_chooses_the_form(http, accept, kind):
    response = http.get("/v1/policy", headers={"Accept": accept})
    assert response.headers["content-type"].startswith(kind)
    assert response.headers["vary"] == "Accept"


def test_a_new_version_says_what_it_changed(client, laws):
    before, after = laws
    told = client().policy_changes(after.version, before.version)
    assert (told["version"], told["since"]) == (after.version, before.version)
    [change] = told["items"]
    assert (change["kind"], change["stricter"], change["requirements"]) == ("limit", True, ["R085"])
    assert change["en"] == "A public-health emergency lasts at most: 89 days, instead of 90 days."
    assert "89 天" in change["zh"]
    [back] = client().policy_changes(before.version, after.version)["items"]
    assert back["stricter"] is False
    assert client().policy()["version"] >= after.version


def test_without_another_version_it_is_the_one_before(client, http, laws):
    _, after = laws
    told = http.get(f"/v1/policy/{after.version}/changes").json()
    assert (told["since"], len(told["items"])) == (after.version - 1, 1)
    first = http.get("/v1/policy/1/changes").json()
    assert (first["since"], first["items"]) == (1, [])


@pytest.mark.parametrize("language", ["en", "zh", None])
def test_changes_are_a_page_too(client, laws, language):
    before, after = laws
    page = client().policy_changes_page(after.version, before.version, language=language)
    assert page == render_changes(before, after, language or "both")


@pytest.mark.parametrize(
    "path", ["/v1/policy/9999", "/v1/policy/9999/changes", "/v1/policy/1/changes?since=9999"]
)
def test_a_version_that_does_not_exist_is_not_found(client, http, path):
    response = http.get(path, headers={"Accept": "text/markdown"})
    assert (response.status_code, response.json()["code"]) == (404, "not-found")
    with pytest.raises(NotFound):
        client().policy_changes(1, 9_999)


def _proposed(client, cast, law, reason="Resolution 4"):
    return client(cast.committee).set_policy(law, reason)


def test_a_law_is_proposed_in_the_form_in_which_it_is_told(client, cast):
    """What was changed in the answer of GET is the next version; the old one may be proposed again."""
    before = client().policy()
    limits = {**before["emergencies"], "recoverySeconds": before["emergencies"]["recoverySeconds"] + 86_400}
    dropped = before["entries"][-1]
    entries = [entry for entry in before["entries"] if entry != dropped]
    after = _proposed(client, cast, {**before, "emergencies": limits, "entries": entries})
    assert after == client().policy()
    assert after["version"] == before["version"] + 1
    assert after["emergencies"] == limits
    told = client().policy_changes(after["version"], before["version"])["items"]
    assert {item["kind"] for item in told} == {"limit", "use-dropped"}
    act = client(cast.committee).acts()[-1]
    assert (act["function"], act["kind"], act["status"]) == ("setPolicy", "LAW", "done")

    back = _proposed(client, cast, before)
    assert {**back, "version": 0} == {**before, "version": 0}


def _without_floor(law):
    entry = {**law["entries"][0]}
    entry["required"] = [fact for fact in entry["required"] if fact != "MEMBER_ACTIVE"]
    return {"entries": [entry, *law["entries"][1:]]}


def _in_two_classes(law):
    core = law["classes"]["CORE_PRIVACY"]
    return {"classes": {"CORE_PRIVACY": core, "SENSITIVE": [*law["classes"]["SENSITIVE"], core[0]]}}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_without_floor, "must require MEMBER_ACTIVE too"),
        (_in_two_classes, "a category is in one class only"),
        (lambda law: {}, "this is the law in force"),
        (lambda law: {"entries": [*law["entries"], law["entries"][0]]}, "once"),
        (lambda law: {"necessary": {"RESEARCH": ["DIAGNOSIS"]}}, "necessary must name each purpose"),
        (lambda law: {"levels": {}}, "levels.CORE_PRIVACY must name each purpose"),
        (lambda law: {"maxGrantSeconds": 0}, "greater than or equal to 1"),
        (lambda law: {"bannedPurposes": ["GOSSIP"]}, "known codes are"),
        (lambda law: {"entries": None}, "list"),
    ],
)
def test_a_law_that_cannot_be_is_refused_with_what_to_do(client, cast, change, said):
    law = client().policy()
    acts = len(client(cast.committee).acts())
    with pytest.raises(InvalidInput) as caught:
        _proposed(client, cast, {**law, **change(law)})
    assert said in " ".join([caught.value.message, *map(str, caught.value.__dict__.values())])
    assert (client().policy(), len(client(cast.committee).acts())) == (law, acts)


def test_a_law_is_proposed_by_seats_only(client, cast):
    law = client().policy()
    law["maxGrantSeconds"] -= 1
    with pytest.raises(NotPermitted):
        client(cast.hospital).set_policy(law, "We would like that")
    with pytest.raises(NotAuthenticated):
        client().set_policy(law, "We would like that")
    assert client().policy()["version"] == law["version"]
