"""A stranger's first ten minutes: exactly what the README says, in a new environment and a new project."""

import base64
import http.cookiejar
import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
README = ROOT / "packages" / "wallet" / "README.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# Our own project's environment is none of the stranger's business.
HIDDEN = ("DJANGO_", "PYTHON", "DATABASE_", "REDIS_", "COV_", "PYTEST_", "VIRTUAL_ENV", "HOLDFAST_")

pytestmark = pytest.mark.slow


def blocks(heading: str, language: str) -> list[str]:
    """The code of one section of the README."""
    section = re.search(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", README.read_text(), re.MULTILINE | re.DOTALL)
    assert section, f"The README has no section {heading!r}."
    return [text for found, text in BLOCK.findall(section[1]) if found == language]


def lines(heading: str) -> list[str]:
    """The shell lines of one section of the README."""
    return [line for text in blocks(heading, "sh") for line in text.splitlines()]


class Project:
    """A folder with a virtual environment of its own."""

    def __init__(self, folder: Path, wheels: Path) -> None:
        self.folder = folder
        environment = {name: value for name, value in os.environ.items() if not name.startswith(HIDDEN)}
        (folder / "constraints.txt").write_text(f"django=={version('django')}\n")
        self.environment = environment | {
            "PATH": f"{folder / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}",
            "VIRTUAL_ENV": str(folder / ".venv"),
            "UV_FIND_LINKS": str(wheels),
            "UV_CONSTRAINT": str(folder / "constraints.txt"),
        }

    def run(self, line: str, **options: Any) -> str:
        """Run a line in a shell; a failure shows what was printed."""
        done = subprocess.run(
            line,
            shell=True,
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            **options,
        )
        assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"
        return str(done.stdout)


def uv() -> str:
    """The uv that runs these tests, or one on the path."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    found = os.environ.get("UV") or shutil.which("uv", path=path)
    assert found, "uv builds the wheels and installs them: https://docs.astral.sh/uv/"
    return found


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The two packages as they would be published."""
    folder = tmp_path_factory.mktemp("wheels")
    for package in ("foundation", "wallet"):
        command = [uv(), "build", "--quiet", "--wheel", "--out-dir", str(folder), str(ROOT / "packages" / package)]
        if subprocess.run([*command, "--offline"], capture_output=True, check=False).returncode:
            subprocess.run(command, check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, wheels: Path) -> Project:
    """A new project, after each line of the README's section on installing."""
    project = Project(tmp_path_factory.mktemp("stranger"), wheels)
    project.run(f"{uv()} venv --quiet --python {sys.executable} .venv")
    pip = project.folder / ".venv" / "bin" / "pip"
    # What uv has cached is enough, usually; if it is not, the index has the rest.
    pip.write_text(f'#!/bin/sh\n{uv()} pip --offline "$@" 2>/dev/null || exec {uv()} pip "$@"\n')
    pip.chmod(0o755)
    for line in lines("Install"):
        project.run(line)
        if line.startswith("django-admin startproject"):
            for text in blocks("Install", "python"):
                name = text.partition("\n")[0].removeprefix("# ")
                with (project.folder / name).open("a") as file:
                    file.write("\n" + text)
    return project


@pytest.fixture(scope="module")
def server(project: Project) -> Iterator[str]:
    """The address of the project's own ``runserver``."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    log = project.folder / "server.log"
    with log.open("wb") as output:
        python = project.folder / ".venv" / "bin" / "python"
        command = [str(python), "manage.py", "runserver", "--noreload", address]
        process = subprocess.Popen(command, cwd=project.folder, env=project.environment, stdout=output, stderr=output)
        try:
            wait_for(address, process, log)
            yield f"http://{address}"
        finally:
            process.terminate()
            process.wait(timeout=20)


def wait_for(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until somebody listens, or say why nobody will."""
    host, _, port = address.partition(":")
    for _attempt in range(300):
        assert process.poll() is None, log.read_text()
        with socket.socket() as probe:
            if probe.connect_ex((host, int(port))) == 0:
                return
        time.sleep(0.1)
    pytest.fail(log.read_text())


def ask(url: str, body: str | None = None, headers: dict[str, str] | None = None) -> tuple[int, str, str]:
    """Ask; return status, content type and text."""
    request = urllib.request.Request(url, data=None if body is None else body.encode(), headers=headers or {})
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.headers["Content-Type"], answer.read().decode()
    except urllib.error.HTTPError as refusal:
        with refusal:
            return refusal.code, refusal.headers["Content-Type"], refusal.read().decode()


def curl(line: str, server: str) -> tuple[int, str, str]:
    """Do what a line with curl does."""
    words, headers, body = shlex.split(line)[1:], {}, None
    while len(words) > 1:
        option, value, *words = words
        if option == "-u":
            headers["Authorization"] = "Basic " + base64.b64encode(value.encode()).decode()
        elif option == "-H":
            name, _, content = value.partition(": ")
            headers[name] = content
        else:
            assert option == "-d", f"{option} is not an option that this test knows."
            body = value
    return ask(words[0].replace("http://127.0.0.1:8000", server), body, headers)


def test_the_readme_lines_install_it_and_the_project_has_nothing_to_complain_about(project):
    assert "no issues" in project.run("python manage.py check --database default")
    assert "No changes detected" in project.run("python manage.py makemigrations --check --dry-run")
    installed = project.run(f"{uv()} pip list --format json")
    names = {one["name"] for one in json.loads(installed)}
    assert {"holdfast", "holdfast-wallet"} <= names
    assert not {"celery", "django-unfold", "psycopg"} & names


def test_the_readme_is_true_from_the_shell_to_the_api(project, server):
    (shell,) = blocks("Try it", "python")
    promised = re.search(r"print\(.*\)  # (.*)", shell)[1]

    assert promised in project.run("python manage.py shell", input=shell)
    answers = [curl(line, server) for line in lines("Try it") if line.startswith("curl")]
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
    with browser.open(login, timeout=20) as page:
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.read().decode())[1]
    form = {"csrfmiddlewaretoken": token, "username": "ada", "password": "a-long-secret"}
    body = urllib.parse.urlencode(form).encode()
    with browser.open(urllib.request.Request(login, data=body, headers={"Referer": login}), timeout=20) as page:
        text = page.read().decode()
    assert page.url == f"{server}/admin/holdfast_wallet/account/"
    assert "Select account to view" in text
