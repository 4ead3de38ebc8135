"""People who call the API, and show each call."""

import time
from collections.abc import Callable, Mapping
from typing import Any
from uuid import uuid4

import httpx

from storefront.tour.report import Report

ROOT = "/api/v1"
PATIENCE_SECONDS = 60.0
POLL_SECONDS = 0.5
TIMEOUT_SECONDS = 15.0
SHOWN_OF_AN_ANSWER = 1000


class Astray(Exception):
    """Something was not as the story goes; the message says what."""


def expect(holds: object, otherwise: str) -> None:
    """Go on if it holds. Raises ``Astray``."""
    if not holds:
        raise Astray(otherwise)


class Api:
    """The API of a running demo; ``pause`` passes the time between two looks at what takes some."""

    def __init__(self, client: httpx.Client, report: Report, *, pause: Callable[[float], None] = time.sleep) -> None:
        self.client = client
        self.report = report
        self.pause = pause

    def visitor(self) -> "Caller":
        """Return somebody who has not signed in."""
        return Caller(self)

    def sign_in(self, username: str, password: str) -> "Caller":
        """Return somebody who has, by JWT."""
        said = self.visitor().post("/auth/jwt/", {"username": username, "password": password})
        self.report.came(f"Signed in as {said['username']}, user {said['user_id']}")
        return Caller(self, user_id=said["user_id"], token=said["access"])


class Caller:
    """One person at the API. Whatever is answered with another status than expected raises ``Astray``."""

    def __init__(self, api: Api, *, user_id: int = 0, token: str = "") -> None:
        self.user_id = user_id
        self._api = api
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    def get(self, path: str) -> Any:
        """Return what is there."""
        return self._shown("GET", path).json()

    def etag(self, path: str) -> str:
        """Return the ``ETag`` of what is there: whoever changes it sends that back."""
        return str(self._shown("GET", path).headers.get("ETag", ""))

    def post(self, path: str, body: Any = None, *, key: str = "", statuses: tuple[int, ...] = (200,)) -> Any:
        """Send something, under an ``Idempotency-Key`` where there is one."""
        return self._shown("POST", path, body, {"Idempotency-Key": key} if key else {}, statuses).json()

    def create(self, path: str, body: Any, *, key: str = "") -> Any:
        """Send something new, or something that is still to come; once, however often it is sent."""
        return self.post(path, body, key=key or str(uuid4()), statuses=(201, 202))

    def patch(self, path: str, body: Any, *, etag: str = "") -> Any:
        """Change something, unless somebody else has since the ``ETag``."""
        return self._shown("PATCH", path, body, {"If-Match": etag} if etag else {}).json()

    def poll(self, path: str, until: Callable[[Any], object], whom: str) -> Any:
        """Ask until the answer is as it should be, up to a limit; only the last of these calls is shown."""
        began = time.monotonic()
        while True:
            reply = self._send("GET", path)
            waited, body = time.monotonic() - began, reply.json()
            if until(body):
                self._api.report.asked(reply.status_code, "GET", path, waited)
                return body
            expect(waited < PATIENCE_SECONDS, f"GET {path}: {whom} took too long; the last answer:\n{_start(reply)}")
            self._api.report.waiting(whom, waited)
            self._api.pause(POLL_SECONDS)

    def _shown(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: Mapping[str, str] = {},
        statuses: tuple[int, ...] = (200,),
    ) -> httpx.Response:
        reply = self._send(method, path, body, headers, statuses)
        self._api.report.asked(reply.status_code, method, path)
        return reply

    def _send(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: Mapping[str, str] = {},
        statuses: tuple[int, ...] = (200,),
    ) -> httpx.Response:
        address = path if path.startswith("http") else ROOT + path
        try:
            reply = self._api.client.request(method, address, json=body, headers={**self._headers, **headers})
        except httpx.HTTPError as error:
            raise Astray(f"{method} {address}: no answer ({error}). Does the demo run there?") from error
        if reply.status_code not in statuses:
            self._api.report.asked(reply.status_code, method, path)
            raise Astray(f"{' or '.join(map(str, statuses))} was expected, and the answer is:\n{_start(reply)}")
        is_json = "json" in reply.headers.get("Content-Type", "")
        expect(is_json, f"{method} {path}: the answer is no JSON:\n{_start(reply)}")
        return reply


def _start(reply: httpx.Response) -> str:
    return reply.text[:SHOWN_OF_AN_ANSWER]
