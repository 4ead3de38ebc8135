"""Who may enter: everybody to look at the market, users to buy and to sell, staff to name the categories."""

from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

LABEL = "holdfast_artisan_shop"
WRITING = {"POST": "add", "PATCH": "change", "DELETE": "delete"}


class ReadOrUser(BasePermission):
    """Anybody to read; to write, whoever is signed in. What is whose, is the verbs' to say."""

    def has_permission(self, request: Request, view: object) -> bool:
        """Let in who may."""
        return request.method in SAFE_METHODS or bool(request.user and request.user.is_authenticated)


class ReadOrKeepCategories(BasePermission):
    """Anybody to read; to write, active staff with the permission of the category's model."""

    def has_permission(self, request: Request, view: object) -> bool:
        """Let in who may."""
        if request.method in SAFE_METHODS:
            return True
        user, doing = request.user, WRITING.get(str(request.method))
        # A method that there is not, is for the view to refuse.
        return bool(
            user and user.is_active and user.is_staff and (not doing or user.has_perm(f"{LABEL}.{doing}_category"))
        )
