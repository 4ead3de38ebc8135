"""A stranger's first ten minutes: exactly what the README says, in a new environment and a new project."""

import base64
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README = ROOT / "packages" / "wallet" / "README.md"
BLOCK = re.compile(r"^```(?P<language>\w+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


class Page:
    """The code blocks of one section of the README."""

    def __init__(self, heading: str) -> None:
        section = re.search(
            rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", README.read_text(), re.MULTILINE | re.DOTALL
        )
        assert section, f"The README has no section {heading!r}."
        self.blocks = [(found["language"], found["text"]) for found in BLOCK.finditer(section[1])]

    def shell(self) -> list[str]:
        """All shell lines, in order; a line that ends in a backslash goes on."""
        text = "".join(text for language, text in self.blocks if language == "sh").replace("\\\n", " ")
        return [line for line in text.splitlines() if line.strip() and not line.startswith("#")]

    def python(self, first_line: str) -> str:
        """The Python block that opens with this line."""
        (text,) = (text for language, text in self.blocks if language == "python" and text.startswith(first_line))
        return text


class Project:
    """A virtual environment and the project in it."""

    def __init__(self, folder: Path, wheels: Path) -> None:
        self.folder, self.wheels = folder, wheels
        self.bin = folder / ".venv" / "bin"
        keep = (
            "HOME",
            "LANG",
            "TMPDIR",
            "UV_CACHE_DIR",
            "XDG_CACHE_HOME",
            "UV_DEFAULT_INDEX",
            "UV_INDEX_URL",
            "PIP_INDEX_URL",
        )
        self.environment = {
            **{name: os.environ[name] for name in keep if name in os.environ},
            "PATH": f"{self.bin}{os.pathsep}{os.environ['PATH']}",
            "VIRTUAL_ENV": str(folder / ".venv"),
            "DJANGO_SUPERUSER_USERNAME": "ada",
            "DJANGO_SUPERUSER_PASSWORD": "a-long-secret",
            "DJANGO_SUPERUSER_EMAIL": "ada@example.com",
        }

    def run(self, *command: str) -> str:
        """Run to the end; a failure shows what was printed."""
        done = subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def install(self, *requirements: str) -> None:
        """Install from our wheels and uv's cache; from the index what the cache does not hold."""
        constraints = self.folder / "constraints.txt"
        constraints.write_text(f"django=={version('django')}\n")
        command = [
            uv(),
            "pip",
            "install",
            "--quiet",
            "--find-links",
            str(self.wheels),
            "-c",
            str(constraints),
            *requirements,
        ]
        offline = subprocess.run(
            [*command, "--offline"], cwd=self.folder, env=self.environment, capture_output=True, check=False
        )
        if offline.returncode:
            self.run(*command)


def uv() -> str:
    """The uv that runs these tests, or the one on the path."""
    found = os.environ.get("UV") or shutil.which(
        "uv", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    )
    assert found, "uv is needed to build the wheels: https://docs.astral.sh/uv/"
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
    project.run(uv(), "venv", "--quiet", "--python", sys.executable, ".venv")
    page = Page("Install")
    for line in page.shell():
        words = line.split()
        if words[:2] == ["pip", "install"]:
            project.install(*words[2:])
        else:
            project.run(*words)
        if words[:2] == ["django-admin", "startproject"]:
            for name in ("settings.py", "urls.py"):
                with (project.folder / "bank" / name).open("a") as file:
                    file.write("\n" + page.python(f"# bank/{name}"))
    return project


@pytest.fixture(scope="module")
def server(project: Project) -> Iterator[str]:
    """The address of the project's own ``runserver``."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = (project.folder / "server.log").open("wb")
    command = ["python", "manage.py", "runserver", "--noreload", f"127.0.0.1:{port}"]
    process = subprocess.Popen(command, cwd=project.folder, env=project.environment, stdout=log, stderr=log)
    try:
        for _ in range(300):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            assert process.poll() is None, (project.folder / "server.log").read_text()
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=20)
        log.close()


def ask(method: str, url: str, body: object = None, *, anonymous: bool = False, **headers: str) -> tuple[int, str, str]:
    """Ask as ``ada``; return status, content type and text."""
    request = urllib.request.Request(url, method=method, data=None if body is None else json.dumps(body).encode())
    request.add_header("Content-Type", "application/json")
    if not anonymous:
        request.add_header("Authorization", "Basic " + base64.b64encode(b"ada:a-long-secret").decode())
    for name, value in headers.items():
        request.add_header(name.replace("_", "-"), value)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.headers["Content-Type"], answer.read().decode()
    except urllib.error.HTTPError as refusal:
        with refusal:
            return refusal.code, refusal.headers["Content-Type"], refusal.read().decode()
