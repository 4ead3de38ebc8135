"""Many at once over the network: a server with threads, and as many connections as there are buyers."""

import base64
import json
import time
from collections import Counter
from contextlib import suppress

import pytest
from django.contrib.auth.hashers import make_password
from django.db import connections

from holdfast.testing import race
from holdfast_artisan_shop.models import Order
from holdfast_artisan_shop.testing import make_user
from tests.artisan_shop.books import check_books, figures
from tests.stranger import ask

BUYERS, PIECES = 32, 10


@pytest.mark.slow
@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_of_32_buyers_of_10_pieces_over_http_10_buy_and_22_are_told(live_server, bowl):
    password = make_password("secret")
    names = [make_user(username=f"buyer-{number}", password=password).get_username() for number in range(BUYERS)]
    body = json.dumps({"shop_id": str(bowl.shop_id), "items": [{"product_id": str(bowl.pk), "quantity": 1}]})

    def buy(name):
        login = base64.b64encode(f"{name}:secret".encode()).decode()
        headers = {"Authorization": f"Basic {login}", "Content-Type": "application/json", "Idempotency-Key": name}
        # Django's test server lets ten wait at its door and resets the others: these ask again, under the same key.
        for _attempt in range(50):
            with suppress(OSError):
                status, kind, text = ask(f"{live_server.url}/api/market/orders/", body, headers)
                return status, kind, json.loads(text).get("code")
            time.sleep(0.1)
        return "never let in"

    outcomes = Counter(race(*(lambda name=name: buy(name) for name in names)))
    assert outcomes == {
        (201, "application/json", None): PIECES,
        (409, "application/problem+json", "holdfast_artisan_shop.sold_out"): BUYERS - PIECES,
    }
    assert (figures(bowl), Order.objects.count()) == ((10, 0, 10), PIECES)
    check_books()
    connections.close_all()
