"""The staff's door: whatever is done there goes through the services, is one change set, and is told."""

import re

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from holdfast.money import Money
from holdfast.testing import captured_events, drain_outbox
from holdfast_catalog_notify import services
from holdfast_catalog_notify.models import Brand, Category, Change, ChangeSet, Delivery, Product, Suppression
from holdfast_catalog_notify.testing import make_admin, make_category, make_product

pytestmark = pytest.mark.django_db


@pytest.fixture
def browser(ada):
    browser = Client()
    browser.force_login(ada)
    return browser


def url(model, page, *args):
    return reverse(f"admin:holdfast_catalog_notify_{model}_{page}", args=args)


def form_of(product, **values):
    given = {
        "sku": product.sku,
        "name": product.name,
        "price_0": str(product.price.amount),
        "price_1": str(product.price.currency),
        "brand": str(product.brand_id),
        "category": "",
        "description": product.description,
        "image_url": product.image_url,
        "active": "on",
        "expected_version": str(product.version),
    }
    return {**given, **values}


def told(response):
    return [str(message) for message in response.context["messages"]]


def test_the_form_creates_and_changes(browser, ada, bob, lamp, acme):
    with captured_events() as events:
        created = browser.post(url("product", "add"), form_of(lamp, sku="B", name="Chair"))
        assert created.status_code == 302, created.context["adminform"].form.errors
        browser.post(url("product", "change", lamp.pk), form_of(lamp, price_0="12", name="Big lamp"))

    assert [(event.door, event.actor_id, event.total) for event in events] == [("admin", ada.pk, 1)] * 2
    assert events[1].changes[0]["values"] == {
        "price": {"old": "10.00 EUR", "new": "12.00 EUR"},
        "name": {"old": "Lamp", "new": "Big lamp"},
    }
    assert Product.objects.get(pk=lamp.pk).version == 2


def test_an_editor_does_not_overwrite_what_he_has_not_seen(browser, lamp):
    form = form_of(lamp, name="Mine")
    services.change_product(product_id=lamp.pk, name="Yours")
    response = browser.post(url("product", "change", lamp.pk), form, follow=True)
    assert told(response) == ["The product has changed since you read it."]
    assert Product.objects.get().name == "Yours"


def test_the_edits_of_a_list_are_one_change_set(browser, acme):
    products = [make_product(brand=acme, name=f"Lamp {number}") for number in range(3)]
    rows = {"form-TOTAL_FORMS": 3, "form-INITIAL_FORMS": 3, "_save": "Save"}
    for number, product in enumerate(reversed(products)):
        row = {"id": product.pk, "price_0": "12", "price_1": "EUR", "active": "on"}
        rows |= {f"form-{number}-{name}": value for name, value in row.items()}
    with captured_events() as events:
        assert browser.post(url("product", "changelist"), rows).status_code == 302
    assert [event.total for event in events] == [3]
    assert {one.price for one in Product.objects.all()} == {Money("12", "EUR")}


def test_an_edit_that_is_refused_undoes_the_whole_list(settings, browser, acme):
    products = [make_product(brand=acme) for _number in range(2)]
    settings.HOLDFAST_CATALOG_NOTIFY = {"CURRENCIES": ["EUR"]}
    rows = {"form-TOTAL_FORMS": 2, "form-INITIAL_FORMS": 2, "_save": "Save"}
    for number, (product, currency) in enumerate(zip(reversed(products), ("EUR", "USD"), strict=True)):
        row = {"id": product.pk, "price_0": "12", "price_1": currency, "active": "on"}
        rows |= {f"form-{number}-{name}": value for name, value in row.items()}
    with captured_events() as events:
        response = browser.post(url("product", "changelist"), rows, follow=True)
    assert events == []
    assert told(response) == ["Prices are not given in this currency."]
    assert {one.price for one in Product.objects.all()} == {Money("10", "EUR")}


def test_a_list_offers_the_currencies_that_are_allowed_and_that_of_each_price(settings, browser, acme):
    product = make_product(brand=acme)
    Product.objects.filter(pk=product.pk).update(price_currency="SEK")  # which was allowed once
    settings.HOLDFAST_CATALOG_NOTIFY = {"CURRENCIES": ["EUR", "USD"]}

    page = browser.get(url("product", "changelist")).content.decode()

    assert re.findall(r'<option value="([A-Z]{3})"( selected)?', page) == [
        ("EUR", ""),
        ("USD", ""),
        ("SEK", " selected"),
    ]


def test_deleting_one_and_deleting_several_are_told(browser, acme):
    products = [make_product(brand=acme) for _number in range(3)]
    with captured_events() as events:
        browser.post(url("product", "delete", products[0].pk), {"post": "yes"})
        selected = {"action": "delete_selected", "_selected_action": [one.pk for one in products[1:]], "post": "yes"}
        browser.post(url("product", "changelist"), selected)
    assert [event.total for event in events] == [1, 2]
    assert Product.objects.count() == 0


def test_brands_and_categories(browser, acme, lamp):
    browser.post(url("brand", "add"), {"name": "Bolt"})
    browser.post(url("brand", "change", acme.pk), {"name": "Acme 2"})
    assert set(Brand.objects.values_list("name", flat=True)) == {"Bolt", "Acme 2"}
    browser.post(url("brand", "delete", Brand.objects.get(name="Bolt").pk), {"post": "yes"})
    browser.post(url("brand", "delete", acme.pk), {"post": "yes"})
    assert list(Brand.objects.values_list("name", flat=True)) == ["Acme 2"]
    browser.post(url("category", "add"), {"name": "Lights"})
    lights = Category.objects.get()
    browser.post(url("category", "change", lights.pk), {"name": "Lights 2"})
    browser.post(
        url("category", "changelist"), {"action": "delete_selected", "_selected_action": [lights.pk], "post": "yes"}
    )
    assert not Category.objects.exists()


@pytest.mark.parametrize("model", ["product", "brand", "category", "changeset", "change", "delivery"])
def test_every_page_can_be_looked_at(browser, bob, lamp, model):
    make_category(name="Lights")
    drain_outbox()
    services.Worker().run()
    models = {"product": Product, "brand": Brand, "category": Category}
    models |= {"changeset": ChangeSet, "change": Change, "delivery": Delivery}
    row = models[model].objects.first()
    assert browser.get(url(model, "changelist"), {"q": "lamp"}).status_code == 200
    assert browser.get(url(model, "change", row.pk)).status_code == 200


def test_the_history_is_found_by_sku_and_nobody_edits_it(browser, lamp):
    page = browser.get(url("change", "changelist"), {"q": "LAMP-1"})
    assert "price: None → 10.00 EUR" in page.content.decode()
    change_set = ChangeSet.objects.get()
    assert "LAMP-1" in browser.get(url("changeset", "change", change_set.pk)).content.decode()
    assert browser.post(url("changeset", "delete", change_set.pk), {"post": "yes"}).status_code == 403


def test_a_dead_delivery_is_replayed_with_a_button_or_with_many(browser, bob, lamp):
    bob.email = ""
    bob.save()
    drain_outbox()
    services.Worker().run()
    dead = Delivery.objects.get(state="dead")
    page = browser.get(url("delivery", "change", dead.pk)).content.decode()
    assert "The admin has no e-mail address." in page
    assert browser.post(url("delivery", "replay", dead.pk), {}).status_code == 302
    dead.refresh_from_db()
    assert dead.state == "pending"
    services.Worker().run()
    everything = list(Delivery.objects.values_list("pk", flat=True))
    response = browser.post(
        url("delivery", "changelist"), {"action": "replay_selected", "_selected_action": everything}, follow=True
    )
    assert told(response)[-1] == "1 will be sent again."


def test_who_may_only_look_replays_nothing(bob, lamp):
    clerk = make_admin(is_superuser=False)
    clerk.user_permissions.set(Permission.objects.filter(codename="view_delivery"))
    browser = Client()
    browser.force_login(clerk)
    drain_outbox()
    delivery = Delivery.objects.first()
    assert browser.get(url("delivery", "change", delivery.pk)).status_code == 200
    assert browser.post(url("delivery", "replay", delivery.pk), {}).status_code == 403


def test_a_suppressed_address_is_lifted_by_deleting_it(browser):
    services.note_bounce(provider_id="", address="Bob@example.com", reason="bounced", suppress=True)
    assert browser.get(url("suppression", "changelist")).status_code == 200
    browser.post(url("suppression", "delete", "bob_40example.com"), {"post": "yes"})
    browser.post(
        url("suppression", "changelist"),
        {"action": "delete_selected", "_selected_action": ["bob@example.com"], "post": "yes"},
    )
    assert not Suppression.objects.exists()
