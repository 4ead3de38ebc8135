"""What the tests of the wallet's doors share: two users with money, somebody at the API, a digest of the ledger."""

import hashlib
import uuid
from dataclasses import dataclass
from typing import Any

from django.contrib.auth import get_user_model
from django.urls import reverse
from rest_framework.test import APIClient

from holdfast_wallet.models import Account, Hold, HoldEvent, Payment, Seal, Transfer
from holdfast_wallet.testing import make_account, make_transfer

LEDGER = (Account, Transfer, Hold, HoldEvent, Payment, Seal)


def url(name: str, *args: object) -> str:
    """The path of one of the wallet's routes."""
    return reverse(f"holdfast_wallet:{name}", args=args)


def eur(amount: object) -> dict[str, object]:
    """Money as the API takes it."""
    return {"amount": amount, "currency": "EUR"}


class Door:
    """The API as one user sees it; each POST has a key of its own unless it names one."""

    def __init__(self, user: Any = None) -> None:
        self.client = APIClient(raise_request_exception=True)
        if user is not None:
            self.client.force_authenticate(user)

    def get(self, path: str, **query: object) -> Any:
        return self.client.get(path, query)

    def post(self, path: str, body: object = None, *, key: str | None = "", **extra: Any) -> Any:
        headers = {} if key is None else {"Idempotency-Key": key or str(uuid.uuid4())}
        return self.client.post(path, {} if body is None else body, format="json", headers=headers, **extra)

    def patch(self, path: str, body: object) -> Any:
        return self.client.patch(path, body, format="json")


@dataclass(frozen=True)
class World:
    """Ada and Bob, who both have money, and the house."""

    ada: Any
    bob: Any
    wallet: Account
    savings: Account
    dollars: Account
    others: Account
    paid: Transfer
    received: Transfer

    @property
    def door(self) -> Door:
        return Door(self.ada)


def make_world() -> World:
    """Ada has 100 EUR in her wallet, nothing in her savings, 20 USD; Bob has 50 EUR; each has paid the other 1 EUR."""
    users = get_user_model().objects
    ada, bob = users.create_user("ada"), users.create_user("bob")
    wallet = make_account(owner=ada, funds="100.00", name="Wallet")
    savings = make_account(owner=ada, name="Savings")
    dollars = make_account(owner=ada, currency="USD", funds="20.00")
    others = make_account(owner=bob, funds="50.00")
    paid = make_transfer(source=wallet, target=others)
    received = make_transfer(source=others, target=wallet)
    return World(ada, bob, wallet, savings, dollars, others, paid, received)


def digest() -> str:
    """All rows of the ledger as one hash: equal before and after means that nothing changed."""
    rows = [(model.__name__, list(model.objects.order_by("pk").values_list())) for model in LEDGER]
    return hashlib.sha256(repr(rows).encode()).hexdigest()


def balance(account: Account) -> str:
    """What is on the account now."""
    return str(Account.objects.get(pk=account.pk).balance.amount)


def assert_problem(answer: Any, status: int, code: str) -> dict[str, Any]:
    """Check that the answer is a problem document of this code, and return it."""
    assert (answer.status_code, answer.json().get("code")) == (status, code), answer.content.decode()
    assert answer["Content-Type"] == "application/problem+json"
    document: dict[str, Any] = answer.json()
    assert {"type", "title", "status", "detail", "instance", "code", "context", "errors"} <= document.keys()
    return document
