"""The Celery door to the worker; ``manage.py cards_worker`` is the same for hosts without Celery.

::

    beat_schedule = {"repair cards": {"task": "holdfast_cards.tasks.work", "schedule": 10}}
"""

from celery import shared_task

from holdfast_cards import services


@shared_task(ignore_result=True)
def work(limit: int = 100) -> None:
    """Do what is due; at most ``limit`` of each kind."""
    services.work(limit=limit)
