#!/usr/bin/env python3
"""The whole example project in one terminal: web, relay, Celery worker with beat, the sandboxes, Valkey; on SQLite.

Everything it writes is under ``.demo/``: remove that folder to start afresh. What another version has left there is
put aside, into ``.demo/before/``. ``DATABASE_URL``, ``REDIS_URL``, ``COUNTER_URL``, ``CARD_PROVIDER_URL``, ``HOST``,
``PORT``, ``COUNTER_PORT``, ``CARD_PORT`` and ``RECEIVER_PORT`` in the environment win; ``CARD_PROVIDER`` chooses
stripe, lithic or bank. Ctrl-C ends all of it, and so does the end of the web server; the relay, the worker and the
stand-ins for outside systems are started again, so that one can kill them and see that nothing is lost.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import functools
import hashlib
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
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
DATABASE = DEMO / "holdfast.sqlite3"
UNFINISHED = DEMO / "unfinished"
BEFORE = DEMO / "before"
# What belongs to one telling of the story: new data with old counters, cards or mails would tell of what never was.
TOLD = ("holdfast.sqlite3", "holdfast.sqlite3-wal", "holdfast.sqlite3-shm", "counters.sqlite3", "cards", "mails")

FIRST_PORT, PORTS = 8000, 100
LOOPBACK = "127.0.0.1"
HEALTHY_SECONDS = 90
STOP_SECONDS = 10
RESTARTED = {"cards", "counters", "receiver", "relay", "worker"}
CARD_KEYS = {"stripe": "sk_test_sandbox", "lithic": "lithic-sandbox", "bank": ""}
# Both ends are ours, and neither can be reached from outside.
CARD_SECRET = "whsec_" + "ZGVtby1kZW1vLWRlbW8tZGVtby1kZW1vLWRlbW8h"
WEBHOOK_SECRET = "whsec_" + "cmVjZWl2ZXItcmVjZWl2ZXItcmVjZWl2ZXItcmVjZWl2"
RESTARTS, RESTARTS_SECONDS = 5, 60
# It forgets when a task was last due. Celery's own keeps that in a file that it opens before it forks, and from Python
# 3.13 on (dbm.sqlite3) the schedule does not survive that.
BEAT = "celery.beat:Scheduler"
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# By these words in its log one knows that somebody has started: asked earlier, /health/ would say that they are down.
STARTED = {
    "cards": "The sandbox's page is",
    "counters": "The counter server listens",
    "receiver": "The receiver listens",
    "relay": "has started",
    "web": "Booting worker",
    "worker": "ready.",
}
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
        self.started = threading.Event()
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
        with stream, self.log.open("a", buffering=1) as log:
            for line in stream:
                log.write(line)
                if STARTED[self.name] in line:
                    self.started.set()
                # A traceback's lines are indented, up to the one that names the exception.
                # What /health/ answers is no news: we ask it ourselves until all is well.
                if within_traceback or (ALARMING.search(line) and "/health/" not in line):
                    say(f"{self.name:>8} | {line.rstrip()}")
                within_traceback = line.startswith("Traceback") or (within_traceback and line.startswith((" ", "\n")))


def pid_file(name: str) -> Path:
    """Return the file that says which process it is."""
    return DEMO / f"{name}.pid"


def end_orphans() -> None:
    """End what a killed demo has left behind: a second relay and web server on the same database would be confusing."""
    anywhere = Place("", 0, 1, 1, 1)
    for name, command in (sandboxes(anywhere) | servers(anywhere)).items():
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


def choose_port(host: str, variable: str, first: int) -> int:
    """Return the port that a variable asks for, or the first free one."""
    asked = os.environ.get(variable)
    if asked and not (asked.isdecimal() and 0 < int(asked) < 65_536):
        raise DemoError(f"{variable}={asked} is no port: choose a number from 1 to 65535.")
    for port in [int(asked)] if asked else range(first, min(first + PORTS, 65_536)):
        with socket.socket() as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listener.bind((host, port))
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise DemoError(f"Nobody can listen at {host}:{port}: {error.strerror}.") from None
            else:
                return port
    raise DemoError(f"Port {asked} is taken; choose another with {variable}=..." if asked else "No port is free.")


@dataclass(frozen=True)
class Place:
    """Where the demo listens; a sandbox of ours has no port where the environment names another one."""

    host: str
    port: int
    counter_port: int | None
    card_port: int | None
    receiver_port: int | None

    @classmethod
    def choose(cls) -> Place:
        """Return where there is room."""
        host = os.environ.get("HOST", "127.0.0.1")
        port = choose_port(host, "PORT", FIRST_PORT)
        counter_port = None if "COUNTER_URL" in os.environ else choose_port(host, "COUNTER_PORT", port + 1)
        next_port = (counter_port or port) + 1
        card_port = None if "CARD_PROVIDER_URL" in os.environ else choose_port(host, "CARD_PORT", next_port)
        next_port = (card_port or counter_port or port) + 1
        told_elsewhere = {"CATALOG_CHAT_URL", "CATALOG_WEBHOOK_URL"} & os.environ.keys()
        receiver_port = None if told_elsewhere else choose_port(LOOPBACK, "RECEIVER_PORT", next_port)
        return cls(host, port, counter_port, card_port, receiver_port)

    @property
    def address(self) -> str:
        """The pages."""
        return f"http://{self.host}:{self.port}"

    @property
    def counters(self) -> str | None:
        """Our counter server."""
        return f"http://{self.host}:{self.counter_port}" if self.counter_port else None

    @property
    def cards(self) -> str | None:
        """Our card provider's sandbox."""
        return f"http://{self.host}:{self.card_port}" if self.card_port else None

    @property
    def receiver(self) -> str | None:
        """Our receiver of chat messages and webhooks: on this machine, whoever else may see the pages."""
        return f"http://{LOOPBACK}:{self.receiver_port}" if self.receiver_port else None


def settings(redis_url: str, place: Place) -> dict[str, str]:
    """Return the environment of the demo's processes; the addresses are its own and those of our own sandboxes."""
    provider = os.environ.get("CARD_PROVIDER", "stripe")
    sandbox = {
        "CARD_PROVIDER": provider,
        "CARD_PROVIDER_URL": f"{place.cards}/{provider}",
        "CARD_PROVIDER_KEY": CARD_KEYS.get(provider, ""),
        "CARD_WEBHOOK_SECRET": CARD_SECRET,
        "CARD_SANDBOX_PAGE": f"{place.cards}/",
    }
    receiver = {
        "CATALOG_CHAT_URL": f"{place.receiver}/chat",
        "CATALOG_WEBHOOK_URL": f"{place.receiver}/webhook",
        "CATALOG_WEBHOOK_SECRET": WEBHOOK_SECRET,
        "WEBHOOK_ALLOW_HTTP": "true",
        "WEBHOOK_ALLOWED_NETWORKS": f"{LOOPBACK}/32",
    }
    defaults = {
        **(sandbox if place.cards else {}),
        **(receiver if place.receiver else {}),
        "COUNTER_URL": f"{place.counters}/events",
        "DATABASE_URL": f"sqlite:///{DATABASE}",
        "DJANGO_DEBUG": "false",  # error pages and problem documents as a visitor gets them
        "DJANGO_SETTINGS_MODULE": "config.settings.local",
        "REDIS_URL": redis_url,
        "SITE_URL": place.address,  # for links in mails
    }
    return {**defaults, **os.environ, "PYTHONUNBUFFERED": "1"}


def populate(environment: Mapping[str, str], *options: str) -> str:
    """Migrate, load the demo data, and return who can sign in; progress and errors go to the terminal."""
    command = [sys.executable, "manage.py", "populate", "--migrate", "--skip-checks", *options]
    # A session of its own: a Ctrl-C is for us. Python would answer it with a traceback.
    done = subprocess.run(
        command, check=False, cwd=PROJECT, env=environment, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    if done.returncode:
        raise DemoError("The database could not be made; see above.")
    return done.stdout


@functools.cache
def version_of_the_story() -> str:
    """Return what changes with anything that a database of the demo is made from."""
    files = [ROOT / "uv.lock", *ROOT.glob("packages/*/src/**/migrations/**/*"), *PROJECT.glob("*/migrations/*")]
    files += [PROJECT / "storefront" / name for name in ("demo.py", "market_goods.py")]
    files += PROJECT.glob("storefront/*_story.py")
    content = hashlib.sha256()
    for file in sorted(file for file in files if file.suffix in {".lock", ".py", ".sql"}):
        content.update(file.read_bytes())
    return content.hexdigest()


def put_aside_what_is_old(environment: Mapping[str, str]) -> None:
    """Put the data aside that another version has left here: neither does it fit, nor is it ours to delete."""
    if is_ours(environment) and DATABASE.exists() and not is_told():
        say(f"What is in {DEMO.name}/ was made by another version: it is kept in {BEFORE.relative_to(ROOT)}/.")
        shutil.rmtree(BEFORE, ignore_errors=True)
        BEFORE.mkdir()
        for path in filter(Path.exists, (DEMO / name for name in TOLD)):
            path.rename(BEFORE / path.name)


def is_ours(environment: Mapping[str, str]) -> bool:
    """Tell whether the database is the file in our folder."""
    return environment["DATABASE_URL"] == f"sqlite:///{DATABASE}"


def is_told() -> bool:
    """Tell whether this version's story was told into the file in our folder."""
    return DATABASE.exists() and READY.exists() and READY.read_text() == version_of_the_story()


def prepare(environment: Mapping[str, str]) -> None:
    """See to the tables and the demo data."""
    if not is_ours(environment):
        # What is there already, is left as it is; it may have been emptied since we were here.
        say("Looking after the database that DATABASE_URL names ...")
        WELCOME.write_text(populate(environment))
    elif not is_told():
        say("Making the database and telling half a year of a town's life into it; this is done once ...")
        # Beside its place until it is whole: whoever interrupts this, leaves nothing halfway.
        shutil.rmtree(UNFINISHED, ignore_errors=True)
        UNFINISHED.mkdir()
        unfinished = UNFINISHED / DATABASE.name
        WELCOME.write_text(populate({**environment, "DATABASE_URL": f"sqlite:///{unfinished}"}, "--unsynced"))
        with contextlib.closing(sqlite3.connect(unfinished)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # and the last to leave removes the log beside it
        with unfinished.open("rb") as file:
            os.fsync(file.fileno())
        unfinished.rename(DATABASE)
        UNFINISHED.rmdir()
        READY.write_text(version_of_the_story())


def sandboxes(place: Place) -> dict[str, list[str]]:
    """Return the commands of our own sandboxes, by the names of their logs. They know nothing of the database."""
    found = {}
    if place.counter_port:
        listen = ["--host", place.host, "--port", str(place.counter_port)]
        found["counters"] = ["-m", "sandboxes.counter_server", *listen, "--data", str(DEMO / "counters.sqlite3")]
    if place.card_port:
        listen = ["--host", place.host, "--port", str(place.card_port)]
        # 0.0.0.0 is where to listen, not whom to call.
        host = "127.0.0.1" if place.host == "0.0.0.0" else place.host  # noqa: S104 - a comparison
        webhooks = f"http://{host}:{place.port}/api/v1/cards/webhooks/{{name}}/"
        told = ["--webhook-url", webhooks, "--webhook-secret", CARD_SECRET]
        found["cards"] = ["manage.py", "cards_sandbox", *listen, "--keep", str(DEMO / "cards"), *told]
    if place.receiver_port:
        found["receiver"] = ["-m", "sandboxes.receiver", "--host", LOOPBACK, "--port", str(place.receiver_port)]
    return {name: [sys.executable, *command] for name, command in found.items()}


def servers(place: Place) -> dict[str, list[str]]:
    """Return the commands of what a host runs in production, too."""
    # Loaded once and then forked; and without the control socket that it would put into our home.
    web = ["-m", "gunicorn", "config.wsgi", "--preload", "--no-control-socket"]
    worker = ["-m", "celery", "--no-color", "--app", "config", "worker", "--pool", "threads", "--concurrency", "4"]
    # Who is root in a container knows that; a host's worker should not be.
    worker = ["-W", "ignore:You're running the worker with superuser", *worker]
    return {
        "web": [sys.executable, *web, "--bind", f"{place.host}:{place.port}", "--workers", "2", "--threads", "8"],
        "relay": [sys.executable, "manage.py", "outbox_relay"],
        "worker": [sys.executable, *worker, "--beat", "--scheduler", BEAT, "--loglevel", "INFO"],
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
    while time.monotonic() < deadline and not all(process.started.is_set() for process in processes):
        watch(processes, until=time.monotonic() + 0.05)
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
    """Print at once: the reader watches. If he has left with his terminal, there is still something to end."""
    with contextlib.suppress(OSError):
        print(text, flush=True)


STORY = [
    ("A visitor finds a bowl near her on the map", "market/near/"),
    ("She registers, and tops up her wallet", "register/"),
    ("She orders with a delivery slot, and pays by a hold", "basket/"),
    ("greta makes and delivers it, reads her alerts and figures, is paid", "workshop/"),
    ("The visitor orders a card by its color, and freezes it", "cards/"),
    ("mara changes a price, and the other admins are told", "catalog/"),
    ("A defect is reported, and the counter server counts it", "defects/"),
]


def welcome(place: Place) -> str:
    """Return the addresses, the logins and the story."""
    pages = {
        "Pages": f"{place.address}/",
        "Market": f"{place.address}/market/",
        "Catalog": f"{place.address}/catalog/",
        "Mails": f"{place.address}/mailbox/",
        "Admin": f"{place.address}/admin/",
        "API": f"{place.address}/schema/swagger-ui/",
        "Health": f"{place.address}/health/",
    }
    relay, counting = (pid_file(name).relative_to(ROOT) for name in ("relay", "counters"))
    hints = ["Then break something:"]
    hints += [f"  Kill the relay, send money, see that nothing is lost: kill -9 $(cat {relay})"]
    if place.counters:
        pages["Counters"] = f"{place.counters}/"
        hints.append(f"  Kill the counter server, report a defect, see it counted: kill -9 $(cat {counting})")
    if place.cards:
        pages["Cards"] = f"{place.cards}/"
        hints.append("  Order a card, break its provider at its page, watch the repair.")
    if place.receiver:
        pages["Receiver"] = f"{place.receiver}/"
        hints.append("  Turn chat or webhooks on (Catalog, How I am told): the receiver shows what came.")
    lines = [f"  {name:<8} {page}" for name, page in pages.items()]
    tour = "In a second terminal 'make tour' walks one story through all of it, by the API. Or walk it yourself:"
    story = [f"  {number}  {what:<67} {place.address}/{path}" for number, (what, path) in enumerate(STORY, 1)]
    logins = WELCOME.read_text().strip("\n") if WELCOME.exists() else ""
    end = f"Logs are in {LOGS.relative_to(ROOT)}/. Ctrl-C ends it all."
    return "\n".join(["", *lines, "", logins, "", tour, "", *story, "", *hints, "", end, ""])


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
    began = time.monotonic()
    with alone() as where, valkey() as redis_url:
        end_orphans()
        place = Place.choose()
        environment = settings(redis_url, place)
        put_aside_what_is_old(environment)
        with running() as processes:
            start(sandboxes(place), environment, processes)
            prepare(environment)
            say("Starting ...")
            start(servers(place), environment, processes)
            wait_until_healthy(place.address, processes)
            where.write_text(place.address)
            COUNTERS.write_text(urljoin(environment["COUNTER_URL"], "/"))
            say(f"Ready after {time.monotonic() - began:.0f} seconds.")
            say(welcome(place))
            watch(processes)


def start(commands: Mapping[str, list[str]], environment: Mapping[str, str], processes: list[Process]) -> None:
    """Start what has these commands, and add it to the processes."""
    for name, command in commands.items():
        processes.append(Process(name, command, environment))


@contextlib.contextmanager
def running() -> Iterator[list[Process]]:
    """Lend a list of processes, and end those that are in it."""
    processes: list[Process] = []
    try:
        yield processes
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
    except PermissionError as error:
        print(f"\nYou may not write to {error.filename}; the demo keeps all that it makes there.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
