"""The admin goes through the services: whatever staff do there is told like anything else."""

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from holdfast.testing import captured_events
from holdfast_defects import services
from holdfast_defects.events import DefectChanged, DefectDeleted, DefectMoved, DefectReported
from holdfast_defects.models import Defect
from holdfast_defects.states import DefectState, Severity
from holdfast_defects.testing import make_defect, make_user

pytestmark = pytest.mark.django_db

LIST = "admin:holdfast_defects_defect_changelist"


@pytest.fixture
def boss(db):
    return make_user(is_staff=True, is_superuser=True)


@pytest.fixture
def admin(boss):
    return browser_of(boss)


def browser_of(user):
    browser = Client()
    browser.force_login(user)
    return browser


def page_of(defect):
    return reverse("admin:holdfast_defects_defect_change", args=[defect.pk])


def filled(admin, url, **changes):
    """Return what a browser would send of a form after these changes."""
    form = admin.get(url).context["adminform"].form
    return {name: value for field in form for name, value in _inputs(field)} | changes


def _inputs(field):
    value = field.value()
    if field.name == "timestamp":
        day, time = field.field.widget.decompress(value)
        yield from (("timestamp_0", day), ("timestamp_1", time))
        if field.field.show_hidden_initial:
            yield from (("initial-timestamp_0", day), ("initial-timestamp_1", time))
    else:
        yield field.html_name, "" if value is None else value


def delete_page_of(defect):
    return reverse("admin:holdfast_defects_defect_delete", args=[defect.pk])


def refused(response, typed):
    """Return why the form was refused; what was typed is still there."""
    form = response.context["adminform"].form
    assert form["comment"].value() == typed
    return str(form.non_field_errors()[0])


def messages_of(response):
    return [str(message) for message in response.context["messages"]]


def run(admin, action, *defects):
    data = {"action": action, "_selected_action": [defect.pk for defect in defects], "post": "yes"}
    return admin.post(reverse(LIST), data, follow=True)


def test_who_adds_a_defect_is_its_reporter(admin, boss):
    url = reverse("admin:holdfast_defects_defect_add")
    other = make_user()

    with captured_events() as events:
        admin.post(url, filled(admin, url, comment="It leaks.", severity="high", user=other.pk), follow=True)

    defect = Defect.objects.get()
    assert (defect.user, defect.comment, defect.severity) == (boss, "It leaks.", Severity.HIGH)
    assert events == [DefectReported(defect_id=str(defect.pk), user_id=boss.pk)]
    assert LogEntry.objects.get().object_id == str(defect.pk)


def test_a_change_goes_through_the_verb_and_leaves_the_reporter(admin):
    defect = make_defect()

    with captured_events() as events:
        admin.post(page_of(defect), filled(admin, page_of(defect), comment="It floods."))

    kept = Defect.objects.get()
    assert (kept.comment, kept.user, kept.timestamp, kept.version) == ("It floods.", defect.user, defect.timestamp, 2)
    assert events == [DefectChanged(defect_id=str(defect.pk), user_id=defect.user_id, version=2)]


def test_of_two_who_edit_at_once_the_second_is_told(admin):
    defect = make_defect()
    late = filled(admin, page_of(defect), comment="It burns.")
    services.change_defect(defect_id=defect.pk, comment="It floods.")

    assert refused(admin.post(page_of(defect), late), "It burns.") == "The defect has changed since you read it."
    assert Defect.objects.get().comment == "It floods."


@pytest.mark.parametrize("values", [{"comment": ""}, {"comment": "x" * 10_001}, {"severity": "awful"}], ids=str)
def test_a_form_says_what_is_wrong_with_a_field(admin, values):
    defect = make_defect()
    response = admin.post(page_of(defect), filled(admin, page_of(defect), **values))
    assert response.context["adminform"].form.errors.keys() == values.keys()
    assert Defect.objects.get().version == 1


def test_what_only_the_verb_refuses_is_said_and_what_was_typed_is_kept(admin):
    defect = make_defect()
    future = {"comment": "It floods.", "timestamp_0": "2999-01-01"}
    with captured_events() as events:
        for url in (reverse("admin:holdfast_defects_defect_add"), page_of(defect)):
            reason = refused(admin.post(url, filled(admin, url, **future)), "It floods.")
            assert reason == "A defect was seen neither before 1970 nor in the future."
    assert (Defect.objects.get().version, events) == (1, [])
    assert not LogEntry.objects.exists()


def test_who_edits_what_is_gone_meanwhile_is_told(admin):
    defect = make_defect()
    late = filled(admin, page_of(defect), comment="It burns.")
    services.delete_defect(defect_id=defect.pk, user_id=defect.user_id)
    assert "doesn’t exist" in messages_of(admin.post(page_of(defect), late, follow=True))[0]


def test_a_deletion_of_one_is_told(admin, boss):
    defect = make_defect(user=boss)
    with captured_events() as events:
        admin.post(delete_page_of(defect), {"post": "yes"})
    assert not Defect.objects.exists()
    assert events == [DefectDeleted(defect_id=str(defect.pk), user_id=boss.pk)]


def test_somebody_elses_defect_is_not_deleted_here_either(admin, boss):
    mine, other = make_defect(user=boss), make_defect()

    with captured_events() as events:
        assert admin.post(delete_page_of(other), {"post": "yes"}).status_code == 403
        assert run(admin, "delete_selected", mine, other).status_code == 403

    assert delete_page_of(other) not in admin.get(page_of(other)).content.decode()
    assert delete_page_of(mine) in admin.get(page_of(mine)).content.decode()
    assert (Defect.objects.count(), events) == (2, [])


def test_each_deletion_of_many_is_told(admin, boss):
    defects = [make_defect(user=boss) for _defect in range(3)]
    with captured_events() as events:
        run(admin, "delete_selected", *defects)
    assert not Defect.objects.exists()
    expected = {DefectDeleted(defect_id=str(defect.pk), user_id=defect.user_id) for defect in defects}
    assert set(events) == expected
    assert len(events) == 3


def test_a_step_is_taken_with_each_selected_defect_that_allows_it(admin):
    new, done = make_defect(), make_defect(state=DefectState.CLOSED, comment="The old one.")

    with captured_events() as events:
        response = run(admin, "triage_defect", new, done)

    assert [event.defect_id for event in events if isinstance(event, DefectMoved)] == [str(new.pk)]
    assert messages_of(response) == [
        "The old one.: The defect is not in a state that allows this step.",
        "It is broken.: triaged",
    ]
    assert LogEntry.objects.get().object_id == str(new.pk)


@pytest.mark.parametrize(
    ("action", "state", "target"),
    [
        ("triage_defect", "reported", "triaged"),
        ("start_repair", "triaged", "in_repair"),
        ("resolve_defect", "in_repair", "resolved"),
        ("close_defect", "resolved", "closed"),
        ("reject_defect", "triaged", "rejected"),
        ("reopen_defect", "closed", "reported"),
    ],
)
def test_each_step_is_an_action(admin, action, state, target):
    run(admin, action, make_defect(state=DefectState(state)))
    assert Defect.objects.get().state == target


def test_who_may_only_look_takes_no_step(db):
    guest = make_user(is_staff=True)
    guest.user_permissions.add(Permission.objects.get(codename="view_defect"))
    defect = make_defect()

    run(browser_of(guest), "triage_defect", defect)
    browser_of(guest).post(page_of(defect), {"comment": "It floods."})

    assert Defect.objects.get().version == 1
    assert "xpected version" not in browser_of(guest).get(page_of(defect)).content.decode()


@pytest.mark.parametrize("query", [{}, {"state": "reported"}, {"severity": "low"}, {"q": "broken"}, {"q": "whole"}])
def test_the_list_is_found_by_state_severity_and_words(admin, query):
    make_defect()
    expected = 0 if query.get("severity") or query.get("q") == "whole" else 1
    assert admin.get(reverse(LIST), query).context["cl"].result_count == expected
