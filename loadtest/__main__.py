"""`python -m loadtest WHAT`: measures, prints a table, writes JSON. Exit status 1 when a goal is missed."""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path

from loadtest import admin, table
from seatd.serving import uvloop_factory


def main() -> int:
    """Runs what the command line asks for."""
    parser = argparse.ArgumentParser(prog="./dev bench", description="Measures seatd on a server of its own.")
    what = parser.add_subparsers(dest="what", required=True, metavar="WHAT")
    pages = what.add_parser("admin", help="how fast administrators' pages are, and what grants wait for them")
    pages.add_argument("--customers", type=int, default=100)
    pages.add_argument("--licenses", type=int, default=1_000)
    pages.add_argument("--users", type=int, default=100_000)
    pages.add_argument("--seats", type=int, default=50_000)
    pages.add_argument("--rounds", type=int, default=20, help="how often each page is asked for")
    pages.add_argument("--grants-s", type=float, default=15, help="for how long grants are timed, twice")
    pages.add_argument("--out", type=Path, default=Path("bench-admin.json"), help="where the figures go")
    pages.set_defaults(run=admin.run)
    rows = what.add_parser("table", help="what a client costs, against a server that only echoes")
    rows.add_argument("--clients", type=int, default=4_000)
    rows.add_argument("--out", type=Path, default=Path("bench.json"), help="where the figures go")
    rows.set_defaults(run=table.run)
    options = parser.parse_args()
    with asyncio.Runner(loop_factory=uvloop_factory()) as runner:
        status: int = runner.run(options.run(options))
    return status


if __name__ == "__main__":
    sys.exit(main())
