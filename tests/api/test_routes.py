"""The routes are a committed list, documented with examples, and every problem they answer with is listed."""

from __future__ import annotations

from pathlib import Path

from fastapi.routing import APIRoute

from api.app import _PAGES, _ROUTERS
from api.problems import MEDIA_TYPE

LIST = Path(__file__).with_name("routes.txt")


def all_routes() -> list[str]:
    """Return what the routers serve; the OpenAPI file and the static files come from the frameworks."""
    routers = (*_ROUTERS, *_PAGES)
    return sorted(
        f"{method} {route.path}"
        for router in routers
        for route in router.routes
        if isinstance(route, APIRoute)
        for method in route.methods
    )


def operations(app):
    for path, methods in app.openapi()["paths"].items():
        for method, operation in methods.items():
            yield method, path, operation


def test_the_routes_are_those_on_the_list():
    assert LIST.read_text().splitlines() == all_routes()


def test_the_file_is_openapi_3_1(app, http):
    document = http.get("/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    assert document == app.openapi()
    assert {"memberSignature", "session", "sessionCookie"} <= document["components"]["securitySchemes"].keys()


def test_each_route_says_what_it_does_and_for_whom(app):
    for method, path, operation in operations(app):
        assert operation["tags"], path
        assert "For " in operation["description"], (method, path)


def test_each_route_lists_its_problems(app):
    for method, path, operation in operations(app):
        if path == "/livez":
            continue
        problems = [code for code in operation["responses"] if code >= "4"]
        assert problems, path
        for code in problems:
            content = operation["responses"][code]["content"]
            assert content[MEDIA_TYPE]["examples"], (method, path, code)


def test_each_body_has_an_example(app):
    schemas = app.openapi()["components"]["schemas"]

    def has_example(schema) -> bool:
        schema = schemas[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
        parts = schema.get("oneOf") or schema.get("anyOf") or []
        if parts:
            return all(has_example(part) for part in parts if part.get("type") != "null")
        if schema.get("examples"):
            return True
        return any(item.get("examples") for item in schema.get("properties", {}).values())

    for method, path, operation in operations(app):
        if "requestBody" in operation:
            (content,) = operation["requestBody"]["content"].values()
            assert has_example(content["schema"]), (method, path)


def test_each_write_documents_its_key_and_the_wait(app):
    unkeyed = {
        "/v1/grants/preparations",
        "/v1/grants/{grant}/amendment",
        "/v1/passports/{passport}/holder/preparations",
        "/v1/sessions",
        "/v1/sessions/challenges",
        "/v1/steps/parts",
    }
    for method, path, operation in operations(app):
        if method == "get" or path in unkeyed:
            continue
        names = {parameter["name"] for parameter in operation["parameters"]}
        assert {"idempotency-key", "prefer"} <= {name.lower() for name in names}, path
        assert "202" in operation["responses"]
