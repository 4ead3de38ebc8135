"""What the campaign's handlers leave behind."""

from django.db import models


class Walker(models.Model):
    """The aggregate: locked by who takes a step, so that steps commit in order."""

    name = models.CharField(max_length=20, primary_key=True)
    steps = models.IntegerField(default=0)


class Receipt(models.Model):
    """One run of a handler, in the order of the ids."""

    consumer = models.CharField(max_length=40)
    walker = models.CharField(max_length=20)
    step = models.IntegerField()
    event_uid = models.UUIDField()
