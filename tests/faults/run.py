"""`./dev faults`: does to real servers what goes wrong in the world, and reports what came of it."""

from __future__ import annotations

import argparse
import asyncio
import random
import resource
import sys
import time
import traceback
from collections.abc import Sequence
from pathlib import Path

from tests.faults.fault import Fault, NotRun
from tests.faults.report import Report, Result, judged, machine, not_run
from tests.faults.table import faults
from tests.faults.times import FULL, SHORT, Times
from tests.faults.trial import trial

FULL_SIZE, SHORT_SIZE = 300, 60
SOAK_MIN, SHORT_SOAK_MIN = 10.0, 2.0
MOST_S = 300.0
"""A trial gives up after this, or after four times what its fault takes."""


async def run_one(
    fault: Fault,
    times: Times,
    size: int,
    *,
    run: int = 1,
    history: Path | None = None,
    long_s: float = 60.0,
    seed: int = 0,
) -> Result:
    """One trial of a fault, from its servers' start to its verdict. Its history is written to `history`.

    `long_s`: how long a fault goes on that has no end of its own; `seed`: of what it leaves to chance.
    """
    began_s, error, own = time.monotonic(), "", None
    most_s = max(MOST_S, 2 * long_s + MOST_S if fault.long else 4 * fault.seconds)
    try:
        async with trial(times, size) as own, asyncio.timeout(most_s):
            own.long_s, own.seed = long_s, seed
            await fault.story(own)
            await own.settle()
    except NotRun as why:
        return not_run(fault, str(why))
    except Exception as problem:
        error = f"{type(problem).__name__}: {problem}".splitlines()[0][:300]
        traceback.print_exc()
    if own is None:
        return judged(fault, run, [], [], error=error)
    violations = own.judged()
    if history:
        own.history.write(history)
    took_s = time.monotonic() - began_s
    events = len(own.history)
    return judged(
        fault,
        run,
        own.figures,
        violations,
        error=error,
        remarks=own.remarks,
        network=own.network,
        events=events,
        took_s=took_s,
    )


class Progress:
    """Says which fault is on, how many there are, and how long it will take."""

    def __init__(self, planned: Sequence[Fault], times: Times, long_s: float) -> None:
        self._planned_s = [
            long_s + 30 if fault.long else fault.seconds * (times.scale + 0.1) for fault in planned
        ]
        self._began_s = time.monotonic()
        self._done = 0

    def begins(self, fault: Fault, run: int) -> None:
        """A trial begins."""
        left_s = sum(self._planned_s[self._done :])
        text = f"[{self._done + 1}/{len(self._planned_s)}] {fault.id} run {run}: {fault.title}"
        print(
            f"{text} (so far {_clock(time.monotonic() - self._began_s)}, left about {_clock(left_s)})",
            flush=True,
        )

    def ended(self, result: Result) -> None:
        """A trial has its verdict."""
        self._done += 1
        measured = "; ".join(map(str, result.figures))
        print(f"    {result.verdict} in {result.took_s:g} s: {result.reason or measured}", flush=True)


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"


def long_s(options: argparse.Namespace) -> float:
    """How long a fault goes on that has no end of its own."""
    return float(60 * (options.soak or (SHORT_SOAK_MIN if options.short else SOAK_MIN)))


async def run_all(options: argparse.Namespace, chosen: Sequence[Fault]) -> Report:
    """All chosen faults, one after another; what was found so far is written after each."""
    times = SHORT if options.short else FULL
    size = options.sessions or (SHORT_SIZE if options.short else FULL_SIZE)
    name = "about a fifth of the defaults" if options.short else "the defaults"
    seed = random.randrange(1_000_000) if options.seed is None else options.seed
    print(f"seed {seed}", flush=True)
    report = Report(times=f"{name}; {size} sessions", machine=machine(), results=[])
    planned = [fault for fault in chosen for _ in range(options.runs)]
    progress = Progress(planned, times, long_s(options))
    for fault in chosen:
        for run in range(1, options.runs + 1):
            progress.begins(fault, run)
            history = options.report / f"{fault.id}-{run}.jsonl"
            chance = seed + run - 1
            result = await run_one(
                fault, times, size, run=run, history=history, long_s=long_s(options), seed=chance
            )
            progress.ended(result)
            report.results.append(result)
            report.write(options.report)
    return report


def arguments(args: Sequence[str]) -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(prog="./dev faults", description=__doc__)
    parser.add_argument("--only", default="", help="ids, comma-separated: F17,F18")
    parser.add_argument("--runs", type=int, default=1, help="how often each is tried")
    parser.add_argument("--short", action="store_true", help="times divided by about five, fewer sessions")
    parser.add_argument("--sessions", type=int, help="how many sessions a trial takes")
    parser.add_argument(
        "--report", type=Path, default=Path("faults-report"), help="folder for report and histories"
    )
    parser.add_argument(
        "--soak",
        type=float,
        metavar="MINUTES",
        help=f"how long F52 and F53 go on ({SOAK_MIN:g}; {SHORT_SOAK_MIN:g} with --short)",
    )
    parser.add_argument(
        "--seed", type=int, help="of what F52 and F53 leave to chance; each run tells its own"
    )
    parser.add_argument("--list", action="store_true", help="only list the faults")
    return parser.parse_args(args)


def chosen_of(only: str, *, short: bool = False) -> list[Fault]:
    """The faults that were asked for; all of them without a word, but in a short run the heavy ones.

    Raises `SystemExit` for an unknown id.
    """
    table = faults()
    if not only:
        return [fault for fault in table if not (short and fault.heavy)]
    wanted = [id_.strip() for id_ in only.split(",") if id_.strip()]
    unknown = set(wanted) - {fault.id for fault in table}
    if unknown:
        raise SystemExit(f"there is no fault {', '.join(sorted(unknown))}; --list names them")
    return [fault for fault in table if fault.id in wanted]


def main(args: Sequence[str]) -> int:
    """The exit status: 1 when a fault failed."""
    options = arguments(args)
    chosen = chosen_of(options.only, short=options.short)
    if options.list:
        for fault in chosen:
            print(f"{fault.id:<9} {fault.title}")
        return 0
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    options.report.mkdir(parents=True, exist_ok=True)
    report = asyncio.run(run_all(options, chosen))
    print()
    print(report.table())
    for path in report.write(options.report):
        print(f"written: {path}")
    return int(any(result.verdict == "fail" for result in report.results))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
