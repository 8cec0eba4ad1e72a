"""How a session ends that its client did not want to end: forced out, taken over, or no longer this node's."""

from __future__ import annotations

import asyncio

import pytest

from seatd.hub.hub import Hub
from seatd.hub.targets import LogoutTargets
from seatd.store.redis import Store
from seatd.store.values import KickTarget
from seatd_protocol import codes
from seatd_protocol.messages import (
    Ack,
    Acquire,
    Alive,
    Busy,
    Bye,
    ClientMessage,
    Logout,
    Refresh,
    Release,
    TakeOver,
    Welcome,
)
from tests.conftest import Clock
from tests.hub.conftest import Hubs, Peer, hello, signed_in, states, used
from tests.licenses import Licensed

ANN = LogoutTargets(users=("ann@acme.example",))


async def kick(store: Store, hub: Hub) -> None:
    """Orders Ann out, and lets the hub hear of it."""
    meant = KickTarget(user="ann@acme.example")
    await store.kick("acme", meant, message="out", by="boss", cooldown_ms=0, reply_to="")
    await hub.leases.round(store.partition("acme"))


@pytest.fixture(autouse=True)
def short_flush(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that does not read is not waited for as long as usual."""
    monkeypatch.setattr("seatd.hub.session.FLUSH_S", 0.2)


# -- forced logout --------------------------------------------------------------------------------


async def silent(hub: Hub) -> Peer:
    """Ann with a seat, whose socket takes nothing any more and is being closed for her missing beats."""
    peer = await signed_in(hub, "ann", "CALL_CENTER")
    peer.wire.flowing.clear()
    peer.session.beat()
    peer.session.beat()
    return peer


async def test_the_ack_frees_the_seat(hubs: Hubs, store: Store, licensed: Licensed) -> None:
    await licensed()
    hub = await hubs()
    peer = await signed_in(hub, "ann", "CALL_CENTER")
    await kick(store, hub)
    order = await peer.heard(Logout)
    assert (order.code, order.message, order.by) == ("forced", "out", "boss")
    assert await states(store) == {"ann": "draining"}
    await peer.say(Ack(order=order.order))
    assert (await used(store), await states(store)) == (0, {})
    assert await peer.closed() == (4302, "logout")


async def test_without_an_ack_the_closed_socket_frees_the_seat(
    hubs: Hubs, store: Store, licensed: Licensed
) -> None:
    await licensed()
    hub = await hubs()
    peer = await signed_in(hub, "ann", "CALL_CENTER")
    await kick(store, hub)
    assert await peer.closed() == (4302, "logout")
    assert await states(store) == {}


@pytest.mark.parametrize(
    "message",
    [
        Acquire(ref=1, products=("CALL_CENTER",)),
        Release(ref=1, products=("CALL_CENTER",)),
        TakeOver(ref=1, session="x"),
        Busy(busy=True),
        Refresh(token="x"),
        Alive(n=0),
    ],
)
async def test_what_crosses_a_logout_is_let_pass(
    hubs: Hubs, store: Store, licensed: Licensed, message: ClientMessage
) -> None:
    """It was said in good faith, before the client had heard of it."""
    await licensed()
    hub = await hubs()
    peer = await signed_in(hub, "ann", "CALL_CENTER")
    await kick(store, hub)
    order = await peer.heard(Logout)
    await peer.say(message, Ack(order=order.order))
    assert peer.wire.told == []
    assert await peer.closed() == (4302, "logout")


async def test_a_client_that_vanishes_while_it_is_ordered_out_keeps_its_seat_taken(
    hubs: Hubs, store: Store, licensed: Licensed
) -> None:
    """It has not said that it let go: until its lease is over it may go on believing in its seat."""
    await licensed()
    hub = await hubs()
    peer = await silent(hub)
    receipts = asyncio.create_task(
        hub.logouts.logout(ANN, message="out", cooldown_s=0, by="boss", wait_s=0.2)
    )
    while await states(store) != {"ann": "draining"}:
        await asyncio.sleep(0.001)
    await hub.leases.round(store.partition("acme"))
    assert (await peer.closed())[0] == 1006
    await hub.leases.round(store.partition("acme"))
    (receipt,) = await receipts
    assert (receipt.outcome, receipt.delivered, receipt.acknowledged) == ("pending", False, False)
    assert (await used(store), await states(store)) == (1, {"ann": "draining"})


async def test_a_session_taken_over_while_its_client_is_silent_stays_counted(
    hubs: Hubs, store: Store, licensed: Licensed
) -> None:
    await licensed()
    hub = await hubs()
    slow = await silent(hub)
    other = await signed_in(hub, "ann", device="d2")
    taking = asyncio.create_task(other.say(TakeOver(ref=1, session=slow.session.key)))
    while "draining" not in [row.state for row in (await store.sessions()).items]:
        await asyncio.sleep(0.001)
    await hub.leases.round(store.partition("acme"))
    await slow.closed()
    await taking
    assert await used(store) == 1


async def test_a_bye_during_a_logout_is_the_end_too(hubs: Hubs, store: Store, licensed: Licensed) -> None:
    await licensed()
    hub = await hubs()
    peer = await signed_in(hub, "ann", "CALL_CENTER")
    await kick(store, hub)
    await peer.say(Bye())
    assert await peer.closed() == (1000, "normal")
    assert await states(store) == {}


# -- the session is somebody else's ---------------------------------------------------------------


async def park_by_another(hubs: Hubs, store: Store, clock: Clock, hub: Hub) -> None:
    """This node is frozen for longer than its lease, and another parks its sessions."""
    clock.pass_ms(15_000)
    await (await hubs("b")).leases.round(store.partition("acme"))
    assert await states(store) == {"ann": "parked"}
    hub.leases._partitions[store.partition("acme")].lease.lapse()


@pytest.mark.parametrize("verb", [Acquire, Release])
async def test_a_request_at_a_node_whose_lease_is_over_costs_no_seat(
    hubs: Hubs, store: Store, licensed: Licensed, clock: Clock, verb: type[Acquire] | type[Release]
) -> None:
    await licensed()
    await licensed("CALL_MANAGER")
    hub = await hubs()
    peer = await signed_in(hub, "ann", "CALL_CENTER")
    await park_by_another(hubs, store, clock, hub)
    product = "CALL_MANAGER" if verb is Acquire else "CALL_CENTER"
    await peer.say(verb(ref=1, products=(product,)))
    assert await peer.closed() == (4001, "lease_lost")
    assert (await states(store), await used(store)) == ({"ann": "parked"}, 1)
    again = Peer(await hubs("c"))
    await again.say(hello("ann", "CALL_CENTER", resume=peer.resume))
    assert (await again.heard(Welcome)).resumed


async def test_a_frozen_node_takes_its_sessions_back(
    hubs: Hubs, store: Store, licensed: Licensed, clock: Clock
) -> None:
    await licensed()
    hub = await hubs()
    peer = await signed_in(hub, "ann", "CALL_CENTER")
    await park_by_another(hubs, store, clock, hub)
    await hub.leases.round(store.partition("acme"))
    assert (await states(store), peer.wire.closed) == ({"ann": "attached"}, None)
    await peer.say(Release(ref=1, products=("CALL_CENTER",)))
    assert await used(store) == 0


async def test_a_frozen_node_lets_go_of_what_was_resumed_elsewhere(
    hubs: Hubs, store: Store, licensed: Licensed, clock: Clock
) -> None:
    await licensed()
    hub = await hubs()
    peer = await signed_in(hub, "ann", "CALL_CENTER")
    await park_by_another(hubs, store, clock, hub)
    again = Peer(await hubs("c"))
    await again.say(hello("ann", "CALL_CENTER", resume=peer.resume))
    assert (await again.heard(Welcome)).resumed
    await hub.leases.round(store.partition("acme"))
    assert await peer.closed() == (4001, "lease_lost")
    assert (await states(store), again.wire.closed) == ({"ann": "attached"}, None)


async def test_a_request_in_a_session_that_lives_elsewhere(
    hubs: Hubs, licensed: Licensed, store: Store
) -> None:
    """The order to let go has not come yet."""
    await licensed()
    hub, other = await hubs("a"), await hubs("b")
    peer = await signed_in(hub, "ann", "CALL_CENTER")
    again = Peer(other)
    await again.say(hello("ann", "CALL_CENTER", resume=peer.resume))
    assert (await again.heard(Welcome)).resumed
    await peer.say(Acquire(ref=1, products=("CALL_MANAGER",)))
    assert await peer.closed() == (4301, "replaced")
    assert (await states(store), await used(store)) == ({"ann": "attached"}, 1)


async def test_a_hello_that_is_closed_before_its_welcome_leaves_no_session(
    hubs: Hubs, store: Store, licensed: Licensed
) -> None:
    await licensed()
    peer = Peer(await hubs())
    saying = asyncio.create_task(peer.say(hello("ann", "CALL_CENTER")))
    await asyncio.sleep(0)
    peer.session.close(codes.MOVING)
    await saying
    assert (await peer.closed())[0] == 4000
    assert (await used(store), await states(store)) == (0, {})
