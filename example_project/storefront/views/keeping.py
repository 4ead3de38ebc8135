"""Keeping a shop: its coupons, its members, its hours, its days off."""

import datetime as dt
from typing import Any

from django.urls import reverse
from django.utils import timezone

from holdfast_artisan_shop import selectors, services
from holdfast_artisan_shop.exceptions import MemberNotFound
from holdfast_artisan_shop.selectors import keeping
from holdfast_artisan_shop.states import CouponKind
from people.selectors import find_person, names_of
from storefront.exceptions import OwnerActsAlready
from storefront.forms.keeping import DAYS, CouponForm, DaysOffForm, HoursForm, MemberForm, words_of
from storefront.pages import leaf
from storefront.views.workshop import InShopDoingPage, ShopFormPage

PAGE_COUPONS = 25
BOOKED_MAX = 500


class CouponsView(ShopFormPage):
    """The codes that the shop gives away, and a new one."""

    template_name = "storefront/workshop/coupons.html"
    form_class = CouponForm
    done = "The code holds from now on, or from its first day."

    def get_form_kwargs(self) -> dict[str, Any]:
        """Read amounts in the shop's currency."""
        return super().get_form_kwargs() | {"currency": self.shop.currency}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Gather one page of them, each with how it stands."""
        found = keeping.coupons_of(shop_id=self.shop.pk, actor_id=self.owner_id)
        page = leaf(self.request, found, ordering=("-id",), size=PAGE_COUPONS)
        for coupon in page.rows:
            coupon.is_share = coupon.kind == CouponKind.PERCENT
            coupon.look, coupon.words = _standing(coupon)
        return super().get_context_data(page=page, **kwargs)

    def run(self, form: Any) -> Any:
        """Give the code."""
        values = form.values(self.shop.time_zone)
        return services.create_coupon(shop_id=self.shop.pk, actor_id=self.owner_id, **values)

    def where_to(self, result: Any) -> str:
        """Stay."""
        return reverse("storefront:shop-coupons", args=[self.shop.pk])


def _standing(coupon: Any) -> tuple[str, str]:
    """Return whether a code can be used now: the look of its pill, and its word."""
    now = timezone.now()
    if not coupon.active:
        return "", "Taken back"
    if coupon.ends_at is not None and coupon.ends_at <= now:
        return "", "Over"
    if coupon.max_uses is not None and coupon.used >= coupon.max_uses:
        return "", "Used up"
    return ("warn", "Not yet") if coupon.starts_at > now else ("good", "Holds")


class EndCouponView(InShopDoingPage):
    """Take a code back."""

    done = "Nobody uses it any more. Orders that did keep what it took off."

    def act(self, **kwargs: Any) -> None:
        """End it."""
        services.end_coupon(coupon_id=kwargs["coupon_id"], actor_id=self.owner_id)

    def back(self, **kwargs: Any) -> str:
        """Return to the codes."""
        return reverse("storefront:shop-coupons", args=[kwargs["shop_id"]])


class MembersView(ShopFormPage):
    """Who acts for the shop beside its owner; only the owner invites."""

    template_name = "storefront/workshop/members.html"
    form_class = MemberForm
    done = "From now on they find the shop in their own workshop."

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Gather them by name."""
        members = list(self.shop.members.order_by("id"))
        names = names_of([self.shop.owner_id, *(member.user_id for member in members)])
        for member in members:
            member.name = names.get(member.user_id, "Somebody")
        return super().get_context_data(
            members=members,
            owner_name=names.get(self.shop.owner_id, "Somebody"),
            is_owner=self.shop.owner_id == self.owner_id,
            **kwargs,
        )

    def run(self, form: Any) -> Any:
        """Invite."""
        person = find_person(form.cleaned_data["person"])
        if person.pk == self.shop.owner_id:
            raise OwnerActsAlready
        return services.invite_member(shop_id=self.shop.pk, actor_id=self.owner_id, user_id=person.pk)

    def where_to(self, result: Any) -> str:
        """Stay."""
        return reverse("storefront:shop-members", args=[self.shop.pk])


class RemoveMemberView(InShopDoingPage):
    """Somebody acts for the shop no more."""

    done = "They do not see the shop's rooms any more."

    def act(self, **kwargs: Any) -> None:
        """Remove them; whoever is none is looked for here, since an address may hold a number that no id is."""
        if kwargs["user_id"] not in [member.user_id for member in self.shop.members.all()]:
            raise MemberNotFound(user_id=kwargs["user_id"])
        services.remove_member(shop_id=kwargs["shop_id"], actor_id=self.owner_id, user_id=kwargs["user_id"])

    def back(self, **kwargs: Any) -> str:
        """Return to the members."""
        return reverse("storefront:shop-members", args=[kwargs["shop_id"]])


class HoursView(ShopFormPage):
    """When somebody is in the workshop."""

    template_name = "storefront/workshop/hours.html"
    form_class = HoursForm
    done = "Customers read it on the page of your shop."

    def get_initial(self) -> dict[str, Any]:
        """Show what is there."""
        hours = {day: words_of(self.shop.opening_hours.get(day, [])) for day in DAYS}
        return super().get_initial() | hours | {"time_zone": self.shop.time_zone}

    def run(self, form: Any) -> Any:
        """Change them."""
        return services.change_shop(shop_id=self.shop.pk, actor_id=self.owner_id, **form.values)

    def where_to(self, result: Any) -> str:
        """Stay."""
        return reverse("storefront:shop-hours", args=[self.shop.pk])


class DaysOffView(ShopFormPage):
    """Days without slots, and a holiday of the whole shop."""

    template_name = "storefront/workshop/days_off.html"
    form_class = DaysOffForm
    done = "No slots on these days. What is booked already stays: see below."

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Gather them; of those to come also what is booked, to be talked over."""
        today = selectors.day_of(timezone.now(), self.shop.time_zone)
        closures: list[Any] = list(keeping.closures_of(shop_id=self.shop.pk, actor_id=self.owner_id)[:100])
        coming = sorted((one for one in closures if one.last_day >= today), key=lambda one: one.first_day)
        booked = self._booked() if coming else {}
        for closure in coming:
            closure.booked = [(day, count) for day, count in sorted(booked.items()) if closure.covers(day)]
        past = [one for one in closures if one.last_day < today][:10]
        return super().get_context_data(coming=coming, past=past, **kwargs)

    def _booked(self) -> dict[dt.date, int]:
        """Return how many deliveries and pickups are booked on each of the shop's days to come."""
        slots = selectors.slots_of_shop(shop_id=self.shop.pk, actor_id=self.owner_id).filter(booked__gt=0)
        found: dict[dt.date, int] = {}
        for starts_at, booked in slots.values_list("starts_at", "booked")[:BOOKED_MAX]:
            day = selectors.day_of(starts_at, self.shop.time_zone)
            found[day] = found.get(day, 0) + booked
        return found

    def run(self, form: Any) -> Any:
        """Close them."""
        return services.close_days(shop_id=self.shop.pk, actor_id=self.owner_id, **form.cleaned_data)

    def where_to(self, result: Any) -> str:
        """Stay."""
        return reverse("storefront:shop-days-off", args=[self.shop.pk])
