"""The smallest host that the defects need."""

from tests import host
from tests.host import *  # noqa: F403 - a settings module is its base and what differs

ROOT_URLCONF = "tests.defects.urls"
INSTALLED_APPS = [*host.INSTALLED_APPS, "holdfast_defects"]
SPECTACULAR_SETTINGS = {"TITLE": "Defects", "VERSION": "1", "OAS_VERSION": "3.1.1"}
