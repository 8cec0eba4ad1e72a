"""The report of a run: a table for people, JSON for programs, a picture."""

from __future__ import annotations

import json
import os
import platform
from collections import Counter
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from loadtest.chart import chart
from loadtest.clients.recorder import Recorder


def report_of(scenario: str, options: dict[str, Any], recorder: Recorder, seconds: float) -> dict[str, Any]:
    """Everything that a run has found."""
    return {
        "scenario": scenario,
        "options": options,
        "seconds": round(seconds, 2),
        "machine": {"cores": os.cpu_count(), "python": platform.python_version(), "load": os.getloadavg()},
        "steps": {name: step.figures() for name, step in recorder.steps.items()},
        "counts": dict(sorted(recorder.counts.items())),
        "errors": recorder.errors,
        "series": _series(recorder),
    }


def _series(recorder: Recorder) -> dict[str, list[int]]:
    """What happened in each second; `live` goes on where nothing changed."""
    last = max(recorder.series, default=0)
    names = dict.fromkeys(name for second in recorder.series.values() for name in second)
    found = {name: [0] * (last + 1) for name in names}
    live = 0
    for number in range(last + 1):
        second = recorder.series.get(number, Counter())
        for name in names:
            found[name][number] = second.get(name, 0)
        live = second.get("live", live)
        if "live" in found:
            found["live"][number] = live
    return found


def show(report: dict[str, Any]) -> None:
    """Prints it."""
    console = Console(width=120)
    table = Table(
        title=f"{report['scenario']}, {report['seconds']:.1f} s; milliseconds", title_justify="left"
    )
    columns = ("count", "p50", "p90", "p99", "p99.9", "max")
    table.add_column("step")
    for column in columns:
        table.add_column(column, justify="right")
    for name, step in report["steps"].items():
        table.add_row(
            name,
            *(f"{step[column]:,.4g}" if column != "count" else f"{step[column]:,}" for column in columns),
        )
    console.print(table)
    for what, number in report["counts"].items():
        console.print(
            f"{number:>9,}  {what}", style="red" if what.startswith("error") else "", highlight=False
        )


def write(folder: Path, report: dict[str, Any]) -> None:
    """Writes `report.json` and `report.svg`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.json").write_text(json.dumps(report, indent=2) + "\n")
    title = f"{report['scenario']}: {report['options']['clients']:,} clients, {report['seconds']:.0f} s"
    (folder / "report.svg").write_text(chart(title, report))
