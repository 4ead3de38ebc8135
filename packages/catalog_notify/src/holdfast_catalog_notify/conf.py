"""The settings of the catalog: one typed dict, ``HOLDFAST_CATALOG_NOTIFY``."""

from typing import Annotated

from holdfast.conf import AppSettings, BackendSpec


class CatalogNotifySettings(AppSettings, setting="HOLDFAST_CATALOG_NOTIFY"):
    """What a host may choose; each read is late, so ``override_settings`` works."""

    CURRENCIES: Annotated[list[str] | None, "The currencies that prices may have; None: all there are."] = None
    BULK_MAX_PRODUCTS: Annotated[int, "How many products one bulk change or one import may touch."] = 10_000
    IMPORT_MAX_BYTES: Annotated[int, "How large a CSV file may be, in bytes."] = 5_242_880
    CHANNELS: Annotated[dict[str, BackendSpec], "The ways in which admins can be told, each under a name."] = {
        "inbox": {"BACKEND": "holdfast_catalog_notify.backends.inbox.InboxChannel"},
        "email": {"BACKEND": "holdfast_catalog_notify.backends.email.EmailChannel"},
    }
    DEFAULT_CHANNELS: Annotated[list[str], "The channels of an admin who has not chosen any."] = ["inbox", "email"]
    FAILOVER: Annotated[dict[str, str], "Which channel takes over from one that fails; they may form a chain."] = {}
    FAILOVER_AFTER: Annotated[int, "After how many failed attempts the next channel takes over."] = 3
    DIGEST_SECONDS: Annotated[int, "How far apart digests are."] = 3_600
    LEASE_SECONDS: Annotated[
        float, "How long a message belongs to the worker that took it; longer than any channel's time limit."
    ] = 120.0
    BASE_URL: Annotated[str, "Where the host is reached, such as https://shop.example; for links in messages."] = ""
    LANGUAGE_FIELD: Annotated[str, "The field of the user model that holds his language, if there is one."] = "language"

    COUNT_VIEWS: Annotated[bool, "Whether the queries of anonymous visitors are counted."] = True
    VIEW_BUFFER: Annotated[BackendSpec, "What keeps views until they are counted."] = {
        "BACKEND": "holdfast_catalog_notify.backends.database.DatabaseBuffer"
    }
    # A phone named Cubot is no bot.
    BOT_PATTERN: Annotated[
        str, "The user agents that are counted apart, as bots: a regular expression; case does not matter."
    ] = r"(?<!cu)bot\b|crawl|spider|slurp|archiver|externalhit|mediapartners|lighthouse|headless|preview"
    VISIT_SECONDS: Annotated[
        int, "How long a visitor's further retrievals of a product are no further visit; 0: visits are not told apart."
    ] = 0
    TRUSTED_PROXIES: Annotated[
        int, "How many proxies of yours stand before the server, each of which adds to X-Forwarded-For."
    ] = 0
    REPORT_TIME_ZONE: Annotated[str | None, "Where the hours and days of the reports begin; None: TIME_ZONE."] = None
    HOURLY_VIEWS_DAYS: Annotated[
        int, "For how many days views are kept by the hour; by the day they are kept for ever."
    ] = 92


settings = CatalogNotifySettings()
