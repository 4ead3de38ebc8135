"""The repository as a whole: nothing forgotten when a package is added, and nothing of one machine in it."""

import ast
import configparser
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from tests.house.rooms import ROOT, domains, packages

PUBLIC_INDEX = "https://pypi.org/simple"
EMPTY_NAMES = {"utils", "helpers", "common", "misc"}

pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text())
linter = pyproject["tool"]["importlinter"]


def contracts(name: str) -> list[dict]:
    return [contract for contract in linter["contracts"] if contract["name"].startswith(f"{name}:")]


def tracked() -> list[Path]:
    """Return the files that a clone would have."""
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    names = subprocess.run(listed, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\0")
    return [ROOT / name for name in names if name and (ROOT / name).is_file()]


@pytest.mark.parametrize("package", packages(), ids=str)
def test_the_linter_knows_the_package(package):
    assert package.module in linter["root_packages"]


@pytest.mark.parametrize("domain", domains(), ids=str)
def test_the_contracts_hold_for_the_domain(domain):
    (floors,), (rooms,) = contracts("floors"), contracts("rooms")

    assert domain.module in floors["layers"][1].replace("|", " ").split()
    assert domain.module in rooms["containers"]
    assert all(domain.module in door["source_modules"] for door in contracts("doors") if "source_modules" in door)
    assert any(contract["protected_modules"] == [f"{domain.module}.models"] for contract in contracts("tables"))


@pytest.mark.parametrize("domain", domains(), ids=str)
def test_the_wiring_of_the_project_knows_no_tables_either(domain):
    # The linter's graph has packages only; reactions.py stands alone.
    for module in (ROOT / "example_project").glob("*.py"):
        names = {getattr(node, "module", None) for node in ast.walk(ast.parse(module.read_text()))}
        assert f"{domain.module}.models" not in names, module.name


@pytest.mark.parametrize("package", packages(), ids=str)
def test_the_package_is_tried_alone(package):
    tox = configparser.ConfigParser(interpolation=None)
    tox.read(ROOT / "tox.ini")
    name = package.folder.name

    assert (ROOT / "tests" / name / "settings.py").exists()
    assert all(name in re.split(r"\W+", line) for line in tox["tox"]["env_list"].split())


def test_the_lock_names_only_the_public_index():
    locked = tomllib.loads((ROOT / "uv.lock").read_text())["package"]
    registries = {package["source"].get("registry") for package in locked} - {None}
    files = {
        url.split("/")[2] for package in locked for wheel in package.get("wheels", []) if (url := wheel.get("url"))
    }

    assert registries == {PUBLIC_INDEX}
    assert files == {"files.pythonhosted.org"}


def test_no_module_has_a_name_that_says_nothing():
    assert [str(path) for path in tracked() if path.suffix == ".py" and path.stem in EMPTY_NAMES] == []


def test_no_path_of_anybodys_machine_is_in_the_tree():
    somebody = re.compile(rf"/(?:home|Users)/\w+/|(?<![\w.]){re.escape(str(ROOT))}(?!\w)")
    for path in tracked():
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            continue  # a picture or a font
        assert not (found := somebody.search(text)), f"{path.relative_to(ROOT)}: {found}"
