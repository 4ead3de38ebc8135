"""What every test of the wallet stands on: a test database whose rows may be removed between tests."""

from typing import Any

import pytest

from holdfast_wallet.services import law


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> None:
    """Let a transactional test's tables be emptied: the ledger itself would refuse."""
    with django_db_blocker.unblock():
        law.allow_flush()
