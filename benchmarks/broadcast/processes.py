"""The processes of the proof: started on free ports, and killed without a warning."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
from psycopg import sql

ROOT = Path(__file__).resolve().parents[2]
PROJECT = ROOT / "example_project"
START_SECONDS = 60


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextlib.contextmanager
def database(server_url: str) -> Iterator[str]:
    """Lend an empty database on a PostgreSQL server."""
    name = f"broadcast_{uuid4().hex[:12]}"
    server, _, _ = server_url.rpartition("/")
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            yield f"{server}/{name}"
        finally:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@dataclass
class Child:
    """A process that is started again after it was killed; what it says goes to a log."""

    arguments: list[str]
    environment: Mapping[str, str]
    log: Path

    def start(self) -> None:
        """Start it."""
        environment = {**os.environ, **self.environment, "PYTHONPATH": f"{ROOT}{os.pathsep}{PROJECT}"}
        with self.log.open("ab") as log:
            # A session of its own, so that killing it kills what it has started, too.
            self._process = subprocess.Popen(
                [sys.executable, *self.arguments],
                cwd=PROJECT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def kill(self) -> None:
        """SIGKILL: it can do nothing more."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """SIGTERM, and wait."""
        self._end(signal.SIGTERM)

    def _end(self, sign: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, sign)
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()


@dataclass
class Answer:
    """What came back."""

    status: int
    document: Any


@dataclass
class CounterProcess:
    """A counter server that can be killed and started again on what it kept."""

    data: Path
    command: list[str] = field(default_factory=lambda: [sys.executable, "-m", "sandboxes.counter_server"])
    environment: Mapping[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it and wait until it answers."""
        command = [*self.command, "--port", str(self.port), "--data", str(self.data)]
        quiet = subprocess.DEVNULL
        environment = {**os.environ, **self.environment}
        self._process = subprocess.Popen(command, cwd=PROJECT, env=environment, stdout=quiet, stderr=quiet)
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                self.counters()
            except OSError:
                time.sleep(0.02)
            else:
                return
        raise RuntimeError(f"The counter server does not start: {command}")

    def kill(self) -> None:
        """SIGKILL: what it has not written is gone."""
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        """Ask it to end."""
        self._process.terminate()
        self._process.wait()

    def tell(self, event_id: str, user: object = 7, action: str = "create") -> Answer:
        """Tell it of an event."""
        return self.post("/events", {"user": user, "action": action}, **{"webhook-id": event_id})

    def fail(self, fault: str, seconds: float) -> None:
        """Make it misbehave for so long."""
        self.post("/faults", {"fault": fault, "seconds": seconds})

    def counters(self) -> Any:
        """Return what it has counted."""
        return self.get("/counters").document

    def get(self, path: str) -> Answer:
        """Read a page of it."""
        return self._ask(urllib.request.Request(f"{self.url}{path}"))

    def post(self, path: str, body: Any, **headers: str) -> Answer:
        """Send it something: bytes as they are, the rest as JSON."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self._ask(urllib.request.Request(f"{self.url}{path}", data, headers))

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


@contextlib.contextmanager
def running(*processes: CounterProcess | Child) -> Iterator[None]:
    """Start them, and stop them in the opposite order whatever happens."""
    with contextlib.ExitStack() as stack:
        for process in processes:
            process.start()
            stack.callback(process.stop)
        yield


@dataclass
class Site:
    """The example project on a database, telling a counter server."""

    database_url: str
    counter: CounterProcess
    folder: Path
    port: int = field(default_factory=free_port)

    @property
    def environment(self) -> dict[str, str]:
        """What its processes need to know."""
        return {
            "DATABASE_URL": self.database_url,
            "DJANGO_SETTINGS_MODULE": "benchmarks.broadcast.settings",
            "COUNTER_URL": f"{self.counter.url}/events",
            "REDIS_URL": "",
        }

    def relay(self) -> Child:
        """Return its relay."""
        return Child(["manage.py", "outbox_relay"], self.environment, self.folder / "relay.log")

    def web(self, *, workers: int = 2, threads: int = 4) -> Child:
        """Return its web server, as the demo runs it."""
        serve = [
            "-m",
            "gunicorn",
            "config.wsgi",
            "--preload",
            "--no-control-socket",
            "--bind",
            f"127.0.0.1:{self.port}",
        ]
        serve += ["--workers", str(workers), "--threads", str(threads), "--keep-alive", "30"]
        return Child(serve, self.environment, self.folder / "web.log")

    def manage(self, *arguments: str) -> None:
        """Run a management command."""
        self.python("-W", "ignore", "manage.py", *arguments)

    def python(self, *arguments: str) -> str:
        """Run Python in the project, and return what it printed."""
        environment = {**os.environ, **self.environment, "PYTHONPATH": f"{ROOT}{os.pathsep}{PROJECT}"}
        done = subprocess.run(
            [sys.executable, *arguments], cwd=PROJECT, env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(f"{' '.join(arguments)} failed:\n{done.stdout}{done.stderr}")
        return done.stdout

    def wait(self) -> None:
        """Return when the web server answers."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
            with contextlib.suppress(OSError), contextlib.closing(connection):
                connection.request("GET", "/ping/")
                if connection.getresponse().status == 200:
                    return
            time.sleep(0.1)
        raise RuntimeError(
            f"The web server does not answer; see {self.folder / 'web.log'}:\n{(self.folder / 'web.log').read_text()}"
        )
