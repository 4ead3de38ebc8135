"""What can be done with this repository, each thing once. ``make`` calls these; ``nox --list`` tells them all.

They run in the workspace's own environment (``make`` keeps it in step with the lock), not in one each: what differs
between environments is tox's business.
"""

import os
import shutil
import sys
import tempfile
from pathlib import Path

import nox

nox.needs_version = ">=2026.4"
nox.options.default_venv_backend = "none"
nox.options.sessions = ["lint", "types", "house", "migrations", "lock"]

ROOT = Path(__file__).parent
PACKAGES = sorted(path.name for path in (ROOT / "packages").iterdir() if (path / "pyproject.toml").exists())
PUBLIC_INDEX = "https://pypi.org/simple"
# Tools beside this Python first, whatever else is on the PATH.
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])


def python(session: nox.Session, *arguments: str, **environment: str) -> None:
    """Run the workspace's Python."""
    session.run(sys.executable, *arguments, env=environment, external=True)


def manage(session: nox.Session, *arguments: str, **environment: str) -> None:
    """Run a management command of the example project."""
    settings = {"DJANGO_SETTINGS_MODULE": "config.settings.test", "DATABASE_URL": "sqlite://:memory:"}
    python(session, "-W", "ignore", "example_project/manage.py", *arguments, **{**settings, **environment})


@nox.session
def lint(session: nox.Session) -> None:
    """Style: Python and templates."""
    session.run("ruff", "check", external=True)
    session.run("ruff", "format", "--check", external=True)
    session.run("djlint", "--quiet", "--lint", "packages", "example_project", external=True)


@nox.session
def format(session: nox.Session) -> None:  # noqa: A001 - the name of the command
    """Put the style right where a tool can."""
    session.run("ruff", "check", "--fix", external=True)
    session.run("ruff", "format", external=True)


@nox.session
def types(session: nox.Session) -> None:
    """Types: the packages and the example project, strictly."""
    sources = [str(path) for path in (ROOT / "packages").glob("*/src/*") if path.is_dir()]
    session.run("mypy", *sources, "scripts", env={"PYTHONPATH": "."}, external=True)
    session.run("mypy", "--config-file", "example_project/mypy.ini", "example_project", external=True)


@nox.session
def house(session: nox.Session) -> None:
    """Architecture: who may import whom, and the rules that no linter can state."""
    session.run("lint-imports", "--no-logo", env={"PYTHONPATH": "example_project"}, external=True)
    python(session, "-m", "pytest", "tests/house", "--ds=tests.house.settings", "-q", "-p", "no:randomly")


@nox.session
def migrations(session: nox.Session) -> None:
    """No model has changed without a migration: in each package by itself, and in the example project."""
    for package in PACKAGES:
        if (ROOT / "tests" / package / "settings.py").exists():
            module = next((ROOT / "packages" / package / "src").iterdir()).name
            settings = f"--settings=tests.{package}.settings"
            python(session, "-m", "django", "makemigrations", module, "--check", "--dry-run", settings, PYTHONPATH=".")
    manage(session, "makemigrations", "--check", "--dry-run")


@nox.session
def lock(session: nox.Session) -> None:
    """The lock says what pyproject.toml asks for, and names nobody's private index."""
    # An index of the environment would be written into the lock; see 'make lock'.
    private = ("UV_INDEX", "UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS")
    without: dict[str, str | None] = dict.fromkeys(private)
    session.run("uv", "lock", "--check", "--no-config", "--default-index", PUBLIC_INDEX, env=without, external=True)


@nox.session
def tests(session: nox.Session) -> None:
    """All tests, on SQLite and on PostgreSQL."""
    python(session, "scripts/test.py", *session.posargs)


@nox.session
def alone(session: nox.Session) -> None:
    """Each package alone, from its built wheel, on this Python and the oldest Django."""
    names = ",".join(f"py{sys.version_info[0]}{sys.version_info[1]}-django52-{name}-sqlite" for name in PACKAGES)
    python(session, "-m", "tox", "run", "-e", names, *session.posargs)


@nox.session
def kills(session: nox.Session) -> None:
    """Every step of ordering a card killed, under every fault of every kind of provider; the table, into the docs."""
    python(session, "-W", "ignore", "-m", "tests.cards.kill.matrix", "--write", "docs/concepts/cards.md")


@nox.session
def lives(session: nox.Session) -> None:
    """200 lives of a ledger, and of cards with each kind of provider, in whatever order things happen."""
    for package, tests in {"wallet": "test_properties.py", "cards": "test_model.py"}.items():
        options = [f"--ds=tests.{package}.settings", "-q", "--durations=5", *session.posargs]
        python(session, "-m", "pytest", f"tests/{package}/{tests}", *options, LIVES="200")


@nox.session
def e2e(session: nox.Session) -> None:
    """The pages, in a real browser."""
    python(session, "scripts/test.py", "e2e", "--", *session.posargs)


@nox.session
def screenshots(session: nox.Session) -> None:
    """A picture of every page, out of the demo's data, into docs/screenshots, and the page that shows them."""
    with tempfile.TemporaryDirectory() as folder:
        looks = "fit_for_everybody and (desktop-light or phone-dark)"
        # Of all of them, always: a picture that is not taken again is thrown away.
        options = ["-k", looks, "-p", "no:randomly", f"--screenshots={folder}"]
        python(session, "scripts/test.py", "e2e", "--", *options)
        python(session, "scripts/screenshots.py", folder)


@nox.session
def bench(session: nox.Session) -> None:
    """Side by side with the peers: ``nox -s bench -- wallet``, ``-- outbox`` or ``-- broadcast``."""
    uv_run = ["uv", "run", "--frozen", "--inexact", "--group", "bench"]
    servers = ["python", "scripts/devservices.py", "run", "--durable", "--"]
    session.run(*uv_run, *servers, "python", "-m", "benchmarks", *session.posargs, external=True)


@nox.session
def proof(session: nox.Session) -> None:
    """Nothing is lost: 10,000 defects while the counter server and the relay are killed; a table at the end."""
    servers = ["scripts/devservices.py", "run", "--durable", "--", sys.executable, "-m", "benchmarks.broadcast.proof"]
    python(session, *servers, *session.posargs, PYTHONPATH=".")


@nox.session
def hostile(session: nox.Session) -> None:
    """400,000 hostile webhooks to the card adapters: one error, and no other exception."""
    tests = ["tests/cards/adapters/test_signatures.py", "--ds=tests.cards.settings", "-q", "--durations=3"]
    python(session, "-m", "pytest", *tests, *session.posargs, HOSTILE="400000")


@nox.session
def docs(session: nox.Session) -> None:
    """The documentation, into docs/_build; a warning is an error."""
    uv_run = ["uv", "run", "--frozen", "--inexact", "--group", "docs"]
    session.run(*uv_run, "sphinx-build", "-W", "--keep-going", "-b", "html", "docs", "docs/_build", external=True)


@nox.session
def build(session: nox.Session) -> None:
    """The packages' wheels and source distributions, into dist/."""
    shutil.rmtree(ROOT / "dist", ignore_errors=True)
    session.run("uv", "build", "--quiet", "--all-packages", "--out-dir", "dist", external=True)


@nox.session
def schema(session: nox.Session) -> None:
    """The OpenAPI document, validated, into docs/reference/openapi.yaml."""
    target = ROOT / "docs" / "reference" / "openapi.yaml"
    target.parent.mkdir(exist_ok=True)
    manage(session, "spectacular", "--validate", "--fail-on-warn", "--file", str(target))


@nox.session
def access(session: nox.Session) -> None:
    """Who may call what, asked of each operation, into docs/reference/access.md."""
    python(session, "-W", "ignore", "-m", "tests.journeys.access", PYTHONPATH=".:example_project")


@nox.session
def postman(session: nox.Session) -> None:
    """The Postman collection of the API, into docs/reference/, and run by newman, which npm installs for this once."""
    python(session, "-W", "ignore", "-m", "tests.journeys.postman", PYTHONPATH=".:example_project")
    with tempfile.TemporaryDirectory() as folder:
        session.run("npm", "install", "--no-save", "--silent", "--prefix", folder, "newman@6", external=True)
        newman = str(Path(folder) / "node_modules" / ".bin" / "newman")
        tests = ["tests/journeys/test_postman.py", "--ds=config.settings.test", "-q", *session.posargs]
        python(session, "-m", "pytest", *tests, NEWMAN=newman)


@nox.session
def contract(session: nox.Session) -> None:
    """Schemathesis: for each operation every case that its schema defines, and fifty that are made up."""
    tests = ["tests/journeys/test_contract.py", "--ds=config.settings.test", "-q", *session.posargs]
    python(session, "-m", "pytest", *tests, EXAMPLES="50")


@nox.session
def soak(session: nox.Session) -> None:
    """16 users for 10 minutes while worker, relay, neighbors and database are killed; everything adds up."""
    python(session, "-m", "benchmarks.soak", *session.posargs, PYTHONPATH=f".{os.pathsep}scripts")


@nox.session
def restore(session: nox.Session) -> None:
    """A backup, restored elsewhere, and the ledger verified there: done for real, on servers of its own."""
    python(session, "scripts/restore_drill.py")


@nox.session
def tables(session: nox.Session) -> None:
    """The READMEs' tables and diagrams, written again from the code."""
    python(session, "-m", "scripts.readme_tables", "--write")
