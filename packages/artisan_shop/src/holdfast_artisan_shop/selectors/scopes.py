"""What a user acts for: outside it nothing exists. Here it is said, for reads and for verbs."""

from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from holdfast_artisan_shop.exceptions import ShopNotFound
from holdfast_artisan_shop.models import Shop, ShopMember


def shops_of(*, actor_id: Any) -> QuerySet[Shop]:
    """Return the shops that a user acts for: his own, and those that he is a member of."""
    # Asked of the members, not of the shops: a shop without members would be that of user None. Of no database by
    # name, so that a verb can ask it within a statement to the one that it writes to.
    member_of = ShopMember.objects.filter(user_id=actor_id).values("shop_id")
    return Shop.objects.filter(Q(owner_id=actor_id) | Q(pk__in=member_of))


def managed_shop(*, shop_id: UUID, actor_id: Any, using: str | None = None) -> Shop:
    """Return a shop that a user acts for; ``using`` is the database that is written to. Raises ``ShopNotFound``."""
    shop = shops_of(actor_id=actor_id).using(using).filter(pk=shop_id).first()
    if shop is None:
        raise ShopNotFound(shop_id=str(shop_id))
    return shop
