"""Typed settings: one class per app, over one dict in the host's settings, read late and checked at start-up.

::

    class CardsSettings(AppSettings, setting="HOLDFAST_CARDS"):
        REQUEST_SECONDS: Annotated[float, "How long a request may wait for the provider, in seconds."] = 10.0 PROVIDER:
        Annotated[BackendSpec, "Who makes the cards."] = {"BACKEND": "holdfast_cards.backends.dummy.DummyProvider"}

    settings = CardsSettings()
    settings.REQUEST_SECONDS

The class is the documentation, the defaults and the check. Each read goes to Django's settings, so
``override_settings`` works.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any, ClassVar, NotRequired, TypedDict, get_args, get_origin, get_type_hints

from django.conf import settings as django_settings
from django.core.checks import Error
from django.core.signals import setting_changed
from django.utils.module_loading import import_string


class BackendSpec(TypedDict):
    """A stranger by dotted path, as Django's own ``STORAGES`` and ``TASKS`` name theirs."""

    BACKEND: str
    OPTIONS: NotRequired[dict[str, Any]]


@dataclass(frozen=True)
class Declared:
    """One declared setting: for the check and for the tables in the documents."""

    name: str
    type: Any
    default: Any
    description: str


class AppSettings:
    """The settings of one app; subclass it with ``setting=`` and annotated defaults."""

    setting: ClassVar[str]
    declared: ClassVar[dict[str, Declared]]

    def __init_subclass__(cls, *, setting: str, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.setting = setting
        cls.declared = {}
        for name, hint in get_type_hints(cls, include_extras=True).items():
            if name.isupper():
                kind, description = get_args(hint)[:2]
                cls.declared[name] = Declared(name, kind, cls.__dict__[name], description)

    def __getattribute__(self, name: str) -> Any:
        if not name.isupper():
            return super().__getattribute__(name)
        default = super().__getattribute__(name)
        values = getattr(django_settings, type(self).setting, {})
        return values.get(name, default) if isinstance(values, dict) else default

    def check(self, label: str) -> Iterator[Error]:
        """Yield an error for each value that cannot be used, with ids ``<label>.E001`` to ``<label>.E004``."""
        values = getattr(django_settings, self.setting, {})
        if not isinstance(values, dict):
            yield Error(f"{self.setting} is not a dict.", id=f"{label}.E001")
            return
        for name in sorted(values.keys() - self.declared.keys(), key=str):
            known = ", ".join(sorted(self.declared))
            yield Error(
                f"{self.setting} has an unknown key {name!r}.", hint=f"The keys are: {known}.", id=f"{label}.E002"
            )
        for declared in self.declared.values():
            value = getattr(self, declared.name)
            if not _fits(value, declared.type):
                yield Error(
                    f"{self.setting}[{declared.name!r}] is {value!r}, which is not {_words(declared.type)}.",
                    hint=declared.description,
                    id=f"{label}.E003",
                )
            elif declared.type is BackendSpec:
                try:
                    load_backend(value)
                except Exception as error:  # noqa: BLE001 - whatever a stranger's constructor raises is his answer
                    yield Error(
                        f"{self.setting}[{declared.name!r}] cannot be loaded from {value['BACKEND']!r}: {error}",
                        hint="Give the dotted path of an importable class, and the OPTIONS its constructor takes.",
                        id=f"{label}.E004",
                    )


def load_backend(spec: BackendSpec) -> Any:
    """Return the backend that a setting names: one instance for each content of the setting."""
    return _load(spec["BACKEND"], json.dumps(spec.get("OPTIONS", {}), sort_keys=True, default=repr), _Options(spec))


class _Options:
    """Carries the options past the cache's key, which is their text."""

    def __init__(self, spec: BackendSpec) -> None:
        self.values = spec.get("OPTIONS", {})

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Options)

    def __hash__(self) -> int:
        return 0


@lru_cache(maxsize=64)
def _load(path: str, _text: str, options: _Options) -> Any:
    return import_string(path)(**options.values)


def _forget(**_kwargs: Any) -> None:
    _load.cache_clear()


setting_changed.connect(_forget, dispatch_uid="holdfast.conf")


def _fits(value: Any, kind: Any) -> bool:
    if kind is BackendSpec:
        return (
            isinstance(value, dict) and isinstance(value.get("BACKEND"), str) and value.keys() <= {"BACKEND", "OPTIONS"}
        )
    origin = get_origin(kind)
    if origin is None:
        if kind is type(None):
            return value is None
        if kind is float:
            return isinstance(value, (int, float)) and not isinstance(value, bool)
        if kind is int:
            return isinstance(value, int) and not isinstance(value, bool)
        return kind is Any or isinstance(value, kind)
    if origin in (list, tuple):
        return isinstance(value, (list, tuple)) and all(_fits(item, get_args(kind)[0]) for item in value)
    if origin is dict:
        return isinstance(value, dict) and all(_fits(item, get_args(kind)[1]) for item in value.values())
    return any(_fits(value, choice) for choice in get_args(kind))  # a union


def _words(kind: Any) -> str:
    return kind.__name__ if isinstance(kind, type) else str(kind)


class FoundationSettings(AppSettings, setting="HOLDFAST"):
    """The foundation's own settings."""

    API_PATHS: Annotated[
        tuple[str, ...],
        "Where paths begin whose 404 and 500 are problem documents also for clients that accept anything.",
    ] = ("/api/",)
    PROBLEM_TYPE: Annotated[str, "The ``type`` URI of a problem; ``{code}`` stands for its code."] = (
        "urn:problem:{code}"
    )
    MAX_BODY_BYTES: Annotated[int, "The largest request body that a domain's API reads, in bytes."] = 1_048_576
    IDEMPOTENCY_RETENTION_HOURS: Annotated[int, "How long the answer to an Idempotency-Key is kept, in hours."] = 48
    HEALTH_TIMEOUT_SECONDS: Annotated[float, "How long a health check waits for the database, in seconds."] = 2.0


settings = FoundationSettings()
