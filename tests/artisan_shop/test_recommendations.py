"""What else a customer may like."""

import datetime as dt

import pytest
from django.utils import timezone

from holdfast_artisan_shop import selectors, services
from holdfast_artisan_shop.exceptions import LimitInvalid, ProductNotFound
from holdfast_artisan_shop.models import CoBuy, FlashSale, Product
from holdfast_artisan_shop.testing import make_product, make_shop, make_user


def recommended(product, **options):
    return [one.name for one in selectors.recommendations(product_id=product.pk, **options)]


def popular(product, popularity):
    Product.objects.filter(pk=product.pk).update(popularity=popularity)


def sell_off(product):
    now = timezone.now()
    hour = dt.timedelta(hours=1)
    FlashSale.objects.create(product=product, price_minor=1, starts_at=now - hour, ends_at=now + hour)


def other(name, category, **values):
    return make_product(name=name, category=category, **values)


def test_sales_come_first_then_what_is_bought_together_then_what_is_popular_then_what_is_near(bowl, category):
    far = other("Far", category, location=(10.0, 10.0))
    near = other("Near", category)
    liked, together, sale = (other(name, category) for name in ("Liked", "Together", "Sale"))
    elsewhere = other("Elsewhere, on sale", None)
    sell_off(sale)
    sell_off(elsewhere)
    popular(liked, 50)
    CoBuy.objects.create(product=bowl, other=together, score=3)
    assert recommended(bowl) == ["Sale", "Together", "Liked", "Near", "Far"]
    assert recommended(bowl, limit=6) == ["Sale", "Together", "Liked", "Near", "Far", "Elsewhere, on sale"]
    assert far != near


def test_what_is_bought_together_is_recommended_from_other_categories_too(bowl):
    spoon = make_product(name="Spoon")
    make_product(name="Unrelated")
    CoBuy.objects.create(product=bowl, other=spoon, score=1)
    assert recommended(bowl, limit=1) == ["Spoon"]


def test_never_itself_never_sold_out_never_hidden_and_never_of_a_shop_that_does_not_sell(bowl, category, ada):
    popular(bowl, 100)
    gone = other("Gone", category, stock=0)
    hidden = other("Hidden", category)
    services.retire_product(product_id=hidden.pk, actor_id=hidden.shop.owner_id)
    away = other("Away", category)
    services.go_on_holiday(shop_id=away.shop_id, actor_id=away.shop.owner_id)
    sell_off(gone)
    assert recommended(bowl) == []
    made = other("Made", category, stock=0, made_to_order=True)
    assert recommended(bowl) == [made.name]


def test_more_than_two_of_one_shop_only_where_others_have_nothing(bowl, category):
    large = make_shop()
    for number in range(120):
        product = other(f"Mass {number}", category, shop=large)
        popular(product, 1_000)
    for number in range(2):
        other(f"Small {number}", category)
    assert [name.split()[0] for name in recommended(bowl, limit=4)] == ["Mass", "Mass", "Small", "Small"]
    assert [name.split()[0] for name in recommended(bowl)] == ["Mass", "Mass", "Mass", "Small", "Small"]
    popular(other("Third", None), 2_000)
    assert [name.split()[0] for name in recommended(bowl)] == ["Mass", "Mass", "Small", "Small", "Third"]
    assert len(recommended(bowl, limit=50)) == 50


def test_a_town_of_one_shop_is_recommended_as_much_as_was_asked_for(shop, bowl, category):
    for number in range(7):
        popular(make_product(shop=shop, category=category, name=f"Cup {number}"), number)
    assert recommended(bowl) == ["Cup 6", "Cup 5", "Cup 4", "Cup 3", "Cup 2"]


def test_where_nothing_is_known_something_popular_is_recommended(bowl):
    for number in range(7):
        popular(make_product(name=f"Any {number}"), number)
    assert recommended(bowl) == ["Any 6", "Any 5", "Any 4", "Any 3", "Any 2"]


def test_a_limit_is_kept_and_checked(bowl, category):
    for number in range(8):
        other(f"Cup {number}", category)
    assert len(recommended(bowl)) == 5
    assert len(recommended(bowl, limit=8)) == 8
    for limit in (0, -1, 51, 10**9, True):
        with pytest.raises(LimitInvalid):
            recommended(bowl, limit=limit)


def test_nothing_goes_with_what_nobody_sees(bowl, ada):
    services.retire_product(product_id=bowl.pk, actor_id=ada.pk)
    with pytest.raises(ProductNotFound):
        recommended(bowl)


def test_a_recommendation_takes_a_bounded_number_of_statements(bowl, category, django_assert_max_num_queries):
    for number in range(10):
        other(f"Cup {number}", category)
    with django_assert_max_num_queries(5):
        assert len(recommended(bowl)) == 5


def test_what_is_bought_together_is_counted_from_the_orders(bowl, cup, shop, category):
    spoon = make_product(shop=shop, category=category, name="Spoon")

    def order(*products, cancel=False):
        customer = make_user()
        items = [services.Item(product_id=one.pk, quantity=1) for one in products]
        placed = services.place_order(customer_id=customer.pk, shop_id=shop.pk, items=items)
        services.pay_order(order_id=placed.pk, customer_id=customer.pk)
        if cancel:
            services.cancel_order(order_id=placed.pk, customer_id=customer.pk)

    order(bowl, cup)
    order(bowl, cup, spoon)
    order(bowl)
    order(bowl, spoon, cancel=True)
    for _twice in range(2):
        assert services.refresh_together() == 3
        scores = {
            (one.product.name, one.other.name): one.score for one in CoBuy.objects.select_related("product", "other")
        }
        assert scores == {
            ("Bowl", "Cup"): 2,
            ("Cup", "Bowl"): 2,
            ("Bowl", "Spoon"): 1,
            ("Spoon", "Bowl"): 1,
            ("Cup", "Spoon"): 1,
            ("Spoon", "Cup"): 1,
        }
    assert recommended(bowl) == ["Cup", "Spoon"][:2]


def test_only_the_most_frequent_companions_are_kept(bowl, shop, category, monkeypatch, bob):
    monkeypatch.setattr("holdfast_artisan_shop.services.analytics.TOGETHER_MAX", 2)
    others = [make_product(shop=shop, category=category, name=f"Cup {number}") for number in range(4)]
    for many in (4, 3, 2):
        items = [services.Item(product_id=one.pk, quantity=1) for one in (bowl, *others[:many])]
        order = services.place_order(customer_id=bob.pk, shop_id=shop.pk, items=items)
        services.pay_order(order_id=order.pk, customer_id=bob.pk)
    services.refresh_together(product_ids=[bowl.pk])
    assert {one.other.name: one.score for one in CoBuy.objects.all()} == {"Cup 0": 3, "Cup 1": 3}
