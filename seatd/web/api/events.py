"""What happened to seats: the stream of events of a customer, the newest first."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Annotated, Literal

import msgspec

from seatd.store.event_values import Event, EventType
from seatd.store.events import EVENTS_AT_ONCE
from seatd.store.redis import Store
from seatd.web.api.downloads import Cell, Download, table
from seatd.web.api.ops import Call, Ops
from seatd.web.api.shapes import EntryId, Input, Moment, Nothing, moment
from seatd.web.errors import invalid

ops = Ops("events")

MOST = 100_000
"""Events looked at in one call at the most."""


class StreamQuery(Input, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"from_": "from"}):
    """Which of a customer's events. `before` is the `next` of the page before."""

    customer: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    from_: Moment | None = None
    to: Annotated[Moment | None, msgspec.Meta(description="until before this moment")] = None
    license: Annotated[str, msgspec.Meta(max_length=200)] = ""
    product: Annotated[str, msgspec.Meta(max_length=200)] = ""
    domain: Annotated[str, msgspec.Meta(max_length=254)] = ""
    user: Annotated[str, msgspec.Meta(max_length=254)] = ""
    session: Annotated[str, msgspec.Meta(max_length=200)] = ""
    before: EntryId = ""
    size: Annotated[int, msgspec.Meta(ge=1, le=500, description="items on a page")] = 50
    format: Literal["json", "csv"] = "json"


class EventQuery(
    StreamQuery, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"from_": "from"}
):
    """Of one type only, when given."""

    type: EventType | None = None


class EventView(msgspec.Struct, frozen=True, kw_only=True):
    """One event. `seq` names it: no two events of a customer have the same. `times`: of denials that were added up."""

    seq: str
    at: Moment
    type: EventType
    license: str | None
    product: str | None
    kind: str | None
    domain: str | None
    user: str | None
    holder: str | None
    session: str | None
    overdraft: bool
    code: str | None
    times: int
    by: str | None
    reason: str | None
    until: Moment | None


class EventPage(msgspec.Struct, frozen=True, kw_only=True):
    """Events, newest first; `next` is the `before` of the following page, null when this is the last."""

    items: tuple[EventView, ...]
    next: str | None


@ops.op("GET", "/api/v1/events", "events.read", problems=("unknown_customer",))
async def events(call: Call[Nothing, EventQuery, Nothing]) -> EventPage | Download:
    """What happened to seats"""
    kind, scope = call.query.type, call.scope
    await scope.named_customer(call.query.customer)

    def is_meant(event: Event) -> bool:
        return kind in (None, event.type) and scope.has_domain(event.domain or "")

    found = matching(call.services.store, call.query, is_meant)
    if call.query.format == "csv":
        return table("events", EventView.__struct_fields__, _rows(found))
    items = [item async for item in first(found, call.query.size + 1)]
    page = items[: call.query.size]
    return EventPage(items=tuple(map(view, page)), next=page[-1].seq if len(items) > len(page) else None)


async def matching(
    store: Store, query: StreamQuery, further: Callable[[Event], bool]
) -> AsyncIterator[Event]:
    """The events that the query means, newest first, read a portion at a time."""
    if query.from_ and query.to and query.to <= query.from_:
        raise invalid("to", "is not after from")
    from_ms, till_ms = _ms(query.from_) or 0, _ms(query.to)
    before = query.before or None
    for _ in range(0, MOST, EVENTS_AT_ONCE):
        portion = await store.events(query.customer, from_ms=from_ms, till_ms=till_ms, before=before)
        for event in portion:
            if _is_meant(query, event) and further(event) and _is_older(event, till_ms):
                yield event
        if len(portion) < EVENTS_AT_ONCE:
            return
        before = portion[-1].seq
        await asyncio.sleep(0)


async def first(found: AsyncIterator[Event], number: int) -> AsyncIterator[Event]:
    """So many of them at the most."""
    left = number
    async for event in found:
        yield event
        left -= 1
        if not left:
            return


def view(event: Event) -> EventView:
    """The event as it is shown."""
    return EventView(
        seq=event.seq,
        at=moment(event.at_ms),
        until=None if event.until_ms is None else moment(event.until_ms),
        **{name: getattr(event, name) for name in _SAME},
    )


async def _rows(found: AsyncIterator[Event]) -> AsyncIterator[Sequence[Cell]]:
    async for event in found:
        yield msgspec.structs.astuple(view(event))


_SAME = [name for name in EventView.__struct_fields__ if name not in ("seq", "at", "until")]
_SOUGHT = ("license", "product", "domain", "user", "session")


def _is_meant(query: StreamQuery, event: Event) -> bool:
    return all(getattr(query, name) in ("", getattr(event, name)) for name in _SOUGHT)


def _is_older(event: Event, till_ms: int | None) -> bool:
    return till_ms is None or event.at_ms < till_ms


def _ms(at: Moment | None) -> int | None:
    return None if at is None else max(0, int(at.timestamp() * 1000))
