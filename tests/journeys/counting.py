"""The counter servers, for tests: the project's own, and the one for deno."""

import importlib.util
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.broadcast.processes import PROJECT, CounterProcess, running

SCRIPT = PROJECT / "sandboxes" / "counters_server.js"


def deno() -> str | None:
    """Return a deno: the one of the PATH, or of the package of that name on PyPI."""
    if importlib.util.find_spec("deno") is not None:
        import deno as package

        return str(package.find_deno_bin())
    return shutil.which("deno")


@contextmanager
def counter_server(data: Path, **environment: str) -> Iterator[CounterProcess]:
    """Run the project's own counter server."""
    server = CounterProcess(data, environment=environment)
    with running(server):
        yield server


@contextmanager
def counter_server_of_deno(data: Path) -> Iterator[CounterProcess]:
    """Run the one for deno."""
    binary = deno()
    assert binary is not None
    permissions = ["--allow-net", "--allow-read", "--allow-write", "--no-config"]
    server = CounterProcess(data, [binary, "run", *permissions, str(SCRIPT)])
    with running(server):
        yield server
