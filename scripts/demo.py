#!/usr/bin/env python3
"""The whole example project in one terminal: web, relay, Celery worker with beat, both sandboxes, Valkey; on SQLite.

Everything it writes is under ``.demo/``: remove that folder to start afresh. ``DATABASE_URL``, ``REDIS_URL``,
``COUNTER_URL``, ``CARD_PROVIDER_URL``, ``HOST``, ``PORT``, ``COUNTER_PORT`` and ``CARD_PORT`` in the environment win;
``CARD_PROVIDER`` chooses stripe, lithic or bank. Ctrl-C ends all of it, and so does the end of the web server; the
relay, the worker, the counter server and the card provider's sandbox are started again, so that one can kill them and
see that nothing is lost.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import hashlib
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import FrameType
from urllib.parse import urljoin

from devservices import ServiceError, private_valkey, tail

ROOT = Path(__file__).resolve().parent.parent
PROJECT = ROOT / "example_project"
DEMO = ROOT / ".demo"
LOGS = DEMO / "logs"
READY = DEMO / "ready"
WELCOME = DEMO / "welcome.txt"
COUNTERS = DEMO / "counters.address"

FIRST_PORT, PORTS = 8000, 100
HEALTHY_SECONDS = 90
STOP_SECONDS = 10
RESTARTED = {"cards", "counters", "relay", "worker"}
CARD_KEYS = {"stripe": "sk_test_sandbox", "lithic": "lithic-sandbox", "bank": ""}
# Both ends are ours, and neither can be reached from outside.
CARD_SECRET = "whsec_" + "ZGVtby1kZW1vLWRlbW8tZGVtby1kZW1vLWRlbW8h"
RESTARTS, RESTARTS_SECONDS = 5, 60
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
ALARMING = re.compile(r"\b(error|critical|exception)\b|^Traceback", re.IGNORECASE)


class DemoError(RuntimeError):
    """The demo cannot go on, and why."""


class Stopped(BaseException):
    """Somebody asked for the end."""


def die_with_parent() -> None:
    """Ask Linux to end this child when the demo is killed: nobody else would. Elsewhere the next demo does."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG


class Process:
    """A child in a session of its own, whose output goes to a log; what looks alarming in it is shown too."""

    def __init__(self, name: str, command: list[str], environment: Mapping[str, str]) -> None:
        self.name = name
        self.log = LOGS / f"{name}.log"
        self._command = command
        self._environment = environment
        self._restarts: list[float] = []
        self.log.write_text("")
        self._start()

    def _start(self) -> None:
        # A session of its own: Ctrl-C is for us, who then end the children one after the other.
        self._child = subprocess.Popen(
            self._command,
            cwd=PROJECT,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
            preexec_fn=die_with_parent,  # noqa: PLW1509 - it calls nothing that could wait for a lock
        )
        pid_file(self.name).write_text(str(self._child.pid))
        self._pump = threading.Thread(target=self._follow, args=[self._child], daemon=True)
        self._pump.start()

    def restart(self) -> bool:
        """Start it again, unless that has happened too often lately."""
        now = time.monotonic()
        self._restarts = [at for at in self._restarts if now - at < RESTARTS_SECONDS]
        if self.name not in RESTARTED or len(self._restarts) >= RESTARTS:
            return False
        self._restarts.append(now)
        ended = self.ended
        self.send(signal.SIGKILL)  # what it may have left of its session
        self._start()
        say(f"The {self.name} ended with status {ended}; it runs again as process {self._child.pid}.")
        return True

    @property
    def ended(self) -> int | None:
        """The exit status, once there is one."""
        return self._child.poll()

    def send(self, sign: signal.Signals) -> None:
        """Send a signal to it and to the children that it may have."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._child.pid, sign)

    def wait(self) -> None:
        """Return when it has ended, which it was asked to do; make it when it does not."""
        try:
            self._child.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.send(signal.SIGKILL)
            self._child.wait()
        self._pump.join(timeout=1)

    def _follow(self, child: subprocess.Popen[str]) -> None:
        stream = child.stdout
        assert stream is not None  # noqa: S101 - it was asked for above
        within_traceback = False
        with self.log.open("a", buffering=1) as log:
            for line in stream:
                log.write(line)
                # A traceback's lines are indented, up to the one that names the exception.
                # What /health/ answers is no news: we ask it ourselves until all is well.
                if within_traceback or (ALARMING.search(line) and "/health/" not in line):
                    print(f"{self.name:>7} | {line}", end="", flush=True)
                within_traceback = line.startswith("Traceback") or (within_traceback and line.startswith((" ", "\n")))


def pid_file(name: str) -> Path:
    """Return the file that says which process it is."""
    return DEMO / f"{name}.pid"


def end_orphans() -> None:
    """End what a killed demo has left behind: a second relay and web server on the same database would be confusing."""
    for name, command in commands("", 0, 1, 1).items():
        file = pid_file(name)
        pid = int(file.read_text() or 0) if file.exists() else 0
        if pid and is_running(pid, command):
            say(f"Ending the {name} of a demo that was killed ...")
            with contextlib.suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGTERM)
            deadline = time.monotonic() + STOP_SECONDS
            while is_running(pid, command) and time.monotonic() < deadline:
                time.sleep(0.1)
            if is_running(pid, command):
                os.killpg(pid, signal.SIGKILL)
        file.unlink(missing_ok=True)


def is_running(pid: int, command: list[str]) -> bool:
    """Tell whether the process is what we started: its number may be somebody else's by now."""
    try:
        listed = subprocess.run(
            ["ps", "-ww", "-o", "args=", "-p", str(pid)], check=False, capture_output=True, text=True
        )
    except FileNotFoundError:
        return False
    return listed.stdout.startswith(" ".join(command[:3]))


def settings(redis_url: str, address: str, counters: str | None, cards: str | None) -> dict[str, str]:
    """Return the environment of the demo's processes; the addresses are its own and those of our own sandboxes."""
    provider = os.environ.get("CARD_PROVIDER", "stripe")
    sandbox = {
        "CARD_PROVIDER": provider,
        "CARD_PROVIDER_URL": f"{cards}/{provider}",
        "CARD_PROVIDER_KEY": CARD_KEYS.get(provider, ""),
        "CARD_WEBHOOK_SECRET": CARD_SECRET,
        "CARD_SANDBOX_PAGE": f"{cards}/",
    }
    defaults = {
        **(sandbox if cards else {}),
        "COUNTER_URL": f"{counters}/events",
        "DATABASE_URL": f"sqlite:///{DEMO / 'holdfast.sqlite3'}",
        "DJANGO_DEBUG": "false",  # error pages and problem documents as a visitor gets them
        "DJANGO_SETTINGS_MODULE": "config.settings.local",
        "REDIS_URL": redis_url,
        "SITE_URL": address,  # for links in mails
    }
    return {**defaults, **os.environ, "PYTHONUNBUFFERED": "1"}


def manage(*arguments: str, environment: Mapping[str, str]) -> str:
    """Run a management command and return what it printed; its progress and its errors go to the terminal."""
    command = [sys.executable, "manage.py", *arguments]
    done = subprocess.run(command, check=False, cwd=PROJECT, env=environment, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise DemoError(f"'manage.py {' '.join(arguments)}' failed; see above.\n{done.stdout}".rstrip())
    return done.stdout


def prepare(environment: Mapping[str, str]) -> None:
    """Migrate and load the demo data, unless nothing that matters to either has changed."""
    files = [ROOT / "uv.lock", *ROOT.glob("packages/*/src/**/migrations/*.py")]
    files += [*PROJECT.glob("**/migrations/*.py"), *PROJECT.glob("*/demo.py"), *PROJECT.glob("*/*_story.py")]
    content = hashlib.sha256(environment["DATABASE_URL"].encode())
    for file in sorted(files):
        content.update(file.read_bytes())
    # A database that is not ours may have been emptied meanwhile; our own file says so by being absent.
    ours = environment["DATABASE_URL"].removeprefix("sqlite:///")
    if READY.exists() and READY.read_text() == content.hexdigest() and Path(ours).exists():
        return
    say("Migrating ...")
    manage("migrate", "--verbosity", "0", environment=environment)
    say("Loading the demo data ...")
    WELCOME.write_text(manage("populate", environment=environment))
    READY.write_text(content.hexdigest())


def choose_port(host: str, variable: str, first: int) -> int:
    """Return the port that a variable asks for, or the first free one."""
    asked = os.environ.get(variable)
    for port in [int(asked)] if asked else range(first, first + PORTS):
        with socket.socket() as listener, contextlib.suppress(OSError):
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((host, port))
            return port
    raise DemoError(f"Port {asked} is taken; choose another with {variable}=..." if asked else "No port is free.")


def commands(host: str, port: int, counter_port: int | None, card_port: int | None) -> dict[str, list[str]]:
    """Return what runs, by the name of its log; no sandbox of ours where there is no port for it."""
    address, beat = f"{host}:{port}", str(DEMO / "beat")
    # Loaded once and then forked; and without the control socket that it would put into our home.
    web = ["-m", "gunicorn", "config.wsgi", "--preload", "--no-control-socket", "--bind", address]
    worker = ["-m", "celery", "--no-color", "--app", "config", "worker", "--pool", "threads", "--concurrency", "4"]
    counters = ["-m", "sandboxes.counter_server", "--host", host, "--data", str(DEMO / "counters.sqlite3")]
    ours = {"counters": [sys.executable, *counters, "--port", str(counter_port)]} if counter_port else {}
    if card_port:
        # 0.0.0.0 is where to listen, not whom to call.
        webhooks = f"http://{'127.0.0.1' if host == '0.0.0.0' else host}:{port}/api/v1/cards/webhooks/{{name}}/"  # noqa: S104 - a comparison
        sandbox = [sys.executable, "manage.py", "cards_sandbox", "--host", host, "--port", str(card_port)]
        told = ["--webhook-url", webhooks, "--webhook-secret", CARD_SECRET]
        ours["cards"] = [*sandbox, "--keep", str(DEMO / "cards"), *told]
    return {
        **ours,
        "web": [sys.executable, *web, "--workers", "2", "--threads", "8"],
        "relay": [sys.executable, "manage.py", "outbox_relay"],
        "worker": [sys.executable, *worker, "--beat", "--schedule", beat, "--loglevel", "INFO"],
    }


def watch(processes: list[Process], until: float | None = None) -> None:
    """Return at the time given; raise as soon as a process has ended that is not started again."""
    while until is None or time.monotonic() < until:
        for process in processes:
            if process.ended is not None and not process.restart():
                raise DemoError(
                    f"The {process.name} process ended with status {process.ended}; "
                    f"the end of {process.log.relative_to(ROOT)}:\n{tail(process.log)}"
                )
        time.sleep(0.1)


def wait_until_healthy(address: str, processes: list[Process]) -> None:
    """Return when every component says that it is well."""
    deadline = time.monotonic() + HEALTHY_SECONDS
    answer = "no answer"
    while time.monotonic() < deadline:
        watch(processes, until=time.monotonic() + 0.2)
        try:
            with urllib.request.urlopen(f"{address}/health/", timeout=5) as response:  # noqa: S310 - our own address
                if response.status == 200:
                    return
        except urllib.error.HTTPError as error:
            answer = error.read().decode(errors="replace")[:1000]
        except OSError:
            continue
    raise DemoError(f"Not healthy after {HEALTHY_SECONDS} seconds: {answer}\nThe logs are in {LOGS}.")


def say(text: str) -> None:
    """Print at once: the reader watches."""
    print(text, flush=True)


STORY = """\
One story goes through all of it. In a second terminal, walk it through the API, and read what is asked and answered:

  make tour        ("manage.py tour", told where this demo runs; again and again, if you like)

Or walk it yourself. A visitor finds a bowl near her on the map (Market), registers, tops up her wallet, orders with a
delivery slot and pays by a hold. The artisan (greta) prepares and delivers it, reads her stock alert and her figures,
and is paid. The visitor orders a card by its color and freezes it. An admin (mara) changes a price in the Catalog, and
the others are told. A defect is reported, and the counter server counts it.
"""


def welcome(address: str, counters: str | None, cards: str | None) -> str:
    """Return the addresses, the logins and the story; the last two are those of our own sandboxes, if there are any."""
    pages = {
        "Pages": f"{address}/",
        "Market": f"{address}/market/",
        "Catalog": f"{address}/catalog/",
        "Mails": f"{address}/mailbox/",
        "Admin": f"{address}/admin/",
        "API": f"{address}/schema/swagger-ui/",
        "Health": f"{address}/health/",
    }
    relay, counting = (pid_file(name).relative_to(ROOT) for name in ("relay", "counters"))
    hints = ["Change a price as mara, and watch the other admins being told; their mails are at /mailbox/."]
    hints += [f"Kill the relay, send money, see that nothing is lost: kill -9 $(cat {relay})"]
    if counters:
        pages["Counters"] = f"{counters}/"
        hints.append(f"Kill the counter server, report a defect, see it counted: kill -9 $(cat {counting})")
    if cards:
        pages["Cards"] = f"{cards}/"
        hints.append("Order a card, break its provider at its page, watch the repair.")
    lines = [f"  {name:<8} {page}" for name, page in pages.items()]
    logins = WELCOME.read_text().strip("\n") if WELCOME.exists() else ""
    hints.append(f"Logs are in {LOGS.relative_to(ROOT)}/. Ctrl-C ends it all.")
    return "\n".join(["", *lines, "", logins, "", STORY, *hints, ""])


@contextlib.contextmanager
def valkey() -> Iterator[str]:
    """Lend an address of a Valkey: the environment's, or one of our own."""
    if url := os.environ.get("REDIS_URL"):
        yield url
        return
    with private_valkey() as server:
        yield server.url


@contextlib.contextmanager
def alone() -> Iterator[Path]:
    """Hold the demo's folder, and lend the file that says where it runs: two would share a database and a schedule."""
    LOGS.mkdir(parents=True, exist_ok=True)
    where = DEMO / "address"
    with (DEMO / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DemoError(f"The demo runs already: {where.read_text() or 'it is starting.'}") from None
        where.write_text("")
        yield where


def serve() -> None:
    """Prepare, start everything, and keep watch."""
    host = os.environ.get("HOST", "127.0.0.1")
    with alone() as where, valkey() as redis_url:
        end_orphans()
        port = choose_port(host, "PORT", FIRST_PORT)
        counter_port = None if "COUNTER_URL" in os.environ else choose_port(host, "COUNTER_PORT", port + 1)
        next_port = (counter_port or port) + 1
        card_port = None if "CARD_PROVIDER_URL" in os.environ else choose_port(host, "CARD_PORT", next_port)
        address = f"http://{host}:{port}"
        counters = f"http://{host}:{counter_port}" if counter_port else None
        cards = f"http://{host}:{card_port}" if card_port else None
        environment = settings(redis_url, address, counters, cards)
        prepare(environment)
        say("Starting ...")
        processes: list[Process] = []
        try:
            for name, command in commands(host, port, counter_port, card_port).items():
                processes.append(Process(name, command, environment))
            wait_until_healthy(address, processes)
            where.write_text(address)
            COUNTERS.write_text(urljoin(environment["COUNTER_URL"], "/"))
            say(welcome(address, counters, cards))
            watch(processes)
        finally:
            # Impatience must not leave half of them running; each has its limit of time.
            for sign in SIGNALS:
                signal.signal(sign, signal.SIG_IGN)
            say("Stopping ...")
            for process in processes:
                process.send(signal.SIGTERM)
            for process in processes:
                process.wait()
                pid_file(process.name).unlink(missing_ok=True)


def main() -> int:
    """Run the demo until somebody or something ends it."""

    def stop(_signal: int, _frame: FrameType | None) -> None:
        raise Stopped

    for sign in SIGNALS:
        signal.signal(sign, stop)
    try:
        serve()
    except Stopped:
        return 0
    except (DemoError, ServiceError) as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
