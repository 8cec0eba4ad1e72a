"""Last week against the week before, for many at once: seat-hours of the last seven whole days (UTC) and of the seven before.

The registry shows it for every license, so only what is needed of each row is decoded.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import msgspec

from seatd.store.keys import customer_key
from seatd.store.usage_figures import growth
from seatd.store.usage_values import DAY_MS, Scope, field_of
from seatd.store.verbs import Verbs

DAYS = 7
SCOPES_AT_ONCE = 100
"""Asked for in one command, 14 rows each: then others have their turn, here and in the store."""


class SeatTime(msgspec.Struct, array_like=True):
    """The beginning of a row, as the store has it."""

    peak: int
    seat_ms: int


class Running(msgspec.Struct, array_like=True):
    """The beginning of a meter: `count` seats in use since `last_ms`, and `seat_ms` of its hour before that."""

    count: int
    over: int
    last_ms: int
    low: int
    high: int
    peak: int
    seat_ms: int


_ROW = msgspec.msgpack.Decoder(SeatTime)
_METER = msgspec.msgpack.Decoder(Running)


class WeekVerbs(Verbs):
    """Reads rows and meters. Nothing is written."""

    async def week_growths(
        self, customer: str, scopes: Sequence[Scope], today: int
    ) -> dict[Scope, float | None]:
        """By how many percent each was used more in the week before `today` (a day's number) than in the one before that;
        None when it was not used then. Where a meter's hour is closed between two looks, it may be missing or count twice."""
        found: dict[Scope, float | None] = {}
        for start in range(0, len(scopes), SCOPES_AT_ONCE):
            part = scopes[start : start + SCOPES_AT_ONCE]
            found |= await self._growths(customer, part, today)
            await asyncio.sleep(0)
        return found

    async def _growths(self, customer: str, scopes: Sequence[Scope], today: int) -> dict[Scope, float | None]:
        days = range(today - 2 * DAYS, today)
        names = [scope.name for scope in scopes]
        fields = [field_of("day", day, name) for name in names for day in days]
        partition = self.partition(customer)
        meters, rows = await asyncio.gather(
            self.pipeline.command("HMGET", customer_key("meters", partition, customer), *names),
            self.pipeline.command("HMGET", customer_key("usage", partition, customer), *fields),
        )
        return {
            scope: _growth(rows[number * len(days) : (number + 1) * len(days)], meters[number], today)
            for number, scope in enumerate(scopes)
        }


def _growth(rows: Sequence[Any], meter: Any, today: int) -> float | None:
    closed = [0 if packed is None else _ROW.decode(packed).seat_ms for packed in rows]
    running = None if meter is None else _METER.decode(meter)
    start_ms, middle_ms, end_ms = ((today - days) * DAY_MS for days in (2 * DAYS, DAYS, 0))
    before = sum(closed[:DAYS]) + _until(running, start_ms, middle_ms)
    return growth(sum(closed[DAYS:]) + _until(running, middle_ms, end_ms), before)


def _until(meter: Running | None, from_ms: int, till_ms: int) -> int:
    """Seat-milliseconds of this time that are in no closed row yet."""
    if meter is None or meter.last_ms >= till_ms:
        return 0
    of_hour = meter.seat_ms if meter.last_ms >= from_ms else 0
    return of_hour + meter.count * (till_ms - max(from_ms, meter.last_ms))
