"""Verbs: imperative functions that have never heard of a request."""

import ast
import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction

from tests.house.rooms import domains, packages


def verbs() -> Iterator[Callable[..., Any]]:
    for package in domains():
        services = package.room("services")
        for name, value in vars(services).items():
            if (
                inspect.isfunction(value)
                and not name.startswith("_")
                and value.__module__.startswith(services.__name__)
            ):
                yield value


def name_of(verb: Callable[..., Any]) -> str:
    return f"{verb.__module__}.{verb.__qualname__}"


each_verb = pytest.mark.parametrize("verb", list(verbs()), ids=name_of)


@each_verb
def test_a_verb_takes_keywords_only(verb):
    parameters = inspect.signature(verb).parameters.values()

    assert [one.name for one in parameters if one.kind not in (one.KEYWORD_ONLY, one.VAR_KEYWORD)] == []


@each_verb
def test_a_verb_is_annotated(verb):
    signature = inspect.signature(verb)

    assert [one.name for one in signature.parameters.values() if one.annotation is one.empty] == []
    assert signature.return_annotation is not signature.empty


@each_verb
def test_a_verb_says_what_it_does(verb):
    assert inspect.getdoc(verb)


@each_verb
def test_a_verb_has_never_heard_of_a_request(verb):
    assert not inspect.signature(verb).parameters.keys() & {"request", "user"}


@pytest.mark.parametrize("package", domains(), ids=str)
def test_no_service_imports_what_belongs_to_the_web(package):
    services = Path(package.room("services").__file__)
    for file in services.parent.rglob("*.py") if services.name == "__init__.py" else [services]:
        for node in ast.walk(ast.parse(file.read_text())):
            names = [node.module] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            web = [
                name for name in names if name and name.startswith(("django.http", "django.views", "rest_framework"))
            ]
            assert web == [], f"{file.name}:{node.lineno}"


# What of Django's transactions takes the name of a database, at which place, and means ``default`` without one.
PLACE_OF_USING = {
    name: list(inspect.signature(function).parameters).index("using")
    for name, function in vars(transaction).items()
    if inspect.isfunction(function) and "using" in inspect.signature(function).parameters
}


@pytest.mark.parametrize("package", packages(), ids=str)
def test_no_transaction_is_of_the_default_database_whatever_the_router_says(package):
    found = [
        f"{file.relative_to(package.folder)}:{line}"
        for file in sorted(package.folder.glob("src/**/*.py"))
        if "migrations" not in file.parts
        for line in without_a_database(ast.parse(file.read_text()))
    ]
    assert found == [], "Take holdfast.transactions.atomic_for(Model), or name the database with using=."


def without_a_database(tree: ast.AST) -> Iterator[int]:
    """Yield the lines on which a function of ``django.db.transaction`` is used that is not told which database."""
    told = {call.func for call in ast.walk(tree) if isinstance(call, ast.Call) and names_a_database(call)}
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(value=ast.Name(id="transaction"), attr=name) if name in PLACE_OF_USING:
                if node not in told:
                    yield node.lineno
            case ast.ImportFrom(module="django.db.transaction", names=names):
                if any(one.name in PLACE_OF_USING for one in names):
                    yield node.lineno  # without its module's name it would be overlooked above


def names_a_database(call: ast.Call) -> bool:
    place = PLACE_OF_USING.get(getattr(call.func, "attr", ""), len(call.args))
    return len(call.args) > place or any(keyword.arg == "using" for keyword in call.keywords)


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ("@transaction.atomic\ndef verb(): ...", [1]),
        ("@transaction.atomic()\ndef verb(): ...", [1]),
        ("def verb():\n    with transaction.atomic(durable=True): ...", [2]),
        ("transaction.on_commit(ring)", [1]),
        ("transaction.get_connection()", [1]),
        ("from django.db.transaction import atomic", [1]),
        ("with transaction.atomic(using=using(), durable=True): ...", []),
        ("transaction.on_commit(ring, using=using)", []),
        ("transaction.get_connection(using())", []),
        ("@atomic_for(Defect)\ndef verb(): ...", []),
        ("from django.db.transaction import TransactionManagementError", []),
    ],
)
def test_a_transaction_without_a_database_is_seen(source, lines):
    assert list(without_a_database(ast.parse(source))) == lines
