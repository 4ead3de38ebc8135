"""Finding products by words, typed well, badly and with bad intent."""

import logging

import pytest
from django.db import connection, connections
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from holdfast_artisan_shop import services
from holdfast_artisan_shop.backends import search
from holdfast_artisan_shop.exceptions import TextInvalid
from holdfast_artisan_shop.models import Word
from holdfast_artisan_shop.selectors.browse import browse
from holdfast_artisan_shop.testing import make_product


def names(text, **filters):
    return [one.name for one in browse(text=text, order="relevance", **filters)]


@pytest.fixture
def wares(shop, category):
    given_names = {
        "Blue bowl": "Stoneware, glazed by hand.",
        "Red bowl": "It stands beside anything blue.",
        "Ceramic cup": "For coffee.",
        "Wooden spoon": "Carved of cherry; goes with each bowl.",
    }
    for name, description in given_names.items():
        make_product(shop=shop, category=category, name=name, description=description)
    services.refresh_vocabulary()


def test_all_words_must_be_there_and_a_name_counts_more_than_a_description(wares):
    assert names("bowl blue") == ["Blue bowl", "Red bowl"]
    assert set(names("bowl")) == {"Blue bowl", "Red bowl", "Wooden spoon"}
    assert names("bowl")[-1] == "Wooden spoon"
    assert names("bowl coffee") == []


def test_case_order_and_the_end_of_a_word_do_not_matter(wares):
    assert names("BOWL Bl") == ["Blue bowl", "Red bowl"]
    assert names("ceram") == ["Ceramic cup"]


@pytest.mark.parametrize(("typed", "meant"), [("ceramc", "Ceramic cup"), ("woodn spon", "Wooden spoon")])
def test_a_typing_error_finds_what_was_meant(wares, typed, meant):
    assert names(typed) == [meant]


def test_a_word_that_resembles_none_finds_nothing(wares):
    assert names("xylophone") == []


def test_a_well_typed_word_is_not_corrected_where_a_filter_excludes_what_has_it(wares):
    assert names("cup", min_price_minor=9_000_000) == []


@pytest.mark.postgres
def test_without_trigrams_typing_errors_are_still_found_and_it_is_said_once(wares, monkeypatch, caplog):
    backend = search.WordSearch()

    class Blind:
        def execute(self, _sql):
            pass

        def fetchone(self):
            return (False,)

        def __enter__(self):
            return self

        def __exit__(self, *_error):
            pass

    with monkeypatch.context() as patch, caplog.at_level(logging.WARNING):
        patch.setattr(connection, "cursor", Blind)
        assert not backend._has_trigrams("default")
        assert not backend._has_trigrams("default")
    assert [record.message for record in caplog.records if "pg_trgm" in record.message] == [caplog.records[0].message]
    assert backend._corrected("ceramc", "default") == "ceramic"


@pytest.mark.postgres
@pytest.mark.django_db
def test_the_migration_makes_the_index_of_the_trigrams():
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_indexes WHERE indexname = 'holdfast_artisan_shop_word_trigrams'")
        assert cursor.fetchone()


HOSTILE = [
    "'",
    "''; DROP TABLE holdfast_artisan_shop_product; --",
    "%",
    "_",
    "\\",
    "a\\'b",
    "!!",
    "& | ! ( ) <-> :*",
    "bowl:*A",
    "' & 'bowl",
    "\x00",
    "bowl\x00",
    "\ud800",
    "\u202e",
    "ﬁ",
    "İstanbul",
    "😀",
    "1e999 .5 -7",
    "http://example.org/?q=1 ada@example.org",
    "a " * 100,
    "x" * 200,
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_words_are_words(wares, text):
    assert set(names(text)) <= {"Blue bowl", "Red bowl", "Ceramic cup", "Wooden spoon"}
    assert browse().count() == 4


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(alphabet=st.characters(), max_size=60))
def test_any_text_is_answered(wares, text):
    list(browse(text=text, order="relevance"))


def test_a_text_that_is_too_long_is_refused(db):
    with pytest.raises(TextInvalid):
        browse(text="x" * 201)


def test_a_percent_sign_means_nothing_else(wares):
    assert names("100%") == []
    assert names("%") == []


def test_the_vocabulary_forgets_what_no_product_is_called(wares, shop, ada):
    spoon = browse(text="spoon").get()
    services.retire_product(product_id=spoon.pk, actor_id=ada.pk)
    assert services.refresh_vocabulary() == Word.objects.count() == 5
    assert not Word.objects.filter(word="spoon").exists()
    assert Word.objects.get(word="bowl").products == 2


def test_a_search_with_all_filters_takes_three_statements(wares, category, django_assert_num_queries):
    with django_assert_num_queries(3):  # the category's subtree, whether anything is found, and the page
        page = list(browse(text="bowl", order="relevance", category_id=category.pk, in_stock=True)[:20])
    assert len(page) == 3
