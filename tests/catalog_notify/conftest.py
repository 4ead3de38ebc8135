"""Who changes products in these tests, and who is told."""

import pytest
from rest_framework.test import APIClient

from holdfast_catalog_notify.testing import make_admin, make_brand, make_product
from tests.catalog_notify.receivers import http_receiver, mail_receiver


@pytest.fixture
def ada(db):
    return make_admin(username="ada", email="ada@example.com")


@pytest.fixture
def bob(db):
    return make_admin(username="bob", email="bob@example.com")


@pytest.fixture
def acme(db):
    return make_brand(name="Acme")


@pytest.fixture
def lamp(acme):
    return make_product(brand=acme, sku="LAMP-1", name="Lamp", price="10.00")


@pytest.fixture
def client(ada):
    """Ada's client; it is answered, whatever happens, as one over the network is."""
    return client_of(ada)


@pytest.fixture
def visitor(db):
    """Somebody who is not logged in."""
    return APIClient(raise_request_exception=False)


def client_of(user):
    client = APIClient(raise_request_exception=False)
    client.force_authenticate(user)
    return client


@pytest.fixture
def receiver():
    with http_receiver() as receiver:
        yield receiver


@pytest.fixture
def mailbox():
    pytest.importorskip("aiosmtpd")
    with mail_receiver() as receiver:
        yield receiver


@pytest.fixture
def loopback(settings):
    """Webhooks may go to this machine, without TLS."""
    settings.HOLDFAST_OUTBOX = {"WEBHOOK_ALLOW_HTTP": True, "WEBHOOK_ALLOWED_NETWORKS": ["127.0.0.0/8"]}
