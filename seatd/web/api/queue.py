"""Who waits for a seat, and at which place."""

from __future__ import annotations

from typing import Annotated

import msgspec

from seatd.store.registry_values import WaitingRow
from seatd.web.api.ops import Call, Ops
from seatd.web.api.sessions import DeviceView, device_view
from seatd.web.api.shapes import Listing, Moment, Nothing, PageQuery, Search, moment

ops = Ops("sessions")


class QueueQuery(PageQuery, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of one customer or for one product only."""

    customer: Search = ""
    product: Search = ""


class WaitingView(msgspec.Struct, frozen=True, kw_only=True):
    """A session that waits for a seat of `product`. `position` counts those who want the same, from 1."""

    session: str
    customer: str
    user: str
    domain: str
    device: DeviceView
    node: str
    product: str
    position: int
    ahead_s: Annotated[
        float | None, msgspec.Meta(description="how long such a place took lately; null when it is not known")
    ]
    since: Annotated[Moment, msgspec.Meta(description="since when the session is there")]


@ops.op("GET", "/api/v1/queue", "sessions.read")
async def list_queue(call: Call[Nothing, QueueQuery, Nothing]) -> Listing[WaitingView]:
    """Who waits for a seat, in order"""
    query = call.query
    customers = [name for name in await call.scope.customers() if query.customer in ("", name)]
    found = [
        row
        for row in await call.services.store.line(customers)
        if query.product in ("", row.product) and call.scope.has_domain(row.domain)
    ]
    page = tuple(map(_view, found[query.offset : query.offset + query.size]))
    return Listing(items=page, page=query.page, size=query.size, total=len(found))


def _view(row: WaitingRow) -> WaitingView:
    return WaitingView(
        session=row.session,
        customer=row.customer,
        user=row.user,
        domain=row.domain,
        device=device_view(row.device),
        node=row.node,
        product=row.product,
        position=row.position,
        ahead_s=None if row.ahead_ms is None else row.ahead_ms / 1000,
        since=moment(row.since_ms),
    )
