"""A progress bar on standard error: for people, so only where one looks."""

from typing import TextIO

_WIDTH = 32


class ProgressBar:
    """One line that is drawn over itself; nothing where the stream is a file or a pipe, unless it is told to draw."""

    def __init__(self, stream: TextIO, *, shown: bool | None = None) -> None:
        self.stream = stream
        self.shown = stream.isatty() if shown is None else shown
        self._drawn = ""

    def show(self, label: str, done: int, total: int) -> None:
        """Draw ``done`` of ``total``; the same picture is not drawn twice."""
        if not self.shown:
            return
        share = min(done / total, 1.0) if total else 1.0
        bar = ("#" * int(share * _WIDTH)).ljust(_WIDTH, ".")
        line = f"{label:<24} [{bar}] {share:>4.0%}  {done:,} of {total:,}"
        if line != self._drawn:
            self.stream.write("\r" + line.ljust(len(self._drawn)))
            self.stream.flush()
            self._drawn = line

    def clear(self) -> None:
        """Leave the line empty, for what is printed next."""
        if self._drawn:
            self.stream.write("\r" + " " * len(self._drawn) + "\r")
            self.stream.flush()
            self._drawn = ""
