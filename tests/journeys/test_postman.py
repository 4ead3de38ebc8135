"""The Postman collection is that of today's API, and each of its requests is answered as the document promises."""

import json
import os
import re
import shutil
import subprocess
import uuid
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from holdfast.testing import drain_outbox
from people import services as people
from people.models import User
from tests.journeys import postman
from tests.journeys.calling import PASSWORD, document
from tests.journeys.openapi import Operation, operations

NEWMAN = os.environ.get("NEWMAN") or shutil.which("newman")


def test_the_collection_and_its_environment_are_those_of_todays_document():
    stale = "Run 'nox -s postman' to write it again."
    assert json.loads(postman.COLLECTION.read_text()) == postman.collection(document()), stale
    assert json.loads(postman.ENVIRONMENT.read_text()) == postman.environment(), stale


def test_the_collection_has_every_operation():
    names = {
        (
            request["request"]["method"],
            re.sub(r":(\w+)", r"{\1}", request["request"]["url"]["raw"][len("{{base_url}}") :]),
        )
        for request in postman.requests_of(postman.collection(document()))
    }
    assert names == {(operation.method.upper(), operation.path) for operation in operations(document())}


@pytest.fixture
def operator(flushable: None, settings: Any) -> User:
    """Somebody who may do everything, with a wallet, in a project whose streams are short."""
    settings.HOLDFAST = settings.HOLDFAST | {"STREAM_SECONDS": 0.1}
    user = people.register_person(username="operator", email="operator@example.org", password=PASSWORD)
    User.objects.filter(pk=user.pk).update(is_staff=True, is_superuser=True)
    drain_outbox()
    return user


class Runner:
    """Runs the requests as Postman does: with variables that the answers fill."""

    def __init__(self, client: httpx.Client, base_url: str) -> None:
        self.client = client
        self.operations = {(one.method.upper(), one.path): one for one in operations(document())}
        self.variables = {"base_url": base_url, "username": "operator", "password": PASSWORD}

    def run(self, item: dict[str, Any]) -> tuple[Operation, httpx.Response]:
        request = item["request"]
        url = request["url"]["raw"]
        operation = self.operations[request["method"], re.sub(r":(\w+)", r"{\1}", url[len("{{base_url}}") :])]
        for one in request["url"]["variable"]:
            url = url.replace(f":{one['key']}", self.filled(one["value"]))
        headers = {one["key"]: self.filled(one["value"]) for one in request["header"]}
        if "auth" not in request and "access" in self.variables:
            headers["Authorization"] = f"Bearer {self.variables['access']}"
        body = self.filled(request.get("body", {}).get("raw", ""))
        query = {one["key"]: one["value"] for one in request["url"].get("query", ()) if not one.get("disabled")}
        answer = self.client.request(
            request["method"], self.filled(url), params=query, headers=headers, content=body.encode()
        )
        self.keep(operation, answer)
        return operation, answer

    def filled(self, text: str) -> str:
        text = re.sub(r"\{\{\$guid\}\}", lambda _found: str(uuid.uuid4()), text)
        return re.sub(r"\{\{(\w+)\}\}", lambda found: self.variables.get(found[1], found[0]), text)

    def keep(self, operation: Operation, answer: httpx.Response) -> None:
        if answer.status_code >= 300 or "json" not in answer.headers.get("Content-Type", ""):
            return
        body, name = answer.json(), postman.keeps(operation)
        given = body if isinstance(body, dict) else {}
        self.variables |= {one: given[one] for one in ("access", "refresh", "csrf_token") if one in given}
        if "ETag" in answer.headers:
            self.variables["etag"] = answer.headers["ETag"]
        found = body if isinstance(body, list) else given.get("results")
        if name and found:
            self.variables.setdefault(name, str(found[0].get("id", found[0].get(name))))
            ids = [str(one.get("id", one.get(name))) for one in found]
            self.variables[f"another_{name}"] = next((one for one in ids if one != self.variables[name]), ids[0])
        elif name and "id" in given:
            self.variables[name] = str(given["id"])


def run(base_url: str) -> Iterator[tuple[Operation, httpx.Response]]:
    with httpx.Client(timeout=30) as client:
        runner = Runner(client, base_url)
        for item in postman.requests_of(json.loads(postman.COLLECTION.read_text())):
            yield runner.run(item)


@pytest.mark.slow
@pytest.mark.any_database
def test_each_request_of_the_collection_is_answered_as_documented(live_server: Any, operator: User):
    done: Counter[int] = Counter()
    for operation, answer in run(live_server.url):
        done[answer.status_code] += 1
        assert answer.status_code < 500, (str(operation), answer.text)
        if str(answer.status_code) not in operation.statuses:
            assert "default" in operation.statuses, (str(operation), answer.text)
            assert answer.headers["Content-Type"] == "application/problem+json", (str(operation), answer.text)

    # A story, not a list of refusals.
    assert sum(count for status, count in done.items() if status < 300) > 0.7 * done.total(), done


@pytest.mark.slow
@pytest.mark.any_database
@pytest.mark.skipif(
    NEWMAN is None, reason="newman is not installed; 'nox -s postman' installs it in a folder of its own"
)
def test_newman_runs_the_collection_without_a_failure(live_server: Any, operator: User, tmp_path: Path):
    report = tmp_path / "report.json"
    told = {"base_url": live_server.url, "username": "operator", "password": PASSWORD}
    command = [str(NEWMAN), "run", str(postman.COLLECTION), "--environment", str(postman.ENVIRONMENT)]
    command += [part for name, value in told.items() for part in ("--env-var", f"{name}={value}")]
    command += ["--reporters", "cli,json", "--reporter-json-export", str(report), "--timeout-request", "30000"]

    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout[-8000:] + done.stderr
    run = json.loads(report.read_text())["run"]
    assert run["stats"]["requests"]["total"] == len(list(operations(document())))
    assert run["failures"] == []
