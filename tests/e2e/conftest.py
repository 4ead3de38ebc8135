"""A real browser, the example project behind it, and axe to look at each page."""

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, sync_playwright

from benchmarks.broadcast.processes import CounterProcess
from holdfast.testing import drain_outbox
from holdfast_wallet.testing import allow_flush
from people import services
from storefront import defect_story, demo
from tests.e2e.looking import violations
from tests.journeys.counting import counter_server

__all__ = ["sign_in", "violations", "watch"]

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
# Pictures and frames that are part of a page have no host at all.
OURS = {"localhost", "127.0.0.1", None}
SIZES = {"phone": {"width": 390, "height": 844}, "desktop": {"width": 1280, "height": 900}}

# Playwright's synchronous interface keeps an event loop in this thread, in which Django would refuse the ORM.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--screenshots", metavar="FOLDER", help="Keep a picture of each page, at each size, light and dark."
    )


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Start the browser that BROWSER_PATH names, or the system's."""
    path = os.environ.get("BROWSER_PATH") or next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        pytest.skip("There is no Chromium: install one, or name it with BROWSER_PATH.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def site(live_server: Any, settings: Any) -> Iterator[str]:
    """Serve the project; the ledger's law is told to let the flush after the test happen."""
    settings.HOLDFAST = settings.HOLDFAST | {"STREAM_SECONDS": 1}
    yield live_server.url
    # Who looks on does so until its time is over, and reads the database meanwhile.
    for thread in threading.enumerate():
        if thread.name == "holdfast feed":
            thread.join(10)
    allow_flush()


@pytest.fixture
def counter(tmp_path: Path, settings: Any) -> Iterator[CounterProcess]:
    """A real counter server, which the project tells."""
    with counter_server(tmp_path / "counted") as server:
        settings.COUNTER_URL, settings.COUNTER_PAGE = f"{server.url}/events", f"{server.url}/"
        settings.HOLDFAST_DEFECTS = {
            "COUNTER": {"BACKEND": "tests.e2e.counting.PlainCounter", "OPTIONS": {"url": settings.COUNTER_URL}}
        }
        yield server


@pytest.fixture
def town(site: str, counter: CounterProcess) -> str:
    """Serve the project with the demo's people and their history."""
    demo.Story(lambda what, done, total: None).tell()
    defect_story.tell()
    drain_outbox()
    return site


@pytest.fixture
def person(site: str) -> Callable[..., Any]:
    """Make people with an account."""

    def make(username: str, **values: Any) -> Any:
        user = services.register_person(
            username=username, email=f"{username}@example.org", password=demo.PASSWORD, **values
        )
        drain_outbox()
        return user

    return make


@pytest.fixture(params=["phone", "desktop"])
def size(request: pytest.FixtureRequest) -> str:
    """Look at it on a phone and on a desk."""
    return str(request.param)


@pytest.fixture(params=["light", "dark"])
def scheme(request: pytest.FixtureRequest) -> str:
    """Look at it at day and at night."""
    return str(request.param)


@pytest.fixture
def open_context(browser: Browser) -> Iterator[Callable[..., BrowserContext]]:
    """Open windows, and close them; none of them may ask anybody but us."""
    contexts, foreign = [], []

    def note(request: Request) -> None:
        if urlsplit(request.url).hostname not in OURS:
            foreign.append(request.url)

    def make(*, size: str = "desktop", scheme: Any = "light") -> BrowserContext:
        context = browser.new_context(viewport=SIZES[size], color_scheme=scheme)  # type: ignore[arg-type]  # a viewport
        context.set_default_timeout(10_000)
        context.on("request", note)
        contexts.append(context)
        return context

    yield make
    for context in contexts:
        context.close()
    assert foreign == [], "A request has left the machine."


@pytest.fixture
def page(open_context: Callable[..., BrowserContext]) -> Iterator[Page]:
    """One window, which must not complain in its console."""
    page = open_context().new_page()
    complaints = watch(page)
    yield page
    assert complaints == []


def watch(page: Page) -> list[str]:
    """Collect what the page complains of: scripts that fail, policies that forbid, files that are missing."""
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    # A request that the next page cut short is nobody's fault.
    page.on("requestfailed", lambda request: "ERR_ABORTED" in request.failure or complaints.append(request.url))
    return complaints


def sign_in(page: Page, site: str, username: str) -> None:
    """Sign in at the page."""
    page.goto(f"{site}/login/")
    page.get_by_label("Username").fill(username)
    page.get_by_label("Password").fill(demo.PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Sign in").click()
