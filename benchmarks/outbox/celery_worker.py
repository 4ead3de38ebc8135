"""The application that ``celery worker`` imports."""

import os

from benchmarks.outbox.celery_redis import application
from benchmarks.tally import Tally

app, product_sold = application(os.environ["BENCHMARKS_REDIS"], Tally(os.environ["BENCHMARKS_TALLY"]))
