"""Typed settings: one class per app, over one dict in the host's settings, read late and checked at start-up.

::

    class CardsSettings(AppSettings, setting="HOLDFAST_CARDS"):
        REQUEST_SECONDS: Annotated[float, "How long a request may wait for the provider, in seconds."] = 10.0 PROVIDER:
        Annotated[BackendSpec, "Who makes the cards."] = {"BACKEND": "holdfast_cards.backends.dummy.DummyProvider"}

    settings = CardsSettings()
    settings.REQUEST_SECONDS

The class is the documentation, the defaults and the check. Each read goes to Django's settings, which are only looked
up anew after they were changed, so ``override_settings`` works.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from types import NoneType, UnionType
from typing import (
    Annotated,
    Any,
    ClassVar,
    Literal,
    NotRequired,
    TypedDict,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

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


# What Django found of each setting: looking for one that the host has not set takes it longer each time than making a
# transfer's statement.
_found: dict[str, dict[str, Any]] = {}


class _Read:
    """Reads one setting where it is asked for; the default of the class, where the class is asked."""

    def __init__(self, setting: str, name: str, default: Any) -> None:
        self._setting, self._name, self._default = setting, name, default

    def __get__(self, instance: object, owner: type) -> Any:
        if instance is None:
            return self._default
        values = _found.get(self._setting)
        if values is None:
            of_host = getattr(django_settings, self._setting, None)
            values = _found[self._setting] = of_host if isinstance(of_host, dict) else {}
        return values.get(self._name, self._default)


class AppSettings:
    """The settings of one app; subclass it with ``setting=``, and give each a default and a description."""

    setting: ClassVar[str]
    declared: ClassVar[dict[str, Declared]]

    def __init_subclass__(cls, *, setting: str, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.setting = setting
        cls.declared = {}
        for name, hint in get_type_hints(cls, include_extras=True).items():
            if name.isupper():
                if get_origin(hint) is not Annotated:
                    raise TypeError(f"{cls.__name__}.{name} needs Annotated[<type>, <description>].")
                kind, description = get_args(hint)[:2]
                cls.declared[name] = Declared(name, kind, cls.__dict__[name], description)
                setattr(cls, name, _Read(setting, name, cls.__dict__[name]))

    def check(self, label: str) -> Iterator[Error]:
        """Yield an error for each value that cannot be used, with ids ``<label>.E001`` to ``<label>.E004``."""
        values = getattr(django_settings, self.setting, {})
        if not isinstance(values, dict):
            yield Error(
                f"{self.setting} is not a dict.",
                hint=f"Write {self.setting} = {{...}}; the keys are: {', '.join(sorted(self.declared))}.",
                id=f"{label}.E001",
            )
            return
        for name in sorted(values.keys() - self.declared.keys(), key=str):
            yield Error(
                f"{self.setting} has an unknown key {name!r}.", hint=_meant(name, self.declared), id=f"{label}.E002"
            )
        for declared in self.declared.values():
            yield from self._check_value(declared, getattr(self, declared.name), label)

    def _check_value(self, declared: Declared, value: Any, label: str) -> Iterator[Error]:
        if not _fits(value, declared.type):
            yield Error(
                f"{self.setting}[{declared.name!r}] is {value!r}, which is not {words(declared.type)}.",
                hint=declared.description,
                id=f"{label}.E003",
            )
            return
        for place, spec in _specs(declared.type, value):
            try:
                load_backend(spec)
            except Exception as error:  # noqa: BLE001 - whatever a stranger's constructor raises is the answer
                yield Error(
                    f"{self.setting}[{declared.name!r}]{place} cannot be loaded from {spec['BACKEND']!r}: {error}",
                    hint="Give the dotted path of an importable class, and the OPTIONS that its constructor takes.",
                    id=f"{label}.E004",
                )


_backends: dict[tuple[str, str], Any] = {}


def load_backend(spec: BackendSpec) -> Any:
    """Return the backend that a setting names: one instance for each content of the setting."""
    options = spec.get("OPTIONS", {})
    content = spec["BACKEND"], json.dumps(options, sort_keys=True, default=repr)
    if content not in _backends:
        # Two threads may both get here; setdefault lets them leave with the same instance.
        _backends.setdefault(content, import_string(spec["BACKEND"])(**options))
    return _backends[content]


def _forget(**_kwargs: Any) -> None:
    _found.clear()
    while _backends:
        _spec, backend = _backends.popitem()
        if close := getattr(backend, "close", None):  # one that keeps connections has it
            close()


setting_changed.connect(_forget, dispatch_uid="holdfast.conf")


def _specs(kind: Any, value: Any) -> Iterator[tuple[str, BackendSpec]]:
    """Yield each backend that a value of such a type names, and where in the value it does."""
    if value is None:
        return
    if get_origin(kind) is dict and BackendSpec in get_args(kind):
        yield from ((f"[{name!r}]", spec) for name, spec in value.items())
    elif kind is BackendSpec or BackendSpec in get_args(kind):
        yield "", value


def _fits(value: Any, kind: Any) -> bool:
    origin, inner = get_origin(kind), get_args(kind)
    if kind is BackendSpec:
        return _is_backend(value)
    if origin is Literal:
        return any(value == choice and type(value) is type(choice) for choice in inner)
    if origin in (Union, UnionType):
        return any(_fits(value, choice) for choice in inner)
    if origin in (list, tuple):
        # Each may be written as the other: settings are written by people.
        return isinstance(value, (list, tuple)) and all(_fits(item, inner[0]) for item in value)
    if origin is dict:
        return isinstance(value, dict) and all(
            _fits(name, inner[0]) and _fits(item, inner[1]) for name, item in value.items()
        )
    if isinstance(value, bool) and kind is not bool:
        return kind is Any  # True is an int to Python, but hardly meant as one
    return kind is Any or isinstance(value, (int, float) if kind is float else kind)


def _is_backend(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and isinstance(value.get("BACKEND"), str)
        and isinstance(value.get("OPTIONS", {}), dict)
        and value.keys() <= {"BACKEND", "OPTIONS"}
    )


def words(kind: Any) -> str:
    """Return a type as people call it: for the errors, and for the tables in the documents."""
    origin, inner = get_origin(kind), get_args(kind)
    if kind is BackendSpec:
        return '{"BACKEND": "dotted.path", "OPTIONS": {...}}'
    if kind is NoneType:
        return "None"
    if origin is Literal:
        return " or ".join(repr(choice) for choice in inner)
    if origin in (Union, UnionType):
        return " or ".join(words(choice) for choice in inner)
    if origin in (list, tuple):
        return f"list of {words(inner[0])}"
    if origin is dict:
        return f"dict of {words(inner[0])} to {words(inner[1])}"
    return kind.__name__ if isinstance(kind, type) else str(kind)


def _meant(name: object, known: Iterable[str]) -> str:
    close = get_close_matches(str(name).upper(), known, n=1)
    return f"Did you mean {close[0]!r}?" if close else f"The keys are: {', '.join(sorted(known))}."


class FoundationSettings(AppSettings, setting="HOLDFAST"):
    """The foundation's own settings."""

    API_PATHS: Annotated[
        tuple[str, ...],
        "Where paths begin whose 404 and 500 are problem documents also for clients that accept anything.",
    ] = ("/api/",)
    PROBLEM_TYPE: Annotated[str, "The type URI of a problem; {code} stands for its code."] = "urn:problem:{code}"
    MAX_BODY_BYTES: Annotated[int, "The largest request body that a domain's API reads, in bytes."] = 1_048_576
    IDEMPOTENCY_RETENTION_HOURS: Annotated[int, "How long the answer to an Idempotency-Key is kept, in hours."] = 48
    STREAMS_MAX: Annotated[
        int, "How many streams of events one process serves at once; a threaded server needs a thread for each."
    ] = 4
    STREAMS_PER_USER_MAX: Annotated[int, "How many of them may be one user's."] = 2
    STREAM_SECONDS: Annotated[
        float, "After how long a stream ends; a browser comes again by itself and goes on where it was."
    ] = 300.0
    HEALTH_TIMEOUT_SECONDS: Annotated[float, "How long a health check waits for the database, in seconds."] = 2.0


settings = FoundationSettings()
