"""The example project, at the pace of a proof: outages of seconds instead of hours, and nobody throttled."""

from config.settings.test import *  # noqa: F403 - a settings module is its base and what differs
from config.settings.test import HOLDFAST_DEFECTS, env

HOLDFAST_OUTBOX = {
    "RETRY_SECONDS": [0.5, 1, 1, *[2] * 200],
    # A killed relay's partitions wait for the end of their lease: fifteen seconds in production.
    "LEASE_SECONDS": env.float("PROOF_LEASE_SECONDS", default=5.0),
}
if "COUNTER" in HOLDFAST_DEFECTS:
    HOLDFAST_DEFECTS["COUNTER"]["OPTIONS"] |= {"connect_seconds": 1.0, "read_seconds": 1.0, "total_seconds": 2.0}
LOGGING = {"version": 1, "disable_existing_loggers": True}
