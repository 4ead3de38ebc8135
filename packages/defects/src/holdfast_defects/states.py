"""The words of the defects."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class DefectState(TextChoices):
    """How far the repair has come."""

    REPORTED = "reported", _("reported")
    TRIAGED = "triaged", _("triaged")
    IN_REPAIR = "in_repair", _("in repair")
    RESOLVED = "resolved", _("resolved")
    CLOSED = "closed", _("closed")
    REJECTED = "rejected", _("rejected")


class Severity(TextChoices):
    """How bad it is."""

    LOW = "low", _("low")
    MEDIUM = "medium", _("medium")
    HIGH = "high", _("high")
    CRITICAL = "critical", _("critical")


class Action(TextChoices):
    """What the counter server counts."""

    CREATE = "create", _("create")
    DELETE = "delete", _("delete")
