"""The live view of a customer: its events as they happen, and its use when it changes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, get_args

import msgspec

from seatd.store.event_values import Event, EventType
from seatd.web.api.event_stream import EventStream
from seatd.web.api.events import view
from seatd.web.api.license_totals import ProductTotal, totals_of
from seatd.web.api.license_use import Use, Uses
from seatd.web.api.narration import Plot
from seatd.web.api.ops import Call, Ops
from seatd.web.api.shapes import Input, Nothing
from seatd.web.caller import Caller, Scope
from seatd.web.errors import invalid
from seatd.web.live import Usage

ops = Ops("events")

USAGE = "usage"
KINDS = frozenset({*get_args(EventType), USAGE})
Seq = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{1,15}-[0-9]{1,15}$")]


class LiveQuery(Input, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of which customer. `types`: of the events and `usage`, with commas between; "": all. `after`: what follows this event
    first (the header `Last-Event-ID` counts before it). `seconds`: how long; 0: only what there is now."""

    customer: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    types: Annotated[str, msgspec.Meta(max_length=500)] = ""
    after: Seq | None = None
    seconds: Annotated[int, msgspec.Meta(ge=0, le=86_400)] | None = None


class LicenseNow(msgspec.Struct, frozen=True, kw_only=True):
    """A license's limit and use."""

    id: str
    product: str
    limit: int
    used: int
    online: int


class UsageNow(msgspec.Struct, frozen=True, kw_only=True):
    """A customer's use. `sessions` and `waiting` are null for a caller who sees only some of its domains."""

    customer: str
    licenses: tuple[LicenseNow, ...]
    products: tuple[ProductTotal, ...]
    sessions: int | None
    waiting: int | None


@ops.op("GET", "/api/v1/stream", "events.read", problems=("unknown_customer", "too_many_streams"))
async def stream(call: Call[Nothing, LiveQuery, Nothing]) -> EventStream:
    """What happens at a customer now, as server-sent events"""
    query, caller = call.query, call.caller
    customer = await call.scope.named_customer(query.customer)
    kinds = _kinds(query.types)
    plot = Plot(
        store=call.services.store,
        customer=customer,
        after=query.after,
        lasts_s=query.seconds,
        event=_event_of(call.scope, kinds),
        usage=await _usage_of(call, customer, kinds),
    )
    return EventStream(
        plot=plot, caller=f"{caller.via} {caller.id or caller.name}", may_go_on=_guard(call, customer)
    )


def _kinds(types: str) -> frozenset[str]:
    wanted = frozenset(filter(None, types.split(",")))
    if unknown := sorted(wanted - KINDS):
        raise invalid("types", f"there is no {unknown[0]!r}; there are {', '.join(sorted(KINDS))}")
    return wanted or KINDS


def _event_of(scope: Scope, kinds: frozenset[str]) -> Callable[[Event], bytes | None]:
    """An event as `GET /api/v1/events` shows it."""

    def told(event: Event) -> bytes | None:
        if event.type not in kinds or not scope.has_domain(event.domain or ""):
            return None
        return msgspec.json.encode(view(event))

    return told


async def _usage_of(
    call: Call[Any, Any, Any], customer: str, kinds: frozenset[str]
) -> Callable[[Usage], bytes | None]:
    """The use as the lists of licenses and totals show it to this caller: to whom they show nothing, this shows nothing."""
    services = call.services
    scope = Scope(services.store, call.caller.grant, "licenses.read")
    is_there = USAGE in kinds and not scope.is_nowhere and await scope.has_customer(customer)

    def told(usage: Usage) -> bytes | None:
        if not is_there:
            return None
        overview, sees_all = usage.overview, scope.domains is None
        rows = [row for row in overview.licenses if scope.any_domain(row.domains)]
        now_ms = services.now_ms()
        uses = map(Uses(overview.licenses, services.catalog, now_ms).of, rows)
        shown = UsageNow(
            customer=customer,
            licenses=tuple(map(_license, uses)),
            products=tuple(totals_of(overview, rows, services.catalog, now_ms)),
            sessions=overview.sessions if sees_all else None,
            waiting=usage.waiting if sees_all else None,
        )
        return msgspec.json.encode(shown)

    return told


def _license(use: Use) -> LicenseNow:
    row = use.row
    return LicenseNow(id=row.id, product=row.product, limit=row.limit, used=use.used, online=row.online)


def _guard(call: Call[Any, Any, Any], customer: str) -> Callable[[Caller], Awaitable[bool]]:
    """Whether the caller is still who he was, may do what he might, and the customer is there for him."""

    async def may_go_on(caller: Caller) -> bool:
        if caller.is_held_up or caller.grant != call.caller.grant:
            return False
        return await call.scope.has_customer(customer)

    return may_go_on
