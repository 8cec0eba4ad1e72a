"""Verifying audit trails: the chain of hashes is followed, a part with each call."""

from __future__ import annotations

from typing import Annotated

import msgspec

from seatd.store.audit_values import GENESIS, chained
from seatd.web.api.audit_scope import trail_of, trails_of
from seatd.web.api.ops import Call, Ops
from seatd.web.api.shapes import END, EntryId, Input, Listing, Nothing, PageQuery, Search

ops = Ops("audit")

CHECKED = 2000
"""Entries that one call checks: so that none keeps the node from its clients."""


class VerifyQuery(Input, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose trail (the deployment's without `customer`), and from where on: `after` and `head` as the call before said."""

    customer: Search = ""
    after: EntryId = ""
    head: Annotated[str, msgspec.Meta(pattern=rf"^([0-9a-f]{{64}})?{END}")] = GENESIS


class Verified(msgspec.Struct, frozen=True, kw_only=True):
    """`broken`: the id of the first entry that does not follow from those before it; null: all that were checked do. `next`,
    with `head`, leads to what is still to be checked; null: nothing."""

    checked: int
    broken: str | None
    next: str | None
    head: str


class TrailView(msgspec.Struct, frozen=True, kw_only=True):
    """A trail; `customer` null: the deployment's."""

    customer: str | None
    entries: int


@ops.op("GET", "/api/v1/audit/trails", "audit.read")
async def list_trails(call: Call[Nothing, PageQuery, Nothing]) -> Listing[TrailView]:
    """The audit trails that there are, also those of customers that have been deleted"""
    query, store = call.query, call.services.store
    names = await trails_of(call)
    shown = names[query.offset : query.offset + query.size]
    items = [TrailView(customer=name, entries=await store.audit_length(name)) for name in shown]
    return Listing(items=tuple(items), page=query.page, size=query.size, total=len(names))


@ops.op("GET", "/api/v1/audit/verify", "audit.read", problems=("unknown_customer",))
async def verify_audit(call: Call[Nothing, VerifyQuery, Nothing]) -> Verified:
    """Check a part of an audit trail's chain"""
    query = call.query
    customer = await trail_of(call, query.customer)
    checked, head, last = 0, query.head, query.after
    async for recorded in call.services.store.audit_trail(customer, after=query.after):
        if checked == CHECKED:
            return Verified(checked=checked, broken=None, next=last, head=head)
        checked += 1
        if recorded.hash != chained(head, recorded.text):
            return Verified(checked=checked, broken=recorded.id, next=None, head=head)
        head, last = recorded.hash, recorded.id
    return Verified(checked=checked, broken=None, next=None, head=head)
