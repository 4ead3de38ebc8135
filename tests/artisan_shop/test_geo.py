"""What is near a point: against brute force, at the poles, at the antimeridian, and in the worst hands."""

import math
import random

import pytest
from django.db.models import Q
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.ids import uuid7
from holdfast_artisan_shop import services
from holdfast_artisan_shop.backends import sphere
from holdfast_artisan_shop.backends.geo import RingSearch
from holdfast_artisan_shop.exceptions import CategoryNotFound, LimitInvalid, LocationInvalid, RadiusInvalid
from holdfast_artisan_shop.models import Product, Shop
from holdfast_artisan_shop.models.places import unit_vector
from holdfast_artisan_shop.selectors import near
from holdfast_artisan_shop.testing import make_category, make_product, make_shop

LATITUDES = st.one_of(st.floats(-90, 90), st.sampled_from([-90.0, 90.0, 0.0, 89.9999, -89.9999]))
LONGITUDES = st.one_of(st.floats(-180, 180), st.sampled_from([-180.0, 180.0, 0.0, 179.9999, -179.9999]))


def distance(one, other):
    return sphere.distance_km(math.dist(unit_vector(*one), unit_vector(*other)) ** 2)


@settings(max_examples=400, deadline=None)
@given(LATITUDES, LONGITUDES, st.floats(0.001, 25_000), LATITUDES, LONGITUDES)
def test_no_box_loses_a_point_of_its_circle(lat, lng, radius_km, other_lat, other_lng):
    if distance((lat, lng), (other_lat, other_lng)) < radius_km:
        assert any(box.holds(other_lat, other_lng) for box in sphere.boxes(lat, lng, radius_km))


@settings(max_examples=400, deadline=None)
@given(LATITUDES, LONGITUDES, st.floats(0.001, 20_000), st.floats(0, 2 * math.pi), st.floats(0, 0.999999))
def test_no_box_loses_a_point_that_is_made_within_its_circle(lat, lng, radius_km, bearing, share):
    angle, north = share * radius_km / sphere.EARTH_RADIUS_KM, math.radians(lat)
    sine = math.sin(north) * math.cos(angle) + math.cos(north) * math.sin(angle) * math.cos(bearing)
    there = math.asin(max(-1.0, min(1.0, sine)))
    east = math.atan2(
        math.sin(bearing) * math.sin(angle) * math.cos(north), math.cos(angle) - math.sin(north) * math.sin(there)
    )
    other = (math.degrees(there), (lng + math.degrees(east) + 540) % 360 - 180)
    if distance((lat, lng), other) < radius_km:
        assert any(box.holds(*other) for box in sphere.boxes(lat, lng, radius_km))


def test_a_small_circle_far_from_the_poles_has_a_small_box():
    (box,) = sphere.boxes(52.5, 13.4, 10)
    assert box.north - box.south == pytest.approx(0.18, rel=0.01)
    assert box.east - box.west == pytest.approx(0.18 / math.cos(math.radians(52.5)), rel=0.01)


def test_a_circle_over_the_antimeridian_has_two_boxes():
    assert [box.west < 0 for box in sphere.boxes(0, 179.99, 10)] == [False, True]
    assert [box.west < 0 for box in sphere.boxes(0, -179.99, 10)] == [True, False]


def test_the_distance_of_a_chord_is_the_distance_that_made_it():
    for radius_km in (0.001, 1, 10, 500, 20_000):
        assert sphere.distance_km(sphere.squared_chord(radius_km)) == pytest.approx(radius_km)


@pytest.fixture
def globe(db):
    """3,000 products: in towns, anywhere, and at the edges of all maps."""
    chance = random.Random(6)
    shop, categories = make_shop(), [make_category() for _ in range(3)]
    towns = [(chance.uniform(-80, 80), chance.uniform(-180, 180)) for _ in range(8)]
    points = [(90.0, 0.0), (90.0, 77.0), (-90.0, -180.0), (0.0, 180.0), (0.0, -180.0)]
    for number in range(3_000 - len(points)):
        if number % 3 == 0:
            lat, lng = chance.choice(towns)
            points.append((lat + chance.gauss(0, 0.1), lng + chance.gauss(0, 0.1)))
        elif number % 3 == 1:
            points.append((chance.choice([-1, 1]) * (90 - abs(chance.gauss(0, 1.5))), chance.uniform(-180, 180)))
        else:
            points.append((chance.uniform(-85, 85), chance.choice([-1, 1]) * (180 - abs(chance.gauss(0, 0.5)))))
    products = []
    for lat, lng in points:
        product = Product(shop=shop, category=chance.choice(categories), name="x", price_minor=1, currency="EUR")
        product.put_at(max(-90.0, min(90.0, lat)), (lng + 180) % 360 - 180 if abs(lng) > 180 else lng)
        products.append(product)
    Product.objects.bulk_create(products, batch_size=500)
    return products


def plain(products):
    """Return what brute force looks at, three million times and more: no model's attributes."""
    return [(product.x, product.y, product.z, product.pk) for product in products]


def nearest(points, lat, lng, radius_km, limit):
    """Return what brute force finds."""
    (a, b, c), farthest = unit_vector(lat, lng), sphere.squared_chord(radius_km)
    found = sorted(
        (squared, pk) for x, y, z, pk in points if (squared := (x - a) ** 2 + (y - b) ** 2 + (z - c) ** 2) <= farthest
    )
    return [pk for _squared, pk in found[:limit]]


@pytest.mark.slow
def test_a_thousand_random_and_a_hundred_edge_queries_answer_as_brute_force_does(globe):
    chance, search = random.Random(7), RingSearch()
    categories = sorted({product.category_id for product in globe})
    points = {None: plain(globe)} | {
        category: plain(product for product in globe if product.category_id == category) for category in categories
    }
    for number in range(1_100):
        if number < 1_000:
            start = chance.choice(globe)
            lat = max(-90.0, min(90.0, start.lat + chance.gauss(0, 0.3)))
            lng = max(-180.0, min(180.0, start.lng + chance.gauss(0, 0.3)))
        else:
            lat = chance.choice([-90.0, 90.0, 89.99, -89.95, 0.0, chance.uniform(-90, 90)])
            lng = chance.choice([-180.0, 180.0, 179.99, -179.99, 0.0])
        radius_km = chance.choice([0.5, 3, 10, 50, 200, 500, 5_000 if number % 20 == 0 else 100])
        category = chance.choice([None, *categories])
        rows = Product.objects.filter(active=True)
        rows = rows if category is None else rows.filter(category_id=category)
        hits = search.near(
            rows, lat=lat, lng=lng, radius_km=radius_km, limit=20, selective=chance.choice([True, False])
        )
        assert [hit.id for hit in hits] == nearest(points[category], lat, lng, radius_km, 20), (lat, lng, radius_km)


def test_pages_by_rank_and_id_lose_and_repeat_nothing(globe):
    twins = [make_product(shop=globe[0].shop, name="twin", location=(10.0, 10.0)) for _ in range(5)]
    search, rows = RingSearch(), Product.objects.filter(active=True)
    for lat, lng in ((10.0, 10.0), (89.9, 0.0), (globe[0].lat, globe[0].lng)):
        found, after = [], None
        while page := search.near(rows, lat=lat, lng=lng, radius_km=500, limit=7, after=after):
            found += [hit.id for hit in page]
            after = page[-1].rank, page[-1].id
        everything = [*globe, *Product.objects.filter(pk__in=[twin.pk for twin in twins])]
        assert found == nearest(plain(everything), lat, lng, 500, len(everything))


def test_a_narrow_ring_is_enough_where_there_is_much(globe, django_assert_num_queries):
    town = make_shop(lat=40.0, lng=40.0)
    for _ in range(5):
        make_product(shop=town)
    with django_assert_num_queries(1):
        RingSearch().near(Product.objects.filter(active=True), lat=40, lng=40, radius_km=500, limit=5)


def test_offers_near_have_their_distance_and_come_nearest_first(bowl, cup, category):
    far = make_product(name="Far", location=(52.60, 13.405), category=category)
    found = near.products_near(lat=52.52, lng=13.405)
    assert [one.pk for one in found] == [bowl.pk, cup.pk, far.pk]
    assert [round(one.distance_km, 2) for one in found] == [0, 0, 8.9]


def test_offers_near_are_those_of_a_category_and_all_below_it(bowl, category):
    below = make_category(name="Bowls", parent=category)
    inside, _outside = make_product(category=below), make_product()
    found = near.products_near(lat=52.52, lng=13.405, category_id=category.pk)
    assert {one.pk for one in found} == {bowl.pk, inside.pk}


def test_a_moved_shop_takes_its_products_along(shop, bowl, ada):
    services.change_shop(shop_id=shop.pk, actor_id=ada.pk, lat=-10.0, lng=-20.0)
    assert near.products_near(lat=52.52, lng=13.405) == []
    assert [one.pk for one in near.products_near(lat=-10, lng=-20)] == [bowl.pk]
    assert [one.pk for one in near.shops_near(lat=-10, lng=-20, radius_km=0.1)] == [shop.pk]


def test_hidden_products_and_shops_are_nowhere(shop, bowl, cup, ada):
    services.retire_product(product_id=cup.pk, actor_id=ada.pk)
    assert [one.pk for one in near.products_near(lat=52.52, lng=13.405)] == [bowl.pk]
    services.close_shop(shop_id=shop.pk, actor_id=ada.pk)
    assert near.products_near(lat=52.52, lng=13.405) == []
    assert near.shops_near(lat=52.52, lng=13.405) == []


@pytest.mark.parametrize(
    ("circle", "refusal"),
    [
        ((91, 0, 10), LocationInvalid),
        ((-90.0001, 0, 10), LocationInvalid),
        ((0, 180.5, 10), LocationInvalid),
        ((math.nan, 0, 10), LocationInvalid),
        ((0, math.inf, 10), LocationInvalid),
        ((0, 0, -1), RadiusInvalid),
        ((0, 0, 0), RadiusInvalid),
        ((0, 0, 10**9), RadiusInvalid),
        ((0, 0, math.nan), RadiusInvalid),
    ],
)
def test_what_is_no_circle_on_the_globe_is_refused(db, circle, refusal):
    lat, lng, radius_km = circle
    for search in (near.products_near, near.shops_near):
        with pytest.raises(refusal):
            search(lat=lat, lng=lng, radius_km=radius_km)


def test_a_page_is_full_though_the_nearest_shops_are_closed(bowl, category):
    for lat in (52.5201, 52.5202, 52.5203):
        closed = make_shop(lat=lat)
        for _ in range(3):
            make_product(shop=closed, category=category)
        services.close_shop(shop_id=closed.pk, actor_id=closed.owner_id)
    open_ones = [make_product(name=f"Open {lat}", location=(lat, 13.405)).pk for lat in (52.53, 52.54, 52.55)]
    found = near.products_near(lat=52.52, lng=13.405, limit=3)
    assert [one.pk for one in found] == [bowl.pk, *open_ones[:2]]
    assert [one.pk for one in near.products_near(lat=52.52, lng=13.405)] == [bowl.pk, *open_ones]


def test_limits_and_unknown_categories_are_refused(db):
    for limit in (0, -1, 10**9, True):
        with pytest.raises(LimitInvalid):
            near.products_near(lat=0, lng=0, limit=limit)
    with pytest.raises(CategoryNotFound):
        near.products_near(lat=0, lng=0, category_id=uuid7())


@pytest.mark.parametrize("model", [Product, Shop])
@pytest.mark.django_db
def test_an_index_serves_the_search(model, shop):
    rows = model.objects.filter(active=True) if model is Product else Shop.objects.filter(state__in=["open", "holiday"])
    plan = rows.filter(Q(lat__range=(1, 2), lng__range=(1, 2))).order_by().values("pk").explain()
    if "SEARCH" in plan:  # SQLite; PostgreSQL scans an empty table, and the benchmark shows its plan of a full one
        assert "_near" in plan
