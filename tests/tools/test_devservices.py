"""The servers that tests, benchmarks and the demo stand on: private, and gone when nobody needs them."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from scripts import devservices
from scripts.devservices import Postgres, private_postgres, throwaway

SCRIPT = Path(devservices.__file__)
ADDRESSES = f"{sys.executable} -c \"import os; print(os.environ['DATABASE_URL'], os.environ['REDIS_URL'])\""


@pytest.fixture(autouse=True)
def a_folder_of_its_own(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Keep these servers apart from those of whoever works in this checkout."""
    with devservices.tempfile.TemporaryDirectory(prefix="devservices-") as folder:
        Path(folder).chmod(0o755)  # the servers of a root run as somebody else, who must be able to pass
        monkeypatch.setenv("TMPDIR", folder)
        monkeypatch.setattr(devservices.tempfile, "tempdir", None)
        monkeypatch.delenv("DATABASE_URL", raising=False)
        monkeypatch.delenv("REDIS_URL", raising=False)
        yield
    devservices.tempfile.tempdir = None


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, SCRIPT, *arguments], capture_output=True, text=True, check=False)


def ask(url: str, sql: str) -> list[tuple]:
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(sql)
        return cursor.fetchall() if cursor.description else []


def pid_of(postgres: Postgres) -> int:
    return int((postgres.data / "postmaster.pid").read_text().split()[0])


def throwaway_folders() -> list[Path]:
    return list((devservices.base_folder() / "throwaway").iterdir())


def test_a_crash_keeps_what_was_committed_and_the_address():
    with private_postgres(durable=True) as postgres:
        url = postgres.url
        ask(url, "CREATE TABLE kept AS SELECT 1 AS one")
        postgres.restart("immediate")

        assert postgres.url == url
        assert ask(url, "SELECT one FROM kept") == [(1,)]
        assert ask(url, "SHOW fsync") == [("on",)]


def test_when_the_block_ends_nothing_is_left():
    with throwaway() as services:
        pid = pid_of(services.postgres)
        assert ask(services.postgres.url, "SHOW fsync") == [("off",)]

    assert not devservices.command_of(pid)
    assert throwaway_folders() == []


def test_what_a_killed_run_leaves_behind_is_swept_up_by_the_next():
    holder = subprocess.Popen([sys.executable, SCRIPT, "run", sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    pid_file = "*/postgres/data/postmaster.pid"
    while not (found := list((devservices.base_folder()).glob(f"throwaway/{pid_file}"))):
        assert holder.poll() is None
        time.sleep(0.05)
    orphan = int(found[0].read_text().split()[0])
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    holder.stdin.close()

    with throwaway():
        assert not devservices.command_of(orphan)
    assert throwaway_folders() == []


def test_a_command_gets_addresses_and_gives_its_exit_code():
    done = run("run", "sh", "-c", f"{ADDRESSES}; exit 7")

    assert done.returncode == 7
    assert done.stdout.startswith("postgres://holdfast:")
    assert "redis://127.0.0.1:" in done.stdout


def test_an_address_of_the_environment_wins(monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgres://somebody@example.org/db")
    monkeypatch.setenv("REDIS_URL", "redis://example.org")
    done = run("run", "sh", "-c", ADDRESSES)

    assert done.stdout.split() == ["postgres://somebody@example.org/db", "redis://example.org"]


def test_lasting_servers_come_back_after_one_was_killed():
    try:
        first = devservices.up()
        pid = pid_of(first.postgres)
        ask(first.postgres.url, "CREATE TABLE kept AS SELECT 1 AS one")
        ask(first.postgres.url, "CHECKPOINT")  # a forgetful server may otherwise lose its last moment
        assert run("env").stdout == run("up").stdout

        os.kill(pid, signal.SIGKILL)
        while devservices.command_of(pid):
            time.sleep(0.01)
        second = devservices.up()

        assert ask(second.postgres.url, "SELECT one FROM kept") == [(1,)]
        assert second.running
    finally:
        devservices.down()
    assert run("env").returncode == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="only a root has something to drop")
def test_a_root_runs_no_server():
    with private_postgres() as postgres:
        owner = Path(f"/proc/{pid_of(postgres)}").stat().st_uid

    assert owner != 0
