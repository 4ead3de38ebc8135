"""Bars as inline SVG: no script, no style sheet, no request."""

from collections.abc import Sequence

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

BAR, GAP, HEIGHT = 28, 6, 64


def bars(values: Sequence[tuple[str, int]], *, label: str) -> SafeString | str:
    """Draw a bar for each value, with its name for who points at it; nothing where all are zero.

    The bars take the color of the text around them, so that they can be read on a light and on a dark admin.
    """
    highest = max((value for _name, value in values), default=0)
    if highest <= 0:
        return "-"
    width = len(values) * (BAR + GAP)
    drawn = format_html_join(
        "",
        '<rect x="{}" y="{}" width="{}" height="{}" rx="2"><title>{}</title></rect>',
        (
            (number * (BAR + GAP), HEIGHT - high, BAR, high, name)
            for number, (name, value) in enumerate(values)
            if (high := max(1, value * HEIGHT // highest))
        ),
    )
    return format_html(
        '<svg xmlns="http://www.w3.org/2000/svg" width="{}" height="{}" viewBox="0 0 {} {}" fill="currentColor" '
        'role="img" aria-label="{}">{}</svg>',
        width,
        HEIGHT,
        width,
        HEIGHT,
        label,
        drawn,
    )
