"""The health checks that the project adds: somebody works behind the pages, counts, and tells the catalog's admins."""

import datetime as dt

from django.utils import timezone

from adapters.counter_server import read_counters
from config.celery import app
from holdfast.health import Health
from holdfast_catalog_notify import selectors
from holdfast_catalog_notify.states import DeliveryState

ANSWER_SECONDS = 1
# By then a worker has sent what is due, or has written down why not and when it comes again.
LATE = dt.timedelta(minutes=5)
COUNTED_AT_MOST = 1000


def workers() -> Health:
    """Ask the workers through the broker; one answer is enough."""
    with app.connection_for_write(connect_timeout=ANSWER_SECONDS) as connection:
        connection.ensure_connection(max_retries=1, timeout=ANSWER_SECONDS)
        answers = app.control.ping(timeout=ANSWER_SECONDS, limit=1, connection=connection) or []
    return Health(ok=bool(answers), detail={"answered": len(answers)})


def counters() -> Health:
    """Ask the counter server. While it is away nothing is lost and no page fails, but somebody should know."""
    return Health(ok=True, detail={"total": dict(read_counters().total)})


def notifications() -> Health:
    """Look for what is due and not sent. What is dead is no illness of ours, but somebody should know."""

    def counted(state: DeliveryState, **filters: dt.datetime) -> int:
        return int(selectors.deliveries(state=state).filter(**filters)[:COUNTED_AT_MOST].count())

    long_ago = timezone.now() - LATE
    late = sum(counted(state, due_at__lt=long_ago) for state in (DeliveryState.PENDING, DeliveryState.FAILED))
    return Health(ok=not late, detail={"late": late, "dead": counted(DeliveryState.DEAD)})
