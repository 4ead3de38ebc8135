"""The OpenAPI document is complete: drf-spectacular finds nothing to warn of, and a validator nothing to refuse."""

import json

import pytest
from django.core.management import call_command
from django.urls import path
from drf_spectacular.generators import SchemaGenerator
from rest_framework.permissions import SAFE_METHODS, BasePermission

from holdfast.api.schema import document
from holdfast.api.views import DomainAPIView

PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}


pytestmark = pytest.mark.django_db  # a model's validators ask the database for its ranges


@pytest.fixture
def schema():
    return json.loads(json.dumps(SchemaGenerator().get_schema(public=True), default=str))


def parameters(operation, place):
    return {parameter["name"]: parameter for parameter in operation.get("parameters", []) if parameter["in"] == place}


def test_the_document_is_valid_and_without_a_warning(tmp_path):
    call_command("spectacular", "--validate", "--fail-on-warn", file=str(tmp_path / "openapi.yaml"))

    assert (tmp_path / "openapi.yaml").read_text().startswith("openapi: 3.1.1")


def test_every_operation_says_which_problems_it_answers(schema):
    operations = [operation for path in schema["paths"].values() for operation in path.values()]
    ours = [operation for operation in operations if operation["tags"] == ["tests"]]
    assert len(ours) >= 12
    for operation in ours:
        assert operation["responses"]["default"]["content"] == PROBLEM
        assert operation["responses"]["400"]["content"] == PROBLEM


def test_a_refusal_that_a_method_names_is_told_by_its_code(schema):
    responses = schema["paths"]["/api/notes"]["post"]["responses"]

    assert set(responses) == {"201", "400", "401", "409", "422", "default"}
    assert "`host.door_jammed`: The door is jammed." in responses["409"]["description"]
    assert "`holdfast.request_still_running`" in responses["409"]["description"]
    assert "`holdfast.idempotency_key_reused`" in responses["422"]["description"]


def test_an_idempotent_method_takes_a_key(schema):
    optional = parameters(schema["paths"]["/api/notes"]["post"], "header")["Idempotency-Key"]
    demanded = parameters(schema["paths"]["/api/notes/twice"]["post"], "header")["Idempotency-Key"]

    assert (optional["required"], demanded["required"]) == (False, True)
    assert parameters(schema["paths"]["/api/notes"]["get"], "header") == {}


def test_a_page_wraps_its_results(schema):
    operation = schema["paths"]["/api/notes"]["get"]
    page = operation["responses"]["200"]["content"]["application/json"]["schema"]

    assert page == {"$ref": "#/components/schemas/NoteOutputPage"}
    wrapper = schema["components"]["schemas"]["NoteOutputPage"]
    assert wrapper["required"] == ["next", "previous", "results"]
    assert wrapper["properties"]["results"]["items"] == {"$ref": "#/components/schemas/NoteOutput"}
    assert set(parameters(operation, "query")) == {"cursor", "page_size"}


def test_money_is_one_component_of_text(schema):
    money = schema["components"]["schemas"]["Money"]

    assert money["required"] == ["amount", "currency"]
    assert {name: member["type"] for name, member in money["properties"].items()} == {
        "amount": "string",
        "currency": "string",
    }
    assert schema["components"]["schemas"]["NoteInput"]["properties"]["price"] == {"$ref": "#/components/schemas/Money"}


def test_a_guarded_method_takes_if_match(schema):
    operation = schema["paths"]["/api/notes/{note_id}"]["put"]

    assert parameters(operation, "header")["If-Match"]["required"] is True
    assert {"412", "428"} <= set(operation["responses"])


def test_a_query_is_told_field_by_field(schema):
    query = parameters(schema["paths"]["/api/notes/search"]["get"], "query")

    assert {"text", "cursor", "page_size"} <= set(query)
    assert query["text"]["required"] is True


def test_operations_are_grouped_by_their_app_and_described_by_their_docstring(schema):
    operation = schema["paths"]["/api/notes"]["post"]

    assert operation["tags"] == ["tests"]
    assert operation["description"] == "Write a note."


def test_an_answer_without_a_body_says_so(schema):
    assert "content" not in schema["paths"]["/api/notes/{note_id}"]["delete"]["responses"]["204"]


class Readable(BasePermission):
    def has_permission(self, request, view):
        return request.method in SAFE_METHODS or request.user.is_authenticated


class BoardView(DomainAPIView):
    permission_classes = [Readable]

    @document()
    def get(self, request):
        """Read the board."""

    @document()
    def post(self, request):
        """Write on it."""


def test_an_operation_that_lets_in_nobody_says_so_whatever_its_permission_is():
    made = SchemaGenerator(patterns=[path("board", BoardView.as_view())]).get_schema(public=True)

    board = made["paths"]["/board"]
    assert {} in board["get"]["security"]
    assert {} not in board["post"]["security"]
