"""``wallet_harden``: leave to the application's role what the application does, and nothing that a forger needs."""

from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.db.backends.utils import CursorWrapper
from django.db.models import Model

from holdfast_wallet.models import Account, Hold, HoldEvent, Payment, Seal, Transfer

# What the application writes itself. The rest is written by the ledger's triggers, which run as the tables' owner.
INSERTED: tuple[type[Model], ...] = (Account, Transfer, Hold, Payment, Seal)
# What is asked of a transfer. The rest of it is filled by the law; a row that comes with a number was posted by it.
ASKED = (
    "id",
    "source_id",
    "target_id",
    "amount_minor",
    "currency",
    "kind",
    "journal_id",
    "reverses_id",
    "hold_id",
    "effective_at",
    "metadata",
)
BATCH = "holdfast_wallet_batch"
UPDATED: dict[type[Model], tuple[str, ...]] = {
    Account: (
        "name",
        "state",
        "is_default",
        "overdraft_limit_minor",
        "maximum_balance_minor",
        "credits_blocked",
        "frozen_at",
        "closed_at",
    ),
    # released_minor only together with the end of a hold, as its trigger sees to.
    Hold: ("state", "released_minor", "ended_at", "metadata"),
    Payment: (
        "state",
        "reference",
        "reason",
        "hold_id",
        "transfer_id",
        "started",
        "next_poll_at",
        "ended_at",
        "metadata",
    ),
}
LEDGER: tuple[type[Model], ...] = (Account, Transfer, Hold, HoldEvent, Payment, Seal)

# To remove rows, to watch what is written, to have them dropped by a trigger of one's own.
_RIGHTS = ("DELETE", "TRUNCATE", "TRIGGER")

_OWNS = "SELECT pg_has_role(%s, relowner, 'MEMBER') FROM pg_class WHERE oid = %s::regclass"
_GROUPS = "SELECT rolname FROM pg_roles WHERE pg_has_role(%s, oid, 'MEMBER') AND rolname <> %s ORDER BY rolname"
_FUNCTIONS = """
    SELECT proname FROM pg_proc
    WHERE prosecdef AND proname LIKE 'holdfast\\_wallet\\_%%' AND has_function_privilege(%s, oid, 'EXECUTE')
    ORDER BY proname"""
# Who may create in the ledger's schema may give its functions operators of his own to call.
_CREATES = """
    SELECT relnamespace::regnamespace::text FROM pg_class
    WHERE oid = %s::regclass AND has_schema_privilege(%s, relnamespace, 'CREATE')"""
PARAMETERS_HAVE_RIGHTS = 150000  # PostgreSQL 15
_SETS = "SELECT has_parameter_privilege(%s, 'session_replication_role', 'SET')"


class Command(BaseCommand):
    """Revoke all rights on the ledger, grant back what the application needs, and look at what is left."""

    help = (
        "Leave to the application's role what the application does with the ledger: read, insert, and update the "
        "columns that are neither money nor history (PostgreSQL). The tables must belong to another role, "
        "the one that migrates: an owner can take back whatever is taken from him. What the role has through groups "
        "cannot be revoked from it; the command names what is left, and fails. What no right can prevent: with the "
        "application's password one can still post, hold and settle what the application could. Run it again after "
        "each migration."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Name the role."""
        parser.add_argument("--role", required=True, help="The role that the application connects as.")
        parser.add_argument("--database", default=DEFAULT_DB_ALIAS, help="A connection as the tables' owner.")

    def handle(self, *, role: str, database: str, **_options: Any) -> None:
        """Change the rights in one transaction, say how they are now, and fail if that is not enough."""
        connection = connections[database]
        if connection.vendor != "postgresql":
            raise CommandError(f"{connection.display_name} has no roles; here the triggers are all there is.")
        quote = connection.ops.quote_name
        with transaction.atomic(using=database), connection.cursor() as cursor:
            _require_plain(cursor, role)
            for model in LEDGER:
                table, updated = model._meta.db_table, ", ".join(map(quote, UPDATED.get(model, ())))
                inserted = f"INSERT ({', '.join(map(quote, ASKED))})" if model is Transfer else "INSERT"
                rights = ["SELECT"] + [inserted] * (model in INSERTED) + [f"UPDATE ({updated})"] * bool(updated)
                cursor.execute(f"REVOKE ALL ON {quote(table)} FROM {quote(role)}")
                cursor.execute(f"REVOKE INSERT, UPDATE, DELETE, TRUNCATE, TRIGGER ON {quote(table)} FROM PUBLIC")
                cursor.execute(f"GRANT {', '.join(rights)} ON {quote(table)} TO {quote(role)}")
                self.stdout.write(f"{table}: {role} has {', '.join(rights)}")
            cursor.execute(f"GRANT SELECT, INSERT ON {quote(BATCH)} TO {quote(role)}")
        with connection.cursor() as cursor:
            left = list(_left(cursor, role))
        if left:
            raise CommandError(f"{role!r} can still forge. Take this from it, or from its groups:\n" + "\n".join(left))


def _require_plain(cursor: CursorWrapper, role: str) -> None:
    cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = %s", [role])
    found = cursor.fetchone()
    if found is None:
        raise CommandError(f"There is no role {role!r}. Create it, and give it what it needs, first.")
    if found[0]:
        raise CommandError(f"{role!r} is a superuser: nothing can be taken from it. Serve as a plain role.")
    for model in LEDGER:
        cursor.execute(_OWNS, [role, model._meta.db_table])
        if cursor.fetchone()[0]:
            raise CommandError(f"{role!r} owns {model._meta.db_table} and can undo this. Let another role migrate.")


def _left(cursor: CursorWrapper, role: str) -> Iterator[str]:
    """Yield each right that a forger could use, whatever way the role came by it."""
    cursor.execute(_GROUPS, [role, role])
    groups = [name for (name,) in cursor.fetchall()]
    through = f" (a member of {', '.join(groups)})" if groups else ""
    for model in LEDGER:
        table = model._meta.db_table
        for right in _RIGHTS if model in INSERTED else (*_RIGHTS, "INSERT"):
            cursor.execute("SELECT has_table_privilege(%s, %s, %s)", [role, table, right])
            if cursor.fetchone()[0]:
                yield f"{right} ON {table}{through}"
        for column in [field.column for field in model._meta.concrete_fields]:
            cursor.execute("SELECT has_column_privilege(%s, %s, %s, 'UPDATE')", [role, table, column])
            if cursor.fetchone()[0] and column not in UPDATED.get(model, ()):
                yield f"UPDATE ({column}) ON {table}{through}"
    for column in [field.column for field in Transfer._meta.concrete_fields if field.column not in ASKED]:
        cursor.execute("SELECT has_column_privilege(%s, %s, %s, 'INSERT')", [role, Transfer._meta.db_table, column])
        if cursor.fetchone()[0]:
            yield f"INSERT ({column}) ON {Transfer._meta.db_table}{through}"
    cursor.execute(_FUNCTIONS, [role])
    yield from (f"EXECUTE ON FUNCTION {name}{through}" for (name,) in cursor.fetchall())
    cursor.execute(_CREATES, [Transfer._meta.db_table, role])
    yield from (f"CREATE ON SCHEMA {name}{through}" for (name,) in cursor.fetchall())
    if cursor.connection.info.server_version >= PARAMETERS_HAVE_RIGHTS:
        cursor.execute(_SETS, [role])
        if cursor.fetchone()[0]:
            yield f"SET ON PARAMETER session_replication_role{through}"
