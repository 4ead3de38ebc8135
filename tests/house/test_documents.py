"""What the documents name is there."""

import ast
import importlib
import importlib.util
import re
from pathlib import Path

import pytest
from django.core.management import get_commands

ROOT = Path(__file__).resolve().parents[2]
LAW = ROOT / "packages/wallet/src/holdfast_wallet/migrations/sql"


def test_the_page_of_triggers_names_each_trigger_and_no_other():
    page = (ROOT / "docs/reference/triggers.md").read_text()
    named = set(re.findall(r"`(holdfast_wallet_\w+?_(?:guard|rules|post|place|end|check\w*))`", page))
    made = {
        name
        for path in (LAW / "postgresql.sql", LAW / "sqlite.sql")
        for name in re.findall(r"CREATE TRIGGER (\w+)", path.read_text())
    }
    assert named == made


def test_each_command_that_the_documents_tell_to_run_exists():
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md"), *(ROOT / "packages").glob("*/README.md")]
    told = {
        command
        for page in pages
        if "_build" not in page.parts
        for command in re.findall(r"manage\.py ([a-z_]+)", page.read_text())
    }
    project = {path.stem for path in (ROOT / "example_project").glob("*/management/commands/*.py")}
    assert told - set(get_commands()) - project == set()


GUIDES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("[!_]*/*.md")])


@pytest.mark.parametrize("page", GUIDES, ids=lambda page: page.stem)
def test_the_python_of_a_page_can_be_read_and_imports_what_there_is(page):
    for block in re.findall(r"```python\n(.*?)```", page.read_text(), flags=re.DOTALL):
        for node in ast.walk(ast.parse(block)):
            if isinstance(node, ast.ImportFrom) and str(node.module).startswith("holdfast"):
                module = importlib.import_module(str(node.module))
                for alias in node.names:
                    assert hasattr(module, alias.name) or importlib.util.find_spec(f"{node.module}.{alias.name}")


@pytest.mark.parametrize("page", GUIDES, ids=lambda page: page.stem)
def test_each_link_of_a_page_leads_somewhere(page):
    links = re.findall(r"\]\((?!https?:)([^)#]+)[^)]*\)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []
