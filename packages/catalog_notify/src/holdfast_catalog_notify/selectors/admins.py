"""Reads of the admins."""

from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db.models import QuerySet

from holdfast_catalog_notify.exceptions import AdminNotFound


def admins() -> QuerySet[Any]:
    """Return the staff, active or not, in the order in which they came."""
    return get_user_model()._default_manager.filter(is_staff=True).order_by("pk")  # noqa: SLF001 - what Django documents for models not one's own


def get_admin(admin_id: Any) -> Any:
    """Return an admin. Raises ``AdminNotFound``."""
    try:
        admin = admins().filter(pk=admin_id).first()
    except (ValueError, ValidationError, OverflowError):
        admin = None  # of a type that no id has
    if admin is None:
        raise AdminNotFound(admin_id=str(admin_id)[:64])
    return admin
