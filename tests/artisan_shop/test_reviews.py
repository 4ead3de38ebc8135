"""Reviews: by who has received the product, once; the sums of a product are those of its reviews."""

import pytest
from django.db.models import Sum

from holdfast.testing import captured_events, race
from holdfast_artisan_shop import services
from holdfast_artisan_shop.events import ReviewWritten
from holdfast_artisan_shop.exceptions import NotBought, ProductNotFound, RatingInvalid, ReviewExists, TextInvalid
from holdfast_artisan_shop.models import Product, Review
from holdfast_artisan_shop.states import OrderState
from holdfast_artisan_shop.testing import make_order, make_product, make_user

pytestmark = pytest.mark.django_db(transaction=True)


def sums(product):
    return Product.objects.values_list("rating_sum", "rating_count").get(pk=product.pk)


def test_who_has_received_a_product_may_review_it_once(bowl, bob):
    make_order(customer=bob, product=bowl, state=OrderState.COMPLETED)

    with captured_events() as events:
        review = services.write_review(product_id=bowl.pk, customer_id=bob.pk, rating=4, text="Holds soup.")

    assert [event for event in events if isinstance(event, ReviewWritten)] == [
        ReviewWritten(review_id=str(review.pk), product_id=str(bowl.pk), shop_id=str(bowl.shop_id), rating=4)
    ]
    assert sums(bowl) == (4, 1)
    with pytest.raises(ReviewExists):
        services.write_review(product_id=bowl.pk, customer_id=bob.pk, rating=5)
    assert sums(bowl) == (4, 1)


@pytest.mark.parametrize("state", [OrderState.PENDING, OrderState.PAID, OrderState.CANCELLED, OrderState.REFUNDED])
def test_who_has_not_received_it_may_not(bowl, bob, state):
    make_order(customer=bob, product=bowl, state=state)
    with pytest.raises(NotBought):
        services.write_review(product_id=bowl.pk, customer_id=bob.pk, rating=4)
    assert not Review.objects.exists()


def test_what_one_has_received_of_another_kind_does_not_count(bowl, cup, bob):
    make_order(customer=bob, product=cup, state=OrderState.COMPLETED)
    with pytest.raises(NotBought):
        services.write_review(product_id=bowl.pk, customer_id=bob.pk, rating=4)


@pytest.mark.parametrize(
    ("values", "refusal"),
    [
        ({"rating": 0}, RatingInvalid),
        ({"rating": 6}, RatingInvalid),
        ({"rating": -(10**30)}, RatingInvalid),
        ({"rating": 4.5}, RatingInvalid),
        ({"rating": "5"}, RatingInvalid),
        ({"rating": True}, RatingInvalid),
        ({"rating": 5, "text": "x" * 5001}, TextInvalid),
        ({"rating": 5, "text": "a\0b"}, TextInvalid),
        ({"rating": 5, "product_id": "01936b2a-0000-7000-8000-000000000001"}, ProductNotFound),
    ],
    ids=str,
)
def test_what_makes_no_sense_is_refused(bowl, bob, values, refusal):
    make_order(customer=bob, product=bowl, state=OrderState.COMPLETED)
    with pytest.raises(refusal):
        services.write_review(**{"product_id": bowl.pk, "customer_id": bob.pk, **values})
    assert sums(bowl) == (0, 0)


@pytest.mark.postgres
def test_many_who_review_one_product_at_once_add_up():
    product, people = make_product(), [make_user() for _number in range(6)]
    for person in people:
        make_order(customer=person, product=product, state=OrderState.COMPLETED)

    race(
        *(
            lambda person=person, rating=rating: services.write_review(
                product_id=product.pk, customer_id=person.pk, rating=rating
            )
            for rating, person in enumerate([*people[:5], people[0]], start=1)
            if rating <= 5
        )
    )

    assert sums(product) == (Review.objects.aggregate(n=Sum("rating"))["n"], 5)


@pytest.mark.postgres
def test_of_one_persons_reviews_at_once_one_is_taken(bowl, bob):
    make_order(customer=bob, product=bowl, state=OrderState.COMPLETED)
    outcomes = race(lambda: services.write_review(product_id=bowl.pk, customer_id=bob.pk, rating=3))
    assert sum(isinstance(outcome, Review) for outcome in outcomes) == 1
    assert sums(bowl) == (3, 1)
