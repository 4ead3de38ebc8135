"""The settings of the marketplace: one typed dict, ``HOLDFAST_ARTISAN_SHOP``."""

from typing import Annotated

from holdfast.conf import AppSettings, BackendSpec


class ArtisanShopSettings(AppSettings, setting="HOLDFAST_ARTISAN_SHOP"):
    """What a host may choose; each read is late, so ``override_settings`` works."""

    PAYMENT: Annotated[BackendSpec, "Who moves the customers' money to the artisans."] = {
        "BACKEND": "holdfast_artisan_shop.backends.dummy.DummyGateway"
    }
    ARTISANS: Annotated[BackendSpec, "Who knows which users are artisans."] = {
        "BACKEND": "holdfast_artisan_shop.backends.dummy.Everybody"
    }
    FEE_PERCENT: Annotated[float, "What the platform keeps of an order's goods, in percent; rounded half up."] = 0.0
    HOLD_SECONDS: Annotated[int, "How long the stock of a basket is held from the beginning of its checkout."] = 900
    HOLD_MAX_PIECES: Annotated[int, "How many pieces one customer may hold at once."] = 1_000
    PAYMENT_SECONDS: Annotated[int, "How long an order waits to be paid before it is cancelled."] = 1_800
    PAYMENT_RETRY_SECONDS: Annotated[int, "How long a payment without an answer rests before it is asked again."] = 60
    MAX_LINES: Annotated[int, "How many lines a basket or an order may have."] = 100
    MAX_QUANTITY: Annotated[int, "How many pieces one line may have."] = 10_000
    LOW_STOCK: Annotated[int, "At how many pieces an alert opens, for variants that do not say otherwise."] = 3
    SLOT_WEEKS: Annotated[int, "How many weeks ahead slots are generated."] = 4
    TRACKING_DAYS: Annotated[int, "For how many days a signed tracking link is good."] = 60
    GEO: Annotated[BackendSpec, "Who finds what is near."] = {
        "BACKEND": "holdfast_artisan_shop.backends.geo.RingSearch"
    }
    SEARCH: Annotated[BackendSpec, "Who finds products by words."] = {
        "BACKEND": "holdfast_artisan_shop.backends.search.WordSearch"
    }
    RADIUS_MAX_KM: Annotated[float, "How large the radius of a search may be, in kilometers."] = 500.0
    BROWSE_CACHE_SECONDS: Annotated[int, "How long pages of the market and alerts are cached; 0: not at all."] = 60


settings = ArtisanShopSettings()
