"""Clients that wait on a hub, and a store whose answers come late or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from seatd.hub.hub import Hub
from seatd.store.redis import Store
from seatd.store.values import StoreUnavailable
from seatd_protocol.messages import (
    Acquire,
    Beat,
    Bye,
    Queued,
    ServerMessage,
)
from tests.hub.conftest import Peer, hello

LONG_S = 3600
Answer = Callable[..., Awaitable[Any]]


async def waits(hub: Hub, name: str, *need: str, **fields: Any) -> Peer:
    """A client that has been told its place."""
    peer = Peer(hub)
    fields = {"wait_s": LONG_S, **fields}
    await peer.say(hello(name, *(need or ("CALL_CENTER",)), **fields))
    await peer.heard(Queued)
    return peer


async def acquires(peer: Peer, *products: str, ref: int = 1) -> None:
    """A session that waits for more."""
    await peer.say(Acquire(ref=ref, products=products, wait_s=LONG_S))
    queued = await peer.heard(Queued)
    assert queued.ref == ref


async def leaves(peer: Peer) -> None:
    await peer.say(Bye())
    await peer.closed()


async def line(store: Store) -> list[str]:
    """Who waits, in order."""
    rows = {row.session: row.user.partition("@")[0] for row in (await store.sessions()).items}
    return [rows[place.session] for place in (await store.serve("acme")).places]


def kinds(peer: Peer) -> list[type[ServerMessage]]:
    """What the client has been told and not read yet, beats left out."""
    return [type(message) for message in peer.wire.told if not isinstance(message, Beat)]


def answers_late(hub: Hub, verb: str, monkeypatch: pytest.MonkeyPatch) -> tuple[asyncio.Event, asyncio.Event]:
    """The store does it, but its answer is on its way until the second event; the first says that it is done."""
    real: Answer = getattr(hub.store, verb)
    done, arrives = asyncio.Event(), asyncio.Event()

    async def late(*args: Any, **named: Any) -> Any:
        answer = await real(*args, **named)
        done.set()
        await arrives.wait()
        return answer

    monkeypatch.setattr(hub.store, verb, late)
    return done, arrives


def loses_answers(hub: Hub, verb: str, monkeypatch: pytest.MonkeyPatch, times: int = 1) -> None:
    """The store does it, and the answer is lost, so many times."""
    real: Answer = getattr(hub.store, verb)
    left = times

    async def lost(*args: Any, **named: Any) -> Any:
        nonlocal left
        answer = await real(*args, **named)
        if left > 0:
            left -= 1
            raise StoreUnavailable("lost on the way")
        return answer

    monkeypatch.setattr(hub.store, verb, lost)


def gauge(hub: Hub, product: str = "CALL_CENTER") -> float:
    return float(hub.metrics.queue_length.labels(product)._value.get())


def waited(hub: Hub) -> int:
    """How many waits have been measured."""
    (metric,) = hub.metrics.queue_wait_seconds.collect()
    return int(next(sample.value for sample in metric.samples if sample.name.endswith("_count")))


def time_out(hub: Hub, peer: Peer) -> None:
    """The client's patience is over."""
    hub.queue._give_up(hub.queue._waiters[peer.session.key])
