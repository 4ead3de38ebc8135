"""Celery doors to services; each is a management command too, for hosts without Celery.

::

    beat_schedule = {
        "deliver notifications": {"task": "holdfast_catalog_notify.tasks.deliver", "schedule": 60},
        "count views": {"task": "holdfast_catalog_notify.tasks.count", "schedule": 60},
    }
"""

from celery import shared_task

from holdfast_catalog_notify import services


@shared_task(ignore_result=True)
def count(seconds: float = 50.0) -> int:
    """Count the buffered views, again and again for so long; ``catalog_count`` does it without an end."""
    return services.count_views(seconds=seconds)


@shared_task(ignore_result=True)
def deliver(seconds: float = 50.0) -> int:
    """Send the notifications that are due, for at most so long; ``catalog_deliver`` does it without an end."""
    return services.Worker().run(seconds=seconds)
