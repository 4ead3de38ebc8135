"""The words by which others know a package: codes, types of events, settings."""

import re
from collections import defaultdict

import pytest

from holdfast import errors, events
from holdfast.conf import AppSettings, BackendSpec, load_backend
from scripts.readme_tables import declared_in
from tests.house.rooms import domains, packages

each_package = pytest.mark.parametrize("package", packages(), ids=str)


@each_package
def test_each_refusal_has_a_message_and_a_code_of_its_package(package):
    for refusal in declared_in(package, errors.Refusal):
        assert refusal.title().endswith("."), f"{refusal.__name__} needs a docstring: it is the message."
        assert re.fullmatch(rf"{package.module}(\.[a-z][a-z0-9_]*)+", refusal.code), refusal.__name__


def test_each_refusal_has_a_code_of_its_own():
    by_code = defaultdict(set)
    for package in packages():
        for refusal in declared_in(package, errors.Refusal):
            by_code[refusal.code].add(refusal.__qualname__)

    assert {code: names for code, names in by_code.items() if len(names) > 1} == {}


@each_package
def test_each_event_is_named_after_its_package_and_explained(package):
    for event in declared_in(package, events.Event):
        assert re.fullmatch(rf"{package.module}\.[a-z][a-z0-9_]*\.v[1-9][0-9]*", event.type)
        assert event.__doc__, f"{event.__name__} needs a docstring."


@each_package
def test_each_setting_begins_with_the_name_of_its_package(package):
    declared = declared_in(package, AppSettings)
    names = [declaration.setting for declaration in declared]

    assert [name for name in names if not name.startswith(package.module.upper())] == []


@pytest.mark.parametrize("package", domains(), ids=str)
def test_a_domain_has_one_dict_of_settings(package):
    assert [declaration.setting for declaration in declared_in(package, AppSettings)] == [package.module.upper()]


@each_package
def test_each_default_backend_is_of_its_own_package_and_can_be_loaded(package):
    for declaration in declared_in(package, AppSettings):
        for setting in declaration.declared.values():
            if setting.type is BackendSpec:
                assert setting.default["BACKEND"].startswith(f"{package.module}.backends."), setting.name
                assert load_backend(setting.default)
