"""What ends while the store is away is ended when it is back: no seat stays taken because an answer was lost."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from redis.asyncio import Redis

from seatd.hub.endings import Endings
from seatd.hub.hub import Hub
from seatd.store.connect import ConnectOptions, connect
from seatd.store.pipeline import Pipeline
from seatd.store.redis import Store
from seatd.store.values import StoreUnavailable
from seatd_protocol.messages import Acquire, Bye, Denied, Granted, Welcome
from tests.engine import PrivateEngine
from tests.hub.conftest import Hubs, Peer, hello, refused, signed_in, states, used
from tests.licenses import Licensed
from tests.servers import eventually


@contextmanager
def out_of_reach(hub: Hub) -> Iterator[None]:
    """While inside, nothing that this hub sends reaches the store."""
    store = hub.store
    client, pipeline = store.client, store.pipeline
    nowhere = connect("unix:///nowhere/store.sock", ConnectOptions())
    assert isinstance(nowhere, Redis)
    store.client, store.pipeline = nowhere, Pipeline(nowhere)
    try:
        yield
    finally:
        store.client, store.pipeline = client, pipeline


async def back(hub: Hub) -> None:
    """The store answers again, and everything that waited for it is done."""
    for number in range(hub.store.partitions):
        await hub.leases.round(number)
    await eventually(lambda: not hub.endings._tasks)
    assert len(hub.endings) == 0


async def test_a_lost_connection_is_parked_later(hubs: Hubs, store: Store, licensed: Licensed) -> None:
    await licensed()
    hub = await hubs()
    peer = await signed_in(hub, "ann", "CALL_CENTER")
    with out_of_reach(hub):
        await peer.drop()
        assert len(hub.endings) == 1
        assert await states(store) == {"ann": "attached"}
    await back(hub)
    assert await states(store) == {"ann": "parked"}
    again = Peer(await hubs("b"))
    await again.say(hello("ann", "CALL_CENTER", resume=peer.resume))
    assert (await again.heard(Welcome)).resumed


async def test_a_bye_is_said_later(hubs: Hubs, store: Store, licensed: Licensed) -> None:
    await licensed()
    hub = await hubs()
    peer = await signed_in(hub, "ann", "CALL_CENTER")
    with out_of_reach(hub):
        await peer.say(Bye())
        assert await peer.closed() == (1000, "normal")
        assert await used(store) == 1
    await back(hub)
    assert await used(store) == 0


async def test_a_sign_in_whose_answer_was_lost_takes_no_seat(
    hubs: Hubs, store: Store, licensed: Licensed, engine: PrivateEngine
) -> None:
    """The engine takes the call and answers too late: the client was refused long before the seat was taken."""
    await licensed()
    hub = await hubs()
    peer = Peer(hub)
    with engine.paused():
        await peer.say(hello("ann", "CALL_CENTER"))
        denied = await peer.heard(Denied)
        assert (denied.code, denied.retry_after_s is not None) == ("unavailable", True)
        assert await peer.closed() == (4300, "denied")
        assert len(hub.endings) == 1
    await back(hub)
    assert (await used(store), await states(store)) == (0, {})


async def test_a_sign_in_on_the_emergency_path_is_ended_too(
    hubs: Hubs, store: Store, licensed: Licensed, engine: PrivateEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its client has a session that the store does not know of; what the store may have made is not that one."""
    await licensed()
    hub = await hubs()
    peer = Peer(hub)

    close, engine_is_away = hub.store.close, True

    async def lost(customer: str, *, session: str, fence: int) -> bool:
        if engine_is_away:
            raise StoreUnavailable("lost on the way")
        return await close(customer, session=session, fence=fence)

    monkeypatch.setattr(hub.store, "close", lost)
    with engine.paused():
        await peer.say(hello("ann", "MOBILE", allow_unseated=True))  # denied without a store, on a desktop
        assert (await peer.heard(Denied)).code == "device_not_allowed"
        assert (await peer.heard(Welcome)).seats == ()
    assert await states(store) == {"ann": "attached"}
    engine_is_away = False
    await back(hub)
    assert await states(store) == {}
    await peer.say(Acquire(ref=1, products=("CALL_CENTER",)))
    assert (await peer.heard(Denied)).code == "unavailable"
    await peer.say(Bye())
    assert await peer.closed() == (1000, "normal")
    assert await states(store) == {}


async def test_an_acquire_whose_answer_was_lost_takes_no_seat(
    hubs: Hubs, store: Store, licensed: Licensed, engine: PrivateEngine
) -> None:
    await licensed("CALL_CENTER")
    await licensed("CALL_MANAGER")
    hub = await hubs()
    peer = await signed_in(hub, "ann", "CALL_CENTER")
    with engine.paused():
        await peer.say(Acquire(ref=1, products=("CALL_CENTER", "CALL_MANAGER")))
        assert (await peer.heard(Denied)).code == "unavailable"
    await back(hub)
    assert [(row.product, row.used) for row in await store.registry() if row.used] == [("CALL_CENTER", 1)]
    await peer.say(Acquire(ref=2, products=("CALL_MANAGER",)))
    assert (await peer.heard(Granted)).seats[0].product == "CALL_MANAGER"


async def test_what_is_acquired_again_is_not_given_back(
    hubs: Hubs, store: Store, licensed: Licensed, engine: PrivateEngine
) -> None:
    """The client asks again as soon as the store is back, before the lost answer is seen to."""
    await licensed("CALL_MANAGER")
    hub = await hubs()
    peer = await signed_in(hub, "ann")
    with engine.paused():
        await peer.say(Acquire(ref=1, products=("CALL_MANAGER",)))
        assert (await peer.heard(Denied)).code == "unavailable"
    await peer.say(Acquire(ref=2, products=("CALL_MANAGER",)))
    assert await peer.heard(Granted)
    await back(hub)
    assert await used(store) == 1


async def test_a_resume_whose_answer_was_lost_can_be_made_elsewhere(
    hubs: Hubs, store: Store, licensed: Licensed, engine: PrivateEngine
) -> None:
    await licensed(limit=1)
    hub, other = await hubs("a"), await hubs("b")
    peer = await signed_in(other, "ann", "CALL_CENTER")
    await peer.drop()
    lost = Peer(hub)
    with engine.paused():
        await lost.say(hello("ann", "CALL_CENTER", resume=peer.resume))
        assert await lost.closed() == (4002, "store_lost")
    await back(hub)
    assert await states(store) == {"ann": "parked"}
    again = Peer(other)
    await again.say(hello("ann", "CALL_CENTER", resume=peer.resume))
    assert (await again.heard(Welcome)).resumed
    assert (await refused(hub, "bob", "CALL_CENTER")).code == "no_seat"


async def test_a_resume_on_the_same_node_outlives_what_was_lost(
    hubs: Hubs, store: Store, licensed: Licensed, engine: PrivateEngine
) -> None:
    """The client comes back before the lost resume is seen to: its new life must not be parked."""
    await licensed()
    hub = await hubs()
    peer = await signed_in(hub, "ann", "CALL_CENTER")
    await peer.drop()
    lost, again = Peer(hub), Peer(hub)
    with engine.paused():
        await lost.say(hello("ann", "CALL_CENTER", resume=peer.resume))
        assert await lost.closed() == (4002, "store_lost")
    await again.say(hello("ann", "CALL_CENTER", resume=peer.resume))
    assert (await again.heard(Welcome)).resumed
    await back(hub)
    assert await states(store) == {"ann": "attached"}


async def test_a_refused_resume_withdraws_nothing(hubs: Hubs, store: Store, licensed: Licensed) -> None:
    """A stranger names a session whose end waits for the store: it is ended all the same."""
    await licensed()
    hub = await hubs()
    peer = await signed_in(hub, "ann", "CALL_CENTER")
    with out_of_reach(hub):
        await peer.say(Bye())
        await peer.closed()
    stranger = Peer(hub)
    await stranger.say(hello("eve", "CALL_CENTER", resume=peer.resume))
    assert not (await stranger.heard(Welcome)).resumed
    await back(hub)
    assert await states(store) == {"eve": "attached"}


class Slow:
    """An ending that takes until it is let go."""

    def __init__(self) -> None:
        self.let_go = asyncio.Event()
        self.carried_out = 0

    async def __call__(self) -> None:
        await self.let_go.wait()
        self.carried_out += 1


async def test_an_ending_under_way_is_waited_for() -> None:
    endings, slow = Endings(), Slow()
    settling = asyncio.create_task(endings.settle(0, "s", slow))
    await asyncio.sleep(0)
    withdrawing = asyncio.create_task(endings.withdraw(0, "s"))
    other = asyncio.create_task(endings.withdraw(0, "another"))
    await other
    assert not withdrawing.done()
    slow.let_go.set()
    assert await withdrawing is None
    assert slow.carried_out == 1
    await settling


async def test_one_that_fails_under_way_is_withdrawn() -> None:
    endings = Endings()

    async def lost() -> None:
        raise StoreUnavailable("away")

    settling = asyncio.create_task(endings.settle(0, "s", lost))
    await asyncio.sleep(0)
    assert await endings.withdraw(0, "s") is lost
    await settling
    assert len(endings) == 0


async def test_all_that_waits_is_tried_again_at_once() -> None:
    """Ten thousand lost connections must not queue up behind each other."""
    endings = Endings()
    slow = [Slow() for _ in range(100)]
    for number, ending in enumerate(slow):
        endings._open.setdefault(0, {})[f"s{number}"] = ending
    endings.retry(0)
    endings.retry(0)
    await asyncio.sleep(0)
    slow[99].let_go.set()
    await eventually(lambda: slow[99].carried_out)
    for ending in slow:
        ending.let_go.set()
    await eventually(lambda: not endings._tasks)
    assert [ending.carried_out for ending in slow] == [1] * 100


async def test_one_that_is_about_to_be_tried_again_can_still_be_withdrawn() -> None:
    """Its session is about to live again: what would end it later must not be under way unseen."""
    endings = Endings()
    tried: list[bool] = []

    async def ending() -> None:
        tried.append(True)
        if len(tried) == 1:
            raise StoreUnavailable("away")

    await endings.settle(0, "s1", ending)
    endings.retry(0)
    assert await endings.withdraw(0, "s1") is ending
    await endings.quiet()
    assert (len(tried), len(endings)) == (1, 0)
