"""What is printed: answers on standard output (tables for people, JSON for programs), the rest on standard error."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click
import msgspec

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table

PIPE_WIDTH = 200  # where nobody looks at a terminal, nothing is to be broken for its width


def say(text: str) -> None:
    """One message for people."""
    click.echo(text, err=True)


def print_json(answer: bytes) -> None:
    """JSON, readable."""
    click.echo(msgspec.json.format(answer, indent=2).decode())


def console(*, stderr: bool = False) -> Console:
    """Where tables are printed: no markup, no highlighting, no emoji codes, whatever a name looks like."""
    from rich.console import Console

    made = Console(stderr=stderr, markup=False, highlight=False, emoji=False)
    return (
        made
        if made.is_terminal
        else Console(stderr=stderr, markup=False, highlight=False, emoji=False, width=PIPE_WIDTH)
    )


def table(columns: Sequence[str], rows: Iterable[Sequence[RenderableType]], title: str = "") -> Table:
    """A table; a column whose name begins with ">" stands to the right."""
    from rich import box
    from rich.table import Table

    made = Table(
        box=box.SIMPLE_HEAD, title=title or None, title_justify="left", pad_edge=False, show_edge=False
    )
    for column in columns:
        made.add_column(
            column.lstrip(">"), justify="right" if column.startswith(">") else "left", overflow="fold"
        )
    for row in rows:
        made.add_row(*(visible(cell) if isinstance(cell, str) else cell for cell in row))
    return made


def print_table(columns: Sequence[str], rows: Iterable[Sequence[RenderableType]], title: str = "") -> None:
    """A table on standard output."""
    console().print(table(columns, rows, title))


def visible(text: str) -> str:
    """The text with everything that would steer the terminal instead of being seen replaced."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)


def minute(moment: datetime | None) -> str:
    """A moment in UTC, to the minute."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M") if moment else ""


def more(page: int, size: int, shown: int, total: int) -> None:
    """Says that there is more than the page shown, if so."""
    if total > shown:
        first = (page - 1) * size + 1
        which = f"{first} to {first + shown - 1}" if shown else "none"
        say(f"{which} of {total}; other pages with --page.")
