"""Who sells."""

import datetime as dt

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Length, Lower, Trim
from django.db.models.lookups import GreaterThan
from django.utils import timezone
from django_fsm import FSMField, transition

from holdfast.fsm import StatefulModel
from holdfast.ids import uuid7
from holdfast_artisan_shop.models.places import Place, on_the_globe
from holdfast_artisan_shop.states import ShopState

NAME_LENGTH = 200
DESCRIPTION_LENGTH = 20_000
ADDRESS_LENGTH = 500


def not_blank(field: str, name: str) -> models.CheckConstraint:
    """Return the constraint that a text has more than spaces."""
    return models.CheckConstraint(condition=GreaterThan(Length(Trim(field)), 0), name=name)


class Shop(StatefulModel, Place):
    """A workshop and its stall. Customers see open shops and those on holiday; only open ones sell."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False)
    name = models.CharField(max_length=NAME_LENGTH)
    description = models.TextField(max_length=DESCRIPTION_LENGTH, blank=True)
    address = models.CharField(max_length=ADDRESS_LENGTH, blank=True)
    state = FSMField(choices=ShopState.choices, default=ShopState.DRAFT, protected=True, editable=False)
    currency = models.CharField(max_length=3, help_text="Of all its prices; it never changes.")
    time_zone = models.CharField(max_length=64, default="UTC", help_text="In which its days begin.")
    opening_hours = models.JSONField(
        default=dict, blank=True, help_text='Spans by weekday: {"mon": [["09:00", "12:00"]]}.'
    )
    delivery_radius_km = models.FloatField(null=True, blank=True, help_text="How far it delivers; empty: anywhere.")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["name", "id"]
        constraints = [
            models.UniqueConstraint("owner", Lower("name"), name="holdfast_artisan_shop_shop_name_once"),
            not_blank("name", "holdfast_artisan_shop_shop_name_not_blank"),
            on_the_globe("holdfast_artisan_shop_shop_on_the_globe"),
            models.CheckConstraint(
                condition=Q(state__in=ShopState.values), name="holdfast_artisan_shop_shop_state_known"
            ),
            models.CheckConstraint(
                condition=Q(delivery_radius_km=None) | Q(delivery_radius_km__gt=0),
                name="holdfast_artisan_shop_shop_radius_positive",
            ),
        ]
        indexes = [
            models.Index(
                fields=["lat", "lng"],
                condition=Q(state__in=[ShopState.OPEN, ShopState.HOLIDAY]),
                name="holdfast_artisan_shop_sh_near",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @transition(field=state, source=[ShopState.DRAFT, ShopState.HOLIDAY, ShopState.CLOSED], target=ShopState.OPEN)
    def open(self) -> None:
        """Show it, and sell."""

    @transition(field=state, source=ShopState.OPEN, target=ShopState.HOLIDAY)
    def go_on_holiday(self) -> None:
        """Go on being shown, but sell nothing for a while."""

    @transition(field=state, source=[ShopState.DRAFT, ShopState.OPEN, ShopState.HOLIDAY], target=ShopState.CLOSED)
    def close(self) -> None:
        """Be shown no more; what was ordered is still delivered."""


class ShopMember(models.Model):
    """A user who acts for a shop as its owner does, but does not invite others or close it."""

    id = models.BigAutoField(primary_key=True)
    shop = models.ForeignKey(Shop, on_delete=models.CASCADE, related_name="members", db_index=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["shop", "user"], name="holdfast_artisan_shop_member_once"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} of {self.shop_id}"


class ShopClosure(models.Model):
    """Days on which a shop has no slots: from the first to the last, both included."""

    id = models.BigAutoField(primary_key=True)
    shop = models.ForeignKey(Shop, on_delete=models.CASCADE, related_name="closures")
    first_day = models.DateField()
    last_day = models.DateField()

    class Meta:
        ordering = ["first_day"]
        constraints = [
            models.CheckConstraint(
                condition=Q(last_day__gte=F("first_day")), name="holdfast_artisan_shop_closure_ends_after"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.first_day} to {self.last_day}"

    def covers(self, day: dt.date) -> bool:
        """Say whether the shop is closed on that day."""
        return self.first_day <= day <= self.last_day
