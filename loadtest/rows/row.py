"""A row of the table: what was found, and what that means."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from loadtest.rows.goals import GOALS, Goal


@dataclass(frozen=True)
class Row:
    """A figure of seatd's and of the floor's (None: it has none). `more`: further figures, by a name with a unit.
    `wrong`: why it says nothing, or what happened that must not; then it fails whatever the figure is."""

    name: str
    seatd: float
    floor: float | None = None
    more: Mapping[str, float] = field(default_factory=dict)
    wrong: str = ""

    @property
    def goal(self) -> Goal:
        """What it is held against."""
        return GOALS[self.name]

    @property
    def judged(self) -> float:
        """The ratio to the floor, or the figure itself."""
        return self.seatd if self.floor is None else self.seatd / self.floor

    @property
    def verdict(self) -> str:
        """`aim`, `must`, or `FAIL`."""
        return "FAIL" if self.wrong else self.goal.verdict(self.judged)

    def told(self) -> dict[str, Any]:
        """As the JSON has it; what is not a number is null there."""
        seen = asdict(self) | {"judged": self.judged, "verdict": self.verdict}
        return asdict(self.goal) | {
            name: None if isinstance(value, float) and not math.isfinite(value) else value
            for name, value in seen.items()
        }


def failed(name: str, why: str) -> Row:
    """A row that could not be measured."""
    return Row(name, math.nan, wrong=why)
