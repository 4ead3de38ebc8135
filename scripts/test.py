#!/usr/bin/env python3
"""Run every folder of tests on SQLite and on a real PostgreSQL, and tell what came of it.

::

    test.py                                  everything but the browser's
    test.py --coverage                       and how much of the packages it covers; takes a third longer
    test.py wallet                           one folder, on both databases
    test.py wallet --database sqlite -- -k hold -x

What follows ``--`` goes to pytest. The servers are this run's own (see ``devservices.py``) unless the environment names
others. A folder brings its own host project: ``tests/<folder>/settings.py``, or else the example project's.

A folder on a database is one process, and none imports, collects and migrates a second time what another has. There is
one more at once than there are processors, since tests wait, too: for servers, deadlines and processes of their own.
What each printed is printed when it ends.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from urllib.parse import urlsplit

from devservices import throwaway
from summary import count

ROOT = Path(__file__).resolve().parent.parent
REPORTS = ROOT / ".reports"
LINES_PERCENT = 95
PROCESSES = (os.cpu_count() or 1) + 1

# The pages look the same on any database; the rules of the house and the tools are about none.
ONLY_ON = dict.fromkeys(("e2e", "house", "tools"), "sqlite")
# Run by name only (``make e2e``): a browser is not everywhere, and pages of every size in both themes take a while.
NEEDS_A_BROWSER = {"e2e"}
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
# All of it on PostgreSQL; on SQLite again what says something about the database.
MARKED = {"sqlite": "not postgres and not any_database", "postgres": ""}


@dataclass
class Outcome:
    """What one folder did on one database."""

    suite: str
    database: str
    status: int
    seconds: float
    passed: int = 0
    failed: int = 0
    skipped: int = 0


def suites() -> list[str]:
    """Return the folders that hold tests, in the order of the house: packages, then what builds on them."""
    found = {path.relative_to(ROOT / "tests").parts[0] for path in (ROOT / "tests").glob("*/**/test_*.py")}
    first = [folder.name for folder in sorted((ROOT / "packages").iterdir()) if folder.name in found]
    return [*first, *sorted(found - set(first))]


def browser() -> str | None:
    """Return the browser that the environment names, or one of the system's."""
    return os.environ.get("BROWSER_PATH") or next(filter(None, map(shutil.which, BROWSERS)), None)


def settings_of(suite: str) -> str:
    """Return the settings module of a folder's host project."""
    own = ROOT / "tests" / suite / "settings.py"
    return f"tests.{suite}.settings" if own.exists() else "config.settings.test"


def run(suite: str, database: str, services: Mapping[str, str], extra: Sequence[str], *, measured: bool) -> Outcome:
    """Run one folder on one database, and print what it printed."""
    junit = REPORTS / f"test-{suite}-{database}.xml"
    environment = {**os.environ, **services, "COVERAGE_FILE": str(REPORTS / f"coverage.{suite}-{database}")}
    if suite in NEEDS_A_BROWSER and (found := browser()):
        environment["BROWSER_PATH"] = found
    environment["DATABASE_URL"] = "sqlite://:memory:" if database == "sqlite" else named(services, suite)
    command = [sys.executable, "-m", "pytest", f"tests/{suite}", f"--ds={settings_of(suite)}", f"--junitxml={junit}"]
    command += ["-q", "-m", MARKED[database], *extra]
    if measured and database == "postgres" and (ROOT / "packages" / suite).exists():
        # What a package's own tests cover counts; what a story happens to touch does not.
        command += ["--cov=packages", "--cov-report="]
    start = time.monotonic()
    done = subprocess.run(
        command,
        check=False,
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    outcome = Outcome(suite, database, done.returncode, time.monotonic() - start)
    print(f"\n── {suite} on {database} " + "─" * 40 + f"\n{done.stdout}", end="", flush=True)
    if junit.exists():
        outcome.passed, outcome.failed, outcome.skipped, _ = count(junit)
    return outcome


def named(services: Mapping[str, str], suite: str) -> str:
    """Return the address of a folder's own database on the server: others make and drop theirs at the same time."""
    address = urlsplit(services["DATABASE_URL"])
    return address._replace(path=f"{address.path}_{suite}").geturl()


def run_all(
    jobs: Sequence[tuple[str, str]], services: Mapping[str, str], extra: Sequence[str], *, measured: bool
) -> list[Outcome]:
    """Run several folders at a time, the longest first, lest one of them be left over; return what came of each."""
    size = {suite: sum(path.stat().st_size for path in (ROOT / "tests" / suite).rglob("*.py")) for suite, _ in jobs}
    by_length = sorted(jobs, key=lambda job: (job[1] == "postgres", size[job[0]]), reverse=True)
    with ThreadPoolExecutor(PROCESSES) as pool:
        running = {pool.submit(run, *job, services, extra, measured=measured): job for job in by_length}
        try:
            ended = {running[one]: one.result() for one in as_completed(running)}
        except KeyboardInterrupt:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return [ended[job] for job in jobs]


def coverage() -> bool:
    """Print each package's coverage; tell whether every package has enough of its lines covered."""
    environment = {**os.environ, "COVERAGE_FILE": str(REPORTS / "coverage")}
    report = REPORTS / "coverage.json"
    measured = map(str, REPORTS.glob("coverage.*-*"))
    for action in (["combine", "-q", *measured], ["json", "-q", "-o", str(report)]):
        command = [sys.executable, "-m", "coverage", *action]
        if subprocess.run(command, check=False, cwd=ROOT, env=environment).returncode:
            return False
    files = json.loads(report.read_text())["files"]
    print(f"\n{'coverage of':<20}{'lines':>9}{'branches':>11}")
    enough = True
    for package in sorted(path.name for path in (ROOT / "packages").iterdir()):
        totals = [file["summary"] for name, file in files.items() if Path(name).parts[:2] == ("packages", package)]
        lines = _percent(totals, "covered_lines", "num_statements")
        branches = _percent(totals, "covered_branches", "num_branches")
        short = "" if lines >= LINES_PERCENT else f"  below {LINES_PERCENT} %"
        print(f"{package:<20}{lines:>7.1f} %{branches:>9.1f} %{short}")
        enough &= not short
    return enough


def _percent(totals: Sequence[Mapping[str, int]], part: str, whole: str) -> float:
    of = sum(file[whole] for file in totals)
    return 100 * sum(file[part] for file in totals) / of if of else 100.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what the command line asks for."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    cut = given.index("--") if "--" in given else len(given)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("suites", nargs="*", help=f"of {', '.join(suites())}; all without one")
    parser.add_argument("--database", action="append", choices=list(MARKED), help="both without one")
    parser.add_argument("--coverage", action="store_true", help="measure it, and ask for enough; of everything only")
    options, extra = parser.parse_args(given[:cut]), given[cut + 1 :]
    if unknown := set(options.suites) - set(suites()):
        parser.error(f"there is no such folder of tests: {', '.join(sorted(unknown))}")
    if options.coverage and (options.suites or options.database or extra):
        parser.error("--coverage is of everything.")
    chosen = options.suites or [suite for suite in suites() if suite not in NEEDS_A_BROWSER]

    REPORTS.mkdir(exist_ok=True)
    for old in [*REPORTS.glob("coverage*"), *REPORTS.glob("test-*.xml")]:
        old.unlink()
    jobs = [
        (suite, database)
        for suite, database in product(chosen, options.database or list(MARKED))
        if database == ONLY_ON.get(suite, database)
    ]
    with throwaway() as servers:
        outcomes = run_all(jobs, servers.environment(), extra, measured=options.coverage)

    print(f"\n{'tests':<14}{'database':<10}{'passed':>8}{'failed':>8}{'skipped':>9}{'seconds':>9}")
    for one in outcomes:
        # A status without a failed test: an error of collection, no test at all, a crash.
        odd = f"  pytest ended with {one.status}" if one.status and not one.failed else ""
        print(
            f"{one.suite:<14}{one.database:<10}{one.passed:>8}{one.failed:>8}{one.skipped:>9}{one.seconds:>9.0f}{odd}"
        )
    good = bool(outcomes) and all(one.status == 0 for one in outcomes)
    if options.coverage:
        good &= coverage()
    passed, failed = sum(one.passed for one in outcomes), sum(one.failed for one in outcomes)
    print(f"\n{passed} passed, {failed} failed", flush=True)
    return 0 if good and passed else 1


if __name__ == "__main__":
    sys.exit(main())
