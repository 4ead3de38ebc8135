"""The verbs of the catalog: the only writers.

``actor_id`` is the primary key of the user in whose name a product changes; he is not told of it. ``None`` is nobody,
and every admin is told. ``door`` says which way the change came in, for the history. What several verbs change inside
one ``change_set`` is told as one notification. ``expected_version`` is the version that somebody has seen; the verb
refuses if there is another by now.

Whether the actor may do it is the door's business, but for the verbs about admins, which know the rules themselves.
Each verb is one transaction, or part of the caller's, but for those that send (``Worker``, ``send_message``) and those
that count (``roll_up_views``, ``count_views``).
"""

from holdfast_catalog_notify.services.admins import change_admin, create_admin, deactivate_admin, delete_admin
from holdfast_catalog_notify.services.catalog import (
    change_product,
    create_brand,
    create_category,
    create_product,
    delete_brand,
    delete_category,
    delete_product,
    rename_brand,
    rename_category,
)
from holdfast_catalog_notify.services.changes import change_set
from holdfast_catalog_notify.services.counting import (
    count_views,
    forget_visitors,
    record_views,
    roll_up_views,
)
from holdfast_catalog_notify.services.delivering import (
    Worker,
    claim_message,
    confirm_message,
    fail_message,
    lift_suppression,
    note_bounce,
    replay_delivery,
    send_message,
)
from holdfast_catalog_notify.services.importing import BrokenRow, ImportReport, import_products
from holdfast_catalog_notify.services.notifying import notify_admins
from holdfast_catalog_notify.services.preferences import (
    choose_channel,
    mute_brand,
    read_unsubscribe_link,
    unmute_brand,
    unsubscribe,
)
from holdfast_catalog_notify.services.prices import change_prices
from holdfast_catalog_notify.services.reading import mark_all_read, mark_read

__all__ = [
    "BrokenRow",
    "ImportReport",
    "Worker",
    "change_admin",
    "change_prices",
    "change_product",
    "change_set",
    "choose_channel",
    "claim_message",
    "confirm_message",
    "count_views",
    "create_admin",
    "create_brand",
    "create_category",
    "create_product",
    "deactivate_admin",
    "delete_admin",
    "delete_brand",
    "delete_category",
    "delete_product",
    "fail_message",
    "forget_visitors",
    "import_products",
    "lift_suppression",
    "mark_all_read",
    "mark_read",
    "mute_brand",
    "note_bounce",
    "notify_admins",
    "read_unsubscribe_link",
    "record_views",
    "rename_brand",
    "rename_category",
    "replay_delivery",
    "roll_up_views",
    "send_message",
    "unmute_brand",
    "unsubscribe",
]
