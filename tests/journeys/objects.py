"""What the ids of the API name: for each, how to make one that belongs to somebody, and what strangers may do with it.

A package that brings an operation with an id brings an entry here; ``test_owasp`` fails until there is one.
"""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.test import override_settings
from django.utils import timezone

from holdfast.ids import uuid7
from holdfast.money import Money
from holdfast.testing import drain_outbox
from holdfast_artisan_shop import selectors as market
from holdfast_artisan_shop import services as market_services
from holdfast_artisan_shop import testing as market_testing
from holdfast_artisan_shop.states import Fulfillment
from holdfast_cards.testing import make_card
from holdfast_catalog_notify import selectors as catalog
from holdfast_catalog_notify import services as catalog_services
from holdfast_catalog_notify.services.messages import unsubscribe_url_of
from holdfast_catalog_notify.testing import make_brand, make_category, make_product
from holdfast_defects.testing import make_defect
from holdfast_wallet import services as wallet
from holdfast_wallet.testing import make_account, make_hold, make_transfer
from people.models import User
from tests.journeys.calling import make_operator, make_person
from tests.journeys.openapi import Operation

READING = frozenset({"get"})
WRITING = frozenset({"post", "put", "patch", "delete"})
ARTISAN_SHOP = "holdfast_artisan_shop"


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One kind of object that a path names."""

    # Of a new object that belongs to this person: its id, or all ids of the path where the last one is not enough.
    make: Callable[[User], Any]
    owner: Callable[[], User] = make_person
    # Somebody else of the same standing, but where that one may do everything.
    stranger: Callable[[], User] = make_person
    # What strangers may do, and why: a method, or one with what follows the id in the path ("get reviews/").
    open_to_strangers: frozenset[str] = field(default_factory=frozenset)
    because: str = ""

    def is_open(self, operation: Operation) -> bool:
        """Tell whether strangers may do this with it."""
        rest = operation.path.rpartition("}")[2].removeprefix("/")
        return bool({operation.method, f"{operation.method} {rest}"} & self.open_to_strangers)

    def path_of(self, owner: User, name: str) -> dict[str, str]:
        """Return the ids of a new object, by their names in the path, of which the last one is given."""
        made = self.make(owner)
        return {one: str(value) for one, value in (made if isinstance(made, dict) else {name: made}).items()}


def _deposit(owner: User) -> Any:
    account = make_account(owner=owner)
    return wallet.request_deposit(
        key=uuid7(), account_id=account.pk, amount=Money("10.00", "EUR"), owner_id=owner.pk
    ).pk


def _withdrawal(owner: User) -> Any:
    account = make_account(owner=owner, funds="50.00")
    return wallet.request_withdrawal(
        key=uuid7(), account_id=account.pk, amount=Money("10.00", "EUR"), owner_id=owner.pk
    ).pk


def _received(owner: User) -> Any:
    return make_transfer(source=make_account(funds="50.00"), target=make_account(owner=owner))


def _told(owner: User) -> Any:
    """Tell the owner of a change by somebody else."""
    make_product()
    drain_outbox()
    catalog_services.Worker().run()
    return catalog.inbox(user_id=owner.pk)[0].pk


def _delivery(owner: User) -> Any:
    _told(owner)
    return catalog.deliveries(recipient_id=owner.pk)[0].pk


def _change_set() -> Any:
    return catalog.changes_of(product_id=make_product().pk)[0].change_set_id


def _unsubscribe_token(owner: User) -> str:
    with override_settings(
        HOLDFAST_CATALOG_NOTIFY=settings.HOLDFAST_CATALOG_NOTIFY | {"BASE_URL": "https://shop.test"}
    ):
        return unsubscribe_url_of(user_id=owner.pk, channel="email").rstrip("/").rpartition("/")[2]


def _workshop(owner: User) -> Any:
    """Return the shop of this person, who has one only: what is made for it fits together."""
    return market.shops_of(actor_id=owner.pk).first() or market_testing.make_shop(owner=owner)


def _ware(owner: User) -> Any:
    """Return a product of this person."""
    return market_testing.make_product(shop=_workshop(owner))


def _variant(owner: User) -> Any:
    """Return a variant of this person, who waits for it himself."""
    variant_id = market_testing.the_variant(_ware(owner)).pk
    market_services.request_back_in_stock(variant_id=variant_id, customer_id=owner.pk)
    return variant_id


def _pattern(owner: User) -> Any:
    day = timezone.now() + dt.timedelta(days=2)
    return market_services.add_slot_pattern(
        shop_id=_workshop(owner).pk,
        actor_id=owner.pk,
        kind=Fulfillment.PICKUP,
        weekday=day.weekday(),
        starts=dt.time(10),
        ends=dt.time(12),
        capacity=100,
        lead_hours=1,
    )


def _slot(owner: User) -> Any:
    _pattern(owner)
    return market.slots_of_shop(shop_id=_workshop(owner).pk, actor_id=owner.pk).first()


def _order(owner: User) -> Any:
    """Return an order of somebody at his own shop, so that he may do what either side may."""
    choice = market_services.Choice(slot_id=_slot(owner).pk)
    return market_testing.make_order(customer=owner, product=_ware(owner), choice=choice)


def _in_basket(owner: User) -> Any:
    variant_id = market_testing.the_variant(market_testing.make_product()).pk
    market_services.add_to_basket(customer_id=owner.pk, variant_id=variant_id, quantity=1)
    return variant_id


def _member(owner: User) -> dict[str, Any]:
    shop, friend = _workshop(owner), make_person()
    market_services.invite_member(shop_id=shop.pk, actor_id=owner.pk, user_id=friend.pk)
    return {"shop_id": shop.pk, "member_id": friend.pk}


def _flash_sale(owner: User) -> Any:
    ware, now = _ware(owner), timezone.now()
    return market_services.schedule_flash_sale(
        product_id=ware.pk, actor_id=owner.pk, price=ware.price / 2, starts_at=now, ends_at=now + dt.timedelta(days=1)
    )


def _coupon(owner: User) -> Any:
    return market_services.create_coupon(
        shop_id=_workshop(owner).pk, actor_id=owner.pk, code=uuid7().hex[-12:], percent=10
    )


KINDS: Mapping[str, Kind] = {
    "/wallet/accounts/{account_id}": Kind(make=lambda owner: make_account(owner=owner, funds="50.00").pk),
    "/wallet/deposits/{payment_id}": Kind(make=_deposit),
    "/wallet/withdrawals/{payment_id}": Kind(make=_withdrawal),
    "/wallet/transfers/{transfer_id}": Kind(make=lambda owner: _received(owner).pk),
    "/wallet/transactions/{journal_id}": Kind(make=lambda owner: _received(owner).journal_id),
    "/wallet/holds/{hold_id}": Kind(
        make=lambda owner: make_hold(account=make_account(owner=owner, funds="50.00"), owner_may_end=True).pk
    ),
    "/cards/{card_id}": Kind(make=lambda owner: make_card(holder=owner).pk),
    "/catalog/notifications/{notification_id}": Kind(make=_told, owner=make_operator, stranger=make_operator),
    "/defects/{defect_id}": Kind(
        make=lambda owner: make_defect(user=owner).pk,
        open_to_strangers=READING | {"put", "patch", "post"},
        because="defects are everybody's to read and to mend; only who reported one deletes it",
    ),
    **{
        f"/catalog/{name}": Kind(
            make=lambda _owner, make=make: make().pk,
            owner=make_operator,
            open_to_strangers=READING,
            because="the catalog is public; the staff writes it",
        )
        for name, make in {
            "products/{product_id}": make_product,
            "brands/{brand_id}": make_brand,
            "categories/{category_id}": make_category,
        }.items()
    },
    "/catalog/deliveries/{delivery_id}": Kind(make=_delivery, owner=make_operator),
    "/catalog/admins/{admin_id}": Kind(make=lambda _owner: make_operator().pk, owner=make_operator),
    "/catalog/notifications/channels/{channel}": Kind(
        make=lambda _owner: "inbox",
        owner=make_operator,
        stranger=make_operator,
        open_to_strangers=WRITING,
        because="it is the name of a channel: each writes a preference of his own",
    ),
    "/catalog/notifications/muted-brands/{brand_id}": Kind(
        make=lambda _owner: make_brand().pk,
        owner=make_operator,
        stranger=make_operator,
        open_to_strangers=WRITING,
        because="it is the id of a brand: each mutes it for himself",
    ),
    "/catalog/unsubscribe/{token}": Kind(
        make=_unsubscribe_token,
        owner=make_operator,
        open_to_strangers=READING | WRITING,
        because="the link in a mail: whoever has it may end what it is about, and it is signed",
    ),
    "/shops/{shop_id}": Kind(
        make=lambda owner: _workshop(owner).pk,
        open_to_strangers=frozenset({"get ", "get slots/"}),
        because="a published shop is everybody's to look at, and its slots to choose from",
    ),
    "/shops/{shop_id}/members/{member_id}": Kind(make=_member),
    "/slot-patterns/{pattern_id}": Kind(make=lambda owner: _pattern(owner).pk),
    "/coupons/{coupon_id}": Kind(make=lambda owner: _coupon(owner).pk),
    "/flash-sales/{flash_sale_id}": Kind(make=lambda owner: _flash_sale(owner).pk),
    "/categories/{category_id}": Kind(
        make=lambda _owner: market_testing.make_category().pk,
        owner=make_operator,
        open_to_strangers=READING,
        because="the tree is everybody's to look through",
    ),
    "/products/{product_id}": Kind(
        make=lambda owner: _ware(owner).pk,
        open_to_strangers=frozenset({"get ", "get recommendations/", "get reviews/", "post reviews/"}),
        because="the market is public; whoever has bought a product says what it is like",
    ),
    "/variants/{variant_id}": Kind(
        make=_variant,
        open_to_strangers=frozenset({"post back-in-stock/"}),
        because="everybody may wait for what he wants to buy",
    ),
    "/basket/{variant_id}": Kind(make=_in_basket),
    "/purchases/{purchase_id}": Kind(make=lambda owner: _order(owner).purchase_id),
    "/orders/{order_id}": Kind(make=lambda owner: _order(owner).pk),
    "/tracking/{token}": Kind(
        make=lambda owner: market_services.tracking_token(order_id=_order(owner).pk),
        open_to_strangers=READING,
        because="the link may be passed on: it shows how far an order is to whoever has it, and it is signed",
    ),
}

# Ids in bodies and queries, by the name of their property, and the domain where two use the same: what of somebody's
# own it names.
NAMED: Mapping[str, Callable[[User], Any]] = {
    "account": lambda owner: make_account(owner=owner, funds="50.00").pk,
    "source": lambda owner: make_account(owner=owner, funds="50.00").pk,
    "target": lambda owner: make_account(owner=owner).pk,
    "journal": lambda owner: _received(owner).journal_id,
    "brand": lambda _owner: make_brand().pk,
    "categories": lambda _owner: make_category().pk,
    "category": lambda _owner: make_category().pk,
    "change_set": lambda _owner: _change_set(),
    "product": lambda _owner: make_product().pk,
    "products": lambda _owner: make_product().pk,
    "shop": lambda owner: _workshop(owner).pk,
    "shop_id": lambda owner: _workshop(owner).pk,
    "product_id": lambda owner: _ware(owner).pk,
    "variant_id": lambda owner: market_testing.the_variant(_ware(owner)).pk,
    "slot": lambda owner: _slot(owner).pk,
    f"{ARTISAN_SHOP}.category": lambda _owner: market_testing.make_category().pk,
    "parent": lambda _owner: market_testing.make_category().pk,
}
# Of those, what is everybody's to name.
PUBLIC_NAMES = {
    "target": "money may be sent to anybody",
    "brand": "the catalog is public",
    "categories": "the catalog is public",
    "category": "the catalog is public",
    "product": "the catalog is public",
    "products": "the catalog is public",
    "shop_id": "everybody orders where he likes",
    "product_id": "the market is public",
    "variant_id": "the market is public",
    "slot": "everybody books a slot of the shop where he orders",
    "parent": "the categories are public",
}


def name_id(operation: Operation, name: str, owner: User) -> str:
    """Return the id of something of somebody's own that a property of this name asks for, or nothing."""
    make = NAMED.get(f"{operation.tag}.{name}") or NAMED.get(name)
    return str(make(owner)) if make else ""
