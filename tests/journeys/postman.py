"""The Postman collection of the whole API, made from its OpenAPI document; see docs/guides/call-the-api.md.

::

    python -m tests.journeys.postman     write it; a test tells when it is stale

Run from its first request to its last it is a story: whoever signs in makes objects, each answer leaves the id of what
was made in a variable, and the next requests use it. Every answer is compared with what the document promises.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.journeys.openapi import JSON, Operation, Schema, operations

FOLDER = Path(__file__).parents[2] / "docs" / "reference"
COLLECTION = FOLDER / "holdfast.postman_collection.json"
ENVIRONMENT = FOLDER / "holdfast.postman_environment.json"
SCHEMA = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"

# Who is needed before the others, and what ends an object: nothing can be tried on it afterwards.
FIRST = ("people", "auth", "holdfast_wallet")
ENDS = ("/close/", "/cancel", "/oppose", "/replace", "/reject", "/deactivate", "/release", "/holiday", "/decline")
# Whose answer names something that has its address elsewhere.
KEEPS = {"/checkout/": "purchase_id", "/slots/": "slot_id"}
# What the others wait for, and the steps of an order and of a defect, which nobody takes by the alphabet.
SOONER = ("/publish/",)
STEPS = (
    *("/pay/", "/start/", "/finish/", "/send/", "/fail/", "/reschedule/", "/deliver/", "/complete/", "/refund/"),
    *("/triage", "/start-repair", "/resolve", "/close", "/reopen"),
)

HEADERS = {"Idempotency-Key": "{{$guid}}", "If-Match": "{{etag}}", "X-CSRFToken": "{{csrf_token}}"}
# What has to be new, or belongs to who signs in.
VALUES: Mapping[str, str | None] = {
    "username": "{{$guid}}",
    "email": "{{$guid}}@example.org",
    "password": "{{password}}",
    "name": "Example {{$guid}}",
    "sku": "{{$guid}}",
    "refresh": "{{refresh}}",
    # The first account, from which orders are paid; the one that was just made receives.
    "account": "{{another_account_id}}",
    "source": "{{another_account_id}}",
    "target": "{{account_id}}",
    "brand": "{{brand_id}}",
    "category": "{{category_id}}",
    "shop": "{{shop_id}}",
    "shop_id": "{{shop_id}}",
    "product_id": "{{product_id}}",
    "slot": "{{slot_id}}",
    "parent": None,
    "amount": "1.00",
    "expires_at": "2099-01-01T00:00:00Z",
}
# Enough for all that follows; and a sale is cheaper than what it is of.
PATHS: Mapping[str, Mapping[str, str]] = {"/deposits/": {"amount": "500.00"}, "/flash-sales/": {"amount": "0.50"}}
# What makes the story whole, although it could be left out: an order is brought.
ADDED: Mapping[str, Mapping[str, Any]] = {
    "/v1/orders/": {
        "items": [{"product_id": "{{product_id}}", "variant_id": "{{variant_id}}", "quantity": 1}],
        "slot": "{{slot_id}}",
        "address": "27 Rue Brûlée",
    }
}
TEST = """
const documented = pm.variables.get("documented").split(" ");
const body = (pm.response.headers.get("Content-Type") || "").includes("json") ? pm.response.json() : null;

pm.test("answers as documented", () => {
    const status = pm.response.code;
    pm.expect(status).to.be.below(500);
    if (!documented.includes(String(status))) {
        pm.expect(documented).to.include("default");
        pm.expect(body).to.include.keys("code", "status", "request_id");
    }
});

// What the next requests need: tokens, the version that was read, the id of what was made or found.
if (pm.response.code < 300) {
    ["access", "refresh", "csrf_token"].filter(name => body && body[name])
        .forEach(name => pm.collectionVariables.set(name, body[name]));
    if (pm.response.headers.has("ETag")) pm.collectionVariables.set("etag", pm.response.headers.get("ETag"));
    const name = pm.variables.get("keeps");
    const list = body && (Array.isArray(body) ? body : body.results);
    const id = one => one && (one.id || one[name]);
    if (name && list && list.length) {
        if (!pm.collectionVariables.get(name)) pm.collectionVariables.set(name, id(list[0]));
        const other = list.find(one => id(one) !== pm.collectionVariables.get(name)) || list[0];
        pm.collectionVariables.set("another_" + name, id(other));
    } else if (name && body && id(body)) {
        pm.collectionVariables.set(name, id(body));
    }
}
"""


def collection(document: Schema) -> dict[str, Any]:
    """Return the collection (v2.1)."""
    tags: dict[str, list[Operation]] = {}
    for operation in sorted(operations(document), key=_place):
        tags.setdefault(operation.tag, []).append(operation)
    tags = {tag: list(_in_order(found)) for tag, found in tags.items()}
    names = [*FIRST, *sorted(set(tags) - set(FIRST))]
    return {
        "info": {"name": document["info"]["title"], "description": document["info"]["description"], "schema": SCHEMA},
        "auth": {"type": "bearer", "bearer": [{"key": "token", "value": "{{access}}", "type": "string"}]},
        "event": [_script("test", TEST)],
        "item": [{"name": tag, "item": [_item(operation) for operation in tags[tag]]} for tag in names],
    }


def environment() -> dict[str, Any]:
    """Return the environment: where the demo runs, and one of its people."""
    values = {"base_url": "http://127.0.0.1:8000", "username": "ada", "password": "holdfast-demo"}
    return {
        "name": "Holdfast, the demo",
        "values": [{"key": name, "value": value, "enabled": True} for name, value in values.items()],
        "_postman_variable_scope": "environment",
    }


def keeps(operation: Operation) -> str:
    """Return the variable that an operation's answer fills: the id in the paths below its own."""
    answer = next((operation.answers(status) for status in ("200", "201") if operation.answers(status)), None) or {}
    if answer.get("type") != "array" and not {"id", "results"} & set(answer.get("properties", ())):
        return next((variable for end, variable in KEEPS.items() if operation.path.endswith(end)), "")
    own = operation.path.rstrip("/")
    version, name = "/".join(own.split("/")[:3]), own.rpartition("/")[2]
    # Some are made below what they belong to, and have an address of their own afterwards.
    for start in (own, f"{version}/{name}"):
        below = re.compile(re.escape(start) + r"/\{(\w+)\}")
        if found := next(filter(None, map(below.match, operation.document["paths"])), None):
            return found[1]
    return next((variable for end, variable in KEEPS.items() if operation.path.endswith(end)), "")


def requests_of(made: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Return the requests of a collection, in their order."""
    for folder in made["item"]:
        yield from folder["item"]


def text(made: dict[str, Any]) -> str:
    """Return a file's text."""
    return json.dumps(made, indent=1, ensure_ascii=False) + "\n"


def _in_order(sorted_ones: list[Operation]) -> Iterator[Operation]:
    """Return the operations of a domain in their order, but each after the one that makes what it needs."""
    waiting = list(sorted_ones)
    made = {keeps(one) for one in waiting if one.method == "post"}
    missing = made | {keeps(one) for one in waiting}
    while waiting:
        one = next((one for one in waiting if not _needs(one) & missing), waiting[0])
        waiting.remove(one)
        # A list gives an id only where nothing makes one: it may be empty.
        if one.method == "post" or keeps(one) not in made:
            missing.discard(keeps(one))
        yield one


def _needs(operation: Operation) -> set[str]:
    in_body = re.findall(r"\{\{(\w+)\}\}", _body(operation) or "")
    return {*operation.parameters("path"), *in_body}


def _place(operation: Operation) -> tuple[bool, bool, bool, str, int, int]:
    ends = operation.method == "delete" or any(end in operation.path for end in ENDS)
    order = ("post", "get", "put", "patch", "delete")
    sooner = operation.path.endswith(SOONER)
    step = next((number for number, end in enumerate(STEPS) if operation.path.endswith(end)), len(STEPS))
    path = operation.path.removesuffix(STEPS[step]) + "/~" if step < len(STEPS) else operation.path
    return ends, ends and operation.method == "delete", not sooner, path, step, order.index(operation.method)


def _item(operation: Operation) -> dict[str, Any]:
    told = f'pm.variables.set("documented", "{" ".join(sorted(operation.statuses))}");'
    told += f'\npm.variables.set("keeps", "{keeps(operation)}");'
    request: dict[str, Any] = {
        "method": operation.method.upper(),
        "header": [{"key": name, "value": value} for name, value in _headers(operation).items()],
        "url": _url(operation),
        "description": operation.body.get("description", ""),
    }
    if operation.open:
        request["auth"] = {"type": "noauth"}
    if (body := _body(operation)) is not None:
        request["body"] = {"mode": "raw", "raw": body, "options": {"raw": {"language": "json"}}}
    name = operation.body.get("summary") or operation.body.get("description") or str(operation)
    return {"name": name, "event": [_script("prerequest", told)], "request": request}


def _headers(operation: Operation) -> dict[str, str]:
    content = next(iter(operation.body.get("requestBody", {}).get("content", {})), None)
    asked = {name: value for name, value in HEADERS.items() if name in operation.parameters("header")}
    return {**({"Content-Type": content} if content else {}), **asked}


def _url(operation: Operation) -> dict[str, Any]:
    names = operation.parameters("path")
    path = re.sub(r"\{(\w+)\}", r":\1", operation.path).strip("/").split("/")
    if operation.path.endswith("/"):
        path.append("")
    query = [
        {"key": name, "value": "", "description": one.get("description", ""), "disabled": True}
        if not one.get("required")
        else {"key": name, "value": str(operation.example_of(name, one["schema"]))}
        for name, one in operation.parameters("query").items()
    ]
    return {
        "raw": "{{base_url}}/" + "/".join(path),
        "host": ["{{base_url}}"],
        "path": path,
        **({"query": query} if query else {}),
        "variable": [{"key": name, "value": f"{{{{{name}}}}}"} for name in names],
    }


def _body(operation: Operation) -> str | None:
    if operation.request is None:
        content = operation.body.get("requestBody", {}).get("content", {})
        return None if not content or JSON in content else ""

    values = VALUES | {
        name: value for end, of_path in PATHS.items() if operation.path.endswith(end) for name, value in of_path.items()
    }

    def choose(name: str, schema: Schema) -> Any:
        if name == "username" and operation.tag == "auth":
            return "{{username}}"
        return values.get(name) if schema.get("type") == "string" and "enum" not in schema else None

    given = operation.body["requestBody"]["content"][JSON].get("examples", {})
    example = next((_filled("", one["value"], values) for one in given.values()), None)
    if example is None:
        example = operation.example(choose)
    for end, added in ADDED.items():
        if operation.path.endswith(end):
            example |= added
    return json.dumps(example, indent=2)


def _filled(name: str, value: Any, values: Mapping[str, str | None]) -> Any:
    """Return the document's own example, with what has to be new, or is ours."""
    if isinstance(value, dict):
        return {one: _filled(one, inner, values) for one, inner in value.items()}
    if isinstance(value, list):
        return [_filled(name, inner, values) for inner in value]
    return values.get(name, value) if isinstance(value, str) else value


def _script(moment: str, code: str) -> dict[str, Any]:
    return {"listen": moment, "script": {"type": "text/javascript", "exec": code.strip().splitlines()}}


def main() -> None:
    """Write the collection and its environment."""
    os.environ.setdefault("DATABASE_URL", "sqlite://:memory:")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.test")
    import django

    django.setup()
    from tests.journeys.calling import document

    COLLECTION.write_text(text(collection(document())))
    ENVIRONMENT.write_text(text(environment()))


if __name__ == "__main__":
    main()
