"""What a domain keeps, and where its tables end."""

from collections.abc import Iterator

import pytest
from django.apps import apps
from django.conf import settings
from django.db import models
from django.db.migrations.loader import MigrationLoader

from tests.house.rooms import Package, packages

each_package = pytest.mark.parametrize("package", packages(), ids=str)


def models_of(package: Package) -> Iterator[type[models.Model]]:
    return iter(apps.get_app_config(package.module).get_models(include_auto_created=True))


@each_package
def test_the_label_is_the_module(package):
    config = apps.get_app_config(package.module)

    assert config.label == config.name == package.module


@each_package
def test_the_primary_keys_do_not_depend_on_the_host_or_on_the_release_of_django(package):
    config = apps.get_app_config(package.module)

    assert "default_auto_field" in vars(type(config))


@each_package
def test_no_foreign_key_leaves_the_package_but_to_the_user(package):
    strays = [
        f"{model.__name__}.{field.name} -> {field.related_model._meta.label}"
        for model in models_of(package)
        for field in model._meta.concrete_fields
        if field.is_relation and field.related_model._meta.app_label != package.module
        if field.related_model._meta.label != settings.AUTH_USER_MODEL
    ]

    assert strays == []


@each_package
def test_each_table_constraint_and_index_is_named_after_the_package(package):
    names = [model._meta.db_table for model in models_of(package)]
    for model in models_of(package):
        names += [named.name for named in (*model._meta.constraints, *model._meta.indexes)]

    assert [name for name in names if not name.startswith(f"{package.module}_")] == []


@each_package
def test_each_migration_can_be_undone(package):
    loader = MigrationLoader(connection=None)
    final = [
        f"{name}: {operation.describe()}"
        for (label, name), migration in loader.disk_migrations.items()
        if label == package.module
        for operation in migration.operations
        if not operation.reversible
    ]

    assert final == []
