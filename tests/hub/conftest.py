"""A hub without a network: real store, real leases and orders; only the sockets are in memory."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypeVar

import pytest

from seatd.hub.hub import Hub
from seatd.hub.options import HubOptions
from seatd.hub.session import Session
from seatd.hub.tokens import TokenChecker, TokenOptions
from seatd.metrics import Metrics
from seatd.store.connect import ConnectOptions, connect, subscriber
from seatd.store.redis import Store
from seatd.store.verbs import StoreOptions
from seatd.store.wakeups import Wakeups
from seatd_protocol.codec import CODECS, Codec
from seatd_protocol.messages import (
    ClientMessage,
    Denied,
    Device,
    DeviceKind,
    Hello,
    Resume,
    ServerMessage,
    Welcome,
)
from tests.conftest import Clock
from tests.engine import PrivateEngine
from tests.hub.token_factory import SECRET, signed
from tests.licensing.build import CATALOG
from tests.servers import eventually

Kind = TypeVar("Kind", bound=ServerMessage)
TIMEOUT_S = 0.5
"""How long these hubs wait for the store: tests make it late on purpose."""


class Wire:
    """A socket in memory. `told` is what the client was told; a wire that is `stuck` takes nothing until it is not."""

    def __init__(self, codec: Codec) -> None:
        self.codec = codec
        self.told: list[ServerMessage] = []
        self.closed: tuple[int, str] | None = None
        self.let_go = False
        self.gone = asyncio.Event()
        self.flowing = asyncio.Event()
        self.flowing.set()

    @property
    def lost(self) -> bool:
        return self.gone.is_set()

    async def send(self, frame: bytes | str) -> None:
        await self.flowing.wait()
        if self.gone.is_set():
            raise ConnectionResetError
        self.told.append(self.codec.decode_server(frame))

    async def close(self, number: int, reason: str) -> None:
        self.closed = self.closed or (number, reason)
        self.let_go = not self.gone.is_set()  # this client answers a close frame at once
        self.gone.set()

    def abort(self) -> None:
        self.closed = self.closed or (1006, "")
        self.gone.set()


class Peer:
    """A client of a hub. As the web layer does, it tells the session when its wire is gone."""

    def __init__(self, hub: Hub, protocol: str = "seatd.v1.msgpack") -> None:
        self.codec = CODECS[protocol]
        self.wire = Wire(self.codec)
        self.session: Session = hub.connect(self.wire, self.codec)
        self._ending = asyncio.create_task(self._end())

    async def say(self, *messages: ClientMessage) -> None:
        """Says these, one after the other; returns when the session has dealt with them."""
        for message in messages:
            await self.session.receive(self.codec.encode(message))
        await asyncio.sleep(0)

    async def heard(self, kind: type[Kind]) -> Kind:
        """The next message of this kind, as soon as it is there; those before it are dropped."""
        async with asyncio.timeout(10):
            while True:
                while self.wire.told:
                    message = self.wire.told.pop(0)
                    if isinstance(message, kind):
                        return message
                await asyncio.sleep(0.001)

    async def closed(self) -> tuple[int, str]:
        """Waits until the session is over in every respect; close code and reason."""
        async with asyncio.timeout(10):
            await self._ending
        assert self.wire.closed is not None
        return self.wire.closed

    async def drop(self) -> None:
        """The connection is lost; returns when the session has seen to it."""
        self.wire.abort()
        await self._ending

    async def _end(self) -> None:
        await self.wire.gone.wait()
        await self.session.gone(let_go=self.wire.let_go)

    @property
    def resume(self) -> Resume:
        """What brings the session back."""
        return Resume(session=self.session.key, secret=self.session.secret)


def hello(
    name: str,
    *need: str,
    device: str = "d1",
    kind: DeviceKind = "desktop",
    resume: Resume | None = None,
    ttl_s: float = 3600,
    **fields: Any,
) -> Hello:
    """The hello of a user of acme.example."""
    token = signed(SECRET, "HS256", sub=f"{name}@acme.example", exp=int(time.time() + ttl_s))
    shown = fields.pop("device_fields", {})
    return Hello(
        token=token, device=Device(kind=kind, id=device, **shown), need=need, resume=resume, **fields
    )


Hubs = Callable[..., Awaitable[Hub]]


@pytest.fixture
async def hubs(
    engine: PrivateEngine, store: Store, store_options: StoreOptions, clock: Clock
) -> AsyncIterator[Hubs]:
    """`await hubs("a", **options)` starts a node's hub on the test's store; its beats are only those that a test makes."""
    running: list[Hub] = []

    async def start(name: str = "a", **options: Any) -> Hub:
        own = Store(
            connect(engine.url, ConnectOptions(timeout_s=TIMEOUT_S)),
            store_options,
            checked=True,
            now_ms=clock,
        )
        await own.join()
        options = {"ack_s": 0.1, "renew_s": 3600, "lease_s": 20, **options}
        settings = HubOptions(name=name, node=f"{name}~1", **options)
        hub = Hub(
            own,
            Wakeups(subscriber(engine.url, ConnectOptions()), settings.node),
            CATALOG,
            TokenChecker(TokenOptions(hs256_secret=SECRET)),
            Metrics(CATALOG.products),
            settings,
        )
        await hub.start()
        running.append(hub)
        await eventually(lambda: not hub.checks()["wakeups"])
        return hub

    yield start
    for hub in running:
        await hub.drain()
        await hub.stop()
        await hub.store.close_client()


async def signed_in(
    hub: Hub, name: str, *need: str, protocol: str = "seatd.v1.msgpack", **fields: Any
) -> Peer:
    """A client with a session."""
    peer = Peer(hub, protocol)
    await peer.say(hello(name, *need, **fields))
    await peer.heard(Welcome)
    return peer


async def refused(hub: Hub, name: str, *need: str, **fields: Any) -> Denied:
    """The denial that a client gets."""
    peer = Peer(hub)
    await peer.say(hello(name, *need, **fields))
    return await peer.heard(Denied)


async def used(store: Store) -> int:
    """Seats in use, all licenses together."""
    return sum(row.used for row in await store.registry())


async def states(store: Store) -> dict[str, str]:
    """The sessions in the store: user -> state."""
    page = await store.sessions()
    return {row.user.partition("@")[0]: row.state for row in page.items}


@pytest.fixture
def brisk_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test of the queue waits for somebody else's patience."""
    monkeypatch.setattr("seatd.hub.session.FLUSH_S", 0.2)
    monkeypatch.setattr("seatd.hub.queue.RETRY_S", 0.01)
    monkeypatch.setattr("seatd.hub.queue.REFRESH_S", 0.01)
