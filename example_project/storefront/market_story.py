"""The market's chapter of the demo: a town, twelve shops, half a year of orders, and what happens there today.

What customers had paid artisans by transfer becomes the orders that it was for, each with its own payment, so that
money and orders agree from the first day. Their rows are written at once, as a story may; everything of today goes
through the public verbs: real holds, real slots, real stock.
"""

import datetime as dt
import logging
import random
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.apps import apps
from django.db import transaction
from django.db.models import prefetch_related_objects
from django.utils import timezone

from holdfast.ids import uuid7
from holdfast.money import Money, to_minor
from holdfast_artisan_shop import selectors, services
from holdfast_artisan_shop.services import Choice, Item
from holdfast_artisan_shop.states import (
    DeliveryState,
    Fulfillment,
    MoveKind,
    OrderState,
    PaymentState,
)
from holdfast_wallet import selectors as wallet_selectors
from holdfast_wallet import services as wallet
from holdfast_wallet.services import TransferRequest
from people.models import User
from people.selectors import find_person
from people.states import Role
from storefront.demo import ADMIN, CUSTOMERS, key, register
from storefront.market_goods import NEIGHBORS, REVIEWS, STALLS, TREE, Stall

LABEL = "holdfast_artisan_shop"
ZONE = "Europe/Paris"
FEE_PERCENT = 8
PAST_DAYS = 190
# What a customer has left for today's orders.
RESERVE = Money(300, "EUR")
HOURS = {day: [["09:30", "12:30"], ["14:00", "18:30"]] for day in ("tue", "wed", "thu", "fri", "sat")}
# Where customers live: addresses of the town, and where they are.
HOMES = {
    "ada": ("27 Rue Brûlée, Honfleur", 49.4197, 0.2308),
    "ben": ("4 Rue Bourdet, Honfleur", 49.4175, 0.2287),
    "clara": ("Chemin de la Roseraie, Équemauville", 49.3989, 0.2143),
    "emi": ("60 Cours Albert Manuel, Honfleur", 49.4136, 0.2371),
    "farid": ("9 Rue Eugène Boudin, Honfleur", 49.4211, 0.2293),
    "nora": ("2 Route de Fiquefleur, La Rivière-Saint-Sauveur", 49.4091, 0.2611),
}


def is_told() -> bool:
    """Tell whether the chapter is in this database."""
    return selectors.shops().exists()


def tell() -> None:
    """Tell it."""
    Story().tell()


class Story:
    """One telling."""

    def __init__(self) -> None:
        self.chance = random.Random(49_418)  # noqa: S311 - a story, not a secret
        self.now = timezone.now()
        self.people: dict[str, User] = {}
        self.shops: dict[str, Any] = {}
        self.goods: dict[tuple[str, str], Any] = {}

    def tell(self) -> None:
        """Tell the past in one transaction; the present wants none around it, for it asks the gateway."""
        with transaction.atomic():
            self._gather_people()
            self._open_shops()
            self._tell_the_past()
        self._tell_the_present()
        # It warns of days that were counted wrong; what was sold today is counted here for the first time.
        logger = logging.getLogger(LABEL)
        logger.disabled = True
        try:
            services.rebuild_sales(days=1)
        finally:
            logger.disabled = False
        services.refresh_popularity()
        services.refresh_together(product_ids=[product.pk for product in self.goods.values()])
        services.refresh_vocabulary()

    # Who and what

    def _gather_people(self) -> None:
        # Their password is everybody's, and so is its hash.
        password_hash = find_person(ADMIN).password
        for user in register([(neighbor, Role.ARTISAN) for neighbor in NEIGHBORS], password_hash).values():
            wallet.open_account(owner_id=user.pk, currency="EUR", name="Workshop")
        names = [person.username for person in CUSTOMERS] + [stall.owner for stall in STALLS]
        self.people = {name: find_person(name) for name in names}

    def _open_shops(self) -> None:
        categories = {}
        for root, below in TREE.items():
            parent = services.create_category(name=root)
            for name in below:
                categories[name] = services.create_category(name=name, parent_id=parent.pk)
        for stall in STALLS:
            owner_id = self.people[stall.owner].pk
            shop = services.open_shop(
                owner_id=owner_id,
                name=stall.name,
                currency="EUR",
                lat=stall.lat,
                lng=stall.lng,
                address=stall.address,
                description=stall.description,
                time_zone=ZONE,
                opening_hours=HOURS,
                delivery_radius_km=stall.radius_km,
            )
            self.shops[stall.owner] = services.publish_shop(shop_id=shop.pk, actor_id=owner_id)
            self._offer(stall, categories)
            self._open_slots(stall)
        prefetch_related_objects(list(self.goods.values()), "variants")
        _rows("Shop").update(created_at=self.now - dt.timedelta(days=PAST_DAYS))

    def _offer(self, stall: Stall, categories: dict[str, Any]) -> None:
        for good in stall.goods:
            label, options = good.options
            shop, owner_id = self.shops[stall.owner], self.people[stall.owner].pk
            variants = [
                services.VariantValues(options={label: words}, extra=Money(extra, "EUR")) for words, extra in options
            ]
            product = services.create_product(
                shop_id=shop.pk,
                actor_id=owner_id,
                name=good.name,
                price=Money(good.price, "EUR"),
                category_id=categories[good.category].pk,
                description=good.description,
                made_to_order=good.stock is None,
                lead_days=good.days,
                stock=0 if variants else good.stock or 0,
                variants=variants,
            )
            for number, variant in enumerate(product.variants.all() if variants else ()):
                quantity = max((good.stock or 0) - 4 * number, 1)
                services.receive_stock(variant_id=variant.pk, actor_id=owner_id, quantity=quantity, note="First firing")
            self.goods[stall.owner, good.name] = product

    def _open_slots(self, stall: Stall) -> None:
        shop, owner_id = self.shops[stall.owner], self.people[stall.owner].pk
        spans = [(Fulfillment.PICKUP, (1, 3, 5), 10, 18, 12, 0), (Fulfillment.DELIVERY, (1, 4), 14, 18, 6, 450)]
        if stall.owner in ("greta", "hugo"):
            spans = [
                (Fulfillment.PICKUP, (0, 1, 2, 3, 4, 5, 6), 9, 19, 12, 0),
                (Fulfillment.DELIVERY, (0, 1, 2, 3, 4, 5, 6), 16, 20, 8, 390),
            ]
        for kind, weekdays, starts, ends, capacity, fee in spans:
            for weekday in weekdays:
                services.add_slot_pattern(
                    shop_id=shop.pk,
                    actor_id=owner_id,
                    kind=kind,
                    weekday=weekday,
                    starts=dt.time(starts),
                    ends=dt.time(ends),
                    capacity=capacity,
                    lead_hours=2,
                    fee_minor=fee,
                )

    # The past

    def _tell_the_past(self) -> None:
        past = sorted([*self._paid_by_transfer(), *self._bought_of_neighbors()], key=lambda one: one.at)
        bulk: dict[str, list[Any]] = {
            name: [] for name in ("Purchase", "Order", "OrderLine", "Payment", "Slot", "Delivery", "DeliveryEvent")
        }
        for one in past:
            self._write(one, bulk)
        for name, rows in bulk.items():
            apps.get_model(LABEL, name).objects.bulk_create(rows)
        self._count_sales(past)
        self._move_stock(past)
        self._review(past)

    def _paid_by_transfer(self) -> Iterator["Sale"]:
        customers = {self.people[person.username].pk for person in CUSTOMERS}
        for stall in STALLS:
            owner_id = self.people[stall.owner].pk
            paid = wallet_selectors.transfers_of(owner_id=owner_id).select_related("source")
            for transfer in paid.filter(kind="transfer", source__owner_id__in=customers, target__owner_id=owner_id):
                name = stall.wares.get(transfer.metadata.get("note", ""))
                if name:
                    product = self.goods[stall.owner, name]
                    yield Sale(
                        product,
                        int(transfer.source.owner_id or 0),
                        transfer.effective_at,
                        transfer.amount_minor,
                        transfer.journal_id,
                    )

    def _bought_of_neighbors(self) -> Iterator["Sale"]:
        """Sell what the neighbors make, too: paid by transfers of now that count from then on."""
        fees = wallet.open_system_account(role="fees", currency="EUR")
        for owner in (*(neighbor.username for neighbor in NEIGHBORS), "greta"):
            goods = [
                (good, self.goods[owner, good.name]) for stall in STALLS if stall.owner == owner for good in stall.goods
            ]
            seller = wallet_selectors.default_account(owner_id=self.people[owner].pk, currency="EUR")
            cheap = [(good, product) for good, product in goods if Money(good.price, "EUR") < Money(75, "EUR")]
            for _sale in range(24 if owner == "greta" else 9):
                good, product = self.chance.choice(cheap)
                buyer = self.people[self.chance.choice(["ada", "ben", "clara", "emi", "nora"])]
                at = self.now - dt.timedelta(days=self.chance.uniform(4, 120))
                price = Money(good.price, "EUR")
                fee = Money((price.amount * FEE_PERCENT / 100).quantize(price.amount), "EUR")
                account = wallet_selectors.default_account(owner_id=buyer.pk, currency="EUR")
                if account.available < price + RESERVE:
                    continue
                journal_id = uuid7()
                parts = [(seller.id, price - fee, good.name), (fees.id, fee, f"Fee: {good.name}")]
                results = wallet.post_transfers(
                    requests=[
                        TransferRequest(
                            key=uuid7(),
                            source_id=account.id,
                            target_id=target_id,
                            amount=amount,
                            owner_id=buyer.pk,
                            journal_id=journal_id,
                            effective_at=at,
                            metadata={"note": note},
                        )
                        for target_id, amount, note in parts
                    ],
                    atomic=True,
                )
                yield Sale(product, buyer.pk, at, to_minor(price), results[0].journal_id, to_minor(fee))  # type: ignore[union-attr]  # all or a refusal

    def _write(self, sale: "Sale", bulk: dict[str, list[Any]]) -> None:
        """Write an order that was placed, paid and handed over; its payment is what the wallet has of it."""
        product, at = sale.product, sale.at
        placed = at - dt.timedelta(days=self.chance.uniform(1.5, 4))
        purchase = _row("Purchase", customer_id=sale.customer_id, placed_at=placed)
        amount = {"currency": "EUR", "fee_minor": sale.fee_minor}
        order = _row(
            "Order",
            purchase=purchase,
            shop_id=product.shop_id,
            customer_id=sale.customer_id,
            state=OrderState.COMPLETED,
            subtotal_minor=sale.minor,
            total_minor=sale.minor,
            placed_at=placed,
            paid_at=placed + dt.timedelta(minutes=1),
            ready_at=at - dt.timedelta(hours=7),
            completed_at=at,
            **amount,
        )
        sale.order = order
        bulk["Purchase"].append(purchase)
        bulk["Order"].append(order)
        bulk["OrderLine"].append(
            _row(
                "OrderLine",
                order=order,
                product_id=product.pk,
                variant_id=sale.variant_id,
                name=product.name,
                stocked=not product.made_to_order,
                quantity=1,
                unit_minor=sale.minor,
                total_minor=sale.minor,
            )
        )
        bulk["Payment"].append(
            _row(
                "Payment",
                id=sale.journal_id,
                order=order,
                state=PaymentState.CAPTURED,
                amount_minor=sale.minor,
                reference=str(sale.journal_id),
                created_at=placed,
                **amount,
            )
        )
        if self.chance.random() < 0.6:
            self._bring(sale, bulk)

    def _bring(self, sale: "Sale", bulk: dict[str, list[Any]]) -> None:
        late = self.chance.random() < 0.08
        sale.brought, sale.late = True, late
        starts = sale.at - dt.timedelta(hours=6 if late else 2)
        slot = _row(
            "Slot",
            shop_id=sale.product.shop_id,
            kind=Fulfillment.DELIVERY,
            starts_at=starts,
            ends_at=starts + dt.timedelta(hours=4),
            closes_at=starts - dt.timedelta(hours=2),
            capacity=6,
            booked=1,
        )
        username = next(name for name, user in self.people.items() if user.pk == sale.customer_id)
        address, lat, lng = HOMES[username]
        delivery = _row(
            "Delivery",
            order=sale.order,
            slot=slot,
            kind=Fulfillment.DELIVERY,
            state=DeliveryState.DELIVERED,
            address=address,
            lat=lat,
            lng=lng,
            delivered_at=sale.at,
        )
        bulk["Slot"].append(slot)
        bulk["Delivery"].append(delivery)
        for state, at in [
            (DeliveryState.SCHEDULED, sale.order.placed_at),
            (DeliveryState.OUT_FOR_DELIVERY, starts),
            (DeliveryState.DELIVERED, sale.at),
        ]:
            bulk["DeliveryEvent"].append(_row("DeliveryEvent", delivery=delivery, state=state, at=at))

    def _count_sales(self, past: Sequence["Sale"]) -> None:
        """Count each day as the nightly roll-up would: for four hundred days it would take longer than all the rest."""
        shops, products = defaultdict[Any, Counter[str]](Counter), defaultdict[Any, Counter[str]](Counter)
        known: set[tuple[UUID, int]] = set()
        for sale in past:
            shop_id, day = sale.product.shop_id, sale.at.astimezone(ZoneInfo(ZONE)).date()
            shops[shop_id, day].update(
                orders=1,
                total_minor=sale.minor,
                fee_minor=sale.fee_minor,
                returning_orders=(shop_id, sale.customer_id) in known,
                deliveries=sale.brought,
                deliveries_on_time=sale.brought and not sale.late,
            )
            known.add((shop_id, sale.customer_id))
            for period, first in (("day", day), ("month", day.replace(day=1))):
                products[period, shop_id, first, sale.product.pk].update(orders=1, units=1, revenue_minor=sale.minor)
        model = apps.get_model(LABEL, "ShopDay")
        model.objects.bulk_create(model(shop_id=shop_id, day=day, **sums) for (shop_id, day), sums in shops.items())
        for name, wanted in (("SalesDay", "day"), ("SalesMonth", "month")):
            apps.get_model(LABEL, name).objects.bulk_create(
                _row(name, shop_id=shop_id, product_id=product_id, **{period: first}, **sums)
                for (period, shop_id, first, product_id), sums in products.items()
                if period == wanted
            )

    def _move_stock(self, past: Sequence["Sale"]) -> None:
        """Let the shelves tell the same: what was sold then had been received before."""
        moves, began = [], self.now - dt.timedelta(days=PAST_DAYS)
        stocked = [sale for sale in past if not sale.product.made_to_order]
        received: dict[UUID, int] = {}
        for sale in stocked:
            received[sale.variant_id] = received.get(sale.variant_id, 0) + 1
        for variant_id, quantity in received.items():
            given = {"stock_id": variant_id, "kind": MoveKind.RECEIVED, "on_hand": quantity, "at": began}
            moves.append(_row("StockMove", **given, note="On the shelf"))
        for sale in stocked:
            common = {"stock_id": sale.variant_id, "order_id": sale.order.pk}
            moves.append(_row("StockMove", **common, kind=MoveKind.RESERVED, allocated=1, at=sale.order.placed_at))
            moves.append(_row("StockMove", **common, kind=MoveKind.SOLD, on_hand=-1, allocated=-1, at=sale.at))
        apps.get_model(LABEL, "StockMove").objects.bulk_create(moves)

    def _review(self, past: Sequence["Sale"]) -> None:
        reviews = {}
        for sale in past:
            if (sale.product.pk, sale.customer_id) not in reviews and self.chance.random() < 0.45:
                rating, text = self.chance.choice(REVIEWS)
                reviews[sale.product.pk, sale.customer_id] = _row(
                    "Review",
                    product_id=sale.product.pk,
                    customer_id=sale.customer_id,
                    order=sale.order,
                    rating=rating,
                    text=text,
                    created_at=min(sale.at + dt.timedelta(days=self.chance.uniform(1, 6)), self.now),
                )
        apps.get_model(LABEL, "Review").objects.bulk_create(reviews.values())
        for product_id in {product_id for product_id, _customer in reviews}:
            given = [one.rating for one in reviews.values() if one.product_id == product_id]
            _rows("Product", pk=product_id).update(rating_sum=sum(given), rating_count=len(given))

    # The present

    def _tell_the_present(self) -> None:
        """Let something be in every state, at Greta's most of all, and let some shelves be nearly empty."""
        self._sell_off()
        order = self._order
        order("nora", "greta", [("Tall vase, to order", "", 1)], pay=False)
        order("clara", "greta", [("Serving bowl, wide", "", 1)], address=True)
        order("ben", "greta", [("Cup without a handle", "", 4)])
        self._work(order("emi", "greta", [("Stoneware jug", "sea blue", 1)], address=True), "start")
        self._work(order("farid", "greta", [("Cup without a handle", "", 2)]), "start", "finish")
        self._work(order("ada", "greta", [("Tea bowl", "oatmeal", 2)], address=True), "start", "finish")
        self._work(
            order("nora", "greta", [("Tea bowl", "sea blue", 1)], address=True, nth=1), "start", "finish", "send"
        )
        self._work(
            order("ada", "hugo", [("Walnut bread", "", 2), ("Apple tart", "", 1)], address=True), "finish", "send"
        )
        self._work(order("clara", "hugo", [("Rye loaf", "", 1)], address=True), "finish", "send", "fail")
        self._work(order("ada", "oda", [("Orchard honey", "", 2), ("Four beeswax candles", "", 1)]), "start")
        order("emi", "maya", [("Cheese board for four", "", 1)])
        self._work(order("ben", "jonas", [("Photo album", "", 1)]), "start", "finish", "complete")
        refunded = order("nora", "kira", [("Two tumblers", "smoke", 1)])
        self._work(refunded, "start", "finish", "complete", "refund")
        cancelled = order("farid", "paul", [("Three spoons", "", 1)], pay=False)
        services.cancel_order(
            order_id=cancelled.pk, customer_id=cancelled.customer_id, reason="Found mine behind the stove"
        )
        declined = order("ben", "sven", [("Paring knife", "", 1)])
        services.decline_order(
            order_id=declined.pk, actor_id=self.people["sven"].pk, reason="The steel has a flaw, I am sorry"
        )
        for name in ("Rye loaf", "Tea bowl"):
            stall = "hugo" if name == "Rye loaf" else "greta"
            services.add_to_basket(
                customer_id=self.people["ben"].pk, variant_id=self._variant(stall, name, "").pk, quantity=1
            )

    def _sell_off(self) -> None:
        for owner, name, price, days, quantity in [
            ("greta", "Six tea bowls", "66.00", 2, 10),
            ("hugo", "Bread and a brioche", "8.90", 1, None),
            ("kira", "Oil lamp", "29.00", 4, 6),
            ("oda", "Oat and honey soap", "4.90", 6, 20),
        ]:
            services.schedule_flash_sale(
                product_id=self.goods[owner, name].pk,
                actor_id=self.people[owner].pk,
                price=Money(price, "EUR"),
                starts_at=self.now - dt.timedelta(hours=3),
                ends_at=self.now + dt.timedelta(days=days, hours=2),
                quantity=quantity,
            )
        _row("Coupon", shop=self.shops["greta"], code="HARBOR10", kind="percent", percent=10).save()
        # Three were broken on the way to the market; the dairy has run out.
        services.correct_stock(
            variant_id=self._variant("greta", "Six tea bowls", "").pk,
            actor_id=self.people["greta"].pk,
            difference=-3,
            note="Broken on the way to the market",
        )
        butter = self._variant("maya", "Farm butter, salted", "")
        services.correct_stock(
            variant_id=butter.pk, actor_id=self.people["maya"].pk, difference=-2, note="Sold at the farm gate"
        )
        services.request_back_in_stock(variant_id=butter.pk, customer_id=self.people["ada"].pk)

    def _order(
        self,
        customer: str,
        owner: str,
        lines: Sequence[tuple[str, str, int]],
        *,
        pay: bool = True,
        address: bool = False,
        nth: int = 0,
    ) -> Any:
        """Place an order in one of the next slots, brought or fetched, and pay it from the wallet."""
        shop, buyer = self.shops[owner], self.people[customer]
        wanted = [
            Item(variant_id=self._variant(owner, name, words).pk, quantity=quantity) for name, words, quantity in lines
        ]
        lead_days = max(self.goods[owner, name].lead_days for name, _words, _quantity in lines)
        kind = Fulfillment.DELIVERY if address else Fulfillment.PICKUP
        slot = selectors.free_slots(shop_id=shop.pk, kind=kind, lead_days=lead_days)[nth : nth + 1].first()
        where, lat, lng = HOMES[customer]
        order = services.place_order(
            customer_id=buyer.pk,
            shop_id=shop.pk,
            items=wanted,
            key=str(key("order", customer, owner, *lines)),
            choice=Choice(
                slot_id=slot.pk if slot else None,
                address=where if address else "",
                lat=lat if address else None,
                lng=lng if address else None,
            ),
        )
        return services.pay_order(order_id=order.pk, customer_id=buyer.pk) if pay else order

    def _variant(self, owner: str, name: str, words: str) -> Any:
        variants = list(self.goods[owner, name].variants.all())
        return next((one for one in variants if words in one.options.values()), variants[0])

    def _work(self, order: Any, *steps: str) -> None:
        """Let the artisan take these steps."""
        for step in steps:
            verb = {
                "start": services.start_order,
                "finish": services.finish_order,
                "complete": services.complete_order,
                "refund": services.refund_order,
                "send": services.send_delivery,
                "fail": services.fail_delivery,
            }[step]
            verb(order_id=order.pk, actor_id=order.shop.owner_id)


class Sale:
    """Something that was bought in the past, and paid by the transfers of one journal."""

    def __init__(
        self, product: Any, customer_id: int, at: dt.datetime, minor: int, journal_id: UUID, fee_minor: int = 0
    ) -> None:
        self.product, self.customer_id, self.at = product, customer_id, at
        self.minor, self.journal_id, self.fee_minor = minor, journal_id, fee_minor
        self.variant_id: UUID = product.variants.all()[0].pk
        self.order: Any = None
        self.brought = self.late = False


def _row(model: str, **values: Any) -> Any:
    # Not by its name in Python: the tables are the domain's own, and only a story may turn back its clock.
    return apps.get_model(LABEL, model)(**values)


def _rows(model: str, **filters: Any) -> Any:
    return apps.get_model(LABEL, model).objects.filter(**filters)
