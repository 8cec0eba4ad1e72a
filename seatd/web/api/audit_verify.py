"""Verifying audit trails: the chain of hashes is followed, a part with each call."""

from __future__ import annotations

from typing import Annotated

import msgspec

from seatd.store.audit_values import GENESIS, chained
from seatd.store.redis import Store
from seatd.store.statement_values import issued_in
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
    with `head`, leads to what is still to be checked; null: nothing. `statements`: how many invoice statements these entries
    tell of; `changed`: the numbers of those that are not kept any more as they were issued."""

    checked: int
    broken: str | None
    next: str | None
    head: str
    statements: int = 0
    changed: tuple[str, ...] = ()


class TrailView(msgspec.Struct, frozen=True, kw_only=True):
    """A trail; `customer` null: the deployment's. `statements`: how many invoice statements are kept beside it."""

    customer: str | None
    entries: int
    statements: int = 0


@ops.op("GET", "/api/v1/audit/trails", "audit.read")
async def list_trails(call: Call[Nothing, PageQuery, Nothing]) -> Listing[TrailView]:
    """The audit trails that there are, also those of customers that have been deleted"""
    query, store = call.query, call.services.store
    names = await trails_of(call)
    shown = names[query.offset : query.offset + query.size]
    items = [
        TrailView(
            customer=name,
            entries=await store.audit_length(name),
            statements=0 if name is None else await store.statement_count(name),
        )
        for name in shown
    ]
    return Listing(items=tuple(items), page=query.page, size=query.size, total=len(names))


@ops.op("GET", "/api/v1/audit/verify", "audit.read", problems=("unknown_customer",))
async def verify_audit(call: Call[Nothing, VerifyQuery, Nothing]) -> Verified:
    """Check a part of an audit trail's chain, and the invoice statements of which it tells"""
    query, store = call.query, call.services.store
    customer = await trail_of(call, query.customer)
    checked, head, last, next_ = 0, query.head, query.after, None
    broken: str | None = None
    issued: dict[str, str] = {}
    async for recorded in store.audit_trail(customer, after=query.after):
        if checked == CHECKED:
            next_ = last
            break
        checked += 1
        if recorded.hash != chained(head, recorded.text):
            broken = recorded.id
            break
        head, last = recorded.hash, recorded.id
        issued |= issued_in(recorded)
    changed = [
        number for number, digest in issued.items() if await _digest(store, customer, number) != digest
    ]
    return Verified(
        checked=checked, broken=broken, next=next_, head=head, statements=len(issued), changed=tuple(changed)
    )  # fmt: skip


async def _digest(store: Store, customer: str | None, number: str) -> str | None:
    return None if customer is None else await store.statement_digest(customer, number)
