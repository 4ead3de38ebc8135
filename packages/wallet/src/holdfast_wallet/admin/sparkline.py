"""A line of balances as inline SVG: no script, no style sheet, no request."""

from collections.abc import Sequence

from django.utils.html import format_html
from django.utils.safestring import SafeString

_MARGIN = 2.0


def sparkline(values: Sequence[int], *, width: int = 120, height: int = 24, label: str = "") -> SafeString | str:
    """Draw the values as a line from left to right, with a dot on the newest; nothing for fewer than two.

    The line takes the color of the text around it, so that it can be read on a light and on a dark admin.
    """
    if len(values) < 2:
        return ""
    low, high = min(values), max(values)
    step = (width - 2 * _MARGIN) / (len(values) - 1)
    # Integers to the end: the balances may be larger than a float holds exactly, their place in 24 pixels is not.
    rise = [(high - value) * 1000 // (high - low) / 1000 if high > low else 0.5 for value in values]
    points = [(_MARGIN + step * at, _MARGIN + (height - 2 * _MARGIN) * up) for at, up in enumerate(rise)]
    return format_html(
        '<svg xmlns="http://www.w3.org/2000/svg" width="{}" height="{}" viewBox="0 0 {} {}" role="img" aria-label="{}">'
        '<polyline points="{}" fill="none" stroke="currentColor" stroke-width="1.5" stroke-linejoin="round"/>'
        '<circle cx="{}" cy="{}" r="2" fill="currentColor"/></svg>',
        width,
        height,
        width,
        height,
        label,
        " ".join(f"{x:.1f},{y:.1f}" for x, y in points),
        f"{points[-1][0]:.1f}",
        f"{points[-1][1]:.1f}",
    )
