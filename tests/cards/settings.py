"""The smallest host that cards need."""

from tests import host
from tests.host import *  # noqa: F403 - a settings module is its base and what differs

ROOT_URLCONF = "tests.cards.urls"
INSTALLED_APPS = [*host.INSTALLED_APPS, "holdfast_cards"]
