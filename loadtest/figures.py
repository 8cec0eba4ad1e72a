"""Figures against goals: percentiles, a table for people, JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from loadtest.machine import machine


@dataclass(frozen=True)
class Figure:
    """One thing that was measured, in milliseconds. `judged` is held against `goal`; None: there is no goal."""

    name: str
    count: int
    p50: float
    p99: float
    max: float
    judged: float | None = None
    goal: float | None = None

    @property
    def verdict(self) -> str:
        """`pass`, `FAIL`, or nothing."""
        if self.goal is None or self.judged is None:
            return ""
        return "pass" if self.judged <= self.goal else "FAIL"


def figure(name: str, took_ms: Sequence[float], goal: float | None = None) -> Figure:
    """Of single times; the goal is for the 99th percentile."""
    p99 = percentile(took_ms, 99)
    return Figure(name, len(took_ms), percentile(took_ms, 50), p99, max(took_ms), p99, goal)


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that so many percent of all do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * int(percent * 10) // 1000) - 1)]


def show(title: str, figures: Iterable[Figure]) -> None:
    """Prints them as a table."""
    table = Table(title=title, title_justify="left")
    for column in ("ms", "number", "p50", "p99", "max", "judged", "goal", "verdict"):
        table.add_column(column, justify="left" if column == "ms" else "right")
    for one in figures:
        judged = ("", "") if one.goal is None else (f"{one.judged:.1f}", f"{one.goal:g}")
        values = (f"{value:.1f}" for value in (one.p50, one.p99, one.max))
        table.add_row(one.name, str(one.count), *values, *judged, one.verdict)
    Console(width=120).print(table)


def write(path: Path, figures: Iterable[Figure], **about: Any) -> None:
    """Writes them as JSON, with what is known of the machine."""
    rows = [asdict(one) | {"verdict": one.verdict} for one in figures]
    path.write_text(json.dumps({"machine": machine(), **about, "milliseconds": rows}, indent=2) + "\n")
