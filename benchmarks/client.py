"""The child's side of a benchmark: one process that connects once and then does what it is told, line by line.

``python -m benchmarks.client <module> <options as JSON>`` makes the module's ``Client(**options)`` and answers each
line ``{"call": ..., "arguments": {...}}`` with one line ``{"value": ...}`` or ``{"error": <traceback>}``.
"""

import importlib
import json
import os
import sys
import time
import traceback
from collections.abc import Callable
from typing import Any


def repeat(operation: Callable[[], object], *, start: float, seconds: float) -> dict[str, float]:
    """Do ``operation`` over and over from ``start`` (a moment of ``time.monotonic``) for ``seconds``; say how often."""
    time.sleep(max(0.0, start - time.monotonic()))
    end = start + seconds
    done = 0
    while time.monotonic() < end:
        operation()
        done += 1
    return {"done": done, "seconds": time.monotonic() - start}


def main(module: str, options: str) -> None:
    # Whatever a library prints goes to stderr: stdout belongs to the answers.
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    client = importlib.import_module(module).Client(**json.loads(options))
    for line in sys.stdin:
        order = json.loads(line)
        answer: dict[str, Any]
        try:
            answer = {"value": getattr(client, order["call"])(**order["arguments"])}
        except Exception:  # noqa: BLE001 - whatever went wrong is told to the parent, who stops the run
            answer = {"error": traceback.format_exc()}
        answers.write(json.dumps(answer) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
