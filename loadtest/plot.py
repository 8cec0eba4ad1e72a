"""Curves as a picture (SVG): panels one below the other, each with its lines of points over a common kind of axis."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from loadtest import svg

WIDTH, LEFT, RIGHT, HIGH, GAP = 720, 90, 30, 170, 60
TICKS = 4

Points = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Panel:
    """Lines by name, over `across` (what the numbers below are). `decades`: the axis across is logarithmic."""

    title: str
    across: str
    lines: Mapping[str, Points]
    decades: bool = False


def plot(title: str, note: str, panels: Sequence[Panel]) -> str:
    """The picture; `note` stands small below its title."""
    parts = [
        svg.text(LEFT, 30, title, size=18, weight="bold"),
        svg.text(LEFT, 50, note, size=11, fill=svg.QUIET),
    ]
    top = 66.0
    for panel in panels:
        drawn, high = _drawn(panel, top)
        parts += drawn
        top += high
    size = f'viewBox="0 0 {WIDTH} {top:.0f}" width="{WIDTH}" height="{top:.0f}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif">'
    return "\n".join([head, svg.box(0, 0, WIDTH, top, "white"), *parts, "</svg>", ""])


def _drawn(panel: Panel, top: float) -> tuple[list[str], float]:
    """Its shapes, and how high they are together."""
    entries = [(name, svg.color(place)) for place, name in enumerate(panel.lines)]
    legend, high = svg.legend(LEFT, top + 30, WIDTH - RIGHT, entries if len(entries) > 1 else [])
    axes = _Axes(panel, top + 26 + high)
    parts = [svg.text(LEFT, top + 12, panel.title, size=14, weight="bold"), *legend, *axes.grid()]
    for place, points in enumerate(panel.lines.values()):
        placed = [(axes.x(x), axes.y(y)) for x, y in points]
        parts.append(svg.path(placed, svg.color(place), 2))
        parts += [svg.dot(x, y, svg.color(place)) for x, y in placed]
    return parts, 26 + high + HIGH + GAP


class _Axes:
    """Where a value lies: across from the least to the most, up from 0 to a round number above the highest."""

    def __init__(self, panel: Panel, top: float) -> None:
        points = [point for line in panel.lines.values() for point in line]
        self._panel, self._top = panel, top
        self._least, self._most = min(x for x, _ in points), max(x for x, _ in points)
        self._highest = svg.round_up_finely(max(y for _, y in points))

    def x(self, value: float) -> float:
        """Across; a single value lies at the left."""
        scaled = math.log10 if self._panel.decades else float
        least, most = scaled(self._least), scaled(self._most)
        return LEFT + (WIDTH - LEFT - RIGHT) * (scaled(value) - least) / ((most - least) or 1)

    def y(self, value: float) -> float:
        """Up; what is below 0 lies on the axis."""
        return self._top + HIGH * (1 - max(0.0, value) / self._highest)

    def grid(self) -> list[str]:
        """Lines with their numbers, and below what they are."""
        parts = []
        for tick in (self._highest * place / TICKS for place in range(TICKS + 1)):
            parts.append(svg.line(LEFT, self.y(tick), WIDTH - RIGHT, self.y(tick)))
            parts.append(svg.text(LEFT - 8, self.y(tick) + 4, f"{tick:,.10g}", anchor="end"))
        bottom = self._top + HIGH
        for tick in self._ticks():
            parts.append(svg.line(self.x(tick), self._top, self.x(tick), bottom))
            parts.append(svg.text(self.x(tick), bottom + 16, f"{tick:,.6g}", anchor="middle", size=11))
        parts.append(svg.text((LEFT + WIDTH - RIGHT) / 2, bottom + 33, self._panel.across, anchor="middle"))
        return parts

    def _ticks(self) -> list[float]:
        if not self._panel.decades:
            step = svg.round_up_finely((self._most - self._least) / 8) or 1
            first = math.ceil(self._least / step)
            return [step * place for place in range(first, int(self._most / step) + 1)]
        measured = {x for line in self._panel.lines.values() for x, _ in line}
        return sorted(measured)
