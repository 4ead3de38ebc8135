"""Looking at pages: what axe finds, what sticks out, what complains; and a picture of each, for the documents."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from playwright.sync_api import Page

AXE = Path(__file__).parent / "vendor" / "axe.min.js"
# A picture shows a page from its top, and no more of it than somebody scrolls.
TALL = 1600
TALLEST = {"office": 3200}
# On a phone, and in the back office's lists, a bar is at the foot of the window: it would lie across a taller picture.
FRAMED = "#changelist, #content-main > form"


class Look:
    """One window, through which a test goes from page to page; ``found`` is what is wrong, by the page's name."""

    def __init__(self, page: Page, *, size: str, scheme: str, keep: str | None) -> None:
        self.page = page
        self.size, self.scheme = size, scheme
        self.keep = Path(keep) if keep else None
        self.found: dict[str, list[str]] = {}

    def at_each(self, site: str, pages: Mapping[str, str]) -> None:
        """Open each page and look at it."""
        for name, address in pages.items():
            self.at(name, f"{site}{address}")

    def at(self, name: str, address: str = "") -> None:
        """Open a page, or take the one that is open, and look at it."""
        if address:
            self.page.goto(address)
        self.page.evaluate("document.fonts.ready")
        wrong = violations(self.page)
        if self.page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
            wrong.append("The page is wider than the window.")
        if wrong:
            self.found[name] = wrong
        if self.keep:
            self._take_picture(self.keep / f"{name}-{self.size}-{self.scheme}.png")

    def _take_picture(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        width, tall = self.page.evaluate("[innerWidth, Math.max(innerHeight, document.documentElement.scrollHeight)]")
        if self.size == "phone" or self.page.locator(FRAMED).count():
            self.page.screenshot(path=path, animations="disabled")
            return
        clip = {"x": 0, "y": 0, "width": width, "height": min(tall, TALLEST.get(path.stem.split("-")[0], TALL))}
        self.page.screenshot(path=path, full_page=True, clip=clip, animations="disabled")  # type: ignore[arg-type]  # a rectangle


def looking(page: Page, request: pytest.FixtureRequest, *, size: str, scheme: str) -> Look:
    """Return a look through a window, that keeps pictures where the command line names a folder for them."""
    return Look(page, size=size, scheme=scheme, keep=request.config.getoption("--screenshots", default=None))


def violations(page: Page) -> list[str]:
    """Return what axe finds serious or worse."""
    # Evaluated, not added as a tag: the page's own policy would rightly refuse a foreign script.
    page.evaluate(AXE.read_text())
    found = page.evaluate("axe.run().then(results => results.violations)")
    return [
        f"{violation['id']}: {node['target']} {node['failureSummary']}"
        for violation in found
        if violation["impact"] in ("serious", "critical")
        for node in violation["nodes"]
    ]
