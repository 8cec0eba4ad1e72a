"""Who was refused, and why: the denials among a customer's events, the newest first."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Annotated

import msgspec

from seatd.store.event_values import Event
from seatd.web.api.downloads import Cell, Download, table
from seatd.web.api.events import StreamQuery, first, matching
from seatd.web.api.ops import Call, Ops
from seatd.web.api.shapes import Moment, Nothing, moment

ops = Ops("denials")


class DenialQuery(
    StreamQuery, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"from_": "from"}
):
    """Of one code only, when given."""

    code: Annotated[str, msgspec.Meta(max_length=64)] = ""


class DenialView(msgspec.Struct, frozen=True, kw_only=True):
    """A denial. `times`: how often, where a node has added up what it refused by itself; `user` is null then. `user` and
    `session` are null for who may see no people."""

    seq: str
    at: Moment
    code: str
    product: str | None
    license: str | None
    domain: str | None
    user: str | None
    session: str | None
    times: int


class DenialPage(msgspec.Struct, frozen=True, kw_only=True):
    """Denials, newest first; `next` is the `before` of the following page, null when this is the last."""

    items: tuple[DenialView, ...]
    next: str | None


@ops.op("GET", "/api/v1/denials", "denials.read", problems=("unknown_customer",))
async def denials(call: Call[Nothing, DenialQuery, Nothing]) -> DenialPage | Download:
    """Who was refused, and why"""
    query = call.query
    customer = await call.scope.named_customer(query.customer)
    sees_people = await call.scope.also("events.read", customer)

    def is_meant(event: Event) -> bool:
        return (
            event.type == "denied"
            and (sees_people or not (query.user or query.session))  # nor can a person be guessed
            and query.code in ("", event.code)
            and call.scope.has_domain(event.domain or "")
        )

    found = matching(call.services.store, query, is_meant)
    if query.format == "csv":
        return table("denials", DenialView.__struct_fields__, _rows(found, sees_people))
    items = [item async for item in first(found, query.size + 1)]
    page = items[: query.size]
    return DenialPage(
        items=tuple(view(event, sees_people) for event in page),
        next=page[-1].seq if len(items) > len(page) else None,
    )


def view(event: Event, sees_people: bool) -> DenialView:
    """The denial as it is shown."""
    return DenialView(
        seq=event.seq,
        at=moment(event.at_ms),
        code=event.code or "",
        product=event.product,
        license=event.license,
        domain=event.domain,
        user=event.user if sees_people else None,
        session=event.session if sees_people else None,
        times=event.times,
    )


async def _rows(found: AsyncIterator[Event], sees_people: bool) -> AsyncIterator[Sequence[Cell]]:
    async for event in found:
        yield msgspec.structs.astuple(view(event, sees_people))
