"""Who may enter: everybody to read the catalog, staff with the model's permission to write it."""

from typing import Any

from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

LABEL = "holdfast_catalog_notify"


def is_admin(user: Any) -> bool:
    """Say whether somebody is active staff."""
    return bool(user and user.is_authenticated and user.is_active and user.is_staff)


class IsAdmin(BasePermission):
    """Staff."""

    def has_permission(self, request: Request, view: object) -> bool:
        """Let active staff in."""
        return is_admin(request.user)


class ReadOrPermitted(BasePermission):
    """Anybody to read; to write, staff with the permission that the view names for the method."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """Let in who may."""
        if request.method in SAFE_METHODS:
            return True
        # A method that there is not, is for the view to refuse.
        needed = view.needed.get(request.method)
        return is_admin(request.user) and (needed is None or request.user.has_perm(needed))


class Permitted(BasePermission):
    """Staff with the permission that the view names for the method, to read too."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """Let in who may."""
        method = "GET" if request.method in ("HEAD", "OPTIONS") else request.method
        return is_admin(request.user) and (method not in view.needed or request.user.has_perm(view.needed[method]))


def writing(model: str) -> dict[str, str]:
    """Return the permissions that writing a model takes, by method."""
    return {
        "POST": f"{LABEL}.add_{model}",
        "PUT": f"{LABEL}.change_{model}",
        "PATCH": f"{LABEL}.change_{model}",
        "DELETE": f"{LABEL}.delete_{model}",
    }
