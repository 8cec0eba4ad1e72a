"""A real admin listener: real store engine, real hub, real clients, all of it private to these tests."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientWebSocketResponse, web
from aiohttp.test_utils import TestClient

from seatd.hub.hub import Hub
from seatd.hub.options import HubOptions
from seatd.hub.tokens import TokenChecker, TokenOptions
from seatd.licensing.keys import sign
from seatd.metrics import Metrics
from seatd.store.connect import ConnectOptions, connect, subscriber
from seatd.store.engine import find_engine
from seatd.store.redis import Store
from seatd.store.verbs import StoreOptions
from seatd.store.wakeups import Wakeups
from seatd.web.auth import operator_record, token_hash
from seatd.web.connect import make_client_app
from seatd.web.console import ConsoleOptions
from seatd.web.passwords import Cost, Passwords
from seatd.web.services import Services
from seatd.web.site import make_admin_app
from tests.conftest import Clock
from tests.engine import tied_to
from tests.hub.token_factory import SECRET
from tests.hub.token_factory import signed as signed_token
from tests.licensing.build import CATALOG, TRUST, VENDOR
from tests.web.edge import edge_fixture, nothing_is_left_fixture

__all__ = ["edge_fixture", "nothing_is_left_fixture"]  # pytest finds the fixtures here

NOW_MS = 1_790_000_000_000
CHEAP = Cost(memory_kib=8, passes=1)
TOKEN = "operator-token-of-these-tests-0123456789"

AdminClient = TestClient[web.Request, web.Application]
Clients = Callable[[web.Application], Awaitable[AdminClient]]


def license_key(
    *licenses: dict[str, Any],
    customer: str = "acme",
    jti: str = "key-1",
    iat: int = 1_700_000_000,
    profile: dict[str, str] | None = None,
    **claims: Any,
) -> str:
    """A signed key of one customer; a license needs only what differs from a competitive CALL_CENTER of 5."""
    entries = [
        {
            "id": f"{customer}-{number}",
            "product": "CALL_CENTER",
            "kind": "competitive",
            "limit": 5,
            "valid_from": "2020-01-01T00:00:00Z",
            "valid_till": "2099-01-01T00:00:00Z",
            **entry,
        }
        for number, entry in enumerate(licenses or ({},), 1)
    ]
    body = {
        "iss": "vendor",
        "jti": jti,
        "iat": iat,
        "customer": {"id": customer, **(profile or {})},
        "domains": [f"{customer}.example"],
        "licenses": entries,
        **claims,
    }
    return sign(body, VENDOR)


async def ready(hub: Hub) -> None:
    """Waits until the hub is subscribed to its wake-ups."""
    while any(hub.checks().values()):  # readiness is asked for, not announced
        await asyncio.sleep(0.001)


@dataclass
class Site:
    """The admin listener as an operator sees it, and a way to sign clients in."""

    services: Services
    admin: AdminClient
    clients: AdminClient
    sockets: list[ClientWebSocketResponse] = field(default_factory=list)

    async def call(self, method: str, path: str, **request: Any) -> tuple[int, Any]:
        """Status and JSON (or None) of an authorised call."""
        headers = {"Authorization": f"Bearer {TOKEN}", **request.pop("headers", {})}
        async with self.admin.request(method, path, headers=headers, **request) as response:
            text = await response.text()
            return response.status, json.loads(text) if text else None

    async def imported(self, *licenses: dict[str, Any], **key: Any) -> None:
        """Imports a key of these licenses."""
        status, answer = await self.call(
            "POST", "/api/v1/licenses", json={"key": license_key(*licenses, **key)}
        )
        assert (status, answer["status"]) == (200, "imported"), answer

    async def signed_in(
        self, user: str, *need: str, customer: str = "acme", device: str = "d1"
    ) -> tuple[ClientWebSocketResponse, dict[str, Any]]:
        """A live client and the first thing it was told."""
        socket = await self.clients.ws_connect("/v1/connect", protocols=("seatd.v1.json",))
        self.sockets.append(socket)
        token = signed_token(SECRET, "HS256", sub=user, customer=customer, exp=int(time.time()) + 3600)
        hello = {
            "type": "hello",
            "token": token,
            "device": {"kind": "desktop", "id": device},
            "need": list(need),
        }
        await socket.send_str(json.dumps(hello))
        return socket, await socket.receive_json()


@pytest.fixture(scope="session")
def engine_url() -> Iterator[str]:
    """A store engine on a Unix socket that keeps nothing on disk."""
    with tempfile.TemporaryDirectory(prefix="seatd-web-") as folder:
        path = Path(folder, "store.sock")
        options = [
            "--port",
            "0",
            "--unixsocket",
            str(path),
            "--save",
            "",
            "--appendonly",
            "no",
            "--dir",
            folder,
        ]
        options += ["--maxmemory-policy", "noeviction", "--daemonize", "no", "--loglevel", "warning"]
        process = subprocess.Popen(
            [find_engine().path, *options], stdout=subprocess.DEVNULL, preexec_fn=tied_to(os.getpid())
        )
        try:
            give_up_s = time.monotonic() + 15
            while not path.exists():
                assert process.poll() is None
                assert time.monotonic() < give_up_s
                time.sleep(0.01)
            yield f"unix://{path}"
        finally:
            process.terminate()
            process.wait(10)


@pytest.fixture
async def store(engine_url: str) -> AsyncIterator[Store]:
    """An empty store."""
    opened = Store(connect(engine_url, ConnectOptions()), StoreOptions(partitions=4), checked=True)
    await opened.client.flushall()
    await opened.join()
    yield opened
    await opened.close_client()


@pytest.fixture
async def hub(store: Store, engine_url: str) -> AsyncIterator[Hub]:
    """A node's hub on that store, renewing its leases."""
    options = HubOptions(name="n1", node="n1~test", ack_s=0.2)
    tokens = TokenChecker(TokenOptions(hs256_secret=SECRET))
    wakeups = Wakeups(subscriber(engine_url, ConnectOptions()), options.node)
    running = Hub(store, wakeups, CATALOG, tokens, Metrics(CATALOG.products), options)
    await running.start()
    await ready(running)
    yield running
    await running.stop()


@pytest.fixture
def console() -> ConsoleOptions:
    """How long sessions of administrators last, and so on: the defaults. A test overrides it to have others."""
    return ConsoleOptions()


@pytest.fixture
async def site(
    store: Store, hub: Hub, aiohttp_client: Clients, clock: Clock, console: ConsoleOptions
) -> AsyncIterator[Site]:
    """The listeners on top, with an operator's token registered. Passwords cost next to nothing."""
    await store.register_token(token_hash(TOKEN), operator_record("tests", NOW_MS))
    services = Services(
        store=store,
        hub=hub,
        metrics=hub.metrics,
        catalog=CATALOG,
        trust=TRUST,
        cooldown_s=30,
        now_ms=clock,
        console=console,
        passwords=Passwords(CHEAP),
    )
    admin = await aiohttp_client(make_admin_app(services))
    running = Site(services, admin, await aiohttp_client(make_client_app(hub)))
    yield running
    for socket in running.sockets:
        await socket.close()
