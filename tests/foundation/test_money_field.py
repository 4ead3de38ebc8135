"""The traps of django-money, each tried: whoever writes or reads an amount writes or reads its currency."""

from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.db.migrations.writer import MigrationWriter

from holdfast.money import Money, MoneyField
from tests.foundation.host.models import Article, TrappedArticle

pytestmark = pytest.mark.django_db

USD, GBP = Money("5.00", "USD"), Money("4.00", "GBP")


@pytest.fixture
def article():
    return Article.objects.create(name="cup", price=USD)


def stored(article):
    return Article.objects.get(pk=article.pk).price


def test_a_price_comes_back_as_it_went_in(article):
    assert stored(article) == USD
    assert stored(article).amount == Decimal(5)


def test_saving_the_price_alone_saves_its_currency(article):
    article.price = GBP
    article.save(update_fields=["price"])

    assert stored(article) == GBP


def test_saving_another_field_alone_leaves_the_price(article):
    article.price = GBP
    article.name = "mug"
    article.save(update_fields=["name"])

    assert stored(article) == USD
    assert Article.objects.get().name == "mug"


def test_saving_no_field_saves_nothing(article):
    article.price = GBP
    article.save(update_fields=[])

    assert stored(article) == USD


def test_updating_or_creating_saves_the_currency(article):
    Article.objects.update_or_create(name="cup", defaults={"price": GBP})
    assert stored(article) == GBP

    created, _ = Article.objects.update_or_create(name="mug", defaults={"price": GBP})
    assert stored(created) == GBP


@pytest.mark.parametrize(
    "queryset", [lambda: Article.objects, lambda: Article.objects.filter(name="cup").order_by("id")]
)
def test_updating_in_bulk_saves_the_currency(article, queryset):
    article.price = GBP
    queryset().bulk_update([article], ["price"])

    assert stored(article) == GBP


def test_an_upsert_in_bulk_saves_the_currency(article):
    Article.objects.bulk_create(
        [Article(pk=article.pk, name="cup", price=GBP)],
        update_conflicts=True,
        unique_fields=["id"],
        update_fields=["price"],
    )

    assert stored(article) == GBP


def test_an_update_of_the_table_saves_the_currency(article):
    Article.objects.filter(pk=article.pk).update(price=GBP)

    assert stored(article) == GBP


def test_an_optional_price_is_there_as_a_whole_or_not_at_all(article):
    article.discount = GBP
    article.save(update_fields=["discount"])
    assert Article.objects.get().discount == GBP

    article.discount = None
    article.save(update_fields=["discount"])
    assert Article.objects.get().discount is None


@pytest.mark.parametrize(
    "loaded",
    [
        lambda: Article.objects.defer("price").get(),
        lambda: Article.objects.only("price").get(),
        lambda: Article.objects.only("name").get(),
        lambda: Article.objects.defer("price_currency").get(),
        lambda: Article.objects.only("discount").get(),
    ],
)
def test_a_deferred_price_loads_with_its_currency(article, loaded):
    Article.objects.update(discount=GBP)

    assert (loaded().price, loaded().discount) == (USD, GBP)


def test_a_deferred_price_can_be_replaced_without_being_read(article):
    partial = Article.objects.defer("price").get()
    partial.price = GBP
    partial.save()

    assert stored(article) == GBP


def test_a_refresh_of_the_price_alone_brings_the_currency(article):
    Article.objects.filter(pk=article.pk).update(price=GBP)
    article.refresh_from_db(fields=["price"])

    assert article.price == GBP


def test_a_price_without_a_currency_is_refused():
    with pytest.raises(TypeError):
        Article.objects.create(name="cup", price=Decimal(5))


def test_a_float_is_refused(article):
    with pytest.raises(ValidationError):
        article.price = 5.1


def test_no_list_of_currencies_gets_into_a_migration():
    written = [MigrationWriter.serialize(field)[0] for field in Article._meta.local_fields if "price" in field.name]

    assert written == [
        "djmoney.models.fields.CurrencyField(default=None, editable=False, max_length=3)",
        "holdfast.money.MoneyField(decimal_places=4, max_digits=19)",
    ]


def test_a_default_currency_is_the_fields_own_and_in_the_migration():
    field = MoneyField(default_currency="EUR", max_digits=12, decimal_places=2)
    assert field.deconstruct()[3] == {"max_digits": 12, "decimal_places": 2, "default_currency": "EUR"}
    assert field.clone().default_currency == "EUR"


def test_a_form_still_offers_currencies():
    choices = Article._meta.get_field("price").formfield().fields[1].choices

    assert ("JPY", "Japanese Yen") in choices


def test_django_moneys_own_field_still_has_the_first_trap():
    """If this fails, django-money has closed it, and our field can shrink."""

    trap = TrappedArticle.objects.create(price=USD)
    trap.price = GBP
    trap.save(update_fields=["price"])

    assert TrappedArticle.objects.get().price == Money("4.00", "USD")
