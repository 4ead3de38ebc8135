"""What a host could have: a few tables on which the foundation is tried."""

import datetime as dt

from django.db import models
from django.utils import timezone
from django_fsm import RETURN_VALUE, FSMField, FSMModelMixin, transition
from djmoney.models.fields import MoneyField as DjangoMoneyField

from holdfast.fsm import StatefulModel
from holdfast.ids import uuid7
from holdfast.money import MoneyField


class Note(models.Model):
    """The effect of a request: who finds two of them found a request that ran twice."""

    text = models.TextField()
    rank = models.IntegerField(default=0)
    written_on = models.DateField(default=dt.date(2026, 1, 1))
    written_at = models.DateTimeField(default=timezone.now)
    uid = models.UUIDField(default=uuid7)
    weight = models.DecimalField(max_digits=9, decimal_places=3, default=0)

    class Meta:
        indexes = [models.Index(fields=["written_on", "rank", "id"], name="host_note_dated")]


class Priced(models.Model):
    """An abstract base, because fields of one are copied."""

    price = MoneyField()

    class Meta:
        abstract = True


class Article(Priced):
    """Something with a price and a discount that need not be."""

    name = models.CharField(max_length=40)
    discount = MoneyField(null=True)


class TrappedArticle(models.Model):
    """The same on django-money alone, so that a test shows the trap that ours closes."""

    price = DjangoMoneyField(max_digits=12, decimal_places=2, default_currency="USD")


class Owner(models.Model):
    """Someone with doors."""


class DoorState(models.TextChoices):
    OPEN = "open"
    CLOSED = "closed"
    LOCKED = "locked"
    BRICKED_UP = "bricked_up"


class Door(StatefulModel):
    """A state machine, with everything around it that a refresh has to treat."""

    state = FSMField(choices=DoorState.choices, default=DoorState.OPEN, protected=True)
    name = models.CharField(max_length=40, default="front")
    owner = models.ForeignKey(Owner, null=True, on_delete=models.CASCADE, related_name="doors")
    light = FSMField(default="off")
    shout = models.GeneratedField(
        expression=models.functions.Upper("name"), output_field=models.CharField(max_length=40), db_persist=True
    )

    @transition(field=state, source=DoorState.OPEN, target=DoorState.CLOSED)
    def close(self):
        pass

    @transition(field=state, source=[DoorState.CLOSED, DoorState.LOCKED], target=DoorState.OPEN)
    def open(self):
        pass

    @transition(field=state, source=DoorState.CLOSED, target=DoorState.LOCKED)
    def lock(self):
        pass

    @transition(field=state, source=DoorState.CLOSED, target=None)
    def knock(self):
        pass

    @transition(field=state, source=DoorState.CLOSED, target=DoorState.BRICKED_UP)
    def brick_up(self):
        pass

    @transition(field=light, source="off", target=RETURN_VALUE("on", "off"))
    def switch(self):
        return "on"

    @transition(field=light, source="on", target=RETURN_VALUE())
    def dim(self):
        return "off"


class UnguardedDoor(FSMModelMixin, models.Model):
    """The same on django-fsm-2 alone, so that the tests show the hole that the foundation closes."""

    state = FSMField(choices=DoorState.choices, default=DoorState.OPEN, protected=True)


class Nail(models.Model):
    """Points at a door, so that a refresh has a reverse relation to forget."""

    door = models.OneToOneField(Door, on_delete=models.CASCADE, related_name="nail")
