"""A picture of a run: sessions, what happened in a second, and how long it took, over time and in percentiles. SVG."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from loadtest import svg

WIDTH, LEFT, RIGHT, HIGH, GAP = 900, 130, 30, 150, 62
TICKS = 4
SHOWN = ("p50", "p99", "max")
TAIL_S = 0.5
"""What is left of a last second counts with the one before, when it is shorter: a rate of so little says nothing."""
LEAST_MS = 0.1

Values = Sequence[float | None]


class Span(NamedTuple):
    """A second, or what a run has of it, and the value there; None: there is none."""

    from_s: float
    to_s: float
    value: float | None


def chart(title: str, report: dict[str, Any]) -> str:
    """The picture of a report."""
    seconds = max(float(report["seconds"]), 0.001)
    named = report["series"]
    happened = {
        name: rates(values, seconds) for name, values in named.items() if name != "live" and any(values)
    }
    live = {"sessions": spans(named.get("live", [0]), seconds)}
    slowest = {name: spans(values, seconds) for name, values in report["slowest"].items()}
    picture = _Picture(seconds)
    picture.add(svg.text(LEFT, 30, title, size=18, weight="bold"), 50)
    picture.panel("sessions", live, _Linear.over(live))
    picture.panel("in a second (1/s)", happened, _Linear.over(happened))
    picture.panel("the slowest of each second (ms, logarithmic)", slowest, _Logarithmic.over(slowest))
    picture.bars(report["steps"])
    return picture.whole()


def spans(values: Values, seconds: float) -> list[Span]:
    """Each second, the last one as long as the run had it."""
    found = [
        Span(place, min(place + 1, seconds), value) for place, value in enumerate(values) if place < seconds
    ]
    return found or [Span(0, seconds, values[0] if values else None)]


def rates(values: Sequence[float], seconds: float) -> list[Span]:
    """How often in a second; a short tail is counted with the second before it."""
    found = [span for span in spans(values, seconds) if span.value is not None]
    if len(found) > 1 and found[-1].to_s - found[-1].from_s < TAIL_S:
        before, tail = found[-2:]
        found[-2:] = [Span(before.from_s, tail.to_s, (before.value or 0) + (tail.value or 0))]
    return [Span(one.from_s, one.to_s, (one.value or 0) / (one.to_s - one.from_s)) for one in found]


class _Linear:
    """From 0 to a round number above the highest."""

    def __init__(self, most: float) -> None:
        self._most = most

    @classmethod
    def over(cls, series: Mapping[str, Sequence[Span]]) -> _Linear:
        return cls(svg.round_up(_highest(series)))

    def share(self, value: float) -> float:
        return value / self._most

    def ticks(self) -> list[float]:
        return [self._most * place / TICKS for place in range(TICKS + 1)]


class _Logarithmic:
    """From a tenth of a millisecond to the next power of ten."""

    def __init__(self, most_ms: float) -> None:
        self._decades = max(2, math.ceil(math.log10(max(most_ms, 1) / LEAST_MS)))

    @classmethod
    def over(cls, series: Mapping[str, Sequence[Span]]) -> _Logarithmic:
        return cls(_highest(series))

    def share(self, value: float) -> float:
        return math.log10(max(value, LEAST_MS) / LEAST_MS) / self._decades

    def ticks(self) -> list[float]:
        return [LEAST_MS * 10**decade for decade in range(self._decades + 1)]


def _highest(series: Mapping[str, Sequence[Span]]) -> float:
    return max((span.value or 0 for values in series.values() for span in values), default=0)


class _Picture:
    """Parts, one below the other."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._parts: list[str] = []
        self._top = 0.0

    def add(self, part: str, high: float) -> None:
        self._parts.append(part)
        self._top += high

    def whole(self) -> str:
        size = f'viewBox="0 0 {WIDTH} {self._top:.0f}" width="{WIDTH}" height="{self._top:.0f}"'
        head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif">'
        return "\n".join([head, svg.box(0, 0, WIDTH, self._top, "white"), *self._parts, "</svg>", ""])

    def panel(self, title: str, series: Mapping[str, Sequence[Span]], scale: _Linear | _Logarithmic) -> None:
        """Lines over time, the first one broadest, so that one that lies on another hides it from nobody."""
        self._title(title, list(series) if len(series) > 1 else [])
        self._grid(scale)
        for place, values in enumerate(series.values()):
            width = 2 + 1.6 * min(5, len(series) - 1 - place)
            for points in _runs(values, self._x, lambda value: self._y(scale.share(value))):
                self._parts.append(svg.path(points, svg.color(place), width))
        self._top += HIGH + GAP

    def bars(self, steps: Mapping[str, Mapping[str, float]]) -> None:
        """A bar for each step and percentile."""
        self._title("how long it took (ms, logarithmic)", list(SHOWN))
        scale = _Logarithmic(max([1.0, *(step["max"] for step in steps.values())]))
        wide = WIDTH - LEFT - RIGHT - 60
        bottom = self._top + 38 * len(steps)
        for tick in scale.ticks():
            x = LEFT + wide * scale.share(tick)
            self._parts.append(svg.line(x, self._top, x, bottom))
            self._parts.append(svg.text(x, bottom + 16, f"{tick:,g}", anchor="middle"))
        for name, step in steps.items():
            self._parts.append(svg.text(LEFT - 8, self._top + 20, name, anchor="end"))
            for place, percentile in enumerate(SHOWN):
                y, long = self._top + 3 + 10 * place, max(1.0, wide * scale.share(step[percentile]))
                self._parts.append(svg.box(LEFT, y, long, 9, svg.color(place)))
                self._parts.append(svg.text(LEFT + long + 4, y + 8, _short(step[percentile]), size=10))
            self._top += 38
        self._top += 34

    def _title(self, title: str, names: list[str]) -> None:
        self._parts.append(svg.text(LEFT, self._top + 10, title, size=14, weight="bold"))
        entries = [(name, svg.color(place)) for place, name in enumerate(names)]
        parts, high = svg.legend(LEFT, self._top + 30, WIDTH - RIGHT, entries)
        self._parts += parts
        self._top += 22 + high

    def _grid(self, scale: _Linear | _Logarithmic) -> None:
        for tick in scale.ticks():
            y = self._y(scale.share(tick))
            self._parts.append(svg.line(LEFT, y, WIDTH - RIGHT, y))
            self._parts.append(svg.text(LEFT - 8, y + 4, f"{tick:,.10g}", anchor="end"))
        step_s = svg.round_up(self._seconds / 7) if self._seconds > 2 else self._seconds / TICKS
        for place in range(int(self._seconds / step_s) + 1):
            x = self._x(place * step_s)
            self._parts.append(svg.line(x, self._top, x, self._top + HIGH))
            self._parts.append(
                svg.text(x, self._top + HIGH + 18, f"{place * step_s:,.3g} s", anchor="middle")
            )

    def _x(self, at_s: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * at_s / self._seconds

    def _y(self, share: float) -> float:
        return self._top + HIGH * (1 - share)


def _short(ms: float) -> str:
    return f"{ms:,.3g}" if ms < 1000 else f"{ms:,.0f}"


def _runs(
    values: Sequence[Span], x: Callable[[float], float], y: Callable[[float], float]
) -> list[list[tuple[float, float]]]:
    """Steps without a gap, each second as broad as it was; where there is no value the line is broken."""
    runs: list[list[tuple[float, float]]] = [[]]
    for span in values:
        if span.value is None:
            runs.append([])
        else:
            runs[-1] += [(x(span.from_s), y(span.value)), (x(span.to_s), y(span.value))]
    return [run for run in runs if run]
