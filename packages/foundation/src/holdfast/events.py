"""Events: what happened, in the past tense, told to whoever subscribed.

A domain declares its facts in its ``events.py``::

    class CardFrozen(Event, type="holdfast_cards.card_frozen.v1", key="card_id"):
        '''A card stopped authorizing.'''

        card_id: str
        reason: str

The class is a frozen, keyword-only dataclass of plain values (what JSON can hold). ``type`` names package, fact and
version: a field may be added to a version, never renamed or removed. ``key`` names the field that holds the
aggregate's id: events of one key reach each subscriber in the order in which they were committed.
"""

import dataclasses
import datetime as dt
import re
from collections.abc import Mapping
from typing import Any, ClassVar, Generic, Self, TypeVar, dataclass_transform
from uuid import UUID

_TYPE = re.compile(r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*\.v[1-9][0-9]*")

registry: dict[str, type["Event"]] = {}


@dataclass_transform(frozen_default=True, kw_only_default=True)
class Event:
    """A fact of a domain; subclass it with ``type=`` and ``key=``."""

    type: ClassVar[str]
    key_field: ClassVar[str]

    def __init_subclass__(cls, *, type: str, key: str, **kwargs: Any) -> None:  # noqa: A002 - the word of the field
        super().__init_subclass__(**kwargs)
        dataclasses.dataclass(frozen=True, kw_only=True)(cls)
        if not _TYPE.fullmatch(type):
            raise TypeError(f"{type!r} is not of the form 'package.fact.v1'.")
        if key not in {field.name for field in dataclasses.fields(cls)}:  # type: ignore[arg-type]  # made one above
            raise TypeError(f"{cls.__name__} has no field {key!r} to be its key.")
        known = registry.setdefault(type, cls)
        if known.__qualname__ != cls.__qualname__ or known.__module__ != cls.__module__:
            raise TypeError(f"{type!r} is declared twice: {known.__module__} and {cls.__module__}.")
        cls.type = type
        cls.key_field = key
        registry[type] = cls

    @property
    def key(self) -> str:
        """The aggregate's id, within which order is kept."""
        return str(getattr(self, self.key_field))

    def payload(self) -> dict[str, Any]:
        """Return the fields as plain values."""
        # Not dataclasses.asdict: it copies deeply, which costs more than the INSERT's own parameters.
        return dict(self.__dict__)

    @classmethod
    def from_payload(cls, payload: Mapping[str, Any]) -> Self:
        """Return the event of a stored payload, leaving out fields that this version of the code does not know."""
        names = {field.name for field in dataclasses.fields(cls)}  # type: ignore[arg-type]  # a dataclass, each of them
        return cls(**{name: value for name, value in payload.items() if name in names})


EventT = TypeVar("EventT", bound=Event)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Envelope(Generic[EventT]):
    """An event as its subscribers receive it: the same ``id`` each time it is delivered, so that they can count once.

    ``sequence`` grows within a key; a receiver that sees it fall knows that it looks at a repetition.
    """

    id: UUID
    sequence: int
    type: str
    key: str
    payload: Mapping[str, Any]
    headers: Mapping[str, str]
    occurred_at: dt.datetime
    attempt: int = 1

    @property
    def event(self) -> EventT:
        """The typed event. Raises ``LookupError`` where no installed app declares its type any more."""
        return registry[self.type].from_payload(self.payload)  # type: ignore[return-value]  # the registry is by type
