"""``wallet_harden``: take from the application's role what only a forger would need (PostgreSQL)."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.db.models import Model

from holdfast_wallet.models import Account, Hold, HoldEvent, Payment, Seal, Transfer

FINAL: tuple[type[Model], ...] = (Transfer, HoldEvent, Seal)
KEPT: tuple[type[Model], ...] = (Account, Hold, Payment)

_OWNS = "SELECT pg_has_role(%s, relowner, 'MEMBER') FROM pg_class WHERE oid = %s::regclass"


class Command(BaseCommand):
    """Revoke UPDATE where nothing is ever changed, DELETE and TRUNCATE where nothing is ever removed."""

    help = (
        "Revoke from the application's role the right to rewrite the ledger (PostgreSQL). The tables must belong to "
        "another role, the one that migrates: an owner can take back whatever is taken from him."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Name the role."""
        parser.add_argument("--role", required=True, help="The role that the application connects as.")
        parser.add_argument("--database", default=DEFAULT_DB_ALIAS, help="A connection as the tables' owner.")

    def handle(self, *, role: str, database: str, **_options: Any) -> None:
        """Revoke in one transaction, and say what was revoked."""
        connection = connections[database]
        if connection.vendor != "postgresql":
            raise CommandError(f"{connection.display_name} has no roles; here the triggers are all there is.")
        quote = connection.ops.quote_name
        with transaction.atomic(using=database), connection.cursor() as cursor:
            cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = %s", [role])
            found = cursor.fetchone()
            if found is None:
                raise CommandError(f"There is no role {role!r}. Create it, and give it what it needs, first.")
            if found[0]:
                raise CommandError(f"{role!r} is a superuser: nothing can be taken from it. Serve as a plain role.")
            for models, rights in ((FINAL, "UPDATE, DELETE, TRUNCATE"), (KEPT, "DELETE, TRUNCATE")):
                for model in models:
                    table = model._meta.db_table
                    cursor.execute(_OWNS, [role, table])
                    if cursor.fetchone()[0]:
                        raise CommandError(f"{role!r} owns {table} and can undo this. Let another role migrate.")
                    cursor.execute(f"REVOKE {rights} ON {quote(table)} FROM {quote(role)}, PUBLIC")
                    self.stdout.write(f"{table}: {rights} revoked from {role}")
