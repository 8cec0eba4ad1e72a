"""Resources: never more switched on than the license that counts allows, over all of its domains."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence

import pytest

from seatd.store.audit_values import SYSTEM, Actor, Change, Deed, first_broken
from seatd.store.redis import Store
from seatd.store.resources import Occupied
from tests.conftest import Clock
from tests.licenses import TILL_MS, Licensed

A, B, C = "a.example", "b.example", "c.example"
DEED = Deed(by=Actor(name="alice", role="admin"), action="resources.on")


async def on(store: Store, resource: str, domain: str = A, **more: str) -> Occupied:
    return await store.occupy("acme", more.pop("product", "CHAT"), domain, resource, combine="max", deed=DEED)


async def chat(licensed: Licensed, limit: int, *domains: str, **fields: object) -> str:
    return await licensed("CHAT", limit, kind="nominal", domains=domains or (A,), **fields)


async def test_a_hundred_at_once_for_five(store: Store, licensed: Licensed) -> None:
    await chat(licensed, 5, A, B)
    done = await asyncio.gather(*(on(store, f"gateway{n}", (A, B)[n % 2]) for n in range(100)))
    assert Counter(item.status for item in done) == {"occupied": 5, "full": 95}
    assert {(item.limit, item.used) for item in done if item.status == "full"} == {(5, 5)}
    assert len(await store.resources("acme")) == 5
    trail = [recorded async for recorded in store.audit_trail("acme")]
    assert (len(trail), first_broken(trail)) == (5, None)


async def test_the_largest_license_counts_and_not_the_sum(store: Store, licensed: Licensed) -> None:
    await chat(licensed, 2, A)
    await chat(licensed, 3, A)
    assert [(await on(store, name)).status for name in "abcd"] == ["occupied"] * 3 + ["full"]


async def test_where_a_product_combines_by_sum_they_count_together(store: Store, licensed: Licensed) -> None:
    await chat(licensed, 2, A)
    await chat(licensed, 1, A, B)
    assert (await store.occupy("acme", "CHAT", B, "b", combine="sum")).used == 1
    done = [await store.occupy("acme", "CHAT", A, name, combine="sum") for name in "abc"]
    assert [item.status for item in done] == ["occupied", "occupied", "full"]


async def test_all_domains_of_the_license_count(store: Store, licensed: Licensed) -> None:
    await chat(licensed, 2, A, B)
    assert (await on(store, "same", A)).status == "occupied"
    assert (await on(store, "same", B)) == Occupied(status="occupied", limit=2, used=2)
    assert (await on(store, "other", A)).status == "full"
    assert (await on(store, "other", C)).status == "not_licensed"
    assert (await on(store, "same", A)).status == "already"
    assert (await on(store, "other", product="EMAIL")).status == "not_licensed"


async def test_what_is_switched_off_makes_room(store: Store, licensed: Licensed) -> None:
    await chat(licensed, 1)
    await on(store, "one")
    assert await store.vacate("acme", "CHAT", A, "one", deed=DEED)
    assert not await store.vacate("acme", "CHAT", A, "one", deed=DEED)
    assert (await on(store, "two")).status == "occupied"
    changes = [recorded.entry().changes[0] async for recorded in store.audit_trail("acme")]
    assert [(change.field, change.before is None, change.after is None) for change in changes] == [
        ("CHAT a.example one", True, False), ("CHAT a.example one", False, True),
        ("CHAT a.example two", True, False),
    ]  # fmt: skip


async def test_a_license_that_shrinks_or_ends(store: Store, licensed: Licensed, clock: Clock) -> None:
    id_ = await chat(licensed, 3, id="chat")
    for name in "abc":
        await on(store, name)
    await chat(licensed, 1, id=id_)
    assert await on(store, "d") == Occupied(status="full", limit=1, used=3)
    assert (await on(store, "a")).status == "already"
    clock.now_ms = TILL_MS
    assert (await on(store, "d")).status == "not_licensed"
    (row,) = await store.registry()
    assert (row.limit, row.resources) == (1, 3)


@pytest.mark.parametrize("status", ["suspended", "deleted"])
async def test_a_suspended_customer_switches_nothing_on(
    store: Store, licensed: Licensed, status: str
) -> None:
    await chat(licensed, 3)
    await on(store, "before")

    async def decide() -> Sequence[Change]:
        return [Change(place="account", field="status", after=status)]

    await store.amend("acme", Deed(by=SYSTEM, action="test"), decide, creates=True)
    assert (await on(store, "after")).status == "suspended"
    assert await store.vacate("acme", "CHAT", A, "before")
