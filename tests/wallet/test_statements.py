"""Statements: JSON in pages, CSV as a stream, a page to print."""

import csv
import datetime as dt
import io

import pytest
from django.utils import timezone

from holdfast_wallet import services
from holdfast_wallet.models import Account
from holdfast_wallet.testing import make_account, make_transfer
from tests.wallet.doors import eur, make_world, url

pytestmark = pytest.mark.django_db


@pytest.fixture
def world():
    return make_world()


def test_a_statement_has_its_balances_and_its_lines_oldest_first_in_pages(world):
    path = url("statement", world.wallet.pk)
    first = world.door.get(path, page_size=2).json()
    second = world.door.client.get(first["next"]).json()

    assert (first["opening"], first["closing"], first["line_count"]) == (eur("0.00"), eur("100.00"), 3)
    assert first["account"] == str(world.wallet.pk)
    lines = first["results"] + second["results"]
    assert [line["amount"]["amount"] for line in lines] == ["100.00", "-1.00", "1.00"]
    assert [line["balance"]["amount"] for line in lines] == ["100.00", "99.00", "100.00"]
    assert second["next"] is None


def test_a_period_opens_with_what_was_there_before_it(world):
    entries = world.door.get(url("entries", world.wallet.pk)).json()["results"]
    middle = dt.datetime.fromisoformat(entries[1]["recorded_at"])

    before = world.door.get(url("statement", world.wallet.pk), end=middle.isoformat()).json()
    after = world.door.get(url("statement", world.wallet.pk), start=middle.isoformat()).json()
    assert before["closing"] == after["opening"]
    assert before["line_count"] + after["line_count"] == 3


def test_an_empty_period_is_a_statement_too(world):
    told = world.door.get(url("statement", world.savings.pk), start="2020-01-01", end="2020-02-01").json()

    assert (told["opening"], told["closing"], told["results"]) == (eur("0.00"), eur("0.00"), [])


def test_the_file_is_streamed_and_has_every_line(world, django_assert_max_num_queries):
    for _ in range(30):
        make_transfer(source=world.wallet, target=world.others, amount="0.10")
    path = url("statement-csv", world.wallet.pk)

    with django_assert_max_num_queries(6):
        answer = world.door.get(path)
        text = b"".join(answer.streaming_content).decode()
    rows = list(csv.DictReader(io.StringIO(text)))
    assert answer.streaming
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"].startswith('attachment; filename="statement-')
    assert len(rows) == 33
    assert rows[-1]["balance"] == "97.00"
    assert sum(float(row["amount"]) for row in rows) == pytest.approx(97)


@pytest.mark.parametrize("accept", ["text/csv", "text/html,application/xhtml+xml", "image/png", "*/*"])
def test_whatever_is_accepted_the_path_says_what_is_sent(world, accept):
    for route, kind in (
        ("statement-csv", "text/csv"),
        ("statement-html", "text/html"),
        ("statement", "application/json"),
    ):
        answer = world.door.client.get(url(route, world.wallet.pk), headers={"accept": accept})
        assert (answer.status_code, answer["Content-Type"].split(";")[0]) == (200, kind)


def test_the_page_to_print_needs_nothing_else_and_runs_nothing(world):
    account = make_account(owner=world.ada, funds="5.00", name="<script>alert(1)</script>")
    answer = world.door.get(url("statement-html", account.pk))
    text = answer.content.decode()

    assert text.count("€5.00") == 4  # the line, its balance, and the closing balance above and below
    assert text.count("€0.00") == 2
    assert str(account.credits.get().pk) in text
    assert f"{timezone.localtime(account.credits.get().recorded_at):%m/%d/%Y}" in text
    assert "<script" not in text
    assert "&lt;script&gt;" in text
    assert "http" not in text.replace("http-equiv", "")
    assert answer["Content-Security-Policy"].startswith("default-src 'none'")


def test_a_page_to_print_ends_somewhere_and_says_so(world, monkeypatch):
    from holdfast_wallet.api.views import statements

    monkeypatch.setattr(statements, "MAX_PRINTED_LINES", 2)

    text = world.door.get(url("statement-html", world.wallet.pk)).content.decode()
    assert text.count('<div class="id">') == 2
    assert "the CSV export has every line" in text


def test_a_statement_of_this_month_is_what_one_gets_without_a_period(world):
    told = world.door.get(url("statement", world.wallet.pk)).json()
    start = timezone.localtime(dt.datetime.fromisoformat(told["start"]))

    assert (start.day, start.hour, start.minute) == (1, 0, 0)


def test_the_statement_of_a_closed_account_stays_readable(world):
    services.close_account(account_id=world.savings.pk, owner_id=world.ada.pk)

    assert Account.objects.get(pk=world.savings.pk).state == "closed"
    assert world.door.get(url("statement", world.savings.pk)).status_code == 200
