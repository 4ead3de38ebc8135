"""Staging: production, with a shorter memory in browsers and its own name."""

from config.settings.production import *  # noqa: F403 - a settings module is its base and what differs
from config.settings.production import env

ENVIRONMENT = "staging"
SECURE_HSTS_SECONDS = env.int("DJANGO_SECURE_HSTS_SECONDS", default=60 * 60)
