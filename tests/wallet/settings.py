"""The smallest host that the wallet needs."""

from tests import host
from tests.host import *  # noqa: F403 - a settings module is its base and what differs

ROOT_URLCONF = "tests.wallet.urls"
INSTALLED_APPS = [*host.INSTALLED_APPS, "holdfast_wallet"]
