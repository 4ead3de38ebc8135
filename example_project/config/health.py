"""The health check that the project adds: there is somebody to do the work behind the pages."""

from config.celery import app
from holdfast.health import Health

ANSWER_SECONDS = 1


def workers() -> Health:
    """Ask the workers through the broker; one answer is enough."""
    with app.connection_for_write(connect_timeout=ANSWER_SECONDS) as connection:
        connection.ensure_connection(max_retries=1, timeout=ANSWER_SECONDS)
        answers = app.control.ping(timeout=ANSWER_SECONDS, limit=1, connection=connection)
    return Health(ok=bool(answers), detail={"answered": len(answers)})
