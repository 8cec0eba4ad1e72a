"""What the checker finds."""

from __future__ import annotations

from typing import NamedTuple


class Violation(NamedTuple):
    """A rule that was broken: when (seconds of the trial's clock), which, and in words by whom."""

    t: float
    rule: str
    text: str

    def __str__(self) -> str:
        return f"{self.t:.3f} {self.rule}: {self.text}"
