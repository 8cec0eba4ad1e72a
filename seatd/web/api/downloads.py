"""Answers that are files: sent piece by piece, so that a long one fills no memory."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from typing import Final, Literal

from aiohttp import web

Format = Literal["csv", "json"]
KINDS: Final[dict[Format, str]] = {"csv": "text/csv", "json": "application/json"}
RISKY = ("=", "+", "-", "@", "\t", "\r")
"""A spreadsheet would take such a cell for a formula."""


@dataclass(frozen=True, slots=True)
class Download:
    """A file of that name; `pieces` makes up its content."""

    name: str
    format: Format
    pieces: AsyncIterator[bytes]

    async def send(self, request: web.Request) -> web.StreamResponse:
        """The file as the answer to a request."""
        first = await anext(self.pieces, b"")  # what goes wrong before anything is sent is told as a problem
        response = web.StreamResponse(
            headers={"Content-Disposition": f'attachment; filename="{self.name}.{self.format}"'}
        )
        response.content_type, response.charset = KINDS[self.format], "utf-8"
        await response.prepare(request)
        await response.write(first)
        async for piece in self.pieces:
            await response.write(piece)
        await response.write_eof()
        return response


def csv_line(cells: Iterable[object]) -> bytes:
    """One line of CSV (RFC 4180); no cell is a formula to a spreadsheet."""
    text = io.StringIO()
    csv.writer(text).writerow([_harmless(cell) for cell in cells])
    return text.getvalue().encode()


def _harmless(cell: object) -> object:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(RISKY) else cell
