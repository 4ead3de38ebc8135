"""A stranger's first ten minutes with a package: exactly what its README says, in a new environment and a new project.

A package's ``test_install.py`` makes the project once, and then looks at what the README promises.
"""

import base64
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# Our own project's environment is none of the stranger's business.
HIDDEN = ("DJANGO_", "PYTHON", "DATABASE_", "REDIS_", "COV_", "PYTEST_", "VIRTUAL_ENV", "HOLDFAST_")


class Readme:
    """What a package's README tells to do."""

    def __init__(self, package: str, instead: Mapping[str, str] | None = None) -> None:
        self.text = (ROOT / "packages" / package / "README.md").read_text()
        for told, ours in (instead or {}).items():
            self.text = self.text.replace(told, ours)

    def blocks(self, heading: str, language: str) -> list[str]:
        """Return the code of one section."""
        section = re.search(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", self.text, re.MULTILINE | re.DOTALL)
        assert section, f"The README has no section {heading!r}."
        return [text for found, text in BLOCK.findall(section[1]) if found == language]

    def lines(self, heading: str) -> list[str]:
        """Return the shell lines of one section."""
        return [line for text in self.blocks(heading, "sh") for line in text.splitlines()]


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

    def installed(self) -> set[str]:
        """Return the names of the distributions in its environment."""
        return {one["name"] for one in json.loads(self.run(f"{uv()} pip list --format json"))}

    @contextmanager
    def running(self, *command: str) -> Iterator[subprocess.Popen[bytes]]:
        """Run a management command until the block ends; what it prints is in ``<command>.log``."""
        with (self.folder / f"{command[0]}.log").open("wb") as output:
            python = str(self.folder / ".venv" / "bin" / "python")
            process = subprocess.Popen(
                [python, "-u", "manage.py", *command],
                cwd=self.folder,
                env=self.environment,
                stdout=output,
                stderr=output,
            )
            try:
                yield process
            finally:
                process.terminate()
                process.wait(timeout=60)

    @contextmanager
    def serving(self) -> Iterator[str]:
        """Run the project's own ``runserver``, and yield its address."""
        # On a port that the server itself chooses: one that is free while we look may soon be somebody else's.
        with self.running("runserver", "--noreload", "127.0.0.1:0") as process:
            yield self._address_of(process)

    def _address_of(self, process: subprocess.Popen[bytes]) -> str:
        """Wait until the server says where it listens, or say why it does not."""
        log = self.folder / "runserver.log"
        for _attempt in range(600):
            if told := re.search(r"development server at (http://[\d.:]+)/", log.read_text()):
                return told[1]
            assert process.poll() is None, log.read_text()
            time.sleep(0.1)
        pytest.fail(log.read_text())


def install(package: str, folder: Path, *, instead: Mapping[str, str] | None = None) -> Project:
    """Return a new project, after each line of the README's section on installing.

    ``instead`` gives what stands for the addresses of the README, such as that of a server of the test's own.
    """
    readme, wheels = Readme(package, instead), folder / "wheels"
    for each in ("foundation", package):
        command = [uv(), "build", "--quiet", "--wheel", "--out-dir", str(wheels), str(ROOT / "packages" / each)]
        if subprocess.run([*command, "--offline"], capture_output=True, check=False).returncode:
            subprocess.run(command, check=True, capture_output=True)
    project = Project(folder, wheels)
    project.run(f"{uv()} venv --quiet --python {sys.executable} .venv")
    pip = folder / ".venv" / "bin" / "pip"
    # What uv has cached is enough, usually; if it is not, the index has the rest.
    pip.write_text(f'#!/bin/sh\n{uv()} pip --offline "$@" 2>/dev/null || exec {uv()} pip "$@"\n')
    pip.chmod(0o755)
    for line in readme.lines("Install"):
        project.run(line)
        if line.startswith("django-admin startproject"):
            for text in readme.blocks("Install", "python"):
                name = text.partition("\n")[0].removeprefix("# ")
                with (folder / name).open("a") as file:
                    file.write("\n" + text)
    return project


def uv() -> str:
    """Return the uv that runs these tests, or one on the path."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    found = os.environ.get("UV") or shutil.which("uv", path=path)
    assert found, "uv builds the wheels and installs them: https://docs.astral.sh/uv/"
    return found


def ask(url: str, body: str | None = None, headers: dict[str, str] | None = None) -> tuple[int, str, str]:
    """Ask; return status, content type and text."""
    request = urllib.request.Request(url, data=None if body is None else body.encode(), headers=headers or {})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.headers["Content-Type"], answer.read().decode()
    except urllib.error.HTTPError as refusal:
        with refusal:
            return refusal.code, refusal.headers["Content-Type"], refusal.read().decode()


def curl(line: str, server: str) -> tuple[int, str, str]:
    """Do what a line with curl does."""
    url, body, headers = read_curl(line)
    return ask(url.replace("http://127.0.0.1:8000", server), body, headers)


def read_curl(line: str) -> tuple[str, str | None, dict[str, str]]:
    """Return the address, the body and the headers of a line with curl."""
    words, headers, body = shlex.split(line)[1:], {}, None
    while len(words) > 1:
        option, *words = words
        if option == "-N":
            continue
        value, *words = words
        if option == "-u":
            headers["Authorization"] = "Basic " + base64.b64encode(value.encode()).decode()
        elif option == "-H":
            name, _, content = value.partition(": ")
            headers[name] = content
        else:
            assert option == "-d", f"{option} is not an option that this test knows."
            body = value
    return words[0], body, headers
