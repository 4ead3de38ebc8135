"""Start-up checks: settings that cannot work, a database without its law."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.apps import AppConfig
from django.core import checks

from holdfast_wallet.conf import settings

LABEL = "holdfast_wallet"


@checks.register(LABEL)
def check_settings(*, app_configs: Sequence[AppConfig] | None = None, **_kwargs: Any) -> list[checks.CheckMessage]:  # noqa: ARG001
    """Refuse unknown keys, values of a wrong type and backends that cannot be loaded."""
    return list(_settings())


def _settings() -> Iterator[checks.CheckMessage]:
    yield from settings.check(LABEL)
