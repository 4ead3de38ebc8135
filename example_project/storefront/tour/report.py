"""What the tour prints: a chapter, what was asked with its status, and below it what came back."""

import re
from typing import TextIO

from django.core.management.color import color_style, no_style

WIDTH = 84
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-([0-9a-f]{6})[0-9a-f]{6}")


class Report:
    """The tour's printed side; ``color`` is for a terminal, where waiting is shown as it goes, too."""

    def __init__(self, out: TextIO, *, color: bool = False, live: bool = False) -> None:
        self.out = out
        self.live = live
        self.chapters = 0
        self.calls = 0
        self._style = color_style(force_color=True) if color else no_style()
        self._waits_for = ""

    def chapter(self, title: str) -> None:
        """Begin another one."""
        self.chapters += 1
        self._line(f"\n{self._style.MIGRATE_HEADING(f'{self.chapters:2}  {title}')}")

    def asked(self, status: int, method: str, path: str, waited: float = 0) -> None:
        """Show one call."""
        self.calls += 1
        self._end_waiting()
        shown = _cut(_ID.sub(r"…\1", path))
        mark = self._style.SUCCESS if status < 400 else self._style.ERROR
        after = f"  (after {waited:.0f} s)" if waited >= 1 else ""
        self._line(f"    {mark(str(status))}  {method:<5} {shown}{after}")

    def came(self, what: str) -> None:
        """Show what it brought."""
        self._line(f"               {what}")

    def waiting(self, whom: str, seconds: float) -> None:
        """Show that somebody takes time: a line that is written over on a terminal, one line elsewhere."""
        if self.live:
            self.out.write(f"\r         ...  waiting for {whom}, {seconds:.0f} s ")
            self.out.flush()
        elif whom != self._waits_for:
            self._line(f"         ...  waiting for {whom}")
        self._waits_for = whom

    def _end_waiting(self) -> None:
        if self._waits_for and self.live:
            self.out.write(f"\r{' ' * WIDTH}\r")
        self._waits_for = ""

    def _line(self, text: str) -> None:
        self.out.write(f"{text}\n")
        self.out.flush()


def _cut(text: str) -> str:
    return text if len(text) <= WIDTH else f"{text[: WIDTH - 1]}…"
