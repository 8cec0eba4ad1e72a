"""What the clients went through: how long each step took, what was refused, and what happened second by second."""

from __future__ import annotations

import math
import time
from collections import Counter

RESOLUTION = 1.02
"""Times are grouped in steps of 2 %, so that memory does not grow with their number."""
PERCENTILES = (50.0, 90.0, 99.0, 99.9)


class Histogram:
    """How long something took, in milliseconds."""

    def __init__(self) -> None:
        self.count = 0
        self.max_ms = 0.0
        self._groups: Counter[int] = Counter()

    def add(self, ms: float) -> None:
        """One more."""
        self.count += 1
        self.max_ms = max(self.max_ms, ms)
        self._groups[math.ceil(math.log(max(ms, 0.001), RESOLUTION))] += 1

    def percentile(self, percent: float) -> float:
        """What so many percent do not exceed, at most 2 % too high; 0 of nothing."""
        rank, seen = math.ceil(self.count * percent / 100), 0
        for group in sorted(self._groups):
            seen += self._groups[group]
            if seen >= rank:
                return float(min(RESOLUTION**group, self.max_ms))
        return 0.0

    def figures(self) -> dict[str, float]:
        """As the report has them."""
        found = {f"p{percent:g}": round(self.percentile(percent), 3) for percent in PERCENTILES}
        return {"count": self.count, **found, "max": round(self.max_ms, 3)}


class Recorder:
    """One for all clients of a run. `live`: sessions now; `series`: by second since the start."""

    def __init__(self) -> None:
        self.began_s = time.perf_counter()
        self.steps: dict[str, Histogram] = {}
        self.counts: Counter[str] = Counter()
        self.live = 0
        self.series: dict[int, Counter[str]] = {}

    def took(self, step: str, since_s: float) -> None:
        """A step that began at `since_s` (`time.perf_counter`) is done."""
        now_s = time.perf_counter()
        self.steps.setdefault(step, Histogram()).add((now_s - since_s) * 1000)
        self._second()[step] += 1

    def count(self, what: str) -> None:
        """Something that has no duration: a denial, an end, an error."""
        self.counts[what] += 1
        self._second()[what] += 1

    def changed(self, by: int) -> None:
        """So many sessions more, or fewer."""
        self.live += by
        self._second()["live"] = self.live

    @property
    def errors(self) -> int:
        """What should not have happened: neither an answer of the contract nor an end that somebody asked for."""
        return sum(number for what, number in self.counts.items() if what.startswith("error "))

    def _second(self) -> Counter[str]:
        return self.series.setdefault(int(time.perf_counter() - self.began_s), Counter())
