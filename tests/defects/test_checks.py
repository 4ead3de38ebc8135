"""What is wrong with a host is said at start-up."""

import pytest
from django.core.checks import run_checks

pytestmark = pytest.mark.django_db  # Django 6.1 asks SQLite whether it has JSON

DUMMY = {"BACKEND": "holdfast_defects.backends.dummy.DummyCounter"}


def ids(*, deploy=False):
    return [
        message.id
        for message in run_checks(include_deployment_checks=deploy)
        if message.id.startswith("holdfast_defects")
    ]


@pytest.mark.parametrize(
    ("value", "error"),
    [
        ([], "holdfast_defects.E001"),
        ({"COUNTERS": DUMMY}, "holdfast_defects.E002"),
        ({"COUNTER": "dummy"}, "holdfast_defects.E003"),
        ({"COUNTER": {"BACKEND": "holdfast_defects.backends.nothing.Counter"}}, "holdfast_defects.E004"),
    ],
)
def test_a_setting_that_cannot_work_is_an_error(settings, value, error):
    settings.HOLDFAST_DEFECTS = value
    assert ids() == [error]


def test_a_deployment_that_counts_for_nobody_is_told(settings):
    assert ids() == []
    assert ids(deploy=True) == ["holdfast_defects.W001"]
    settings.HOLDFAST_DEFECTS = {"COUNTER": {"BACKEND": "holdfast_defects.backends.console.ConsoleCounter"}}
    assert ids(deploy=True) == []
