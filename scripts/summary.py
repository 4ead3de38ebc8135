#!/usr/bin/env python3
"""Tell what a whole run came to: its steps, its test reports, and a last line that counts.

::

    summary.py lint=0=35 test=0=180 matrix=0=600      each step's name, exit status and seconds

It fails when a step failed, when a test failed, or when none ran.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

ROOT = Path(__file__).resolve().parent.parent
REPORTS = ROOT / ".reports"


def count(report: Path) -> tuple[int, int, int, float]:
    """Return how many tests of a report passed, failed and were skipped, and the seconds they took."""
    passed = failed = skipped = 0
    seconds = 0.0
    for suite in ET.parse(report).iter("testsuite"):  # noqa: S314 - pytest wrote it a moment ago
        bad, left_out = int(suite.get("failures", 0)) + int(suite.get("errors", 0)), int(suite.get("skipped", 0))
        passed += int(suite.get("tests", 0)) - bad - left_out
        failed, skipped, seconds = failed + bad, skipped + left_out, seconds + float(suite.get("time", 0))
    return passed, failed, skipped, seconds


def left_out() -> list[str]:
    """Return the environments of the fast matrix that left no report."""
    command = [sys.executable, "-m", "tox", "list", "-m", "fast", "--no-desc", "-q"]
    listed = subprocess.run(command, check=False, cwd=ROOT, capture_output=True, text=True).stdout.split()
    return [name for name in listed if name.startswith("py3") and not (REPORTS / f"{name}.xml").exists()]


def main(steps: list[str]) -> int:
    """Print the tables and the last line."""
    good = bool(steps)
    print(f"{'step':<40}{'result':>10}{'seconds':>10}")
    for step in steps:
        name, status, seconds = step.split("=")
        good &= status == "0"
        print(f"{name:<40}{'passed' if status == '0' else 'FAILED':>10}{seconds:>10}")

    passed = failed = 0
    print(f"\n{'tests':<40}{'passed':>10}{'failed':>10}{'skipped':>10}{'seconds':>10}")
    for report in sorted(REPORTS.glob("*.xml")):
        one = count(report)
        passed, failed = passed + one[0], failed + one[1]
        print(f"{report.stem:<40}{one[0]:>10}{one[1]:>10}{one[2]:>10}{one[3]:>10.0f}")
    for name in left_out():
        # tox makes an environment as soon as it has found its interpreter.
        found = (ROOT / ".tox" / name / "bin" / "python").exists()
        print(f"{name:<40}   not run: {'see above' if found else 'no such Python on this machine'}")

    print(f"\nCI: {passed} passed, {failed} failed")
    return 0 if good and passed and not failed else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
