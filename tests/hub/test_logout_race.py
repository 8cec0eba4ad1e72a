"""A forced logout that crosses a request of the same session: whatever comes first, its client hears the logout."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest

from seatd.hub.hub import Hub
from seatd.hub.tokens import BadToken, Identity
from seatd.store.redis import Store
from seatd.store.values import KickTarget
from seatd_protocol.messages import Ack, Acquire, Denied, Error, Logout, Refresh, Release, Welcome
from tests.conftest import Clock
from tests.hub.conftest import Hubs, Peer, hello, signed_in, states
from tests.hub.test_endings import out_of_reach
from tests.hub.waiting import answers_late, kinds, time_out, waits
from tests.licenses import Licensed

REQUESTS = [Acquire(ref=1, products=("CALL_MANAGER",)), Release(ref=1, products=("CALL_CENTER",))]
MESSAGE = "out"


def deafen(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """No wake-up reaches the node, and its next beat is an hour away."""
    monkeypatch.setattr(hub.leases, "wake", lambda number: None)


async def kick(store: Store, **meant: str) -> None:
    """Forces out; the node is not waited for."""
    target = KickTarget(**(meant or {"user": "ann@acme.example"}))
    await store.kick("acme", target, message=MESSAGE, by="boss", cooldown_ms=0, reply_to="")


async def ann_is_kicked(
    hubs: Hubs, licensed: Licensed, store: Store, monkeypatch: pytest.MonkeyPatch, **options: Any
) -> tuple[Hub, Peer]:
    """Ann has a session, and is forced out; her node is deaf."""
    await licensed()
    await licensed("CALL_MANAGER")
    hub = await hubs(**options)
    peer = await signed_in(hub, "ann", "CALL_CENTER")
    deafen(hub, monkeypatch)
    await kick(store)
    return hub, peer


async def asked_late(
    hub: Hub, peer: Peer, request_: Acquire | Release, monkeypatch: pytest.MonkeyPatch
) -> tuple[asyncio.Event, asyncio.Task[None]]:
    """The store has dealt with a request, and its answer is on its way until the event."""
    verb = "acquire" if isinstance(request_, Acquire) else "release"
    done, arrives = answers_late(hub, verb, monkeypatch)
    saying = asyncio.create_task(peer.say(request_))
    await done.wait()
    return arrives, saying


async def goes_in_order(peer: Peer) -> None:
    """The client hears the logout, says that it has, and is closed for that."""
    order = await peer.heard(Logout)
    assert order.message == MESSAGE
    await peer.say(Ack(order=order.order))
    assert await peer.closed() == (4302, "logout")


@pytest.mark.parametrize("request_", REQUESTS)
async def test_an_answer_that_overtakes_the_order_does_not_end_the_session(
    hubs: Hubs,
    store: Store,
    licensed: Licensed,
    request_: Acquire | Release,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The store says that the session is gone before its node has read why."""
    _, peer = await ann_is_kicked(hubs, licensed, store, monkeypatch)
    await peer.say(request_)
    await goes_in_order(peer)
    assert await states(store) == {}


@pytest.mark.parametrize("request_", REQUESTS)
async def test_an_answer_that_the_order_overtakes_does_not_cut_the_logout_off(
    hubs: Hubs,
    store: Store,
    licensed: Licensed,
    request_: Acquire | Release,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hub, peer = await ann_is_kicked(hubs, licensed, store, monkeypatch, ack_s=30)
    arrives, saying = await asked_late(hub, peer, request_, monkeypatch)
    await hub.leases._beat(store.partition("acme"))
    arrives.set()
    await saying
    assert peer.session.closing is None
    await goes_in_order(peer)


@pytest.mark.parametrize("request_", REQUESTS)
async def test_while_the_order_cannot_be_read_the_client_is_told_to_wait(
    hubs: Hubs,
    store: Store,
    licensed: Licensed,
    request_: Acquire | Release,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The store goes away between its answer and the order: the next beat brings it."""
    hub, peer = await ann_is_kicked(hubs, licensed, store, monkeypatch)
    arrives, saying = await asked_late(hub, peer, request_, monkeypatch)
    with out_of_reach(hub):
        arrives.set()
        await saying
    told = await peer.heard(Denied if isinstance(request_, Acquire) else Error)
    assert told.code == "unavailable"
    await hub.leases._beat(store.partition("acme"))
    await goes_in_order(peer)


async def test_a_logout_is_heard_also_by_whom_a_frozen_node_asks_for(
    hubs: Hubs, store: Store, licensed: Licensed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The node's lease is over by its own clock, the order lies in the store all the same."""
    hub, peer = await ann_is_kicked(hubs, licensed, store, monkeypatch)
    hub.leases._partitions[store.partition("acme")].lease.lapse()
    await peer.say(REQUESTS[1])
    await goes_in_order(peer)


async def test_a_waiter_that_is_forced_out_when_its_patience_ends_hears_the_logout(
    hubs: Hubs,
    store: Store,
    licensed: Licensed,
    clock: Clock,
    brisk_queue: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await licensed(limit=1)
    hub = await hubs()
    await signed_in(hub, "eve", "CALL_CENTER")
    peer = await waits(hub, "ann")
    deafen(hub, monkeypatch)
    await kick(store)
    time_out(hub, peer)
    await goes_in_order(peer)


@pytest.mark.parametrize("answer", ["bad", "another"])
async def test_a_token_that_is_checked_while_the_logout_is_told_cuts_nothing_off(
    hubs: Hubs, store: Store, licensed: Licensed, answer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub, peer = await ann_is_kicked(hubs, licensed, store, monkeypatch, ack_s=30)
    other = await signed_in(hub, "eve")

    async def check(token: str) -> Identity:
        await hub.leases._beat(store.partition("acme"))
        if answer == "bad":
            raise BadToken("meanwhile")
        return other.session.identity

    monkeypatch.setattr(hub.tokens, "check", check)
    await peer.say(Refresh(token="x"))
    assert peer.session.closing is None
    await goes_in_order(peer)


async def test_whom_no_order_tells_is_still_replaced(
    hubs: Hubs, store: Store, licensed: Licensed, monkeypatch: pytest.MonkeyPatch
) -> None:
    await licensed()
    hub, other = await hubs("a"), await hubs("b")
    peer = await signed_in(hub, "ann", "CALL_CENTER")
    deafen(hub, monkeypatch)
    again = Peer(other)
    await again.say(hello("ann", "CALL_CENTER", resume=peer.resume))
    assert (await again.heard(Welcome)).resumed
    await peer.say(Acquire(ref=1, products=("CALL_MANAGER",)))
    assert await peer.closed() == (4301, "replaced")


async def test_however_requests_and_logouts_cross_everybody_hears_the_logout(
    hubs: Hubs, store: Store, licensed: Licensed
) -> None:
    """Sixty sessions on two nodes ask for more and give back while all of them are forced out."""
    await licensed(limit=100)
    await licensed("CALL_MANAGER", limit=100)
    nodes = (await hubs("a", ack_s=5), await hubs("b", ack_s=5))
    peers = [await signed_in(nodes[n % 2], f"u{n}", "CALL_CENTER") for n in range(60)]
    chance = random.Random(7)

    async def ask(peer: Peer) -> None:
        for n in range(8):
            await asyncio.sleep(chance.random() / 200)
            products = chance.choice((("CALL_MANAGER",), ("CALL_CENTER",)))
            await peer.say(chance.choice((Acquire, Release))(ref=n, products=products))

    asking = [asyncio.create_task(ask(peer)) for peer in peers]
    await asyncio.sleep(0.01)
    await kick(store, domain="acme.example")
    await asyncio.gather(*map(goes_in_order, peers), *asking)
    assert await states(store) == {}
    assert all(kind is not Logout for peer in peers for kind in kinds(peer))
