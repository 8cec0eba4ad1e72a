"""What a row of usage says to a person: averages, shares of the time, how many seats would do. Arithmetic only."""

from __future__ import annotations

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
    idle_ms = ms - sum(row.by_count.values())
    known = {**({0: idle_ms} if idle_ms > 0 else {}), **row.by_count}
    return [(count, 100 * lasted_ms / ms) for count, lasted_ms in sorted(known.items())]


def suggested(row: UsageRow) -> int | None:
    """The smallest number of seats that suffices for 99 % of the time in which anything was in use; more than the peak where
    somebody was truly denied, for then the peak was not enough. None: nothing was in use, and nobody was denied."""
    if true_denials(row):
        return row.peak + 1
    busy_ms, so_far_ms = sum(row.by_count.values()), 0
    for count, lasted_ms in sorted(row.by_count.items()):
        so_far_ms += lasted_ms
        if 100 * so_far_ms >= ENOUGH * busy_ms:
            return count
    return row.peak or None


def growth(now: float, before: float) -> float | None:
    """By how many percent it has grown; None when there was nothing before."""
    return 100 * (now - before) / before if before else None
