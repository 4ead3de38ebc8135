"""What the ids of the API name: for each, how to make one that belongs to somebody, and what strangers may do with it.

A package that brings an operation with an id brings an entry here; ``test_owasp`` fails until there is one.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.test import override_settings

from holdfast.ids import uuid7
from holdfast.money import Money
from holdfast.testing import drain_outbox
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

READING = frozenset({"get"})
WRITING = frozenset({"post", "put", "patch", "delete"})


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One kind of object that a path names."""

    # Of a new object that belongs to this person.
    make: Callable[[User], Any]
    owner: Callable[[], User] = make_person
    # Somebody else of the same standing, but where that one may do everything.
    stranger: Callable[[], User] = make_person
    # What strangers may do, and why.
    open_to_strangers: frozenset[str] = field(default_factory=frozenset)
    because: str = ""


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
}

# Ids in bodies and queries, by the name of their property: what of somebody's own it names.
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
}
# Of those, what is everybody's to name.
PUBLIC_NAMES = {
    "target": "money may be sent to anybody",
    "brand": "the catalog is public",
    "categories": "the catalog is public",
    "category": "the catalog is public",
    "product": "the catalog is public",
    "products": "the catalog is public",
}
