"""`python -m loadtest [WHAT]`: measures, prints a table, writes JSON. Exit status 1 when a goal is missed, 2 when what is
asked for cannot be done."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

from loadtest import admin, table
from loadtest.clients.errors import Unusable
from seatd.serving import uvloop_factory

DEFAULT = "table"


def main() -> int:
    """Runs what the command line asks for: the table, when it names nothing else."""
    options = parser().parse_args(completed(sys.argv[1:]))
    try:
        with asyncio.Runner(loop_factory=uvloop_factory()) as runner:
            status: int = runner.run(options.run(options))
    except Unusable as error:
        print(f"./dev bench: {error}", file=sys.stderr)
        return 2
    return status


def completed(args: Sequence[str]) -> list[str]:
    """With the verb that is meant when none is given; only `--help` goes without."""
    if args and (not args[0].startswith("-") or args[0] in ("-h", "--help")):
        return list(args)
    return [DEFAULT, *args]


def parser() -> argparse.ArgumentParser:
    """What can be asked for."""
    made = argparse.ArgumentParser(
        prog="./dev bench", description="Measures seatd on servers of its own. Without a word: the table."
    )
    what = made.add_subparsers(dest="what", required=True, metavar="WHAT")
    _table(
        what.add_parser(
            "table", help="all figures with goals and verdicts, against a server that only echoes"
        )
    )
    _admin(what.add_parser("admin", help="how fast administrators' pages are, and what grants wait for them"))
    return made


def _table(rows: argparse.ArgumentParser) -> None:
    rows.add_argument("--only", type=_names, default=[], metavar="ROW,ROW", help="single rows, by name")
    rows.add_argument("--list", action="store_true", help="the names of the rows")
    rows.add_argument("--quick", action="store_true", help="in about two minutes, with few clients")
    rows.add_argument("--clients", type=int, help="how many at once  [10,000; with --quick 500]")
    rows.add_argument("--out", type=Path, default=Path("bench.json"), help="where the figures go")
    rows.set_defaults(run=table.run)


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _admin(pages: argparse.ArgumentParser) -> None:
    pages.add_argument("--customers", type=int, default=100)
    pages.add_argument("--licenses", type=int, default=1_000)
    pages.add_argument("--users", type=int, default=100_000)
    pages.add_argument("--seats", type=int, default=50_000)
    pages.add_argument("--rounds", type=int, default=20, help="how often each page is asked for")
    pages.add_argument("--grants-s", type=float, default=15, help="for how long grants are timed, twice")
    pages.add_argument("--out", type=Path, default=Path("bench-admin.json"), help="where the figures go")
    pages.set_defaults(run=admin.run)


if __name__ == "__main__":
    sys.exit(main())
