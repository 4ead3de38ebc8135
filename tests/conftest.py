"""What every folder of tests has in common."""

import os
import threading
from collections.abc import Iterator
from functools import cache
from typing import Any

import hypothesis
import pytest
from django.conf import settings
from django.db import connections, transaction
from django.test import TransactionTestCase

# What migrating fills, and no test does: emptied, it would have to be made again after each test.
KEPT = {"django_content_type", "auth_permission"}

# How long an example takes says how busy the machine is.
hypothesis.settings.register_profile(
    "on any machine", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("on any machine")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Let TEST_SEED choose the order of the tests and whatever is random in them, so that a red run can be repeated.

    What the command line says goes first; nothing happens where the plugins are not.
    """
    seed = os.environ.get("TEST_SEED")
    if seed and config.getoption("randomly_seed", None) == "default":
        config.option.randomly_seed = int(seed)
    if seed and config.getoption("hypothesis_seed", seed) is None:
        config.option.hypothesis_seed = seed


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, exitstatus: pytest.ExitCode, config: pytest.Config
) -> None:
    """Say how to repeat what was not green: a quiet run does not show its seed."""
    seed = config.getoption("randomly_seed", None)
    if exitstatus in (pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.INTERRUPTED) and seed is not None:
        terminalreporter.write_line(f"The same order again: TEST_SEED={seed}")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what needs PostgreSQL where there is another database: ``make test`` runs it on the one it starts."""
    if not settings.configured or "postgresql" in settings.DATABASES["default"]["ENGINE"]:
        return
    needing = [item for item in items if item.get_closest_marker("postgres")]
    if needing:
        config.hook.pytest_deselected(items=needing)
        items[:] = [item for item in items if item not in needing]


@pytest.fixture(autouse=True)
def nobody_looks_on() -> Iterator[None]:
    """Let the thread behind streams end with its test: it would ask for the database between this one and the next."""
    yield
    for thread in threading.enumerate():
        if thread.name == "holdfast feed":
            thread.join(30)
            assert not thread.is_alive(), "a stream was not closed"


@pytest.fixture(scope="module")
def rows_of_the_module(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Keep what is written here until the last test of the module has run, each in a savepoint of this transaction.

    For modules of many tests that all begin with the same rows, and of none that commits.
    """
    with django_db_blocker.unblock(), transaction.atomic():
        yield
        transaction.set_rollback(True)


def empty_what_was_filled(case: TransactionTestCase) -> None:
    """Empty the tables that a test has written to, in the place of Django's flush after each test that commits.

    That truncates every table and makes every permission again, and took longer than most of our tests.
    """
    for alias in case._databases_names(include_mirrors=False):
        connection = connections[alias]
        quote = connection.ops.quote_name
        with connection.cursor() as cursor:
            rows = (f"SELECT '{table}' WHERE EXISTS (SELECT 1 FROM {quote(table)})" for table in tables(alias))
            cursor.execute(" UNION ALL ".join(rows))
            filled = [table for (table,) in cursor.fetchall()]
        # In one transaction: foreign keys are looked at when it ends. A few rows are deleted faster than truncated.
        connection.ops.execute_sql_flush([f"DELETE FROM {quote(table)}" for table in filled])


@cache
def tables(alias: str) -> list[str]:
    """Return the tables of a test database that tests write to."""
    names = connections[alias].introspection.django_table_names(only_existing=True, include_views=False)
    return sorted({*names} - KEPT)


TransactionTestCase._fixture_teardown = empty_what_was_filled
