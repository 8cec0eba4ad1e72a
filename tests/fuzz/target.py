"""What is fuzzed: a function that takes any bytes at all, and may raise nothing: refusals it catches itself."""

from __future__ import annotations

import hashlib
import time
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
SLOW_S = 5.0
"""CPU time: no input that a stranger may send is worth as much."""


@dataclass(frozen=True, slots=True)
class Target:
    """One reader of foreign bytes.

    `seeds` are good inputs to begin from, made of what the tests have anyway; `words` are what is put in here and there.
    """

    name: str
    run: Callable[[bytes], None]
    seeds: Callable[[], Iterable[bytes]]
    words: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """An input that did what none may do. `place` says where, so that one bug is one finding however many inputs show it."""

    target: str
    data: bytes
    place: str
    what: str

    @property
    def name(self) -> str:
        """By target and input: the file's name that it is kept under."""
        return f"{self.target}-{hashlib.sha256(self.data).hexdigest()[:12]}"

    def as_test(self) -> str:
        """A case for `test_findings.py`."""
        return f"    # {self.place}\n    ({self.target!r}, {self.data!r}),"


def judged(target: Target, data: bytes) -> Finding | None:
    """What is wrong with how the target takes this input, if anything."""
    began_s = time.process_time()
    try:
        target.run(data)
    except Exception as error:
        return Finding(target.name, data, _place(error), "".join(traceback.format_exception(error)))
    taken_s = time.process_time() - began_s
    return Finding(target.name, data, "slow", f"took {taken_s:.1f} s of CPU") if taken_s > SLOW_S else None


def _place(error: Exception) -> str:
    """The kind of error and the last line of our own that it went through."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if str(ROOT) in frame.filename]
    ours = [frame for frame in frames if ".venv" not in frame.filename]
    last = ours[-1]
    return f"{type(error).__name__} at {Path(last.filename).relative_to(ROOT)}:{last.lineno}"
