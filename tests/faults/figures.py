"""Figures that a story states, with the bounds by which they are judged."""

from __future__ import annotations

from tests.faults.fault import Figure


class Figures:
    """Those of one trial, in the order in which they were stated."""

    def __init__(self) -> None:
        self.figures: list[Figure] = []

    def at_most(self, name: str, value: float, bound: float) -> None:
        """A figure that must not be larger."""
        self.figures.append(Figure(name, round(value, 3), f"at most {bound:g}", value <= bound))

    def at_least(self, name: str, value: float, bound: float) -> None:
        """A figure that must not be smaller."""
        self.figures.append(Figure(name, round(value, 4), f"at least {bound:g}", value >= bound))

    def exactly(self, name: str, value: float, expected: float) -> None:
        """A figure that must be this."""
        self.figures.append(Figure(name, value, f"exactly {expected:g}", value == expected))

    def told(self, name: str, value: float) -> None:
        """A figure that is only told."""
        self.figures.append(Figure(name, round(value, 3), "", True))
