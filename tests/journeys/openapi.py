"""Read an OpenAPI document: its operations one by one, and for each a request that its own schemas allow."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Schema = Mapping[str, Any]
METHODS = ("get", "post", "put", "patch", "delete")
JSON = "application/json"

EXAMPLES: Mapping[str, Any] = {
    "uuid": "00000000-0000-7000-8000-000000000000",
    "date-time": "2026-01-01T12:00:00Z",
    "date": "2026-01-01",
    "time": "12:00:00",
    "email": "somebody@example.org",
    "uri": "https://example.org/",
    "decimal": "1.00",
}
# What is said in words and not in the schema: which text of three letters is a currency, which text is an amount.
NAMED: Mapping[str, Any] = {"currency": "EUR", "amount": "1.00", "color": "pink", "price": "1.00", "percent": "1"}

Choose = Callable[[str, Schema], Any]


@dataclass(frozen=True)
class Operation:
    """One method of one path."""

    document: Schema
    method: str
    path: str

    def __str__(self) -> str:
        return f"{self.method.upper()} {self.path}"

    @property
    def body(self) -> Schema:
        """The operation itself."""
        found: Schema = self.document["paths"][self.path][self.method]
        return found

    @property
    def tag(self) -> str:
        """The domain that it belongs to."""
        return str(self.body["tags"][0])

    @property
    def open(self) -> bool:
        """Whether one may call it without saying who one is."""
        return {} in self.body.get("security", [{}])

    def parameters(self, place: str) -> dict[str, Schema]:
        """Return the parameters of the ``path``, the ``query`` or the ``header``, by name."""
        return {one["name"]: one for one in self.body.get("parameters", ()) if one["in"] == place}

    @property
    def request(self) -> Schema | None:
        """The schema of the JSON body, if it takes one."""
        content = self.body.get("requestBody", {}).get("content", {})
        return self.resolve(content[JSON]["schema"]) if JSON in content else None

    @property
    def statuses(self) -> set[str]:
        """The statuses that are documented; ``default`` among them where it stands for any other problem."""
        return set(self.body["responses"])

    def answers(self, status: str) -> Schema | None:
        """Return the schema of a JSON answer."""
        content = self.body["responses"].get(status, {}).get("content", {})
        return self.resolve(content[JSON]["schema"]) if JSON in content else None

    def resolve(self, schema: Schema) -> Schema:
        """Follow references, and the ``allOf`` around one."""
        while True:
            if "$ref" in schema:
                schema = self.document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
            elif len(schema.get("allOf", ())) == 1:
                schema = schema["allOf"][0]
            else:
                return schema

    def address(self, values: Mapping[str, Any]) -> str:
        """Return the path with its parameters filled in."""
        return self.path.format(**values)

    def example(self, choose: Choose = lambda _name, _schema: None, *, whole: bool = False) -> Any:
        """Return a body that is allowed: what is required, or the first property where nothing is; ``whole`` is all.

        ``choose`` is asked first for each value, by its name and schema, and returns ``None`` where it knows none.
        """
        return None if self.request is None else self.example_of("", self.request, choose, whole=whole)

    def example_of(
        self, name: str, given: Schema, choose: Choose = lambda _name, _schema: None, *, whole: bool = False
    ) -> Any:
        """Return a value that the schema of this name allows."""
        schema = self.resolve(given)
        if (chosen := choose(name, schema)) is not None:
            return chosen
        for known in ("example", "const", "default"):
            if known in given or known in schema:
                return given.get(known, schema.get(known))
        if alternatives := schema.get("oneOf") or schema.get("anyOf"):
            return self.example_of(name, alternatives[0], choose, whole=whole)
        kind = schema.get("type")
        kind = kind[0] if isinstance(kind, list) else kind
        if "enum" in schema:
            named = NAMED.get(name)
            return named if named in schema["enum"] else schema["enum"][0]
        if kind == "object":
            properties = schema.get("properties", {})
            names = list(properties) if whole else schema.get("required") or list(properties)[:1]
            return {one: self.example_of(one, properties[one], choose, whole=whole) for one in names}
        if kind == "array":
            return [self.example_of(name, schema["items"], choose, whole=whole)]
        return _plain(name, kind, schema)


def _plain(name: str, kind: str | None, schema: Schema) -> Any:
    if kind == "string":
        value = str(EXAMPLES.get(schema.get("format", ""), NAMED.get(name, name or "text")))
        return value.ljust(schema.get("minLength", 0), "x")[: schema.get("maxLength")]
    if kind in ("integer", "number"):
        return schema.get("minimum", 1)
    return kind == "boolean"


def operations(document: Schema) -> Iterator[Operation]:
    """Return each operation of the document, in its order."""
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                yield Operation(document, method, path)
