"""A stranger's first ten minutes: exactly what the README says, in a new environment and a new project."""

import json
import re
from collections.abc import Iterator

import pytest

from holdfast_cards.testing.sandbox import SandboxServer
from tests.stranger import Project, Readme, ask, curl, install

pytestmark = [pytest.mark.slow, pytest.mark.any_database]

SANDBOX = "http://127.0.0.1:8300"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[SandboxServer]:
    """The one that the README tells to start, on a port of this test's."""
    server = SandboxServer()
    server.listen()
    yield server
    server.close()


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, sandbox: SandboxServer) -> Project:
    return install("cards", tmp_path_factory.mktemp("stranger"), instead={SANDBOX: sandbox.url})


@pytest.fixture(scope="module")
def server(project: Project) -> Iterator[str]:
    with project.serving() as address:
        yield address


def test_the_readme_lines_install_it_and_the_project_has_nothing_to_complain_about(project):
    assert "no issues" in project.run("python manage.py check --database default")
    assert "No changes detected" in project.run("python manage.py makemigrations --check --dry-run")
    assert {"holdfast", "holdfast-cards", "httpx"} <= project.installed()
    others = {"celery", "django-unfold", "psycopg", "holdfast-wallet", "holdfast-defects", "stripe", "lithic"}
    assert not others & project.installed()


def test_the_readme_is_true_from_the_api_to_the_providers_books(project, server, sandbox):
    order, read = [line for line in Readme("cards").lines("Try it") if line.startswith("curl")]

    posts = sandbox.providers["bank"].posts
    ordered, again, listed = curl(order, server), curl(order, server), curl(read, server)

    assert [status for status, _type, _text in (ordered, again, listed)] == [201, 201, 200]
    assert json.loads(ordered[2])["id"] == json.loads(again[2])["id"]
    # Other tests may have ordered before, in the same project.
    states = {one["id"]: one["state"] for one in json.loads(listed[2])["results"]}
    assert states[json.loads(ordered[2])["id"]] == "ordered"
    assert sandbox.providers["bank"].posts == posts + 1
    assert sandbox.providers["bank"].cards[-1].color == "pink"


def test_the_readme_is_true_in_the_shell(project, server):
    (shell,) = Readme("cards").blocks("Try it", "python")
    promised = re.search(r"print\(.*\)  # (.*)", shell)[1]

    assert promised in project.run("python manage.py shell", input=shell)


def test_a_lost_answer_is_left_to_a_person_as_the_readme_says(project, server, sandbox):
    bank = sandbox.providers["bank"]
    posts = bank.posts
    bank.arm("cut_after")
    status, _kind, text = curl(Readme("cards").lines("Try it")[3].replace("Key: 1", "Key: 2"), server)

    assert (status, json.loads(text)["state"]) == (202, "requested")
    for _ in range(2):
        project.run(
            'python manage.py shell -c "from holdfast_cards.models import Operation as o; '
            "o.objects.filter(state='unknown').update(next_attempt_at='2020-01-01T00:00Z')\""
        )
        project.run("python manage.py cards_worker --once")
    state = project.run(
        'python manage.py shell -c "from holdfast_cards.selectors import open_reviews; print(open_reviews().count())"'
    )
    assert state.split()[-1] == "1"
    assert bank.posts == posts + 1
    # Decided, so that the others may order in the same project, whichever comes first.
    project.run(
        'python manage.py shell -c "from holdfast_cards import services; from holdfast_cards.models import Operation; '
        "services.declare_without_effect(operation_id=Operation.objects.get(state='needs_review').pk)\""
    )


def test_the_sandbox_of_the_readme_starts(project):
    with project.running("cards_sandbox", "--port", "0") as process:
        log = project.folder / "cards_sandbox.log"
        for _attempt in range(1_200):
            if "The sandbox's page is http://127.0.0.1:" in log.read_text():
                return
            assert process.poll() is None, log.read_text()
            import time

            time.sleep(0.1)
        pytest.fail(log.read_text())


def test_the_api_asks_who_it_is_and_answers_with_problems(server):
    status, kind, text = ask(f"{server}/api/cards/")

    assert (status, kind) == (403, "application/problem+json")
    assert json.loads(text)["code"] == "holdfast.not_authenticated"
