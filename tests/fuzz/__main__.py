"""`./dev fuzz`: every reader of foreign bytes, one after another, as long as one likes; exit status 1 when something is found.

Each is fuzzed in a process of its own, led by coverage where Atheris is installed, else by chance. What was interesting stays
in `.fuzz/TARGET/corpus`: the next run goes on from there. An input that broke something is kept in `.fuzz/TARGET/findings`
and told as a case for `tests/fuzz/test_findings.py`.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.fuzz.target import ROOT
from tests.fuzz.targets import NAMES, SERVED

SHORTEST_S = 2
GRACE_S = 60
"""Longer than asked for: to start, and to end the input that it is at."""


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one target. `broken`: the fuzzer itself ended badly."""

    name: str
    executions: int
    seconds: float
    findings: tuple[str, ...]
    broken: str = ""

    def row(self) -> str:
        rate = self.executions / max(self.seconds, 1)
        return f"{self.name:<16}{self.executions:>12,}{self.seconds:>9.0f} s{rate:>10,.0f}/s{len(self.findings):>10}"


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    guided = options.engine == "guided"
    names = options.only or list(NAMES)
    each_s = max(SHORTEST_S, round(options.minutes * 60 / len(names)))
    print(
        f"fuzz: {len(names)} targets, {each_s} s each, {'led by coverage where that helps' if guided else 'by chance'}",
        flush=True,
    )
    results = []
    for name in names:
        results.append(_fuzzed(name, Path(options.folder) / name, each_s, guided and name not in SERVED))
        print(results[-1].row(), flush=True)
    return _reported(results)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    best = "guided" if importlib.util.find_spec("atheris") else "chance"
    parser = argparse.ArgumentParser(
        prog="./dev fuzz", description=__doc__.partition("\n")[0] if __doc__ else ""
    )
    parser.add_argument("--minutes", type=float, default=10, help="for all targets together (default 10)")
    parser.add_argument(
        "--only", type=lambda text: text.split(","), metavar="TARGET,...", help=", ".join(NAMES)
    )
    parser.add_argument(
        "--engine", choices=("guided", "chance"), default=best, help=f"here by default: {best}"
    )
    parser.add_argument(
        "--folder", default=str(ROOT / ".fuzz"), help="for corpora and findings (default .fuzz)"
    )
    options = parser.parse_args(arguments)
    if unknown := set(options.only or ()) - {*NAMES, "planted"}:
        parser.error(f"there is no target {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}")
    return options


def _fuzzed(name: str, folder: Path, seconds: int, guided: bool) -> Result:
    """Fuzzes until the time is over, also when one input ends the fuzzer (an endless loop, too much memory)."""
    shutil.rmtree(folder / "findings", ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    for left in folder.glob("libfuzzer-*"):
        left.unlink()
    executions, began_s, broken = 0, time.monotonic(), ""
    while (rest_s := seconds - (time.monotonic() - began_s)) >= 1 and not broken:
        ended_well, said = _round(name, folder, round(rest_s), guided)
        executions += _number(folder / "executions")
        if not ended_well and not _kept(folder):
            broken = said
    return Result(name, executions, time.monotonic() - began_s, _kept(folder), broken)


def _round(name: str, folder: Path, seconds: int, guided: bool) -> tuple[bool, str]:
    """One process of the fuzzer, from start to end: whether it ended well, and the end of what it said."""
    (folder / "executions").unlink(missing_ok=True)
    module = "tests.fuzz.guided" if guided else "tests.fuzz.by_chance"
    command = [sys.executable, "-m", module, name, str(folder), str(seconds)]
    with tempfile.TemporaryDirectory(prefix="seatd-fuzz-") as temporary, open(folder / "said", "w+b") as said:
        environ = {**os.environ, "TMPDIR": temporary}
        fuzzer = subprocess.Popen(
            command, cwd=ROOT, env=environ, stdout=said, stderr=said, start_new_session=True
        )
        try:
            status = fuzzer.wait(seconds + GRACE_S)
        except subprocess.TimeoutExpired:
            status = -1
        finally:
            _end(fuzzer)
        return status == 0, (folder / "said").read_text("utf-8", "replace")[-3000:]


def _end(fuzzer: subprocess.Popen[bytes]) -> None:
    """Ends it with what it started, its server above all."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(fuzzer.pid, signal.SIGKILL)
    fuzzer.wait()


def _number(path: Path) -> int:
    return int(path.read_text() or 0) if path.exists() else 0


def _kept(folder: Path) -> tuple[str, ...]:
    """All findings as text; those that ended the fuzzer are known by their input only."""
    told = [path.read_text() for path in sorted(folder.glob("findings/*.txt"))]
    for path in sorted(folder.glob("libfuzzer-*")):
        data = path.read_bytes()
        told.append(
            f"    # {path.name.split('-')[1]}: it ended the fuzzer\n    ({folder.name!r}, {data!r}),\n"
        )
    return tuple(told)


def _reported(results: Sequence[Result]) -> int:
    found = [text for result in results for text in result.findings]
    for text in found:
        print(f"\nfound, as a case for tests/fuzz/test_findings.py:\n{text}")
    for result in results:
        if result.broken:
            print(f"\nthe fuzzer of {result.name} ended badly:\n{result.broken}")
    print(f"\n{sum(result.executions for result in results):,} executions, {len(found)} findings")
    return 1 if found or any(result.broken for result in results) else 0


if __name__ == "__main__":
    sys.exit(main())
