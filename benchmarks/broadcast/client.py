"""One client of the proof: creates and deletes defects, and writes down what was acknowledged.

``python -m benchmarks.broadcast.client people <count>`` makes people and prints their ids with their tokens.
``python -m benchmarks.broadcast.client work <options as JSON>`` works. ``door`` is "api" (HTTP, as a stranger would) or
"verbs" (the services, as the project itself would).
"""

import http.client
import json
import random
import sys
import time
from collections import deque
from pathlib import Path
from typing import Any, TextIO

KEPT = 20  # so many of its defects are there at once


class Api:
    """The door of strangers."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def create(self, person: dict[str, Any], comment: str) -> str:
        return str(self._ask("POST", "/api/defects", person, 201, {"comment": comment, "severity": "low"})["id"])

    def delete(self, person: dict[str, Any], defect: str) -> None:
        self._ask("DELETE", f"/api/defects/{defect}", person, 204)

    def _ask(self, method: str, path: str, person: dict[str, Any], expect: int, body: Any = None) -> Any:
        headers = {"Authorization": f"Token {person['token']}", "Content-Type": "application/json"}
        self._connection.request(method, path, json.dumps(body) if body else None, headers)
        answer = self._connection.getresponse()
        content = answer.read()
        if answer.status != expect:
            raise RuntimeError(f"{method} {path}: {answer.status} {content!r}")
        return json.loads(content) if content else None


class Verbs:
    """The door of the project itself."""

    def __init__(self, _port: int) -> None:
        import django

        django.setup()
        from holdfast_defects import services

        self._services = services

    def create(self, person: dict[str, Any], comment: str) -> str:
        return str(self._services.report_defect(user_id=person["id"], comment=comment).id)

    def delete(self, person: dict[str, Any], defect: str) -> None:
        from uuid import UUID

        self._services.delete_defect(defect_id=UUID(defect), user_id=person["id"])


def work(door: str, port: int, people: list[dict[str, Any]], defects: int, log: str) -> None:
    """Create so many defects and delete each of them, in the names of these people."""
    chosen: Any = {"api": Api, "verbs": Verbs}[door](port)
    there: deque[tuple[dict[str, Any], str]] = deque()
    with Path(log).open("w", buffering=1) as acknowledged:
        for number in range(defects):
            person = random.choice(people)
            began = time.monotonic()
            there.append((person, chosen.create(person, f"Defect {number}")))
            _note(acknowledged, person, "create", began)
            if len(there) > KEPT:
                _delete(chosen, there, acknowledged)
        while there:
            _delete(chosen, there, acknowledged)


def _delete(door: Any, there: deque[tuple[dict[str, Any], str]], acknowledged: TextIO) -> None:
    person, defect = there.popleft()
    began = time.monotonic()
    door.delete(person, defect)
    _note(acknowledged, person, "delete", began)


def _note(acknowledged: TextIO, person: dict[str, Any], action: str, began: float) -> None:
    acknowledged.write(f"{person['id']} {action} {(time.monotonic() - began) * 1000:.1f}\n")


def make_people(count: int) -> None:
    """Make people with a token each, and print them as JSON."""
    import django

    django.setup()
    from rest_framework.authtoken.models import Token

    from people.models import User

    people = [User.objects.create_user(f"client-{number}") for number in range(count)]
    print(json.dumps([{"id": user.pk, "token": Token.objects.create(user=user).key} for user in people]))


if __name__ == "__main__":
    if sys.argv[1] == "people":
        make_people(int(sys.argv[2]))
    else:
        work(**json.loads(sys.argv[2]))
