"""A part of the SIGKILL matrix; all of it is ``nox -s kills``."""

import pytest

from tests.cards.kill import matrix

pytestmark = pytest.mark.slow

FAULTS = ["none", "cut before", "500 after", "made late"]


@pytest.mark.parametrize("provider", matrix.CLASSES)
def test_whoever_dies_wherever_one_wish_makes_at_most_one_card(provider):
    runs = list(matrix.all_of([provider], matrix.KILLS, FAULTS))

    assert len(runs) == 24
    assert [run for run in runs if not matrix.is_good(run)] == []
    assert sum(run.killed for run in runs) >= 16, "processes did die"
