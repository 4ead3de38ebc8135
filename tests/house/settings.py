"""A host with every package of the repository in it, and nothing else."""

from tests.house.rooms import packages

SECRET_KEY = "only for tests, and long enough for anybody who measures it"
USE_TZ = True
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "rest_framework",
    *[package.module for package in packages()],
]
