"""Counter servers as processes: started, asked, killed."""

import importlib.util
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SANDBOXES = Path(__file__).parents[2] / "example_project" / "sandboxes"
START_SECONDS = 30


def deno() -> str | None:
    """Return a deno: the one of the PATH, or of the package of that name on PyPI."""
    if importlib.util.find_spec("deno") is not None:
        import deno as package

        return str(package.find_deno_bin())
    return shutil.which("deno")


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@dataclass
class Answer:
    """What came back."""

    status: int
    document: Any


@dataclass
class CounterProcess:
    """A counter server that can be killed and started again on what it kept."""

    command: list[str]
    data: Path
    environment: dict[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        command = [*self.command, "--port", str(self.port), "--data", str(self.data)]
        self._process = subprocess.Popen(
            command,
            cwd=SANDBOXES.parent,
            env=os.environ | self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                self.counters()
            except OSError:
                time.sleep(0.02)
            else:
                return
        raise AssertionError(f"The counter server did not start: {command}")

    def kill(self) -> None:
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait()

    def tell(self, event_id: str, user: object = 7, action: str = "create") -> Answer:
        return self.post("/events", {"user": user, "action": action}, **{"webhook-id": event_id})

    def post(self, path: str, body: Any, **headers: str) -> Answer:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self._ask(urllib.request.Request(f"{self.url}{path}", data, headers))

    def get(self, path: str) -> Answer:
        return self._ask(urllib.request.Request(f"{self.url}{path}"))

    def counters(self) -> Any:
        return self.get("/counters").document

    def _ask(self, request: urllib.request.Request) -> Answer:
        try:
            with urllib.request.urlopen(request, timeout=5) as response:
                return Answer(response.status, _read(response))
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, _read(error))


def _read(response: Any) -> Any:
    body = response.read()
    return json.loads(body) if response.headers.get_content_type() == "application/json" else body.decode()


@contextmanager
def counter_server(data: Path, **environment: str) -> Iterator[CounterProcess]:
    """Run the project's own counter server."""
    command = [sys.executable, "-m", "sandboxes.counter_server"]
    with running(CounterProcess(command, data, environment)) as server:
        yield server


@contextmanager
def counter_server_of_deno(data: Path) -> Iterator[CounterProcess]:
    """Run the one for deno."""
    binary = deno()
    assert binary is not None
    permissions = ["--allow-net", "--allow-read", "--allow-write", "--no-config"]
    with running(CounterProcess([binary, "run", *permissions, str(SANDBOXES / "counters_server.js")], data)) as server:
        yield server


@contextmanager
def running(server: CounterProcess) -> Iterator[CounterProcess]:
    """Start it, and stop it whatever happens."""
    server.start()
    try:
        yield server
    finally:
        server.stop()
