"""What there is to look at: the packages of this repository, found and not listed."""

import importlib.util
import pkgutil
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parents[2]
FOUNDATION = "holdfast"


@dataclass(frozen=True)
class Package:
    """One folder of ``packages/``."""

    folder: Path
    distribution: str
    module: str

    def __str__(self) -> str:
        return self.module

    @property
    def readme(self) -> Path:
        """Its front door."""
        return self.folder / "README.md"

    def room(self, name: str) -> ModuleType | None:
        """Return one module of the package, if it has it."""
        qualified = f"{self.module}.{name}"
        return importlib.import_module(qualified) if importlib.util.find_spec(qualified) else None

    def modules(self) -> Iterator[ModuleType]:
        """Yield every module of the package but its migrations."""
        package = importlib.import_module(self.module)
        yield package
        for found in pkgutil.walk_packages(package.__path__, f"{self.module}."):
            if ".migrations" not in found.name:
                yield importlib.import_module(found.name)


@cache
def packages() -> tuple[Package, ...]:
    """Return every package of the repository."""
    found = []
    for pyproject in sorted((ROOT / "packages").glob("*/pyproject.toml")):
        project = tomllib.loads(pyproject.read_text())["project"]
        module = next((pyproject.parent / "src").iterdir()).name
        found.append(Package(pyproject.parent, project["name"], module))
    return tuple(found)


def domains() -> tuple[Package, ...]:
    """Return the packages that are not the foundation."""
    return tuple(package for package in packages() if package.module != FOUNDATION)
