"""A bank of eight processes whose tellers are shot and whose database crashes: afterwards every cent is explained.

Five seconds here; ``BANK_SECONDS=60`` is the whole minute.
"""

import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from scripts.devservices import private_postgres

ROOT = Path(__file__).parents[2]
SECONDS = float(os.environ.get("BANK_SECONDS", "5"))
TELLERS = 8
TURNS = 6

pytestmark = [pytest.mark.postgres, pytest.mark.slow]


class Bank:
    """The tellers of one database."""

    def __init__(self, url, path):
        self.path = path
        self.environment = {**os.environ, "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "tests.wallet.settings"}
        self.tellers = []

    def command(self, what):
        return [sys.executable, "-m", "tests.wallet.teller", what, str(self.path)]

    def run(self, what):
        done = subprocess.run(
            self.command(what), env=self.environment, cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def hire(self):
        self.tellers.append(subprocess.Popen(self.command("work"), env=self.environment, cwd=ROOT))

    def shoot(self, teller):
        self.tellers.remove(teller)
        died = teller.poll()
        teller.kill()
        teller.wait()
        assert died is None, "A teller died of something else."

    def acknowledged(self):
        notes = self.path.with_suffix(".acknowledged")
        return len(notes.read_text().split()) if notes.exists() else 0


def test_no_cent_is_lost_when_tellers_are_killed_and_the_database_crashes(tmp_path):
    with private_postgres(durable=True) as postgres:
        bank = Bank(postgres.url, tmp_path / "bank.json")
        bank.run("open")
        try:
            for _ in range(TELLERS):
                bank.hire()
            deadline = time.monotonic() + 180
            while not bank.acknowledged() and time.monotonic() < deadline:
                time.sleep(0.1)  # they are still importing
            for turn in range(TURNS):
                time.sleep(SECONDS / TURNS)
                bank.shoot(random.choice(bank.tellers))
                bank.hire()
                if turn % 3 == 2:
                    postgres.restart("immediate")
        finally:
            while bank.tellers:
                bank.shoot(bank.tellers[0])
        outcome = json.loads(bank.run("check"))

    assert outcome["findings"] == []
    assert outcome["missing"] == 0
    # Each transfer was told in its own transaction: as many events as transfers, whatever was killed when.
    assert outcome["told"] == outcome["transfers"] == outcome["sealed"]
    assert outcome["acknowledged"] > 0
