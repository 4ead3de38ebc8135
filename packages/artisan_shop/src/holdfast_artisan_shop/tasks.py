"""Celery doors to services; each is a management command too, for hosts without Celery.

::

    beat_schedule = {
        "keep the market": {"task": "holdfast_artisan_shop.tasks.tidy", "schedule": 60},
        "remind of deliveries": {"task": "holdfast_artisan_shop.tasks.remind", "schedule": 3600},
        "count sales": {"task": "holdfast_artisan_shop.tasks.roll_up", "schedule": crontab(hour=2)},
    }
"""

from celery import shared_task

from holdfast_artisan_shop import services


@shared_task(ignore_result=True)
def tidy() -> None:
    """Let expired holds and unpaid orders go, and ask again for payments without an answer: ``shop_tidy``."""
    services.tidy()


@shared_task(ignore_result=True)
def remind() -> int:
    """Make the slots of the coming weeks, and tell of tomorrow's deliveries: ``shop_remind``."""
    services.generate_slots()
    return services.remind_of_deliveries()


@shared_task(ignore_result=True)
def roll_up() -> None:
    """Count the last days again and what is bought together, is popular and is searched for: ``shop_roll_up``."""
    services.roll_up()
