"""What ``make demo`` does before anything runs: ports, what another version has left, and who comes in between."""

import importlib
import os
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

SCRIPTS = Path(__file__).parents[2] / "scripts"


@pytest.fixture
def demo(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModuleType:
    """The script, with a folder of its own."""
    monkeypatch.syspath_prepend(SCRIPTS)
    module = importlib.import_module("demo")
    here = module.DEMO
    for name, value in vars(module).copy().items():
        if isinstance(value, Path) and value.is_relative_to(here):
            monkeypatch.setattr(module, name, tmp_path / value.relative_to(here))
    monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setattr(module, "version_of_the_story", lambda: "ours")
    for variable in ("HOST", "PORT", "COUNTER_PORT", "CARD_PORT", "COUNTER_URL", "CARD_PROVIDER_URL", "DATABASE_URL"):
        monkeypatch.delenv(variable, raising=False)
    module.LOGS.mkdir()
    return module


@pytest.fixture
def taken() -> Iterator[int]:
    """A port where somebody listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def ours(demo: ModuleType) -> dict[str, str]:
    return {"DATABASE_URL": f"sqlite:///{demo.DATABASE}"}


def test_a_taken_port_is_refused_by_name_and_passed_over_where_nobody_asked_for_it(
    demo: ModuleType, taken: int, monkeypatch: pytest.MonkeyPatch
):
    assert demo.choose_port("127.0.0.1", "PORT", taken) > taken

    monkeypatch.setenv("PORT", str(taken))
    with pytest.raises(demo.DemoError, match=rf"Port {taken} is taken; choose another with PORT="):
        demo.choose_port("127.0.0.1", "PORT", 8000)


@pytest.mark.parametrize("asked", ["http", "0", "-1", "65536", "8000.5"])
def test_what_is_no_port_is_called_so(demo: ModuleType, asked: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PORT", asked)

    with pytest.raises(demo.DemoError, match="is no port"):
        demo.choose_port("127.0.0.1", "PORT", 8000)


@pytest.mark.parametrize("host", ["192.0.2.1", "nobody.invalid"])
def test_where_nobody_can_listen_the_reason_is_told(demo: ModuleType, host: str):
    with pytest.raises(demo.DemoError, match=rf"Nobody can listen at {host}:8000: \w+"):
        demo.choose_port(host, "PORT", 8000)


def test_what_another_version_has_left_is_put_aside_and_not_deleted(
    demo: ModuleType, capsys: pytest.CaptureFixture[str]
):
    demo.READY.write_text("theirs")
    demo.DATABASE.write_text("their money")
    (demo.DEMO / "cards").mkdir()
    (demo.DEMO / "cards" / "bank.json").write_text("their cards")

    demo.put_aside_what_is_old(ours(demo))

    assert not demo.DATABASE.exists()
    assert (demo.BEFORE / demo.DATABASE.name).read_text() == "their money"
    assert (demo.BEFORE / "cards" / "bank.json").read_text() == "their cards"
    assert "another version" in capsys.readouterr().out


def test_what_this_version_has_left_stays_and_so_does_whatever_has_another_database(demo: ModuleType):
    demo.DATABASE.write_text("our money")
    demo.put_aside_what_is_old({"DATABASE_URL": "postgres://elsewhere/holdfast"})
    demo.READY.write_text("ours")
    demo.put_aside_what_is_old(ours(demo))
    demo.prepare(ours(demo))

    assert demo.DATABASE.read_text() == "our money"


def test_whoever_interrupts_the_telling_leaves_no_half_a_story(demo: ModuleType, monkeypatch: pytest.MonkeyPatch):
    def interrupted(environment: dict[str, str], *_options: str) -> str:
        Path(environment["DATABASE_URL"].removeprefix("sqlite:///")).write_text("half a")
        raise demo.Stopped

    monkeypatch.setattr(demo, "populate", interrupted)
    with pytest.raises(demo.Stopped):
        demo.prepare(ours(demo))
    assert not demo.is_told()
    assert not demo.DATABASE.exists()

    monkeypatch.setattr(demo, "populate", lambda *_given: "Sign in as ada")
    demo.prepare(ours(demo))

    assert demo.is_told()
    assert demo.WELCOME.read_text() == "Sign in as ada"
    assert not demo.UNFINISHED.exists()


def test_a_database_of_somebody_elses_is_looked_after_each_time(demo: ModuleType, monkeypatch: pytest.MonkeyPatch):
    looked_after = []
    monkeypatch.setattr(demo, "populate", lambda environment: looked_after.append(environment["DATABASE_URL"]) or "")

    for _start in range(2):
        demo.prepare({"DATABASE_URL": "postgres://elsewhere/holdfast"})

    assert looked_after == ["postgres://elsewhere/holdfast"] * 2


def test_a_second_demo_is_told_where_the_first_one_runs(demo: ModuleType):
    with demo.alone() as where:
        where.write_text("http://127.0.0.1:8000")
        with pytest.raises(demo.DemoError, match=r"runs already: http://127\.0\.0\.1:8000"), demo.alone():
            pass

    with demo.alone():
        pass


def test_a_process_has_started_when_it_says_so_and_what_alarms_is_shown(
    demo: ModuleType, capfd: pytest.CaptureFixture[str]
):
    code = "print('ERROR in the engine'); print('Relay r has started.', flush=True); import time; time.sleep(60)"
    relay = demo.Process("relay", [sys.executable, "-c", code], os.environ)

    assert relay.started.wait(30)
    relay.send(signal.SIGTERM)
    relay.wait()

    assert relay.ended == -signal.SIGTERM
    assert relay.log.read_text() == "ERROR in the engine\nRelay r has started.\n"
    assert "relay | ERROR in the engine" in capfd.readouterr().out


def test_who_is_killed_is_started_again_and_not_for_ever(
    demo: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(demo, "RESTARTS", 2)
    relay = demo.Process("relay", [sys.executable, "-c", "raise SystemExit(3)"], os.environ)

    with pytest.raises(demo.DemoError, match="The relay process ended with status 3"):
        demo.watch([relay])

    relay.wait()
    assert capsys.readouterr().out.count("it runs again") == 2
