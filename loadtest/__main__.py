"""`python -m loadtest [WHAT]`: measures, prints a table, writes JSON. Exit status 1 when a goal is missed, 2 when what is
asked for cannot be done."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from loadtest import admin, curves, soak, table
from loadtest.clients.errors import Unusable
from seatd.serving import uvloop_factory

DEFAULT = "table"
MOST_MINUTES = 7 * 24 * 60


def main() -> int:
    """Runs what the command line asks for: the table, when it names nothing else."""
    options = parser().parse_args(completed(sys.argv[1:]))
    try:
        with asyncio.Runner(loop_factory=uvloop_factory()) as runner:
            return runner.run(_run(options))
    except Unusable as error:
        print(f"./dev bench: {error}", file=sys.stderr)
        return 2
    except asyncio.CancelledError:
        return 143


async def _run(options: argparse.Namespace) -> int:
    """SIGTERM ends it in order, as Ctrl-C does: no server stays behind."""
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    status: int = await options.run(options)
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
    _curves(what.add_parser("curves", help="how costs change as sessions, licenses and seats become more"))
    _soak(what.add_parser("soak", help="whether memory stays flat while people come and go"))
    return made


def _table(rows: argparse.ArgumentParser) -> None:
    rows.add_argument("--only", type=_names, default=[], metavar="ROW,ROW", help="single rows, by name")
    rows.add_argument("--list", action="store_true", help="the names of the rows")
    rows.add_argument("--quick", action="store_true", help="in about two minutes, with few clients")
    rows.add_argument("--clients", type=_number, help="how many at once  [10,000; with --quick 500]")
    rows.add_argument("--out", type=Path, default=Path("bench.json"), help="where the figures go")
    rows.set_defaults(run=table.run)


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _number(text: str) -> int:
    if (number := int(text)) < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return number


def _minutes(text: str) -> float:
    if not 0 < (minutes := float(text)) <= MOST_MINUTES:
        raise argparse.ArgumentTypeError(f"more than 0, at most {MOST_MINUTES:,}")
    return minutes


def _admin(pages: argparse.ArgumentParser) -> None:
    pages.add_argument("--customers", type=int, default=100)
    pages.add_argument("--licenses", type=int, default=1_000)
    pages.add_argument("--users", type=int, default=100_000)
    pages.add_argument("--seats", type=int, default=50_000)
    pages.add_argument("--rounds", type=int, default=20, help="how often each page is asked for")
    pages.add_argument("--grants-s", type=float, default=15, help="for how long grants are timed, twice")
    pages.add_argument("--out", type=Path, default=Path("bench-admin.json"), help="where the figures go")
    pages.set_defaults(run=admin.run)


def _curves(lines: argparse.ArgumentParser) -> None:
    lines.add_argument(
        "--only", type=_names, default=[], metavar="CURVE,CURVE", help="sessions, licenses, seats"
    )
    lines.add_argument("--most", type=int, help="no point beyond so many  [15,000; 1,000; 100,000]")
    lines.add_argument("--plot", action="store_true", help="only draw again what was recorded before")
    lines.add_argument("--folder", type=Path, default=Path("loadtest/recorded"), help="of JSON and pictures")
    lines.set_defaults(run=curves.run)


def _soak(waves: argparse.ArgumentParser) -> None:
    waves.add_argument("--minutes", type=_minutes, default=20)
    waves.add_argument("--clients", type=_number, default=500, help="of a wave")
    waves.add_argument("--out", type=Path, default=Path("soak.json"), help="where the figures go")
    waves.set_defaults(run=soak.run)


if __name__ == "__main__":
    sys.exit(main())
