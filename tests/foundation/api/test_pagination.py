"""Pages by key: complete, in order, without doubles, and closed to made-up cursors."""

import base64
import datetime as dt
import json
import re
from decimal import Decimal

import pytest
from django.db import connection
from django.db.models import F, FloatField
from django.db.models.functions import Cast
from django.test.utils import CaptureQueriesContext
from rest_framework.request import Request
from rest_framework.serializers import ModelSerializer
from rest_framework.test import APIRequestFactory

from holdfast.api.pagination import InvalidCursor, keyset_page
from holdfast.money import Money
from tests.foundation.host.models import Article, Note


def _reversed(text):
    return [-ord(character) for character in text]


PATHS = {
    "newest first": ("/api/notes", lambda note: -note["id"]),
    "mixed directions": ("/api/notes/ranked", lambda note: (-note["rank"], note["id"])),
    "one direction, three columns": ("/api/notes/dated", lambda note: (note["written_on"], note["rank"], note["id"])),
    "moments and uuids": ("/api/notes/latest", lambda note: (_reversed(note["written_at"]), _reversed(note["uid"]))),
    "decimals and text": ("/api/notes/weighed", lambda note: (Decimal(note["weight"]), note["text"])),
    "decimals, mixed": ("/api/notes/heaviest", lambda note: (-Decimal(note["weight"]), note["text"])),
}


@pytest.fixture
def notes(db):
    first = dt.date(2026, 1, 1)
    moment = dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC)
    Note.objects.bulk_create(
        Note(
            text=str(number),
            rank=number % 3,
            written_on=first + dt.timedelta(days=number % 4),
            written_at=moment + dt.timedelta(microseconds=number % 5),
            weight=Decimal(number % 4) / 8 + 9,
        )
        for number in range(17)
    )


def walk(client, url, way):
    """Follow the links of one way and return the pages."""
    pages = []
    while url:
        page = client.get(url).json()
        pages.append(page)
        url = page[way]
    return pages


@pytest.mark.parametrize(("path", "key"), PATHS.values(), ids=PATHS)
@pytest.mark.parametrize("size", [1, 4, 5, 17, 18])
def test_following_next_and_then_previous_shows_each_row_once(client, notes, path, key, size):
    everything = sorted(client.get(path).json()["results"], key=key)
    assert len(everything) == 17

    onward = walk(client, f"{path}?page_size={size}", "next")
    assert [note for page in onward for note in page["results"]] == everything
    assert onward[0]["previous"] is None

    back = walk(client, onward[-1]["previous"], "previous")
    assert [note for page in reversed(back) for note in page["results"]] == everything[
        : len(everything) - len(onward[-1]["results"])
    ]
    assert all(page["next"] for page in back)


def test_rows_that_arrive_meanwhile_neither_double_nor_hide_others(client, notes):
    first = client.get("/api/notes?page_size=5").json()
    Note.objects.create(text="arrived")
    second = client.get(first["next"]).json()

    texts = [note["text"] for note in first["results"] + second["results"]]
    assert texts == [str(number) for number in range(16, 6, -1)]
    assert [note["text"] for note in client.get(second["previous"]).json()["results"]] == texts[:5]


def test_a_page_whose_rows_have_gone_is_empty(client, notes):
    url = client.get("/api/notes?page_size=5").json()["next"]
    Note.objects.all().delete()

    assert client.get(url).json() == {"next": None, "previous": None, "results": []}


def test_links_keep_the_rest_of_the_query_and_are_absolute(client, notes):
    link = client.get("/api/notes?page_size=5&cursor=&colour=red".replace("&cursor=", "")).json()["next"]

    assert link.startswith("http://testserver/api/notes?")
    assert "page_size=5" in link
    assert "colour=red" in link


def test_a_page_is_one_query(client, notes):
    url = client.get("/api/notes?page_size=5").json()["next"]
    with CaptureQueriesContext(connection) as queries:
        client.get(url)

    assert len(queries) == 1


@pytest.mark.parametrize(
    ("path", "row"),
    [("/api/notes/dated", '("written_on", "rank", "id")'), ("/api/notes", '("id")')],
)
def test_columns_of_one_direction_are_compared_as_a_row(client, notes, path, row):
    url = client.get(f"{path}?page_size=5").json()["next"]
    with CaptureQueriesContext(connection) as queries:
        client.get(url)

    columns = row.replace('("', '("host_note"."').replace(', "', ', "host_note"."')
    assert f"WHERE {columns}" in queries[0]["sql"]


def test_a_page_far_down_is_one_range_of_the_index(client, notes):
    url = client.get("/api/notes/dated?page_size=5").json()["next"]
    with CaptureQueriesContext(connection) as queries:
        client.get(url)
    explain = "EXPLAIN" if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN"
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")  # which a table of 17 rows prefers
        cursor.execute(f"{explain} {queries[0]['sql']}")
        plan = " ".join(str(column) for row in cursor.fetchall() for column in row)

    assert "host_note_dated" in plan
    assert re.search(
        r"Index Cond: \(ROW\(written_on, rank, id\) >|SEARCH host_note USING INDEX \w+ \(\(written_on,rank", plan
    )
    assert "Sort" not in plan
    assert "TEMP B-TREE" not in plan


def cursor_of(*values):
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "garbage",
        "%00",
        "ü",
        "a" * 10_000,
        base64.urlsafe_b64encode(b"[" * 5000).decode(),
        base64.urlsafe_b64encode(b'{"a": 1}').decode(),
        base64.urlsafe_b64encode(b"7").decode(),
        base64.urlsafe_b64encode(b"\xff\xfe").decode(),
        cursor_of(),
        cursor_of(0),
        cursor_of(0, 1, 2),
        cursor_of(2, 1),
        cursor_of("x", 1),
        cursor_of([], 1),
        cursor_of(0, "one"),
        cursor_of(0, None),
        cursor_of(0, True),
        cursor_of(0, 1.5),
        cursor_of(0, [1]),
        cursor_of(0, 10**30),
    ],
)
def test_a_made_up_cursor_is_refused(client, notes, cursor):
    response = client.get("/api/notes", {"cursor": cursor})

    assert (response.status_code, response.json()["code"]) == (400, "holdfast.invalid_cursor")


@pytest.mark.parametrize("day", ["yesterday", "2026-13-01", 7, "2026-01-01\u0000"])
def test_a_cursor_with_a_wrong_date_is_refused(client, notes, day):
    response = client.get("/api/notes/dated", {"cursor": cursor_of(0, day, 1, 1)})

    assert (response.status_code, response.json()["code"]) == (400, "holdfast.invalid_cursor")


@pytest.mark.parametrize(
    ("path", "values"),
    [
        ("latest", ["2026-01-01T12:00:00", "01a1f8c4-a314-7cc8-9754-c0d362294a7b"]),  # which zone?
        ("latest", ["2026-01-01T12:00:00Z", "01a1f8c4"]),
        ("latest", ["noon", "01a1f8c4-a314-7cc8-9754-c0d362294a7b"]),
        ("weighed", ["heavy", "a"]),
        ("weighed", ["NaN", "a"]),
        ("weighed", ["1" * 100, "a"]),
        ("weighed", ["1.5", "a\0"]),
        ("weighed", ["1.5", "\ud800"]),
    ],
)
def test_a_cursor_with_a_value_that_its_column_cannot_have_is_refused(client, notes, path, values):
    response = client.get(f"/api/notes/{path}", {"cursor": cursor_of(0, *values)})

    assert (response.status_code, response.json()["code"]) == (400, "holdfast.invalid_cursor")


@pytest.mark.parametrize("size", ["0", "-1", "101", "100000", "1" * 5000, "ten", "", "1.5", "²", " 5"])
def test_a_page_has_a_reasonable_size(client, notes, size):
    response = client.get("/api/notes", {"page_size": size})

    assert (response.status_code, response.json()["code"]) == (400, "holdfast.invalid_page_size")
    assert response.json()["context"] == {"page_size": size[:20], "maximum": 100}


class ArticleOutput(ModelSerializer):
    class Meta:
        model = Article
        fields = ("id",)


@pytest.mark.parametrize("ordering", [("price", "id"), ("-price", "-id"), ("-price", "id")], ids=str)
def test_rows_are_in_the_order_of_their_prices_amounts(db, ordering):
    for number in range(7):
        Article.objects.create(name=str(number), price=Money(Decimal(number % 3) / 8, "EUR"))
    down = [-1 if term.startswith("-") else 1 for term in ordering]
    expected = sorted(Article.objects.all(), key=lambda one: (down[0] * one.price.amount, down[1] * one.pk))

    found, url = [], "/articles"
    while url:
        request = Request(APIRequestFactory().get(url))
        page = keyset_page(request, Article.objects.all(), ordering=ordering, serializer=ArticleOutput, page_size=2)
        found += [one["id"] for one in page.data["results"]]
        url = page.data["next"]

    assert found == [one.pk for one in expected]


@pytest.mark.parametrize("amount", ["NaN", "Infinity", "x", "1" * 30])
def test_a_price_that_is_none_is_in_no_cursor(db, amount):
    packed = base64.urlsafe_b64encode(json.dumps([0, amount, 1]).encode()).decode().rstrip("=")
    request = Request(APIRequestFactory().get("/articles", {"cursor": packed}))
    with pytest.raises(InvalidCursor):
        keyset_page(request, Article.objects.all(), ordering=("price", "id"), serializer=ArticleOutput)


class NoteOutput(ModelSerializer):
    class Meta:
        model = Note
        fields = ("id", "rank")


def test_an_annotation_orders_as_a_column_does(notes):
    rows = Note.objects.annotate(warmth=Cast(F("rank") * -1.5, FloatField()))
    url, seen = "/notes?page_size=4", []
    while url:
        request = Request(APIRequestFactory().get(url))
        page = keyset_page(request, rows, ordering=("-warmth", "-id"), serializer=NoteOutput).data
        seen += [(one["rank"], -one["id"]) for one in page["results"]]
        url = page["next"]
    assert len(seen) == len(set(seen)) == 17
    assert seen == sorted(seen)
