"""`./dev bench table`: seatd against the floor, a row for each figure, with goal and verdict."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
from dataclasses import asdict

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from loadtest.processes import on_core
from loadtest.rows import Row, measured, measured_floor


async def run(options: argparse.Namespace) -> int:
    """Measures, tells; 0 when every row reaches what it must."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, transient=True) as progress:
        task = progress.add_task("the floor: connects and echoes", total=None)
        on_core(1, [os.getpid()])
        bare = await measured_floor(options.clients)
        progress.update(
            task, description=f"seatd: {options.clients:,} clients sign in, work, wait, are forced out"
        )
        await asyncio.sleep(1)
        rows = await measured(options.clients, bare)
    show(rows, options.clients)
    machine = {"cores": os.cpu_count(), "python": platform.python_version(), "load": os.getloadavg()}
    found = {
        "machine": machine,
        "clients": options.clients,
        "rows": [asdict(row) | {"verdict": row.verdict} for row in rows],
    }
    options.out.write_text(json.dumps(found, indent=2) + "\n")
    print(f"the figures are in {options.out}")
    return int(any(row.verdict == "FAIL" for row in rows))


def show(rows: list[Row], clients: int) -> None:
    """Prints the table."""
    table = Table(title=f"seatd against a bare aiohttp WebSocket, {clients:,} clients", title_justify="left")
    for column in ("", "unit", "floor", "seatd", "judged", "must", "aim", "verdict"):
        table.add_column(column, justify="left" if not column else "right")
    for row in rows:
        sign = "≥" if row.at_least else "≤"
        bare = "" if row.floor is None else f"{row.floor:,.4g}"
        judged = f"{row.judged:,.3g}" + (" x" if row.floor is not None else "")
        goals = (f"{sign} {row.must:g}", f"{sign} {row.aim:g}")
        table.add_row(row.name, row.unit, bare, f"{row.seatd:,.4g}", judged, *goals, row.verdict)
    Console(width=130).print(table)
