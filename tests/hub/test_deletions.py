"""A customer whose time has come: nothing new, everybody out in order, and then nothing is left but the trail."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from seatd.hub.hub import Hub
from seatd.store.audit_values import SYSTEM, Change, Deed, first_broken
from seatd.store.redis import Store
from seatd.store.values import DueLicense
from seatd_protocol.messages import Ack, Logout
from tests.conftest import Clock
from tests.hub.conftest import Hubs, refused, signed_in, states
from tests.licenses import Licensed
from tests.servers import eventually

SOON_MS = 1000
"""Less than a node's lease: no session is lost for another reason."""
DUE = DueLicense(customer="acme", license="")


async def set_end(store: Store, at_ms: int | None) -> None:
    async def decide() -> Sequence[Change]:
        return [
            Change(place="account", field="status", before="?", after=at_ms and "pending_deletion"),
            Change(place="account", field="delete_at_ms", before="?", after=at_ms),
        ]

    await store.amend("acme", Deed(by=SYSTEM, action="customers.cancel"), decide, creates=True)


async def looks(*hubs: Hub) -> None:
    """All of them find it due at the same time."""
    for hub in hubs:
        hub.policies.look_after([DUE])
    await eventually(lambda: not any(hub.policies._under_way for hub in hubs))


async def actions(store: Store) -> list[str]:
    trail = [recorded async for recorded in store.audit_trail("acme")]
    assert first_broken(trail) is None
    return [recorded.entry().action for recorded in trail]


async def test_until_its_end_all_is_as_normal(
    hubs: Hubs, store: Store, clock: Clock, licensed: Licensed
) -> None:
    hub = await hubs()
    await licensed("CALL_CENTER", 2)
    await set_end(store, clock.now_ms + SOON_MS)
    await looks(hub)
    await signed_in(hub, "ann", "CALL_CENTER")
    clock.pass_ms(SOON_MS)
    await set_end(store, None)
    await looks(hub)
    await signed_in(hub, "bob", "CALL_CENTER")
    assert await store.customers() == ["acme"]


async def test_then_everybody_is_forced_out_and_all_is_gone(
    hubs: Hubs, store: Store, clock: Clock, licensed: Licensed
) -> None:
    hub, other = await hubs(), await hubs("n2")
    await licensed("CALL_CENTER", 5)
    await store.claim_domains("acme", ["acme.example"])
    await set_end(store, clock.now_ms + SOON_MS)
    ann, bob = await signed_in(hub, "ann", "CALL_CENTER"), await signed_in(other, "bob", "CALL_CENTER")
    clock.pass_ms(SOON_MS)
    looking = asyncio.create_task(looks(hub, other))
    for peer in (ann, bob):
        logout = await peer.heard(Logout)
        assert logout.message == "Your company's account has been closed."
        await peer.say(Ack(order=peer.session._ordered_out.number if peer.session._ordered_out else 0))
        assert (await peer.closed())[1] == "logout"
    await looking
    await eventually(lambda: not hub.endings.has(ann.session.key))
    await eventually(lambda: not other.endings.has(bob.session.key))
    assert await states(store) == {}
    await looks(hub, other)
    assert (await store.customers(), await store.former_customers()) == ([], ["acme"])
    assert (await store.owner_of("acme.example"), await store.registry(["acme"])) == (None, [])
    assert await actions(store) == ["customers.cancel", "customers.delete", "licenses.withdraw"]


async def test_from_its_first_step_on_nothing_is_granted(
    hubs: Hubs, store: Store, clock: Clock, licensed: Licensed
) -> None:
    hub = await hubs()
    await licensed("CALL_CENTER", 5)
    await set_end(store, clock.now_ms)
    assert await hub.deletions._begin("acme")
    assert (await refused(hub, "eve", "CALL_CENTER")).code == "suspended"


async def test_a_node_whose_clock_is_behind_deletes_in_time(
    hubs: Hubs, store: Store, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = await hubs()
    await set_end(store, clock.now_ms)
    monkeypatch.setattr(hub.store, "wall_ms", lambda: clock.now_ms - 3_600_000)
    await looks(hub)
    assert await store.former_customers() == ["acme"]


async def test_a_beat_finds_it(hubs: Hubs, store: Store, clock: Clock, licensed: Licensed) -> None:
    hub = await hubs()
    await licensed("CALL_CENTER", 5)
    await set_end(store, clock.now_ms + SOON_MS)
    await hub.leases._beat(store.partition("acme"))
    assert not hub.policies._under_way
    clock.pass_ms(SOON_MS)
    await hub.leases._beat(store.partition("acme"))
    assert DUE in hub.policies._under_way
    await eventually(lambda: not hub.policies._under_way)
    assert await store.former_customers() == ["acme"]


async def test_an_administrator_who_takes_it_back_at_the_last_moment(
    hubs: Hubs, store: Store, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is deleted, or it stays as it was: nothing in between."""
    hub = await hubs()

    async def leave_it(_: DueLicense) -> None:
        """The hub itself does not go on with it."""

    monkeypatch.setattr(hub.policies, "_carry_out", leave_it)
    for _ in range(20):
        await set_end(store, clock.now_ms)

        async def take_back() -> Sequence[Change]:
            facts = await store.facts("acme", "account")
            if facts.get("status") == "deleted":
                return ()
            return [
                Change(place="account", field=name, before=facts.get(name))
                for name in ("status", "delete_at_ms")
            ]

        deed = Deed(by=SYSTEM, action="customers.reinstate")
        taken_back, begun = await asyncio.gather(
            store.amend("acme", deed, take_back), hub.deletions._begin("acme")
        )
        account = await store.account("acme")
        assert bool(taken_back) != begun
        assert (account.status, account.delete_at_ms is None) == (
            ("deleted", False) if begun else ("active", True)
        )
        await set_end(store, None)


async def test_a_last_statement_is_left_of_who_has_prices(
    hubs: Hubs, store: Store, clock: Clock, licensed: Licensed
) -> None:
    hub, other = await hubs(), await hubs("n2")
    await licensed("CALL_CENTER", 5)
    await set_end(store, clock.now_ms + SOON_MS)

    async def decide() -> Sequence[Change]:
        return [Change(place="account", field="prices", after={"CALL_CENTER": {"seat_hours": "1"}})]

    await store.amend("acme", Deed(by=SYSTEM, action="customers.prices"), decide, creates=True)
    clock.pass_ms(SOON_MS)
    await looks(hub, other)
    assert await store.customers() == []
    (row,) = await store.statements("acme")
    assert (row.number, row.total) == ("acme-2026-0001", "0.00")
    assert (await actions(store)).count("invoices.issue") == 1
