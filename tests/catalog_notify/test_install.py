"""A stranger's first ten minutes: exactly what the README says, in a new environment and a new project."""

import json
import re
import time
from collections.abc import Iterator

import pytest

from tests.stranger import Project, Readme, ask, curl, install

README = Readme("catalog_notify")

pytestmark = [pytest.mark.slow, pytest.mark.any_database]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A new project, after each line of the README's section on installing."""
    return install("catalog_notify", tmp_path_factory.mktemp("stranger"))


@pytest.fixture(scope="module")
def server(project: Project) -> Iterator[str]:
    """The address of the project's own ``runserver``."""
    with project.serving() as address:
        yield address


def test_the_readme_lines_install_it_and_the_project_has_nothing_to_complain_about(project):
    assert "no issues" in project.run("python manage.py check --database default")
    assert "No changes detected" in project.run("python manage.py makemigrations --check --dry-run")
    assert {"holdfast", "holdfast-catalog-notify"} <= project.installed()
    assert not {"celery", "django-anymail", "httpx", "psycopg", "redis", "holdfast-wallet"} & project.installed()


def test_the_readme_is_true_from_the_shell_to_the_mail(project, server):
    (shell,) = README.blocks("Try it", "python")
    promised = re.search(r"print\(.*\)  # (.*)", shell)[1]
    assert promised in project.run("python manage.py shell", input=shell)

    told = ""
    with project.running("outbox_relay"), project.running("catalog_deliver"):
        for _moment in range(1_200):
            told = (project.folder / "catalog_deliver.log").read_text()
            if told.count("To: bob@example.com") == 2:
                break
            time.sleep(0.1)
    assert told.count("To: bob@example.com") == 2, told
    assert "10.00 EUR -> 12.00 EUR" in told
    assert "ada@example.com" not in told

    listed, inbox, created = [curl(line, server) for line in README.lines("Try it") if line.startswith("curl")]
    assert [status for status, _type, _text in (listed, inbox, created)] == [200, 200, 201]
    assert [one["name"] for one in json.loads(listed[2])["results"]] == ["Lamp"]
    assert [one["actor"] for one in json.loads(inbox[2])["results"]] == ["ada", "ada"]
    assert "1 answer(s) counted" in project.run("python manage.py catalog_count --once")


def test_the_api_answers_with_problems(server):
    status, kind, text = ask(f"{server}/api/catalog/notifications/")

    # 403 where the first authenticator of Django REST framework, the session's, has no challenge to send.
    assert (status, kind) == (403, "application/problem+json")
    assert json.loads(text)["code"] == "holdfast.not_authenticated"
