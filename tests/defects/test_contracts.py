"""Our own adapters keep the contract that we ship, and what does not is caught."""

import pytest

from holdfast_defects.backends.console import ConsoleCounter
from holdfast_defects.backends.dummy import DummyCounter
from holdfast_defects.backends.http import HttpCounter
from holdfast_defects.testing import CounterContract
from tests.foundation.outbox.receiver import receiving


class TestDummyCounter(CounterContract):
    @pytest.fixture
    def counter(self):
        return DummyCounter()


class TestConsoleCounter(CounterContract):
    @pytest.fixture
    def counter(self):
        return ConsoleCounter()


class TestHttpCounter(CounterContract):
    @pytest.fixture
    def counter(self):
        with receiving() as server:
            counter = HttpCounter(url=server.url)
            yield counter
            counter.close()


class PettyCounter:
    """Takes numbers only, nothing twice, and no deletions."""

    def __init__(self):
        self.seen = set()

    def count(self, *, event_id, user_id, action):
        if event_id in self.seen or action == "delete" or not isinstance(user_id, int):
            raise ValueError(event_id)
        self.seen.add(event_id)


@pytest.mark.parametrize("check", [name for name in vars(CounterContract) if name.startswith("test_")])
def test_a_counter_that_is_petty_is_caught(check):
    with pytest.raises(ValueError):
        getattr(CounterContract(), check)(PettyCounter())
