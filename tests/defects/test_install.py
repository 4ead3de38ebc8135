"""A stranger's first ten minutes: exactly what the README says, in a new environment and a new project."""

import json
import re
import time
import urllib.request
from collections.abc import Iterator

import pytest

from tests.foundation.outbox.receiver import Receiver, receiving
from tests.stranger import Project, Readme, ask, curl, install, read_curl

pytestmark = [pytest.mark.slow, pytest.mark.any_database]


@pytest.fixture(scope="module")
def counter() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, counter: Receiver) -> Project:
    return install("defects", tmp_path_factory.mktemp("stranger"), instead={"http://127.0.0.1:8888/": counter.url})


@pytest.fixture(scope="module")
def server(project: Project) -> Iterator[str]:
    with project.serving() as address:
        yield address


@pytest.fixture
def asked() -> dict[str, str]:
    """The README's questions, by what they ask for."""
    lines = [line for line in Readme("defects").lines("Try it") if line.startswith("curl")]
    return dict(zip(("list", "report", "follow"), lines, strict=True))


def test_the_readme_lines_install_it_and_the_project_has_nothing_to_complain_about(project):
    assert "no issues" in project.run("python manage.py check --database default")
    assert "No changes detected" in project.run("python manage.py makemigrations --check --dry-run")
    assert {"holdfast", "holdfast-defects", "httpx"} <= project.installed()
    assert not {"celery", "django-unfold", "psycopg", "holdfast-wallet"} & project.installed()


def test_the_readme_is_true_from_the_shell_to_the_counter_server(project, server, counter, asked):
    (shell,) = Readme("defects").blocks("Try it", "python")
    promised = re.search(r"print\(.*\)  # (.*)", shell)[1]

    assert promised in project.run("python manage.py shell", input=shell)
    listed, reported = curl(asked["list"], server), curl(asked["report"], server)
    assert [status for status, _type, _text in (listed, reported)] == [200, 201]
    defects = json.loads(listed[2])["results"]  # whatever other tests have reported is older
    assert (defects[0]["state"], json.loads(reported[2])["severity"]) == ("triaged", "low")

    with project.running("outbox_relay"):
        for _moment in range(2_400):
            if len(counter.received) > len(defects):
                break
            time.sleep(0.05)
    expected = [{"user": 1, "action": "create"}] * (len(defects) + 1)
    assert [json.loads(request.body) for request in counter.received] == expected


def test_the_feed_shows_a_report_as_it_happens_with_sqlite_too(server, asked):
    url, _body, headers = read_curl(asked["follow"])
    request = urllib.request.Request(url.replace("http://127.0.0.1:8000", server), headers=headers)
    with urllib.request.urlopen(request, timeout=30) as stream:
        assert stream.headers["Content-Type"] == "text/event-stream"
        assert stream.readline() == b"retry: 1000\n"

        curl(asked["report"], server)

        data = next(line for line in stream if line.startswith(b"data: "))
        assert json.loads(data[6:])["type"] == "holdfast_defects.defect_reported.v1"


def test_the_api_asks_who_it_is_and_answers_with_problems(server):
    status, kind, text = ask(f"{server}/api/defects")
    assert (status, kind) == (403, "application/problem+json")
    assert json.loads(text)["code"] == "holdfast.not_authenticated"
