"""The parent's side of a benchmark: a group of client processes of one system."""

import contextlib
import json
import subprocess
import sys
import time
from types import TracebackType
from typing import Any, Self

import psutil


class ClientError(RuntimeError):
    """A client process failed; the message is its traceback."""


class Clients:
    """``count`` processes that run ``Client(**options)`` of ``module``, connected for as long as the run lasts."""

    def __init__(self, module: str, count: int = 1, **options: Any) -> None:
        self.module = module
        command = [sys.executable, "-m", "benchmarks.client", module, json.dumps(options)]
        self._processes = [
            subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(count)
        ]

    def call(self, call: str, *, clients: int = 1, **arguments: Any) -> list[Any]:
        """Let the first ``clients`` processes do ``call`` at the same time; return their answers."""
        return self.each(call, [arguments] * clients)

    def one(self, call: str, **arguments: Any) -> Any:
        """Let the first process do ``call``; return its answer."""
        return self.call(call, **arguments)[0]

    def each(self, call: str, arguments: list[dict[str, Any]]) -> list[Any]:
        """Let as many processes as there are arguments do ``call``, each with its own, at the same time."""
        chosen = self._processes[: len(arguments)]
        for process, own in zip(chosen, arguments, strict=True):
            self._order(process, call, own)
        return [self._answer(process) for process in chosen]

    def rate(self, call: str, *, clients: int, seconds: float, **arguments: Any) -> float:
        """Let ``clients`` processes repeat ``call`` for ``seconds`` from one moment on; return operations a second."""
        start = time.monotonic() + 0.02
        answers = self.call(call, clients=clients, start=start, seconds=seconds, **arguments)
        return sum(answer["done"] / answer["seconds"] for answer in answers)

    def tell(self, call: str, *, index: int = 0, **arguments: Any) -> None:
        """Give one process an order without waiting for its answer."""
        self._order(self._processes[index], call, arguments)

    def hear(self, *, index: int = 0) -> Any:
        """Wait for the answer to an order given by ``tell``."""
        return self._answer(self._processes[index])

    def kill(self) -> None:
        """SIGKILL all processes and whatever they started: what a power cut does to them."""
        for process in self._processes:
            with contextlib.suppress(psutil.NoSuchProcess):
                root = psutil.Process(process.pid)
                for doomed in (root, *root.children(recursive=True)):
                    with contextlib.suppress(psutil.NoSuchProcess):
                        doomed.kill()
            process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for process in self._processes:
            if process.stdin is not None:
                process.stdin.close()
        deadline = time.monotonic() + 2
        # One that is told to relay does not listen any more.
        for process in self._processes:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(max(0.0, deadline - time.monotonic()))
        self.kill()

    def _order(self, process: "subprocess.Popen[str]", call: str, arguments: dict[str, Any]) -> None:
        assert process.stdin is not None
        process.stdin.write(json.dumps({"call": call, "arguments": arguments}) + "\n")
        process.stdin.flush()

    def _answer(self, process: "subprocess.Popen[str]") -> Any:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise ClientError(f"{self.module}: the process ended with {process.wait()}.")
        answer = json.loads(line)
        if "error" in answer:
            raise ClientError(f"{self.module}:\n{answer['error']}")
        return answer["value"]
