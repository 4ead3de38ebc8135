"""The proof of the broadcast, small enough for every run; ``nox -s proof`` is the whole of it."""

from typing import Any

import pytest
from django.conf import settings

from benchmarks.broadcast.proof import Plan, prove


@pytest.mark.postgres
@pytest.mark.slow
def test_whatever_is_killed_the_counters_equal_the_history_of_every_user(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PROOF_LEASE_SECONDS", "2")
    # The relay is killed last: a new one does not wait for the circuit that its predecessor opened.
    plan = Plan(
        defects=240, clients=4, by_verbs=1, relay_kills=3, faults=("forget", "kill", "error"), fault_seconds=1.0
    )

    finding = prove(plan, _server(settings.DATABASES["default"]))

    assert finding.holds, finding.text()
    assert finding.acknowledged.total() == finding.counted.total() == 480
    assert finding.done == {"relay": 3, "forget": 1, "kill": 1, "error": 1}
    assert finding.told_again > 0  # or the counting by id would not have been put to the test


def _server(database: dict[str, Any]) -> str:
    # Not the test's own database: its name is that of one on the same server.
    return f"postgres://{database['USER']}:{database['PASSWORD']}@{database['HOST']}:{database['PORT']}/postgres"
