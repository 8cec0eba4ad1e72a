"""Lists as CSV, row by row, for people who open them in a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog
from aiohttp import web

Cell = str | int | float | bool | datetime | None

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""A text that begins so would be run as a formula."""
ROWS_AT_ONCE = 200

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Csv:
    """An answer that is sent as it is made. `name` is what the file is called."""

    name: str
    columns: Sequence[str]
    rows: AsyncIterator[Sequence[Cell]]


async def send(request: web.Request, table: Csv) -> web.StreamResponse:
    """Sends the table. What goes wrong before its first rows is a problem as ever; afterwards the connection is cut.

    So nobody takes a part for the whole.
    """
    portions = _portions(table)
    first = await anext(portions)
    response = web.StreamResponse(
        headers={
            "Content-Type": "text/csv; charset=utf-8; header=present",
            "Content-Disposition": f'attachment; filename="{table.name}.csv"',
        }
    )
    await response.prepare(request)
    try:
        await response.write(first)
        async for portion in portions:
            await response.write(portion)
        await response.write_eof()
    except Exception:
        _log.exception("export broken off", path=request.path)
        if request.transport is not None:
            request.transport.abort()
    return response


async def _portions(table: Csv) -> AsyncIterator[bytes]:
    text = io.StringIO()
    lines = csv.writer(text)
    lines.writerow(table.columns)
    waiting = 0
    async for row in table.rows:
        lines.writerow([written(cell) for cell in row])
        waiting += 1
        if waiting == ROWS_AT_ONCE:
            yield text.getvalue().encode()
            text.seek(0)
            text.truncate()
            waiting = 0
    yield text.getvalue().encode()


def written(cell: Cell) -> str:
    """A cell as text. One that a spreadsheet would take for a formula gets an apostrophe before it."""
    match cell:
        case None:
            return ""
        case bool():
            return "true" if cell else "false"
        case int():
            return str(cell)
        case float():
            return f"{cell:.6g}" if abs(cell) < 1e6 else f"{cell:.1f}"
        case datetime():
            return cell.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        case str():
            return f"'{cell}" if cell.startswith(FORMULA) else cell
