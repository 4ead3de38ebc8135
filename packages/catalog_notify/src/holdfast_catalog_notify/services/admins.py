"""Admins manage the other admins.

An admin is a user who is staff. Whoever manages others is one himself, is active, and has the permission
``manage_admins``. Three rules hold whatever he may: the last active admin stays, only a superuser touches a superuser,
and nobody touches an admin who has a permission that he has not. To keep the first, each verb that could take an admin
away locks all of them, in one order.

The transactions are of the database of ``Permission``: it is that of the users, whose model only the host knows. What
an authentication backend says that somebody may, the backend has read, wherever it reads.
"""

from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError
from django.db.models import ProtectedError, Q, RestrictedError

from holdfast.transactions import atomic_for
from holdfast_catalog_notify import selectors
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
from holdfast_catalog_notify.services.rows import using

LABEL = "holdfast_catalog_notify"
MANAGE = f"{LABEL}.manage_admins"


@atomic_for(Permission)
def create_admin(*, actor_id: Any, username: str, email: str, password: str) -> Any:
    """Make a new admin, who may do in the catalog what who makes him may, and is no superuser.

    Raises ``NotAnAdmin``, ``AdminInvalid``, ``PasswordTooWeak``, ``LoginTaken``.
    """
    actor = _actor(actor_id, _lock_admins())
    model = get_user_model()
    admin = model(**{model.USERNAME_FIELD: username, model.get_email_field_name(): email, "is_staff": True})
    _check(admin, email)
    _give_password(admin, password)
    _save(admin)
    admin.user_permissions.set(_grantable(actor))
    return admin


@atomic_for(Permission)
def change_admin(
    *,
    actor_id: Any,
    admin_id: Any,
    username: str | None = None,
    email: str | None = None,
    password: str | None = None,
    active: bool | None = None,
) -> Any:
    """Change what is given of an admin; what is ``None`` stays as it is.

    Raises ``NotAnAdmin``, ``AdminNotFound``, ``SuperuserProtected``, ``AdminOutranksYou``, ``LastAdmin``,
    ``AdminInvalid``, ``PasswordTooWeak``, ``LoginTaken``.
    """
    admins = _lock_admins()
    admin = _theirs(_actor(actor_id, admins), admin_id, admins)
    if active is False and admin.is_active:
        _refuse_the_last(admin, admins)
    model = type(admin)
    given = {model.USERNAME_FIELD: username, model.get_email_field_name(): email, "is_active": active}
    for name, value in given.items():
        if value is not None:
            setattr(admin, name, value)
    if username is not None or email is not None:
        _check(admin, getattr(admin, model.get_email_field_name()))
    if password is not None:
        _give_password(admin, password)
    _save(admin)
    return admin


def deactivate_admin(*, actor_id: Any, admin_id: Any) -> Any:
    """Take an admin's access away, and keep him. Raises what ``change_admin`` does."""
    return change_admin(actor_id=actor_id, admin_id=admin_id, active=False)


@atomic_for(Permission)
def delete_admin(*, actor_id: Any, admin_id: Any) -> None:
    """Delete an admin; his name stays in the history.

    Raises ``NotAnAdmin``, ``AdminNotFound``, ``SuperuserProtected``, ``AdminOutranksYou``, ``LastAdmin``,
    ``AdminHasRecords``.
    """
    admins = _lock_admins()
    admin = _theirs(_actor(actor_id, admins), admin_id, admins)
    if admin.is_active:
        _refuse_the_last(admin, admins)
    try:
        with atomic_for(type(admin)):
            admin.delete()
    except (ProtectedError, RestrictedError):
        raise AdminHasRecords(admin_id=str(admin_id)) from None


def _lock_admins() -> list[Any]:
    # Two admins who remove each other at once: the second waits, and finds himself removed.
    # No key is changed: whoever writes a row that names one of them need not wait.
    return list(selectors.admins().select_for_update(no_key=True))


def _actor(actor_id: Any, admins: list[Any]) -> Any:
    actor = next((one for one in admins if one.pk == actor_id), None)
    if actor is None or not actor.is_active or not actor.has_perm(MANAGE):
        raise NotAnAdmin(actor_id=str(actor_id))
    return actor


def _theirs(actor: Any, admin_id: Any, admins: list[Any]) -> Any:
    admin = next((one for one in admins if str(one.pk) == str(admin_id)), None)
    if admin is None:
        raise AdminNotFound(admin_id=str(admin_id)[:64])
    if actor.is_superuser:
        return admin
    if admin.is_superuser:
        raise SuperuserProtected(admin_id=str(admin_id))
    if _given(admin) - _given(actor):
        raise AdminOutranksYou(admin_id=str(admin_id))
    return admin


def _given(admin: Any) -> set[int]:
    # Not what Django says that he may: of who is not active that is nothing, until somebody lets him in again.
    given = Permission.objects.using(using()).filter(Q(user=admin) | Q(group__user=admin))
    return set(given.values_list("pk", flat=True))


def _refuse_the_last(admin: Any, admins: list[Any]) -> None:
    if not any(one.is_active for one in admins if one.pk != admin.pk):
        raise LastAdmin(admin_id=str(admin.pk))


def _check(admin: Any, email: str) -> None:
    try:
        validate_email(email)
        admin.clean_fields(exclude=["password"])
        admin.clean()  # which writes a login in its one form, whatever look-alikes it was typed with
    except ValidationError as error:
        reasons = error.message_dict if hasattr(error, "error_dict") else {"email": error.messages}
        raise AdminInvalid(**reasons) from None


def _give_password(admin: Any, password: str) -> None:
    try:
        validate_password(password, admin)
    except ValidationError as error:
        raise PasswordTooWeak(reasons=error.messages) from None
    admin.set_password(password)


def _save(admin: Any) -> None:
    try:
        with atomic_for(type(admin)):
            admin.save()
    except IntegrityError as error:
        model = type(admin)
        others = model._default_manager.using(using()).exclude(pk=admin.pk)  # noqa: SLF001 - what Django documents for models not one's own
        login = admin.get_username()
        # In whatever case: a host may hold that those are one.
        if others.filter(**{f"{model.USERNAME_FIELD}__iexact": login}).exists():
            raise LoginTaken(username=login[:150]) from error
        raise AdminInvalid("Another user has something that only one may have.") from error


def _grantable(actor: Any) -> list[Permission]:
    """Return the catalog's permissions that the actor has himself: nobody gives what is not his."""
    ours = Permission.objects.using(using()).filter(content_type__app_label=LABEL)
    return [permission for permission in ours if actor.has_perm(f"{LABEL}.{permission.codename}")]
