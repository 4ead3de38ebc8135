"""A stranger's first ten minutes: exactly what the README says, in a new environment and a new project."""

import json
import re
from collections.abc import Iterator

import pytest

from tests.stranger import Project, Readme, ask, curl, install

README = Readme("artisan_shop")

pytestmark = [pytest.mark.slow, pytest.mark.any_database]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A new project, after each line of the README's section on installing."""
    return install("artisan_shop", tmp_path_factory.mktemp("stranger"))


@pytest.fixture(scope="module")
def server(project: Project) -> Iterator[str]:
    """The address of the project's own ``runserver``."""
    with project.serving() as address:
        yield address


def test_the_readme_lines_install_it_and_the_project_has_nothing_to_complain_about(project):
    assert "no issues" in project.run("python manage.py check --database default")
    assert "No changes detected" in project.run("python manage.py makemigrations --check --dry-run")
    assert {"holdfast", "holdfast-artisan-shop"} <= project.installed()
    assert not {"celery", "httpx", "psycopg", "redis", "holdfast-wallet"} & project.installed()


def test_the_readme_is_true_from_the_shell_to_the_market(project, server):
    (shell,) = README.blocks("Try it", "python")
    promised = re.search(r"print\(.*\)  # (.*)", shell)[1]
    assert promised in project.run("python manage.py shell", input=shell)

    near, orders, opened = [curl(line, server) for line in README.lines("Try it") if line.startswith("curl")]
    assert [status for status, _type, _text in (near, orders, opened)] == [200, 200, 201]
    (bowl,) = json.loads(near[2])["results"]
    assert (bowl["name"], bowl["free"], round(bowl["distance_km"], 1)) == ("Bowl", 8, 1.2)
    (order,) = json.loads(orders[2])["results"]
    assert (order["state"], order["total"]) == ("paid", {"amount": "20.00", "currency": "EUR"})
    assert json.loads(opened[2])["state"] == "draft"


@pytest.mark.parametrize("command", ["shop_tidy", "shop_remind", "shop_roll_up"])
def test_what_cron_calls_runs(project, command):
    assert project.run(f"python manage.py {command}").strip()


def test_the_api_answers_with_problems(server):
    status, kind, text = ask(f"{server}/api/market/orders/")

    # 403 where the first authenticator of Django REST framework, the session's, has no challenge to send.
    assert (status, kind) == (403, "application/problem+json")
    assert json.loads(text)["code"] == "holdfast.not_authenticated"
