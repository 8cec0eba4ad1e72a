"""Counts inputs and keeps what they find, on disk, so that nothing is lost when the fuzzer is killed."""

from __future__ import annotations

import time
from pathlib import Path

from tests.fuzz.target import Finding, Target, judged

WRITE_S = 1.0


class Tally:
    """Of one target, in a folder. A bug is kept once, by its place, with the input that showed it first; then it goes on."""

    def __init__(self, target: Target, folder: Path) -> None:
        self._target = target
        self._file = folder / "executions"
        self._findings = folder / "findings"
        self._findings.mkdir(parents=True, exist_ok=True)
        self._known: set[str] = set()
        self._count = 0
        self._written_s = time.monotonic()

    def take(self, data: bytes) -> None:
        """Gives the target an input."""
        self._count += 1
        found = judged(self._target, data)
        if found is not None and found.place not in self._known:
            self._known.add(found.place)
            self._keep(found)
        if found is not None or time.monotonic() > self._written_s + WRITE_S:
            self.write()

    def write(self) -> None:
        """Puts the number of executions on disk."""
        self._file.write_text(str(self._count))
        self._written_s = time.monotonic()

    def _keep(self, found: Finding) -> None:
        (self._findings / found.name).write_bytes(found.data)
        (self._findings / f"{found.name}.txt").write_text(f"{found.as_test()}\n\n{found.what}\n")
