"""One of a crowd: ``python -m tests.artisan_shop.hostile_storm SEED SECONDS SHOP...`` does whatever comes to mind.

It answers with one JSON document: how often each verb came to an end, and each outcome that is no refusal.
"""

import datetime as dt
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Callable
from uuid import UUID

import django


def main(seed: str, seconds: str, *shop_ids: str) -> None:
    """Do random things for a while."""
    django.setup()
    crowd = Crowd(random.Random(int(seed)), [UUID(one) for one in shop_ids])
    ends = time.monotonic() + float(seconds)
    while time.monotonic() < ends:
        crowd.act()
    sys.stdout.write(json.dumps({"done": crowd.done, "wrong": crowd.wrong}))


class Crowd:
    """All verbs that lock more than one row, on rows that everybody else wants too."""

    def __init__(self, chance: random.Random, shop_ids: list[UUID]) -> None:
        from holdfast_artisan_shop.models import Shop, Variant

        self.chance = chance
        self.shops = list(Shop.objects.filter(pk__in=shop_ids).order_by("pk"))
        self.variants = list(Variant.objects.filter(shop_id__in=shop_ids).select_related("product__shop"))
        self.done: Counter[str] = Counter()
        self.wrong: list[str] = []
        from django.contrib.auth import get_user_model

        self.customers = list(
            get_user_model().objects.filter(username__startswith="buyer").values_list("pk", flat=True)
        )

    def act(self) -> None:
        """Do one thing, and remember what was no refusal."""
        from holdfast_artisan_shop.exceptions import ShopError

        verbs: list[Callable[[], object]] = [
            *[self.order, self.check_out, self.move] * 4,
            self.cancel,
            self.cancel,
            self.stock,
            self.reschedule,
            self.keep,
            self.change_shop,
            self.sell_off,
        ]
        verb = self.chance.choice(verbs)
        try:
            verb()
        except ShopError as refusal:
            self.done[f"{verb.__name__}: {refusal.code.rpartition('.')[2]}"] += 1
        except Exception as error:  # noqa: BLE001 - what the storm looks for
            self.wrong.append(f"{verb.__name__}: {type(error).__name__}: {error}"[:600])
        else:
            self.done[verb.__name__] += 1

    def order(self) -> None:
        """Order some things of one shop, with all that can be chosen."""
        from holdfast_artisan_shop import services
        from holdfast_artisan_shop.services import Item

        shop = self.chance.choice(self.shops)
        goods = [one for one in self.variants if one.shop_id == shop.pk]
        wanted = self.chance.sample(goods, self.chance.randint(1, len(goods)))
        services.place_order(
            customer_id=self.customer(),
            shop_id=shop.pk,
            items=[Item(variant_id=one.pk, quantity=self.chance.randint(1, 2)) for one in wanted],
            choice=self.choice(shop),
            key=self.chance.choice([None, f"k{self.chance.randint(0, 50)}"]),
        )

    def check_out(self) -> None:
        """Fill a basket over several shops, hold it or not, and check it out or not."""
        from holdfast_artisan_shop import services

        customer_id = self.customer()
        for variant in self.chance.sample(self.variants, 3):
            services.add_to_basket(customer_id=customer_id, variant_id=variant.pk, quantity=1)
        if self.chance.random() < 0.5:
            services.accept_prices(customer_id=customer_id)
        if self.chance.random() < 0.6:
            services.hold_basket(customer_id=customer_id)
        last = self.chance.random()
        if last < 0.1:
            services.release_holds(customer_id=customer_id)
        elif last < 0.2:
            services.empty_basket(customer_id=customer_id)
        else:
            services.checkout(customer_id=customer_id)

    def move(self) -> None:
        """Bring an order a step on its way."""
        from holdfast_artisan_shop import services

        order = self.some_order()
        if order is None:
            return
        if self.chance.random() < 0.4:
            services.pay_order(order_id=order.pk, customer_id=order.customer_id)
            return
        verbs = [
            services.start_order,
            services.finish_order,
            services.complete_order,
            services.refund_order,
            services.send_delivery,
            services.deliver,
            services.fail_delivery,
        ]
        self.chance.choice(verbs)(order_id=order.pk, actor_id=order.shop.owner_id)

    def cancel(self) -> None:
        """Let an order go, from either side."""
        from holdfast_artisan_shop import services

        order = self.some_order()
        if order is None:
            return
        if self.chance.random() < 0.5:
            services.cancel_order(order_id=order.pk, customer_id=order.customer_id)
        else:
            services.decline_order(order_id=order.pk, actor_id=order.shop.owner_id)

    def stock(self) -> None:
        """Receive, correct, or set a threshold."""
        from holdfast_artisan_shop import services

        variant = self.chance.choice(self.variants)
        actor_id = variant.product.shop.owner_id
        services.receive_stock(variant_id=variant.pk, actor_id=actor_id, quantity=self.chance.randint(1, 5))
        if self.chance.random() < 0.3:
            services.correct_stock(variant_id=variant.pk, actor_id=actor_id, difference=-1)
        if self.chance.random() < 0.3:
            services.set_threshold(variant_id=variant.pk, actor_id=actor_id, low_at=self.chance.randint(0, 5))
        services.request_back_in_stock(variant_id=variant.pk, customer_id=self.customer())

    def reschedule(self) -> None:
        """Take another slot."""
        from holdfast_artisan_shop import services

        order = self.some_order()
        slot_id = order and self.slot(order.shop)
        if order and slot_id:
            services.reschedule_delivery(order_id=order.pk, slot_id=slot_id, customer_id=order.customer_id)

    def keep(self) -> None:
        """Do what the clock does."""
        from holdfast_artisan_shop import services

        for verb in (
            services.tidy,
            services.generate_slots,
            services.remind_of_deliveries,
            services.refresh_popularity,
        ):
            verb()

    def change_shop(self) -> None:
        """Move a shop, set its clock, close days, take patterns away and add others, go on holiday and come back."""
        from holdfast_artisan_shop import services
        from holdfast_artisan_shop.models import SlotPattern

        shop = self.chance.choice(self.shops)
        ours = {"shop_id": shop.pk, "actor_id": shop.owner_id}
        services.change_shop(
            **ours,
            lat=self.chance.uniform(52, 53),
            time_zone=self.chance.choice(["UTC", "Asia/Tokyo", "Europe/Berlin"]),
        )
        day = dt.date.today() + dt.timedelta(days=self.chance.randint(1, 20))  # noqa: DTZ011 - any day
        services.close_days(**ours, first_day=day, last_day=day)
        patterns = list(SlotPattern.objects.filter(shop=shop, active=True))
        if patterns:  # others may just have taken away the last and not yet added theirs
            pattern = self.chance.choice(patterns)
            services.remove_slot_pattern(pattern_id=pattern.pk, actor_id=shop.owner_id)
            services.add_slot_pattern(
                **ours,
                kind=pattern.kind,
                weekday=pattern.weekday,
                starts=pattern.starts,
                ends=pattern.ends,
                capacity=pattern.capacity,
            )
        if self.chance.random() < 0.2:
            services.go_on_holiday(**ours)
            services.publish_shop(**ours)

    def sell_off(self) -> None:
        """Change a price, begin and end flash sales."""
        from django.utils import timezone

        from holdfast.money import Money
        from holdfast_artisan_shop import services
        from holdfast_artisan_shop.models import FlashSale

        product = self.chance.choice(self.variants).product
        actor_id, now = product.shop.owner_id, timezone.now()
        for sale in FlashSale.objects.filter(product=product, ends_at__gt=now):
            services.end_flash_sale(flash_sale_id=sale.pk, actor_id=actor_id)
        if self.chance.random() < 0.5:
            price = Money(f"{self.chance.randint(10, 12)}.00", product.currency)
            services.change_product(product_id=product.pk, actor_id=actor_id, price=price)
        services.schedule_flash_sale(
            product_id=product.pk,
            actor_id=actor_id,
            price=Money("5.00", product.currency),
            starts_at=timezone.now(),
            ends_at=timezone.now() + dt.timedelta(seconds=self.chance.choice([0.2, 60])),
            quantity=self.chance.choice([None, 3]),
        )

    def customer(self) -> int:
        return self.chance.choice(self.customers)

    def some_order(self):  # type: ignore[no-untyped-def]  # Django is not set up where annotations are read
        from holdfast_artisan_shop.models import Order

        return self.chance.choice([None, *Order.objects.select_related("shop").order_by("-pk")[:25]])

    def slot(self, shop):  # type: ignore[no-untyped-def]  # as above
        from holdfast_artisan_shop.models import Slot

        slot_ids = list(Slot.objects.filter(shop=shop).order_by("starts_at").values_list("pk", flat=True)[:8])
        return self.chance.choice([None, *slot_ids])

    def choice(self, shop):  # type: ignore[no-untyped-def]  # as above
        from holdfast_artisan_shop.services import Choice

        code = self.chance.choice(["", "", "SAVE"])
        return Choice(slot_id=self.slot(shop), address="Main Street 1", coupon_code=code)


if __name__ == "__main__":
    main(*sys.argv[1:])
