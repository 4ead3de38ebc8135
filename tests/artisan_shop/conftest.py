"""Who sells and who buys in these tests."""

import pytest

from holdfast_artisan_shop.testing import make_category, make_product, make_shop, make_user


@pytest.fixture
def ada(db):
    """An artisan."""
    return make_user(username="ada")


@pytest.fixture
def bob(db):
    """A customer."""
    return make_user(username="bob")


@pytest.fixture
def shop(ada):
    return make_shop(owner=ada, name="Ada's")


@pytest.fixture
def category(db):
    return make_category(name="Ceramics")


@pytest.fixture
def bowl(shop, category):
    return make_product(shop=shop, category=category, name="Bowl", price="10.00", stock=10)


@pytest.fixture
def cup(shop, category):
    return make_product(shop=shop, category=category, name="Cup", price="4.50", stock=10)
