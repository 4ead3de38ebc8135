"""The feed: who looks on sees what happens to the defects, as it happens."""

import json

import pytest
from django.test import Client

from holdfast_defects import services
from holdfast_defects.testing import make_defect, make_user

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]


def test_a_page_sees_a_defects_life_as_it_happens():
    user = make_user()
    page = Client()
    page.force_login(user)
    response = page.get("/api/defects/events", headers={"Accept": "text/event-stream"})
    parts = iter(response)
    next(parts)

    defect = make_defect(user=user)
    services.change_defect(defect_id=defect.pk, comment="It floods.")
    services.triage_defect(defect_id=defect.pk)
    services.delete_defect(defect_id=defect.pk, user_id=user.pk)

    about = {"defect_id": str(defect.pk), "user_id": user.pk}
    told = [json.loads(next(parts).decode().partition("data: ")[2]) for _event in range(4)]
    assert [(one["type"], one["data"]) for one in told] == [
        ("holdfast_defects.defect_reported.v1", about),
        ("holdfast_defects.defect_changed.v1", about | {"version": 2}),
        ("holdfast_defects.defect_moved.v1", about | {"version": 3, "source": "reported", "target": "triaged"}),
        ("holdfast_defects.defect_deleted.v1", about),
    ]
    response.close()
