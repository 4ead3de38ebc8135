"""The test host, with leases so short that a killed relay is replaced within the campaign."""

from tests.foundation.settings import *  # noqa: F403 - settings are inherited so

HOLDFAST_OUTBOX = {"LEASE_SECONDS": 1.5, "RETRY_SECONDS": [0.2] * 20}
