"""The health checks that the project adds: somebody does the work behind the pages, and somebody counts."""

from adapters.counter_server import read_counters
from config.celery import app
from holdfast.health import Health

ANSWER_SECONDS = 1


def workers() -> Health:
    """Ask the workers through the broker; one answer is enough."""
    with app.connection_for_write(connect_timeout=ANSWER_SECONDS) as connection:
        connection.ensure_connection(max_retries=1, timeout=ANSWER_SECONDS)
        answers = app.control.ping(timeout=ANSWER_SECONDS, limit=1, connection=connection)
    return Health(ok=bool(answers), detail={"answered": len(answers)})


def counters() -> Health:
    """Ask the counter server. While it is away nothing is lost and no page fails, but somebody should know."""
    return Health(ok=True, detail={"total": dict(read_counters().total)})
