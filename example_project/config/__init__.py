"""How the example project is put together: settings, addresses, processes."""

from config.celery import app as celery_app

# Celery's shared tasks belong to whichever app is current: importing it here makes that ours in every process.
__all__ = ["celery_app"]
