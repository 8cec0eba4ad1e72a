"""What the clients went through: how long each step took, what was refused, and what happened second by second."""

from __future__ import annotations

import math
import time
from collections import Counter

RESOLUTION = 1.02
"""Times are grouped in steps of 2 %, so that memory does not grow with their number."""
PERCENTILES = (50.0, 90.0, 99.0, 99.9)


class Histogram:
    """How long something took, in milliseconds. `began_s`, `ended_s`: of the first one, and of the last."""

    def __init__(self) -> None:
        self.count = 0
        self.max_ms = 0.0
        self.began_s = math.inf
        self.ended_s = -math.inf
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

    def span(self, began_s: float, ended_s: float) -> None:
        """One was under way between these."""
        self.began_s, self.ended_s = min(self.began_s, began_s), max(self.ended_s, ended_s)

    @property
    def rate_per_s(self) -> float:
        """How many there were in a second, from the beginning of the first to the end of the last."""
        return self.count / max(self.ended_s - self.began_s, 0.001)

    def groups(self) -> list[tuple[float, int]]:
        """Upper bounds in milliseconds, rising, and how many lie between each and the one before."""
        return [(round(RESOLUTION**group, 6), number) for group, number in sorted(self._groups.items())]

    def figures(self) -> dict[str, float]:
        """As the report has them."""
        found = {f"p{percent:g}": round(self.percentile(percent), 3) for percent in PERCENTILES}
        return {"count": self.count, **found, "max": round(self.max_ms, 3)}


class Recorder:
    """One for all clients of a run. `live`: sessions now; `series`: what happened, by second since the start; `slowest`: how
    long a step took at the most, in milliseconds, by second."""

    def __init__(self) -> None:
        self.began_s = time.perf_counter()
        self.steps: dict[str, Histogram] = {}
        self.counts: Counter[str] = Counter()
        self.live = 0
        self.series: dict[int, Counter[str]] = {}
        self.slowest: dict[str, dict[int, float]] = {}

    def took(self, step: str, since_s: float) -> None:
        """A step that began at `since_s` (`time.perf_counter`) is done."""
        now_s = time.perf_counter()
        took_ms = (now_s - since_s) * 1000
        steps = self.steps.setdefault(step, Histogram())
        steps.add(took_ms)
        steps.span(since_s, now_s)
        self._second()[step] += 1
        slowest, second = self.slowest.setdefault(step, {}), int(now_s - self.began_s)
        slowest[second] = max(slowest.get(second, 0.0), took_ms)

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
