"""Last week against the week before: the last seven whole days (UTC), and the seven before those."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from seatd.store import usage_figures as figures
from seatd.store.usage_values import UsageRow, merged, start_ms
from seatd.web.api.shapes import Moment, moment

DAYS = 7


class Activity(msgspec.Struct, frozen=True, kw_only=True):
    """What was in use and refused. `peak` is the highest that any one of the rows asked for had."""

    seat_hours: float
    peak: int
    grants: int
    denied: int
    true_denials: int


class ActivityDay(msgspec.Struct, frozen=True, kw_only=True):
    """One day of last week, and the same day of the week before."""

    day: Moment
    activity: Activity
    week_before: Activity


class Growth(msgspec.Struct, frozen=True, kw_only=True):
    """In percent of the week before; null when there was nothing then."""

    seat_hours: float | None
    peak: float | None
    grants: float | None
    denied: float | None
    true_denials: float | None


class ActivityView(msgspec.Struct, frozen=True, kw_only=True):
    """Two weeks, and by how much the later one is more."""

    days: tuple[ActivityDay, ...]
    week: Activity
    week_before: Activity
    growth: Growth


def activity_of(today: int, rows: Sequence[Sequence[UsageRow]]) -> ActivityView:
    """Of rows of the 14 days before `today` (a day's number), for each thing that was asked about."""
    days = [merged(row[number] for row in rows) for number in range(2 * DAYS)]
    before, last = days[:DAYS], days[DAYS:]
    week, week_before = _activity(merged(last)), _activity(merged(before))
    names = Growth.__struct_fields__
    return ActivityView(
        days=tuple(
            ActivityDay(
                day=moment(start_ms("day", today - DAYS + number)),
                activity=_activity(last[number]),
                week_before=_activity(before[number]),
            )
            for number in range(DAYS)
        ),
        week=week,
        week_before=week_before,
        growth=Growth(
            **{name: figures.growth(getattr(week, name), getattr(week_before, name)) for name in names}
        ),
    )


def _activity(row: UsageRow) -> Activity:
    return Activity(
        seat_hours=figures.hours(row.seat_ms),
        peak=row.peak,
        grants=row.grants,
        denied=figures.denied(row),
        true_denials=figures.true_denials(row),
    )
