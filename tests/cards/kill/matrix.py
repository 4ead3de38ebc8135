"""Kill points x faults x provider classes, and what came of each.

::

    python -m tests.cards.kill.matrix                                   all of it, as a table
    python -m tests.cards.kill.matrix --write docs/concepts/cards.md    and into that page

Each run: a holder asks (and his process dies somewhere, while the provider fails somehow), asks again with the same
key, and the worker works until nothing is due. The worker's process dies once, too, at the same point. Then the
provider's books and ours are compared. The provider's clock is a minute behind ours.
"""

import argparse
import itertools
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import django

if TYPE_CHECKING:
    from holdfast_cards.testing.sandbox import Sandbox, SandboxServer

ROOT = Path(__file__).parents[3]
LIMITS = {"connect_seconds": 0.5, "read_seconds": 0.15, "total_seconds": 0.25}
SKEW_SECONDS = -60.0

KILLS = (
    "nowhere",
    "after the intent",
    "after the claim",
    "after the call",
    "after the result",
    "before the answer",
)
FAULTS: dict[str, dict[str, Any]] = {
    "none": {},
    "400": {"kind": "status", "status": 400},
    "401": {"kind": "status", "status": 401},
    "429": {"kind": "rate_limited", "retry_after": "3"},
    "cut before": {"kind": "cut_before"},
    "500 before": {"kind": "error_500_before"},
    "500 after": {"kind": "error_500_after"},
    "cut after": {"kind": "cut_after"},
    "hang after": {"kind": "hang_after", "seconds": 1},
    "half an answer": {"kind": "half"},
    "no id": {"kind": "no_id"},
    "made late": {"kind": "late_create", "seconds": 0.4},
}
BACKENDS = "holdfast_cards.backends"
DESIGNS = {"pink": "pd_pink", "black": "pd_black"}
CLASSES: dict[str, dict[str, Any]] = {
    "key": {"dialect": "bank", "keys": True, "backend": "bank.BankProvider", "idempotency_header": "Idempotency-Key"},
    "key and reference": {"dialect": "stripe", "backend": "stripe.StripeProvider", "designs": DESIGNS},
    "key and memo": {"dialect": "lithic", "backend": "lithic.LithicProvider", "products": {"pink": "1", "black": "2"}},
    "list": {"dialect": "bank", "backend": "bank.BankProvider", "reads": True},
    "none": {"dialect": "bank", "backend": "bank.BankProvider"},
}


@dataclass(frozen=True)
class Run:
    """One combination, and how it ended."""

    provider: str
    kill: str
    fault: str
    made: int
    """How many cards the provider has."""
    state: str
    operation: str
    killed: int
    """How many processes died."""
    orphans: int
    """Cards of the provider that neither a row nor the review queue accounts for."""

    @property
    def is_duplicate(self) -> bool:
        """Whether one wish made two cards."""
        return self.made > 1

    @property
    def is_stuck(self) -> bool:
        """Whether something is open that nobody will look at."""
        return self.operation not in ("succeeded", "rejected", "needs_review")

    @property
    def end(self) -> str:
        """Where it ended."""
        if self.operation == "needs_review":
            return "review"
        return "card" if self.state == "ordered" else "rejected"


class Zygote:
    """The process that forks."""

    def __init__(self, folder: Path) -> None:
        self.template = folder / "template.sqlite3"
        command = [sys.executable, "-W", "ignore", "-m", "tests.cards.kill.zygote", str(self.template)]
        # Each life has a database of its own, as a file: whatever the tests around run on. Nor are lives measured:
        # who is killed does not write down what he covered.
        environment = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
        environment["DATABASE_URL"] = "sqlite://"
        self._process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._say() == "ready"

    def lead(self, **life: Any) -> dict[str, Any]:
        """Let somebody lead a life, and say how it ended."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(life) + "\n")
        self._process.stdin.flush()
        ended: dict[str, Any] = json.loads(self._say())
        assert ended["killed"] or ended["exit"] == 0, ended
        return ended

    def end(self) -> None:
        """End it."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=30)
        assert self._process.stdout is not None
        self._process.stdout.close()

    def _say(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()


@contextmanager
def stage() -> Iterator[tuple[Zygote, "SandboxServer", Path]]:
    """Set the stage: the server to break, and the process that forks."""
    from holdfast_cards.testing.sandbox import SandboxServer

    with tempfile.TemporaryDirectory(prefix="cards-kill-") as name:
        server = SandboxServer()
        server.clock.advance(SKEW_SECONDS)
        server.listen()
        zygote = Zygote(Path(name))
        try:
            yield zygote, server, Path(name)
        finally:
            zygote.end()
            server.close()


def play(zygote: Zygote, server: "SandboxServer", folder: Path, provider: str, kill: str, fault: str) -> Run:
    """Play one combination."""
    options = dict(CLASSES[provider])
    sandbox = server.providers[options.pop("dialect")]
    sandbox.reset()
    sandbox.choose(
        reads=options.get("reads", False), keys=options.pop("keys", False)
    ) if sandbox.name == "bank" else None
    database = str(folder / "life.sqlite3")
    shutil.copy(zygote.template, database)
    # What the provider makes late it makes within the minute for which we believe no look-up: of its time, not of ours.
    patience = 0.6 if fault == "made late" else 0.0
    life = {"database": database, "settings": settings_of(sandbox, options), "patience": patience}
    if FAULTS[fault]:
        sandbox.arm(**FAULTS[fault])
    ended = [zygote.lead(**life, do="ask", kill=kill), zygote.lead(**life, do="ask", kill="nowhere")]
    sandbox.settle()
    ended.append(zygote.lead(**life, do="work", kill=kill, ahead=31))
    sandbox.settle()
    books = zygote.lead(**life, do="work", kill="nowhere", ahead=62)
    (card,), (operation,) = books["cards"], books["operations"]
    known = {card["provider_card_id"], *books["reported"]}
    orphans = [one for one in sandbox.cards if one.id not in known and operation != "needs_review"]
    for leftover in folder.glob("life.*"):
        leftover.unlink()
    return Run(
        provider=provider,
        kill=kill,
        fault=fault,
        made=len(sandbox.cards),
        state=card["state"],
        operation=operation,
        killed=sum(one["killed"] for one in ended),
        orphans=len(orphans),
    )


def settings_of(sandbox: "Sandbox", options: dict[str, Any]) -> dict[str, Any]:
    """Return the host's settings for a provider."""
    given = {name: value for name, value in options.items() if name != "backend"}
    if sandbox.name != "bank":
        given["api_key"] = sandbox.api_key
    return {
        "PROVIDER": {
            "BACKEND": f"{BACKENDS}.{options['backend']}",
            "OPTIONS": {"base_url": sandbox.base_url, "limits": LIMITS, **given},
        },
        "HOLDER_REFERENCE": {"BACKEND": "tests.cards.hosts.Addresses"},
    }


def played(combinations: Iterable[tuple[str, str, str]]) -> Iterator[Run]:
    """Play combinations of a provider, a kill and a fault."""
    with stage() as (zygote, server, folder):
        for combination in combinations:
            yield play(zygote, server, folder, *combination)


def table(runs: list[Run]) -> str:
    """Return the table, in Markdown."""
    lines = [
        "| Provider | Runs | Processes killed | Card | Rejected | Review | Duplicates | Orphans | Stuck |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for provider in dict.fromkeys(run.provider for run in runs):
        mine = [run for run in runs if run.provider == provider]
        ends = Counter(run.end for run in mine)
        cells = [
            provider,
            len(mine),
            sum(run.killed for run in mine),
            ends["card"],
            ends["rejected"],
            ends["review"],
            sum(run.is_duplicate for run in mine),
            sum(run.orphans for run in mine),
            sum(run.is_stuck for run in mine),
        ]
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(lines)


def is_good(run: Run) -> bool:
    """Whether a run keeps the promise; a person is called only where no program can know.

    That is where the provider tells nothing, and where it repeats an error for the key and cannot be looked at.
    """
    promised = not run.is_duplicate and not run.orphans and not run.is_stuck
    for_a_person = run.provider == "none" or (run.provider == "key" and run.fault.startswith("500"))
    return promised and (for_a_person or run.end != "review")


def main() -> int:
    """Play it all and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", type=Path, help="a page whose table, between its markers, is written anew")
    written = parser.parse_args().write
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.cards.settings"
    django.setup()
    runs = []
    for run in played(itertools.product(CLASSES, KILLS, FAULTS)):
        runs.append(run)
        if not is_good(run):
            sys.stdout.write(f"BROKEN: {run}\n")
    sys.stdout.write(f"{table(runs)}\n")
    bad = [run for run in runs if not is_good(run)]
    sys.stdout.write(f"{len(runs)} runs, {len(bad)} broken.\n")
    if written is not None and not bad:
        begin, end = "<!-- kills:begin -->\n", "<!-- kills:end -->"
        before, _, rest = written.read_text().partition(begin)
        written.write_text(f"{before}{begin}{table(runs)}\n{end}{rest.partition(end)[2]}")
    return bool(bad)


if __name__ == "__main__":
    sys.exit(main())
