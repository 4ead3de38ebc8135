#!/usr/bin/env python3
"""Take the pictures of a run of the browser's tests into the documents: ``screenshots.py FOLDER``.

Every page is kept as it looks on a desk at day, and the most important ones as on a phone at night. A picture is
reduced to as many colors as anybody sees in it, and one that looks as it did is left as it is. The page that shows
them, ``docs/start/pages.md``, is written from ``docs/screenshots/pages.toml``, which has the words for each.
"""

from __future__ import annotations

import argparse
import sys
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path

from PIL import Image, ImageChops

ROOT = Path(__file__).resolve().parent.parent
KEPT = ROOT / "docs" / "screenshots"
WORDS = KEPT / "pages.toml"
PAGE = ROOT / "docs" / "start" / "pages.md"
COLORS = 192
# A dot that moved by a shade is no news.
SAME_UP_TO = 8
ON_A_PHONE = {
    *("home", "market", "ware", "near", "checkout", "order", "wallet", "account", "cards", "card", "defects"),
    *("workshop-orders", "workshop-figures", "catalog", "change-set", "office", "not-found"),
}
INTRODUCTION = """\
# Every page

Out of the demo's data, as `nox -s screenshots` takes them with a real browser. The same tests ask axe about each page,
on a desk and on a phone, at day and at night, and fail where a request leaves the machine.
"""


def wanted(name: str) -> bool:
    """Tell whether a picture is one that the documents keep."""
    page, size, scheme = name.rsplit("-", 2)
    return (size, scheme) == ("desktop", "light") or ((size, scheme) == ("phone", "dark") and page in ON_A_PHONE)


def keep(path: Path) -> int:
    """Reduce a picture and keep it, unless it looks as it did; return how large it is."""
    target = KEPT / path.name
    with Image.open(path) as picture:
        reduced = picture.convert("RGB").quantize(COLORS, dither=Image.Dither.NONE)
    if not (target.exists() and look_alike(reduced, target)):
        reduced.save(target, optimize=True)
    return target.stat().st_size


def look_alike(picture: Image.Image, path: Path) -> bool:
    """Tell whether a picture looks as the one in a file."""
    with Image.open(path) as before:
        if picture.size != before.size:
            return False
        difference = ImageChops.difference(picture.convert("RGB"), before.convert("RGB")).convert("L")
    return (difference.getextrema() or (0, 0))[1] <= SAME_UP_TO  # type: ignore[operator]  # of one band: two numbers


def page_of(names: set[str]) -> str:
    """Return the page that shows the pictures of some names. Raises ``KeyError`` for one that nobody has words for."""
    sections = tomllib.loads(WORDS.read_text())["section"]
    if unknown := sorted({name.rsplit("-", 2)[0] for name in names}.difference(*(one["pages"] for one in sections))):
        raise KeyError(f"{WORDS.relative_to(ROOT)} has no words for {', '.join(unknown)}.")
    parts = [INTRODUCTION]
    for section in sections:
        shown = [(name, words) for name, words in section["pages"].items() if f"{name}-desktop-light" in names]
        parts += [f"## {section['title']}", section["words"], "\n".join(_table(shown, "desktop-light"))]
    phones = [(name, section["pages"][name]) for section in sections for name in section["pages"] if name in ON_A_PHONE]
    phones = [(name, words) for name, words in phones if f"{name}-phone-dark" in names]
    parts += ["## On a phone, at night", "\n".join(_table(phones, "phone-dark", columns=4))]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _table(shown: list[tuple[str, str]], look: str, columns: int = 2) -> Iterator[str]:
    # Tables, in which a picture is as wide as its column, both on GitHub and in the built documents.
    for first in range(0, len(shown), columns):
        row = shown[first : first + columns]
        row += [("", "")] * (columns - len(row))
        yield "| " + " | ".join(words for _name, words in row) + " |"
        yield "|" + "---|" * columns
        pictures = (f"![{words}](../screenshots/{name}-{look}.png)" if name else "" for name, words in row)
        yield "| " + " | ".join(pictures) + " |\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Keep the pictures of a folder; those of pages that are no more are thrown away."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args(arguments).folder
    taken = sorted(path for path in folder.glob("*.png") if wanted(path.stem))
    if not taken:
        parser.error(f"There is no picture in {folder}.")
    PAGE.write_text(page_of({path.stem for path in taken}))
    for path in KEPT.glob("*.png"):
        if path.name not in {one.name for one in taken}:
            path.unlink()
    size = sum(keep(path) for path in taken)
    print(f"{len(taken)} pictures, {size / 1_000_000:.1f} MB, in {KEPT.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
