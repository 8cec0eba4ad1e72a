"""The audit trail: written with the change or not at all, chained, and nothing lost between two who change the same."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import msgspec
import pytest
from msgspec.structs import replace

from seatd.store.audit_values import SYSTEM, Actor, Change, Deed, Entry, Recorded, first_broken
from seatd.store.connect import ConnectOptions, connect
from seatd.store.keys import customer_key, deployment_key
from seatd.store.redis import Store
from tests.conftest import Clock
from tests.engine import PrivateEngine
from tests.licenses import Licensed, license_claim, license_key
from tests.store.office import Office, person

ALICE = Actor(name="alice", role="admin", address="192.0.2.7")


def deed(action: str = "customer.change", **more: str) -> Deed:
    return Deed(by=ALICE, action=action, **more)


async def set_field(store: Store, customer: str | None, place: str, field: str, after: object) -> int:
    """Sets a field to what it is to be; how many changes that made."""

    async def decide() -> Sequence[Change]:
        before = await read(store, customer, place, field)
        return [Change(place=place, field=field, before=before, after=after)]

    return len(await store.amend(customer, deed(target=field), decide, creates=True))


async def read(store: Store, customer: str | None, place: str, field: str) -> object:
    key = deployment_key(place)
    if customer is not None:
        key = customer_key(place, store.partition(customer), customer)
    text = await store.client.hget(key, field)
    return None if text is None else msgspec.json.decode(text)


async def entries(store: Store, customer: str | None = "acme") -> list[Entry]:
    return [recorded.entry() async for recorded in store.audit_trail(customer)]


@pytest.mark.parametrize("customer", ["acme", None])
async def test_a_change_and_its_entry(store: Store, clock: Clock, customer: str | None) -> None:
    place = "account" if customer else "agencies"
    assert await set_field(store, customer, place, "name", "Acme") == 1
    assert await set_field(store, customer, place, "name", {"de": "Äcme"}) == 1
    assert await set_field(store, customer, place, "name", None) == 1
    assert await read(store, customer, place, "name") is None
    found = await entries(store, customer)
    assert [entry.changes for entry in found] == [
        (Change(place=place, field="name", after="Acme"),),
        (Change(place=place, field="name", before="Acme", after={"de": "Äcme"}),),
        (Change(place=place, field="name", before={"de": "Äcme"}),),
    ]
    assert {(entry.at_ms, entry.by, entry.customer, entry.target) for entry in found} == {
        (clock.now_ms, ALICE, customer or "", "name")
    }


async def test_what_stays_as_it_is_leaves_no_entry(store: Store) -> None:
    await set_field(store, "acme", "account", "name", "Acme")
    assert await set_field(store, "acme", "account", "name", "Acme") == 0
    assert len(await entries(store)) == 1


async def test_nobody_overwrites_what_came_between(store: Store) -> None:
    """Sixty add one each, all at once: a decision that another has overtaken is made anew."""

    async def add_one() -> None:
        async def decide() -> Sequence[Change]:
            before = await read(store, "acme", "account", "count")
            await asyncio.sleep(0)
            after = int(str(before or 0)) + 1
            return [Change(place="account", field="count", before=before, after=after)]

        await store.amend("acme", deed(), decide, creates=True)

    await asyncio.gather(*(add_one() for _ in range(60)))
    assert await read(store, "acme", "account", "count") == 60
    trail = [recorded async for recorded in store.audit_trail("acme")]
    assert (len(trail), first_broken(trail)) == (60, None)


async def test_many_change_the_same_on_two_nodes(
    engine: PrivateEngine, store: Store, clock: Clock, licensed: Licensed
) -> None:
    """A hundred at once, from two nodes: all of them are done, and the trail is whole."""
    await licensed("CALL_CENTER", 500, id="named", kind="nominal")
    other = Store(connect(engine.url, ConnectOptions()), store.options, checked=True, now_ms=clock)

    async def assign(number: int) -> str:
        node, user = (store, other)[number % 2], person(f"u{number}")
        return (await node.assign("acme", "named", user, domain="acme.example", deed=deed())).status

    try:
        done = await asyncio.gather(*map(assign, range(100)))
    finally:
        await other.close_client()
    assert done == ["assigned"] * 100
    trail = [recorded async for recorded in store.audit_trail("acme")]
    assert (len(trail), first_broken(trail), len(store.turns)) == (100, None, 0)


async def test_the_chain_shows_what_was_done_to_it(store: Store) -> None:
    for number in range(5):
        await set_field(store, "acme", "account", "name", f"name {number}")
    trail = [recorded async for recorded in store.audit_trail("acme")]
    assert first_broken(trail) is None
    other = replace(trail[2], text=trail[2].text.replace(b"alice", b"mallo"))
    assert first_broken([*trail[:2], other, *trail[3:]]) == other
    assert first_broken([*trail[:2], *trail[3:]]) == trail[3]
    assert first_broken([*trail[:2], trail[3], trail[2], trail[4]]) == trail[3]
    assert first_broken(trail[3:], head=trail[2].hash) is None
    assert first_broken(trail[1:]) == trail[1]


async def test_pages_begin_with_the_newest(store: Store) -> None:
    for number in range(5):
        await set_field(store, "acme", "account", "name", number)
    first = await store.audit_page("acme", size=2)
    second = await store.audit_page("acme", before=first.items[-1].id, size=2)
    assert [_after(recorded) for recorded in (*first.items, *second.items)] == [4, 3, 2, 1]
    assert first.total == second.total == 5


def _after(recorded: Recorded) -> object:
    (change,) = recorded.entry().changes
    return change.after


async def test_what_scripts_write_themselves(office: Office, store: Store, licensed: Licensed) -> None:
    await store.put_license(license_key(license_claim("named", kind="nominal")), deed=deed("license.import"))
    await store.assign("acme", "named", person("bob"), domain="acme.example", deed=deed("license.assign"))
    await office.open("bob", "CALL_CENTER", session="bob")
    await office.kick(user=person("bob"), deed=deed("logout", target=person("bob")))
    await store.unassign("acme", "named", person("bob"), deed=deed("license.unassign"))
    await store.drop_license("acme", "named", deed=deed("license.withdraw"))
    trail = [recorded async for recorded in store.audit_trail("acme")]
    assert first_broken(trail) is None
    assert [recorded.entry().action for recorded in trail] == [
        "license.import", "license.assign", "logout", "license.unassign", "license.withdraw",
    ]  # fmt: skip
    assert trail[1].entry().changes == (
        Change(place="assignments", field=f"named {person('bob')}", after=True),
    )


async def test_what_changes_nothing_leaves_no_entry(store: Store, licensed: Licensed) -> None:
    key = license_key(license_claim("named", kind="nominal", limit=1))
    await store.put_license(key, dry_run=True, deed=deed())
    assert await entries(store) == []
    await store.put_license(key)
    await store.put_license(key, deed=deed())
    await store.unassign("acme", "named", person("bob"), deed=deed())
    await store.drop_license("acme", "unknown", deed=deed())
    await store.assign("acme", "named", person("bob"), domain="elsewhere.example", deed=deed())
    assert await entries(store) == []


async def test_seatd_itself_may_act(store: Store) -> None:
    async def decide() -> Sequence[Change]:
        return [Change(place="account", field="status", after="deleted")]

    await store.amend("acme", Deed(by=SYSTEM, action="customer.delete"), decide, creates=True)
    (entry,) = await entries(store)
    assert entry.by.role == "system"
