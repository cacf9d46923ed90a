"""The pages in a real browser: accessible, usable by keyboard, and able to check the chain by themselves."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
import uvicorn
from axe_playwright_python.sync_playwright import Axe
from fastapi import FastAPI
from playwright.sync_api import Browser, Page, sync_playwright

from api.app import create_app
from api.settings import ApiSettings
from ledger.chain.devnet import free_port
from ledger.client import PassportClient, sign_in
from tests.support.serving import listening

CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on PATH (Debian: apt-get install chromium)"),
]


@pytest.fixture(scope="module")
def url(world, app: FastAPI) -> Iterator[str]:
    """Return the address of the service on a port of its own, served by uvicorn."""
    port = free_port()
    origin = f"http://127.0.0.1:{port}"
    served = create_app(
        world.service,
        sessions=world.runtime.sessions,
        settings=ApiSettings(origin=origin, rpc_url=world.settings.rpc),
    )
    with listening(uvicorn.Config(served, port=port, log_level="warning")):
        yield origin


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1100, "height": 900})
    opened = context.new_page()
    opened.complaints = []
    opened.on("console", lambda message: message.type == "error" and opened.complaints.append(message.text))
    yield opened
    context.close()


def enter(page: Page, url: str, code: str) -> None:
    """Sign in as people do: by typing the code and pressing Enter."""
    page.goto(f"{url}/sign-in")
    page.get_by_label("Sign-in code").fill(code)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda address: not address.endswith("/sign-in"))


def assert_accessible(page: Page) -> None:
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        results = Axe().run(
            page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
        )
        assert results.violations_count == 0, results.generate_report()


def patient_code(url: str, cast) -> str:
    with PassportClient(url) as client:
        return sign_in(client, cast.holder_key)["code"]


def member_code(url: str, actor) -> str:
    with PassportClient(url, actor.keys) as client:
        return client.open_member_session()["code"]


@pytest.mark.parametrize("path", ["/", "/sign-in", "/docs", "/problems", "/problems/not-found", "/nothing"])
def test_public_pages_are_accessible(page, url, path):
    page.goto(url + path)
    assert_accessible(page)


def test_a_patient_checks_the_page_against_the_chain(page, url, cast):
    enter(page, url, patient_code(url, cast))
    page.get_by_role("link", name="Who used my data at Riverside Hospital").click()
    page.get_by_role("button", name="Check against the chain").click()
    page.get_by_text("all on the chain, and none left out").wait_for()
    results = page.locator(".check-result")
    assert results.count() > 0
    assert set(results.all_inner_texts()) == {"✓ The same on the chain."}
    page.locator("summary").first.click()
    assert_accessible(page)
    assert page.complaints == []


@pytest.mark.parametrize(
    ("attribute", "value", "complaint"),
    [
        ("data-data", "0x" + "00" * 64, "the answer is another one"),
        ("data-outcome", "1", "the chain says: refused"),
        ("data-transaction", "0x" + "ab" * 32, "the node does not know this transaction"),
        ("data-topics", "0x", "it names another record, consent or institution"),
    ],
)
def test_a_forged_line_is_found(page, url, cast, attribute, value, complaint):
    enter(page, url, patient_code(url, cast))
    page.goto(f"{url}/patient/passports/{cast.own}")
    page.locator("[data-check]").last.evaluate(
        "(line, [name, value]) => line.setAttribute(name, value)", [attribute, value]
    )
    page.get_by_role("button", name="Check against the chain").click()
    page.get_by_text("This page is not what the chain says").wait_for()
    assert complaint in page.locator(".check-result").last.inner_text()


def test_a_line_that_was_left_out_is_found(page, url, cast):
    enter(page, url, patient_code(url, cast))
    page.goto(f"{url}/patient/passports/{cast.own}")
    page.locator("[data-check]").last.evaluate("(line) => line.remove()")
    page.get_by_role("button", name="Check against the chain").click()
    page.get_by_text("This page is not what the chain says").wait_for()
    assert "left out" not in page.locator("#check-summary").inner_text()


def test_a_node_that_does_not_answer_is_told(page, url, cast):
    enter(page, url, patient_code(url, cast))
    page.goto(f"{url}/patient/passports/{cast.own}")
    page.get_by_label("Address of the node").fill("http://127.0.0.1:9")
    page.get_by_role("button", name="Check against the chain").click()
    page.get_by_text("The check could not be done").wait_for()


def test_a_patient_needs_no_javascript(browser, url, cast):
    context = browser.new_context(java_script_enabled=False)
    plain = context.new_page()
    enter(plain, url, patient_code(url, cast))
    plain.goto(f"{url}/patient/passports/{cast.own}")
    assert plain.get_by_text("Nosy Insurance asked to read diagnoses").first.is_visible()
    assert plain.get_by_text("passport verify").is_visible()
    assert not plain.get_by_role("button", name="Check against the chain").is_visible()
    context.close()


@pytest.mark.parametrize("who", ["hospital", "lab", "auditor"])
def test_pages_of_members_are_accessible(page, url, cast, who):
    enter(page, url, member_code(url, getattr(cast, who)))
    assert_accessible(page)
    page.set_viewport_size({"width": 320, "height": 700})
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


@pytest.mark.parametrize("path", ["/acts", "/acts/1"])
def test_acts_are_accessible(page, url, cast, path):
    enter(page, url, member_code(url, cast.lab))
    page.get_by_role("link", name="Committee").click()
    page.goto(url + path)
    assert_accessible(page)
    page.set_viewport_size({"width": 320, "height": 700})
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_the_keyboard_reaches_the_content_first(page, url):
    page.goto(url)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


# The graph of a lineage


def drawn(page: Page) -> dict[str, list]:
    """Return what cytoscape draws: names of nodes, and pairs of edges."""
    return page.evaluate(
        """() => {
          const graph = document.querySelector(".graph-canvas")._cyreg.cy;
          return {
            nodes: graph.nodes().map((node) => [node.id(), node.data("label")]),
            edges: graph.edges().map((edge) => [edge.source().id(), edge.target().id()]),
          };
        }"""
    )


def tabled(page: Page) -> dict[str, list]:
    """Return what the table says: names and states of rows, and where each comes from."""
    return page.evaluate(
        """() => {
          const rows = [...document.querySelectorAll("#lineage-table tbody tr")];
          const words = (cell) => [...cell.querySelectorAll(".badge")].map((badge) => badge.innerText.trim());
          const title = (row) => row.cells[0].childNodes[0].textContent;
          return {
            nodes: rows.map((row) => [row.id, [title(row), ...words(row.cells[1])].join("\\n")]),
            edges: rows.flatMap((row) =>
              [...row.cells[3].querySelectorAll("a")].map((link) => [link.hash.slice(1), row.id])),
          };
        }"""
    )


@pytest.mark.parametrize("which", ["version", "dataset"])
def test_the_graph_draws_what_the_table_says(page, url, trail, which):
    enter(page, url, member_code(url, trail.lab.company))
    paths = {"version": f"/versions/0x{trail.line.model.hex()}", "dataset": f"/datasets/{trail.line.dataset}"}
    page.goto(url + paths[which])
    page.locator(".graph-links a").first.wait_for(state="attached")

    graph, table = drawn(page), tabled(page)

    assert len(table["nodes"]) == page.locator(".graph-links a").count() > 8
    assert sorted(table["nodes"]) == sorted(graph["nodes"])
    assert sorted(table["edges"]) == sorted(graph["edges"])
    assert page.complaints == []


def test_the_graph_is_accessible_and_keeps_to_the_policy(page, url, trail):
    """In both colour schemes and on a narrow screen; nothing inline, nothing from elsewhere, no complaint."""
    enter(page, url, member_code(url, trail.lab.company))
    with page.expect_response(lambda response: "/versions/" in response.url) as answer:
        page.goto(f"{url}/versions/0x{trail.line.model.hex()}")
    assert "unsafe" not in answer.value.headers["content-security-policy"]
    page.locator(".graph-links a").first.wait_for(state="attached")
    assert_accessible(page)
    page.set_viewport_size({"width": 320, "height": 700})
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    assert page.locator("style").count() == 0
    assert page.complaints == []


def focused(page: Page) -> str:
    return page.evaluate("document.activeElement.dataset.node || ''")


def test_the_graph_is_usable_by_keyboard(page, url, trail):
    """Tab enters at what the page is about, arrows follow the edges, Enter opens, and the focus is seen."""
    enter(page, url, member_code(url, trail.lab.company))
    page.goto(f"{url}/versions/0x{trail.line.model.hex()}")
    page.get_by_role("button", name="All of it").focus()
    page.keyboard.press("Tab")
    assert focused(page) == f"version-{trail.line.model.hex()}"
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("ArrowUp")
    assert focused(page).startswith("step-")
    page.keyboard.press("ArrowUp")
    assert focused(page) == f"version-{trail.line.training.hex()}"
    page.keyboard.press("Home")
    assert focused(page) == f"dataset-{trail.line.dataset}"
    page.keyboard.press("ArrowUp")
    assert focused(page) == f"dataset-{trail.line.dataset}"
    page.keyboard.press("End")
    page.keyboard.press("Home")
    box, view = page.locator(":focus").bounding_box(), page.locator(".graph-view").bounding_box()
    assert view["y"] <= box["y"]
    assert box["y"] + box["height"] <= view["y"] + view["height"]
    name = page.evaluate("document.activeElement.getAttribute('aria-label')")
    assert name.startswith(f"Dataset {trail.line.dataset}, ")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/datasets/{trail.line.dataset}")
    assert page.complaints == []


def test_arrows_go_along_a_line_of_the_graph(page, url, trail):
    """Of the parts of a split, side by side."""
    enter(page, url, member_code(url, trail.lab.company))
    page.goto(f"{url}/datasets/{trail.line.dataset}")
    page.locator(".graph-links a").first.wait_for(state="attached")
    parts = {
        f"version-{part.hex()}" for part in (trail.line.training, trail.line.validation, trail.line.test)
    }
    page.locator(f"[data-node='version-{trail.line.training.hex()}']").focus()
    seen = set()
    for _ in range(2):
        page.keyboard.press("ArrowLeft")
    for _ in range(3):
        seen.add(focused(page))
        page.keyboard.press("ArrowRight")

    assert seen == parts


def test_a_click_on_a_node_opens_its_page(page, url, trail):
    enter(page, url, member_code(url, trail.lab.company))
    page.goto(f"{url}/versions/0x{trail.line.model.hex()}")
    page.locator(f"[data-node='version-{trail.line.test.hex()}']").click()
    page.wait_for_url(f"**/versions/0x{trail.line.test.hex()}")


def test_a_lineage_needs_no_javascript(browser, url, trail):
    context = browser.new_context(java_script_enabled=False)
    plain = context.new_page()
    enter(plain, url, member_code(url, trail.lab.company))
    plain.goto(f"{url}/versions/0x{trail.line.model.hex()}")
    assert not plain.locator("#graph").is_visible()
    assert plain.locator(f"#dataset-{trail.line.dataset}").is_visible()
    plain.locator("#lineage-table").get_by_role("link", name=": train").first.click()
    assert "#step-" in plain.url
    context.close()


@pytest.mark.parametrize("who", ["staying", "leaving"])
def test_where_the_data_of_a_patient_went_is_accessible(page, url, trail, who):
    key, passport, _ = getattr(trail, who)
    with PassportClient(url) as client:
        code = sign_in(client, key)["code"]
    enter(page, url, code)
    page.goto(f"{url}/patient/passports/0x{passport.hex()}")
    assert page.get_by_role("heading", name="Where my data went").is_visible()
    assert_accessible(page)


@pytest.mark.parametrize("path", ["/datasets", "/institution"])
def test_pages_of_who_owes_an_answer_are_accessible(page, url, trail, path):
    enter(page, url, member_code(url, trail.lab.lab))
    page.goto(url + path)
    assert_accessible(page)
    page.set_viewport_size({"width": 320, "height": 700})
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


# What moves between members


def test_discrepancies_are_accessible_to_everybody(page, url, port, world, monkeypatch):
    late = world.now() + 100 * 86_400
    monkeypatch.setattr("api.access.now_of", lambda _: late)
    page.goto(f"{url}/")
    page.get_by_role("link", name="Discrepancies").first.click()
    page.wait_for_url("**/discrepancies")

    assert page.get_by_text("Report overdue").first.is_visible()
    page.locator("summary").first.click()
    assert_accessible(page)
    page.set_viewport_size({"width": 320, "height": 700})
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    assert page.complaints == []


@pytest.mark.parametrize("which", ["received", "refused", "halted", "abroad", "alone"])
def test_a_transfer_is_accessible_and_keeps_to_the_policy(page, url, port, which):
    enter(page, url, member_code(url, port.exchange.hospital))
    with page.expect_response(lambda response: "/transfers/" in response.url) as answer:
        page.goto(f"{url}/transfers/{getattr(port, which)}")
    assert "unsafe" not in answer.value.headers["content-security-policy"]
    assert_accessible(page)
    page.set_viewport_size({"width": 320, "height": 700})
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    assert page.complaints == []


@pytest.mark.parametrize("path", ["/borders", "/agreements/{}", "/institution"])
def test_agreements_and_borders_are_accessible(page, url, port, path):
    enter(
        page, url, member_code(url, port.exchange.regulator if "borders" in path else port.exchange.company)
    )
    page.goto(url + path.format(port.proposed))
    assert_accessible(page)
    page.set_viewport_size({"width": 320, "height": 700})
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    assert page.complaints == []


def test_from_what_is_proposed_to_its_agreement_by_keyboard(page, url, port):
    """Tab reaches the agreement that waits, Enter opens it, and what can be done about it is there."""
    enter(page, url, member_code(url, port.exchange.company))
    wanted = f"/agreements/{port.proposed}"
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.getAttribute('href')") == wanted:
            break
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{wanted}")
    assert page.get_by_text(f"passport agreement sign {port.proposed}").is_visible()
    assert page.complaints == []


def test_copies_of_a_patients_data_are_accessible(page, url, port):
    with PassportClient(url) as client:
        code = sign_in(client, port.holder_key)["code"]
    enter(page, url, code)
    page.goto(f"{url}/patient/passports/{port.own}")
    assert page.get_by_text("passport transfer verify proof.json").is_visible()
    assert_accessible(page)
    assert page.complaints == []
