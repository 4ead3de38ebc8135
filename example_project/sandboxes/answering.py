"""What the stand-ins have in common: doors that take a body, answers in JSON, and signatures that fit or do not."""

import json
from collections.abc import Callable, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from typing import Any


class Refused(Exception):
    """What came is not taken, and which status says so."""

    def __init__(self, status: HTTPStatus, detail: str) -> None:
        super().__init__(detail)
        self.status = status


class AnsweringHandler(BaseHTTPRequestHandler):
    """One connection."""

    sys_version = ""
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 60
    max_body_bytes = 1024

    def doors(self) -> Mapping[str, Callable[[bytes], None]]:
        """Return who takes what is posted to a path."""
        return {}

    def show(self, path: str) -> None:
        """Answer who wants to see something."""
        self.answer_json(HTTPStatus.NOT_FOUND, {"detail": f"There is nothing at {path}."})

    def do_GET(self) -> None:
        """Show the page of the path."""
        self.show(self.path.partition("?")[0])

    def do_POST(self) -> None:
        """Hand the body to the door of its path, and say why where it is not taken."""
        try:
            self.doors().get(self.path.partition("?")[0], self._take_nothing)(self._body())
        except Refused as refusal:
            self.answer_json(refusal.status, {"detail": str(refusal)})

    def answer_json(self, status: HTTPStatus, document: Mapping[str, Any]) -> None:
        self.answer(status, json.dumps(document).encode(), "application/json")

    def answer(
        self, status: HTTPStatus, body: bytes, content_type: str, headers: Mapping[str, str] | None = None
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_error(self, format: str, *args: Any) -> None:  # noqa: A002 - as its base calls it
        """Keep quiet of a line on which nobody has anything to ask any more; what was answered badly is in its line."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Keep quiet of what went well: there are thousands of them."""
        if int(code) >= HTTPStatus.BAD_REQUEST:
            super().log_request(code, size)

    def _take_nothing(self, _body: bytes) -> None:
        raise Refused(HTTPStatus.NOT_FOUND, f"There is {' and '.join(self.doors())}.")

    def _body(self) -> bytes:
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > self.max_body_bytes:
            self.close_connection = True  # what was not read would be taken for the next request
            raise Refused(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"A body has a length, of up to {self.max_body_bytes} bytes."
            )
        return self.rfile.read(int(length))


def read_json(body: bytes) -> dict[str, Any]:
    """Return the JSON object of a body. Raises ``Refused``."""
    try:
        document = json.loads(body)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise Refused(HTTPStatus.BAD_REQUEST, "The body is no JSON object.")
    return document


def verifier(secret: str) -> Callable[[Any, bytes], None]:
    """Return what refuses a body that the secret has not signed, or lets everything pass where there is no secret."""
    if not secret:
        return lambda _headers, _body: None

    import django  # noqa: PLC0415 - only to verify: the foundation's verifier lives beside Django models
    from django.conf import settings  # noqa: PLC0415 - as above

    if not settings.configured:
        settings.configure(INSTALLED_APPS=["django.contrib.contenttypes", "holdfast"])
        django.setup()
    from holdfast.outbox.webhooks.verifier import InvalidWebhook, verify  # noqa: PLC0415 - as above

    def check(headers: Any, body: bytes) -> None:
        try:
            verify(headers, body, secrets=[secret])
        except InvalidWebhook as error:
            raise Refused(HTTPStatus.UNAUTHORIZED, str(error)) from None

    return check
