"""The WSGI entry: ``gunicorn config.wsgi``."""

import os
from importlib import import_module

from django.conf import settings
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.production")

application = get_wsgi_application()
# What the first request would read, a second of work: once before the workers are forked, and not in each of them.
import_module(settings.ROOT_URLCONF)
