"""Admins manage the other admins; the verbs know who may."""

from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from holdfast.api.pagination import keyset_page
from holdfast.api.schema import document
from holdfast.api.serializers import StrictSerializer
from holdfast.api.views import DomainAPIView
from holdfast_catalog_notify import selectors, services
from holdfast_catalog_notify.api import serializers as shapes
from holdfast_catalog_notify.api.permissions import Permitted
from holdfast_catalog_notify.exceptions import (
    AdminHasRecords,
    AdminInvalid,
    AdminNotFound,
    AdminOutranksYou,
    LastAdmin,
    LoginTaken,
    NotAnAdmin,
    PasswordTooWeak,
    SuperuserProtected,
)

MANAGE = "holdfast_catalog_notify.manage_admins"
TOUCHING = [NotAnAdmin, AdminNotFound, SuperuserProtected, AdminOutranksYou, LastAdmin]
WRITING = [AdminInvalid, PasswordTooWeak, LoginTaken]


class ManagingView(DomainAPIView):
    """What the views of the admins have in common."""

    permission_classes = [Permitted]
    needed = dict.fromkeys(("GET", "POST", "PATCH", "DELETE"), MANAGE)


class AdminsView(ManagingView):
    """All admins, and a new one."""

    @document(summary="List admins", response=shapes.AdminOutput, page=True)
    def get(self, request: Request) -> Response:
        """Return a page of admins, active or not."""
        admins = selectors.admins()
        return keyset_page(request, admins, ordering=(admins.model._meta.pk.name,), serializer=shapes.AdminOutput)

    @document(
        summary="Create an admin",
        request=shapes.AdminInput,
        response=shapes.AdminOutput,
        status=201,
        refusals=[NotAnAdmin, *WRITING],
    )
    def post(self, request: Request) -> Response:
        """Create an admin, who may in the catalog what I may."""
        admin = services.create_admin(actor_id=request.user.pk, **self.parse(shapes.AdminInput))
        return Response(shapes.AdminOutput(admin).data, status=status.HTTP_201_CREATED)


class AdminView(ManagingView):
    """One admin."""

    @document(summary="Read an admin", response=shapes.AdminOutput, refusals=[AdminNotFound])
    def get(self, request: Request, admin_id: str) -> Response:
        """Return the admin."""
        return Response(shapes.AdminOutput(selectors.get_admin(admin_id)).data)

    @document(
        summary="Change an admin",
        request=shapes.AdminChange,
        response=shapes.AdminOutput,
        refusals=[*TOUCHING, *WRITING],
    )
    def patch(self, request: Request, admin_id: str) -> Response:
        """Change what is given."""
        values = self.parse(shapes.AdminChange)
        admin = services.change_admin(actor_id=request.user.pk, admin_id=admin_id, **values)
        return Response(shapes.AdminOutput(admin).data)

    @document(summary="Delete an admin", status=204, refusals=[*TOUCHING, AdminHasRecords])
    def delete(self, request: Request, admin_id: str) -> Response:
        """Delete the admin; his name stays in the history."""
        services.delete_admin(actor_id=request.user.pk, admin_id=admin_id)
        return Response(status=status.HTTP_204_NO_CONTENT)


class DeactivateView(ManagingView):
    """An admin whose access ends."""

    @document(summary="Deactivate an admin", response=shapes.AdminOutput, refusals=TOUCHING)
    def post(self, request: Request, admin_id: str) -> Response:
        """Take the access away, and keep the account."""
        self.parse(StrictSerializer)  # a body with anything in it is a mistake
        admin = services.deactivate_admin(actor_id=request.user.pk, admin_id=admin_id)
        return Response(shapes.AdminOutput(admin).data)
