"""`python -m loadtest WHAT`: measures, prints a table, writes JSON. Exit status 1 when a goal is missed."""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path

from loadtest import admin


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
    return asyncio.run(admin.run(parser.parse_args()))


if __name__ == "__main__":
    sys.exit(main())
