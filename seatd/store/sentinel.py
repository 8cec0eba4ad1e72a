"""A store behind sentinels: whatever server they call the primary now, asked anew with every new connection."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.connection import Connection
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import MasterNotFoundError, Sentinel, SentinelConnectionPool
from redis.backoff import NoBackoff

from seatd.store.pools import drop
from seatd.store.url import Address, SeveralHosts

LOOK_S = 1.0
"""How often the sentinels are asked while connections that exist are in use. After a planned failover they leave the old
primary in its belief for 10 s (measured with Redis 7.0 and Valkey 9.1), and what it takes in that time is lost."""


class PrimaryPool(SentinelConnectionPool):
    """Connections to the primary, and to the sentinels that are asked for it: they end together.

    (redis-py leaves what it is built on untyped, hence the `ignore`s.)
    """

    _looked_s = 0.0
    _asking: asyncio.Task[Address] | None = None

    async def get_connection(self, *args: Any, **kwargs: Any) -> Connection:
        """A connection to the primary. Whether that is still the primary is asked beside, so nobody waits for the answer."""
        self.look()
        connection: Connection = await super().get_connection(*args, **kwargs)  # type: ignore[no-untyped-call]
        if (connection.host, connection.port) == self.master_address:
            connection.reset_should_reconnect()  # type: ignore[no-untyped-call]  # it may have learned the address itself
        return connection

    def look(self) -> None:
        """To be called with whatever is sent: once in a while the sentinels are asked."""
        if time.monotonic() - self._looked_s > LOOK_S:
            self._ask()

    async def get_master_address(self) -> Address:
        """The primary, as the sentinels say; when it is another than before, nothing goes to the old one any more."""
        return await asyncio.shield(self._ask())

    def _ask(self) -> asyncio.Task[Address]:
        """One question at a time for all who want to know: asked twice at once, redis-py 8.1 may lose one of the sentinels."""
        if self._asking is None or self._asking.done():
            self._looked_s = time.monotonic()
            self._asking = asyncio.create_task(self._answer())
            self._asking.add_done_callback(lambda asked: asked.cancelled() or asked.exception())
        return self._asking

    async def _answer(self) -> Address:
        try:
            address: Address = await super().get_master_address()  # type: ignore[no-untyped-call]
        except MasterNotFoundError as error:
            raise MasterNotFoundError(
                f"no sentinel knows a primary {self.service_name} that is up"
            ) from error
        return address

    async def disconnect(self, inuse_connections: bool = True) -> None:
        """Ends all connections; without `inuse_connections` each as soon as it has its answers."""
        await (super().disconnect() if inuse_connections else drop(self))

    async def aclose(self) -> None:
        """Ends all connections."""
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.wait([self._asking])
        await super().aclose()
        await self.sentinel_manager.aclose()


def behind_sentinels(place: SeveralHosts, settings: Mapping[str, Any], *, ask_timeout_s: float) -> Redis:
    """A client of the primary. `settings` are those of its connections, `ask_timeout_s` bounds every question to a sentinel.

    User and password are the store's; the sentinels are asked without. When none of them knows a primary that is up, a
    connection attempt fails like one to a server that is away.
    """
    sentinels = Sentinel(  # type: ignore[no-untyped-call]  # redis-py leaves it untyped
        place.hosts,
        sentinel_kwargs={
            "retry": Retry(NoBackoff(), 0),
            "socket_timeout": ask_timeout_s,
            "socket_connect_timeout": ask_timeout_s,
        },
    )
    client: Redis = sentinels.master_for(
        place.name,
        connection_pool_class=PrimaryPool,
        username=place.user,
        password=place.password,
        **settings,
    )
    return client
