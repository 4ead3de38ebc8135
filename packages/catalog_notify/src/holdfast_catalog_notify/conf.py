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


settings = CatalogNotifySettings()
