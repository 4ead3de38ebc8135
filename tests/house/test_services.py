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


@pytest.mark.parametrize("package", domains(), ids=str)
def test_no_service_knows_a_request(package):
    services = package.room("services")
    folder = Path(services.__file__)
    files = [folder] if folder.name != "__init__.py" else sorted(folder.parent.rglob("*.py"))
    for file in files:
        for node in ast.walk(ast.parse(file.read_text())):
            name = node.id if isinstance(node, ast.Name) else node.arg if isinstance(node, ast.arg) else ""
            assert name not in {"request", "HttpRequest", "Request"}, f"{file.name}:{node.lineno}"
