"""Admins manage the other admins; the last one stays, and superusers are superusers' business."""

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db import connection, transaction

from holdfast.testing import race
from holdfast_catalog_notify import selectors, services
from holdfast_catalog_notify.exceptions import (
    LastAdmin,
    NotAnAdmin,
    PasswordTooWeak,
    SuperuserProtected,
)
from holdfast_catalog_notify.testing import make_admin, make_product
from tests.catalog_notify.conftest import client_of

pytestmark = pytest.mark.django_db

API = "/api/catalog/admins/"


@pytest.fixture
def manager(db):
    """An admin who manages others and is no superuser."""
    admin = make_admin(is_superuser=False)
    admin.user_permissions.set(Permission.objects.filter(codename__in=["manage_admins", "change_product"]))
    return get_user_model().objects.get(pk=admin.pk)


def test_an_admin_is_created_listed_changed_deactivated_and_deleted(client):
    body = {"username": "carol", "email": "carol@example.com", "password": "correct horse battery"}
    created = client.post(API, body, format="json")
    assert created.status_code == 201
    assert "password" not in created.json()
    path = f"{API}{created.json()['id']}/"
    assert [one["username"] for one in client.get(API).json()["results"]] == ["ada", "carol"]
    carol = get_user_model().objects.get(username="carol")
    assert carol.check_password("correct horse battery")
    assert (carol.is_staff, carol.is_superuser) == (True, False)
    assert client_of(carol).get(API).status_code == 200

    changed = client.patch(path, {"email": "c@example.com", "password": "another long one"}, format="json")
    assert changed.json()["email"] == "c@example.com"
    assert client.post(f"{path}deactivate/").json()["active"] is False
    assert client.patch(path, {"active": True}, format="json").json()["active"] is True
    assert client.delete(path).status_code == 204
    assert client.get(path).status_code == 404


def test_nobody_gives_what_is_not_his(manager):
    carol = services.create_admin(
        actor_id=manager.pk, username="carol", email="c@example.com", password="correct horse battery"
    )
    assert set(carol.user_permissions.values_list("codename", flat=True)) == {"manage_admins", "change_product"}


def test_no_superuser_is_touched_by_who_is_none(ada, manager):
    for verb, options in (
        (services.change_admin, {"email": "x@example.com"}),
        (services.change_admin, {"password": "correct horse battery"}),
        (services.deactivate_admin, {}),
        (services.delete_admin, {}),
    ):
        with pytest.raises(SuperuserProtected):
            verb(actor_id=manager.pk, admin_id=ada.pk, **options)
    ada.refresh_from_db()
    assert (ada.is_active, ada.email) == (True, "ada@example.com")


def test_only_active_admins_with_the_right_to_it_manage(ada, bob):
    clerk = make_admin(is_superuser=False)
    gone = make_admin(is_active=False)
    for actor_id in (clerk.pk, gone.pk, 0):
        with pytest.raises(NotAnAdmin):
            services.delete_admin(actor_id=actor_id, admin_id=bob.pk)
        with pytest.raises(NotAnAdmin):
            services.create_admin(actor_id=actor_id, username="x", email="x@example.com", password="y")


def test_the_last_active_admin_stays(ada):
    make_admin(is_active=False)
    for verb in (services.deactivate_admin, services.delete_admin):
        with pytest.raises(LastAdmin):
            verb(actor_id=ada.pk, admin_id=ada.pk)
    bob = make_admin()
    services.deactivate_admin(actor_id=ada.pk, admin_id=ada.pk)
    with pytest.raises(LastAdmin):
        services.delete_admin(actor_id=bob.pk, admin_id=bob.pk)


def test_a_password_is_looked_at_with_who_will_have_it(settings, ada):
    validator = "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"
    settings.AUTH_PASSWORD_VALIDATORS = [{"NAME": validator}]
    with pytest.raises(PasswordTooWeak):
        services.create_admin(actor_id=ada.pk, username="carolcarol", email="c@example.com", password="carolcarol")


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_admins_who_remove_each_other_leave_one():
    for verb in (services.delete_admin, services.deactivate_admin):
        get_user_model().objects.all().delete()
        ada, bob = make_admin(), make_admin()
        outcomes = race(
            lambda a=ada, b=bob, do=verb: do(actor_id=a.pk, admin_id=b.pk),
            lambda a=ada, b=bob, do=verb: do(actor_id=b.pk, admin_id=a.pk),
        )
        assert sum(isinstance(outcome, NotAnAdmin) for outcome in outcomes) == 1
        assert selectors.admins_to_tell().count() == 1


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_who_writes_a_row_that_names_an_admin_does_not_wait_until_others_are_managed():
    ada = make_admin()

    def change_impatiently():
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '100ms'")
        return make_product_by(ada)

    with transaction.atomic():
        services.create_admin(actor_id=ada.pk, username="carol", email="c@example.com", password="correct horse 1")
        (made,) = race(change_impatiently, times=1)
    assert not isinstance(made, Exception), made


def make_product_by(admin):
    with services.change_set(actor_id=admin.pk):
        return make_product()
