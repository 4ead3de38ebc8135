"""The buffer in the host's own database: one INSERT for each answer."""

from uuid import UUID

from django.db import connections, router, transaction

from holdfast.prepared import Statement
from holdfast_catalog_notify.models import BufferedViews
from holdfast_catalog_notify.ports import Batch, Views
from holdfast_catalog_notify.states import ViewKind

PENDING_MAX = 100_000
_COLUMNS = "kind, product_ids, hour, is_bot, visitor"
_TABLE = BufferedViews._meta.db_table
_INSERT = f"INSERT INTO {_TABLE} ({_COLUMNS}) VALUES (%s, %s, %s, %s, %s)"  # noqa: S608 - names of our own
_INSERT_DURABLY = Statement(_INSERT)
# The setting holds for the transaction, which is this statement. MATERIALIZED: a SELECT that nobody reads may be left
# out.
_INSERT_HASTILY = Statement(
    f"""
    WITH set AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true))
    INSERT INTO {_TABLE} ({_COLUMNS}) SELECT %s, %s, %s::timestamptz, %s::boolean, %s FROM set"""  # noqa: S608 - the same
)


class DatabaseBuffer:
    """Loses nothing that a response was given for, whichever of our processes is killed.

    PostgreSQL does not wait for its disk: a crash of the database server itself, and nothing else, may lose what it
    took in its last ``3 * wal_writer_delay`` (0.6 seconds, unless configured otherwise). With ``durable=True`` not even
    that, and every answer to a visitor waits for the disk.
    """

    def __init__(self, *, durable: bool = False) -> None:
        self.durable = durable

    def add(self, views: Views) -> None:
        """Insert a row; there is none that another request could have locked."""
        using = router.db_for_write(BufferedViews)
        connection = connections[using]
        ids = " ".join(product_id.hex for product_id in views.product_ids)
        if connection.vendor == "postgresql" and connection.get_autocommit():
            texts = [views.kind.value, ids, views.hour.isoformat(), "t" if views.is_bot else "f", views.visitor]
            (_INSERT_DURABLY if self.durable else _INSERT_HASTILY).row(connection, texts)
            return
        hour = connection.ops.adapt_datetimefield_value(views.hour)
        # Within somebody's transaction the haste would be his whole transaction's, and so, without a savepoint, would
        # an error.
        with transaction.atomic(using=using), connection.cursor() as cursor:
            cursor.execute(_INSERT, [views.kind.value, ids, hour, views.is_bot, views.visitor])

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
        """Count the rows, up to what is simply many: who asks does not wait for a roll-up that has failed for days."""
        return BufferedViews.objects.order_by()[:PENDING_MAX].count()


def _views(row: BufferedViews) -> Views:
    return Views(
        kind=ViewKind(row.kind),
        product_ids=tuple(UUID(text) for text in row.product_ids.split()),
        hour=row.hour,
        is_bot=row.is_bot,
        visitor=row.visitor,
    )
