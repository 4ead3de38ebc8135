"""What every folder of tests has in common."""

import pytest
from django.conf import settings


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what needs PostgreSQL where there is another database: ``make test`` runs it on the one it starts."""
    if not settings.configured or "postgresql" in settings.DATABASES["default"]["ENGINE"]:
        return
    needing = [item for item in items if item.get_closest_marker("postgres")]
    if needing:
        config.hook.pytest_deselected(items=needing)
        items[:] = [item for item in items if item not in needing]
