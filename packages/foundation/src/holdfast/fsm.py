"""The base of every model with a state machine."""

from collections.abc import Iterable
from typing import Any

from django.db import models
from django_fsm import FSMModelMixin


class StatefulModel(FSMModelMixin, models.Model):
    """A model whose protected state has one door: its transitions.

    To refresh a row, django-fsm-2 4.2.4 lifts the protection on the field, which is one object for the whole process:
    meanwhile every thread may assign every row's state, and when the row is gone the protection stays lifted for good.
    Here the door opens for one instance only: a protected field takes a first value, so the value is laid aside while
    Django refreshes.
    """

    class Meta:
        abstract = True

    def refresh_from_db(
        self,
        using: str | None = None,
        fields: Iterable[str] | None = None,
        from_queryset: models.QuerySet[Any] | None = None,
    ) -> None:
        """Reload from the database, as Django does, without opening the state to anybody else."""
        aside = {name: self.__dict__.pop(name) for name in self._get_protected_fsm_fields() & self.__dict__.keys()}
        self.__dict__["_laid_aside"] = aside
        try:
            # Past FSMModelMixin, whose method is the hole.
            super(FSMModelMixin, self).refresh_from_db(using=using, fields=fields, from_queryset=from_queryset)
        finally:
            del self.__dict__["_laid_aside"]
            for name, value in aside.items():
                self.__dict__.setdefault(name, value)  # not among the fields, or the row is gone

    def get_deferred_fields(self) -> set[str]:
        """Return what was not loaded; a state that is laid aside was."""
        deferred: set[str] = super().get_deferred_fields()
        return deferred.difference(self.__dict__.get("_laid_aside", ()))
