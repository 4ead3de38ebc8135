"""The smallest host that the catalog needs."""

import django

from tests import host
from tests.host import *  # noqa: F403 - a settings module is its base and what differs

ROOT_URLCONF = "tests.catalog_notify.urls"
INSTALLED_APPS = [*host.INSTALLED_APPS, "holdfast_catalog_notify"]
SPECTACULAR_SETTINGS = {"TITLE": "Catalog", "VERSION": "1", "OAS_VERSION": "3.1.1"}
if django.VERSION >= (6, 1):
    MAILERS = {"default": {"BACKEND": "django.core.mail.backends.locmem.EmailBackend"}}
