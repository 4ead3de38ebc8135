"""``nox -s soak``: the site under traffic, while its worker, relay, neighbors and database are killed at random.

The web server is left alone: its answers are what is looked at. PostgreSQL and Valkey are private ones of this run.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import random
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

from devservices import Postgres, private_postgres, private_valkey

from benchmarks.broadcast.processes import Child, CounterProcess, Site, free_port, running
from benchmarks.machine import facts
from benchmarks.soak.account import Account
from benchmarks.soak.lines import Line
from benchmarks.soak.reckoning import Reckoning, markdown, text, waiting
from benchmarks.soak.traffic import run

ADMINS, PRODUCTS = 4, 20
SEED = "import django; django.setup(); from benchmarks.soak.seed import main; main()"
DOWN_SECONDS = 2.0
# After the database is back, answers to what was asked meanwhile still come.
GRACE_SECONDS = 3.0
QUIET_SECONDS = 240.0
CARD_SECRET = "whsec_b25seS1iZXR3ZWVuLXR3by1vZi1vdXItb3duLXByb2Nlc3Nlcw=="


class SoakedSite(Site):
    """The site as production runs it, but for TLS, the rail that pays at once, and throttles that nobody meets."""

    redis_url: str
    cards_port: int

    @property
    def environment(self) -> dict[str, str]:
        """What its processes need to know."""
        rates = {f"DJANGO_THROTTLE_{name}": "1000000/min" for name in ("ANON", "USER", "SIGN_IN")}
        return {
            **rates,
            "DATABASE_URL": self.database_url,
            "DATABASE_POOL": "true",
            "REDIS_URL": self.redis_url,
            "DJANGO_SETTINGS_MODULE": "config.settings.production",
            "DJANGO_SECRET_KEY": "of-a-soak-that-is-over-before-anybody-could-guess-it-and-then-gone",
            "DJANGO_ALLOWED_HOSTS": "127.0.0.1",
            "DJANGO_SECURE_SSL_REDIRECT": "false",
            "PAYMENT_RAIL": "holdfast_wallet.backends.dummy.DummyRail",
            "COUNTER_URL": f"{self.counter.url}/events",
            "CARD_PROVIDER": "stripe",
            "CARD_PROVIDER_URL": f"{self.cards_url}/stripe",
            "CARD_PROVIDER_KEY": "sk_test_sandbox",
            "CARD_WEBHOOK_SECRET": CARD_SECRET,
            "PYTHONWARNINGS": "ignore",
        }

    @property
    def cards_url(self) -> str:
        """Where the stand-in for the card provider listens."""
        return f"http://127.0.0.1:{self.cards_port}"

    def worker(self) -> Child:
        """Return its worker, with the beat in it."""
        work = ["-m", "celery", "--app", "config", "worker", "--pool", "threads", "--concurrency", "2", "--beat"]
        pooled = {**self.environment, "DATABASE_POOL": "false"}
        return Child([*work, "--schedule", str(self.folder / "beat")], pooled, self.folder / "worker.log")

    def cards(self) -> Child:
        """Return the stand-in for the card provider."""
        told = f"http://127.0.0.1:{self.port}/api/v1/cards/webhooks/{{name}}/"
        command = ["manage.py", "cards_sandbox", "--port", str(self.cards_port), "--keep", str(self.folder / "cards")]
        command += ["--webhook-url", told, "--webhook-secret", CARD_SECRET]
        return Child(command, self.environment, self.folder / "cards.log")


class Trouble(threading.Thread):
    """Kills one thing after the other and starts it again, until it is told to stop."""

    def __init__(
        self, children: dict[str, Child | CounterProcess], postgres: Postgres, pause: tuple[float, float], seed: int
    ) -> None:
        super().__init__(daemon=True)
        self.children, self.postgres, self.pause = children, postgres, pause
        self.dice = random.Random(seed)
        self.over = threading.Event()
        self.happened: Counter[str] = Counter()
        self.outages: list[tuple[float, float]] = []

    def run(self) -> None:
        """Make trouble."""
        # Each of them once, in any order, and then whatever comes.
        names = [*self.children, "database"]
        self.dice.shuffle(names)
        while not self.over.wait(self.dice.uniform(*self.pause)):
            name = names.pop() if names else self.dice.choice([*self.children, "database"])
            say(f"killing the {name}")
            self.happened[name] += 1
            if name == "database":
                began = time.monotonic()
                self.postgres.stop("immediate")
                self.over.wait(self.dice.uniform(0, DOWN_SECONDS))
                self.postgres.restart("immediate")
                self.outages.append((began, time.monotonic() + GRACE_SECONDS))
            else:
                self.children[name].kill()
                self.over.wait(self.dice.uniform(0, DOWN_SECONDS))
                self.children[name].start()

    def line(self) -> Line:
        """Return what was killed how often."""
        away = sum(until - GRACE_SECONDS - began for began, until in self.outages)
        times = ", ".join(f"{name}: {number}" for name, number in sorted(self.happened.items()))
        return Line("killed", f"{times} (away for {away:.0f} s in all)")


def soak(*, users: int, seconds: float, pause: tuple[float, float], seed: int, keep: Path | None) -> list[Line]:
    """Soak the site, and return the reckoning."""
    with contextlib.ExitStack() as stack:
        folder = keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="soak-")))
        folder.mkdir(exist_ok=True)
        postgres = stack.enter_context(private_postgres(durable=True))
        valkey = stack.enter_context(private_valkey())
        site = SoakedSite(postgres.url, CounterProcess(folder / "counters.sqlite3"), folder)
        site.redis_url, site.cards_port = valkey.url, free_port()
        say("preparing")
        site.manage("migrate", "--verbosity", "0")
        seeded = json.loads(site.python("-c", SEED, str(users), str(ADMINS), str(PRODUCTS)))
        children: dict[str, Child | CounterProcess] = {
            "counter server": site.counter,
            "card provider": site.cards(),
            "relay": site.relay(),
            "worker": site.worker(),
        }
        stack.enter_context(running(*children.values(), site.web(workers=2, threads=8)))
        site.wait()
        say(f"{users} users for {seconds:g} s")
        account, trouble = Account(), Trouble(children, postgres, pause, seed)
        trouble.start()
        try:
            asyncio.run(run(f"http://127.0.0.1:{site.port}", seeded, account, seconds, seed))
        finally:  # or it would start again what is stopped
            trouble.over.set()
            trouble.join()
        say("waiting for quiet")
        settle(postgres.url)
        reckoning = Reckoning(
            postgres.url, site.counter.data, site.cards_url, account, admins=ADMINS, outages=trouble.outages
        )
        return [
            Line("users", f"{users} for {seconds:g} s"),
            trouble.line(),
            *reckoning.lines(),
            verified(site),
        ]


def verified(site: Site) -> Line:
    """Let the wallet verify itself."""
    name = "wallet_verify"
    try:
        return Line(name, site.python("-W", "ignore", "manage.py", name).strip())
    except RuntimeError as failure:
        return Line(name, str(failure), holds=False)


def settle(database_url: str) -> None:
    """Return when nothing waits any more, or after a while."""
    deadline = time.monotonic() + QUIET_SECONDS
    while (left := waiting(database_url)) and time.monotonic() < deadline:
        time.sleep(1)
    if left:
        say(f"it did not become quiet: {left}")


_BEGAN = time.monotonic()


def say(what: str) -> None:
    """Tell who looks on."""
    print(f"{time.monotonic() - _BEGAN:6.1f} s  {what}", file=sys.stderr, flush=True)


def main() -> int:
    """Soak it, as the command line says."""
    # What was started ends with it, also when it is told to end.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    parser = argparse.ArgumentParser(prog="nox -s soak --", description=__doc__)
    parser.add_argument("--users", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument(
        "--pause", type=float, nargs=2, default=(4.0, 12.0), help="between two kills, at least and most"
    )
    parser.add_argument("--seed", type=int, default=20)
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="where to leave the logs; otherwise they are gone")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the reckoning for the documents")
    options = parser.parse_args()
    pause = (options.pause[0], options.pause[1])
    lines = soak(users=options.users, seconds=options.seconds, pause=pause, seed=options.seed, keep=options.keep)
    print(text(lines))
    if options.markdown:
        options.markdown.write_text(markdown(lines, facts()), encoding="utf-8")
    return 0 if all(line.holds for line in lines) else 1


if __name__ == "__main__":
    sys.exit(main())
