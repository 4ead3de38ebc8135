"""The market: to browse, to find what is near, and to look at a shop or a product."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone

from holdfast import errors
from holdfast_artisan_shop import selectors, services
from holdfast_artisan_shop.states import OrderState, ShopState
from storefront.forms.market import IntoBasketForm, MarketForm, NearForm, ReviewForm, WhichForm
from storefront.pages import OpenPage, Page, leaf
from storefront.pictures import shown as shown_picture
from storefront.places import HOME
from storefront.templatetags.storefront import refusal_words
from storefront.town_map import town_map

PAGE_PRODUCTS = 24
NEAR_SHOPS, NEAR_PRODUCTS = 40, 24
REVIEWS = 10
SALES_SHOWN = 4
DAYS = {"mon": "Monday", "tue": "Tuesday", "wed": "Wednesday", "thu": "Thursday", "fri": "Friday", "sat": "Saturday"}
DAYS |= {"sun": "Sunday"}


class MarketView(OpenPage):
    """The products that match, a page at a time; above them what is on sale for a few hours."""

    template_name = "storefront/market/list.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Gather one page."""
        form = MarketForm(self.request.GET)
        found = selectors.browse(order=form.chosen_order, **form.filters)
        ordering = selectors.order_of(form.chosen_order, **form.filters)
        page = leaf(self.request, found, ordering=ordering, size=PAGE_PRODUCTS)
        sales: Any = [] if form.narrows else selectors.browse(order="popular", on_sale=True)[:SALES_SHOWN]
        return super().get_context_data(
            form=form, page=page, sales=sales, categories=selectors.category_tree(), **kwargs
        )


class NearView(OpenPage):
    """What is near a point: the shops on a map and in a list, their wares below."""

    template_name = "storefront/market/near.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Look in the circle."""
        form = NearForm(self.request.GET)
        circle: Any = form.circle  # mypy would give each of its numbers to every argument
        products = selectors.products_near(**circle, limit=NEAR_PRODUCTS, category_id=form.category_id)
        shops = selectors.shops_near(**circle, limit=NEAR_SHOPS)
        if form.category_id:
            # The map shows who has it, not everybody.
            having = {product.shop_id for product in products}
            shops = [shop for shop in shops if shop.pk in having]
        drawn = town_map(**circle, things=shops)
        return super().get_context_data(form=form, map=drawn, shops=shops, products=products, **circle, **kwargs)


class ShopView(OpenPage):
    """One shop and everything that it sells."""

    template_name = "storefront/market/shop.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Show it; whoever acts for it sees it before anybody else does."""
        actor_id = self.request.user.pk if self.request.user.is_authenticated else None
        shop = selectors.get_shop(shop_id=kwargs["shop_id"], actor_id=actor_id)
        page = leaf(
            self.request,
            selectors.browse(order="popular", shop_id=shop.pk),
            ordering=selectors.order_of("popular"),
            size=PAGE_PRODUCTS,
        )
        hours = [(name, shop.opening_hours.get(day, [])) for day, name in DAYS.items()] if shop.opening_hours else []
        return super().get_context_data(
            shop=shop,
            page=page,
            hours=hours,
            days_off=shop.closures.filter(last_day__gte=selectors.day_of(timezone.now(), shop.time_zone))[:3],
            on_holiday=shop.state == ShopState.HOLIDAY,
            mine=actor_id is not None and selectors.shops_of(actor_id=actor_id).filter(pk=shop.pk).exists(),
            slots=selectors.free_slots(shop_id=shop.pk)[:3],
            map=town_map(lat=shop.lat, lng=shop.lng, radius_km=max(shop.delivery_radius_km or 5, 2), things=[shop]),
            **kwargs,
        )


class WareView(OpenPage):
    """One product, with its variants, what others say of it, and what goes with it."""

    template_name = "storefront/market/product.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Show it."""
        user_id = self.request.user.pk if self.request.user.is_authenticated else None
        product: Any = selectors.get_offer(product_id=kwargs["product_id"], actor_id=user_id)
        variants: list[Any] = [one for one in product.variants.all() if one.active]
        for one in variants:
            one.price_now_minor = product.price_now_minor + one.extra_minor
            one.can_be_bought = product.made_to_order or one.stock.free > 0
        shown = product.active and product.shop.state in (ShopState.OPEN, ShopState.HOLIDAY)
        mine = selectors.shops_of(actor_id=user_id).filter(pk=product.shop_id).exists() if user_id else False
        return super().get_context_data(
            product=product,
            pictures=[(address, one.alt) for one in product.images.all() if (address := shown_picture(one.url))],
            variants=variants,
            first=next((one for one in variants if one.can_be_bought), variants[0] if variants else None),
            can_be_bought=any(one.can_be_bought for one in variants),
            missing=[one for one in variants if not one.can_be_bought] if shown else [],
            waits_for=self._waits_for(variants, user_id),
            reviews=selectors.reviews_of(product_id=product.pk).select_related("customer")[:REVIEWS],
            others=selectors.recommendations(product_id=product.pk, limit=4) if shown else [],
            review_form=ReviewForm() if user_id and self._may_review(product, user_id) else None,
            mine=mine,
            HOME=HOME,
            **kwargs,
        )

    def _waits_for(self, variants: list[Any], user_id: int | None) -> set[Any]:
        """Return the variants that this person is told of when they are back."""
        if user_id is None:
            return set()
        mine = selectors.back_in_stock_requests_of(customer_id=user_id).filter(variant__in=variants)
        return set(mine.order_by().values_list("variant_id", flat=True))

    def _may_review(self, product: Any, user_id: int) -> bool:
        bought = selectors.orders_of_customer(customer_id=user_id, state=OrderState.COMPLETED)
        reviews = selectors.reviews_of(product_id=product.pk)
        return bought.filter(lines__product_id=product.pk).exists() and not reviews.filter(customer_id=user_id).exists()


class OnWare(Page):
    """Something that a customer does at a product's page, and is back there afterwards."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, *_args: Any, **kwargs: Any) -> HttpResponseBase:
        """Do it, or say why not."""
        try:
            self.act(request, kwargs["product_id"])
        except errors.NotFound:
            raise
        except errors.Refusal as refusal:
            messages.error(request, refusal_words(refusal))
        return HttpResponseRedirect(self.where_to())

    def act(self, request: HttpRequest, product_id: Any) -> None:
        """Run the verb."""
        raise TypeError("Each page has a verb of its own.")

    def where_to(self) -> str:
        """Return where the customer goes after it."""
        return reverse("storefront:ware", args=[self.kwargs["product_id"]])


class IntoBasketView(OnWare):
    """Put it into the basket."""

    in_basket = False

    def act(self, request: HttpRequest, product_id: Any) -> None:
        """Put it there."""
        form = IntoBasketForm(request.POST)
        if not form.is_valid():
            messages.error(request, "Say which, and how many.")
            return
        variant_id, quantity = form.cleaned_data["variant"], form.cleaned_data["quantity"]
        services.add_to_basket(customer_id=self.owner_id, variant_id=variant_id, quantity=quantity)
        messages.success(request, "It is in your basket.")
        self.in_basket = True

    def where_to(self) -> str:
        """Show the basket."""
        return reverse("storefront:basket") if self.in_basket else super().where_to()


class TellMeView(OnWare):
    """Be told when it can be bought again."""

    def act(self, request: HttpRequest, product_id: Any) -> None:
        """Remember it."""
        form = WhichForm(request.POST)
        if not form.is_valid():
            messages.error(request, "Say which.")
            return
        services.request_back_in_stock(variant_id=form.cleaned_data["variant"], customer_id=self.owner_id)
        messages.success(request, "We tell you when it is back, under Activity.")


class WaitNoMoreView(OnWare):
    """Not be told any more."""

    def act(self, request: HttpRequest, product_id: Any) -> None:
        """Forget it."""
        form = WhichForm(request.POST)
        if not form.is_valid():
            messages.error(request, "Say which.")
            return
        services.withdraw_back_in_stock(variant_id=form.cleaned_data["variant"], customer_id=self.owner_id)
        messages.success(request, "You do not wait for it any more.")

    def where_to(self) -> str:
        """Return to where the button was."""
        return reverse("storefront:waiting") if self.request.POST.get("from") == "waiting" else super().where_to()


class WaitingView(Page):
    """What I am told of when it can be bought again."""

    template_name = "storefront/market/waiting.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Gather one page, the latest request first."""
        found = selectors.back_in_stock_requests_of(customer_id=self.owner_id)
        page = leaf(self.request, found, ordering=("-id",), size=PAGE_PRODUCTS)
        offers = selectors.as_offers(selectors.shown_products())
        shown = offers.in_bulk([one.variant.product_id for one in page.rows])
        for one in page.rows:
            one.product = shown.get(one.variant.product_id)
        return super().get_context_data(page=page, **kwargs)


class ReviewView(OnWare):
    """Say what it is like."""

    def act(self, request: HttpRequest, product_id: Any) -> None:
        """Write it."""
        form = ReviewForm(request.POST)
        if not form.is_valid():
            messages.error(request, "Choose how it is, from wonderful to no.")
            return
        services.write_review(customer_id=self.owner_id, product_id=product_id, **form.cleaned_data)
        messages.success(request, "Thank you. The workshop reads it, and so do others.")
