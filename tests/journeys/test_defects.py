"""Stories of broken things: at the pages, at the API, and what the counter server hears of them."""

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from adapters.counter_server import CounterServerSilent
from benchmarks.broadcast.processes import CounterProcess
from config.health import counters
from holdfast.testing import drain_outbox
from holdfast_defects import selectors, services
from people.selectors import find_person
from tests.journeys.test_api import Program
from tests.journeys.visitor import Visitor

pytestmark = pytest.mark.django_db

Newcomer = Callable[..., Visitor]


def report(visitor: Visitor, comment: str, **values: str) -> Any:
    visitor.open("/defects/new/").submit(comment=comment, **values)
    return selectors.defects(search=comment).get()


def press(visitor: Visitor, step: str) -> Visitor:
    return visitor.submit(action=f"{visitor.address}{step}/")


def counted(counter: CounterProcess, visitor: Visitor) -> dict[str, int]:
    user_id = str(find_person(visitor.username).pk)
    return dict(counter.counters()["users"].get(user_id, {"create": 0, "delete": 0}))


def test_from_a_report_to_its_deletion_and_the_counter_has_heard_of_both(counter: CounterProcess, newcomer: Newcomer):
    ada, ben = newcomer("ada", first_name="Ada"), newcomer("ben")
    defect = report(ada, "The lift stops between floors.", severity="high")
    assert "It is written down" in ada.text
    drain_outbox()
    assert counted(counter, ada) == {"create": 1, "delete": 0}

    assert "The lift stops between floors." in ben.open("/defects/").text
    ben.open(f"/defects/{defect.id}/")
    assert "Delete" not in ben.text
    for step in ("triage", "start_repair", "resolve", "close"):
        press(ben, step)
    assert selectors.get_defect(defect_id=defect.id).state == "closed"

    ada.open(f"/defects/{defect.id}/change/").submit(comment="The lift stops between the floors 2 and 3.")
    assert "floors 2 and 3" in ada.text
    ada.open(f"/defects/{defect.id}/delete/").submit()
    assert "Deleted." in ada.text
    assert not selectors.defects().exists()
    drain_outbox()
    assert counted(counter, ada) == {"create": 1, "delete": 1}
    assert counted(counter, ben) == {"create": 0, "delete": 0}


def test_the_list_shows_what_is_asked_for(newcomer: Newcomer):
    ada, ben = newcomer("ada"), newcomer("ben")
    lamp = report(ada, "The lamp flickers.", severity="low")
    report(ben, "Smell of gas.", severity="critical")
    services.triage_defect(defect_id=lamp.id)

    def shown(query: str) -> tuple[bool, bool]:
        text = ada.open(f"/defects/?{query}").text
        return "The lamp flickers." in text, "Smell of gas." in text

    assert shown("") == (True, True)
    assert shown("q=LAMP") == (True, False)
    assert shown("mine=on") == (True, False)
    assert shown("state=triaged") == (True, False)
    assert shown("severity=critical") == (False, True)
    assert shown("severity=critical&mine=on") == (False, False)
    assert "Nothing matches" in ada.text
    assert shown("state=nonsense&before=nonsense") == (True, True)


def test_a_long_list_is_leafed_through_without_a_gap(newcomer: Newcomer):
    ada = newcomer("ada")
    for number in range(45):
        services.report_defect(user_id=find_person("ada").pk, comment=f"Number {number:02}.")

    seen, address = [], "/defects/?q=Number"
    while address:
        text = ada.open(address).text
        seen += re.findall(r"Number (\d\d)\.</a>", text)
        older = re.search(r'rel="next" href="([^"]+)"', text)
        address = older[1].replace("&amp;", "&") if older else ""

    assert seen == [f"{number:02}" for number in reversed(range(45))]


def test_an_empty_list_says_what_to_do(newcomer: Newcomer):
    assert "Nothing is broken" in newcomer("ada").open("/defects/").text


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"comment": "   "}, "This field is required."),
        ({"comment": "x" * 10_001}, "at most 10000 characters"),
        ({"severity": "apocalyptic"}, "Select a valid choice."),
        ({"timestamp": "yesterday"}, "Enter a valid date/time."),
    ],
)
def test_what_makes_no_sense_is_explained_at_its_field(newcomer: Newcomer, values, says):
    ada = newcomer("ada")

    ada.open("/defects/new/").submit(**{"comment": "The lamp flickers."} | values, status=422)

    assert says in ada.text
    assert not selectors.defects().exists()


def test_nothing_is_seen_in_the_future(newcomer: Newcomer):
    tomorrow = (timezone.now() + dt.timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%S")
    ada = newcomer("ada")

    ada.open("/defects/new/").submit(comment="The lamp will flicker.", timestamp=tomorrow, status=422)

    assert "holdfast_defects.timestamp_out_of_range" in ada.text
    assert not selectors.defects().exists()


def test_of_two_who_edit_at_once_the_second_is_told(newcomer: Newcomer):
    ada, ben = newcomer("ada"), newcomer("ben")
    defect = report(ada, "The lamp flickers.")
    ada.open(f"/defects/{defect.id}/change/")
    ben.open(f"/defects/{defect.id}/change/").submit(comment="Both lamps flicker.")

    ada.submit(comment="The left lamp flickers.", status=412)

    assert "Somebody has changed it meanwhile." in ada.text
    assert "The left lamp flickers." in ada.text  # what was typed is still there
    assert selectors.get_defect(defect_id=defect.id).comment == "Both lamps flicker."


def test_a_change_of_the_words_leaves_the_moment_as_it_was(newcomer: Newcomer):
    ada = newcomer("ada")
    before = report(ada, "The lamp flickers.")

    ada.open(f"/defects/{before.id}/change/").submit(comment="The lamp is dark.")

    after = selectors.get_defect(defect_id=before.id)
    assert (after.comment, after.timestamp) == ("The lamp is dark.", before.timestamp)


def test_a_button_that_is_too_late_says_so(newcomer: Newcomer):
    ada, ben = newcomer("ada"), newcomer("ben")
    defect = report(ada, "The lamp flickers.")
    ada.open(f"/defects/{defect.id}/"), ben.open(f"/defects/{defect.id}/")
    press(ben, "reject")

    press(ada, "triage")

    assert "The defect has changed since you read it." in ada.text
    assert selectors.get_defect(defect_id=defect.id).state == "rejected"


def test_nobody_deletes_what_somebody_else_reported(newcomer: Newcomer):
    ada, ben = newcomer("ada"), newcomer("ben")
    defect = report(ada, "The lamp flickers.")

    ben.open(f"/defects/{defect.id}/delete/").submit(status=403)

    assert "holdfast_defects.not_the_reporter" in ben.text
    assert selectors.get_defect(defect_id=defect.id)


@pytest.mark.parametrize("path", ["", "change/", "delete/"])
def test_a_defect_that_is_gone_is_not_found(newcomer: Newcomer, path: str):
    newcomer("ada").open(f"/defects/0192f3a0-5f5e-7c1d-9b1e-6b6f7a646d6f/{path}", status=404)


def test_a_step_that_does_not_exist_is_not_found(newcomer: Newcomer):
    ada = newcomer("ada")
    defect = report(ada, "The lamp flickers.")

    assert ada.client.post(f"/defects/{defect.id}/explode/").status_code == 404


@pytest.mark.parametrize("address", ["/defects/", "/defects/lines/", "/defects/counters/", "/defects/new/"])
def test_a_stranger_is_led_to_sign_in(address: str):
    assert Client().get(address).headers["Location"].startswith("/login/")


def test_what_can_be_no_version_is_ignored(newcomer: Newcomer):
    ada = newcomer("ada")
    defect = report(ada, "The lamp flickers.")

    assert ada.client.post(f"/defects/{defect.id}/triage/", {"version": "9" * 5000}).status_code == 302
    assert selectors.get_defect(defect_id=defect.id).state == "triaged"


# The counters beside the list


def test_the_counters_say_who_reported_what(counter: CounterProcess, newcomer: Newcomer):
    ada, ben = newcomer("ada"), newcomer("ben", first_name="Ben")
    for visitor in (ada, ben, ben):
        report(visitor, f"{visitor.username} {timezone.now()}")
    drain_outbox()
    for stranger in ("somebody", 10**30):  # whom other clients of the counter server told it of
        counter.tell(f"of {stranger}", user=stranger)

    text = ada.open("/defects/counters/").text

    assert "In step" in text
    assert re.findall(r'<th scope="row">(\w+)</th><td>(\d)</td>', text) == [("You", "1"), ("Ben", "2")]


def test_while_the_counter_server_is_away_the_page_says_what_waits(counter: CounterProcess, newcomer: Newcomer):
    ada = newcomer("ada")
    counter.kill()
    report(ada, "The lamp flickers."), report(ada, "Smell of gas.")

    assert "Does not answer" in ada.open("/defects/counters/").text
    assert "2 events wait for it." in ada.text

    counter.start()
    cache.clear()
    assert "2 on the way" in ada.open("/defects/counters/").text
    drain_outbox()
    cache.clear()
    assert "In step" in ada.open("/defects/counters/").text


def test_a_counter_server_that_hangs_holds_up_no_page_for_long(counter: CounterProcess, newcomer: Newcomer):
    ada = newcomer("ada")
    counter.fail("hang", 30)
    report(ada, "The lamp flickers.")

    # It hangs for events only, so that it can be healed; what it says of itself is that it is behind.
    assert "1 on the way" in ada.open("/defects/counters/").text


def test_without_a_counter_server_the_page_says_how_to_get_one(newcomer: Newcomer, settings: Any):
    settings.COUNTER_URL = ""

    assert "COUNTER_URL" in newcomer("ada").open("/defects/counters/").text


def test_health_says_whether_somebody_counts(counter: CounterProcess):
    assert counters().detail == {"total": {"create": 0, "delete": 0}}

    counter.kill()

    with pytest.raises(CounterServerSilent):
        counters()


# The API


@pytest.mark.parametrize("prefix", ["/api/defects", "/api/v1/defects"])
@pytest.mark.parametrize("slash", ["", "/"])
def test_programs_find_the_defects_at_each_address(counter: CounterProcess, prefix: str, slash: str):
    ada, ben = Program("ada"), Program("ben")
    json = {"content_type": "application/json"}

    made = ada.client.post(f"{prefix}{slash}", {"comment": "The lamp flickers."}, headers=ada.headers, **json)
    assert made.status_code == 201, made.content
    one = f"{prefix}/{made.json()['id']}{slash}"
    assert ben.client.get(f"{prefix}{slash}", headers=ben.headers).json()["results"] == [made.json()]
    changed = ben.client.patch(one, {"severity": "high"}, headers=ben.headers | {"If-Match": made["ETag"]}, **json)
    assert changed.json()["severity"] == "high"
    assert (
        ben.client.patch(one, {"severity": "low"}, headers=ben.headers | {"If-Match": made["ETag"]}, **json).status_code
        == 412
    )
    assert ben.client.delete(one, headers=ben.headers).json()["code"] == "holdfast_defects.not_the_reporter"
    assert ada.client.delete(one, headers=ada.headers).status_code == 204
    drain_outbox()

    assert counter.counters()["users"] == {str(made.json()["user"]): {"create": 1, "delete": 1}}
