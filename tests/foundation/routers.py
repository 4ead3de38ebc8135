"""Routers as a project with a primary and a replica has them, in which the wrong way leads nowhere."""

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace

import pytest
from django.db import connection, connections
from django.db.utils import ConnectionDoesNotExist
from django.test import override_settings
from django.test.utils import CaptureQueriesContext


class ReplicaIsDown:
    """Reads of these apps go to a replica; there is none, so that each of them fails."""

    primary = "default"

    def __init__(self, *labels):
        self.labels = labels

    def db_for_read(self, model, **hints):
        return "replica" if model._meta.app_label in self.labels else self.primary

    def db_for_write(self, model, **hints):
        return self.primary

    def allow_relation(self, first, second, **hints):
        return True


class PrimaryIsElsewhere(ReplicaIsDown):
    """Writes of these apps go to a database that is not there either."""

    def db_for_write(self, model, **hints):
        return "elsewhere" if model._meta.app_label in self.labels else None


class PrimaryHasItsName(ReplicaIsDown):
    """All else goes to a primary that is not called ``default``."""

    primary = "primary"


@contextmanager
def a_primary_elsewhere(*labels: str) -> Iterator[None]:
    """Expect of the block that it asks the primary of these apps, which is not there, and no other database before."""
    with (
        CaptureQueriesContext(connection) as asked,
        override_settings(DATABASE_ROUTERS=[PrimaryIsElsewhere(*labels)]),
        pytest.raises(ConnectionDoesNotExist, match="elsewhere"),
    ):
        yield
    assert [query["sql"] for query in asked] == []


@contextmanager
def a_primary_and_a_replica(*labels: str) -> Iterator[None]:
    """Call the database of the tests ``primary``; ``default`` and ``replica`` refuse whatever they are asked."""
    primary, known = connections["default"], connections.settings["default"]
    refusing = {**known, "ENGINE": "django.db.backends.dummy"}
    with pytest.MonkeyPatch.context() as patch, override_settings(DATABASE_ROUTERS=[PrimaryHasItsName(*labels)]):
        patch.setattr(connections, "settings", {"primary": known, "default": refusing, "replica": refusing})
        patch.setattr(connections, "_connections", SimpleNamespace(primary=primary))
        patch.setattr(primary, "alias", "primary")
        yield
