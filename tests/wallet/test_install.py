"""A stranger's first ten minutes: exactly what the README says, in a new environment and a new project."""

import http.cookiejar
import json
import re
import urllib.parse
import urllib.request
from collections.abc import Iterator

import pytest

from tests.stranger import Project, Readme, ask, curl, install

README = Readme("wallet")

pytestmark = [pytest.mark.slow, pytest.mark.any_database]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A new project, after each line of the README's section on installing."""
    return install("wallet", tmp_path_factory.mktemp("stranger"))


@pytest.fixture(scope="module")
def server(project: Project) -> Iterator[str]:
    """The address of the project's own ``runserver``."""
    with project.serving() as address:
        yield address


def test_the_readme_lines_install_it_and_the_project_has_nothing_to_complain_about(project):
    assert "no issues" in project.run("python manage.py check --database default")
    assert "No changes detected" in project.run("python manage.py makemigrations --check --dry-run")
    assert {"holdfast", "holdfast-wallet"} <= project.installed()
    assert not {"celery", "django-unfold", "psycopg"} & project.installed()


def test_the_readme_is_true_from_the_shell_to_the_api(project, server):
    (shell,) = README.blocks("Try it", "python")
    promised = re.search(r"print\(.*\)  # (.*)", shell)[1]

    assert promised in project.run("python manage.py shell", input=shell)
    answers = [curl(line, server) for line in README.lines("Try it") if line.startswith("curl")]
    assert [status for status, _type, _text in answers] == [200, 201]
    assert [one["name"] for one in json.loads(answers[0][2])["results"]] == ["Holidays"]
    assert json.loads(answers[1][2])["name"] == "Rent"
    assert "The ledger is right" in project.run("python manage.py wallet_verify")


def test_the_api_asks_who_it_is_and_answers_with_problems(server):
    status, kind, text = ask(f"{server}/api/wallet/accounts/")

    # 403 where the first authenticator of Django REST framework, the session's, has no challenge to send.
    assert (status, kind) == (403, "application/problem+json")
    assert json.loads(text)["code"] == "holdfast.not_authenticated"


def test_a_browser_gets_an_answer_too(server):
    accept = "Accept: text/html,application/xhtml+xml,*/*;q=0.8"
    status, kind, _text = curl(f"curl -u ada:a-long-secret -H '{accept}' {server}/api/wallet/accounts/", server)

    assert (status, kind) == (200, "application/json")


def test_the_admin_answers(server):
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
    login = f"{server}/admin/login/?next=/admin/holdfast_wallet/account/"
    with browser.open(login, timeout=60) as page:
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.read().decode())[1]
    form = {"csrfmiddlewaretoken": token, "username": "ada", "password": "a-long-secret"}
    body = urllib.parse.urlencode(form).encode()
    with browser.open(urllib.request.Request(login, data=body, headers={"Referer": login}), timeout=60) as page:
        text = page.read().decode()
    assert page.url == f"{server}/admin/holdfast_wallet/account/"
    assert "Select account to view" in text
