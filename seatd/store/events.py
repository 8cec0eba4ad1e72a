"""The stream of events: what happened to a customer's seats, newest first."""

from __future__ import annotations

from typing import Any

import msgpack
import msgspec

from seatd.store.event_values import Event
from seatd.store.keys import customer_key
from seatd.store.places import is_first
from seatd.store.verbs import Verbs

EVENTS_AT_ONCE = 500
NO_SEQ = "0-0"
"""Comes before all events."""


class EventVerbs(Verbs):
    """Reads the stream. Nothing is written."""

    async def events(
        self,
        customer: str,
        *,
        from_ms: int = 0,
        till_ms: int | None = None,
        before: str | None = None,
        limit: int = EVENTS_AT_ONCE,
    ) -> list[Event]:
        """At most `limit` (and at most 500) events from `from_ms` until before `till_ms`, the newest first.

        `before` goes on behind the event of that seq.
        """
        if is_first(before) or (till_ms is not None and till_ms <= 0):
            return []
        newest = f"({before}" if before else "+" if till_ms is None else str(till_ms - 1)
        name = customer_key("events", self.partition(customer), customer)
        count = min(limit, EVENTS_AT_ONCE)
        entries = await self.pipeline.command("XREVRANGE", name, newest, str(from_ms), "COUNT", count)
        return [_event(seq.decode(), fields) for seq, fields in entries]

    async def events_after(self, customer: str, seq: str, *, limit: int = EVENTS_AT_ONCE) -> list[Event]:
        """At most `limit` (and at most 500) events that follow the one with that seq, the oldest first."""
        name = customer_key("events", self.partition(customer), customer)
        count = min(limit, EVENTS_AT_ONCE)
        entries = await self.pipeline.command("XRANGE", name, f"({seq}", "+", "COUNT", count)
        return [_event(seq.decode(), fields) for seq, fields in entries]

    async def event_bounds(self, customer: str) -> tuple[str, str]:
        """The seqs of the oldest and of the newest event that is kept; `0-0` where there is none."""
        name = customer_key("events", self.partition(customer), customer)
        oldest = await self.pipeline.command("XRANGE", name, "-", "+", "COUNT", 1)
        newest = await self.pipeline.command("XREVRANGE", name, "+", "-", "COUNT", 1)
        return (oldest[0][0].decode(), newest[0][0].decode()) if oldest and newest else (NO_SEQ, NO_SEQ)

    async def queue_length(self, customer: str) -> int:
        """How many wait for a seat."""
        name = customer_key("queue", self.partition(customer), customer)
        return int(await self.pipeline.command("ZCARD", name))


def seq_key(seq: str) -> tuple[int, int]:
    """A seq as something that can be compared."""
    at_ms, _, number = seq.partition("-")
    return int(at_ms), int(number or 0)


def _event(seq: str, fields: Any) -> Event:
    packed = fields[b"e"] if isinstance(fields, dict) else fields[1]
    item = msgpack.unpackb(packed)
    more: dict[str, Any] = {"seq": seq, "at_ms": int(seq.partition("-")[0])}
    if "user" in item:
        more["holder"] = item.get("holder", item["user"]) if "license" in item else None
    return msgspec.convert(item | more, Event)
