"""A part of the SIGKILL matrix; all of it is ``nox -s kills``."""

import pytest

from tests.cards.kill import matrix

# Each life has an SQLite file of its own, whatever the tests around run on.
pytestmark = [pytest.mark.slow, pytest.mark.any_database]


def part_of(provider):
    """Every fault once and every kill twice, met otherwise by each provider."""
    first = list(matrix.CLASSES).index(provider)
    for number, fault in enumerate(matrix.FAULTS):
        yield provider, matrix.KILLS[(first + number) % len(matrix.KILLS)], fault


@pytest.mark.parametrize("provider", matrix.CLASSES)
def test_whoever_dies_wherever_one_wish_makes_at_most_one_card(provider):
    runs = list(matrix.played(part_of(provider)))

    assert {run.fault for run in runs} == set(matrix.FAULTS)
    assert {run.kill for run in runs} == set(matrix.KILLS)
    assert [run for run in runs if not matrix.is_good(run)] == []
    assert sum(run.killed for run in runs) >= 8, "processes did die"
