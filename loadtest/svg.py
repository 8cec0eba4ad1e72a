"""The few shapes of SVG that a chart is made of."""

from __future__ import annotations

import math
from html import escape

INK, QUIET, GRID = "#111827", "#6b7280", "#e5e7eb"
COLORS = (
    *("#2563eb", "#d97706", "#059669", "#dc2626", "#7c3aed"),
    *("#0891b2", "#be185d", "#4d7c0f", "#78350f", "#475569"),
)


def color(place: int) -> str:
    """The color of the series in that place."""
    return COLORS[place % len(COLORS)]


def text(
    x: float,
    y: float,
    said: str,
    *,
    size: int = 12,
    anchor: str = "start",
    fill: str = INK,
    weight: str = "normal",
) -> str:
    """Words, their base line at `y`."""
    style = f'font-size="{size}" text-anchor="{anchor}" fill="{fill}" font-weight="{weight}"'
    return f'<text x="{x:.1f}" y="{y:.1f}" {style}>{escape(said)}</text>'


def line(x1: float, y1: float, x2: float, y2: float, stroke: str = GRID) -> str:
    """A thin line."""
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{stroke}"/>'


def path(points: list[tuple[float, float]], stroke: str, width: float) -> str:
    """A line through points."""
    joined = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return (
        f'<polyline points="{joined}" fill="none" stroke="{stroke}" stroke-width="{width:g}" '
        f'stroke-linejoin="round" stroke-linecap="round"/>'
    )


def dot(x: float, y: float, fill: str) -> str:
    """A measured point."""
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{fill}"/>'


def box(x: float, y: float, wide: float, high: float, fill: str) -> str:
    """A filled rectangle."""
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" height="{high:.1f}" fill="{fill}"/>'


def legend(x: float, y: float, right: float, entries: list[tuple[str, str]]) -> tuple[list[str], float]:
    """Names with their colors, in as many rows as they need, the first one at `y`; and how high they are together."""
    parts, at, top = [], x, y
    for name, fill in entries:
        wide = 30 + 7.2 * len(name)
        if at > x and at + wide > right:
            at, top = x, top + 18
        parts += [box(at, top - 9, 12, 9, fill), text(at + 17, top, name)]
        at += wide
    return parts, top - y + 18 if entries else 0


def round_up(value: float) -> float:
    """The next of 1, 2, 5, 10, 20, 50 and so on."""
    if value <= 1:
        return 1
    power = 10 ** math.floor(math.log10(value))
    return float(next(step * power for step in (1, 2, 5, 10) if step * power >= value))


def round_up_finely(value: float) -> float:
    """The next of 1, 2, 3, 4, 6, 8, 10, 20 and so on, also below 1; 1 for nothing."""
    if value <= 0:
        return 1
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 2, 3, 4, 6, 8, 10, 20) if step * power >= value)
