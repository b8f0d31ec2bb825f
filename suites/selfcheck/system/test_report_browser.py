"""The HTML report as a reviewer has it: opened from the disk in a browser, read, and clicked through."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest
from junitparser import JUnitXml

from contracts.requirements import catalogue
from fixtures.emulator.threaded import ThreadedServer
from suites.selfcheck.system.runs import ROOT, Finished, environment, suite, target_file
from suites.selfcheck.system.tools import missing

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.browser, pytest.mark.node, pytest.mark.xdist_group("browser")]

BROKEN = "T6-subuser-create-refused"
ADVICE = "P2-not-publicly-cacheable"
FAULTS = ["subuser-creates", "cache-public"]
_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """The second of two runs in one directory, on a target that breaks a MUST and a SHOULD."""
    if shutil.which("npm") is None or shutil.which("node") is None:
        missing("Node.js and npm are not installed")
    folder = tmp_path_factory.mktemp("browser")
    # One target has one history.
    with ThreadedServer(FAULTS) as server:
        target = target_file(server, folder / "target.toml")
        suite("--target", target, "--requirement", "S1", "-q", folder=folder / "report")
        return suite("--target", target, folder=folder / "report")


@pytest.fixture(scope="module")
def page_file(run: Finished) -> Path:
    made = subprocess.run(
        [sys.executable, "-m", "reports.allure.page", str(run.folder)],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert made.returncode == 0, made.stderr
    assert made.stdout.strip() == str(run.folder / "allure-report.html")
    return run.folder / "allure-report.html"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        missing("playwright is not installed")
    program = next(filter(None, map(shutil.which, _BROWSERS)), None)
    if program is None:
        missing("no Chromium is installed")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(
            executable_path=program,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"],
        )
        yield opened
        opened.close()


@pytest.fixture
def page(browser: Browser, page_file: Path) -> Iterator[Page]:
    """The report, opened; whatever it asks of anybody fails the test."""
    opened = browser.new_page(viewport={"width": 1600, "height": 1400})
    opened.set_default_timeout(10_000)
    asked: list[str] = []
    opened.on("request", lambda request: asked.append(request.url))
    problems: list[str] = []
    opened.on("pageerror", lambda error: problems.append(str(error)))
    opened.goto(page_file.as_uri())
    opened.locator(".widget__title").first.wait_for()
    yield opened
    shots = os.environ.get("DELIVERY_SCREENSHOTS")
    if shots:
        opened.screenshot(path=Path(shots) / f"{len(list(Path(shots).iterdir()))}.png")
    opened.close()
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []
    assert problems == []


def statuses(page: Page, tab: str) -> dict[str, int]:
    """The numbers that the tree of *tab* shows above it."""
    page.goto(page.url.partition("#")[0] + f"#{tab}")
    page.locator(".tree .node__title").first.wait_for()
    shown = page.locator(".status-toggle [data-status]")
    return {str(each.get_attribute("data-status")): int(each.inner_text()) for each in shown.all()}


def test_overview_says_the_verdict(page: Page, run: Finished) -> None:
    text = page.locator("body").inner_text()
    assert f"nonconformant: {run.document['target']['base_url']}, profile platform" in " ".join(text.split())
    assert f"nonconformant: {run.document['exit_reason']}" in " ".join(text.split())
    assert run.document["target"]["base_url"] in text
    assert "#2" in text  # the trend goes back to the first run


def test_numbers_are_those_of_the_other_reports(page: Page, run: Finished) -> None:
    tests = run.document["tests"]
    expected = {
        "failed": tests["failed"],
        "broken": tests["error"],
        "passed": tests["passed"],
        "skipped": tests["warning"] + tests["waived"] + tests["blocked"] + tests["not_verified"],
        "unknown": 0,
    }
    assert expected["failed"]
    assert expected["skipped"]
    assert statuses(page, "suites") == expected
    # Each test is counted once, wherever it stands.
    assert statuses(page, "behaviors") == expected
    junit = JUnitXml.fromfile(str(run.folder / "junit.xml"))
    assert junit.tests == sum(expected.values())
    assert (junit.failures, junit.errors, junit.skipped) == (
        expected["failed"],
        expected["broken"],
        expected["skipped"],
    )


def test_overview_counts_the_requirements(page: Page, run: Finished) -> None:
    results = [each["result"] for each in run.document["requirements"]]
    text = page.locator("body").inner_text()
    for result in ("failed", "warning", "passed"):
        assert f"{results.count(result)} {result}" in text


def test_a_failing_test_says_what_is_broken(page: Page, run: Finished) -> None:
    page.goto(page.url.partition("#")[0] + "#categories")
    page.get_by_text(f"{BROKEN}: {catalogue()[BROKEN].title}").click()
    page.get_by_text(f"{BROKEN} (MUST)").first.click()
    page.locator(".node__leaf").first.click()
    pane = page.locator(".test-result")
    pane.get_by_text("What is broken").wait_for()
    text = " ".join(pane.inner_text().split())
    violation = run.requirement(BROKEN)["violations"][0]
    assert " ".join(catalogue()[BROKEN].obligation.split()) in text
    assert " ".join(violation["expected"].split()) in text
    assert " ".join(violation["actual"].split()) in text
    pane.get_by_text("To repeat it").click()
    assert "$DELIVERY_SUBUSER_HASH" in pane.inner_text()
    pane.get_by_text("create as subuser (GET, query) →").first.click()
    pane.locator(".attachment-row__name:visible", has_text="exchange").first.click()
    pane.get_by_text("GET http").filter(visible=True).first.wait_for()
    body = " ".join(pane.inner_text().split())
    assert "hash=«subuser»" in body
    assert "HTTP 200" in body
    assert "curl -sS -i" in body


def test_a_warning_is_told_apart(page: Page) -> None:
    page.goto(page.url.partition("#")[0] + "#categories")
    page.get_by_text(f"Warning: {ADVICE}: ").first.click()
    assert page.get_by_text(f"warning: {ADVICE}").count() > 0


def test_two_runs_share_no_history_id_but_with_themselves(run: Finished) -> None:
    results = [json.loads(path.read_text()) for path in (run.folder / "allure-results").glob("*-result.json")]
    assert len({each["historyId"] for each in results}) == len(results) > 100
    history = json.loads((run.folder / "allure-results" / "history" / "history.json").read_text())
    assert set(history) <= {each["historyId"] for each in results}
    assert history


# ---------------------------------------------------------------------- conformance.html


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [400, 1440])
def test_the_page_can_be_read(browser: Browser, run: Finished, width: int, scheme: Literal["light", "dark"]) -> None:
    opened = browser.new_page(viewport={"width": width, "height": 1000}, color_scheme=scheme)
    asked: list[str] = []
    problems: list[str] = []
    opened.on("request", lambda request: asked.append(request.url))
    opened.on("console", lambda message: problems.append(message.text))
    opened.goto((run.folder / "conformance.html").as_uri())
    assert opened.locator("h1").inner_text() == "Nonconformant"
    # Nothing sticks out at the side, and nothing but the file itself was asked for.
    assert opened.evaluate("document.documentElement.scrollWidth") <= width
    assert [url for url in asked if not url.startswith("file:")] == []
    assert problems == []
    row = opened.locator(f"#{BROKEN}")
    assert run.requirement(BROKEN)["violations"][0]["actual"] in row.inner_text()
    row.get_by_text("How to repeat it").click()
    assert "$DELIVERY_SUBUSER_HASH" in row.inner_text()
    # The style was taken: without it the page has a serif and no colours.
    assert "sans-serif" in opened.evaluate("getComputedStyle(document.body).fontFamily")
    shade = opened.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (shade == "rgb(255, 255, 255)") == (scheme == "light")
    opened.close()


def test_the_page_prints_what_is_folded(browser: Browser, run: Finished) -> None:
    opened = browser.new_page()
    opened.emulate_media(media="print")
    opened.goto((run.folder / "conformance.html").as_uri())
    assert opened.locator(f"#{BROKEN} pre").last.is_visible()
    opened.close()
