"""The tables of docs/security.md, out of the tests: `python -m tests.attacks.table` writes them into the page."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path

from tests.attacks import attack

HERE = Path(__file__).resolve().parent
PAGE = HERE.parents[1] / "docs" / "security.md"
BEGIN = "<!-- {}: written by python -m tests.attacks.table -->"
END = "<!-- end of {} -->"


def load() -> None:
    """Imports all tests of this folder, so that what they declare is known."""
    for file in sorted(HERE.glob("test_*.py")):
        importlib.import_module(f"tests.attacks.{file.stem}")


def written(page: str) -> str:
    """The page with its tables as the tests have them."""
    load()
    for name, lines in (("attacks", _attacks()), ("not defended", _undefended())):
        begin, end = BEGIN.format(name), END.format(name)
        before, _, rest = page.partition(begin)
        _, found, after = rest.partition(end)
        if not found:
            raise ValueError(f"{PAGE.name} has no place for the table: {begin} ... {end}")
        page = "\n".join((before + begin, "", *lines, "", end + after))
    return page


def _attacks() -> Iterator[str]:
    yield "| | what is tried | what seatd does | what is left | proved by |"
    yield "|---|---|---|---|---|"
    for item in sorted(attack.ATTACKS):
        proof = f"[`{item.test}`](../{item.file})"
        yield f"| {item.number} | {_cell(item.tried)} | {_cell(item.answer)} | {_cell(item.left)} | {proof} |"


def _undefended() -> Iterator[str]:
    yield "| | what may be tried | why seatd does nothing, and what you can do |"
    yield "|---|---|---|"
    for item in sorted(attack.UNDEFENDED):
        yield f"| {item.number} | {_cell(item.tried)} | {_cell(item.reason)} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text("utf-8")), "utf-8")
