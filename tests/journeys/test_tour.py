"""The tour: one story through all rooms, by the API of a running server, as the documents show it."""

import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.core.management import CommandError, call_command

from benchmarks.broadcast.processes import CounterProcess, free_port
from holdfast.testing import drain_outbox
from holdfast_cards.testing import run_worker
from holdfast_cards.testing.sandbox import Sandbox, running_sandbox
from holdfast_catalog_notify import services as catalog
from people import services as people
from storefront.demo import PASSWORD
from storefront.tour import Api, Astray, Report, Tour, calls
from storefront.tour.story import POTTER
from tests.journeys.counting import counter_server

PAGE = Path(__file__).parents[2] / "docs/start/tour.md"
VARIES = [
    (r"(?m)^ +\.\.\.  waiting for .*\n", ""),
    (r"  \(after \d+ s\)", ""),
    (r"/tracking/\S+", "/tracking/<token>"),
    (r"http://[\d.:]+", "<address>"),
    (r"lea-\w+|Order \w+:|of order \w+:|…\w{6}", "<id>"),
    (r"[A-Z][a-z]{2} \d\d [A-Z][a-z]{2}", "<day>"),
    (r"(?m)(?<!^    )(?<![\d.])\d+(\.\d+)?", "#"),  # any figure but a status
]

pytestmark = pytest.mark.usefixtures("flushable")


@pytest.fixture
def counter(tmp_path: Path, settings: Any) -> Iterator[CounterProcess]:
    """The counter server."""
    with counter_server(tmp_path / "counted") as server:
        url = f"{server.url}/events"
        settings.HOLDFAST_DEFECTS = {
            "COUNTER": {"BACKEND": "holdfast_defects.backends.http.HttpCounter", "OPTIONS": {"url": url}}
        }
        yield server


@pytest.fixture
def stripe(settings: Any) -> Iterator[Sandbox]:
    """The card provider."""
    with running_sandbox("stripe") as sandbox:
        designs = {"pink": "pd_pink", "black": "pd_black"}
        options = {"base_url": sandbox.base_url, "api_key": sandbox.api_key, "designs": designs}
        provider = {"BACKEND": "holdfast_cards.backends.stripe.StripeProvider", "OPTIONS": options}
        settings.HOLDFAST_CARDS = {**settings.HOLDFAST_CARDS, "PROVIDER": provider}
        yield sandbox


def work(_seconds: float = 0) -> None:
    """Do what the relay and the worker do while the tour waits."""
    drain_outbox()
    run_worker()
    catalog.Worker().run()


def walk(url: str, counters: str = "") -> str:
    """Walk it, and return what was printed."""
    told = io.StringIO()
    with httpx.Client(base_url=url, timeout=30, trust_env=False) as client:
        Tour(Api(client, Report(told), pause=work), counters=counters).walk()
    return told.getvalue()


def shape(told: str) -> list[str]:
    """Return what does not differ from one walk to the next."""
    for pattern, replacement in VARIES:
        told = re.sub(pattern, replacement, told)
    return told.strip().splitlines()


@pytest.mark.slow
@pytest.mark.any_database
def test_the_tour_is_walked_again_and_again_and_the_page_shows_what_it_prints(
    live_server: Any, counter: CounterProcess, stripe: Sandbox, settings: Any
):
    # No digest is due while it walks; those of an hour would be, when it walks across one.
    settings.HOLDFAST_CATALOG_NOTIFY = {**settings.HOLDFAST_CATALOG_NOTIFY, "DIGEST_SECONDS": 10**10}
    call_command("populate")
    work()

    first, second = (walk(live_server.url, counter.url) for _walk in range(2))

    assert shape(first) == shape(second)
    shown = re.search(r"```text\n(.*?)\nAll of it happened", PAGE.read_text(), re.DOTALL)
    assert shown
    assert shape(first) == shape(shown[1])
    assert len(stripe.cards) == 2
    call_command("wallet_verify")


def test_where_nobody_answers_the_tour_says_so_and_ends_with_1(settings: Any):
    with pytest.raises(CommandError, match="Does the demo run there") as ended:
        call_command("tour", url=f"http://127.0.0.1:{free_port()}", stdout=io.StringIO())

    assert ended.value.returncode == 1


def test_the_tour_ends_with_1_at_the_first_answer_that_is_not_of_the_story(live_server: Any):
    told = io.StringIO()

    with pytest.raises(CommandError, match="200 was expected") as ended:
        call_command("tour", url=live_server.url, stdout=told)

    assert ended.value.returncode == 1
    assert "401  POST  /auth/jwt/" in told.getvalue()


def test_what_is_not_there_ends_the_tour_too(live_server: Any):
    people.register_person(username=POTTER, email=f"{POTTER}@example.org", password=PASSWORD, role="artisan")

    with pytest.raises(Astray, match="There is not a shop of hers"):
        walk(live_server.url)


def test_what_takes_too_long_ends_the_tour(live_server: Any, monkeypatch: pytest.MonkeyPatch):
    people.register_person(username="lea", email="lea@example.org", password=PASSWORD)
    monkeypatch.setattr(calls, "PATIENCE_SECONDS", 0)
    told = io.StringIO()

    with httpx.Client(base_url=live_server.url, trust_env=False) as client:
        lea = Api(client, Report(told), pause=lambda _seconds: None).sign_in("lea", PASSWORD)
        with pytest.raises(Astray, match="her wallet took too long"):
            lea.poll("/wallet/accounts/", lambda said: said["results"], "her wallet")


def test_on_a_terminal_there_are_colors_and_a_line_that_tells_of_waiting():
    told = io.StringIO()
    report = Report(told, color=True, live=True)

    report.chapter("A chapter")
    report.waiting("the provider", 3)
    report.asked(200, "GET", "/cards/01a1f963-e36c-7cfb-850f-62a35cc1a943/", 3.2)

    assert "\x1b[" in told.getvalue()
    assert "\r         ...  waiting for the provider, 3 s" in told.getvalue()
    assert "/cards/…62a35c/  (after 3 s)" in told.getvalue()
