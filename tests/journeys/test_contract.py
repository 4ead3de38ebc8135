"""The API keeps what its document promises, whatever is sent: Schemathesis makes it up, allowed and not.

``nox -s contract`` tries two hundred requests for each operation; the ordinary tests a few.
"""

import os
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from config.wsgi import application
from people.models import User
from tests.journeys.calling import bearer, document, everything, ids_of, make_operator
from tests.journeys.objects import KINDS

# For each operation it makes up several requests: the longest of the journeys, and the same under each Django. What is
# too large for one database is none of another's business: it runs on both.
pytestmark = pytest.mark.slow

EXAMPLES = int(os.environ.get("EXAMPLES", "3"))
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
    unsupported_method,
]
# Its answer has an end only when its time is over.
STREAMS = {
    one.path for one in everything() if "text/event-stream" in one.body["responses"].get("200", {}).get("content", {})
}

IDS = {one.path: ids_of(one) for one in everything()}
UUIDS = {
    (one.path, name)
    for one in everything()
    for name, given in one.parameters("path").items()
    if given["schema"].get("format") == "uuid"
}

api = schemathesis.openapi.from_dict(dict(document()))
api.app = application
api.config.phases.coverage.enabled = EXAMPLES > 10
# What is nonsense may also be refused because it is of another version than the one that there is.
rejection = api.config.checks.negative_data_rejection
rejection.expected_statuses = [*rejection.expected_statuses, "412"]


@pytest.fixture(autouse=True)
def _one_connection() -> Iterator[None]:
    # Between requests Django closes a connection that is in a transaction, as the test's is; its own client sees to it.
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def operator(db: None) -> User:
    return make_operator()


def _is_id(text: str, path: str, name: str) -> bool:
    """Tell whether what was made up could be the id of something: what is to be nonsense shall stay nonsense."""
    if (path, name) not in UUIDS:
        return bool(text)
    try:
        return bool(UUID(text))
    except ValueError:
        return False


@api.exclude(path=sorted(STREAMS)).parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=EXAMPLES < 50,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_the_answer_is_one_that_the_document_promises(case: Any, operator: User):
    for kind in IDS[case.path]:
        name = kind.rpartition("{")[2].rstrip("}")
        given = str(case.path_parameters.get(name, ""))
        # Of the ids that are made up, every second is one that there is.
        if _is_id(given, case.path, name) and ord(given[-1]) % 2:
            case.path_parameters |= KINDS[kind].path_of(operator, name)
    case.call_and_validate(headers=bearer(operator), checks=CHECKS)
