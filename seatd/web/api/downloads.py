"""Answers that are files: sent piece by piece, so that a long one fills no memory."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

import structlog
from aiohttp import web

Format = Literal["csv", "json", "ndjson"]
KINDS: Final[dict[Format, str]] = {
    "csv": "text/csv",
    "json": "application/json",
    "ndjson": "application/x-ndjson",
}
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""A text that begins so would be run as a formula by a spreadsheet."""
ROWS_AT_ONCE = 200

Cell = str | int | float | bool | datetime | None

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Download:
    """A file of that name; `pieces` makes up its content."""

    name: str
    format: Format
    pieces: AsyncIterator[bytes]

    async def send(self, request: web.Request) -> web.StreamResponse:
        """The file as the answer to a request. What goes wrong before its first piece is a problem as ever; afterwards the
        connection is cut, so that nobody takes a part for the whole."""
        first = await anext(self.pieces, b"")
        response = web.StreamResponse(
            headers={"Content-Disposition": f'attachment; filename="{self.name}.{self.format}"'}
        )
        response.content_type, response.charset = KINDS[self.format], "utf-8"
        await response.prepare(request)
        try:
            await response.write(first)
            async for piece in self.pieces:
                await response.write(piece)
            await response.write_eof()
        except Exception as error:
            if not isinstance(error, ConnectionError):  # that is the caller, who has hung up
                _log.exception("download broken off", path=request.path)
            if request.transport is not None:
                request.transport.abort()
        return response


def table(name: str, columns: Iterable[str], rows: AsyncIterator[Sequence[Cell]]) -> Download:
    """A table as CSV."""
    return Download(name, "csv", _portions(columns, rows))


async def _portions(columns: Iterable[str], rows: AsyncIterator[Sequence[Cell]]) -> AsyncIterator[bytes]:
    portion = [csv_line(columns)]
    async for row in rows:
        portion.append(csv_line(row))
        if len(portion) == ROWS_AT_ONCE:
            yield b"".join(portion)
            portion = []
    yield b"".join(portion)


def csv_line(cells: Iterable[Cell]) -> bytes:
    """One line of CSV (RFC 4180)."""
    text = io.StringIO()
    csv.writer(text).writerow([written(cell) for cell in cells])
    return text.getvalue().encode()


def written(cell: Cell) -> str:
    """A cell as text. One that a spreadsheet would take for a formula gets an apostrophe before it (OWASP, CSV injection)."""
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
