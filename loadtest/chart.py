"""A picture of a run: sessions and what happened each second, and how long each step took. SVG, written by hand."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from typing import Any

WIDTH, LEFT, RIGHT, HEIGHT, GAP = 900, 120, 20, 200, 70
COLORS = ("#2563eb", "#d97706", "#059669", "#dc2626", "#7c3aed", "#0891b2")
SHOWN = ("p50", "p99", "max")


def chart(title: str, report: dict[str, Any]) -> str:
    """The picture of a report."""
    series = {name: values for name, values in report["series"].items() if name != "live" and any(values)}
    parts = [_text(LEFT, 28, title, size=18)]
    top = 60
    parts += _lines(top, "sessions", {"live": report["series"].get("live", [])})
    top += HEIGHT + GAP
    parts += _lines(top, "each second", series)
    top += HEIGHT + GAP
    parts += _bars(top, report["steps"])
    height = top + 34 * len(report["steps"]) + 50
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif">'
    return "\n".join([head, f'<rect width="{WIDTH}" height="{height}" fill="white"/>', *parts, "</svg>", ""])


def _lines(top: int, what: str, series: dict[str, Sequence[float]]) -> list[str]:
    """Lines over time, from 0 to a round number above the highest."""
    most = _round_up(max((max(values, default=0) for values in series.values()), default=0))
    seconds = max(1, max((len(values) for values in series.values()), default=1) - 1)
    wide = WIDTH - LEFT - RIGHT
    parts = [_text(LEFT, top - 8, what, size=13, weight="bold")]
    for share in (0, 0.5, 1):
        y = top + HEIGHT * (1 - share)
        parts.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}" stroke="#e5e7eb"/>')
        parts.append(_text(LEFT - 8, y + 4, f"{most * share:,.10g}", anchor="end"))
        parts.append(
            _text(LEFT + wide * share, top + HEIGHT + 18, f"{seconds * share:.10g} s", anchor="middle")
        )
    for place, (name, values) in enumerate(series.items()):
        color = COLORS[place % len(COLORS)]
        points = " ".join(
            f"{LEFT + wide * second / seconds:.1f},{top + HEIGHT * (1 - value / most):.1f}"
            for second, value in enumerate(values)
        )
        parts.append(f'<polyline points="{points}" fill="none" stroke="{color}" stroke-width="2"/>')
        if len(series) > 1:
            parts.append(_text(LEFT + 110 + 150 * place, top - 8, name, size=13, color=color))
    return parts


def _bars(top: int, steps: dict[str, dict[str, float]]) -> list[str]:
    """A bar for each step and percentile, on a logarithmic scale of milliseconds."""
    parts = [_text(LEFT, top - 8, "how long it took (ms, logarithmic)", size=13, weight="bold")]
    most = math.log10(max([10.0, *(step["max"] for step in steps.values())]) * 10)
    wide = WIDTH - LEFT - RIGHT - 90
    for row, (name, step) in enumerate(steps.items()):
        y = top + 34 * row
        parts.append(_text(LEFT - 8, y + 18, name, anchor="end"))
        for place, percentile in enumerate(SHOWN):
            long = max(1.0, wide * (math.log10(max(step[percentile], 0.1)) + 1) / most)
            color = COLORS[place]
            parts.append(
                f'<rect x="{LEFT}" y="{y + 9 * place}" width="{long:.1f}" height="8" fill="{color}"/>'
            )
            parts.append(
                _text(LEFT + long + 4, y + 9 * place + 8, f"{percentile} {step[percentile]:,.3g}", size=9)
            )
    return parts


def _text(
    x: float,
    y: float,
    text: str,
    *,
    size: int = 12,
    anchor: str = "start",
    color: str = "#111827",
    weight: str = "normal",
) -> str:
    style = f'font-size="{size}" text-anchor="{anchor}" fill="{color}" font-weight="{weight}"'
    return f'<text x="{x:.1f}" y="{y:.1f}" {style}>{escape(text)}</text>'


def _round_up(value: float) -> float:
    """The next of 1, 2, 5, 10, 20, 50 and so on."""
    if value <= 1:
        return 1
    power = 10 ** math.floor(math.log10(value))
    return float(next(step * power for step in (1, 2, 5, 10) if step * power >= value))
