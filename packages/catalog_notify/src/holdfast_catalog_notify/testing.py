"""For the tests of a host: makers, and the contract that each channel keeps.

::

    class TestOurChannel(ChannelContract):
        @pytest.fixture
        def channel(self):
            return OurChannel(url=sandbox_url)
"""

# ruff: noqa: S101 - tests, shipped

import datetime as dt
from typing import Any

from django.contrib.auth import get_user_model
from django.utils import timezone

from holdfast.ids import uuid7
from holdfast.money import Money
from holdfast_catalog_notify import services
from holdfast_catalog_notify.models import Brand, Category, Product
from holdfast_catalog_notify.ports import Channel, Message, Recipient

__all__ = ["ChannelContract", "make_admin", "make_brand", "make_category", "make_message", "make_product"]


def make_admin(**fields: Any) -> Any:
    """Return a new active admin of the host's user model, who may do everything unless ``is_superuser=False``."""
    model = get_user_model()
    name = f"admin-{uuid7()}"
    values = {
        model.USERNAME_FIELD: name,
        model.get_email_field_name(): f"{name}@example.com",
        "is_staff": True,
        "is_superuser": True,
        **fields,
    }
    return model._default_manager.create(**values)  # noqa: SLF001 - what Django documents for models not one's own


def make_brand(*, name: str = "") -> Brand:
    """Return a new brand, with a name of its own if none is given."""
    return services.create_brand(name=name or f"Brand {uuid7()}")


def make_category(*, name: str = "") -> Category:
    """Return a new category, with a name of its own if none is given."""
    return services.create_category(name=name or f"Category {uuid7()}")


def make_product(*, brand: Brand | None = None, price: str = "10.00", currency: str = "EUR", **values: Any) -> Product:
    """Return a new product, of a new brand and with an SKU of its own if none is given; nobody's name is on it."""
    named = {"sku": f"SKU-{uuid7()}", "name": "Lamp", **values}
    return services.create_product(price=Money(price, currency), brand_id=(brand or make_brand()).pk, **named)


def make_message(**fields: Any) -> Message:
    """Return a message as a worker hands it to a channel."""
    at = timezone.now() - dt.timedelta(minutes=1)
    change = {
        "product_id": str(uuid7()),
        "sku": "LAMP-1",
        "name": "Lamp <small> & bright",
        "action": "changed",
        "values": {"price": {"old": "10.00 EUR", "new": "12.00 EUR"}},
    }
    change_set = {
        "id": str(uuid7()),
        "at": at.isoformat(),
        "actor": "ada",
        "door": "api",
        "more": 0,
        "changes": [change],
    }
    values: dict[str, Any] = {
        "id": uuid7(),
        "recipient": Recipient(user_id=7, name="bob", email="bob@example.com"),
        "subject": "Changed: Lamp <small> & bright",
        "text": "ada:\n\nchanged: Lamp <small> & bright (LAMP-1)\n  price: 10.00 EUR -> 12.00 EUR\n",
        "html": "<p>ada</p>",
        "change_sets": [change_set],
        "created_at": at,
        "unsubscribe_url": "https://shop.example/unsubscribe/token/",
        **fields,
    }
    return Message(**values)


class ChannelContract:
    """What every channel keeps; inherit it and give a fixture ``channel`` that reaches something which takes messages.

    Give a fixture ``unreachable`` too, the same channel where nobody listens, if it speaks with anybody.
    """

    def test_a_message_is_taken_and_has_an_id(self, channel: Channel) -> None:
        """Taking one is returning; the id is text that a log can hold."""
        receipt = channel.send(make_message())
        assert isinstance(receipt, str)
        assert receipt

    def test_a_message_may_come_twice(self, channel: Channel) -> None:
        """We repeat a message whenever we do not know whether it arrived: the second time is no error."""
        message = make_message()
        assert channel.send(message)
        assert channel.send(message)

    def test_text_of_all_kinds_arrives(self, channel: Channel) -> None:
        """Names of products are people's: of any script, with any mark, and long."""
        for name in ("Лампа", "电灯", "💡", "<b>&amp;", '"quoted"', "x" * 200):
            assert channel.send(make_message(subject=f"Changed: {name}", text=f"{name}\n", html=f"<p>{name}</p>"))

    def test_the_id_of_a_recipient_may_be_text(self, channel: Channel) -> None:
        """A host's users may have UUIDs."""
        recipient = Recipient(user_id=str(uuid7()), name="bob", email="bob@example.com")
        assert channel.send(make_message(recipient=recipient))

    def test_it_says_what_it_is(self, channel: Channel) -> None:
        """Whether it takes digests, needs an address, and what it does with a message of unknown fate."""
        assert {type(channel.digests), type(channel.needs_address), type(channel.at_most_once)} == {bool}
