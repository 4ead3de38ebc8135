"""The words of the catalog."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Action(TextChoices):
    """What was done with a product."""

    CREATED = "created", _("created")
    CHANGED = "changed", _("changed")
    DELETED = "deleted", _("deleted")


class Door(TextChoices):
    """Which way a change came in."""

    API = "api", _("API")
    ADMIN = "admin", _("admin")
    IMPORT = "import", _("import")
    SERVICE = "service", _("service")


class Mode(TextChoices):
    """How an admin is told over a channel."""

    IMMEDIATE = "immediate", _("immediate")
    DIGEST = "digest", _("digest")
    OFF = "off", _("off")


class DeliveryState(TextChoices):
    """How far a notification has come on its way to one admin over one channel."""

    PENDING = "pending", _("pending")
    SENT = "sent", _("sent")
    FAILED = "failed", _("failed, to be tried again")
    DEAD = "dead", _("dead")


class ViewKind(TextChoices):
    """How a visitor came to see a product."""

    RETRIEVED = "retrieved", _("retrieved")
    LISTED = "listed", _("listed")


class Interval(TextChoices):
    """How finely a report tells time."""

    HOUR = "hour", _("hour")
    DAY = "day", _("day")
    MONTH = "month", _("month")


class RankingOf(TextChoices):
    """What a report ranks."""

    PRODUCT = "product", _("product")
    BRAND = "brand", _("brand")
    CATEGORY = "category", _("category")
