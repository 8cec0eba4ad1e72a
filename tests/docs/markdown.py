"""How the reference writes what it has found."""

from __future__ import annotations

from collections.abc import Iterable

MADE = "Made from the code by `./dev docs`; a test compares the two. What stands here is complete, and never edited by hand."
"""What each page begins with."""


def table(head: str, rows: Iterable[Iterable[object]]) -> str:
    """A table in Markdown; `head` names its columns, parted by `|`."""
    columns = head.split("|")
    lines = [f"| {' | '.join(columns)} |", "|" + "---|" * len(columns)]
    lines += [f"| {' | '.join(str(cell).replace('|', chr(92) + '|') for cell in row)} |" for row in rows]
    return "\n".join(lines) + "\n"


def ticked(words: Iterable[str]) -> str:
    """Words as code, with commas."""
    return ", ".join(f"`{word}`" for word in words)
