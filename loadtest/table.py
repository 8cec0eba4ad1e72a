"""`./dev bench`: seatd against the floor, a row for each figure, with goal and verdict."""

from __future__ import annotations

import argparse
import json
from collections.abc import Collection
from typing import Any

from rich.console import Console
from rich.table import Table

from loadtest.machine import machine
from loadtest.rows import MEASUREMENTS, Measurement, chosen
from loadtest.rows.cores import together
from loadtest.rows.goals import GOALS
from loadtest.rows.people import SOURCES
from loadtest.rows.row import Row, failed
from loadtest.rows.scale import QUICK, Scale
from loadtest.sources import check_room
from loadtest.steps import Steps


async def run(options: argparse.Namespace) -> int:
    """Measures, tells; 0 when every row reaches what it must. Raises `Unusable`."""
    if options.list:
        return listed()
    names = chosen(options.only)
    scale = QUICK if options.quick else Scale()
    if options.clients is not None:
        scale = scale.of(options.clients)
    check_room(scale.clients, SOURCES)
    before = machine()
    rows = await measured(scale, names)
    show(rows, scale.clients)
    found = {"machine": before, "scale": vars(scale), "rows": [row.told() for row in rows]}
    options.out.write_text(json.dumps(found, indent=2) + "\n")
    print(f"the figures are in {options.out}")
    return int(any(row.verdict == "FAIL" for row in rows))


def listed() -> int:
    """Prints the rows' names."""
    for name, goal in GOALS.items():
        print(f"{name:<14}{goal.title}")
    return 0


async def measured(scale: Scale, names: Collection[str]) -> list[Row]:
    """Those rows, in the table's order. A measurement that breaks costs its own rows only."""
    wanted = [one for one in MEASUREMENTS if set(one.names).intersection(names)]
    rows: dict[str, Row] = {}
    with Steps(len(wanted)) as steps:
        for one in wanted:
            steps.next()
            rows |= {row.name: row for row in await _rows(one, scale, names, steps) if row.name in names}
    return [rows[name] for name in names]


async def _rows(one: Measurement, scale: Scale, names: Collection[str], steps: Steps) -> list[Row]:
    together()
    try:
        return await one.run(scale, names, steps.say)
    except Exception as error:
        return [failed(name, f"{type(error).__name__}: {error}") for name in one.names]


def show(rows: list[Row], clients: int) -> None:
    """Prints the table, and below it the further figures."""
    table = Table(title=f"seatd against a bare aiohttp WebSocket, {clients:,} clients", title_justify="left")
    for column in ("", "unit", "floor", "seatd", "judged", "must", "aim", "verdict"):
        table.add_column(column, justify="left" if not column else "right")
    for row in rows:
        table.add_row(*_cells(row))
    console = Console(width=130, highlight=False)
    console.print(table)
    for row in rows:
        for said in filter(None, (_more(row.more), row.wrong)):
            console.print(f"{row.name}: {said}", markup=False)


def _cells(row: Row) -> tuple[str, ...]:
    goal = row.goal
    sign = "≥" if goal.at_least else "≤"
    bare = "" if row.floor is None else f"{row.floor:,.4g}"
    judged = f"{row.judged:,.3g}" + (" x" if row.floor is not None else "")
    goals = (f"{sign} {goal.must:g}", f"{sign} {goal.aim:g}")
    return (goal.title, goal.unit, bare, f"{row.seatd:,.4g}", judged, *goals, row.verdict)


def _more(figures: Any) -> str:
    return ", ".join(f"{name} {value:,.4g}" for name, value in figures.items())
