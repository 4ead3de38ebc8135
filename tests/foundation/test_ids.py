"""Identifiers sort by time and follow RFC 9562, section 5.7."""

import time
from itertools import pairwise
from uuid import RFC_4122

from holdfast.ids import uuid7
from holdfast.testing import race


def test_an_id_has_the_layout_of_version_7():
    before = time.time_ns() // 1_000_000
    made = uuid7()
    after = time.time_ns() // 1_000_000

    assert (made.version, made.variant) == (7, RFC_4122)
    assert before <= made.int >> 80 <= after + 1
    assert str(made)[14] == "7"
    assert str(made)[19] in "89ab"


def test_ids_of_one_process_grow():
    made = [uuid7() for _ in range(50_000)]

    assert all(earlier < later for earlier, later in pairwise(made))
    assert sorted(map(str, made)) == list(map(str, made))


def test_ids_grow_though_the_clock_is_set_back(monkeypatch):
    before = uuid7()
    monkeypatch.setattr(time, "time_ns", lambda: 1_000_000_000)

    assert before < uuid7() < uuid7()


def test_ids_of_many_threads_are_different_and_grow_in_each():
    runs = race(lambda: [uuid7() for _ in range(2_000)], times=8)

    assert len({made for run in runs for made in run}) == 16_000
    assert all(run == sorted(run) for run in runs)


def test_the_random_part_is_random():
    tails = {uuid7().int & (2**62 - 1) for _ in range(1_000)}

    assert len(tails) == 1_000
    assert len({tail >> 54 for tail in tails}) > 200
