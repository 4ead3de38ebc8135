"""The base of every model with a state machine."""

from typing import Any

from django.db import models
from django_fsm import FSMModelMixin


class StatefulModel(FSMModelMixin, models.Model):
    """A model whose protected state has one door: its transitions.

    django-fsm-2 4.2.4 lifts the protection of a protected field on the class, for the whole process, while an instance is
    refreshed, and never restores it when the row is gone. Here a refresh is a fresh read of the row instead.
    """

    class Meta:
        abstract = True

    def refresh_from_db(self, using: Any = None, fields: Any = None, from_queryset: Any = None) -> None:
        """Reload from the database without opening the state field to anybody else."""
        queryset = type(self)._base_manager.db_manager(using or self._state.db) if from_queryset is None else from_queryset
        fresh = queryset.get(pk=self.pk)
        names = {field.attname for field in self._meta.concrete_fields}
        if fields is not None:
            names &= {self._meta.get_field(name).attname for name in fields}
            names |= set()
        for name in names:
            self.__dict__[name] = fresh.__dict__[name]
        for field in self._meta.concrete_fields:
            if field.is_relation and field.attname in names and field.is_cached(self):
                field.delete_cached_value(self)
        self._state.db = fresh._state.db
