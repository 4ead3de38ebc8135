"""The buffer in the host's own database: one INSERT for each answer."""

from contextlib import nullcontext
from uuid import UUID

from django.db import connections, router, transaction

from holdfast_catalog_notify.models import BufferedViews
from holdfast_catalog_notify.ports import Batch, Views
from holdfast_catalog_notify.states import ViewKind

_COLUMNS = "kind, product_ids, hour, is_bot, visitor"
_TABLE = BufferedViews._meta.db_table
_INSERT = f"INSERT INTO {_TABLE} ({_COLUMNS}) VALUES (%s, %s, %s, %s, %s)"  # noqa: S608 - names of our own
# The setting holds for the transaction, which is this statement. MATERIALIZED: a SELECT that nobody reads may be left
# out.
_INSERT_LATER = f"""
    WITH set AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true))
    INSERT INTO {_TABLE} ({_COLUMNS}) SELECT %s, %s, %s::timestamptz, %s, %s FROM set"""  # noqa: S608 - the same


class DatabaseBuffer:
    """Loses nothing that a response was given for, whatever is killed.

    With ``durable=False`` PostgreSQL does not wait for its disk: a crash of the database server, and nothing else, may
    lose what it took in its last ``3 * wal_writer_delay`` (0.6 seconds, unless configured otherwise).
    """

    def __init__(self, *, durable: bool = True) -> None:
        self.durable = durable

    def add(self, views: Views) -> None:
        """Insert a row; there is none that another request could have locked."""
        using = router.db_for_write(BufferedViews)
        connection = connections[using]
        # Within somebody's transaction the setting would be his whole transaction's, and so would be an error.
        joined = connection.in_atomic_block
        later = not self.durable and not joined and connection.vendor == "postgresql"
        with transaction.atomic(using=using) if joined else nullcontext(), connection.cursor() as cursor:
            cursor.execute(
                _INSERT_LATER if later else _INSERT,
                [
                    views.kind.value,
                    " ".join(product_id.hex for product_id in views.product_ids),
                    connection.ops.adapt_datetimefield_value(views.hour),
                    views.is_bot,
                    views.visitor,
                ],
            )

    def claim(self, *, limit: int) -> Batch | None:
        """Delete the oldest rows within the caller's transaction: they are back if it fails.

        On PostgreSQL those that another roll-up holds are passed by; on SQLite there is one at a time.
        """
        rows = BufferedViews.objects.using(router.db_for_write(BufferedViews)).order_by("id")
        taken = list(rows.select_for_update(skip_locked=True)[:limit])
        if not taken:
            return None
        rows.filter(id__in=[row.id for row in taken]).delete()
        return Batch(views=[_views(row) for row in taken])

    def settle(self, batch: Batch) -> None:
        """Do nothing: the rows went with the transaction."""

    def pending(self) -> int:
        """Count the rows."""
        return BufferedViews.objects.count()


def _views(row: BufferedViews) -> Views:
    return Views(
        kind=ViewKind(row.kind),
        product_ids=tuple(UUID(text) for text in row.product_ids.split()),
        hour=row.hour,
        is_bot=row.is_bot,
        visitor=row.visitor,
    )
