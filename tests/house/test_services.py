"""Verbs: imperative functions that have never heard of a request."""

import ast
import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.house.rooms import domains


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
