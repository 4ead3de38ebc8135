"""What is there before the traffic: people who may sign in, a catalog, a market. For who has set Django up."""

import datetime as dt
import json
import sys
from typing import Any

from rest_framework.authtoken.models import Token

from holdfast_artisan_shop import services as market
from holdfast_artisan_shop.states import Fulfillment
from holdfast_artisan_shop.testing import make_category, make_shop, the_variant
from holdfast_artisan_shop.testing import make_product as make_ware
from holdfast_catalog_notify.testing import make_product
from holdfast_wallet.services import open_account
from people.models import User
from people.services import register_person
from people.states import Role

PASSWORD = "correct-horse-battery"
# Of four users, two have a wallet and buy, one sells, and one looks around.
ROLES = ("customers", "artisans", "customers", "visitors")
HONFLEUR = {"lat": 49.4197, "lng": 0.2308}
WARES = [("Bowl", "8.00"), ("Vase", "14.50"), ("Lamp", "39.99"), ("Cup", "5.25"), ("Plate", "11.10")]
# Little enough that it runs out and has to be made.
STOCK, ROOM = 12, 4


def person(name: str, role: Role = Role.CUSTOMER, **fields: bool) -> dict[str, Any]:
    """Register somebody, and return how to sign in."""
    user = register_person(username=name, email=f"{name}@example.org", password=PASSWORD, role=role)
    User.objects.filter(pk=user.pk).update(**fields) if fields else None
    return {"id": user.pk, "token": Token.objects.create(user=user).key}


def user(number: int, category: Any) -> tuple[str, dict[str, Any]]:
    """Return a user with his role."""
    role = ROLES[number % len(ROLES)]
    who = person(f"user-{number}", Role.ARTISAN if role == "artisans" else Role.CUSTOMER)
    if role == "customers":
        # The first account is the one that orders are paid from.
        who["wallet"] = str(open_account(owner_id=who["id"], currency="EUR", name="Everyday").pk)
    if role == "artisans":
        who |= stall(who["id"], category)
    return role, who


def stall(owner_id: int, category: Any) -> dict[str, Any]:
    """Open a shop with shelves and slots, and return what is there."""
    shop = make_shop(owner=User.objects.get(pk=owner_id), **HONFLEUR)
    for weekday in range(7):
        for kind, fee_minor in ((Fulfillment.DELIVERY, 390), (Fulfillment.PICKUP, 0)):
            times = {"starts": dt.time(9), "ends": dt.time(12), "lead_hours": 2}
            market.add_slot_pattern(
                shop_id=shop.pk,
                actor_id=owner_id,
                kind=kind,
                weekday=weekday,
                capacity=ROOM,
                fee_minor=fee_minor,
                **times,
            )
    wares = [
        make_ware(shop=shop, category=category, name=name, price=price, stock=STOCK, description=f"A {name}.")
        for name, price in WARES
    ]
    make_ware(shop=shop, category=category, name="Bowl to order", stock=0, made_to_order=True, lead_days=1)
    return {"shop": str(shop.pk), "variants": {str(the_variant(ware).pk): STOCK for ware in wares}}


def main() -> None:
    """Make as many users, admins and products as the command line says, and print what they are called as JSON."""
    users, admins, products = map(int, sys.argv[1:])
    category = make_category(name="Pottery")
    seeded: dict[str, list[Any]] = {role: [] for role in ROLES}
    for number in range(users):
        role, who = user(number, category)
        seeded[role].append(who)
    seeded["admins"] = [person(f"admin-{number}", is_staff=True, is_superuser=True) for number in range(admins)]
    seeded["products"] = [str(make_product().pk) for _ in range(products)]
    print(json.dumps(seeded))
