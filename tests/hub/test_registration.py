"""A node asks for seats only when no failover can make the store forget that it is there."""

from __future__ import annotations

import pytest

from seatd.hub.hub import Hub
from seatd.store.redis import Store
from seatd_protocol.messages import Acquire, Denied, Granted
from tests.hub.conftest import Hubs, refused, signed_in
from tests.hub.test_recovery import beat
from tests.licenses import Licensed
from tests.servers import eventually


def says(hub: Hub, monkeypatch: pytest.MonkeyPatch, durable: bool | None) -> None:
    """What the store answers from now on when it is asked whether everything is on every disk."""

    async def is_durable() -> bool | None:
        return durable

    monkeypatch.setattr(hub.leases._is_durable, "_call", is_durable)


async def forgotten(hub: Hub, store: Store) -> None:
    """The store has forgotten the node, as after a long freeze; the node has asked it since."""
    for number in range(store.partitions):
        await store.client.zrem(f"seatd:{{{number:02}}}:nodes", hub.node)
    await beat(hub)


async def test_a_replica_that_is_behind_delays_the_first_seats(
    hubs: Hubs, store: Store, licensed: Licensed, monkeypatch: pytest.MonkeyPatch
) -> None:
    await licensed(limit=2)
    await licensed("EMAIL", limit=2)
    hub = await hubs()
    ann = await signed_in(hub, "ann", "CALL_CENTER")
    says(hub, monkeypatch, False)
    await forgotten(hub, store)
    assert (await refused(hub, "bob", "CALL_CENTER")).code == "unavailable"
    await ann.say(Acquire(ref=1, products=("EMAIL",)))
    assert (await ann.heard(Denied)).code == "unavailable"
    assert hub.leases.may_beat(store.partition("acme"))
    says(hub, monkeypatch, True)
    await beat(hub)
    await eventually(lambda: hub.leases.may_grant(store.partition("acme")))
    await signed_in(hub, "bob", "CALL_CENTER")
    await ann.say(Acquire(ref=2, products=("EMAIL",)))
    await ann.heard(Granted)


async def test_where_nobody_can_tell_seats_are_given_all_the_same(
    hubs: Hubs, store: Store, licensed: Licensed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor does a recovery end early for anybody there."""
    await licensed(limit=2)
    hub = await hubs()
    says(hub, monkeypatch, None)
    await forgotten(hub, store)
    await signed_in(hub, "bob", "CALL_CENTER")


async def test_a_failover_takes_no_registration_away(
    hubs: Hubs, store: Store, licensed: Licensed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was on every replica: a new one that is behind keeps nobody from working."""
    await licensed(limit=2)
    hub = await hubs()
    says(hub, monkeypatch, False)
    for number in range(store.partitions):
        await store.client.hset(f"seatd:{{{number:02}}}:meta", "replid", "another")
    await beat(hub)
    assert hub.leases.may_grant(store.partition("acme"))
