"""The first page of the back office: what waits, for whom, and that figures and lists agree; and who is shown what."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from holdfast_artisan_shop.testing import make_order, make_product, make_shop
from holdfast_defects import services as defects
from holdfast_wallet.testing import make_account, make_hold, make_owner
from people.models import User
from storefront import queues, trying

pytestmark = pytest.mark.django_db

QUEUES = (*queues.TO_DECIDE, *queues.TO_WATCH)


@pytest.fixture
def staff(client: Client) -> Client:
    """Somebody to whom the back office is open."""
    client.force_login(User.objects.create_superuser("ane", "ane@example.org", "correct-horse-battery"))
    return client


def office(client: Client) -> Any:
    answer = client.get(reverse("admin:index"))
    assert answer.status_code == 200
    return answer


def waiting(answer: Any) -> dict[str, queues.Waiting]:
    return {one.title: one for one in (*answer.context["to_decide"], *answer.context["to_watch"])}


def test_every_queue_is_on_the_first_page_and_leads_to_its_list(staff: Client):
    found = waiting(office(staff))

    assert found.keys() == {queue.title for queue in QUEUES} | {"Audit findings"}
    for one in found.values():
        assert staff.get(one.address).status_code == 200, one.title


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("flushable")
def test_what_a_queue_counts_is_what_its_list_shows(staff: Client):
    defects.report_defect(user_id=User.objects.get().pk, comment="The crane squeaks.")
    make_hold(account=make_account(owner=make_owner(), funds="50.00"), amount="20.00")
    make_order(
        customer=make_owner(), product=make_product(shop=make_shop(owner=make_owner()), stock=1), state="pending"
    )

    found = waiting(office(staff))

    for title in ("New defects", "Open holds", "Stock alerts"):
        shown = staff.get(found[title].address).context["cl"].result_count
        assert found[title].count == shown > 0, title


def test_who_may_see_one_app_sees_that_one(client: Client):
    clerk = User.objects.create_user("clerk", "clerk@example.org", "correct-horse-battery", is_staff=True)
    clerk.user_permissions.add(Permission.objects.get(codename="view_defect"))
    client.force_login(clerk)

    answer = office(client)

    assert waiting(answer).keys() == {"New defects"}
    assert "Held for customers" not in answer.content.decode()


def test_what_something_waits_in_stands_first(staff: Client, monkeypatch: Any):
    defects.report_defect(user_id=User.objects.get().pk, comment="The crane squeaks.")
    monkeypatch.setattr(queues, "TO_DECIDE", (*queues.TO_DECIDE, queues.TO_WATCH[-1]))

    assert office(staff).context["to_decide"][0].title == "New defects"


def test_the_demos_passwords_are_shown_only_where_nobody_comes(settings: Any, monkeypatch: Any):
    monkeypatch.setattr("storefront.demo.is_told", lambda: True)
    assert trying.who_to_be()["password"]

    for place in ("staging", "production"):
        settings.ENVIRONMENT = place
        assert trying.who_to_be() == {}


def test_the_front_page_leads_everybody_to_his_own_room(client: Client):
    assert b"Look around the market" in client.get("/").content
    artisan = User.objects.create_user("greta", "g@example.org", "correct-horse-battery", role="artisan")
    client.force_login(artisan)
    assert b"To my workshop" in client.get("/").content
    artisan.is_staff = True
    artisan.save()
    assert b"Open the back office" in client.get("/").content


def test_too_many_guesses_are_answered_as_such(client: Client, settings: Any):
    settings.SIGN_IN_ATTEMPTS = 0

    answer = client.post("/login/", {"username": "ada", "password": "x"})

    assert (answer.status_code, answer["Retry-After"]) == (429, "900")
    assert b"too many attempts" in answer.content
