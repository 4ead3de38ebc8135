"""Start-up checks: settings that cannot work, a database without its law, a deployment that gives money away.

======== =========================================================================================================
E001-004 ``HOLDFAST_WALLET`` is no dict, has an unknown key, a value of a wrong type, a backend that does not load
E005     a database that the ledger has no law for
E006     a part of the law is not in the database although its migration was applied (needs ``check --database``)
E007     the law is switched off in this process (``--deploy --database``)
W001     SQLite without ``transaction_mode: IMMEDIATE``
W002     the application may rewrite the history (``--deploy --database``)
W003     the dummy payment rail gives money to whoever asks (``--deploy``)
======== =========================================================================================================
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from django.core import checks
from django.db import connections, router
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.recorder import MigrationRecorder

from holdfast.checks import engine_of
from holdfast_wallet.conf import settings
from holdfast_wallet.migrations import _law
from holdfast_wallet.models import Account, Transfer
from holdfast_wallet.services import law

LABEL = "holdfast_wallet"
DUMMY = "holdfast_wallet.backends.dummy.DummyRail"
LAW = (LABEL, "0002_law")

# What holds: a trigger that was disabled, or that only fires on a replica, does not.
_IN_FORCE = {
    "postgresql": """
        SELECT tgname FROM pg_trigger WHERE tgenabled IN ('O', 'A') AND pg_table_is_visible(tgrelid)
        UNION SELECT rulename FROM pg_rewrite WHERE ev_enabled IN ('O', 'A') AND pg_table_is_visible(ev_class)""",
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger'",
}


@checks.register(LABEL)
def check_settings(**_kwargs: Any) -> list[checks.CheckMessage]:
    """Refuse unknown keys, values of a wrong type and backends that do not load."""
    return list(settings.check(LABEL))


@checks.register(LABEL)
def check_engine(**_kwargs: Any) -> list[checks.CheckMessage]:
    """Refuse databases that we have no law for, and warn of SQLite transactions that begin too late."""
    return engine_of(Account, label=LABEL, error="E005")


@checks.register(LABEL, deploy=True)
def check_rail(**_kwargs: Any) -> list[checks.CheckMessage]:
    """Warn of the payment rail that settles whatever it is asked for."""
    if settings.PAYMENT_RAIL["BACKEND"] != DUMMY:
        return []
    return [
        checks.Warning(
            "The payment rail is the dummy: whoever orders a deposit has the money.",
            hint="Give HOLDFAST_WALLET['PAYMENT_RAIL'] the dotted path of your own rail.",
            id=f"{LABEL}.W003",
        )
    ]


@checks.register(checks.Tags.database)
def check_law(*, databases: Sequence[str] | None = None, **_kwargs: Any) -> list[checks.CheckMessage]:
    """Look whether the law that was migrated is still there: a restored dump or a rebuilt table may have lost it."""
    return [
        checks.Error(
            f"The ledger of the database {connection.alias!r} has lost a part of its law: {', '.join(lost)}.",
            hint=f"Stop writing; run what is missing of migrations/sql/{connection.vendor}.sql, then 'wallet_verify'.",
            id=f"{LABEL}.E006",
        )
        for connection in _migrated(databases)
        if (lost := _lost(connection))
    ]


@checks.register(checks.Tags.database, deploy=True)
def check_hardened(*, databases: Sequence[str] | None = None, **_kwargs: Any) -> list[checks.CheckMessage]:
    """Look whether anything but the triggers stands between the application and its own history."""
    found: list[checks.CheckMessage] = []
    for connection in _migrated(databases):
        if law.switch_state(using=connection.alias) != "off":
            found.append(
                checks.Error(
                    f"The law of the ledger is switched off on the database {connection.alias!r}.",
                    hint="law.unlocked and law.allow_flush are for test suites; remove them from this process.",
                    id=f"{LABEL}.E007",
                )
            )
        if connection.vendor == "postgresql" and _may_rewrite(connection):
            found.append(
                checks.Warning(
                    f"The role of the database {connection.alias!r} may switch triggers off and rewrite transfers.",
                    hint="Migrate with one role and serve with another, and run 'wallet_harden --role <the second>'.",
                    id=f"{LABEL}.W002",
                )
            )
    return found


def _migrated(databases: Sequence[str] | None) -> Iterator[BaseDatabaseWrapper]:
    for alias in databases or ():
        connection = connections[alias]
        if router.allow_migrate_model(alias, Transfer) and LAW in MigrationRecorder(connection).applied_migrations():
            yield connection


def _lost(connection: BaseDatabaseWrapper) -> list[str]:
    """Return the names of the triggers and rules of the law that are not in force."""
    declared = re.findall(r"^CREATE (?:TRIGGER|RULE) (\w+)", _law.script(connection.vendor), re.MULTILINE)
    with connection.cursor() as cursor:
        cursor.execute(_IN_FORCE[connection.vendor])
        in_force = {name for (name,) in cursor.fetchall()}
    return [name for name in declared if name not in in_force]


def _may_rewrite(connection: BaseDatabaseWrapper) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT has_table_privilege(%s, 'UPDATE, DELETE, TRUNCATE')"
            " OR has_column_privilege(%s, 'balance_minor', 'UPDATE')",
            [Transfer._meta.db_table, Account._meta.db_table],
        )
        return bool(cursor.fetchone()[0])
