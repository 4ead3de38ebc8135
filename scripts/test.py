#!/usr/bin/env python3
"""Run every folder of tests on SQLite and on a real PostgreSQL, and tell what came of it.

::

    test.py                                  everything but the browser's, with the coverage of the packages
    test.py wallet                           one folder, on both databases
    test.py wallet --database sqlite -- -k hold -x

What follows ``--`` goes to pytest. The servers are this run's own (see ``devservices.py``) unless the environment names
others. A folder brings its own host project: ``tests/<folder>/settings.py``, or else the example project's.
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
from dataclasses import dataclass
from pathlib import Path

from devservices import throwaway
from summary import count

ROOT = Path(__file__).resolve().parent.parent
REPORTS = ROOT / ".reports"
LINES_PERCENT = 95
WORKERS = "2"

# The pages look the same on any database; the rules of the house and the tools are about none.
ONE_DATABASE = {"e2e", "house", "tools"}
# Run by name only (``make e2e``): a browser is not everywhere, and pages of every size in both themes take a while.
NEEDS_A_BROWSER = {"e2e"}
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
NOT_ON = {"sqlite": "not postgres", "postgres": "not any_database"}


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


def run(suite: str, database: str, services: Mapping[str, str], extra: Sequence[str]) -> Outcome:
    """Run one folder on one database."""
    print(f"\n── {suite} on {database} " + "─" * 40, flush=True)
    junit = REPORTS / f"test-{suite}-{database}.xml"
    environment = {**os.environ, **services, "COVERAGE_FILE": str(REPORTS / f"coverage.{suite}-{database}")}
    if suite in NEEDS_A_BROWSER and (found := browser()):
        environment["BROWSER_PATH"] = found
    if database == "sqlite":
        environment["DATABASE_URL"] = "sqlite://:memory:"
    command = [sys.executable, "-m", "pytest", f"tests/{suite}", f"--ds={settings_of(suite)}", f"--junitxml={junit}"]
    command += ["-q", "-n", WORKERS, "--dist", "worksteal", "-m", NOT_ON[database], *extra]
    if (ROOT / "packages" / suite).exists():
        # What a package's own tests cover counts; what a story happens to touch does not.
        command += ["--cov=packages", "--cov-report="]
    start = time.monotonic()
    status = subprocess.run(command, check=False, cwd=ROOT, env=environment).returncode
    outcome = Outcome(suite, database, status, time.monotonic() - start)
    if junit.exists():
        outcome.passed, outcome.failed, outcome.skipped, _ = count(junit)
    return outcome


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
    parser.add_argument("--database", action="append", choices=list(NOT_ON), help="both without one")
    options, extra = parser.parse_args(given[:cut]), given[cut + 1 :]
    if unknown := set(options.suites) - set(suites()):
        parser.error(f"there is no such folder of tests: {', '.join(sorted(unknown))}")
    everything = not (options.suites or options.database or extra)
    chosen = options.suites or [suite for suite in suites() if suite not in NEEDS_A_BROWSER]

    REPORTS.mkdir(exist_ok=True)
    for old in [*REPORTS.glob("coverage*"), *REPORTS.glob("test-*.xml")]:
        old.unlink()
    outcomes = []
    with throwaway() as servers:
        for suite in chosen:
            databases = options.database or (["sqlite"] if suite in ONE_DATABASE else list(NOT_ON))
            outcomes += [run(suite, database, servers.environment(), extra) for database in databases]

    print(f"\n{'tests':<14}{'database':<10}{'passed':>8}{'failed':>8}{'skipped':>9}{'seconds':>9}")
    for one in outcomes:
        # A status without a failed test: an error of collection, no test at all, a crash.
        odd = f"  pytest ended with {one.status}" if one.status and not one.failed else ""
        print(
            f"{one.suite:<14}{one.database:<10}{one.passed:>8}{one.failed:>8}{one.skipped:>9}{one.seconds:>9.0f}{odd}"
        )
    good = bool(outcomes) and all(one.status == 0 for one in outcomes)
    if everything:
        good &= coverage()
    passed, failed = sum(one.passed for one in outcomes), sum(one.failed for one in outcomes)
    print(f"\n{passed} passed, {failed} failed", flush=True)
    return 0 if good and passed else 1


if __name__ == "__main__":
    sys.exit(main())
