"""The tables and diagrams of the packages' READMEs, made from the code.

::

    python -m scripts.readme_tables             tell which READMEs differ from the code
    python -m scripts.readme_tables --write     write them again

A README holds them between markers, ``<!-- settings:begin -->`` and ``<!-- settings:end -->``; likewise ``events``,
``errors`` and ``states``.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, get_args, get_origin

import django
from django.apps import apps
from django.db import models
from django_fsm import FSMFieldMixin

from holdfast import errors, events
from holdfast.conf import AppSettings, BackendSpec
from tests.house.rooms import Package, packages

KINDS = (errors.NotFound, errors.Conflict, errors.Invalid, errors.Denied, errors.Unavailable)


def declared_in(package: Package, base: type) -> list[type]:
    """Return the classes of a package below a base, in the order in which they are written."""
    found: dict[type, None] = {}
    for module in package.modules():
        for value in vars(module).values():
            if isinstance(value, type) and issubclass(value, base) and value.__module__ == module.__name__:
                found[value] = None
    return [value for value in found if value is not base]


def refusals(package: Package) -> list[type[errors.Refusal]]:
    """Return what a package may answer: each class of one of the five kinds."""
    return [refusal for refusal in declared_in(package, errors.Refusal) if issubclass(refusal, KINDS)]


def state_machines(package: Package) -> Iterator[tuple[type[models.Model], str]]:
    """Yield each model of a package that has a state machine, with the field of its state."""
    for model in apps.get_app_config(package.module).get_models():
        for field in model._meta.concrete_fields:
            if isinstance(field, FSMFieldMixin):
                yield model, field.name


def settings_table(package: Package) -> str:
    """Return the settings: one table for each dict."""
    parts = []
    for declaration in declared_in(package, AppSettings):
        rows = [
            (f"`{one.name}`", _type(one.type), f"`{_default(one.default)}`", one.description)
            for one in declaration.declared.values()  # type: ignore[attr-defined]  # declared_in says so
        ]
        parts.append(f"`{declaration.setting}`\n\n" + _table(("Key", "Type", "Default", "Meaning"), rows))  # type: ignore[attr-defined]  # as above
    return "\n\n".join(parts)


def events_table(package: Package) -> str:
    """Return the events."""
    rows = [
        (f"`{event.type}`", _first_line(event), ", ".join(f"`{field.name}`" for field in dataclasses.fields(event)))  # type: ignore[attr-defined]  # declared_in says so
        for event in declared_in(package, events.Event)
    ]
    return _table(("Event", "Meaning", "Fields"), rows) if rows else ""


def errors_table(package: Package) -> str:
    """Return the refusals."""
    rows = [(f"`{refusal.code}`", str(refusal.status), _first_line(refusal)) for refusal in refusals(package)]
    return _table(("Code", "Status", "Message"), rows) if rows else ""


def states_diagrams(package: Package) -> str:
    """Return a diagram of each state machine."""
    from holdfast.testing import state_diagram  # noqa: PLC0415 - its package has models, which need Django set up

    diagrams = [
        f"**{model.__name__}**\n\n```mermaid\n{state_diagram(model, field).strip()}\n```"
        for model, field in state_machines(package)
    ]
    return "\n\n".join(diagrams)


SECTIONS: Mapping[str, Callable[[Package], str]] = {
    "settings": settings_table,
    "states": states_diagrams,
    "events": events_table,
    "errors": errors_table,
}


def section_of(readme: str, name: str) -> str | None:
    """Return what stands between a section's markers, or ``None`` where there are none."""
    found = re.search(rf"<!-- {name}:begin -->\n(.*?)<!-- {name}:end -->", readme, re.DOTALL)
    return found[1].strip() if found else None


def rewritten(readme: str, package: Package) -> str:
    """Return a README with its marked sections made again."""
    for name, make in SECTIONS.items():
        begin, end = f"<!-- {name}:begin -->\n", f"<!-- {name}:end -->"
        if section_of(readme, name) is not None:
            before, _, rest = readme.partition(begin)
            readme = f"{before}{begin}{make(package)}\n{end}{rest.partition(end)[2]}"
    return readme


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *([cell.replace("|", "\\|") for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _first_line(of: type) -> str:
    # A docstring is reStructuredText, a README is Markdown.
    return (of.__doc__ or "").strip().partition("\n")[0].replace("``", "`")


def _type(kind: Any) -> str:
    if kind is BackendSpec:
        return "backend"
    if get_origin(kind) is Literal:
        return " or ".join(f"`{value!r}`" for value in get_args(kind))
    if get_origin(kind) is None:
        return "None" if kind is type(None) else kind.__name__
    if get_origin(kind) in (list, tuple, dict):
        parts = [_type(part) for part in get_args(kind) if part is not ...]
        return f"{get_origin(kind).__name__} of {' to '.join(parts)}"
    return " or ".join(_type(part) for part in get_args(kind))


def _default(value: Any) -> str:
    # A backend without options is its path.
    return value["BACKEND"] if isinstance(value, dict) and value.keys() == {"BACKEND"} else repr(value)


def main() -> int:
    """Compare or write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="write the READMEs that differ")
    write = parser.parse_args().write
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.house.settings"
    django.setup()
    stale = 0
    for package in packages():
        readme = package.readme.read_text()
        fresh = rewritten(readme, package)
        if fresh != readme:
            stale += 1
            print(f"{package.readme.relative_to(package.folder.parents[1])} {'written' if write else 'differs'}")
            if write:
                package.readme.write_text(fresh)
    return 1 if stale and not write else 0


if __name__ == "__main__":
    sys.exit(main())
