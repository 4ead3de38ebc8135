"""Trying the demo out: who one may be."""

from typing import Any

from django.conf import settings

from storefront import catalog_story, demo

# Where the demo's passwords may be shown: never where strangers come.
PLACES = {"local", "test"}
PEOPLE = [
    ("ada", "Ada, a customer", "with a wallet, orders and cards"),
    ("greta", "Greta, a potter", "with a workshop, orders to make, and charts"),
    (catalog_story.ADMINS[0].username, "Mara, of the catalog", "who changes a price and sees the others being told"),
    (demo.ADMIN, "Ane, the operator", "to whom the back office is open"),
]


def who_to_be() -> dict[str, Any]:
    """Return the demo's people and their password, where there is a demo to try out."""
    if settings.ENVIRONMENT not in PLACES or not demo.is_told():
        return {}
    return {"people": PEOPLE, "password": demo.PASSWORD}
