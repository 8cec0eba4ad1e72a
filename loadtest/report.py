"""The report of a run: a table for people, JSON for programs, a picture."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from loadtest.chart import chart
from loadtest.clients.errors import BadReport
from loadtest.clients.recorder import RESOLUTION, Recorder
from loadtest.machine import machine

COLUMNS = {"count": "count", "rate_per_s": "a second", "p50": "p50", "p90": "p90", "p99": "p99"} | {
    "p99.9": "p99.9",
    "max": "max",
}


def report_of(scenario: str, options: dict[str, Any], recorder: Recorder, seconds: float) -> dict[str, Any]:
    """Everything that a run has found, its own event loop still running."""
    return {
        "scenario": scenario,
        "ended_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": round(seconds, 3),
        "options": options,
        "machine": _machine(),
        "unit": "ms",
        "steps": {
            name: {**step.figures(), "rate_per_s": round(step.rate_per_s, 2)}
            for name, step in recorder.steps.items()
        },
        "counts": dict(sorted(recorder.counts.items())),
        "errors": recorder.errors,
        "series": _series(recorder, seconds),
        "slowest": _slowest(recorder, seconds),
        "histograms": {
            "resolution": RESOLUTION,
            "steps": {name: step.groups() for name, step in recorder.steps.items()},
        },
    }


def _machine() -> dict[str, Any]:
    return machine() | {"loop": type(asyncio.get_running_loop()).__module__.partition(".")[0]}


def _seconds(recorder: Recorder, seconds: float) -> int:
    return max(int(seconds), max(recorder.series, default=0)) + 1


def _series(recorder: Recorder, seconds: float) -> dict[str, list[int]]:
    """What happened in each second; `live` goes on where nothing changed."""
    number = _seconds(recorder, seconds)
    names = dict.fromkeys(name for second in recorder.series.values() for name in second)
    found = {name: [0] * number for name in names}
    live = 0
    for place in range(number):
        second = recorder.series.get(place, Counter())
        live = second.get("live", live)
        for name in names:
            found[name][place] = live if name == "live" else second.get(name, 0)
    return found


def _slowest(recorder: Recorder, seconds: float) -> dict[str, list[float | None]]:
    """The longest of each second, in milliseconds; None where there was none."""
    number = _seconds(recorder, seconds)
    return {
        name: [round(slowest[place], 3) if place in slowest else None for place in range(number)]
        for name, slowest in recorder.slowest.items()
    }


def show(report: dict[str, Any]) -> None:
    """Prints it."""
    console = Console(width=120)
    table = Table(
        title=f"{report['scenario']}, {report['seconds']:.1f} s; milliseconds", title_justify="left"
    )
    table.add_column("step")
    for title in COLUMNS.values():
        table.add_column(title, justify="right")
    for name, step in report["steps"].items():
        table.add_row(name, *(_cell(key, step[key]) for key in COLUMNS))
    console.print(table)
    for what, number in report["counts"].items():
        style = "red" if what.startswith("error") else ""
        console.print(f"{number:>9,}  {what}", style=style, highlight=False)


def _cell(key: str, value: float) -> str:
    return f"{value:,.4g}" if key != "count" and value < 1000 else f"{value:,.0f}"


def make_folder(folder: Path) -> None:
    """Makes it, and sees that it can be written to, before a run that would be for nothing. Raises `BadReport`."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise BadReport(f"the report cannot be written to {folder}: {error.strerror}") from None


def write(folder: Path, report: dict[str, Any]) -> None:
    """Writes `report.json` and `report.svg` to a folder that is there."""
    (folder / "report.json").write_text(json.dumps(report, indent=2) + "\n")
    title = f"{report['scenario']}: {report['options']['clients']:,} clients, {report['seconds']:.0f} s"
    (folder / "report.svg").write_text(chart(title, report))
