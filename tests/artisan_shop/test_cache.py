"""What is remembered, until something of it changes; and what happens without a cache."""

import pytest
from django.core.cache import cache

from holdfast.ids import uuid7
from holdfast.testing import drain_outbox
from holdfast_artisan_shop import selectors, services
from holdfast_artisan_shop.selectors import cached


@pytest.fixture(autouse=True)
def empty_cache():
    cache.clear()
    yield
    cache.clear()


def counter():
    calls = []

    def make():
        calls.append(None)
        return [len(calls)]

    return make


def test_what_was_made_is_not_made_again_until_its_shop_changes():
    make, shop_id, other_id = counter(), uuid7(), uuid7()
    assert [selectors.remembered(make, about="page", shop_id=shop_id) for _ in range(3)] == [[1]] * 3
    selectors.forget(shop_id=other_id)
    assert selectors.remembered(make, about="page", shop_id=shop_id) == [1]
    selectors.forget(shop_id=shop_id)
    assert selectors.remembered(make, about="page", shop_id=shop_id) == [2]


def test_pages_of_the_market_are_made_again_when_any_shop_changes():
    make = counter()
    assert selectors.remembered(make, about="page") == [1]
    selectors.forget(shop_id=uuid7())
    assert selectors.remembered(make, about="page") == [2]


def test_each_question_has_its_own_answer():
    make = counter()
    assert [selectors.remembered(make, about=about) for about in ({"a": 1}, {"a": 2}, {"a": 1})] == [[1], [2], [1]]


def test_what_was_read_before_a_change_and_written_after_it_is_not_found():
    shop_id = uuid7()

    def slow():
        selectors.forget(shop_id=shop_id)
        return "old"

    assert selectors.remembered(slow, about="page", shop_id=shop_id) == "old"
    assert selectors.remembered(lambda: "new", about="page", shop_id=shop_id) == "new"


def test_zero_seconds_remember_nothing(settings):
    settings.HOLDFAST_ARTISAN_SHOP = {"BROWSE_CACHE_SECONDS": 0}
    make = counter()
    assert [selectors.remembered(make, about="page") for _ in range(2)] == [[1], [2]]


def test_a_cache_that_is_down_costs_only_time(monkeypatch, caplog):
    class Down:
        def __getattr__(self, _name):
            raise ConnectionError

    monkeypatch.setattr(cached, "cache", Down())
    make = counter()
    assert [selectors.remembered(make, about="page") for _ in range(2)] == [[1], [2]]
    selectors.forget(shop_id=uuid7())
    assert "does not answer" in caplog.text


def test_the_events_of_a_shop_let_its_pages_be_made_anew(bowl, shop, ada):
    def page():
        return selectors.remembered(lambda: [one.name for one in selectors.browse()], about="browse")

    assert page() == ["Bowl"]
    services.change_product(product_id=bowl.pk, actor_id=ada.pk, name="Large bowl")
    assert page() == ["Bowl"]
    drain_outbox()
    assert page() == ["Large bowl"]


def test_the_events_of_the_tree_let_every_page_be_made_anew(bowl, shop, category):
    def names():
        return [one.category.name for one in selectors.browse()]

    def pages():
        return [selectors.remembered(names, about="browse", shop_id=shop_id) for shop_id in (None, shop.pk)]

    drain_outbox()  # the product itself is no news any more
    assert pages() == [["Ceramics"]] * 2
    services.change_category(category_id=category.pk, name="Pottery")
    assert pages() == [["Ceramics"]] * 2
    drain_outbox()
    assert pages() == [["Pottery"]] * 2
