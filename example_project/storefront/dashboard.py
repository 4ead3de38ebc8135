"""The first page of the back office."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest


def environment(_request: HttpRequest) -> list[str]:
    """Return the label of the place where this runs, so that nobody mistakes production for anything else."""
    return [settings.ENVIRONMENT.capitalize(), "danger" if settings.ENVIRONMENT == "production" else "info"]


def context(_request: HttpRequest, values: dict[str, Any]) -> dict[str, Any]:
    """Add the figures of the dashboard to the template's values."""
    return values
