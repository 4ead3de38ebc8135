"""Forms of those who keep a shop: coupons, members, hours, days off, pictures."""

import datetime as dt
import re
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator

from holdfast_artisan_shop import selectors
from holdfast_artisan_shop.states import CouponKind
from storefront import pictures
from storefront.forms.workshop import PRICE, WEEKDAYS, PricedForm

DAYS = dict(zip(("mon", "tue", "wed", "thu", "fri", "sat", "sun"), WEEKDAYS, strict=True))
USES_MAX, CODE_LENGTH, ALT_LENGTH = 1_000_000, 40, 200
EARLIEST, LATEST = dt.date(2000, 1, 1), dt.date(2999, 12, 31)
_SPAN = re.compile(r"(\d{1,2})(?:[:.](\d{2}))?\s*(?:-|–|to)\s*(\d{1,2})(?:[:.](\d{2}))?", re.IGNORECASE)


class DayField(forms.DateField):
    """A day in the calendar, not at its ends: there days have no next one."""

    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    default_validators = [MinValueValidator(EARLIEST), MaxValueValidator(LATEST)]


class CouponForm(PricedForm):
    """A code that takes something off an order."""

    amounts = ("minimum",)
    code = forms.CharField(
        max_length=CODE_LENGTH,
        help_text="Letters, digits and hyphens, such as SPRING-10.",
        widget=forms.TextInput(attrs={"autocapitalize": "characters", "autocomplete": "off", "spellcheck": "false"}),
    )
    kind = forms.ChoiceField(
        choices=[(CouponKind.PERCENT, "A share, in percent"), (CouponKind.AMOUNT, "An amount")],
        label="Takes off",
    )
    value = forms.CharField(
        max_length=30, label="How much", widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"})
    )
    minimum = forms.CharField(max_length=30, widget=PRICE, required=False, label="From goods worth (optional)")
    first_day = DayField(required=False, label="From (optional)")
    last_day = DayField(required=False, label="To, including (optional)")
    max_uses = forms.IntegerField(
        min_value=1,
        max_value=USES_MAX,
        required=False,
        label="How often in all (optional)",
        help_text="Each customer uses it once, whatever stands here.",
    )

    def clean(self) -> dict[str, Any]:
        """Read what it takes off: a whole number of percent, or an amount in the shop's currency."""
        values = super().clean()
        if "kind" in values and "value" in values:
            try:
                values["value"] = self._read(values["kind"], values["value"])
            except ValidationError as error:
                self.add_error("value", error)
        return values

    def _read(self, kind: str, text: str) -> Any:
        if kind == CouponKind.AMOUNT:
            return self.read(text)
        plain = text.strip().removesuffix("%").strip()
        if not re.fullmatch(r"[0-9]{1,3}", plain):
            raise ValidationError("Write a whole number of percent, from 1 to 100.", code="percent_unreadable")
        return int(plain)

    def values(self, time_zone: str) -> dict[str, Any]:
        """Return what the verb takes; days begin and end where the shop is."""
        chosen = self.cleaned_data
        first, last = chosen["first_day"], chosen["last_day"]
        return {
            "code": chosen["code"],
            chosen["kind"]: chosen["value"],
            "minimum": chosen["minimum"] or None,
            "starts_at": selectors.day_bounds(first, first, time_zone)[0] if first else None,
            "ends_at": selectors.day_bounds(last, last, time_zone)[1] if last else None,
            "max_uses": chosen["max_uses"],
        }


class MemberForm(forms.Form):
    """Whom to invite."""

    person = forms.CharField(
        max_length=254,
        label="Username or e-mail address",
        widget=forms.TextInput(attrs={"autocapitalize": "none", "autocomplete": "off", "spellcheck": "false"}),
    )


class DaysOffForm(forms.Form):
    """Days without slots."""

    first_day = DayField(label="First day")
    last_day = DayField(label="Last day, including")


class HoursForm(forms.Form):
    """When the workshop is open, a line for each day, and by which clock."""

    time_zone = forms.ChoiceField(label="Clock", help_text="All times of the shop are by this clock.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["time_zone"].choices = [(zone, zone.replace("_", " ")) for zone in sorted(available_timezones())]  # type: ignore[attr-defined]  # a ChoiceField
        for day, name in DAYS.items():
            self.fields[day] = forms.CharField(
                max_length=100,
                required=False,
                label=name,
                widget=forms.TextInput(attrs={"placeholder": "closed", "autocomplete": "off"}),
            )
        self.order_fields([*DAYS, "time_zone"])

    def clean(self) -> dict[str, Any]:
        """Read the spans of each day."""
        values = super().clean() or {}
        for day in DAYS:
            try:
                values[day] = spans_of(values.get(day, ""))
            except ValidationError as error:
                self.add_error(day, error)
        return values

    @property
    def values(self) -> dict[str, Any]:
        """Return what the verb takes; a day without hours is left out."""
        hours = {day: self.cleaned_data[day] for day in DAYS if self.cleaned_data[day]}
        return {"opening_hours": hours, "time_zone": self.cleaned_data["time_zone"]}


def spans_of(text: str) -> list[list[str]]:
    """Return "9:30-12:30, 14-18" as spans of time, in order. Raises ``ValidationError``."""
    spans = []
    for part in filter(None, (one.strip() for one in re.split(r"[,;]", text))):
        found = _SPAN.fullmatch(part)
        if found is None:
            raise ValidationError("Write it like this: 9:30–12:30, 14–18.", code="hours_unreadable")
        begin_hour, begin_minute, end_hour, end_minute = (int(one or 0) for one in found.groups())
        spans.append([f"{begin_hour:02}:{begin_minute:02}", f"{end_hour:02}:{end_minute:02}"])
    return sorted(spans)


def words_of(spans: list[list[str]]) -> str:
    """Return spans as they are typed."""
    return ", ".join(f"{begin}–{end}" for begin, end in spans)


class PictureForm(forms.Form):
    """A picture, and what it shows."""

    picture = forms.FileField(
        help_text=f"JPEG, PNG or WebP, up to {pictures.BYTES_MAX // 1024**2} MB. We forget where it was taken.",
        widget=forms.FileInput(attrs={"accept": "image/jpeg,image/png,image/webp"}),
    )
    alt = forms.CharField(
        max_length=ALT_LENGTH, label="What it shows", help_text="In a few words, for those who do not see it."
    )
