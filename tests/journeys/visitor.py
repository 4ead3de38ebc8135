"""A person with a browser without JavaScript: opens pages, fills the forms that are there, presses the button."""

from html.parser import HTMLParser
from typing import Any

from django.test import Client

PASSWORD = "correct-horse-battery"


class _Forms(HTMLParser):
    """Collects the forms of a page: where they lead, and what their fields hold."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[dict[str, Any]] = []
        self.select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "form":
            self.forms.append({"action": given.get("action") or "", "method": given.get("method"), "fields": {}})
        if not self.forms:
            return
        fields = self.forms[-1]["fields"]
        if tag == "input" and given.get("name"):
            if given.get("type") not in ("radio", "checkbox"):
                fields[given["name"]] = given.get("value") or ""
            elif "checked" in given:
                fields[given["name"]] = given.get("value") or "on"
        elif tag == "select":
            self.select = given.get("name") or ""
        elif tag == "option" and self.select and ("selected" in given or self.select not in fields):
            fields[self.select] = given.get("value") or ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "select":
            self.select = ""


class Visitor:
    """One person at the pages."""

    def __init__(self, username: str) -> None:
        self.username = username
        self.client = Client()
        self.page: Any = None

    def open(self, address: str, *, status: int = 200) -> "Visitor":
        """Open a page."""
        self.page = self.client.get(address, follow=True)
        assert self.page.status_code == status, self.text
        return self

    def form(self, action: str = "") -> dict[str, Any]:
        """Return the form of the page that leads to ``action``, or its first POST form."""
        parser = _Forms()
        parser.feed(self.text)
        return next(form for form in parser.forms if (form["action"] == action if action else form["method"] == "post"))

    def submit(self, *, action: str = "", status: int = 200, **values: str) -> "Visitor":
        """Fill the form and send it."""
        form = self.form(action)
        address = form["action"] or self.page.request["PATH_INFO"]
        self.page = self.client.post(address, form["fields"] | values, follow=True)
        assert self.page.status_code == status, self.text
        return self

    @property
    def text(self) -> str:
        """What the page says."""
        return self.page.content.decode() if not self.page.streaming else b"".join(self.page).decode()

    @property
    def address(self) -> str:
        """Where the visitor is now."""
        return str(self.page.request["PATH_INFO"])

    def register(self, **values: str) -> "Visitor":
        """Register at the page."""
        defaults = {"username": self.username, "email": f"{self.username}@example.org", "password": PASSWORD}
        return self.open("/register/").submit(**defaults | values)
