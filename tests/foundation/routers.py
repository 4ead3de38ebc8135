"""Routers as a project with a primary and a replica has them, in which the wrong way leads nowhere."""


class ReplicaIsDown:
    """Reads of these apps go to a replica; there is none, so that each of them fails."""

    def __init__(self, *labels):
        self.labels = labels

    def db_for_read(self, model, **hints):
        return "replica" if model._meta.app_label in self.labels else None

    def db_for_write(self, model, **hints):
        return "default"

    def allow_relation(self, first, second, **hints):
        return True


class PrimaryIsElsewhere(ReplicaIsDown):
    """Writes of these apps go to a database that is not there either."""

    def db_for_write(self, model, **hints):
        return "elsewhere" if model._meta.app_label in self.labels else None
