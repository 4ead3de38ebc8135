"""Gunicorn's own settings: the figures of all its processes are told as one.

Whichever worker answers a scrape, it adds up what the others have counted; without this each would tell of itself. The
rest of the settings is on the command line and in ``GUNICORN_CMD_ARGS``.
"""

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

_MEMORY = Path("/dev/shm")  # noqa: S108 - a file system in memory, where there is one
_folder = tempfile.mkdtemp(prefix="holdfast-metrics-", dir=_MEMORY if _MEMORY.is_dir() else None)
# Read by prometheus_client when it is first imported, which is after this.
os.environ["PROMETHEUS_MULTIPROC_DIR"] = _folder


def child_exit(_server: Any, worker: Any) -> None:
    """Forget the gauges of a worker that is gone; its counts stay."""
    from prometheus_client import multiprocess  # noqa: PLC0415 - not in the master before its workers are there

    multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]  # has no annotations


def on_exit(_server: Any) -> None:
    """Leave nothing behind."""
    shutil.rmtree(_folder, ignore_errors=True)
