"""What a row of usage says to a person: averages, shares of the time, how many seats would do. Arithmetic only."""

from __future__ import annotations

from bisect import bisect_left
from itertools import accumulate

from seatd.store.usage_values import HOUR_MS, UsageRow

FOR_WANT_OF_A_SEAT = ("no_seat", "queue_full", "wait_timeout")
"""Denials that more seats would have prevented."""
ENOUGH = 99
"""For so many percent of the time in which anything was in use the suggested seats suffice."""


def average(row: UsageRow, ms: int) -> float:
    """Seats in use on average over so many milliseconds."""
    return row.seat_ms / ms if ms > 0 else 0.0


def hours(seat_ms: int) -> float:
    """Seat-milliseconds as seat-hours."""
    return seat_ms / HOUR_MS


def denied(row: UsageRow) -> int:
    """How often anything was refused, for whatever reason."""
    return sum(row.denials.values())


def true_denials(row: UsageRow) -> int:
    """How often somebody was refused for want of a seat, and not granted it within seconds."""
    return max(0, sum(row.denials.get(code, 0) for code in FOR_WANT_OF_A_SEAT) - row.healed)


def shares(row: UsageRow, ms: int) -> list[tuple[int, float]]:
    """How many seats were in use for how many percent of so many milliseconds; 0 seats where nothing was."""
    if ms <= 0:
        return []
    lasted_ms = row.by_count
    idle_ms = ms - sum(lasted_ms.values())
    if idle_ms > 0:
        lasted_ms = {0: idle_ms, **lasted_ms}
    return [(count, 100 * lasted_ms[count] / ms) for count in sorted(lasted_ms)]


def suggested(row: UsageRow) -> int | None:
    """The smallest number of seats that suffices for 99 % of the time in which anything was in use; more than the peak where
    somebody was truly denied, for then the peak was not enough. None: nothing was in use, and nobody was denied."""
    if true_denials(row):
        return row.peak + 1
    counts = sorted(row.by_count)
    so_far_ms = list(accumulate(row.by_count[count] for count in counts))
    if so_far_ms and so_far_ms[-1]:
        enough_ms = -(-ENOUGH * so_far_ms[-1] // 100)  # rounded up
        return counts[bisect_left(so_far_ms, enough_ms)]
    return row.peak or None


def growth(now: float, before: float) -> float | None:
    """By how many percent it has grown; None when there was nothing before."""
    return 100 * (now - before) / before if before else None
