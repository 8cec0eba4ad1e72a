"""The conversation with one client: what is answered, what ends it, and what becomes of its seats."""

from __future__ import annotations

import asyncio

import pytest

from seatd.hub.hub import Hub
from seatd.hub.targets import LogoutTargets
from seatd.store.redis import Store
from seatd.store.values import KickTarget
from seatd_protocol.messages import (
    Ack,
    Acquire,
    Alive,
    Beat,
    Busy,
    Bye,
    ClientMessage,
    Denied,
    Error,
    Granted,
    Logout,
    Moving,
    Notice,
    Refresh,
    Release,
    TakeOver,
    Welcome,
)
from tests.conftest import Clock
from tests.hub.conftest import Hubs, Peer, hello, refused, signed_in, states, used
from tests.licenses import Licensed

ANN = LogoutTargets(users=("ann@acme.example",))


async def kick(store: Store, hub: Hub, **target: str) -> None:
    """Orders Ann (or whoever is meant) out of hub."""
    meant = KickTarget(**target) if target else KickTarget(user="ann@acme.example")
    await store.kick("acme", meant, message="out", by="boss", cooldown_ms=0, reply_to="")
    await hub.leases._beat(store.partition("acme"))


@pytest.fixture(autouse=True)
def short_flush(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that does not read is not waited for as long as usual."""
    monkeypatch.setattr("seatd.hub.session.FLUSH_S", 0.2)


# -- beats ----------------------------------------------------------------------------------------


async def test_beats_are_counted_and_must_be_answered(hubs: Hubs, licensed: Licensed, store: Store) -> None:
    await licensed()
    peer = await signed_in(await hubs(), "ann", "CALL_CENTER")
    for n in (1, 2, 3):
        peer.session.beat()
        beat = await peer.heard(Beat)
        assert (beat.n, beat.lease_s) == (n, 24)
        await peer.say(Alive(n=n))
    peer.session.beat()
    peer.session.beat()
    assert await peer.closed() == (4102, "no_alive")
    assert await states(store) == {"ann": "parked"}


async def test_a_late_answer_does_not_take_back_a_newer_one(hubs: Hubs) -> None:
    peer = await signed_in(await hubs(), "ann")
    for n in (1, 2):
        peer.session.beat()
        await peer.say(Alive(n=n))
    await peer.say(Alive(n=1), Alive(n=0))
    peer.session.beat()
    assert peer.wire.closed is None


@pytest.mark.parametrize("n", [1, 2**53])
async def test_nobody_can_be_alive_ahead_of_time(hubs: Hubs, n: int) -> None:
    peer = await signed_in(await hubs(), "ann")
    await peer.say(Alive(n=n))
    assert await peer.closed() == (4400, "bad_message: alive answers no beat")


async def test_a_node_without_lease_sends_no_beat(hubs: Hubs, monkeypatch: pytest.MonkeyPatch) -> None:
    hub = await hubs()
    peer = await signed_in(hub, "ann")
    monkeypatch.setattr(hub.leases, "may_beat", lambda number: False)
    for _ in range(5):
        peer.session.beat()
    await asyncio.sleep(0)
    assert (peer.wire.told, peer.wire.closed) == ([], None)
    monkeypatch.setattr(hub.leases, "lapsed_s", lambda number: 24.1)
    peer.session.beat()
    assert await peer.closed() == (4002, "store_lost")


async def test_no_beat_before_the_welcome_or_after_the_end(hubs: Hubs) -> None:
    hub = await hubs()
    early = Peer(hub)
    early.session.beat()
    late = await signed_in(hub, "ann")
    await late.say(Bye())
    late.session.beat()
    await late.closed()
    assert (early.wire.told, late.wire.told) == ([], [])
    await early.drop()


# -- tokens ---------------------------------------------------------------------------------------


async def test_the_end_of_a_token_is_told_once_and_then_kept(
    hubs: Hubs, store: Store, licensed: Licensed
) -> None:
    await licensed()
    hub = await hubs(token_leeway_s=0.0, token_warning_s=60.0)
    peer = await signed_in(hub, "ann", "CALL_CENTER", ttl_s=30)
    for n in (1, 2):
        peer.session.beat()
        await peer.say(Alive(n=n))
    notices = [message for message in peer.wire.told if isinstance(message, Notice)]
    assert [(notice.code, notice.until_ms is not None) for notice in notices] == [("token_expiring", True)]

    await peer.say(Refresh(token=hello("ann", ttl_s=3600).token))
    peer.session.beat()
    await peer.say(Alive(n=3))
    assert len([message for message in peer.wire.told if isinstance(message, Notice)]) == 1

    await peer.say(Refresh(token=hello("ann", ttl_s=-20).token))  # good for its checker, which has a leeway
    peer.session.beat()
    assert await peer.closed() == (4200, "token_expired")
    assert await states(store) == {"ann": "parked"}


# -- forced logout --------------------------------------------------------------------------------


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


async def test_an_order_for_a_socket_that_is_closing_is_still_answered(
    hubs: Hubs, store: Store, licensed: Licensed
) -> None:
    """The client does not read, the socket waits for it, and the order comes: the seat is free when the socket is."""
    await licensed()
    hub = await hubs()
    peer = await signed_in(hub, "ann", "CALL_CENTER")
    peer.wire.flowing.clear()
    peer.session.beat()
    peer.session.beat()
    receipts = asyncio.create_task(hub.logouts.logout(ANN, message="out", cooldown_s=0, by="boss"))
    while await states(store) != {"ann": "draining"}:
        await asyncio.sleep(0.001)
    await hub.leases._beat(store.partition("acme"))
    assert (await peer.closed())[0] == 1006
    await hub.leases._beat(store.partition("acme"))
    (receipt,) = await receipts
    assert (receipt.outcome, receipt.delivered, receipt.acknowledged) == ("closed", False, False)
    assert await used(store) == 0


async def test_a_session_taken_over_while_its_socket_closes_is_ended(
    hubs: Hubs, store: Store, licensed: Licensed
) -> None:
    await licensed()
    hub = await hubs()
    slow = await signed_in(hub, "ann", "CALL_CENTER", device="d1")
    slow.wire.flowing.clear()
    slow.session.beat()
    slow.session.beat()
    other = await signed_in(hub, "ann", device="d2")
    taking = asyncio.create_task(other.say(TakeOver(ref=1, session=slow.session.key)))
    while "draining" not in [row.state for row in (await store.sessions()).items]:
        await asyncio.sleep(0.001)
    await hub.leases._beat(store.partition("acme"))
    await slow.closed()
    await taking
    assert await used(store) == 0


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
    await (await hubs("b")).leases._beat(store.partition("acme"))
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
    await hub.leases._beat(store.partition("acme"))
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
    await hub.leases._beat(store.partition("acme"))
    assert await peer.closed() == (4001, "lease_lost")
    assert (await states(store), again.wire.closed) == ({"ann": "attached"}, None)


async def test_a_request_in_a_session_that_lives_elsewhere(
    hubs: Hubs, licensed: Licensed, store: Store
) -> None:
    """The order to let go has not come yet."""
    await licensed()
    hub, other = await hubs("a"), await hubs("b")
    peer = await signed_in(hub, "ann", "CALL_CENTER")
    hub._wakeups.deaf = True
    again = Peer(other)
    await again.say(hello("ann", "CALL_CENTER", resume=peer.resume))
    assert (await again.heard(Welcome)).resumed
    await peer.say(Acquire(ref=1, products=("CALL_MANAGER",)))
    assert await peer.closed() == (4301, "replaced")
    assert (await states(store), await used(store)) == ({"ann": "attached"}, 1)


# -- refusals -------------------------------------------------------------------------------------


async def test_a_refusal_with_more_sessions_than_a_frame_takes(hubs: Hubs, licensed: Licensed) -> None:
    await licensed("CALL_CENTER", 9)
    await licensed("CALL_MANAGER", 1)
    hub = await hubs()
    await signed_in(hub, "bob", "CALL_MANAGER")
    wide = {"name": "\U0001f4bb" * 64, "version": "\U0001f4be" * 64}
    for number in range(8):
        device = f"{number}" + "\U0001f4de" * 127
        await signed_in(hub, "ann", "CALL_CENTER", device=device, device_fields=wide)
    denied = await refused(hub, "ann", "CALL_MANAGER", device="ninth")
    assert denied.code == "no_seat"
    assert 4 < len(denied.holders) < 8


@pytest.mark.parametrize("protocol", ["seatd.v1.msgpack", "seatd.v1.json"])
async def test_the_emergency_path(hubs: Hubs, store: Store, licensed: Licensed, protocol: str) -> None:
    await licensed(limit=1)
    hub = await hubs()
    await signed_in(hub, "bob", "CALL_CENTER")
    peer = Peer(hub, protocol)
    await peer.say(hello("ann", "CALL_CENTER", allow_unseated=True))
    assert [type(message) for message in peer.wire.told] == [Denied, Welcome]
    peer.wire.told.clear()
    peer.session.beat()
    await peer.say(Alive(n=1), Acquire(ref=1, products=("CALL_MANAGER",)))
    assert (await peer.heard(Denied)).code == "not_licensed"
    await peer.say(Release(ref=2, products=("CALL_CENTER",)))
    assert (await peer.heard(Error)).code == "not_held"
    await peer.say(Bye())
    assert await peer.closed() == (1000, "normal")
    assert await states(store) == {"bob": "attached"}


async def test_a_full_node_takes_no_hello(hubs: Hubs) -> None:
    hub = await hubs(max_sessions=1)
    early = Peer(hub)
    await signed_in(hub, "ann")
    await early.say(hello("bob"))
    assert await early.closed() == (4100, "overloaded")


async def test_a_fault_of_ours_closes_that_socket_only(
    hubs: Hubs, licensed: Licensed, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    await licensed()
    hub = await hubs()
    ann, bob = await signed_in(hub, "ann", "CALL_CENTER"), await signed_in(hub, "bob", "CALL_CENTER")

    async def fail(*_: object, **__: object) -> None:
        raise RuntimeError("a bug")

    with monkeypatch.context() as broken:
        broken.setattr(hub.store, "acquire", fail)
        await ann.say(Acquire(ref=1, products=("CALL_CENTER",)))
        assert await ann.closed() == (4103, "internal")
    await bob.say(Acquire(ref=1, products=("CALL_CENTER",)))
    assert await bob.heard(Granted)
    assert await states(store) == {"ann": "parked", "bob": "attached"}


async def test_a_slow_reader_is_cut_off_and_keeps_its_seat(
    hubs: Hubs, licensed: Licensed, store: Store
) -> None:
    await licensed()
    hub = await hubs(outbox_bytes=8192, burst=1000)
    peer = await signed_in(hub, "ann", "CALL_CENTER")
    peer.wire.flowing.clear()
    for ref in range(500):
        await peer.say(Acquire(ref=ref, products=("NO_SUCH_PRODUCT",)))
    assert (await peer.closed())[0] == 1006
    assert peer.session.closing is not None
    assert peer.session.closing.slug == "slow_consumer"
    assert await states(store) == {"ann": "parked"}


async def test_moving_is_told_before_the_close(hubs: Hubs, licensed: Licensed, store: Store) -> None:
    await licensed()
    hub = await hubs()
    peer, waiting = await signed_in(hub, "ann", "CALL_CENTER"), Peer(hub)
    await hub.drain()
    assert [type(message) for message in peer.wire.told] == [Moving]
    assert await peer.closed() == await waiting.closed() == (4000, "moving")
    assert await states(store) == {"ann": "parked"}
    late = Peer(hub)
    assert await late.closed() == (4000, "moving")
