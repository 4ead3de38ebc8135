"""What customers say of what they have received."""

from typing import Any
from uuid import UUID

from django.db import IntegrityError
from django.db.models import F

from holdfast.outbox import emit
from holdfast.transactions import atomic_for
from holdfast_artisan_shop.events import ReviewWritten
from holdfast_artisan_shop.exceptions import NotBought, ProductNotFound, RatingInvalid, ReviewExists
from holdfast_artisan_shop.models import Order, Product, Review
from holdfast_artisan_shop.models.marketing import REVIEW_LENGTH
from holdfast_artisan_shop.services.rows import using
from holdfast_artisan_shop.services.texts import check_text
from holdfast_artisan_shop.states import OrderState


@atomic_for(Review)
def write_review(*, product_id: UUID, customer_id: Any, rating: int, text: str = "") -> Review:
    """Say what a product is like that one has received: once, with 1 to 5 stars.

    Raises ``ProductNotFound``, ``RatingInvalid``, ``TextInvalid``, ``NotBought``, ``ReviewExists``. Emits
    ``ReviewWritten``.
    """
    if isinstance(rating, bool) or not isinstance(rating, int) or not 1 <= rating <= 5:
        raise RatingInvalid(rating=str(rating)[:40])
    check_text("text", text, REVIEW_LENGTH)
    product = Product.objects.using(using()).filter(pk=product_id).first()
    if product is None:
        raise ProductNotFound(product_ids=[str(product_id)])
    order = (
        Order.objects.using(using())
        .filter(customer_id=customer_id, state=OrderState.COMPLETED, lines__product_id=product_id)
        .order_by("pk")
        .first()
    )
    if order is None:
        raise NotBought(product_id=str(product_id))
    review = Review(product=product, customer_id=customer_id, order=order, rating=rating, text=text)
    try:
        with atomic_for(Review):
            review.save(force_insert=True, using=using())
    except IntegrityError:
        raise ReviewExists(product_id=str(product_id)) from None
    # The sums last: many may review one product at once.
    Product.objects.using(using()).filter(pk=product_id).update(
        rating_sum=F("rating_sum") + rating, rating_count=F("rating_count") + 1
    )
    emit(
        ReviewWritten(
            review_id=str(review.pk), product_id=str(product_id), shop_id=str(product.shop_id), rating=rating
        ),
        using=using(),
    )
    return review
