"""The smallest host that the marketplace needs."""

from tests import host
from tests.host import *  # noqa: F403 - a settings module is its base and what differs

ROOT_URLCONF = "tests.artisan_shop.urls"
INSTALLED_APPS = [*host.INSTALLED_APPS, "holdfast_artisan_shop"]
SPECTACULAR_SETTINGS = {"TITLE": "Artisan shop", "VERSION": "1", "OAS_VERSION": "3.1.1"}
