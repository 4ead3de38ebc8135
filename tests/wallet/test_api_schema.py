"""The OpenAPI document of the wallet."""

import pytest
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.settings import patched_settings
from drf_spectacular.validation import validate_schema

from holdfast_wallet.urls import urlpatterns


@pytest.fixture(scope="module")
def schema():
    with patched_settings({"OAS_VERSION": "3.1.1", "TITLE": "Wallet"}), GENERATOR_STATS.silence():
        GENERATOR_STATS.reset()
        document = SchemaGenerator(patterns=urlpatterns).get_schema(request=None, public=True)
        warnings = [*GENERATOR_STATS._warn_cache, *GENERATOR_STATS._error_cache]
        validate_schema(document)
    assert warnings == []
    return document


def operations(schema):
    return [
        (method, path, operation) for path, methods in schema["paths"].items() for method, operation in methods.items()
    ]


def test_each_route_is_described_and_grouped(schema):
    assert len(schema["paths"]) == len(urlpatterns)
    for method, path, operation in operations(schema):
        assert operation["summary"], (method, path)
        assert operation["description"], (method, path)
        assert operation["tags"] == ["holdfast_wallet"]


def test_each_operation_says_which_problems_it_answers(schema):
    for method, path, operation in operations(schema):
        assert "application/problem+json" in operation["responses"]["400"]["content"], (method, path)
        if "{" in path:
            assert "holdfast_wallet." in operation["responses"]["404"]["description"], (method, path)


def test_what_moves_money_says_that_it_needs_a_key(schema):
    needed = {
        path
        for method, path, operation in operations(schema)
        for parameter in operation.get("parameters", ())
        if parameter["name"] == "Idempotency-Key" and parameter["required"]
    }
    assert needed == {
        "/deposits/",
        "/exchanges/",
        "/holds/",
        "/holds/{hold_id}/capture/",
        "/transfers/",
        "/transfers/batch/",
        "/transfers/{transfer_id}/refunds/",
        "/withdrawals/",
    }


def test_each_body_has_an_example(schema):
    for method, path, operation in operations(schema):
        if "requestBody" in operation:
            (content,) = operation["requestBody"]["content"].values()
            assert content.get("examples"), (method, path)


def test_money_is_text_never_a_number(schema):
    assert schema["components"]["schemas"]["Money"]["properties"]["amount"]["type"] == "string"
