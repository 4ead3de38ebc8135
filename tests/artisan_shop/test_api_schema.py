"""The OpenAPI document of the marketplace."""

import pytest
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.settings import patched_settings
from drf_spectacular.validation import validate_schema

from holdfast_artisan_shop.urls import urlpatterns

pytestmark = pytest.mark.any_database


@pytest.fixture(scope="module")
def schema():
    with patched_settings({"OAS_VERSION": "3.1.1", "TITLE": "Market"}), GENERATOR_STATS.silence():
        GENERATOR_STATS.reset()
        document = SchemaGenerator(patterns=urlpatterns).get_schema(request=None, public=True)
        warnings = [*GENERATOR_STATS._warn_cache, *GENERATOR_STATS._error_cache]
        validate_schema(document)
    assert warnings == []
    return document


def operations(schema):
    return [(method, path, one) for path, methods in schema["paths"].items() for method, one in methods.items()]


def test_each_route_is_described_and_grouped(schema):
    assert len(schema["paths"]) == len(urlpatterns)
    for method, path, operation in operations(schema):
        assert operation["summary"], (method, path)
        assert operation["description"], (method, path)
        assert operation["tags"] == ["holdfast_artisan_shop"]
    names = [operation["operationId"] for _method, _path, operation in operations(schema)]
    assert len(names) == len(set(names))
    assert not [name for name in names if name[-1].isdigit()], "drf-spectacular tells two of one name apart so."


def test_each_operation_says_which_problems_it_answers(schema):
    for method, path, operation in operations(schema):
        assert "application/problem+json" in operation["responses"]["400"]["content"], (method, path)
        if "_id}" in path and (method, path) != ("get", "/shops/{shop_id}/members/{member_id}/"):
            assert "holdfast_artisan_shop." in operation["responses"]["404"]["description"], (method, path)


def test_what_nobody_has_to_sign_in_for(schema):
    open_to_all = {path for method, path, one in operations(schema) if method == "get" and {} in one["security"]}
    assert open_to_all == {
        "/categories/",
        "/categories/{category_id}/",
        "/products/",
        "/products/geosearch/",
        "/products/{product_id}/",
        "/products/{product_id}/recommendations/",
        "/products/{product_id}/reviews/",
        "/shops/",
        "/shops/near/",
        "/shops/{shop_id}/",
        "/shops/{shop_id}/slots/",
        "/tracking/{token}/",
    }
    assert not [path for method, path, one in operations(schema) if method != "get" and {} in one["security"]]


def test_each_body_has_an_example(schema):
    for method, path, operation in operations(schema):
        if "requestBody" in operation:
            (content,) = operation["requestBody"]["content"].values()
            assert content.get("examples"), (method, path)


def test_money_is_text_never_a_number(schema):
    assert schema["components"]["schemas"]["Money"]["properties"]["amount"]["type"] == "string"


def test_our_words_have_one_name_each(schema):
    words = schema["components"]["schemas"]
    assert words["OrderState"]["enum"][0] == "pending"
    assert {"ShopState", "OrderState", "PaymentState", "DeliveryState", "Fulfillment", "MoveKind"} <= words.keys()
    assert not [name for name in words if name.endswith("Enum") and name.startswith(("State", "Kind"))]
