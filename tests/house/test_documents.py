"""What the documents name is there."""

import re
from pathlib import Path

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
