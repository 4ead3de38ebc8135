"""Verbs read and write where the router says that defects are written: a replica that lags behind decides nothing."""

import inspect
import uuid

import pytest
from django.test import override_settings

from holdfast.ids import uuid7
from holdfast_defects import services
from holdfast_defects.exceptions import DefectNotFound, StepNotAllowed, VersionOutdated
from holdfast_defects.testing import make_defect, make_user
from tests.defects.conftest import client_of
from tests.foundation.routers import ReplicaIsDown, a_primary_elsewhere

pytestmark = pytest.mark.django_db

APPS = ("holdfast", "holdfast_defects")
ADA = 4711
URL = "/api/defects"

# Every verb, and what it is given beside the id of a defect; in this order each of them succeeds.
REPORT = (services.report_defect, {"user_id": ADA, "comment": "It leaks."})
LIFE = [
    (services.change_defect, {"comment": "It floods."}),
    (services.triage_defect, {}),
    (services.start_repair, {}),
    (services.resolve_defect, {}),
    (services.close_defect, {}),
    (services.reopen_defect, {}),
    (services.reject_defect, {}),
    (services.delete_defect, {"user_id": ADA}),
]


@pytest.fixture
def ada(db):
    return make_user(pk=ADA)


def test_no_verb_is_left_out_here():
    verbs = {
        verb
        for name, verb in inspect.getmembers(services, inspect.isfunction)
        if verb.__module__ == services.__name__ and not name.startswith("_")
    }
    assert {verb for verb, _given in [REPORT, *LIFE]} == verbs


def test_no_verb_asks_a_replica(ada):
    with override_settings(DATABASE_ROUTERS=[ReplicaIsDown(*APPS)]):
        report, given = REPORT
        defect = report(**given)
        with pytest.raises(VersionOutdated):
            services.change_defect(defect_id=defect.pk, comment="It burns.", expected_version=7)
        with pytest.raises(StepNotAllowed):
            services.close_defect(defect_id=defect.pk)
        for verb, given in LIFE:
            verb(defect_id=defect.pk, **given)
        with pytest.raises(DefectNotFound):
            services.triage_defect(defect_id=defect.pk)


@pytest.mark.parametrize(
    ("verb", "given"),
    [REPORT, *((verb, {"defect_id": uuid7(), **given}) for verb, given in LIFE)],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_no_verb_begins_a_transaction_in_another_database_than_it_writes(verb, given):
    with a_primary_elsewhere(*APPS):
        verb(**given)


def test_whoever_writes_by_the_api_is_answered_without_a_replica(ada):
    client, key = client_of(ada), {"Idempotency-Key": str(uuid.uuid4())}
    with override_settings(DATABASE_ROUTERS=[ReplicaIsDown(*APPS)]):
        reported, again = (client.post(URL, {"comment": "It leaks."}, format="json", headers=key) for _time in range(2))
        one = f"{URL}/{reported.json()['id']}"
        answers = [
            reported,
            again,
            client.put(one, {"comment": "It floods."}, format="json", headers={"If-Match": '"1"'}),
            client.patch(one, {"severity": "high"}, format="json"),
            client.patch(one, {"severity": "low"}, format="json", headers={"If-Match": '"1"'}),
            client.post(f"{one}/triage"),
            client.post(f"{one}/triage"),
            client.delete(one),
            client.delete(one),
        ]
    assert [answer.status_code for answer in answers] == [201, 201, 200, 200, 412, 200, 409, 204, 404]
    assert reported.json() == again.json()


def test_who_only_reads_is_sent_to_the_replica(ada):
    defect, client = make_defect(user=ada), client_of(ada)
    with override_settings(DATABASE_ROUTERS=[ReplicaIsDown(*APPS)]):
        answers = [client.get(address).status_code for address in (URL, f"{URL}/{defect.pk}")]
    assert answers == [500, 500]  # where it is down, as here
