"""The conversation with one client: what is answered, what ends it, and what becomes of its seats."""

from __future__ import annotations

import asyncio

import pytest

from seatd.store.redis import Store
from seatd_protocol.messages import (
    Acquire,
    Alive,
    Beat,
    Bye,
    Denied,
    Error,
    Granted,
    Moving,
    Notice,
    Refresh,
    Release,
    Welcome,
)
from tests.hub.conftest import Hubs, Peer, hello, refused, signed_in, states
from tests.licenses import Licensed


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


# -- refusals -------------------------------------------------------------------------------------


async def test_a_refusal_tells_all_of_the_users_sessions_however_wide(hubs: Hubs, licensed: Licensed) -> None:
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
    assert len(denied.holders) == 8


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
