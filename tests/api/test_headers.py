"""Headers of every answer, how fresh it is, and that no other site can act for somebody."""

from __future__ import annotations

from contextlib import asynccontextmanager

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.middleware import COOKIE
from api.settings import ApiSettings
from cli.service import api_settings
from ledger.errors import InvalidInput
from ledger.settings import Settings
from tests.api.conftest import ORIGIN, assert_problem

ALWAYS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
}


@pytest.mark.parametrize(
    "path", ["/", "/sign-in", "/v1/policy", "/v1/nothing", "/livez", "/static/style.css", "/v1/members"]
)
def test_every_answer_is_protected(http, cast, path):
    response = http.get(path)
    assert ALWAYS.items() <= dict(response.headers).items()
    policy = response.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy


def test_personal_answers_are_not_stored(http, cast, holder_code):
    http.cookies.set(COOKIE, holder_code)
    for path in (
        "/patient",
        f"/patient/passports/{cast.own}",
        "/v1/passports",
        f"/v1/passports/{cast.own}/decisions",
    ):
        assert http.get(path).headers["cache-control"] == "no-store"


def test_reads_say_how_fresh_they_are(send, cast):
    for path in (
        "/v1/members",
        "/v1/ledger",
        "/v1/committee",
        "/v1/acts",
        "/v1/acts/1",
        "/v1/passports",
        f"/v1/passports/{cast.own}",
    ):
        headers = send(cast.hospital, "GET", path).headers
        assert 0 < int(headers["x-indexed-block"]) <= int(headers["x-chain-head"]) + 1


def test_only_the_patients_page_may_ask_nodes(http, cast, holder_code, world):
    http.cookies.set(COOKIE, holder_code)
    policy = http.get(f"/patient/passports/{cast.own}").headers["content-security-policy"]
    assert world.settings.rpc in policy
    assert "connect-src 'self';" in http.get("/patient").headers["content-security-policy"]


def test_lists_link_to_the_next_page(http, send, cast):
    first = send(cast.hospital, "GET", "/v1/passports?limit=1")
    cursor = first.json()["next"]
    assert cursor
    assert first.headers["link"].endswith('>; rel="next"')
    link = first.headers["link"][1:].partition(">")[0]
    second = send(cast.hospital, "GET", link)
    assert second.json()["items"][0] != first.json()["items"][0]


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({"Sec-Fetch-Site": "none"}, True),
        ({"Origin": ORIGIN}, True),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Sec-Fetch-Site": "cross-site", "Origin": ORIGIN}, False),
        ({"Origin": "https://evil.example"}, False),
        ({"Origin": "null"}, False),
        ({}, False),
    ],
)
def test_only_our_own_pages_can_act_with_the_cookie(http, cast, holder_code, headers, allowed):
    http.cookies.set(COOKIE, holder_code)
    for path in ("/sign-in", "/v1/grants/preparations"):
        response = http.post(path, headers=headers)
        if allowed:
            assert response.status_code != 403
        else:
            assert_problem(response, 403, "cross-site")


def test_a_bearer_code_needs_no_page_though_a_cookie_comes_along(http, cast, holder_code):
    http.cookies.set(COOKIE, holder_code)
    cross = {"Sec-Fetch-Site": "cross-site"}
    bearer = http.post("/v1/grants/preparations", headers={**cross, "Authorization": "Bearer nonsense"})
    assert_problem(bearer, 401, "not-authenticated")
    basic = http.post("/v1/grants/preparations", headers={**cross, "Authorization": "Basic YTpi"})
    assert_problem(basic, 403, "cross-site")


def test_signed_requests_need_no_page(send, cast):
    response = send(cast.lab, "POST", "/v1/sessions", headers={"Sec-Fetch-Site": "cross-site"})
    assert response.status_code == 201


def test_cookies_insist_on_tls_where_there_is_tls():
    assert ApiSettings(origin="https://passport.example").secure
    assert not ApiSettings(origin=ORIGIN).secure


def test_over_tls_the_browser_is_told_to_stay_there(world, app):
    settings = ApiSettings(origin="https://passport.example")
    secure = create_app(world.service, sessions=app.state.sessions, settings=settings)
    response = TestClient(secure, base_url="https://passport.example").get("/livez")
    assert response.headers["strict-transport-security"].startswith("max-age=")


def test_what_runs_beside_the_service_starts_and_stops_with_it(world, app):
    seen = []

    @asynccontextmanager
    async def beside(_app):
        seen.append("start")
        yield
        seen.append("stop")

    for lifespan in (beside, None):
        made = create_app(
            world.service, sessions=app.state.sessions, settings=ApiSettings(origin=ORIGIN), lifespan=lifespan
        )
        with TestClient(made, base_url=ORIGIN) as client:
            assert client.get("/livez").json() == {"status": "alive"}
    assert seen == ["start", "stop"]


def test_a_service_knows_its_names():
    settings = ApiSettings(origin="https://passport.example", other_origins=("http://localhost:8000",))
    assert settings.origin_for("Passport.Example") == "https://passport.example"
    assert settings.origin_for("localhost:8000") == "http://localhost:8000"
    with pytest.raises(InvalidInput, match="host name"):
        settings.origin_for("localhost")


@pytest.mark.parametrize(
    ("environment", "origins"),
    [
        ("sandbox", ("http://127.0.0.1:8123", "http://localhost:8123")),
        ("production", ("http://127.0.0.1:8123",)),
    ],
)
def test_only_a_sandbox_goes_by_localhost(environment, origins):
    """Behind a proxy production listens on loopback too: a page on localhost is another's all the same."""
    settings = Settings(environment=environment, port=8123)
    assert api_settings(settings, deployed_block=1).origins == origins
    public = settings.model_copy(update={"origin": "https://passport.example"})
    expected = ("https://passport.example", *origins[1:])
    assert api_settings(public, deployed_block=1).origins == expected
