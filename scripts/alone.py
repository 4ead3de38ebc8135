#!/usr/bin/env python3
"""Install one package alone into the environment of the Python that runs this, as a stranger would; and test it there.

::

    alone.py install py312-django60-wallet-pg
    alone.py test py312-django60-wallet-pg -k hold

tox calls it with the names of its environments. What is installed is the package's built wheel and the foundation's,
their own dependencies, and what tests need (the group ``alone``): nothing else. The versions are the workspace's locked
ones, so that somebody else's release cannot break yesterday's build.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DIST = ROOT / "dist"
FOUNDATION = "foundation"
UV = shutil.which("uv") or sys.exit("alone.py needs uv on the PATH: run it through 'make matrix', or install uv.")


def name_of(package: str) -> str:
    """Return the name of a package's distribution."""
    with (ROOT / "packages" / package / "pyproject.toml").open("rb") as file:
        return str(tomllib.load(file)["project"]["name"])


def wheel_of(package: str) -> Path | None:
    """Return a package's wheel, if it is there and no older than its sources."""
    folder = ROOT / "packages" / package
    sources = [folder / "pyproject.toml", folder / "README.md", *folder.glob("src/**/*")]
    changed = max(path.stat().st_mtime for path in sources if path.is_file() and path.suffix != ".pyc")
    wheels = sorted(
        DIST.glob(f"{name_of(package).replace('-', '_')}-[0-9]*.whl"), key=lambda path: path.stat().st_mtime
    )
    return wheels[-1] if wheels and wheels[-1].stat().st_mtime >= changed else None


def build(package: str) -> Path:
    """Return a package's wheel, building it where needed, once for all who ask at the same time."""
    DIST.mkdir(exist_ok=True)
    with (DIST / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not wheel_of(package):
            uv("build", "--quiet", "--wheel", "--package", name_of(package), "--out-dir", str(DIST))
        wheel = wheel_of(package)
    if wheel is None:
        sys.exit(f"{name_of(package)} was built, but its wheel is not in {DIST}.")
    return wheel


def uv(*arguments: str) -> None:
    """Run uv, away from the environment that it would take for the workspace's."""
    environment = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    status = subprocess.run([str(UV), *arguments], check=False, cwd=ROOT, env=environment).returncode
    if status:
        sys.exit(status)


@dataclass(frozen=True)
class Environment:
    """What the name of an environment says: ``py312-django60-wallet-pg``."""

    name: str
    django: str
    package: str
    database: str

    @classmethod
    def named(cls, name: str) -> Environment:
        """Read a name."""
        known = "|".join(sorted(path.parent.name for path in (ROOT / "packages").glob("*/pyproject.toml")))
        match = re.fullmatch(rf"py3\d+-(django\d\d)-({known})-(sqlite|pg)", name)
        if not match:
            sys.exit(f"{name!r} is not of the form py312-django60-PACKAGE-pg, with a package of {known}.")
        return cls(name, *match.groups())


def install(environment: Environment) -> None:
    """Install the package, the foundation under it, and the tools of its tests."""
    if sys.prefix == sys.base_prefix:
        sys.exit("alone.py installs into the environment that runs it: run it with that environment's Python.")
    extra = "[postgres]" if environment.database == "pg" else ""
    wheels = [f"{name_of(environment.package)}{extra} @ {build(environment.package).as_uri()}"]
    if environment.package != FOUNDATION:
        wheels.append(f"{name_of(FOUNDATION)} @ {build(FOUNDATION).as_uri()}")
    with tempfile.TemporaryDirectory() as folder:
        versions = str(Path(folder) / "versions.txt")
        groups = ("--no-default-groups", "--group", "alone", "--group", environment.django)
        uv("export", "--quiet", "--frozen", "--no-hashes", "--no-emit-workspace", *groups, "--output-file", versions)
        target = ("--python", sys.executable)
        uv("pip", "install", "--quiet", *target, "--constraint", versions, "--group", "alone", *wheels)


def test(environment: Environment, extra: Sequence[str]) -> int:
    """Run the package's tests on the environment's database, with a PostgreSQL of its own where it is that."""
    package, postgres = environment.package, environment.database == "pg"
    command = [sys.executable, "-m", "pytest", f"tests/{package}", f"--ds=tests.{package}.settings"]
    command += ["-q", f"--junitxml=.reports/{environment.name}.xml"]
    # What is slow says nothing new on another version: make test runs it once.
    command += ["-m", "not slow and not any_database" if postgres else "not slow and not postgres", *extra]
    if postgres:
        command = [sys.executable, "scripts/devservices.py", "run", "--", *command]
    else:
        os.environ["DATABASE_URL"] = "sqlite://:memory:"
    return subprocess.run(command, check=False, cwd=ROOT).returncode


def main() -> int:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("action", choices=("install", "test"))
    parser.add_argument("environment", type=Environment.named, help="such as py312-django60-wallet-pg")
    options, extra = parser.parse_known_args()
    if options.action == "test":
        return test(options.environment, extra)
    install(options.environment)
    return 0


if __name__ == "__main__":
    sys.exit(main())
