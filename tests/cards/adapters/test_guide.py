"""The guide to adding a provider, followed to the letter: its adapter, its settings, its test."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from holdfast_cards.testing.contract import HttpProviderContract
from holdfast_cards.testing.sandbox.books import Reply
from holdfast_cards.testing.sandbox.dialects.base import json_object
from holdfast_cards.testing.sandbox.listener import Listener

GUIDE = Path(__file__).parents[3] / "docs/guides/add-a-card-provider.md"
SETTINGS = """
SECRET_KEY = "scratch"
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "holdfast", "holdfast_cards"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
ROOT_URLCONF = "holdfast_cards.urls"
USE_TZ = True
"""


class Nordcard:
    """What the guide says of the provider: a card's token is its client's choice, and a repetition finds the card."""

    def __init__(self):
        self.cards = {}

    def answer(self, request, line):
        line.send(self.reply(request))

    def reply(self, request):
        if request.headers.get("authorization") != "Bearer test":
            return Reply.of(401, {"error": "who_are_you"})
        _, *rest = request.path.strip("/").split("/")
        if request.method == "POST":
            wanted = json_object(request.body)
            card = {**wanted, "state": "IN_PRODUCTION", "valid_until": "2030-12-31", "last4": "4242", "pan": "4" * 16}
            return Reply.of(201, self.cards.setdefault(wanted["token"], card))
        if rest[0] not in self.cards:
            return Reply.of(404, {"error": "no_such_card"})
        if request.method == "PUT":
            self.cards[rest[0]] |= json_object(request.body)
        return Reply.of(200, self.cards[rest[0]])


def block(beginning):
    found = re.findall(r"```python\n(.*?)```", GUIDE.read_text(), flags=re.DOTALL)
    return next(text for text in found if text.startswith(beginning))


@pytest.mark.slow
def test_the_guide_leads_to_an_adapter_that_keeps_the_contract(tmp_path):
    package = tmp_path / "myproject"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "nordcard.py").write_text(block("# myproject/nordcard.py"))
    (package / "settings.py").write_text(SETTINGS + block("HOLDFAST_CARDS"))
    (tmp_path / "pytest.ini").touch()
    (tmp_path / "test_nordcard.py").write_text(block("# tests/test_nordcard.py"))
    sandbox = Listener(Nordcard().answer)
    sandbox.listen()
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--ds=myproject.settings", "-c", "pytest.ini"],
        cwd=tmp_path,
        env={"PATH": "", "PYTHONPATH": f"{tmp_path}", "NORDCARD_SANDBOX": sandbox.url},
        capture_output=True,
        check=False,
        text=True,
    )
    checked = subprocess.run(
        [sys.executable, "-m", "django", "check"],
        cwd=tmp_path,
        env={"PATH": "", "PYTHONPATH": f"{tmp_path}", "DJANGO_SETTINGS_MODULE": "myproject.settings"},
        capture_output=True,
        check=False,
        text=True,
    )
    sandbox.close()

    assert done.returncode == 0, done.stdout
    tests = [name for name in dir(HttpProviderContract) if name.startswith("test_")]
    passed, skipped = (int(re.search(rf"(\d+) {word}", done.stdout)[1]) for word in ("passed", "skipped"))
    assert (passed, skipped) == (len(tests) - 3, 3)  # it lists no cards, replaces none, and has no log of events
    assert checked.returncode == 0, checked.stderr
