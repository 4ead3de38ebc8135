"""Many who want the last of the money at the same moment."""

import time
from collections.abc import Callable

from benchmarks.clients import Clients

RIVALS = 16
UNITS = 5


def at_once(attempt: Callable[[], bool], start: float) -> bool:
    """Wait for the common moment, then try."""
    time.sleep(max(0.0, start - time.monotonic()))
    return attempt()


def run(clients: Clients, rounds: int) -> dict[str, list[int]]:
    """Let ``RIVALS`` clients withdraw one unit each from an account that holds ``UNITS``; say how many were paid."""
    paid, left = [], []
    for _ in range(rounds):
        account = clients.one("open_with", units=UNITS)
        start = time.monotonic() + 0.05
        paid.append(sum(clients.call("withdraw", clients=RIVALS, account=account, start=start)))
        left.append(clients.one("balance_of", account=account))
    return {"paid": paid, "left": left}
